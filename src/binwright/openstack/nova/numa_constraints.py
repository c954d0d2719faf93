"""From flavor and image to the NUMA topology of a guest, in the order of Nova's checks (openstack spec 6.1, 13).

Looks at no host: onto which cells it goes is `numa_fit`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from binwright.openstack.cloud import Flavor
from binwright.openstack.nova.cpu_policies import (
    Properties,
    Refusal,
    cpu_numbers,
    cpu_policy,
    dedicated_cpus,
    dedicated_mask,
    implied_cpu_policy,
    implied_thread_policy,
    realtime_cpus,
    thread_policy,
    truth,
)
from binwright.openstack.nova.numa_cells import ANY, LARGE, PINNED, SMALL, GuestCell, GuestTopology

__all__ = ["guest_topology", "wants_memory_encryption"]

PAGE_WISHES = {"small": SMALL, "large": LARGE, "any": ANY}
PAGE_SIZE = re.compile("([0-9]+)([KMGT]?)i?(b|bit|B)")


def guest_topology(flavor: Flavor, properties: Properties) -> GuestTopology | None:
    """The cells of a guest of this flavor and image; None if it has no topology. Raises Refusal."""
    specs = flavor.extra_specs
    policy = cpu_policy(flavor, properties)
    threads = thread_policy(flavor, properties)
    realtime = realtime_cpus(flavor, properties)
    mask = dedicated_mask(flavor)
    policy = implied_cpu_policy(flavor, policy)
    threads = implied_thread_policy(flavor, properties, threads)
    emulator = specs.get("hw:emulator_threads_policy")
    if policy not in PINNED:
        if threads is not None:
            raise Refusal("CPUThreadPolicyConfigurationInvalid", f"{flavor.where}: {threads} without dedicated CPUs")
        if emulator == "isolate":
            raise Refusal("BadRequirementEmulatorThreadsPolicy", f"{flavor.where}: isolate without dedicated CPUs")
    dedicated = dedicated_cpus(flavor, policy, mask, realtime)
    if policy not in PINNED and realtime is not None:
        raise Refusal("RealtimeConfigurationInvalid", f"{flavor.where}: real time without dedicated CPUs")
    nodes = _nodes(flavor, properties)
    pages = _page_size(flavor, properties)
    wants_memory_encryption(flavor, properties)
    if not (nodes or pages or specs.get("hw:pmem") or policy in PINNED):
        return None
    cells = tuple(
        GuestCell(number, cpus - dedicated, cpus & dedicated, memory, pages, policy, threads)
        for number, (cpus, memory) in enumerate(_shares(flavor, properties, nodes or 1))
    )
    return GuestTopology(cells, emulator)


def wants_memory_encryption(flavor: Flavor, properties: Properties) -> bool:
    """Whether flavor or image ask for it; both must agree, and it needs UEFI and a q35 machine."""
    says = [truth(flavor.extra_specs[key]) for key in ("hw:mem_encryption",) if key in flavor.extra_specs]
    says += [truth(properties[key]) for key in ("hw_mem_encryption",) if key in properties]
    if not any(says):
        return False
    if not all(says) or properties.get("hw_firmware_type") != "uefi":
        raise Refusal("FlavorImageConflict", f"{flavor.where}: memory encryption needs an image that agrees, with UEFI")
    if "q35" not in str(properties.get("hw_machine_type", "q35")):
        raise Refusal("InvalidMachineType", f"{flavor.where}: memory encryption needs the machine type q35")
    return True


def _page_size(flavor: Flavor, properties: Properties) -> int | None:
    """KiB or a wish; the image has a say only where the flavor says large or any."""
    size = _read_page_size(flavor.extra_specs.get("hw:mem_page_size"), flavor.where)
    wish = properties.get("hw_mem_page_size")
    if not wish:
        return size
    if size not in (LARGE, ANY):
        raise Refusal("MemoryPageSizeForbidden", f"{flavor.where}: a page size in the image")
    return _read_page_size(str(wish), flavor.where)


def _read_page_size(text: str | None, where: str) -> int | None:
    if not text:
        return None
    if text in PAGE_WISHES:
        return PAGE_WISHES[text]
    size = 0
    if re.fullmatch("[0-9]+", text):
        size = int(text)
    elif match := PAGE_SIZE.fullmatch(text):
        in_bytes = int(match[1]) * 1024 ** " KMGT".index(match[2] or " ")
        size = (in_bytes if match[3] == "B" else in_bytes // 8) // 1024
    if size == 0:
        raise Refusal("MemoryPageSizeInvalid", f"{where}: page size {text!r}")
    return size


def _nodes(flavor: Flavor, properties: Properties) -> int | None:
    """The number of cells; flavor or image may say it, not both."""
    if "hw:numa_nodes" in flavor.extra_specs and "hw_numa_nodes" in properties:
        raise Refusal("ImageNUMATopologyForbidden", f"{flavor.where}: NUMA nodes in flavor and image")
    text = flavor.extra_specs.get("hw:numa_nodes", properties.get("hw_numa_nodes"))
    if text is None:
        return None
    if re.fullmatch("[0-9]+", str(text)) is None or int(str(text)) == 0:
        raise Refusal("InvalidNUMANodesNumber", f"{flavor.where}: {text!r} NUMA nodes")
    return int(str(text))


def _shares(flavor: Flavor, properties: Properties, nodes: int) -> list[tuple[frozenset[int], int]]:
    """CPUs and memory of each cell: by the maps of flavor or image, else evenly."""
    cpu_map, memory_map = (_map(flavor, properties, what) for what in ("cpus", "mem"))
    if not cpu_map and not memory_map:
        if flavor.vcpus % nodes or flavor.memory_mb % nodes:
            raise Refusal("ImageNUMATopologyAsymmetric", f"{flavor.where}: does not divide by {nodes} NUMA nodes")
        share = flavor.vcpus // nodes
        return [
            (frozenset(range(number * share, (number + 1) * share)), flavor.memory_mb // nodes)
            for number in range(nodes)
        ]
    if len(cpu_map) != nodes or len(memory_map) != nodes:
        raise Refusal("ImageNUMATopologyIncomplete", f"{flavor.where}: CPUs and memory of all NUMA nodes are needed")
    cpus = [cpu_numbers(text, flavor.vcpus) for text in cpu_map]
    seen: set[int] = set()
    for one in cpus:
        if max(one, default=0) >= flavor.vcpus:
            raise Refusal("ImageNUMATopologyCPUOutOfRange", f"{flavor.where}: CPU {max(one)} of a NUMA node")
        if seen & one:
            raise Refusal("ImageNUMATopologyCPUDuplicates", f"{flavor.where}: CPUs {sorted(seen & one)} twice")
        seen |= one
    if len(seen) != flavor.vcpus:
        raise Refusal("ImageNUMATopologyCPUsUnassigned", f"{flavor.where}: CPUs on no NUMA node")
    memory = [int(text) for text in memory_map]
    if sum(memory) != flavor.memory_mb:
        raise Refusal("ImageNUMATopologyMemoryOutOfRange", f"{flavor.where}: memory of all NUMA nodes")
    return list(zip(cpus, memory))


def _map(flavor: Flavor, properties: Properties, what: str) -> list[str]:
    """hw:numa_WHAT.0, .1, ... up to the first that is missing; of flavor or image, not of both."""

    def entries(source: Mapping[str, object], prefix: str) -> list[str]:
        found: list[str] = []
        while (key := f"{prefix}.{len(found)}") in source:
            found.append(str(source[key]))
        return found

    mine, image = entries(flavor.extra_specs, f"hw:numa_{what}"), entries(properties, f"hw_numa_{what}")
    if mine and image:
        raise Refusal("ImageNUMATopologyForbidden", f"{flavor.where}: NUMA {what} in flavor and image")
    return mine or image
