# Candidates: every way in which rows of one tree, and rows that it is linked to, serve the groups of a question.
#
# A group asks amounts of one row, or of one row per ask. A unit is what one row serves: a group that wants one row is
# one unit, any other is one unit per ask. A candidate gives a row to every unit. Units that have no row and no rule in
# common are in different *parts*; parts stand one behind another, so that a part that has no answer at all ends its
# tree. A choice is entered only if the rest of its part can still be served, as far as matchings tell.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from binwright._core.matching cimport Bipartite
from binwright._core.rowtable cimport RowTable


cdef enum Answer:
    NONE = 0             # no more candidates
    FOUND = 1
    LIMIT = 2            # gave up after as many trials as the question allows


cdef struct Ask:
    int32_t resource     # number in the table
    int32_t local        # number among the resources of the question
    int64_t amount       # > 0


cdef struct Group:
    int32_t labels       # filter on the labels of its row, or on those of all its rows together
    int32_t members      # filter on the memberships of its rows
    int32_t within       # its rows must be of this tree, -1 = any
    uint8_t one_row
    uint8_t linked       # rows that the tree is linked to may serve it
    uint8_t root_answers  # memberships of the root count for the tree's rows, and forbid what it is linked to
    uint8_t isolated     # isolated groups have different rows


cdef struct Unit:
    int32_t group
    int32_t ask          # first of its asks
    int32_t asks


cdef struct Plan:
    Ask* asks
    Group* groups
    Unit* units
    uint8_t* subtrees    # (subtree_count, units): 1 = the unit is in the set; one row of a set is above, or is, all
    int32_t group_count
    int32_t ask_count
    int32_t unit_count
    int32_t resource_count   # different resources
    int32_t subtree_count


@cython.final
cdef class Question:
    # Never changes after it was made. Owner of its plan's memory.
    cdef Plan plan

    cdef int check(self, RowTable table) except -1


@cython.final
cdef class Walk:
    # The candidates of one tree, one after another; `row` and `chosen` hold the latest.
    cdef RowTable table
    cdef Question question           # owner of the plan
    cdef const Plan* plan
    cdef int32_t tree
    cdef int32_t rows, own, words    # rows that the tree sees, those of its own, 64-bit words of them
    cdef int32_t* row                # (rows,): row number
    cdef int64_t* left               # (rows, resources): what may still be given, -1 where there is no stock
    cdef int32_t* busy               # (rows,): isolated units on it
    cdef uint64_t* can               # (units, words): rows that suit a unit alone
    cdef int32_t* chosen             # (units,): index into `row`, -1 = none
    cdef int32_t* order              # (units,): units by part
    cdef int32_t* part               # (units,): lowest unit of the part that a unit is in
    cdef int32_t* part_first         # (depths,): depth where the part of a depth begins
    cdef int32_t* part_end           # (depths,)
    cdef uint8_t* completed          # (depths,): the part that begins here was served once
    cdef int32_t depth               # where the search goes on, -1 = it is over
    cdef Bipartite graph
    cdef int32_t* line               # (units,): units of the graph

    cdef bint begin(self, int32_t tree) noexcept nogil
    cdef Answer advance(self, int64_t* steps) noexcept nogil
    cdef bint suits(self, int32_t unit, int32_t index) noexcept nogil
    cdef void split(self) noexcept nogil
    cdef bint related(self, int32_t unit, int32_t other) noexcept nogil
    cdef bint allowed(self, int32_t unit, int32_t index) noexcept nogil
    cdef void give(self, int32_t unit, int32_t index, int sign) noexcept nogil
    cdef bint rest_possible(self, int32_t first, int32_t depth, int32_t end) noexcept nogil
    cdef bint matched(self, int32_t depth, int32_t end, int32_t resource, const uint8_t* units,
                      int32_t top) noexcept nogil
    cdef bint subtree_possible(self, int32_t first, int32_t depth, int32_t end, const uint8_t* units) noexcept nogil
    cdef bint below(self, int32_t first, int32_t depth, int32_t end, const uint8_t* units, int32_t top) noexcept nogil
    cdef bint union_possible(self, int32_t first, int32_t depth, int32_t end, int32_t group) noexcept nogil


@cython.final
cdef class Candidates:
    cdef RowTable table
    cdef Question question
    cdef const int32_t[::1] trees
    cdef bint in_turn                # one candidate of each tree in turn, not one tree after another
    cdef int64_t steps               # trials allowed between two candidates
    cdef readonly bint limit_reached
    cdef readonly int32_t tree       # tree under which the latest candidate was found
    cdef Py_ssize_t at               # tree, or walk, that is next
    cdef list walks                  # in turn: those not exhausted; else: the one that is under way
    cdef set seen                    # candidates of shared rows only: other trees find them too

    cdef object take(self, Walk walk)
