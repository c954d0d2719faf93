"""Nova's filters, one function each, and the pipeline that applies them.

A filter says whether a host passes; two of them also thin out the host's allocation candidates. Source: openstack
spec 4, 5.3, 13.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from tests.reference.openstack import json_filter, pci
from tests.reference.openstack.host import Host, Request
from tests.reference.openstack.image_property_names import KNOWN_PROPERTIES
from tests.reference.openstack.matching import comma_values, match, option, smallest, version_satisfies
from tests.reference.openstack.numa_fit import Limits, fit

Config = dict[str, Any]
Filter = Callable[[Host, Request, Config], bool]


def run_pipeline(hosts: list[Host], request: Request, enabled: list[str], config: Config, index: int = 0) -> list[Host]:
    """The hosts that remain for the index-th instance of a request, in their order (spec 4)."""
    hosts = preselect(hosts, request)
    forced = bool(request.force_hosts or request.force_nodes)
    if forced and "_nova_check_type" not in request.hints:
        return hosts
    for name in enabled:
        if index == 0 or name not in ONCE_PER_REQUEST:
            hosts = [host for host in hosts if FILTERS[name](host, request, config)]
    return hosts


def preselect(hosts: list[Host], request: Request) -> list[Host]:
    """Requested destination, ignored hosts, forced hosts and nodes, in this order (spec 4)."""
    destination = request.destination or {}
    if destination.get("host"):
        hosts = [host for host in hosts if host.name == destination["host"]]
        if destination.get("node"):
            hosts = [host for host in hosts if host["nodename"] == destination["node"]]
    ignored = {name.lower() for name in request.ignore_hosts}
    hosts = [host for host in hosts if host.name.lower() not in ignored]
    if request.force_hosts:
        wanted = {name.lower() for name in request.force_hosts}
        hosts = [host for host in hosts if host.name.lower() in wanted]
    if request.force_nodes:
        hosts = [host for host in hosts if host["nodename"] in request.force_nodes]
    return hosts


def all_hosts(host: Host, request: Request, config: Config) -> bool:
    return True


def compute(host: Host, request: Request, config: Config) -> bool:
    return host.service["up"] and not host.service["disabled"]


def compute_capabilities(host: Host, request: Request, config: Config) -> bool:
    """Extra specs against attributes and stats (spec 4)."""
    for key, req in request.extra_specs.items():
        if key == "hw:maxphysaddr_bits":
            key, req = "capabilities:cpu_info:maxphysaddr:bits", f">= {req}"
        path = key.split(":")
        if len(path) == 1:
            if path[0] not in host.attributes and path[0] not in host.stats:
                continue
        elif path.pop(0) != "capabilities":
            continue
        value = capability(host, path)
        if value is None or not match(str(value), req):
            return False
    return True


def capability(host: Host, path: list[str]) -> Any:
    """Walk attributes, then stats, then dict keys; JSON strings are parsed (spec 4)."""
    value = host.attributes.get(path[0])
    if value is None:
        value = host.stats.get(path[0])
    for key in path[1:]:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                return None
        value = value.get(key) if isinstance(value, dict) else None
    return value


ARCHITECTURES = {"i386": "i686", "i486": "i686", "i586": "i686", "amd64": "x86_64"}
VM_MODES = {"pv": "xen", "hv": "hvm", "baremetal": "hvm"}
HYPERVISORS = {"xapi": "xen"}


def image_properties(host: Host, request: Request, config: Config) -> bool:
    """Architecture, hypervisor type and VM mode, canonicalised; version predicate; address bits (spec 4)."""
    properties = request.properties
    default = option(config, "filter_scheduler.image_properties_default_architecture", None)
    wanted = set()
    for name, names in (("hw_architecture", ARCHITECTURES), ("img_hv_type", HYPERVISORS), ("hw_vm_mode", VM_MODES)):
        value = properties.get(name, default if name == "hw_architecture" else None)
        if value:
            wanted.add(names.get(value.lower(), value.lower()))
    if not wanted:
        return True
    bits, offered = properties.get("hw_maxphysaddr_bits"), capability(host, ["cpu_info", "maxphysaddr", "bits"])
    if bits is not None and offered is not None and int(bits) > int(offered):
        return False
    version = properties.get("img_hv_requested_version")
    if version and host["hypervisor_version"] and not version_satisfies(host["hypervisor_version"], version):
        return False
    return any(wanted <= set(supported) for supported in host["supported_instances"] or ())


def server_group_anti_affinity(host: Host, request: Request, config: Config) -> bool:
    group = request.group
    if group is None or group.policy != "anti-affinity" or request.instance in host.instances:
        return True
    return len(set(host.instances) & set(group.members)) < group.max_server_per_host


def server_group_affinity(host: Host, request: Request, config: Config) -> bool:
    group = request.group
    return group is None or group.policy != "affinity" or not group.hosts or host.name in group.hosts


def aggregate_instance_extra_specs(host: Host, request: Request, config: Config) -> bool:
    """Unscoped and aggregate_instance_extra_specs: keys against the aggregates' metadata (spec 4)."""
    for key, req in request.extra_specs.items():
        scope, colon, rest = key.partition(":")
        if colon and scope != "aggregate_instance_extra_specs":
            continue
        values = comma_values(host.aggregate_values(rest if colon else key))
        if not any(match(value, req) for value in sorted(values)):
            return False
    return True


