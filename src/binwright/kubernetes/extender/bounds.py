"""What of one question a service judges: counts beyond which it could hold everybody else's up.

Far beyond what pods and clusters have; the API server bounds only the bytes. Decides nothing about placing.
"""

from __future__ import annotations

from collections.abc import Iterator

from binwright.errors import InputError
from binwright.kubernetes.objects import Container, Pod, PodAffinity

__all__ = ["MOST", "MOST_NODES", "MOST_VICTIMS", "POD_BYTES", "check_bounds"]

MOST = 500
MOST_NODES = 100_000
"""Twenty times the largest cluster that Kubernetes is tested with."""
MOST_VICTIMS = 10_000
"""Of one node."""
POD_BYTES = 3 * 2**19
"""1.5 MiB, the most that etcd stores of one object."""


def check_bounds(pod: Pod) -> None:
    """Raises InputError naming the pod and what it has more than `MOST` of."""
    for what, count in _counts(pod):
        if count > MOST:
            raise InputError(f"Pod {pod.key}: has {count} {what}, more than the {MOST} that are judged here")


def _counts(pod: Pod) -> Iterator[tuple[str, int]]:
    spec = pod.spec
    if spec is None:
        return
    containers = (*(spec.containers or ()), *(spec.init_containers or ()))
    yield "containers", len(containers)
    yield "resources", sum(map(_resources, containers))
    yield "host ports", sum(len(one.ports or ()) for one in containers)
    yield "tolerations", len(spec.tolerations or ())
    yield "volumes", len(spec.volumes or ())
    terms = len(spec.topology_spread_constraints or ())
    if spec.affinity is not None:
        terms += _terms(spec.affinity.pod_affinity) + _terms(spec.affinity.pod_anti_affinity)
        nodes = spec.affinity.node_affinity
        required = nodes.required_during_scheduling_ignored_during_execution if nodes else None
        preferred = nodes.preferred_during_scheduling_ignored_during_execution if nodes else None
        yield "node selector terms", len((required and required.node_selector_terms) or ()) + len(preferred or ())
    yield "terms of topology", terms


def _resources(container: Container) -> int:
    return len((container.resources and container.resources.requests) or ())


def _terms(affinity: PodAffinity | None) -> int:
    if affinity is None:
        return 0
    return len(affinity.required_during_scheduling_ignored_during_execution or ()) + len(
        affinity.preferred_during_scheduling_ignored_during_execution or ()
    )
