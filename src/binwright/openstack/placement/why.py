"""Why Placement offers nothing below one root: the parameters of a query that its providers do not meet, in words.

Reads the rules of openstack spec 1.5 to 1.9 one by one, where the search answers for all of them together; for
explaining only, after the search has found nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace

from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.query import CandidateQuery, RequestGroup
from binwright.openstack.placement.tree import Forest, Provider

__all__ = ["ROOT_TEXTS", "Shortage", "Why", "shortage_text", "why_nothing"]

ROOT_TEXTS = {"COMPUTE_STATUS_DISABLED": "with compute service disabled (COMPUTE_STATUS_DISABLED)"}
Offers = Callable[[CandidateQuery, str], bool]
"""Whether a query has a candidate below a root."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """A class of which no provider in reach has `asked` free; `free` is the most that one has, `provider` which.

    `capacity` and `used` are of that provider; `admitted`: whether its limits of one claim allow the amount.
    """

    resource: str
    asked: int
    free: int
    provider: str
    capacity: int
    used: int
    admitted: bool


@dataclass(frozen=True, slots=True)
class Why:
    """One parameter that is not met: `rule` is its name in the query, with the group's suffix."""

    rule: str
    text: str
    short: Shortage | None = None


def why_nothing(
    forest: Forest, query: CandidateQuery, root: str, pools: list[Provider], clauses: Mapping[frozenset[str], str],
    offers: Offers,
) -> list[Why]:  # fmt: skip
    """Everything that stands against candidates below `root`, in the order in which it is asked; never empty.

    pools: the sharing providers of other trees that serve this root. clauses: what a clause of aggregates means, in
    words. offers: asks the search about a changed query.
    """
    top = forest.providers[root]
    lacking = sorted(query.root_required - top.traits)
    found = [Why("root_required", f"without trait {name} at the root") for name in lacking]
    found += [
        Why("root_required", ROOT_TEXTS.get(name) or f"with forbidden trait {name} at the root")
        for name in sorted(query.root_forbidden & top.traits)
    ]
    for group in query.groups.values():
        reach = [*forest.tree(root), *pools] if group.in_tree is None else list(forest.tree(root))
        if group.in_tree is not None and group.resources and root != forest.root(group.in_tree):
            found.append(Why(f"in_tree{group.suffix}", "not the host that is asked for"))
        elif group.suffix:
            found += _one_provider(group, reach, clauses)
        else:
            found += _spread(group, top, reach, clauses)
    return found or [_together(query, root, offers)]


def _clause_words(clause: frozenset[str], clauses: Mapping[frozenset[str], str]) -> str:
    return clauses.get(clause) or f"in none of the aggregates {', '.join(sorted(clause))}"


def _one_provider(group: RequestGroup, reach: list[Provider], clauses: Mapping[frozenset[str], str]) -> Iterator[Why]:
    """A group that one provider must serve: what stands against those that offer all of its classes."""
    offering = [one for one in reach if group.resources.keys() <= one.inventories.keys()]
    if not offering:
        yield from (
            Why(f"resources{group.suffix}", f"without {name}", _shortage(name, amount, []))
            for name, amount in group.resources.items()
            if not any(name in one.inventories for one in reach)
        )
        if all(any(name in one.inventories for one in reach) for name in group.resources):
            yield Why(f"resources{group.suffix}", f"without one provider of {', '.join(group.resources)}")
        return
    for clause in group.member_of:
        if not any(clause & one.aggregates for one in offering):
            yield Why(f"member_of{group.suffix}", _clause_words(clause, clauses))
    if all(group.forbidden_aggregates & one.aggregates for one in offering):
        yield Why(f"member_of{group.suffix}", "in a forbidden aggregate")
    offered = [one.traits for one in offering]
    yield from _traits(group, offered, frozenset.intersection(*offered))
    yield from _shortages(group, offering)


