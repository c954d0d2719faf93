"""The change feed: a table in Placement's database that triggers fill, read by every worker that keeps a copy.

Triggers note each write of whatever process in the transaction that makes it, also those that leave generations alone:
deleted allocations, aggregates below microversion 1.19. What a note means for a copy is `resident`'s business.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa  # type: ignore[import-not-found]

from binwright.errors import BinwrightError

__all__ = ["KEPT", "Change", "Feed", "NoFeed", "create", "drop", "statements"]

TABLE = "binwright_changes"
READY = "ready"
KEPT = 100_000
"""Notes that stay when old ones are deleted."""
WATCHED = 1000
"""Numbers below the last one of which a missing one may still come: its transaction was slower than a later one's."""
PATIENCE = 60.0
"""Seconds for which a missing number is waited for."""

CHANGES = sa.table(TABLE, sa.column("id"), sa.column("kind"), sa.column("provider_id"))

# Table, kind of note, column of the provider, columns whose update counts. A claim bumps a provider's generation, which
# nobody's candidates depend on.
FOLLOWED = (
    ("allocations", "usage", "resource_provider_id", ("resource_provider_id", "resource_class_id", "used")),
    (
        "inventories",
        "provider",
        "resource_provider_id",
        ("total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio"),
    ),
    ("resource_provider_traits", "provider", "resource_provider_id", ("resource_provider_id", "trait_id")),
    ("resource_provider_aggregates", "provider", "resource_provider_id", ("resource_provider_id", "aggregate_id")),
    ("resource_providers", "provider", "id", ("uuid", "parent_provider_id", "root_provider_id")),
    ("traits", "names", None, ("name",)),
    ("resource_classes", "names", None, ("name",)),
)
EVENTS = {"INSERT": ("NEW",), "DELETE": ("OLD",), "UPDATE": ("OLD", "NEW")}
CREATE_TABLE = {
    "sqlite": f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(id INTEGER PRIMARY KEY AUTOINCREMENT, kind VARCHAR(8) NOT NULL, provider_id INTEGER)",
    "mysql": f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(8) NOT NULL, provider_id INTEGER) ENGINE=InnoDB",
    "postgresql": f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(id BIGSERIAL PRIMARY KEY, kind VARCHAR(8) NOT NULL, provider_id INTEGER)",
}
DIFFERS = {
    "sqlite": "OLD.{0} IS NOT NEW.{0}",
    "mysql": "NOT (OLD.{0} <=> NEW.{0})",
    "postgresql": "OLD.{0} IS DISTINCT FROM NEW.{0}",
}


class NoFeed(BinwrightError):
    """The database has no change feed, and none could be made."""


def statements(dialect: str, token: int) -> Iterator[str]:
    """The SQL that makes the feed, for "sqlite", "mysql" (MariaDB, too) or "postgresql"; the last one says it is made.

    token: tells this feed from one made before or after. Raises NoFeed for any other database.
    """
    if dialect not in CREATE_TABLE:
        raise NoFeed(f"change feed: no triggers are known for a database of kind {dialect}")
    yield CREATE_TABLE[dialect]
    for table, kind, owner, columns in FOLLOWED:
        for event, rows in EVENTS.items():
            values = ", ".join(f"('{kind}', {'NULL' if owner is None else f'{row}.{owner}'})" for row in rows)
            note = f"INSERT INTO {TABLE} (kind, provider_id) VALUES {values}"
            condition = " OR ".join(DIFFERS[dialect].format(name) for name in columns) if event == "UPDATE" else ""
            yield from _trigger(dialect, f"binwright_{table}_{event.lower()}", table, event, note, condition)
    yield f"INSERT INTO {TABLE} (kind, provider_id) VALUES ('{READY}', {token})"


def _trigger(dialect: str, name: str, table: str, event: str, note: str, condition: str) -> Iterator[str]:
    if dialect == "sqlite":
        when = f" WHEN {condition}" if condition else ""
        yield f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON {table}{when} BEGIN {note}; END"
    elif dialect == "mysql":
        body = f"BEGIN IF {condition} THEN {note}; END IF; END" if condition else note
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {body}"
    else:
        when = f" WHEN ({condition})" if condition else ""
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS "
            f"$$ BEGIN {note}; RETURN NULL; END $$ LANGUAGE plpgsql"
        )
        yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
        yield f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW{when} EXECUTE FUNCTION {name}()"


