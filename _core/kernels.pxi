# The loop bodies over one block of hosts. Included by each _kernels_*.pyx, compiled once per instruction set.
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


# ---- shares of one resource ----------------------------------------------------------------------------------

cdef inline void add_least(
    const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight, int64_t* sums, int64_t* weights,
    bint wide,
) noexcept nogil:
    cdef int i
    cdef int64_t free, whole
    for i in range(BW_BLOCK):
        free = capacity[i] - used[i] - demand
        free = free if free > 0 else 0
        whole = capacity[i] if capacity[i] > 0 else 1
        sums[i] += weight * percent(free, whole, wide)
    for i in range(BW_BLOCK):
        weights[i] += weight if capacity[i] > 0 else 0


cdef inline void add_most(
    const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight, int64_t* sums, int64_t* weights,
    bint wide,
) noexcept nogil:
    cdef int i
    cdef int64_t taken, whole
    for i in range(BW_BLOCK):
        taken = used[i] + demand
        taken = taken if taken < capacity[i] else capacity[i]
        whole = capacity[i] if capacity[i] > 0 else 1
        sums[i] += weight * percent(taken, whole, wide)
    for i in range(BW_BLOCK):
        weights[i] += weight if capacity[i] > 0 else 0


cdef inline void add_ratio(
    const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight, const int64_t* table,
    int64_t* sums, int64_t* weights, bint wide,
) noexcept nogil:
    # A share of 0 takes its weight out of the mean as well.
    cdef int i
    cdef int64_t taken, whole
    cdef int64_t[BW_BLOCK] share
    for i in range(BW_BLOCK):
        taken = used[i] + demand
        taken = taken if taken < capacity[i] else capacity[i]
        whole = capacity[i] if capacity[i] > 0 else 1
        share[i] = percent(taken, whole, wide)
    for i in range(BW_BLOCK):
        share[i] = table[share[i]]
    for i in range(BW_BLOCK):
        share[i] = share[i] if capacity[i] > 0 else 0
    for i in range(BW_BLOCK):
        sums[i] += weight * share[i]
    for i in range(BW_BLOCK):
        weights[i] += weight if share[i] > 0 else 0


cdef void least_narrow(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                       int64_t* sums, int64_t* weights) noexcept nogil:
    add_least(capacity, used, demand, weight, sums, weights, False)


cdef void least_wide(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                     int64_t* sums, int64_t* weights) noexcept nogil:
    add_least(capacity, used, demand, weight, sums, weights, True)


cdef void most_narrow(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                      int64_t* sums, int64_t* weights) noexcept nogil:
    add_most(capacity, used, demand, weight, sums, weights, False)


cdef void most_wide(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                    int64_t* sums, int64_t* weights) noexcept nogil:
    add_most(capacity, used, demand, weight, sums, weights, True)


cdef void ratio_narrow(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                       const int64_t* table, int64_t* sums, int64_t* weights) noexcept nogil:
    add_ratio(capacity, used, demand, weight, table, sums, weights, False)


cdef void ratio_wide(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                     const int64_t* table, int64_t* sums, int64_t* weights) noexcept nogil:
    add_ratio(capacity, used, demand, weight, table, sums, weights, True)


cdef void mean_floor(const int64_t* sums, const int64_t* weights, int64_t* score) noexcept nogil:
    cdef int i
    cdef int64_t weight
    for i in range(BW_BLOCK):
        weight = weights[i] if weights[i] > 0 else 1
        score[i] = mean_down(sums[i], weight)


cdef void mean_round(const int64_t* sums, const int64_t* weights, int64_t* score) noexcept nogil:
    cdef int i
    cdef int64_t weight
    for i in range(BW_BLOCK):
        weight = weights[i] if weights[i] > 0 else 1
        score[i] = mean_nearest(sums[i], weight)


# ---- evenness of several resources ---------------------------------------------------------------------------

