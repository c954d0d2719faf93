"""The nodes of a cluster that can be emptied together, and the moves that empty them, in an order that can be executed.

All of them are cordoned first, and every pod goes straight to a node that stays: no move waits for another on a cycle.
What counts is the last replay, pod by pod, with the scheduler's rules, cordoned nodes and disruption budgets as they
would be; the search before it (`binwright.emptying`) only says which nodes to try.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from math import lcm

from binwright.emptying import WAITING, Budgets, Emptied, Sizes, emptiable, in_sequence
from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import Profiles
from binwright.kubernetes.disruption import Answer, Budget
from binwright.kubernetes.evacuation import Evacuation, replacement
from binwright.kubernetes.node_needs import needs
from binwright.kubernetes.objects import Node
from binwright.kubernetes.place import Options
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.kubernetes.staying import SCALE_DOWN_DISABLED, Staying, staying_in
from binwright.moves import Consolidated, Evacuated
from binwright.request import Request
from binwright.units import shown

__all__ = ["ConsolidateFlags", "consolidate", "consolidate_source", "read_source"]

INSTANCE_TYPE = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
HALVE_AFTER = 6


@dataclass(frozen=True)
class ConsolidateFlags:
    """delete_emptydir_data: pods with emptyDir volumes may be moved, too. prices: of the kinds of all nodes that could
    go, by the names in their label node.kubernetes.io/instance-type; None counts nodes. kept: nodes that stay for what
    the cluster does not know, node -> (word, sentence why).
    """

    delete_emptydir_data: bool = False
    prices: Mapping[str, Fraction] | None = None
    kept: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def read_source(source: str, blobs: Iterable[Blob], options: Options) -> Objects:
    """The cluster that the files of one source describe. Raises InputError naming file, object and field."""
    objects = read_blobs(blobs)
    if not objects.nodes:
        raise InputError(f"{source}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    objects.related.complete = options.complete
    return objects


def consolidate_source(source: str, objects: Objects, flags: ConsolidateFlags, options: Options) -> Consolidated:
    """Consolidate a cluster that was read. Raises InputError naming source, object and field."""
    try:
        return consolidate(source, objects, flags, options.profiles)
    except InputError as problem:
        raise InputError(f"{source}: {problem}") from None


def consolidate(source: str, objects: Objects, flags: ConsolidateFlags, profile: Profiles = None) -> Consolidated:
    """The largest set of nodes found that can be emptied together, or the dearest one if there are prices; the moves,
    and what bounds any such set.
    """
    before = Evacuation(source, objects, (), profile)
    cluster = before.cluster
    staying = staying_in(source, objects, flags.delete_emptydir_data, flags.kept, before.api)
    names = cluster.nodes.names
    prices, free = _prices(objects.nodes, flags.prices, staying.nodes)
    requests = _movable(cluster, staying)
    budgets: dict[int, tuple[Budget, int]] = {}
    for item, pod in cluster.held.items():
        judged = before.api.judge(pod)
        if judged.answer is Answer.COUNTED and judged.budget is not None:
            budgets[item] = judged.budget, judged.budget.allowed
    candidates = {host: items for host, items in requests.items() if names[host] not in staying.nodes}
    whole = lcm(*(price.denominator for price in prices))
    worth = {host: int(prices[host] * whole) for host in candidates}
    chosen = emptiable(cluster.fleet, candidates, budgets, worth)
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
    if free:
        found.notes.append(
            f"{len(free)} of the nodes that must stay are of no kind in the catalogue, such as {free[0]}; their "
            "price is in none of the sums"
        )
    idle = [name for name in emptied if not requests[cluster.nodes.index[name]]]
    if idle:
        found.notes.append(
            f"{len(idle)} of the emptied nodes run nothing, or pods of daemon sets only, such as {idle[0]}; nodes that "
            f'are there for these are kept by annotation {SCALE_DOWN_DISABLED}: "true"'
        )
    fixed = [name in staying.nodes for name in names]
    saved = sum((prices[cluster.nodes.index[name]] for name in emptied), Fraction())
    total = sum(prices, Fraction())
    return Consolidated(
        found,
        idle,
        needs(cluster, requests, fixed, prices, staying.gone),
        None if flags.prices is None else (total, total - saved),
    )


def _prices(
    nodes: Iterable[Node], prices: Mapping[str, Fraction] | None, staying: Collection[str]
) -> tuple[list[Fraction], list[str]]:
    """What each node costs, 1 where nodes are counted; and the nodes that cost 0, as they stay whatever they cost and
    the catalogue does not know them. Raises InputError for another node that it does not know.
    """
    found, free = [], []
    for node in nodes:
        name, labels = node.metadata.name or "", node.metadata.labels or {}
        kind = next((labels[label] for label in INSTANCE_TYPE if label in labels), None)
        if prices is None:
            found.append(Fraction(1))
        elif kind is not None and kind in prices:
            found.append(prices[kind])
        elif name in staying:
            found.append(Fraction())
            free.append(name)
        elif kind is None:
            raise InputError(f"Node {name}: no label {INSTANCE_TYPE[0]}, so it has no price")
        else:
            raise InputError(f"Node {name}: label {INSTANCE_TYPE[0]}: {shown(kind)} is not in the catalogue")
    return found, free


# ---- which nodes -----------------------------------------------------------------------------------------------------


def _movable(cluster: Cluster, staying: Staying) -> dict[int, dict[int, Request]]:
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
    profile: Profiles,
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
