"""From flavor and image to the guest's NUMA topology, or to the error that refuses them.

Looks at no host. Source: openstack spec 6.1, 13.
"""

from __future__ import annotations

import re

from tests.reference.openstack.numa import ANY, LARGE, PINNED_POLICIES, SMALL, GuestCell, GuestTopology

THREAD_TRAIT = "trait:HW_CPU_HYPERTHREADING"


class ConstraintError(Exception):
    """A flavor and image that Nova refuses; `kind` is the name of Nova's exception class."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


def numa_constraints(flavor: dict, image: dict | None) -> GuestTopology | None:
    """The guest topology, None if there is none; the checks stand in Nova's order (spec 6.1, 13)."""
    specs, properties = flavor["extra_specs"], image_properties(image)
    policy = effective_cpu_policy(flavor, image)
    thread_policy = effective_thread_policy(specs, properties)
    realtime = realtime_cpus(flavor, properties)
    emulator = specs.get("hw:emulator_threads_policy")
    if policy not in PINNED_POLICIES:
        if is_true(specs.get("hw:cpu_realtime")):
            raise ConstraintError("RealtimeConfigurationInvalid")
        if thread_policy is not None:
            raise ConstraintError("CPUThreadPolicyConfigurationInvalid")
        if emulator == "isolate":
            raise ConstraintError("BadRequirementEmulatorThreadsPolicy")
    check_memory_encryption(specs, properties)
    dedicated = dedicated_cpus(flavor, policy, realtime)
    pagesize = page_size(specs, properties)
    nodes = node_count(specs, properties)
    if not (nodes or pagesize or specs.get("hw:pmem") or policy in PINNED_POLICIES):
        return None
    cells = []
    for number, (cpus, memory) in enumerate(node_shares(flavor, properties, nodes or 1)):
        cells.append(GuestCell(number, cpus - dedicated, cpus & dedicated, memory, pagesize, policy, thread_policy))
    return GuestTopology(tuple(cells), emulator)


def image_properties(image: dict | None) -> dict:
    return (image or {}).get("properties") or {}


def is_true(value: str | None) -> bool:
    return str(value).strip().lower() in ("1", "t", "true", "on", "y", "yes")


def explicit_cpus(specs: dict, rc: str) -> int:
    """resources:VCPU or resources:PCPU, which counts only as a positive integer (spec 13)."""
    value = specs.get(f"resources:{rc}", "0")
    return int(value) if re.fullmatch("[0-9]+", str(value)) else 0


def effective_cpu_policy(flavor: dict, image: dict | None) -> str | None:
    """hw:cpu_policy against the image's, then explicit VCPU or PCPU (spec 6.1)."""
    specs, wish = flavor["extra_specs"], image_properties(image).get("hw_cpu_policy")
    policy = specs.get("hw:cpu_policy")
    for value in (policy, wish):
        if value not in (None, "shared", "dedicated", "mixed"):
            raise ConstraintError("InvalidCPUAllocationPolicy", value)
    if (policy == "mixed" and wish == "dedicated") or (policy == "shared" and wish in PINNED_POLICIES):
        raise ConstraintError("ImageCPUPinningForbidden")
    policy = policy or wish
    vcpus, pcpus = explicit_cpus(specs, "VCPU"), explicit_cpus(specs, "PCPU")
    if (vcpus and pcpus) or (policy and (vcpus or pcpus)):
        raise ConstraintError("InvalidRequest", "resources:VCPU or resources:PCPU with another form")
    if pcpus:
        extra = 1 if specs.get("hw:emulator_threads_policy") == "isolate" else 0
        if pcpus != flavor["vcpus"] + extra:
            raise ConstraintError("InvalidRequest", "resources:PCPU differs from the flavor's CPUs")
        return "dedicated"
    return "shared" if vcpus else policy


def effective_thread_policy(specs: dict, properties: dict) -> str | None:
    """hw:cpu_thread_policy against the image's, or the hyper-threading trait that stands for it (spec 6.1, 13)."""
    policy, wish = specs.get("hw:cpu_thread_policy"), properties.get("hw_cpu_thread_policy")
    for value in (policy, wish):
        if value not in (None, "prefer", "isolate", "require"):
            raise ConstraintError("InvalidCPUThreadAllocationPolicy", value)
    if policy in ("isolate", "require") and wish not in (None, policy):
        raise ConstraintError("ImageCPUThreadPolicyForbidden")
    policy = policy or wish
    trait = specs.get(THREAD_TRAIT) or properties.get(THREAD_TRAIT)
    if trait not in ("required", "forbidden"):
        return policy
    if policy is not None:
        raise ConstraintError("InvalidRequest", "a thread policy and the hyper-threading trait")
    return "require" if trait == "required" else "isolate"


def parse_cpus(text: str, vcpus: int) -> set[int]:
    """`0-2,5`, with `^3` and `^4-6` taken away; a text that only takes away starts from all CPUs (spec 6.1)."""
    included, excluded = set(), set()
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        first, _, last = part.lstrip("^").partition("-")
        (excluded if part.startswith("^") else included).update(range(int(first), int(last or first) + 1))
    if parts and all(part.startswith("^") for part in parts):
        included = set(range(vcpus))
    return included - excluded


