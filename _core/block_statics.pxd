# What is static of a request class and counts in its bounds, one column for all classes that say the same of hosts.
#
# extra[h] = 1 + the sum of the class's raw scores, normalised as the scan would now; 0 = a static rule rejects host h.
# Normalised scores hold for the extremes over the feasible hosts that they were made with. They are asked anew at each
# decision, of a witness: a feasible host whose raw score no eligible host exceeds. Without one, of all hosts.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t

from binwright._core.request cimport MAX_SLOTS, ClassView
from binwright._core.scan cimport Scan
from binwright._core.terms cimport Extremes


cdef struct StaticColumn:
    int32_t like               # a class whose columns these are, while it has `writes`
    int64_t writes
    uint64_t hash
    int64_t turn               # of its last use
    int64_t serial             # of its making: classes that knew another one here do not know this one
    uint16_t* extra            # (stride,)
    uint16_t* tops             # (stride / block,) the highest extra of each block
    int64_t most               # of all
    bint made                  # `extra` is of `extremes`
    Extremes[MAX_SLOTS] now    # of raw slots: over the feasible hosts, when `extra` was made
    Extremes[MAX_SLOTS] ever   # over the eligible hosts
    int32_t[MAX_SLOTS] high, low   # hosts: witnesses of `ever`, -1 = none known


cdef struct Attached:          # of a class
    int64_t writes
    int64_t serial
    int32_t column


@cython.final
cdef class BlockStatics:
    cdef Scan scan
    cdef StaticColumn* column  # (column_room,)
    cdef Py_ssize_t columns, column_room
    cdef Attached* attached    # by class number
    cdef Py_ssize_t room       # classes
    cdef Py_ssize_t hosts      # of the fleet that the columns were made for
    cdef int64_t turn, serial
    cdef public int64_t most_bytes  # of all columns

    cdef int make_room(self, Py_ssize_t classes) except -1
    cdef Py_ssize_t size_of_one(self) noexcept nogil
    cdef void forget_all(self) noexcept nogil
    cdef StaticColumn* of(self, const ClassView* request) except NULL nogil
    cdef bint settle(self, StaticColumn* column, const ClassView* request) noexcept nogil
    cdef bint reads(self, const ClassView* request, Py_ssize_t term) noexcept nogil
    cdef bint has_raw(self, const ClassView* request) noexcept nogil
    cdef int64_t without(self, const ClassView* request) noexcept nogil
    cdef bint ask_all(self, StaticColumn* column, const ClassView* request, Extremes* now) noexcept nogil
    cdef StaticColumn* new_column(self) except NULL nogil
    cdef bint same(self, const StaticColumn* column, const ClassView* request) noexcept nogil
    cdef uint64_t hash_of(self, const ClassView* request) noexcept nogil
    cdef void find_ever(self, StaticColumn* column, const ClassView* request) noexcept nogil
    cdef void fill(self, StaticColumn* column, const ClassView* request) noexcept nogil
    cdef bint witnessed(self, StaticColumn* column, const ClassView* request, int32_t slot, bint low) noexcept nogil


cdef bint feasible(Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil
