"""One step out of a hazard: a pod to another node, a server to another host, a new node for a pod.

Each is let by the rules of its own layer (the whole scheduler, Nova and Placement), or is none. Whether it helps, and
harms nothing else, is not judged here.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace

from binwright.explained import Explainable, HostAnswer
from binwright.kubernetes.disruption import Answer, EvictionApi, read_budgets
from binwright.kubernetes.evacuation import cordoned
from binwright.kubernetes.explain import ExplainableCluster
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.reader import Objects
from binwright.openstack.explain import ExplainableCloud
from binwright.stack.commands import WANTS, command, comment, create_server, given, kubectl, label_node, named
from binwright.stack.finding import Ref, Repair
from binwright.stack.join import HOST_ID_LABELS, host_id
from binwright.stack.new_nodes import NewNode, Pool, fresh, grow
from binwright.stack.physical import BARE_METAL, MIB
from binwright.stack.sandwich import Host, NodePlace, Sandwich, ServerPlace
from binwright.stack.whatif import with_new_nodes, with_pod_on, with_server_moved

MIGRATE_ALIVE = ("ACTIVE", "PAUSED")
"""States of servers that Nova migrates while they run."""
MIGRATE_WITH_HOST = ("--os-compute-api-version", "2.30")
"""The client refuses a live migration to a host below this microversion, and its default is 2.1."""

Members = Mapping[str, object]
"""By host, rack or zone: those that hold a member already."""


@dataclass(frozen=True)
class Step:
    """What is done, in this order, and the sandwich after it."""

    repairs: tuple[Repair, ...]
    after: Sandwich


def memory_of(sandwich: Sandwich, place: ServerPlace) -> int:
    """Bytes of a server's memory, which a live migration copies."""
    cloud, server = sandwich.clouds[place.cloud], place.server
    flavor = server.flavor or next((one for one in cloud.flavors if server.flavor_ref in (one.id, one.name)), None)
    return MIB * flavor.memory_mb if flavor is not None else 0


def best_hosts(explainable: Explainable, wanted: Callable[[str, str | None, str | None], bool]) -> list[HostAnswer]:
    """Hosts that take the object that `wanted(name, namespace, uid)` means, best first; its own may be among them."""
    number = next(i for i, one in enumerate(explainable.objects()) if wanted(one.name, one.namespace, one.uid))
    explained = explainable.explain(number, 1)
    return sorted((one for one in explained.hosts if one.feasible), key=lambda one: -(one.score or 0))


def move_pod(
    sandwich: Sandwich, cluster: str, pod: Pod, level: str, crowds: Members, cost: int, only: str | None = None
) -> Step | None:
    """A pod to the best node whose host, rack or zone has no member, or to the node `only`; nodes that score higher are
    cordoned meanwhile. None where there is none, or a disruption budget does not let it go.
    """
    meta = pod.metadata
    judged = EvictionApi(read_budgets(sandwich.clusters[cluster].related)).judge(pod)
    if judged.answer not in (Answer.FREE, Answer.COUNTED):
        return None  # a disruption budget needs it where it is
    namespace = meta.namespace or "default"
    origin = (pod.spec and pod.spec.node_name) or ""
    shut = [name for name in (origin,) if not closed(sandwich.nodes[cluster, name])]
    while True:  # what is cordoned changes how the others compare, so the scheduler is asked again
        objects = with_cordons(sandwich.clusters[cluster], shut)
        explainable = ExplainableCluster(cluster, objects, sandwich.options)
        passed = []
        for answer in best_hosts(explainable, lambda name, space, uid: (name, space) == (meta.name, namespace)):
            where = sandwich.nodes[cluster, answer.host].at(level)
            if where is not None and where not in crowds and only in (None, answer.host):
                break
            passed.append(answer.host)
        else:
            return None
        if not passed:
            break
        if not set(passed).isdisjoint(shut):
            return None  # it tolerates cordoned nodes, and would go there
        shut += passed
    ref = Ref(cluster, "Pod", meta.name or "", namespace)
    shut.sort()
    commands = [
        *(kubectl(cluster, "cordon", *named(name)) for name in shut),
        kubectl(cluster, "delete", "pod", "-n", namespace, *named(meta.name or "")),
        comment(f"wait until its replacement is ready; the scheduler's best node is then {answer.host}"),
        *(kubectl(cluster, "uncordon", *named(name)) for name in shut),
    ]
    repair = Repair("movePod", ref, origin, answer.host, cost, ("kube-scheduler",), tuple(commands))
    return Step((repair,), with_pod_on(sandwich, cluster, pod, answer.host))


