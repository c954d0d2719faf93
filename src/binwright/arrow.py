"""Arrow in and out through the C interfaces' capsules: pyarrow, polars, pandas and DuckDB read and write it, and none
of them is imported.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from binwright._core import arrow
from binwright.errors import InputError

DTYPES = ("int64", "uint8", "float64")


class ArrowTable:
    """A table of equally long 1-D arrays (int64, uint8 or float64) for any consumer of `__arrow_c_stream__`.

    Raises InputError for any others: a consumer reads as many entries of each column as the table says.
    """

    __slots__ = ("columns",)

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self.columns = {name: np.ascontiguousarray(column) for name, column in columns.items()}
        for name, column in self.columns.items():
            if column.ndim != 1 or column.dtype.name not in DTYPES or len(column) != len(self):
                raise InputError(
                    f"table: column {name!r} is {column.dtype} {column.shape}, needs {', '.join(DTYPES)} ({len(self)},)"
                )

    def __arrow_c_schema__(self) -> object:
        return arrow.schema_capsule(self.columns)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return arrow.stream_capsule(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __repr__(self) -> str:
        return f"ArrowTable({', '.join(self.columns)}; {len(self)} rows)"


def read_table(where: str, source: Any) -> dict[str, Any]:
    """Columns of an Arrow table or DataFrame: int64 arrays, and lists of str and None.

    Raises InputError for columns of other types, nulls among integers and values past int64.
    """
    try:
        columns = arrow.read_stream(source)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from None
    return {
        name: column if isinstance(column, list) else np.array(column, np.int64) for name, column in columns.items()
    }
