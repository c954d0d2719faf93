"""The two tables of an openb trace as typed rows: nodes with GPUs, pods that ask for whole GPUs or thousandths of one.

Source of the columns: github.com/alibaba/clusterdata, cluster-trace-gpu-v2023. Reads and checks; places nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.formats.tables import read_csv
from binwright.units import MAX_AMOUNT, shown

__all__ = ["GPU_MILLI", "MOST_GPUS", "TraceNode", "TracePod", "read_nodes", "read_pods"]

GPU_MILLI = 1000  # thousandths in one GPU
MOST_GPUS = 64  # of one node
MEBIBYTE = 1 << 20
NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
FINISHED = ("Succeeded", "Failed")
_WHOLE = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class TraceNode:
    """A node: cpu in millicores, memory in bytes, `gpus` GPUs of one model ("" = not named)."""

    name: str
    cpu: int
    memory: int
    gpus: int
    model: str


@dataclass(frozen=True, slots=True)
class TracePod:
    """A pod: cpu in millicores, memory in bytes, and `gpus` whole GPUs (gpu_milli 1000), or gpu_milli thousandths of
    one. models: any of them will do; empty: every one. leaves, finished: what its times and its phase say.
    """

    name: str
    cpu: int
    memory: int
    gpus: int
    gpu_milli: int
    models: tuple[str, ...]
    leaves: bool = False
    finished: bool = False

    @property
    def gpu_demand(self) -> int:
        """Thousandths of GPUs in all."""
        return self.gpus * self.gpu_milli


def read_nodes(blob: Blob) -> list[TraceNode]:
    """The table of nodes: columns sn, cpu_milli, memory_mib, gpu, model. InputError names file, line, column."""
    table = _Cells(blob, NODE_COLUMNS, "nodes")
    return [
        TraceNode(
            table.new_name(row, "sn"),
            table.number(row, "cpu_milli", MAX_AMOUNT),
            table.number(row, "memory_mib", MAX_AMOUNT // MEBIBYTE) * MEBIBYTE,
            table.number(row, "gpu", MOST_GPUS),
            table.text(row, "model"),
        )
        for row in table.rows()
    ]


def read_pods(blob: Blob) -> list[TracePod]:
    """The table of pods in file order: columns name, cpu_milli, memory_mib, num_gpu, gpu_milli, and gpu_spec ("A|B"),
    deletion_time and pod_phase if they are there. Raises InputError naming file, line, column.
    """
    table = _Cells(blob, POD_COLUMNS, "pods")
    return [_pod(table, row) for row in table.rows()]


def _pod(table: _Cells, row: int) -> TracePod:
    gpus = table.number(row, "num_gpu", MAX_AMOUNT // GPU_MILLI)
    milli = table.number(row, "gpu_milli", GPU_MILLI)
    if gpus == 0 and milli:
        raise table.error(row, "gpu_milli", f"{milli} of no GPU, num_gpu is 0")
    if gpus == 1 and not milli:
        raise table.error(row, "gpu_milli", f"0 is no part of a GPU, which are 1 to {GPU_MILLI}")
    if gpus > 1 and milli != GPU_MILLI:
        raise table.error(row, "gpu_milli", f"{milli} of each of {gpus} GPUs; several GPUs are whole ones, {GPU_MILLI}")
    spec = table.text(row, "gpu_spec")
    models = tuple(dict.fromkeys(one.strip() for one in spec.split("|"))) if spec else ()
    if not all(models):
        raise table.error(row, "gpu_spec", f"{shown(spec)} names an empty model")
    return TracePod(
        table.new_name(row, "name"),
        table.number(row, "cpu_milli", MAX_AMOUNT),
        table.number(row, "memory_mib", MAX_AMOUNT // MEBIBYTE) * MEBIBYTE,
        gpus,
        milli,
        models,
        leaves=table.text(row, "deletion_time") != "",
        finished=table.text(row, "pod_phase") in FINISHED,
    )


class _Cells:
    """The cells of one table by row and column, and the words of an error about one of them."""

    def __init__(self, blob: Blob, needed: tuple[str, ...], of: str) -> None:
        self._table = read_csv(blob)
        self._position = {column: i for i, column in enumerate(self._table.columns)}
        missing = [column for column in needed if column not in self._position]
        if missing:
            raise InputError(
                f"{blob.name}: no column {missing[0]!r} in the table of {of} (--input openb NODES.csv PODS.csv)"
            )
        if not self._table.rows:
            raise InputError(f"{blob.name}: no line below the columns of the table of {of}")
        self._names: dict[str, int] = {}

    def rows(self) -> range:
        return range(len(self._table.rows))

    def error(self, row: int, column: str, what: str) -> InputError:
        return InputError(f"{self._table.where(row, column)}: {what}")

    def text(self, row: int, column: str) -> str:
        """A cell without blanks around it; "" where the table has no such column."""
        position = self._position.get(column)
        return "" if position is None else self._table.rows[row][position].strip()

    def number(self, row: int, column: str, most: int) -> int:
        text = self.text(row, column)
        if not _WHOLE.fullmatch(text):
            raise self.error(row, column, f"{shown(text)} is not a whole number")
        if int(text) > most:
            raise self.error(row, column, f"{text} is more than {most}")
        return int(text)

    def new_name(self, row: int, column: str) -> str:
        name = self.text(row, column)
        if not name:
            raise self.error(row, column, "the name is empty")
        first = self._names.setdefault(name, row)
        if first != row:
            raise self.error(row, column, f"{shown(name)} stands on line {self._table.lines[first]} already")
        return name