def create(engine: Any) -> None:
    """Make the feed where there is none. engine: of the database that is written to. Raises NoFeed."""
    try:
        with engine.connect() as connection:
            if sa.inspect(connection).has_table(TABLE) and _token(connection) is not None:
                return
        with engine.begin() as connection:
            for statement in statements(engine.dialect.name, secrets.randbelow(2**31)):
                connection.exec_driver_sql(statement)
    except sa.exc.DBAPIError as problem:
        why = str(problem.orig).splitlines()[0]
        raise NoFeed(f"change feed: the database refuses to make table {TABLE} and its triggers: {why}") from None


def _token(connection: Any) -> int | None:
    """Of the feed as it was made last; None where none is whole."""
    select = sa.select(CHANGES.c.provider_id).where(CHANGES.c.kind == READY).order_by(CHANGES.c.id.desc())
    found: int | None = connection.execute(select.limit(1)).scalar()
    return found


def drop(engine: Any) -> None:
    """Take the feed out of a database again."""
    with engine.begin() as connection:
        for table, *_ in FOLLOWED:
            for event in EVENTS:
                name = f"binwright_{table}_{event.lower()}"
                where = f" ON {table}" if engine.dialect.name == "postgresql" else ""
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{where}")
                if where:
                    connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name}()")
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {TABLE}")


@dataclass(frozen=True, slots=True)
class Change:
    """One note. kind: "usage", "provider" or "names"; provider_id is None for names."""

    kind: str
    provider_id: int | None


@dataclass(slots=True)
class Feed:
    """What one reader has read. last: the highest number; missing: lower ones that were never seen, and since when.

    Numbers are given when a row is written, not when it is committed, so a lower one may come after a higher one.
    """

    last: int = 0
    missing: dict[int, float] = field(default_factory=dict)
    token: int | None = None

    def start(self, connection: Any) -> None:
        """From here on; what was written before is read otherwise, in the same transaction or a later one."""
        self.token = _token(connection)
        self.last = connection.execute(sa.select(sa.func.max(CHANGES.c.id))).scalar() or 0
        first = max(1, self.last - WATCHED)
        seen = connection.execute(sa.select(CHANGES.c.id).where(CHANGES.c.id >= first)).scalars()
        self.missing = dict.fromkeys(set(range(first, self.last)) - set(seen), time.monotonic())

    def read(self, connection: Any) -> list[Change] | None:
        """The changes since the last call, in order; None if they are too many, or not to be had: read everything."""
        wanted = CHANGES.c.id >= self.last
        if self.missing:
            wanted = sa.or_(wanted, CHANGES.c.id.in_(list(self.missing)))
        select = sa.select(CHANGES.c.id, CHANGES.c.kind, CHANGES.c.provider_id)
        rows = list(connection.execute(select.where(wanted).order_by(CHANGES.c.id)))
        known = next((place for place, row in enumerate(rows) if row.id == self.last), None)
        if known is not None:
            del rows[known]
        elif (rows and rows[-1].id > self.last) or _token(connection) != self.token:
            return None  # the last one was pruned, or the feed was made anew
        # otherwise this transaction, or this replica, is older than what was read already, and has nothing to tell
        if any(row.kind == READY for row in rows):
            return None  # another worker made the feed as well, and while it did some writes may not have been noted
        if rows and rows[-1].id - self.last > KEPT // 2:
            return None
        now = time.monotonic()
        for row in rows:
            self.missing.pop(row.id, None)
            if row.id > self.last:
                first = max(self.last + 1, row.id - WATCHED)
                self.missing.update(dict.fromkeys(range(first, row.id), now))
                self.last = row.id
        if self.missing:
            self.missing = {number: since for number, since in self.missing.items() if now - since < PATIENCE}
        return [Change(row.kind, row.provider_id) for row in rows]

    def prune(self, engine: Any) -> None:
        """Delete old notes; every reader that is so far behind reads everything anew."""
        with engine.begin() as connection:
            old = sa.and_(CHANGES.c.id < self.last - KEPT, CHANGES.c.kind != READY)
            connection.execute(sa.delete(CHANGES).where(old))
