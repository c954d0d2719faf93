# The indexes of a fleet: which class has one, how far it has read, and the decisions that they take.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from binwright._core.block_filter cimport BlockFilter
from binwright._core.float_index cimport FloatIndexes
from binwright._core.index cimport IndexView
from binwright._core.journal cimport Journal
from binwright._core.request cimport ClassView
from binwright._core.scan cimport Choice, Scan

cdef enum Way:
    UNSEEN = 0      # no decision yet: the first is the scan's, which costs what making an index costs
    INDEXED = 1     # by an index, where one is worth its reading and its room
    BARRED = 2      # some term is not carried, or an index would be no gain: the scan's


cdef enum:
    MET = 128       # a power of two


cdef struct Met:
    int64_t host
    int64_t turn


cdef struct Standing:          # of a class, as long as its definition stays as it was
    uint8_t way
    uint8_t carried            # the block filter decides for it, where there is no index
    int64_t edition            # of the class's static columns, and of its terms, when the way was settled
    int64_t terms_edition
    int64_t asked_at           # entries of the feed at its last decision
    int32_t bounded            # decisions by bounds for which an index would have been worth its reading
    int64_t waits              # turn before which it is not tried again to find room for an index
    IndexView* index           # NULL = none; owner: `indexes`


@cython.final
cdef class Indexes:
    cdef Journal journal
    cdef Scan scan
    cdef Standing* standing    # by class number
    cdef Py_ssize_t room
    cdef dict indexes          # class number -> Index
    cdef readonly FloatIndexes floats  # of a float64 profile
    cdef public int64_t most_bytes  # of all indexes at any decision: the least recently used make room
    cdef int64_t total         # bytes that they hold
    cdef readonly BlockFilter filter    # for decisions without an index
    cdef public bint off       # tests: every decision is the scan's
    cdef public bint none      # tests: no class has an index
    cdef int64_t turn
    cdef Met[MET] met          # by the end of its number, a host that was read: once a turn is enough
    cdef int64_t* gathered     # (resources, 2, block) while many hosts are read at once
    cdef readonly int64_t answered  # decisions taken by an index
    cdef int64_t spent         # by the last decision, in hosts scanned

    cdef int make_room(self, Py_ssize_t classes) except -1
    cdef int ready(self, const ClassView* request, bint soon, IndexView** found) except -1 nogil
    cdef bint next_best(self, const ClassView* request, Choice* choice) noexcept nogil
    cdef bint choose(self, const ClassView* request, Choice* choice, bint soon) except -1 nogil
    cdef int catch_up(self, const ClassView* request, IndexView** found) except -1 nogil
    cdef uint8_t way_of(self, const ClassView* request) noexcept nogil
    cdef int read_feed(self, IndexView* index, const ClassView* request) except -1 nogil
    cdef int renew(self, const ClassView* request) except -1
    cdef int forget(self, int32_t number) except -1
    cdef void count_anew(self, IndexView* index) noexcept nogil
    cdef int make_way(self, int32_t grown) except -1
    cdef int32_t least_used(self, int32_t but) except -2
    cdef bint find_room(self, int64_t needed) except -1
