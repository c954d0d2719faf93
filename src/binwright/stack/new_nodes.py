"""Nodes that clusters could get: pools of alike nodes that are servers, and what one more node of a pool would be.

The rule: a new node is a copy of a node of its pool (labels, taints, allocatable, pods of its daemon sets and static
pods). A flavor of which the cluster has no node makes a copy of the plainest worker, with the flavor's vCPUs, memory
and disk less what kubelet and system keep on that worker (capacity less allocatable), or what the catalogue's columns
kube_reserved_* say. Control planes are no pools. Joins layers, places nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from binwright.kubernetes.node_copies import Mould, amounts_of, lasting_taints, moulds, reserved, resized, with_labels
from binwright.kubernetes.objects import Node
from binwright.kubernetes.reader import Objects
from binwright.openstack.cloud import Cloud, Flavor
from binwright.openstack.growth import Grown, Growth
from binwright.openstack.pending import Catalogue as Flavors
from binwright.openstack.pending import Wanted
from binwright.packing.catalogue import Catalogue
from binwright.stack.join import HOST_ID_LABELS, host_id
from binwright.stack.physical import MIB
from binwright.stack.sandwich import LEVELS, Host, NodePlace, Sandwich, ServerPlace

PHYSICAL = {level: f"binwright.io/{level}" for level in LEVELS}
"""Labels that node copies get from the sandwich: where a node really is."""
ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
INSTANCE_TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
CONTROL = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
OWN_LABELS = frozenset({"kubernetes.io/hostname", *HOST_ID_LABELS, *PHYSICAL.values()})
"""Labels in which nodes of one pool differ."""
GIB = 2**30


@dataclass(frozen=True, eq=False)
class Pool:
    """Nodes of one cluster that are alike, `nodes` of them, and what one more is made of. wanted: its server, as it
    would be asked of the cloud. derived: the cluster has no node of this flavor.
    """

    cluster: str
    cloud: str
    name: str
    flavor: Flavor
    mould: Mould
    wanted: Wanted
    group: str | None
    nodes: int
    derived: bool = False

    @property
    def zone(self) -> str | None:
        """The availability zone that its servers are asked for in."""
        return self.wanted.zone

    def server(self, name: str) -> Wanted:
        """The server of a new node."""
        return replace(self.wanted, name=name)


@dataclass(slots=True)
class NewNode:
    """A node to be made: its server on a host, and the pods that it is made for (NAMESPACE/NAME); none where it only
    makes the server of the next one go to another host.
    """

    name: str
    pool: Pool
    grown: Grown
    pods: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Pools:
    """All pools of a sandwich, by cluster. without: clusters that cannot get new nodes, with why."""

    by_cluster: dict[str, list[Pool]] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)

    def all(self) -> list[Pool]:
        """Every pool, cluster by cluster."""
        return [pool for pools in self.by_cluster.values() for pool in pools]


def find_pools(sandwich: Sandwich, flavors: Sequence[str] = (), catalogue: Catalogue | None = None) -> Pools:
    """The pools of every cluster: of the flavors that its nodes are, or of these `flavors` by name or id; with a
    catalogue only of those that it lists. A flavor that a cloud lacks makes no pool there.
    """
    found = Pools()
    for cluster in sorted(sandwich.clusters):
        pools = pools_of(sandwich, cluster)
        if not pools:
            found.without[cluster] = "none of its workers is a server of a cloud in the input"
            continue
        names = list(flavors) or ([] if catalogue is None else catalogue.names)
        if names:
            pools = [pool for name in dict.fromkeys(names) for pool in _of_flavor(sandwich, pools, name, catalogue)]
        if pools:
            found.by_cluster[cluster] = pools
        else:
            found.without[cluster] = f"its cloud has no flavor {', '.join(names)}"
    return found


def pools_of(sandwich: Sandwich, cluster: str) -> list[Pool]:
    """What a cluster's workers are."""
    objects = sandwich.clusters[cluster]
    groups: dict[tuple[object, ...], list[tuple[NodePlace, ServerPlace, Flavor]]] = {}
    books = {name: Flavors(cloud.flavors) for name, cloud in sandwich.clouds.items()}
    for node in objects.nodes:
        place = sandwich.nodes.get((cluster, node.metadata.name or ""))
        if place is None or place.server is None or is_control(node):
            continue
        server = place.server.server
        told = next((labels[key] for key in INSTANCE_TYPES if key in (labels := node.metadata.labels or {})), None)
        flavor = server.flavor or books[place.server.cloud].find(server.flavor_ref or told)
        if flavor is None:
            continue
        group = group_of(sandwich.clouds[place.server.cloud], server.id)
        shared = tuple(sorted((key, value) for key, value in labels.items() if key not in OWN_LABELS))
        taints = tuple((one.key, one.value, one.effect) for one in lasting_taints(node))
        key = (place.server.cloud, flavor.name, shared, taints, server.project, group)
        groups.setdefault(key, []).append((place, place.server, flavor))
    if not groups:
        return []
    made = moulds(objects)
    pools = [_pool(sandwich, cluster, made, members) for members in groups.values()]
    names = [pool.name for pool in pools]
    return [
        replace(pool, name=f"{pool.name} like {pool.mould.node.metadata.name}") if names.count(pool.name) > 1 else pool
        for pool in pools
    ]


