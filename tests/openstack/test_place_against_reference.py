"""Every decision of random clouds beside the slow reference: its query, its candidates, its filters and weighers.

The reference takes over what was placed before it is asked again, because which of several candidates of the chosen
host is claimed is open in Placement.
"""

import random

import pytest

from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.nova.conf import NovaConf
from binwright.openstack.nova.pci_aliases import Alias
from binwright.openstack.pending import pending_servers, wanted_servers
from binwright.openstack.place import place_cloud
from binwright.openstack.placement.names import RESOURCE_CLASSES, TRAITS
from binwright.openstack.scheduler import Scheduler
from binwright.openstack.zones import cloud_zones
from tests.openstack import random_dumps, random_nova
from tests.openstack.clouds import read
from tests.reference.openstack.answer import allocation_candidates
from tests.reference.openstack.cloud import Cloud
from tests.reference.openstack.filters import run_pipeline
from tests.reference.openstack.host import Group, Host, Request
from tests.reference.openstack.numa_constraints import ConstraintError
from tests.reference.openstack.resource_request import pinning_requested, query_strings
from tests.reference.openstack.weighers import weigh

NAMES = {"traits": sorted(TRAITS), "resource_classes": sorted(RESOURCE_CLASSES)}
ENABLED = [
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
]
UNTOLD = {"cpu_info": None, "supported_instances": [], "host_ip": None, "failed_builds": 0, "metrics": {}}


ALIASES = {"a": ("legacy", [{"vendor_id": "8086"}]), "b": ("required", [{"vendor_id": "8086"}, {"vendor_id": "10DE"}])}


