"""Small random clouds as dumps: nested and sharing providers, zones, traits, server groups, flavors of every kind.

Everything is scarce, and half of the clouds are plain, so that all ways of answering have something to do.
"""

from tests.openstack.clouds import inventory

ZONES = ("az-a", "az-b")
TRAITS = ("CUSTOM_FAST", "CUSTOM_GOLD", "HW_CPU_X86_AVX2")
POLICIES = ("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity")
PROPERTIES = (
    {},
    {},
    {"ram_weight_multiplier": "-2"},
    {"io_ops_weight_multiplier": "0.5"},
    {"filter_tenant_id": "p,q", "max_instances_per_host": "2"},
    {"filter_tenant_id": "q", "ssd": "true"},
    {"instance_type": "f0,f1", "ssd": "true,fast", "max_io_ops_per_host": "1"},
)
SHARING = "MISC_SHARES_VIA_AGGREGATE"
POOLED = "cccccccc-0000-4000-8000-000000000000"


def uuid(kind, number):
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def dump(rng, flat=False):
    """File name -> object, as `tests.openstack.clouds` has them; a flat cloud has one provider a host."""
    nested, pooled = (rng.random() < share and not flat for share in (0.5, 0.3))
    hosts = [f"compute-{number}" for number in range(rng.choice((1, 2, 3, 5)))]
    files = {"providers.json": [], "hypervisors.json": [], "flavors.json": flavors(rng, nested), "servers.json": []}
    for number, name in enumerate(hosts):
        root = uuid(1, number)
        files["hypervisors.json"].append(
            {
                "ID": root,
                "Hypervisor Hostname": name,
                "Hypervisor Type": "QEMU",
                "Hypervisor Version": rng.choice((2000000, 2000000, 3001000)),
                "State": rng.choice(("up", "up", "up", "up", "down")),
            }
        )
        stock = [
            inventory("VCPU", rng.choice((2, 4, 8)), allocation_ratio=rng.choice((1.0, 1.5, 2.0))),
            inventory("MEMORY_MB", 8192, reserved=rng.choice((0, 512))),
        ]
        if not pooled or rng.random() < 0.5:
            stock.append(inventory("DISK_GB", rng.choice((20, 100)), step_size=rng.choice((1, 1, 5))))
        traits = rng.sample(TRAITS, rng.randint(0, 3)) + rng.choice(([], [], [], [], ["COMPUTE_STATUS_DISABLED"]))
        aggregates = rng.sample([uuid(10, zone) for zone in range(len(ZONES))], rng.choice((0, 1, 1)))
        add_provider(files, root, name, None, stock, traits, aggregates + [POOLED] * pooled)
        for child in range(rng.choice((0, 1, 2, 3)) if nested else 0):
            gpu = [inventory("VGPU", rng.choice((1, 2, 4)), reserved=rng.choice((0, 0, 1)))]
            own = rng.sample(TRAITS, rng.randint(0, 2))
            add_provider(files, uuid(100 + number, child), f"{name}-gpu{child}", root, gpu, own, [])
    if pooled:
        stock = [inventory("DISK_GB", rng.choice((40, 200)))]
        add_provider(files, uuid(7, 0), "pool", None, stock, [SHARING], [POOLED])
    files["aggregates.json"] = [
        {
            "ID": number,
            "UUID": uuid(10, number),
            "Name": zone,
            "Availability Zone": zone,
            "Properties": rng.choice(PROPERTIES),
            "Hosts": [
                row["Hypervisor Hostname"]
                for row in files["hypervisors.json"]
                if {"uuid": uuid(10, number)} in files[f"provider_aggregates/{row['ID']}.json"]
            ],
        }
        for number, zone in enumerate(ZONES)
    ]
    add_servers(rng, files, hosts)
    return files


def add_provider(files, own, name, parent, stock, traits, aggregates):
    files["providers.json"].append({"uuid": own, "name": name, "parent_provider_uuid": parent})
    files[f"inventories/{own}.json"] = stock
    files[f"allocations/{own}.json"] = {"allocations": {}}
    files[f"traits/{own}.json"] = [{"name": trait} for trait in traits]
    files[f"provider_aggregates/{own}.json"] = [{"uuid": aggregate} for aggregate in aggregates]


def flavors(rng, nested):
    """Plain ones, ones with traits, and in nested clouds ones that want devices in groups."""
    rows = []
    for number in range(5):
        specs = {}
        if rng.random() < 0.4:
            specs[f"trait:{rng.choice(TRAITS)}"] = rng.choice(("required", "required", "forbidden"))
        if rng.random() < 0.15:
            specs["hw:cpu_policy"] = "dedicated"
        if rng.random() < 0.1:
            specs[rng.choice(("num_instances", "capabilities:hypervisor_type"))] = rng.choice(("< 2", "QEMU", "<= 1"))
        if rng.random() < 0.15:
            specs["aggregate_instance_extra_specs:ssd"] = rng.choice(("true", "<or> fast <or> slow", "s== fast"))
        if nested and rng.random() < 0.7:
            devices(rng, specs)
        rows.append(
            {
                "ID": str(number),
                "Name": f"f{number}",
                "VCPUs": rng.choice((1, 1, 2, 4)),
                "RAM": rng.choice((512, 1024, 4096)),
                "Disk": rng.choice((0, 5, 10, 12)),
                "Swap": rng.choice((0, 0, 1024)),
                "Properties": specs,
            }
        )
    return rows


def devices(rng, specs):
    if rng.random() < 0.3:
        specs["resources:VGPU"] = str(rng.choice((1, 2)))
        return
    for group in range(1, rng.choice((2, 3, 4))):
        specs[f"resources{group}:VGPU"] = str(rng.choice((1, 1, 2)))
        if rng.random() < 0.4:
            specs[f"trait{group}:{rng.choice(TRAITS)}"] = rng.choice(("required", "forbidden"))
    specs["group_policy"] = rng.choice(("none", "isolate"))


def add_servers(rng, files, hosts):
    """Running servers, each with what it has of its host's root, then pending ones, some in groups."""
    members = {policy: [] for policy in POLICIES}
    for number in range(rng.randint(0, 3)):
        own, place = uuid(20, number), rng.randrange(len(hosts))
        files["servers.json"].append(row(f"s{number}", own, hosts[place], "ACTIVE", "f0", ""))
        amounts = {"VCPU": 1, "MEMORY_MB": 512}
        files[f"allocations/{uuid(1, place)}.json"]["allocations"][own] = {"resources": amounts}
        if rng.random() < 0.6:
            members[rng.choice(POLICIES)].append(own)
    for number in range(rng.randint(1, 8)):
        own, zone = uuid(30, number), rng.choice(("", "", "az-a", "az-b", "az-z"))
        files["servers.json"].append(row(f"p{number}", own, None, "BUILD", f"f{rng.randrange(5)}", zone))
        if rng.random() < 0.5:
            members[rng.choice(POLICIES)].append(own)
    files["server_groups.json"] = [
        {"ID": policy, "Name": policy, "Policy": policy, "Members": own, "Rules": rules(rng, policy)}
        for policy, own in members.items()
    ]


def rules(rng, policy):
    return {"max_server_per_host": "2"} if policy == "anti-affinity" and rng.random() < 0.3 else {}


def row(name, own, host, status, flavor, zone):
    return {
        "ID": own,
        "Name": name,
        "Status": status,
        "Task State": None,
        "Flavor": flavor,
        "Availability Zone": zone,
        "Host": host,
        "Project ID": "p",
    }
