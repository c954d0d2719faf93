"""Kubernetes objects that a Python program holds, as plain dicts or text: of `kubernetes`, `kr8s`, `lightkube`, of
nobody (dicts, bytes, paths). None of these libraries is imported; they are told by how their objects look.

Knows shapes of classes, never a field of Kubernetes but `kind` and `apiVersion`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from binwright.errors import InputError
from binwright.formats.files import Blob, decode_bytes, read_path

__all__ = ["parts"]

_VERSIONED = re.compile(r"(?:[A-Z][a-z]+)?V\d+(?:(?:alpha|beta)\d+)?(?=[A-Z])")
"""What a class name of the `kubernetes` package has before the kind: V1, V1beta2, CoreV1."""


def parts(objects: Any, where: str) -> Iterator[Blob | dict[str, Any]]:
    """Each of `objects` (one, or any iterable of them) as JSON's plain form, or as text.

    Taken are mappings, `bytes` and `str` of JSON or YAML, `os.PathLike` of files and directories, and objects with
    `.raw` (kr8s), `attribute_map` (kubernetes, kubernetes_asyncio) or `.to_dict()` (lightkube, dynamic clients), lists
    of them included. Raises InputError naming `where`, the object's position and its type for anything else.
    """
    for number, thing in enumerate(_each(objects)):
        if isinstance(thing, os.PathLike):
            yield from read_path(thing)
        elif isinstance(thing, str | bytes | bytearray | memoryview):
            data = thing.encode() if isinstance(thing, str) else bytes(thing)
            yield Blob(where, decode_bytes(where, data))
        else:
            yield _plain(thing, f"{where}: object {number + 1}")


def _each(objects: Any) -> Iterable[Any]:
    single = isinstance(objects, str | bytes | bytearray | memoryview | os.PathLike | Mapping) or _is_object(objects)
    if single:
        return (objects,)
    if not isinstance(objects, Iterable):
        return (objects,)  # refused by its type
    return objects


def _is_object(thing: Any) -> bool:
    return any(hasattr(thing, one) for one in ("raw", "attribute_map", "to_dict"))


def _plain(thing: Any, where: str) -> dict[str, Any]:
    """One object in JSON's plain form, with kind and apiVersion where its class says them."""
    try:
        found = msgspec.to_builtins(_mapping(thing), enc_hook=_mapping, str_keys=True)
    except (TypeError, NotImplementedError) as problem:
        raise InputError(f"{where}: {str(problem)[:200]}") from None
    kind, version = _names(thing)
    if kind and not found.get("kind"):
        found = {**found, "kind": kind, **({"apiVersion": version} if version and not found.get("apiVersion") else {})}
    return found  # type: ignore[no-any-return]


def _mapping(thing: Any) -> Mapping[str, Any]:
    """An object of a library as a mapping; what is in it may be such objects again."""
    if isinstance(thing, Mapping):
        return thing if isinstance(thing, dict) else dict(thing)
    names = getattr(thing, "attribute_map", None)
    if isinstance(names, Mapping):
        values = ((key, getattr(thing, attribute)) for attribute, key in names.items())
        return {key: _in_utc(value) for key, value in values if value is not None}
    raw = getattr(thing, "raw", None)
    if isinstance(raw, Mapping):
        return dict(raw)
    if callable(getattr(thing, "to_dict", None)):
        found = thing.to_dict()
        if isinstance(found, Mapping):
            return dict(found)
    raise TypeError(
        f"type {type(thing).__name__} is no Kubernetes object (a dict, JSON or YAML, a path, or an object of "
        "kubernetes, kr8s or lightkube)"
    )


def _in_utc(value: Any) -> Any:
    """A time as the API server writes it; anything else as it is."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else value


def _names(thing: Any) -> tuple[str, str]:
    """(kind, apiVersion) that the class of an object says, "" where it says none."""
    resource = getattr(getattr(thing, "_api_info", None), "resource", None)  # lightkube
    if resource is not None:
        return getattr(resource, "kind", ""), getattr(resource, "api_version", "")
    if isinstance(getattr(thing, "attribute_map", None), Mapping):  # kubernetes: class V1Pod, whatever `kind` holds
        return _VERSIONED.sub("", type(thing).__name__, count=1), ""
    return "", ""
