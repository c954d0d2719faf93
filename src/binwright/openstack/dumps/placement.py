"""Placement's files of a dump as providers: providers.json and one file per provider for each of its parts.

The commands that write those files print no uuid, so the file name carries it. Sizes are checked as Placement itself
checks them (openstack spec 1.1); the forest of parents is checked where it is built.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from binwright.errors import InputError
from binwright.openstack.dumps.fields import INT64_MAX, Row, Table, plain
from binwright.openstack.dumps.layout import Layout, unwrap
from binwright.openstack.placement.inventory import MAX_INT, Inventory
from binwright.openstack.placement.tree import Provider
from binwright.units import shown

__all__ = ["read_consumers", "read_providers"]

PROVIDER = {
    "uuid": ("uuid", "id"),
    "name": ("name",),
    "parent": ("parentprovideruuid", "parentproviderid"),
    "root": ("rootprovideruuid", "rootproviderid"),
}
INVENTORY = {
    "resource_class": ("resourceclass",),
    "total": ("total",),
    "reserved": ("reserved",),
    "min_unit": ("minunit",),
    "max_unit": ("maxunit",),
    "step_size": ("stepsize",),
    "allocation_ratio": ("allocationratio",),
    "used": ("used",),
}


def read_providers(layout: Layout, taken: dict[str, dict[str, str]]) -> list[Provider]:
    """Every provider with its inventories, traits and aggregates, in file order; `used` from allocations or `used`.

    Raises InputError for a provider without inventory file when others have one, and for files of no provider.
    """
    providers: dict[str, Provider] = {}
    names: set[str] = set()
    for file, objects in layout.tables.get("providers", []):
        table = Table(file, "provider", PROVIDER, taken.setdefault(file, {}))
        for row in table.rows(objects, ("name", "uuid")):
            uuid = row.need("uuid", row.text("uuid"))
            name = row.text("name") or uuid
            if uuid in providers or name in names:
                raise InputError(f"{row.where}: {'uuid' if uuid in providers else 'name'} occurs twice")
            names.add(name)
            providers[uuid] = Provider(uuid, name, row.reference("parent"), where=row.where)
    for files in layout.per_provider.values():
        for uuid, (file, _) in files.items():
            if "providers" not in layout.tables:
                raise InputError(f"{file}: provider {uuid}: providers.json is missing")
            if uuid not in providers:
                raise InputError(f"{file}: provider {uuid}: not in providers.json")
    for provider in providers.values():
        _fill(provider, layout, taken)
    return list(providers.values())


def _fill(provider: Provider, layout: Layout, taken: dict[str, dict[str, str]]) -> None:
    def part(kind: str) -> tuple[str, list[Any]]:
        return layout.per_provider.get(kind, {}).get(provider.uuid, ("", []))

    for kind in ("inventories", "allocations"):
        if kind in layout.per_provider and provider.uuid not in layout.per_provider[kind]:
            raise InputError(f"{provider.where}: {kind}/{provider.uuid}.json is missing")
    if "inventories" in layout.per_provider:
        file, loaded = part("inventories")
        columns = taken.setdefault("inventories/*", {})
        _read_inventories(provider, Table(file, "inventory", INVENTORY, columns), loaded)
    provider.traits = frozenset(_texts(*part("traits"), "traits", "name"))
    provider.aggregates = frozenset(_texts(*part("provider_aggregates"), "aggregates", "uuid"))


def _read_inventories(provider: Provider, table: Table, loaded: list[Any]) -> None:
    for row in table.rows(_by_class(loaded, "inventories"), ("resource_class",)):
        name = row.need("resource_class", row.text("resource_class"))
        if name in provider.inventories:
            raise InputError(f"{row.where}: resource_class occurs twice")
        ratio = row.real("allocation_ratio")
        inventory = Inventory(
            total=row.need("total", row.whole("total", MAX_INT)),
            reserved=row.whole("reserved", MAX_INT) or 0,
            min_unit=_or(row.whole("min_unit", MAX_INT, least=1), 1),
            max_unit=_or(row.whole("max_unit", MAX_INT, least=1), MAX_INT),
            step_size=_or(row.whole("step_size", MAX_INT, least=1), 1),
            allocation_ratio=1.0 if ratio is None else ratio,
        )
        if inventory.reserved > inventory.total:
            row.refuse("reserved", f"{inventory.reserved} is more than the total, {inventory.total}")
        if inventory.limit >= 2**56:
            row.refuse("allocation_ratio", f"{ratio} makes a capacity of more than 2**56")
        provider.inventories[name] = inventory
        used = row.whole("used", INT64_MAX)
        if used is not None:
            provider.used[name] = used


def _by_class(loaded: list[Any], envelope: str) -> list[Any]:
    """Rows with a resource_class each, also from the API's object of class -> inventory."""
    rows = []
    for item in unwrap(loaded, ()):
        inner = item.get(envelope, item) if isinstance(item, dict) else item
        if isinstance(inner, dict) and inner and all(isinstance(value, dict) for value in inner.values()):
            rows += [{"resource_class": name, **value} for name, value in inner.items()]
        elif not (isinstance(inner, dict) and not inner):
            rows.append(inner)
    return rows


def _texts(file: str, loaded: list[Any], envelope: str, key: str) -> Iterable[str]:
    for item in unwrap(loaded, (envelope,)):
        text = item.get(key) if isinstance(item, dict) else item
        if not isinstance(text, str) or not text:
            raise InputError(f"{file}: {envelope}: {shown(item)} has no {key}")
        yield text


def read_consumers(layout: Layout) -> dict[str, dict[str, dict[str, int]]]:
    """Consumer -> provider -> class -> amount, from `resource provider show --allocations` or the API."""
    consumers: dict[str, dict[str, dict[str, int]]] = {}
    for uuid, (file, loaded) in layout.per_provider.get("allocations", {}).items():
        for document in unwrap(loaded, ()):
            rows = document.get("allocations", document) if isinstance(document, dict) else document
            if not isinstance(rows, dict):
                raise InputError(f"{file}: allocations: {shown(rows)} is not an object of consumers")
            for consumer, row in rows.items():
                resources = row.get("resources") if isinstance(row, dict) else None
                if not isinstance(resources, dict):
                    raise InputError(f"{file}: consumer {shown(consumer)[1:-1]}: resources: missing")
                amounts = consumers.setdefault(consumer, {}).setdefault(uuid, {})
                for name, amount in resources.items():
                    amounts[name] = _amount(file, consumer, name, amount)
    return consumers


def _amount(file: str, consumer: str, name: str, amount: Any) -> int:
    table = Table(file, "consumer", {name: (plain(name),)}, {})
    value = Row(table, {name: amount}, consumer).whole(name, MAX_INT)
    if value is None:
        raise InputError(f"{file}: consumer {consumer}: {name}: missing")
    return value


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
