"""NodeUnschedulable (spec 4): cordoned nodes."""

from tests.reference.kubernetes.plugins.base import Plugin
from tests.reference.kubernetes.selectors import tolerates

_TAINT = {"key": "node.kubernetes.io/unschedulable", "value": "", "effect": "NoSchedule"}


class NodeUnschedulable(Plugin):
    name = "NodeUnschedulable"

    def filter(self, cycle, node):
        if node.spec.get("unschedulable") and not any(tolerates(t, _TAINT) for t in cycle.pod.tolerations):
            return self.unresolvable("node(s) were unschedulable")
        return None
