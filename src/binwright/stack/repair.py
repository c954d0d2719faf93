"""The cheapest way out of a finding: pods moved to other nodes, servers migrated to other hosts, step after step.

Each step is let by the rules of its own layer (the whole scheduler, or Nova and Placement), and the sandwich as it
would be afterwards is audited again: a step that makes a new finding is not proposed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from binwright.errors import InputError
from binwright.explained import Explainable, HostAnswer
from binwright.kubernetes.disruption import Answer, EvictionApi, read_budgets
from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.explain import ExplainableCluster
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.outage import ENDS_WITH_NODE
from binwright.kubernetes.place import Options
from binwright.kubernetes.requests import Requests
from binwright.openstack.explain import ExplainableCloud
from binwright.stack.commands import command
from binwright.stack.finding import Finding, Ref, Repair
from binwright.stack.join import HOST_ID_LABELS, host_id
from binwright.stack.physical import BARE_METAL, MEMORY, MIB
from binwright.stack.sandwich import Host, NodePlace, Sandwich, ServerPlace
from binwright.stack.spread_check import LEVEL_OF_KEY
from binwright.stack.whatif import with_pod_on, with_server_moved

KINDS = ("spread", "quorum")
"""What moving things can mend."""
MOST_TRIES = 8  # options of one step that are audited
MIGRATE_ALIVE = ("ACTIVE", "PAUSED")
"""States of servers that Nova migrates while they run."""
WITH_HOST = ("--os-compute-api-version", "2.30")
"""The client refuses a live migration to a host below this microversion, and its default is 2.1."""

Findings = Callable[[Sandwich], Iterable[Finding]]


@dataclass(frozen=True)
class Step:
    """One move and the sandwich after it."""

    repair: Repair
    after: Sandwich


class Repairs:
    """Finds repairs for the findings of one sandwich. costs: what a step of an action counts instead of its bytes."""

    def __init__(self, sandwich: Sandwich, check: Findings, costs: Mapping[str, int] | None = None) -> None:
        self.sandwich = sandwich
        self.check = check
        self.costs = dict(costs or {})
        self.blind: list[str] = []  # what could not be asked of a layer, and why
        self._before = {about(one) for one in check(sandwich)}

    def of(self, finding: Finding) -> list[Repair]:
        """Steps, all of them to be done in this order; none when nothing was found that helps."""
        if finding.kind not in KINDS:
            return []
        steps: list[Repair] = []
        current, left = self.sandwich, finding
        for _ in range(len(finding.objects)):
            step = self._step(current, left)
            if step is None:
                return []
            steps.append(step.repair)
            current = step.after
            rest = [one for one in self.check(current) if about(one) == about(finding)]
            if not rest:
                return steps
            left = rest[0]
        return []

    def _step(self, sandwich: Sandwich, finding: Finding) -> Step | None:
        """The cheapest move of one member out of the fullest place to one that holds none."""
        level = level_of(finding)
        crowds: dict[str, list[tuple[Pod, NodePlace]]] = {}
        for pod, place in members(sandwich, finding):
            where = place.at(level)
            if where is not None:
                crowds.setdefault(where, []).append((pod, place))
        if not crowds:
            return None
        fullest = max(sorted(crowds), key=lambda name: len(crowds[name]))
        cluster = finding.objects[0].source
        options: list[tuple[int, int, Callable[[], Step | None]]] = []
        for number, (pod, place) in enumerate(crowds[fullest]):
            owner = controller(pod)
            if owner is not None and owner.kind not in ENDS_WITH_NODE:
                cost = self._cost("pod", Requests().of(pod).used.get(MEMORY, 0))
                options.append((cost, number, partial(move_pod, sandwich, cluster, pod, level, crowds, cost)))
            server = place.server
            if server is not None:
                cost = self._cost("migrate", memory_of(sandwich, server))
                options.append((cost, number, partial(migrate, sandwich, server, level, crowds, cost)))
        options.sort(key=lambda one: one[:2])
        for _, _, make in options[:MOST_TRIES]:
            try:
                step = make()
            except InputError as problem:  # the dump lacks what the layer's rules need
                self.blind.append(str(problem))
                continue
            if step is not None and {about(one) for one in self.check(step.after)} <= self._before:
                return step
        return None

    def _cost(self, action: str, size: int) -> int:
        return self.costs.get(action, size)


def about(finding: Finding) -> tuple[str, frozenset[str]]:
    """What a finding is of, wherever that lies."""
    return finding.kind, frozenset(str(ref) for ref in finding.objects if ref.kind not in ("Node", "Host", "Server"))


def level_of(finding: Finding) -> str:
    """Host, rack or zone: what a spread is claimed over."""
    if finding.kind == "spread":
        return next((level for key, level in LEVEL_OF_KEY.items() if f"claim {key} " in finding.evidence), "host")
    return "host"


def members(sandwich: Sandwich, finding: Finding) -> list[tuple[Pod, NodePlace]]:
    """The pods of a finding with their nodes."""
    cluster = finding.objects[0].source
    wanted = {(ref.namespace, ref.name) for ref in finding.objects if ref.kind == "Pod"}
    found = []
    for pod in sandwich.clusters[cluster].pods:
        place = sandwich.place_of(cluster, pod)
        if place is not None and (pod.metadata.namespace or "default", pod.metadata.name) in wanted:
            found.append((pod, place))
    return found


def memory_of(sandwich: Sandwich, place: ServerPlace) -> int:
    """Bytes of a server's memory, which a live migration copies."""
    cloud, server = sandwich.clouds[place.cloud], place.server
    flavor = server.flavor or next((one for one in cloud.flavors if server.flavor_ref in (one.id, one.name)), None)
    return MIB * flavor.memory_mb if flavor is not None else 0


