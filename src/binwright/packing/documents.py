"""Instances of packing problems from text: JSON, JSON lines, CSV, BPP and VBP; see contracts.md, PackResult, Input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.bpp import VectorTable, read_bpp
from binwright.formats.files import Blob
from binwright.formats.tables import read_csv
from binwright.formats.vbp import read_vbp
from binwright.packing.catalogue import Catalogue
from binwright.packing.problem import Bins, Items
from binwright.units import shown

INPUTS = ("auto", "json", "csv", "bpp", "vbp")
RULES = ("conflicts", "together", "at_most", "eligible", "names")
BIN_FIELDS = ("capacity", "price", "stock", "used", "max_items", "name")


@dataclass(frozen=True)
class Instance:
    """One problem with its name, and what it is measured in."""

    name: str
    items: Items
    bins: Bins
    resources: tuple[str, ...]


def read_instances(blob: Blob, kind: str, catalogue: Catalogue | None) -> list[Instance]:
    """The problems of one text. `kind`: one of INPUTS; "auto" goes by the name, then by the first character."""
    if kind == "auto":
        kind = guess(blob)
    if kind == "json":
        return [from_object(blob.name, number, each, catalogue) for number, each in enumerate(documents.load(blob))]
    if kind == "csv":
        return [from_csv(blob, catalogue)]
    return [from_table(read_bpp(blob) if kind == "bpp" else read_vbp(blob), catalogue)]


def guess(blob: Blob) -> str:
    """The format of a text."""
    name = blob.name.lower().removesuffix(".gz").removesuffix(".xz")
    for suffix, kind in ((".vbp", "vbp"), (".bpp", "bpp"), (".csv", "csv"), (".txt", "bpp")):
        if name.endswith(suffix):
            return kind
    first = blob.data.lstrip()[:1]
    if first in (b"{", b"["):
        return "json"
    return "bpp" if first.isdigit() else "csv"


def from_table(table: VectorTable, catalogue: Catalogue | None) -> Instance:
    """An instance of the BPP or VBP format; a catalogue replaces its capacities."""
    resources = tuple(f"r{number}" for number in range(len(table.capacity)))
    items = Items(table.weights or [[0] * len(resources)], table.counts or [0])
    bins = Bins([table.capacity]) if catalogue is None else catalogue.bins(resources)
    return Instance(table.name, items, bins, resources)


def from_csv(blob: Blob, catalogue: Catalogue | None) -> Instance:
    """Columns are resources; `count` and `name` are optional. The bins come from the catalogue."""
    table = read_csv(blob)
    resources = tuple(column for column in table.columns if column not in ("name", "count"))
    if catalogue is None:
        raise InputError(f"{blob.name}: items without bins (--bins CATALOGUE names them)")
    if not resources:
        raise InputError(f"{blob.name}: no column with a resource")
    columns: dict[str, list[int]] = {}
    for at, column in enumerate(table.columns):
        if column != "name":
            columns[column] = [whole(table.where(number, column), row[at]) for number, row in enumerate(table.rows)]
    names = None
    if "name" in table.columns:
        names = [row[table.columns.index("name")] for row in table.rows]
    weights = [list(row) for row in zip(*(columns[resource] for resource in resources))]
    items = Items(weights or [[0] * len(resources)], columns.get("count") if weights else [0], names=names)
    return Instance(blob.name, items, catalogue.bins(resources), resources)


def whole(where: str, text: str) -> int:
    """A whole number of a cell."""
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InputError(f"{where}: {shown(text)} is not a whole number")
    return int(text)


def from_object(source: str, number: int, given: Any, catalogue: Catalogue | None) -> Instance:
    """`{name, capacity, items: [[w..., count]]}`, or `bins: [{capacity, price, stock, used, max_items, name}]`."""
    where = source if number == 0 else f"{source}: document {number + 1}"
    if not isinstance(given, dict):
        raise InputError(f"{where}: {shown(given)} is not a packing problem")
    name = given.get("name", where)
    if not isinstance(name, str):
        raise InputError(f"{where}: name: {shown(name)} is not a string")
    rows = given.get("items")
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) > 1 for row in rows):
        raise InputError(f"{where}: items: needs a list of [weight..., count]")
    for at, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InputError(f"{where}: items: row {at} has {len(row)} numbers, row 0 has {len(rows[0])}")
        for value in row:
            if isinstance(value, bool) or not isinstance(value, int) or not abs(value) <= 2**56:
                raise InputError(f"{where}: items: row {at}: {shown(value)} is not an integer up to 2**56")
        if row[-1] < 0:
            raise InputError(f"{where}: items: row {at}: the count {row[-1]} is negative")
    try:
        resources, bins = bins_of(given, catalogue, len(rows[0]) - 1 if rows else 1)
        weights = [row[:-1] for row in rows] or [[0] * len(resources)]
        counts = [row[-1] for row in rows] or [0]
        items = Items(weights, counts, **{rule: given[rule] for rule in RULES if given.get(rule) is not None})
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: a rule or a bin of another shape ({error})") from None
    return Instance(name, items, bins, resources)


def bins_of(given: dict[str, Any], catalogue: Catalogue | None, width: int) -> tuple[tuple[str, ...], Bins]:
    """Names of the resources and the bins of a problem: from the catalogue, `bins`, or `capacity`."""
    resources = tuple(given.get("resources") or (f"r{number}" for number in range(width)))
    if catalogue is not None:
        return resources, catalogue.bins(resources)
    if "bins" in given:
        kinds = given["bins"]
        if not isinstance(kinds, list) or not kinds or not all(isinstance(each, dict) for each in kinds):
            raise InputError("bins: needs a list of objects")
        for at, each in enumerate(kinds):
            unknown = [field for field in each if field not in BIN_FIELDS]
            if unknown or "capacity" not in each:
                raise InputError(f"bins: bin {at}: " + (f"unknown field {unknown[0]!r}" if unknown else "no capacity"))
        rows = [each["capacity"] if isinstance(each["capacity"], list) else [each["capacity"]] for each in kinds]
        used = None
        if any("used" in each for each in kinds):
            used = [each.get("used", [0] * len(row)) for each, row in zip(kinds, rows)]
            used = [row if isinstance(row, list) else [row] for row in used]
        return resources, Bins(
            rows,
            [each.get("price", 1) for each in kinds],
            [each.get("stock") for each in kinds],
            used=used,
            max_items=[each.get("max_items") for each in kinds],
            names=[str(each.get("name", f"bin {at}")) for at, each in enumerate(kinds)],
        )
    if "capacity" not in given:
        raise InputError("neither capacity nor bins (--bins CATALOGUE names them)")
    return resources, Bins(given["capacity"])
