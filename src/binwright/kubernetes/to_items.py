"""The pods of a cluster as items to pack: pending and bound ones alike; pods of daemon sets are overhead of every node.

Amounts are requests (kubernetes spec 3): cpu in millicores, the rest in whole units. Node selectors become labels that
a bin must have, host ports and required anti-affinity between hosts what may not share one; every other rule about
where a pod may run is listed as not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from binwright.demand import Demand, Item
from binwright.formats.files import Blob
from binwright.kubernetes.admission import Admission
from binwright.kubernetes.apart import HOSTNAME, apart, of_namespace_labels
from binwright.kubernetes.objects import Pod, PodSpec
from binwright.kubernetes.pending import sort_out
from binwright.kubernetes.plugins.affinity_terms import terms_of
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.kubernetes.requests import Requests
from binwright.kubernetes.templates import of_workload
from binwright.outcome import NotEvaluated

__all__ = ["to_items"]

_RULES: dict[str, Callable[[PodSpec], bool]] = {
    "nodeAffinity": lambda spec: spec.affinity is not None and spec.affinity.node_affinity is not None,
    "topologySpreadConstraints": lambda spec: bool(spec.topology_spread_constraints),
    "volumes": lambda spec: any(one.persistent_volume_claim or one.ephemeral for one in spec.volumes or ()),
    "resourceClaims": lambda spec: bool(spec.resource_claims),
}


def to_items(name: str, blobs: Iterable[Blob]) -> Demand:
    """The items of one cluster. Raises InputError naming file, object and field for bad input."""
    read = read_blobs(blobs)
    queue = sort_out(read.pods)
    requests = Requests()
    demand = Demand(name, "kubernetes")
    daemons: dict[tuple[str, str], dict[str, int]] = {}
    users: dict[str, list[Pod]] = {}
    packed: list[Pod] = []
    on_every_node: list[Pod] = []
    for pod in [*queue.bound, *queue.pending]:
        amounts = dict(requests.of(pod).fit)
        daemon = _daemon_set(pod)
        if daemon is not None:
            if daemon not in daemons:
                on_every_node.append(pod)
            known = daemons.setdefault(daemon, {})
            for resource, amount in amounts.items():
                known[resource] = max(known.get(resource, 0), amount)
            continue
        spec = pod.spec
        packed.append(pod)
        demand.items.append(Item(pod.key, amounts, (spec and spec.node_selector) or {}))
        for rule, uses in _RULES.items():
            if spec is not None and uses(spec):
                users.setdefault(rule, []).append(pod)
        for rule in _relations(pod):
            users.setdefault(rule, []).append(pod)
    for owner, template in _daemons_without_pods(read, daemons):
        daemons[owner] = dict(requests.of(template).fit)
        on_every_node.append(template)
    for amounts in daemons.values():
        for resource, amount in amounts.items():
            demand.overhead[resource] = demand.overhead.get(resource, 0) + amount
    demand.overhead_items = len(daemons)
    kept = apart([*packed, *on_every_node], read.related)
    count = len(packed)
    if barred := sorted(at for at in kept.touching(range(count, count + len(on_every_node))) if at < count):
        users["hostPorts, podAntiAffinity against daemon sets"] = [packed[at] for at in barred]
    demand.at_most = [(inside, 1) for group in kept.groups if len(inside := [at for at in group if at < count]) > 1]
    demand.conflicts = sorted(pair for pair in kept.pairs if max(pair) < count)
    if not read.related.stated("Namespace") and (blind := [pod for pod in packed if of_namespace_labels(pod)]):
        users["podAntiAffinity (namespaceSelector)"] = blind
    demand.not_evaluated = [NotEvaluated(rule, len(pods), f"Pod {pods[0].key}") for rule, pods in users.items()]
    for what, pods in (("SchedulingGates", queue.gated), ("schedulerName", queue.foreign)):
        if pods:
            demand.not_evaluated.append(NotEvaluated(what, len(pods), f"Pod {pods[0].key}"))
    demand.not_evaluated += read.arrivals.not_evaluated
    demand.notes += read.arrivals.notes
    if daemons:
        demand.notes.append(f"{len(daemons)} daemon sets are counted on every node, their pods not as items")
    return demand


def _relations(pod: Pod) -> Iterable[str]:
    """The rules about other pods that packing does not carry out."""
    terms = terms_of(pod)
    if terms.affinity:
        yield "podAffinity"
    for key in sorted({term.key for term in terms.anti_affinity} - {HOSTNAME}):
        yield f"podAntiAffinity (topologyKey {key})"
    if terms.preferred or terms.preferred_anti:
        yield "podAffinity, podAntiAffinity (preferred)"


def _daemons_without_pods(read: Objects, known: Collection[tuple[str, str]]) -> Iterable[tuple[tuple[str, str], Pod]]:
    """(namespace and name of a daemon set that has no pod in the input, the pod that it would make)."""
    admission = Admission(read.related)
    for one in read.related.all("DaemonSet"):
        wanted = of_workload("DaemonSet", one)
        if (wanted.namespace, wanted.name) not in known and wanted.template is not None:
            made = admission.admit(wanted.pod(wanted.name, "DaemonSet", wanted.name))
            yield (wanted.namespace, wanted.name), made.pod


def _daemon_set(pod: Pod) -> tuple[str, str] | None:
    """Namespace and name of the daemon set that a pod belongs to."""
    for owner in pod.metadata.owner_references or ():
        if owner.kind == "DaemonSet" and owner.controller is not False:
            return pod.metadata.namespace or "default", owner.name
    return None
