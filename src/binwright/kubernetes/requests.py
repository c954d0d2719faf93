"""What a pod asks for and what it uses: the resource lists of kubernetes spec 3, in exact integers.

Sums and maxima are made on quantities in units of 1e-9 and converted once at the end: cpu to millicores, everything
else to whole units, both rounded up. Pods that write the same share one `Amounts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from binwright.errors import InputError
from binwright.kubernetes.objects import Container, ContainerStatus, Pod, Quantities
from binwright.units import MAX_AMOUNT, milli, nanos, whole

__all__ = ["NON_ZERO", "Amounts", "Requests", "amount", "base_units", "is_scalar", "pod_request"]

CPU, MEMORY, STORAGE, PODS = "cpu", "memory", "ephemeral-storage", "pods"
NON_ZERO = {CPU: nanos("100m"), MEMORY: nanos("200Mi")}
"""What scores take a container to ask for where it asks for nothing."""

_NATIVE = (CPU, MEMORY, STORAGE)
_POD_LEVEL = (CPU, MEMORY)


@dataclass(frozen=True, slots=True)
class Amounts:
    """The five lists of one pod: resource -> integer, resources of other kinds than the scheduler's left out.

    `fit` is what the filter compares, `used` what the pod takes from its node once bound, `used_nonzero` the same for
    cpu and memory with defaults; `fit_score` and `balanced_score` are what the two resource scores add to a node.
    """

    fit: Mapping[str, int]
    used: Mapping[str, int]
    used_nonzero: Mapping[str, int]
    fit_score: Mapping[str, int]
    balanced_score: Mapping[str, int]


def is_scalar(name: str) -> bool:
    """Whether the scheduler accounts for a resource of this name besides cpu, memory, ephemeral-storage and pods."""
    if "/" in name:
        return "kubernetes.io/" in name or not name.startswith("requests.")
    return name.startswith(("hugepages-", "attachable-volumes-"))


def base_units(name: str, quantity: int) -> int:
    """An amount in units of 1e-9 in the resource's own unit: cpu in millicores, everything else whole; rounded up."""
    return milli(quantity) if name == CPU else whole(quantity)


def amount(name: str, quantity: int, where: str) -> int:
    """An amount in units of 1e-9 as the engine's integer. Raises InputError "WHERE: NAME: ..." past MAX_AMOUNT."""
    value = base_units(name, quantity)
    if value > MAX_AMOUNT:
        raise InputError(f"{where}: {name}: {value} is more than {MAX_AMOUNT}, the most that is computed with")
    return value


class Requests:
    """The amounts of pods; a memory of resource lists met before, since most pods of a cluster repeat one."""

    def __init__(self, fit_score_pod_level: bool = False) -> None:
        """fit_score_pod_level: let the fit score see pod-level values, which kube-scheduler 1.34.1 does not."""
        self._fit_score_pod_level = fit_score_pod_level
        self._known: dict[bytes, Amounts] = {}
        self._encode = msgspec.json.Encoder().encode

    def of(self, pod: Pod) -> Amounts:
        """The amounts of a pod. Raises InputError naming pod and field for a malformed quantity."""
        try:
            key = self._encode(_what_counts(pod))
        except OverflowError:  # a number past 64 bits, which `nanos` refuses with its name
            return self._compute(pod)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._compute(pod)
        return known

    def _compute(self, pod: Pod) -> Amounts:
        where = f"Pod {pod.key}"
        used = pod_request(pod, use_status=True)
        missing = {name: least for name, least in NON_ZERO.items() if not _has_pod_level(pod) or name not in used}
        nonzero = pod_request(pod, missing, use_status=True)
        return Amounts(
            fit=_integers(pod_request(pod), where),
            used=_integers(used, where),
            used_nonzero=_integers({name: nonzero.get(name, 0) for name in NON_ZERO}, where),
            fit_score=_integers(pod_request(pod, NON_ZERO, pod_level=self._fit_score_pod_level), where),
            balanced_score=_integers(used, where),
        )


