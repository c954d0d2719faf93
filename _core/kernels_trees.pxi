# Trees of keys: the highest of a fan, and ways up and down. Included by kernels.pxi, which see.

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