cdef inline void balance_pair(
    const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand, int64_t* score, bint wide,
) noexcept nogil:
    cdef int i
    cdef const int64_t* capacity0 = capacity[0]
    cdef const int64_t* capacity1 = capacity[1]
    cdef const int64_t* used0 = used[0]
    cdef const int64_t* used1 = used[1]
    cdef int64_t demand0 = demand[0], demand1 = demand[1]
    cdef int64_t whole
    cdef double[BW_BLOCK] first
    cdef double[BW_BLOCK] second
    for i in range(BW_BLOCK):
        whole = capacity0[i] if capacity0[i] > 0 else 1
        first[i] = fraction(whole, used0[i], demand0, wide)
    for i in range(BW_BLOCK):
        whole = capacity1[i] if capacity1[i] > 0 else 1
        second[i] = fraction(whole, used1[i], demand1, wide)
    for i in range(BW_BLOCK):
        first[i] = fabs(first[i] - second[i]) / 2
    for i in range(BW_BLOCK):
        score[i] = <int64_t><int32_t>((1.0 - first[i]) * 100.0)
    # A resource without capacity is left out, and one resource alone is even.
    for i in range(BW_BLOCK):
        score[i] = score[i] if capacity0[i] > 0 else 100
    for i in range(BW_BLOCK):
        score[i] = score[i] if capacity1[i] > 0 else 100


cdef void balance_two_narrow(const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand,
                             int64_t* score) noexcept nogil:
    balance_pair(capacity, used, demand, score, False)


cdef void balance_two_wide(const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand,
                           int64_t* score) noexcept nogil:
    balance_pair(capacity, used, demand, score, True)


cdef void balance_any(const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand,
                      int64_t count, int64_t* score) noexcept nogil:
    cdef int i
    cdef int64_t c, present
    cdef double total, mean, spread, share, first, second
    for i in range(BW_BLOCK):
        present = 0
        total = first = second = 0.0
        for c in range(count):
            if capacity[c][i] <= 0:
                continue
            share = fraction(capacity[c][i], used[c][i], demand[c], True)
            total += share
            if present == 0:
                first = share
            elif present == 1:
                second = share
            present += 1
        spread = 0.0
        if present == 2:
            spread = fabs(first - second) / 2
        elif present > 2:
            mean = total / present
            for c in range(count):
                if capacity[c][i] > 0:
                    share = fraction(capacity[c][i], used[c][i], demand[c], True)
                    spread += (share - mean) * (share - mean)
            spread = sqrt(spread / present)
        score[i] = <int64_t>((1.0 - spread) * 100.0)


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


# ---- trees of keys -------------------------------------------------------------------------------------------

cdef inline uint16_t largest_key(const uint16_t* fan) noexcept nogil:
    cdef int i
    cdef uint16_t largest = 0
    for i in range(BW_FAN):
        largest = fan[i] if fan[i] > largest else largest
    return largest


cdef inline int64_t first_of_key(const uint16_t* fan, uint16_t key) noexcept nogil:
    # A minimum over all, not a search: no branch to mispredict. The key is there.
    cdef int i
    cdef uint16_t[BW_FAN] place
    cdef uint16_t first = BW_FAN
    for i in range(BW_FAN):
        place[i] = <uint16_t>i if fan[i] == key else BW_FAN
    for i in range(BW_FAN):
        first = place[i] if place[i] < first else first
    return first


cdef void fold_keys(const uint16_t* keys, int64_t fans, uint16_t* above) noexcept nogil:
    cdef int64_t i
    for i in range(fans):
        above[i] = largest_key(keys + i * BW_FAN)


cdef uint16_t[2 * BW_FAN] all_but_one  # a window of BW_FAN on it that begins at BW_FAN - i has 0 at i, else all ones

for number in range(2 * BW_FAN):
    all_but_one[<int>number] = 0 if number == BW_FAN else 0xFFFF


cdef inline uint16_t largest_other(const uint16_t* fan, int64_t but, uint16_t largest) noexcept nogil:
    cdef int i
    cdef const uint16_t* window = all_but_one + BW_FAN - but
    cdef uint16_t key
    for i in range(BW_FAN):
        key = fan[i] & window[i]
        largest = key if key > largest else largest
    return largest


cdef inline int64_t first_other(const uint16_t* fan, int64_t but, uint16_t key) noexcept nogil:
    cdef int i
    cdef const uint16_t* window = all_but_one + BW_FAN - but
    cdef uint16_t[BW_FAN] place
    cdef uint16_t first = BW_FAN
    for i in range(BW_FAN):
        place[i] = <uint16_t>i if (fan[i] & window[i]) == key else BW_FAN
    for i in range(BW_FAN):
        first = place[i] if place[i] < first else first
    return first


