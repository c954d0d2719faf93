"""Terms over counters and domains, one host and one term at a time: hard ones reject, soft ones score.

Touches the reference fleet's state, counting.py and arithmetic only. Must never know numpy or anything of binwright.
Sources: kubernetes spec 4 (PodTopologySpread, InterPodAffinity, NodePorts, NodeVolumeLimits), docs/engine-model.md 1.4,
5.2. Where several readings were possible, these are chosen and the engine follows:
- A rule that rejects a host both by its static column and by a term speaks through the term.
- A host without the key passes FORBID, and is rejected by REQUIRE, AT_MOST and SKEW with the argument `missing`.
- Several soft terms of one score are one, with all refs in the order given.
- A count or spread score for which a request has no term is skipped, and so is a count score whose sums are all 0.
"""

from dataclasses import dataclass, field, replace

from tests.reference import arithmetic, counting, pools
from tests.reference.kubernetes.arithmetic import natural_log

PASSES, FAILS, MISSES = "passes", "fails", "misses"


@dataclass(frozen=True)
class Ref:
    """A counter summed over the domains of a label key (None: each host is one), over the hosts of a member set."""

    counter: int
    key: str | None = None
    members: int | None = None
    weight: int = 1
    max_skew: int = 1
    per_host: bool = False


@dataclass(frozen=True)
class HardTerm:
    """op: forbid, require, at_most, skew, distinct or pool."""

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


@dataclass(frozen=True)
class SoftTerm:
    """What a count or spread score reads. require_all: hosts without all keys are ignored by a spread."""

    score: str
    refs: tuple[Ref, ...]
    require_all: bool = True


@dataclass
class ClassTerms:
    """Of one request class, in the order given; never taken back."""

    hard: list[HardTerm] = field(default_factory=list)
    soft: dict[str, SoftTerm] = field(default_factory=dict)

    def extend(self, terms) -> None:
        for term in terms:
            if isinstance(term, HardTerm):
                self.hard.append(term)
            elif term.score in self.soft:
                known = self.soft[term.score]
                self.soft[term.score] = replace(known, refs=known.refs + term.refs)
            else:
                self.soft[term.score] = term


def domain(fleet, key: str | None, host: int):
    return host if key is None else fleet.state.labels[host].get(key)


class Sums:
    """The sums that one class reads, as the fleet is at this moment."""

    def __init__(self, fleet, request: int) -> None:
        self.fleet = fleet
        terms = fleet.terms[request]
        self.table = counting.tables(fleet) if terms.hard or terms.soft else []
        self.known: dict[tuple, dict] = {}

    def by_domain(self, ref: Ref) -> dict:
        """Domain -> sum, for the domains in which some counted host lies."""
        identity = ref.counter, ref.key, ref.members
        if identity not in self.known:
            values: dict = {}
            for host in self.fleet.live_hosts():
                if ref.members is not None and host not in self.fleet.definitions.members[ref.members]:
                    continue
                place = domain(self.fleet, ref.key, host)
                if place is not None:
                    values[place] = values.get(place, 0) + self.table[ref.counter][host]
            self.known[identity] = values
        return self.known[identity]

    def at(self, ref: Ref, host: int) -> int:
        """The sum in the host's domain; 0 where there is none."""
        return self.by_domain(ref).get(domain(self.fleet, ref.key, host), 0)

    def total(self, ref: Ref) -> int:
        return sum(self.by_domain(ref).values())


def outcome(fleet, sums: Sums, term: HardTerm, host: int) -> str:
    """What one term says to one host."""
    if term.op == "forbid":
        return FAILS if any(sums.at(ref, host) > 0 for ref in term.refs) else PASSES
    if term.op == "pool":
        return pools.outcome(fleet, term.claims, host)
    if term.op == "distinct":
        new = [ref for ref in term.refs if sums.table[ref.counter][host] == 0]
        after = sums.table[term.held][host] + len(new)
        return FAILS if new and after > fleet.state.capacity[term.resource][host] else PASSES
    if any(domain(fleet, ref.key, host) is None for ref in term.refs):
        return MISSES
    if term.op == "require":
        if all(sums.at(ref, host) > 0 for ref in term.refs):
            return PASSES
        first_of_its_kind = term.own > 0 and all(sums.total(ref) <= 0 for ref in term.refs)
        return PASSES if first_of_its_kind else FAILS
    (ref,) = term.refs
    after = sums.at(ref, host) + term.own
    if term.op == "at_most":
        return FAILS if after > term.limit else PASSES
    domains = sums.by_domain(ref)
    smallest = min(domains.values()) if domains and len(domains) >= term.least_domains else 0
    return FAILS if after - smallest > term.limit else PASSES


def asleep(fleet, request: int) -> set[str]:
    """Rules that this decision does not ask: all their terms may be skipped when empty, and are."""
    sums, hard = Sums(fleet, request), fleet.terms[request].hard
    awake = {term.rule for term in hard if not term.skip_when_empty or any(sums.total(ref) != 0 for ref in term.refs)}
    return {term.rule for term in hard} - awake


def speaking(fleet, request: int, sums: Sums, sleeping: set[str], rule: str, host: int) -> tuple[int, bool] | None:
    """(argument, resolvable) of the first term of a rule that rejects the host, None if none does."""
    for term in fleet.terms[request].hard:
        if term.rule == rule and rule not in sleeping:
            said = outcome(fleet, sums, term, host)
            if said != PASSES:
                missed = said == MISSES
                return (term.missing, term.missing_resolvable) if missed else (term.argument, term.resolvable)
    return None


def count_scores(fleet, sums: Sums, term: SoftTerm, feasible: list[int]) -> list[int]:
    """Normalised weighted sums (InterPodAffinity)."""
    raw = [sum(ref.weight * sums.at(ref, host) for ref in term.refs) for host in feasible]
    return arithmetic.normalise(raw, "minmax")


def spread_scores(fleet, sums: Sums, term: SoftTerm, feasible: list[int]) -> list[int]:
    """Normalised spread (PodTopologySpread): fewer is better, ignored hosts get 0."""

    def misses_a_key(host):
        return any(domain(fleet, ref.key, host) is None for ref in term.refs)

    counted = [host for host in feasible if not (term.require_all and misses_a_key(host))]
    weights = []
    for ref in term.refs:
        size = len(counted) if ref.per_host else len({domain(fleet, ref.key, host) for host in counted})
        weights.append(natural_log(float(size + 2)))
    raw = {}
    for host in counted:
        total = 0.0
        for ref, weight in zip(term.refs, weights, strict=True):
            if domain(fleet, ref.key, host) is not None:
                count = sums.table[ref.counter][host] if ref.per_host else sums.at(ref, host)
                total += float(count) * weight + float(ref.max_skew - 1)
        raw[host] = arithmetic.round_half_away(total)
    lowest, highest = min(raw.values(), default=0), max([0, *raw.values()])

    def normal(host):
        if host not in raw:
            return 0
        return 100 if highest == 0 else arithmetic.divide(100 * (highest + lowest - raw[host]), highest)

    return [normal(host) for host in feasible]
