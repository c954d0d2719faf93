"""Devices by name: the aliases of nova.conf, and what a flavor's pci_passthrough:alias asks (openstack spec 3.1, 7).

An alias is several kinds of device, each good enough, with one NUMA policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from binwright.errors import InputError
from binwright.openstack.cloud import Flavor
from binwright.openstack.nova.cpu_policies import Refusal, truth
from binwright.units import shown

__all__ = ["ALIAS_SPEC", "Alias", "flavor_devices", "read_aliases"]

ALIAS_SPEC = "pci_passthrough:alias"
POLICY_SPEC = "hw:pci_numa_affinity_policy"
LEGACY = "legacy"


@dataclass(frozen=True, slots=True)
class Alias:
    """One alias; `specs` are the alternatives in the form that pools are compared with."""

    policy: str
    specs: tuple[Mapping[str, Any], ...]


def read_aliases(texts: Iterable[str], where: str) -> dict[str, Alias]:
    """The aliases of repeated options; those of one name are alternatives. Raises InputError for one that is none."""
    found: dict[str, Alias] = {}
    for text in texts:
        try:
            spec = json.loads(text)
            name, policy = spec.pop("name").strip(), spec.pop("numa_policy", None) or LEGACY
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError(f"{where}: {shown(text)} is no alias with a name, as JSON") from None
        if "device_type" in spec:
            spec["dev_type"] = spec.pop("device_type")
        if "live_migratable" in spec:
            spec["live_migratable"] = "true" if truth(spec["live_migratable"]) else "false"
        known = found.get(name, Alias(policy, ()))
        if known.policy != policy:
            raise InputError(f"{where}: alias {shown(name)}: two NUMA policies, {known.policy} and {policy}")
        found[name] = Alias(policy, (*known.specs, spec))
    return found


def flavor_devices(flavor: Flavor, aliases: Mapping[str, Alias]) -> list[dict[str, Any]]:
    """The PCI requests of a flavor, as the filters take them. Raises Refusal for an alias that there is not."""
    requests: list[dict[str, Any]] = []
    for part in filter(None, flavor.extra_specs.get(ALIAS_SPEC, "").split(",")):
        name, colon, count = part.strip().partition(":")
        if name not in aliases:
            raise Refusal("PciRequestAliasNotDefined", f"{flavor.where}: PCI alias {name} is not in nova.conf")
        if not colon or not count.strip().isdecimal():
            raise Refusal("PciInvalidAlias", f"{flavor.where}: {part!r} is not ALIAS:COUNT")
        alias = aliases[name]
        requests.append(
            {
                "request_id": f"{name}-{len(requests)}",
                "count": int(count),
                "spec": [dict(spec) for spec in alias.specs],
                "numa_policy": flavor.extra_specs.get(POLICY_SPEC) or alias.policy,
            }
        )
    return requests
