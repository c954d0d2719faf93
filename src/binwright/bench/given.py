"""A fleet of the caller's own for the workloads: a CSV file, hosts as rows, resources as columns."""

from __future__ import annotations

import csv
import os
from array import array

from binwright.bench.fleets import Hosts
from binwright.errors import InputError

USED = "used_"
MOST_RESOURCES = 8
LARGEST_AMOUNT = 2**56
SHARES = 128  # of a middling host's capacity, one of which a request of the workloads wants


def read_hosts(path: str | os.PathLike[str]) -> Hosts:
    """The hosts of a CSV file with a header: a column of whole numbers a resource, `used_NAME` beside it what is taken
    of it (default: nothing); a column `name` is passed over. Raises InputError naming line and column.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        try:
            rows = list(csv.reader(file))
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path}: not a CSV file in UTF-8: {error}") from None
    head = [name.strip() for name in rows[0]] if rows else []
    wanted = [name for name in head if name != "name" and not name.startswith(USED)]
    if not wanted or not rows[1:]:
        raise InputError(f"{path}: needs a header that names resources, and a row a host")
    if len(wanted) > MOST_RESOURCES or len(wanted) < 2:
        raise InputError(f"{path}: {len(wanted)} resources, the workloads take 2 to {MOST_RESOURCES}")
    unknown = [name for name in head if name.startswith(USED) and name.removeprefix(USED) not in wanted]
    if unknown:
        raise InputError(f"{path}: column {unknown[0]!r} is of no resource")
    if len(set(head)) < len(head):
        raise InputError(f"{path}: duplicate column among {', '.join(head)}")
    columns = {name: array("q") for name in head if name != "name"}
    for line, row in enumerate(rows[1:], 2):
        if len(row) != len(head):
            raise InputError(f"{path}: line {line}: {len(row)} cells, the header has {len(head)}")
        for name, cell in zip(head, row, strict=True):
            if name != "name":
                least = 0 if name.startswith(USED) else 1
                columns[name].append(_amount(f"{path}: line {line}, {name!r}", cell, least))
    count = len(rows) - 1
    capacity = [columns[name] for name in wanted]
    used = [columns.get(USED + name, array("q", bytes(8 * count))) for name in wanted]
    return Hosts(capacity, used, tuple(max(1, sorted(column)[count // 2] // SHARES) for column in capacity))


def _amount(where: str, cell: str, least: int) -> int:
    text = cell.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 99 or not least <= int(text) <= LARGEST_AMOUNT:
        raise InputError(f"{where}: {text[:40]!r} is not a whole number in {least}..2**56")
    return int(text)
