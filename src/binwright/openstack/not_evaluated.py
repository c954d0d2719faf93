"""Rules that stand in a cloud's input and are not evaluated, each with how many pending servers use it.

Only rules that some object uses are listed. Whoever builds a rule takes it out of this list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from binwright.openstack.cloud import Cloud
from binwright.openstack.flavors import flavor_groups
from binwright.openstack.nova.compute_hosts import untold_attributes
from binwright.openstack.nova.filters import ADDRESS_BITS, TENANTS
from binwright.openstack.nova.server_groups import group_hint
from binwright.openstack.pending import Wanted
from binwright.openstack.scheduler import HINTED, Scheduler
from binwright.outcome import NotEvaluated

__all__ = ["rules_not_evaluated"]

IGNORED = "extra specs that Nova ignores with a warning"
NO_COLUMN = "resources that the input tells no capacity of"
ZONE = "availability zone: the input does not tell its hosts"
GROUP = "server group policy: the input does not have the group"
HINTS = "scheduler hints"
IMAGE = "image properties"
VOLUME = "Cinder volumes"
TENANT = "aggregates that are reserved for projects (filter_tenant_id)"
CAPABILITY = "capabilities of the host"
TRAITS = "required and forbidden traits: the input has no traits/"

AGGREGATE_SPECS = "aggregate extra specs"
NUMA = "NUMA topology, CPU pinning and huge pages"
PCI = "PCI devices"

# Extra specs by what they ask for: a key, or the beginning of one that ends in "*".
SPECS = {
    NUMA: (
        "hw:numa_*",
        "hw:cpu_policy",
        "hw:cpu_thread_policy",
        "hw:cpu_dedicated_mask",
        "hw:cpu_realtime*",
        "hw:emulator_threads_policy",
        "hw:mem_page_size",
        "hw:pmem",
    ),
    PCI: ("pci_passthrough:*", "hw:pci_numa_affinity_policy"),
    "accelerators": ("accel:*",),
    AGGREGATE_SPECS: ("aggregate_instance_extra_specs:*",),
}


def rules_not_evaluated(cloud: Cloud, scheduler: Scheduler, servers: Iterable[Wanted]) -> list[NotEvaluated]:
    """The rules that some of these servers uses, as far as the scheduler does not carry them out.

    Where a nova.conf tells which filters run, what others would compare is no rule.
    """
    found: dict[str, NotEvaluated] = {}
    hosts, zones, conf = scheduler.hosts, scheduler.zones, scheduler.conf
    hinted = {HINTED[name] for name in conf.enabled if name in HINTED}
    volumes = {server for volume in cloud.volumes for server in volume.servers}
    untold = untold_attributes(cloud, hosts)
    carried_out = {rule for rule, so in zip((NUMA, PCI), scheduler.evaluates) if so}
    carried_out |= {AGGREGATE_SPECS} if conf.given else set()
    tenants = not conf.given and any(key.startswith(TENANTS) for one in cloud.aggregates for key in one.metadata)

    def use(rule: str, example: str) -> None:
        entry = found.setdefault(rule, NotEvaluated(rule, 0, example))
        entry.objects += 1

    for rule, example in cloud.not_understood:
        use(rule, example)

    for server in servers:
        name, flavor, asked = server.name, server.flavor, scheduler.asked(server)
        groups = flavor_groups(flavor, from_volume=server.from_volume)
        totals = groups.totals()
        if hosts.unknown & totals.keys():
            use(NO_COLUMN, f"{name}: {min(hosts.unknown & totals.keys())}")
        if groups.ignored:
            use(IGNORED, f"{name}: flavor {flavor.name}, {groups.ignored[0]}")
        if asked.untold_traits:
            use(TRAITS, f"{name}: {min(asked.untold_traits)}")
        if server.zone is not None and not zones.known:
            use(ZONE, f"{name}: {server.zone}")
        hint = group_hint(server.hints)
        if hint is not None and scheduler.groups.group_of(server) is None:
            use(GROUP, f"{name}: {hint}")
        others = sorted(key for key in server.hints if key != "group" and key not in hinted)
        if others and not conf.given:
            use(HINTS, f"{name}: {others[0]}")
        if server.image is not None:
            use(IMAGE, f"{name}: {server.image}")
        if server.from_volume or (server.uid is not None and server.uid in volumes):
            use(VOLUME, name)
        if tenants:
            use(TENANT, name)
        for rule, example in server.ports.not_evaluated:
            use(rule, example)
        for rule, key in _spec_rules(flavor.extra_specs, untold):
            if rule not in carried_out:
                use(rule, f"{name}: flavor {flavor.name}, {key}={flavor.extra_specs[key]}")
        for rule, example in conf.left_out:
            use(rule, example)
    return list(found.values())


def _spec_rules(specs: Iterable[str], untold: Collection[str]) -> Iterable[tuple[str, str]]:
    """(rule, key) for every rule that some extra spec belongs to, with the first such key."""
    keys = sorted(specs)
    for rule, patterns in SPECS.items():
        key = next((key for key in keys if any(_matches(key, pattern) for pattern in patterns)), None)
        if key is not None:
            yield rule, key
    # A key is compared with an attribute of the host when the host has one of that name.
    for key in keys:
        path = ADDRESS_BITS if key == "hw:maxphysaddr_bits" else key
        if path.removeprefix("capabilities:").split(":")[0] in untold:
            yield CAPABILITY, key
            return


def _matches(key: str, pattern: str) -> bool:
    return key.startswith(pattern[:-1]) if pattern.endswith("*") else key == pattern