cdef void climb(uint16_t* const* level, int64_t depth, int64_t slot, uint16_t key) noexcept nogil:
    # The new key is written after its fan was read: a wide load right after a narrow store into it would stall.
    cdef int64_t l, above
    cdef uint16_t before, largest, now
    for l in range(depth - 1):
        above = slot >> BW_FAN_BITS
        before = level[l][slot]
        largest = level[l + 1][above]
        now = key
        if key < largest:
            if before < largest:
                level[l][slot] = key
                return
            now = largest_other(level[l] + (above << BW_FAN_BITS), slot & (BW_FAN - 1), key)
        level[l][slot] = key
        if now == largest:
            return
        slot = above
        key = now
    level[depth - 1][slot] = key


cdef int64_t descend(uint16_t* const* level, int64_t depth) noexcept nogil:
    cdef int64_t l, slot = 0
    cdef uint16_t key = largest_key(level[depth - 1])
    if key == 0:
        return -1
    for l in range(depth - 1, -1, -1):
        slot = (slot << BW_FAN_BITS) + first_of_key(level[l] + (slot << BW_FAN_BITS), key)
    return slot


cdef int64_t succeed(uint16_t* const* level, int64_t depth, int64_t slot, uint16_t key) noexcept nogil:
    # No slot before this one has its key: on the way up, the first fan in which another one has it has the next. Fans
    # are searched before they are written (see climb).
    cdef int64_t l = 0, each, first
    cdef uint16_t most = level[0][slot], now
    cdef uint16_t* fan
    while True:
        each = slot & (BW_FAN - 1)
        slot >>= BW_FAN_BITS
        fan = level[l] + (slot << BW_FAN_BITS)
        now = largest_other(fan, each, key)
        if now == most or l == depth - 1:
            break
        fan[each] = key
        key = now
        l += 1
    first = first_other(fan, each, now)
    if key == now and each < first:
        first = each
    fan[each] = key
    slot = (slot << BW_FAN_BITS) + first
    while l:
        l -= 1
        slot = (slot << BW_FAN_BITS) + first_of_key(level[l] + (slot << BW_FAN_BITS), now)
    return slot


# ---- bounds in 16 bits ---------------------------------------------------------------------------------------

cdef inline void shade_block(
    const int64_t* capacity, const int64_t* used, int64_t size, uint16_t* room, uint16_t* inverse, bint wide,
) noexcept nogil:
    cdef int i
    cdef int64_t free, whole
    cdef int32_t cut
    cdef double one = <double>BW_INVERSE * <double>size, part
    cdef double[BW_BLOCK] share
    cdef double[BW_BLOCK] rest
    for i in range(BW_BLOCK):
        whole = capacity[i] if capacity[i] > 0 else 1
        share[i] = 1.0 / (<double>whole if wide else bw_narrow_double(whole))
    for i in range(BW_BLOCK):
        free = capacity[i] - used[i]
        free = free if free > 0 else 0
        rest[i] = <double>free if wide else bw_narrow_double(free)
    for i in range(BW_BLOCK):
        # One more than the floor is at least the quotient, however it was rounded; nothing free stays nothing.
        cut = <int32_t>(rest[i] * share[i] * BW_WHOLE) + 1
        cut = cut if cut < BW_WHOLE else BW_WHOLE
        room[i] = <uint16_t>(cut if rest[i] > 0 else 0)
    for i in range(BW_BLOCK):
        part = one * share[i]
        part = part if part < BW_INVERSE else BW_INVERSE
        inverse[i] = <uint16_t><int32_t>part


cdef void shade_narrow(const int64_t* capacity, const int64_t* used, int64_t size, uint16_t* room,
                       uint16_t* inverse) noexcept nogil:
    shade_block(capacity, used, size, room, inverse, False)


cdef void shade_wide(const int64_t* capacity, const int64_t* used, int64_t size, uint16_t* room,
                     uint16_t* inverse) noexcept nogil:
    shade_block(capacity, used, size, room, inverse, True)


