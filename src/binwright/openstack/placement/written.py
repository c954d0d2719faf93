"""The API's answer as bytes in one pass: the JSON of `answer`, without an object of each candidate and provider.

A request is a template with the providers' uuids in its holes, one for each way in which units share a provider. A
provider's summary is kept as text until what is in use of it changes. Shapes are `answer`'s own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import numpy as np

from binwright._core.texts import MOST, RowTexts, Template, written
from binwright.openstack.placement.answer import NESTED_SINCE, request_json, summary_json
from binwright.openstack.placement.found import FoundCandidates
from binwright.openstack.placement.microversion import Microversion
from binwright.openstack.placement.query import CandidateQuery
from binwright.openstack.placement.tree import Forest, Provider
from binwright.openstack.placement.units import Units

__all__ = ["AnswerWriter"]

HOLE = re.compile(r'"\\u0001([us])(\d+)\\u0001"')
OPENING, MIDDLE, CLOSING, BETWEEN = b'{"allocation_requests": [', b'], "provider_summaries": {', b"}}", b", "


class AnswerWriter:
    """Writes answers about one forest, at microversions from 1.29 on. rows: its providers in the search's order.
    traits: uuid -> a provider's traits in the order to list them, None: by name.
    """

    def __init__(
        self, forest: Forest, rows: Sequence[Provider], traits: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._forest = forest
        self._traits = traits
        self._rows = rows
        self._row_of = {provider.uuid: row for row, provider in enumerate(rows)}
        ranks = np.empty(len(rows), np.int32)
        ranks[sorted(range(len(rows)), key=lambda row: rows[row].uuid)] = np.arange(len(rows), dtype=np.int32)
        self._texts = RowTexts(tuple(json.dumps(provider.uuid).encode() for provider in rows), ranks)
        self._trees = [forest.tree(provider.uuid) for provider in rows if provider.parent is None]
        self._tree_of = {one.uuid: tree for tree, members in enumerate(self._trees) for one in members}
        self._summaries: list[bytes | None] = [None] * len(rows)
        self._tree_summaries: list[bytes | None] = [None] * len(self._trees)

    def changed(self, provider: Provider) -> None:
        """What is in use of a provider has changed."""
        self._summaries[self._row_of[provider.uuid]] = None
        self._tree_summaries[self._tree_of[provider.uuid]] = None

    def writes(self, found: FoundCandidates, query: CandidateQuery) -> bool:
        """Whether an answer can be written so; others are for `answer`."""
        return query.microversion >= NESTED_SINCE and len(found.units.asks) <= MOST

    def body(self, found: FoundCandidates, query: CandidateQuery) -> bytes:
        """The body of the answer: what `json.dumps` makes of `candidates_answer`."""
        if found.rows is None:
            return OPENING + MIDDLE + CLOSING
        span = next(((start, end) for _, start, end in found.units.spans if end > start + 1), (0, 0))

        def template(firsts: list[int]) -> Template:
            return _template(found.units, span, firsts, query.microversion)

        asking = bytes(bool(amounts) for amounts in found.units.asks)
        summaries = [self._tree_summaries[tree] or self._summed(tree) for tree in found.rows.trees(asking)]
        return written(found.rows, self._texts, *span, template, OPENING, MIDDLE, summaries, CLOSING, BETWEEN)

    def _summed(self, tree: int) -> bytes:
        """The summaries of a tree's providers."""
        texts = []
        for provider in self._trees[tree]:
            row = self._row_of[provider.uuid]
            text = self._summaries[row]
            if text is None:
                summary = summary_json(provider, None, self._forest)
                if self._traits is not None:
                    summary["traits"] = self._traits[provider.uuid]
                text = self._summaries[row] = json.dumps({provider.uuid: summary})[1:-1].encode()
            texts.append(text)
        whole = self._tree_summaries[tree] = BETWEEN.join(texts)
        return whole


def _template(units: Units, span: tuple[int, int], firsts: list[int], version: Microversion) -> Template:
    """The request in which units have the rows of the units `firsts`; `span`: of the group that may spread."""
    candidate = units.candidate([f"\1u{first}\1" for first in firsts])
    start, end = span
    several = len(set(firsts[start:end]))
    if end > start + 1:
        suffix = next(suffix for suffix, first, _ in units.spans if first == start)
        mappings = {**candidate.mappings, suffix: [f"\1s{number:02}\1" for number in range(several)]}
        candidate = type(candidate)(candidate.allocations, mappings)
    pieces = []
    text = json.dumps(request_json(candidate, version))
    at = 0
    for hole in HOLE.finditer(text):
        number = int(hole.group(2)) + (MOST if hole.group(1) == "s" else 0)
        pieces.append((text[at : hole.start()].encode(), number))
        at = hole.end()
    return Template([*pieces, (text[at:].encode(), -1)])
