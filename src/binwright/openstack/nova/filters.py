"""Nova's filters: which hosts a request may go to (openstack spec 4, 5.3, 13).

One function a filter, of a host, a request and the options; two of them also thin out the allocation candidates of a
host. The pipeline keeps the order of the hosts.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from binwright.errors import InputError
from binwright.openstack.nova import image_properties, json_filter, pci
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.extra_specs import comma_values, matches, smallest, version_holds
from binwright.openstack.nova.numa_fit import Devices, fit
from binwright.openstack.nova.options import Config, option
from binwright.openstack.nova.request_spec import RequestSpec

__all__ = [
    "ADDRESS_BITS",
    "AGGREGATE_SCOPE",
    "FILTERS",
    "NUMA_FILTER",
    "ONCE_PER_REQUEST",
    "PCI_FILTER",
    "TENANTS",
    "filtered",
    "one_by_one",
    "preselected",
]

NUMA_FILTER = "NUMATopologyFilter"
PCI_FILTER = "PciPassthroughFilter"
AGGREGATE_SCOPE = "aggregate_instance_extra_specs"
TENANTS = "filter_tenant_id"
ADDRESS_BITS = "capabilities:cpu_info:maxphysaddr:bits"


def filtered(
    hosts: Sequence[ComputeHost], request: RequestSpec, enabled: Iterable[str], config: Config, index: int = 0
) -> list[ComputeHost]:
    """The hosts that remain for instance number `index` of a request.

    Raises InputError for a filter that there is not, and where a filter cannot read what it compares.
    """
    left = preselected(hosts, request)
    if request.forced:
        return left
    for name in enabled:
        if index == 0 or name not in ONCE_PER_REQUEST:
            left = one_by_one(name, left, request, config)
    return left


def one_by_one(name: str, hosts: Sequence[ComputeHost], request: RequestSpec, config: Config) -> list[ComputeHost]:
    """The hosts that pass one filter."""
    if name not in FILTERS:
        raise InputError(f"enabled_filters: no filter {name!r} is known")
    return [host for host in hosts if FILTERS[name](host, request, config)]


def preselected(hosts: Sequence[ComputeHost], request: RequestSpec) -> list[ComputeHost]:
    """Requested destination, then ignored, then forced hosts; names of hosts without regard to case but the first."""
    wanted = request.destination
    ignored = {name.lower() for name in request.ignore_hosts}
    forced = {name.lower() for name in request.force_hosts}
    return [
        host
        for host in hosts
        if (wanted.host is None or (host.host == wanted.host and wanted.node in (None, host.nodename)))
        and host.host.lower() not in ignored
        and (not forced or host.host.lower() in forced)
        and (not request.force_nodes or host.nodename in request.force_nodes)
    ]


def _all_hosts(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    return True


def _compute(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    return host.up and not host.disabled


def _compute_capabilities(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """Extra specs that name an attribute or statistic of hosts; other scopes are other people's."""
    for key, wanted in request.flavor.extra_specs.items():
        if key == "hw:maxphysaddr_bits":
            key, wanted = ADDRESS_BITS, f">= {wanted}"
        path = key.split(":")
        if len(path) > 1 and path.pop(0) != "capabilities":
            continue
        if len(path) == 1 and ":" not in key and not host.knows(key):
            continue
        value = _capability(host, path)
        if value is None or not matches(str(value), wanted):
            return False
    return True


