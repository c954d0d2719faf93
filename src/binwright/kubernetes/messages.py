"""The texts of a refusal, word for word as kube-scheduler has them (kubernetes spec 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = [
    "DRA_NOT_FOUND",
    "NEVER_PREEMPTS",
    "NOT_HELPFUL",
    "NO_NODES",
    "NO_VICTIMS",
    "TERMINATING_VICTIM",
    "fit_error",
    "histogram",
    "no_preemption",
]

NO_NODES = "no nodes available to schedule pods"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"
DRA_NOT_FOUND = " not found"
"""Appended, instead of a preemption, when a PreFilter before DynamicResources ended the cycle (quirk draNotFound)."""
_TRIED = " no new claims to deallocate, preemption: "
NEVER_PREEMPTS = f"{_TRIED}not eligible due to preemptionPolicy=Never."
TERMINATING_VICTIM = f"{_TRIED}not eligible due to a terminating pod on the nominated node."


def histogram(nodes: int, reasons: Mapping[str, int]) -> str:
    """ "0/N nodes are available: " and how many nodes have each reason; entries are sorted as strings, number first."""
    entries = sorted(f"{count} {reason}" for reason, count in reasons.items())
    return f"0/{nodes} nodes are available:" + (f" {', '.join(entries)}." if entries else "")


def fit_error(nodes: int, reasons: Mapping[str, int], before_filter: Iterable[str] = ()) -> str:
    """The text of a FitError; `before_filter`: reasons of a PreFilter that ended the cycle, which are not counted."""
    ended = ", ".join(before_filter)
    return f"0/{nodes} nodes are available: {ended}." if ended else histogram(nodes, reasons)


def no_preemption(nodes: int, reasons: Mapping[str, int]) -> str:
    """What PostFilter adds when preemption was tried and no node became free, with the dry runs' reasons."""
    return _TRIED + histogram(nodes, reasons)
