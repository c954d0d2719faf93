"""Small cases of Nova's decisions from a seed, in the recordings' form; everything but what is expected."""

ZONES = ("az1", "az2")
THREADS = (None, None, "prefer", "isolate", "require")
POOL_KEYS = {"dev_type": ("type-PCI", "type-PF", "type-VF", "vdpa"), "physical_network": ("net0", "net1")}


def chance(rng, share):
    return rng.random() < share


def put(rng, specs, key, values, share=0.3):
    if chance(rng, share):
        specs[key] = rng.choice(values)


def flavor(rng):
    vcpus = rng.choice((1, 2, 3, 4, 6))
    specs = {}
    put(rng, specs, "hw:cpu_policy", ("dedicated", "dedicated", "mixed", "shared"), 0.5)
    put(rng, specs, "hw:cpu_thread_policy", ("prefer", "isolate", "require"), 0.2)
    put(rng, specs, "hw:cpu_dedicated_mask", ("0", "^0", "1-2", "0-9"), 0.4 if "mixed" in specs.values() else 0.03)
    put(rng, specs, "hw:cpu_realtime", ("yes", "no"), 0.08)
    put(rng, specs, "hw:cpu_realtime_mask", ("^0", "0-1"), 0.08)
    put(rng, specs, "hw:emulator_threads_policy", ("isolate", "share"), 0.12)
    put(rng, specs, "hw:numa_nodes", ("1", "2", "3"), 0.4)
    put(rng, specs, "hw:mem_page_size", ("small", "large", "any", "2048", "2MB", "1048576"), 0.25)
    put(rng, specs, "trait:HW_CPU_HYPERTHREADING", ("required", "forbidden"), 0.04)
    put(rng, specs, "resources:PCPU", (str(vcpus), "1"), 0.04)
    put(rng, specs, "resources:VCPU", (str(vcpus), "0"), 0.05)
    put(rng, specs, "resources1:VGPU", ("1", "2", "x"), 0.1)
    put(rng, specs, "resources2:CUSTOM_A", ("1", "0"), 0.1)
    put(rng, specs, "trait:CUSTOM_X", ("required", "forbidden", "maybe"), 0.1)
    put(rng, specs, "group_policy", ("none", "isolate", "odd"), 0.08)
    put(rng, specs, "hw:pmem", ("SMALL", "6GB,6GB"), 0.05)
    put(rng, specs, "hw:tpm_version", ("1.2", "2.0"), 0.05)
    put(rng, specs, "os:secure_boot", ("required", "disabled"), 0.05)
    put(rng, specs, "hw:mem_encryption", ("true", "false"), 0.05)
    put(rng, specs, "hw:maxphysaddr_mode", ("emulate", "passthrough"), 0.05)
    return {
        "name": rng.choice(("m1.small", "m1.large")),
        "vcpus": vcpus,
        "memory_mb": rng.choice((512, 1024, 2048, 3072)),
        "root_gb": rng.choice((0, 1, 20)),
        "ephemeral_gb": rng.choice((0, 5)),
        "swap": rng.choice((0, 1, 1024)),
        "extra_specs": specs,
    }


def image(rng):
    properties = {}
    put(rng, properties, "hw_cpu_policy", ("dedicated", "shared", "mixed"), 0.1)
    put(rng, properties, "hw_cpu_thread_policy", ("prefer", "isolate", "require"), 0.06)
    put(rng, properties, "hw_numa_nodes", ("1", "2"), 0.06)
    put(rng, properties, "hw_mem_page_size", ("small", "2048"), 0.04)
    put(rng, properties, "hw_firmware_type", ("uefi", "bios"), 0.2)
    put(rng, properties, "hw_architecture", ("x86_64", "amd64", "aarch64"), 0.3)
    put(rng, properties, "img_hv_type", ("kvm", "xapi", "qemu"), 0.2)
    put(rng, properties, "hw_vm_mode", ("hvm", "pv"), 0.2)
    put(rng, properties, "img_hv_requested_version", (">=6.0,<8", "==7.2.1", "!=7"), 0.2)
    put(rng, properties, "trait:CUSTOM_IMG", ("required",), 0.1)
    return {"properties": properties}


