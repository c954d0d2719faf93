"""PostFilter (spec 5, 8.2 to 8.5, 8.10): DynamicResources' answer, then DefaultPreemption.

Dry runs only; nothing here changes the cluster.  Every candidate node is tried (upstream starts at a random offset
and may stop after max(10 %, 100) candidates; the vectors use 100 %).
"""

from dataclasses import dataclass, field
from typing import Any

from tests.reference.kubernetes import messages
from tests.reference.kubernetes.cycle import Cycle, PreFilterOutcome, run_filters_with_nominated
from tests.reference.kubernetes.plugins.dynamic_resources import DynamicResources
from tests.reference.kubernetes.pods import Pod
from tests.reference.kubernetes.selectors import parse_label_selector, selects
from tests.reference.kubernetes.snapshot import Node
from tests.reference.kubernetes.status import UNRESOLVABLE, UNSCHEDULABLE, Status


@dataclass(frozen=True)
class Candidate:
    """A node that would have room without its victims, most important first."""

    node: Node
    victims: list[Pod]
    violations: int


@dataclass
class PostFilter:
    """The outcome; ``text`` is what the message gets, after a space."""

    text: str = ""
    error: bool = False
    eligible: bool = True
    candidates: list[Candidate] = field(default_factory=list)
    ties: list[Candidate] = field(default_factory=list)
    cleared: list[Pod] = field(default_factory=list)  # pods that lose their nomination

    @property
    def chosen(self) -> Candidate | None:
        """The lowest node index among the ties (spec 5.4)."""
        return self.ties[0] if self.ties else None

    def as_result(self) -> dict[str, Any]:
        """In the vectors' schema."""
        result: dict[str, Any] = {"eligible": self.eligible}
        if self.chosen is not None:
            result["candidates"] = [
                {"node": c.node.name, "victims": [v.key for v in c.victims], "pdbViolations": c.violations}
                for c in self.candidates
            ]
            result["ties"] = [candidate.node.name for candidate in self.ties]
            result["nominated"] = self.chosen.node.name
            result["victims"] = [victim.key for victim in self.chosen.victims]
            result["clearedNominations"] = [pod.key for pod in self.cleared]
        return result


def run_post_filter(cycle: Cycle, pre_filter: PreFilterOutcome, statuses: dict[str, Status]) -> PostFilter:
    """``statuses`` by node name, one for every node of the cluster."""
    if cycle.cluster.quirks.draNotFound and DynamicResources.name not in pre_filter.ran:
        return PostFilter(text=messages.CLAIMS_NOT_FOUND, error=True)
    sentence = not_eligible(cycle, statuses)
    if sentence is not None:
        return PostFilter(text=f"{messages.NO_CLAIMS}, preemption: {sentence}", eligible=False)
    candidates, reasons = dry_runs(cycle, statuses)
    if not candidates:
        nested = messages.histogram(len(cycle.cluster.nodes), reasons)
        return PostFilter(text=f"{messages.NO_CLAIMS}, preemption: {nested}")
    ties = best_candidates(candidates)
    lower = [
        pod
        for pod in cycle.cluster.nominated.values()
        if pod.nominated_node == ties[0].node.name and pod.priority < cycle.pod.priority
    ]
    return PostFilter(candidates=candidates, ties=ties, cleared=lower)


# --- step 1 -------------------------------------------------------------------------------------------------------


def is_preemption_victim(pod: Pod) -> bool:
    """Terminating, and its first DisruptionTarget condition says PreemptionByScheduler."""
    if not pod.terminating:
        return False
    for condition in pod.status.get("conditions") or ():
        if condition.get("type") == "DisruptionTarget":
            return condition.get("status") == "True" and condition.get("reason") == "PreemptionByScheduler"
    return False


def not_eligible(cycle: Cycle, statuses: dict[str, Status]) -> str | None:
    """Why the pod may not preempt at all (spec 5.1), None if it may."""
    pod = cycle.pod
    if pod.spec.get("preemptionPolicy") == "Never":
        return messages.NEVER_PREEMPTS
    node = cycle.cluster.node(pod.nominated_node)
    if node is None or statuses[node.name].code == UNRESOLVABLE:
        return None
    if any(other.priority < pod.priority and is_preemption_victim(other) for other in node.pods):
        return messages.TERMINATING_VICTIM
    return None


