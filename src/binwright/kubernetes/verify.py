"""Replays the pods that a cluster has bound, in creation order, and tells which placements its rules would refuse.

Every pod finds the cluster with the older pods in it and nothing else: pods that came later are not held against it,
pods that have gone since are unknown. Whatever the verdict, it then takes its place. Nodes are taken as if open:
cordons and taints by condition (`closed_nodes`) came when they came, and are told apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import msgspec

from binwright.errors import InputError
from binwright.explain import Explanation
from binwright.explained import RuleText, Shortfall
from binwright.formats.files import Blob
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.closed_nodes import ClosedNodes
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.drain_filters import controller, is_mirror
from binwright.kubernetes.host_answers import rejected_by, shortfalls
from binwright.kubernetes.objects import Pod, PodSpec
from binwright.kubernetes.pending import DEFAULT_SCHEDULER, Queue, priority, sort_out
from binwright.kubernetes.place import Options
from binwright.kubernetes.plugins.node_ports import NodePorts
from binwright.kubernetes.plugins.spread_constraints import HARD
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.kubernetes.statuses import Statuses
from binwright.outcome import NotEvaluated
from binwright.verified import HOST_CHANGED, INFEASIBLE, PAST, Finding, Skipped, SourceVerified

__all__ = ["verify_objects", "verify_source"]

STATIC = "static pod: the kubelet runs it from a file"
STRAY = "its node is not in the input"


def verify_source(name: str, blobs: Iterable[Blob], options: Options) -> SourceVerified:
    """Verify the cluster that the files of one source describe.

    Raises InputError naming file, object and field for bad input, and when there is no Node at all.
    """
    return verify_objects(name, read_blobs(blobs, options.complete), options)


def verify_objects(name: str, objects: Objects, options: Options) -> SourceVerified:
    """As `verify_source`, from objects that have been read."""
    if not objects.nodes:
        raise InputError(f"{name}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    profiles, related = options.profiles, objects.related
    bound = _Bound.sorted_out(objects, {one.scheduler_name for one in profiles})
    closed = ClosedNodes(objects.nodes)
    try:
        judging = [replace(one, scores={}) for one in profiles]  # nothing is chosen
        cluster = Cluster(closed.opened, bound.all, judging, related)
        refused = _Replay(cluster).run(bound)
    except InputError as problem:
        raise InputError(f"{name}: {problem}") from None
    findings = [_finding(name, one.kind, one.pod, one.rejected_by, one.shortfalls) for one in refused]
    known = {id(one.pod) for one in refused}
    for pod in bound.judged:
        closing = [] if id(pod) in known else closed.refuses(pod, _node(pod))
        if closing:
            findings.append(_finding(name, HOST_CHANGED, pod, closing))
    found = SourceVerified(name, "kubernetes", len(objects.nodes), len(bound.judged), findings)
    for why, pods in ((STATIC, bound.static), (STRAY, bound.strays)):
        if pods:
            found.skipped.append(Skipped(why, len(pods), f"Pod {pods[0].key}"))
    found.not_evaluated = _not_evaluated(bound, objects, options)
    return found


@dataclass
class _Bound:
    """The bound pods of a cluster, oldest first: `judged` by the rules here; `foreign`, of another scheduler, and
    `static` take their room only; `strays` have no node in the input.
    """

    all: list[Pod] = field(default_factory=list)
    judged: list[Pod] = field(default_factory=list)
    foreign: list[Pod] = field(default_factory=list)
    static: list[Pod] = field(default_factory=list)
    strays: list[Pod] = field(default_factory=list)

    @classmethod
    def sorted_out(cls, objects: Objects, known: Collection[str]) -> _Bound:
        """known: the schedulers that have a profile here."""
        found = cls()
        nodes = {node.metadata.name for node in objects.nodes}
        for pod in sorted(sort_out(objects.pods).bound, key=_age):
            if _node(pod) not in nodes:
                found.strays.append(pod)
                continue
            found.all.append(pod)
            scheduler = (pod.spec.scheduler_name if pod.spec else None) or DEFAULT_SCHEDULER
            if is_mirror(pod) or _owned_by_node(pod):
                found.static.append(pod)
            elif scheduler not in known:
                found.foreign.append(pod)
            else:
                found.judged.append(pod)
        return found


@dataclass
class _Refused:
    """A placement that the rules refuse."""

    pod: Pod
    kind: str
    item: int
    rejected_by: list[RuleText]
    shortfalls: list[Shortfall]


class _Replay:
    """Binds pods one after another, each to its own node."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._refused: list[_Refused] = []

    def run(self, bound: _Bound) -> list[_Refused]:
        """All pods in order; returns those that were refused."""
        judged = {id(pod) for pod in bound.judged}
        for pod in bound.all:
            if id(pod) in judged:
                self._judge(pod)
            else:
                self._cluster.bind([pod])
        for one in self._refused:
            one.kind = INFEASIBLE if self._refused_today(one) else PAST
        return self._refused

    def _judge(self, pod: Pod) -> None:
        """The engine looks at the pod's own node only, and places it there if that is feasible."""
        cluster, fleet = self._cluster, self._cluster.fleet
        host, request = cluster.nodes.index[_node(pod)], cluster.request(_asking(pod))
        fleet.window(1, [host])
        result = fleet.place(request)
        if result.hosts[0] == host:
            cluster.held[int(result.items[0])] = pod
            return
        # Of the live fleet, which a fork would copy whole: it is read before anything changes.
        look = Explanation(fleet, request.index)
        statuses = Statuses(cluster, look)
        status = statuses[host]
        assert status is not None
        why, lacks = rejected_by(statuses, host, status), shortfalls(cluster, look, host)
        item = int(fleet.claim(cluster.holder(pod), host)[0])
        cluster.held[item] = pod
        self._refused.append(_Refused(pod, INFEASIBLE, item, why, lacks))

    def _refused_today(self, one: _Refused) -> bool:
        """Whether the pod would be refused where it is by the cluster as it stands, were it to come now."""
        if any(found.rule == NodePorts.plugin for found in one.rejected_by):
            return True  # whoever holds the port is older and still there, and in the peer's store it is held once
        fleet = self._cluster.fleet
        host, request = self._cluster.nodes.index[_node(one.pod)], self._cluster.request(_asking(one.pod))
        fleet.window(1, [host])
        token = fleet.checkpoint()
        fleet.release([one.item])
        refused = fleet.place(request).placed == 0
        fleet.rollback(token)
        return refused