class Slow:
    """The reference's view of a dump, made from the files themselves."""

    def __init__(self, files):
        self.files = files
        part = {name: value for name, value in files.items() if "/" in name}
        providers = files["providers.json"]
        self.cloud = Cloud.from_json(
            {
                "resource_providers": [
                    row
                    | {
                        "inventories": {
                            one["resource_class"]: {k: v for k, v in one.items() if k != "resource_class"}
                            for one in part[f"inventories/{row['uuid']}.json"]
                        },
                        "traits": [one["name"] for one in part[f"traits/{row['uuid']}.json"]],
                        "aggregates": [one["uuid"] for one in part[f"provider_aggregates/{row['uuid']}.json"]],
                    }
                    for row in providers
                ],
                "allocations": {},
                "extra_traits": list(random_dumps.TRAITS),
                "extra_resource_classes": [],
            },
            NAMES,
        )
        for row in providers:
            for consumer in part[f"allocations/{row['uuid']}.json"]["allocations"].values():
                self.charge({row["uuid"]: consumer["resources"]})
        self.aggregates = [
            {
                "uuid": row["UUID"],
                "name": row["Name"],
                "metadata": row["Properties"] | {"availability_zone": row["Availability Zone"]},
                "hosts": row["Hosts"],
            }
            for row in files["aggregates.json"]
        ]
        self.flavors = {row["Name"]: self.flavor(row) for row in files["flavors.json"]}
        rows = {row["hypervisor_hostname"]: row for row in files.get("compute_nodes.json", ())}
        told = {"numa_topology": "numa_topology", "pci_pools": "pci_stats"}
        self.nodes = {name: {key: row[column] for key, column in told.items()} for name, row in rows.items()}
        self.hosts = [self.host(row) for row in files["hypervisors.json"]]
        running = {row["ID"]: row["Host"] for row in files["servers.json"] if row["Host"]}
        self.groups = [
            Group(
                row["Policy"],
                list(row["Members"]),
                [running[one] for one in row["Members"] if one in running],
                int(row["Rules"].get("max_server_per_host", 1)),
            )
            for row in files["server_groups.json"]
        ]

    @staticmethod
    def flavor(row):
        sizes = {"vcpus": row["VCPUs"], "memory_mb": row["RAM"], "root_gb": row["Disk"], "ephemeral_gb": 0}
        return sizes | {"name": row["Name"], "swap": row["Swap"], "extra_specs": row["Properties"]}

    def host(self, row):
        inventories = {one["resource_class"]: one for one in self.files[f"inventories/{row['ID']}.json"]}
        nothing = {"total": 0, "reserved": 0, "allocation_ratio": 1.0}
        cpu, ram, disk = (inventories.get(name, nothing) for name in ("VCPU", "MEMORY_MB", "DISK_GB"))
        used = {name: self.cloud.usage(row["ID"], name) for name in ("VCPU", "MEMORY_MB", "DISK_GB")}
        name = row["Hypervisor Hostname"]
        own = [one["ID"] for one in self.files["servers.json"] if one["Host"] == name]
        return Host.from_json(
            {
                "host": name,
                "nodename": name,
                "uuid": row["ID"],
                "cell": "",
                "vcpus": cpu["total"],
                "vcpus_used": cpu["reserved"] + used["VCPU"],
                "memory_mb": ram["total"],
                "memory_mb_used": ram["reserved"] + used["MEMORY_MB"],
                "local_gb": disk["total"],
                "local_gb_used": disk["reserved"] + used["DISK_GB"],
                "disk_available_least": None,
                "cpu_allocation_ratio": cpu["allocation_ratio"],
                "ram_allocation_ratio": 1.0,
                "disk_allocation_ratio": 1.0,
                "hypervisor_type": row["Hypervisor Type"],
                "hypervisor_version": row["Hypervisor Version"],
                "num_io_ops": 0,
                "num_instances": len(own),
                "instances": own,
                "service": {"up": row["State"] == "up", "disabled": False},
                "aggregates": [one["name"] for one in self.aggregates if name in one["hosts"]],
                "numa_topology": None,
                "pci_pools": None,
            }
            | UNTOLD
            | self.nodes.get(name, {}),
            self.aggregates,
        )

    def charge(self, allocations):
        for uuid, amounts in allocations.items():
            for name, amount in amounts.items():
                self.cloud.used[uuid, name] = self.cloud.usage(uuid, name) + amount

    def decide(self, row, enabled=ENABLED, config=None):
        """(request, [(host, total weight)] best first, host -> its allocations)."""
        config = config or {}
        spec = {"flavor": self.flavors[row["Flavor"]], "availability_zone": row["Availability Zone"], "project_id": "p"}
        case = {"spec": spec, "aggregates": self.aggregates, "hosts": [], "config": {}}
        case |= {"prefilters": True, "owner_trait": False}
        query, fallback = query_strings(case, NAMES)
        found = []
        for text in (query, fallback)[: 1 + pinning_requested(spec["flavor"], None)]:
            status, body = allocation_candidates(self.cloud, text, "1.36")
            found += body["allocation_requests"] if status == 200 else []
        asked = {"instance_uuid": row["ID"], "scheduler_hints": row.get("Scheduler Hints")}
        devices = spec["flavor"]["extra_specs"].get("pci_passthrough:alias")
        if devices:
            name, count = devices.split(":")
            policy, specs = ALIASES[name]
            asked["pci_requests"] = [{"request_id": "r", "count": int(count), "spec": specs, "numa_policy": policy}]
        request = Request.from_json(spec | asked)
        request.group = next((group for group in self.groups if row["ID"] in group.members), None)
        allocations = {
            host.name: [one["allocations"] for one in found if host["uuid"] in one["allocations"]]
            for host in self.hosts
        }
        hosts = [host for host in self.hosts if allocations[host.name]]
        for host in hosts:
            host.candidates = [{}]
        left = run_pipeline(hosts, request, enabled, config)
        _, order = weigh(left, request, config)
        return request, [(host, total) for host, total in order], allocations


MORE_FILTERS = (
    "AggregateInstanceExtraSpecsFilter",
    "AggregateIoOpsFilter",
    "AggregateMultiTenancyIsolation",
    "AggregateNumInstancesFilter",
    "AggregateTypeAffinityFilter",
    "AllHostsFilter",
    "DifferentHostFilter",
    "IoOpsFilter",
    "JsonFilter",
    "NumInstancesFilter",
    "PciPassthroughFilter",
    "SameHostFilter",
)


