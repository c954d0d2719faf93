"""A cloud that grows: every mark can be come back to, exactly, whoever of engine and chain keeps the books."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright.openstack.cloud import Flavor
from binwright.openstack.growth import Growth, with_servers
from binwright.openstack.pending import Wanted
from binwright.openstack.verify import verify_cloud
from tests.stack.made import cloud, group, hypervisor, server

SMALL = Flavor("f1", "small", 4, 8192, 10)
LARGE = Flavor("f2", "large", 8, 24576, 10)
PINNED = Flavor("f3", "numa", 4, 8192, 10, extra_specs={"hw:numa_nodes": "1"})


def made(policy="soft-anti-affinity", used=(8, 0, 24)):
    return cloud(
        [server("s0", "h0")],
        [hypervisor(f"h{number}", used_gib=gib) for number, gib in enumerate(used)],
        flavors=[],
        server_groups=[group("workers", policy, "s0")],
    )


def wanted(flavor, grouped=True):
    return Wanted(f"like-{flavor.name}", None, "p", flavor, hints={"group": ["id-workers"]} if grouped else {})


def placed(growth):
    return [(one.server.name, one.host) for one in growth.grown]


steps = st.lists(st.one_of(st.sampled_from(["mark", "keep", "undo"]), st.integers(0, 1)), max_size=25)


@settings(max_examples=40, deadline=None)
@given(steps, st.sampled_from(["anti-affinity", "soft-anti-affinity", "affinity"]), st.sampled_from([LARGE, PINNED]))
def test_undone_is_as_if_it_had_never_been(asked, policy, second):
    kinds = [wanted(SMALL), wanted(second, grouped=False)]
    growth, marks, kept = Growth(made(policy), kinds), [], []
    for number, step in enumerate(asked):
        if step == "mark":
            marks.append((growth.mark(), list(kept)))
        elif step == "keep" and marks:
            growth.keep(marks.pop()[0])
        elif step == "undo" and marks:
            mark, kept = marks.pop()
            growth.undo(mark)
        elif isinstance(step, int):
            one = Wanted(f"n{number}", None, "p", kinds[step].flavor, hints=kinds[step].hints)
            if growth.place(one).host is not None:
                kept.append(one)
    fresh = Growth(made(policy), kinds)
    for one in kept:
        fresh.place(one)
    assert placed(growth) == placed(fresh)
    rest = [growth.fill(kind, 30) for kind in kinds]
    assert rest == [fresh.fill(kind, 30) for kind in kinds]


@pytest.mark.parametrize("policy", ["anti-affinity", "soft-anti-affinity"])
def test_the_grown_cloud_keeps_its_rules(policy):
    growth = Growth(made(policy), [wanted(SMALL), wanted(LARGE, grouped=False)])
    growth.fill(wanted(SMALL), 30)
    growth.fill(wanted(LARGE, grouped=False), 30)
    after = with_servers(made(policy), growth.grown)
    after.flavors = [SMALL, LARGE, Flavor("m1", "m1", 4, 8192)]
    assert len(after.servers) == 1 + len(growth.grown)
    assert [one for one in verify_cloud(after).findings if one.kind != "past"] == []
    members = next(one for one in after.server_groups if one.name == "workers").members
    assert len(members) == 1 + sum(bool(one.server.hints) for one in growth.grown)


def test_why_not_tells_hosts_apart():
    """24 GiB want h0 (56 free: 2), h1 (64: 2), h2 (40: 1); then the holes are 8, 16 and 16 GiB."""
    growth = Growth(made(), [wanted(LARGE)])
    assert len(growth.fill(wanted(LARGE), 30)) == 5
    why = growth.why_not(wanted(LARGE), growth.place(wanted(LARGE)))
    assert (why.lacking, why.fragmented, why.shut_out, why.other) == (0, 3, 0, 0)
    assert why.hole == {"MEMORY_MB": 16384}


def test_a_group_shuts_hosts_out():
    growth = Growth(made("anti-affinity"), [wanted(SMALL)])
    assert sorted(growth.fill(wanted(SMALL), 30)) == ["h1", "h2"]
    why = growth.why_not(wanted(SMALL), growth.place(wanted(SMALL)))
    assert (why.fragmented, why.shut_out, why.other) == (0, 3, 0)


@pytest.mark.parametrize("flavor", [SMALL, PINNED], ids=["engine", "chain"])
def test_a_host_that_is_asked_for_passes_all_rules_or_is_refused(flavor):
    """h0 holds a member of the group, h1 has the most memory left, h2 takes the server only if it is asked for."""
    growth = Growth(made("anti-affinity"), [wanted(flavor)])
    assert growth.takers(wanted(flavor)) == ["h1", "h2"]
    mark = growth.mark()
    assert growth.place(wanted(flavor), "h0").host is None
    assert growth.hosts[growth.place(wanted(flavor), "h2").host] == "h2"
    assert growth.takers(wanted(flavor)) == ["h1"]
    assert [(one.host, one.requested) for one in growth.grown] == [("h2", True)]
    growth.undo(mark)
    assert growth.takers(wanted(flavor)) == ["h1", "h2"]
