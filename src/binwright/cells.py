"""NUMA cells of hosts and what a group asks of one: checked here, compiled into the core's numbers once.

Knows the core's cells; nothing of rows, requests or the layers above.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from binwright import arrays
from binwright._core.fleet import LARGEST_AMOUNT
from binwright._core.numa import MOST_CPUS
from binwright.errors import InputError

if TYPE_CHECKING:
    from binwright._core.numa import Cells

__all__ = ["Cell", "CellDemand", "Pinning"]

THREADS = {"prefer": 0, "require": 1, "isolate": 2}
PAGES = {None: 0, "smallest": -1, "not smallest": -2, "any": -3}
PINNED = 4  # kind of a claim: own CPUs; the next two kinds are those for the emulator and those beside


class Pinning(NamedTuple):
    """The CPUs that a group got of the cell of `row`: its own in pinning order, the emulator's, and those that thread
    policy "isolate" keeps free beside them.
    """

    row: int
    cpus: tuple[int, ...]
    spare: tuple[int, ...]
    beside: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row has beside its stocks. CPUs are numbers 0..1023.

    dedicated: CPUs that one item may own; pinned: those of them that are taken. siblings: sets of threads of one core,
    in order; `dedicated` CPUs in none of them are never given. pages: (size, total, used, reserved), the size in the
    unit of memory, sizes different. alike: the floating CPUs of the cell are its dedicated ones (thread policy
    "isolate" is served on cells with several threads a core only then). Rule: openstack spec 6.2.
    """

    dedicated: Collection[int] = ()
    siblings: Sequence[Collection[int]] = ()
    pinned: Collection[int] = ()
    pages: Sequence[tuple[int, int, int, int]] = ()
    alike: bool = False


@dataclass(frozen=True, slots=True)
class CellDemand:
    """What a group asks of the cell of its row.

    memory: an amount of `resource`, and of pages. page: a size, or "smallest", "not smallest", "any" (the largest that
    fits): so much must be free in pages of that size, and divide by it. None: pages of the smallest size where the
    cell has pages, else the stock of `resource`; they must be free if the group pins, else merely be there.
    pins: the group gets `cpus` CPUs of its own and `spare` more for its emulator. threads: "prefer" takes whole
    sibling sets where it can, "require" nothing else, "isolate" one CPU of each set. Rules: openstack spec 6.2, 6.3;
    within a set the lowest CPUs are taken.
    """

    memory: int = 0
    resource: str | None = None
    page: int | Literal["smallest", "not smallest", "any"] | None = None
    pins: bool = False
    cpus: int = 0
    spare: int = 0
    threads: Literal["prefer", "require", "isolate"] = "prefer"


def compiled_cell(where: str, cell: Any) -> tuple[Any, ...] | None:
    """A row's cell as the core takes it. Raises InputError naming row and field."""
    if cell is None:
        return None
    if not isinstance(cell, Cell):
        raise InputError(f"{where}: {cell!r} is not a Cell")
    sets = [_cpus(f"{where}: dedicated", cell.dedicated), _cpus(f"{where}: pinned", cell.pinned)]
    if sets[1] & ~sets[0]:
        raise InputError(f"{where}: pinned has CPUs that are not dedicated")
    seen = 0
    for number, siblings in enumerate(cell.siblings):
        sets.append(_cpus(f"{where}: siblings {number}", siblings))
        if sets[-1] & seen:
            raise InputError(f"{where}: siblings {number} has a CPU of an earlier set")
        seen |= sets[-1]
    pages: list[tuple[int, int, int, int]] = []
    for given in cell.pages:
        if len(given) != 4:
            raise InputError(f"{where}: pages {given!r} are not (size, total, used, reserved)")
        size, total, used, reserved = (arrays.amount(f"{where}: pages {given!r}", number) for number in given)
        if size == 0 or size in [known[0] for known in pages]:
            raise InputError(f"{where}: page size {size} is 0 or there twice")
        pages.append((size, total, used, reserved))
    return sets, pages, bool(cell.alike)


def compiled_wish(where: str, wish: Any, resource: int) -> tuple[int, ...]:
    """A group's demand on a cell, as the fields of the core's Wish; resource: the number of its memory, -1 = none."""
    if not isinstance(wish, CellDemand):
        raise InputError(f"{where}: {wish!r} is not a CellDemand")
    memory = arrays.amount(f"{where}: memory", wish.memory)
    if memory and resource < 0:
        raise InputError(f"{where}: memory without the resource it is of")
    if wish.threads not in THREADS:
        raise InputError(f"{where}: threads {wish.threads!r} is not 'prefer', 'require' or 'isolate'")
    if wish.page is None or isinstance(wish.page, str):
        if wish.page not in PAGES:
            raise InputError(f"{where}: page {wish.page!r} is not a size, 'smallest', 'not smallest' or 'any'")
        page = PAGES[wish.page]
    else:
        page = arrays.index(f"{where}: page", wish.page)
        if not 0 < page <= LARGEST_AMOUNT:
            raise InputError(f"{where}: page size {page} is outside 1..2**56")
    counts = [arrays.amount(f"{where}: {name}", getattr(wish, name)) for name in ("cpus", "spare")]
    if max(counts) > MOST_CPUS or (not wish.pins and max(counts)):
        raise InputError(f"{where}: {counts[0]} CPUs and {counts[1]} spare ones of a cell, with pins={wish.pins}")
    return memory, page, resource, *counts, THREADS[wish.threads], int(wish.pins)


def pinnings(cells: "Cells", cell_of: Any, claims: Sequence[tuple[int, int, int, int, int]]) -> dict[int, Pinning]:
    """Pinning of each group that pinned CPUs, from the core's claims; cell_of: number of a row's cell."""
    bits: dict[int, list[int]] = {}
    rows: dict[int, int] = {}
    for group, kind, row, first, amount in claims:
        if kind >= PINNED:
            rows[group] = row
            bits.setdefault(group, [0, 0, 0])[kind - PINNED] |= amount << first
    found = {}
    for group, (own, spare, beside) in bits.items():
        siblings = cells.cell(cell_of(rows[group]))[2]
        order = [cpu for one in siblings for cpu in cpu_numbers(one & own)]
        found[group] = Pinning(rows[group], tuple(order), cpu_numbers(spare), cpu_numbers(beside))
    return found


def _cpus(where: str, cpus: Collection[int]) -> int:
    bits = 0
    for cpu in cpus:
        number = arrays.index(where, cpu)
        if not 0 <= number < MOST_CPUS:
            raise InputError(f"{where}: CPU {number} is outside 0..{MOST_CPUS - 1}")
        bits |= 1 << number
    return bits


def cpu_numbers(bits: int) -> tuple[int, ...]:
    """The CPUs of a set, ascending."""
    return tuple(cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1)
