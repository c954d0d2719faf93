"""Which hosts are alike for a stock filter and a request, so that its own rule need be asked once for all of them.

A rule here never decides what the filter decides: it says that a request cannot be rejected, or groups hosts by all
that the filter reads of them, and the filter's `host_passes` gives the verdict of each group. What the filters read is
openstack spec 4, checked against nova 34. Hosts are HostStates, requests are RequestSpecs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any

from oslo_utils import timeutils  # type: ignore[import-not-found]

from binwright.openstack.nova.filters import AGGREGATE_SCOPE
from binwright.openstack.nova_plugin.options import CONF

__all__ = ["RULES"]

Hosts = list[Any]
Rule = Callable[[Any, Hosts, Any], Hosts]
IMAGE_WISHES = ("hw_architecture", "img_hv_type", "hw_vm_mode")


def _each(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    """Every host asked by itself."""
    return [host for host in hosts if stock.host_passes(host, spec)]


def _alike(stock: Any, hosts: Hosts, spec: Any, key: Callable[[Any], Hashable]) -> Hosts:
    """Of hosts with the same key one is asked."""
    verdicts: dict[Hashable, bool] = {}
    left = []
    for host in hosts:
        group = key(host)
        verdict = verdicts.get(group)
        if verdict is None:
            verdict = verdicts[group] = bool(stock.host_passes(host, spec))
        if verdict:
            left.append(host)
    return left


def _aggregates(host: Any) -> Hashable:
    """The aggregates of a host: the scheduler has one object of each, and these stay during a call."""
    return tuple(map(id, host.aggregates))


def _all(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    return hosts


def _compute(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    """A service that is enabled and was seen just now is up; of any other the filter decides, and logs it.

    Only where services are seen through the database: other drivers look elsewhere.
    """
    if CONF.servicegroup_driver != "db":
        return _each(stock, hosts, spec)
    now = timeutils.utcnow()
    oldest = now - timedelta(seconds=stock.servicegroup_api._driver.service_down_time)
    left = []
    for host in hosts:
        service = getattr(host.service, "data", host.service)  # a UserDict, whose own look-ups cost most of this loop
        seen = service.get("last_seen_up")
        plain = (
            isinstance(seen, datetime)
            and oldest < seen.replace(tzinfo=None) <= now
            and not service["disabled"]
            and not service.get("forced_down")
        )
        if plain or stock.host_passes(host, spec):
            left.append(host)
    return left


def _capabilities(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    """Extra specs without a scope and in scope `capabilities` name attributes or statistics of hosts."""
    names = []
    for key in _extra_specs(spec):
        path = "capabilities:cpu_info" if key == "hw:maxphysaddr_bits" else key
        scope, colon, rest = path.partition(":")
        if not colon or scope == "capabilities":
            names.append(rest.split(":")[0] if colon else scope)
    if not names:
        return hosts

    def key_of(host: Any) -> Hashable:
        stats = getattr(host, "stats", {})
        return tuple((_value(getattr(host, name, None)), _value(stats.get(name))) for name in names)

    return _alike(stock, hosts, spec, key_of)


def _value(value: Any) -> Hashable:
    """A plain value with its type, for 1 and True are written differently; of anything else, which object it is."""
    return (type(value), value if isinstance(value, (str, int, float, type(None))) else id(value))


def _image(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    """Nothing is looked at where the image names neither architecture nor hypervisor nor VM mode."""
    properties = spec.image.properties if spec.image else {}
    default = CONF.filter_scheduler.image_properties_default_architecture
    if not default and not any(properties.get(name) for name in IMAGE_WISHES):
        return hosts

    def key_of(host: Any) -> Hashable:
        supported = tuple(map(tuple, host.supported_instances or ()))
        return supported, _value(host.hypervisor_version), _value(host.cpu_info)

    return _alike(stock, hosts, spec, key_of)


def _anti_affinity(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    """Hosts without a member of the group are alike."""
    group = spec.instance_group
    if not group or group.policy != stock.policy_name:
        return hosts
    concerned = {*group.members, spec.instance_uuid}
    return _alike(stock, hosts, spec, lambda host: concerned.isdisjoint(host.instances) or id(host))


def _affinity(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    group = spec.instance_group
    if not group or stock.policy_name not in group.policies:
        return hosts
    named = set(group.hosts or ())
    return _alike(stock, hosts, spec, lambda host: host.host in named)


def _by_aggregates(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    return _alike(stock, hosts, spec, _aggregates)


def _aggregate_extra_specs(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    keys = _extra_specs(spec)
    if all(":" in key and not key.startswith(f"{AGGREGATE_SCOPE}:") for key in keys):
        return hosts
    return _by_aggregates(stock, hosts, spec)


def _counted(count: str, *, by_aggregates: bool = False) -> Rule:
    """A count of the host against a bound, which its aggregates may set."""

    def rule(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
        if not by_aggregates:
            return _alike(stock, hosts, spec, lambda host: getattr(host, count))
        return _alike(stock, hosts, spec, lambda host: (getattr(host, count), *map(id, host.aggregates)))

    return rule


def _overlap(hint: str) -> Rule:
    """Whether an instance that the hint names is on the host."""

    def rule(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
        named = spec.get_scheduler_hint(hint)
        if not named:
            return hosts
        wanted = {named} if isinstance(named, str) else set(named)
        return _alike(stock, hosts, spec, lambda host: wanted.isdisjoint(host.instances))

    return rule


def _address(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    if not spec.get_scheduler_hint("build_near_host_ip"):
        return hosts
    return _alike(stock, hosts, spec, lambda host: str(host.host_ip))


def _isolated(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    named = set(CONF.filter_scheduler.isolated_hosts)
    return _alike(stock, hosts, spec, lambda host: host.host in named)


def _json(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    return _each(stock, hosts, spec) if spec.get_scheduler_hint("query") else hosts


def _metrics(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    return _each(stock, hosts, spec) if stock.keys else hosts


def _pci(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    """Every host has its own pools and its own candidates."""
    wanted = spec.pci_requests
    return _each(stock, hosts, spec) if wanted and wanted.requests else hosts


def _numa(stock: Any, hosts: Hosts, spec: Any) -> Hosts:
    """Every host has its own cells and its own candidates; what is written to is the guest's topology alone."""
    specs, properties = _extra_specs(spec), spec.image.properties
    dedicated = "dedicated" in (specs.get("hw:cpu_policy"), properties.get("hw_cpu_policy"))
    threads = "require" in (specs.get("hw:cpu_thread_policy"), properties.get("hw_cpu_thread_policy"))
    if spec.numa_topology is None and not (dedicated and threads):
        return hosts
    return _each(stock, hosts, _ClonedTopology(spec))


