"""What a pod asks for (spec 3): exact sums over containers, init containers, pod level and overhead.

Pure functions over the pod's JSON; quantities stay exact until ``as_integers``, once per pod and resource.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tests.reference.kubernetes.names import CPU, MEMORY, is_counted
from tests.reference.kubernetes.quantities import parse_resource_list, to_integer

Json = dict[str, Any]
Quantities = dict[str, Fraction]

MISSING_DEFAULTS: Mapping[str, Fraction] = {CPU: Fraction(100, 1000), MEMORY: Fraction(200 * 1024 * 1024)}


def _add(a: Quantities, b: Quantities) -> Quantities:
    return {name: a.get(name, Fraction(0)) + b.get(name, Fraction(0)) for name in {**a, **b}}


def _maximum(a: Quantities, b: Quantities) -> Quantities:
    """Per resource; a name in only one list keeps its value there."""
    return {name: max(q[name] for q in (a, b) if name in q) for name in {**a, **b}}


def _is_restartable(container: Json) -> bool:
    return container.get("restartPolicy") == "Always"


def _resize_is_infeasible(pod: Json) -> bool:
    """The *first* condition of type PodResizePending decides (spec 3.3)."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodResizePending":
            return condition.get("reason") == "Infeasible"
    return False


def _container_request(container: Json, statuses: dict[str, Json], infeasible: bool) -> Quantities:
    """Spec request, or with a status that has ``resources`` the maximum of spec 3.3."""
    own = parse_resource_list((container.get("resources") or {}).get("requests"))
    status = statuses.get(container["name"])
    if status is None or status.get("resources") is None:
        return own
    reported = _maximum(
        parse_resource_list(status["resources"].get("requests")),
        parse_resource_list(status.get("allocatedResources")),
    )
    return reported if infeasible else _maximum(own, reported)


def pod_level_requests(pod: Json) -> Quantities:
    """cpu, memory and hugepages-* of ``spec.resources.requests``; other names in it are ignored (spec 3.4)."""
    requests = parse_resource_list((pod["spec"].get("resources") or {}).get("requests"))
    return {
        name: quantity for name, quantity in requests.items() if name in (CPU, MEMORY) or name.startswith("hugepages-")
    }


def pod_requests(
    pod: Json, *, missing: Mapping[str, Fraction] | None = None, use_status: bool = False, pod_level: bool = False
) -> Quantities:
    """``requests(pod, missing, useStatus, podLevel)`` of spec 3, by resource name, exact."""
    spec, status = pod["spec"], pod.get("status") or {}
    infeasible = _resize_is_infeasible(pod)

    def statuses(field: str) -> dict[str, Json]:
        return {s["name"]: s for s in status.get(field) or ()} if use_status else {}

    container_statuses = statuses("containerStatuses")
    init_statuses = statuses("initContainerStatuses")

    def with_missing(request: Quantities) -> Quantities:
        return {**(missing or {}), **request}

    total: Quantities = {}
    for container in spec.get("containers") or ():
        total = _add(total, with_missing(_container_request(container, container_statuses, infeasible)))

    sidecars: Quantities = {}
    peaks: list[Quantities] = []
    for container in spec.get("initContainers") or ():
        if _is_restartable(container):
            request = with_missing(_container_request(container, init_statuses, infeasible))
            total = _add(total, request)
            sidecars = _add(sidecars, request)
            peaks.append(sidecars)
        else:
            peaks.append(_add(with_missing(_container_request(container, {}, False)), sidecars))
    for peak in peaks:
        total = _maximum(total, peak)

    if pod_level:
        total = {**total, **pod_level_requests(pod)}
    return _add(total, parse_resource_list(spec.get("overhead")))


def accounted_request(pod: Json) -> Quantities:
    """``Requested`` of spec 3: what a bound pod takes from its node."""
    return pod_requests(pod, use_status=True, pod_level=True)


def accounted_non_zero(pod: Json) -> Quantities:
    """``NonZero`` of spec 3: cpu and memory with defaults for containers that name none.

    With pod-level requests (8.11: at least one of cpu, memory, hugepages-*) only those of cpu and memory get the
    defaults that are absent from the finished ``Requested``.
    """
    missing = dict(MISSING_DEFAULTS)
    if pod_level_requests(pod):
        finished = accounted_request(pod)
        missing = {name: quantity for name, quantity in missing.items() if name not in finished}
    return pod_requests(pod, missing=missing, use_status=True, pod_level=True)


def as_integers(quantities: Quantities) -> dict[str, int]:
    """The counted resources as integers, rounded up once per pod and resource; other names are dropped (spec 2)."""
    return {name: to_integer(name, quantity) for name, quantity in quantities.items() if is_counted(name)}
