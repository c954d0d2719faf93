# The plain way: every host is evaluated, block by block. `index` will answer the same, incrementally.

cimport cython
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from binwright._core.fleet cimport Fleet
from binwright._core.groups cimport Search
from binwright._core.request cimport ClassView
from binwright._core.terms cimport Extremes, Terms

cdef enum:
    FEASIBLE = 255     # "first rejecting rule" of a host that nothing rejects
    GONE = 254         # of a slot without a host

cdef enum Verdict:
    PLACED = 0
    UNSCHEDULABLE = 1      # releasing items could help
    UNRESOLVABLE = 2       # it could not
    ERROR = 3              # feasible, but committing it would overflow what is used


cdef struct Choice:
    int64_t host           # -1 = none is feasible
    int64_t score          # total of the host, -1 without one


cdef struct Refusal:
    # Of one host: what rejects it.
    uint8_t first          # position of the first rejecting rule, FEASIBLE or GONE
    uint32_t mask          # every rejecting rule, bit = position
    uint64_t short         # resources that are short, bit = resource number
    bint resolvable        # of the first rejecting rule


@cython.final
cdef class Scan:
    cdef Fleet fleet
    cdef Terms terms
    cdef int cordon_rule           # position of the cordon rule
    cdef int fit_rule              # position of the fit rule
    cdef uint32_t resolvable       # bit = position of a static rule that releasing items could lift
    cdef uint64_t always_resolvable    # bit = resource whose shortage counts as resolvable at any capacity
    cdef int rows_rule             # position of the rows rule
    cdef Search search
    # scratch of one decision, (stride,): filled by filter_all, read by the second pass
    cdef int64_t* verdict
    cdef int64_t* total
    cdef int64_t* open             # hosts open per block
    cdef Py_ssize_t room

    cdef int make_room(self) except -1
    cdef Choice choose(self, const ClassView* view) noexcept nogil
    cdef Refusal refusal(self, const ClassView* view, Py_ssize_t host) noexcept nogil
    cdef Verdict verdict_without_host(self, const ClassView* view) noexcept nogil

    cdef void filter_all(self, const ClassView* view) noexcept nogil
    cdef void ask_rows(self, const ClassView* view) noexcept nogil
    cdef void local_totals(self, const ClassView* view) noexcept nogil
    cdef void add_normalised(self, const ClassView* view) noexcept nogil
    cdef Extremes extremes(self, const int64_t* raw) noexcept nogil
    cdef Choice best(self) noexcept nogil
