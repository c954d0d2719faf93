"""Bytes to text, text to objects and tables: every encoding that is read, every broken input in one line."""

import gzip
import lzma
import sys

import pytest

from binwright.errors import InputError
from binwright.formats import documents, files, tables
from binwright.formats.documents import ShapeError
from binwright.formats.files import Blob, decode_bytes, read_path

msgspec = pytest.importorskip("msgspec")
yaml = pytest.importorskip("yaml")

TEXT = '{"name": "zoë", "n": [1, 2]}'


def refusal(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        gzip.compress(TEXT.encode()),
        lzma.compress(TEXT.encode()),
        gzip.compress(b"\xef\xbb\xbf" + TEXT.encode()),
        lzma.compress(TEXT.encode("utf-16")),
    ],
)
def test_every_encoding_becomes_utf8(data):
    assert decode_bytes("f", data) == TEXT.encode()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "the file is empty"),
        (b" \r\n\t ", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (gzip.compress(b""), "the file is empty"),
        (gzip.compress(TEXT.encode())[:-9], "broken compressed data"),
        (lzma.compress(TEXT.encode())[:-9], "broken compressed data"),
        (b"\x1f\x8bjunk that is not gzip", "broken compressed data"),
        (gzip.compress(TEXT.encode())[:12] + b"\xff" * 30, "broken compressed data"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "binary data, not text"),
        (b"\xff\xfe\x00\xd8\x00", "broken UTF-16"),
    ],
)
def test_unreadable_bytes(data, what):
    message = refusal(decode_bytes, "some/file.json", data)
    assert message.startswith("some/file.json: ")
    assert what in message


def test_read_path_of_a_directory_is_in_path_order(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ["nodes.json", "b/pods.json.gz", "a.yaml", "b/readme.txt", ".git/x.json", "b.jsonl", "b/.hidden.json"]:
        data = b"{}"
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    blobs = read_path(tmp_path)
    assert [blob.name for blob in blobs] == [
        str(tmp_path / name) for name in ["a.yaml", "b/pods.json.gz", "b.jsonl", "nodes.json"]
    ]
    assert {blob.data for blob in blobs} == {b"{}"}


def test_read_path_of_a_file_and_of_stdin(tmp_path, monkeypatch):
    path = tmp_path / "anything"
    path.write_bytes(TEXT.encode("utf-16"))
    assert read_path(path) == [Blob(str(path), TEXT.encode())]
    with path.open("rb") as stream:
        monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": stream}))
        assert read_path("-") == [Blob("stdin", TEXT.encode())]


def test_nothing_to_read(tmp_path):
    assert "no data files" in refusal(read_path, tmp_path)
    assert "No such file" in refusal(read_path, tmp_path / "missing.json")


# ---- documents -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        (TEXT, "json", [{"name": "zoë", "n": [1, 2]}]),
        ("[1]", "json", [[1]]),
        ('\r\n{"a":\r\n1}\r\n', "json", [{"a": 1}]),
        ('{"a": 1}\n{"a": 2}\n', "json", [{"a": 1}, {"a": 2}]),
        ('{"a": 1}\r\n\r\n{"a": 2}', "json", [{"a": 1}, {"a": 2}]),
        ('{"a":1}{"a":2}[3]', "json", [{"a": 1}, {"a": 2}, [3]]),
        ('{\n"a": 1\n}\n{\n"a": 2\n}\n', "json", [{"a": 1}, {"a": 2}]),
        ("a: 1\nb: [x, y]\n", "yaml", [{"a": 1, "b": ["x", "y"]}]),
        ("a: 1\r\n---\r\na: 2\r\n", "yaml", [{"a": 1}, {"a": 2}]),
        ("---\n# nothing\n---\na: 2\n...\n", "yaml", [{"a": 2}]),
    ],
)
def test_documents(text, form, expected):
    blob = Blob("f", text.encode())
    assert documents.sniff(blob) == form
    assert documents.load(blob) == expected


def test_yaml_that_begins_with_a_bracket():
    assert documents.load(Blob("f.yaml", b"{a: 1, b: on}")) == [{"a": 1, "b": True}]
    assert "broken JSON" in refusal(documents.load, Blob("f.json", b"{a: 1}"))


def test_yaml_scalars_and_structure():
    text = """
    plain: 2026-01-02T00:00:00Z
    quoted: "1"
    one: 1
    octal: 0o17
    half: 0.5
    exponent: 1e3
    yes: yes
    nothing: ~
    absent:
    tagged: !!str 12
    base: &base {a: 1, b: 2}
    merged: {<<: *base, b: 3}
    several: {<<: [{c: 1}, {c: 2, d: 4}]}
    alias: *base
    8080: port
    block: |
      two
      lines
    """
    (value,) = documents.load(Blob("f", text.encode()))
    assert value == {
        "plain": "2026-01-02T00:00:00Z",
        "quoted": "1",
        "one": 1,
        "octal": "0o17",
        "half": 0.5,
        "exponent": "1e3",
        "yes": True,
        "nothing": None,
        "absent": None,
        "tagged": "12",
        "base": {"a": 1, "b": 2},
        "merged": {"a": 1, "b": 3},
        "several": {"c": 1, "d": 4},
        "alias": {"a": 1, "b": 2},
        "8080": "port",
        "block": "two\nlines\n",
    }


