"""Kubernetes objects out of text or dicts: lists opened, kinds told apart, names checked.

JSON goes straight from the bytes to Structs, item by item; YAML and dicts take the same Structs. Kinds that no rule
reads are counted, not kept. Nothing here knows what a field means; objects that never were in an API server go through
`arrivals` when all is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import Blob
from binwright.kubernetes.arrivals import Arrivals, arrive, is_stored
from binwright.kubernetes.manifests import Manifest
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pod_texts import PodTexts
from binwright.kubernetes.python_objects import parts
from binwright.kubernetes.related import CLUSTER_WIDE, KINDS, Related
from binwright.units import shown

__all__ = ["Objects", "read_blobs", "read_dicts", "read_object", "read_objects"]


@dataclass(slots=True)
class Objects:
    """What was read of one cluster: `nodes` and `pods` in input order, names unique; what `related` holds of other
    kinds; `skipped_kinds` kind -> count. Pods are as the cluster would store them, `arrivals` tells of those that it
    does not have yet.
    """

    nodes: list[Node] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    related: Related = field(default_factory=Related)
    skipped_kinds: dict[str, int] = field(default_factory=dict)
    arrivals: Arrivals = field(default_factory=Arrivals)


_READ: dict[tuple[str, str], type] = {("v1", "Node"): Node, ("v1", "Pod"): Pod, **KINDS}
_VERSION = {kind: version for version, kind in _READ}
_DEEPEST_LIST = 8
_ARRAY = re.compile(rb"\s*\[")
# How kubectl and the API server begin an object: with it in sight the text need not be scanned for its kind first.
_USUAL = re.compile(rb'\s*\{\s*"apiVersion"\s*:\s*"v1"\s*,\s*"kind"\s*:\s*"(Node|Pod)"')


class _Head(msgspec.Struct, rename="camel"):
    """What tells one kind from another."""

    kind: str = ""
    api_version: str = ""


class _ListHead(_Head, rename="camel"):
    items: list[msgspec.Raw] | None = None


_decode_head = msgspec.json.Decoder(_ListHead).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_manifest = msgspec.json.Decoder(Manifest).decode
_decode: dict[str, Callable[..., Any]] = {
    kind: msgspec.json.Decoder(struct).decode for (_, kind), struct in _READ.items()
}


def read_blobs(blobs: Iterable[Blob], complete: bool = False, *, stored: bool = False) -> Objects:
    """The objects of one cluster from its files: objects, Lists (also of one kind), arrays and streams of them.

    complete: kinds that the input lacks have no objects. stored: all are as an API server has them, so that nothing is
    admitted and nothing expanded. Raises InputError "FILE: ..." naming object and field for text
    that is broken, an object without kind or name, a field of the wrong kind, and for two objects of one kind and name.
    """
    reader = _Reader()
    for blob in blobs:
        reader.blob(blob)
    return reader.objects if stored else reader.finish(complete)


def read_dicts(items: Iterable[Mapping[str, Any]], where: str = "objects", complete: bool = False) -> Objects:
    """The objects of one cluster from plain dicts as JSON has them; Lists are opened. As `read_blobs` for the rest."""
    reader = _Reader()
    for item in items:
        reader.value(where, item, "", 0)
    return reader.finish(complete)


def read_object(where: str, data: bytes | msgspec.Raw, of_kind: str = "") -> tuple[str, Any] | None:
    """(kind, object) of one JSON object as an API server has stored it; None for a kind that is not read. of_kind: what
    an object is that does not say so itself, as those of a list do not. Raises InputError as `read_blobs`.
    """
    reader = _Reader()
    try:
        head = _decode_head(data)
    except msgspec.ValidationError as problem:
        raise reader.wrong_shape(where, of_kind, _plain(data), problem) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InputError(f"{where}: not a JSON object in UTF-8") from None
    kind = reader.kind_of(where, head, of_kind)
    if kind is None:
        return None
    return kind, reader.take(where, kind, lambda: _decode[kind](data), lambda: _plain(data))


def read_objects(objects: Any, where: str = "objects", complete: bool = False) -> Objects:
    """The objects of one cluster as a Python program holds them: one, or any iterable of them.

    Mappings, `bytes` and `str` of JSON or YAML, paths (`os.PathLike`), and objects of `kubernetes`, `kr8s` and
    `lightkube`, none of which is imported; lists of objects are opened. `where` begins every error. As `read_blobs` for
    the rest.
    """
    reader = _Reader()
    for part in parts(objects, where):
        if isinstance(part, Blob):
            reader.blob(part)
        else:
            reader.value(where, part, "", 0)
    return reader.finish(complete)


def _plain(data: bytes | msgspec.Raw) -> Any:
    """A whole object, to name it in an error; fields that nothing reads need not have been UTF-8, nor numbers that can
    be held: then it has no name.
    """
    try:
        return msgspec.json.decode(bytes(data).decode("utf-8", "replace"))
    except msgspec.DecodeError:
        return {}


class _Reader:
    def __init__(self) -> None:
        self.objects = Objects()
        self.seen: dict[str, str] = {}  # words for an object -> where it stands
        self.count = 0  # objects begun, lists left out
        self.decode = _decode | {"Pod": PodTexts().read}

    def blob(self, blob: Blob) -> None:
        """The text of one file."""
        if documents.sniff(blob) == "json":
            self.json(blob)
        else:
            for document in documents.load(blob):
                self.value(blob.name, document, "", 0)

    def json(self, blob: Blob) -> None:
        """A JSON text. Most are one List of hundreds of megabytes, so that is tried before a stream of values."""
        begun = self.count
        try:
            self.text(blob.name, blob.data, "", 0)
        except (msgspec.DecodeError, RecursionError):  # of the outermost value, before anything was taken
            self.count = begun
            for document in documents.load(blob, msgspec.Raw):
                self.text(blob.name, document, "", 0)

    def text(self, where: str, data: bytes | msgspec.Raw, of_list: str, depth: int) -> None:
        """One JSON value; `of_list` is the kind that its list promises ("" = none)."""
        usual = _USUAL.match(data)
        if usual is not None:
            self.count += 1
            self.take_text(where, usual.group(1).decode(), data)
            return
        if _ARRAY.match(data):
            for item in _decode_array(data):
                self.text(where, item, of_list, self.deeper(where, depth))
            return
        self.count += 1
        try:
            head = _decode_head(data)
        except msgspec.ValidationError as problem:
            raise self.wrong_shape(where, of_list, _plain(data), problem) from None
        except UnicodeDecodeError:
            raise InputError(f"{where}: object {self.count}: not UTF-8 text") from None
        if head.items is not None and head.kind.endswith("List"):
            self.count -= 1
            for item in head.items:
                self.text(where, item, head.kind.removesuffix("List"), self.deeper(where, depth))
        else:
            kind = self.kind_of(where, head, of_list)
            if kind is not None:
                self.take_text(where, kind, data)

    def value(self, where: str, data: Any, of_list: str, depth: int) -> None:
        """One value of plain Python objects, in the same way."""
        if isinstance(data, (list, tuple)):
            for item in data:
                self.value(where, item, of_list, self.deeper(where, depth))
            return
        self.count += 1
        try:
            head = msgspec.convert(data, type=_Head)
        except msgspec.ValidationError as problem:
            raise self.wrong_shape(where, of_list, data, problem) from None
        if "items" in data and head.kind.endswith("List"):
            if not isinstance(data["items"], (list, tuple, type(None))):
                raise InputError(f"{where}: {head.kind}: items: expected array, got {shown(data['items'])}")
            self.count -= 1
            for item in data["items"] or ():
                self.value(where, item, head.kind.removesuffix("List"), self.deeper(where, depth))
        else:
            kind = self.kind_of(where, head, of_list)
            if kind is not None:
                struct = next(one for (_, name), one in _READ.items() if name == kind)
                self.take(where, kind, lambda: msgspec.convert(data, type=struct), lambda: data)
                if kind == "Pod" and not is_stored(self.objects.pods[-1]):
                    self.as_manifest(where, lambda: msgspec.convert(data, type=Manifest), lambda: data)

    def finish(self, complete: bool) -> Objects:
        """All objects, when everything is read."""
        objects = self.objects
        objects.related.complete = complete
        objects.pods, objects.arrivals = arrive(objects.nodes, objects.pods, objects.related)
        return objects

    def deeper(self, where: str, depth: int) -> int:
        if depth >= _DEEPEST_LIST:
            raise InputError(f"{where}: lists nested too deeply")
        return depth + 1

    def kind_of(self, where: str, head: _Head, of_list: str) -> str | None:
        """The kind of an object; None for one that is not read, which is counted."""
        name = head.kind or of_list
        if not name:
            raise InputError(f"{where}: object {self.count}: kind: missing, so these are not Kubernetes objects")
        if (head.api_version or _VERSION.get(name, ""), name) in _READ:
            return name
        if name in _VERSION:
            name = f"{name}.{head.api_version.rpartition('/')[0]}"  # such as Node.config.openshift.io
        self.objects.skipped_kinds[name] = self.objects.skipped_kinds.get(name, 0) + 1
        return None

    def take_text(self, where: str, kind: str, data: bytes | msgspec.Raw) -> None:
        self.take(where, kind, lambda: self.decode[kind](data), lambda: _plain(data))
        if kind == "Pod" and not is_stored(self.objects.pods[-1]):
            self.as_manifest(where, lambda: _decode_manifest(data), lambda: _plain(data))

    def as_manifest(self, where: str, convert: Callable[[], Manifest], plain: Callable[[], Any]) -> None:
        """The pod that was taken last, once more with what only admission reads of it."""
        try:
            self.objects.pods[-1] = convert()
        except msgspec.ValidationError as problem:
            raise self.wrong_shape(where, "Pod", plain(), problem) from None
        except UnicodeDecodeError:
            raise InputError(f"{where}: object {self.count}: not UTF-8 text") from None

    def take(self, where: str, kind: str, convert: Callable[[], Any], plain: Callable[[], Any]) -> Any:
        """Convert one object and file it under its kind."""
        try:
            found = convert()
        except msgspec.ValidationError as problem:
            raise self.wrong_shape(where, kind, plain(), problem) from None
        except UnicodeDecodeError:
            raise InputError(f"{where}: object {self.count}: not UTF-8 text") from None
        if not found.metadata.name:
            raise InputError(f"{where}: {self.words(kind, plain())}: metadata.name: missing")
        if kind == "Node" or kind in CLUSTER_WIDE:
            words = f"{kind} {found.metadata.name}"
        else:
            words = f"{kind} {found.metadata.namespace or 'default'}/{found.metadata.name}"
        if words in self.seen:
            raise InputError(f"{where}: {words}: is in the input twice, first in {self.seen[words]}")
        self.seen[words] = where
        if kind == "Pod":
            self.objects.pods.append(found)
        elif kind == "Node":
            self.objects.nodes.append(found)
        else:
            self.objects.related.add(kind, found)
        return found

    def wrong_shape(self, where: str, kind: str, plain: Any, problem: Exception) -> InputError:
        path, what = documents.shape_problem(problem)
        return InputError(f"{where}: {self.words(kind, plain)}: {path.removeprefix('.') or 'the object'}: {what}")

    def words(self, kind: str, plain: Any) -> str:
        """The words for an object that could not be read: kind and what there is of a name."""
        metadata = plain.get("metadata") if isinstance(plain, Mapping) else None
        if isinstance(metadata, Mapping):
            names = [metadata[part] for part in ("namespace", "name") if isinstance(metadata.get(part), str)]
            if names:
                return f"{kind} {'/'.join(names)}".lstrip()
        return f"{kind or 'object'} {self.count} (no name)"
