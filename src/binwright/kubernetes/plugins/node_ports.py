"""NodePorts: a host port is given away once per node, address and protocol (kubernetes spec 4).

Each (address, protocol, port) that some pod holds is a flag: removing any holder clears it, as in the peer's store.
"""

from __future__ import annotations

from collections.abc import Hashable

from binwright.kubernetes.counts import Counts
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.traits import Traits
from binwright.request import Request
from binwright.terms import HardTerm, Ref, forbid

__all__ = ["NodePorts", "host_ports"]

ANY_ADDRESS = "0.0.0.0"

HostPort = tuple[str, str, int]
"""Address, protocol, port."""


def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """Host ports of containers and sidecars, each once, sorted."""
    spec = pod.spec
    if spec is None:
        return ()
    sidecars = [one for one in spec.init_containers or () if one.restart_policy == "Always"]
    return tuple(
        sorted(
            {
                (port.host_ip or ANY_ADDRESS, port.protocol or "TCP", port.host_port)
                for container in (*sidecars, *(spec.containers or ()))
                for port in container.ports or ()
                if port.host_port is not None and port.host_port > 0
            }
        )
    )


class NodePorts:
    """Filter on the host ports in use on a node."""

    rule = plugin = "NodePorts"
    holding = True

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._addresses: dict[tuple[str, int], list[str]] = {}  # (protocol, port) -> addresses held by some pod
        self._wanting: dict[tuple[str, int], list[Request]] = {}  # -> classes that want it on every address

    def key(self, pod: Pod) -> Hashable:
        return host_ports(pod)

    def held(self, pod: Pod) -> dict[int, int]:
        return {self._flag(port): 1 for port in host_ports(pod)}

    def terms(self, pod: Pod, traits: Traits) -> list[HardTerm]:
        wanted = []
        for address, protocol, port in host_ports(pod):
            addresses = [address, ANY_ADDRESS]
            if address == ANY_ADDRESS:
                addresses += self._addresses.get((protocol, port), ())
            wanted += [Ref(self._flag((one, protocol, port))) for one in dict.fromkeys(addresses)]
        return [forbid(self.rule, list(dict.fromkeys(wanted)))] if wanted else []

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        for address, protocol, port in host_ports(pod):
            if address == ANY_ADDRESS:
                self._wanting.setdefault((protocol, port), []).append(request)

    def text(self, argument: int) -> str:
        return "node(s) didn't have free ports for the requested pod ports"

    def _flag(self, host_port: HostPort) -> int:
        key = ("port", host_port)
        known = self._counts.holds(key)
        flag = self._counts.held(key, kind="flag")
        if not known:
            address, protocol, port = host_port
            self._addresses.setdefault((protocol, port), []).append(address)
            self._counts.extend(self._wanting.get((protocol, port), ()), forbid(self.rule, [Ref(flag)]))
        return flag
