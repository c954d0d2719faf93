"""`stack headroom`: how many more of a pod, on the nodes as they are, and with new nodes on the hosts as they are.

New nodes are really given hosts by the cloud's rules and really added to the cluster, then pods are placed until one is
refused. Clusters of one cloud share its room: each is asked by itself, and all are asked together, in turn.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from binwright.errors import InputError
from binwright.headroom import Headroom, Question, ShapeCount
from binwright.kubernetes.headroom import headroom_objects
from binwright.kubernetes.node_copies import Mould, with_nodes
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.shapes import split
from binwright.kubernetes.solitary import are_solitary
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.growth import Growth, NoHost
from binwright.outcome import NotEvaluated
from binwright.packing.catalogue import Catalogue
from binwright.stack.new_nodes import Pool, Pools, find_pools, grow, new_labels, with_physical_labels
from binwright.stack.sandwich import Sandwich

MOST_NODES = 1000
"""New nodes of one cluster, beyond which nobody wants to know so exactly."""
BY_OTHERS = ("PodTopologySpread", "InterPodAffinity")
"""Rules by which one more node may take no pod, and several do."""

AMOUNTS = re.compile(r"[A-Za-z0-9][-A-Za-z0-9./_]*=[^=]+(,[A-Za-z0-9][-A-Za-z0-9./_]*=[^=,]+)*")
"""A shape that is only amounts: cpu=500m,memory=1Gi."""

Bought = tuple[tuple[Pool, str], ...]
"""New nodes as pool and host."""


@dataclass(slots=True)
class PoolRoom:
    """New nodes of one pool alone: how many its cloud has hosts for, how many more pods they bring, and how many pods
    one of them takes beside what there is. stopped: why there is no further server, None where counting stopped;
    unfit: why a new node takes no pod at all.
    """

    pool: Pool
    servers: int = 0
    pods: int = 0
    per_node: int = 0
    stopped: NoHost | None = None
    unfit: str | None = None
    hosts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ClusterRoom:
    """One cluster. as_is: pods on its nodes. alone, together: pods with as many new nodes as the cloud gives it, and as
    it gives when all clusters take in turn; with the numbers of new nodes. message: why the next pod is refused then.
    """

    cluster: str
    nodes: int
    as_is: int = 0
    alone: int = 0
    alone_nodes: int = 0
    together: int = 0
    together_nodes: int = 0
    message: str | None = None
    pools: list[PoolRoom] = field(default_factory=list)
    note: str | None = None


@dataclass(slots=True)
class ShapeRoom:
    """One shape of a pod in every cluster that knows it."""

    shape: str
    asked: dict[str, int]
    clusters: list[ClusterRoom] = field(default_factory=list)

    @property
    def as_is(self) -> int:
        """Pods on the nodes as they are, over all clusters."""
        return sum(one.as_is for one in self.clusters)

    @property
    def together(self) -> int:
        """Pods with new nodes, over all clusters, which share the clouds' room."""
        return sum(one.together for one in self.clusters)

    @property
    def new_nodes(self) -> int:
        """New nodes of all clusters together."""
        return sum(one.together_nodes for one in self.clusters)


@dataclass(slots=True)
class GrownHeadroom:
    """The answers, shape by shape."""

    shapes: list[ShapeRoom]
    supposes: str
    notes: list[str] = field(default_factory=list)
    not_evaluated: list[tuple[str, list[NotEvaluated]]] = field(default_factory=list)
    elapsed_seconds: float = 0.0


def grown_headroom(
    sandwich: Sandwich,
    shapes: Sequence[str],
    flavors: Sequence[str] = (),
    *,
    catalogue: Catalogue | None = None,
    after_pending: bool = False,
    namespace: str | None = None,
    seconds: float = 0.0,
) -> GrownHeadroom:
    """Ask every cluster for every shape (as `capacity --pod` takes them). flavors: of new nodes, by name or id.

    after_pending: what waits, pods and servers, is placed first. Raises InputError for a shape that cannot be read or
    that no cluster knows, and for a flavor that no cloud has.
    """
    start = time.perf_counter()
    texts = [text for _, text in split(shapes)]
    if not texts:
        raise InputError("nothing is asked: --pod SPEC")
    if not any(objects.nodes for objects in sandwich.clusters.values()):
        raise InputError("no cluster with a Node in the input, so there is nothing to ask")
    known = {one for cloud in sandwich.clouds.values() for flavor in cloud.flavors for one in (flavor.name, flavor.id)}
    for flavor in flavors:
        if flavor not in known:
            raise InputError(f"--flavor {flavor}: no cloud of the input has a flavor of this name")
    pools = find_pools(sandwich, flavors, catalogue)
    clusters = with_physical_labels(sandwich, sorted(sandwich.clusters))
    asker = _Asker(sandwich, clusters, pools, after_pending, namespace)
    found = [asker.shape(text) for text in dict.fromkeys(texts)]
    words = "after what is pending" if after_pending else "without what is pending"
    result = GrownHeadroom(found, words, asker.notes, list(asker.not_evaluated.items()))
    result.elapsed_seconds = seconds + time.perf_counter() - start
    return result


