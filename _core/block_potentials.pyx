"""For each block of hosts the most that one of them could score, kept up to date with the 16-bit columns.

Knows the columns and what a request scores, nothing of its demands. Without evenness the most is the bound of a request
for nothing, whole percents included; with it what all gains come to before anything is rounded.
"""

cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from binwright._core.kernels cimport BW_ALL, BW_BLOCK, BW_EVEN, BW_FREE, BW_TAKEN, K, bw_gain


cdef uint16_t[BW_BLOCK] ones
for number in range(BW_BLOCK):
    ones[<int>number] = 1
del number


cdef bint outweighed(const bw_bounds* asked, int32_t even) noexcept nogil:
    """Does the free share of each resource of an evenness weigh at least as much as the evenness can gain by it? The
    deviation changes by at most half of what one of its numbers does.
    """
    cdef const bw_gain* gain
    cdef int32_t s, g, f
    cdef double slope
    for s in range(asked.gain[even].first, asked.gain[even].first + asked.gain[even].count):
        slope = 0.0
        for g in range(asked.gains):
            gain = &asked.gain[g]
            if gain.kind == BW_EVEN:
                for f in range(gain.first, gain.first + gain.count):
                    if asked.share[f].left == asked.share[s].left:
                        slope -= 0.5 * gain.weight
            elif gain.kind == BW_FREE:
                for f in range(gain.first, gain.first + gain.count):
                    if asked.share[f].left == asked.share[s].left and not asked.share[f].some:
                        slope += gain.weight * <double>asked.share[f].weight / weights(asked, gain)
        if slope < 0.0:
            return False
    return True


cdef int64_t weights(const bw_bounds* asked, const bw_gain* gain) noexcept nogil:
    cdef int32_t f
    cdef int64_t sum = 0
    for f in range(gain.first, gain.first + gain.count):
        sum += asked.share[f].weight
    return max(sum, 1)


cdef void without_demands(const bw_bounds* asked, bw_bounds* plain) noexcept nogil:
    """The gains of a request that a potential can tell; the others become 100."""
    cdef int32_t g, l
    memcpy(plain, asked, sizeof(bw_bounds))
    for l in range(asked.lefts):
        plain.left[l].demand = 0
        plain.left[l].filtered = False
    for g in range(asked.gains):
        if asked.gain[g].kind == BW_TAKEN or asked.gain[g].kind == BW_EVEN and not outweighed(asked, g):
            plain.gain[g].kind = BW_ALL


cdef bint same(const bw_bounds* a, const bw_bounds* b) noexcept nogil:
    """Do two requests score the same of the same resources?"""
    cdef int32_t g, s
    if a.gains != b.gains or a.shares != b.shares:
        return False
    for g in range(a.gains):
        if a.gain[g].kind != b.gain[g].kind or a.gain[g].count != b.gain[g].count or (
            a.gain[g].weight != b.gain[g].weight
        ):
            return False
    for s in range(a.shares):
        if a.share[s].weight != b.share[s].weight or a.share[s].some != b.share[s].some or (
            a.left[a.share[s].left].resource != b.left[b.share[s].left].resource
        ):
            return False
    return True


@cython.final
cdef class BlockPotentials:
    """The potentials of one fleet; holds nothing that the fleet does not say as well."""

    def __cinit__(self, BlockColumns columns):
        self.columns = columns
        self.count = self.room = 0
        self.turn = 0
        memset(self.kept, 0, sizeof(self.kept))

    def __dealloc__(self):
        cdef Py_ssize_t p
        for p in range(KEPT):
            free(self.kept[p].best)
            free(self.kept[p].stale)
            free(self.kept[p].listed)

    @property
    def bytes(self):
        """Memory of all potentials."""
        return KEPT * self.room * <Py_ssize_t>(sizeof(uint16_t) + sizeof(uint8_t) + sizeof(int32_t))

    cdef int make_room(self) except -1:
        """Room for as many blocks as there are; called before a batch."""
        cdef Py_ssize_t p, blocks = self.columns.fleet.blocks()
        if blocks <= self.room:
            return 0
        self.count = self.room = 0
        for p in range(KEPT):
            free(self.kept[p].best)
            free(self.kept[p].stale)
            free(self.kept[p].listed)
            self.kept[p].best = NULL
            self.kept[p].stale = NULL
            self.kept[p].listed = NULL
        for p in range(KEPT):
            self.kept[p].best = <uint16_t*>calloc(blocks, sizeof(uint16_t))
            self.kept[p].stale = <uint8_t*>calloc(blocks, sizeof(uint8_t))
            self.kept[p].listed = <int32_t*>calloc(blocks, sizeof(int32_t))
            if self.kept[p].best == NULL or self.kept[p].stale == NULL or self.kept[p].listed == NULL:
                raise MemoryError("block potentials")
        self.room = blocks
        return 0

    cdef void note(self) noexcept nogil:
        """Hear which blocks the columns have read since they were last asked."""
        cdef Potential* mine
        cdef Py_ssize_t p, i
        cdef int32_t block
        for p in range(self.count):
            mine = self.kept + p
            if self.columns.read_whole:
                mine.all_stale = True
            for i in range(self.columns.touches):
                block = self.columns.touched[i]
                if not mine.stale[block]:
                    mine.stale[block] = True
                    mine.listed[mine.count] = block
                    mine.count += 1
        self.columns.touches = 0
        self.columns.read_whole = False

    cdef void look(self, Potential* mine, int32_t block) noexcept nogil:
        """Derive the potential of a block anew."""
        cdef uint16_t[BW_BLOCK] key
        if mine.even:
            mine.best[block] = <uint16_t>K.potential(&mine.bounds, self.columns.block(block))
        else:
            mine.best[block] = <uint16_t>max(K.bound(&mine.bounds, self.columns.block(block), ones, key) - 1, 0)

    cdef const uint16_t* of(self, const bw_bounds* asked) noexcept nogil:
        """The potentials of requests like this one, (blocks,)."""
        cdef bw_bounds plain
        cdef Potential* mine = NULL
        cdef Py_ssize_t p
        cdef int32_t block, i
        without_demands(asked, &plain)
        self.turn += 1
        for p in range(self.count):
            if same(&self.kept[p].bounds, &plain):
                mine = self.kept + p
                break
        if mine == NULL:
            if self.count < KEPT:
                mine = self.kept + self.count
                self.count += 1
            else:
                mine = self.kept
                for p in range(1, self.count):
                    if self.kept[p].turn < mine.turn:
                        mine = self.kept + p
            mine.bounds = plain
            mine.even = False
            for i in range(plain.gains):
                mine.even = mine.even or plain.gain[i].kind == BW_EVEN
            mine.all_stale = True
        mine.turn = self.turn
        if mine.all_stale:
            for block in range(self.columns.fleet.blocks()):
                self.look(mine, block)
            memset(mine.stale, 0, self.room)
        else:
            for i in range(mine.count):
                block = mine.listed[i]
                self.look(mine, block)
                mine.stale[block] = False
        mine.count = 0
        mine.all_stale = False
        return mine.best
