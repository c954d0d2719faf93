"""YAML text as plain dicts, lists, strings and numbers, from PyYAML's parser events.

PyYAML parses and resolves scalars (with libyaml where it is there); only the assembly is here, because PyYAML's own
crashes the process on deep nesting with libyaml, takes ten times as long, and turns timestamps into datetime objects.
Differences to `yaml.safe_load`: timestamps and binary stay strings, a duplicate key and a deep nesting are errors,
only string-like keys exist (a number as key is its text, as the API server has it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from binwright.errors import InputError, MissingExtraError
from binwright.units import shown

try:
    import yaml
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("PyYAML", extra="cli") from missing

__all__ = ["load"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 200
_PREFIX = "tag:yaml.org,2002:"
_COLLECTIONS = (None, "!", _PREFIX + "map", _PREFIX + "seq")
_AS_WRITTEN = ("str", "timestamp", "binary", "merge", "value")
_MERGE = object()
_NO_KEY = object()

_resolver = yaml.resolver.Resolver()
_resolver.yaml_implicit_resolvers = yaml.SafeLoader.yaml_implicit_resolvers
_constructor = yaml.constructor.SafeConstructor()


def load(name: str, data: bytes, *, last_key_wins: bool = False) -> list[Any]:
    """The documents of YAML text, None for an empty one. Raises InputError "FILE: line N: ..." for broken text.

    last_key_wins: a key that stands twice in one mapping is no error, as most readers of YAML have it.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{name}: not UTF-8 text") from None
    assembly = _Assembly(name, last_key_wins)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            assembly.take(event)
    except yaml.YAMLError as problem:
        raise InputError(_one_line(name, problem)) from None
    return assembly.documents


def _one_line(name: str, problem: yaml.YAMLError) -> str:
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    what = getattr(problem, "problem", None) or getattr(problem, "reason", None) or "broken text"
    line = f"line {mark.line + 1}: " if mark is not None else ""
    if "maximum nesting depth" in what:  # libyaml from 0.2.6 on, before its events reach _DEEPEST
        return f"{name}: {line}nested too deeply"
    return f"{name}: {line}broken YAML: {what}"


class _Assembly:
    """Events in, documents out; an explicit stack, so depth is a number and not the C stack."""

    def __init__(self, name: str, last_key_wins: bool) -> None:
        self.name = name
        self.last_key_wins = last_key_wins
        self.documents: list[Any] = []
        self.anchors: dict[str, Any] = {}
        self.stack: list[tuple[Any, Any]] = []  # open collections: (container, key waiting for its value)
        self.plain: dict[str, Any] = {}  # plain scalars met so far -> value
        self.steps: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.open_mapping,
            yaml.SequenceStartEvent: self.open_sequence,
            yaml.MappingEndEvent: self.close,
            yaml.SequenceEndEvent: self.close,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.start_document,
        }

    def take(self, event: yaml.Event) -> None:
        step = self.steps.get(event.__class__)
        if step is not None:
            step(event)

    def refuse(self, event: yaml.Event, what: str) -> InputError:
        line = f"line {event.start_mark.line + 1}: " if event.start_mark is not None else ""
        return InputError(f"{self.name}: {line}{what}")

    def start_document(self, event: yaml.Event) -> None:
        self.anchors.clear()

    def scalar(self, event: yaml.ScalarEvent) -> None:
        text = event.value
        if self.stack and self.stack[-1][1] is _NO_KEY:  # a mapping waits for a key
            self.put(event, _MERGE if text == "<<" and event.implicit[0] else text)
            return
        if event.tag is not None:
            value = self.tagged(event, event.tag)
        elif not event.implicit[0]:  # quoted or a block
            value = text
        elif text in self.plain:
            value = self.plain[text]
        else:
            tag = _resolver.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
            value = self.plain[text] = self.tagged(event, tag)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        self.put(event, value)

    def tagged(self, event: yaml.ScalarEvent, tag: str) -> Any:
        kind = tag.removeprefix(_PREFIX)
        if kind in _AS_WRITTEN or tag == "!":
            return event.value
        if kind not in ("null", "bool", "int", "float"):
            raise self.refuse(event, f"YAML tag {shown(tag)} is not read")
        node = yaml.ScalarNode(tag, event.value)
        try:
            return getattr(_constructor, f"construct_yaml_{kind}")(node)
        except (ValueError, KeyError, IndexError):
            raise self.refuse(event, f"{shown(event.value)} is not a YAML {kind}") from None

    def open_mapping(self, event: yaml.MappingStartEvent) -> None:
        self.open(event, {}, _NO_KEY)

    def open_sequence(self, event: yaml.SequenceStartEvent) -> None:
        self.open(event, [], None)

    def open(self, event: yaml.CollectionStartEvent, container: Any, key: Any) -> None:
        if self.stack and self.stack[-1][1] is _NO_KEY:
            raise self.refuse(event, "a mapping key that is not a scalar")
        if event.tag not in _COLLECTIONS:
            raise self.refuse(event, f"YAML tag {shown(event.tag)} is not read")
        if len(self.stack) >= _DEEPEST:
            raise self.refuse(event, "nested too deeply")
        if event.anchor is not None:
            self.anchors[event.anchor] = container
        self.stack.append((container, key))

    def close(self, event: yaml.Event) -> None:
        container, _ = self.stack.pop()
        if _MERGE in container:
            self.merge(event, container, container.pop(_MERGE))
        self.put(event, container)

    def alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self.anchors:
            raise self.refuse(event, f"unknown YAML alias {shown(event.anchor)}")
        value = self.anchors[event.anchor]
        if any(value is container for container, _ in self.stack):
            raise self.refuse(event, "a YAML alias to something that it is part of")
        self.put(event, value)

    def put(self, event: yaml.Event, value: Any) -> None:
        """Give a finished value to the innermost open collection."""
        if not self.stack:
            self.documents.append(value)
            return
        container, key = self.stack[-1]
        if key is None:
            container.append(value)
        elif key is _NO_KEY:
            if value is not _MERGE and not isinstance(value, str):
                raise self.refuse(event, "a mapping key that is not a scalar")
            if value in container and not self.last_key_wins:
                raise self.refuse(event, f"the key {shown(value)} stands twice in one mapping")
            self.stack[-1] = (container, value)
        else:
            self.stack[-1] = (container, _NO_KEY)
            container[key] = value

    def merge(self, event: yaml.Event, container: dict[str, Any], value: Any) -> None:
        """`<<`: take over the keys of another mapping, or of several, that are not set here."""
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise self.refuse(event, "<< takes a mapping or a list of mappings")
        for source in sources:
            for key, item in source.items():
                container.setdefault(key, item)
