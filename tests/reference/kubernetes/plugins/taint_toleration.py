"""TaintToleration (spec 4): hard taints filter, PreferNoSchedule taints score."""

from tests.reference.kubernetes.arithmetic import default_normalize
from tests.reference.kubernetes.plugins.base import Plugin
from tests.reference.kubernetes.selectors import first_untolerated, tolerates


class TaintToleration(Plugin):
    name = "TaintToleration"

    def filter(self, cycle, node):
        taint = first_untolerated(node.taints, cycle.pod.tolerations, ("NoSchedule", "NoExecute"))
        if taint is None:
            return None
        return self.unresolvable(f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value') or ''}}}")

    def score(self, cycle, node):
        """The number of PreferNoSchedule taints that no toleration with effect "" or PreferNoSchedule tolerates."""
        tolerations = [t for t in cycle.pod.tolerations if (t.get("effect") or "") in ("", "PreferNoSchedule")]
        return sum(
            taint["effect"] == "PreferNoSchedule" and not any(tolerates(t, taint) for t in tolerations)
            for taint in node.taints
        )

    def normalize(self, cycle, feasible, raw):
        return default_normalize(raw, reverse=True)
