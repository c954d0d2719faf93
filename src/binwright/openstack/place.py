"""Placing what is pending in one cloud: dump in, SourceOutcome out.

Placement's rules reject, Nova's weighers choose (with its default multipliers, or those of the host's aggregates), one
server after another in queue order, each committing before the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

import numpy as np

from binwright.explain import Explanation
from binwright.formats.files import Blob
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.cloud import Cloud
from binwright.openstack.compile import CompiledCloud
from binwright.openstack.dumps import read_dump
from binwright.openstack.hosts import Hosts, class_key
from binwright.openstack.not_evaluated import rules_not_evaluated
from binwright.openstack.nova.host_states import HostStates, weight_multipliers
from binwright.openstack.nova.server_groups import Groups
from binwright.openstack.nova.weighers import weigh
from binwright.openstack.pending import Wanted, pending_servers, wanted_servers
from binwright.openstack.zones import Zones, cloud_zones
from binwright.outcome import Outcome, ReasonText, ResourceUse, SourceOutcome
from binwright.verdict import Change, Verdict

__all__ = ["place_cloud", "place_source"]

FEASIBLE = 255


def place_source(name: str, blobs: Iterable[Blob], *, retry_errors: bool = False) -> SourceOutcome:
    """Place the pending servers of the cloud that `blobs` describe (contracts.md, "What is pending").

    Raises InputError for bad input, with nothing placed.
    """
    return place_cloud(read_dump(name, blobs), retry_errors=retry_errors)


def place_cloud(cloud: Cloud, *, retry_errors: bool = False) -> SourceOutcome:
    """Place the pending servers of a cloud; the cloud itself does not change."""
    wanted = wanted_servers(cloud, retry_errors=retry_errors)
    hosts = cloud_hosts(cloud, pending_servers(cloud, retry_errors=retry_errors))
    zones = cloud_zones(cloud, hosts)
    compiled = CompiledCloud(hosts, zones, wanted, evaluate_traits="traits" in cloud.present)
    groups = Groups(cloud, hosts)
    result = SourceOutcome(source=cloud.name, layer="openstack", hosts=len(hosts))
    placed_amounts = _place_all(cloud, hosts, wanted, compiled, groups, result)
    for resource, (capacity, used) in sorted(hosts.totals.items(), key=lambda item: class_key(item[0])):
        after = used + placed_amounts.get(resource, 0)
        result.resources.append(ResourceUse(resource, capacity, used, after))
    result.skipped_kinds = cloud.skipped
    result.not_evaluated = rules_not_evaluated(cloud, hosts, zones, groups, wanted, compiled.groups)
    result.notes = [*hosts.notes, *zones.notes, *_zone_notes(zones, wanted), *_column_notes(cloud)]
    return result


def _place_all(
    cloud: Cloud, hosts: Hosts, wanted: list[Wanted], compiled: CompiledCloud, groups: Groups, result: SourceOutcome
) -> dict[str, int]:
    """Fill in `placed` and `unplaced`; returns what was placed in total, by class."""
    fleet = compiled.fleet
    states = HostStates.of(cloud, hosts)
    factors = weight_multipliers(cloud, hosts)
    amounts: dict[str, int] = {}
    for one, asked in zip(wanted, compiled.groups):
        outcome = Outcome(cloud.name, "Server", one.project, one.name, one.uid, Verdict.PLACED)
        request = compiled.request(one, asked, groups.rejects(one))
        look = fleet.explain(request)
        feasible = np.flatnonzero(look.verdicts_by_host() == FEASIBLE)
        if not feasible.size:
            _refuse(outcome, look, compiled.reasons(look, request), hosts, compiled)
            result.unplaced.append(outcome)
            continue
        raws = states.raw_weights(feasible) | groups.raw_weights(one, feasible)
        totals = weigh(raws, {name: column[feasible] for name, column in factors.items()})
        best = int(np.argmax(totals))
        host = int(feasible[best])
        fleet.claim(request, host)
        states.consume(host, one.flavor)
        groups.consume(one, host)
        outcome.host = hosts.names[host]
        outcome.score = float(totals[best])
        result.placed.append(outcome)
        for resource, amount in asked.totals().items():
            amounts[resource] = amounts.get(resource, 0) + amount
    return amounts


def _refuse(
    outcome: Outcome, look: Explanation, reasons: list[ReasonText], hosts: Hosts, compiled: CompiledCloud
) -> None:
    outcome.verdict = look.verdict
    outcome.reasons = reasons
    told = ", ".join(f"{reason.hosts} {reason.text}" for reason in reasons)
    outcome.message = f"No valid host was found: 0/{len(hosts)} hosts" + (f": {told}" if told else "")
    outcome.smallest_change = _change(look.smallest_change, hosts, compiled)


def _change(change: Change | None, hosts: Hosts, compiled: CompiledCloud) -> dict[str, Any] | None:
    if change is None or _one_instance(change, hosts):
        return None
    return {
        "kind": change.kind,
        "host": hosts.names[change.host],
        "resource": change.resource,
        "rule": change.rule,
        "argument": compiled.argument_text(change.rule, change.argument),
        "have": change.have,
        "need": change.need,
    }


def _one_instance(change: Change, hosts: Hosts) -> bool:
    """Whether the change is a larger bare-metal node: it has one instance or none (openstack spec 10)."""
    offer = hosts.offers[change.host].get(change.resource or "")
    return change.kind == "host" and offer is not None and offer.inventory.total == offer.inventory.max_unit == 1


def _column_notes(cloud: Cloud) -> list[str]:
    """Which file gave which field, one line a file."""
    return [
        f"{PurePath(file).name if file[-1] != '*' else file}: "
        + ", ".join(f"{field} from {column!r}" for field, column in sorted(columns.items()))
        for file, columns in cloud.columns.items()
        if columns
    ]


def _zone_notes(zones: Zones, wanted: list[Wanted]) -> list[str]:
    asked = sorted({str(one.zone) for one in wanted if one.uid is not None and zones.missing(one.zone)})
    return [f"availability zone {zone}: no aggregate has it, so it restricts nothing, as in Nova" for zone in asked]
