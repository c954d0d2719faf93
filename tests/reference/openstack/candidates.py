"""The search behind GET /allocation_candidates: partial candidates per group, then their combination per anchor.

Takes a checked query and a cloud, returns `Candidate`s; knows no JSON and no microversion. Source: openstack spec
1.4.7 to 1.9 and 1.11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from tests.reference.openstack.cloud import Cloud
from tests.reference.openstack.fault import Fault
from tests.reference.openstack.query import Group, Query

Amounts = frozenset[tuple[str, str, int]]  # (provider, class, amount)


@dataclass(frozen=True)
class Partial:
    """One way to serve one group below one anchor (spec 1.5)."""

    anchor: str
    amounts: Amounts
    providers: frozenset[str]


@dataclass(frozen=True)
class Candidate:
    """One answer; its anchor is not part of its identity (spec 1.9)."""

    amounts: Amounts
    mappings: frozenset[tuple[str, frozenset[str]]]


def search(cloud: Cloud, query: Query, maximum: int = -1, breadth_first: bool = False) -> list[tuple[Candidate, str]]:
    """All distinct candidates in generation order, each with the anchor it was found under.

    `maximum` is max_allocation_candidates (negative: no bound). Raises Fault for unknown names (spec 1.4.7).
    """
    for trait in sorted(query.root_required | query.root_forbidden):
        _check_trait(cloud, trait)
    anchors = [uuid for uuid, p in cloud.providers.items() if p.parent is None and anchor_allowed(cloud, query, uuid)]
    if not anchors:
        return []
    partials: dict[str, list[Partial]] = {}
    for suffix, group in query.groups.items():
        partials[suffix] = [p for p in group_partials(cloud, group) if anchor_allowed(cloud, query, p.anchor)]
        if not partials[suffix]:
            return []  # what later groups would complain about stays hidden
    streams = [combine(cloud, query, partials, anchor) for anchor in anchors]
    found: dict[Candidate, str] = {}
    for candidate, anchor in _breadth_first(streams) if breadth_first else _depth_first(streams):
        if 0 <= maximum <= len(found):
            break
        found.setdefault(candidate, anchor)
    return list(found.items())


def _depth_first(streams: list[Iterator]) -> Iterator:
    """One anchor after the other (spec 1.11)."""
    for stream in streams:
        yield from stream


def _breadth_first(streams: list[Iterator]) -> Iterator:
    """One candidate of each anchor in turn (spec 1.11)."""
    while streams:
        remaining = []
        for stream in streams:
            for item in stream:
                yield item
                remaining.append(stream)
                break
        streams = remaining


def anchor_allowed(cloud: Cloud, query: Query, root: str) -> bool:
    """root_required, applied to the anchor root only (spec 1.8)."""
    traits = cloud.providers[root].traits
    return query.root_required <= traits and not query.root_forbidden & traits


def _check_trait(cloud: Cloud, trait: str) -> None:
    if trait not in cloud.known_traits:
        raise Fault(f"No such trait(s): {trait}.")


def group_partials(cloud: Cloud, group: Group) -> list[Partial]:
    """The partial candidates of one group; the checks of names and early exits stand in Placement's order (1.4.7)."""
    for rc in group.resources:
        if rc not in cloud.known_classes:
            raise Fault(f"Invalid resource class in resources parameter: No such resource class {rc}.")
    members = [uuid for uuid in cloud.providers if in_all_aggregates(cloud, group, uuid)]
    if group.member_of and not members:
        return []
    for clause in group.required:
        for trait in sorted(clause):
            _check_trait(cloud, trait)
    for trait in sorted(group.forbidden):
        _check_trait(cloud, trait)
    if group.in_tree is not None and group.in_tree not in cloud.providers:
        return []
    if group.suffix or not (cloud.has_trees or cloud.has_sharing):
        return list(single_provider_partials(cloud, group))
    return list(spread_partials(cloud, group))


def in_all_aggregates(cloud: Cloud, group: Group, uuid: str) -> bool:
    """The provider is itself a member for every positive member_of clause."""
    return all(clause & cloud.providers[uuid].aggregates for clause in group.member_of)


def in_tree(cloud: Cloud, group: Group, uuid: str) -> bool:
    return group.in_tree is None or cloud.root(uuid) == cloud.root(group.in_tree)


