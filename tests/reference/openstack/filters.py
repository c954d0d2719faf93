"""Nova's filters as the table of spec 4 has them, row by row, and the pipeline that applies them.

A row is a function that yields the hosts to be dropped; two rows also thin out a host's allocation candidates. Source:
openstack spec 4, 5.3, 13.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.reference.openstack import json_filter, pci
from tests.reference.openstack.host import Host, Request
from tests.reference.openstack.image_property_names import KNOWN_PROPERTIES
from tests.reference.openstack.matching import comma_values, match, option, smallest, version_satisfies
from tests.reference.openstack.numa import threads_per_core
from tests.reference.openstack.numa_fit import Limits, fit

Config = dict[str, Any]
Dropped = Iterator[Host]
Row = Callable[[list[Host], Request, Config], Dropped]

ROWS: dict[str, Row] = {}
STARRED: set[str] = set()  # once per request


def row(name: str, star: bool = False) -> Callable[[Row], Row]:
    """Enter a function into the table; `star` as in spec 4."""

    def enter(function: Row) -> Row:
        ROWS[name] = function
        if star:
            STARRED.add(name)
        return function

    return enter


def survivors(name: str, hosts: list[Host], request: Request, config: Config) -> list[Host]:
    """What one filter leaves."""
    gone = [id(host) for host in ROWS[name](hosts, request, config)]
    return [host for host in hosts if id(host) not in gone]


def run_pipeline(hosts: list[Host], request: Request, enabled: list[str], config: Config, index: int = 0) -> list[Host]:
    """Spec 4: destination, ignored, forced; then the enabled filters in order, starred ones for instance 0 only."""
    left = forced_to([host for host in at_destination(hosts, request) if not ignored(host, request)], request)
    if (request.force_hosts or request.force_nodes) and request.hints.get("_nova_check_type", ...) is ...:
        return left
    for name in enabled:
        if name not in STARRED or not index:
            left = survivors(name, left, request, config)
    return left


def at_destination(hosts: list[Host], request: Request) -> list[Host]:
    """Equal host, and node where one is given; a node alone is no destination."""
    wanted = request.destination or {}
    if wanted.get("host") is None:
        return hosts
    target = {"host": wanted["host"], "nodename": wanted.get("node")}
    return [one for one in hosts if all(name in (None, one[key]) for key, name in target.items())]


def ignored(host: Host, request: Request) -> bool:
    """Without regard to case."""
    return host.name.casefold() in map(str.casefold, request.ignore_hosts)


def forced_to(hosts: list[Host], request: Request) -> list[Host]:
    """Hosts without regard to case, nodes exactly."""
    if request.force_hosts:
        allowed = [name.casefold() for name in request.force_hosts]
        hosts = [one for one in hosts if one.name.casefold() in allowed]
    return [one for one in hosts if not request.force_nodes or one["nodename"] in request.force_nodes]


@row("AllHostsFilter", star=True)
def nobody(hosts: list[Host], request: Request, config: Config) -> Dropped:
    yield from ()


@row("ComputeFilter", star=True)
def service_state(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Not disabled and up."""
    yield from (one for one in hosts if one.service["disabled"] or not one.service["up"])


