"""The real Nova scheduler in this process: HostState objects, its filters and weighers, its loop over instances.

Stand-ins are the databases behind it (cells, aggregates, instances) and, in `RealNova`, the claim at Placement, which
`claim` makes. The default filters and all weighers are enabled, services are up, no host has instances that count.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest import mock

warnings.simplefilter("ignore")

from nova import conf, context, objects  # noqa: E402
from nova.scheduler import host_manager, manager, utils  # noqa: E402

objects.register_all()
Json = dict[str, Any]
CELL = "00000000-0000-4000-8000-0000000000c1"
LONG = 24 * 3600


def compute_node(row: Json) -> objects.ComputeNode:
    """A compute node's record."""
    return objects.ComputeNode(
        uuid=row["uuid"],
        host=row["name"],
        hypervisor_hostname=row["name"],
        vcpus=row["vcpus"],
        vcpus_used=row["vcpus_used"],
        memory_mb=row["memory_mb"],
        memory_mb_used=row["memory_mb_used"],
        free_ram_mb=row["memory_mb"] - row["memory_mb_used"],
        local_gb=row["local_gb"],
        local_gb_used=row["local_gb_used"],
        free_disk_gb=row["local_gb"] - row["local_gb_used"],
        disk_available_least=None,
        updated_at=None,
        host_ip="10.0.0.1",
        hypervisor_type="QEMU",
        hypervisor_version=row["hypervisor_version"],
        cpu_info="{}",
        supported_hv_specs=[objects.HVSpec.from_list(["x86_64", "kvm", "hvm"])],
        numa_topology=None,
        pci_device_pools=None,
        metrics=None,
        stats={},
        cpu_allocation_ratio=row["vcpu_ratio"],
        ram_allocation_ratio=1.0,
        disk_allocation_ratio=1.0,
    )


def host_state(row: Json) -> host_manager.HostState:
    """A host as the scheduler has it before it is asked."""
    state = host_manager.HostState(row["name"], row["name"], CELL)
    service = {"host": row["name"], "disabled": False, "last_seen_up": datetime.now(UTC)}
    state.update(compute=compute_node(row), service=service, aggregates=[], inst_dict={})
    return state


def request_spec(flavor: Json, instance: str) -> objects.RequestSpec:
    """A request for one instance of a plain flavor."""
    made = objects.Flavor(
        flavorid=flavor["name"],
        name=flavor["name"],
        vcpus=flavor["vcpus"],
        memory_mb=flavor["ram"],
        root_gb=flavor["disk"],
        ephemeral_gb=0,
        swap=0,
        extra_specs={},
    )
    return objects.RequestSpec(
        flavor=made,
        image=objects.ImageMeta(id=CELL, properties=objects.ImageMetaProps()),
        project_id="project",
        user_id="user",
        instance_uuid=instance,
        num_instances=1,
        numa_topology=None,
        pci_requests=objects.InstancePCIRequests(requests=[]),
        instance_group=None,
        scheduler_hints={},
        ignore_hosts=None,
        force_hosts=None,
        force_nodes=None,
        requested_destination=None,
        requested_resources=[],
        request_level_params=objects.RequestLevelParams(),
        availability_zone=None,
        is_bfv=False,
        limits=objects.SchedulerLimits(),
    )


class RealNova:
    """A scheduler with these hosts. claim: (instance, allocation request) -> whether Placement took it."""

    def __init__(self, hosts: Iterable[Json], claim: Callable[[str, Json], bool] = lambda *_: True) -> None:
        logging.disable(logging.CRITICAL)
        conf.CONF([], project="nova", default_config_files=[], default_config_dirs=[])
        conf.CONF.set_override("service_down_time", LONG)
        conf.CONF.set_override("track_instance_changes", False, group="filter_scheduler")
        nothing = mock.patch.multiple(
            host_manager.HostManager, refresh_cells_caches=mock.DEFAULT, _init_aggregates=mock.DEFAULT
        )
        with nothing:
            self.host_manager = host_manager.HostManager()
        self.states = {row["uuid"]: host_state(row) for row in hosts}
        self._manager = manager.SchedulerManager.__new__(manager.SchedulerManager)
        self._manager.host_manager = self.host_manager
        self._manager._get_all_host_states = lambda _context, _spec, summaries: (
            state for uuid, state in self.states.items() if uuid in summaries
        )
        self._context = context.RequestContext("user", "project")
        self._claim = claim

    def filter_and_weigh(self, flavor: Json) -> list[tuple[str, float]]:
        """Every host that passes, best first, with its weight; nothing changes."""
        spec = request_spec(flavor, CELL)
        passing = self.host_manager.get_filtered_hosts(list(self.states.values()), spec)
        return [(one.obj.host, one.weight) for one in self.host_manager.get_weighed_hosts(passing, spec)]

    def schedule(self, flavor: Json, instance: str, by_host: dict[str, list[Json]]) -> str:
        """The scheduler's loop for one instance: the host that it chose, claimed and consumed.

        by_host: allocation requests of each host's provider. Raises NoValidHost.
        """

        def claimed(_context: Any, _client: Any, _spec: Any, uuid: str, request: Json, **_more: Any) -> bool:
            return self._claim(uuid, request)

        stand_ins = {"claim_resources": claimed}
        with (
            mock.patch.multiple(utils, **stand_ins),
            mock.patch.object(manager.SchedulerManager, "placement_client", SimpleNamespace()),
        ):
            chosen = self._manager._schedule(
                self._context, request_spec(flavor, instance), [instance], by_host, dict.fromkeys(by_host)
            )
        return str(chosen[0][0].service_host)
