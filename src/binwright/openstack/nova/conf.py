"""nova.conf as far as the scheduler's decisions depend on it: options, enabled filters, and what is left out.

Reads the file as oslo.config does (sections, continued lines, repeated options); knows no host and no server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.openstack.nova.cpu_policies import truth
from binwright.openstack.nova.filters import FILTERS
from binwright.openstack.nova.options import DEFAULTS, ENABLED_FILTERS, Config
from binwright.openstack.nova.pci_aliases import Alias, read_aliases
from binwright.openstack.nova.weighers import WEIGHERS
from binwright.units import shown

__all__ = ["PLAIN_CONF", "NovaConf", "read_conf"]

SECTION = re.compile(r"\[\s*([^\]]+?)\s*\]")
ENABLED = "filter_scheduler.enabled_filters"
# Filters whose data no dump has: without it they would judge by nothing.
BLIND_FILTERS = {
    "AggregateImagePropertiesIsolation": "the properties of images",
    "IsolatedHostsFilter": "the ids of images",
    "MetricsFilter": "the metrics of hosts",
    "SimpleCIDRAffinityFilter": "the addresses of hosts",
}
# Options that change decisions and are not carried out, with the values that change nothing.
LEFT_OUT = {
    "filter_scheduler.host_subset_size": ("1",),
    "filter_scheduler.image_properties_default_architecture": (),
    "filter_scheduler.image_props_weight_multiplier": ("0", "0.0"),
    "filter_scheduler.shuffle_best_same_weighed_hosts": ("false", "False"),
    "filter_scheduler.track_instance_changes": ("true", "True"),
    "filter_scheduler.weight_classes": ("nova.scheduler.weights.all_weighers",),
    "metrics.weight_setting": ("",),
    "scheduler.query_placement_for_image_type_support": ("false", "False"),
    "scheduler.query_placement_for_routed_network_aggregates": ("false", "False"),
}
FEATURES = (
    "scheduler.enable_isolated_aggregate_filtering",
    "scheduler.limit_tenants_to_placement_aggregate",
    "scheduler.max_attempts",
    "scheduler.max_placement_results",
    "scheduler.placement_aggregate_required_for_tenants",
    "compute.packing_host_numa_cells_allocation_strategy",
    "filter_scheduler.max_instances_per_host",
    "filter_scheduler.max_io_ops_per_host",
    "filter_scheduler.pci_in_placement",
)


@dataclass(frozen=True, slots=True)
class NovaConf:
    """A deployment's choices. given: whether a file told them, or they are Nova's defaults.

    left_out: (rule, example) of what the file says and is not carried out. aliases: kinds of PCI devices by name.
    """

    config: Config = field(default_factory=dict)
    enabled: tuple[str, ...] = ENABLED_FILTERS
    given: bool = False
    left_out: tuple[tuple[str, str], ...] = ()
    aliases: Mapping[str, Alias] = field(default_factory=dict)


PLAIN_CONF = NovaConf()


def read_conf(path: str | None) -> NovaConf:
    """The choices of a nova.conf; Nova's defaults without a path. Raises InputError, naming file and option."""
    if path is None:
        return PLAIN_CONF
    blobs = read_path(path)
    if len(blobs) != 1:
        raise InputError(f"{path}: a directory, not a nova.conf")
    options = _options(blobs[0].data.decode(errors="replace"), path)
    config: dict[str, Any] = {}
    left_out = [
        (f"nova.conf: {name}", f"{name.partition('.')[2]} = {values[-1]}")
        for name, values in options.items()
        if name in LEFT_OUT and values[-1] not in LEFT_OUT[name]
    ]
    for name in FEATURES:
        if name in options:
            config[name] = _typed(path, name, options[name][-1], type(DEFAULTS[name]))
    for weigher in WEIGHERS:
        name = f"filter_scheduler.{weigher.option}"
        if name in options and name not in LEFT_OUT:
            config[name] = _typed(path, name, options[name][-1], float)
    enabled = list(ENABLED_FILTERS)
    if ENABLED in options:
        enabled = [name.strip() for name in options[ENABLED][-1].split(",") if name.strip()]
    for name in [one for one in enabled if one not in FILTERS or one in BLIND_FILTERS]:
        enabled.remove(name)
        why = f"the input does not tell {BLIND_FILTERS[name]}" if name in BLIND_FILTERS else "it is not known"
        left_out.append((f"nova.conf: filter {name}", why))
    aliases = read_aliases(options.get("pci.alias", ()), f"{path}: [pci] alias")
    return NovaConf(config, tuple(enabled), True, tuple(left_out), aliases)


def _options(text: str, path: str) -> dict[str, list[str]]:
    """ "section.option" -> its values, in order; sections without regard to case, as in oslo.config's own files."""
    found: dict[str, list[str]] = {}
    section, last = "DEFAULT", ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            continue
        heading = SECTION.fullmatch(stripped)
        if heading is not None:
            section, last = heading[1], ""
        elif line[0].isspace() and last:
            found[last][-1] = f"{found[last][-1]}{stripped}"
        else:
            name, sign, value = stripped.partition("=")
            if not sign:
                name, sign, value = stripped.partition(":")
            if not sign or not name.strip():
                raise InputError(f"{path}: line {number}: {shown(stripped)} is neither a section nor an option")
            last = f"{section}.{name.strip()}"
            found.setdefault(last, []).append(_unquoted(value.strip()))
    return found


def _unquoted(value: str) -> str:
    """Without the quotation marks around all of it, which oslo.config takes off."""
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def _typed(path: str, name: str, text: str, kind: type) -> Any:
    """A value of an option's type."""
    section, _, option = name.partition(".")
    if kind is bool:
        return truth(text)
    read: Callable[[str], Any] = kind
    try:
        return read(text)
    except ValueError:
        what = "whole number" if kind is int else "number"
        raise InputError(f"{path}: [{section}] {option}: {shown(text)} is no {what}") from None
