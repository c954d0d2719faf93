"""Small NUMA topologies: the cells, pages and CPUs that the engine chooses are those that the reference chooses.

The reference is the one of the OpenStack rules, which tries every permutation of host cells. CPUs are numbers below 8,
whose sets CPython walks in ascending order, so that the reference's "first CPUs of a set" are the lowest.
"""

import random

import numpy as np
import pytest

from binwright import Cell, CellDemand, Fleet, Group, GroupRules
from tests.reference.openstack.numa import GuestCell, GuestTopology, HostCell, Pages, usage_after
from tests.reference.openstack.numa_fit import Limits, fit

TOPOLOGIES = 2_500
SIZES = (4, 2048, 1048576)  # KiB
WISHES = {None: None, -1: "smallest", -2: "not smallest", -3: "any"}
NETS = ("one", "two")


def a_cell(rng: random.Random, number: int, pages: bool) -> HostCell:
    cpus = rng.sample(range(8), rng.randint(1, 8))
    threads = rng.choice((1, 2, 2, 4))
    siblings = tuple(frozenset(cpus[i : i + threads]) for i in range(0, len(cpus), threads))
    dedicated = frozenset(cpus if rng.random() < 0.7 else rng.sample(cpus, rng.randint(0, len(cpus))))
    shared = dedicated if rng.random() < 0.6 else frozenset(cpus) - dedicated
    memory = rng.choice((1, 2, 4, 8))
    sizes = rng.sample(SIZES, rng.randint(1, 3)) if pages else ()
    return HostCell(
        number,
        shared,
        dedicated,
        memory,
        rng.randint(0, len(shared)),
        rng.randint(0, memory),
        frozenset(cpu for cpu in sorted(dedicated) if rng.random() < 0.2),
        siblings,
        None,
        tuple(
            Pages(size, total, rng.randint(0, total // 3), rng.choice((0, 0, 1)))
            for size in sizes
            for total in [max(1, memory * rng.choice((512, 1024)) // size)]
        ),
        frozenset(net for net in NETS if rng.random() < 0.3),
        rng.random() < 0.3,
    )


def a_guest(rng: random.Random) -> GuestTopology:
    policy = rng.choice((None, "shared", "dedicated", "dedicated", "mixed"))
    pins = policy in ("dedicated", "mixed")
    thread_policy = rng.choice((None, "prefer", "require", "isolate")) if pins else None
    page = rng.choice((None, None, -1, -2, -3, 4, 2048))
    cells, cpu = [], 0
    for number in range(rng.choice((1, 1, 2, 2, 3))):
        own = rng.choice((1, 2, 2, 3, 4)) if pins else 0
        floating = 0 if policy == "dedicated" else rng.choice((1, 1, 2))
        cpus = [frozenset(range(cpu, cpu + own)), frozenset(range(cpu + own, cpu + own + floating))]
        cpu += own + floating
        cells.append(GuestCell(number, cpus[1], cpus[0], rng.choice((1, 1, 2, 2, 4)), page, policy, thread_policy))
    return GuestTopology(tuple(cells), "isolate" if pins and rng.random() < 0.3 else None)


def engine_of(cells, limits: Limits) -> Fleet:
    fleet = Fleet({"vcpu": np.array([1000])})
    most = 2**40
    fleet.add_rows(
        {
            "cpu": np.array([len(cell.cpuset) for cell in cells]),
            "cpu.limit": np.array([int(len(c.cpuset) * limits.cpu) if limits.cpu else most for c in cells]),
            "memory": np.array([cell.memory * 1024 for cell in cells]),
            "memory.limit": np.array([int(c.memory * limits.ram) * 1024 if limits.ram else most for c in cells]),
        },
        np.zeros(len(cells), np.int64),
        used={
            "cpu": np.array([cell.cpu_usage for cell in cells]),
            "cpu.limit": np.array([cell.cpu_usage for cell in cells]),
            "memory": np.array([cell.memory_usage * 1024 for cell in cells]),
            "memory.limit": np.array([cell.memory_usage * 1024 for cell in cells]),
        },
        labels=[[*cell.physnets, *(["tunneled"] if cell.tunneled else [])] for cell in cells],
        cells=[
            Cell(
                cell.pcpuset, cell.siblings, cell.pinned_cpus,
                [(page.size_kb, page.total, page.used, page.reserved) for page in cell.mempages],
                cell.cpuset == cell.pcpuset,
            )
            for cell in cells
        ],
    )  # fmt: skip
    return fleet


def engine_groups(guest: GuestTopology) -> list[Group]:
    groups = []
    for number, cell in enumerate(guest.cells):
        memory, floating = cell.memory * 1024, len(cell.cpuset)
        demand, check = {"memory.limit": memory}, {}
        if cell.cpu_policy == "dedicated":
            check["memory.limit"] = "unchecked"
        if floating:
            demand |= {"cpu": floating, "cpu.limit": floating}
            check["cpu"] = "there"
        spare = 1 if number == 0 and guest.emulator_threads_policy == "isolate" else 0
        wish = CellDemand(
            memory, "memory", WISHES.get(cell.pagesize, cell.pagesize), cell.is_pinned, len(cell.pcpuset), spare,
            cell.cpu_thread_policy or "prefer",
        )  # fmt: skip
        groups.append(Group(demand, isolated=True, check=check, cell=wish))
    return groups


def engine_rules(guest: GuestTopology, limits: Limits, packing: bool) -> GroupRules:
    second = ("cpus", None, not packing) if guest.cells[0].is_pinned else ("used", "cpu", packing)
    wanted = [*sorted(limits.physnets), *(["tunneled"] if limits.tunneled else [])]
    return GroupRules(order=[("free", "memory", not packing), second], gathered=wanted)


def table(fleet: Fleet):
    stocks = [[column.tolist() for column in fleet.rows.table(name)] for name in ("cpu", "memory", "memory.limit")]
    return stocks, [fleet.rows.cell(row) for row in range(len(fleet.rows))]


@pytest.mark.parametrize("part", range(4))
def test_every_small_topology(part):
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    fitted = 0
    for _ in range(TOPOLOGIES // 4):
        pages = rng.random() < 0.6
        cells = tuple(a_cell(rng, number, pages) for number in range(rng.randint(1, 4)))
        limits = Limits(
            rng.choice((None, 1.0, 1.5, 4.0)),
            rng.choice((None, 1.0, 1.5, 3.0)),
            frozenset(net for net in NETS if rng.random() < 0.2),
            rng.random() < 0.2,
        )
        fleet = engine_of(cells, limits)
        for _ in range(3):
            guest, packing = a_guest(rng), rng.random() < 0.3
            wanted = fit(cells, guest, limits, packing=packing)
            request = fleet.request(
                {"vcpu": 1}, groups=engine_groups(guest), group_rules=engine_rules(guest, limits, packing)
            )
            before = table(fleet)
            token = fleet.checkpoint()
            result = fleet.place(request)
            assert bool(result.placed) == (wanted is not None)
            if wanted is None:
                continue
            fitted += 1
            devices, pinned = result.devices(0), fleet.pinned(int(result.items[0]))
            for number, cell in enumerate(wanted.cells):
                assert {device.row for device in devices if device.group == number} == {cell.id}
                if cell.pagesize is not None:
                    sizes = [one.resource for one in devices if one.group == number and "pages" in str(one.resource)]
                    assert sizes == [f"pages:{cell.pagesize}"]
                if cell.is_pinned:
                    assert pinned[number].row == cell.id
                    assert list(pinned[number].cpus) == [cell.cpu_pinning[cpu] for cpu in sorted(cell.cpu_pinning)]
                    assert set(pinned[number].spare) == cell.cpuset_reserved
                else:
                    assert number not in pinned
            try:
                after = usage_after(cells, wanted)
            except (IndexError, ValueError):  # no page sizes; siblings of isolated CPUs that are not dedicated
                after = None
            if after is not None:
                stocks, there = table(fleet)
                assert stocks[0][3] == [cell.cpu_usage for cell in after]
                assert stocks[1][3] == [cell.memory_usage * 1024 for cell in after]
                assert stocks[2][3] == stocks[1][3]
                for mine, cell in zip(there, after, strict=True):
                    assert set(mine.pinned) == cell.pinned_cpus
                    assert list(mine.pages) == [(p.size_kb, p.total, p.used, p.reserved) for p in cell.mempages]
            if rng.random() < 0.5:
                fleet.release(result.items)
                fleet.rollback(token)
            elif rng.random() < 0.5:
                fleet.rollback(token)
            else:
                fleet.release(result.items)
            assert table(fleet) == before
    assert fitted > 100


def test_a_cpu_of_the_third_word():
    """Sets of more than 64 CPUs: the order of sibling sets decides, and every word is given back."""
    siblings = [(cpu, cpu + 96) for cpu in range(95, -1, -1)]
    fleet = Fleet({"vcpu": np.array([1000])})
    cell = Cell(range(192), siblings, pinned=range(96, 190), pages=[(4, 1000, 0, 0)])
    fleet.add_rows({"memory": np.array([4000])}, [0], cells=[cell])
    group = Group({}, isolated=True, cell=CellDemand(8, "memory", pins=True, cpus=3, spare=1, threads="require"))
    result = fleet.place(fleet.request({"vcpu": 1}, groups=[group]))
    (pinning,) = fleet.pinned(int(result.items[0])).values()
    assert pinning == (0, (95, 191, 94), (190,), ())
    assert [tuple(device) for device in result.devices(0)] == [
        (0, 0, None, 0), (0, 0, "memory", 8), (0, 0, "pages:4", 2),
    ]  # fmt: skip
    assert set(fleet.rows.cell(0).pinned) == {*range(96, 192), 94, 95}
    fleet.release(result.items)
    assert set(fleet.rows.cell(0).pinned) == set(range(96, 190))
