# The plain way: every host is evaluated, block by block. `index` will answer the same, incrementally.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from binwright._core.counters cimport Counters
from binwright._core.domain_terms cimport DomainTerms
from binwright._core.externals cimport Externals
from binwright._core.fleet cimport Fleet
from binwright._core.float_scores cimport FloatScores
from binwright._core.overlays cimport Overlays
from binwright._core.request cimport ClassView
from binwright._core.search cimport Search
from binwright._core.terms cimport Extremes, Terms
from binwright._core.windows cimport Window

cdef enum:
    FEASIBLE = 255     # "first rejecting rule" of a host that nothing rejects
    GONE = 254         # of a slot without a host
    UNASKED = 253      # of a host beyond the decision's window

cdef enum Verdict:
    PLACED = 0
    UNSCHEDULABLE = 1      # releasing items could help
    UNRESOLVABLE = 2       # it could not
    ERROR = 3              # feasible, but committing it would overflow what is used


cdef struct Choice:
    int64_t host           # -1 = none is feasible
    int64_t score          # total of the host, -1 without one; the bits of a double in a float64 profile


cdef struct Refusal:
    # Of one host: what rejects it.
    uint8_t first          # position of the first rejecting rule, FEASIBLE or GONE
    uint32_t mask          # every rejecting rule, bit = position
    uint64_t short         # resources that are short, bit = resource number
    bint resolvable        # of the first rejecting rule
    int32_t argument       # of the first rejecting rule where a domain term speaks for it, -1 = none


@cython.final
cdef class Scan:
    cdef Fleet fleet
    cdef Terms terms
    cdef DomainTerms domain_terms
    cdef Counters counters
    cdef Overlays overlays
    cdef Externals externals
    cdef Window window
    cdef FloatScores floats
    cdef bint floating             # the profile computes in float64
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
    cdef int64_t* raw              # raw and normalised scores of one soft term, where the profile has any
    cdef int64_t* score
    cdef int32_t* kept_flags       # (counters,) of one host while promises are added to it
    cdef Py_ssize_t kept_room
    cdef Py_ssize_t room
    cdef public int64_t threads        # that a decision may use; they change nothing but its time

    cdef int make_room(self) except -1
    cdef int choose(self, const ClassView* view, Choice* choice, bint move_window) except -1 nogil
    cdef int ask_externals(self, const ClassView* view) except -1 nogil
    cdef int apply_domain_terms(self, const ClassView* view) except -1 nogil
    cdef void soft_scores(self, Py_ssize_t term, const ClassView* view) noexcept nogil
    cdef bint idle(self, Py_ssize_t term, const ClassView* view) noexcept nogil
    cdef void count_all(self) noexcept nogil
    cdef void settle_promises(self, const ClassView* view) noexcept nogil
    cdef Refusal refusal(self, const ClassView* view, Py_ssize_t host) noexcept nogil
    cdef Refusal refusal_as_it_is(self, const ClassView* view, Py_ssize_t host) noexcept nogil
    cdef Refusal refusal_with_promises(self, const ClassView* view, Py_ssize_t host) noexcept nogil
    cdef void promise(self, const ClassView* view, Py_ssize_t host, int32_t sign) noexcept nogil
    cdef Verdict verdict_without_host(self, const ClassView* view) noexcept nogil

    cdef void filter_all(self, const ClassView* view) noexcept nogil
    cdef void ask_rows(self, const ClassView* view) noexcept nogil
    cdef void local_totals(self, const ClassView* view) noexcept nogil
    cdef void add_normalised(self, const ClassView* view) noexcept nogil
    cdef Extremes extremes(self, const int64_t* raw) noexcept nogil
    cdef Choice best(self) noexcept nogil