def _age(pod: Pod) -> tuple[bool, str, str, int, str, str]:
    """Sort key: older first; of one second, by when the kubelet had it, then as the queue has them. No time is last."""
    meta = pod.metadata
    created, started = meta.creation_timestamp, pod.status.start_time if pod.status else None
    return (created is None, created or "", started or "", -priority(pod), meta.namespace or "default", meta.name or "")


def _asking(pod: Pod) -> Pod:
    """A bound pod as it asked for its node; what it takes there may have been resized since, so its status stays."""
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec or PodSpec(), node_name=None))


def _node(pod: Pod) -> str:
    return (pod.spec.node_name if pod.spec else None) or ""


def _owned_by_node(pod: Pod) -> bool:
    owner = controller(pod)
    return owner is not None and owner.kind == "Node"


def _finding(source: str, kind: str, pod: Pod, why: list[RuleText], lacks: Iterable[Shortfall] = ()) -> Finding:
    meta = pod.metadata
    return Finding(
        source, kind, "Pod", meta.namespace or "default", meta.name or "", meta.uid, _node(pod), why, list(lacks),
        meta.labels or {},
    )  # fmt: skip


def _not_evaluated(bound: _Bound, objects: Objects, options: Options) -> list[NotEvaluated]:
    """What could not be judged. Groups are placed together or not at all, but each pod where it may be; cluster
    defaults of the spread that only score are no loss either.
    """
    queue = Queue(pending=bound.judged, bound=[*bound.foreign, *bound.static], foreign=bound.foreign)
    found = not_evaluated.find(queue, objects.related, options.profile, options.others)
    stated = options.profiles if options.profile is not None else ()
    defaults = [one for profile in stated for one in profile.spread.defaults]
    irrelevant = {"PodGroup"}
    if not any((one.when_unsatisfiable or HARD) == HARD for one in defaults):
        irrelevant.add("PodTopologySpread (cluster defaults)")
    return [one for one in found if one.rule not in irrelevant]
