"""PreScore, Score, Normalize, weight, sum (spec 1.5, 2.1)."""

from dataclasses import dataclass
from typing import Any

from tests.reference.kubernetes.arithmetic import MAX_NODE_SCORE
from tests.reference.kubernetes.cycle import Cycle
from tests.reference.kubernetes.snapshot import Node
from tests.reference.kubernetes.status import CycleError


@dataclass(frozen=True)
class Scores:
    """The parts of the score, per plugin that ran and per feasible node."""

    plugins: list[str]
    weights: list[int]
    skipped: list[str]
    raw: list[list[int]]
    normalized: list[list[int]]
    total: list[int]

    def as_result(self) -> dict[str, Any]:
        """In the vectors' schema."""
        return {
            "plugins": self.plugins,
            "weights": self.weights,
            "skip": sorted(self.skipped),
            "raw": self.raw,
            "norm": self.normalized,
            "total": self.total,
        }


def score_nodes(cycle: Cycle, feasible: list[Node]) -> Scores:
    """Score the feasible nodes; CycleError if a plugin leaves 0..100 after normalising."""
    weights = cycle.cluster.profile.score_weights
    ran = [name for name in weights if cycle.cluster.plugins[name].pre_score(cycle, feasible)]
    raw, normalized = [], []
    for name in ran:
        plugin = cycle.cluster.plugins[name]
        raw.append([plugin.score(cycle, node) for node in feasible])
        normalized.append(plugin.normalize(cycle, feasible, raw[-1]))
        if not all(0 <= score <= MAX_NODE_SCORE for score in normalized[-1]):
            raise CycleError(f"pod {cycle.pod.key}: plugin {name} gives a score outside 0..{MAX_NODE_SCORE}")
    total = [
        sum(weights[name] * scores[k] for name, scores in zip(ran, normalized, strict=True))
        for k in range(len(feasible))
    ]
    skipped = [name for name in weights if name not in ran]
    return Scores(ran, [weights[name] for name in ran], skipped, raw, normalized, total)
