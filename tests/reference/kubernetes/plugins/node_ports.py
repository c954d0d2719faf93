"""NodePorts (spec 4): host ports in use on the node."""

from tests.reference.kubernetes.plugins.base import Plugin, Skip

ANY_ADDRESS = "0.0.0.0"


def ports_conflict(wanted, used):
    """Same protocol and port, and one address is 0.0.0.0 or both are equal; ``::`` is an ordinary string."""
    same_address = wanted[0] == used[0] or ANY_ADDRESS in (wanted[0], used[0])
    return wanted[1:] == used[1:] and same_address


class NodePorts(Plugin):
    name = "NodePorts"

    def pre_filter(self, cycle):
        return None if cycle.pod.host_ports else Skip()

    def filter(self, cycle, node):
        if any(ports_conflict(wanted, used) for wanted in cycle.pod.host_ports for used in node.used_ports):
            return self.resolvable("node(s) didn't have free ports for the requested pod ports")
        return None
