"""From a flavor, an image and a request to the query string that Nova sends to Placement.

Gathers request groups and writes them down; asks no Placement. Source: openstack spec 3.1, 13.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.reference.openstack.matching import option
from tests.reference.openstack.numa_constraints import (
    PINNED_POLICIES,
    ConstraintError,
    check_memory_encryption,
    dedicated_cpus,
    image_properties,
    is_true,
    masked_cpus,
    named_cpu_policy,
    named_thread_policy,
    realtime_cpus,
)
from tests.reference.openstack.prefilters import Wishes, apply_prefilters
from tests.reference.openstack.schedule import NoValidHost

EXTRA_SPEC = re.compile("(resources|trait)([A-Za-z0-9_-]{1,64})?:(.*)")
UNLIMITED_HINTS = ("group", "same_host", "different_host")


@dataclass
class Group:
    """One request group of the query to come."""

    resources: dict[str, int] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    member_of: list[list[str]] = field(default_factory=list)
    forbidden_aggregates: list[str] = field(default_factory=list)
    in_tree: str | None = None

    def parameters(self, suffix: str) -> list[tuple[str, str]]:
        """Query parameters; `resources` is there even when empty (spec 13)."""
        resources = ",".join(f"{rc}:{amount}" for rc, amount in sorted(self.resources.items()))
        found = [(f"resources{suffix}", resources)]
        if traits := trait_list(self.required, self.forbidden):
            found.append((f"required{suffix}", traits))
        found += [(f"member_of{suffix}", "in:" + ",".join(sorted(clause))) for clause in self.member_of]
        if self.forbidden_aggregates:
            found.append((f"member_of{suffix}", "!in:" + ",".join(sorted(self.forbidden_aggregates))))
        if self.in_tree is not None:
            found.append((f"in_tree{suffix}", self.in_tree))
        return found


def trait_list(required: set[str], forbidden: set[str]) -> str:
    return ",".join(sorted(required) + ["!" + trait for trait in sorted(forbidden)])


def query_strings(case: dict, names: dict) -> tuple[str, str]:
    """(query, fallback query) of a resource_request case. Raises NoValidHost or ConstraintError.

    `case`: spec, aggregates, hosts, config, prefilters, owner_trait as in the vectors README; `names`: the standard
    trait and class names.
    """
    wishes = Wishes.from_json(case["spec"])
    if case["prefilters"]:
        apply_prefilters(wishes, case)
    target = Target.find(case)
    return (
        query_string(case, wishes, target, names, translate=True),
        query_string(case, wishes, target, names, translate=False),
    )


def pinning_requested(flavor: dict, image: dict | None) -> bool:
    """Only the policy `dedicated` itself counts: not mixed, not explicit PCPU (spec 13)."""
    return named_cpu_policy(flavor["extra_specs"], image_properties(image)) == "dedicated"


@dataclass(frozen=True)
class Target:
    """A forced host or node, or a requested destination: its provider, unless it has several nodes (spec 3.1, 13)."""

    in_tree: str | None = None
    several: bool = False

    @classmethod
    def find(cls, case: dict) -> Target:
        spec = case["spec"]
        destination = spec.get("requested_destination") or {}
        hosts = spec.get("force_hosts") or [destination.get("host")]
        nodes = spec.get("force_nodes") or [destination.get("node")]
        host, node = hosts[0], nodes[0]
        if host is None and node is None:
            return cls()
        found = [h for h in case["hosts"] if host in (None, h["host"]) and node in (None, h["nodename"])]
        if not found:
            raise NoValidHost
        return cls(in_tree=found[0]["uuid"]) if len(found) == 1 else cls(several=True)


def query_string(case: dict, wishes: Wishes, target: Target, names: dict, translate: bool) -> str:
    """One query string; `translate`: CPU policies become PCPU and traits (spec 3.1)."""
    spec = case["spec"]
    flavor, properties = spec["flavor"], image_properties(spec.get("image"))
    groups: dict[str, Group] = {"": Group()}
    policy = read_extra_specs(groups, flavor["extra_specs"], names)
    flavor_groups = sum(1 for suffix in groups if suffix)
    for key, value in properties.items():
        if key.startswith("trait:") and value == "required":
            groups[""].required.add(key.removeprefix("trait:"))
    add_features(groups[""], flavor["extra_specs"], properties)
    if translate:
        translate_cpu_policy(groups[""], flavor, spec.get("image"))
    for wanted in (spec.get("requested_resources") or []) + device_groups(case, names):
        groups[wanted["id"]] = Group(dict(wanted["resources"]), set(wanted.get("required", ())))
    add_defaults(groups, flavor, bool(spec.get("is_bfv")))
    for suffix, group in list(groups.items()):
        group.resources = {rc: amount for rc, amount in group.resources.items() if amount}
        if not (group.resources or group.required or group.forbidden):
            del groups[suffix]
    if policy is None and flavor_groups <= 1 and sum(1 for suffix in groups if suffix) > 1:
        policy = "none"
    if wishes.member_of or wishes.forbidden_aggregates or target.in_tree is not None:
        unsuffixed = groups.setdefault("", Group())
        unsuffixed.member_of, unsuffixed.forbidden_aggregates = wishes.member_of, wishes.forbidden_aggregates
        unsuffixed.in_tree = target.in_tree
    parameters = [pair for suffix, group in groups.items() for pair in group.parameters(suffix)]
    parameters += [("same_subtree", ",".join(sorted(ids))) for ids in spec.get("same_subtree") or ()]
    if root := trait_list(wishes.root_required, wishes.root_forbidden):
        parameters.append(("root_required", root))
    if policy is not None:
        parameters.append(("group_policy", policy))
    hints = spec.get("scheduler_hints") or {}
    if not target.several and not any(hint in hints for hint in UNLIMITED_HINTS):
        parameters.append(("limit", str(option(case["config"], "scheduler.max_placement_results", 1000))))
    return urlencode(sorted(parameters))


def read_extra_specs(groups: dict[str, Group], specs: dict, names: dict) -> str | None:
    """resources and trait extra specs into the groups; returns group_policy. What is malformed is ignored (3.1)."""
    for key, value in specs.items():
        match = EXTRA_SPEC.fullmatch(key)
        if match is None:
            continue
        kind, suffix, name = match[1], match[2] or "", match[3]
        if kind == "resources":
            known = name in names["resource_classes"] or re.fullmatch("CUSTOM_[A-Z0-9_]+", name)
            if known and re.fullmatch("[0-9]+", value):
                groups.setdefault(suffix, Group()).resources[name] = int(value)
        elif value == "required":
            groups.setdefault(suffix, Group()).required.add(name)
        elif value == "forbidden":
            groups.setdefault(suffix, Group()).forbidden.add(name)
    policy = specs.get("group_policy")
    return policy if policy in ("none", "isolate") else None


def add_features(group: Group, specs: dict, properties: dict) -> None:
    """Features of flavor or image that become resources and required traits (spec 3.1, 13).

    Raises ConstraintError where flavor and image contradict each other.
    """

    def wish(flavor_key: str, image_key: str, conflict: str = "FlavorImageConflict") -> str | None:
        values = {source[key] for source, key in ((specs, flavor_key), (properties, image_key)) if source.get(key)}
        if len(values) > 1:
            raise ConstraintError(conflict, flavor_key)
        return next(iter(values), None)

    if check_memory_encryption(specs, properties):
        group.resources["MEM_ENCRYPTION_CONTEXT"] = 1
        model = wish("hw:mem_encryption_model", "hw_mem_encryption_model") or "amd-sev"
        group.required.add("HW_CPU_X86_" + model.upper().replace("-", "_"))
    for label in filter(None, specs.get("hw:pmem", "").split(",")):
        rc = normalised(f"CUSTOM_PMEM_NAMESPACE_{label}", ())
        group.resources[rc] = group.resources.get(rc, 0) + 1
    if version := wish("hw:tpm_version", "hw_tpm_version"):
        model = wish("hw:tpm_model", "hw_tpm_model") or "tpm-tis"
        if (model, version) == ("tpm-crb", "1.2"):
            raise ConstraintError("Invalid", "TPM model CRB is only valid with TPM version 2.0")
        group.required.add(f"COMPUTE_SECURITY_TPM_{version.replace('.', '_')}")
        group.required.add(f"COMPUTE_SECURITY_TPM_{model.removeprefix('tpm-').upper()}")
    if wish("os:secure_boot", "os_secure_boot") == "required":
        group.required.add("COMPUTE_SECURITY_UEFI_SECURE_BOOT")
    if mode := wish("hw:maxphysaddr_mode", "hw_maxphysaddr_mode"):
        group.required.add("COMPUTE_ADDRESS_SPACE_" + {"emulate": "EMULATED", "passthrough": "PASSTHROUGH"}[mode])
    if is_true(properties.get("hw_firmware_stateless")) and properties.get("hw_firmware_type") == "uefi":
        group.required.add("COMPUTE_SECURITY_STATELESS_FIRMWARE")
    conflict = "ImagePCINUMAPolicyForbidden"
    if wish("hw:pci_numa_affinity_policy", "hw_pci_numa_affinity_policy", conflict) == "socket":
        group.required.add("COMPUTE_SOCKET_PCI_NUMA_AFFINITY")


def translate_cpu_policy(group: Group, flavor: dict, image: dict | None) -> None:
    """dedicated and mixed into PCPU and VCPU, the emulator's CPU, the thread policy into a trait (spec 3.1)."""
    specs, properties = flavor["extra_specs"], image_properties(image)
    policy = named_cpu_policy(specs, properties)
    if policy in PINNED_POLICIES:
        pcpus = len(dedicated_cpus(flavor, policy, masked_cpus(flavor), realtime_cpus(flavor, properties)))
        if pcpus < flavor["vcpus"]:
            group.resources["VCPU"] = flavor["vcpus"] - pcpus
        group.resources["PCPU"] = pcpus + (1 if specs.get("hw:emulator_threads_policy") == "isolate" else 0)
    thread_policy = named_thread_policy(specs, properties)
    if thread_policy == "isolate":
        group.forbidden.add("HW_CPU_HYPERTHREADING")
    elif thread_policy == "require":
        group.required.add("HW_CPU_HYPERTHREADING")


