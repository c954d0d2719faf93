"""Scores of the reference fleet's hosts, one term at a time: raw, then normalised over the feasible ones.

Touches the reference fleet's state, arithmetic.py and domain_terms.py only. Must never know numpy or anything of
binwright.
"""

from tests.reference import arithmetic, domain_terms


def raw_score(fleet, term, request, host: int) -> int | None:
    """Score before normalising; None where the term is skipped for the whole request."""
    s = fleet.state
    if term.kind == "static":
        return request.raw[term.name][host]
    pairs = []
    for name, weight in term.resources:
        capacity, wanted = s.capacity[name][host], request.score[name]
        if capacity == 0 or (name in term.optional and wanted == 0):
            continue
        pairs.append((capacity, s.used[name][host] + wanted, weight))
    if term.kind == "balanced":
        if all(request.score[name] == 0 for name, _ in term.resources):
            return None
        return arithmetic.balanced([(capacity, total) for capacity, total, _ in pairs])
    if term.kind == "ratio":
        return arithmetic.ratio_mean([(arithmetic.ratio_part(c, total, term.shape), w) for c, total, w in pairs])
    part = arithmetic.least_part if term.kind == "least" else arithmetic.most_part
    return arithmetic.weighted_mean([(part(c, total), w) for c, total, w in pairs])


def normalised(fleet, term, request, feasible: list[int], sums) -> list[int] | None:
    """Normalised scores of the feasible hosts; None where the term is skipped."""
    if term.kind in ("count", "spread"):
        known = fleet.terms[request.index].soft.get(term.name)
        if known is None or (term.kind == "count" and all(sums.total(ref) == 0 for ref in known.refs)):
            return None
        scored = domain_terms.count_scores if term.kind == "count" else domain_terms.spread_scores
        return scored(fleet, sums, known, feasible)
    raw = [raw_score(fleet, term, request, host) for host in feasible]
    return None if None in raw else arithmetic.normalise(raw, term.normalise)
