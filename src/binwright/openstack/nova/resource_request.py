"""From a request to the query string that Nova sends to Placement, and its fallback (openstack spec 3.1, 13).

Gathers the groups of flavor, image, ports and devices and writes them down in the service's order; asks no Placement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from binwright.openstack.flavors import ResourceGroup, add_sizes, drop_zeros, spec_groups
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.cpu_policies import cpu_policy
from binwright.openstack.nova.features import add_features, normalised, translate_cpus
from binwright.openstack.nova.options import Config, option
from binwright.openstack.nova.prefilters import RootWishes
from binwright.openstack.nova.request_spec import RequestSpec
from binwright.openstack.nova.schedule import NoValidHost
from binwright.openstack.placement.names import RESOURCE_CLASSES, TRAITS

__all__ = ["Queries", "pinning_requested", "placement_queries"]

UNLIMITED_HINTS = ("group", "same_host", "different_host")
TRAIT = "trait:"


@dataclass(frozen=True, slots=True)
class Queries:
    """The query, and the one that is sent too where CPUs are pinned: with all CPUs as VCPU."""

    query: str
    fallback: str


def pinning_requested(request: RequestSpec) -> bool:
    """Whether the fallback is sent: for the CPU policy `dedicated` alone, in flavor or image."""
    return cpu_policy(request.flavor, request.image.properties) == "dedicated"


def placement_queries(
    request: RequestSpec, wishes: RootWishes, computes: Sequence[ComputeHost], config: Config
) -> Queries:
    """Both query strings; computes: the compute nodes that a forced or requested host is looked up in.

    Raises NoValidHost for a host that there is not, Refusal where flavor and image contradict each other.
    """
    target = _target(request, computes)
    return Queries(
        _query(request, wishes, target, config, translate=True),
        _query(request, wishes, target, config, translate=False),
    )


def _target(request: RequestSpec, computes: Sequence[ComputeHost]) -> list[ComputeHost] | None:
    """The nodes that are forced or requested, None if it does not matter."""
    host = request.force_hosts[0] if request.force_hosts else request.destination.host
    node = request.force_nodes[0] if request.force_nodes else request.destination.node
    if host is None and node is None:
        return None
    found = [one for one in computes if host in (None, one.host) and node in (None, one.nodename)]
    if not found:
        raise NoValidHost(f"no such host: host {host}, node {node}")
    return found


def _query(
    request: RequestSpec, wishes: RootWishes, target: list[ComputeHost] | None, config: Config, *, translate: bool
) -> str:
    """One query string; translate: whether CPU policies become PCPU and traits."""
    read = spec_groups(request.flavor)
    groups, policy = read.groups, read.group_policy
    own = len(groups) - 1
    _add_image(groups[""], request, translate)
    for wanted in request.requested_groups:
        groups[wanted.id] = ResourceGroup(dict(wanted.resources), set(wanted.required))
    if option(config, "filter_scheduler.pci_in_placement"):
        groups.update(_device_groups(request))
    add_sizes(groups, request.flavor, request.from_volume)
    groups = drop_zeros(groups)
    if policy is None and own <= 1 and len(groups) > 2:
        policy = "none"
    in_tree = target[0].uuid if target is not None and len(target) == 1 else None
    parameters = list(_group_parameters(groups, wishes, in_tree))
    parameters += [("same_subtree", ",".join(sorted(ids))) for ids in request.same_subtrees]
    if root := _traits(wishes.required, wishes.forbidden):
        parameters.append(("root_required", root))
    if policy is not None:
        parameters.append(("group_policy", policy))
    several = target is not None and len(target) > 1
    if not several and not any(hint in request.hints for hint in UNLIMITED_HINTS):
        parameters.append(("limit", str(option(config, "scheduler.max_placement_results"))))
    return urlencode(sorted(parameters))


def _add_image(group: ResourceGroup, request: RequestSpec, translate: bool) -> None:
    """What image and features add to the unsuffixed group."""
    properties = request.image.properties
    group.required |= {
        key.removeprefix(TRAIT) for key, value in properties.items() if key.startswith(TRAIT) and value == "required"
    }
    add_features(group, request.flavor, properties)
    if translate:
        translate_cpus(group, request.flavor, properties)


def _device_groups(request: RequestSpec) -> Iterator[tuple[str, ResourceGroup]]:
    """PCI in Placement: a group for every device of an alias."""
    for wanted in request.pci_requests:
        (spec,) = wanted["spec"]
        name = spec.get("resource_class") or f"PCI_{spec['vendor_id']}_{spec['product_id']}"
        traits = {normalised(one, TRAITS) for one in spec.get("traits", "").split(",") if one}
        for number in range(wanted["count"]):
            resources = {normalised(name, RESOURCE_CLASSES): 1}
            yield f"{wanted['request_id']}-{number}", ResourceGroup(resources, set(traits))


def _group_parameters(
    groups: dict[str, ResourceGroup], wishes: RootWishes, in_tree: str | None
) -> Iterator[tuple[str, str]]:
    """The parameters of all groups; what a deployment wants of aggregates and trees stands in the unsuffixed one."""
    for suffix, group in groups.items():
        has = group.resources or group.required or group.forbidden
        if has or wishes.member_of or wishes.forbidden_aggregates or in_tree is not None:
            amounts = ",".join(f"{name}:{amount}" for name, amount in sorted(group.resources.items()))
            yield f"resources{suffix}", amounts
            if traits := _traits(group.required, group.forbidden):
                yield f"required{suffix}", traits
    for clause in wishes.member_of:
        yield "member_of", f"in:{','.join(sorted(clause))}"
    if wishes.forbidden_aggregates:
        yield "member_of", f"!in:{','.join(sorted(wishes.forbidden_aggregates))}"
    if in_tree is not None:
        yield "in_tree", in_tree


def _traits(required: Iterable[str], forbidden: Iterable[str]) -> str:
    return ",".join([*sorted(required), *(f"!{name}" for name in sorted(forbidden))])
