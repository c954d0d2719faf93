"""Profiles: which rules reject a host, in which order, and which scores are summed. Checked here, compiled once.

Knows resources by name only; the arithmetic is in `_core.terms`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from binwright import arguments
from binwright._core.terms import Terms
from binwright.errors import InputError
from binwright.float_scores import FloatScore, check_float_score, host_columns
from binwright.float_scores import specs as float_specs

MAX_WEIGHT = 2**20
MAX_RAW_WEIGHT = 2**22  # of all raw scores up to 2**40 that no normaliser makes small: totals stay inside int64
MAX_RULES = 31
MAX_STATIC_SCORES = 16
NORMALISERS = {
    "least": (None,),
    "most": (None,),
    "ratio": (None,),
    "balanced": (None,),
    "static": (None, "max", "reverse", "minmax"),
    "count": ("minmax",),
    "spread": (None,),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule that can reject a host; its place in `Profile.rules` is its turn in the verdict.

    kind: "static" (a request says which hosts it rejects), "fit" (resources), "cordon" (the host takes nothing) or
    "rows" (the host's rows do not serve the request's groups).
    resolvable: for a static rule, whether releasing items could lift the rejection. For the fit rule, names of
    resources whose shortage counts as resolvable however small the host is; any other shortage is resolvable if
    the empty host would be large enough.
    """

    name: str
    kind: str = "static"
    resolvable: bool | Sequence[str] = False


@dataclass(frozen=True, slots=True)
class Score:
    """One score term; made by the functions of this module. `weight` multiplies a normalised score in 0..100."""

    name: str
    kind: str
    weight: int = 1
    resources: tuple[tuple[str, int], ...] = ()
    optional: frozenset[str] = frozenset()
    normalise: str | None = None
    table: tuple[int, ...] = ()


def _resource_score(
    kind: str,
    resources: Mapping[str, int],
    weight: int,
    name: str,
    optional: Iterable[str],
    table: tuple[int, ...] = (),
) -> Score:
    where = f"score {name!r}"
    shares = arguments.mapping(where, resources, "resource to weight")
    optional = arguments.names(f"{where}: optional", optional, "resources")
    score = Score(name, kind, weight, tuple(shares.items()), frozenset(optional), None, table)
    for resource, share in score.resources:
        _check_weight(f"score {score.name!r}: weight of resource {resource!r}", share, 1)
    if not score.resources:
        raise InputError(f"score {score.name!r}: names no resource")
    _check_weight(f"score {score.name!r}: weight", weight, 0)
    return score


def _name(given: str | None, default: str) -> str:
    return default if given is None else arguments.name("score: name", given)


def _check_score(score: Any) -> None:
    """What the functions of this module see to, of a score that was written out as well: the core relies on it."""
    if isinstance(score, FloatScore):
        check_float_score(score)
        return
    if (
        not isinstance(score, Score)
        or not isinstance(score.kind, str)
        or not isinstance(score.normalise, str | None)
        or score.normalise not in NORMALISERS.get(score.kind, ())
    ):
        raise InputError(f"profile: {score!r} is not a score as least_allocated and its like make them")
    arguments.name("profile: score", score.name)
    if not isinstance(score.resources, tuple) or any(
        not isinstance(pair, tuple) or len(pair) != 2 or not isinstance(pair[0], str) for pair in score.resources
    ):
        raise InputError(f"score {score.name!r}: resources {score.resources!r} are not pairs (resource, weight)")
    if not isinstance(score.table, tuple) or any(type(value) is not int for value in score.table):
        raise InputError(f"score {score.name!r}: table {score.table!r} is not a tuple of integers")
    arguments.names(f"score {score.name!r}: optional", score.optional, "resources")
    _check_weight(f"score {score.name!r}: weight", score.weight, 0)
    for resource, share in score.resources:
        _check_weight(f"score {score.name!r}: weight of resource {resource!r}", share, 1)
    if len({resource for resource, _ in score.resources}) < len(score.resources):
        raise InputError(f"score {score.name!r}: names a resource twice")
    if len(score.table) != (101 if score.kind == "ratio" else 0) or not all(0 <= value <= 100 for value in score.table):
        raise InputError(f"score {score.name!r}: its table is not a score 0..100 for each utilisation 0..100")