def aggregate_multi_tenancy(host: Host, request: Request, config: Config) -> bool:
    keys = {key for metadata in host.aggregates for key in metadata if key.startswith("filter_tenant_id")}
    tenants = comma_values({value for key in keys for value in host.aggregate_values(key)})
    return not tenants or request.project in tenants


def aggregate_image_properties(host: Host, request: Request, config: Config) -> bool:
    """Metadata keys that are image properties known to Nova: unset in the image, or one of the values (spec 4)."""
    namespace = option(config, "filter_scheduler.aggregate_image_properties_isolation_namespace", None)
    separator = option(config, "filter_scheduler.aggregate_image_properties_isolation_separator", ".")
    for key in sorted({key for metadata in host.aggregates for key in metadata}):
        if namespace and not key.startswith(f"{namespace}{separator}"):
            continue
        wish = request.properties.get(key) if key in KNOWN_PROPERTIES else None
        if wish is not None and str(wish) not in comma_values(host.aggregate_values(key)):
            return False
    return True


def aggregate_type_affinity(host: Host, request: Request, config: Config) -> bool:
    names = host.aggregate_values("instance_type")
    return not names or request.flavor["name"] in comma_values(names)


def io_ops(host: Host, request: Request, config: Config) -> bool:
    return host["num_io_ops"] < option(config, "filter_scheduler.max_io_ops_per_host", 8)


def aggregate_io_ops(host: Host, request: Request, config: Config) -> bool:
    default = option(config, "filter_scheduler.max_io_ops_per_host", 8)
    return host["num_io_ops"] < smallest(host.aggregate_values("max_io_ops_per_host"), default, int)


def num_instances(host: Host, request: Request, config: Config) -> bool:
    return host["num_instances"] < option(config, "filter_scheduler.max_instances_per_host", 50)


def aggregate_num_instances(host: Host, request: Request, config: Config) -> bool:
    default = option(config, "filter_scheduler.max_instances_per_host", 50)
    return host["num_instances"] < smallest(host.aggregate_values("max_instances_per_host"), default, int)


def as_list(hint: Any) -> list:
    return hint if isinstance(hint, list) else [hint]


def same_host(host: Host, request: Request, config: Config) -> bool:
    wanted = request.hints.get("same_host")
    return not wanted or bool(set(as_list(wanted)) & set(host.instances))


def different_host(host: Host, request: Request, config: Config) -> bool:
    unwanted = request.hints.get("different_host")
    return not unwanted or not set(as_list(unwanted)) & set(host.instances)


def simple_cidr_affinity(host: Host, request: Request, config: Config) -> bool:
    address = request.hints.get("build_near_host_ip")
    if not address:
        return True
    network = ipaddress.ip_network(address + request.hints.get("cidr", "/24"), strict=False)
    return ipaddress.ip_address(host["host_ip"]) in network


