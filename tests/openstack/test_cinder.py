"""Cinder's scheduler on the engine: recorded decisions of the real one, the reference on random clouds, small cases."""

import copy
import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest

from binwright.cli import main
from binwright.errors import InputError
from binwright.openstack.cinder.capacity import available, has_room, virtual_free
from binwright.openstack.cinder.columns import CapacityColumns
from binwright.openstack.cinder.extra_specs import matches, satisfies
from binwright.openstack.cinder.pools import read_pool
from binwright.openstack.cinder.replay import read_pools, read_request
from binwright.openstack.cinder.scheduler import SchedulerOptions, VolumeScheduler
from binwright.openstack.cinder.volumes import PlacedVolume, VolumeRequest
from binwright.openstack.conformance import replay
from tests.reference.openstack import cinder as reference

RECORDING = Path(__file__).parents[1] / "conformance" / "openstack" / "cinder.json.gz"


@pytest.fixture(scope="module")
def recording():
    return json.loads(gzip.decompress(RECORDING.read_bytes()))


def pool(name="h@b#p", **said):
    said = {"total_capacity_gb": 100, "free_capacity_gb": 40, "allocated_capacity_gb": 60} | said
    return read_pool({"name": name, "capabilities": said}, "pools.json: pool", zone="nova")


def test_recorded_decisions_are_exact(recording):
    report = replay(recording)
    assert report.differences == []
    assert report.cases == report.exact == 200
    assert sum(len(case["requests"]) for case in recording["cases"]) == 558


def test_recorded_totals_are_equal_to_the_last_bit(recording):
    compared = 0
    for case in recording["cases"]:
        options = SchedulerOptions.of(case["config"])
        placed = [PlacedVolume(row["id"], row["host"], row.get("cluster")) for row in case["volumes"]]
        scheduler = VolumeScheduler(read_pools(case["pools"], options), placed, options)
        for row, expected in zip(case["requests"], case["expected"]):
            if "order" not in expected:
                break
            totals = scheduler.explain(read_request(row)).scores.totals
            assert sorted(totals[~np.isnan(totals)], reverse=True) == [total for _, total in expected["order"]]
            compared += len(expected["order"])
            if "chosen" in expected:
                scheduler.place(read_request(row), row["id"])
    assert compared > 1000


def leaves(value, path=()):
    if isinstance(value, dict | list) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path


def test_a_change_of_anything_recorded_is_noticed(recording):
    case = next(case for case in recording["cases"] if case["id"] == "capacity-stack")
    paths = list(leaves(case["expected"][0]))
    for path in random.Random(1).sample(paths, 60):
        changed = copy.deepcopy(case)
        owner = changed["expected"][0]
        for key in path[:-1]:
            owner = owner[key]
        owner[path[-1]] = "changed"
        assert replay({**recording, "cases": [changed]}).exact == 0, path


def test_the_command_replays_it(capsys):
    assert main.main(["conformance", "cinder", str(RECORDING)]) == 0
    assert capsys.readouterr().out.endswith("total: cases 200 exact 200\n")


def test_thick_space_is_the_smaller_of_free_and_what_is_not_promised():
    thick = pool(reserved_percentage=10, provisioned_capacity_gb=60)
    assert (available(thick, True), virtual_free(thick, True)) == (90.0, 30.0)  # 100 - 10 - 60 < 40
    assert has_room(thick, 30, True)
    assert not has_room(thick, 31, True)


def test_thin_space_is_promised_several_times():
    thin = pool(thin_provisioning_support=True, max_over_subscription_ratio="2.0")
    assert (available(thin, True), virtual_free(thin, True)) == (200.0, 140.0)
    assert has_room(thin, 140, True)
    assert not has_room(thin, 141, True)
    assert virtual_free(thin, False) == 40  # a thick volume: 100 - 60


def test_the_automatic_ratio():
    assert pool(thin_provisioning_support=True, max_over_subscription_ratio="auto").ratio == 1 + 60 / (100 - 40 + 1)
    empty = {"allocated_capacity_gb": 0, "thin_provisioning_support": True, "max_over_subscription_ratio": "auto"}
    assert pool(**empty).ratio == 20


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({"free_capacity_gb": "infinite"}, True),
        ({"free_capacity_gb": "unknown", "total_capacity_gb": 0}, True),
        ({"total_capacity_gb": "unknown"}, True),
        ({"total_capacity_gb": "unknown", "reserved_percentage": 1}, False),
        ({"total_capacity_gb": 0, "free_capacity_gb": 0}, False),
        ({"free_capacity_gb": None}, False),
        ({"thin_provisioning_support": True, "max_over_subscription_ratio": "0.9"}, False),
        ({"thin_provisioning_support": True, "reserved_percentage": 100}, False),
    ],
)
def test_backends_that_do_not_know_or_cannot(said, fits):
    assert has_room(pool(**said), 5, True) is fits
    assert has_room(pool(**said), 0, True)


