"""Replays recorded cases of Nova's scheduler, NUMA fitting, PCI pools and requests to Placement.

Reads the recordings' own form of hosts and requests, asks the modules beside it, and compares everything recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from binwright.errors import InputError
from binwright.openstack.cloud import Aggregate, Flavor
from binwright.openstack.comparison import value_differences
from binwright.openstack.nova import pci
from binwright.openstack.nova.compute_host import MIB_PER_GIB, ComputeHost
from binwright.openstack.nova.cpu_policies import Refusal
from binwright.openstack.nova.filters import FILTERS, filtered, one_by_one
from binwright.openstack.nova.numa_cells import GuestCell, GuestTopology, HostCell, Pages, used_by
from binwright.openstack.nova.numa_constraints import guest_topology
from binwright.openstack.nova.numa_fit import Devices, Limits, fit
from binwright.openstack.nova.options import option
from binwright.openstack.nova.prefilters import prefiltered, wishes_of
from binwright.openstack.nova.raw_weights import MissingMetric, factors, ranked, raw_weights
from binwright.openstack.nova.request_spec import Destination, GroupMembers, Image, RequestedGroup, RequestSpec
from binwright.openstack.nova.resource_request import pinning_requested, placement_queries
from binwright.openstack.nova.schedule import NoValidHost, schedule
from binwright.openstack.nova.weighers import WEIGHERS, normalise

__all__ = ["REPLAYS"]

Json = Mapping[str, Any]
DEFAULT_IMAGE = "c6b0ed28-4a5c-4f5c-8f5c-000000000001"
DEFAULT_PROJECT = "p"
SAME_NAMES = (
    *("host", "nodename", "uuid", "cell", "hypervisor_type", "hypervisor_version", "host_ip", "cpu_info", "metrics"),
    *("supported_instances", "vcpus_used", "num_io_ops", "num_instances", "failed_builds"),
    *("cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio"),
)


def read_flavor(row: Json) -> Flavor:
    """A recorded flavor."""
    sizes = {key: row[key] for key in ("vcpus", "memory_mb", "root_gb", "ephemeral_gb")}
    return Flavor(
        None, row["name"], **sizes, swap_mb=row["swap"], extra_specs=row["extra_specs"], where=f"flavor {row['name']}"
    )


def read_image(row: Json | None) -> Image:
    """A recorded image, or the one that stands for any."""
    row = row or {}
    return Image(row.get("id", DEFAULT_IMAGE), row.get("properties") or {}, row.get("disk_format", "qcow2"))


def read_destination(row: Json | None) -> Destination:
    """A recorded requested destination."""
    row = row or {}
    return Destination(
        row.get("host"),
        row.get("node"),
        row.get("cell"),
        bool(row.get("allow_cross_cell_move")),
        [clause.split(",") for clause in row.get("aggregates") or ()],
        row.get("forbidden_aggregates") or (),
    )


def read_request(spec: Json) -> RequestSpec:
    """A recorded request spec with the guest's topology. Raises Refusal."""
    flavor, image, group = read_flavor(spec["flavor"]), read_image(spec.get("image")), spec.get("group")
    network = spec.get("network_metadata") or {}
    return RequestSpec(
        flavor=flavor,
        image=image,
        project=spec.get("project_id", DEFAULT_PROJECT),
        instance=spec.get("instance_uuid"),
        group=group
        and GroupMembers(
            group["policy"],
            frozenset(group["members"]),
            list(group["hosts"]),
            int((group.get("rules") or {}).get("max_server_per_host", 1)),
        ),
        hints=spec.get("scheduler_hints") or {},
        destination=read_destination(spec.get("requested_destination")),
        physnets=frozenset(network.get("physnets", ())),
        tunneled=bool(network.get("tunneled")),
        pci_requests=spec.get("pci_requests") or (),
        force_hosts=spec.get("force_hosts") or (),
        force_nodes=spec.get("force_nodes") or (),
        ignore_hosts=spec.get("ignore_hosts") or (),
        topology=guest_topology(flavor, image.properties),
        zone=spec.get("availability_zone"),
        from_volume=bool(spec.get("is_bfv")),
        requested_groups=[
            RequestedGroup(row["id"], row["resources"], frozenset(row.get("required", ())))
            for row in spec.get("requested_resources") or ()
        ],
        same_subtrees=spec.get("same_subtree") or (),
        root_required=frozenset(spec.get("root_required") or ()),
        root_forbidden=frozenset(spec.get("root_forbidden") or ()),
    )


def read_cell(row: Json) -> HostCell:
    """A recorded NUMA cell of a host."""
    network = row.get("network_metadata") or {}
    return HostCell(
        id=row["id"],
        cpuset=frozenset(row["cpuset"]),
        pcpuset=frozenset(row["pcpuset"]),
        memory=row["memory"],
        cpu_usage=row["cpu_usage"],
        memory_usage=row["memory_usage"],
        pinned_cpus=frozenset(row["pinned_cpus"]),
        siblings=tuple(frozenset(threads) for threads in row["siblings"]),
        socket=row["socket"],
        mempages=tuple(Pages(**pages) for pages in row["mempages"]),
        physnets=frozenset(network.get("physnets", ())),
        tunneled=bool(network.get("tunneled")),
    )


