"""Nova's pre-filters: what a deployment adds to a request before Placement is asked (openstack spec 3.2, 13).

They speak of aggregates and of the root provider's traits. Pre-filters of which the spec knows the name only (image
metadata traits, packed virtqueue, routed networks, remote-managed ports, ephemeral encryption, sound) are not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from binwright.openstack.cloud import Aggregate
from binwright.openstack.nova.filters import TENANTS
from binwright.openstack.nova.options import Config, option
from binwright.openstack.nova.request_spec import RequestSpec
from binwright.openstack.nova.schedule import NoValidHost

__all__ = ["RootWishes", "prefiltered", "wishes_of"]

TRAIT = "trait:"


@dataclass(slots=True)
class RootWishes:
    """member_of: clauses of aggregate uuids, each met by any of them; the others hold for the root as well."""

    member_of: list[list[str]] = field(default_factory=list)
    forbidden_aggregates: list[str] = field(default_factory=list)
    required: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)


def wishes_of(request: RequestSpec) -> RootWishes:
    """What the request itself says."""
    return RootWishes(
        [list(clause) for clause in request.destination.aggregates],
        list(request.destination.forbidden_aggregates),
        set(request.root_required),
        set(request.root_forbidden),
    )


def prefiltered(request: RequestSpec, aggregates: Sequence[Aggregate], config: Config, owner_trait: bool) -> RootWishes:
    """What the request says once all pre-filters have had their say, in their order.

    owner_trait: whether every compute service is new enough to carry OWNER_NOVA. Raises NoValidHost where a project
    needs an aggregate of its own and has none.
    """
    wishes = wishes_of(request)
    if option(config, "scheduler.limit_tenants_to_placement_aggregate"):
        own = [
            one.uuid or ""
            for one in aggregates
            if any(key.startswith(TENANTS) and value == request.project for key, value in one.metadata.items())
        ]
        if own:
            wishes.member_of.append(own)
        elif option(config, "scheduler.placement_aggregate_required_for_tenants"):
            raise NoValidHost(f"project {request.project}: no aggregate is there for it")
    if request.zone:
        zone = [one.uuid or "" for one in aggregates if one.metadata.get("availability_zone") == request.zone]
        if zone:  # a zone that there is not adds nothing
            wishes.member_of.append(zone)
    if option(config, "scheduler.query_placement_for_image_type_support") and not request.from_volume:
        wishes.required.add(f"COMPUTE_IMAGE_TYPE_{request.image.disk_format.upper()}")
    wishes.forbidden.add("COMPUTE_STATUS_DISABLED")
    if option(config, "scheduler.enable_isolated_aggregate_filtering"):
        asked = _required_traits(request)
        wishes.forbidden_aggregates += [one.uuid or "" for one in aggregates if _reserved(one) - asked]
    specs = request.flavor.extra_specs
    if specs.get("accel:device_profile"):
        wishes.required.add("COMPUTE_ACCELERATORS")
    if specs.get("hw:tpm_version") or request.image.properties.get("hw_tpm_version"):
        wishes.required.add("COMPUTE_SECURITY_TPM_SECRET_SECURITY_USER")
    if owner_trait:
        wishes.required.add("OWNER_NOVA")
    return wishes


def _required_traits(request: RequestSpec) -> set[str]:
    """Traits that flavor or image require, of any group."""
    return {
        key.partition(":")[2]
        for source in (request.flavor.extra_specs, request.image.properties)
        for key, value in source.items()
        if key.startswith("trait") and value == "required"
    }


def _reserved(aggregate: Aggregate) -> set[str]:
    """The traits that a request must require to get into an aggregate."""
    return {
        key.removeprefix(TRAIT)
        for key, value in aggregate.metadata.items()
        if key.startswith(TRAIT) and value == "required"
    }
