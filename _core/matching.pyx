"""Matching by augmenting paths over bitsets, and its lexicographic improvement. Knows nothing of hosts or groups."""

from libc.string cimport memset


cdef extern from *:
    int __builtin_ctzll(unsigned long long) noexcept nogil


cdef int32_t lowest_bit(uint64_t word) noexcept nogil:
    """Number of the lowest bit of a word that is not 0."""
    return __builtin_ctzll(word)


cdef inline void put(Bipartite* graph, int32_t unit, int32_t row) noexcept nogil:
    """Give a row with room to a unit that has none."""
    graph.match[unit] = row
    graph.load[row] += 1
    if graph.load[row] == graph.room[row]:
        graph.open[row >> 6] &= ~(<uint64_t>1 << (row & 63))


cdef inline void take(Bipartite* graph, int32_t unit) noexcept nogil:
    """Take a unit from its row."""
    cdef int32_t row = graph.match[unit]
    if row >= 0:
        graph.match[unit] = -1
        graph.load[row] -= 1
        graph.open[row >> 6] |= <uint64_t>1 << (row & 63)


cdef bint augment(Bipartite* graph, int32_t unit, int32_t first) noexcept nogil:
    """Find a row for `unit`, moving units `first`, first + 1, ... where that helps; nothing has moved if there is none.

    Depth of the recursion: at most the number of rows.
    """
    cdef const uint64_t* line = graph.can + unit * graph.words
    cdef uint64_t bits
    cdef int32_t word, row, other
    for word in range(graph.words):
        bits = line[word] & graph.open[word] & ~graph.seen[word]
        if bits:
            take(graph, unit)
            put(graph, unit, (word << 6) + lowest_bit(bits))
            return True
    for word in range(graph.words):
        while True:
            bits = line[word] & ~graph.seen[word]
            if bits == 0:
                break
            graph.seen[word] |= bits & (~bits + 1)
            row = (word << 6) + lowest_bit(bits)
            for other in range(first, graph.units):
                if graph.match[other] == row and other != unit and augment(graph, other, first):
                    take(graph, unit)
                    put(graph, unit, row)
                    return True
    return False


cdef bint match_all(Bipartite* graph) noexcept nogil:
    """Put every unit on a row; False if that cannot be done (Hall's condition fails for the unit that was tried)."""
    cdef int32_t unit, row
    memset(graph.load, 0, graph.rows * sizeof(int32_t))
    memset(graph.match, 0xFF, graph.units * sizeof(int32_t))
    memset(graph.open, 0, graph.words * sizeof(uint64_t))
    for row in range(graph.rows):
        if graph.room[row] > 0:
            graph.open[row >> 6] |= <uint64_t>1 << (row & 63)
    for unit in range(graph.units):
        memset(graph.seen, 0, graph.words * sizeof(uint64_t))
        if not augment(graph, unit, 0):
            return False
    return True


cdef bint prefer(Bipartite* graph, int32_t unit, int32_t row) noexcept nogil:
    """Move a matched unit to `row` if the units behind it can make way; units before it stay where they are."""
    cdef int32_t before = graph.match[unit], other
    if before == row:
        return True
    if graph.room[row] == 0:
        return False
    take(graph, unit)
    if graph.load[row] < graph.room[row]:
        put(graph, unit, row)
        return True
    memset(graph.seen, 0, graph.words * sizeof(uint64_t))
    graph.seen[row >> 6] |= <uint64_t>1 << (row & 63)
    for other in range(unit + 1, graph.units):
        if graph.match[other] == row and augment(graph, other, unit + 1):
            put(graph, unit, row)
            return True
    put(graph, unit, before)
    return False
