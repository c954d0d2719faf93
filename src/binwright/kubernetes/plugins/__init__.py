"""kube-scheduler's plugins, one file each: what of a pod decides, which nodes are rejected and why, the raw score.

A static plugin holds the node table it judges and keeps no other state. `compile` asks it once per distinct `key`:
`key(pod)` is hashable, None where the plugin passes every node and scores all alike; `rejects(pod)` is None or an int32
array (nodes,), -1 = passes, otherwise an argument that `text` turns into the peer's words; `raw(pod)` is None (all 0)
or an int64 array (nodes,). A relational one judges by what the nodes hold: it says what a pod adds to counters, and
gives the terms over counters that the engine asks.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

import numpy as np

from binwright.kubernetes.objects import Pod
from binwright.kubernetes.traits import Traits
from binwright.request import Request
from binwright.terms import HardTerm, SoftTerm

__all__ = ["PASSES", "Filter", "Relation", "Score"]

PASSES = -1
"""The argument that says a node is not rejected."""


class Filter(Protocol):
    """A plugin that can keep a pod off a node whatever the node holds."""

    rule: str
    """Its name as a rule of the engine's profile."""
    plugin: str
    """Its name as kube-scheduler has it."""

    def key(self, pod: Pod) -> Hashable: ...

    def rejects(self, pod: Pod) -> np.ndarray | None: ...

    def text(self, argument: int) -> str: ...


class Score(Protocol):
    """A plugin with a raw score per node that does not depend on what the nodes hold."""

    plugin: str

    def key(self, pod: Pod) -> Hashable: ...

    def raw(self, pod: Pod) -> np.ndarray | None: ...

    def skips(self, pod: Pod) -> bool:
        """Whether PreScore says Skip: then the plugin adds nothing to any total."""
        ...


class Relation(Protocol):
    """A plugin that judges a node by the pods there, or in its domain."""

    rule: str
    plugin: str
    holding: bool
    """Whether a pod adds anything by what `key` reads of it, rather than by being selected."""

    def key(self, pod: Pod) -> Hashable:
        """What of the pod it reads, None for nothing; traits are known besides."""
        ...

    def held(self, pod: Pod) -> Mapping[int, int | tuple[int, int]]:
        """Counter -> what one such pod adds to it wherever it lies, or (that, what it counts for on trial)."""
        ...

    def terms(self, pod: Pod, traits: Traits) -> Sequence[HardTerm | SoftTerm]:
        """What a pod that looks for a node asks; asked after `held`."""
        ...

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        """A class with these terms has been made: what comes later may concern it."""
        ...

    def text(self, argument: int) -> str: ...