def _capability(host: ComputeHost, path: Sequence[str]) -> Any:
    """An attribute and the keys below it; text on the way is read as JSON."""
    value = host.attribute(path[0])
    for key in path[1:]:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                return None
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _image_properties(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """Architecture, hypervisor and VM mode in one supported combination; hypervisor version; address bits."""
    properties = request.image.properties
    default = option(config, "filter_scheduler.image_properties_default_architecture")
    written = (
        (properties.get("hw_architecture") or default, image_properties.ARCHITECTURES),
        (properties.get("img_hv_type"), image_properties.HYPERVISORS),
        (properties.get("hw_vm_mode"), image_properties.VM_MODES),
    )
    wanted = {names.get(value.lower(), value.lower()) for value, names in written if value}
    if not wanted:
        return True
    bits, offered = properties.get("hw_maxphysaddr_bits"), _capability(host, ("cpu_info", "maxphysaddr", "bits"))
    if bits is not None and offered is not None and int(bits) > int(offered):
        return False
    version = properties.get("img_hv_requested_version")
    if version and host.hypervisor_version and not version_holds(host.hypervisor_version, version):
        return False
    return any(wanted <= set(supported) for supported in host.supported_instances or ())


def _anti_affinity(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    group = request.group
    if group is None or group.policy != "anti-affinity" or request.instance in host.instances:
        return True
    return len(group.members.intersection(host.instances)) < group.most


def _affinity(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    group = request.group
    return group is None or group.policy != "affinity" or not group.hosts or host.host in group.hosts


def _aggregate_extra_specs(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """Every unscoped extra spec, and every one of the filter's scope, is met by a value of some aggregate."""
    for key, wanted in request.flavor.extra_specs.items():
        scope, colon, name = key.partition(":")
        if colon and scope != AGGREGATE_SCOPE:
            continue
        values = sorted(comma_values(host.metadata(name if colon else key)))
        if not any(matches(value, wanted) for value in values):
            return False
    return True


def _multi_tenancy(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """Aggregates may be kept for projects."""
    texts = [value for data in host.aggregates for key, value in data.items() if key.startswith(TENANTS)]
    tenants = comma_values(texts)
    return not tenants or request.project in tenants


def _aggregate_image_properties(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """An aggregate's key that is an image property: the image has none, or one of its values."""
    namespace = option(config, "filter_scheduler.aggregate_image_properties_isolation_namespace")
    separator = option(config, "filter_scheduler.aggregate_image_properties_isolation_separator")
    start = f"{namespace}{separator}" if namespace else ""
    for key in sorted({key for data in host.aggregates for key in data if key.startswith(start)}):
        have = request.image.properties.get(key) if key in image_properties.KNOWN else None
        if have is not None and str(have) not in comma_values(host.metadata(key)):
            return False
    return True


def _type_affinity(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    names = host.metadata("instance_type")
    return not names or request.flavor.name in comma_values(names)


def _io_ops(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    return bool(host.num_io_ops < option(config, "filter_scheduler.max_io_ops_per_host"))


def _aggregate_io_ops(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    most = option(config, "filter_scheduler.max_io_ops_per_host")
    return bool(host.num_io_ops < smallest(host.metadata("max_io_ops_per_host"), most, int))


def _num_instances(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    return bool(host.num_instances < option(config, "filter_scheduler.max_instances_per_host"))


def _aggregate_num_instances(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    most = option(config, "filter_scheduler.max_instances_per_host")
    return bool(host.num_instances < smallest(host.metadata("max_instances_per_host"), most, int))


def _hinted(request: RequestSpec, hint: str) -> set[str]:
    """The instances that a hint names, as one or as a list."""
    named = request.hints.get(hint) or []
    return set(named) if isinstance(named, list) else {named}


def _same_host(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    wanted = _hinted(request, "same_host")
    return not wanted or not wanted.isdisjoint(host.instances)


def _different_host(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    return _hinted(request, "different_host").isdisjoint(host.instances)


def _near_address(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    address = request.hints.get("build_near_host_ip")
    if not address:
        return True
    try:
        network = ipaddress.ip_network(f"{address}{request.hints.get('cidr', '/24')}", strict=False)
        return ipaddress.ip_address(host.host_ip or "") in network
    except ValueError as problem:
        raise InputError(f"hint build_near_host_ip: {problem}") from None


def _isolated_hosts(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """Isolated images go to isolated hosts; these may be open to other images too."""
    images = option(config, "filter_scheduler.isolated_images")
    restrict = option(config, "filter_scheduler.restrict_isolated_hosts_to_isolated_images")
    own_host = host.host in option(config, "filter_scheduler.isolated_hosts")
    own_image = request.image.id in images
    if not images:
        return not (restrict and own_host)
    return own_host is own_image if restrict else own_host or not own_image


def _metrics(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    settings = option(config, "metrics.weight_setting")
    return all(setting.partition("=")[0] in host.metrics for setting in settings)


def _json(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    query = request.hints.get("query")
    return not query or json_filter.holds(query, host.attribute)


def _numa_topology(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """Keeps the allocation candidates with which the guest's cells fit."""
    guest = request.topology
    if guest is None:
        return True
    if host.numa is None:
        return False
    first = guest.cells[0]
    if (
        first.cpu_policy == "dedicated"
        and first.thread_policy == "require"
        and all(cell.threads_per_core == 1 for cell in host.numa)
    ):
        return False
    packing = option(config, "compute.packing_host_numa_cells_allocation_strategy")
    limits, pools, wanted = host.limits(request), host.pci_pools, request.pci_requests
    host.candidates = [
        mapped for mapped in host.candidates if fit(host.numa, guest, limits, Devices(pools, wanted, mapped), packing)
    ]
    return bool(host.candidates)


def _pci_passthrough(host: ComputeHost, request: RequestSpec, config: Config) -> bool:
    """Keeps the allocation candidates whose devices are there; where the guest's cells are does not matter here."""
    pools = host.pci_pools
    if not request.pci_requests:
        return True
    if pools is None:
        return False
    host.candidates = [
        mapped for mapped in host.candidates if pci.without_devices(pools, request.pci_requests, mapped) is not None
    ]
    return bool(host.candidates)


FILTERS: dict[str, Callable[[ComputeHost, RequestSpec, Config], bool]] = {
    "AggregateImagePropertiesIsolation": _aggregate_image_properties,
    "AggregateInstanceExtraSpecsFilter": _aggregate_extra_specs,
    "AggregateIoOpsFilter": _aggregate_io_ops,
    "AggregateMultiTenancyIsolation": _multi_tenancy,
    "AggregateNumInstancesFilter": _aggregate_num_instances,
    "AggregateTypeAffinityFilter": _type_affinity,
    "AllHostsFilter": _all_hosts,
    "ComputeCapabilitiesFilter": _compute_capabilities,
    "ComputeFilter": _compute,
    "DifferentHostFilter": _different_host,
    "ImagePropertiesFilter": _image_properties,
    "IoOpsFilter": _io_ops,
    "IsolatedHostsFilter": _isolated_hosts,
    "JsonFilter": _json,
    "MetricsFilter": _metrics,
    NUMA_FILTER: _numa_topology,
    "NumInstancesFilter": _num_instances,
    PCI_FILTER: _pci_passthrough,
    "SameHostFilter": _same_host,
    "ServerGroupAffinityFilter": _affinity,
    "ServerGroupAntiAffinityFilter": _anti_affinity,
    "SimpleCIDRAffinityFilter": _near_address,
}
ONCE_PER_REQUEST = frozenset(
    {
        "AggregateImagePropertiesIsolation",
        "AggregateInstanceExtraSpecsFilter",
        "AggregateMultiTenancyIsolation",
        "AggregateTypeAffinityFilter",
        "AllHostsFilter",
        "ComputeCapabilitiesFilter",
        "ComputeFilter",
        "DifferentHostFilter",
        "ImagePropertiesFilter",
        "IsolatedHostsFilter",
        "SameHostFilter",
        "SimpleCIDRAffinityFilter",
    }
)
"""Filters that run for the first instance of a request only."""
