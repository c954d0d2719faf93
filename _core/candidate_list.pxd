# All candidates of a question at once, as rows. Trees of one shape that have the same left for what is asked have the
# same candidates, row by row: they are searched once and copied.
#
# What is left of a stock counts as no more than all units together ask of it, and as nothing where it is less than the
# least that one asks: no decision of a Walk can tell more apart.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from binwright._core.candidates cimport Question, Walk
from binwright._core.rowtable cimport RowTable


cdef struct Stretch:       # of a tree's candidates in the answer, told by its key
    uint64_t hash
    int32_t shape
    int32_t tree           # that was searched
    int64_t key            # first of its numbers in `keys`
    int64_t first          # candidate
    int64_t count


cdef struct Asked:         # one stock of a shape that the question asks of
    int32_t stock          # behind the first of its tree
    int32_t local          # resource


@cython.final
cdef class CandidateList:
    cdef readonly RowTable table
    cdef readonly Question question
    cdef int32_t* rows               # (count, units): the row that serves each unit
    cdef readonly Py_ssize_t units
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t room
    cdef readonly bint limit_reached     # the search gave up: there may be more

    cdef int32_t* grown(self, Py_ssize_t more) except NULL


@cython.final
cdef class Lister:
    # Memory of one search.
    cdef RowTable table
    cdef Question question
    cdef CandidateList found
    cdef Walk walk
    cdef Py_ssize_t most
    cdef int64_t steps               # trials allowed between two candidates
    cdef int64_t left                # of them
    cdef set seen                    # candidates of shared rows only
    cdef int32_t* first_asked        # (shapes,) place in `asked` where a shape begins, -1 = not looked at yet
    cdef int32_t* asked_count        # (shapes,)
    cdef Asked* asked
    cdef Py_ssize_t asked_room, asked_taken
    cdef int64_t* least              # (resources of the question,) least amount that a unit asks
    cdef int64_t* sum                # (resources of the question,) of all units
    cdef uint8_t* some               # (resources of the question,) 1 = some row of the tree has enough for an ask
    cdef int64_t* keys
    cdef Py_ssize_t key_room, key_taken
    cdef Stretch* stretches
    cdef Py_ssize_t stretch_room, stretch_count
    cdef int32_t* slots              # open addressing: stretch, -1 = free
    cdef Py_ssize_t slot_count       # a power of two

    cdef int look_at(self, int32_t tree) except -1
    cdef int walk_below(self, int32_t tree) except -1
    cdef int name_asked(self, int32_t tree) except -1
    cdef int64_t* key_of(self, int32_t tree, uint64_t* hash) except? NULL
    cdef int32_t* slot_of(self, int32_t shape, const int64_t* key, uint64_t hash) noexcept nogil
    cdef int widen_slots(self) except -1
    cdef int repeat(self, const Stretch* stretch, int32_t tree) except -1
    cdef bint is_told(self, const int32_t* rows) except -1
