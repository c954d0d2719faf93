"""Why a pod was refused, as outcomes tell it: message, counted reasons, the smallest change that would help."""

from __future__ import annotations

from collections import Counter
from typing import Any

from binwright.explain import Explanation
from binwright.kubernetes import messages
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.cycle import Decision
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.statuses import Statuses
from binwright.outcome import ReasonText
from binwright.verdict import Change, Verdict

__all__ = ["Refusals"]


class Refusals:
    """Refusals in one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def explained(self, pod: Pod, look: Explanation) -> dict[str, Any]:
        """From a decision of the engine, all nodes looked at."""
        return self._told(look, Statuses(self._cluster, look), self._cluster.book(pod).pre_filter.refusal(pod))

    def decided(self, decision: Decision) -> dict[str, Any]:
        """From a whole cycle."""
        return self._told(decision.look, decision.statuses, decision.refusal)

    def _told(self, look: Explanation, statuses: Statuses, refusal: tuple[str, str] | None) -> dict[str, Any]:
        if look.verdict is Verdict.ERROR:
            return {"verdict": Verdict.ERROR, "message": "the used amounts of the chosen node would be too large"}
        nodes = len(self._cluster.nodes)
        histogram = statuses.histogram()
        counts: Counter[str] = Counter()
        for (_, text), hosts in histogram.items():
            counts[text] += hosts
        return {
            "verdict": look.verdict,
            "message": messages.fit_error(nodes, counts, [refusal[1]] if refusal is not None else ()),
            "reasons": [ReasonText(plugin, hosts, text) for (plugin, text), hosts in histogram.items()],
            "smallest_change": self.change(look.smallest_change),
        }

    def change(self, change: Change | None) -> dict[str, Any] | None:
        """A change of the engine, in kube-scheduler's words."""
        if change is None:
            return None
        plugin = text = None
        if change.rule is not None:
            plugin, text = self._cluster.rules.reason(change.rule, change.argument)
        return {
            "kind": change.kind,
            "host": self._cluster.nodes.names[change.host],
            "resource": change.resource,
            "rule": plugin,
            "argument": text,
            "have": change.have,
            "need": change.need,
        }
