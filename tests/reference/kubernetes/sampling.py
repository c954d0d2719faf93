"""How many feasible nodes are looked for, and which nodes are judged (spec 1, *Sampling*; 8.8)."""

from collections.abc import Callable
from typing import TypeVar

Item = TypeVar("Item")
Verdict = TypeVar("Verdict")


def number_to_find(count: int, percentage: int) -> int:
    """K feasible nodes out of ``count``; percentage 0 is adaptive, 100 and more all."""
    if count < 100 or percentage >= 100:
        return count
    if percentage == 0:
        percentage = max(5, 50 - count // 125)
    return max(count * percentage // 100, 100)


def scan(
    items: list[Item], start: int, wanted: int, judge: Callable[[Item], Verdict | None]
) -> list[tuple[Item, Verdict | None]]:
    """Judge items from ``start`` on, wrapping, until one more than ``wanted`` passes (it is not counted).

    ``judge`` answers None for an item that passes.  Returns the judged items in scan order.
    """
    judged: list[tuple[Item, Verdict | None]] = []
    passed = 0
    for i in range(len(items)):
        item = items[(start + i) % len(items)]
        verdict = judge(item)
        if verdict is None:
            if passed == wanted:
                break
            passed += 1
        judged.append((item, verdict))
    return judged
