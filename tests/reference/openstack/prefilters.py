"""Nova's pre-filters: what a deployment adds to a request before Placement is asked.

Edits a request's wishes about aggregates and the root's traits; writes no query. Source: openstack spec 3.2, 13. Not
here, because the spec names them only: image metadata traits, packed virtqueue, routed networks, remote-managed ports,
ephemeral encryption, sound.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.reference.openstack.matching import option
from tests.reference.openstack.numa_constraints import image_properties
from tests.reference.openstack.schedule import NoValidHost


@dataclass
class Wishes:
    """What a request says of aggregates (an AND of ORs) and of the root provider's traits."""

    member_of: list[list[str]]
    forbidden_aggregates: list[str]
    root_required: set[str]
    root_forbidden: set[str]

    @classmethod
    def from_json(cls, spec: dict) -> Wishes:
        destination = spec.get("requested_destination") or {}
        return cls(
            member_of=[clause.split(",") for clause in destination.get("aggregates") or ()],
            forbidden_aggregates=list(destination.get("forbidden_aggregates") or ()),
            root_required=set(spec.get("root_required") or ()),
            root_forbidden=set(spec.get("root_forbidden") or ()),
        )


def apply_prefilters(wishes: Wishes, case: dict) -> None:
    """All pre-filters in order (spec 3.2). Raises NoValidHost."""
    spec, config = case["spec"], case["config"]
    specs, properties = spec["flavor"]["extra_specs"], image_properties(spec.get("image"))
    tenant_aggregates(wishes, case)
    availability_zone(wishes, case)
    if option(config, "scheduler.query_placement_for_image_type_support", False) and not spec.get("is_bfv"):
        disk_format = (spec.get("image") or {}).get("disk_format", "qcow2")
        wishes.root_required.add(f"COMPUTE_IMAGE_TYPE_{disk_format.upper()}")
    wishes.root_forbidden.add("COMPUTE_STATUS_DISABLED")
    isolated_aggregates(wishes, case)
    if specs.get("accel:device_profile"):
        wishes.root_required.add("COMPUTE_ACCELERATORS")
    if specs.get("hw:tpm_version") or properties.get("hw_tpm_version"):
        wishes.root_required.add("COMPUTE_SECURITY_TPM_SECRET_SECURITY_USER")
    if case["owner_trait"]:
        wishes.root_required.add("OWNER_NOVA")


def tenant_aggregates(wishes: Wishes, case: dict) -> None:
    """Aggregates with a filter_tenant_id* key whose value is the project's id (spec 3.2)."""
    config = case["config"]
    if not option(config, "scheduler.limit_tenants_to_placement_aggregate", False):
        return
    project = case["spec"]["project_id"]
    found = [
        aggregate["uuid"]
        for aggregate in case["aggregates"]
        if any(k.startswith("filter_tenant_id") and v == project for k, v in aggregate["metadata"].items())
    ]
    if found:
        wishes.member_of.append(found)
    elif option(config, "scheduler.placement_aggregate_required_for_tenants", False):
        raise NoValidHost


def availability_zone(wishes: Wishes, case: dict) -> None:
    """Aggregates of the requested zone; an unknown zone adds nothing (spec 3.2)."""
    zone = case["spec"].get("availability_zone")
    found = [a["uuid"] for a in case["aggregates"] if zone and a["metadata"].get("availability_zone") == zone]
    if found:
        wishes.member_of.append(found)


def isolated_aggregates(wishes: Wishes, case: dict) -> None:
    """Opt-in: aggregates that are reserved for a trait which the request does not require (spec 3.2)."""
    if not option(case["config"], "scheduler.enable_isolated_aggregate_filtering", False):
        return
    sources = (case["spec"]["flavor"]["extra_specs"], image_properties(case["spec"].get("image")))
    asked = {
        key.partition(":")[2]
        for source in sources
        for key, value in source.items()
        if key.startswith("trait") and value == "required"
    }
    for aggregate in case["aggregates"]:
        reserved = {
            key.removeprefix("trait:")
            for key, value in aggregate["metadata"].items()
            if key.startswith("trait:") and value == "required"
        }
        if reserved - asked:
            wishes.forbidden_aggregates.append(aggregate["uuid"])
