# Pools: rows without a root, each seen by some hosts and held whole by one claim; and the claims, which outlive the
# items that brought them.
#
# A claim takes, on the host that its request is placed on, the row that it holds already or the smallest free one that
# is large enough, lowest number first. Where it finds none, a row may be made for it: then it is pinned to that host.
# Rows, claims and lists of claims are definitions, with what a claim holds and where it is pinned from the start; what
# changes of that later is state.
#
# Invariants: a row has at most one holder; a claim's `held` is the lowest row whose holder it is.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t

from binwright._core.journal cimport Change, Idea, Journal

cdef enum:
    EVERYWHERE = -1      # in place of a member set: every host, those that are added later too
    NOWHERE = -2         # no host
    UNPINNED = -1
    ELSEWHERE = -2       # pinned to a host that is not of this fleet

cdef enum Fitting:
    FITS = 0
    NO_ROW = 1           # no row is left, and none can be made; or pinned to another host
    NO_ROOM = 2          # a row could be made, had its host the room


cdef struct PoolRow:
    int64_t size
    int32_t host         # the one host that sees it, or EVERYWHERE: see `seen`; NOWHERE = that host is gone for good
    int32_t seen         # member set, EVERYWHERE or NOWHERE
    int32_t holder       # claim, -1 = nobody
    int32_t offered      # 1 = some claim could have it, or held it from the start


cdef struct PoolClaim:
    int64_t size
    int32_t pinned       # host slot, UNPINNED or ELSEWHERE
    int32_t held         # row, the lowest of several, -1 = none
    int32_t candidates   # number of a list of rows, smallest first
    int32_t may          # member set where a row may be made, EVERYWHERE or NOWHERE
    int32_t room         # member set where there is room for it, EVERYWHERE or NOWHERE


cdef struct Listed:      # a list of numbers in the arena
    int32_t first
    int32_t count


@cython.final
cdef class Pools(Idea):
    cdef Journal journal
    cdef PoolRow* rows
    cdef readonly Py_ssize_t row_count
    cdef Py_ssize_t row_room
    cdef PoolClaim* claims
    cdef readonly Py_ssize_t claim_count
    cdef Py_ssize_t claim_room
    cdef Listed* lists           # lists of candidate rows, and of the claims of a request, by number
    cdef Py_ssize_t list_count, list_room
    cdef int32_t* arena
    cdef Py_ssize_t arena_count, arena_room
    cdef dict number_of          # content of a list -> its number
    cdef int32_t* chosen         # scratch of one question: the row of each claim of the longest list, -1 = none
    cdef Py_ssize_t longest

    cdef int add_list(self, tuple numbers) except -1
    cdef bint sees(self, Py_ssize_t host, int32_t row, uint8_t** members) noexcept nogil
    cdef int32_t choose(self, int32_t claim, Py_ssize_t host, int32_t before, uint8_t** members) noexcept nogil
    cdef bint is_taken(self, int32_t row, int32_t before) noexcept nogil
    cdef Fitting making(self, int32_t claim, Py_ssize_t host, uint8_t** members) noexcept nogil
    cdef Fitting test(self, int32_t wanted, Py_ssize_t host, uint8_t** members) noexcept nogil
    cdef int commit(self, int32_t wanted, Py_ssize_t host, uint8_t** members) except -1 nogil
    cdef bint lists_numbers_below(self, Py_ssize_t number, Py_ssize_t limit) noexcept
    cdef int set_holder(self, int32_t row, int32_t claim) except -1 nogil
    cdef int set_held(self, int32_t claim, int32_t row) except -1 nogil
    cdef int set_pinned(self, int32_t claim, int32_t host) except -1 nogil
