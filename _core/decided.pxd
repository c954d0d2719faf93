# What a batch of decisions became: the core makes the answers, arrays of the caller look into their memory.

cimport cython
from libc.stdint cimport int64_t, uint8_t


@cython.final
cdef class Cells:
    cdef readonly Py_ssize_t count
    cdef int64_t* cells        # (4, count): hosts, scores, items, positions; then uint8 (count,): verdicts
    cdef int64_t[5] one        # room for a single decision, so that it asks for no memory

    cdef uint8_t* verdicts(self) noexcept


cdef class Decided:
    cdef readonly Cells _cells
    cdef readonly object _owner        # who asked
    cdef readonly object _numbers      # class of every decision: an int, or an array of them
    cdef readonly int64_t _position    # of the journal before the first decision,
    cdef readonly int64_t _serial      # and the serial there: together the moment


cdef Decided decided(type kind, object owner, object numbers, Py_ssize_t count)
