"""What a plugin may do (spec 1, 2.1).  Each plugin overrides the points it has; the registry says which are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.kubernetes.quirks import Quirks
from tests.reference.kubernetes.status import UNRESOLVABLE, UNSCHEDULABLE, Status

if TYPE_CHECKING:
    from tests.reference.kubernetes.cycle import Cycle
    from tests.reference.kubernetes.pods import Pod
    from tests.reference.kubernetes.snapshot import Node

Json = dict[str, Any]


class Skip:
    """The PreFilter answer that takes a plugin's Filter and hooks out of this cycle."""


class Plugin:
    """One scheduler plugin.  It holds its arguments; all state of a pod is in the cycle, under the plugin's name."""

    name: str

    def __init__(self, arguments: Json, quirks: Quirks) -> None:
        self.arguments = arguments
        self.quirks = quirks

    def resolvable(self, *reasons: str) -> Status:
        """U: preemption may help."""
        return Status(UNSCHEDULABLE, reasons, self.name)

    def unresolvable(self, *reasons: str) -> Status:
        """UU: preemption may not help."""
        return Status(UNRESOLVABLE, reasons, self.name)

    # --- filter side -------------------------------------------------------------------------------------------

    def pre_filter(self, cycle: Cycle) -> Status | Skip | frozenset[str] | None:
        """A rejection of the pod, Skip, a set of node names to restrict to, or None; fills cycle.state."""
        raise NotImplementedError

    def filter(self, cycle: Cycle, node: Node) -> Status | None:
        """A rejection of this node, or None."""
        raise NotImplementedError

    def copy_state(self, state: Any) -> Any:
        """A copy of cycle.state that the hooks below may change; shared where there are no hooks."""
        return state

    def update(self, cycle: Cycle, pod: Pod, node: Node, sign: int) -> None:
        """The hook after a pod was added to (+1) or removed from (-1) a node in a dry run (spec 5)."""

    # --- score side --------------------------------------------------------------------------------------------

    def pre_score(self, cycle: Cycle, feasible: list[Node]) -> bool:
        """False: the plugin is skipped for this pod."""
        return True

    def score(self, cycle: Cycle, node: Node) -> int:
        """The raw score of one feasible node."""
        raise NotImplementedError

    def normalize(self, cycle: Cycle, feasible: list[Node], raw: list[int]) -> list[int]:
        """Raw scores to 0..100; none by default (spec 2.1, last column)."""
        return list(raw)

    # --- reserve -----------------------------------------------------------------------------------------------

    def reserve(self, cycle: Cycle, node: Node) -> None:
        """After the choice, before the next pod (spec 1.7)."""
