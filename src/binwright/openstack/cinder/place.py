"""Placing the volumes of a cloud that wait for a pool: its records in, outcomes out (openstack spec 8; contracts.md).

Waiting are volumes of status `creating` that no pool has, and those of requests.json. Cinder's default filters and
weigher decide; what the input does not tell is not evaluated, and listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from binwright.errors import InputError
from binwright.openstack.cinder.pools import Pool, read_pool
from binwright.openstack.cinder.scheduler import SERVICE, SchedulerOptions, VolumeScheduler
from binwright.openstack.cinder.volumes import PlacedVolume, VolumeRequest
from binwright.openstack.cloud import Cloud, Service, Volume, VolumeWish
from binwright.outcome import NotEvaluated, Outcome, ReasonText
from binwright.verdict import Verdict

__all__ = ["WaitingVolume", "cloud_pools", "place_volumes", "to_requests"]

NO_POOLS = "volumes to create: the input has no pools.json"
NO_TYPES = "extra specs of volume types: the input has no volume_types.json"
NO_ZONES = "availability zones of volumes: the input has no volume_services.json"
HINTS = "scheduler hints of volumes: Cinder's default filters do not read them"
TEXTS = {
    SERVICE: "with volume service down or disabled",
    "AvailabilityZoneFilter": "outside availability zone {zone}",
    "CapacityFilter": "without room for {size} GiB",
    "CapabilitiesFilter": "without what volume type {type} asks for",
}


@dataclass(frozen=True, slots=True)
class WaitingVolume:
    """A volume that waits for a pool. `uid` is None for a wish. zone, hinted: what is asked for, told or not."""

    name: str
    uid: str | None
    project: str | None
    type: str | None
    zone: str | None
    hinted: bool
    request: VolumeRequest


@dataclass(slots=True)
class VolumeOutcomes:
    """What became of the volumes of a cloud."""

    placed: list[Outcome] = field(default_factory=list)
    unplaced: list[Outcome] = field(default_factory=list)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def to_requests(cloud: Cloud, *, retry_errors: bool = False) -> list[WaitingVolume]:
    """The volumes that wait for a pool, in order; a wish for several is named NAME-1, NAME-2, ...

    Raises InputError for a size that is missing and a type that is not known.
    """
    statuses = {"creating", "error"} if retry_errors else {"creating"}
    waiting = [
        _waiting(cloud, one, one.name, one.id)
        for one in cloud.volumes
        if one.host is None and (one.status or "").casefold() in statuses
    ]
    for wish in cloud.volume_wishes:
        names = [wish.name] if wish.count == 1 else [f"{wish.name}-{number}" for number in range(1, wish.count + 1)]
        waiting += [_waiting(cloud, wish, name, None) for name in names]
    return waiting


def _waiting(cloud: Cloud, one: Volume | VolumeWish, name: str, uid: str | None) -> WaitingVolume:
    if one.size is None:
        raise InputError(f"{one.where}: size: missing")
    kinds = [kind for kind in cloud.volume_types if one.type is not None and one.type in (kind.name, kind.id)]
    if one.type is not None and not kinds and "volume_types" in cloud.present:
        raise InputError(f"{one.where}: type: {one.type!r} is not in volume_types.json")
    request = VolumeRequest(
        size=one.size,
        extra_specs=kinds[0].extra_specs if kinds else {},
        zones=(one.zone,) if one.zone is not None and "volume_services" in cloud.present else (),
        properties={"size": one.size},
    )
    hinted = isinstance(one, VolumeWish) and bool(one.hints)
    return WaitingVolume(name, uid, one.project, one.type, one.zone, hinted, request)


def cloud_pools(cloud: Cloud) -> list[Pool]:
    """The pools of a cloud in file order, each with zone and state of its service. Raises InputError."""
    services = {one.host: one for one in cloud.volume_services if one.binary in (None, "cinder-volume")}
    pools = []
    for row in cloud.pools:
        service = services.get(row.name.partition("#")[0])
        pools.append(
            read_pool(
                {"name": row.name, "capabilities": row.capabilities},
                row.where.removesuffix(f" {row.name}"),
                zone=None if service is None else service.zone,
                up=service is None or _is_up(service),
            )
        )
    return pools


def _is_up(service: Service) -> bool:
    return (service.state or "").casefold() != "down" and (service.status or "").casefold() != "disabled"


def place_volumes(cloud: Cloud, *, retry_errors: bool = False) -> VolumeOutcomes:
    """Place the waiting volumes one after another. Raises InputError."""
    result = VolumeOutcomes()
    waiting = to_requests(cloud, retry_errors=retry_errors)
    if not waiting:
        return result
    result.not_evaluated = list(_not_evaluated(cloud, waiting))
    if "pools" not in cloud.present:
        return result
    placed = [PlacedVolume(one.id or one.name, one.host) for one in cloud.volumes if one.host is not None]
    scheduler = VolumeScheduler(cloud_pools(cloud), placed, SchedulerOptions())
    result.notes.append(f"volumes: {len(scheduler.pools)} pools of pools.json, Cinder's default filters and weigher")
    for one in waiting:
        outcome = Outcome(cloud.name, "Volume", one.project, one.name, one.uid, Verdict.PLACED)
        look = scheduler.explain(one.request)
        found = scheduler.place(one.request, one.uid or one.name)
        if found is None:
            outcome.verdict = look.verdict
            words = {"zone": ", ".join(one.request.zones), "size": one.request.size, "type": one.type}
            outcome.reasons = [
                ReasonText(reason.rule, reason.hosts, TEXTS[reason.rule].format(**words)) for reason in look.reasons
            ]
            told = ", ".join(f"{reason.hosts} {reason.text}" for reason in outcome.reasons)
            outcome.message = f"No valid backend was found: 0/{len(scheduler.pools)} pools" + (told and f": {told}")
            result.unplaced.append(outcome)
        else:
            outcome.host, outcome.score = scheduler.pools[found[0]].name, found[1]
            result.placed.append(outcome)
    return result


def _not_evaluated(cloud: Cloud, waiting: list[WaitingVolume]) -> Iterable[NotEvaluated]:
    if "pools" not in cloud.present:
        yield NotEvaluated(NO_POOLS, len(waiting), waiting[0].name)
        return
    for rule, file, using in (
        (NO_TYPES, "volume_types", [one.name for one in waiting if one.type is not None]),
        (NO_ZONES, "volume_services", [one.name for one in waiting if one.zone is not None]),
        (HINTS, None, [one.name for one in waiting if one.hinted]),
    ):
        if using and file not in cloud.present:
            yield NotEvaluated(rule, len(using), using[0])
