"""What static rules and raw scores say of all hosts, as one 16-bit column that many request classes share.

Knows classes and the scan; nothing of demands but whether a host that it is shown takes them.
"""

cimport cython
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memset

from binwright._core.index_hosts cimport rejected
from binwright._core.kernels cimport BW_BLOCK, K
from binwright._core.terms cimport MIN_MAX, NONE, STATIC, Term

cdef enum:
    MOST_BYTES = 1 << 27


cdef bint feasible(Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """Does a host pass every rule? For classes all of whose rules look at one host alone."""
    cdef Py_ssize_t f
    cdef int32_t resource
    if scan.fleet.flags.uint8s(0)[host] or request.mask != NULL and request.mask[host]:
        return False
    for f in range(request.filters):
        resource = request.filtered[f]
        if (
            request.fit[resource]
            > scan.fleet.capacity.int64s(resource)[host] - scan.fleet.used.int64s(resource)[host]
        ):
            return False
    return not rejected(scan, request, host)


@cython.final
cdef class BlockStatics:
    """The static columns of one fleet's classes; holds nothing that the classes do not say as well."""

    def __cinit__(self, Scan scan):
        self.column = NULL
        self.attached = NULL
        self.scan = scan
        self.columns = self.column_room = self.room = self.hosts = 0
        self.turn = self.serial = 0
        self.most_bytes = MOST_BYTES

    def __dealloc__(self):
        cdef Py_ssize_t c
        for c in range(self.columns):
            free(self.column[c].extra)
        free(self.column)
        free(self.attached)

    @property
    def bytes(self):
        """Memory of all columns."""
        return self.columns * self.size_of_one()

    cdef Py_ssize_t size_of_one(self) noexcept nogil:
        """Memory of a column, in bytes."""
        return (self.scan.fleet.stride + self.scan.fleet.stride // BW_BLOCK) * <Py_ssize_t>sizeof(uint16_t)

    cdef int make_room(self, Py_ssize_t classes) except -1:
        """Room for as many classes as there are."""
        cdef Attached* grown
        if classes > self.room:
            grown = <Attached*>realloc(self.attached, 2 * classes * sizeof(Attached))
            if grown == NULL:
                raise MemoryError("block statics")
            memset(grown + self.room, 0, (2 * classes - self.room) * sizeof(Attached))
            self.attached = grown
            self.room = 2 * classes
        return 0

    cdef void forget_all(self) noexcept nogil:
        cdef Py_ssize_t c
        for c in range(self.columns):
            free(self.column[c].extra)
        self.columns = 0

    # ---- which column a class has -----------------------------------------------------------------------------

    cdef bint reads(self, const ClassView* request, Py_ssize_t term) noexcept nogil:
        """Does a class run this term over raw scores?"""
        return self.scan.terms.terms[term].kind == STATIC and not request.skips >> term & 1

    cdef bint has_raw(self, const ClassView* request) noexcept nogil:
        """Does a class run a term over raw scores of its own?"""
        cdef Py_ssize_t t
        for t in range(self.scan.terms.count):
            if self.reads(request, t) and request.raw[self.scan.terms.terms[t].slot] != NULL:
                return True
        return False

    cdef int64_t without(self, const ClassView* request) noexcept nogil:
        """What the terms give every host that run without raw scores of the class."""
        cdef const Term* term
        cdef Extremes none
        cdef Py_ssize_t t
        cdef int64_t total = 0
        none.low = none.high = 0
        for t in range(self.scan.terms.count):
            term = self.scan.terms.terms + t
            if self.reads(request, t) and request.raw[term.slot] == NULL and term.normaliser != NONE:
                total += term.weight * self.scan.terms.normalised(t, 0, &none)
        return total

    cdef StaticColumn* of(self, const ClassView* request) except NULL nogil:
        """The column of a class: its own, one of a class that says the same, or a new one."""
        cdef Attached* mine = self.attached + request.number
        cdef StaticColumn* column = NULL
        cdef uint64_t hash
        cdef Py_ssize_t c
        self.turn += 1
        if self.hosts != self.scan.fleet.hosts:
            self.forget_all()
            self.hosts = self.scan.fleet.hosts
        if mine.serial and mine.writes == request.writes and mine.column < self.columns:
            column = self.column + mine.column
            if column.serial != mine.serial:
                column = NULL
        if column == NULL:
            hash = self.hash_of(request)
            for c in range(self.columns):
                if self.column[c].hash == hash and self.same(self.column + c, request):
                    column = self.column + c
                    break
            if column == NULL:
                column = self.new_column()
                column.hash = hash
                column.made = False
                self.find_ever(column, request)
            mine.column = <int32_t>(column - self.column)
            mine.serial = column.serial
            mine.writes = request.writes
        column.turn = self.turn
        column.like = request.number
        column.writes = request.writes
        return column

    cdef StaticColumn* new_column(self) except NULL nogil:
        """Room for one more, of the least recently used where there is none."""
        cdef Py_ssize_t size = self.size_of_one(), c
        cdef StaticColumn* made
        cdef void* grown
        if (self.columns + 1) * size > self.most_bytes and self.columns:
            made = self.column
            for c in range(self.columns):
                if self.column[c].turn < made.turn:
                    made = self.column + c
        else:
            if self.columns == self.column_room:
                grown = realloc(self.column, max(4, 2 * self.column_room) * sizeof(StaticColumn))
                if grown == NULL:
                    with gil:
                        raise MemoryError("block statics")
                self.column = <StaticColumn*>grown
                self.column_room = max(4, 2 * self.column_room)
            made = self.column + self.columns
            made.extra = <uint16_t*>malloc(size)
            if made.extra == NULL:
                with gil:
                    raise MemoryError("block statics")
            self.columns += 1
        made.tops = made.extra + self.scan.fleet.stride
        self.serial += 1
        made.serial = self.serial
        return made

    cdef bint same(self, const StaticColumn* column, const ClassView* request) noexcept nogil:
        """Is a column what a class says? Compared cell by cell with a class whose column it is."""
        cdef const ClassView* other = request - request.number + column.like
        cdef Py_ssize_t t, stride = self.scan.fleet.stride
        cdef int32_t slot
        if other.writes != column.writes or other.skips != request.skips:
            return False
        if (other.mask == NULL) != (request.mask == NULL):
            return False
        if request.mask != NULL and memcmp(request.mask, other.mask, stride * sizeof(uint32_t)):
            return False
        for t in range(self.scan.terms.count):
            if not self.reads(request, t):
                continue
            slot = self.scan.terms.terms[t].slot
            if (other.raw[slot] == NULL) != (request.raw[slot] == NULL):
                return False
            if request.raw[slot] != NULL and memcmp(request.raw[slot], other.raw[slot], stride * sizeof(int64_t)):
                return False
        return True

    cdef uint64_t hash_of(self, const ClassView* request) noexcept nogil:
        cdef Py_ssize_t t, stride = self.scan.fleet.stride
        cdef uint64_t mixed = request.skips
        if request.mask != NULL:
            mixed = hashed(<const uint64_t*>request.mask, stride // 2, mixed)
        for t in range(self.scan.terms.count):
            if self.reads(request, t) and request.raw[self.scan.terms.terms[t].slot] != NULL:
                mixed = hashed(<const uint64_t*>request.raw[self.scan.terms.terms[t].slot], stride, mixed + t + 1)
        return mixed

    # ---- its cells --------------------------------------------------------------------------------------------

    cdef void find_ever(self, StaticColumn* column, const ClassView* request) noexcept nogil:
        """The extremes of each raw score over the eligible hosts, whatever their state; no witness is known yet."""
        cdef Py_ssize_t t, host
        cdef int32_t slot
        cdef Extremes* ever
        for t in range(self.scan.terms.count):
            if not self.reads(request, t) or request.raw[self.scan.terms.terms[t].slot] == NULL:
                continue
            slot = self.scan.terms.terms[t].slot
            ever = column.ever + slot
            column.high[slot] = column.low[slot] = -1
            ever.low = ever.high = -1
            for host in range(self.hosts):
                if request.mask != NULL and request.mask[host]:
                    continue
                ever.high = max(ever.high, request.raw[slot][host])
                if ever.low < 0 or request.raw[slot][host] < ever.low:
                    ever.low = request.raw[slot][host]

    cdef bint settle(self, StaticColumn* column, const ClassView* request) noexcept nogil:
        """Make the column what it is for a decision of a class now. False: no host is feasible."""
        cdef Extremes[MAX_SLOTS] now
        cdef const Term* term
        cdef Py_ssize_t t
        cdef bint known = True, stale = not column.made
        for t in range(self.scan.terms.count):
            term = self.scan.terms.terms + t
            if not self.reads(request, t) or request.raw[term.slot] == NULL or term.normaliser == NONE:
                continue
            now[term.slot] = column.ever[term.slot]
            if known:
                known = self.witnessed(column, request, term.slot, False)
            if known and term.normaliser == MIN_MAX:
                known = self.witnessed(column, request, term.slot, True)
        if not known and not self.ask_all(column, request, now):
            return False
        for t in range(self.scan.terms.count):
            term = self.scan.terms.terms + t
            if not self.reads(request, t) or request.raw[term.slot] == NULL or term.normaliser == NONE:
                continue
            if now[term.slot].high != column.now[term.slot].high:
                stale = True
            if term.normaliser == MIN_MAX and now[term.slot].low != column.now[term.slot].low:
                stale = True
            column.now[term.slot] = now[term.slot]
        if stale:
            self.fill(column, request)
        return True

    cdef bint witnessed(self, StaticColumn* column, const ClassView* request, int32_t slot, bint low) noexcept nogil:
        """Is there a feasible host that has the eligible hosts' extreme raw score? The last known, or the next."""
        cdef int64_t wanted = column.ever[slot].low if low else column.ever[slot].high
        cdef int32_t* known = &column.low[slot] if low else &column.high[slot]
        cdef Py_ssize_t host = max(known[0], 0), _
        for _ in range(self.hosts):
            if request.raw[slot][host] == wanted and feasible(self.scan, request, host):
                known[0] = <int32_t>host
                return True
            host += 1
            if host == self.hosts:
                host = 0
        return False

    cdef bint ask_all(self, StaticColumn* column, const ClassView* request, Extremes* now) noexcept nogil:
        """The extremes by raw slot over the feasible hosts, from all of them; False if there is none."""
        cdef Py_ssize_t t, host, open = 0
        cdef int32_t slot
        self.scan.filter_all(request)
        if self.scan.domain_terms.classes[request.number].hards:
            for host in range(self.hosts):
                if self.scan.verdict[host] >= 0 and rejected(self.scan, request, host):
                    self.scan.verdict[host] = -1
            self.scan.count_all()
        for t in range(self.scan.fleet.blocks()):
            open += self.scan.open[t]
        for t in range(self.scan.terms.count):
            slot = self.scan.terms.terms[t].slot
            if self.reads(request, t) and request.raw[slot] != NULL:
                now[slot] = self.scan.extremes(request.raw[slot])
        return open > 0

    cdef void fill(self, StaticColumn* column, const ClassView* request) noexcept nogil:
        """Every host's static total + 1 under the extremes `now`, 0 where a rule rejects it."""
        cdef int64_t[BW_BLOCK] total
        cdef int64_t[BW_BLOCK] score
        cdef const Term* term
        cdef const int64_t* raw
        cdef Py_ssize_t block, start, t, i
        cdef int64_t same = self.without(request) + 1, most
        column.most = 0
        for block in range(self.scan.fleet.blocks()):
            start = block * BW_BLOCK
            for i in range(BW_BLOCK):
                total[i] = same
            for t in range(self.scan.terms.count):
                term = self.scan.terms.terms + t
                if not self.reads(request, t) or request.raw[term.slot] == NULL:
                    continue
                raw = request.raw[term.slot] + start
                if term.normaliser == NONE:
                    K.add(raw, term.weight, total)
                else:
                    self.scan.terms.normalise_block(t, raw, column.now + term.slot, score)
                    K.add(score, term.weight, total)
            if request.mask != NULL:
                for i in range(BW_BLOCK):
                    total[i] = 0 if request.mask[start + i] else total[i]
            most = 0
            for i in range(BW_BLOCK):
                most = max(most, total[i])
            column.tops[block] = <uint16_t>most
            column.most = max(column.most, most)
            for i in range(BW_BLOCK):
                column.extra[start + i] = <uint16_t>total[i]
        column.made = True


cdef uint64_t hashed(const uint64_t* words, Py_ssize_t count, uint64_t mixed) noexcept nogil:
    """Of `count` words, a multiple of four: four sums that do not wait for each other."""
    cdef uint64_t a = mixed ^ 0x9E3779B97F4A7C15u, b = 1, c = 2, d = 3
    cdef Py_ssize_t i
    for i in range(0, count, 4):
        a = (a ^ words[i]) * 0x9E3779B97F4A7C15u
        b = (b ^ words[i + 1]) * 0xC2B2AE3D27D4EB4Fu
        c = (c ^ words[i + 2]) * 0x165667B19E3779F9u
        d = (d ^ words[i + 3]) * 0xD6E8FEB86659FD93u
        a ^= a >> 29
    a = (a ^ b >> 31 ^ c << 17) * 0x9E3779B97F4A7C15u
    return (a ^ d ^ a >> 32) * 0xC2B2AE3D27D4EB4Fu
