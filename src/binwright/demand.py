"""What a layer's `to_items()` hands to packing: items in the layer's own resources, and what every bin holds besides.

Knows neither a service nor an algorithm; the stack joins it with a catalogue of bins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from binwright.outcome import NotEvaluated


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to pack: its name, resource -> amount in the layer's base units, labels that its bin must have."""

    name: str
    amounts: Mapping[str, int]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Demand:
    """The items of one source. `overhead`: what every bin holds besides, `overhead_items` how many items that is;
    `at_most`: (positions of items, k), at most k of these in one bin; `conflicts`: pairs of positions that never share
    a bin; `together`: positions of items that share one."""

    source: str
    layer: str
    items: list[Item] = field(default_factory=list)
    overhead: dict[str, int] = field(default_factory=dict)
    overhead_items: int = 0
    at_most: list[tuple[list[int], int]] = field(default_factory=list)
    conflicts: list[tuple[int, int]] = field(default_factory=list)
    together: list[list[int]] = field(default_factory=list)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
