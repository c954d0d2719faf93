"""The search behind GET /allocation_candidates: a forest of providers in the core's terms, and queries on it.

Which rows may serve a group, and what early result hides the complaints about later groups, is openstack spec 1.4 (step
7) and 1.5 to 1.9, with the rules of 1.13 as repaired; the enumeration itself is the core's. Writes no JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from binwright._core.candidate_list import listed
from binwright._core.candidates import Candidates, Question
from binwright._core.rowtable import RowTable
from binwright.errors import BinwrightError
from binwright.openstack.placement.answer import NESTED_SINCE, Candidate, candidates_answer, uses_a_tree_twice
from binwright.openstack.placement.faults import no_such_class, no_such_traits
from binwright.openstack.placement.found import FoundCandidates
from binwright.openstack.placement.names import RESOURCE_CLASSES, TRAITS
from binwright.openstack.placement.query import CandidateQuery, RequestGroup
from binwright.openstack.placement.tree import Forest, Provider
from binwright.openstack.placement.units import Units
from binwright.openstack.placement.written import AnswerWriter
from binwright.units import MAX_AMOUNT

__all__ = ["CandidateSearch", "SearchLimit"]

GroupSpec = tuple[tuple[tuple[int, int], ...], int, int, int, bool, bool, bool, bool]
"""A group as the core's `Question` takes it."""

GAVE_UP = "candidates: the search gave up, there may be more of them"


class SearchLimit(BinwrightError):
    """The search gave up; whether there are more candidates is not known."""


