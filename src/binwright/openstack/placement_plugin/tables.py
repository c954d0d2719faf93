"""Providers out of Placement's tables, all or some: inventories, what is in use, traits, aggregates, names.

Reads only; a session's transaction is the caller's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa  # type: ignore[import-not-found]
from placement.db.sqlalchemy import models  # type: ignore[import-not-found]

from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.tree import Provider

__all__ = ["Names", "Row", "read_names", "read_rows", "read_used"]

PROVIDERS = models.ResourceProvider.__table__
INVENTORIES = models.Inventory.__table__
ALLOCATIONS = models.Allocation.__table__
TRAITS = models.ResourceProviderTrait.__table__
MEMBERS = models.ResourceProviderAggregate.__table__
AGGREGATES = models.PlacementAggregate.__table__
CHUNK = 500
"""Ids in one condition; databases bound the number of a statement's parameters."""


@dataclass(slots=True)
class Names:
    """The resource classes and the traits that exist, by the database's id."""

    classes: dict[int, str]
    traits: dict[int, str]


@dataclass(slots=True)
class Row:
    """A provider with what only the database says: its id and its parent's, and its traits in order of their ids."""

    id: int
    parent_id: int | None
    provider: Provider
    traits: list[str] = field(default_factory=list)


def read_names(session: Any) -> Names:
    """All names."""
    kinds = (models.ResourceClass.__table__, models.Trait.__table__)
    return Names(*(dict(session.execute(sa.select(one.c.id, one.c.name)).tuples().all()) for one in kinds))


def read_rows(session: Any, names: Names, ids: Collection[int] | None = None) -> dict[int, Row]:
    """Providers by id, in order of ids: those of `ids` that exist, or all. Their `parent` is left open."""
    select = sa.select(PROVIDERS.c.id, PROVIDERS.c.uuid, PROVIDERS.c.name, PROVIDERS.c.parent_provider_id)
    found = {
        number: Row(number, parent, Provider(uuid, name, where=f"resource provider {uuid}"))
        for number, uuid, name, parent in sorted(_rows(session, select, PROVIDERS.c.id, ids))
    }
    stocks = INVENTORIES.c
    select = sa.select(
        stocks.resource_provider_id,
        stocks.resource_class_id,
        stocks.total,
        stocks.reserved,
        stocks.min_unit,
        stocks.max_unit,
        stocks.step_size,
        stocks.allocation_ratio,
    )
    for number, kind, *numbers in _rows(session, select, stocks.resource_provider_id, ids):
        if number in found:
            found[number].provider.inventories[names.classes[kind]] = Inventory(*numbers)
    for number, used in read_used(session, names, ids).items():
        if number in found:
            found[number].provider.used = used
    select = sa.select(TRAITS.c.resource_provider_id, TRAITS.c.trait_id)
    for number, trait in sorted(_rows(session, select, TRAITS.c.resource_provider_id, ids)):
        if number in found:
            found[number].traits.append(names.traits[trait])
    members: dict[int, set[str]] = {}
    joined = MEMBERS.join(AGGREGATES, AGGREGATES.c.id == MEMBERS.c.aggregate_id)
    select = sa.select(MEMBERS.c.resource_provider_id, AGGREGATES.c.uuid).select_from(joined)
    for number, uuid in _rows(session, select, MEMBERS.c.resource_provider_id, ids):
        members.setdefault(number, set()).add(uuid)
    for number, row in found.items():
        row.provider.traits = frozenset(row.traits)
        row.provider.aggregates = frozenset(members.get(number, ()))
    return found


def read_used(session: Any, names: Names, ids: Collection[int] | None = None) -> dict[int, dict[str, int]]:
    """Provider id -> class -> what all consumers have of it."""
    owner, kind = ALLOCATIONS.c.resource_provider_id, ALLOCATIONS.c.resource_class_id
    select = sa.select(owner, kind, sa.func.sum(ALLOCATIONS.c.used)).group_by(owner, kind)
    found: dict[int, dict[str, int]] = {}
    for number, number_of_class, amount in _rows(session, select, owner, ids):
        found.setdefault(number, {})[names.classes[number_of_class]] = int(amount)
    return found


def _rows(session: Any, select: Any, column: Any, ids: Collection[int] | None) -> list[tuple[Any, ...]]:
    if ids is None:
        return [tuple(row) for row in session.execute(select)]
    wanted = sorted(ids)
    return [
        tuple(row)
        for start in range(0, len(wanted), CHUNK)
        for row in session.execute(select.where(column.in_(wanted[start : start + CHUNK])))
    ]
