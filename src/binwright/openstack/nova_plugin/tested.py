"""Which of Nova's own filters and weighers are written as in the releases that were tested, told by their source.

What `rules` and `weigher` know of a class is what its code reads of a host and of a request. Code that says something
else, of another release or with somebody's patch, is not known: such a class is to be called as it is, host by host.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Container, Iterable
from types import ModuleType

import nova.version  # type: ignore[import-not-found]
from oslo_log import log as logging  # type: ignore[import-not-found]

__all__ = ["told_apart", "untested"]

LOG = logging.getLogger(__name__)

FILTERS, WEIGHTS = "nova.scheduler.filters", "nova.scheduler.weights"
USED = {
    FILTERS: (f"{FILTERS}.utils", f"{FILTERS}.extra_specs_ops", "nova.scheduler.utils:request_is_rebuild"),
    WEIGHTS: ("nova.scheduler.utils:get_weight_multiplier",),
    f"{FILTERS}.compute_filter": ("nova.servicegroup.api", "nova.servicegroup.drivers.db"),
}
"""What hosts are handed on to, by the module of a class or of one that it is made from: MODULE, or MODULE:FUNCTION."""

TESTED = {
    "nova.filters": "9de9fd2d51bc4bd5",
    "nova.scheduler.filters": "31f343a70d4b5d19",
    "nova.scheduler.filters.affinity_filter": "11f7010d1587ffe1",
    "nova.scheduler.filters.aggregate_image_properties_isolation": "b6eda9a1a08b0c7e 322bb9f5abf874de",
    "nova.scheduler.filters.aggregate_instance_extra_specs": "e580a988016ddc82",
    "nova.scheduler.filters.aggregate_multitenancy_isolation": "fb5879ed53da1569",
    "nova.scheduler.filters.all_hosts_filter": "4a395c433543f4dc",
    "nova.scheduler.filters.compute_capabilities_filter": "5b99b831c164cc0d",
    "nova.scheduler.filters.compute_filter": "3164b5f9ed91bd3b",
    "nova.scheduler.filters.extra_specs_ops": "c403cda40a2ca944",
    "nova.scheduler.filters.image_props_filter": "85688c55251fb500",
    "nova.scheduler.filters.io_ops_filter": "795af02ab2f3e435",
    "nova.scheduler.filters.isolated_hosts_filter": "23611b9a074b0ef1",
    "nova.scheduler.filters.json_filter": "edea1874f8c5f7d9",
    "nova.scheduler.filters.metrics_filter": "ef77f7546cdb8456",
    "nova.scheduler.filters.num_instances_filter": "8d24e450e26e58d9",
    "nova.scheduler.filters.numa_topology_filter": "7312da7ccb799243",
    "nova.scheduler.filters.pci_passthrough_filter": "b5ba5edf57c2332b",
    "nova.scheduler.filters.type_filter": "aaee752052333ac4",
    "nova.scheduler.filters.utils": "3c74ae92b2a2690b",
    "nova.scheduler.utils:get_weight_multiplier": "0dca2bcf20eb3a93",
    "nova.scheduler.utils:request_is_rebuild": "302560b888055ab9",
    "nova.scheduler.weights": "347dfe4afddb2eca",
    "nova.scheduler.weights.affinity": "d50585f8e818867d",
    "nova.scheduler.weights.compute": "5ededad0ba7399d7",
    "nova.scheduler.weights.cpu": "4f3d2f1006fc109e",
    "nova.scheduler.weights.cross_cell": "7fce160efb0e9e70",
    "nova.scheduler.weights.disk": "72d19d912adc77ad",
    "nova.scheduler.weights.hypervisor_version": "1f1287c5de8a5e38",
    "nova.scheduler.weights.image_props": "2ce717197ffe0ee3 3f53d269fd8f0c99",
    "nova.scheduler.weights.io_ops": "683d2e487f7d427f",
    "nova.scheduler.weights.metrics": "1d0858bd6cd94f39",
    "nova.scheduler.weights.num_instances": "5005676bc202acd1",
    "nova.scheduler.weights.pci": "0b15d05a6d2d18fb",
    "nova.scheduler.weights.ram": "5b5df1896e7be536",
    "nova.servicegroup.api": "6711d8d0a38361dc",
    "nova.servicegroup.drivers.db": "87cb3dbf296d641a",
    "nova.weights": "5b5d459d16148f4a",
}
"""Digests of the source in nova 34.0.0, then, where it differs, in 33.0.0, 32.0.0 and 31.0.0."""


def told_apart(what: str, classes: Iterable[type], stock: str, names: Container[str]) -> set[type]:
    """Those of the classes that are Nova's own, of module prefix `stock`, are among `names`, and are as tested.

    Logs which those are, which are not, and which would be if their code were as tested. what: the classes, in a word.
    """
    classes = list(classes)
    own = [one for one in classes if one.__module__.startswith(stock) and one.__name__ in names]
    changed = {one: parts for one in own if (parts := untested(one))}
    known = {one for one in own if one not in changed}
    LOG.info(
        "binwright: %s over all hosts at once: %s; called as they are: %s",
        what,
        ", ".join(one.__name__ for one in classes if one in known) or "none",
        ", ".join(one.__name__ for one in classes if one not in known) or "none",
    )
    if changed:
        LOG.warning(
            "binwright: %s that this nova %s has not as they were tested, so they are called as they are: %s",
            what,
            nova.version.version_string(),
            "; ".join(f"{one.__name__} ({', '.join(parts)})" for one, parts in changed.items()),
        )
    return known


def untested(kind: type) -> list[str]:
    """The parts of a class's code, and of what it is made from, that are not as they were tested: their names, in
    order; none where all are. A part whose source is not there counts as such.
    """
    parts: dict[str, None] = {}
    for one in inspect.getmro(kind):
        if one.__module__.split(".")[0] == "nova":
            parts |= dict.fromkeys((one.__module__, *USED.get(one.__module__, ())))
    return sorted(part for part in parts if _digest(part) not in TESTED.get(part, "").split())


def _digest(part: str) -> str:
    """Of the lines, without comments, indentation and empty ones."""
    name, _, function = part.partition(":")
    try:
        module: ModuleType = importlib.import_module(name)
        source = inspect.getsource(getattr(module, function) if function else module)
    except (ImportError, AttributeError, OSError, TypeError):
        return "none"
    lines = (line.strip() for line in source.splitlines())
    return hashlib.sha256("\n".join(line for line in lines if line and line[0] != "#").encode()).hexdigest()[:16]