class CandidateSearch:
    """Providers compiled for searching.

    traits, classes: names that exist beside the standard ones and those of the forest. `update_used` follows claims;
    any other change of the forest needs a new object. Not thread-safe while `update_used` runs.
    """

    def __init__(
        self,
        forest: Forest,
        traits: Iterable[str] = (),
        classes: Iterable[str] = (),
        listed_traits: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """listed_traits: uuid -> a provider's traits in the order in which bodies list them; None: by name."""
        self.forest = forest
        self._listed_traits = listed_traits
        providers = forest.providers.values()
        self._has_trees = any(provider.parent is not None for provider in providers)
        self._spreads = self._has_trees or any(provider.sharing for provider in providers)
        self._traits = TRAITS.union(traits, *(provider.traits for provider in providers))
        self._classes = RESOURCE_CLASSES.union(classes, *(provider.inventories for provider in providers))
        self._numbers = {name: number for number, name in enumerate(sorted(self._classes))}
        self._member_sets = {provider.aggregates for provider in providers}
        self._rows = list(_preorder(forest))
        self._uuids = [provider.uuid for provider in self._rows]
        self._row_of = {uuid: row for row, uuid in enumerate(self._uuids)}
        self._roots = [provider for provider in self._rows if provider.parent is None]
        self._tree_of = {provider.uuid: tree for tree, provider in enumerate(self._roots)}
        rows = [
            (
                -1 if provider.parent is None else self._row_of[provider.parent],
                provider.traits,
                provider.aggregates,
                [
                    (
                        self._numbers[name],
                        min(inventory.capacity, MAX_AMOUNT),
                        provider.used.get(name, 0),
                        inventory.min_unit,
                        inventory.max_unit,
                        inventory.step_size,
                    )
                    for name, inventory in provider.inventories.items()
                ],
            )
            for provider in self._rows
        ]
        self._table = RowTable(rows, self._links())

    def _links(self) -> list[list[int]]:
        """For each tree the sharing providers of other trees that serve it (spec 1.5)."""
        trees: dict[str, set[int]] = {}
        for provider in self._rows:
            for aggregate in provider.aggregates:
                trees.setdefault(aggregate, set()).add(self._tree_of[self.forest.root(provider.uuid)])
        links: list[list[int]] = [[] for _ in self._roots]
        for row, provider in enumerate(self._rows):
            if provider.sharing:
                own = self._tree_of[self.forest.root(provider.uuid)]
                served: set[int] = set().union(*(trees[aggregate] for aggregate in provider.aggregates))
                for tree in sorted(served - {own}):
                    links[tree].append(row)
        return links

    def update_used(self, provider: Provider, name: str) -> None:
        """Take over what a provider says is in use of one class."""
        self._table.set_used(self._row_of[provider.uuid], self._numbers[name], provider.used.get(name, 0))
        if "_writer" in self.__dict__:
            self._writer.changed(provider)

    @cached_property
    def _writer(self) -> AnswerWriter:
        return AnswerWriter(self.forest, self._rows, self._listed_traits)

    def find(self, query: CandidateQuery, most: int | None = None) -> FoundCandidates:
        """What `answer` says, found at once: objects of it are made when they are looked at.

        Raises Fault for a name that does not exist, SearchLimit where the search gave up. Not for microversions below
        1.29 where there are trees: some of what is found has to be left out there.
        """
        bounds = [bound for bound in (most, query.limit) if bound is not None]
        question, trees = self._question(query)
        rows = None if question is None else listed(self._table, question, trees, min(bounds, default=-1))
        if rows is not None and rows.limit_reached:
            raise SearchLimit(GAVE_UP)
        return FoundCandidates(rows, Units(query, self._spreads), self._uuids)

    def body(self, query: CandidateQuery, most: int | None = None, breadth_first: bool = False) -> bytes:
        """The body of the API's answer, as JSON. Raises as `find` does."""
        if not breadth_first and (query.microversion >= NESTED_SINCE or not self._has_trees):
            found = self.find(query, most)
            if self._writer.writes(found, query):
                return self._writer.body(found, query)
            return self.body_of(found, query)
        return self.body_of(self.answer(query, most, breadth_first), query)

    def body_of(self, candidates: Iterable[Candidate], query: CandidateQuery) -> bytes:
        """The body of an answer with these candidates, as JSON."""
        answer = candidates_answer(candidates, query, self.forest)
        if self._listed_traits is not None:
            for uuid, summary in answer["provider_summaries"].items():
                if "traits" in summary:
                    summary["traits"] = self._listed_traits[uuid]
        return json.dumps(answer).encode()

    def answer(
        self, query: CandidateQuery, most: int | None = None, breadth_first: bool = False
    ) -> Iterable[Candidate]:
        """The candidates that the API answers with: as many as `limit` says, below 1.29 none with two of one tree."""
        found = self.candidates(query, most, breadth_first)
        if query.microversion < NESTED_SINCE and self._has_trees:
            found = (one for one in found if not uses_a_tree_twice(one, self.forest))
        return islice(found, query.limit)

    def candidates(
        self, query: CandidateQuery, most: int | None = None, breadth_first: bool = False
    ) -> Iterator[Candidate]:
        """Every candidate once, lazily, roots in the order of the forest; at most `most` are generated.

        breadth_first: one of each root in turn. Raises Fault for a name that does not exist (at once) and SearchLimit
        where the search gave up.
        """
        question, trees = self._question(query)
        if question is None:
            return iter(())
        return islice(self._written(query, Candidates(self._table, question, trees, in_turn=breadth_first)), most)

    def by_root(self, query: CandidateQuery) -> Callable[[str], Iterator[Candidate]]:
        """A function from a root's uuid to the candidates that it anchors, lazily, as they are when it is called.

        Raises Fault as `candidates` does; the function's iterators raise SearchLimit.
        """
        question, trees = self._question(query)
        admitted = set(trees.tolist())

        def anchored(root: str) -> Iterator[Candidate]:
            tree = self._tree_of[root]
            if question is None or tree not in admitted:
                return iter(())
            return self._written(query, Candidates(self._table, question, np.array([tree], dtype=np.int32)))

        return anchored

    def _question(self, query: CandidateQuery) -> tuple[Question | None, NDArray[np.int32]]:
        """The query in the core's terms and the trees to look at; None if it is plain that nothing fits."""
        specs, trees = self._compile(query)
        suffixes = list(query.groups)
        subtrees = tuple(tuple(map(suffixes.index, sorted(one))) for one in query.same_subtrees)
        return (Question(tuple(specs), subtrees) if specs else None), trees

    def _compile(self, query: CandidateQuery) -> tuple[list[GroupSpec], NDArray[np.int32]]:
        """The groups, and the trees that root_required admits; no groups if it is plain that nothing fits.

        An unknown name is refused, unless a group before it, or a check before it, has no result (spec 1.4, step 7).
        """
        unknown = (query.root_required | query.root_forbidden) - self._traits
        if unknown:
            raise no_such_traits(unknown)
        required = tuple(frozenset([name]) for name in sorted(query.root_required))
        wanted = self._table.labels.filter_number(required, query.root_forbidden)
        trees = np.frombuffer(self._table.trees_that_meet(wanted), np.int32)
        specs: list[GroupSpec] = []
        if not len(trees):
            return specs, trees
        for group in query.groups.values():
            refusal = self._refusal(group)
            if refusal is not None and not any(self._serves_nobody(spec, trees) for spec in specs):
                raise refusal
            if refusal is not None or self._plainly_empty(group):
                return [], trees
            specs.append(self._spec(group, query.group_policy == "isolate"))
        return specs, trees

    def _refusal(self, group: RequestGroup) -> BinwrightError | None:
        """The complaint about a name of a group that does not exist."""
        for name in group.resources:
            if name not in self._classes:
                return no_such_class(name)
        if group.member_of and not self._any_member(group):
            return None
        for names in (*group.required, group.forbidden):
            if names - self._traits:
                return no_such_traits(names - self._traits)
        return None

    def _any_member(self, group: RequestGroup) -> bool:
        """Whether some provider is in the aggregates that a group wants."""
        return any(not any(clause.isdisjoint(members) for clause in group.member_of) for members in self._member_sets)

    def _plainly_empty(self, group: RequestGroup) -> bool:
        """Whether no provider serves a group, as far as it can be told without looking at amounts.

        A group without resources that wants neither a trait nor an aggregate matches nothing (spec 1.6).
        """
        return (
            (bool(group.member_of) and not self._any_member(group))
            or (group.in_tree is not None and group.in_tree not in self.forest.providers)
            or not (group.resources or group.required or group.member_of)
        )

    def _spec(self, group: RequestGroup, isolate: bool) -> GroupSpec:
        """One group in the core's terms; what a suffixed group may have of other trees does not end at in_tree."""
        within = -1
        if group.in_tree is not None and group.resources:
            within = self._tree_of[self.forest.root(group.in_tree)]
        one_row = bool(group.suffix) or not self._spreads
        return (
            tuple((self._numbers[name], min(amount, MAX_AMOUNT)) for name, amount in group.resources.items()),
            self._table.labels.filter_number(tuple(group.required), group.forbidden),
            self._table.members.filter_number(tuple(group.member_of), group.forbidden_aggregates),
            within,
            one_row,
            one_row or group.in_tree is None,
            not one_row,
            isolate and bool(group.suffix),
        )

    def _serves_nobody(self, spec: GroupSpec, trees: NDArray[np.int32]) -> bool:
        """Whether a group has no result even alone."""
        return next(Candidates(self._table, Question((spec,), ()), trees), None) is None

    def _written(self, query: CandidateQuery, found: Candidates) -> Iterator[Candidate]:
        """Candidates with the names of providers and classes."""
        units = Units(query, self._spreads)
        for rows in found:
            yield units.candidate([self._uuids[row] for row in rows])
        if found.limit_reached:
            raise SearchLimit(GAVE_UP)


def _preorder(forest: Forest) -> Iterator[Provider]:
    """Every provider behind its parent, subtrees together, roots and children in input order."""
    children: dict[str | None, list[Provider]] = {}
    for provider in forest.providers.values():
        children.setdefault(provider.parent, []).append(provider)
    stack = list(reversed(children.get(None, [])))
    while stack:
        provider = stack.pop()
        yield provider
        stack += reversed(children.get(provider.uuid, []))
