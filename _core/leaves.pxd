# Arithmetic of one host, shared by the block kernels (a loop over these, compiled per instruction set) and by what
# looks at one host at a time. Integers stay integers wherever the rule computes in integers; floats only where the
# rule does, in its order.

from libc.math cimport floor
from libc.stdint cimport int32_t, int64_t

cdef extern from "binwright/numbers.h" nogil:
    double bw_narrow_double(int64_t value) noexcept


cdef inline int64_t percent(int64_t part, int64_t whole, bint wide) noexcept nogil:
    # floor(part * 100 / whole) for 0 <= part <= whole, whole > 0. The double quotient of integers below 2^52 has
    # the exact floor: two such quotients that straddle an integer differ by more than its rounding error.
    if wide:
        return part * 100 // whole
    return <int64_t><int32_t>(bw_narrow_double(part * 100) / bw_narrow_double(whole))


cdef inline int64_t mean_down(int64_t sum, int64_t weight) noexcept nogil:
    # Weighted shares stay below 2^31 (profiles bound the weights), so the quotient is exact as in percent().
    return <int64_t><int32_t>(bw_narrow_double(sum) / bw_narrow_double(weight))


cdef inline int64_t mean_nearest(int64_t sum, int64_t weight) noexcept nogil:
    # Half away from zero: floor((2 sum + weight) / (2 weight)).
    return <int64_t><int32_t>(bw_narrow_double(2 * sum + weight) / bw_narrow_double(2 * weight))


cdef inline double fraction(int64_t capacity, int64_t used, int64_t demand, bint wide) noexcept nogil:
    # used / capacity, at most 1. Needs capacity > 0.
    cdef int64_t taken = used + demand
    taken = taken if taken < capacity else capacity
    if wide:
        return <double>taken / <double>capacity
    return bw_narrow_double(taken) / bw_narrow_double(capacity)


cdef inline int64_t scaled_up(int64_t raw, int64_t top, double whole) noexcept nogil:
    # 100 * raw / top, top > 0; `whole` is the double of top. Rejected hosts may lie above top.
    cdef int64_t value = raw if raw < top else top
    return <int64_t><int32_t>(bw_narrow_double(100 * value) / whole)


cdef inline int64_t scaled_between(int64_t raw, int64_t low, int64_t high, double whole) noexcept nogil:
    # trunc(100.0 * ((raw - low) / (high - low))): the quotient is rounded before it is multiplied. `whole` is the
    # double of high - low, which is below 2^52.
    cdef int64_t value = raw if raw < high else high
    value = value - low if value > low else 0
    return <int64_t><int32_t>(100.0 * (bw_narrow_double(value) / whole))


cdef inline int64_t rounded(double x) noexcept nogil:
    # Half away from zero for x >= 0; floor(x + 0.5) would round 0.49999999999999994 up.
    cdef double below = floor(x)
    return <int64_t>below + (x - below >= 0.5)
