# What bounds are made of: of every host and resource what is free and how large the host is, in 16 bits each.
#
# Hosts stand in blocks of BW_BLOCK. A block is 2 * resources + 1 columns of uint16 (BW_BLOCK,), one after another:
# of resource r the columns 2 r (room: BW_WHOLE-ths of the capacity that are free, rounded up) and 2 r + 1 (inverse:
# size[r] / capacity in BW_INVERSE-ths, rounded down), and last `closed`: 0 = the host takes requests.
#
# Derived from the fleet's columns, host by host as the feed names them, or all at once; never patched. A size is any
# number: the bounds hold whatever it is, and are close if few hosts are smaller.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from binwright._core.fleet cimport Fleet
from binwright._core.journal cimport Journal
from binwright._core.kernels cimport BW_BLOCK


@cython.final
cdef class BlockColumns:
    cdef Journal journal
    cdef Fleet fleet
    cdef void* memory
    cdef uint16_t* cells       # 64-byte aligned, NULL = not made
    cdef Py_ssize_t hosts      # of the fleet when they were made
    cdef Py_ssize_t room       # blocks allocated
    cdef int64_t* size         # (resources,) the smallest capacity, unless it is far below the largest
    cdef uint8_t* none         # (resources,) 1 = some host has none of the resource
    cdef uint8_t* small        # (resources,) 1 = some host has less of it than its size
    cdef int64_t read          # entries of the feed
    cdef int32_t* touched      # blocks of hosts read singly since this was last cleared, (touch_room,)
    cdef Py_ssize_t touches, touch_room
    cdef bint read_whole       # all hosts were read since then
    cdef int64_t asked_at      # entries of the feed when they were last wanted

    cdef bint refresh(self) except -1 nogil
    cdef int make_room(self) except -1
    cdef void choose_sizes(self) noexcept nogil
    cdef void read_all(self) noexcept nogil
    cdef void read_host(self, Py_ssize_t host) noexcept nogil

    cdef inline Py_ssize_t columns(self) noexcept nogil:
        return 2 * self.fleet.resources + 1

    cdef inline const uint16_t* block(self, Py_ssize_t block) noexcept nogil:
        return self.cells + block * self.columns() * BW_BLOCK
