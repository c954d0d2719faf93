"""NodeAffinity (spec 4, 8.7): nodeSelector, required and preferred node affinity, and the profile's addedAffinity."""

from tests.reference.kubernetes.arithmetic import default_normalize
from tests.reference.kubernetes.plugins.base import Plugin, Skip
from tests.reference.kubernetes.selectors import (
    is_empty_term,
    node_affinity,
    node_selector_matches,
    node_term_matches,
    required_node_affinity,
    required_node_match,
)

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def term_names(term):
    """The node names one term restricts to by ``metadata.name In``, None without such a field.

    Several fields intersect; every value counts, also where their number spoils the term for Filter (spec 8.7).
    """
    names = None
    for field in term.get("matchFields") or ():
        if field["key"] == "metadata.name" and field["operator"] == "In":
            values = frozenset(field.get("values") or ())
            names = values if names is None else names & values
    return names


class NodeAffinity(Plugin):
    name = "NodeAffinity"

    def __init__(self, arguments, quirks):
        super().__init__(arguments, quirks)
        added = arguments.get("addedAffinity") or {}
        self.added_required = added.get(REQUIRED)
        self.added_preferred = added.get(PREFERRED) or []

    def pre_filter(self, cycle):
        required = required_node_affinity(cycle.pod.spec)
        if required is None and self.added_required is None and cycle.pod.spec.get("nodeSelector") is None:
            return Skip()
        terms = (required or {}).get("nodeSelectorTerms") or ()
        restrictions = [term_names(term) for term in terms]
        if not restrictions or None in restrictions:
            return None
        union = frozenset().union(*restrictions)
        return union or self.unresolvable("pod affinity terms conflict")

    def filter(self, cycle, node):
        if self.added_required is not None and not node_selector_matches(self.added_required, node.name, node.labels):
            return self.unresolvable("node(s) didn't match scheduler-enforced node affinity")
        if not required_node_match(cycle.pod.spec, node.name, node.labels):
            return self.unresolvable("node(s) didn't match Pod's node affinity/selector")
        return None

    def pre_score(self, cycle, feasible):
        return node_affinity(cycle.pod.spec).get(PREFERRED) is not None or bool(self.added_preferred)

    def score(self, cycle, node):
        """The sum of the weights of the matching preferred terms; weight 0 and empty terms are ignored."""
        terms = [*self.added_preferred, *(node_affinity(cycle.pod.spec).get(PREFERRED) or ())]
        return sum(
            term["weight"]
            for term in terms
            if not is_empty_term(term["preference"]) and node_term_matches(term["preference"], node.name, node.labels)
        )

    def normalize(self, cycle, feasible, raw):
        return default_normalize(raw, reverse=False)
