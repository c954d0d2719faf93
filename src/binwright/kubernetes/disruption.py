"""Disruption budgets as they stand in the input, and what the Eviction API lets go under them.

Source: policy/v1 and the `eviction` subresource of the API server (pkg/registry/core/pod/storage/eviction.go, v1.34).
The scheduler reads budgets differently when it preempts (kubernetes spec 5), see `preemption`. Knows neither nodes nor
the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from binwright.kubernetes import label_selectors
from binwright.kubernetes.label_selectors import Selector
from binwright.kubernetes.objects import DisruptionBudget, Pod
from binwright.kubernetes.ranges import ALLOWANCES, check
from binwright.kubernetes.related import Related

__all__ = ["Answer", "Budget", "EvictionApi", "Judgement", "read_budget", "read_budgets", "ready"]

ALWAYS_ALLOW = "AlwaysAllow"
TWO_BUDGETS = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."


@dataclass(frozen=True, eq=False)
class Budget:
    """One PodDisruptionBudget. `selector` None matches no pod, () every pod of the namespace (policy/v1). `allowed`:
    disruptions allowed now, 0 before its controller has seen it. `exempt`: pods that are on their way out already.
    """

    namespace: str
    name: str
    selector: Selector
    allowed: int
    healthy: int
    desired: int
    exempt: frozenset[str]
    lets_unready_go: bool
    processed: bool

    @property
    def key(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace}/{self.name}"

    @property
    def refusal(self) -> str:
        """Why the API server lets no pod go now, in its words."""
        if not self.processed:
            return f"{VIOLATES} The disruption budget {self.name} is still being processed by the server."
        return (
            f"{VIOLATES} The disruption budget {self.name} needs {self.desired} healthy pods "
            f"and has {self.healthy} currently"
        )


def read_budgets(related: Related) -> list[Budget]:
    """Every budget of the input, in its order. Raises InputError as `read_budget` does."""
    return [read_budget(one) for one in related.all("PodDisruptionBudget")]


def read_budget(stored: DisruptionBudget) -> Budget:
    """One budget. Raises InputError for a selector with an unknown operator, and an allowance that is no int32."""
    spec, status = stored.spec, stored.status
    name = stored.metadata.name or ""
    allowed = (status.disruptions_allowed or 0) if status else 0
    check(allowed, ALLOWANCES, f"PDB {name}: status.disruptionsAllowed")
    return Budget(
        namespace=stored.metadata.namespace or "default",
        name=name,
        selector=label_selectors.parse(spec.selector if spec else None, f"PDB {name}"),
        allowed=allowed,
        healthy=(status.current_healthy or 0) if status else 0,
        desired=(status.desired_healthy or 0) if status else 0,
        exempt=frozenset((status.disrupted_pods or {}) if status else ()),
        lets_unready_go=bool(spec and spec.unhealthy_pod_eviction_policy == ALWAYS_ALLOW),
        processed=not stored.metadata.generation
        or bool(status and (status.observed_generation or 0) >= stored.metadata.generation),
    )


class Answer(Enum):
    """What the Eviction API says to an eviction."""

    FREE = "free"
    COUNTED = "counted"
    NOT_NOW = "not now"
    NEVER = "never"


@dataclass(frozen=True)
class Judgement:
    """FREE: no budget counts it; COUNTED: `budget` has one disruption less; NOT_NOW: `budget` has none left (`text` is
    what the API server says); NEVER: no waiting helps.
    """

    answer: Answer
    budget: Budget | None = None
    text: str = ""


class EvictionApi:
    """The budgets of one cluster while pods are evicted one after another, and allowances come back."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self.budgets = list(budgets)
        self.left = {one: one.allowed for one in self.budgets}
        self._by_namespace: dict[str, list[Budget]] = {}
        for one in self.budgets:
            self._by_namespace.setdefault(one.namespace, []).append(one)
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Budget, ...]] = {}

    def of(self, pod: Pod) -> tuple[Budget, ...]:
        """The budgets that select a pod."""
        namespace, labels = pod.metadata.namespace or "default", pod.metadata.labels or {}
        listed = self._by_namespace.get(namespace)
        if not listed:
            return ()
        key = namespace, tuple(sorted(labels.items()))
        if key not in self._known:
            self._known[key] = tuple(one for one in listed if label_selectors.matches(one.selector, labels))
        return self._known[key]

    def judge(self, pod: Pod) -> Judgement:
        """What the Eviction API would say now; nothing changes."""
        status = pod.status
        if pod.metadata.deletion_timestamp is not None or (status and status.phase in _UNGUARDED):
            return Judgement(Answer.FREE)
        budgets = self.of(pod)
        if not budgets:
            return Judgement(Answer.FREE)
        if len(budgets) > 1:
            names = " and ".join(one.name for one in budgets)
            return Judgement(Answer.NEVER, budgets[0], f"{TWO_BUDGETS} ({names})")
        budget = budgets[0]
        if not ready(pod) and (budget.lets_unready_go or budget.healthy >= budget.desired > 0):
            return Judgement(Answer.FREE)
        if not budget.processed or self.left[budget] <= 0:
            return Judgement(Answer.NOT_NOW, budget, budget.refusal)
        return Judgement(Answer.COUNTED, budget)

    def evict(self, pod: Pod) -> Judgement:
        """As `judge`, and the eviction takes place where it is allowed."""
        found = self.judge(pod)
        if found.answer is Answer.COUNTED and found.budget is not None:
            self.left[found.budget] -= 1
        return found

    def give_back(self, counts: Mapping[Budget, int]) -> None:
        """So many replacements of evicted pods have become ready."""
        for budget, count in counts.items():
            self.left[budget] += count


_UNGUARDED = ("Succeeded", "Failed", "Pending")


def ready(pod: Pod) -> bool:
    """Whether a pod is healthy to its budget: its condition Ready is True. Without any conditions it counts as so."""
    conditions = pod.status.conditions if pod.status else None
    if conditions is None:
        return True
    return any(one.type == "Ready" and one.status == "True" for one in conditions)
