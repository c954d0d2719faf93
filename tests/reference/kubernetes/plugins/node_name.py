"""NodeName (spec 4): a pod that names its node."""

from tests.reference.kubernetes.plugins.base import Plugin


class NodeName(Plugin):
    name = "NodeName"

    def filter(self, cycle, node):
        wanted = cycle.pod.spec.get("nodeName") or ""
        if wanted not in ("", node.name):
            return self.unresolvable("node(s) didn't match the requested node name")
        return None