@pytest.mark.parametrize(
    ("value", "wanted", "holds"),
    [
        (True, "<is> True", True),
        ("no", "<is> False", True),
        (True, "True", False),
        (5, "5", False),
        ("5", ">= 4", True),
        (5, "= 6", False),
        ("many", ">= 4", False),
        (None, "<is> False", False),
        (None, None, True),
        ("ssd", "<or> hdd <or> ssd", True),
        ("ssd", "<in> ss", True),
        (7, "<in> ss", False),
        ("b", "s>= a", True),
        ("ssd", "<or>", False),
    ],
)
def test_extra_spec_operators(value, wanted, holds):
    assert matches(value, wanted) is holds


def test_extra_specs_look_into_capabilities():
    said = {"vendor": {"name": "acme"}, "disk": ["hdd", "ssd"]}
    assert satisfies(said, {"capabilities:vendor:name": "acme", "disk": "ssd", "acme:anything": "1"})
    assert not satisfies(said, {"capabilities:vendor:colour": "red"})
    assert not satisfies(said, {"vendor:name": "other", "disk": "tape"})


def test_a_refusal_counts_its_reasons():
    scheduler = VolumeScheduler([pool("a@b#1"), pool("a@b#2", free_capacity_gb=3)])
    look = scheduler.explain(VolumeRequest(10, extra_specs={"disk": "ssd"}))
    assert [(reason.rule, reason.hosts, reason.resolvable) for reason in look.reasons] == [
        ("CapacityFilter", 1, True),
        ("CapabilitiesFilter", 1, False),
    ]


def test_a_backend_that_is_down_takes_nothing():
    down, up = pool("a@b#1"), pool("c@d#1", free_capacity_gb=20)
    down.up = False
    assert VolumeScheduler([down, up]).place(VolumeRequest(5), "v") == (1, 0.0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"capabilities": {}}, "pool 1: name: missing"),
        ({"name": "p"}, "pool 1 p: capabilities: missing"),
        ({"name": "p", "capabilities": {"total_capacity_gb": "lots"}}, "total_capacity_gb: 'lots' is not a number"),
        ({"name": "p", "capabilities": {"free_capacity_gb": float("nan")}}, "free_capacity_gb: nan is too large"),
        ({"name": "p", "capabilities": {"reserved_percentage": []}}, "reserved_percentage: a list is not a number"),
        ({"name": "p", "capabilities": {"thin_provisioning_support": 3}}, "support: 3 is not true or false"),
        (
            {"name": "p", "capabilities": {"thin_provisioning_support": True, "max_over_subscription_ratio": "x"}},
            "max_over_subscription_ratio: 'x' is not a number",
        ),
    ],
)
def test_a_bad_pool_is_one_line(row, message):
    with pytest.raises(InputError) as refused:
        read_pool(row, "pools.json: pool 1")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_option_that_is_not_evaluated_is_refused():
    with pytest.raises(InputError, match="scheduler_default_weighers: 'ChanceWeigher' is not evaluated"):
        SchedulerOptions(weighers=("ChanceWeigher",))
    with pytest.raises(InputError, match="scheduler_default_filters: 'Mine' is not evaluated"):
        SchedulerOptions(filters=("Mine",))


def test_the_reference_agrees_with_the_recording(recording):
    """Its two filters, on the first request of every case, before anything was consumed."""
    compared = 0
    for case in recording["cases"]:
        request, expected = case["requests"][0], case["expected"][0]
        if "extends_to" in request or "is_on" in request:
            continue
        default = case["config"].get("max_over_subscription_ratio", "20.0")
        pools = []
        for row in case["pools"]:
            said = row["capabilities"]
            sizes = [said.get(f"{one}_capacity_gb", 0) for one in ("total", "free", "allocated")]
            provisioned, over = said.get("provisioned_capacity_gb", sizes[2]), said.get("max_over_subscription_ratio")
            thin, reserved = said.get("thin_provisioning_support", False), said.get("reserved_percentage", 0)
            names = read_pool(row, "pool").capabilities  # with every name of the protocol
            pools.append(
                reference.Pool(row["host"], *sizes, provisioned, reserved, thin, over or default, row["zone"], names)
            )
        specs = request.get("extra_specs", {})
        thin = specs.get("provisioning:type") != "thick"
        room = [one.name for one in pools if reference.capacity_filter(one, request["size"], thin)]
        able = [one.name for one in pools if reference.capabilities_filter(one, specs)]
        assert (room, able) == (expected["filters"]["CapacityFilter"], expected["filters"]["CapabilitiesFilter"]), case
        compared += len(pools)
    assert compared > 800


