"""A cloud from what a Python program holds: dicts, JSON text, objects of openstacksdk, a live connection.

openstacksdk is not imported; its objects are told by their `to_dict()`. Knows the tables of the dump layout by name and
nothing of their fields: everything goes through the layout's own door.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from binwright.errors import InputError
from binwright.formats.files import Blob, decode_bytes, read_path
from binwright.openstack.cloud import Cloud
from binwright.openstack.dumps import read_dump
from binwright.openstack.dumps.layout import PER_PROVIDER, TABLES
from binwright.openstack.live import PARALLEL, Progress, collect

__all__ = ["read_cloud", "read_live"]


def read_cloud(path: str | os.PathLike[str] | None = None, /, *, name: str = "cloud", **tables: Any) -> Cloud:
    """One cloud: a dump at `path`, or what a program holds, each table by the name that its file has in a dump.

    tables: servers, flavors, hypervisors, services, aggregates, server_groups, volumes, providers, requests, ... : any
    iterable of mappings or objects of openstacksdk, one JSON text of them, or the API's answer ({"servers": [...]}).
    inventories, traits, allocations, provider_aggregates: a mapping of a provider's uuid to such. `Cloud.columns` tells
    which field was found under which name. Raises InputError for bad input, naming table, object and field.
    """
    blobs = [] if path is None else read_path(path)
    for table, things in tables.items():
        if things is None:
            continue
        if table in PER_PROVIDER:
            if not isinstance(things, Mapping):
                raise InputError(f"{table}: a mapping of provider uuids is needed, not a {type(things).__name__}")
            blobs += [_blob(f"{table}/{uuid}", value) for uuid, value in things.items()]
        elif table in TABLES:
            blobs.append(_blob(table, things))
        else:
            raise InputError(f"{table}: not one of {', '.join((*TABLES, *PER_PROVIDER))}")
    if not blobs:
        raise InputError("no tables: at least one of servers, flavors, hypervisors, providers, ... is needed")
    return read_dump(name, blobs)


def read_live(
    connection: Any, *, name: str = "cloud", parallel: int = PARALLEL, progress: Progress | None = None
) -> Cloud:
    """The cloud behind a connection of openstacksdk (`openstack.connect(...)`); nothing is changed there.

    parallel: calls at a time; progress: see `binwright.openstack.live.Progress`. What was left out is in the cloud's
    `notes`. Raises InputError where compute or Placement cannot be read.
    """
    collected = collect(connection, parallel=parallel, progress=progress)
    cloud = read_dump(name, [_blob(file, value) for file, value in collected.files.items()])
    cloud.notes += collected.notes
    return cloud


def _blob(name: str, things: Any) -> Blob:
    """A table as the file of a dump."""
    if isinstance(things, str | bytes | bytearray | memoryview):
        data = things.encode() if isinstance(things, str) else bytes(things)
        return Blob(f"{name}.json", decode_bytes(name, data))
    if isinstance(things, Mapping) or hasattr(things, "to_dict") or not isinstance(things, Iterable):
        value: Any = _plain(things, name)
    else:
        value = [_plain(thing, f"{name}: object {number}") for number, thing in enumerate(things, 1)]
    try:
        return Blob(f"{name}.json", msgspec.json.encode(value))
    except (TypeError, ValueError, NotImplementedError) as problem:
        raise InputError(f"{name}: {str(problem)[:200]}") from None


def _plain(thing: Any, where: str) -> Any:
    """An object as JSON's plain form; names (of traits, of aggregates) stay."""
    if isinstance(thing, Mapping) and not hasattr(thing, "to_dict"):
        return {key: _plain(value, where) if hasattr(value, "to_dict") else value for key, value in thing.items()}
    if isinstance(thing, str):
        return thing
    if callable(getattr(thing, "to_dict", None)):
        return _told(thing.to_dict())
    raise InputError(f"{where}: type {type(thing).__name__} is neither a mapping nor an object of openstacksdk")


def _told(value: Any) -> Any:
    """Without the fields that the library has not been told: it names all it knows, with None."""
    if isinstance(value, Mapping):
        return {key: _told(inner) for key, inner in value.items() if inner is not None}
    return [_told(inner) for inner in value] if isinstance(value, list | tuple) else value