def with_cordons(objects: Objects, names: Container[str]) -> Objects:
    """The cluster with these nodes cordoned."""
    nodes = [cordoned(node) if node.metadata.name in names else node for node in objects.nodes]
    return replace(objects, nodes=nodes)


def closed(place: NodePlace) -> bool:
    """Whether a node is cordoned already, and has to stay so."""
    return bool(place.node.spec and place.node.spec.unschedulable)


def migrate(sandwich: Sandwich, place: ServerPlace, level: str, crowds: Members, cost: int) -> Step | None:
    """A server to the best host that is, or stands where, no member is. None where it cannot migrate alive."""
    server = place.server
    if server.status not in MIGRATE_ALIVE or is_bare_metal(sandwich, place):
        return None
    explainable = ExplainableCloud(sandwich.clouds[place.cloud], conf=sandwich.conf)
    for answer in best_hosts(explainable, lambda name, space, uid: (name, uid) == (server.name, server.id)):
        host = sandwich.hosts.get(f"{place.cloud}/{answer.host}")
        if host is None or host.at(level) is None or host.at(level) in crowds:
            continue
        commands = [
            command(
                "openstack", *given("--os-cloud", place.cloud), *MIGRATE_WITH_HOST, "server", "migrate",
                "--live-migration", *given("--host", host.name), *named(server.id or server.name),
            )
        ]  # fmt: skip
        commands += relabel_commands(sandwich, place, host)
        origin = place.host.name if place.host is not None else None
        ref = Ref(place.cloud, "Server", server.name)
        repair = Repair("liveMigrate", ref, origin, host.name, cost, ("nova", "placement"), tuple(commands))
        return Step((repair,), with_server_moved(sandwich, place, host))
    return None


def is_bare_metal(sandwich: Sandwich, place: ServerPlace) -> bool:
    """Whether a server is a whole physical host, which goes nowhere."""
    name = place.host.name if place.host is not None else None
    hypervisors = sandwich.clouds[place.cloud].hypervisors
    return any(one.hostname == name and (one.type or "").lower() in BARE_METAL for one in hypervisors)


def relabel_commands(sandwich: Sandwich, place: ServerPlace, host: Host) -> list[str]:
    """Host-id labels do not follow a migration: they have to be set again."""
    value = host_id(place.server.project or "", host.name)
    return [
        label_node(one.cluster, one.name, key, value)
        for one in sandwich.nodes.values()
        if one.server is place
        for key in HOST_ID_LABELS
        if key in (one.node.metadata.labels or {})
    ]


def add_node(
    sandwich: Sandwich,
    cluster: str,
    pod: Pod,
    level: str,
    crowds: Members,
    pools: list[Pool],
    cost: Callable[[Pool], int],
    pod_cost: int,
) -> Step | None:
    """A new node like those of a pool, on the best host that is, or stands where, no member is, and the pod on it. The
    host is asked for where Nova would take another. None where no cloud has such a host, or the scheduler, or a
    disruption budget, does not let the pod go there.
    """
    names = {node.metadata.name for node in sandwich.clusters[cluster].nodes}
    name = fresh(cluster, names, 0)
    for pool in sorted(pools, key=lambda one: (cost(one), one.name)):
        found = placed_apart(sandwich, pool, name, level, crowds)
        if found is None:
            continue
        found.pods.append(pod.key)
        grown = with_new_nodes(sandwich, [found])
        moved = move_pod(grown, cluster, pod, level, crowds, pod_cost, only=name)
        if moved is None:
            continue
        commands = [WANTS, *create_server(found), comment(f"wait until node {name} has joined {cluster} and is ready")]
        ref, host = Ref(cluster, "Node", name), found.grown.host
        repair = Repair("addNode", ref, None, host, cost(pool), ("nova", "placement"), tuple(commands), found)
        return Step((repair, *moved.repairs), moved.after)
    return None


def placed_apart(
    sandwich: Sandwich, pool: Pool, name: str, level: str, crowds: Container[str | None]
) -> NewNode | None:
    """One more node of a pool on the best host whose domain is none of `crowds`; None where no such host takes it."""
    growth = grow(sandwich, pool.cloud, [pool])
    server = pool.server(name)
    takers = growth.takers(server)
    for taker in takers:
        host = sandwich.hosts.get(f"{pool.cloud}/{taker}")
        where = None if host is None else host.at(level)
        if where is not None and where not in crowds:
            growth.place(server, None if taker == takers[0] else taker)
            return NewNode(name, pool, growth.grown[-1])
    return None