def cell(rng, number, cpus, threads):
    every = list(range(number * cpus, (number + 1) * cpus))
    shared = sorted(rng.sample(every, rng.choice((cpus, cpus, cpus // 2))))
    dedicated = every if chance(rng, 0.5) else [cpu for cpu in every if cpu not in shared] or every
    siblings = [every[first : first + threads] for first in range(0, cpus, threads)]
    memory = rng.choice((1024, 4096, 8192))
    sizes = rng.sample((4, 2048, 1048576), rng.choice((1, 2, 3)))
    pages = []
    for size in sorted(sizes):
        total = memory * 1024 // size
        pages.append({"size_kb": size, "total": total, "used": rng.randint(0, total) // 2, "reserved": 0})
    return {
        "id": number,
        "cpuset": shared,
        "pcpuset": dedicated,
        "memory": memory,
        "cpu_usage": rng.randint(0, cpus),
        "memory_usage": rng.choice((0, 512, 1024)),
        "pinned_cpus": sorted(rng.sample(dedicated, rng.randint(0, len(dedicated) // 2))),
        "siblings": siblings,
        "socket": rng.choice((0, 1, number)),
        "mempages": pages if chance(rng, 0.95) else [],
        "network_metadata": {"physnets": rng.choice(([], ["net0"])), "tunneled": chance(rng, 0.3)},
    }


def topology(rng):
    cpus = rng.choice((4, 8))
    threads = rng.choice((1, 2, 2, 4))
    return {"cells": [cell(rng, number, cpus, threads) for number in range(rng.randint(1, 4))]}


def pools(rng):
    found = []
    for _ in range(rng.randint(0, 4)):
        pool = {
            "vendor_id": rng.choice(("8086", "10de")),
            "product_id": "1eb8",
            "numa_node": rng.choice((None, 0, 1, 2)),
            "dev_type": rng.choice(POOL_KEYS["dev_type"]),
            "count": rng.randint(1, 3),
        }
        put(rng, pool, "physical_network", POOL_KEYS["physical_network"], 0.3)
        put(rng, pool, "remote_managed", ("true", "false"), 0.2)
        found.append(pool)
    return found


def pci_requests(rng):
    found = []
    for number in range(rng.choice((1, 1, 2))):
        specs = [{"vendor_id": rng.choice(("8086", "10DE"))} for _ in range(rng.choice((1, 1, 2)))]
        for spec in specs:
            put(rng, spec, "dev_type", POOL_KEYS["dev_type"], 0.4)
            put(rng, spec, "remote_managed", ("true", "false"), 0.1)
        policy = rng.choice((None, "legacy", "preferred", "required", "socket"))
        wanted = {"count": rng.randint(1, 3), "spec": specs, "alias": "a", "numa_policy": policy}
        found.append(wanted | {"request_id": f"dddddddd-0000-4000-8000-00000000000{number}"})
    return found


def numa_fit(rng):
    case = {"host": topology(rng), "flavor": flavor(rng), "config": {}}
    if chance(rng, 0.3):
        case["image"] = image(rng)
    if chance(rng, 0.5):
        network = {"physnets": rng.choice(([], ["net0"])), "tunneled": chance(rng, 0.3)}
        case["limits"] = {"cpu": rng.choice((1.0, 4.0)), "ram": rng.choice((1.0, 1.5)), "network_metadata": network}
    if chance(rng, 0.4):
        case["pci_pools"] = pools(rng)
        if chance(rng, 0.6):
            case["pci_requests"] = pci_requests(rng)
    put(rng, case["config"], "compute.packing_host_numa_cells_allocation_strategy", (True, False))
    return case


def pci(rng):
    host = rng.choice((None, topology(rng)))
    cells = rng.choice((None, [0], [0, 1])) if host else None
    return {
        "host": host,
        "pci_pools": pools(rng),
        "pci_requests": pci_requests(rng),
        "numa_cells": [one for one in cells if one < len(host["cells"])] if cells else None,
    }


def host(rng, number, aggregates):
    vcpus, memory, disk = rng.choice((8, 32)), rng.choice((8192, 65536)), rng.choice((50, 500))
    name = f"host{number}"
    return {
        "host": name,
        "nodename": f"{name}.example",
        "uuid": f"{number:08x}-0000-4000-8000-000000000000",
        "vcpus": vcpus,
        "vcpus_used": rng.randint(0, vcpus),
        "memory_mb": memory,
        "memory_mb_used": rng.randint(0, memory),
        "local_gb": disk,
        "local_gb_used": rng.randint(0, disk),
        "disk_available_least": rng.choice((None, 40, 500)),
        "cpu_allocation_ratio": rng.choice((1.0, 4.0, 16.0)),
        "ram_allocation_ratio": rng.choice((1.0, 1.5)),
        "disk_allocation_ratio": 1.0,
        "hypervisor_type": rng.choice(("QEMU", "VMware vCenter Server")),
        "hypervisor_version": rng.choice((6002000, 7002001, 9000000)),
        "host_ip": f"10.0.{rng.choice((0, 1))}.{number + 1}",
        "cpu_info": rng.choice(({}, {"arch": "x86_64", "maxphysaddr": {"bits": 46}})),
        "supported_instances": rng.choice(([["x86_64", "kvm", "hvm"]], [["aarch64", "xen", "xen"]])),
        "num_io_ops": rng.randint(0, 10),
        "num_instances": rng.randint(0, 55),
        "failed_builds": rng.choice((0, 0, 2)),
        "service": {"disabled": chance(rng, 0.1), "up": chance(rng, 0.9)},
        "instances": rng.sample(("i0", "i1", "i2", "i3"), rng.randint(0, 2)),
        "metrics": rng.choice(({}, {"cpu.frequency": 7.0}, {"cpu.frequency": 1.5, "cpu.user.percent": 0.07})),
        "aggregates": [row["name"] for row in aggregates if chance(rng, 0.5)],
        "numa_topology": rng.choice((None, topology(rng))),
        "pci_pools": pools(rng),
        "cell": rng.choice(("c1", "c1", "c2")),
    }


METADATA = {
    "ssd": ("true", "true,maybe"),
    "instance_type": ("m1.small", "m1.small,m1.large"),
    "filter_tenant_id": ("p", "q,r"),
    "max_io_ops_per_host": ("3", "many"),
    "max_instances_per_host": ("20",),
    "hw_architecture": ("x86_64", "aarch64,x86_64"),
    "cpu_weight_multiplier": ("2.5", "none"),
    "io_ops_weight_multiplier": ("-2.0",),
    "metrics_weight_multiplier": ("0", "3"),
    "availability_zone": ZONES,
    "trait:CUSTOM_X": ("required",),
}


def aggregates(rng):
    found = []
    for number in range(rng.randint(0, 3)):
        metadata = {key: rng.choice(values) for key, values in METADATA.items() if chance(rng, 0.25)}
        uuid = f"aaaaaaaa-0000-4000-8000-00000000000{number}"
        found.append({"name": f"agg{number}", "uuid": uuid, "metadata": metadata})
    return found


def spec(rng):
    wanted = {"flavor": flavor(rng) if chance(rng, 0.4) else flavor(rng) | {"extra_specs": {}}, "project_id": "p"}
    specs = wanted["flavor"]["extra_specs"]
    put(rng, specs, "ssd", ("true", "<or> true <or> no"), 0.15)
    put(rng, specs, "capabilities:hypervisor_type", ("QEMU", "s== QEMU", "<in> EM"), 0.1)
    put(rng, specs, "vcpus_used", ("<= 6", "== 3"), 0.1)
    wanted["instance_uuid"] = "new"
    put(rng, wanted, "image", (image(rng),), 0.5)
    policy = rng.choice(("affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"))
    group = {"policy": policy, "members": ["i0", "i1", "new"], "hosts": rng.choice(([], ["host0"]))}
    put(rng, wanted, "group", (group, group | {"rules": {"max_server_per_host": 2}}), 0.4)
    hints = {}
    put(rng, hints, "same_host", (["i0", "i3"], "i1"), 0.1)
    put(rng, hints, "different_host", (["i2"], "i1"), 0.1)
    put(rng, hints, "query", ('[">=", "$free_ram_mb", 1024]', '["not", ["in", "$host", "host0", "host1"]]'), 0.2)
    put(rng, hints, "build_near_host_ip", ("10.0.0.7",), 0.1)
    put(rng, wanted, "scheduler_hints", (hints,), 0.7)
    put(rng, wanted, "ignore_hosts", (["HOST1"],), 0.1)
    put(rng, wanted, "force_hosts", (["Host0", "host2"],), 0.06)
    destination = {"allow_cross_cell_move": True, "cell": "c1"}
    put(rng, wanted, "requested_destination", (destination, {"host": "host0"}), 0.15)
    put(rng, wanted, "pci_requests", (pci_requests(rng),), 0.15)
    put(rng, wanted, "network_metadata", ({"physnets": ["net0"], "tunneled": False},), 0.15)
    return wanted


def config(rng):
    options = {}
    put(rng, options, "filter_scheduler.cpu_weight_multiplier", (0.0, -1.5), 0.2)
    put(rng, options, "filter_scheduler.num_instances_weight_multiplier", (1.0, -1.0), 0.2)
    put(rng, options, "filter_scheduler.isolated_hosts", (["host0"],), 0.2)
    put(rng, options, "filter_scheduler.isolated_images", (["c6b0ed28-4a5c-4f5c-8f5c-000000000001"], ["x"]), 0.2)
    put(rng, options, "filter_scheduler.restrict_isolated_hosts_to_isolated_images", (False,), 0.3)
    put(rng, options, "filter_scheduler.image_properties_default_architecture", ("x86_64",), 0.2)
    put(rng, options, "metrics.weight_setting", (["cpu.frequency=1.0"], ["cpu.user.percent=2", "nobody=1"]), 0.2)
    put(rng, options, "metrics.required", (False,), 0.7)
    put(rng, options, "compute.packing_host_numa_cells_allocation_strategy", (True,), 0.2)
    return options


def filters(rng):
    groups = aggregates(rng)
    hosts = [host(rng, number, groups) for number in range(rng.randint(1, 5))]
    return {"aggregates": groups, "hosts": hosts, "spec": spec(rng), "config": config(rng)}


ENABLED = (
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
    "NUMATopologyFilter",
    "PciPassthroughFilter",
    "IoOpsFilter",
)


def weights(rng):
    return filters(rng) | {"enabled_filters": [name for name in ENABLED if chance(rng, 0.4)]}


def schedule(rng):
    case = weights(rng)
    case["config"].pop("metrics.weight_setting", None)
    return case | {"instance_uuids": ["new", "new2", "new3"][: rng.randint(1, 3)]}


def resource_request(rng):
    nodes = [("host0", "host0.x"), ("host1", "host1.x"), ("multi", "m1"), ("multi", "m2")]
    hosts = [
        {"host": name, "nodename": node, "uuid": f"{number:08x}-0000-4000-8000-000000000000"}
        for number, (name, node) in enumerate(nodes)
    ]
    wanted = {"flavor": flavor(rng), "project_id": "p", "is_bfv": chance(rng, 0.3)}
    put(rng, wanted, "image", (image(rng),), 0.4)
    put(rng, wanted, "availability_zone", (*ZONES, "nowhere"))
    put(rng, wanted, "force_hosts", (["host1"], ["multi"], ["nope"]), 0.15)
    put(rng, wanted, "requested_destination", ({"host": "host0"}, {"aggregates": ["u1,u0", "u2"]}), 0.2)
    put(rng, wanted, "root_required", (["CUSTOM_R"],), 0.1)
    put(rng, wanted, "scheduler_hints", ({"group": "g"}, {"x": "y"}), 0.2)
    ports = [
        {"id": f"port{n}", "resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 10}, "required": ["CUSTOM_P"]} for n in (1, 2)
    ]
    put(rng, wanted, "requested_resources", (ports, ports[:1]), 0.3)
    put(rng, wanted, "same_subtree", ([["port2", "port1"]],), 0.1)
    options = {}
    put(rng, options, "scheduler.limit_tenants_to_placement_aggregate", (True,))
    put(rng, options, "scheduler.placement_aggregate_required_for_tenants", (True,))
    put(rng, options, "scheduler.query_placement_for_image_type_support", (True,))
    put(rng, options, "scheduler.enable_isolated_aggregate_filtering", (True,))
    put(rng, options, "scheduler.max_placement_results", (7,))
    return {
        "spec": wanted,
        "aggregates": aggregates(rng),
        "hosts": hosts,
        "prefilters": chance(rng, 0.6),
        "owner_trait": chance(rng, 0.5),
        "config": options,
    }


CASES = {
    "filters": filters,
    "numa_fit": numa_fit,
    "pci": pci,
    "resource_request": resource_request,
    "schedule": schedule,
    "weights": weights,
}