class _ClonedTopology:
    """A request for the NUMA filter, whose clone is one of the topology: the filter clones once a host, and the whole
    of a request with its group and its image costs more than the fit.
    """

    def __init__(self, spec: Any) -> None:
        self._spec = spec
        self.numa_topology = spec.numa_topology

    def obj_clone(self) -> _ClonedTopology:
        """The request with a topology of its own."""
        clone = _ClonedTopology(self._spec)
        if self.numa_topology is not None:
            clone.numa_topology = self.numa_topology.obj_clone()
        return clone

    def __getattr__(self, name: str) -> Any:
        return getattr(self._spec, name)

    def __contains__(self, name: str) -> bool:
        return name in self._spec


def _extra_specs(spec: Any) -> dict[str, str]:
    flavor = spec.flavor
    return dict(flavor.extra_specs or {}) if "extra_specs" in flavor else {}


RULES: dict[str, Rule] = {
    "AggregateImagePropertiesIsolation": _by_aggregates,
    "AggregateInstanceExtraSpecsFilter": _aggregate_extra_specs,
    "AggregateIoOpsFilter": _counted("num_io_ops", by_aggregates=True),
    "AggregateMultiTenancyIsolation": _by_aggregates,
    "AggregateNumInstancesFilter": _counted("num_instances", by_aggregates=True),
    "AggregateTypeAffinityFilter": _by_aggregates,
    "AllHostsFilter": _all,
    "ComputeCapabilitiesFilter": _capabilities,
    "ComputeFilter": _compute,
    "DifferentHostFilter": _overlap("different_host"),
    "ImagePropertiesFilter": _image,
    "IoOpsFilter": _counted("num_io_ops"),
    "IsolatedHostsFilter": _isolated,
    "JsonFilter": _json,
    "MetricsFilter": _metrics,
    "NUMATopologyFilter": _numa,
    "NumInstancesFilter": _counted("num_instances"),
    "PciPassthroughFilter": _pci,
    "SameHostFilter": _overlap("same_host"),
    "ServerGroupAffinityFilter": _affinity,
    "ServerGroupAntiAffinityFilter": _anti_affinity,
    "SimpleCIDRAffinityFilter": _address,
}
"""All 22 of the peer's."""