def realtime_cpus(flavor: dict, properties: dict) -> set[int] | None:
    """The real-time CPUs: cpu_realtime needs a mask that leaves some CPU of either kind (spec 6.1, 13)."""
    if not is_true(flavor["extra_specs"].get("hw:cpu_realtime")):
        return None
    mask = flavor["extra_specs"].get("hw:cpu_realtime_mask") or properties.get("hw_cpu_realtime_mask")
    if not mask:
        raise ConstraintError("RealtimeMaskNotFoundOrInvalid", "no mask")
    every = set(range(flavor["vcpus"]))
    realtime = parse_cpus(mask, flavor["vcpus"])
    if not realtime or not realtime < every:
        raise ConstraintError("RealtimeMaskNotFoundOrInvalid", mask)
    return realtime


def check_memory_encryption(specs: dict, properties: dict) -> None:
    """hw:mem_encryption works with UEFI images only (spec 13)."""
    wanted = is_true(specs.get("hw:mem_encryption")) or is_true(properties.get("hw_mem_encryption"))
    if wanted and properties.get("hw_firmware_type") != "uefi":
        raise ConstraintError("FlavorImageConflict")


def dedicated_cpus(flavor: dict, policy: str | None, realtime: set[int] | None) -> set[int]:
    """Which guest CPUs are dedicated: all, none, or those of the mask (spec 6.1)."""
    every = set(range(flavor["vcpus"]))
    mask = flavor["extra_specs"].get("hw:cpu_dedicated_mask")
    if policy != "mixed":
        if mask:
            raise ConstraintError("RequiredMixedInstancePolicy")
        return every if policy == "dedicated" else set()
    if bool(mask) == bool(realtime):
        raise ConstraintError("RequiredMixedOrRealtimeCPUMask")
    dedicated = parse_cpus(mask, flavor["vcpus"]) if mask else realtime
    if not dedicated or not dedicated < every:
        raise ConstraintError("InvalidMixedInstanceDedicatedMask")
    return dedicated


def page_size(specs: dict, properties: dict) -> int | None:
    """KiB, or a wish; an image value counts only when the flavor says large or any (spec 6.1)."""
    size, wish = specs.get("hw:mem_page_size"), properties.get("hw_mem_page_size")
    if wish and size not in ("large", "any"):
        raise ConstraintError("MemoryPageSizeForbidden")
    return parse_page_size(wish or size)


def parse_page_size(text: str | None) -> int | None:
    if not text:
        return None
    if text in ("small", "large", "any"):
        return {"small": SMALL, "large": LARGE, "any": ANY}[text]
    match = re.fullmatch(r"([0-9]+)\s*([KMGT]?)(i?)([bB]?)", text)
    if match is None or (match[4] == "b" and not match[2]):
        raise ConstraintError("MemoryPageSizeInvalid", text)
    if not match[2]:
        return int(match[1])
    bits = 8 if match[4] == "b" else 1
    return int(match[1]) * 1024 ** " KMGT".index(match[2]) // bits // 1024


def node_count(specs: dict, properties: dict) -> int | None:
    """Flavor or image may say it, not both (spec 13)."""
    if "hw:numa_nodes" in specs and "hw_numa_nodes" in properties:
        raise ConstraintError("ImageNUMATopologyForbidden")
    text = specs.get("hw:numa_nodes", properties.get("hw_numa_nodes"))
    if text is None:
        return None
    if not re.fullmatch("[0-9]+", str(text)) or int(text) < 1:
        raise ConstraintError("InvalidNUMANodesNumber", str(text))
    return int(text)


def node_shares(flavor: dict, properties: dict, nodes: int) -> list[tuple[set[int], int]]:
    """CPUs and memory of every node: evenly, or by the maps numa_cpus.i and numa_mem.i (spec 6.1)."""
    vcpus, memory = flavor["vcpus"], flavor["memory_mb"]
    cpu_map = per_node(flavor["extra_specs"], properties, "cpus", nodes)
    memory_map = per_node(flavor["extra_specs"], properties, "mem", nodes)
    if not cpu_map and not memory_map:
        if vcpus % nodes or memory % nodes:
            raise ConstraintError("ImageNUMATopologyAsymmetric")
        share = vcpus // nodes
        return [(set(range(i * share, (i + 1) * share)), memory // nodes) for i in range(nodes)]
    if len(cpu_map) != nodes or len(memory_map) != nodes:
        raise ConstraintError("ImageNUMATopologyIncomplete")
    cpus = [parse_cpus(text, vcpus) for text in cpu_map]
    memories = [int(text) for text in memory_map]
    seen: set[int] = set()
    for one in cpus:
        if not one <= set(range(vcpus)):
            raise ConstraintError("ImageNUMATopologyCPUOutOfRange")
        if one & seen:
            raise ConstraintError("ImageNUMATopologyCPUDuplicates")
        seen |= one
    if len(seen) != vcpus:
        raise ConstraintError("ImageNUMATopologyCPUsUnassigned")
    if sum(memories) != memory:
        raise ConstraintError("ImageNUMATopologyMemoryOutOfRange")
    return list(zip(cpus, memories))


def per_node(specs: dict, properties: dict, what: str, nodes: int) -> list[str]:
    """hw:numa_<what>.0, .1, ... up to the first one that is missing; flavor or image, not both."""
    values = []
    for node in range(nodes):
        flavor_key, image_key = f"hw:numa_{what}.{node}", f"hw_numa_{what}.{node}"
        if flavor_key in specs and image_key in properties:
            raise ConstraintError("ImageNUMATopologyForbidden")
        value = specs.get(flavor_key, properties.get(image_key))
        if value is None:
            break
        values.append(str(value))
    return values
