"""Limits of a pod, and whether it is Guaranteed: what a pod may use, beside what it was promised (`requests`).

A container without a limit has none: then the pod has none either for that resource.
"""

from __future__ import annotations

from binwright.kubernetes.objects import Container, Pod
from binwright.kubernetes.requests import base_units
from binwright.units import nanos

__all__ = ["guaranteed", "limit"]

_COMPUTE = ("cpu", "memory")


def limit(pod: Pod, name: str) -> int | None:
    """cpu in millicores or memory in bytes that all containers together may use; None = no limit.

    Sidecars count beside the containers, other init containers do not. Raises InputError naming pod and field.
    """
    spec = pod.spec
    if spec is None:
        return None
    if spec.resources is not None and name in (spec.resources.limits or {}):
        total = nanos((spec.resources.limits or {})[name], f"Pod {pod.key}: spec.resources.limits.{name}")
        return base_units(name, total)
    total = 0
    for container in _running(pod):
        limits = (container.resources and container.resources.limits) or {}
        if name not in limits:
            return None
        total += nanos(limits[name], f"Pod {pod.key}: container {container.name}: resources.limits.{name}")
    return base_units(name, total)


def guaranteed(pod: Pod) -> bool:
    """Whether the pod's QoS class is Guaranteed: every container's requests are its limits, for cpu and memory.

    Rule: Kubernetes' pod QoS classes. A request that is absent is taken from the limit, as the API server does.
    """
    spec = pod.spec
    if spec is None:
        return False
    containers = [*(spec.containers or ()), *(spec.init_containers or ())]
    if spec.resources is not None:
        containers = [Container(resources=spec.resources)]
    for container in containers:
        limits = (container.resources and container.resources.limits) or {}
        requests = (container.resources and container.resources.requests) or {}
        for name in _COMPUTE:
            where = f"Pod {pod.key}: container {container.name}: resources.limits.{name}"
            if name not in limits or nanos(requests.get(name, limits[name]), where) != nanos(limits[name], where):
                return False
    return bool(containers)


def _running(pod: Pod) -> list[Container]:
    spec = pod.spec
    if spec is None:
        return []
    sidecars = [one for one in spec.init_containers or () if one.restart_policy == "Always"]
    return [*(spec.containers or ()), *sidecars]
