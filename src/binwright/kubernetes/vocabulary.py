"""What pods ask for and select each other by: whether a further pod says anything that a compiled cluster never met.

The cluster has columns for the resources that were named when it was compiled, looks at the labels that some selector
named then, and counts over the topology keys of then; a pod that needs more is compiled together with all others.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import DEFAULT_SCHEDULER
from binwright.kubernetes.plugins.affinity_terms import terms_of
from binwright.kubernetes.plugins.spread_constraints import constraints_of
from binwright.kubernetes.related import Related
from binwright.kubernetes.requests import Requests

__all__ = ["Vocabulary"]


class Vocabulary:
    """The resources, requirements of selectors and topology keys of the pods given."""

    def __init__(
        self, pods: Iterable[Pod], resources: Iterable[str], profiles: Sequence[SchedulerProfile], related: Related
    ) -> None:
        """resources: those that have columns anyway. Raises InputError naming pod and field for what is malformed."""
        self._profiles = {one.scheduler_name: one for one in profiles}
        self._first = profiles[0]
        self._related = related
        self._amounts = Requests()
        self._resources = frozenset(resources)
        self._words = frozenset(word for pod in pods for word in self._selecting(pod))

    def covers(self, pod: Pod) -> bool:
        """Whether the pod says nothing new. Raises InputError naming pod and field for what is malformed."""
        amounts = self._amounts.of(pod)
        named = all(name in self._resources for name in (*amounts.used, *amounts.fit))
        return named and all(word in self._words for word in self._selecting(pod))

    def _selecting(self, pod: Pod) -> Iterator[Hashable]:
        """("key", topology key), and the requirements of each selector; of an empty one that it is there."""
        profile = self._profiles.get((pod.spec and pod.spec.scheduler_name) or DEFAULT_SCHEDULER, self._first)
        of_terms = [(term.key, term.about.selector) for some in terms_of(pod) for term in some]
        of_spread = [(one.key, one.selector) for one in constraints_of(pod, profile.spread, self._related)[0]]
        for key, selector in (*of_terms, *of_spread):
            yield "key", key
            yield from selector or ()
