"""kube-scheduler's plugins, one file each: what of a pod decides, which nodes are rejected and why, the raw score.

A plugin holds the node table it judges and keeps no other state. `compile` asks it once per distinct `key`:
`key(pod)` is hashable, None where the plugin passes every node and scores all alike; `rejects(pod)` is None or an int32
array (nodes,), -1 = passes, otherwise an argument that `text` turns into the peer's words; `raw(pod)` is None (all 0)
or an int64 array (nodes,).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

import numpy as np

from binwright.kubernetes.objects import Pod

__all__ = ["PASSES", "Filter", "Score"]

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
