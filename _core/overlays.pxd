# Overlays: requests that are promised to a host but not placed there. They are in no column and no counter; a request
# of lower or equal priority must fit on such a host both with them added and without.

cimport cython
from libc.stdint cimport int32_t, int64_t

from binwright._core.counters cimport Counters
from binwright._core.fleet cimport Fleet
from binwright._core.journal cimport Change, Idea, Journal
from binwright._core.request cimport Classes


cdef struct Promise:
    int32_t request      # class number, -1 = withdrawn
    int32_t host
    int32_t priority


@cython.final
cdef class Overlays(Idea):
    cdef Journal journal
    cdef Fleet fleet
    cdef Classes classes
    cdef Counters counters
    cdef Promise* promises       # by promise number; numbers are never used twice but after a rollback
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t live
    cdef Py_ssize_t room

    cdef bint concerns(self, Py_ssize_t host, int32_t priority) noexcept nogil
    cdef void apply(self, Py_ssize_t host, int32_t priority, int32_t sign) noexcept nogil
