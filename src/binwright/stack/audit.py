"""`stack audit`: every hazard of the joined layers, and repairs that the rules of both layers let."""

import time
from collections.abc import Callable, Iterable, Mapping

from binwright.kubernetes import label_selectors
from binwright.kubernetes.disruption import read_budgets
from binwright.openstack.growth import ADDRESSES
from binwright.outcome import NotEvaluated
from binwright.stack.audit_result import AuditResult
from binwright.stack.finding import Finding, Ref, in_order, not_known
from binwright.stack.label_check import check_labels
from binwright.stack.overcommit_check import check_overcommit
from binwright.stack.quorum_check import check_quorums
from binwright.stack.repair import MENDABLE, Repairs
from binwright.stack.sandwich import Sandwich
from binwright.stack.source_errors import errors_of
from binwright.stack.spread_check import check_spread
from binwright.stack.unplaced import unplaced

MOST_REPAIRED = 10
"""Findings for which ways out are looked for; each is a search of its own."""
Check = Callable[[Sandwich], tuple[list[Finding], list[NotEvaluated]]]


def audit(
    sandwich: Sandwich,
    *,
    repair: bool = True,
    costs: Mapping[str, int] | None = None,
    most: int = MOST_REPAIRED,
    seconds: float = 0.0,
) -> AuditResult:
    """All findings, worst first. repair: look for ways out, which are cheapest by the bytes that move, or by `costs`
    ("pod", "migrate", "node"), for the first `most` findings that moving can mend. seconds: that reading and joining
    took.
    """
    start = time.perf_counter()
    findings, spreads, not_evaluated = check_spread(sandwich)
    for check in CHECKS:
        more, blind = check(sandwich)
        findings += more
        not_evaluated += blind
    findings = in_order(findings)
    if repair and findings:
        repairs = Repairs(sandwich, lambda changed: audit(changed, repair=False).findings, costs)
        mendable = [finding for finding in findings if finding.kind in MENDABLE]
        for number, finding in enumerate(mendable):
            finding.sought = number < most
            finding.repairs = repairs.of(finding) if finding.sought else []
        rule = f"repairs of more than {most} (--repairs N)"
        not_evaluated += not_known(rule, [str(one.objects[0]) for one in mendable[most:]])
        not_evaluated += not_known("repairs (a layer lacks what its rules need)", repairs.blind)
        added = [step.object.name for one in findings for step in one.repairs if step.new is not None]
        not_evaluated += not_known(ADDRESSES, added)
    return AuditResult(sandwich, findings, spreads, not_evaluated, seconds + time.perf_counter() - start)


def check_joins(sandwich: Sandwich) -> tuple[list[Finding], list[NotEvaluated]]:
    """What lies on nothing known; and what could not be looked up, because the list to look in is not there."""
    found = [
        Finding("unjoined", "medium", (Ref(one.source, one.kind, one.name),), one.claimed, None, one.why)
        for one in sandwich.unjoined
    ]
    unknown = {(one.source, one.name) for one in sandwich.unjoined}
    return found, unplaced(sandwich, unknown)


def check_racks(sandwich: Sandwich) -> tuple[list[Finding], list[NotEvaluated]]:
    """Hosts that two sources put into different racks or zones."""
    found = []
    for one in sandwich.conflicts:
        told = " and ".join(f"{value} ({who})" for value, who in one.told)
        values = ", ".join(value for value, _ in one.told)
        host = Ref(one.host.source, "Host", one.host.name)
        found.append(Finding("rackConflict", "medium", (host,), values, None, f"{one.what}: {told}"))
    return found, []


def check_single_replicas(sandwich: Sandwich) -> tuple[list[Finding], list[NotEvaluated]]:
    """Workloads of one pod of which a disruption budget promises that one stays: every drain stops there."""
    found = []
    for cluster in sorted(sandwich.clusters):
        objects = sandwich.clusters[cluster]
        with errors_of(cluster):
            budgets = read_budgets(objects.related)
        for workload in sandwich.workloads(cluster) if budgets else ():
            if len(workload.pods) != 1 or workload.kind in ("Node", "DaemonSet", "Job"):
                continue
            labels = workload.pods[0].metadata.labels or {}
            for budget in budgets:
                if (
                    budget.namespace == workload.namespace
                    and budget.desired >= 1
                    and budget.healthy <= 1
                    and label_selectors.matches(budget.selector, labels)
                ):
                    refs = (
                        Ref(cluster, workload.kind, workload.name, workload.namespace),
                        Ref(cluster, "PodDisruptionBudget", budget.name, budget.namespace),
                    )
                    why = f"budget {budget.name} promises {budget.desired}, and there is one pod: it cannot be moved"
                    found.append(Finding("singleReplica", "medium", refs, budget.desired, 1, why))
    return found, []


CHECKS: Iterable[Check] = (
    check_quorums, check_labels, check_joins, check_racks, check_single_replicas, check_overcommit,
)  # fmt: skip
