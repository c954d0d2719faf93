# The search for the rows of one host that serve the groups of a request.
#
# An assignment gives a row to every unit of a plan. *The first* is the one whose units, in order, have the earliest
# rows, each in its group's own order. Rows of a host are ordered: the host itself, its rows in order of creation, then
# what it is linked to, ascending.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t

from binwright._core.devices cimport Forest
from binwright._core.fleet cimport Fleet
from binwright._core.groups cimport MAX_UNITS, Ask, Key, Plan, Unit
from binwright._core.matching cimport Bipartite
from binwright._core.numa cimport Packing, Wish

cdef enum Answer:
    NONE = 0             # no assignment
    FOUND = 1
    LIMIT = 2            # the search gave up after as many steps as the request allows


@cython.final
cdef class Search:
    # Scratch of one search; `row` and `chosen` hold its answer until the next one.
    cdef Forest forest
    cdef Fleet fleet
    cdef Py_ssize_t room             # rows that the scratch is made for
    # the question
    cdef const Plan* plan
    cdef const int64_t* reserved     # (resources,): what the request takes of the host beside its groups
    cdef int32_t host
    cdef bint empty                  # as if nothing were used
    cdef int64_t steps               # left
    # the rows of the host, (rows,)
    cdef int32_t rows, own, words    # `own` of them are its own tree
    cdef int32_t cells               # of the host, where the plan states an order
    cdef int32_t* row                # row number, ~slot of a host
    # units, (units,)
    cdef uint64_t* can               # (units, words): the rows that suit a unit alone
    cdef int32_t[MAX_UNITS] chosen   # index into `row`, -1 = none yet
    cdef int32_t[MAX_UNITS] part     # units of one part have no row and no rule in common with those of another
    cdef int32_t[MAX_UNITS] members  # units of the part that is being solved, in order
    cdef int32_t count               # of those
    cdef Bipartite graph             # over the members of a part
    cdef Bipartite rest              # over the units that are left, while searching
    cdef int32_t* order              # (units, rows): rows of a unit in its group's order
    cdef int64_t* free               # (rows,)
    cdef Packing packing

    cdef int make_room(self) except -1
    cdef Answer solve(
        self, const Plan* plan, const int64_t* reserved, Py_ssize_t host, bint first, bint empty
    ) noexcept nogil
    cdef int commit(self, int32_t item) except -1 nogil

    cdef void gather_rows(self) noexcept nogil
    cdef bint suits(self, int32_t unit, int32_t index) noexcept nogil
    cdef bint left(self, int32_t index, int32_t resource, int64_t* free, int64_t* largest) noexcept nogil
    cdef bint suits_cell(self, const Wish* wish, int32_t row) noexcept nogil
    cdef void sort_by(self, const Key* key, int32_t* order, int32_t count) noexcept nogil
    cdef int64_t key_of(self, const Key* key, int32_t index) noexcept nogil
    cdef bint gathering_possible(self) noexcept nogil
    cdef int commit_cell(self, int32_t item, const Unit* unit, int32_t row) except -1 nogil
    cdef int64_t given(self, int32_t index, int32_t resource) noexcept nogil
    cdef bint may_be_claimed(self, int32_t row, const Ask* ask) noexcept nogil
    cdef void split(self) noexcept nogil
    cdef bint related(self, int32_t unit, int32_t other) noexcept nogil
    cdef bint exclusive(self) noexcept nogil
    cdef bint interchangeable(self) noexcept nogil
    cdef bint bound(self, int32_t unit) noexcept nogil
    cdef Answer matched(self, bint alone, bint first) noexcept nogil
    cdef int32_t capacity_for(self, int32_t unit, int32_t index) noexcept nogil
    cdef int32_t sort(self, int32_t unit, int32_t* order) noexcept nogil
    cdef Answer descend(self, int32_t depth) noexcept nogil
    cdef bint allowed(self, int32_t unit, int32_t index) noexcept nogil
    cdef bint rules_hold(self, int32_t unit) noexcept nogil
    cdef bint subtree_possible(self, const uint64_t* units) noexcept nogil
    cdef bint union_possible(self, int32_t group) noexcept nogil
    cdef bint rest_possible(self, int32_t depth) noexcept nogil