def read_cells(topology: Json | None) -> tuple[HostCell, ...] | None:
    """The cells of a recorded host, None where it has no topology."""
    return None if topology is None else tuple(read_cell(row) for row in topology["cells"])


def read_host(row: Json, metadata: Mapping[str, Mapping[str, str]]) -> ComputeHost:
    """A recorded host; `metadata` of aggregates by name. Its one candidate is the host itself."""
    free_gb = row["local_gb"] - row["local_gb_used"]
    if row["disk_available_least"] is not None:
        free_gb = min(free_gb, row["disk_available_least"])
    pools = row["pci_pools"]
    return ComputeHost(
        **{key: row[key] for key in SAME_NAMES},
        vcpus_total=row["vcpus"],
        free_ram_mb=row["memory_mb"] - row["memory_mb_used"],
        total_usable_ram_mb=row["memory_mb"],
        total_usable_disk_gb=row["local_gb"],
        free_disk_mb=free_gb * MIB_PER_GIB,
        disk_mb_used=row["local_gb_used"] * MIB_PER_GIB,
        up=row["service"]["up"],
        disabled=row["service"]["disabled"],
        instances=list(row["instances"]),
        aggregates=[metadata[name] for name in row["aggregates"]],
        numa=read_cells(row["numa_topology"]),
        pci_pools=None if pools is None else pci.in_order(pools),
        candidates=[{"": [row["uuid"]]}],
    )


def read_hosts(case: Json) -> list[ComputeHost]:
    """The hosts of a case in their order."""
    metadata = {row["name"]: row["metadata"] for row in case["aggregates"]}
    return [read_host(row, metadata) for row in case["hosts"]]


def filters_differences(case: Json) -> Iterator[str]:
    """Every filter alone on all hosts."""
    got: dict[str, Any] = {}
    request = read_request(case["spec"])
    for name in FILTERS:
        try:
            got[name] = [host.host for host in one_by_one(name, read_hosts(case), request, case["config"])]
        except InputError:
            got[name] = {"error": "ValueError"}
    return value_differences(case["expected"], got)


def weights_differences(case: Json) -> Iterator[str]:
    """Filters, then every weigher that says anything, and the order. The order of weighers is no answer."""
    config, request = case["config"], read_request(case["spec"])
    hosts = filtered(read_hosts(case), request, case["enabled_filters"], config)
    names = [host.host for host in hosts]
    got: dict[str, Any] = {"filtered": names}
    try:
        if hosts:
            raws, multipliers = raw_weights(hosts, request, config), factors(hosts, config)
            got["weighers"] = {
                weigher.name: {
                    "minval": weigher.minval,
                    "maxval": None,
                    "raw": dict(zip(names, raw.tolist())),
                    "normalized": dict(zip(names, normalise(raw, weigher.minval).tolist())),
                    "multiplier": dict(zip(names, multipliers[weigher.name].tolist())),
                }
                for weigher in WEIGHERS
                if weigher.name in raws
                for raw in (raws[weigher.name] if weigher.minval is None else raws[weigher.name].clip(weigher.minval),)
                if raw.any()
            }
            got["order"] = [[host.host, total] for host, total in ranked(hosts, request, config)]
    except MissingMetric:
        got["error"] = "ComputeHostMetricNotFound"
    wanted = {key: value for key, value in case["expected"].items() if key != "weigher_order"}
    return value_differences(wanted, got)


def schedule_differences(case: Json) -> Iterator[str]:
    """The whole loop: hosts and alternates, and every host's state afterwards."""
    got: dict[str, Any] = {}
    hosts, request = read_hosts(case), read_request(case["spec"])
    try:
        chosen = schedule(hosts, request, case["instance_uuids"], case["enabled_filters"], case["config"])
        got["selections"] = [[host.host for host in row] for row in chosen]
        got["after"] = {host.host: _state(host) for host in hosts}
    except NoValidHost:
        got["error"] = "NoValidHost"
    return value_differences(case["expected"], got)


def _state(host: ComputeHost) -> dict[str, Any]:
    names = ("vcpus_used", "free_ram_mb", "free_disk_mb", "num_instances", "num_io_ops", "pci_pools")
    pinned = None if host.numa is None else {str(cell.id): sorted(cell.pinned_cpus) for cell in host.numa}
    return {name: getattr(host, name) for name in names} | {"pinned": pinned}


