# Score terms of a profile, compiled once: what each reads, how it is normalised, its weight.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from binwright._core.fleet cimport Fleet
from binwright._core.request cimport ClassView

cdef enum TermKind:
    LEAST = 0       # share free of each resource, weighted mean, floored
    MOST = 1        # share used
    RATIO = 2       # share used through a broken line, weighted mean, rounded
    BALANCED = 3    # evenness of the used fractions
    STATIC = 4      # a raw column of the class
    COUNT = 5       # weighted sums of counters in the host's domains
    SPREAD = 6      # evenness over domains, with a normaliser of its own

cdef enum Normaliser:
    NONE = 0
    TO_MAX = 1      # 100 * raw / max; all 0 stay 0
    REVERSED = 2    # 100 - the above; all 0 become 100
    MIN_MAX = 3     # trunc(100 * ((raw - min) / (max - min))); all equal become 0


cdef struct Term:
    int32_t kind
    int32_t normaliser     # STATIC and COUNT
    int64_t weight
    int32_t count          # resources read
    int32_t slot           # STATIC: which raw column of the class; COUNT, SPREAD: which soft term
    int32_t* columns       # (count,) resource numbers
    int64_t* weights       # (count,)
    uint8_t* optional      # (count,) left out, weight too, where the class's score demand is 0
    int64_t* table         # RATIO: score of each share 0..100


cdef struct Share:         # of one resource in a score, for one class
    const int64_t* capacity    # (stride,) columns of the fleet, until they are lengthened
    const int64_t* used
    const int64_t* widest  # the fleet's, of this resource
    int32_t resource
    int64_t demand
    int64_t weight


cdef struct LocalTerm:     # of one class: a term that looks at one host alone
    int32_t kind
    int32_t slot           # STATIC
    int64_t weight
    Py_ssize_t count
    Share* shares          # (count,)
    const int64_t* table   # RATIO


cdef struct Extremes:      # of one raw column over the feasible hosts
    int64_t low
    int64_t high


@cython.final
cdef class Terms:
    cdef Term* terms
    cdef readonly Py_ssize_t count
    cdef readonly Py_ssize_t slots       # static raw columns
    cdef readonly Py_ssize_t soft_slots  # counts and spreads
    cdef list specs                      # as given, for pickling
    cdef readonly list float_specs       # of a float64 profile, whose integer terms are none; None otherwise
    cdef bint local                      # no term needs a normaliser: one pass over the hosts is enough

    cdef void score_block(
        self, Py_ssize_t term, Fleet fleet, const ClassView* view, Py_ssize_t start, int64_t* score
    ) noexcept nogil
    cdef void compile_term(
        self, Py_ssize_t t, Fleet fleet, const ClassView* view, LocalTerm* local, Share* shares
    ) noexcept nogil
    cdef Py_ssize_t local_terms(
        self, Fleet fleet, const ClassView* view, LocalTerm* terms, Share* shares
    ) noexcept nogil
    cdef Py_ssize_t columns(self) noexcept nogil
    cdef int64_t normalised(self, Py_ssize_t term, int64_t raw, const Extremes* extremes) noexcept nogil
    cdef void normalise_block(
        self, Py_ssize_t term, const int64_t* raw, const Extremes* extremes, int64_t* score
    ) noexcept nogil


cdef int64_t local_total(
    const LocalTerm* terms, Py_ssize_t count, const ClassView* view, Py_ssize_t host
) noexcept nogil
cdef void local_totals_of(
    const LocalTerm* terms, Py_ssize_t count, const ClassView* view, const int32_t* hosts, Py_ssize_t asked,
    const int64_t* gathered, const int32_t* place, int64_t* total
) noexcept nogil