def _pool(
    sandwich: Sandwich,
    cluster: str,
    made: Mapping[str, Mould],
    members: list[tuple[NodePlace, ServerPlace, Flavor]],
) -> Pool:
    sound = [one for one in members if is_sound(one[0].node)]
    place, server_place, flavor = min(sound or members, key=lambda one: one[0].name)
    cloud, server = sandwich.clouds[server_place.cloud], server_place.server
    labels = place.node.metadata.labels or {}
    zone = next((labels[key] for key in ZONE_LABELS if key in labels), None)
    if zone not in {one.zone for one in cloud.aggregates if one.zone}:
        zone = None
    group = group_of(cloud, server.id)
    hints = {} if group is None else {"group": [group]}
    wanted = Wanted(
        place.name, None, server.project, flavor, zone, server.from_volume, server.image, hints, f"cluster {cluster}"
    )
    name = " ".join(part for part in (flavor.name, zone) if part)
    return Pool(cluster, server_place.cloud, name, flavor, made[place.name], wanted, group, len(members))


def _of_flavor(sandwich: Sandwich, pools: Sequence[Pool], name: str, catalogue: Catalogue | None) -> list[Pool]:
    """The pools of one flavor; where there are none, pools derived from the plainest one."""
    there = [pool for pool in pools if name in (pool.flavor.name, pool.flavor.id)]
    if there:
        return there
    plain = [pool for pool in pools if not lasting_taints(pool.mould.node)] or list(pools)
    most = max(plain, key=lambda pool: pool.nodes)
    like = [
        pool for pool in plain
        if (pool.flavor, pool.cloud, pool.group) == (most.flavor, most.cloud, most.group)
    ]  # fmt: skip
    flavor = Flavors(sandwich.clouds[most.cloud].flavors).find(name)
    if flavor is None:
        return []
    found = []
    for pool in like:
        mould = derived(pool.mould, flavor, catalogue)
        if mould is not None:
            labels = dict.fromkeys((key for key in INSTANCE_TYPES if key in (mould.node.metadata.labels or {})), name)
            mould = replace(mould, node=labelled(mould.node, labels))
            words = " ".join(part for part in (flavor.name, pool.zone) if part)
            wanted = replace(pool.wanted, flavor=flavor)
            found.append(replace(pool, name=words, flavor=flavor, mould=mould, wanted=wanted, nodes=0, derived=True))
    return found


