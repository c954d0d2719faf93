"""Arguments and answers of a fleet's methods as JSON has them, and back: the values of a decision log.

A value that JSON lacks is an object of one key that starts with "$". Knows the types of the API; nothing of files, or
of which calls there are.
"""

import base64
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from binwright._core.hostset import HostSet
from binwright.cells import Cell, CellDemand
from binwright.errors import InputError
from binwright.float_scores import FloatScore
from binwright.groups import Group, GroupRules
from binwright.profile import Profile, Rule, Score
from binwright.request import Request
from binwright.terms import HardTerm, Ref, SoftTerm

SHORT = 16  # entries of an array that is written out as a list
MOST_ENTRIES = 2**26  # of an array that is read: an untrusted log must not exhaust memory
CLASSES = {
    kind.__name__: kind
    for kind in (Cell, CellDemand, FloatScore, Group, GroupRules, HardTerm, Profile, Ref, Rule, Score, SoftTerm)
}
WIRE = ("|i1", "<i2", "<i4", "<i8")  # integers are written in the narrowest that holds them
DTYPES = ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool", "float64", "float32")


@dataclass(frozen=True)
class Kind:
    """Stands for what a caller gave as a request's `kind`, of which only equality matters."""

    number: int


@dataclass(frozen=True)
class Token:
    """Stands for the n-th token that `checkpoint` of one fleet gave."""

    number: int


def settled(value: Any) -> Any:
    """The value itself; or, where iterators stand in it at any depth, a copy that holds lists in their place: what an
    iterator gives only once, the log and the call both need.
    """
    if isinstance(value, Iterator):
        return [settled(one) for one in value]
    if isinstance(value, Mapping):
        held: dict[Any, Any] = {key: settled(one) for key, one in value.items()}
        return held if any(held[key] is not value[key] for key in held) else value
    if type(value) in (list, tuple):
        each = [settled(one) for one in value]
        return type(value)(each) if any(one is not other for one, other in zip(each, value, strict=True)) else value
    if type(value) in CLASSES.values():
        held = {part.name: settled(getattr(value, part.name)) for part in fields(value) if part.init}
        return type(value)(**held) if any(one is not getattr(value, name) for name, one in held.items()) else value
    return value


def encode(value: Any) -> Any:
    """A value as JSON. Raises InputError for one that a log cannot hold."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
        case np.generic():
            return encode(value.item())
        case np.ndarray():
            return _array(value)
        case Request():
            return {"$request": value.index}
        case Kind():
            return {"$kind": value.number}
        case Token():
            return {"$token": value.number}
        case HostSet():
            return {"$hosts": [value.hosts, _array(np.fromiter(value, np.int64))]}
        case tuple():
            return {"$tuple": [encode(one) for one in value]}
        case set() | frozenset():
            return {"$set": sorted((encode(one) for one in value), key=repr)}
        case Mapping():
            return _mapping(value)
    name = type(value).__name__
    if is_dataclass(value) and CLASSES.get(name) is type(value):
        return {f"${name}": {part.name: encode(getattr(value, part.name)) for part in fields(value) if part.init}}
    if hasattr(value, "__array__"):
        return _array(np.asarray(value))
    if isinstance(value, Iterable):
        return [encode(one) for one in value]
    raise InputError(f"decision log: cannot hold a {name}: {value!r}")


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {key: encode(one) for key, one in value.items()}
    return {"$dict": [[encode(key), encode(one)] for key, one in value.items()]}


def _array(array: npt.NDArray[Any]) -> Any:
    if array.ndim != 1 or array.dtype.name not in DTYPES:
        return encode(array.tolist())
    name = array.dtype.name
    if array.dtype.kind in "iub" and len(array) <= SHORT:
        return {"$array": [name, array.tolist()]}
    wire = array
    if array.dtype.kind == "b":
        wire = np.packbits(array)
    elif array.dtype.kind == "i":
        low, high = int(array.min()), int(array.max())
        wire = array.astype(next(one for one in WIRE if np.iinfo(one).min <= low and high <= np.iinfo(one).max))
    packed = base64.b64encode(zlib.compress(wire.tobytes(), 6)).decode()
    return {"$array": [name, wire.dtype.str, len(array), packed]}


def decode(value: Any, requests: Sequence[Request], tokens: Sequence[Any]) -> Any:
    """The value of a piece of JSON. requests: the fleet's, by number; tokens: what its checkpoints gave. Raises
    InputError for what `encode` never writes.
    """
    if isinstance(value, list):
        return [decode(one, requests, tokens) for one in value]
    if not isinstance(value, dict):
        return value
    tag = next(iter(value), "")
    if not tag.startswith("$"):
        return {key: decode(one, requests, tokens) for key, one in value.items()}
    try:
        return _tagged(tag, value[tag], requests, tokens)
    except InputError:
        raise
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError, zlib.error) as error:
        raise InputError(f"{tag}: {error}") from None


def _tagged(tag: str, given: Any, requests: Sequence[Request], tokens: Sequence[Any]) -> Any:
    match tag:
        case "$float":
            return float(given)
        case "$array":
            return _unpacked(*given)
        case "$request":
            return requests[_number(given)]
        case "$token":
            return tokens[_number(given)]
        case "$kind":
            return Kind(_number(given))
        case "$hosts":
            return HostSet(_number(given[0]), decode(given[1], requests, tokens).tolist())
        case "$tuple":
            return tuple(decode(one, requests, tokens) for one in given)
        case "$set":
            return frozenset(decode(one, requests, tokens) for one in given)
        case "$dict":
            return {decode(key, requests, tokens): decode(one, requests, tokens) for key, one in given}
    return CLASSES[tag[1:]](**{name: decode(one, requests, tokens) for name, one in given.items()})


def _number(given: Any) -> int:
    if type(given) is not int or given < 0:
        raise ValueError(f"{given!r} is not a number")
    return given


def _unpacked(name: str, *rest: Any) -> npt.NDArray[Any]:
    if name not in DTYPES:
        raise ValueError(f"no array of {name!r}")
    if len(rest) == 1:
        return np.array(rest[0], dtype=name)
    dtype, count, packed = np.dtype(rest[0]), _number(rest[1]), base64.b64decode(rest[2])
    if count > MOST_ENTRIES:
        raise ValueError(f"an array of {count} entries, at most {MOST_ENTRIES}")
    if dtype.hasobject:
        raise ValueError(f"no array of {name!r}")
    size = (count + 7) // 8 if name == "bool" else count * dtype.itemsize
    reader = zlib.decompressobj()
    raw = reader.decompress(packed, size + 1)
    if len(raw) != size:
        raise ValueError(f"an array of {size} bytes has others")
    wire = np.frombuffer(raw, dtype)
    return np.unpackbits(wire, count=count).astype(bool) if name == "bool" else wire.astype(name)
