"""Seeded draws and names for the sample: everything random in it comes from here.

Only ``random.Random.random`` is used, the one method whose sequence Python promises to keep, and SHA-256 for
identities, so that a seed gives the same bytes with every Python version and on every platform. Identities
hang on names, not on the order of drawing: a new object moves no other object's uuid. Knows nothing of what is drawn.
"""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

T = TypeVar("T")

NOW = datetime(2026, 11, 16, 8, 0, 0, tzinfo=UTC)  # the moment of the dump; a constant, not the clock
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes uses for generated names


class Dice:
    """An independent stream of draws for one topic of one seed."""

    def __init__(self, seed: int, topic: str) -> None:
        self._draw = random.Random(f"{seed}/{topic}").random

    def fraction(self, low: float = 0.0, high: float = 1.0) -> float:
        """A float, low <= x < high."""
        return low + (high - low) * self._draw()

    def between(self, low: int, high: int) -> int:
        """An integer, low <= n <= high."""
        return low + int(self._draw() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._draw() * len(choices))]

    def weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        """One of (choice, weight) pairs; weights are positive integers."""
        point = self._draw() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            point -= weight
            if point < 0:
                return choice
        return choices[-1][0]


def digest(*parts: object) -> bytes:
    """32 bytes that hang on the parts alone."""
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()


def uuid_of(*parts: object) -> str:
    """A version-4 uuid string."""
    return str(uuid.UUID(bytes=digest("uuid", *parts)[:16], version=4))


def hex_id_of(*parts: object) -> str:
    """32 hexadecimal digits, as Keystone writes project and user ids."""
    return uuid_of(*parts).replace("-", "")


def suffix_of(length: int, *parts: object) -> str:
    """A name suffix in the alphabet of Kubernetes' generated names."""
    return "".join(_SUFFIX_ALPHABET[byte % len(_SUFFIX_ALPHABET)] for byte in digest("suffix", *parts)[:length])


def ago(hours: float) -> str:
    """RFC 3339 time of so many hours before NOW, whole seconds."""
    return (NOW - timedelta(seconds=int(hours * 3600))).strftime("%Y-%m-%dT%H:%M:%SZ")