def configured(rng, files):
    """Another deployment: other filters in another order, other weights; and hints for some of its servers."""
    enabled = rng.sample(ENABLED, rng.choice((3, 5, 5))) + rng.sample(MORE_FILTERS, rng.randint(0, 4))
    rng.shuffle(enabled)
    config = {f"filter_scheduler.{name}_weight_multiplier": rng.choice((-1.0, 0.5, 3.0)) for name in ("cpu", "io_ops")}
    config["filter_scheduler.max_instances_per_host"] = rng.choice((1, 3, 50))
    config["filter_scheduler.max_io_ops_per_host"] = rng.choice((1, 2, 8))
    running = [row["ID"] for row in files["servers.json"] if row["Host"]]
    for row in files["servers.json"]:
        if not row["Host"] and rng.random() < 0.4:
            row["Scheduler Hints"] = rng.choice(
                (
                    {"same_host": running[:1]},
                    {"different_host": running},
                    {"query": '["<", "$num_instances", 2]'},
                    {"query": '["not", [">=", "$free_ram_mb", 4096]]'},
                )
            )
    return enabled, config


def check(seed, by_chain, other=False):
    rng = random.Random(seed)
    files = random_dumps.dump(rng)
    enabled, config = configured(rng, files) if other else (ENABLED, {})
    cloud = read(files)
    wanted = wanted_servers(cloud)
    hosts = cloud_hosts(cloud, pending_servers(cloud))
    conf = NovaConf(config, tuple(enabled), given=other)
    scheduler = Scheduler(cloud, hosts, cloud_zones(cloud, hosts), wanted, conf, by_chain=by_chain)
    slow = Slow(files)
    rows = [row for row in files["servers.json"] if not row["Host"]]
    for server, row in zip(wanted, rows, strict=True):
        where = f"seed {seed}, server {server.name}"
        decision = scheduler.place(server)
        try:
            request, order, allocations = slow.decide(row, enabled, config)
        except ValueError:  # a filter that cannot compare
            assert decision.reasons[0].rule == "filters", where
            continue
        if not order:
            assert decision.host is None, where
            assert decision.reasons, where
            assert sum(reason.hosts for reason in decision.reasons) >= len(hosts), where
            continue
        assert decision.host is not None, where
        best, total = order[0]
        name = hosts.names[decision.host]
        assert (name, decision.score) == (best.name, pytest.approx(total, abs=1e-12)), where
        taken = {uuid: {"resources": dict(amounts)} for uuid, amounts in decision.allocations.items()}
        assert taken in allocations[name], where
        slow.charge(decision.allocations)
        best.consume(request, {})


def together(slow, row, count):
    """Hosts of a request for several on a flat cloud, [] where one of them finds none (spec 5.2)."""
    request, _, allocations = slow.decide(row)
    left = [host for host in slow.hosts if allocations[host.name]]
    chosen = []
    for number in range(count):
        request.instance = f"{number}"
        if request.group is not None:
            request.group.members.append(request.instance)
        for host in left:
            host.candidates = [{}]
        left = [host for host, _ in weigh(run_pipeline(left, request, ENABLED, {}, number), request, {})[1]]
        for host in left:
            amounts = allocations[host.name][0][host["uuid"]]["resources"]
            if all(slow.cloud.fits(host["uuid"], name, amount) for name, amount in amounts.items()):
                break
        else:
            return []
        slow.charge({host["uuid"]: amounts})
        host.consume(request, {})
        chosen.append(host.name)
    return chosen


