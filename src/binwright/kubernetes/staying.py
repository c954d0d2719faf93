"""What stays where it is in a consolidation, and why: nodes that are no candidates, pods that may not be moved.

Follows `kubectl drain` and the Eviction API, and the wishes that cluster-autoscaler (FAQ, "What types of pods can
prevent CA from removing a node?") and Karpenter (disruption controls) read from annotations. Its rule about pods of
kube-system is not among them. Decides by one object at a time; room is elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from binwright.kubernetes.disruption import Answer, EvictionApi
from binwright.kubernetes.drain import held, held_by_budget, pods_by_node
from binwright.kubernetes.drain_filters import Action, DrainFlags, fate
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.plugins.node_unschedulable import UNSCHEDULABLE
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.tolerations import tolerates
from binwright.moves import Held

__all__ = ["SCALE_DOWN_DISABLED", "Staying", "staying_in"]

CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
SAFE = "cluster-autoscaler.kubernetes.io/safe-to-evict"
SCALE_DOWN_DISABLED = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"


@dataclass
class Staying:
    """`nodes`: node -> why it is not emptied. `pods`: keys of pods that never move (they stay, go with their node, or
    are refused); `gone`: keys of those that go without being replaced.
    """

    nodes: dict[str, list[Held]]
    pods: set[str]
    gone: set[str]


def staying_in(
    source: str, objects: Objects, delete_emptydir_data: bool, kept: Mapping[str, tuple[str, str]], api: EvictionApi
) -> Staying:
    """What stays in one cluster. delete_emptydir_data: pods with emptyDir volumes may be moved, too. kept: nodes that
    stay for what the cluster does not know, node -> (word, sentence).
    """
    staying = Staying({}, set(), set())
    for node in objects.nodes:
        name = node.metadata.name or ""
        why = _node_reason(node) or kept.get(name)
        if why is not None:
            staying.nodes[name] = [Held(source, "Node", None, name, node.metadata.uid, name, "refuse", *why)]
    by_node = pods_by_node(objects.pods)
    for name in [node.metadata.name or "" for node in objects.nodes]:
        for pod in by_node.get(name, ()):
            annotations = pod.metadata.annotations
            safe = annotations is not None and annotations.safe_to_evict == "true"
            what = fate(pod, DrainFlags(True, delete_emptydir_data or safe))
            if what.action is not Action.EVICT:
                (staying.gone if what.action is Action.DELETE else staying.pods).add(pod.key)
                if what.action is not Action.REFUSE:
                    continue
                refused = held(source, pod, what.action.value, what.reason, what.text)
            else:
                reason = _pod_reason(pod)
                judged = api.judge(pod)
                if reason is not None:
                    refused = held(source, pod, "refuse", *reason)
                elif judged.answer in (Answer.NOT_NOW, Answer.NEVER):
                    refused = held_by_budget(source, pod, judged)
                else:
                    continue
                staying.pods.add(pod.key)
            staying.nodes.setdefault(name, []).append(refused)
    return staying


def _node_reason(node: Node) -> tuple[str, str] | None:
    """(word, sentence) why a node is not emptied whatever runs there."""
    labels, annotations = node.metadata.labels or {}, node.metadata.annotations
    for label in CONTROL_PLANE:
        if label in labels:
            return "controlPlane", f"label {label}"
    if annotations is not None and annotations.scale_down_disabled == "true":
        return "doNotEvict", f'annotation {SCALE_DOWN_DISABLED}: "true"'
    if annotations is not None and annotations.do_not_disrupt == "true":
        return "doNotEvict", f'annotation {DO_NOT_DISRUPT}: "true"'
    return None


def _pod_reason(pod: Pod) -> tuple[str, str] | None:
    """(word, sentence) why a pod that could be evicted is not."""
    annotations = pod.metadata.annotations
    if annotations is not None and annotations.safe_to_evict == "false":
        return "doNotEvict", f'annotation {SAFE}: "false"'
    if annotations is not None and annotations.do_not_disrupt == "true":
        return "doNotEvict", f'annotation {DO_NOT_DISRUPT}: "true"'
    if any(tolerates(one, UNSCHEDULABLE) for one in (pod.spec.tolerations if pod.spec else None) or ()):
        return "comesBack", f"tolerates {UNSCHEDULABLE.key}, so it may come back to a cordoned node"
    return None