class _Asker:
    """What the questions about all shapes share."""

    def __init__(
        self, sandwich: Sandwich, clusters: dict[str, Objects], pools: Pools, after_pending: bool, namespace: str | None
    ) -> None:
        self.sandwich = sandwich
        self.clusters = clusters
        self.pools = pools
        self.after_pending = after_pending
        self.namespace = namespace
        self.notes: list[str] = []
        self.not_evaluated: dict[str, list[NotEvaluated]] = {}
        self._counts: dict[tuple[str, str, tuple[tuple[int, str], ...]], Headroom | None] = {}
        self._alone: dict[str, bool] = {}
        self._closed = closed_clouds(sandwich, {pool.cloud for pool in pools.all()})

    def shape(self, text: str) -> ShapeRoom:
        """One shape, asked of all clusters."""
        found = ShapeRoom(text, {})
        useful: dict[str, list[PoolRoom]] = {}
        unknown = []
        for cluster, objects in self.clusters.items():
            if not objects.nodes:
                self._note(f"{cluster}: not asked, no Node in the input")
                continue
            answer = self._ask(cluster, text, ())
            if answer is None:
                unknown.append(cluster)
                continue
            found.asked = dict(answer.shapes[0].asked)
            room = ClusterRoom(
                cluster, len(objects.nodes), answer.count, answer.count, 0, answer.count, 0, answer.message
            )
            room.note = self.pools.without.get(cluster)
            found.clusters.append(room)
            pools = [pool for pool in self.pools.by_cluster.get(cluster, ()) if pool.cloud not in self._closed]
            if cluster in self.pools.by_cluster and not pools:
                room.note = f"its cloud cannot be asked: {self._closed[self.pools.by_cluster[cluster][0].cloud]}"
            room.pools = self._tried(cluster, text, pools)
            useful[cluster] = [one for one in room.pools if one.unfit is None]
        if not found.clusters:
            raise InputError(f"--pod {text}: no such file, and no object of this name in the input")
        if unknown:
            self._note(f"{', '.join(unknown)}: not asked for {text}, there is none")
        growths = self._growths(useful)
        for name, growth in growths.items():
            self._unseen(name, growth.not_evaluated())
        for room in found.clusters:
            self._by_itself(room, text, useful[room.cluster], growths)
        self._together(found, text, useful, growths)
        return found

    def _ask(self, cluster: str, text: str, bought: Bought) -> Headroom | None:
        """The layer's answer with these new nodes; None for a shape that the cluster does not know."""
        key = (cluster, text, tuple((id(pool), host) for pool, host in bought))
        if key not in self._counts and bought and self._is_alone(cluster, text):
            self._counts[key] = self._added(cluster, text, bought)
        if key not in self._counts:
            objects = with_nodes(self.clusters[cluster], new_nodes(self.sandwich, bought))
            question = Question((text,), self.after_pending, self.namespace)
            told = headroom_objects(cluster, objects, question, self.sandwich.options)
            if not bought:
                self._unseen(cluster, told.not_evaluated)
            self._counts[key] = None if told.unknown else told.answers[0]
        return self._counts[key]

    def _is_alone(self, cluster: str, text: str) -> bool:
        """Whether new nodes can be asked without the others: for amounts, beside what is bound."""
        if self.after_pending or not AMOUNTS.fullmatch(text):
            return False
        if cluster not in self._alone:
            self._alone[cluster] = are_solitary([Pod()], self.sandwich.bound(cluster))
        return self._alone[cluster]

    def _added(self, cluster: str, text: str, bought: Bought) -> Headroom | None:
        """The answer of the nodes as they are, and that of the new ones beside it."""
        base = self._ask(cluster, text, ())
        alone = Objects(related=self.clusters[cluster].related)
        question = Question((text,), False, self.namespace)
        grown = with_nodes(alone, new_nodes(self.sandwich, bought))
        told = headroom_objects(cluster, grown, question, self.sandwich.options)
        if base is None or base.refused is None:
            return base
        (more,) = told.answers
        first = base.shapes[0]
        shape = ShapeCount(first.name, first.each, first.asked, base.count + more.count)
        message = base.message if more.message is None else f"{base.message} Of the new nodes: {more.message}"
        return Headroom(cluster, [shape], refused=more.refused, message=message, hosts=base.hosts + more.hosts)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _unseen(self, source: str, entries: Iterable[NotEvaluated]) -> None:
        """Remember what a source did not evaluate, once."""
        known = self.not_evaluated.setdefault(source, [])
        known += [one for one in entries if one not in known]

    def _tried(self, cluster: str, text: str, pools: Sequence[Pool]) -> list[PoolRoom]:
        """Each pool with what one new node of it takes, when there is one of each."""
        if not pools:
            return []
        answer = self._ask(cluster, text, tuple((pool, "") for pool in pools))
        found = []
        for pool, host in zip(pools, answer.hosts[-len(pools) :] if answer is not None else ()):
            room = PoolRoom(pool, per_node=sum(host.counts))
            if not room.per_node and host.rule not in BY_OTHERS:
                room.unfit = f"{host.rule}: {host.text}"
            found.append(room)
        return found

    def _growths(self, useful: dict[str, list[PoolRoom]]) -> dict[str, Growth]:
        wanted: dict[str, list[Pool]] = {}
        for rooms in useful.values():
            for room in rooms:
                wanted.setdefault(room.pool.cloud, []).append(room.pool)
        return {
            name: grow(self.sandwich, name, pools, after_pending=self.after_pending)
            for name, pools in sorted(wanted.items())
        }

    def _by_itself(self, room: ClusterRoom, text: str, pools: list[PoolRoom], growths: dict[str, Growth]) -> None:
        """Each pool of a cluster alone, then all of them for this cluster alone."""
        for one in pools:
            growth = growths[one.pool.cloud]
            mark = growth.mark()
            hosts = growth.fill(one.pool.server(room.cluster), MOST_NODES)
            if len(hosts) < MOST_NODES:
                server = one.pool.server(f"{room.cluster}-next")
                one.stopped = growth.why_not(server, growth.place(server))
            growth.undo(mark)
            one.servers, one.hosts = len(hosts), dict(Counter(hosts))
            answer = self._ask(room.cluster, text, tuple((one.pool, host) for host in hosts))
            one.pods = answer.count - room.as_is if answer is not None else 0
        marks = [(growth, growth.mark()) for growth in growths.values()]
        bought = take_in_turn({room.cluster: pools}, growths)[room.cluster]
        for growth, mark in marks:
            growth.undo(mark)
        answer = self._ask(room.cluster, text, bought)
        if answer is not None:
            room.alone, room.alone_nodes = answer.count, len(bought)

    def _together(
        self, found: ShapeRoom, text: str, useful: dict[str, list[PoolRoom]], growths: dict[str, Growth]
    ) -> None:
        """All clusters, each taking a node in its turn."""
        marks = [(growth, growth.mark()) for growth in growths.values()]
        taken = take_in_turn(useful, growths)
        for growth, mark in marks:
            growth.undo(mark)
        for room in found.clusters:
            answer = self._ask(room.cluster, text, taken[room.cluster])
            if answer is not None:
                room.together, room.together_nodes = answer.count, len(taken[room.cluster])
                room.message = answer.message


