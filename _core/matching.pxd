# Units on rows: which unit may go to which row is a bit, a row takes up to `room` units.
#
# Invariants: load[r] = units with match[u] = r, never above room[r]; bit r of `open` is set iff load[r] < room[r].
# Borrows all its memory from the caller; rows are numbered in the order in which they are preferred.

from libc.stdint cimport int32_t, uint64_t


cdef struct Bipartite:
    int32_t units
    int32_t rows
    int32_t words        # of 64 rows
    uint64_t* can        # (units, words): bit r of line u = unit u may go to row r
    int32_t* room        # (rows,)
    int32_t* load        # (rows,)
    int32_t* match       # (units,): row, -1 = none
    uint64_t* open       # (words,)
    uint64_t* seen       # (words,): rows that the present augmentation has tried


cdef bint match_all(Bipartite* graph) noexcept nogil
cdef bint prefer(Bipartite* graph, int32_t unit, int32_t row) noexcept nogil
cdef int32_t lowest_bit(uint64_t word) noexcept nogil