# --- steps 2 and 3 ------------------------------------------------------------------------------------------------


def dry_runs(cycle: Cycle, statuses: dict[str, Status]) -> tuple[list[Candidate], list[str]]:
    """The candidates in node order, and the reasons of all nodes that are none."""
    candidates: list[Candidate] = []
    reasons: list[str] = []
    for node in cycle.cluster.nodes:
        if statuses[node.name].code != UNSCHEDULABLE:
            reasons.append(messages.NOT_HELPFUL)
            continue
        outcome = select_victims(cycle, node)
        if isinstance(outcome, Candidate):
            candidates.append(outcome)
        else:
            reasons.extend(outcome.reasons)
    return candidates, reasons


def importance(pod: Pod) -> tuple[int, Any]:
    """Sort key, most important first: priority descending, then earlier startTime."""
    return -pod.priority, pod.start_time


def select_victims(cycle: Cycle, node: Node) -> Candidate | Status:
    """Remove all pods of lower priority, then put back what may stay (spec 5.3)."""
    lower = [pod for pod in node.pods if pod.priority < cycle.pod.priority]
    if not lower:
        return Status(UNRESOLVABLE, (messages.NO_VICTIMS,))
    trial, room = cycle.copy(), node.copy()
    for pod in lower:
        trial.remove_pod(pod, room)
    status = run_filters_with_nominated(trial, room)
    if status is not None:
        return status

    violating, others = split_by_budgets(sorted(lower, key=importance), cycle.cluster.objects["podDisruptionBudgets"])
    victims: list[Pod] = []
    violations = 0
    for group in (violating, others):
        for pod in group:
            trial.add_pod(pod, room)
            if run_filters_with_nominated(trial, room) is not None:
                trial.remove_pod(pod, room)
                victims.append(pod)
                violations += group is violating
    if not victims:  # the sentence is upstream's; the spec gives none (8.10)
        return Status(UNSCHEDULABLE, (f'expected at least one victim pod on node "{node.name}"',))
    if violating and others:
        victims.sort(key=importance)
    return Candidate(node, victims, violations)


def split_by_budgets(pods: list[Pod], budgets: list[dict[str, Any]]) -> tuple[list[Pod], list[Pod]]:
    """(violating, others), walking with a running allowance per budget (spec 5.3).

    Every matching budget is charged, also after one of them is violated; a null or empty selector matches nothing.
    """
    allowed = [(budget.get("status") or {}).get("disruptionsAllowed", 0) for budget in budgets]
    violating: list[Pod] = []
    others: list[Pod] = []
    for pod in pods:
        violates = False
        for i, budget in enumerate(budgets):
            selector = parse_label_selector(budget["spec"].get("selector"))
            same_namespace = budget["metadata"].get("namespace", "default") == pod.namespace
            if not (pod.labels and same_namespace and selector and selects(selector, pod.labels)):
                continue
            if pod.name in ((budget.get("status") or {}).get("disruptedPods") or {}):
                continue
            allowed[i] -= 1
            violates = violates or allowed[i] < 0
        (violating if violates else others).append(pod)
    return violating, others


# --- step 4 -------------------------------------------------------------------------------------------------------


def earliest_start(candidate: Candidate) -> Any:
    """The earliest startTime among the victims of the highest priority."""
    highest = max(victim.priority for victim in candidate.victims)
    return min(victim.start_time for victim in candidate.victims if victim.priority == highest)


def best_candidates(candidates: list[Candidate]) -> list[Candidate]:
    """All candidates that tie after the five criteria of spec 5.4, in node order."""

    def cost(candidate: Candidate) -> tuple[int, ...]:
        victims = candidate.victims
        return (
            candidate.violations,
            victims[0].priority,
            sum(victim.priority + 2**31 for victim in victims),
            len(victims),
        )

    cheapest = min(map(cost, candidates))
    ties = [candidate for candidate in candidates if cost(candidate) == cheapest]
    latest = max(map(earliest_start, ties))
    return [candidate for candidate in ties if earliest_start(candidate) == latest]
