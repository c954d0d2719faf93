"""From flavor and image to the guest's NUMA topology, or to the error that refuses them.

Looks at no host. Source: openstack spec 6.1, 13.
"""

from __future__ import annotations

import re
from itertools import count, takewhile

from tests.reference.openstack.numa import ANY, LARGE, PINNED_POLICIES, SMALL, GuestCell, GuestTopology

THREAD_TRAIT = "trait:HW_CPU_HYPERTHREADING"


class ConstraintError(Exception):
    """A flavor and image that Nova refuses; `kind` is the name of Nova's exception class."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


def numa_constraints(flavor: dict, image: dict | None) -> GuestTopology | None:
    """The guest topology, None if there is none; the checks stand in Nova's order.

    Spec 6.1 and 13; where two errors meet, the order is that of nova 34.0.0 itself, which differs from 13 in places.
    """
    specs, properties = flavor["extra_specs"], image_properties(image)
    policy = named_cpu_policy(specs, properties)
    thread_policy = named_thread_policy(specs, properties)
    realtime = realtime_cpus(flavor, properties)
    mask = masked_cpus(flavor)
    policy = explicit_cpu_policy(flavor, policy)
    thread_policy = trait_thread_policy(specs, properties, thread_policy)
    emulator = specs.get("hw:emulator_threads_policy")
    if policy not in PINNED_POLICIES:
        if thread_policy is not None:
            raise ConstraintError("CPUThreadPolicyConfigurationInvalid")
        if emulator == "isolate":
            raise ConstraintError("BadRequirementEmulatorThreadsPolicy")
    dedicated = dedicated_cpus(flavor, policy, mask, realtime)
    if policy not in PINNED_POLICIES and realtime is not None:
        raise ConstraintError("RealtimeConfigurationInvalid")
    nodes = node_count(specs, properties)
    pagesize = page_size(specs, properties)
    check_memory_encryption(specs, properties)
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


def named_cpu_policy(specs: dict, properties: dict) -> str | None:
    """hw:cpu_policy against the image's (spec 6.1)."""
    policy, wish = specs.get("hw:cpu_policy"), properties.get("hw_cpu_policy")
    for value in (policy, wish):
        if value not in (None, "shared", "dedicated", "mixed"):
            raise ConstraintError("InvalidCPUAllocationPolicy", value)
    if (policy == "mixed" and wish == "dedicated") or (policy == "shared" and wish in PINNED_POLICIES):
        raise ConstraintError("ImageCPUPinningForbidden")
    return policy or wish


def named_thread_policy(specs: dict, properties: dict) -> str | None:
    """hw:cpu_thread_policy against the image's (spec 6.1, corrected in 13)."""
    policy, wish = specs.get("hw:cpu_thread_policy"), properties.get("hw_cpu_thread_policy")
    for value in (policy, wish):
        if value not in (None, "prefer", "isolate", "require"):
            raise ConstraintError("InvalidCPUThreadAllocationPolicy", value)
    if policy in ("isolate", "require") and wish not in (None, policy):
        raise ConstraintError("ImageCPUThreadPolicyForbidden")
    return policy or wish


def explicit_cpus(specs: dict, rc: str) -> int:
    """resources:VCPU or resources:PCPU as a number; what is none counts as 0 (spec 13)."""
    value = str(specs.get(f"resources:{rc}", "0"))
    return int(value) if re.fullmatch("[-+]?[0-9]+", value) else 0


def explicit_cpu_policy(flavor: dict, policy: str | None) -> str | None:
    """Explicit VCPU or PCPU imply a policy, and go with no other form of saying it (spec 6.1)."""
    specs = flavor["extra_specs"]
    vcpus, pcpus = explicit_cpus(specs, "VCPU"), explicit_cpus(specs, "PCPU")
    if (vcpus and pcpus) or (policy and (vcpus or pcpus)):
        raise ConstraintError("InvalidRequest", "resources:VCPU or resources:PCPU with another form")
    if pcpus:
        extra = 1 if specs.get("hw:emulator_threads_policy") == "isolate" else 0
        if pcpus != flavor["vcpus"] + extra:
            raise ConstraintError("InvalidRequest", "resources:PCPU differs from the flavor's CPUs")
        return "dedicated"
    return "shared" if vcpus else policy


