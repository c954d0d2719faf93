"""Which file of a dump holds which kind of object, and how its objects are wrapped.

Tells files apart by their names (servers.json, inventories/UUID.json, ...), takes API envelopes ({"servers": [...]})
off, and hands out lists of plain objects. What a field means is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import Blob
from binwright.openstack.heat.templates import VERSION, is_environment, is_template

__all__ = ["PER_PROVIDER", "TABLES", "Layout", "sort_files"]

TABLES = (
    "servers",
    "flavors",
    "hypervisors",
    "services",
    "compute_nodes",
    "aggregates",
    "server_groups",
    "volumes",
    "volume_types",
    "volume_services",
    "pools",
    "ports",
    "networks",
    "qos_policies",
    "baremetal_nodes",
    "node_groups",
    "quotas",
    "providers",
    "requests",
)
PER_PROVIDER = ("inventories", "traits", "allocations", "provider_aggregates")

# Keys under which the services' own APIs wrap a list, and other names a table goes by.
ALIASES = {name: name for name in TABLES} | {
    "resource_providers": "providers",
    "policies": "qos_policies",
    "nodes": "baremetal_nodes",
    "nodegroups": "node_groups",
    "compute_quotas": "quotas",
    "network_quotas": "quotas",
    "volume_quotas": "quotas",
}
EXTENSIONS = {".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".gz", ".xz"}


@dataclass(slots=True)
class Layout:
    """The objects of a dump: per table the files with their rows, per provider kind uuid -> (file, documents).

    templates, environments: Heat's, under whatever name. `unknown` counts the objects of files that are none of these.
    """

    tables: dict[str, list[tuple[str, list[Any]]]] = field(default_factory=dict)
    per_provider: dict[str, dict[str, tuple[str, list[Any]]]] = field(default_factory=dict)
    templates: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    environments: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)


def sort_files(blobs: Iterable[Blob]) -> Layout:
    """Sort the files of one source by kind.

    Raises InputError for text that is broken, for two files of one provider, and when no file is one of a dump.
    """
    layout = Layout()
    for blob in blobs:
        path = PurePath(blob.name)
        stem = _stem(path.name)
        kind = path.parent.name
        loaded = documents.load(blob, last_key_wins=VERSION.encode() in blob.data)  # Magnum's templates repeat keys
        if len(loaded) == 1 and (is_template(loaded[0]) or is_environment(loaded[0])):
            (layout.templates if is_template(loaded[0]) else layout.environments).append((blob.name, loaded[0]))
            continue
        if kind in PER_PROVIDER:
            files = layout.per_provider.setdefault(kind, {})
            if stem in files:
                raise InputError(f"{blob.name}: provider {stem} has {files[stem][0]} already")
            files[stem] = (blob.name, loaded)
            continue
        table = ALIASES.get(stem.replace("-", "_"))
        if table is None and not _take_envelopes(layout, blob.name, loaded):
            layout.unknown[stem] = layout.unknown.get(stem, 0) + len(unwrap(loaded, ()))
        elif table is not None:
            rows = unwrap(loaded, [alias for alias, name in ALIASES.items() if name == table])
            layout.tables.setdefault(table, []).append((blob.name, rows))
    if not layout.tables and not layout.per_provider:
        raise InputError(
            f"{blob.name}: no file of an OpenStack dump (servers.json, flavors.json, hypervisors.json, ...)"
        )
    return layout


def unwrap(loaded: Sequence[Any], envelopes: Iterable[str]) -> list[Any]:
    """The objects in documents that are lists of them, single ones, or objects with a list under one of `envelopes`."""
    rows: list[Any] = []
    for document in loaded:
        if isinstance(document, dict):
            inner = next((document[key] for key in envelopes if isinstance(document.get(key), list)), None)
            rows += [document] if inner is None else inner
        elif isinstance(document, list):
            rows += document
        else:
            rows.append(document)
    return rows


def _take_envelopes(layout: Layout, name: str, loaded: list[Any]) -> bool:
    """Whether a file of another name is made of objects with tables in them, {"servers": [...], "flavors": [...]}."""
    if not loaded or not all(
        isinstance(document, dict)
        and document
        and all(key in ALIASES and isinstance(rows, list) for key, rows in document.items())
        for document in loaded
    ):
        return False
    for document in loaded:
        for key, rows in document.items():
            layout.tables.setdefault(ALIASES[key], []).append((name, rows))
    return True


def _stem(name: str) -> str:
    path = PurePath(name)
    while path.suffix.lower() in EXTENSIONS:
        path = path.with_suffix("")
    return path.name