def _check_weight(where: str, weight: int, least: int) -> None:
    if isinstance(weight, bool) or not isinstance(weight, int) or not least <= weight <= MAX_WEIGHT:
        raise InputError(f"{where}: {weight!r} is not an integer in {least}..{MAX_WEIGHT}")


def least_allocated(
    resources: Mapping[str, int], *, weight: int = 1, name: str | None = None, optional: Iterable[str] = ()
) -> Score:
    """Prefers empty hosts: floor of the weighted mean of floor(100 * free / capacity) after placing.

    resources: name -> weight (1..2**20). A resource without capacity on a host is left out there, weight too; one
    named in `optional` also where the request's score demand for it is 0. Raises InputError for weights out of
    range. Rule: kube-scheduler NodeResourcesFit, strategy LeastAllocated.
    """
    return _resource_score("least", resources, weight, _name(name, "least_allocated"), optional)


def most_allocated(
    resources: Mapping[str, int], *, weight: int = 1, name: str | None = None, optional: Iterable[str] = ()
) -> Score:
    """Prefers full hosts: as `least_allocated`, with min(used, capacity) in place of free.

    Rule: kube-scheduler NodeResourcesFit, strategy MostAllocated.
    """
    return _resource_score("most", resources, weight, _name(name, "most_allocated"), optional)


def requested_to_capacity_ratio(
    resources: Mapping[str, int],
    shape: Sequence[tuple[int, int]],
    *,
    weight: int = 1,
    name: str | None = None,
    optional: Iterable[str] = (),
) -> Score:
    """Scores utilisation (percent, floored) by a broken line through `shape`: (utilisation 0..100, score 0..10).

    Below the first point its score, above the last its score; between, integer interpolation truncating toward
    zero. A resource that scores 0 is left out with its weight; the weighted mean is rounded half away from zero.
    Raises InputError for an empty shape, or points that do not rise or leave their ranges.
    Rule: kube-scheduler NodeResourcesFit, strategy RequestedToCapacityRatio.
    """
    name = _name(name, "requested_to_capacity_ratio")
    points = []
    for point in arguments.collection(f"score {name!r}: shape", shape, "(utilisation, score)"):
        pair = arguments.collection(f"score {name!r}: shape point", point, "utilisation and score")
        if len(pair) != 2 or not all(type(number) is int for number in pair):
            raise InputError(f"score {name!r}: shape point {point!r} is not (utilisation, score), two integers")
        points.append((pair[0], pair[1] * 10))
    if not points:
        raise InputError(f"score {name!r}: shape has no point")
    for i, (utilisation, value) in enumerate(points):
        if not 0 <= utilisation <= 100 or not 0 <= value <= 100:
            raise InputError(f"score {name!r}: shape point {shape[i]!r} is outside utilisation 0..100, score 0..10")
        if i and utilisation <= points[i - 1][0]:
            raise InputError(f"score {name!r}: shape utilisation {utilisation} does not rise")
    table = tuple(_on_line(points, utilisation) for utilisation in range(101))
    return _resource_score("ratio", resources, weight, name, optional, table)


def _on_line(points: list[tuple[int, int]], x: int) -> int:
    for i, (x1, y1) in enumerate(points):
        if x <= x1:
            if i == 0:
                return y1
            x0, y0 = points[i - 1]
            step = abs(y1 - y0) * (x - x0) // (x1 - x0)  # truncates toward zero on falling lines too
            return y0 + step if y1 >= y0 else y0 - step
    return points[-1][1]