def single_provider_partials(cloud: Cloud, group: Group) -> Iterator[Partial]:
    """A group that one provider must serve alone, with its own traits and aggregates (spec 1.6)."""
    resourceless = not group.resources
    if resourceless and not group.required and not group.member_of:
        return  # a peculiarity of the peer: only forbidden things, or only in_tree, match nothing
    for uuid, provider in cloud.providers.items():
        qualifies = (
            all(cloud.fits(uuid, rc, amount) for rc, amount in group.resources.items())
            and all(clause & provider.traits for clause in group.required)
            and not group.forbidden & provider.traits
            and in_all_aggregates(cloud, group, uuid)
            and not group.forbidden_aggregates & provider.aggregates
            and (resourceless or in_tree(cloud, group, uuid))  # another: in_tree is ignored without resources
        )
        if not qualifies:
            continue
        anchors = {cloud.root(uuid)} | (cloud.anchors(uuid) if cloud.is_sharing(uuid) else set())
        amounts = frozenset((uuid, rc, amount) for rc, amount in group.resources.items())
        for anchor in sorted(anchors):
            yield Partial(anchor, amounts, frozenset({uuid}))


def spread_partials(cloud: Cloud, group: Group) -> Iterator[Partial]:
    """The unsuffixed group: each class may come from another provider of the anchor's neighbourhood (spec 1.7)."""
    pairs = {rc: class_pairs(cloud, group, rc, amount) for rc, amount in group.resources.items()}
    for anchor in cloud.providers:
        choices = [[uuid for uuid, a in pairs[rc] if a == anchor] for rc in group.resources]
        for chosen in product(*choices):
            traits = set().union(*(cloud.providers[uuid].traits for uuid in chosen))
            if group.forbidden & traits or not all(clause & traits for clause in group.required):
                continue
            amounts = frozenset((uuid, rc, group.resources[rc]) for uuid, rc in zip(chosen, group.resources))
            yield Partial(anchor, amounts, frozenset(chosen))


def class_pairs(cloud: Cloud, group: Group, rc: str, amount: int) -> list[tuple[str, str]]:
    """(provider, anchor) pairs that can serve one class of the unsuffixed group (spec 1.7)."""
    pairs = []
    for uuid in cloud.providers:
        if not cloud.fits(uuid, rc, amount) or not in_tree(cloud, group, uuid):
            continue
        anchors = {cloud.root(uuid)}
        if cloud.is_sharing(uuid) and group.in_tree is None and in_all_aggregates(cloud, group, uuid):
            anchors |= cloud.anchors(uuid)
        for anchor in sorted(anchors):
            near = cloud.providers[uuid].aggregates | cloud.providers[anchor].aggregates
            member = in_all_aggregates(cloud, group, uuid) or in_all_aggregates(cloud, group, anchor)
            if member and not group.forbidden_aggregates & near:
                pairs.append((uuid, anchor))
    return pairs


def combine(
    cloud: Cloud, query: Query, partials: dict[str, list[Partial]], anchor: str
) -> Iterator[tuple[Candidate, str]]:
    """The product of all groups' partial candidates below one anchor, less what the common rules forbid (spec 1.9)."""
    for chosen in product(*([p for p in partials[suffix] if p.anchor == anchor] for suffix in query.groups)):
        serving = dict(zip(query.groups, chosen))
        if query.group_policy == "isolate" and not isolated(serving):
            continue
        if not all(same_subtree(cloud, serving, suffixes) for suffixes in query.same_subtrees):
            continue
        sums: dict[tuple[str, str], int] = {}
        for partial in chosen:
            for uuid, rc, amount in partial.amounts:
                sums[uuid, rc] = sums.get((uuid, rc), 0) + amount
        if all(cloud.sum_fits(uuid, rc, amount) for (uuid, rc), amount in sums.items()):
            amounts = frozenset((uuid, rc, amount) for (uuid, rc), amount in sums.items())
            mappings = frozenset((suffix, partial.providers) for suffix, partial in serving.items())
            yield Candidate(amounts, mappings), anchor


def isolated(serving: dict[str, Partial]) -> bool:
    """The suffixed groups' providers are pairwise distinct; the unsuffixed group is exempt (spec 1.9.1)."""
    used = [uuid for suffix, partial in serving.items() if suffix for uuid in partial.providers]
    return len(used) == len(set(used))


def same_subtree(cloud: Cloud, serving: dict[str, Partial], suffixes: set[str]) -> bool:
    """One of the providers of the named groups is an ancestor-or-self of all of them (spec 1.9.2)."""
    members = set().union(*(serving[suffix].providers for suffix in suffixes))
    return any(all(top in cloud.ancestors_or_self(uuid) for uuid in members) for top in members)