@pytest.mark.parametrize("seed", range(30))
def test_the_columns_say_what_the_pools_say(seed):
    rng = random.Random(seed)
    pools = [random_pool(rng, number)[0] for number in range(9)] + [pool(free_capacity_gb=None)]
    columns = CapacityColumns(pools)
    for _ in range(40):
        for thin in (True, False):
            for size in (0, 1, 7, 40, 90, 1000):
                wanted = [has_room(one, size, thin) for one in pools]
                assert columns.room(size, thin).tolist() == wanted, f"seed {seed}, {size} {thin}"
            free = [np.inf if np.inf in (one.total, one.free) else virtual_free(one, thin) for one in pools]
            assert columns.free(thin).tolist() == free, f"seed {seed}"
        index = rng.randrange(len(pools))
        pools[index].consume(rng.choice([1, 13, 200]))
        columns.update(index)


def random_pool(rng, number):
    total = rng.choice([50, 100, 99.9, 1000, "infinite", "unknown"])
    free = rng.choice([0, 3, 12.5, 40, 49, "unknown"])
    said = {
        "total_capacity_gb": total,
        "free_capacity_gb": free,
        "allocated_capacity_gb": rng.randint(0, 60),
        "provisioned_capacity_gb": rng.randint(0, 80),
        "reserved_percentage": rng.choice([0, 0, 7, 33]),
        "thin_provisioning_support": rng.random() < 0.5,
        "max_over_subscription_ratio": rng.choice(["auto", "1.5", 20.0, 0.5]),
        "disk": rng.choice(["ssd", "hdd", ["ssd", "nvme"]]),
        "iops": rng.choice([100, "250", "many"]),
        "encrypted": rng.choice([True, False]),
        "goodness_function": str(goodness := rng.randint(0, 100)),
    }
    name, zone = f"h{number}@b#p", rng.choice(["z1", "z2"])
    ours = read_pool({"name": name, "capabilities": said}, "pool", zone=zone)
    names = ("total", "free", "allocated", "provisioned")
    theirs = reference.Pool(
        name,
        *(said[f"{one}_capacity_gb"] for one in names),
        said["reserved_percentage"],
        said["thin_provisioning_support"],
        said["max_over_subscription_ratio"],
        zone,
        said,
        goodness,
    )
    return ours, theirs


@pytest.mark.parametrize("seed", range(40))
def test_random_clouds_as_the_reference_decides(seed):
    rng = random.Random(seed)
    pairs = [random_pool(rng, number) for number in range(rng.randint(1, 8))]
    theirs = [other for _, other in pairs]
    multipliers = {"CapacityWeigher": rng.choice([1.0, -1.0]), "AllocatedCapacityWeigher": -1.0, "GoodnessWeigher": 1.0}
    weighers = rng.sample(sorted(multipliers), rng.randint(1, 3))
    options = SchedulerOptions(
        weighers=weighers, multipliers={"capacity_weight_multiplier": multipliers["CapacityWeigher"]}
    )
    scheduler = VolumeScheduler([own for own, _ in pairs], options=options)
    for number in range(12):
        size, zones = rng.choice([1, 5, 10, 40]), rng.choice([(), ("z1",), ("z1", "z2")])
        specs = rng.choice([{}, {"disk": "ssd"}, {"iops": ">= 200"}, {"encrypted": "<is> True"}])
        specs = specs | rng.choice([{}, {"provisioning:type": "thick"}])
        left = reference.passing(theirs, size, specs, zones)
        order = reference.ranked(left, specs, {name: multipliers[name] for name in weighers})
        wanted = (theirs.index(order[0][0]), order[0][1]) if order else None
        assert scheduler.place(VolumeRequest(size, specs, zones), f"v{number}") == wanted, f"seed {seed}, {number}"
        if order:
            reference.consume(order[0][0], size)
