"""InterPodAffinity (spec 4, 8.4): affinity and anti-affinity between the incoming and the existing pods."""

import math
from dataclasses import dataclass, field

from tests.reference.kubernetes.plugins.base import Plugin, Skip
from tests.reference.kubernetes.plugins.pod_affinity_terms import (
    AFFINITY,
    ANTI_AFFINITY,
    Term,
    preferred_terms,
    required_terms,
    stanza,
    unrolled,
)

Pairs = dict[tuple[str, str], int]  # (topology key, value) -> count
NO_LABELS: dict[str, str] = {}  # terms of the incoming pod have their namespaces unrolled


def add_to_pair(pairs, node, key, amount):
    """One more contribution at the node's value; a node without the key adds nothing, an entry of 0 is deleted."""
    if key not in node.labels:
        return
    pair = key, node.labels[key]
    pairs[pair] = pairs.get(pair, 0) + amount
    if pairs[pair] == 0:
        del pairs[pair]


@dataclass
class FilterState:
    """The three maps of spec 4 and what is needed to keep them up to date."""

    affinity_terms: list[Term]
    anti_affinity_terms: list[Term]
    namespace_labels: dict[str, str]  # of the incoming pod's namespace
    existing: Pairs = field(default_factory=dict)  # EX
    affinity: Pairs = field(default_factory=dict)  # AF
    anti_affinity: Pairs = field(default_factory=dict)  # AN

    def contribute(self, incoming, pod, node, sign):
        """What one pod on one node adds to EX, AF and AN, or takes away."""
        for term in required_terms(pod, ANTI_AFFINITY):
            if term.matches(incoming, self.namespace_labels):
                add_to_pair(self.existing, node, term.topology_key, sign)
        if self.affinity_terms and all(term.matches(pod, NO_LABELS) for term in self.affinity_terms):
            for term in self.affinity_terms:
                add_to_pair(self.affinity, node, term.topology_key, sign)
        for term in self.anti_affinity_terms:
            if term.matches(pod, NO_LABELS):
                add_to_pair(self.anti_affinity, node, term.topology_key, sign)


class InterPodAffinity(Plugin):
    name = "InterPodAffinity"

    def __init__(self, arguments, quirks):
        super().__init__(arguments, quirks)
        hard_weight = arguments.get("hardPodAffinityWeight")
        self.hard_weight = 1 if hard_weight is None else hard_weight
        self.ignore_existing_preferred = bool(arguments.get("ignorePreferredTermsOfExistingPods"))

    # --- Filter ------------------------------------------------------------------------------------------------

    def pre_filter(self, cycle):
        pod, cluster = cycle.pod, cycle.cluster
        state = FilterState(
            affinity_terms=unrolled(required_terms(pod, AFFINITY), cluster, self.quirks),
            anti_affinity_terms=unrolled(required_terms(pod, ANTI_AFFINITY), cluster, self.quirks),
            namespace_labels=cluster.namespace_labels(pod.namespace),
        )
        for node in cluster.nodes:
            for other in node.pods:
                state.contribute(pod, other, node, 1)
        if not state.existing and not state.affinity_terms and not state.anti_affinity_terms:
            return Skip()
        cycle.state[self.name] = state
        return None

    def copy_state(self, state):
        return FilterState(
            state.affinity_terms,
            state.anti_affinity_terms,
            state.namespace_labels,
            dict(state.existing),
            dict(state.affinity),
            dict(state.anti_affinity),
        )

    def update(self, cycle, pod, node, sign):
        cycle.state[self.name].contribute(cycle.pod, pod, node, sign)

    def filter(self, cycle, node):
        state = cycle.state[self.name]
        if not self.affinity_satisfied(state, cycle.pod, node):
            return self.unresolvable("node(s) didn't match pod affinity rules")
        for term in state.anti_affinity_terms:
            if state.anti_affinity.get((term.topology_key, node.labels.get(term.topology_key)), 0) > 0:
                return self.resolvable("node(s) didn't match pod anti-affinity rules")
        if any(state.existing.get(pair, 0) > 0 for pair in node.labels.items()):
            return self.resolvable("node(s) didn't satisfy existing pods anti-affinity rules")
        return None

    def affinity_satisfied(self, state, pod, node):
        """All required terms have a match in the node's domain, or the pod is the first of its kind."""
        terms = state.affinity_terms
        if any(term.topology_key not in node.labels for term in terms):
            return False
        if all(state.affinity.get((term.topology_key, node.labels[term.topology_key]), 0) > 0 for term in terms):
            return True
        return not state.affinity and all(term.matches(pod, NO_LABELS) for term in terms)

    # --- Score -------------------------------------------------------------------------------------------------

    def pre_score(self, cycle, feasible):
        pod, cluster = cycle.pod, cycle.cluster
        affinity = unrolled(preferred_terms(pod, AFFINITY), cluster, self.quirks)
        anti_affinity = unrolled(preferred_terms(pod, ANTI_AFFINITY), cluster, self.quirks)
        has_preferred = bool(affinity or anti_affinity)
        if self.ignore_existing_preferred and not has_preferred:
            return False
        namespace_labels = cluster.namespace_labels(pod.namespace)
        scores: Pairs = {}

        def add(node, term, weight):
            if term.topology_key in node.labels:  # an entry that cancels to 0 stays an entry
                pair = term.topology_key, node.labels[term.topology_key]
                scores[pair] = scores.get(pair, 0) + weight

        def add_terms(node, terms, target, labels, sign):
            for term in terms:
                if term.matches(target, labels):
                    add(node, term, sign * term.weight)

        for node in cluster.nodes:
            for other in node.pods:
                if has_preferred:
                    add_terms(node, affinity, other, NO_LABELS, 1)
                    add_terms(node, anti_affinity, other, NO_LABELS, -1)
                elif stanza(other, AFFINITY) is None and stanza(other, ANTI_AFFINITY) is None:
                    continue
                if self.hard_weight:
                    for term in required_terms(other, AFFINITY):
                        if term.matches(pod, namespace_labels):
                            add(node, term, self.hard_weight)
                add_terms(node, preferred_terms(other, AFFINITY), pod, namespace_labels, 1)
                add_terms(node, preferred_terms(other, ANTI_AFFINITY), pod, namespace_labels, -1)
        cycle.state[f"{self.name}/score"] = scores
        return bool(scores)

    def score(self, cycle, node):
        scores = cycle.state[f"{self.name}/score"]
        return sum(scores.get(pair, 0) for pair in node.labels.items())

    def normalize(self, cycle, feasible, raw):
        lowest, highest = min(raw, default=0), max(raw, default=0)
        if highest == lowest:
            return [0] * len(raw)
        return [math.trunc(100.0 * (float(score - lowest) / float(highest - lowest))) for score in raw]
