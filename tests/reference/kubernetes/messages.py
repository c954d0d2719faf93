"""The texts of a failure (spec 6)."""

from collections import Counter
from collections.abc import Iterable

NO_NODES = "no nodes available to schedule pods"
NO_CLAIMS = "no new claims to deallocate"
CLAIMS_NOT_FOUND = "not found"
NEVER_PREEMPTS = "not eligible due to preemptionPolicy=Never."
TERMINATING_VICTIM = "not eligible due to a terminating pod on the nominated node."
NO_VICTIMS = "No preemption victims found for incoming pod"
NOT_HELPFUL = "Preemption is not helpful for scheduling"


def nodes_available(count: int, text: str) -> str:
    """The frame of every fit error; without ``text`` it ends after the colon."""
    return f"0/{count} nodes are available:" + (f" {text}." if text else "")


def histogram(count: int, reasons: Iterable[str]) -> str:
    """``COUNT REASON`` over all nodes, sorted as strings; a node with several reasons counts once for each."""
    lines = sorted(f"{times} {reason}" for reason, times in Counter(reasons).items())
    return nodes_available(count, ", ".join(lines))
