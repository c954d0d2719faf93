"""Terms of pod (anti-)affinity: how they are read and what they match (spec 4, InterPodAffinity, first half)."""

from dataclasses import dataclass, replace

from tests.reference.kubernetes.selectors import Selector, parse_label_selector, selects

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
AFFINITY = "podAffinity"
ANTI_AFFINITY = "podAntiAffinity"


@dataclass(frozen=True)
class Term:
    """One term; ``weight`` is 0 for a required one."""

    topology_key: str
    selector: Selector
    namespaces: frozenset[str]
    namespace_selector: Selector
    weight: int = 0

    def matches(self, pod, namespace_labels):
        """Whether the term matches this pod, given the labels held for the pod's namespace."""
        in_namespace = pod.namespace in self.namespaces or selects(self.namespace_selector, namespace_labels)
        return in_namespace and selects(self.selector, pod.labels)


def _term(raw, pod, weight=0):
    """The namespace set is ``namespaces``, or the pod's own if that is empty and namespaceSelector is null."""
    namespaces = frozenset(raw.get("namespaces") or ())
    if not namespaces and raw.get("namespaceSelector") is None:
        namespaces = frozenset([pod.namespace])
    return Term(
        topology_key=raw["topologyKey"],
        selector=parse_label_selector(raw.get("labelSelector")),
        namespaces=namespaces,
        namespace_selector=parse_label_selector(raw.get("namespaceSelector")),
        weight=weight,
    )


def stanza(pod, kind):
    """``affinity.podAffinity`` or ``.podAntiAffinity``, None if absent."""
    return (pod.spec.get("affinity") or {}).get(kind)


def required_terms(pod, kind):
    """The required terms of one kind."""
    return [_term(raw, pod) for raw in (stanza(pod, kind) or {}).get(REQUIRED) or ()]


def preferred_terms(pod, kind):
    """The preferred terms of one kind, weighted."""
    entries = (stanza(pod, kind) or {}).get(PREFERRED) or ()
    return [_term(entry["podAffinityTerm"], pod, entry["weight"]) for entry in entries]


def unrolled(terms, cluster, quirks):
    """Terms of the *incoming* pod: names of all namespaces matched by a non-empty selector join the set.

    With [quirk nsSelectorEmptyLabels] the selector is then still tried (against no labels), as intended it is dropped.
    """
    result = []
    for term in terms:
        if term.namespace_selector:
            names = {
                namespace["metadata"]["name"]
                for namespace in cluster.objects["namespaces"]
                if selects(term.namespace_selector, namespace["metadata"].get("labels") or {})
            }
            selector = term.namespace_selector if quirks.nsSelectorEmptyLabels else None
            term = replace(term, namespaces=term.namespaces | names, namespace_selector=selector)
        result.append(term)
    return result
