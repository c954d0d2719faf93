"""Groups of a request: what it asks of the rows of its host. Checked here, compiled into the core's numbers once.

Knows the core's forest and a fleet's resource names; nothing of the rows themselves, or of the layers above.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from binwright import arguments, arrays
from binwright._core.clauses import MAX_CLAUSES
from binwright._core.devices import MOST_GROUPS
from binwright._core.fleet import LARGEST_AMOUNT
from binwright._core.groups import MOST_UNITS, GroupSet
from binwright.arrays import Int64Array
from binwright.cells import CellDemand, compiled_wish
from binwright.errors import InputError

if TYPE_CHECKING:
    from binwright._core.devices import Forest

__all__ = ["Group", "GroupRules"]

STEPS = 2**17  # trials of the bounded search on one host: a few milliseconds
CHECKS = {"free": 0, "there": 1, "unchecked": 2}
KEYS = {"free": 0, "used": 1, "cpus": 2, "free below": 3}
Clause = str | Collection[str]


@dataclass(frozen=True, slots=True)
class Group:
    """What a request asks of the rows of its host, beside its demand on the host itself.

    demand: amounts by resource, each > 0; empty: a row that only has to be there. spread False: one row gives all of
    it; True: one row for each resource, the same one or different ones.
    take: "amount" takes the first row that has it free; "share" the row with the least of the first resource free;
    "whole" a row of which nothing is used, with all it has of the named resources; such a row serves nothing else.
    isolated: isolated groups of one request get different rows.
    required: clauses, each a label or several of which the row has one; with `spread` the chosen rows together meet
    them. forbidden: labels that no chosen row has. member_of, not_member_of: the same over memberships, of each row.
    root_answers: instead of its rows, the host may meet `member_of`, all of it; and `not_member_of` counts for it too.
    within: index of the host to whose tree the rows belong. linked: pools and other linked rows may serve.
    cell: what is asked of the row's NUMA cell; such a group is isolated. check: by resource, "free" (the default), or
    "there": the row must be that large, whatever is used; or "unchecked": it is claimed all the same. What is not
    "free" must be a row's, not a host's.
    """

    demand: Mapping[str, int]
    take: Literal["amount", "share", "whole"] = "amount"
    spread: bool = False
    isolated: bool = False
    required: Sequence[Clause] = ()
    forbidden: Collection[str] = ()
    member_of: Sequence[Clause] = ()
    not_member_of: Collection[str] = ()
    root_answers: bool = False
    within: int | None = None
    linked: bool = True
    cell: CellDemand | None = None
    check: Mapping[str, Literal["free", "there", "unchecked"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupRules:
    """Rules over all groups of a request.

    subtrees: lists of group positions; one of the rows of the groups in a list is, or stands above, all of them.
    root_required, root_forbidden: clauses and labels for the host itself. gathered: clauses that the cells chosen for
    groups with a `cell` meet together, as far as any cell of the host meets them. order: sorts of a host's cells,
    stable, the last one dominant: (key, resource, descending), key "free", "used", "free below" (in the row and those
    below it) or "cpus" (dedicated ones that are free; resource None); used where a host has more cells than the
    request has groups with a `cell`. greedy: groups take the first row they can
    have, in order, and nothing is taken back. steps: trials on one host before the search gives up with "limit
    reached", which is never taken for "none"; groups that are matched do not need any.
    """

    subtrees: Sequence[Sequence[int]] = ()
    root_required: Sequence[Clause] = ()
    root_forbidden: Collection[str] = ()
    gathered: Sequence[Clause] = ()
    order: Sequence[tuple[str, str | None, bool]] = ()
    greedy: bool = False
    steps: int = STEPS


class GroupCompiler:
    """Compiles groups for one fleet: names of resources and labels become the forest's numbers."""

    def __init__(self, forest: "Forest", resources: Sequence[str], hosts: Callable[[str, Any], Int64Array]) -> None:
        self._forest = forest
        self._resources = resources
        self._hosts = hosts

    def number(self, resource: str) -> int:
        """Number of a resource: the fleet's first, then those that only rows have, made if it is new."""
        if resource in self._resources:
            return self._resources.index(resource)
        return self._forest.resource(resource)

    def labels(self, where: str, labels: Any) -> int:
        """Number of a set of labels."""
        return self._forest.clauses.set_number(_strings(where, labels))

    def compiled(self, where: str, groups: Sequence[Group], rules: GroupRules | None) -> GroupSet | None:
        """The groups of a request as the core has them. Raises InputError naming group and field."""
        listed = arguments.collection(f"{where}: groups", groups, "groups")
        if not listed:
            if rules is not None:
                raise InputError(f"{where}: group_rules without groups")
            return None
        rules = rules or GroupRules()
        lists = [self._group(f"{where}: group {i}", group) for i, group in enumerate(listed)]
        units = sum(1 if group[4] else len(group[0]) for group in lists)
        if len(lists) > MOST_GROUPS or units > MOST_UNITS:
            raise InputError(f"{where}: {len(lists)} groups that need {units} rows, at most {MOST_UNITS}")
        subtrees = []
        for together in rules.subtrees:
            positions = tuple(sorted({arrays.index(f"{where}: subtrees", group) for group in together}))
            if not positions or positions[0] < 0 or positions[-1] >= len(lists):
                raise InputError(f"{where}: subtrees names a group that is not there: {list(together)}")
            subtrees.append(positions)
        if rules.greedy and (subtrees or any(group.spread and group.required for group in listed)):
            raise InputError(f"{where}: greedy groups cannot have rules over several rows (subtrees, spread clauses)")
        steps = arrays.index(f"{where}: steps", rules.steps)
        if not 0 < steps <= LARGEST_AMOUNT:
            raise InputError(f"{where}: steps {steps} is outside 1..2**56")
        root = self._filter(f"{where}: root_required", rules.root_required, rules.root_forbidden)
        gathered = self._filter(f"{where}: gathered", rules.gathered, ())
        keys = []
        for key, resource, descending in rules.order:
            if key not in KEYS or (resource is None) != (key == "cpus"):
                raise InputError(f"{where}: order: no key {key!r} of {resource!r}")
            keys.append((KEYS[key], -1 if resource is None else self.number(resource), int(descending)))
        return GroupSet(tuple(lists), root, gathered, tuple(subtrees), tuple(keys), bool(rules.greedy), steps)

    def _group(self, where: str, group: Group) -> tuple[Any, ...]:
        if not isinstance(group, Group):
            raise InputError(f"{where}: {group!r} is not a Group")
        if group.take not in ("amount", "share", "whole"):
            raise InputError(f"{where}: take {group.take!r} is not 'amount', 'share' or 'whole'")
        if group.spread and (group.isolated or group.take == "whole"):
            raise InputError(f"{where}: a spread group cannot be isolated or take whole rows")
        asks = []
        for name, amount in group.demand.items():
            checked = arrays.amount(f"{where}: {name!r}", amount)
            if checked == 0:
                raise InputError(f"{where}: {name!r}: 0 is not an amount of a row; leave it out")
            check = group.check.get(name, "free")
            if check not in CHECKS or (check != "free" and (group.take != "amount" or name in self._resources)):
                raise InputError(f"{where}: {name!r} cannot be checked as {check!r}")
            asks.append((self.number(name), checked, CHECKS[check]))
        if not asks and (group.spread or group.take != "amount"):
            raise InputError(f"{where}: demand is empty")
        wish = None
        if group.cell is not None:
            if group.spread or not group.isolated or group.take == "whole":
                raise InputError(f"{where}: a group with a cell is isolated, not spread, and takes no whole rows")
            memory = -1 if group.cell.resource is None else self.number(group.cell.resource)
            wish = compiled_wish(f"{where}: cell", group.cell, memory)
        within = -1
        if group.within is not None:
            (within,) = self._hosts(f"{where}: within", group.within).tolist()
        labels = self._filter(f"{where}: required", group.required, group.forbidden)
        members = self._filter(f"{where}: member_of", group.member_of, group.not_member_of)
        return (
            tuple(asks), labels, members, within, not group.spread, group.take == "whole", group.take == "share",
            bool(group.isolated), bool(group.linked), bool(group.root_answers), wish,
        )  # fmt: skip

    def _filter(self, where: str, clauses: Iterable[Clause], forbidden: Collection[str]) -> int:
        if isinstance(clauses, str):
            raise InputError(f"{where}: {clauses!r} is one string, not a list of clauses")
        listed = tuple(
            frozenset((one,)) if isinstance(one, str) else _strings(f"{where}: clause {i}", one)
            for i, one in enumerate(clauses)
        )
        if len(listed) > MAX_CLAUSES:
            raise InputError(f"{where}: {len(listed)} clauses, at most {MAX_CLAUSES}")
        return self._forest.clauses.filter_number(listed, _strings(f"{where}: forbidden", forbidden))


def _strings(where: str, given: Any) -> frozenset[str]:
    if isinstance(given, str) or not isinstance(given, Collection) or not all(isinstance(one, str) for one in given):
        raise InputError(f"{where}: {given!r} is not a collection of strings")
    return frozenset(given)
