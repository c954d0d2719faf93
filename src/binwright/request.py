"""Request classes on the Python side: what a caller asks for, checked and compiled into the core's columns once.

Knows a fleet's resources, profile and labels through its arguments; never the fleet itself.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from binwright import arguments, arrays
from binwright._core.columns import Columns
from binwright._core.groups import GroupSet
from binwright._core.request import RequestClass, Statics
from binwright.errors import InputError
from binwright.profile import Profile, Score

LIMITS = 31  # bit of the reject mask: the demand breaks the host's smallest, largest or step of one claim


@dataclass(frozen=True, eq=False)
class Request:
    """One request class of a fleet, and of its forks made later. Made by `Fleet.request`; equal requests are one.

    index: its class number. demand: what a host must have free, by resource name, zeros left out.
    """

    index: int
    name: str | None
    demand: Mapping[str, int]
    compiled: RequestClass = field(repr=False)

    def __copy__(self) -> "Request":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Request":
        return self  # fleets know their requests by identity


@dataclass
class StaticParts:
    """The static side of a request before it is a class: per-host arrays (hosts,) and the label selector."""

    mask: npt.NDArray[np.uint32] | None = None
    arguments: dict[int, npt.NDArray[np.int32]] = field(default_factory=dict)
    raw: dict[int, arrays.Int64Array] = field(default_factory=dict)
    labels: dict[str, frozenset[str]] | None = None
    explicit_hosts: bool = False

    def reject(self, rejected: arrays.BoolArray, bit: int) -> None:
        """Set one bit of the mask where `rejected`; a mask that would stay empty is not made."""
        if rejected.any():
            if self.mask is None:
                self.mask = np.zeros(len(rejected), np.uint32)
            self.mask |= rejected.astype(np.uint32) << np.uint32(bit)

    def digest(self) -> bytes:
        """Equal for equal parts."""
        from hashlib import blake2b  # 3 ms of OpenSSL that an import of binwright does not wait for

        made = blake2b(digest_size=16)
        labels = sorted((key, sorted(values)) for key, values in (self.labels or {}).items())
        made.update(repr((self.mask is None, labels, self.explicit_hosts)).encode())
        if self.mask is not None:
            made.update(self.mask.tobytes())
        for _, column in sorted(self.arguments.items()):
            made.update(column.tobytes())
        for _, scores in sorted(self.raw.items()):
            made.update(scores.tobytes())
        made.update(repr((sorted(self.arguments), sorted(self.raw))).encode())
        return made.digest()

    def columns(self, stride: int) -> Statics:
        """The same in the core's columns of `stride` hosts."""
        mask = None
        if self.mask is not None:
            mask = Columns(1, stride, 4)
            mask.load(0, self.mask.view(np.uint8))
        arguments = {}
        for rule, column in self.arguments.items():
            padded = np.full(stride, -1, np.int32)
            padded[: len(column)] = column
            arguments[rule] = Columns(1, stride, 4)
            arguments[rule].load(0, padded.view(np.uint8))
        raw = {}
        for slot, scores in self.raw.items():
            raw[slot] = Columns(1, stride, 8)
            raw[slot].load(0, scores.view(np.uint8))
        return Statics(mask, arguments, raw)


def static_parts(
    where: str,
    profile: Profile,
    hosts: int,
    eligible: Any,
    rejects: Mapping[str, Any] | None,
    raw: Mapping[str, Any] | None,
) -> StaticParts:
    """Check and gather what is static about hosts, but for labels, whose matching needs the fleet."""
    parts = StaticParts()
    for rule, column in arguments.mapping(f"{where}: rejects", rejects, "rule to hosts").items():
        position = rule_position(where, profile, rule)
        rejected, given = arrays.rejections(f"{where}: rejects {rule!r}", column, hosts)
        parts.reject(rejected, position)
        if given is not None and rejected.any():
            parts.arguments[position] = given
    for score, column in arguments.mapping(f"{where}: raw", raw, "score to hosts").items():
        slot = score_slot(where, profile, score)
        parts.raw[slot] = raw_column(f"{where}: raw {score!r}", profile, column, hosts)
    if isinstance(eligible, Mapping):
        parts.labels = {key: label_values(f"{where}: eligible", key, values) for key, values in eligible.items()}
    elif eligible is not None:
        parts.explicit_hosts = True
        parts.reject(~arrays.host_mask(f"{where}: eligible", eligible, hosts), profile.positions["eligible"])
    return parts


