"""The feasible hosts of a request in order, as a decision sees them: highest total first, lowest index first."""

from libc.stdint cimport int32_t, int64_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from binwright._core.float_index cimport MOST_TOP, FloatView
from binwright._core.float_scores cimport bits_of
from binwright._core.request cimport ClassView
from binwright._core.scan cimport Choice
from binwright._core.state cimport State

cdef enum:
    DIGIT = 256


cdef struct Entry:
    uint64_t key         # rises as the total falls
    int64_t host


cdef inline uint64_t float_key(double total) noexcept nogil:
    cdef uint64_t bits = <uint64_t>bits_of(total + 0.0)  # -0.0 is 0.0
    return bits if bits >> 63 else ~(bits | <uint64_t>1 << 63)


cdef inline double float_total(uint64_t key) noexcept nogil:
    cdef uint64_t bits = key if key >> 63 else ~key & ~(<uint64_t>1 << 63)
    cdef double total
    memcpy(&total, &bits, 8)
    return total


cdef Entry* sorted_entries(Entry* entries, Entry* other, Py_ssize_t count) noexcept nogil:
    """By key, equal ones as they stand, byte by byte; in one of the two arrays."""
    cdef Py_ssize_t starts[8][DIGIT]
    cdef Py_ssize_t i, digit, place, at
    cdef Entry* swapped
    memset(&starts[0][0], 0, sizeof(starts))
    for i in range(count):
        for digit in range(8):
            starts[digit][entries[i].key >> 8 * digit & 0xFF] += 1
    for digit in range(8):
        if starts[digit][entries[0].key >> 8 * digit & 0xFF] == count:
            continue
        at = 0
        for place in range(DIGIT):
            at += starts[digit][place]
            starts[digit][place] = at - starts[digit][place]
        for i in range(count):
            place = entries[i].key >> 8 * digit & 0xFF
            other[starts[digit][place]] = entries[i]
            starts[digit][place] += 1
        swapped = entries
        entries = other
        other = swapped
    return entries


cdef Py_ssize_t open_entries(State state, const ClassView* view, const FloatView* index, Entry* entries) except -1:
    """The feasible hosts with their keys, by index; returns how many."""
    cdef Py_ssize_t host, count = 0
    cdef Choice choice
    if index != NULL:
        for host in range(state.fleet.hosts):
            if index.shut[host] == 0.0:
                entries[count].host = host
                entries[count].key = float_key(0.0 if index.open == 1 else state.indexes.floats.weighed(index, host))
                count += 1
        return count
    state.scan.choose(view, &choice, False)
    if choice.host < 0:
        return 0
    for host in range(state.fleet.hosts):
        if state.scan.verdict[host] < 0:
            continue
        entries[count].host = host
        if state.scan.floating:
            entries[count].key = float_key(state.scan.floats.total[host])
        else:
            entries[count].key = ~<uint64_t>state.scan.total[host]
        count += 1
    return count


def ranked(State state, int32_t number, int64_t[::1] hosts, int64_t[::1] scores):
    """Fill in the first len(hosts) feasible hosts of a class and their totals (the bits of doubles in a float64
    profile). Returns how many there are. Nothing changes.
    """
    cdef Py_ssize_t most = hosts.shape[0], count, i
    cdef const ClassView* view
    cdef FloatView* index = NULL
    cdef Entry* entries
    cdef Entry* sorted
    cdef double[MOST_TOP] totals
    state.enter()
    state.scan.make_room()
    state.indexes.make_room(len(state.classes))
    if most == 0:
        return 0
    view = state.classes.views + number
    if state.scan.floating and not state.indexes.off:
        state.indexes.floats.ready(view, False, &index)
    if index != NULL and most <= MOST_TOP:
        count = state.indexes.floats.top(index, most, &hosts[0], totals)
        if count >= 0:
            for i in range(count):
                scores[i] = bits_of(totals[i])
            return count
    entries = <Entry*>malloc(2 * max(state.fleet.hosts, 1) * sizeof(Entry))
    if entries == NULL:
        raise MemoryError("hosts in order")
    try:
        count = open_entries(state, view, index, entries)
        if count:
            sorted = sorted_entries(entries, entries + state.fleet.hosts, count)
        for i in range(min(most, count)):
            hosts[i] = sorted[i].host
            scores[i] = bits_of(float_total(sorted[i].key)) if state.scan.floating else <int64_t>~sorted[i].key
        return min(most, count)
    finally:
        free(entries)
