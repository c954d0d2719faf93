"""What a user should know of the input besides the answer, one sentence each."""

from __future__ import annotations

from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import Queue

__all__ = ["notes"]


def notes(queue: Queue, strays: list[Pod], nodes: int, sample: int | None) -> list[str]:
    """strays: pods bound to nodes that are not in the input. sample: how many feasible nodes kube-scheduler would have
    been content with where all were scored, None where it was followed.
    """
    found = []
    if sample is not None and sample < nodes and queue.pending:
        found.append(
            f"every one of {nodes} nodes was looked at; kube-scheduler stops at {sample} feasible ones "
            "(--peer-sampling)"
        )
    if strays:
        unknown = sorted({(pod.spec and pod.spec.node_name) or "" for pod in strays})
        found.append(
            f"{_count(strays)} bound to nodes that are not in the input ({_some(unknown)}), so they use nothing here: "
            f"{_some([pod.key for pod in strays])}"
        )
    if queue.deleted:
        keys = [pod.key for pod in queue.deleted]
        found.append(f"{_count(queue.deleted)} being deleted before they got a node, not placed: {_some(keys)}")
    return found


def _count(pods: list[Pod]) -> str:
    return f"{len(pods)} pod{'' if len(pods) == 1 else 's'}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