def balanced_allocation(
    resources: Iterable[str], *, weight: int = 1, name: str | None = None, optional: Iterable[str] = ()
) -> Score:
    """Prefers hosts whose used fractions are even: trunc(100 * (1 - deviation)), deviation of the fractions after
    placing (half the difference of two; the population's standard deviation of more), each at most 1.

    Float arithmetic in binary64, in resource order. Rule: kube-scheduler NodeResourcesBalancedAllocation.
    """
    shares = dict.fromkeys(arguments.names("balanced_allocation: resources", resources, "resources"), 1)
    return _resource_score("balanced", shares, weight, _name(name, "balanced_allocation"), optional)


def static_score(name: str, *, normalise: str | None = None, weight: int = 1) -> Score:
    """A raw score per host that each request brings (`raw=`), normalised over the feasible hosts.

    normalise: None; "max" (100 * raw / max; all 0 stay 0); "reverse" (100 - that; all 0 become 100); "minmax"
    (trunc(100 * ((raw - min) / (max - min))); all equal become 0). Rule: kube-scheduler's default normalisation.
    """
    if normalise is not None and arguments.name(f"score {name!r}: normalise", normalise) not in NORMALISERS["static"]:
        raise InputError(f"score {name!r}: normalise {normalise!r} is not None, 'max', 'reverse' or 'minmax'")
    _check_weight(f"score {name!r}: weight", weight, 0)
    return Score(name, "static", weight, normalise=normalise)


def count_score(name: str, *, weight: int = 1) -> Score:
    """Weighted sums of counters in each host's domains (a request's `SoftTerm`), normalised min-max over the feasible
    hosts: trunc(100 * ((raw - min) / (max - min))), all equal become 0. Rule: kube-scheduler InterPodAffinity.
    """
    _check_weight(f"score {name!r}: weight", weight, 0)
    return Score(name, "count", weight, normalise="minmax")


def spread_score(name: str, *, weight: int = 1) -> Score:
    """Prefers hosts in domains that hold few (a request's `SoftTerm`): round(sum of count * ln(domains + 2) +
    (max skew - 1)) in float64, normalised 100 * (max + min - raw) / max. Rule: kube-scheduler PodTopologySpread.
    """
    _check_weight(f"score {name!r}: weight", weight, 0)
    return Score(name, "spread", weight)