@row("ComputeCapabilitiesFilter", star=True)
def capabilities(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Unscoped keys that hosts have, and `capabilities:a:b:c`; a missing value drops the host."""
    for one in hosts:
        for key, wanted in request.extra_specs.items():
            if key == "hw:maxphysaddr_bits":
                path, wanted = ["cpu_info", "maxphysaddr", "bits"], ">= " + wanted
            elif key.startswith("capabilities:"):
                path = key.split(":")[1:]
            elif ":" not in key and (key in one.attributes or key in one.stats):
                path = [key]
            else:
                continue
            found = walk(one, path)
            if found is None or not match(f"{found}", wanted):
                yield one
                break


def walk(host: Host, path: list[str]) -> Any:
    """Attributes, then stats, then dict keys; JSON strings are parsed on the way; None for what is missing."""
    here = next((part[path[0]] for part in (host.attributes, host.stats) if part.get(path[0]) is not None), None)
    for step in path[1:]:
        try:
            here = json.loads(here) if isinstance(here, str) else here
        except ValueError:
            return None
        if not isinstance(here, dict) or step not in here:
            return None
        here = here[step]
    return here


CANONICAL = {
    "hw_architecture": {"x86_64": ("amd64",), "i686": ("i386", "i486", "i586")},
    "img_hv_type": {"xen": ("xapi",)},
    "hw_vm_mode": {"xen": ("pv",), "hvm": ("hv", "baremetal")},
}


def canonical(name: str, value: str) -> str:
    value = value.lower()
    return next((real for real, others in CANONICAL[name].items() if value in others), value)


@row("ImagePropertiesFilter", star=True)
def image(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Some supported instance has every value that is set; nothing set passes; version and address bits."""
    default = option(config, "filter_scheduler.image_properties_default_architecture", None)
    told = {"hw_architecture": default} | request.properties
    asked = [canonical(name, told[name]) for name in CANONICAL if told.get(name)]
    version, bits = request.properties.get("img_hv_requested_version"), request.properties.get("hw_maxphysaddr_bits")
    for one in hosts if asked else ():
        fine = any(all(value in supported for value in asked) for supported in one["supported_instances"] or [])
        if version and one["hypervisor_version"]:
            fine = fine and version_satisfies(one["hypervisor_version"], version)
        most = walk(one, ["cpu_info", "maxphysaddr", "bits"])
        if bits is not None and most is not None:
            fine = fine and int(bits) <= int(most)
        if not fine:
            yield one


@row("ServerGroupAntiAffinityFilter")
def anti_affinity(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """So many members as the rule allows are there already; not on the instance's own host."""
    group = request.group
    if group is not None and group.policy == "anti-affinity":
        for one in hosts:
            there = sum(member in one.instances for member in set(group.members))
            if there >= group.max_server_per_host and request.instance not in one.instances:
                yield one


@row("ServerGroupAffinityFilter")
def affinity(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Once the group has hosts, no other will do."""
    group = request.group
    if group is not None and group.policy == "affinity" and group.hosts:
        yield from (one for one in hosts if one.name not in group.hosts)


def in_aggregates(host: Host, key: str) -> set[str]:
    """The values of a key in the metadata of the host's aggregates."""
    return {aggregate[key] for aggregate in host.aggregates if key in aggregate}


@row("AggregateInstanceExtraSpecsFilter", star=True)
def aggregate_extra_specs(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Every key without a scope, or with this one, has a value in some aggregate that matches."""
    scope = "aggregate_instance_extra_specs:"
    asked = {key.removeprefix(scope): req for key, req in request.extra_specs.items() if key.startswith(scope)}
    plain = {key: req for key, req in request.extra_specs.items() if ":" not in key}
    for one in hosts:
        every = [*plain.items(), *asked.items()]
        if not all(any(match(v, req) for v in sorted(comma_values(in_aggregates(one, key)))) for key, req in every):
            yield one


@row("AggregateMultiTenancyIsolation", star=True)
def tenancy(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Somebody is named, and it is not the project."""
    for one in hosts:
        named: set[str] = set()
        for aggregate in one.aggregates:
            named |= comma_values({text for key, text in aggregate.items() if key.startswith("filter_tenant_id")})
        if named and request.project not in named:
            yield one


@row("AggregateImagePropertiesIsolation", star=True)
def aggregate_images(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """A property that the image has, and an aggregate of the host wants otherwise."""
    space = option(config, "filter_scheduler.aggregate_image_properties_isolation_namespace", None)
    dot = option(config, "filter_scheduler.aggregate_image_properties_isolation_separator", ".")
    for one in hosts:
        wishes = {key for aggregate in one.aggregates for key in aggregate}
        if space:
            wishes = {key for key in wishes if key.startswith(space + dot)}
        for key in sorted(wishes & KNOWN_PROPERTIES & request.properties.keys()):
            have = request.properties[key]
            if have is not None and f"{have}" not in comma_values(in_aggregates(one, key)):
                yield one
                break


@row("AggregateTypeAffinityFilter", star=True)
def flavors_of_aggregates(hosts: list[Host], request: Request, config: Config) -> Dropped:
    for one in hosts:
        lists = in_aggregates(one, "instance_type")
        if lists and request.flavor["name"] not in comma_values(lists):
            yield one


def at_most(attribute: str, setting: str, default: int, by_aggregate: bool) -> Row:
    """num_io_ops and num_instances stay below a number: configured, or the smallest that the aggregates say."""

    def too_many(hosts: list[Host], request: Request, config: Config) -> Dropped:
        for one in hosts:
            most = option(config, f"filter_scheduler.{setting}", default)
            if by_aggregate:
                most = smallest(in_aggregates(one, setting), most, int)
            if one[attribute] >= most:
                yield one

    return too_many


for _by_aggregate, _prefix in ((False, ""), (True, "Aggregate")):
    row(f"{_prefix}IoOpsFilter")(at_most("num_io_ops", "max_io_ops_per_host", 8, _by_aggregate))
    row(f"{_prefix}NumInstancesFilter")(at_most("num_instances", "max_instances_per_host", 50, _by_aggregate))


def neighbours(request: Request, hint: str) -> set[str]:
    told = request.hints.get(hint)
    return set(told if isinstance(told, list) else [told]) if told else set()


@row("SameHostFilter", star=True)
def with_neighbours(hosts: list[Host], request: Request, config: Config) -> Dropped:
    wanted = neighbours(request, "same_host")
    yield from (one for one in hosts if wanted and not wanted & set(one.instances))


@row("DifferentHostFilter", star=True)
def without_neighbours(hosts: list[Host], request: Request, config: Config) -> Dropped:
    yield from (one for one in hosts if neighbours(request, "different_host") & set(one.instances))


@row("SimpleCIDRAffinityFilter", star=True)
def near_address(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """host_ip in build_near_host_ip + cidr, by default /24."""
    hints = request.hints
    if hints.get("build_near_host_ip"):
        net = ipaddress.ip_interface(hints["build_near_host_ip"] + hints.get("cidr", "/24")).network
        yield from (one for one in hosts if ipaddress.ip_address(one["host_ip"]) not in net)


@row("IsolatedHostsFilter", star=True)
def isolation(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """The three cases of the table."""
    images = option(config, "filter_scheduler.isolated_images", [])
    strict = option(config, "filter_scheduler.restrict_isolated_hosts_to_isolated_images", True)
    for one in hosts:
        isolated = one.name in option(config, "filter_scheduler.isolated_hosts", [])
        mine = request.image["id"] in images
        if not images:
            wrong = strict and isolated
        elif strict:
            wrong = mine != isolated
        else:
            wrong = mine and not isolated
        if wrong:
            yield one


@row("MetricsFilter")
def metrics(hosts: list[Host], request: Request, config: Config) -> Dropped:
    wanted = {text.split("=")[0] for text in option(config, "metrics.weight_setting", [])}
    yield from (one for one in hosts if not wanted <= set(one.metrics))


@row("JsonFilter")
def query(hosts: list[Host], request: Request, config: Config) -> Dropped:
    text = request.hints.get("query")
    yield from (one for one in hosts if text and not json_filter.passes(text, one.attributes))


@row("NUMATopologyFilter")
def numa(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Section 6 for each candidate; the limits are the host's ratios and the request's networks (spec 13)."""
    guest = request.topology
    for one in hosts if guest is not None else ():
        cells = one.numa
        smt = cells is not None and any(threads_per_core(cell) > 1 for cell in cells)
        threads = (guest.cells[0].cpu_policy, guest.cells[0].cpu_thread_policy)
        if cells is None or (threads == ("dedicated", "require") and not smt):
            yield one
            continue
        networks = frozenset(request.network.get("physnets", ())), bool(request.network.get("tunneled"))
        one.numa_limits = Limits(one["cpu_allocation_ratio"], one["ram_allocation_ratio"], *networks)
        packing = option(config, "compute.packing_host_numa_cells_allocation_strategy", False)
        good = []
        for mapping in one.candidates:
            if fit(cells, guest, one.numa_limits, one.pci_pools, request.pci_requests, mapping, packing):
                good.append(mapping)
        one.candidates = good
        if not good:
            yield one


@row("PciPassthroughFilter")
def devices(hosts: list[Host], request: Request, config: Config) -> Dropped:
    """Section 7 for each candidate, without guest cells; no PCI statistics, no devices."""
    for one in hosts if request.pci_requests else ():
        pools, before = one.pci_pools, one.candidates
        if pools is not None:
            one.candidates = [m for m in before if pci.apply_requests(pools, request.pci_requests, m) is not None]
        if pools is None or not one.candidates:
            yield one