def best_hosts(explainable: Explainable, wanted: Callable[[str, str | None, str | None], bool]) -> list[HostAnswer]:
    """Hosts that take the object that `wanted(name, namespace, uid)` means, best first."""
    number = next(i for i, one in enumerate(explainable.objects()) if wanted(one.name, one.namespace, one.uid))
    explained = explainable.explain(number, 1)
    feasible = [one for one in explained.hosts if one.feasible and one.host != explained.on]
    return sorted(feasible, key=lambda one: -(one.score or 0))


def move_pod(
    sandwich: Sandwich, cluster: str, pod: Pod, level: str, crowds: Mapping[str, object], cost: int
) -> Step | None:
    """A pod to the best node whose host, rack or zone has no member; nodes that score higher are cordoned meanwhile.
    None where a disruption budget does not let it go.
    """
    meta = pod.metadata
    judged = EvictionApi(read_budgets(sandwich.clusters[cluster].related)).judge(pod)
    if judged.answer not in (Answer.FREE, Answer.COUNTED):
        return None  # a disruption budget needs it where it is
    explainable = ExplainableCluster(cluster, sandwich.clusters[cluster], Options())
    namespace = meta.namespace or "default"
    passed: list[str] = []
    origin = (pod.spec and pod.spec.node_name) or ""
    for answer in best_hosts(explainable, lambda name, space, uid: (name, space) == (meta.name, namespace)):
        target = sandwich.nodes[cluster, answer.host]
        where = target.at(level)
        if where is None or where in crowds:
            passed.append(answer.host)
            continue
        ref = Ref(cluster, "Pod", meta.name or "", namespace)
        shut = sorted(name for name in {origin, *passed} if not closed(sandwich.nodes[cluster, name]))
        commands = [
            *(command("kubectl", "--context", cluster, "cordon", name) for name in shut),
            command("kubectl", "--context", cluster, "delete", "pod", "-n", namespace, meta.name or ""),
            f"# wait until its replacement is ready; the scheduler's best node is then {answer.host}",
            *(command("kubectl", "--context", cluster, "uncordon", name) for name in shut),
        ]
        repair = Repair("movePod", ref, origin, answer.host, cost, ("kube-scheduler",), tuple(commands))
        return Step(repair, with_pod_on(sandwich, cluster, pod, answer.host))
    return None


def closed(place: NodePlace) -> bool:
    """Whether a node is cordoned already, and has to stay so."""
    return bool(place.node.spec and place.node.spec.unschedulable)


def migrate(sandwich: Sandwich, place: ServerPlace, level: str, crowds: Mapping[str, object], cost: int) -> Step | None:
    """A server to the best host that is, or stands where, no member is. None where it cannot migrate alive."""
    server = place.server
    if server.status not in MIGRATE_ALIVE or is_bare_metal(sandwich, place):
        return None
    explainable = ExplainableCloud(sandwich.clouds[place.cloud])
    for answer in best_hosts(explainable, lambda name, space, uid: (name, uid) == (server.name, server.id)):
        host = sandwich.hosts.get(f"{place.cloud}/{answer.host}")
        if host is None or host.at(level) is None or host.at(level) in crowds:
            continue
        commands = [
            command(
                "openstack", "--os-cloud", place.cloud, *WITH_HOST, "server", "migrate", "--live-migration",
                "--host", host.name, server.id or server.name,
            )
        ]  # fmt: skip
        commands += relabel_commands(sandwich, place, host)
        origin = place.host.name if place.host is not None else None
        ref = Ref(place.cloud, "Server", server.name)
        repair = Repair("liveMigrate", ref, origin, host.name, cost, ("nova", "placement"), tuple(commands))
        return Step(repair, with_server_moved(sandwich, place, host))
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
        command("kubectl", "--context", one.cluster, "label", "node", one.name, f"{key}={value}", "--overwrite")
        for one in sandwich.nodes.values()
        if one.server is place
        for key in HOST_ID_LABELS
        if key in (one.node.metadata.labels or {})
    ]