def _spread(
    group: RequestGroup, top: Provider, reach: list[Provider], clauses: Mapping[frozenset[str], str]
) -> Iterator[Why]:
    """The group that may use several providers: of aggregates the root answers for them all."""
    serving = [one for one in reach if group.resources.keys() & one.inventories.keys()]
    for clause in group.member_of:
        if not clause & top.aggregates and not any(clause & one.aggregates for one in serving):
            yield Why("member_of", _clause_words(clause, clauses))
    if group.forbidden_aggregates & top.aggregates:
        yield Why("member_of", "in a forbidden aggregate")
    alone = [one.traits for name in group.resources for one in _only(name, serving)] if serving else [top.traits]
    offered = frozenset().union(*(one.traits for one in serving or [top]))
    yield from _traits(group, [offered], frozenset().union(*alone))
    yield from _shortages(group, serving)


def _only(name: str, serving: list[Provider]) -> list[Provider]:
    """The one provider of a class, nobody if there are several."""
    offering = [one for one in serving if name in one.inventories]
    return offering if len(offering) == 1 else []


def _traits(group: RequestGroup, offered: list[frozenset[str]], certain: frozenset[str]) -> Iterator[Why]:
    """offered: the traits of each choice; certain: those that every choice brings along."""
    for clause in sorted(group.required, key=sorted):
        if offered and not any(clause & traits for traits in offered):
            yield Why(f"required{group.suffix}", f"without trait {' or '.join(sorted(clause))}")
    for name in sorted(group.forbidden & certain):
        yield Why(f"required{group.suffix}", f"with forbidden trait {name}")


def _shortages(group: RequestGroup, serving: list[Provider]) -> Iterator[Why]:
    for name, amount in group.resources.items():
        offering = [one for one in serving if name in one.inventories]
        if any(one.inventories[name].fits(one.used.get(name, 0), amount) for one in offering):
            continue
        short = _shortage(name, amount, offering)
        nearest = next((one.inventories[name] for one in offering if one.uuid == short.provider), None)
        yield Why(f"resources{group.suffix}", shortage_text(name, amount, nearest), short)


def shortage_text(name: str, amount: int, inventory: Inventory | None) -> str:
    """Why an inventory that has not enough has not enough."""
    if inventory is None or not inventory.total:
        return f"without {name}"
    if inventory.admits(amount):
        return f"short of {name} ({amount} asked)"
    return f"whose inventory limits (min, max, step) forbid {amount} {name}"


def _shortage(name: str, amount: int, offering: list[Provider]) -> Shortage:
    """The provider that is nearest: one whose limits allow the amount, then the one with the most free."""
    best = Shortage(name, amount, 0, "", 0, 0, True)
    for number, one in enumerate(offering):
        inventory, used = one.inventories[name], one.used.get(name, 0)
        free = inventory.capacity - used
        this = Shortage(name, amount, free, one.uuid, inventory.capacity, used, inventory.admits(amount))
        if number == 0 or (this.admitted, this.free) > (best.admitted, best.free):
            best = this
    return best


def _together(query: CandidateQuery, root: str, offers: Offers) -> Why:
    """Every group alone finds something: the condition without which they would find it together."""
    if query.group_policy == "isolate" and offers(replace(query, group_policy="none"), root):
        return Why("group_policy", "without a provider of its own for each group (isolate)")
    for number, suffixes in enumerate(query.same_subtrees):
        rest = [*query.same_subtrees[:number], *query.same_subtrees[number + 1 :]]
        if offers(replace(query, same_subtrees=rest), root):
            return Why("same_subtree", f"without one subtree for the groups {', '.join(sorted(suffixes))}")
    for suffix, group in query.groups.items():
        free = copy(group)
        free.required, free.forbidden = [], frozenset()
        picky = (group.required or group.forbidden) and group.resources
        if picky and offers(replace(query, groups={**query.groups, suffix: free}), root):
            return Why(f"required{suffix}", "without providers that have both the amounts and the traits")
    return Why("resources", "without enough for all groups together")