@dataclass(frozen=True)
class Profile:
    """Rules in the order of their verdicts, and score terms in the order of their sum; immutable.

    Exactly one rule of kind "fit"; a rule "cordon" and a static rule "eligible" are put in front, a rule "rows" at
    the end, where they are missing. A host's verdict is its first rejecting rule. Raises InputError for duplicate
    names, more than 31 rules, more than 16 static scores, more than 32 scores, weights of more than 2**22 on static
    scores as they are.

    Scores are all of this module, and totals are int64; or all of binwright.float_scores, and totals are float64.
    """

    rules: tuple[Rule, ...] = (Rule("cordon", "cordon"), Rule("eligible"), Rule("fit", "fit"), Rule("rows", "rows"))
    scores: tuple[Score | FloatScore, ...] = ()
    positions: dict[str, int] = field(init=False, repr=False, compare=False)
    slots: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = list(arguments.collection("profile: rules", self.rules, "rules"))
        for rule in rules:
            if not isinstance(rule, Rule):
                raise InputError(f"profile: {rule!r} is not a binwright.Rule")
        kinds = [rule.kind for rule in rules]
        for rule in rules:
            if rule.kind not in ("static", "fit", "cordon", "rows"):
                raise InputError(f"rule {rule.name!r}: kind {rule.kind!r} is not 'static', 'fit', 'cordon' or 'rows'")
        if kinds.count("fit") != 1 or kinds.count("cordon") > 1 or kinds.count("rows") > 1:
            raise InputError("profile: needs exactly one rule of kind 'fit', at most one of kinds 'cordon' and 'rows'")
        if all(rule.name != "eligible" for rule in rules):
            rules.insert(0, Rule("eligible"))
        if "cordon" not in kinds:
            rules.insert(0, Rule("cordon", "cordon"))
        if "rows" not in kinds:
            rules.append(Rule("rows", "rows"))
        object.__setattr__(self, "rules", tuple(rules))
        object.__setattr__(self, "scores", arguments.collection("profile: scores", self.scores, "scores"))
        names = [rule.name for rule in rules]
        if len(set(names)) != len(names) or len(names) > MAX_RULES:
            raise InputError(f"profile: rule names must differ and be at most {MAX_RULES}: {', '.join(names)}")
        for score in self.scores:
            _check_score(score)
        names = [score.name for score in self.scores]
        if len(set(names)) != len(names) or len(names) > 32:
            raise InputError(f"profile: score names must differ and be at most 32: {', '.join(names)}")
        if len({isinstance(score, FloatScore) for score in self.scores}) > 1:
            raise InputError("profile: scores of integer and of float64 profiles do not mix")
        static = [score.name for score in self.scores if score.kind in ("static", "raw")]
        if len(static) > MAX_STATIC_SCORES:
            raise InputError(f"profile: {len(static)} static scores, at most {MAX_STATIC_SCORES}")
        integer = [score for score in self.scores if isinstance(score, Score)]
        plain = sum(score.weight for score in integer if score.kind == "static" and score.normalise is None)
        if plain > MAX_RAW_WEIGHT:
            raise InputError(f"profile: static scores that are not normalised weigh {plain}, at most {MAX_RAW_WEIGHT}")
        object.__setattr__(self, "positions", {rule.name: i for i, rule in enumerate(rules)})
        object.__setattr__(self, "slots", {name: i for i, name in enumerate(static)})

    @cached_property
    def float_scores(self) -> tuple[FloatScore, ...]:
        """The scores of a float64 profile, none of an integer one."""
        return tuple(score for score in self.scores if isinstance(score, FloatScore))

    @property
    def host_columns(self) -> dict[str, float]:
        """Host columns that the scores name, and what hosts without a value of their own have."""
        return host_columns(self.float_scores)

    @property
    def soft_scores(self) -> tuple[str, ...]:
        """Names of the scores that read counters (`SoftTerm`), in order."""
        return tuple(score.name for score in self.scores if score.kind in ("count", "spread", "near"))

    @classmethod
    def default(cls, resources: Iterable[str]) -> "Profile":
        """Least-allocated over all `resources` with equal weights."""
        names = dict.fromkeys(resources, 1)
        return cls(scores=(least_allocated(names),) if names else ())

    def kind_position(self, kind: str) -> int:
        """Position of the one rule of kind "fit", "cordon" or "rows"."""
        return next(i for i, rule in enumerate(self.rules) if rule.kind == kind)

    def compiled(self, resources: Sequence[str]) -> tuple[Terms, tuple[int, int, int, int, int]]:
        """What the core needs: its score terms, and (cordon position, fit position, resolvable rules as bits,
        always resolvable resources as bits, rows position). Raises InputError for a resource that `resources` lacks.
        """
        number = {name: i for i, name in enumerate(resources)}

        def column(where: str, resource: str) -> int:
            if resource not in number:
                raise InputError(f"{where}: unknown resource {resource!r}")
            return number[resource]

        specs: list[dict[str, Any]] = [
            {
                "kind": score.kind,
                "weight": score.weight,
                "columns": [column(f"score {score.name!r}", name) for name, _ in score.resources],
                "weights": [weight for _, weight in score.resources],
                "optional": [name in score.optional for name, _ in score.resources],
                "table": score.table,
                "normalise": score.normalise,
            }
            for score in self.scores
            if isinstance(score, Score)
        ]
        resolvable = always = 0
        for position, rule in enumerate(self.rules):
            if rule.kind == "static" and rule.resolvable:
                resolvable |= 1 << position
            elif rule.kind == "fit" and not isinstance(rule.resolvable, bool):
                for resource in rule.resolvable:
                    always |= 1 << column(f"rule {rule.name!r}", resource)
        positions = [self.kind_position(kind) for kind in ("cordon", "fit", "rows")]
        floats = float_specs(self.float_scores, number) if self.float_scores else None
        return Terms(specs, floats), (positions[0], positions[1], resolvable, always, positions[2])