def closed_clouds(sandwich: Sandwich, names: Iterable[str]) -> dict[str, str]:
    """Clouds whose dumps do not tell what their hosts have, with why."""
    found = {}
    for name in sorted(names):
        try:
            cloud_hosts(sandwich.clouds[name])
        except InputError as problem:
            found[name] = str(problem)
    return found


def take_in_turn(useful: dict[str, list[PoolRoom]], growths: dict[str, Growth]) -> dict[str, Bought]:
    """New nodes for clusters that take one each in turn, of the pool that brings most pods for its share of the cloud
    and still finds a host, until none does.
    """
    order = {
        cluster: sorted(rooms, key=lambda one: (-worth(one, growths[one.pool.cloud]), one.pool.name))
        for cluster, rooms in useful.items()
    }
    taken: dict[str, list[tuple[Pool, str]]] = {cluster: [] for cluster in useful}
    waiting = [cluster for cluster in useful if order[cluster]]
    while waiting:
        for cluster in list(waiting):
            pool, host = next_node(cluster, order[cluster], growths, len(taken[cluster]))
            if pool is not None and host is not None:
                taken[cluster].append((pool, host))
            if pool is None or len(taken[cluster]) >= MOST_NODES:
                waiting.remove(cluster)
    return {cluster: tuple(some) for cluster, some in taken.items()}


def next_node(
    cluster: str, order: list[PoolRoom], growths: dict[str, Growth], number: int
) -> tuple[Pool | None, str | None]:
    """One more node of the first pool that finds a host; pools that find none are taken out of `order`."""
    while order:
        pool = order[0].pool
        growth = growths[pool.cloud]
        decision = growth.place(pool.server(f"{cluster}-new-{number}"))
        if decision.host is not None:
            return pool, growth.hosts[decision.host]
        order.pop(0)
    return None, None


def worth(room: PoolRoom, growth: Growth) -> Fraction:
    """Pods that a new node brings, for the share of the cloud that its server takes."""
    return room.per_node / growth.share(room.pool.wanted)


def new_nodes(sandwich: Sandwich, bought: Iterable[tuple[Pool, str]]) -> Iterable[tuple[Mould, str, Mapping[str, str]]]:
    """What `with_nodes` takes: each node's mould, its name, and labels of where it is."""
    for number, (pool, host) in enumerate(bought):
        labels = new_labels(pool, sandwich.hosts.get(f"{pool.cloud}/{host}"))
        yield pool.mould, f"{pool.cluster}-new-{number}", labels
