"""Which topology spread constraints a pod has, and what each of them selects (kubernetes spec 4, PodTopologySpread).

Its own, or else the profile's defaults with the selector of the Services and the controller that the pod belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from binwright.kubernetes import label_selectors
from binwright.kubernetes.label_selectors import Needs, Selector
from binwright.kubernetes.objects import OwnerReference, Pod, SpreadConstraint
from binwright.kubernetes.ranges import AT_LEAST_ONE, check_each
from binwright.kubernetes.related import Related

__all__ = [
    "HARD",
    "HOSTNAME",
    "SOFT",
    "Constraint",
    "SpreadArgs",
    "check_numbers",
    "constraints_of",
    "defaults_judged",
    "own",
]

HOSTNAME = "kubernetes.io/hostname"
HARD, SOFT = "DoNotSchedule", "ScheduleAnyway"

SYSTEM_DEFAULTS = (
    SpreadConstraint(max_skew=3, topology_key=HOSTNAME, when_unsatisfiable=SOFT),
    SpreadConstraint(max_skew=5, topology_key="topology.kubernetes.io/zone", when_unsatisfiable=SOFT),
)

_OWNERS = {("v1", "ReplicationController"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet")}


@dataclass(frozen=True)
class SpreadArgs:
    """PodTopologySpreadArgs. `system`: the defaults are the built-in ones, where nodes without a key take part."""

    defaults: tuple[SpreadConstraint, ...] = SYSTEM_DEFAULTS
    system: bool = True


@dataclass(frozen=True)
class Constraint:
    """One constraint with its selector complete; honor_*: which nodes are counted."""

    key: str
    max_skew: int
    when: str
    selector: Selector
    least_domains: int
    honor_affinity: bool
    honor_taints: bool


def own(pod: Pod) -> tuple[SpreadConstraint, ...]:
    """The pod's own list."""
    return (pod.spec.topology_spread_constraints if pod.spec else None) or ()


def constraints_of(pod: Pod, args: SpreadArgs, related: Related) -> tuple[list[Constraint], bool]:
    """(the constraints of a pod, whether nodes must have all keys to take part in their score).

    Raises InputError naming pod and field for a number or a selector that the API server would refuse.
    """
    labels = pod.metadata.labels or {}
    where = f"Pod {pod.key}: spec.topologySpreadConstraints"
    check_numbers(own(pod), where)
    found = []
    for one in own(pod):
        selector = label_selectors.parse(one.label_selector, where)
        if selector is not None:
            selector += tuple(Needs(key, "In", (labels[key],)) for key in one.match_label_keys or () if key in labels)
        found.append(_constraint(one, selector))
    if found:
        return found, True
    owner = _owner_selector(pod, related) if args.defaults and defaults_judged(pod, related) else ()
    return [_constraint(one, owner) for one in args.defaults if owner], not args.system


def check_numbers(listed: Sequence[SpreadConstraint], where: str) -> None:
    """Raises InputError "WHERE[i].FIELD: ..." for a maxSkew or minDomains that the API server would refuse."""
    check_each((one.max_skew for one in listed), AT_LEAST_ONE, where, "maxSkew")
    check_each((one.min_domains for one in listed), AT_LEAST_ONE, where, "minDomains")


def defaults_judged(pod: Pod, related: Related) -> bool:
    """Whether the input has the kinds that say what the defaults would select for this pod. A pod without such a
    controller is taken to be in no Service where there are none to read.
    """
    reference = _controller(pod.metadata.owner_references or ())
    return reference is None or related.stated("Service", reference.kind)


def _constraint(one: SpreadConstraint, selector: Selector) -> Constraint:
    return Constraint(
        one.topology_key,
        one.max_skew,
        one.when_unsatisfiable or HARD,
        selector,
        1 if one.min_domains is None else one.min_domains,
        (one.node_affinity_policy or "Honor") == "Honor",
        (one.node_taints_policy or "Ignore") == "Honor",
    )


def _owner_selector(pod: Pod, related: Related) -> tuple[Needs, ...]:
    """What the pod's Services and its controller select, () when there is nothing."""
    namespace, labels = pod.metadata.namespace or "default", pod.metadata.labels or {}
    merged: dict[str, str] = {}
    for service in related.services.get(namespace, ()):
        pairs = service.spec.selector if service.spec else None
        if pairs is not None and pairs.items() <= labels.items():
            merged.update(pairs)
    more: tuple[Needs, ...] = ()
    reference = _controller(pod.metadata.owner_references or ())
    if reference is not None:
        owner = related.find(reference.kind, reference.name, namespace)
        selector = owner.spec.selector if owner is not None and owner.spec is not None else None
        if isinstance(selector, dict):
            merged.update(selector)
        elif selector is not None:
            more = label_selectors.parse(selector, f"{reference.kind} {namespace}/{reference.name}") or ()
    return label_selectors.of_map(merged) + more


def _controller(references: Sequence[OwnerReference]) -> OwnerReference | None:
    """The reference that is marked as controller, if it is of a kind whose selector is read."""
    controller = next((one for one in references if one.controller), None)
    known = controller is not None and (controller.api_version, controller.kind) in _OWNERS
    return controller if known else None
