"""The nodes of a cluster that can be emptied together, and the moves that empty them, in an order that can be executed.

All of them are cordoned first, and every pod goes straight to a node that stays: no move waits for another on a cycle.
What counts is the last replay, pod by pod, with the scheduler's rules, cordoned nodes and disruption budgets as they
would be; the search before it (`binwright.emptying`) only says which nodes to try.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from binwright.emptying import WAITING, Budgets, Emptied, Sizes, emptiable, in_sequence
from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.disruption import Answer, Budget, EvictionApi
from binwright.kubernetes.drain import held, held_by_budget, pods_by_node
from binwright.kubernetes.drain_filters import Action, DrainFlags, fate
from binwright.kubernetes.evacuation import Evacuation, replacement
from binwright.kubernetes.node_needs import needs
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.place import Options
from binwright.kubernetes.plugins.node_unschedulable import UNSCHEDULABLE
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.kubernetes.tolerations import tolerates
from binwright.moves import Consolidated, Evacuated, Held
from binwright.request import Request

__all__ = ["ConsolidateFlags", "consolidate", "consolidate_source"]

CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"
DISABLED = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"
HALVE_AFTER = 6


@dataclass(frozen=True)
class ConsolidateFlags:
    """delete_emptydir_data: pods with emptyDir volumes may be moved, too."""

    delete_emptydir_data: bool = False


def consolidate_source(source: str, blobs: Iterable[Blob], flags: ConsolidateFlags, options: Options) -> Consolidated:
    """Consolidate the cluster that the files of one source describe. Raises InputError naming file, object, field."""
    objects = read_blobs(blobs)
    if not objects.nodes:
        raise InputError(f"{source}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    objects.related.complete = options.complete
    try:
        return consolidate(source, objects, flags, options.profile)
    except InputError as problem:
        raise InputError(f"{source}: {problem}") from None


def consolidate(
    source: str, objects: Objects, flags: ConsolidateFlags, profile: SchedulerProfile | None = None
) -> Consolidated:
    """The largest set of nodes found that can be emptied together, the moves, and what bounds any such set."""
    before = Evacuation(source, objects, (), profile)
    cluster = before.cluster
    staying = _staying(source, objects, flags, before.api)
    names = cluster.nodes.names
    requests = _movable(cluster, staying)
    budgets: dict[int, tuple[Budget, int]] = {}
    for item, pod in cluster.held.items():
        judged = before.api.judge(pod)
        if judged.answer is Answer.COUNTED and judged.budget is not None:
            budgets[item] = judged.budget, judged.budget.allowed
    candidates = {host: items for host, items in requests.items() if names[host] not in staying.nodes}
    chosen = emptiable(cluster.fleet, candidates, budgets)
    evacuation, emptied = _replayed(source, objects, profile, chosen, requests, budgets, cluster)
    found = Evacuated(
        source,
        "kubernetes",
        len(names),
        emptied,
        evacuation.moves,
        [one for some in staying.nodes.values() for one in some],
        evacuation.budget_uses(),
        evacuation.rounds,
        objects.skipped_kinds,
        evacuation.not_evaluated(),
        evacuation.notes(),
    )
    idle = [name for name in emptied if not requests[cluster.nodes.index[name]]]
    if idle:
        found.notes.append(
            f"{len(idle)} of the emptied nodes run nothing, or pods of daemon sets only, such as {idle[0]}; nodes that "
            f'are there for these are kept by annotation {DISABLED}: "true"'
        )
    fixed = [name in staying.nodes for name in names]
    return Consolidated(found, idle, needs(cluster, requests, fixed, staying.gone))


# ---- who stays -------------------------------------------------------------------------------------------------------


@dataclass
class _Staying:
    """`nodes`: node -> why it is not emptied. `pods`: keys of pods that never move (they stay, go with their node, or
    are refused); `gone`: keys of those that go without being replaced.
    """

    nodes: dict[str, list[Held]]
    pods: set[str]
    gone: set[str]


def _staying(source: str, objects: Objects, flags: ConsolidateFlags, api: EvictionApi) -> _Staying:
    staying = _Staying({}, set(), set())
    for node in objects.nodes:
        why = _node_reason(node)
        if why is not None:
            name = node.metadata.name or ""
            staying.nodes[name] = [Held(source, "Node", None, name, node.metadata.uid, name, "refuse", *why)]
    for name, pods in pods_by_node(objects.pods).items():
        for pod in pods:
            annotations = pod.metadata.annotations
            safe = annotations is not None and annotations.safe_to_evict == "true"
            what = fate(pod, DrainFlags(True, flags.delete_emptydir_data or safe))
            if what.action is not Action.EVICT:
                (staying.gone if what.action is Action.DELETE else staying.pods).add(pod.key)
                if what.action is not Action.REFUSE:
                    continue
                refused = held(source, pod, what.action.value, what.reason, what.text)
            else:
                reason = _pod_reason(pod)
                judged = api.judge(pod)
                if reason is not None:
                    refused = held(source, pod, "refuse", *reason)
                elif judged.answer in (Answer.NOT_NOW, Answer.NEVER):
                    refused = held_by_budget(source, pod, judged)
                else:
                    continue
                staying.pods.add(pod.key)
            staying.nodes.setdefault(name, []).append(refused)
    return staying


def _node_reason(node: Node) -> tuple[str, str] | None:
    """(word, sentence) why a node is not emptied whatever runs there."""
    labels, annotations = node.metadata.labels or {}, node.metadata.annotations
    for label in CONTROL_PLANE:
        if label in labels:
            return "controlPlane", f"label {label}"
    if annotations is not None and annotations.scale_down_disabled == "true":
        return "doNotEvict", f'annotation {DISABLED}: "true"'
    if annotations is not None and annotations.do_not_disrupt == "true":
        return "doNotEvict", f'annotation {DO_NOT_DISRUPT}: "true"'
    return None


def _pod_reason(pod: Pod) -> tuple[str, str] | None:
    """(word, sentence) why a pod that could be evicted is not."""
    annotations = pod.metadata.annotations
    if annotations is not None and annotations.safe_to_evict == "false":
        return "doNotEvict", f'annotation {SAFE}: "false"'
    if annotations is not None and annotations.do_not_disrupt == "true":
        return "doNotEvict", f'annotation {DO_NOT_DISRUPT}: "true"'
    if any(tolerates(one, UNSCHEDULABLE) for one in (pod.spec.tolerations if pod.spec else None) or ()):
        return "comesBack", f"tolerates {UNSCHEDULABLE.key}, so it may come back to a cordoned node"
    return None


# ---- which nodes -----------------------------------------------------------------------------------------------------


def _movable(cluster: Cluster, staying: _Staying) -> dict[int, dict[int, Request]]:
    """For every node its pods that could be somewhere else, each with the request that would place its replacement."""
    requests: dict[int, dict[int, Request]] = {host: {} for host in range(len(cluster.nodes))}
    for item, pod in cluster.held.items():
        if pod.key not in staying.pods and pod.key not in staying.gone:
            host = cluster.nodes.index[(pod.spec and pod.spec.node_name) or ""]
            requests[host][item] = cluster.request(replacement(pod))
    return requests


def _replayed(
    source: str,
    objects: Objects,
    profile: SchedulerProfile | None,
    chosen: Emptied,
    requests: dict[int, dict[int, Request]],
    budgets: Budgets,
    cluster: Cluster,
) -> tuple[Evacuation, list[str]]:
    """The moves as they would be made, and the nodes that they empty; nodes that a replay cannot empty are kept."""
    sizes = Sizes(cluster.fleet)
    hosts = list(chosen.hosts)
    for attempt in count():
        names = [cluster.nodes.names[host] for host in hosts]
        evacuation = Evacuation(source, objects, names, profile)
        by_host = (list(requests[host].items()) for host in hosts)
        pods = [cluster.held[item] for item, _ in in_sequence(by_host, chosen.sequence, sizes, budgets)]
        stuck = evacuation.carry_out(pods, only_with_a_place=True, in_order=chosen.sequence == WAITING)
        if not stuck:
            break
        hosts = _fewer(hosts, {cluster.nodes.index[(pod.spec and pod.spec.node_name) or ""] for pod in stuck}, attempt)
    return evacuation, names


def _fewer(hosts: list[int], stuck: set[int], attempt: int) -> list[int]:
    """What to try when some nodes could not be emptied: first without a third of these, those taken last; when that
    has not helped often, without half of all, too.
    """
    late = [host for host in reversed(hosts) if host in stuck]
    kept = set(late[: -(-len(late) // 3)])
    if attempt >= HALVE_AFTER:
        kept |= set(hosts[len(hosts) // 2 :])
    return [host for host in hosts if host not in kept]
