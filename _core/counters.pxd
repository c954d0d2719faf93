# Counters: how much of something lies on each host (items that a selector matches, holders of a term, a port, a disk).
#
# cells: int64, (stride,) per counter, NULL while nothing contributes; at most 2^30 items add at most 2^16 each, so no
# sum of cells overflows. An ADDITIVE cell is the sum of its items'
# contributions, so that placing and releasing need no note of their own. A FLAG cell is a set: placing sets it,
# releasing any holder clears it, and each change of it is noted. A counter that `feeds` another adds 1 there for
# every host on which it is not 0.

cimport cython
from libc.stdint cimport int32_t, int64_t

from binwright._core.journal cimport Change, Idea, Journal

cdef enum CounterKind:
    ADDITIVE = 0
    FLAG = 1


cdef struct Counter:
    int32_t kind
    int32_t feeds      # counter, -1 = none
    int64_t total      # sum of the cells
    int64_t* cells


cdef struct Contribution:
    int32_t counter
    int32_t amount     # ADDITIVE: what one item adds
    int32_t whatif     # ADDITIVE: what it counts for when it is taken out on trial (evict)


cdef struct Contributions:
    Contribution* each
    Py_ssize_t count


@cython.final
cdef class Counters(Idea):
    cdef Journal journal
    cdef Counter* counters
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t room
    cdef Contributions* classes      # by class number
    cdef readonly Py_ssize_t class_count
    cdef Py_ssize_t class_room
    cdef Py_ssize_t stride

    cdef int need_cells(self, int32_t counter) except -1
    cdef int count_item(self, int32_t request, Py_ssize_t host, int32_t sign) except -1 nogil
    cdef void add(self, int32_t request, Py_ssize_t host, int32_t sign) noexcept nogil
    cdef void try_out(self, int32_t request, Py_ssize_t host, int32_t sign) noexcept nogil
    cdef void add_cell(self, int32_t counter, Py_ssize_t host, int64_t amount) noexcept nogil
    cdef void remember_flags(self, Py_ssize_t host, int32_t* kept) noexcept nogil
    cdef void recall_flags(self, Py_ssize_t host, const int32_t* kept) noexcept nogil
    cdef int set_flag(self, int32_t counter, Py_ssize_t host, int32_t value) except -1 nogil

    cdef inline int64_t cell(self, int32_t counter, Py_ssize_t host) noexcept nogil:
        cdef const int64_t* cells = self.counters[counter].cells
        return 0 if cells == NULL else cells[host]
