"""What flavor and image say about CPUs: policy, thread policy, real-time and dedicated masks (openstack spec 6.1, 13).

Each function is one of Nova's checks; `Refusal` carries the name of the exception that Nova raises. Looks at no host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from binwright.errors import InputError
from binwright.openstack.cloud import Flavor
from binwright.openstack.nova.numa_cells import PINNED

__all__ = [
    "Properties",
    "Refusal",
    "cpu_numbers",
    "cpu_policy",
    "dedicated_cpus",
    "dedicated_mask",
    "implied_cpu_policy",
    "implied_thread_policy",
    "realtime_cpus",
    "thread_policy",
    "truth",
]

Properties = Mapping[str, object]

CPU_POLICIES = ("shared", *PINNED)
THREAD_POLICIES = ("prefer", "isolate", "require")
HYPERTHREADING = "trait:HW_CPU_HYPERTHREADING"
TRUE = ("1", "t", "true", "on", "y", "yes")


class Refusal(InputError):
    """A flavor and an image that Nova refuses; `kind` is the name of its exception."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


def truth(value: object) -> bool:
    """Nova's reading of a boolean text."""
    return str(value).strip().lower() in TRUE


def cpu_policy(flavor: Flavor, properties: Properties) -> str | None:
    """hw:cpu_policy; where the flavor does not say, the image's."""
    mine, image = flavor.extra_specs.get("hw:cpu_policy"), properties.get("hw_cpu_policy")
    for policy in (mine, image):
        if policy is not None and policy not in CPU_POLICIES:
            raise Refusal("InvalidCPUAllocationPolicy", f"{flavor.where}: CPU policy {policy!r} does not exist")
    if (mine == "mixed" and image == "dedicated") or (mine == "shared" and image in PINNED):
        raise Refusal("ImageCPUPinningForbidden", f"{flavor.where}: {mine}, but the image says {image}")
    return mine or _text(image)


def thread_policy(flavor: Flavor, properties: Properties) -> str | None:
    """hw:cpu_thread_policy; where the flavor does not say, the image's."""
    mine, image = flavor.extra_specs.get("hw:cpu_thread_policy"), properties.get("hw_cpu_thread_policy")
    for policy in (mine, image):
        if policy is not None and policy not in THREAD_POLICIES:
            raise Refusal("InvalidCPUThreadAllocationPolicy", f"{flavor.where}: {policy!r} does not exist")
    if mine in ("isolate", "require") and image not in (None, mine):
        raise Refusal("ImageCPUThreadPolicyForbidden", f"{flavor.where}: {mine}, but the image says {image}")
    return mine or _text(image)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def cpu_numbers(text: str, vcpus: int) -> frozenset[int]:
    """ "0-2,5,^1"; a text that begins with "^" takes away from all of the guest's CPUs."""
    taken: set[int] = set(range(vcpus)) if text.strip().startswith("^") else set()
    away: set[int] = set()
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = re.fullmatch(r"(\^?)\s*(\d+)(?:\s*-\s*(\d+))?", part)
        if match is None:
            raise Refusal("Invalid", f"{part!r} is no list of CPUs")
        first, last = int(match[2]), int(match[3] or match[2])
        (away if match[1] else taken).update(range(first, last + 1))
    return frozenset(taken - away)


def realtime_cpus(flavor: Flavor, properties: Properties) -> frozenset[int] | None:
    """The real-time CPUs, None if there are none. Some other CPU must be left, or an emulator policy be set."""
    specs = flavor.extra_specs
    if not truth(specs.get("hw:cpu_realtime")):
        return None
    mask = _text(properties.get("hw_cpu_realtime_mask")) or specs.get("hw:cpu_realtime_mask")
    every = frozenset(range(flavor.vcpus))
    chosen = cpu_numbers(mask, flavor.vcpus) if mask else every
    if not chosen or not chosen <= every or (chosen == every and "hw:emulator_threads_policy" not in specs):
        raise Refusal("RealtimeMaskNotFoundOrInvalid", f"{flavor.where}: real-time mask {mask!r}")
    return chosen


def dedicated_mask(flavor: Flavor) -> frozenset[int] | None:
    """hw:cpu_dedicated_mask, which leaves at least one CPU of each kind; None if there is none."""
    mask = flavor.extra_specs.get("hw:cpu_dedicated_mask")
    if not mask:
        return None
    chosen = cpu_numbers(mask, flavor.vcpus)
    if not chosen or not chosen < frozenset(range(flavor.vcpus)):
        raise Refusal("InvalidMixedInstanceDedicatedMask", f"{flavor.where}: dedicated mask {mask!r}")
    return chosen


def dedicated_cpus(
    flavor: Flavor, policy: str | None, mask: frozenset[int] | None, realtime: frozenset[int] | None
) -> frozenset[int]:
    """The guest's dedicated CPUs: all, none, or for `mixed` those of exactly one mask."""
    if policy == "mixed":
        if mask is not None and realtime is None:
            return mask
        if realtime is not None and mask is None:
            return realtime
        raise Refusal("RequiredMixedOrRealtimeCPUMask", f"{flavor.where}: mixed needs exactly one mask")
    if mask is not None:
        raise Refusal("RequiredMixedInstancePolicy", f"{flavor.where}: a dedicated mask needs the policy mixed")
    return frozenset(range(flavor.vcpus)) if policy == "dedicated" else frozenset()


def implied_cpu_policy(flavor: Flavor, policy: str | None) -> str | None:
    """The policy that resources:VCPU or resources:PCPU stand for; beside another form of saying it they are refused."""
    vcpus, pcpus = (_count(flavor.extra_specs.get(f"resources:{name}")) for name in ("VCPU", "PCPU"))
    if (policy and (vcpus or pcpus)) or (vcpus and pcpus):
        raise Refusal("InvalidRequest", f"{flavor.where}: CPUs are asked for in two ways")
    if pcpus:
        isolated = flavor.extra_specs.get("hw:emulator_threads_policy") == "isolate"
        if pcpus != flavor.vcpus + isolated:
            raise Refusal("InvalidRequest", f"{flavor.where}: resources:PCPU is not its number of CPUs")
        return "dedicated"
    return "shared" if vcpus else policy


def _count(text: str | None) -> int:
    """A number, 0 where the text is none."""
    return int(text) if text is not None and re.fullmatch("[-+]?[0-9]+", text) else 0


def implied_thread_policy(flavor: Flavor, properties: Properties, policy: str | None) -> str | None:
    """The policy that the hyper-threading trait stands for; an image can only require it."""
    trait = flavor.extra_specs.get(HYPERTHREADING)
    if trait is None and properties.get(HYPERTHREADING) == "required":
        trait = "required"
    if trait is None:
        return policy
    if policy is not None:
        raise Refusal("InvalidRequest", f"{flavor.where}: a thread policy beside the hyper-threading trait")
    return {"required": "require", "forbidden": "isolate"}.get(trait)
