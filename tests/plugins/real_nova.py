"""Cases in the recordings' form as the real Nova's own objects: HostStates, RequestSpecs, a HostManager."""

import datetime
import json
import logging
import uuid
import warnings
from unittest import mock

warnings.simplefilter("ignore")  # what the services import is theirs

from nova import conf, context, exception, objects  # noqa: E402
from nova.pci import stats  # noqa: E402
from nova.scheduler import host_manager, manager, utils  # noqa: E402
from nova.virt import hardware  # noqa: E402
from oslo_config import cfg  # noqa: E402

from binwright.openstack.nova_plugin import options  # noqa: E402

__all__ = ["configured", "host_states", "host_manager_without_database", "request_spec", "same_cell", "schedule"]

logging.getLogger("nova").setLevel(logging.CRITICAL)  # random hosts are odd in many ways, of which Nova warns
objects.register_all()
assert options.CONF is conf.CONF
DEFAULT_IMAGE = "c6b0ed28-4a5c-4f5c-8f5c-000000000001"
LONG_AGO = datetime.timedelta(days=3)


def configured(case, **overrides):
    """Nova's configuration, reset, then as a case has it; overrides: section__option."""
    settings = conf.CONF
    settings.clear()
    settings.clear_override("enabled_filters", group="filter_scheduler")
    settings([], project="nova", default_config_files=[], default_config_dirs=[])
    for group, option in OVERRIDDEN:
        settings.clear_override(option, group=group)
    OVERRIDDEN.clear()
    settings.set_override("track_instance_changes", False, group="filter_scheduler")
    wanted = dict(case.get("config", {}))
    wanted |= {key.replace("__", "."): value for key, value in overrides.items()}
    for key, value in wanted.items():
        group, _, option = key.partition(".")
        try:
            settings.set_override(option, value, group=group)
        except cfg.NoSuchOptError:
            continue
        OVERRIDDEN.append((group, option))
    return settings


OVERRIDDEN = []


def host_manager_without_database():
    """A HostManager with the configuration as it is, without a database."""
    nothing = mock.patch.multiple(
        host_manager.HostManager, refresh_cells_caches=mock.DEFAULT, _init_aggregates=mock.DEFAULT
    )
    with nothing:
        return host_manager.HostManager()


def _cell(row):
    return objects.NUMACell(
        id=row["id"],
        cpuset=set(row["cpuset"]),
        pcpuset=set(row["pcpuset"]),
        memory=row["memory"],
        cpu_usage=row["cpu_usage"],
        memory_usage=row["memory_usage"],
        pinned_cpus=set(row["pinned_cpus"]),
        siblings=[set(one) for one in row["siblings"]],
        socket=row["socket"],
        mempages=[
            objects.NUMAPagesTopology(
                size_kb=one["size_kb"], total=one["total"], used=one["used"], reserved=one["reserved"]
            )
            for one in row["mempages"]
        ],
        network_metadata=objects.NetworkMetadata(
            physnets=set((row.get("network_metadata") or {}).get("physnets", ())),
            tunneled=bool((row.get("network_metadata") or {}).get("tunneled")),
        ),
    )


def _topology(row):
    return None if row is None else objects.NUMATopology(cells=[_cell(one) for one in row["cells"]])


def same_cell(name):
    """A cell's uuid from a name of one."""
    return name if len(name) == 36 else str(uuid.uuid5(uuid.NAMESPACE_OID, name))


def _pools(rows):
    return objects.PciDevicePoolList(
        objects=[
            objects.PciDevicePool.from_dict(
                {key: value for key, value in row.items() if key != "count"} | {"count": row["count"]}
            )
            for row in rows
        ]
    )


def _host_state(row, aggregates):
    free_gb = row["local_gb"] - row["local_gb_used"]
    state = host_manager.HostState(row["host"], row["nodename"], same_cell(row["cell"]))
    topology = _topology(row["numa_topology"])
    compute = objects.ComputeNode(
        uuid=row["uuid"],
        host=row["host"],
        hypervisor_hostname=row["nodename"],
        vcpus=row["vcpus"],
        vcpus_used=row["vcpus_used"],
        memory_mb=row["memory_mb"],
        memory_mb_used=row["memory_mb_used"],
        free_ram_mb=row["memory_mb"] - row["memory_mb_used"],
        local_gb=row["local_gb"],
        local_gb_used=row["local_gb_used"],
        free_disk_gb=free_gb,
        disk_available_least=row["disk_available_least"],
        updated_at=None,
        host_ip=row["host_ip"],
        hypervisor_type=row["hypervisor_type"],
        hypervisor_version=row["hypervisor_version"],
        cpu_info=json.dumps(row["cpu_info"]),
        supported_hv_specs=[objects.HVSpec.from_list(one) for one in row["supported_instances"]],
        numa_topology=None,
        pci_device_pools=None,
        metrics=None,
        stats={
            "num_instances": str(row["num_instances"]),
            "io_workload": str(row["num_io_ops"]),
            "failed_builds": str(row["failed_builds"]),
        },
        cpu_allocation_ratio=row["cpu_allocation_ratio"],
        ram_allocation_ratio=row["ram_allocation_ratio"],
        disk_allocation_ratio=row["disk_allocation_ratio"],
    )
    now = datetime.datetime.now(datetime.UTC)
    service = {"host": row["host"], "disabled": row["service"]["disabled"], "binary": "nova-compute"}
    service["last_seen_up"] = now if row["service"]["up"] else now - LONG_AGO
    instances = {one: objects.Instance(uuid=one) for one in row["instances"]}
    state.update(
        compute=compute,
        service=service,
        aggregates=[aggregates[name] for name in row["aggregates"]],
        inst_dict=instances,
    )
    state.numa_topology = topology
    state.cpu_info = row["cpu_info"]  # the recordings' form: read already
    if row["pci_pools"] is not None:
        state.pci_stats = stats.PciDeviceStats(topology, stats=_pools(row["pci_pools"]))
    else:
        state.pci_stats = None
    state.metrics = objects.MonitorMetricList(
        objects=[
            objects.MonitorMetric(
                name=name,
                value=int(value * (100 if name.endswith(".percent") else 1)),
                timestamp=now.replace(tzinfo=None),
                source="test",
            )
            for name, value in sorted(row["metrics"].items())
        ]
    )
    state.allocation_candidates = [{"allocations": {}, "mappings": {"": [row["uuid"]]}}]
    return state