def label_values(where: str, key: Any, values: Any) -> frozenset[str]:
    """The values that one key of a label selector accepts: a collection of strings, not one string."""
    if not isinstance(key, str):
        raise InputError(f"{where}: label key {key!r} is not a string")
    if isinstance(values, str) or not isinstance(values, Iterable) or not all(isinstance(v, str) for v in values):
        raise InputError(f"{where}: label {key!r} needs a list of strings, has {values!r}")
    return frozenset(values)


def raw_column(where: str, profile: Profile, column: Any, hosts: int) -> arrays.Int64Array:
    """A raw score column as the core keeps it: int64, or the bits of float64 in a float64 profile."""
    if profile.float_scores:
        return arrays.floats(where, column, hosts).view(np.int64)
    return arrays.raw_scores(where, column, hosts)


def raw_value(where: str, profile: Profile, value: Any) -> int:
    """One raw score as the core keeps it."""
    if profile.float_scores:
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
            raise InputError(f"{where}: {value!r} is not a finite number")
        return int(np.float64(value).view(np.int64))
    number = arrays.index(where, value)
    if not 0 <= number <= arrays.LARGEST_RAW:
        raise InputError(f"{where}: {number} is outside 0..2**40")
    return number


def rule_position(where: str, profile: Profile, rule: str) -> int:
    """Position of a static rule by name."""
    position = profile.positions.get(rule)
    if position is None or profile.rules[position].kind != "static":
        raise InputError(f"{where}: the profile has no static rule {rule!r}")
    return position


def score_slot(where: str, profile: Profile, score: str) -> int:
    """Slot of a static score by name."""
    if score not in profile.slots:
        raise InputError(f"{where}: the profile has no static score {score!r}")
    return profile.slots[score]


def request_class(
    where: str,
    profile: Profile,
    resources: Sequence[str],
    scored_only: frozenset[str],
    demand: Mapping[str, Any],
    commit: Mapping[str, Any] | None,
    score: Mapping[str, Any] | None,
    skip: Iterable[str],
    priority: int,
    groups: GroupSet | None,
) -> RequestClass:
    """The fixed part of a class. Scores named in `skip` are not run; neither is a balanced score that sees only 0."""
    fit = arrays.demands(f"{where}: demand", demand, resources)
    committed = fit if commit is None else arrays.demands(f"{where}: commit", commit, resources)
    scored = fit if score is None else arrays.demands(f"{where}: score", score, resources)
    number = {name: i for i, name in enumerate(resources)}
    skips = 0
    skip = arguments.names(f"{where}: skip", skip, "scores")
    unknown = set(skip) - {term.name for term in profile.scores}
    if unknown:
        raise InputError(f"{where}: skip names no score of the profile: {', '.join(sorted(unknown))}")
    for position, term in enumerate(profile.scores):
        idle = (
            isinstance(term, Score)
            and term.kind == "balanced"
            and all(scored[number[name]] == 0 for name, _ in term.resources)
        )
        if idle or term.name in skip:
            skips |= 1 << position
    filtered = np.array([0 if name in scored_only else amount for name, amount in zip(resources, fit, strict=True)])
    level = arrays.index(f"{where}: priority", priority)
    if not -(2**31) <= level < 2**31:
        raise InputError(f"{where}: priority {level} is past int32")
    return RequestClass(filtered.astype(np.int64), committed, scored, skips, level, groups)
