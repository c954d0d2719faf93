"""Pods to which it is all the same what lies on other nodes: a node takes them, or not, by what it is and holds.

For such pods new nodes can be judged without the rest of the cluster, and the answer is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from binwright.kubernetes import label_selectors
from binwright.kubernetes.gangs import group_of
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins.affinity_terms import terms_of
from binwright.kubernetes.plugins.disks import volume_claims
from binwright.kubernetes.plugins.spread_constraints import HARD, own

__all__ = ["are_solitary"]


def are_solitary(pods: Sequence[Pod], others: Iterable[Pod]) -> bool:
    """Whether no rule ties these pods to other nodes: no required affinity, hard spread, claim or group of theirs, and
    no required anti-affinity of `others` that may be about one of them (namespaces are not told apart).
    """
    if any(_tied(pod) for pod in pods):
        return False
    labels = {tuple(sorted((pod.metadata.labels or {}).items())) for pod in pods}
    asked: set[label_selectors.Selector] = set()
    for other in others:
        for term in terms_of(other).anti_affinity:
            if term.about.selector not in asked:
                asked.add(term.about.selector)
                if any(label_selectors.matches(term.about.selector, dict(one)) for one in labels):
                    return False
    return True


def _tied(pod: Pod) -> bool:
    terms = terms_of(pod)
    hard = any((one.when_unsatisfiable or HARD) == HARD for one in own(pod))
    claims = bool(pod.spec and pod.spec.resource_claims) or bool(volume_claims(pod))
    ephemeral = any(one.ephemeral is not None for one in (pod.spec and pod.spec.volumes) or ())
    grouped = group_of(pod) is not None
    return bool(terms.affinity or terms.anti_affinity) or hard or claims or ephemeral or grouped
