# The most that a host of each block could score, whatever is asked of it: blocks that cannot hold the best host are
# not read.
#
# What is free is what scores, so that no demand scores more than none does. Evenness may gain by a demand; but less
# than the free share loses, where the latter weighs as much. Other scores count as 100.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from binwright._core.block_columns cimport BlockColumns
from binwright._core.kernels cimport bw_bounds

cdef enum:
    KEPT = 4    # kinds of requests, by what is scored, for which potentials are kept


cdef struct Potential:
    bw_bounds bounds       # gains and the resources that they read; no demands
    bint even              # some gain is evenness
    uint16_t* best         # (room,) of each block
    uint8_t* stale         # (room,) 1 = listed
    int32_t* listed        # (room,) blocks to be looked at again
    int32_t count          # of them
    bint all_stale
    int64_t turn           # of its last use


@cython.final
cdef class BlockPotentials:
    cdef BlockColumns columns
    cdef Potential[KEPT] kept
    cdef Py_ssize_t count, room    # potentials; blocks
    cdef int64_t turn

    cdef int make_room(self) except -1
    cdef void note(self) noexcept nogil
    cdef void look(self, Potential* mine, int32_t block) noexcept nogil
    cdef const uint16_t* of(self, const bw_bounds* asked) noexcept nogil
