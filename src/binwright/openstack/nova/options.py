"""Options of nova.conf that the scheduler's decisions depend on, with their defaults; keys are "section.option"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["DEFAULTS", "ENABLED_FILTERS", "Config", "option"]

Config = Mapping[str, Any]

DEFAULTS: dict[str, Any] = {
    "compute.packing_host_numa_cells_allocation_strategy": False,
    "filter_scheduler.aggregate_image_properties_isolation_namespace": None,
    "filter_scheduler.aggregate_image_properties_isolation_separator": ".",
    "filter_scheduler.image_properties_default_architecture": None,
    "filter_scheduler.isolated_hosts": [],
    "filter_scheduler.isolated_images": [],
    "filter_scheduler.max_instances_per_host": 50,
    "filter_scheduler.max_io_ops_per_host": 8,
    "filter_scheduler.pci_in_placement": False,
    "filter_scheduler.restrict_isolated_hosts_to_isolated_images": True,
    "metrics.required": True,
    "metrics.weight_of_unavailable": -10000.0,
    "metrics.weight_setting": [],
    "scheduler.enable_isolated_aggregate_filtering": False,
    "scheduler.limit_tenants_to_placement_aggregate": False,
    "scheduler.max_attempts": 3,
    "scheduler.max_placement_results": 1000,
    "scheduler.placement_aggregate_required_for_tenants": False,
    "scheduler.query_placement_for_image_type_support": False,
}

ENABLED_FILTERS = (
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
)
"""The filters that run, in their order, where [filter_scheduler] enabled_filters does not say."""


def option(config: Config, name: str) -> Any:
    """The configured value, or Nova's default."""
    return config.get(name, DEFAULTS[name])
