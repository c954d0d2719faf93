"""JSON, JSON lines and YAML text as Python objects, plain or of a given msgspec type.

JSON goes through msgspec, YAML through `yaml_text`. Broken text is one InputError with file and line; text that is
sound but does not have the asked shape is a `ShapeError`, which keeps the path, so that a layer can name the object.
"""

from __future__ import annotations

import re
from typing import Any

from binwright.errors import InputError, MissingExtraError
from binwright.formats.files import Blob

try:
    import msgspec
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("msgspec", extra="cli") from missing

__all__ = ["ShapeError", "load", "shape_problem", "sniff"]

_YAML_FILES = (".yaml", ".yml")
_BRACKET = re.compile(rb"\s*[{[]")
_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)$")
_BYTE = re.compile(r" \(byte (\d+)\)$")
_PATH = re.compile(r"^(.*?)(?: - at (?:`key` in )?`\$(.*)`)?$", re.DOTALL)


class ShapeError(InputError):
    """Sound JSON or YAML with a value of the wrong kind: `document` (its number), `path` (".items[3].spec"), `what`."""

    def __init__(self, name: str, document: int, path: str, what: str) -> None:
        super().__init__(f"{name}: {path.removeprefix('.') or 'the document'}: {what}")
        self.name = name
        self.document = document
        self.path = path
        self.what = what


def sniff(blob: Blob) -> str:
    """What the text is: "json" (one value, several, or one a line) or "yaml"; by its first character.

    YAML may begin with a bracket too: text in a file with a YAML name is "json" only if it is sound JSON.
    """
    if not _BRACKET.match(blob.data):
        return "yaml"
    if blob.name.lower().endswith(_YAML_FILES):
        try:
            _load_json(blob, msgspec.Raw)
        except InputError:
            return "yaml"
    return "json"


def load(blob: Blob, kind: Any = Any, *, last_key_wins: bool = False, most: int | None = None) -> list[Any]:
    """The documents of a text, in order: JSON values one after another (so JSON lines too), or YAML documents.

    `kind` is a type for msgspec (`Any`: plain dicts, lists, strings and numbers). Empty YAML documents are left out.
    last_key_wins: a key that stands twice in a YAML mapping is no error (in JSON it never is). most: of so many JSON
    values; each costs what a hundred bytes cost, though it may have two.
    Raises InputError "FILE: line N: ..." for broken text, ShapeError for sound text of another shape.
    """
    return _load_yaml(blob, kind, last_key_wins) if sniff(blob) == "yaml" else _load_json(blob, kind, most)


def _load_json(blob: Blob, kind: Any, most: int | None = None) -> list[Any]:
    decoder = msgspec.json.Decoder(kind)
    text = memoryview(blob.data)
    documents: list[Any] = []
    start = 0
    while True:
        end = len(text)
        try:
            try:
                documents.append(decoder.decode(text[start:]))
            except msgspec.DecodeError as problem:
                trailing = _TRAILING.search(str(problem))
                if trailing is None:
                    raise
                end = start + int(trailing.group(1)) - 1  # msgspec counts the first trailing character in
                documents.append(decoder.decode(text[start:end]))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise _refusal(blob, start, len(documents), problem) from None
        if end == len(text):
            return documents
        if len(documents) == most:
            raise InputError(f"{blob.name}: more than {most} JSON values one after another")
        start = end


def _load_yaml(blob: Blob, kind: Any, last_key_wins: bool) -> list[Any]:
    from binwright.formats import yaml_text  # PyYAML is wanted only by those who read YAML

    loaded = yaml_text.load(blob.name, blob.data, last_key_wins=last_key_wins)
    documents = [document for document in loaded if document is not None]
    if kind is Any:
        return documents
    typed = []
    for number, document in enumerate(documents):
        try:
            typed.append(msgspec.convert(document, type=kind))
        except msgspec.ValidationError as problem:
            raise _shape_error(blob.name, number, problem) from None
    return typed


def _refusal(blob: Blob, start: int, document: int, problem: Exception) -> InputError:
    """The one line for a decoding problem in the JSON value that begins at byte `start`."""
    if isinstance(problem, RecursionError):
        return InputError(f"{blob.name}: line {_line(blob, start)}: nested too deeply")
    if isinstance(problem, msgspec.ValidationError):
        return _shape_error(blob.name, document, problem)
    text = str(problem)
    if isinstance(problem, UnicodeDecodeError):
        return InputError(f"{blob.name}: not UTF-8 text")
    if "truncated" in text:
        end = _line(blob, len(blob.data.rstrip()))
        return InputError(f"{blob.name}: line {end}: JSON ends in the middle of a value")
    where = _BYTE.search(text)
    offset = start + (int(where.group(1)) if where else 0)
    what = _BYTE.sub("", text).removeprefix("JSON is malformed: ")
    return InputError(f"{blob.name}: line {_line(blob, offset)}: broken JSON: {what}")


def _line(blob: Blob, offset: int) -> int:
    return blob.data.count(b"\n", 0, offset) + 1


def _shape_error(name: str, document: int, problem: Exception) -> ShapeError:
    return ShapeError(name, document, *shape_problem(problem))


def shape_problem(problem: Exception) -> tuple[str, str]:
    """Path (".items[3].spec") and wording of a msgspec.ValidationError."""
    match = _PATH.match(str(problem))
    assert match is not None
    what = match.group(1)
    return match.group(2) or "", what[:1].lower() + what[1:].replace("`", "")
