"""Taints and tolerations: which taint a pod does not tolerate (kubernetes spec 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from binwright.kubernetes.objects import Taint, Toleration

__all__ = ["HARD_EFFECTS", "first_untolerated", "tolerates"]

HARD_EFFECTS = ("NoSchedule", "NoExecute")
"""Effects that keep a pod off a node; the third, PreferNoSchedule, only lowers the score."""


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether one toleration covers one taint; an empty key covers all keys, but with Equal still compares values."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if not toleration.operator or toleration.operator == "Equal":
        return (toleration.value or "") == (taint.value or "")
    return toleration.operator == "Exists"


def first_untolerated(
    tolerations: Iterable[Toleration], taints: Iterable[Taint], effects: Sequence[str] = HARD_EFFECTS
) -> Taint | None:
    """The first taint with one of `effects` that no toleration covers, None when there is none."""
    tolerations = tuple(tolerations)
    for taint in taints:
        if taint.effect in effects and not any(tolerates(toleration, taint) for toleration in tolerations):
            return taint
    return None
