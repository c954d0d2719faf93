"""Clouds of named sizes for timings, from a seed: for Placement in the recordings' form, for Nova with compute nodes.

flat: hosts with VCPU, MEMORY_MB and DISK_GB on the root. nested: hosts with two NUMA cells and four PFs. wide: one host
with many like children of one unit each. Nothing here knows who is asked.
"""

from __future__ import annotations

import random
from typing import Any

Json = dict[str, Any]
SEED = 20261123
FLAVORS = (
    {"id": "1", "name": "small", "vcpus": 1, "ram": 2048, "disk": 20},
    {"id": "2", "name": "medium", "vcpus": 2, "ram": 4096, "disk": 40},
    {"id": "3", "name": "large", "vcpus": 4, "ram": 8192, "disk": 80},
)
CELLS, FUNCTIONS = 2, 4


def uuid_of(number: int, kind: str = "0") -> str:
    """A uuid that sorts as its number."""
    return f"{number:08x}-000{kind}-4000-8000-000000000000"


def inventory(total: int, ratio: float = 1.0, reserved: int = 0) -> Json:
    """An inventory of which anything may be claimed."""
    return {
        "total": total,
        "reserved": reserved,
        "min_unit": 1,
        "max_unit": total,
        "step_size": 1,
        "allocation_ratio": ratio,
    }


def provider(uuid: str, name: str, inventories: Json, traits: list[str], parent: str | None = None) -> Json:
    """One resource provider."""
    return {
        "uuid": uuid,
        "name": name,
        "parent_provider_uuid": parent,
        "inventories": inventories,
        "traits": traits,
        "aggregates": [],
    }


def cloud(providers: list[Json], allocations: Json | None = None, classes: tuple[str, ...] = ()) -> Json:
    """Providers as a cloud."""
    return {
        "resource_providers": providers,
        "allocations": allocations or {},
        "extra_traits": [],
        "extra_resource_classes": list(classes),
    }


def compute_hosts(many: int) -> list[Json]:
    """Compute nodes of three sizes, each with up to two instances' use; `allocations` are the same in Placement."""
    rng = random.Random(f"{SEED} {many}")
    rows = []
    for number in range(many):
        size = rng.choice((1, 2, 4))
        flavors = [rng.choice(FLAVORS) for _ in range(rng.choice((1, 2, 2, 3)))]
        rows.append(
            {
                "uuid": uuid_of(number),
                "name": f"host{number:05d}",
                "vcpus": 16 * size,
                "memory_mb": 65536 * size,
                "local_gb": 500 * size,
                "vcpu_ratio": 4.0,
                "hypervisor_version": rng.choice((8_000_000, 9_000_000)),
                "vcpus_used": sum(one["vcpus"] for one in flavors),
                "memory_mb_used": sum(one["ram"] for one in flavors),
                "local_gb_used": sum(one["disk"] for one in flavors),
                "allocations": [
                    {"VCPU": one["vcpus"], "MEMORY_MB": one["ram"], "DISK_GB": one["disk"]} for one in flavors
                ],
                "traits": [name for name in ("HW_CPU_X86_AVX2",) if rng.random() < 0.5],
            }
        )
    return rows


def flat(many: int) -> Json:
    """The compute nodes as Placement has them."""
    providers, allocations = [], {}
    for number, row in enumerate(compute_hosts(many)):
        stocks = {
            "VCPU": inventory(row["vcpus"], row["vcpu_ratio"]),
            "MEMORY_MB": inventory(row["memory_mb"]),
            "DISK_GB": inventory(row["local_gb"]),
        }
        providers.append(provider(row["uuid"], row["name"], stocks, row["traits"]))
        for index, resources in enumerate(row["allocations"]):
            consumer = f"{number:08x}-00{index:02d}-4000-9000-000000000000"
            allocations[consumer] = {"allocations": {row["uuid"]: {"resources": resources}}}
    return cloud(providers, allocations)


def nested(many: int, full: float = 0.0) -> Json:
    """Hosts of seven providers: a root with disk, two NUMA cells, four PFs with virtual functions under the cells.

    full: this share of all inventories is full, the others are in use by a random amount; 0: nothing is in use.
    """
    rng = random.Random(f"{SEED} nested {many}")
    providers = []
    for number in range(many):
        root = uuid_of(number)
        providers.append(provider(root, f"host{number}", {"DISK_GB": inventory(1000)}, []))
        for cell in range(CELLS):
            uuid = uuid_of(number, str(1 + cell))
            stocks = {"VCPU": inventory(16, 4.0), "PCPU": inventory(8), "MEMORY_MB": inventory(65536)}
            providers.append(provider(uuid, f"host{number} cell {cell}", stocks, ["HW_NUMA_ROOT"], root))
            for function in range(FUNCTIONS // CELLS):
                own = uuid_of(number, str(1 + CELLS + FUNCTIONS // CELLS * cell + function))
                stocks = {"SRIOV_NET_VF": inventory(8)}
                providers.append(provider(own, f"host{number} PF {cell}.{function}", stocks, [], uuid))
    allocations = {}
    for one in providers if full else ():
        room = {name: int(stock["total"] * stock["allocation_ratio"]) for name, stock in one["inventories"].items()}
        used = {name: most if rng.random() < full else rng.randrange(most) for name, most in room.items()}
        resources = {name: amount for name, amount in used.items() if amount}
        allocations[one["uuid"]] = {"allocations": {one["uuid"]: {"resources": resources}}}
    return cloud(providers, allocations)


def wide(children: int) -> Json:
    """One host with `children` devices of one unit each."""
    providers = [provider(uuid_of(0), "host", {"VCPU": inventory(64)}, [])]
    for number in range(children):
        stock = {"CUSTOM_DEVICE": inventory(1)}
        providers.append(provider(uuid_of(number + 1), f"device{number}", stock, [], uuid_of(0)))
    return cloud(providers, classes=("CUSTOM_DEVICE",))
