"""Quotas by hand: what a dump says of them, and what they let."""

import pytest

from binwright.errors import InputError
from binwright.openstack.cloud import Flavor
from binwright.openstack.growth import ADDRESSES, Growth
from binwright.openstack.pending import Wanted
from binwright.openstack.quotas import Quotas, with_allowed_wishes
from tests.stack.made import cloud, flavor, group, hypervisor, server

M1 = Flavor("id-m1", "m1", 8, 16384, 20)
WIDE = {"instances": 100, "cores": 1000, "ram": -1}


def made(*quotas, wishes=(), servers=2, **tables):
    return cloud(
        [server(f"s{i}", "h1") for i in range(servers)],
        [hypervisor("h1", 1024, cpus=256)],
        flavors=[flavor()],
        quotas=list(quotas),
        requests=list(wishes),
        **tables,
    )


def wanted(number=0, project="p", **more):
    return Wanted(f"n{number}", None, project, M1, **more)


def let(quota, *, want=None, most=20, **more):
    """How many more servers a project may have, and why not one more."""
    quotas = Quotas(made(quota, **more))
    for number in range(most):
        why = quotas.refusal(want or wanted(number))
        if why is not None:
            return number, why
        quotas.take(want or wanted(number))
    return most, None


@pytest.mark.parametrize(
    ("change", "number", "why"),
    [
        ({"instances": 5}, 3, "project p may have 5 instances, has 5 and asks for 1 more"),
        ({"cores": 40}, 3, "project p may have 40 cores, has 40 and asks for 8 more"),
        ({"cores": "47"}, 3, "project p may have 47 cores, has 40 and asks for 8 more"),
        ({"ram": 65536}, 2, "project p may have 65536 ram, has 65536 and asks for 16384 more"),
        ({"ram": {"limit": 65536, "in_use": 0, "reserved": 16384}}, 3, "has 65536 and asks for 16384 more"),
        ({"instances": {"limit": -1, "in_use": 7, "reserved": 0}}, 20, None),
        ({"port": {"limit": 4, "used": 3, "reserved": 0}}, 1, "project p may have 4 port, has 4 and asks for 1 more"),
        ({"ports": 1}, 20, None),  # nobody says how many there are
    ],
)
def test_limits_are_held(change, number, why):
    found, told = let({"project_id": "p", **WIDE, **change})
    assert found == number
    assert told is None if why is None else told.endswith(why)


def test_rows_of_several_services_are_one_project():
    rows = ({"Project ID": "p", "Cores": 100, "Instances": 4}, {"project_id": "p", "service": "network", "port": 500})
    quotas = Quotas(made(*rows))
    assert quotas.refusal(wanted()) is None
    assert Quotas(made(*rows, servers=4)).refusal(wanted()).startswith("project p may have 4 instances")


def test_members_of_a_server_group_and_volumes():
    grouped = wanted(hints={"group": ["id-g"]})
    rows = {"server_groups": [group("g", "soft-anti-affinity", "s0", "s1")]}
    number, why = let({"project_id": "p", **WIDE, "server_group_members": 5}, want=grouped, **rows)
    assert (number, why) == (3, "a server group of project p may have 5 members, id-g has 5")
    volumes = {"project_id": "p", "volumes": {"limit": 2, "in_use": 1, "reserved": 0}}
    assert let(volumes, want=wanted(from_volume=True))[0] == 1
    assert let(volumes)[0] == 20


def test_other_projects_are_let():
    assert Quotas(made({"project_id": "q", "instances": 0})).refusal(wanted()) is None


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"instances": 3}, "quotas.json: quota 1: project: missing"),
        ({"project_id": "p", "cores": "many"}, "quotas.json: quota 1: cores: 'many' is not a whole number"),
        ({"project_id": "p", "cores": {"in_use": 3}}, "quotas.json: quota 1: cores: an object has no limit"),
    ],
)
def test_a_row_that_is_none_is_one_line(row, line):
    with pytest.raises(InputError) as refusal:
        made(row)
    assert str(refusal.value) == line


def test_a_cloud_grows_up_to_the_quota_and_undone_is_undone():
    growth = Growth(made({"project_id": "p", "instances": 4}), [wanted()])
    mark = growth.mark()
    assert len(growth.fill(wanted(), 10)) == 2
    decision = growth.place(wanted(9))
    told = growth.why_not(wanted(9), decision)
    assert told.message == "quota: project p may have 4 instances, has 4 and asks for 1 more"
    assert growth.takers(wanted(9)) == []
    growth.undo(mark)
    assert len(growth.fill(wanted(), 10)) == 2
    assert [one.rule for one in growth.not_evaluated()] == [ADDRESSES]
    assert [one.rule for one in Growth(made(), [wanted()]).not_evaluated()] == [
        "quota of projects (no row of quotas.json tells it)",
        ADDRESSES,
    ]


def test_wishes_are_let_in_order_and_those_together_all_or_none():
    wish = {"flavor": "m1", "project_id": "p"}
    wishes = [{"name": "a", "count": 2, **wish}, {"name": "b", "max_count": 2, **wish}, {"name": "c", **wish}]
    before = made({"project_id": "p", "instances": 5}, wishes=wishes)
    after, refused = with_allowed_wishes(before)
    assert [(one.name, one.count) for one in after.wishes] == [("a", 2), ("c", 1)]
    assert refused == ["project p may have 5 instances, has 5 and asks for 1 more"] * 2
    assert [one.count for one in before.wishes] == [2, 2, 1]