def test_yaml_agrees_with_pyyaml_on_plain_content():
    value = {"a": [1, 2.5, True, None, "x", "", "1", "on", {"b": {}, "c": []}], "t": "2026-01-02", "multi\nline": "é"}
    text = yaml.safe_dump(value, allow_unicode=True)
    assert documents.load(Blob("f", ("# c\n" + text).encode())) == [value]


def test_yaml_aliases_do_not_multiply():
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 60))
    (value,) = documents.load(Blob("f", f"l0: &l0 [x]\n{levels}".encode()))
    assert len(value["l59"]) == 9


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"a": [1,\n2', "line 2: JSON ends in the middle"),
        ('{"a":\n NaN}', "line 2: broken JSON: invalid character"),
        ('{"a": -Infinity}', "line 1: broken JSON"),
        ('{"a": 1}\n{"a"', "line 2: JSON ends in the middle"),
        ('{"a": 1}\n{"a" 2}\n{}', "line 2: broken JSON: expected ':'"),
        ('{"a": 1} trailing', "line 1: broken JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": 1e999}', "number out of range"),
        ('{"a": "' + "x" * 10_000_000, "line 1: JSON ends in the middle"),
        ("a: b: c", "line 1: broken YAML: mapping values"),
        ("a: 1\n\tb: 2", "line 2: broken YAML"),
        ("a: [1, 2\nb: 3", "broken YAML"),
        ("a: 1\na: 2", "line 2: the key 'a' stands twice"),
        ("? [a, b]\n: 1", "line 1: a mapping key that is not a scalar"),
        ("a: &a [*a]", "line 1: a YAML alias to something that it is part of"),
        ("a: *b", "line 1: unknown YAML alias 'b'"),
        ("a: !!python/object:os.system x", "line 1: YAML tag"),
        ("a: !!int x", "line 1: 'x' is not a YAML int"),
        ("a:\n" + "- " * 100_000 + "x", "line 2: nested too deeply"),
        ("x: " + "[" * 100_000, "nested too deeply"),
        ("a: {<<: 1}", "<< takes a mapping"),
        ("a: \x07", "broken YAML"),
    ],
)
def test_broken_documents(text, what):
    message = refusal(documents.load, Blob("dir/file", text.encode()))
    assert message.startswith("dir/file: ")
    assert what in message


def test_text_that_is_not_utf8():
    assert "not UTF-8" in refusal(documents.load, Blob("f", b'{"a": "\xff"}'))
    assert "not UTF-8" in refusal(documents.load, Blob("f", b"a: \xff"))
    assert "not UTF-8" in refusal(tables.read_csv, Blob("f", b"a,\xff"))


class Thing(msgspec.Struct):
    name: str
    parts: tuple[int, ...] = ()


@pytest.mark.parametrize(
    "text", ['{"name": "a", "x": 1}\n{"name": "b", "parts": [1]}', "name: a\n---\nname: b\nparts: [1]"]
)
def test_documents_of_a_type(text):
    assert documents.load(Blob("f", text.encode()), Thing) == [Thing("a"), Thing("b", (1,))]


@pytest.mark.parametrize(
    "text", ['{"name": "a"}\n{"name": "b", "parts": [1, "2"]}', 'name: a\n---\nname: b\nparts: [1, "2"]']
)
def test_a_value_of_the_wrong_kind_keeps_its_path(text):
    with pytest.raises(ShapeError) as caught:
        documents.load(Blob("f", text.encode()), Thing)
    assert str(caught.value) == "f: parts[1]: expected int, got str"
    assert (caught.value.document, caught.value.path) == (1, ".parts[1]")
    with pytest.raises(ShapeError, match="f: the document: expected object, got array"):
        documents.load(Blob("f", b"[1]"), Thing)


# ---- tables ----------------------------------------------------------------------------------------------------------


def test_csv():
    table = tables.read_csv(Blob("f.csv", b'a, b\r\n1,"x, ""y""\r\nz"\r\n\r\n3,4\r\n'))
    assert table.columns == ("a", "b")
    assert table.rows == [["1", 'x, "y"\r\nz'], ["3", "4"]]
    assert table.lines == [2, 5]
    assert table.where(1, "b") == "f.csv: line 5: b"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\n\n", "the file is empty"),
        ("a,b\n1,2,3\n", "line 2: 3 fields under 2 columns"),
        ("a,b\n1\n", "line 2: 1 fields under 2 columns"),
        ("a,a\n", "the column 'a' stands twice"),
        ("a,,b\n", "a column without a name"),
        ('a,b\n1,"2\n', "line 2: broken CSV"),
        ("a\n" + "x" * 10_000_000, "line 2: broken CSV: field larger"),
    ],
)
def test_broken_csv(text, what):
    message = refusal(tables.read_csv, Blob("f.csv", text.encode()))
    assert message.startswith("f.csv: ")
    assert what in message


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_data_that_unpacks_to_too_much_is_refused(pack, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_UNPACKED", 1000)
    assert decode_bytes("x", pack(b"a" * 1000)) == b"a" * 1000
    packed = pack(b"a" * 10**6)
    with pytest.raises(InputError, match=rf"x: compressed data of {len(packed)} bytes unpacks to more than \d+$"):
        decode_bytes("x", packed)
