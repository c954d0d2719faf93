# Best hosts of a float64 profile without weighing all of them exactly: bounds first, then the exact sums of those few
# that the bounds leave.
#
# `columns` has the raw values of the terms that are the same for every class, a FloatIndex what one class adds: which
# hosts are open to it, its own raw values, and per block of hosts the extremes that normalisers look at.
#
# Invariants, once the feed of changed hosts has been read:
# 1. A term's raw value of a host is `FloatScores.raw_of`, clamped; slots without a host have one, too, and are shut.
# 2. shut[h] is 0.0 for a host that passes every rule that looks at it alone, -infinity for others.
# 3. low and high of a term are its fixed bounds, or the extremes of raw values over the open hosts.
# All are derived from columns, never from what a change did, as in `index`.
#
# A decision: acc[h] = shut[h] + sum of factor * (raw - low) / (high - low), with one division a term; at most `slack`
# away from the exact total. Hosts less than twice that below the k-th highest are weighed in the scan's order of
# operations; no other can be among the first k.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from binwright._core.domain_terms cimport DomainTerms
from binwright._core.float_scores cimport FloatScores
from binwright._core.journal cimport Journal
from binwright._core.request cimport ClassView
from binwright._core.scan cimport Choice, Scan

cdef enum:
    SOME = 64              # hosts of a block here
    MOST_FLOATS = 32       # terms of a profile that is indexed; one of more is scanned
    MOST_TOP = 16          # hosts that `top` finds; for more all are weighed and sorted


cdef struct FloatView:     # of one class; owner: its FloatIndex
    int64_t edition        # of the class's static columns, and of its terms, when it was made
    int64_t terms_edition
    uint64_t counted       # bit = ref of the class of which anything is counted anywhere
    int64_t read           # entries of the feed
    int64_t turn           # of the last decision
    Py_ssize_t slots       # whole blocks
    Py_ssize_t terms       # of the profile
    double* shut           # (slots,)
    int32_t* block_open    # (blocks,) open hosts
    int64_t open
    double* raw[MOST_FLOATS]     # (slots,) of each term; NULL = the class skips it
    uint8_t[MOST_FLOATS] own     # the column is the class's
    double* block_low      # (terms, blocks) over open hosts, of terms without a fixed bound
    double* block_high
    double[MOST_FLOATS] low, high
    uint8_t[MOST_FLOATS] stale   # low and high have to be found again from the blocks'
    uint8_t* dirty         # (blocks,) a host in it was read since its extremes were found
    int32_t* touched       # (blocks,) those blocks
    int32_t touches
    uint8_t unfit          # a raw value beyond what the bounds can tell apart


cdef struct FloatStanding:      # of a class
    uint8_t asked          # a decision has been taken: the next makes an index
    FloatView* index       # NULL = none


@cython.final
cdef class FloatIndex:
    cdef FloatView view
    cdef list blocks       # addresses of the memory that it owns
    cdef int64_t bytes

    cdef void* take(self, Py_ssize_t count, Py_ssize_t size) except NULL


@cython.final
cdef class FloatIndexes:
    cdef Journal journal
    cdef Scan scan
    cdef FloatScores floats
    cdef DomainTerms terms
    cdef FloatStanding* standing      # by class number
    cdef Py_ssize_t room
    cdef dict indexes            # class number -> FloatIndex
    cdef public int64_t most_bytes   # of all of them: the least recently used make room
    cdef int64_t turn
    cdef Py_ssize_t slots        # of the columns; 0 = there are none yet
    cdef int64_t read            # entries of the feed
    cdef double* cells           # (terms, slots) raw values of terms that are alike for all classes, and where,
    cdef double* columns[MOST_FLOATS]    # by term, NULL for the others
    cdef double[MOST_FLOATS] factor      # of all hosts, as long as
    cdef uint8_t[MOST_FLOATS] mixed      # it is not known to differ by host
    cdef double[MOST_FLOATS] largest     # no factor is further from 0
    cdef double* acc             # (slots,) of the decision
    cdef double* peak            # (blocks,) highest of acc

    cdef int make_room(self, Py_ssize_t classes) except -1
    cdef int ready(self, const ClassView* request, bint soon, FloatView** found) except -1 nogil
    cdef bint carried(self, const ClassView* request) noexcept nogil
    cdef FloatView* made(self, const ClassView* request) except NULL
    cdef void read_all(self, FloatView* index, const ClassView* request) noexcept nogil
    cdef int forget(self, int32_t number) except -1
    cdef int make_columns(self) except -1
    cdef void read_shared(self, Py_ssize_t host) noexcept nogil
    cdef void read_own(self, FloatView* index, const ClassView* request, Py_ssize_t host) noexcept nogil
    cdef uint64_t counted(self, const ClassView* request) noexcept nogil
    cdef int64_t attraction(self, const ClassView* request, Py_ssize_t term, Py_ssize_t host) noexcept nogil
    cdef void close_block(self, FloatView* index, Py_ssize_t block) noexcept nogil
    cdef void settle(self, FloatView* index) noexcept nogil
    cdef bint bounds(self, const FloatView* index, double* slack) noexcept nogil
    cdef bint same(self, const FloatView* index, Py_ssize_t host, Py_ssize_t other) noexcept nogil
    cdef double weighed(self, const FloatView* index, Py_ssize_t host) noexcept nogil
    cdef Py_ssize_t top(self, const FloatView* index, Py_ssize_t most, int64_t* hosts, double* totals) noexcept nogil
    cdef bint choose(self, const ClassView* request, Choice* choice, bint soon) except -1 nogil