def device_groups(case: dict, names: dict) -> list[dict]:
    """PCI in Placement: one group for each device of an alias (spec 3.1)."""
    if not option(case["config"], "filter_scheduler.pci_in_placement", False):
        return []
    found = []
    for request in case["spec"].get("pci_requests") or ():
        (spec,) = request["spec"]
        name = spec.get("resource_class") or f"PCI_{spec['vendor_id']}_{spec['product_id']}"
        rc = normalised(name, names["resource_classes"])
        traits = [normalised(trait, names["traits"]) for trait in spec.get("traits", "").split(",") if trait]
        for i in range(request["count"]):
            group = {"id": f"{request['request_id']}-{i}", "resources": {rc: 1}, "required": traits}
            found.append(group)
    return found


def normalised(name: str, standard: Container[str]) -> str:
    """Upper case, other characters as `_`, CUSTOM_ in front unless it is a standard name (spec 3.1)."""
    name = re.sub("[^A-Z0-9_]", "_", name.upper())
    return name if name in standard or name.startswith("CUSTOM_") else f"CUSTOM_{name}"


def add_defaults(groups: dict[str, Group], flavor: dict, boot_from_volume: bool) -> None:
    """What the flavor itself asks for, unless the class stands in some group already (spec 3.1)."""
    given = {rc for group in groups.values() for rc in group.resources}
    root = 0 if boot_from_volume else flavor["root_gb"]
    disk = root + flavor["ephemeral_gb"] + math.ceil(flavor["swap"] / 1024)
    defaults: dict[str, Any] = {"MEMORY_MB": flavor["memory_mb"], "DISK_GB": disk}
    if not given & {"VCPU", "PCPU"}:
        defaults["VCPU"] = flavor["vcpus"]
    for rc, amount in defaults.items():
        if rc not in given:
            groups[""].resources[rc] = amount
