"""The club sandwich as it was joined: physical hosts, the servers on them, the nodes on those. Records only.

How each join was found is in `join`; nothing here decides or measures.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pending import Queue, sort_out
from binwright.kubernetes.place import Options
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.spread_claims import Workload, workloads
from binwright.openstack.cloud import Cloud, Server
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf

LEVELS = ("host", "rack", "zone")
BY_HOST_NAME, ITSELF = "host name", "a host of its own"
"""How a node was joined that is no server: it is the hypervisor of this name, or a host that no cloud knows."""


@dataclass(slots=True, eq=False)
class Host:
    """One host: physical, or a hypervisor that is itself a server of another cloud (`inside`).

    key: SOURCE/NAME, unique. A tenant who may not see names has hosts called "hostId ...". rack, zone: None = not told.
    """

    key: str
    name: str
    source: str
    rack: str | None = None
    zone: str | None = None
    inside: "ServerPlace | None" = None

    def physical(self) -> "Host":
        """The host at the bottom; this one where nothing lies below."""
        host = self
        while host.inside is not None and host.inside.host is not None:
            host = host.inside.host
        return host

    def at(self, level: str) -> str | None:
        """The physical host, rack or zone that this one really is in; None where that is not told."""
        bottom = self.physical()
        return bottom.key if level == "host" else bottom.rack if level == "rack" else bottom.zone


@dataclass(slots=True, eq=False)
class ServerPlace:
    """A server of a cloud and the host it runs on; `how` the host was found, None host = not known."""

    cloud: str
    server: Server
    host: Host | None
    how: str


@dataclass(slots=True, eq=False)
class NodePlace:
    """A node of a cluster, the server that it is (None: it is a host itself, or not known) and the physical host."""

    cluster: str
    node: Node
    server: ServerPlace | None
    host: Host | None
    how: str

    @property
    def name(self) -> str:
        return self.node.metadata.name or ""

    def at(self, level: str) -> str | None:
        """The physical host, rack or zone that the node really is in; None where that is not known."""
        return None if self.host is None else self.host.at(level)


@dataclass(frozen=True, slots=True)
class Unjoined:
    """Something that lies on nothing known: which object, what it claims to be on, and why that leads nowhere."""

    source: str
    kind: str
    name: str
    claimed: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """A host of which two sources tell different racks or zones."""

    host: Host
    what: str
    told: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Sandwich:
    """All layers of all sources. `nodes` by (cluster, node name); `servers` by (cloud, server id or name).

    options, conf: how the schedulers of all clusters and of all clouds are configured.
    """

    clusters: Mapping[str, Objects]
    clouds: Mapping[str, Cloud]
    hosts: dict[str, Host] = field(default_factory=dict)
    servers: dict[tuple[str, str], ServerPlace] = field(default_factory=dict)
    nodes: dict[tuple[str, str], NodePlace] = field(default_factory=dict)
    unjoined: list[Unjoined] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    server_lists: bool = False  # whether any cloud tells its servers
    options: Options = field(default_factory=Options)
    conf: NovaConf = PLAIN_CONF
    _queues: dict[str, Queue] = field(default_factory=dict, init=False, repr=False)
    _workloads: dict[str, list[Workload]] = field(default_factory=dict, init=False, repr=False)

    def sorted_out(self, pods: Iterable[Pod]) -> Queue:
        """Pods by their state, those pending that have a scheduler here."""
        return sort_out(pods, [one.scheduler_name for one in self.options.profiles])

    def queue(self, cluster: str) -> Queue:
        """The pods of a cluster by their state; sorted out once."""
        if cluster not in self._queues:
            self._queues[cluster] = self.sorted_out(self.clusters[cluster].pods)
        return self._queues[cluster]

    def bound(self, cluster: str) -> list[Pod]:
        """The pods of a cluster that hold a node, in input order."""
        return self.queue(cluster).bound

    def workloads(self, cluster: str) -> list[Workload]:
        """The controllers of a cluster with their bound pods; put together once."""
        if cluster not in self._workloads:
            self._workloads[cluster] = workloads(self.clusters[cluster])
        return self._workloads[cluster]

    def place_of(self, cluster: str, pod: Pod) -> NodePlace | None:
        """Where a bound pod is; None for one that waits or whose node is not in the input."""
        return self.nodes.get((cluster, (pod.spec and pod.spec.node_name) or ""))
