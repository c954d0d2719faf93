"""Measured use: CSV series of pods and servers, one row an object, one column a resource and hour.

`SOURCE.pods.csv` has namespace,name and `SOURCE.servers.csv` has id,name, then cpu_00.. in millicores and memory_00..
in MiB. Any number of samples, the same for both resources and all files.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.formats.tables import Table, read_csv
from binwright.units import shown

Series = npt.NDArray[np.int64]
KEYS = {"pods": ("namespace", "name"), "servers": ("id", "name")}
UNITS = {"cpu": 1, "memory": 2**20}
MOST = 2**36


@dataclass(slots=True)
class Usage:
    """samples: how many there are. pods: (source, namespace, name) -> resource -> int64 (samples,), millicores and
    bytes; servers: (source, id).
    """

    samples: int = 0
    pods: dict[tuple[str, str, str], dict[str, Series]] = field(default_factory=dict)
    servers: dict[tuple[str, str], dict[str, Series]] = field(default_factory=dict)


def usage_files(paths: Iterable[str], named: Iterable[str] = ()) -> list[str]:
    """The files of usage/ in each directory of `paths`, then those named."""
    beside = [
        str(file) for path in paths if path != "-" and Path(path).is_dir()
        for file in sorted((Path(path) / "usage").glob("*.csv*"))
    ]  # fmt: skip
    return beside + list(named)


def read_usage(files: Iterable[str]) -> Usage:
    """Every series. Raises InputError naming file, line and column for a number that is none or negative."""
    found = Usage()
    for file in files:
        for blob in read_path(file):
            source, _, kind = Path(blob.name).name.partition(".csv")[0].rpartition(".")
            if not source or kind not in KEYS:
                raise InputError(f"{blob.name}: not named SOURCE.pods.csv or SOURCE.servers.csv")
            _take(found, source, kind, read_csv(blob))
    return found


def _take(found: Usage, source: str, kind: str, table: Table) -> None:
    keys = KEYS[kind]
    for key in keys:
        if key not in table.columns:
            raise InputError(f"{table.name}: no column {key!r}")
    positions = {name: [i for i, column in enumerate(table.columns) if column.startswith(f"{name}_")] for name in UNITS}
    samples = len(positions["cpu"])
    if not samples or samples != len(positions["memory"]) or found.samples not in (0, samples):
        counts = ", ".join(f"{len(columns)} of {name}" for name, columns in positions.items())
        raise InputError(f"{table.name}: {counts}; needs as many of both, and as the other files have")
    found.samples = samples
    of_key = [table.columns.index(key) for key in keys]
    for number, row in enumerate(table.rows):
        series = {name: _series(table, number, positions[name]) * unit for name, unit in UNITS.items()}
        if kind == "pods":
            found.pods[source, row[of_key[0]], row[of_key[1]]] = series
        else:
            found.servers[source, row[of_key[0]]] = series


def _series(table: Table, row: int, columns: list[int]) -> Series:
    cells = [table.rows[row][column] for column in columns]
    try:
        values = np.array(cells, dtype=np.int64)
    except (ValueError, OverflowError):
        values = np.array([-1])
    if (values < 0).any() or (values > MOST).any():
        wrong = next(i for i, cell in enumerate(cells) if not cell.isdecimal() or int(cell[:19]) > MOST)
        where = table.where(row, table.columns[columns[wrong]])
        raise InputError(f"{where}: {shown(cells[wrong])} is not a whole number in 0..{MOST}")
    return values
