"""A small finished PlaceResult with something in every corner, made by hand; no engine is needed to print it."""

from binwright.outcome import NotEvaluated, Outcome, ReasonText, ResourceUse, SourceOutcome
from binwright.stack.place_result import PlaceResult
from binwright.verdict import Verdict

GIB = 1 << 30
TAINT = "node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }"
MESSAGE = f"0/24 nodes are available: 3 {TAINT}, 21 Insufficient cpu."


def made_result(pods: int = 3) -> PlaceResult:
    """A cloud and a cluster: `pods` + 1 placed objects, three refused pods (two alike) and one refused server."""
    return PlaceResult([cloud(), cluster(pods)], elapsed_seconds=0.3125)


def cloud() -> SourceOutcome:
    return SourceOutcome(
        "region",
        "openstack",
        hosts=60,
        placed=[Outcome("region", "Server", None, "legacy-1", "s1", Verdict.PLACED, host="compute-7", score=1.25)],
        unplaced=[
            Outcome(
                "region",
                "Server",
                "demo",
                "big-1",
                "s2",
                Verdict.UNSCHEDULABLE,
                message="No valid host was found.",
                reasons=[ReasonText("VCPU", 60, "not enough VCPU")],
            )
        ],
        resources=[
            ResourceUse("VCPU", 3840, 1210, 1214),
            ResourceUse("MEMORY_MB", 30 << 20, 20 << 20, (20 << 20) + 4096),
        ],
    )


def cluster(pods: int) -> SourceOutcome:
    refused = [
        Outcome(
            "alpha",
            "Pod",
            "batch",
            f"render-{number}",
            f"r{number}",
            Verdict.UNSCHEDULABLE,
            message=MESSAGE,
            reasons=[ReasonText("NodeResourcesFit", 21, "Insufficient cpu"), ReasonText("TaintToleration", 3, TAINT)],
            smallest_change={
                "kind": "request",
                "host": "node-3",
                "resource": "cpu",
                "rule": None,
                "argument": None,
                "have": 1500,
                "need": 4000,
            },
        )
        for number in (1, 2)
    ]
    odd = Outcome("alpha", "Pod", "web", "[bold]odd\x1b[31m", None, Verdict.UNRESOLVABLE, message="no such node")
    return SourceOutcome(
        "alpha",
        "kubernetes",
        hosts=24,
        placed=[
            Outcome(
                "alpha",
                "Pod",
                "web",
                f"front-{number}",
                f"p{number}",
                Verdict.PLACED,
                host=f"node-{number}",
                score=200,
                labels={"app": "front", "number": str(number)},
            )
            for number in range(pods)
        ],
        unplaced=[*refused, odd],
        resources=[
            ResourceUse("cpu", 96_000, 58_500, 63_000),
            ResourceUse("memory", 384 * GIB, 300 * GIB, 310 * GIB),
            ResourceUse("pods", 2640, 400, 403),
        ],
        skipped_kinds={"Service": 3, "ConfigMap": 2},
        not_evaluated=[NotEvaluated("PodTopologySpread", 12, "Pod web/front-1")],
        notes=["12 pods are finished"],
    )
