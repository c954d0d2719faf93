"""Features of flavor and image that Nova asks of Placement as resources and traits (openstack spec 3.1, 13).

Encryption, persistent memory, TPM, secure boot, address spaces, PCI affinity, and the translation of CPU policies.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from binwright.openstack.cloud import Flavor
from binwright.openstack.flavors import ResourceGroup
from binwright.openstack.nova.cpu_policies import (
    Properties,
    Refusal,
    cpu_policy,
    dedicated_cpus,
    dedicated_mask,
    realtime_cpus,
    thread_policy,
    truth,
)
from binwright.openstack.nova.numa_cells import PINNED
from binwright.openstack.nova.numa_constraints import wants_memory_encryption

__all__ = ["HYPERTHREADING", "add_features", "normalised", "translate_cpus"]

HYPERTHREADING = "HW_CPU_HYPERTHREADING"
ADDRESS_SPACES = {"emulate": "EMULATED", "passthrough": "PASSTHROUGH"}
DEFAULT_ENCRYPTION, DEFAULT_TPM = "amd-sev", "tpm-tis"


def normalised(name: str, standard: Collection[str] = ()) -> str:
    """A name as Placement has it: capitals, digits and "_", CUSTOM_ in front unless it is a standard one."""
    name = re.sub("[^A-Z0-9_]", "_", name.upper())
    return name if name in standard or name.startswith("CUSTOM_") else f"CUSTOM_{name}"


def _agreed(
    flavor: Flavor, properties: Properties, key: str, image_key: str, kind: str = "FlavorImageConflict"
) -> str | None:
    """What flavor or image say; if both do, the same."""
    mine, image = flavor.extra_specs.get(key), properties.get(image_key)
    if mine and image and mine != image:
        raise Refusal(kind, f"{flavor.where}: {key} {mine}, but the image says {image}")
    return str(mine or image) if mine or image else None


def add_features(group: ResourceGroup, flavor: Flavor, properties: Properties) -> None:
    """Put what the features need into the unsuffixed group. Raises Refusal where flavor and image contradict."""

    def agreed(name: str, space: str = "hw") -> str | None:
        return _agreed(flavor, properties, f"{space}:{name}", f"{space}_{name}")

    if wants_memory_encryption(flavor, properties):
        group.resources["MEM_ENCRYPTION_CONTEXT"] = 1
        model = agreed("mem_encryption_model") or DEFAULT_ENCRYPTION
        group.required.add(f"HW_CPU_X86_{model.upper().replace('-', '_')}")
    for label in filter(None, flavor.extra_specs.get("hw:pmem", "").split(",")):
        name = normalised(f"CUSTOM_PMEM_NAMESPACE_{label}")
        group.resources[name] = group.resources.get(name, 0) + 1
    if version := agreed("tpm_version"):
        model = agreed("tpm_model") or DEFAULT_TPM
        if (model, version) == ("tpm-crb", "1.2"):
            raise Refusal("Invalid", f"{flavor.where}: the TPM model CRB needs version 2.0")
        group.required.add(f"COMPUTE_SECURITY_TPM_{version.replace('.', '_')}")
        group.required.add(f"COMPUTE_SECURITY_TPM_{model.removeprefix('tpm-').upper()}")
    if agreed("secure_boot", "os") == "required":
        group.required.add("COMPUTE_SECURITY_UEFI_SECURE_BOOT")
    if mode := agreed("maxphysaddr_mode"):
        if mode not in ADDRESS_SPACES:
            raise Refusal("Invalid", f"{flavor.where}: address space mode {mode!r} does not exist")
        group.required.add(f"COMPUTE_ADDRESS_SPACE_{ADDRESS_SPACES[mode]}")
    if truth(properties.get("hw_firmware_stateless")) and properties.get("hw_firmware_type") == "uefi":
        group.required.add("COMPUTE_SECURITY_STATELESS_FIRMWARE")
    affinity = ("hw:pci_numa_affinity_policy", "hw_pci_numa_affinity_policy", "ImagePCINUMAPolicyForbidden")
    if _agreed(flavor, properties, *affinity) == "socket":
        group.required.add("COMPUTE_SOCKET_PCI_NUMA_AFFINITY")


def translate_cpus(group: ResourceGroup, flavor: Flavor, properties: Properties) -> None:
    """Dedicated CPUs are PCPU, one more for an emulator of its own; the thread policy is a trait."""
    policy = cpu_policy(flavor, properties)
    if policy in PINNED:
        realtime, mask = realtime_cpus(flavor, properties), dedicated_mask(flavor)
        dedicated = len(dedicated_cpus(flavor, policy, mask, realtime))
        if dedicated < flavor.vcpus:
            group.resources["VCPU"] = flavor.vcpus - dedicated
        isolated = flavor.extra_specs.get("hw:emulator_threads_policy") == "isolate"
        group.resources["PCPU"] = dedicated + isolated
    threads = thread_policy(flavor, properties)
    if threads == "isolate":
        group.forbidden.add(HYPERTHREADING)
    elif threads == "require":
        group.required.add(HYPERTHREADING)
