# Bounds in 16 bits: what they read of a resource, the bounds of a block, what a block could come to. Included by
# kernels.pxi, which see.

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