def isolated_hosts(host: Host, request: Request, config: Config) -> bool:
    """Isolated images go to isolated hosts; with restrict, nothing else does (spec 4)."""
    hosts = option(config, "filter_scheduler.isolated_hosts", [])
    images = option(config, "filter_scheduler.isolated_images", [])
    restrict = option(config, "filter_scheduler.restrict_isolated_hosts_to_isolated_images", True)
    host_isolated, image_isolated = host.name in hosts, request.image["id"] in images
    if not images:
        return not (restrict and host_isolated)
    return image_isolated == host_isolated if restrict else not image_isolated or host_isolated


def metrics(host: Host, request: Request, config: Config) -> bool:
    names = [setting.partition("=")[0] for setting in option(config, "metrics.weight_setting", [])]
    return all(name in host.metrics for name in names)


def json_query(host: Host, request: Request, config: Config) -> bool:
    query = request.hints.get("query")
    return not query or json_filter.passes(query, host.attributes)


def numa_topology(host: Host, request: Request, config: Config) -> bool:
    """Keeps the allocation candidates whose mapping fits; the limits are the host's ratios (spec 4, 13)."""
    guest = request.topology
    if guest is None:
        return True
    if host.numa is None:
        return False
    dedicated = guest.cells[0].cpu_policy == "dedicated" and guest.cells[0].cpu_thread_policy == "require"
    if dedicated and all(cell.threads_per_core == 1 for cell in host.numa):
        return False
    network = request.network
    physnets, tunneled = frozenset(network.get("physnets", ())), bool(network.get("tunneled"))
    limits = Limits(host["cpu_allocation_ratio"], host["ram_allocation_ratio"], physnets, tunneled)
    packing = option(config, "compute.packing_host_numa_cells_allocation_strategy", False)
    host.candidates = [
        mapping
        for mapping in host.candidates
        if fit(host.numa, guest, limits, host.pci_pools, request.pci_requests, mapping, packing)
    ]
    host.numa_limits = limits
    return bool(host.candidates)


def pci_passthrough(host: Host, request: Request, config: Config) -> bool:
    """Keeps the allocation candidates whose devices are there; guest cells are not looked at (spec 4, 13)."""
    if not request.pci_requests:
        return True
    if host.pci_pools is None:
        return False
    host.candidates = [
        mapping
        for mapping in host.candidates
        if pci.apply_requests(host.pci_pools, request.pci_requests, mapping) is not None
    ]
    return bool(host.candidates)


FILTERS: dict[str, Filter] = {
    "AllHostsFilter": all_hosts,
    "ComputeFilter": compute,
    "ComputeCapabilitiesFilter": compute_capabilities,
    "ImagePropertiesFilter": image_properties,
    "ServerGroupAntiAffinityFilter": server_group_anti_affinity,
    "ServerGroupAffinityFilter": server_group_affinity,
    "AggregateInstanceExtraSpecsFilter": aggregate_instance_extra_specs,
    "AggregateMultiTenancyIsolation": aggregate_multi_tenancy,
    "AggregateImagePropertiesIsolation": aggregate_image_properties,
    "AggregateTypeAffinityFilter": aggregate_type_affinity,
    "IoOpsFilter": io_ops,
    "AggregateIoOpsFilter": aggregate_io_ops,
    "NumInstancesFilter": num_instances,
    "AggregateNumInstancesFilter": aggregate_num_instances,
    "SameHostFilter": same_host,
    "DifferentHostFilter": different_host,
    "SimpleCIDRAffinityFilter": simple_cidr_affinity,
    "IsolatedHostsFilter": isolated_hosts,
    "MetricsFilter": metrics,
    "JsonFilter": json_query,
    "NUMATopologyFilter": numa_topology,
    "PciPassthroughFilter": pci_passthrough,
}

# marked with * in spec 4
ONCE_PER_REQUEST = {
    "AllHostsFilter",
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "AggregateInstanceExtraSpecsFilter",
    "AggregateMultiTenancyIsolation",
    "AggregateImagePropertiesIsolation",
    "AggregateTypeAffinityFilter",
    "SameHostFilter",
    "DifferentHostFilter",
    "SimpleCIDRAffinityFilter",
    "IsolatedHostsFilter",
}