def host_states(case):
    """New HostStates of a case, in its order."""
    aggregates = {
        row["name"]: objects.Aggregate(id=number, uuid=row["uuid"], name=row["name"], metadata=row["metadata"])
        for number, row in enumerate(case["aggregates"])
    }
    return [_host_state(row, aggregates) for row in case["hosts"]]


def request_spec(row):
    """A new RequestSpec. Raises what Nova raises for a flavor and an image that contradict each other."""
    size = row["flavor"]
    flavor = objects.Flavor(
        flavorid=size["name"],
        **{key: size[key] for key in ("name", "vcpus", "memory_mb", "root_gb", "ephemeral_gb", "swap", "extra_specs")},
    )
    told = row.get("image") or {}
    image = objects.ImageMeta.from_dict({"id": told.get("id", DEFAULT_IMAGE), "properties": told.get("properties", {})})
    group, destination = row.get("group"), row.get("requested_destination")
    spec = objects.RequestSpec(
        flavor=flavor,
        image=image,
        project_id=row.get("project_id", "p"),
        user_id="user",
        instance_uuid=row.get("instance_uuid"),
        num_instances=1,
        numa_topology=hardware.numa_get_constraints(flavor, image),
        pci_requests=objects.InstancePCIRequests(requests=[_pci_request(one) for one in row.get("pci_requests") or ()]),
        instance_group=None,
        scheduler_hints={
            key: value if isinstance(value, list) else [value]
            for key, value in (row.get("scheduler_hints") or {}).items()
        },
        ignore_hosts=row.get("ignore_hosts"),
        force_hosts=row.get("force_hosts"),
        force_nodes=row.get("force_nodes"),
        requested_destination=None,
        requested_resources=[],
        request_level_params=objects.RequestLevelParams(),
        availability_zone=None,
        is_bfv=False,
        limits=objects.SchedulerLimits(),
    )
    if group:
        spec.instance_group = objects.InstanceGroup(
            uuid=DEFAULT_IMAGE,
            policy=group["policy"],
            policies=[group["policy"]],
            members=list(group["members"]),
            hosts=list(group["hosts"]),
        )
        spec.instance_group._rules = {key: str(value) for key, value in (group.get("rules") or {}).items()}
    if destination:
        spec.requested_destination = objects.Destination(
            **{key: destination[key] for key in ("host", "node", "allow_cross_cell_move") if key in destination}
        )
        if "cell" in destination:
            spec.requested_destination.cell = objects.CellMapping(uuid=same_cell(destination["cell"]))
    network = row.get("network_metadata")
    if network:
        spec.network_metadata = objects.NetworkMetadata(physnets=set(network["physnets"]), tunneled=network["tunneled"])
    return spec


def _pci_request(row):
    return objects.InstancePCIRequest(
        count=row["count"],
        spec=row["spec"],
        alias_name=row.get("alias"),
        request_id=row["request_id"],
        numa_policy=row.get("numa_policy"),
    )


def schedule(case):
    """The real scheduler's loop over a case's instances, claims always granted: hosts and alternates, host states.

    NoValidHost is an answer, too.
    """
    made = manager.SchedulerManager.__new__(manager.SchedulerManager)
    made.host_manager = host_manager_without_database()
    states = {state.uuid: state for state in host_states(case)}
    made._get_all_host_states = lambda _context, _spec, summaries: (
        state for uuid_, state in states.items() if uuid_ in summaries
    )
    offered = {one: [{"allocations": {one: {}}, "mappings": {"": [one]}}] for one in states}
    stand_ins = mock.patch.multiple(utils, claim_resources=lambda *_args, **_more: True)
    client = mock.patch.object(manager.SchedulerManager, "placement_client", mock.Mock())
    with stand_ins, client:
        try:
            chosen = made._schedule(
                context.RequestContext("user", "project"),
                request_spec(case["spec"]),
                case["instance_uuids"],
                offered,
                dict.fromkeys(offered),
                return_alternates=True,
            )
        except exception.NoValidHost:
            chosen = []
    after = [(one.host, one.vcpus_used, one.free_ram_mb, one.num_instances) for one in states.values()]
    return [[one.service_host for one in row] for row in chosen], after
