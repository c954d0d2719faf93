"""Terms of affinity and anti-affinity between pods: how they are read, which pods they match (kubernetes spec 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from binwright.kubernetes import label_selectors
from binwright.kubernetes.label_selectors import Selector
from binwright.kubernetes.objects import Pod, PodAffinity, PodAffinityTerm
from binwright.kubernetes.ranges import WEIGHTS, check_each
from binwright.kubernetes.related import Related
from binwright.kubernetes.traits import Traits

__all__ = ["Selection", "Term", "Terms", "selections", "terms_of"]


class Selection(NamedTuple):
    """Which pods a term is about. `namespace_selector` is tried on the labels held for a namespace."""

    selector: Selector
    namespaces: tuple[str, ...]
    namespace_selector: Selector

    def matches(self, traits: Traits, related: Related | None) -> bool:
        """Whether a pod is meant; related: where its namespace's labels stand, None when none are looked at."""
        if traits.namespace not in self.namespaces:
            labels = {} if related is None else related.namespace_labels(traits.namespace)
            if not label_selectors.matches(self.namespace_selector, labels):
                return False
        return label_selectors.matches(self.selector, traits.labels)


class Term(NamedTuple):
    """A term; weight 0 for a required one."""

    key: str
    about: Selection
    weight: int = 0


class Terms(NamedTuple):
    """All terms of one pod."""

    affinity: tuple[Term, ...] = ()
    anti_affinity: tuple[Term, ...] = ()
    preferred: tuple[Term, ...] = ()
    preferred_anti: tuple[Term, ...] = ()


_NONE = Terms()


def terms_of(pod: Pod) -> Terms:
    """The terms as they stand in the pod; a term without namespaces and namespaceSelector means the pod's own.

    Raises InputError naming pod and field for a weight or a selector that the API server would refuse.
    """
    affinity = pod.spec.affinity if pod.spec else None
    if affinity is None or (affinity.pod_affinity is None and affinity.pod_anti_affinity is None):
        return _NONE
    return Terms(
        _required(pod, affinity.pod_affinity),
        _required(pod, affinity.pod_anti_affinity),
        _preferred(pod, affinity.pod_affinity, "podAffinity"),
        _preferred(pod, affinity.pod_anti_affinity, "podAntiAffinity"),
    )


def _required(pod: Pod, affinity: PodAffinity | None) -> tuple[Term, ...]:
    listed = (affinity.required_during_scheduling_ignored_during_execution if affinity else None) or ()
    return tuple(_term(pod, one) for one in listed)


def _preferred(pod: Pod, affinity: PodAffinity | None, kind: str) -> tuple[Term, ...]:
    listed = (affinity.preferred_during_scheduling_ignored_during_execution if affinity else None) or ()
    where = f"Pod {pod.key}: spec.affinity.{kind}.preferredDuringSchedulingIgnoredDuringExecution"
    check_each((one.weight for one in listed), WEIGHTS, where, "weight")
    return tuple(_term(pod, one.pod_affinity_term, one.weight) for one in listed if one.pod_affinity_term is not None)


def _term(pod: Pod, one: PodAffinityTerm, weight: int = 0) -> Term:
    where = f"Pod {pod.key}: spec.affinity"
    namespaces = one.namespaces or ()
    if not namespaces and one.namespace_selector is None:
        namespaces = (pod.metadata.namespace or "default",)
    about = Selection(
        label_selectors.parse(one.label_selector, where),
        tuple(sorted(set(namespaces))),
        label_selectors.parse(one.namespace_selector, where),
    )
    return Term(one.topology_key, about, weight)


def selections(terms: Iterable[Term], related: Related, empty_labels: bool) -> list[Selection]:
    """What the terms of a pod that looks for a node are about: the namespaces that a non-empty selector matches join
    the list. empty_labels: the selector is then still tried on no labels (quirk nsSelectorEmptyLabels).
    """
    found = []
    for _, about, _ in terms:
        if about.namespace_selector:
            matched = [
                one.metadata.name or ""
                for one in related.all("Namespace")
                if label_selectors.matches(about.namespace_selector, one.metadata.labels or {})
            ]
            left = about.namespace_selector if empty_labels else None
            about = Selection(about.selector, tuple(sorted({*about.namespaces, *matched})), left)
        found.append(about)
    return found
