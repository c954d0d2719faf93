"""Cinder's filters: which pools a volume may go to (openstack spec 8); one function a filter, of pool and volume."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from binwright.openstack.cinder.capacity import has_room
from binwright.openstack.cinder.expressions import ExpressionError, evaluate
from binwright.openstack.cinder.extra_specs import satisfies
from binwright.openstack.cinder.pools import Pool
from binwright.openstack.cinder.volumes import PlacedVolume, VolumeRequest
from binwright.openstack.nova import json_filter

__all__ = ["DEFAULT_FILTERS", "FILTERS"]

DEFAULT_FILTERS = ("AvailabilityZoneFilter", "CapacityFilter", "CapabilitiesFilter")


def _availability_zone(pool: Pool, volume: VolumeRequest, placed: Sequence[PlacedVolume]) -> bool:
    return not volume.zones or pool.zone in volume.zones


def _capacity(pool: Pool, volume: VolumeRequest, placed: Sequence[PlacedVolume]) -> bool:
    return pool.backend_id == volume.is_on or has_room(pool, volume.growth, volume.thin)


def _capabilities(pool: Pool, volume: VolumeRequest, placed: Sequence[PlacedVolume]) -> bool:
    online = pool.capabilities.get("online_extend_support", True) is not False
    if volume.extension_of is not None and volume.attached and not online:
        return False
    return satisfies(pool.capabilities, volume.extra_specs)


def _driver(pool: Pool, volume: VolumeRequest, placed: Sequence[PlacedVolume]) -> bool:
    """The backend's own expression, true for some name of its protocol; one that has no value is false."""
    text = pool.capabilities.get("filter_function")
    return text is None or any(_holds(str(text), scopes) for scopes in volume.scopes(pool, str(text)))


def _holds(text: str, scopes: Mapping[str, Any]) -> bool:
    try:
        return bool(evaluate(text, scopes))
    except ExpressionError:
        return False


def _different_backend(pool: Pool, volume: VolumeRequest, placed: Sequence[PlacedVolume]) -> bool:
    named = _hinted(volume, "different_host")
    return named is not None and not any(one.id in named and one.on(pool) for one in placed)


def _same_backend(pool: Pool, volume: VolumeRequest, placed: Sequence[PlacedVolume]) -> bool:
    named = _hinted(volume, "same_host")
    return named is not None and (not named or any(one.id in named and one.on(pool) for one in placed))


def _hinted(volume: VolumeRequest, hint: str) -> set[str] | None:
    """The volumes that a hint names, one or a list; None, which no pool passes, where one of them is no uuid."""
    named = volume.hints.get(hint, [])
    names = named if isinstance(named, list) else [named]
    return {str(name) for name in names} if all(map(_is_uuid, names)) else None


def _is_uuid(text: Any) -> bool:
    plain = str(text).replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "").lower()
    try:
        return uuid.UUID(str(text)).hex == plain
    except ValueError:
        return False


def _json(pool: Pool, volume: VolumeRequest, placed: Sequence[PlacedVolume]) -> bool:
    query = volume.hints.get("query")
    known = pool.attributes() | {"capabilities": pool.capabilities, "pool_name": pool.capabilities.get("pool_name")}
    return not query or json_filter.holds(query, known.get)


FILTERS: dict[str, Callable[[Pool, VolumeRequest, Sequence[PlacedVolume]], bool]] = {
    "AvailabilityZoneFilter": _availability_zone,
    "CapabilitiesFilter": _capabilities,
    "CapacityFilter": _capacity,
    "DifferentBackendFilter": _different_backend,
    "DriverFilter": _driver,
    "JsonFilter": _json,
    "SameBackendFilter": _same_backend,
}
"""All but those that ask another service (InstanceLocalityFilter) or remember attempts (RetryFilter)."""