@pytest.mark.parametrize("seed", range(150))
def test_requests_for_several_are_the_references(seed):
    rng = random.Random(seed)
    files = random_dumps.dump(rng, flat=True)
    count, flavor = rng.choice((2, 3, 5)), f"f{rng.randrange(5)}"
    group = rng.choice([*random_dumps.POLICIES, None])
    files["servers.json"] = [row for row in files["servers.json"] if row["Host"]]
    hints = {} if group is None else {"group": group}
    files["requests.json"] = [{"name": "w", "flavor": flavor, "max_count": count, "scheduler_hints": hints}]
    result = place_cloud(read(files))
    slow = Slow(files)
    row = {"ID": "w", "Flavor": flavor, "Availability Zone": ""}
    for one, policy in zip(slow.groups, random_dumps.POLICIES, strict=True):
        one.members += ["w"] if policy == group else []
    try:
        wanted = together(slow, row, count)
    except ValueError:  # a filter that cannot compare
        wanted = []
    assert [one.host for one in result.placed] == wanted, f"seed {seed}"
    assert len(result.placed) + len(result.unplaced) == count


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("by_chain", [False, True])
def test_every_decision_is_the_references(seed, by_chain):
    check(seed, by_chain)


@pytest.mark.parametrize("seed", range(100, 180))
@pytest.mark.parametrize("by_chain", [False, True])
def test_other_filters_and_weights(seed, by_chain):
    check(seed, by_chain, other=True)


def with_cells(rng, files):
    """Hosts with NUMA cells and PCI pools, and flavors that want them."""
    files["compute_nodes.json"] = [
        {
            "hypervisor_hostname": row["Hypervisor Hostname"],
            "numa_topology": rng.choice((None, random_nova.topology(rng), random_nova.topology(rng))),
            "pci_stats": rng.choice((None, random_nova.pools(rng), random_nova.pools(rng))),
        }
        for row in files["hypervisors.json"]
    ]
    for flavor in files["flavors.json"]:
        specs = flavor["Properties"]
        if rng.random() < 0.4:
            specs["hw:numa_nodes"] = rng.choice(("1", "2"))
        if rng.random() < 0.4:
            specs["hw:cpu_policy"] = "dedicated"
            if rng.random() < 0.4:
                specs["hw:cpu_thread_policy"] = rng.choice(("prefer", "require", "isolate"))
        if rng.random() < 0.2:
            specs["hw:mem_page_size"] = rng.choice(("small", "large", "2048"))
        if rng.random() < 0.4:
            specs["pci_passthrough:alias"] = rng.choice(("a:1", "b:1", "b:2"))


@pytest.mark.parametrize("seed", range(200, 320))
def test_cells_and_devices(seed):
    rng = random.Random(seed)
    files = random_dumps.dump(rng)
    with_cells(rng, files)
    cloud = read(files)
    wanted = wanted_servers(cloud)
    hosts = cloud_hosts(cloud, pending_servers(cloud))
    enabled = [*ENABLED, "NUMATopologyFilter", "PciPassthroughFilter"]
    aliases = {name: Alias(policy, tuple(specs)) for name, (policy, specs) in ALIASES.items()}
    conf = NovaConf({}, tuple(enabled), given=True, aliases=aliases)
    scheduler = Scheduler(cloud, hosts, cloud_zones(cloud, hosts), wanted, conf)
    slow = Slow(files)
    rows = [row for row in files["servers.json"] if not row["Host"]]
    for server, row in zip(wanted, rows, strict=True):
        where = f"seed {seed}, server {server.name}"
        decision = scheduler.place(server)
        try:
            request, order, _ = slow.decide(row, enabled)
            if order:
                best, total = order[0]
                best.consume(request, best.candidates[0])
        except (ConstraintError, ValueError):  # a flavor that is refused, a filter that cannot compare
            assert decision.host is None, where
            continue
        except IndexError:  # a cell without pages; the reference has consumed the half of it
            assert decision.reasons[0].rule == "filters", where
            return
        assert (decision.host is not None) == bool(order), where
        if order:
            assert (hosts.names[decision.host], decision.score) == (best.name, pytest.approx(total, abs=1e-12)), where
            slow.charge(decision.allocations)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(10_000, 15_000, 500))
def test_every_decision_of_many_clouds_is_the_references(first):
    for seed in range(first, first + 500):
        check(seed, by_chain=False, other=seed % 2)
