# Decisions for requests that are all different: bounds of every host's total, exact totals of the few that could win.
#
# A bound is never below the total (+ 1; 0 = surely not feasible), needs no division and 16 bits, and is exact but for
# hosts within a few thousandths of a percent of a whole one. So the host of the highest bound is nearly always the
# answer: it is evaluated exactly, and while its total falls short of its bound the next highest follows.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from binwright._core.block_columns cimport BlockColumns
from binwright._core.block_potentials cimport BlockPotentials
from binwright._core.block_statics cimport BlockStatics, StaticColumn
from binwright._core.journal cimport Journal
from binwright._core.kernels cimport BW_BLOCK, BW_LEFTS, bw_bounds
from binwright._core.request cimport ClassView
from binwright._core.scan cimport Choice, Scan
from binwright._core.terms cimport LocalTerm, Share

cdef struct Plan:          # of one decision
    bw_bounds bounds
    int64_t[BW_LEFTS] amount   # of each left
    Py_ssize_t locals
    LocalTerm* local       # (locals,) resource scores
    int64_t highest        # that they can sum up to
    const uint16_t* extra  # static totals + 1 of all hosts, or of one block
    bint one_extra         # the latter
    const uint16_t* tops   # (blocks,) the highest extra of each block, NULL = the same everywhere

cdef struct Sweep:         # of one decision, over blocks that any thread takes
    void* filter
    const Plan* plan
    int64_t highest        # bound of the block that was asked first
    Py_ssize_t each        # blocks of a piece
    int64_t read           # blocks whose bounds were computed


@cython.final
cdef class BlockFilter:
    cdef Journal journal
    cdef Scan scan
    cdef readonly BlockColumns columns
    cdef readonly BlockStatics statics
    cdef LocalTerm* local      # scratch of one decision: (terms,)
    cdef Share* shares         # (columns of all terms,)
    cdef uint16_t* key         # (stride,) bounds; the scan's scratch
    cdef readonly BlockPotentials potentials
    cdef uint16_t* top         # (blocks, in whole blocks,) the highest bound of each block, or what it cannot pass
    cdef uint8_t* asked        # (blocks, likewise,) 1 = the former
    cdef Py_ssize_t top_room
    cdef uint16_t[BW_BLOCK] equal_extra
    cdef public bint off       # tests
    cdef public Py_ssize_t many_blocks  # from which on potentials are kept
    cdef public Py_ssize_t shared_blocks  # to be read, from which on several threads do
    cdef public Py_ssize_t piece_blocks   # that a thread takes at a time
    cdef readonly int64_t read      # blocks whose bounds were computed
    cdef readonly int64_t answered   # decisions taken
    cdef readonly int64_t evaluated  # hosts looked at exactly

    cdef int make_room(self, Py_ssize_t classes) except -1
    cdef bint carries(self, const ClassView* request) noexcept nogil
    cdef bint choose(self, const ClassView* request, Choice* choice) except -1 nogil
    cdef bint prepare(self, const ClassView* request, Plan* plan) except -1 nogil
    cdef bint lay_out(self, const ClassView* request, Plan* plan) noexcept nogil
    cdef int32_t left_of(self, Plan* plan, int32_t resource, int64_t amount, bint filtered) noexcept nogil
    cdef void scale(self, Plan* plan) noexcept nogil
    cdef bint add_statics(self, const ClassView* request, Plan* plan) except -1 nogil
    cdef void bound(self, const Plan* plan, Py_ssize_t block) noexcept nogil
    cdef void bound_all(self, const Plan* plan) noexcept nogil
    cdef void bound_some(self, const Plan* plan) noexcept nogil
    cdef Py_ssize_t blocks_a_piece(self, int64_t highest) noexcept nogil
    cdef int64_t bound_above(self, const Plan* plan, int64_t highest, Py_ssize_t first, Py_ssize_t end) noexcept nogil
    cdef Py_ssize_t highest_block(self) noexcept nogil
    cdef bint find_best(self, const ClassView* request, const Plan* plan, Choice* choice) noexcept nogil