cdef int64_t top(const uint16_t* key) noexcept nogil:
    cdef int i, c
    cdef uint16_t[BW_FAN] most
    for i in range(BW_FAN):
        most[i] = key[i]
    for c in range(1, BW_BLOCK // BW_FAN):
        key += BW_FAN
        for i in range(BW_FAN):
            most[i] = key[i] if key[i] > most[i] else most[i]
    return largest_key(most)


cdef int64_t find(const uint16_t* key, int64_t value) noexcept nogil:
    cdef int c
    cdef uint16_t place
    for c in range(BW_BLOCK // BW_FAN):
        place = <uint16_t>first_of_key(key + c * BW_FAN, <uint16_t>value)
        if place < BW_FAN:
            return c * BW_FAN + place
    return -1


cdef inline uint16_t less(uint16_t a, uint16_t b) noexcept nogil:
    # a - b, at least 0.
    return a - (b if b < a else a)


cdef inline void leave(const uint16_t* room, const uint16_t* inverse, uint16_t demand, uint16_t shift, uint16_t* left,
                       uint16_t* lacks) noexcept nogil:
    cdef int i
    cdef uint16_t most = <uint16_t>(0xFFFF >> shift), taken
    if shift == 0:
        for i in range(BW_BLOCK):
            taken = <uint16_t>((<uint32_t>inverse[i] * demand) >> 16)
            lacks[i] |= less(taken, room[i])
            left[i] = less(room[i], taken)
        return
    for i in range(BW_BLOCK):
        taken = <uint16_t>((<uint32_t>inverse[i] * demand) >> 16)
        taken = taken if taken < most else most
        taken = <uint16_t>(taken << shift)
        lacks[i] |= less(taken, room[i])
        left[i] = less(room[i], taken)


cdef inline void gain_free(const uint16_t* left, uint16_t weight, uint16_t* sums) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        sums[i] += weight * (left[i] >> 9)


cdef inline void gain_taken(const uint16_t* left, uint16_t slack, uint16_t weight, uint16_t* sums) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        sums[i] += weight * (<uint16_t>(BW_WHOLE - less(left[i], slack)) >> 9)


cdef inline void gain_some(const uint16_t* left, const uint16_t* room, const uint16_t* inverse, uint16_t weight,
                           uint16_t* sums) noexcept nogil:
    # No room and the largest inverse: full, or without the resource, which the mean then leaves out; 100 is no less.
    cdef int i
    cdef uint16_t[BW_BLOCK] share
    for i in range(BW_BLOCK):
        share[i] = 100 if room[i] == 0 and inverse[i] == BW_INVERSE else left[i] >> 9
    for i in range(BW_BLOCK):
        sums[i] += weight * share[i]


cdef inline void gain_mean(const uint16_t* sums, uint16_t factor, uint16_t weight, uint16_t* total) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        total[i] += weight * <uint16_t>((<uint32_t>sums[i] * factor) >> 16)


cdef inline void gain_even(const uint16_t* low, const uint16_t* high, uint16_t factor, uint16_t slack, uint16_t weight,
                           uint16_t* total) noexcept nogil:
    # Of n numbers of range r the deviation is at least r / sqrt(2 n), and just that of two.
    cdef int i
    cdef uint16_t apart
    for i in range(BW_BLOCK):
        apart = less(<uint16_t>(high[i] - low[i]), slack)
        apart = <uint16_t>((<uint32_t>apart * factor) >> 16)
        total[i] += weight * (<uint16_t>(BW_WHOLE + 1 - apart) >> 9)


cdef inline void stretch(const uint16_t* left, uint16_t* low, uint16_t* high) noexcept nogil:
    cdef int i
    for i in range(BW_BLOCK):
        low[i] = left[i] if left[i] < low[i] else low[i]
    for i in range(BW_BLOCK):
        high[i] = left[i] if left[i] > high[i] else high[i]


cdef int64_t bound(
    const bw_bounds* bounds, const uint16_t* cells, const uint16_t* extra, uint16_t* key
) noexcept nogil:
    cdef int i, l, g, s
    cdef const bw_left* left
    cdef const bw_gain* gain
    cdef const bw_share* share
    cdef const uint16_t* column
    cdef bw_row lacks
    cdef bw_row total
    cdef bw_row sums
    cdef bw_row high
    cdef bw_row[BW_LEFTS] lefts
    column = cells + 2 * bounds.resources * BW_BLOCK
    for i in range(BW_BLOCK):
        lacks.cell[i] = column[i]
    for l in range(bounds.lefts):
        left = bounds.left + l
        column = cells + 2 * left.resource * BW_BLOCK
        leave(
            column, column + BW_BLOCK, left.demand, left.shift, lefts[l].cell,
            lacks.cell if left.filtered else high.cell,
        )
    for i in range(BW_BLOCK):
        total.cell[i] = extra[i]
    for g in range(bounds.gains):
        gain = bounds.gain + g
        if gain.kind == BW_ALL:
            for i in range(BW_BLOCK):
                total.cell[i] += 100 * gain.weight
            continue
        if gain.kind == BW_EVEN:
            column = lefts[bounds.share[gain.first].left].cell
            for i in range(BW_BLOCK):
                sums.cell[i] = high.cell[i] = column[i]
            for s in range(gain.first + 1, gain.first + gain.count):
                stretch(lefts[bounds.share[s].left].cell, sums.cell, high.cell)
            gain_even(sums.cell, high.cell, gain.factor, gain.slack, gain.weight, total.cell)
            continue
        for i in range(BW_BLOCK):
            sums.cell[i] = 0
        for s in range(gain.first, gain.first + gain.count):
            share = bounds.share + s
            left = bounds.left + share.left
            if gain.kind == BW_TAKEN:
                gain_taken(lefts[share.left].cell, left.slack, share.weight, sums.cell)
            elif share.some:
                column = cells + 2 * left.resource * BW_BLOCK
                gain_some(lefts[share.left].cell, column, column + BW_BLOCK, share.weight, sums.cell)
            else:
                gain_free(lefts[share.left].cell, share.weight, sums.cell)
        gain_mean(sums.cell, gain.factor, gain.weight, total.cell)
    for i in range(BW_BLOCK):
        total.cell[i] = total.cell[i] if lacks.cell[i] == 0 else 0
    for i in range(BW_BLOCK):
        key[i] = total.cell[i] if extra[i] != 0 else 0
    return top(key)


cdef int64_t potential(const bw_bounds* bounds, const uint16_t* cells) noexcept nogil:
    cdef int i, g, s
    cdef const bw_gain* gain
    cdef const uint16_t* room
    cdef int32_t sum, whole
    cdef double part, most = 0.0
    cdef uint16_t[BW_BLOCK] low
    cdef uint16_t[BW_BLOCK] high
    cdef int32_t[BW_BLOCK] sums
    cdef double[BW_BLOCK] total
    for i in range(BW_BLOCK):
        total[i] = 1.0
    for g in range(bounds.gains):
        gain = bounds.gain + g
        whole = 0
        for i in range(BW_BLOCK):
            sums[i] = 0
        if gain.kind == BW_EVEN:
            for i in range(BW_BLOCK):
                low[i] = BW_WHOLE
            for i in range(BW_BLOCK):
                high[i] = 0
            for s in range(gain.first, gain.first + gain.count):
                stretch(cells + 2 * bounds.left[bounds.share[s].left].resource * BW_BLOCK, &low[0], &high[0])
            for i in range(BW_BLOCK):
                low[i] = less(less(high[i], low[i]), 2)
            for i in range(BW_BLOCK):
                sums[i] = BW_WHOLE + 1 - <int32_t>(<uint16_t>((<uint32_t>low[i] * gain.factor) >> 16))
            whole = 1
        elif gain.kind == BW_ALL:
            for i in range(BW_BLOCK):
                sums[i] = BW_WHOLE
            whole = 1
        else:
            for s in range(gain.first, gain.first + gain.count):
                sum = bounds.share[s].weight
                whole += sum
                room = cells + 2 * bounds.left[bounds.share[s].left].resource * BW_BLOCK
                if bounds.share[s].some:
                    for i in range(BW_BLOCK):
                        sums[i] += sum * (BW_WHOLE if room[i] == 0 and room[BW_BLOCK + i] == BW_INVERSE else room[i])
                else:
                    for i in range(BW_BLOCK):
                        sums[i] += sum * room[i]
        part = <double>gain.weight / <double>(whole if whole else 1)
        for i in range(BW_BLOCK):
            total[i] += part * sums[i]
    room = cells + 2 * bounds.resources * BW_BLOCK
    for i in range(BW_BLOCK):
        total[i] = total[i] if room[i] == 0 else 0.0
    for i in range(BW_BLOCK):
        most = total[i] if total[i] > most else most
    return <int64_t>most >> 9


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
