"""Chooses, at import, the copy of the block kernels that this processor runs fastest; tests force each in turn."""

import importlib
import os

from cpython.pycapsule cimport PyCapsule_GetPointer


cdef extern from "binwright/cpu.h" nogil:
    int bw_cpu_has_v3() noexcept
    int bw_cpu_has_v4() noexcept
    int bw_cpu_has_sve() noexcept


cdef str chosen = ""
cdef dict tables = {}


def available():
    """Names of the copies that this processor can run, best first."""
    return tuple(tables)


def current():
    """Name of the copy in use."""
    return chosen


def use(str name):
    """Use the copy `name` from now on, in every fleet of this process.

    Raises ValueError for a copy that does not exist or that this processor cannot run.
    """
    global K, chosen
    if name not in tables:
        raise ValueError(f"kernels {name!r}: this processor runs {', '.join(tables)}")
    cdef const bw_kernels* copy = <const bw_kernels*>PyCapsule_GetPointer(tables[name], b"binwright.kernels")
    if copy.version != BW_KERNELS_VERSION or copy.size != sizeof(bw_kernels):
        raise ValueError(f"kernels {name!r}: built for another version of binwright, reinstall it")
    K = copy
    chosen = name


cdef detect():
    for name, runs in (
        ("v4", bw_cpu_has_v4()), ("v3", bw_cpu_has_v3()), ("sve", bw_cpu_has_sve()), ("base", 1),
    ):
        if not runs:
            continue
        try:
            module = importlib.import_module(f"binwright._core._kernels_{name}")
        except ModuleNotFoundError:
            continue  # not built for this platform
        tables[name] = module.table


detect()
use(os.environ.get("BINWRIGHT_KERNELS") or next(iter(tables)))