def pod_request(
    pod: Pod, missing: Mapping[str, int] | None = None, *, use_status: bool = False, pod_level: bool = True
) -> dict[str, int]:
    """requests(pod, missing, useStatus, podLevel) of kubernetes spec 3: resource -> amount in units of 1e-9.

    A resource that nothing mentions is absent. Raises InputError naming pod and field for a malformed quantity.
    """
    where = f"Pod {pod.key}: spec"
    spec, status = pod.spec, pod.status
    if spec is None:
        return {}
    infeasible = use_status and _resize_is_infeasible(pod)
    status_of = {one.name: one for one in (status and status.container_statuses) or ()} if use_status else {}
    init_status_of = {one.name: one for one in (status and status.init_container_statuses) or ()} if use_status else {}

    def own(container: Container, reported: ContainerStatus | None, field: str) -> dict[str, int]:
        resources = container.resources
        asked = _list(resources.requests if resources else None, f"{where}.{field}.resources.requests")
        if reported is not None and reported.resources is not None:
            in_status = _list(reported.resources.requests, f"{where}.{field} (status).resources.requests")
            granted = _list(reported.allocated_resources, f"{where}.{field} (status).allocatedResources")
            asked = _maximum((in_status, granted) if infeasible else (asked, in_status, granted))
        for name, least in (missing or {}).items():
            asked.setdefault(name, least)
        return asked

    total: dict[str, int] = {}
    for number, container in enumerate(spec.containers or ()):
        _add(total, own(container, status_of.get(container.name), f"containers[{number}]"))
    peaks = []
    sidecars: dict[str, int] = {}
    for number, container in enumerate(spec.init_containers or ()):
        restarts = container.restart_policy == "Always"
        asked = own(container, init_status_of.get(container.name) if restarts else None, f"initContainers[{number}]")
        if restarts:
            _add(total, asked)
            _add(sidecars, asked)
            peaks.append(dict(sidecars))
        else:
            _add(asked, sidecars)
            peaks.append(asked)
    total = _maximum((total, *peaks))
    if pod_level and spec.resources is not None:
        whole_pod = _list(spec.resources.requests, f"{where}.resources.requests")
        total.update((name, value) for name, value in whole_pod.items() if _is_pod_level(name))
    _add(total, _list(spec.overhead, f"{where}.overhead"))
    return total


def _what_counts(pod: Pod) -> tuple[Any, ...]:
    """Everything of a pod that its amounts depend on."""
    spec, status = pod.spec, pod.status
    if spec is None:
        return ()
    containers = spec.containers or ()
    reported: tuple[Any, ...] = ()
    if status is not None and (status.container_statuses or status.init_container_statuses):
        names = tuple(container.name for container in containers)
        reported = (names, status.container_statuses, status.init_container_statuses, _resize_is_infeasible(pod))
    return (
        tuple(container.resources and container.resources.requests for container in containers),
        tuple(
            (one.name, one.resources and one.resources.requests, one.restart_policy)
            for one in spec.init_containers or ()
        ),
        spec.overhead,
        spec.resources,
        reported,
    )


def _resize_is_infeasible(pod: Pod) -> bool:
    for condition in (pod.status and pod.status.conditions) or ():
        if condition.type == "PodResizePending":
            return condition.reason == "Infeasible"
    return False


def _is_pod_level(name: str) -> bool:
    return name in _POD_LEVEL or name.startswith("hugepages-")


def _has_pod_level(pod: Pod) -> bool:
    resources = pod.spec.resources if pod.spec else None
    return resources is not None and any(_is_pod_level(name) for name in resources.requests or ())


def _list(quantities: Quantities | None, where: str) -> dict[str, int]:
    return {name: nanos(text, f"{where}.{name}") for name, text in (quantities or {}).items()}


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value


def _maximum(lists: Iterable[Mapping[str, int]]) -> dict[str, int]:
    most: dict[str, int] = {}
    for one in lists:
        for name, value in one.items():
            if name not in most or value > most[name]:
                most[name] = value
    return most


def _integers(quantities: Mapping[str, int], where: str) -> dict[str, int]:
    return {
        name: amount(name, value, where) for name, value in quantities.items() if name in _NATIVE or is_scalar(name)
    }