def numa_fit_differences(case: Json) -> Iterator[str]:
    """The guest's topology, the fit, and the host after it; where the service errs, the fit that is right."""
    flavor, image = read_flavor(case["flavor"]), read_image(case.get("image"))
    wanted = dict(case["expected"])
    try:
        guest = guest_topology(flavor, image.properties)
    except Refusal as refusal:
        return value_differences(wanted, {"constraints": {"error": refusal.kind}})
    if guest is None:
        return value_differences(wanted, {"constraints": None})
    host = read_cells(case["host"]) or ()
    limits = case.get("limits") or {}
    network = limits.get("network_metadata") or {}
    networks = (frozenset(network.get("physnets", ())), bool(network.get("tunneled")))
    pools = case.get("pci_pools")
    placed = fit(
        host,
        guest,
        Limits(limits.get("cpu"), limits.get("ram"), *networks),
        Devices(None if pools is None else pci.in_order(pools), case.get("pci_requests") or ()),
        option(case.get("config", {}), "compute.packing_host_numa_cells_allocation_strategy"),
    )
    got: dict[str, Any] = {"constraints": _guest_json(guest), "fit": placed and _guest_json(placed)}
    repaired = next((part["fit_if_repaired"] for part in (case, wanted) if "fit_if_repaired" in part), None)
    if repaired is not None:
        wanted = {"constraints": wanted["constraints"], "fit": repaired}
    elif placed is not None:
        got["host_after"] = _after(host, placed)
    return value_differences(wanted, got)


def _after(host: tuple[HostCell, ...], placed: GuestTopology) -> dict[str, Any]:
    try:
        return {"cells": [_cell_json(cell) for cell in used_by(host, placed)]}
    except InputError:  # a cell without pages, on which the service fails
        return {"error": "IndexError"}


def _guest_json(guest: GuestTopology) -> dict[str, Any]:
    return {
        "cells": [_guest_cell_json(cell) for cell in guest.cells],
        "emulator_threads_policy": guest.emulator_policy,
    }


def _guest_cell_json(cell: GuestCell) -> dict[str, Any]:
    return {
        "id": cell.id,
        "cpuset": sorted(cell.cpuset),
        "pcpuset": sorted(cell.pcpuset),
        "memory": cell.memory,
        "pagesize": cell.pagesize,
        "cpu_policy": cell.cpu_policy,
        "cpu_thread_policy": cell.thread_policy,
        "cpu_pinning": {str(guest): host for guest, host in sorted(cell.pinning.items())},
        "cpuset_reserved": sorted(cell.reserved),
    }


def _cell_json(cell: HostCell) -> dict[str, Any]:
    return {
        "id": cell.id,
        "cpuset": sorted(cell.cpuset),
        "pcpuset": sorted(cell.pcpuset),
        "memory": cell.memory,
        "cpu_usage": cell.cpu_usage,
        "memory_usage": cell.memory_usage,
        "pinned_cpus": sorted(cell.pinned_cpus),
        "siblings": [sorted(threads) for threads in cell.siblings],
        "socket": cell.socket,
        "mempages": [
            {"size_kb": pages.size_kb, "total": pages.total, "used": pages.used, "reserved": pages.reserved}
            for pages in cell.mempages
        ],
    }


def pci_differences(case: Json) -> Iterator[str]:
    """The pools in order, whether the requests are served, and what is left."""
    pools, host = pci.in_order(case["pci_pools"]), case["host"]
    sockets = {cell["id"]: cell["socket"] for cell in host["cells"]} if host else {}
    mapped = case.get("provider_mapping")
    left = pci.without_devices(pools, case["pci_requests"], mapped, case["numa_cells"], sockets)
    got = {"pools_sorted": pools, "supported": left is not None, "pools_after": left}
    return value_differences(case["expected"], got)


def resource_request_differences(case: Json) -> Iterator[str]:
    """Both query strings, or the name of the refusal."""
    try:
        request = read_request(case["spec"])
    except Refusal as refusal:
        return value_differences(case["expected"], {"numa_constraints": {"error": refusal.kind}})
    config = case["config"]
    aggregates = [Aggregate(None, row["uuid"], "", metadata=row["metadata"]) for row in case["aggregates"]]
    computes = [ComputeHost(row["host"], row["nodename"], row["uuid"]) for row in case["hosts"]]
    try:
        if case["prefilters"]:
            wishes = prefiltered(request, aggregates, config, case["owner_trait"])
        else:
            wishes = wishes_of(request)
        queries = placement_queries(request, wishes, computes, config)
    except (NoValidHost, Refusal) as problem:
        error = {"error": problem.kind if isinstance(problem, Refusal) else "NoValidHost"}
        return value_differences(case["expected"], {"query": error, "fallback_query": error})
    return value_differences(
        case["expected"],
        {
            "query": queries.query,
            "fallback_query": queries.fallback,
            "cpu_pinning_requested": pinning_requested(request),
        },
    )


REPLAYS = {
    "filters": filters_differences,
    "numa_fit": numa_fit_differences,
    "pci": pci_differences,
    "resource_request": resource_request_differences,
    "schedule": schedule_differences,
    "weights": weights_differences,
}
