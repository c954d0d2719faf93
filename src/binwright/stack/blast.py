"""`stack blast`: what breaks when a physical host, rack or zone is lost, and what finds another place at once."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from binwright.errors import InputError
from binwright.kubernetes import label_selectors
from binwright.kubernetes.disruption import Budget, read_budgets, ready
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.outage import Outage, Outages
from binwright.kubernetes.spread_claims import Workload
from binwright.outcome import NotEvaluated
from binwright.stack.audit_result import ref_entry
from binwright.stack.envelope import API_VERSION, merged_not_evaluated, not_evaluated_entries
from binwright.stack.finding import Ref
from binwright.stack.quorum_check import quorums
from binwright.stack.sandwich import LEVELS, Host, NodePlace, Sandwich
from binwright.stack.source_errors import errors_of
from binwright.stack.unplaced import unplaced

KINDS = ("quorum", "service", "budget")
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Break:
    """Something that does not survive. kind: "quorum" (a majority is gone), "service" (every pod of a workload is) or
    "budget" (fewer healthy pods than it promises). had, left, needed: members.
    """

    kind: str
    object: Ref
    had: int
    left: int
    needed: int


@dataclass(slots=True)
class Blast:
    """One loss. placed: pods whose replacement finds a node at once; homeless: (pod, why) of those whose does not;
    ended: pods that end with their node. servers: that are lost, nodes among them.
    """

    level: str
    name: str
    hosts: list[str]
    servers: int
    nodes: int
    lost: int
    placed: int
    ended: int
    breaks: list[Break] = field(default_factory=list)
    homeless: list[tuple[Ref, str]] = field(default_factory=list)

    @property
    def weight(self) -> tuple[int, ...]:
        """More is worse: quorums, services, budgets, homeless pods, lost pods."""
        kinds = [one.kind for one in self.breaks]
        return (*(kinds.count(kind) for kind in KINDS), len(self.homeless), self.lost)


@dataclass(slots=True)
class BlastResult:
    """blasts: worst first where several were asked for."""

    sandwich: Sandwich
    blasts: list[Blast]
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def unhurt(self) -> bool:
        """Whether no loss breaks anything and every replaceable pod finds a node."""
        return not any(one.breaks or one.homeless for one in self.blasts)

    def to_dict(self) -> dict[str, Any]:
        """The envelope, kind BlastResult: plain dicts, lists, strings and exact numbers."""
        return {
            "apiVersion": API_VERSION,
            "kind": "BlastResult",
            "summary": {
                "asked": len(self.blasts),
                "breaking": sum(bool(one.breaks) for one in self.blasts),
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "losses": [_entry(one) for one in self.blasts],
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }


def _entry(one: Blast) -> dict[str, Any]:
    return {
        "level": one.level,
        "name": one.name,
        "hosts": one.hosts,
        "servers": one.servers,
        "nodes": one.nodes,
        "pods": {"lost": one.lost, "placed": one.placed, "homeless": len(one.homeless), "ended": one.ended},
        "breaks": [
            {
                "kind": each.kind,
                "object": ref_entry(each.object),
                "had": each.had,
                "left": each.left,
                "needed": each.needed,
            }
            for each in one.breaks
        ],
        "homeless": [{"object": ref_entry(ref), "message": why or None} for ref, why in one.homeless],
    }


def domains(sandwich: Sandwich, level: str) -> dict[str, list[Host]]:
    """Name -> physical hosts, of every host, rack or zone that the sandwich has."""
    found: dict[str, list[Host]] = {}
    for key in sorted(sandwich.hosts):
        host = sandwich.hosts[key]
        name = host.at(level)
        if host.physical() is host and name is not None:
            found.setdefault(name, []).append(host)
    return found


def find_domain(sandwich: Sandwich, level: str, name: str) -> tuple[str, list[Host]]:
    """The host, rack or zone called `name`; SOURCE/ may be left out. Raises InputError for none, or several."""
    if level not in LEVELS:
        raise InputError(f"--lose {level}={name}: no such level (there are {', '.join(LEVELS)})")
    known = domains(sandwich, level)
    matches = [one for one in known if one == name or one.endswith(f"/{name}")]
    if len(matches) != 1:
        what = f"several {level}s: {', '.join(matches)}" if matches else f"no {level} of this name"
        raise InputError(f"--lose {level}={name}: {what}")
    return matches[0], known[matches[0]]


class _Cluster:
    """What of one cluster every question needs."""

    def __init__(self, sandwich: Sandwich, name: str) -> None:
        objects = sandwich.clusters[name]
        self.name = name
        with errors_of(name):
            self.outages = Outages(objects, sandwich.options.profiles)
        self.workload_of: dict[int, Workload] = {}
        for workload in sandwich.workloads(name):
            for pod in workload.pods:
                self.workload_of[id(pod)] = workload
        self.quorum_of: dict[int, tuple[str, str, tuple[Pod, ...]]] = {}
        for group in quorums(sandwich.workloads(name)):
            for pod in group[2]:
                self.quorum_of[id(pod)] = group
        self.budgets: dict[str, list[Budget]] = {}
        for budget in read_budgets(objects.related):
            self.budgets.setdefault(budget.namespace, []).append(budget)
        self._selecting: dict[tuple[str, tuple[tuple[str, str], ...]], list[Budget]] = {}

    def selecting(self, pod: Pod) -> list[Budget]:
        """The budgets that count a pod."""
        namespace, labels = pod.metadata.namespace or "default", pod.metadata.labels or {}
        key = namespace, tuple(sorted(labels.items()))
        if key not in self._selecting:
            listed = self.budgets.get(namespace, ())
            self._selecting[key] = [one for one in listed if label_selectors.matches(one.selector, labels)]
        return self._selecting[key]


class Blaster:
    """A sandwich that can be asked about any loss; every cluster is compiled once."""

    def __init__(self, sandwich: Sandwich) -> None:
        self.sandwich = sandwich
        self._clusters = {name: _Cluster(sandwich, name) for name in sorted(sandwich.clusters)}
        self._nodes: dict[str, list[NodePlace]] = {}
        for place in sandwich.nodes.values():
            if place.host is not None:
                self._nodes.setdefault(place.host.physical().key, []).append(place)
        self._servers: dict[str, int] = {}
        for server in sandwich.servers.values():
            if server.host is not None:
                key = server.host.physical().key
                self._servers[key] = self._servers.get(key, 0) + 1

    def not_evaluated(self) -> list[NotEvaluated]:
        """What lies on no known host, so that no loss takes it; what replacements use and is not evaluated."""
        rules = [(name, known.outages.not_evaluated()) for name, known in self._clusters.items()]
        return unplaced(self.sandwich) + merged_not_evaluated(rules)

    def lose(self, level: str, name: str, hosts: Iterable[Host], *, explain: bool = True) -> Blast:
        """What is lost with these physical hosts. explain: say why homeless pods are."""
        keys = [host.key for host in hosts]
        by_cluster: dict[str, list[str]] = {}
        for key in keys:
            for place in self._nodes.get(key, ()):
                by_cluster.setdefault(place.cluster, []).append(place.name)
        blast = Blast(
            level, name, keys, sum(self._servers.get(key, 0) for key in keys),
            sum(map(len, by_cluster.values())), 0, 0, 0,
        )  # fmt: skip
        for cluster in sorted(by_cluster):
            known = self._clusters[cluster]
            outage = known.outages.lose(sorted(by_cluster[cluster]), explain=explain)
            blast.lost += len(outage.lost)
            blast.placed += len(outage.placed)
            blast.ended += len(outage.lost) - len(outage.placed) - len(outage.homeless)
            blast.breaks += breaks(known, outage)
            blast.homeless += [(pod_ref(cluster, pod), why) for pod, why in outage.homeless]
        blast.breaks.sort(key=lambda one: (KINDS.index(one.kind), str(one.object)))
        return blast


def breaks(known: _Cluster, outage: Outage) -> list[Break]:
    """Quorums, services and budgets that do not survive these losses."""
    lost = {id(pod) for pod in outage.lost}
    found = []
    for namespace, name, members in _each(known.quorum_of, outage.lost):
        left, needed = sum(id(pod) not in lost for pod in members), len(members) // 2 + 1
        if left < needed:
            found.append(Break("quorum", Ref(known.name, "Quorum", name, namespace), len(members), left, needed))
    for workload in _each(known.workload_of, outage.lost):
        if workload.kind in ("DaemonSet", "Node") or any(id(pod) not in lost for pod in workload.pods):
            continue
        ref = Ref(known.name, workload.kind, workload.name, workload.namespace)
        found.append(Break("service", ref, len(workload.pods), 0, 1))
    healthy: dict[int, tuple[Budget, int]] = {}
    for pod in outage.lost:
        for budget in known.selecting(pod) if ready(pod) else ():
            healthy[id(budget)] = budget, healthy.get(id(budget), (budget, budget.healthy))[1] - 1
    for budget, left in healthy.values():
        if left < budget.desired <= budget.healthy:
            ref = Ref(known.name, "PodDisruptionBudget", budget.name, budget.namespace)
            found.append(Break("budget", ref, budget.healthy, max(left, 0), budget.desired))
    return found


def _each(of: Mapping[int, Thing], pods: Iterable[Pod]) -> list[Thing]:
    """What these pods belong to, each once, in order."""
    return list({id(one): one for pod in pods if (one := of.get(id(pod))) is not None}.values())


def pod_ref(cluster: str, pod: Pod) -> Ref:
    """A pod as an object of a result."""
    return Ref(cluster, "Pod", pod.metadata.name or "", pod.metadata.namespace or "default")


def blast(
    sandwich: Sandwich, lose: Iterable[tuple[str, str]] = (), any_level: str | None = None, seconds: float = 0.0
) -> BlastResult:
    """Every loss of `lose` (level, name) by itself, and each domain of `any_level`, ranked worst first.

    Raises InputError for a level or name that the sandwich does not have.
    """
    start = time.perf_counter()
    asked = [(level, *find_domain(sandwich, level, name)) for level, name in lose]
    if any_level is not None:
        asked += [(any_level, name, hosts) for name, hosts in domains(sandwich, any_level).items()]
    blaster = Blaster(sandwich)
    found = [blaster.lose(level, name, hosts, explain=any_level is None) for level, name, hosts in asked]
    found.sort(key=lambda one: tuple(-part for part in one.weight))
    return BlastResult(sandwich, found, blaster.not_evaluated(), seconds + time.perf_counter() - start)
