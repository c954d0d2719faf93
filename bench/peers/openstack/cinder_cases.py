"""Clouds of volume backends and requests for volumes that the real cinder scheduler is asked about; data only, seeded.

Each case is {"id", "config", "backends", "volumes", "requests"}: what drivers report, the volumes that are there, and
volumes to create (or extend, or retype) one after another.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

Case = dict[str, Any]
SEED = 20261123
RANDOM_CASES = 110

ALL_WEIGHERS = ["CapacityWeigher", "AllocatedCapacityWeigher", "GoodnessWeigher", "VolumeNumberWeigher"]
ALL_FILTERS = [
    *("AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter", "DriverFilter"),
    *("DifferentBackendFilter", "SameBackendFilter", "JsonFilter"),
]
CAPABILITIES: dict[str, list[Any]] = {
    "compression": [True, False, "<is> True", "True"],
    "disk_type": ["ssd", "hdd", ["ssd", "hdd"], None],
    "iops": [100, 500, "500", 1e4, "many"],
    "vendor": [{"name": "acme", "level": 3}, {"name": "zenith"}, "acme"],
    "QoS_support": [True, False],
    "multiattach": [True, False],
}
REQUIREMENTS: dict[str, list[str | None]] = {
    "compression": ["<is> True", "<is> no", "True", "<is>"],
    "disk_type": ["ssd", "<in> ss", "<or> ssd <or> nvme", "<or>", "s== hdd", "s!= hdd", "s>= hdd", None],
    "capabilities:iops": [">= 200", "<= 500", "= 100", "== 500", "!= 500", "500", ">= few", ">="],
    "capabilities:vendor:name": ["acme", "<in> a", "s< b"],
    "vendor:level": ["7"],
    "capabilities:vendor:level": ["== 3", ">= 4"],
    "QoS_support": ["<is> True", "<is> False"],
    "multiattach": ["<is> True"],
    "volume_backend_name": ["lvm", "ceph"],
    "storage_protocol": ["iSCSI", "<in> nfs", "fibre_channel", "<or> fc <or> ceph"],
    "absent": ["1"],
    "provisioning:type": ["thick", "thin"],
}
EXPRESSIONS = [
    "100 - capabilities.utilization",
    "capabilities.utilization < 50",
    "(volume.size < 30) ? 100 : 25",
    "stats.total_capacity_gb < 1000 AND volume.size > 5 AND 1 > 2",
    "max(capabilities.utilization, 50) - min(volume.size, 10)",
    "(stats.free_capacity_gb / stats.total_capacity_gb) * 100",
    "stats.storage_protocol == 'fibre_channel' ? 90 : 10",
    "not (extra.tier == 'gold')",
    "2 ^ 3 ^ 2",
    "stats.allocated_capacity_gb * 1.5 <= 500 or qos.maxIOPS > 3",
    "capabilities.nothing",
    "volume.size > ",
    "200",
    "-1",
    "abs(-30) + 1.5",
]


def all_cases() -> Iterator[Case]:
    """Every case, in a fixed order."""
    yield from capacity_cases()
    yield from extra_spec_cases()
    yield from expression_cases()
    yield from zone_cases()
    yield from affinity_cases()
    yield from unbounded_cases()
    yield from moving_cases()
    rng = random.Random(SEED)
    for number in range(RANDOM_CASES):
        yield random_case(rng, f"random-{number}")


def backend(host: str, *pools: dict[str, Any], **said: Any) -> dict[str, Any]:
    """What one driver reports. Without pools it is one of those that know none."""
    zone, cluster = said.pop("zone", "nova"), said.pop("cluster", None)
    capabilities = {"volume_backend_name": "lvm", "vendor_name": "acme", "driver_version": "3.0.0"}
    capabilities |= {"storage_protocol": "iSCSI"} | said
    return {"host": host, "cluster": cluster, "zone": zone, "capabilities": capabilities, "pools": list(pools)}


def pool(name: str, total: Any, free: Any, **said: Any) -> dict[str, Any]:
    """One pool of a report."""
    return {"pool_name": name, "total_capacity_gb": total, "free_capacity_gb": free} | said


def volume(size: int, **said: Any) -> dict[str, Any]:
    """One request; what is not said is not asked for."""
    return {"size": size} | said


def case(name: str, backends: list[dict[str, Any]], requests: list[dict[str, Any]], **rest: Any) -> Case:
    """A case; volumes and config may be left out."""
    return {"id": name, "config": {}, "backends": backends, "volumes": [], "requests": requests} | rest


def capacity_cases() -> Iterator[Case]:
    """Thin, thick, reserves, ratios, and exactly full."""
    thin = {"thin_provisioning_support": True}
    pools = [
        pool("thick", 100, 40, allocated_capacity_gb=60, reserved_percentage=10),
        pool("thin2", 100, 40, allocated_capacity_gb=60, max_over_subscription_ratio="2.0", **thin),
        pool("auto", 100.5, 40.25, provisioned_capacity_gb=150.75, max_over_subscription_ratio="auto", **thin),
        pool("auto-new", 100, 100, provisioned_capacity_gb=0, max_over_subscription_ratio="auto", **thin),
        pool("default", 100, 10, provisioned_capacity_gb=1990, reserved_percentage=0, **thin),
        pool("below-one", 100, 90, max_over_subscription_ratio=0.5, **thin),
        pool("reserved", 33.33, 30, reserved_percentage=33, max_over_subscription_ratio=1.5, **thin),
        pool("nothing", 0, 0),
        pool("silent", 100, None),
        pool("overfull", 100, 50, provisioned_capacity_gb=130, thin_provisioning_support=False),
    ]
    for size in (0, 1, 9, 10, 30, 31, 40, 41, 90, 139, 140, 141, 500):
        yield case(f"capacity-{size}", [backend("h@lvm", *pools)], [volume(size)])
        yield case(
            f"capacity-thick-{size}",
            [backend("h@lvm", *pools)],
            [volume(size, extra_specs={"provisioning:type": "thick"})],
        )
    yield case("capacity-fill", [backend("h@lvm", *pools)], [volume(25) for _ in range(12)])
    config = {"scheduler_default_weighers": ALL_WEIGHERS, "capacity_weight_multiplier": -1.0}
    yield case("capacity-stack", [backend("h@lvm", *pools)], [volume(7) for _ in range(8)], config=config)
    config = {"max_over_subscription_ratio": "auto"}
    yield case("capacity-auto", [backend("h@lvm", *pools)], [volume(20), volume(60)], config=config)
    everything = pool("reserve-all", 100, 50, reserved_percentage=100, **thin)
    yield case("capacity-defect", [backend("h@lvm", everything, pools[0])], [volume(5)])


def extra_spec_cases() -> Iterator[Case]:
    """Every operator against every kind of capability."""
    pools = []
    for number in range(6):
        said = {key: values[number % len(values)] for key, values in CAPABILITIES.items()}
        pools.append(pool(f"p{number}", 1000, 900 - number, **said))
    backends = [
        backend("a@lvm", *pools),
        backend("b@fc", pool("fc", 500, 500, compression=True), storage_protocol="FC", volume_backend_name="ceph"),
    ]
    for key, wanted in REQUIREMENTS.items():
        requests = [volume(1, extra_specs={key: value}) for value in wanted]
        yield case(f"extra-{key.replace(':', '-')}", backends, requests)


def expression_cases() -> Iterator[Case]:
    """Goodness and filter functions of drivers."""
    config = {"scheduler_default_filters": ALL_FILTERS, "scheduler_default_weighers": ["GoodnessWeigher"]}
    for number, text in enumerate(EXPRESSIONS):
        backends = [
            backend(
                f"h{one}@fc",
                pool("p", 500 * (one + 1), 100 * (one + 2), utilization=20 * one + 5, allocated_capacity_gb=80 * one),
                storage_protocol=["FC", "iSCSI", "ceph"][one],
                goodness_function=text,
                filter_function=text if one else None,
            )
            for one in range(3)
        ]
        requests = [volume(size, extra_specs={"tier": "gold"}, qos={"maxIOPS": 2}) for size in (10, 40)]
        yield case(f"expression-{number}", backends, requests, config=config)


def zone_cases() -> Iterator[Case]:
    """Zones asked for, one or several."""
    backends = [backend(f"h{one}@lvm", pool("p", 100, 90 - one), zone=f"az{one}") for one in range(3)]
    for zones in ([], ["az1"], ["az0", "az2"], ["elsewhere"]):
        yield case(f"zone-{'-'.join(zones) or 'any'}", backends, [volume(5, zones=zones)])


def affinity_cases() -> Iterator[Case]:
    """Beside and away from other volumes."""
    rng = random.Random(SEED)
    ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(4)]
    hosts = ["h0@lvm#p", "h1@lvm#p", "h1@lvm#p", "h2@lvm"]
    volumes = [{"id": one, "host": host} for one, host in zip(ids, hosts)]
    backends = [backend(f"h{one}@lvm", pool("p", 100, 90)) for one in range(3)]
    config = {"scheduler_default_filters": ALL_FILTERS, "scheduler_default_weighers": ["VolumeNumberWeigher"]}
    hints: list[dict[str, Any]] = [
        {"same_host": ids[0]},
        {"same_host": [ids[0], ids[1]]},
        {"same_host": ids[3]},
        {"same_host": "no-uuid"},
        {"different_host": ids[1]},
        {"different_host": [ids[0], ids[2]]},
        {"different_host": [ids[0], "no-uuid"]},
        {"different_host": ids[0].upper(), "same_host": []},
        {"query": '["and", [">=", "$free_capacity_gb", 50], ["=", "$backend_id", "h1@lvm#p"]]'},
        {"query": '["not", ["=", "$capabilities.pool_name", "p"]]'},
    ]
    for number, hint in enumerate(hints):
        requests = [volume(10, hints=hint) for _ in range(2)]
        yield case(f"affinity-{number}", backends, requests, config=config, volumes=volumes)


def unbounded_cases() -> Iterator[Case]:
    """Backends that say "infinite" or "unknown"."""
    pools = [
        pool("infinite", "infinite", "infinite"),
        pool("unknown", "unknown", "unknown", reserved_percentage=5),
        pool("half", "infinite", 50),
        pool("half-reserved", "unknown", 50, reserved_percentage=5),
        pool("free-unknown", 100, "unknown"),
        pool("plain", 100, 60),
        pool("plain2", 100, 30),
    ]
    for multiplier in (1.0, -1.0, 2.5, 0.0):
        config = {"capacity_weight_multiplier": multiplier}
        for chosen in (pools, pools[:6], pools[5:]):
            name = f"unbounded-{multiplier}-{len(chosen)}"
            yield case(name, [backend("h@x", *chosen)], [volume(5), volume(20), volume(55)], config=config)
    config = {"capacity_weight_multiplier": -1.0}
    yield case("unbounded-defect", [backend("h@x", *pools[:2])], [volume(5)], config=config)


def moving_cases() -> Iterator[Case]:
    """Volumes that grow, and volumes that have a place already; clusters; a backend without pools."""
    backends = [
        backend("h0@lvm", pool("p", 100, 20, allocated_capacity_gb=80), cluster="c@lvm"),
        backend("h1@lvm", pool("p", 100, 20, online_extend_support=False)),
        backend("h2@lvm", total_capacity_gb=100, free_capacity_gb=15, allocated_capacity_gb=85),
    ]
    requests = [
        volume(10, extends_to=25),
        volume(10, extends_to=31),
        volume(10, extends_to=20, attached=True),
        volume(500, is_on="h1@lvm#p"),
        volume(500, is_on="c@lvm#p"),
        volume(15),
    ]
    for number, request in enumerate(requests):
        yield case(f"moving-{number}", backends, [request])


def random_case(rng: random.Random, name: str) -> Case:
    """Any mixture of all that."""
    backends = []
    for number in range(rng.randint(1, 4)):
        pools = [_random_pool(rng, f"p{one}") for one in range(rng.randint(1, 4))]
        said: dict[str, Any] = {
            "storage_protocol": rng.choice(["iSCSI", "FC", "ceph", "nfs", "nvmeof"]),
            "volume_backend_name": rng.choice(["lvm", "ceph"]),
            "zone": rng.choice(["nova", "az1"]),
        }
        if rng.random() < 0.3:
            said["goodness_function"] = rng.choice(EXPRESSIONS)
        backends.append(backend(f"h{number}@b", *pools, **said))
    names = [f"{one['host']}#{row['pool_name']}" for one in backends for row in one["pools"]]
    volumes = [
        {"id": str(uuid.UUID(int=rng.getrandbits(128), version=4)), "host": rng.choice(names)}
        for _ in range(rng.randint(0, 6))
    ]
    config: dict[str, Any] = {}
    if rng.random() < 0.6:
        config["scheduler_default_weighers"] = rng.sample(ALL_WEIGHERS, rng.randint(1, 4))
        config["capacity_weight_multiplier"] = rng.choice([1.0, -1.0, 0.7])
        config["volume_number_multiplier"] = rng.choice([-1.0, 2.0])
    if rng.random() < 0.3:
        config["scheduler_default_filters"] = ALL_FILTERS
    requests = []
    for _ in range(rng.randint(1, 6)):
        specs = {
            key: rng.choice(REQUIREMENTS[key]) for key in rng.sample(sorted(REQUIREMENTS), rng.choice([0, 0, 0, 1, 2]))
        }
        zones = rng.choice([[], [], [], ["nova"], ["nova", "az1"]])
        hints = {"different_host": rng.choice(volumes)["id"]} if volumes and rng.random() < 0.2 else {}
        requests.append(volume(rng.choice([1, 5, 20, 100]), extra_specs=specs, zones=zones, hints=hints))
    return case(name, backends, requests, config=config, volumes=volumes)


def _random_pool(rng: random.Random, name: str) -> dict[str, Any]:
    total: Any = rng.choice([50, 100, 1000, 99.9])
    free: Any = round(total * rng.random(), rng.choice([0, 2]))
    said: dict[str, Any] = {"allocated_capacity_gb": rng.randint(0, int(total))}
    if rng.random() < 0.1:
        total, free = rng.choice([("infinite", "infinite"), ("unknown", 30), (100, "unknown")])
    if rng.random() < 0.5:
        said["thin_provisioning_support"] = True
        said["max_over_subscription_ratio"] = rng.choice(["1.0", "2.5", "auto", 20.0, None])
        said["provisioned_capacity_gb"] = rng.randint(0, 250)
    said["reserved_percentage"] = rng.choice([0, 0, 5, 10, 33])
    said["utilization"] = rng.randint(0, 100)
    for key in rng.sample(sorted(CAPABILITIES), 2):
        said[key] = rng.choice(CAPABILITIES[key])
    return pool(name, total, free, **said)


SCOPES: dict[str, Any] = {
    "stats": {"x": 3, "y": 4, "f": 2.7, "l": [1, 2], "n": None, "b": True, "s": "abc", "neg": -5, "z": 0},
    "volume": {"size": 4},
    "capabilities": {"iops": "500", "ratio": "2.5", "tier": "gold"},
    "extra": {},
    "qos": None,
}
ATOMS = [
    *(
        "1",
        "2",
        "0",
        "3.5",
        "10",
        "stats.x",
        "stats.y",
        "stats.f",
        "stats.l",
        "stats.n",
        "stats.b",
        "stats.s",
        "stats.neg",
    ),
    *("stats.z", "volume.size", "capabilities.iops", "capabilities.ratio", "capabilities.tier", "extra.no", "qos.k"),
    *("'a b'", '"5"', "abc", "x1", "andy", ".5", "stats"),
]
OPERATORS = [
    *(
        "+",
        "-",
        "*",
        "/",
        "<",
        "<=",
        ">",
        ">=",
        "==",
        "!=",
        "<>",
        "AND",
        "and",
        "&&",
        "OR",
        "or",
        "||",
        ",",
        "?",
        ":",
        " ",
    ),
    "^",
]


def expressions(count: int) -> Iterator[str]:
    """Expressions of drivers' functions, most of them wrong in some way; none with two powers, which take for ever."""
    rng = random.Random(SEED)
    while count:
        text = _expression(rng, rng.choice([1, 2, 3, 3, 4]))
        if text.count("^") < 2:
            count -= 1
            yield text


def _expression(rng: random.Random, depth: int) -> str:
    kind = rng.random()
    if depth == 0 or kind < 0.25:
        return rng.choice(ATOMS)
    inner = _expression(rng, depth - 1)
    if kind < 0.4:
        return rng.choice(["not ", "NOT ", "!", "-", "+", "abs ", "- "]) + inner
    if kind < 0.65:
        return f"({inner})"
    other = _expression(rng, depth - 1)
    if kind < 0.72:
        return f"{rng.choice(['max', 'min', 'abs'])}({inner}{rng.choice([',', ', '])}{other})"
    if kind < 0.79:
        return f"{inner} ? {other} : {_expression(rng, depth - 1)}"
    space = rng.choice([" ", ""])
    return f"{inner}{space}{rng.choice(OPERATORS)}{space}{other}"