def trait_thread_policy(specs: dict, properties: dict, policy: str | None) -> str | None:
    """The hyper-threading trait stands for a thread policy (spec 6.1, 13); of an image only `required` counts."""
    trait = specs.get(THREAD_TRAIT)
    if properties.get(THREAD_TRAIT) == "required":
        trait = trait or "required"
    if policy is not None and trait is not None:
        raise ConstraintError("InvalidRequest", "a thread policy and the hyper-threading trait")
    return {"required": "require", "forbidden": "isolate"}.get(trait, policy)


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
    """The real-time CPUs: a mask that leaves some CPU of either kind (spec 6.1, 13).

    With an emulator threads policy the mask may be missing, or leave no other CPU; the image's mask wins (nova itself).
    """
    specs = flavor["extra_specs"]
    if not is_true(specs.get("hw:cpu_realtime")):
        return None
    mask = properties.get("hw_cpu_realtime_mask") or specs.get("hw:cpu_realtime_mask")
    emulator = specs.get("hw:emulator_threads_policy")
    every = set(range(flavor["vcpus"]))
    realtime = parse_cpus(mask, flavor["vcpus"]) if mask else every
    enough = realtime and realtime <= every and (emulator or realtime < every)
    if not (mask or emulator) or not enough:
        raise ConstraintError("RealtimeMaskNotFoundOrInvalid", str(mask))
    return realtime


def masked_cpus(flavor: dict) -> set[int] | None:
    """hw:cpu_dedicated_mask must leave at least one CPU of each kind, whatever the policy (spec 6.1)."""
    mask = flavor["extra_specs"].get("hw:cpu_dedicated_mask")
    if not mask:
        return None
    dedicated = parse_cpus(mask, flavor["vcpus"])
    if not dedicated or not dedicated < set(range(flavor["vcpus"])):
        raise ConstraintError("InvalidMixedInstanceDedicatedMask", mask)
    return dedicated


def check_memory_encryption(specs: dict, properties: dict) -> bool:
    """Is hw:mem_encryption wanted? It works with UEFI (spec 13) and q35 only, and needs one opinion (nova itself)."""
    opinions = {is_true(specs["hw:mem_encryption"])} if "hw:mem_encryption" in specs else set()
    if "hw_mem_encryption" in properties:
        opinions.add(is_true(properties["hw_mem_encryption"]))
    if True not in opinions:
        return False
    if False in opinions or properties.get("hw_firmware_type") != "uefi":
        raise ConstraintError("FlavorImageConflict")
    if "q35" not in properties.get("hw_machine_type", "q35"):
        raise ConstraintError("InvalidMachineType")
    return True


def dedicated_cpus(flavor: dict, policy: str | None, mask: set[int] | None, realtime: set[int] | None) -> set[int]:
    """Which guest CPUs are dedicated: all, none, or with mixed those of exactly one of the two masks (spec 6.1)."""
    if policy != "mixed":
        if mask is not None:
            raise ConstraintError("RequiredMixedInstancePolicy")
        return set(range(flavor["vcpus"])) if policy == "dedicated" else set()
    if (mask is None) == (realtime is None):
        raise ConstraintError("RequiredMixedOrRealtimeCPUMask")
    return mask if mask is not None else realtime


def page_size(specs: dict, properties: dict) -> int | None:
    """KiB, or a wish; an image value counts only when the flavor says large or any (spec 6.1)."""
    size, wish = parse_page_size(specs.get("hw:mem_page_size")), properties.get("hw_mem_page_size")
    if wish and size not in (LARGE, ANY):
        raise ConstraintError("MemoryPageSizeForbidden")
    return parse_page_size(wish) if wish else size


def parse_page_size(text: str | None) -> int | None:
    if not text:
        return None
    if text in ("small", "large", "any"):
        return {"small": SMALL, "large": LARGE, "any": ANY}[text]
    if re.fullmatch("[0-9]+", text):
        kib = int(text)
    elif match := re.fullmatch("([0-9]+)([KMGT]?)i?(b|bit|B)", text):
        kib = int(match[1]) * 1024 ** " KMGT".index(match[2] or " ") // (1 if match[3] == "B" else 8) // 1024
    else:
        kib = 0
    if kib <= 0:
        raise ConstraintError("MemoryPageSizeInvalid", text)
    return kib


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
    cpu_map = per_node(flavor["extra_specs"], properties, "cpus")
    memory_map = per_node(flavor["extra_specs"], properties, "mem")
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


def per_node(specs: dict, properties: dict, what: str) -> list[str]:
    """hw:numa_<what>.0, .1, ... up to the first one that is missing; flavor or image, not both (spec 13)."""
    maps = []
    for source, prefix in ((specs, f"hw:numa_{what}"), (properties, f"hw_numa_{what}")):
        keys = takewhile(lambda key: key in source, (f"{prefix}.{i}" for i in count()))  # noqa: B023
        maps.append([str(source[key]) for key in keys])
    if all(maps):
        raise ConstraintError("ImageNUMATopologyForbidden")
    return maps[0] or maps[1]
