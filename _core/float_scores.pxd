# Scores of a float64 profile: raw values in double, scaled to a span, times a multiplier per host, summed in order.
#
# A host column is float64, (stride,): a ratio or a multiplier that differs by host. Hosts added later get `fresh`.

cimport cython
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from binwright._core.columns cimport Columns
from binwright._core.domain_terms cimport DomainTerms
from binwright._core.fleet cimport Fleet
from binwright._core.journal cimport Change, Idea, Journal
from binwright._core.request cimport ClassView

cdef inline int64_t bits_of(double value) noexcept nogil:
    cdef int64_t bits
    memcpy(&bits, &value, 8)
    return bits


cdef inline double scaled(double raw, double low, double high) noexcept nogil:
    return 0.0 if low == high else (raw - low) / (high - low)


cdef enum FloatKind:
    FREE = 0       # capacity * ratio - used, in double; the demand is not subtracted
    USED = 1       # used
    RAW = 2        # a raw column of the class
    NEAR = 3       # weighted sums of counters in the host's domains


cdef struct FloatTerm:
    int32_t kind
    int32_t resource      # FREE, USED
    int32_t ratio         # FREE: host column, -1 = capacity - used in integers
    int32_t slot          # RAW: raw slot of the class; NEAR: soft term
    int32_t multiplier    # host column, -1 = `weight` for every host
    double weight
    double low, high      # fixed bounds of the raw value, NaN = the smallest and largest seen


@cython.final
cdef class FloatScores(Idea):
    cdef Journal journal
    cdef Fleet fleet
    cdef DomainTerms domain_terms
    cdef FloatTerm* terms
    cdef bint floating                 # the profile computes in float64
    cdef readonly Py_ssize_t count     # terms
    cdef list specs
    cdef list columns                  # host columns
    cdef list fresh                    # their values for hosts that are added
    cdef double** cells                # where the columns are now
    cdef double* raw                   # (stride,) scratch; the three are NULL unless floating
    cdef double* total                 # (stride,) of the last decision, read where the verdict is open
    cdef int64_t* counts               # (stride,) scratch
    cdef Py_ssize_t stride

    cdef int point_at_columns(self) except -1
    cdef int make_scratch(self, Py_ssize_t stride) except -1
    cdef void fill_raw(self, Py_ssize_t term, const ClassView* view, const int64_t* verdict) noexcept nogil
    cdef double raw_of(self, Py_ssize_t term, const ClassView* view, Py_ssize_t host) noexcept nogil
    cdef void normalise(self, Py_ssize_t term, const int64_t* verdict) noexcept nogil
    cdef int64_t choose(self, const ClassView* view, const int64_t* verdict) noexcept nogil

    cdef inline double factor(self, Py_ssize_t term, Py_ssize_t host) noexcept nogil:
        cdef const FloatTerm* t = self.terms + term
        return t.weight if t.multiplier < 0 else self.cells[t.multiplier][host]
