"""ResourceQuotas and the pods that would come on top: which quotas would be exceeded. Reported, never a refusal.

What a quota already counts is its `status.used`. A pod counts from the first to the last in the order given, whether or
not it fits; the API server would have stopped at the first that exceeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from binwright.kubernetes.admission import Admission
from binwright.kubernetes.manifests import Manifest, ResourceQuota, ScopeRequirement
from binwright.kubernetes.objects import Container, Pod, PodAffinityTerm, PodSpec, Resources
from binwright.kubernetes.related import Related
from binwright.kubernetes.requests import pod_request
from binwright.units import nanos

__all__ = ["exceeded"]

_PODS = ("pods", "count/pods")
_UNIT = 10**9


@dataclass
class _New:
    """A pod as written and as stored, and the priority class that it gets."""

    written: Manifest
    stored: Pod
    class_name: str

    @cached_property
    def requests(self) -> Mapping[str, int]:
        return pod_request(self.stored)

    @cached_property
    def limits(self) -> Mapping[str, int]:
        return pod_request(_by_limits(self.stored))

    @property
    def usage(self) -> Mapping[str, int]:
        """What the pod counts for, by the quota's name for it, in units of 1e-9."""
        usage = dict.fromkeys(_PODS, _UNIT)
        for name, amount in self.requests.items():
            usage[f"requests.{name}"] = amount
            if "/" not in name:
                usage[name] = amount
        usage.update((f"limits.{name}", amount) for name, amount in self.limits.items())
        return usage


def exceeded(pods: Iterable[tuple[Manifest, Pod]], related: Related) -> list[str]:
    """One sentence for each resource of a quota that these pods, as written and as stored, would exceed."""
    found: list[str] = []
    quotas = list(related.all("ResourceQuota"))
    if not quotas:
        return found
    admission = Admission(related)
    new = [_New(written, stored, admission.class_name(written) or "") for written, stored in pods]
    for quota in quotas:
        namespace = quota.metadata.namespace or "default"
        counted = [
            one.usage
            for one in new
            if (one.stored.metadata.namespace or "default") == namespace and _concerns(quota, one)
        ]
        where = f"ResourceQuota {namespace}/{quota.metadata.name}"
        used = (quota.status.used if quota.status else None) or {}
        for name, hard in (quota.spec.hard or {}).items():
            limit = nanos(hard, f"{where}: spec.hard.{name}")
            before = nanos(used.get(name, 0), f"{where}: status.used.{name}")
            more = sum(one.get(name, 0) for one in counted)
            if more and before + more > limit:
                found.append(
                    f"{where}: {name}: {_text(before)} used and {_text(more)} of pods to be made exceed "
                    f"{_text(limit)}; the API server would refuse the last of them"
                )
    return found


def _by_limits(pod: Pod) -> Pod:
    """The pod as if its limits were its requests."""
    spec = pod.spec or PodSpec()

    def limits(containers: Iterable[Container] | None) -> tuple[Container, ...]:
        return tuple(
            Container(
                one.name, resources=one.resources and Resources(one.resources.limits), restart_policy=one.restart_policy
            )
            for one in containers or ()
        )

    own = PodSpec(
        containers=limits(spec.containers),
        init_containers=limits(spec.init_containers),
        resources=spec.resources and Resources(spec.resources.limits),
        overhead=spec.overhead,
    )
    return Pod(pod.metadata, own)


def _concerns(quota: ResourceQuota, pod: _New) -> bool:
    """Whether the pod is in all scopes of the quota."""
    scopes = [ScopeRequirement(name, "Exists") for name in quota.spec.scopes or ()]
    scopes += (quota.spec.scope_selector.match_expressions if quota.spec.scope_selector else None) or ()
    return all(_in_scope(one, pod) for one in scopes)


def _in_scope(scope: ScopeRequirement, pod: _New) -> bool:
    deadline = pod.written.spec.active_deadline_seconds if pod.written.spec else None
    best_effort = not any(pod.requests.values()) and not any(pod.limits.values())
    match scope.scope_name:
        case "Terminating":
            return deadline is not None
        case "NotTerminating":
            return deadline is None
        case "BestEffort":
            return best_effort
        case "NotBestEffort":
            return not best_effort
        case "PriorityClass":
            values = scope.values or ()
            match scope.operator:
                case "In":
                    return pod.class_name in values
                case "NotIn":
                    return pod.class_name not in values
                case _:
                    return bool(pod.class_name) == (scope.operator == "Exists")
        case "CrossNamespacePodAffinity":
            return _across_namespaces(pod.stored)
        case _:
            return False


def _across_namespaces(pod: Pod) -> bool:
    affinity = pod.spec.affinity if pod.spec else None
    sides = (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else ()
    terms: list[PodAffinityTerm] = []
    for side in sides:
        if side is not None:
            terms += side.required_during_scheduling_ignored_during_execution or ()
            preferred = side.preferred_during_scheduling_ignored_during_execution or ()
            terms += [one.pod_affinity_term for one in preferred if one.pod_affinity_term is not None]
    return any(term.namespaces or term.namespace_selector is not None for term in terms)


def _text(amount: int) -> str:
    """An amount as a quantity: 1500000000 is 1.5."""
    whole, part = divmod(amount, _UNIT)
    return f"{whole}.{part:09}".rstrip("0") if part else str(whole)
