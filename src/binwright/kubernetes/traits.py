"""What of a pod others select it by, and the meeting of pods with selectors: each pair is tested once.

Knows no engine and no rule; `counts` and the plugins say what a match means.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from binwright.kubernetes.label_selectors import Anchor, Needs
from binwright.kubernetes.objects import Pod

__all__ = ["Matches", "Traits", "TraitsOf"]

Payload = TypeVar("Payload")


@dataclass(frozen=True)
class Traits:
    """Namespace, labels (sorted pairs, only what some selector tells apart) and whether the pod is terminating."""

    namespace: str = ""
    pairs: tuple[tuple[str, str], ...] = ()
    terminating: bool = False

    @cached_property
    def labels(self) -> dict[str, str]:
        return dict(self.pairs)


ANY_OTHER = "*"
"""Stands for every value of a label that no selector names; no label has this value."""


class TraitsOf:
    """Traits of pods under one set of selectors; where nothing selects pods, all are alike."""

    def __init__(self, needs: Iterable[Needs], selecting: bool) -> None:
        """needs: of every selector that will be asked. selecting: some rule selects pods, be it by an empty one."""
        self._selecting = selecting
        self._values: dict[str, set[str]] = {}
        self._present: set[str] = set()  # keys of which it matters whether a pod has them
        for key, operator, values in needs:
            self._values.setdefault(key, set()).update(values)
            if operator in ("Exists", "DoesNotExist"):
                self._present.add(key)

    def __call__(self, pod: Pod) -> Traits:
        if not self._selecting:
            return Traits()
        meta = pod.metadata
        labels = meta.labels or {}
        pairs = []
        for key in labels.keys() & self._values.keys():
            if labels[key] in self._values[key]:
                pairs.append((key, labels[key]))
            elif key in self._present:
                pairs.append((key, ANY_OTHER))
        pairs.sort()
        return Traits(meta.namespace or "default", tuple(pairs), meta.deletion_timestamp is not None)


@dataclass
class _Test(Generic[Payload]):
    holds: Callable[[Traits], bool]
    payload: Payload


@dataclass
class Matches(Generic[Payload]):
    """Tests on one side, traits on the other; both sides grow, and each new one meets the whole other side.

    A test with an anchor only meets traits that have one of its label values.
    """

    tests: dict[tuple[str, str] | None, list[_Test[Payload]]] = field(default_factory=dict)
    known: dict[tuple[str, str] | None, list[Traits]] = field(default_factory=dict)
    seen: set[Hashable] = field(default_factory=set)

    def add_test(self, anchor: Anchor, holds: Callable[[Traits], bool], payload: Payload) -> list[Traits]:
        """A new test; returns the traits met before that it holds of."""
        test = _Test(holds, payload)
        places = [None] if anchor is None else [(anchor[0], value) for value in dict.fromkeys(anchor[1])]
        met: list[Traits] = []
        for place in places:
            self.tests.setdefault(place, []).append(test)
            met += [traits for traits in self.known.get(place, ()) if holds(traits)]
        return met

    def add_traits(self, traits: Traits) -> list[Payload]:
        """The payloads of all tests that hold of these traits, which are remembered."""
        places: list[tuple[str, str] | None] = [None, *traits.pairs]
        if traits not in self.seen:
            self.seen.add(traits)
            for place in places:
                self.known.setdefault(place, []).append(traits)
        return [test.payload for place in places for test in self.tests.get(place, ()) if test.holds(traits)]
