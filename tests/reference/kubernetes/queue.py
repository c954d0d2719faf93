"""The order in which pending pods are taken (spec 1, *Queue order*)."""

from tests.reference.kubernetes.pods import Pod


def queue_order(pods: list[Pod]) -> list[Pod]:
    """Higher priority first, then as enqueued (list order); pods with scheduling gates never enter the queue."""
    return sorted((pod for pod in pods if not pod.spec.get("schedulingGates")), key=lambda pod: -pod.priority)
