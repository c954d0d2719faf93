"""Files, standard input and directories as named pieces of UTF-8 text.

Undoes compression (.gz, .xz, recognised by content), byte order marks and UTF-16; decides which files of a directory
are read and in which order. Knows nothing of JSON, YAML or of any object.
"""

from __future__ import annotations

import gzip
import io
import lzma
import os
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from binwright.errors import InputError

__all__ = ["Blob", "decode_bytes", "read_path"]

SUFFIXES = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".csv")
"""Names of a directory that are read, each also with .gz or .xz behind it; everything else (logs, notes) is not."""

LARGEST_UNPACKED = 1 << 30
"""Bytes up to which compressed data may unpack however small it is; beyond, up to MOST_TIMES its size."""
MOST_TIMES = 400

_TEXT = re.compile(rb"\S")
_GZIP = b"\x1f\x8b"
_XZ = b"\xfd7zXZ\x00"


@dataclass(frozen=True, slots=True)
class Blob:
    """One file's content: `name` is the path as a user would type it, `data` UTF-8 without byte order mark."""

    name: str
    data: bytes


def read_path(path: str | os.PathLike[str]) -> list[Blob]:
    """The pieces of one source: a file, "-" (standard input) or a directory with everything below it.

    A directory gives its data files (see SUFFIXES) in the order of their relative path, part by part, and leaves
    hidden names out; a `kubectl cluster-info dump` tree is such a directory. Raises InputError when there is nothing
    to read, or something that cannot be read.
    """
    if os.fspath(path) == "-":
        return [Blob("stdin", decode_bytes("stdin", sys.stdin.buffer.read()))]
    root = Path(path)
    if not root.is_dir():
        return [_read_file(root)]
    found = sorted(
        (name for name in root.rglob("*") if _is_data(name.relative_to(root)) and name.is_file()),
        key=lambda name: name.relative_to(root).parts,
    )
    if not found:
        raise InputError(f"{root}: no data files in this directory (looked for {', '.join(SUFFIXES)})")
    return [_read_file(name) for name in found]


def decode_bytes(name: str, data: bytes) -> bytes:
    """Uncompressed UTF-8 without byte order mark of `data`; `name` is for the InputError only."""
    try:
        if data.startswith((_GZIP, _XZ)):
            data = _unpacked(name, data)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as problem:
        raise InputError(f"{name}: broken compressed data ({str(problem).rstrip('.')})") from None
    encoding = _utf16(data)
    if encoding is not None:
        try:
            data = data.decode(encoding).encode()
        except UnicodeError:
            raise InputError(f"{name}: broken UTF-16 text") from None
    data = data.removeprefix(b"\xef\xbb\xbf")
    if _TEXT.search(data) is None:
        raise InputError(f"{name}: the file is empty")
    if b"\x00" in data[:65536]:
        raise InputError(f"{name}: binary data, not text")
    return data


def _unpacked(name: str, data: bytes) -> bytes:
    most = max(LARGEST_UNPACKED, MOST_TIMES * len(data))
    opened = gzip.open if data.startswith(_GZIP) else lzma.open
    with opened(io.BytesIO(data)) as file:
        text: bytes = file.read(most + 1)
    if len(text) > most:
        raise InputError(f"{name}: compressed data of {len(data)} bytes unpacks to more than {most}")
    return text


def _utf16(data: bytes) -> str | None:
    """The codec of UTF-16 text: by its mark, or without one by the zero half of its first character."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if len(data) % 2 == 0 and len(data) >= 4:
        if data[0] and not data[1] and data[2] and not data[3]:
            return "utf-16-le"
        if data[1] and not data[0] and data[3] and not data[2]:
            return "utf-16-be"
    return None


def _is_data(relative: Path) -> bool:
    if any(part.startswith(".") for part in relative.parts):
        return False
    name = relative.name.lower()
    for packed in (".gz", ".xz"):
        name = name.removesuffix(packed)
    return name.endswith(SUFFIXES)


def _read_file(path: Path) -> Blob:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise InputError(f"{path}: {problem.strerror or problem}") from None
    return Blob(str(path), decode_bytes(str(path), data))