def derived(mould: Mould, flavor: Flavor, catalogue: Catalogue | None) -> Mould | None:
    """A node of a flavor like one of another; None where what kubelet keeps is more than there is."""
    kept = reserved(mould.node)
    amounts = {
        "cpu": 1000 * flavor.vcpus - kept["cpu"],
        "memory": MIB * flavor.memory_mb - kept["memory"],
        "ephemeral-storage": GIB * (flavor.root_gb + flavor.ephemeral_gb) - kept["ephemeral-storage"],
    }
    if "ephemeral-storage" not in amounts_of(mould.node):
        del amounts["ephemeral-storage"]
    if catalogue is not None and flavor.name in catalogue.names:
        row = catalogue.names.index(flavor.name)
        for resource, column, factor in (("cpu", "vcpus", 1000), ("memory", "memory_mb", MIB)):
            if column in catalogue.reserved[row]:
                amounts[resource] = int(catalogue.amounts[row][column] * factor)
        if catalogue.max_items[row] >= 0:
            amounts["pods"] = catalogue.max_items[row]
    return resized(mould, amounts) if amounts["cpu"] > 0 and amounts["memory"] > 0 else None


def grow(sandwich: Sandwich, cloud: str, pools: Iterable[Pool], *, after_pending: bool = False) -> Growth:
    """A cloud that takes servers of these pools. Raises InputError where its dump does not tell its hosts' capacity."""
    wanted = [pool.wanted for pool in pools]
    return Growth(sandwich.clouds[cloud], wanted, after_pending=after_pending, conf=sandwich.conf)


def fresh(cluster: str, names: set[str | None], number: int) -> str:
    """A name that no node has, taken."""
    while f"{cluster}-new-{number}" in names:
        number += 1
    names.add(f"{cluster}-new-{number}")
    return f"{cluster}-new-{number}"


def labelled(node: Node, labels: Mapping[str, str]) -> Node:
    """A node with more labels."""
    return with_labels(Objects(nodes=[node]), {node.metadata.name or "": labels}).nodes[0]


def is_control(node: Node) -> bool:
    """Whether a node is of a control plane, of which there is a fixed number."""
    return any(key in (node.metadata.labels or {}) for key in CONTROL)


def is_sound(node: Node) -> bool:
    """Whether a node is open, and has no taint of its condition."""
    spec = node.spec
    return spec is None or not (spec.unschedulable or len(spec.taints or ()) > len(lasting_taints(node)))


def group_of(cloud: Cloud, server: str | None) -> str | None:
    """Id, or name, of the server group that a server is a member of."""
    found = next((one for one in cloud.server_groups if server in one.members), None)
    return None if found is None else found.id or found.name


def physical_labels(host: Host | None) -> dict[str, str]:
    """Where a node on this host really is, as labels."""
    if host is None:
        return {}
    bottom = host.physical()
    told = {"host": bottom.key, "rack": bottom.rack, "zone": bottom.zone}
    return {PHYSICAL[level]: label_value(value) for level, value in told.items() if value}


def label_value(text: str) -> str:
    """A name as the value of a label, which has no slash."""
    return text.replace("/", ".")


def new_labels(pool: Pool, host: Host | None) -> dict[str, str]:
    """The labels of a new node of a pool whose server is on `host`, beside those of the mould."""
    there = pool.mould.node.metadata.labels or {}
    found = physical_labels(host)
    if host is not None:
        told = host_id(pool.wanted.project or "", host.name)
        found |= {key: told for key in HOST_ID_LABELS if key in there}
        if pool.zone is None and host.physical().zone:
            found |= {key: host.physical().zone or "" for key in ZONE_LABELS if key in there}
    return found


def with_physical_labels(sandwich: Sandwich, clusters: Iterable[str]) -> dict[str, Objects]:
    """These clusters with every node labelled by where it really is, by name."""
    found = {}
    for cluster in clusters:
        labels = {
            name: physical_labels(place.host) for (source, name), place in sandwich.nodes.items() if source == cluster
        }
        found[cluster] = with_labels(sandwich.clusters[cluster], labels)
    return found
