"""Why one host does not take one server, and what would be enough: the chain's answers per host, and their sum.

Every change that is offered has been tried: the question is asked again with it, on this host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from binwright.explained import RuleText, Shortfall
from binwright.openstack.asked import Asked
from binwright.openstack.chain import FILTER_TEXTS, Chain, Look
from binwright.openstack.hosts import class_key
from binwright.openstack.placement.query import CandidateQuery
from binwright.openstack.placement.why import Shortage, Why
from binwright.outcome import ReasonText

__all__ = ["HostRefusal", "refusal_of", "summed_up"]

ANTI_AFFINITY = "ServerGroupAntiAffinityFilter"
QUERY_RULES = ("root_required", "member_of", "required", "resources")
FROM_NOTHING = Fraction(2**62)
"""How much an inventory grows that is empty: more than any other."""
Clauses = Mapping[frozenset[str], str]


@dataclass(slots=True)
class HostRefusal:
    """One host's answer; no `rules`: it takes the server. about: the class that each rule is short of, or "".

    relative: the size of the change, for comparing.
    """

    host: int
    rules: list[RuleText] = field(default_factory=list)
    about: list[str] = field(default_factory=list)
    shortfalls: list[Shortfall] = field(default_factory=list)
    resolvable: bool = False
    change: dict[str, Any] | None = None
    relative: Fraction = Fraction(0)


def refusal_of(chain: Chain, asked: Asked, look: Look, host: int, clauses: Clauses) -> HostRefusal:
    """Why a host does not take the server of a look."""
    refusal = HostRefusal(host)
    failing = chain.failing_filters(look, host)
    query, whys = (None, []) if host in look.candidates else chain.why(asked, host, clauses)
    refusal.rules = [RuleText(why.rule, why.text) for why in whys]
    refusal.rules += [RuleText(name, filter_text(name)) for name in failing]
    refusal.about = [why.short.resource if why.short else "" for why in whys] + [""] * len(failing)
    refusal.shortfalls = [Shortfall(why.short.resource, why.short.asked, why.short.free) for why in whys if why.short]
    if whys:
        first = [why for why in whys if why.rule == whys[0].rule]
        refusal.resolvable = all(why.short is not None and _could_be_freed(why.short) for why in first)
    elif failing:
        refusal.resolvable = failing[0] == ANTI_AFFINITY
    if len(failing) == 1 and not whys:
        _lift(chain, refusal, failing[0], filter_text(failing[0]))
    elif query is not None and not failing and all(why.rule == whys[0].rule for why in whys):
        _try_changes(chain, query, whys, refusal)
    return refusal


def filter_text(name: str) -> str:
    """What a filter's no means, in words."""
    return FILTER_TEXTS.get(name, f"rejected by {name}")


def summed_up(refusals: Sequence[HostRefusal], enabled: Sequence[str]) -> tuple[list[ReasonText], bool]:
    """Hosts counted by the rule that rejects them first, and by all its words where it is about amounts, in the order
    in which Placement and the enabled filters ask; whether releasing something could help anywhere.
    """
    counts: dict[tuple[str, str, str], int] = {}
    for refusal in refusals:
        if not refusal.rules:
            continue
        first = refusal.rules[0]
        told = list(zip(refusal.rules, refusal.about))
        same = [pair for pair in told if pair[0].rule == first.rule and first.rule.startswith("resources")]
        for one, about in same or told[:1]:
            key = one.rule, about, one.text
            counts[key] = counts.get(key, 0) + 1
    ranks = {name: rank for rank, name in enumerate((*QUERY_RULES, *enabled))}
    ordered = sorted(counts, key=lambda key: (_rank(key[0], ranks), key[0], class_key(key[1]), key[2]))
    reasons = [ReasonText(key[0], counts[key], key[2]) for key in ordered]
    return reasons, any(refusal.resolvable for refusal in refusals)


def _rank(rule: str, ranks: Mapping[str, int]) -> int:
    """The turn of a rule; parameters of a group with a suffix come where those of the first group do."""
    plain = next((name for name in QUERY_RULES if rule.startswith(name)), rule)
    return ranks.get(plain, len(QUERY_RULES) - 1)


def _could_be_freed(short: Shortage) -> bool:
    return short.admitted and short.asked <= short.capacity


def _change(chain: Chain, refusal: HostRefusal, relative: Fraction, **fields: Any) -> None:
    empty = dict.fromkeys(("resource", "rule", "argument", "have", "need"))
    refusal.change = {"kind": fields["kind"], "host": chain.hosts.names[refusal.host], **(empty | fields)}
    refusal.relative = relative


def _lift(chain: Chain, refusal: HostRefusal, rule: str, text: str) -> None:
    ranks = {name: rank for rank, name in enumerate((*QUERY_RULES, *chain.enabled))}
    _change(chain, refusal, Fraction(_rank(rule, ranks)), kind="rule", rule=rule, argument=text)


def _try_changes(chain: Chain, query: CandidateQuery, whys: Sequence[Why], refusal: HostRefusal) -> None:
    """The one rule that stands in the way is lifted, or its one amount is smaller, or the one inventory larger."""
    short, rule = whys[0].short, whys[0].rule
    if short is None:
        if _without(chain, query, refusal.host, rule):
            _lift(chain, refusal, rule, whys[0].text)
        return
    provider = chain.hosts.forest.providers.get(short.provider)
    if len(whys) > 1:
        return
    if provider is None:
        if rule == "resources":
            parts = {"resource": short.resource, "have": 0, "need": short.asked}
            _change(chain, refusal, FROM_NOTHING, kind="host", **parts)
        return
    inventory = provider.inventories[short.resource]
    have = min(short.free, inventory.max_unit, short.asked - 1)
    have -= have % inventory.step_size
    smaller = _smaller(query, rule.removeprefix("resources"), short, have)
    if have >= max(inventory.min_unit, 1) and chain.takes(refusal.host, smaller):
        parts = {"resource": short.resource, "have": have, "need": short.asked}
        _change(chain, refusal, Fraction(short.asked - have, short.asked), kind="request", **parts)
    elif short.admitted and not inventory.total == inventory.max_unit == 1:  # a bare-metal node has one instance
        need = short.used + short.asked
        growth = Fraction(need - short.capacity, short.capacity) if short.capacity else FROM_NOTHING
        parts = {"resource": short.resource, "have": short.capacity, "need": need}
        _change(chain, refusal, growth, kind="host", **parts)


def _smaller(query: CandidateQuery, suffix: str, short: Shortage, amount: int) -> CandidateQuery:
    group = copy(query.groups[suffix])
    group.resources = {**group.resources, short.resource: amount}
    return replace(query, groups={**query.groups, suffix: group})


def _without(chain: Chain, query: CandidateQuery, host: int, rule: str) -> bool:
    """Whether the host would take the server without one rule of the query."""
    rule, suffix = next(
        ((name, rule.removeprefix(name)) for name in ("required", "member_of") if rule.startswith(name)), (rule, "")
    )
    if rule == "root_required":
        changed = replace(query, root_required=frozenset(), root_forbidden=frozenset())
    elif rule == "group_policy":
        changed = replace(query, group_policy="none")
    elif rule == "same_subtree":
        changed = replace(query, same_subtrees=[])
    elif rule in ("required", "member_of"):
        group = copy(query.groups[suffix])
        if rule == "required":
            group.required, group.forbidden = [], frozenset()
        else:
            group.member_of, group.forbidden_aggregates = [], frozenset()
        changed = replace(query, groups={**query.groups, suffix: group})
    else:
        return False
    return chain.takes(host, changed)
