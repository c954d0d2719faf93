# The loop bodies over one block of hosts: filters, normalisers, totals, and what the files included below have.
# Included by each _kernels_*.pyx, compiled once per instruction set.
# One loop does one job: a fused mask-and-max or divide-and-sum loop loses vectorisation (CI counts the loops).
# Integers stay integers wherever the rule computes in integers; floats only where the rule does, in its order.

from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport fabs, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from binwright._core.kernels cimport (
    BW_ALL, BW_BLOCK, BW_EVEN, BW_FAN, BW_FAN_BITS, BW_INVERSE, BW_KERNELS_VERSION, BW_LEFTS, BW_TAKEN, BW_WHOLE,
    bw_bounds, bw_gain, bw_kernels, bw_left, bw_row, bw_share,
)
from binwright._core.leaves cimport (
    bw_narrow_double, fraction, mean_down, mean_nearest, percent, scaled_between, scaled_up,
)


# ---- filters -------------------------------------------------------------------------------------------------

cdef void open_hosts(const uint8_t* flags, int64_t* verdict) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        verdict[i] = -<int64_t>(flags[i] != 0)


cdef void reject(const uint32_t* mask, int64_t* verdict) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        verdict[i] |= -<int64_t>(mask[i] != 0)


cdef void fit(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t* verdict) noexcept nogil:
    # The sign of what would be left is the verdict: an OR needs no 64-bit compare, which SSE2 lacks.
    cdef int i
    for i in range(BW_BLOCK):
        verdict[i] |= capacity[i] - used[i] - demand


cdef int64_t count_open(const int64_t* verdict) noexcept nogil:
    cdef int i
    cdef int64_t rejected = 0
    for i in range(BW_BLOCK):
        rejected += <int64_t>(<unsigned long long>verdict[i] >> 63)
    return BW_BLOCK - rejected


# ---- normalisers of a raw column -----------------------------------------------------------------------------

cdef int64_t raw_max(const int64_t* raw, const int64_t* verdict, int64_t extreme) noexcept nogil:
    cdef int i
    cdef int64_t[BW_BLOCK] seen
    for i in range(BW_BLOCK):
        seen[i] = extreme if verdict[i] < 0 else raw[i]
    for i in range(BW_BLOCK):
        extreme = seen[i] if seen[i] > extreme else extreme
    return extreme


cdef int64_t raw_min(const int64_t* raw, const int64_t* verdict, int64_t extreme) noexcept nogil:
    cdef int i
    cdef int64_t[BW_BLOCK] seen
    for i in range(BW_BLOCK):
        seen[i] = extreme if verdict[i] < 0 else raw[i]
    for i in range(BW_BLOCK):
        extreme = seen[i] if seen[i] < extreme else extreme
    return extreme


cdef void scale_up(const int64_t* raw, int64_t top, int64_t* score) noexcept nogil:
    cdef int i
    cdef double whole = bw_narrow_double(top)
    for i in range(BW_BLOCK):
        score[i] = scaled_up(raw[i], top, whole)


cdef void scale_down(const int64_t* raw, int64_t top, int64_t* score) noexcept nogil:
    cdef int i
    scale_up(raw, top, score)
    for i in range(BW_BLOCK):
        score[i] = 100 - score[i]


cdef void scale_between(const int64_t* raw, int64_t low, int64_t high, int64_t* score) noexcept nogil:
    cdef int i
    cdef double whole = bw_narrow_double(high - low)
    for i in range(BW_BLOCK):
        score[i] = scaled_between(raw[i], low, high, whole)


cdef void gather(const int64_t* column, const int32_t* hosts, int64_t count, int64_t* cells) noexcept nogil:
    cdef int64_t i
    for i in range(count):
        cells[i] = column[hosts[i]]
    for i in range(count, BW_BLOCK):
        cells[i] = 0


# ---- totals --------------------------------------------------------------------------------------------------

cdef void add(const int64_t* score, int64_t weight, int64_t* total) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        total[i] += weight * score[i]


cdef void close(const int64_t* verdict, int64_t* total) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        total[i] = -1 if verdict[i] < 0 else total[i]


cdef int64_t highest(const int64_t* total) noexcept nogil:
    cdef int i
    cdef int64_t best = -1
    for i in range(BW_BLOCK):
        best = total[i] if total[i] > best else best
    return best


include "kernels_shares.pxi"
include "kernels_trees.pxi"
include "kernels_bounds.pxi"

cdef bw_kernels filled
filled.version = BW_KERNELS_VERSION
filled.size = sizeof(bw_kernels)
filled.open_hosts = open_hosts
filled.reject = reject
filled.fit = fit
filled.count_open = count_open
filled.least[0] = least_narrow
filled.least[1] = least_wide
filled.most[0] = most_narrow
filled.most[1] = most_wide
filled.ratio[0] = ratio_narrow
filled.ratio[1] = ratio_wide
filled.mean_floor = mean_floor
filled.mean_round = mean_round
filled.balance_two[0] = balance_two_narrow
filled.balance_two[1] = balance_two_wide
filled.balance_any = balance_any
filled.raw_max = raw_max
filled.raw_min = raw_min
filled.scale_up = scale_up
filled.scale_down = scale_down
filled.scale_between = scale_between
filled.add = add
filled.close = close
filled.highest = highest
filled.gather = gather
filled.fold_keys = fold_keys
filled.climb = climb
filled.descend = descend
filled.succeed = succeed
filled.shade[0] = shade_narrow
filled.shade[1] = shade_wide
filled.bound = bound
filled.potential = potential
filled.top = top
filled.find = find

table = PyCapsule_New(<void*>&filled, b"binwright.kernels", NULL)
