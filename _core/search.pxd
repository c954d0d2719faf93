# The search for the rows of one host that serve the groups of a request.
#
# An assignment gives a row to every unit of a plan. *The first* is the one whose units, in order, have the earliest
# rows, each in its group's own order.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t

from binwright._core.devices cimport Forest
from binwright._core.fleet cimport Fleet
from binwright._core.groups cimport MAX_UNITS, Plan
from binwright._core.host_rows cimport HostRows
from binwright._core.matching cimport Bipartite

cdef enum Answer:
    NONE = 0             # no assignment
    FOUND = 1
    LIMIT = 2            # the search gave up after as many steps as the request allows


@cython.final
cdef class Search(HostRows):
    # Scratch of one search; `row` and `chosen` hold its answer until the next one.
    cdef Py_ssize_t graph_room       # rows that all of the scratch is made for
    cdef int64_t steps               # left
    cdef int32_t[MAX_UNITS] part     # units of one part have no row and no rule in common with those of another
    cdef int32_t[MAX_UNITS] members  # units of the part that is being solved, in order
    cdef int32_t count               # of those
    cdef Bipartite graph             # over the members of a part
    cdef Bipartite rest              # over the units that are left, while searching

    cdef int make_room(self) except -1
    cdef Answer solve(
        self, const Plan* plan, const int64_t* reserved, Py_ssize_t host, bint first, bint empty
    ) noexcept nogil

    cdef bint gathering_possible(self) noexcept nogil
    cdef void split(self) noexcept nogil
    cdef bint related(self, int32_t unit, int32_t other) noexcept nogil
    cdef bint exclusive(self) noexcept nogil
    cdef bint interchangeable(self) noexcept nogil
    cdef bint bound(self, int32_t unit) noexcept nogil
    cdef Answer matched(self, bint alone, bint first) noexcept nogil
    cdef int32_t capacity_for(self, int32_t unit, int32_t index) noexcept nogil
    cdef Answer descend(self, int32_t depth) noexcept nogil
    cdef bint allowed(self, int32_t unit, int32_t index) noexcept nogil
    cdef bint rules_hold(self, int32_t unit) noexcept nogil
    cdef bint subtree_possible(self, const uint64_t* units) noexcept nogil
    cdef bint union_possible(self, int32_t group) noexcept nogil
    cdef bint rest_possible(self, int32_t depth) noexcept nogil
