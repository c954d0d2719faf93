"""Placing what is pending in one cloud: dump in, SourceOutcome out.

Placement's rules reject, Nova's filters and weighers choose (with its default options, or the multipliers of the host's
aggregates), one server after another in queue order, each committing before the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from binwright.formats.files import Blob
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.cinder.place import place_volumes
from binwright.openstack.cloud import Cloud
from binwright.openstack.dumps import read_dump
from binwright.openstack.hosts import Hosts, class_key
from binwright.openstack.not_evaluated import rules_not_evaluated
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf, read_conf
from binwright.openstack.pending import Wanted, pending_servers, wanted_servers
from binwright.openstack.scheduler import Decision, Scheduler
from binwright.openstack.zones import Zones, cloud_zones
from binwright.outcome import Outcome, ResourceUse, SourceOutcome

__all__ = ["cloud_notes", "outcome_of", "place_cloud", "place_source", "refused_message"]


def place_source(
    name: str, blobs: Iterable[Blob], *, retry_errors: bool = False, nova_conf: str | None = None
) -> SourceOutcome:
    """Place the pending servers of the cloud that `blobs` describe (contracts.md, "What is pending").

    nova_conf: path of the scheduler's nova.conf; None: Nova's defaults. Raises InputError for bad input, with nothing
    placed.
    """
    return place_cloud(read_dump(name, blobs), retry_errors=retry_errors, conf=read_conf(nova_conf))


def place_cloud(
    cloud: Cloud, *, retry_errors: bool = False, conf: NovaConf = PLAIN_CONF, by_chain: bool = False
) -> SourceOutcome:
    """Place the pending servers of a cloud, then its volumes; the cloud itself does not change.

    by_chain: go through the whole of the rules also where the engine alone would do; the answer is the same.
    """
    wanted = wanted_servers(cloud, retry_errors=retry_errors)
    hosts = cloud_hosts(cloud, pending_servers(cloud, retry_errors=retry_errors))
    zones = cloud_zones(cloud, hosts)
    scheduler = Scheduler(cloud, hosts, zones, wanted, conf, by_chain=by_chain)
    result = SourceOutcome(source=cloud.name, layer="openstack", hosts=len(hosts))
    placed_amounts = _place_all(cloud, scheduler, wanted, result)
    for resource, (capacity, used) in sorted(hosts.totals.items(), key=lambda item: class_key(item[0])):
        after = used + placed_amounts.get(resource, 0)
        result.resources.append(ResourceUse(resource, capacity, used, after))
    result.skipped_kinds = cloud.skipped
    result.not_evaluated = rules_not_evaluated(cloud, scheduler, wanted)
    result.notes = [*cloud_notes(cloud, hosts, zones, wanted), *scheduler.notes()]
    volumes = place_volumes(cloud, retry_errors=retry_errors)
    result.placed += volumes.placed
    result.unplaced += volumes.unplaced
    result.not_evaluated += volumes.not_evaluated
    result.notes += volumes.notes
    return result


def _place_all(cloud: Cloud, scheduler: Scheduler, wanted: list[Wanted], result: SourceOutcome) -> dict[str, int]:
    """Fill in `placed` and `unplaced`; returns what was placed in total, by class."""
    amounts: dict[str, int] = {}
    for one, decision in zip(wanted, scheduler.place_all(wanted)):
        outcome = outcome_of(cloud.name, one, decision, scheduler.hosts)
        (result.unplaced if decision.host is None else result.placed).append(outcome)
        for resources in decision.allocations.values():
            for resource, amount in resources.items():
                amounts[resource] = amounts.get(resource, 0) + amount
    return amounts


def outcome_of(source: str, server: Wanted, decision: Decision, hosts: Hosts) -> Outcome:
    """One server's decision in names and words."""
    outcome = Outcome(source, "Server", server.project, server.name, server.uid, decision.verdict)
    if decision.host is None:
        outcome.reasons = decision.reasons
        outcome.message = refused_message(decision, hosts)
        outcome.smallest_change = decision.change
        return outcome
    outcome.host = hosts.names[decision.host]
    outcome.score = decision.score
    own = hosts.providers[decision.host]
    outcome.devices = [
        {"provider": uuid, "name": hosts.forest.providers[uuid].name, "resources": dict(resources)}
        for uuid, resources in decision.allocations.items()
        if own is None or uuid != own.uuid
    ]
    return outcome


def refused_message(decision: Decision, hosts: Hosts) -> str:
    """The message of a server without a host, as Nova begins it, with the reasons counted."""
    told = ", ".join(f"{reason.hosts} {reason.text}" for reason in decision.reasons)
    return f"No valid host was found: 0/{len(hosts)} hosts" + (f": {told}" if told else "")


def cloud_notes(cloud: Cloud, hosts: Hosts, zones: Zones, wanted: Iterable[Wanted]) -> list[str]:
    """How the input was read, in lines."""
    return [*cloud.notes, *hosts.notes, *zones.notes, *_zone_notes(zones, wanted), *_column_notes(cloud)]


def _column_notes(cloud: Cloud) -> list[str]:
    """Which file gave which field, one line a file."""
    return [
        f"{PurePath(file).name if file[-1] != '*' else file}: "
        + ", ".join(f"{field} from {column!r}" for field, column in sorted(columns.items()))
        for file, columns in cloud.columns.items()
        if columns
    ]


def _zone_notes(zones: Zones, wanted: Iterable[Wanted]) -> list[str]:
    asked = sorted({str(one.zone) for one in wanted if one.uid is not None and zones.missing(one.zone)})
    return [f"availability zone {zone}: no aggregate has it, so it restricts nothing, as in Nova" for zone in asked]
