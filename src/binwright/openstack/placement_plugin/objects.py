"""The engine behind `AllocationCandidates.get_by_requests`: its answer as the objects that Placement's handler reads.

Everything above that method, the query's checks and the shapes of older microversions, is the service's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any

from placement.objects import allocation_candidate as stock  # type: ignore[import-not-found]
from placement.objects import resource_provider

from binwright.openstack.placement_plugin.engine import Found, answered

__all__ = ["LEFT", "install"]

LEFT = "binwright_left"
"""On a context: the engine has been asked about its search already, and has left it to the service."""


def install() -> None:
    """Put the engine in the method's place, once."""
    method = stock.AllocationCandidates.get_by_requests.__func__
    if hasattr(method, "__wrapped__"):
        return

    @wraps(method)
    def get_by_requests(
        cls: Any, context: Any, groups: Mapping[str, Any], rqparams: Any, nested_aware: bool = True
    ) -> Any:
        if not getattr(context, LEFT, False):
            answer = answered(context, groups, rqparams, nested_aware, lambda posed: as_objects(posed.found()))
            if answer is not None:
                return answer
        return method(cls, context, groups, rqparams, nested_aware=nested_aware)

    stock.AllocationCandidates.get_by_requests = classmethod(get_by_requests)


def as_objects(found: Found) -> Any:
    """The service's AllocationCandidates."""
    providers = found.resident.made("provider")
    summaries = found.resident.made("summary")
    for one in found.summarised:
        if one.uuid not in summaries:
            summaries[one.uuid] = _summary(found, one.uuid)
            providers[one.uuid] = summaries[one.uuid].resource_provider
    requests = []
    for candidate in found.candidates:
        amounts = [
            stock.AllocationRequestResource(providers[uuid], name, amount)
            for uuid, resources in candidate.allocations.items()
            for name, amount in resources.items()
        ]
        mappings = {suffix: list(uuids) for suffix, uuids in candidate.mappings.items()}
        requests.append(stock.AllocationRequest(resource_requests=amounts, mappings=mappings))
    return stock.AllocationCandidates(
        allocation_requests=requests, provider_summaries=[summaries[one.uuid] for one in found.summarised]
    )


def _summary(found: Found, uuid: str) -> Any:
    one, resident = found.forest.providers[uuid], found.resident
    provider = resource_provider.ResourceProvider(
        None,
        id=resident.id_of[uuid],
        uuid=uuid,
        name=one.name,
        parent_provider_uuid=one.parent,
        root_provider_uuid=found.forest.root(uuid),
    )
    resources = [
        stock.ProviderSummaryResource(
            resource_class=name,
            capacity=inventory.capacity,
            used=one.used.get(name, 0),
            max_unit=inventory.max_unit,
        )
        for name, inventory in one.inventories.items()
    ]
    return stock.ProviderSummary(
        resource_provider=provider, resources=resources, traits=list(resident.trait_order[uuid])
    )
