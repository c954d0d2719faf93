"""A catalogue of bins: CSV `name,vcpus,memory_mb,price[,stock,max_pods,...]` or `openstack flavor list -f json`.

Gives columns by name; which of them an item asks for, and in which unit, is the reader's of the items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import Blob, read_path
from binwright.formats.tables import read_csv
from binwright.packing.problem import Bins
from binwright.units import shown

RESERVED = {"vcpus": ("kube_reserved_cpu_m", 1000), "memory_mb": ("kube_reserved_memory_mb", 1)}
NOT_RESOURCES = {"name", "price", "stock", "max_pods", "labels", *(column for column, _ in RESERVED.values())}
FLAVOR_COLUMNS = {"VCPUs": "vcpus", "RAM": "memory_mb", "Disk": "disk_gb"}


@dataclass
class Catalogue:
    """Kinds of bins: amounts by resource (exact), price, stock (-1 = without end), most items (-1 = any). `reserved` is
    what the kube_reserved columns have taken off the amounts.
    """

    source: str
    names: list[str] = field(default_factory=list)
    amounts: list[dict[str, Fraction]] = field(default_factory=list)
    prices: list[Fraction] = field(default_factory=list)
    stock: list[int] = field(default_factory=list)
    max_items: list[int] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=list)
    reserved: list[dict[str, Fraction]] = field(default_factory=list)

    @property
    def resources(self) -> list[str]:
        """Names of all resources, in the order in which they first occur."""
        return list(dict.fromkeys(name for amounts in self.amounts for name in amounts))

    def bins(self, resources: Sequence[str], factors: dict[str, int] | None = None) -> Bins:
        """Bins with these resources, in that order, each multiplied by its factor and rounded down; 0 where a kind
        has none. Raises InputError for a resource that no kind has."""
        known = set(self.resources)
        for name in resources:
            if name not in known:
                raise InputError(f"{self.source}: no column {name!r} (there are {', '.join(self.resources)})")
        factors = factors or {}
        return Bins(
            [
                [int(amounts.get(name, Fraction()) * factors.get(name, 1)) for name in resources]
                for amounts in self.amounts
            ],
            self.prices,
            self.stock,
            max_items=self.max_items,
            names=self.names,
        )


def read_catalogue_file(path: str) -> Catalogue:
    """The catalogue in one file. Raises InputError for a directory, and as `read_catalogue`."""
    blob, *others = read_path(path)
    if others:
        raise InputError(f"{path}: a directory; name the file of the catalogue")
    return read_catalogue(blob)


def read_catalogue(blob: Blob) -> Catalogue:
    """A catalogue from CSV text or from the JSON of `openstack flavor list`. InputError names the line or object."""
    if documents.sniff(blob) == "json":
        return from_flavors(blob)
    table = read_csv(blob)
    if "name" not in table.columns:
        raise InputError(f"{blob.name}: a catalogue needs a column 'name' (there are {', '.join(table.columns)})")
    catalogue = Catalogue(blob.name)
    for number, row in enumerate(table.rows):
        cells = {column: cell.strip() for column, cell in zip(table.columns, row)}
        amounts = {
            column: number_of(table.where(number, column), cell)
            for column, cell in cells.items()
            if column not in NOT_RESOURCES and cell
        }
        reserved = {}
        for resource, (column, parts) in RESERVED.items():
            if cells.get(column):
                reserved[resource] = number_of(table.where(number, column), cells[column]) / parts
                amounts[resource] = amounts.get(resource, Fraction()) - reserved[resource]
                if amounts[resource] < 0:
                    raise InputError(f"{table.where(number, column)}: reserves more than {resource}")
        add(
            catalogue,
            cells["name"],
            amounts,
            number_of(table.where(number, "price"), cells["price"]) if cells.get("price") else Fraction(1),
            whole(table.where(number, "stock"), cells.get("stock")),
            whole(table.where(number, "max_pods"), cells.get("max_pods")),
            labels_of(table.where(number, "labels"), cells.get("labels", "")),
            reserved,
        )
    if not catalogue.names:
        raise InputError(f"{blob.name}: no bins")
    return catalogue


def from_flavors(blob: Blob) -> Catalogue:
    """`openstack flavor list -f json`: one kind a flavor, price 1 each."""
    catalogue = Catalogue(blob.name)
    for document in documents.load(blob):
        for number, flavor in enumerate(document if isinstance(document, list) else [document]):
            where = f"{blob.name}: flavor {number}"
            if not isinstance(flavor, dict) or not isinstance(flavor.get("Name"), str):
                raise InputError(f"{where}: no Name")
            amounts = {
                resource: number_of(f"{where}: {column}", flavor[column])
                for column, resource in FLAVOR_COLUMNS.items()
                if column in flavor
            }
            add(catalogue, flavor["Name"], amounts, Fraction(1), -1, -1, {}, {})
    if not catalogue.names:
        raise InputError(f"{blob.name}: no bins")
    return catalogue


def add(
    catalogue: Catalogue,
    name: str,
    amounts: dict[str, Fraction],
    price: Fraction,
    stock: int,
    max_items: int,
    labels: dict[str, str],
    reserved: dict[str, Fraction],
) -> None:
    """One more kind of bin; names are unique."""
    if not name or name in catalogue.names:
        raise InputError(f"{catalogue.source}: bin {shown(name)} is without a name, or stands twice")
    catalogue.names.append(name)
    catalogue.amounts.append(amounts)
    catalogue.prices.append(price)
    catalogue.stock.append(stock)
    catalogue.max_items.append(max_items)
    catalogue.labels.append(labels)
    catalogue.reserved.append(reserved)


def number_of(where: str, value: Any) -> Fraction:
    """An exact number that is not negative."""
    try:
        if isinstance(value, bool) or len(str(value)) > 40:
            raise ValueError
        exact = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise InputError(f"{where}: {shown(value)} is not a number") from None
    if exact < 0:
        raise InputError(f"{where}: {shown(value)} is negative")
    return exact


def whole(where: str, text: str | None) -> int:
    """A whole number, -1 for nothing."""
    if not text:
        return -1
    exact = number_of(where, text)
    if exact.denominator != 1:
        raise InputError(f"{where}: {text} is not a whole number")
    return int(exact)


def labels_of(where: str, text: str) -> dict[str, str]:
    """`a=b;c=d` as a dict."""
    labels = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        key, equals, value = part.partition("=")
        if not equals or not key:
            raise InputError(f"{where}: {shown(part)} is not KEY=VALUE")
        labels[key] = value
    return labels
