"""The two sides of a comparison: builds the same fleet in the engine and in the reference, and compares what they say.

Knows the public API of the engine and the reference; decides nothing and draws nothing at random.
"""

from dataclasses import asdict, replace

import numpy as np

import binwright
from binwright import profile as engine_profile
from binwright import terms
from tests.reference import domain_terms
from tests.reference import fleet as reference


def engine_rule(rule: reference.Rule) -> binwright.Rule:
    if rule.kind == "fit":
        return binwright.Rule(rule.name, kind="fit", resolvable=tuple(sorted(rule.always_resolvable)))
    kind = "static" if rule.kind == "eligible" else rule.kind
    return binwright.Rule(rule.name, kind=kind, resolvable=rule.resolvable)


def engine_score(term: reference.Score):
    resources, extra = dict(term.resources), {"weight": term.weight, "name": term.name}
    if term.kind in ("count", "spread"):
        made = engine_profile.count_score if term.kind == "count" else engine_profile.spread_score
        return made(term.name, weight=term.weight)
    if term.kind == "static":
        return engine_profile.static_score(term.name, normalise=term.normalise, weight=term.weight)
    if term.optional:
        extra["optional"] = set(term.optional)
    if term.kind == "least":
        return engine_profile.least_allocated(resources, **extra)
    if term.kind == "most":
        return engine_profile.most_allocated(resources, **extra)
    if term.kind == "ratio":
        return engine_profile.requested_to_capacity_ratio(resources, shape=list(term.shape), **extra)
    return engine_profile.balanced_allocation(tuple(resources), **extra)


def columns(mapping):
    return {name: np.array(column, dtype=np.int64) for name, column in mapping.items()}


def both_fleets(capacity, used=None, names=None, rules=None, scores=None, scored_only=(), labels=None, **limits):
    """(engine fleet, reference fleet). `rules` and `scores` are the reference's; both None: no profile. For an odd
    number of hosts the engine has no indexes: bounds decide, where they can.
    """
    profile = None
    if rules is not None:
        profile = binwright.Profile(
            rules=tuple(engine_rule(rule) for rule in rules), scores=tuple(engine_score(term) for term in scores)
        )
    engine = binwright.Fleet(
        columns(capacity),
        used=None if used is None else columns(used),
        names=names,
        profile=profile,
        scored_only=tuple(scored_only),
        labels=labels,
        **{kind: columns(limit) for kind, limit in limits.items()},
    )
    engine._state.indexes.none = len(engine) % 2 == 1
    slow = reference.Fleet(
        capacity, used=used, names=names, rules=rules, scores=scores, scored_only=scored_only, labels=labels, **limits
    )
    return engine, slow


def engine_term(term: domain_terms.HardTerm | domain_terms.SoftTerm, sets=None):
    """The engine's term, by its public functions. sets: the engine's number of each of the reference's member sets."""
    refs = tuple(terms.Ref(**asdict(ref)) for ref in term.refs)
    if sets is not None:
        refs = tuple(replace(ref, members=sets.get(ref.members)) for ref in refs)
    if isinstance(term, domain_terms.SoftTerm):
        return terms.SoftTerm(term.score, refs, term.require_all)
    told = {"argument": term.argument, "resolvable": term.resolvable}
    if term.op == "forbid":
        return terms.forbid(term.rule, refs, skip_when_empty=term.skip_when_empty, **told)
    if term.op == "distinct":
        return terms.distinct(term.rule, [ref.counter for ref in refs], term.held, term.resource, **told)
    told["missing"] = term.missing
    if term.op == "pool":
        return terms.pool(term.rule, term.claims, missing_resolvable=term.missing_resolvable, **told)
    if term.op == "require":
        return terms.require(
            term.rule, refs, matches_itself=bool(term.own), missing_resolvable=term.missing_resolvable, **told
        )
    (ref,) = refs
    if term.op == "at_most":
        return terms.at_most(term.rule, ref, term.limit, own=term.own, **told)
    return terms.skew(term.rule, ref, term.limit, own=term.own, least_domains=term.least_domains, **told)


def engine_request(
    engine,
    demand,
    commit=None,
    score=None,
    eligible=None,
    rejects=None,
    raw=None,
    form=0,
    terms=(),
    sets=None,
    **more,
):
    """The engine's request; `form` picks one of the equal ways to say eligible; sets: see engine_term."""
    if isinstance(eligible, list):
        mask = np.array(eligible, dtype=bool)
        eligible = (mask, np.flatnonzero(mask), binwright.HostSet(len(mask), np.flatnonzero(mask)))[form % 3]
    static = {}
    for rule, column in (rejects or {}).items():
        static[rule] = np.array(column, dtype=bool if column and isinstance(column[0], bool) else np.int32)
    return engine.request(
        demand,
        commit=commit,
        score=score,
        eligible=eligible,
        rejects=static or None,
        raw={name: np.array(column, dtype=np.int64) for name, column in (raw or {}).items()} or None,
        terms=[engine_term(term, sets) for term in terms],
        **more,
    )


def change_tuple(change):
    fields = ("kind", "host", "resource", "rule", "argument", "have", "need")
    return None if change is None else tuple(getattr(change, name) for name in fields)


def assert_same_explanation(explanation, decision: reference.Decision) -> None:
    assert int(explanation.verdict) == decision.verdict
    assert explanation.host == decision.host
    assert explanation.feasible == decision.feasible
    if decision.host is not None:
        assert explanation.score == decision.score
    parts = {name: tuple(part) for name, part in explanation.parts.items()}
    assert parts == decision.parts
    got = [(reason.rule, reason.argument, reason.hosts, reason.resolvable) for reason in explanation.reasons]
    want = [(reason.rule, reason.argument, reason.hosts, reason.resolvable) for reason in decision.reasons]
    assert got == want
    assert change_tuple(explanation.smallest_change) == change_tuple(decision.smallest_change)
    verdicts = explanation.verdicts_by_host()
    assert verdicts.dtype == np.uint8
    assert verdicts.tolist() == decision.verdicts_by_host
    for host, expected in enumerate(decision.reasons_by_host):
        if decision.verdicts_by_host[host] != reference.HOLE:
            assert tuple(tuple(reason) for reason in explanation.reasons_at(host)) == expected


def assert_same_results(result, decisions: list[reference.Decision]) -> None:
    """Hosts, scores, verdicts and, for each decision, ties and the whole explanation."""
    assert result.hosts.tolist() == [-1 if d.host is None else d.host for d in decisions]
    assert [int(v) for v in result.verdicts] == [d.verdict for d in decisions]
    for i, decision in enumerate(decisions):
        assert (result.items[i] >= 0) == (decision.item is not None)
        if decision.host is not None:
            assert result.scores[i] == decision.score
        assert result.ties(i).tolist() == decision.ties
        assert_same_explanation(result.explain(i), decision)


def assert_same_state(engine, slow: reference.Fleet, items: list[tuple[int, int]]) -> None:
    """Columns, names and items; `items` pairs the engine's item ids with the reference's."""
    state = slow.state
    assert len(engine) == len(state.alive)
    assert list(engine.resources) == slow.resources
    assert engine.capacity.tolist() == [state.capacity[name] for name in slow.resources]
    assert engine.used.tolist() == [state.used[name] for name in slow.resources]
    to_engine = {theirs: ours for ours, theirs in items}
    for host in {host for _, host in state.items.values()}:
        assert engine.items_on(host).tolist() == [to_engine[item] for item in slow.items_on(host)]
