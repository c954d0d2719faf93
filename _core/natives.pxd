# An external term that is written in C: the functions that an embedder gave, and what they answer.

cimport cython
from libc.stdint cimport int32_t

from binwright._core.abi cimport bw_columns, bw_term
from binwright._core.state cimport State


@cython.final
cdef class Native:
    cdef bw_term term           # its strings are the caller's and not read: ours are those below
    cdef bint owned             # `data` is released with this object
    cdef readonly bytes name
    cdef readonly bytes rule    # None = no filter
    cdef readonly bytes score   # None = no score


cdef const char* amiss(const bw_term* given) noexcept
cdef Native native_of(const bw_term* given)
cdef void columns_of(State state, bw_columns* columns) noexcept nogil
