# Request classes: equal requests are one class. A class has a fixed part (its demands) and, per fleet, what is
# static about each host for it: which rules reject the host, with which argument, and raw scores.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint32_t

from binwright._core.columns cimport Columns
from binwright._core.groups cimport GroupSet, Plan
from binwright._core.journal cimport Change, Idea, Journal

cdef enum:
    MAX_RULES = 31          # positions a profile may have; bit p of a reject mask is the rule at position p
    LIMITS = 31             # bit: the demand breaks the host's smallest, largest or step of one claim
    MAX_SLOTS = 16          # static raw columns of a class


cdef struct ClassView:
    # All that a nogil loop reads of a class. Borrowed pointers, refreshed whenever a column moves.
    int32_t number              # of the class
    int64_t edition             # grows when a static column is made, or changes without a note
    int64_t writes              # grows whenever somebody may write to a static column
    const int64_t* fit          # (resources,)
    const int64_t* commit
    const int64_t* score
    const int32_t* filtered     # (filters,)
    Py_ssize_t filters
    bint commits_more           # of some resource it commits more than it asks to be free
    uint32_t skips              # bit t: score term t is not run for this class
    const Plan* plan            # its groups, NULL = none
    int32_t priority            # promises of lower priority do not count for it; it may evict items of lower priority
    const uint32_t* mask        # (stride,) or NULL
    const int64_t* raw[MAX_SLOTS]    # (stride,) or NULL = all 0


@cython.final
cdef class RequestClass:
    # Never changes after it was made; shared by forks. Amounts: int64, (resources,).
    cdef readonly Py_ssize_t resources
    cdef int64_t* fit           # what a host must have free; 0 = not filtered
    cdef int64_t* commit        # what a placed one adds to used
    cdef int64_t* score         # what the resource scores see
    cdef int32_t* filtered      # resources with fit > 0, rising
    cdef Py_ssize_t filters
    cdef readonly uint32_t skips
    cdef readonly GroupSet groups   # None = none
    cdef readonly int32_t priority


@cython.final
cdef class Statics:
    # For one class in one fleet; columns of `stride` hosts, None where the class says nothing.
    cdef bint shared            # a fork or a saved state holds this object too: copy before writing
    cdef Columns mask           # uint32: bit p = the rule at position p rejects the host
    cdef dict arguments         # position of a rule -> Columns int32: the layer's argument, -1 = none
    cdef dict raw               # slot of a static score -> Columns int64, >= 0

    cdef Statics own(self)


@cython.final
cdef class Classes(Idea):
    cdef Journal journal
    cdef list classes           # RequestClass, by class number
    cdef list statics           # Statics, by class number
    cdef Py_ssize_t stride
    cdef ClassView* views       # by class number
    cdef Py_ssize_t room

    cdef Statics writable(self, Py_ssize_t number)
    cdef void refresh(self, Py_ssize_t number)
    cdef Columns argument_column(self, Statics statics, int rule)
    cdef Columns raw_column(self, Statics statics, Py_ssize_t number, int slot)
