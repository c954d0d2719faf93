"""Terms over counters and domains: what a request forbids, requires or levels among the items around it.

A counter (`Fleet.counter`) says how much of something lies on each host; a `Ref` reads it summed over the domains of a
label key. Names of rules and scores are the profile's; the arithmetic is in `_core.domain_terms` and `_core.spread`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from binwright import arguments, arrays
from binwright._core.domain_terms import HOST_KEY, OPS
from binwright.errors import InputError
from binwright.profile import Profile

if TYPE_CHECKING:
    from binwright._core.state import State

MAX_SPREAD_REFS = 16
ONE_REF = ("at_most", "skew")
INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Ref:
    """The sum of a counter over a host's domain.

    key: label key, None = each host is its own domain. members: number from `Fleet.members`, None = every host counts.
    weight: of this sum in a count score, -(2**31 - 1)..2**31 - 1, negative repels. max_skew, per_host: for spread
    scores (max_skew at least 1; per_host: the host's own cell is the count, the number of feasible hosts the size).
    """

    counter: int
    key: str | None = None
    members: int | None = None
    weight: int = 1
    max_skew: int = 1
    per_host: bool = False


@dataclass(frozen=True, slots=True)
class HardTerm:
    """One condition of a rule; made by the functions of this module."""

    op: str
    rule: str
    refs: tuple[Ref, ...]
    argument: int = 0
    missing: int = 0
    resolvable: bool = True
    missing_resolvable: bool = False
    own: int = 0
    limit: int = 0
    least_domains: int = 1
    held: int = 0
    resource: str | None = None
    skip_when_empty: bool = False
    claims: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SoftTerm:
    """What one count or spread score of the profile reads for this request; several of one score are one, with all
    refs. require_all, of a spread: hosts that lack one of the keys are ignored; else a missing label is a domain.
    """

    score: str
    refs: tuple[Ref, ...]
    require_all: bool = True


def forbid(
    rule: str, refs: Sequence[Ref], *, argument: int = 0, resolvable: bool = True, skip_when_empty: bool = False
) -> HardTerm:
    """Rejects hosts in whose domain any of the sums is above 0; a host without the key passes.

    skip_when_empty: the whole rule is not asked, promises included, while this holds for all its terms and all their
    sums are 0 without promises (kube-scheduler's Skip).
    """
    listed = arguments.collection("forbid: refs", refs, "refs")
    return HardTerm("forbid", rule, listed, argument, resolvable=resolvable, skip_when_empty=skip_when_empty)


def require(
    rule: str,
    refs: Sequence[Ref],
    *,
    matches_itself: bool,
    argument: int = 0,
    missing: int = 0,
    resolvable: bool = False,
    missing_resolvable: bool = False,
) -> HardTerm:
    """Rejects hosts unless every sum is above 0, or nothing matches anywhere yet and the request matches itself.

    A host that lacks one of the keys is rejected with argument `missing`.
    """
    listed = arguments.collection("require: refs", refs, "refs")
    own = arguments.yes_or_no("require: matches_itself", matches_itself)
    return HardTerm("require", rule, listed, argument, missing, resolvable, missing_resolvable, own)


def at_most(
    rule: str, ref: Ref, limit: int, *, own: int = 1, argument: int = 0, missing: int = 0, resolvable: bool = True
) -> HardTerm:
    """Rejects hosts where the sum with the request's `own` share would pass `limit`, and, with argument `missing`,
    hosts without the key; that no eviction can help.
    """
    return HardTerm("at_most", rule, (ref,), argument, missing, resolvable, False, own, limit)


def skew(
    rule: str,
    ref: Ref,
    max_skew: int,
    *,
    own: int,
    least_domains: int = 1,
    argument: int = 0,
    missing: int = 0,
    resolvable: bool = True,
) -> HardTerm:
    """Rejects hosts where sum + own - (smallest sum of a domain) would pass `max_skew`; with fewer than
    `least_domains` domains the smallest sum is 0. A host without the key is rejected with argument `missing`, which
    no eviction can help.
    """
    return HardTerm("skew", rule, (ref,), argument, missing, resolvable, False, own, max_skew, least_domains)


def distinct(
    rule: str, counters: Sequence[int], held: int, resource: str, *, argument: int = 0, resolvable: bool = True
) -> HardTerm:
    """Rejects hosts where the keys not yet held (a counter each, all feeding the counter `held`) and those held would
    pass the capacity of `resource`.
    """
    refs = tuple(Ref(counter) for counter in arguments.collection("distinct: counters", counters, "counters"))
    return HardTerm("distinct", rule, refs, argument, resolvable=resolvable, held=held, resource=resource)


def pool(
    rule: str,
    claims: Sequence[int],
    *,
    argument: int = 0,
    missing: int = 0,
    resolvable: bool = False,
    missing_resolvable: bool = False,
) -> HardTerm:
    """Rejects hosts where the claims (numbers of `Fleet.pools.add_claim`) cannot be met; placing meets them.

    First those that are pinned, in the order given: the host must be theirs, and a row may be made there. Then the
    others, the smallest first: a claim that holds a row takes that and no other, so the host must see it; one that
    holds none takes the smallest free one that it can have and that no claim before it takes; where there is none, a
    row must be possible to make. A host where no row can be made is rejected with `argument`, one that only lacks the
    room for it with `missing`; the first claim that cannot be met speaks. A placed item lets each claim hold its row,
    or pins it to the host; what is held stays so when the item goes. A claim given twice needs two rows.
    Rule: kube-scheduler VolumeBinding.
    """
    listed = arguments.collection("pool: claims", claims, "claims")
    return HardTerm("pool", rule, (), argument, missing, resolvable, missing_resolvable, claims=listed)


class TermCompiler:
    """Turns terms into the core's numbers, for one fleet; refuses unknown names with the request's `where`."""

    def __init__(self, where: str, profile: Profile, resources: Mapping[str, int], state: "State"):
        self._where = where
        self._profile = profile
        self._resources = resources
        self._state = state
        self._soft: dict[int, tuple[int, int]] = {}  # slot of a score -> (refs, require_all) so far

    def hard(self, term: HardTerm) -> dict[str, Any]:
        """One hard term as the core takes it."""
        if not isinstance(term.op, str) or not isinstance(term.refs, tuple) or not isinstance(term.claims, tuple):
            raise InputError(f"{self._where}: {term!r} is not a term as forbid and its like make them")
        if term.op not in OPS or (len(term.refs) != 1 and term.op in ONE_REF):
            raise InputError(f"{self._where}: a term {term.op!r} over {len(term.refs)} sums")
        position = self._profile.positions.get(arguments.name(f"{self._where}: rule", term.rule))
        if position is None or self._profile.rules[position].kind != "static":
            raise InputError(f"{self._where}: the profile has no static rule {term.rule!r}")
        if term.resource is not None:
            arguments.name(f"{self._where}: {term.op} resource", term.resource)
        if term.resource not in self._resources and (term.op == "distinct" or term.resource is not None):
            raise InputError(f"{self._where}: unknown resource {term.resource!r}")
        numbers = {
            name: self._small(f"{term.op} {name}", getattr(term, name))
            for name in ("argument", "missing", "limit", "least_domains", "own")
        }
        flags = {
            name: arguments.yes_or_no(f"{self._where}: {term.op} {name}", getattr(term, name))
            for name in ("resolvable", "skip_when_empty", "missing_resolvable")
        }
        return {
            "op": term.op,
            "rule": position,
            "refs": [self._ref(ref) for ref in term.refs],
            **flags,
            "self": numbers.pop("own"),
            "held": self._held(term),
            "resource": 0 if term.resource is None else self._resources[term.resource],
            **numbers,
        }

    def _held(self, term: HardTerm) -> int:
        """What `held` is to the core: a counter, or the number of a list of claims."""
        if term.op == "pool":
            return self._state.pools.add_request(tuple(map(self._claim, term.claims)))
        return self._counter(term.held) if term.op == "distinct" else 0

    def soft(self, term: SoftTerm, number: int | None = None) -> dict[str, Any]:
        """One soft term as the core takes it. number: the class that it extends."""
        names = self._profile.soft_scores
        if term.score not in names:
            raise InputError(f"{self._where}: the profile has no score {term.score!r} that reads counters")
        kind = next(score.kind for score in self._profile.scores if score.name == term.score)
        slot = names.index(term.score)
        require_all = arguments.yes_or_no(f"{self._where}: require_all", term.require_all)
        known = None if number is None else self._state.domain_terms.soft_of(number, slot)
        count, agreed = self._soft.get(slot, known or (0, require_all))
        self._soft[slot] = count + len(term.refs), agreed
        if kind == "spread" and count + len(term.refs) > MAX_SPREAD_REFS:
            raise InputError(f"{self._where}: {count + len(term.refs)} spread constraints, at most {MAX_SPREAD_REFS}")
        if kind == "spread" and agreed != require_all:
            raise InputError(f"{self._where}: score {term.score!r} has require_all both ways")
        refs = [self._ref(ref) for ref in term.refs]
        return {"slot": slot, "require_all": require_all, "refs": refs}

    def _ref(self, ref: Ref) -> dict[str, int]:
        if not isinstance(ref, Ref):
            raise InputError(f"{self._where}: {ref!r} is not a binwright.terms.Ref")
        if ref.key is not None and not isinstance(ref.key, str):
            raise InputError(f"{self._where}: label key {ref.key!r} is not a string")
        return {
            "counter": self._counter(ref.counter),
            "key": HOST_KEY if ref.key is None else self._state.domains.add_key(ref.key),
            "members": -1 if ref.members is None else self._members(ref.members),
            "weight": self._small("weight", ref.weight, -INT32_MAX),
            "max_skew": self._small("max_skew", ref.max_skew, 1),
            "per_host": arguments.yes_or_no(f"{self._where}: per_host", ref.per_host),
        }

    def _counter(self, counter: int) -> int:
        number = arrays.index(f"{self._where}: counter", counter)
        if not 0 <= number < self._state.counters.count:
            raise InputError(f"{self._where}: no counter {number}")
        return number

    def _claim(self, claim: int) -> int:
        number = arrays.index(f"{self._where}: claim", claim)
        if not 0 <= number < self._state.pools.claim_count:
            raise InputError(f"{self._where}: no claim {number} in the pools")
        return number

    def _members(self, members: int) -> int:
        number = arrays.index(f"{self._where}: members", members)
        if not 0 <= number < self._state.domain_terms.member_sets():
            raise InputError(f"{self._where}: no member set {number}")
        return number

    def _small(self, what: str, value: int, low: int = 0) -> int:
        number = arrays.index(f"{self._where}: {what}", value)
        if not low <= number <= INT32_MAX:
            raise InputError(f"{self._where}: {what} {number} is outside {low}..{INT32_MAX}")
        return number
