"""Decisions of float64 profiles by index: raw values are kept, a decision reads them once without divisions.

The answer is the scan's, bit for bit. Terms over counters are carried where each host is a domain of its own. Classes
with other ones, with groups or external terms, and any decision under a window or promises, are left to the scan; so is
one that finds no host.
"""

cimport cython
from libc.float cimport DBL_EPSILON, DBL_MIN
from libc.math cimport INFINITY, fabs, isnan
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from binwright._core.domain_terms cimport HOST, PASSES, POOL, SKEW, ClassTerms, Ref, SoftTerm
from binwright._core.float_scores cimport FREE, NEAR, USED, bits_of, scaled
from binwright._core.memory cimport give_back, taken, with_room
from binwright._core.spread cimport most_counted

cdef enum:
    MOST_BYTES = 1 << 28
    LEAST_UNREAD = 64      # entries that are read one by one at any size
    MOST_REFS = 64


cdef double FAR = 1e100    # of raw values, factors and what they are multiplied with: no sum overflows


cdef inline double highest_of(const double* values) noexcept nogil:
    """The highest of a block, in lanes, so that nothing waits for the one before."""
    cdef double[8] lane
    cdef int i, l
    for l in range(8):
        lane[l] = values[l]
    for i in range(8, SOME, 8):
        for l in range(8):
            lane[l] = values[i + l] if values[i + l] > lane[l] else lane[l]
    for l in range(4):
        lane[l] = lane[l + 4] if lane[l + 4] > lane[l] else lane[l]
    lane[0] = lane[2] if lane[2] > lane[0] else lane[0]
    lane[1] = lane[3] if lane[3] > lane[1] else lane[1]
    return lane[0] if lane[0] > lane[1] else lane[1]


@cython.no_gc  # holds numbers only, and needs them to free what they stand for
@cython.final
cdef class FloatIndex:
    """What is kept for one class."""

    def __cinit__(self):
        memset(&self.view, 0, sizeof(FloatView))
        self.blocks = []
        self.bytes = 0

    def __dealloc__(self):
        give_back(self.blocks)

    cdef void* take(self, Py_ssize_t count, Py_ssize_t size) except NULL:
        return taken(self.blocks, &self.bytes, count, size)


@cython.final
cdef class FloatIndexes:
    """The indexes of one fleet under a float64 profile; holds nothing that the fleet does not say as well."""

    def __cinit__(self, Journal journal, Scan scan):
        self.standing = NULL
        self.cells = self.acc = self.peak = NULL
        self.room = self.slots = 0
        self.journal = journal
        self.scan = scan
        self.floats = scan.floats
        self.terms = scan.domain_terms
        self.indexes = {}
        self.most_bytes = MOST_BYTES
        self.turn = self.read = 0

    def __dealloc__(self):
        free(self.standing)
        free(self.cells)
        free(self.acc)
        free(self.peak)

    @property
    def bytes(self):
        """Memory of all classes' indexes; the columns that they share are 8 bytes a host and term more."""
        return sum((<FloatIndex>index).bytes for index in self.indexes.values())

    def clear(self):
        """Forget all indexes; they are made again when they are asked for."""
        for number in list(self.indexes):
            self.forget(number)
        self.slots = 0

    cdef int make_room(self, Py_ssize_t classes) except -1:
        """Room for as many classes as there are; called before a batch."""
        self.standing = <FloatStanding*>with_room(self.standing, &self.room, classes, sizeof(FloatStanding))
        return 0

    # ---- which classes have an index, and what it has read ---------------------------------------------------------

    cdef bint carried(self, const ClassView* request) noexcept nogil:
        """Does an index answer for a class? Not where something else than the host itself has a say, but for whether
        anything is counted anywhere.
        """
        cdef const ClassTerms* mine = self.terms.classes + request.number
        cdef int32_t i
        if (
            self.scan.overlays.live or self.scan.window.stop or request.plan != NULL
            or self.floats.count > MOST_FLOATS or self.scan.externals.concerned[request.number]
        ):
            return False
        for i in range(mine.hards):
            if mine.hard[i].op == SKEW or mine.hard[i].op == POOL:
                return False
        for i in range(mine.ref_count):
            if mine.refs[i].key != HOST or mine.refs[i].members >= 0:
                return False
        return mine.ref_count <= MOST_REFS

    cdef int ready(self, const ClassView* request, bint soon, FloatView** found) except -1 nogil:
        """`found` = the class's index, up to date; NULL where the scan has to decide. soon: more decisions follow."""
        cdef FloatStanding* mine = self.standing + request.number
        cdef FloatView* index = mine.index
        cdef int64_t entry, fed = self.journal.fed, mask = self.journal.feed_room - 1
        cdef int64_t worth = max(self.scan.fleet.hosts // 8, <Py_ssize_t>LEAST_UNREAD)
        cdef uint64_t counted
        cdef int32_t host
        found[0] = NULL
        if not self.carried(request):
            return 0
        self.turn += 1
        if index == NULL and not mine.asked and not soon:
            mine.asked = True
            return 0
        worth = min(worth, self.journal.feed_room)
        if self.slots != self.scan.fleet.stride or fed - self.read > worth:
            with gil:
                self.make_columns()
        for entry in range(self.read, fed):
            host = self.journal.feed[entry & mask]
            self.read_shared(~host if host < 0 else host)
        self.read = fed
        index = mine.index
        if index == NULL:
            with gil:
                index = self.made(request)
        self.terms.prepare(request.number)
        counted = self.counted(request)
        if (
            fed - index.read > worth or index.edition != request.edition or index.counted != counted
            or index.terms_edition != self.terms.classes[request.number].edition
        ):
            index.counted = counted
            self.read_all(index, request)
        for entry in range(index.read, fed):
            host = self.journal.feed[entry & mask]
            self.read_own(index, request, ~host if host < 0 else host)
        index.read = fed
        index.turn = self.turn
        self.settle(index)
        if not index.unfit:
            found[0] = index
        return 0

    cdef int make_columns(self) except -1:
        """Read all hosts for what is alike for every class."""
        cdef Py_ssize_t slots = self.scan.fleet.stride, terms = self.floats.count, host, t
        cdef int kind
        if slots != self.slots:
            self.clear()
            free(self.cells)
            free(self.acc)
            free(self.peak)
            self.cells = <double*>malloc(max(terms * slots, 1) * sizeof(double))
            self.acc = <double*>malloc(max(slots, 1) * sizeof(double))
            self.peak = <double*>malloc(max(slots // SOME, 1) * sizeof(double))
            if self.cells == NULL or self.acc == NULL or self.peak == NULL:
                raise MemoryError("columns of a float64 profile")
        for t in range(terms):
            self.mixed[t] = False
            self.factor[t] = self.floats.factor(t, 0)
            self.largest[t] = fabs(self.factor[t])
            kind = self.floats.terms[t].kind
            self.columns[t] = self.cells + t * slots if kind == FREE or kind == USED else NULL
        for host in range(slots):
            self.read_shared(host)
        self.slots = slots
        self.read = self.journal.fed
        return 0

    cdef FloatView* made(self, const ClassView* request) except NULL:
        """A new index of a class, which has read nothing yet."""
        cdef FloatIndex made = FloatIndex()
        cdef FloatView* view = &made.view
        cdef Py_ssize_t terms = self.floats.count, blocks = self.slots // SOME, t
        self.forget(request.number)
        view.slots, view.terms, view.edition = self.slots, terms, -1
        view.shut = <double*>made.take(self.slots, sizeof(double))
        view.block_open = <int32_t*>made.take(blocks, sizeof(int32_t))
        view.block_low = <double*>made.take(terms * blocks, sizeof(double))
        view.block_high = <double*>made.take(terms * blocks, sizeof(double))
        view.dirty = <uint8_t*>made.take(blocks, 1)
        view.touched = <int32_t*>made.take(blocks, sizeof(int32_t))
        for t in range(terms):
            view.raw[t] = NULL
            view.own[t] = self.columns[t] == NULL
            if not request.skips >> t & 1:
                view.raw[t] = <double*>made.take(self.slots, sizeof(double)) if view.own[t] else self.columns[t]
        while self.indexes and self.bytes + made.bytes > self.most_bytes:
            self.forget(min(self.indexes, key=self.used_at))
        self.indexes[request.number] = made
        self.standing[request.number].index = view
        return view

    cdef void read_all(self, FloatView* index, const ClassView* request) noexcept nogil:
        cdef Py_ssize_t host
        index.unfit = False
        index.edition = request.edition
        index.terms_edition = self.terms.classes[request.number].edition
        index.read = self.journal.fed
        for host in range(index.slots):
            self.read_own(index, request, host)

    def used_at(self, int32_t number):
        """Turn in which the index of a class last answered."""
        return self.standing[number].index.turn

    cdef int forget(self, int32_t number) except -1:
        self.standing[number].index = NULL
        self.indexes.pop(number, None)
        return 0

    cdef void read_shared(self, Py_ssize_t host) noexcept nogil:
        """Take over what every class sees of a host."""
        cdef Py_ssize_t t
        cdef double factor
        for t in range(self.floats.count):
            if self.columns[t] != NULL:
                self.columns[t][host] = self.floats.raw_of(t, NULL, host)
            if host < self.scan.fleet.hosts:
                factor = self.floats.factor(t, host)
                if factor != self.factor[t]:
                    self.mixed[t] = True
                    self.largest[t] = max(self.largest[t], fabs(factor))

    cdef void read_own(self, FloatView* index, const ClassView* request, Py_ssize_t host) noexcept nogil:
        """Take over what one class sees of a host."""
        cdef Py_ssize_t t, f, block
        cdef int32_t resource
        cdef bint shut = self.scan.fleet.flags.uint8s(0)[host] != 0
        shut |= request.mask != NULL and request.mask[host] != 0
        for f in range(self.terms.classes[request.number].hards):
            shut |= self.terms.failing(request.number, <int32_t>f, host) != PASSES
        for f in range(request.filters):
            resource = request.filtered[f]
            shut |= (
                self.scan.fleet.capacity.int64s(resource)[host] - self.scan.fleet.used.int64s(resource)[host]
                < request.fit[resource]
            )
        index.shut[host] = -INFINITY if shut else 0.0
        for t in range(index.terms):
            if index.raw[t] == NULL:
                continue
            if index.own[t]:
                self.floats.counts[host] = self.attraction(request, t, host)
                index.raw[t][host] = self.floats.raw_of(t, request, host)
            if not fabs(index.raw[t][host]) <= FAR:
                index.unfit = True
        block = host // SOME
        if not index.dirty[block]:
            index.dirty[block] = True
            index.touched[index.touches] = <int32_t>block
            index.touches += 1

    cdef uint64_t counted(self, const ClassView* request) noexcept nogil:
        """Of which refs of a class anything is counted anywhere, as bits; after prepare()."""
        cdef uint64_t found = 0
        cdef int32_t r
        for r in range(self.terms.classes[request.number].ref_count):
            if self.terms.sums[r].total != 0:
                found |= <uint64_t>1 << r
        return found

    cdef int64_t attraction(self, const ClassView* request, Py_ssize_t term, Py_ssize_t host) noexcept nogil:
        """What count_scores says of one host to a NEAR term; after prepare()."""
        cdef const SoftTerm* soft
        cdef const Ref* ref
        cdef int64_t sum = 0
        cdef int32_t r
        if self.floats.terms[term].kind != NEAR:
            return 0
        soft = self.terms.soft_term(request.number, self.floats.terms[term].slot)
        if soft != NULL:
            for r in range(soft.first, soft.first + soft.refs):
                ref = self.terms.classes[request.number].refs + r
                sum += ref.weight * min(self.terms.value(request.number, r, host), most_counted(soft, ref))
        return sum

    cdef void close_block(self, FloatView* index, Py_ssize_t block) noexcept nogil:
        """Find what a block says after hosts in it were read."""
        cdef Py_ssize_t first = block * SOME, blocks = index.slots // SOME, t, i
        cdef const double* shut = index.shut + first
        cdef const double* raw
        cdef int32_t open_hosts = 0
        cdef double[SOME] down
        cdef double[SOME] up
        index.dirty[block] = False
        for i in range(SOME):
            open_hosts += shut[i] == 0.0
        index.open += open_hosts - index.block_open[block]
        index.block_open[block] = open_hosts
        for t in range(index.terms):
            if index.raw[t] == NULL:
                continue
            raw = index.raw[t] + first
            for i in range(SOME):
                up[i] = shut[i] + raw[i]
            for i in range(SOME):
                down[i] = shut[i] - raw[i]
            index.block_high[t * blocks + block] = highest_of(up)
            index.block_low[t * blocks + block] = -highest_of(down)
            index.stale[t] = True

    cdef void settle(self, FloatView* index) noexcept nogil:
        """Bounds of all terms over the open hosts, once hosts were read."""
        cdef Py_ssize_t blocks = index.slots // SOME, t, b
        cdef const double* lows
        cdef const double* highs
        cdef double low, high
        while index.touches:
            index.touches -= 1
            self.close_block(index, index.touched[index.touches])
        for t in range(index.terms):
            if not index.stale[t] or index.raw[t] == NULL:
                continue
            index.stale[t] = False
            low, high = self.floats.terms[t].low, self.floats.terms[t].high
            lows, highs = index.block_low + t * blocks, index.block_high + t * blocks
            if isnan(low):
                low = INFINITY
                for b in range(blocks):
                    low = lows[b] if lows[b] < low else low
            if isnan(high):
                high = -INFINITY
                for b in range(blocks):
                    high = highs[b] if highs[b] > high else high
            index.low[t], index.high[t] = low, high

    # ---- one decision ----------------------------------------------------------------------------------------------

    cdef bint bounds(self, const FloatView* index, double* slack) noexcept nogil:
        """Fill `acc` and `peak`; False where `slack` cannot be told, because some number is too large or too small."""
        cdef Py_ssize_t[MOST_FLOATS] live
        cdef double[MOST_FLOATS] step
        cdef Py_ssize_t terms = 0, t, l, block, first, i
        cdef double largest = 0.0, low, rate
        cdef const double* raw
        cdef const double* factors
        cdef double* acc
        for t in range(index.terms):
            if index.raw[t] == NULL or index.low[t] == index.high[t] or self.largest[t] == 0.0:
                continue  # it adds 0 to every host
            rate = 1.0 / (index.high[t] - index.low[t])
            if not self.mixed[t]:
                rate *= self.factor[t]
            if not DBL_MIN <= fabs(rate) <= FAR:
                return False
            live[terms], step[terms] = t, rate
            largest += self.largest[t]
            terms += 1
        slack[0] = 8 * (terms + 4) * DBL_EPSILON * largest + SOME * DBL_MIN
        if not largest <= FAR:
            return False
        for block in range(index.slots // SOME):
            first = block * SOME
            acc = self.acc + first
            for i in range(SOME):
                acc[i] = index.shut[first + i]
            for l in range(terms):
                t = live[l]
                raw, low, rate = index.raw[t] + first, index.low[t], step[l]
                if self.mixed[t]:
                    factors = self.floats.cells[self.floats.terms[t].multiplier] + first
                    for i in range(SOME):
                        acc[i] += factors[i] * ((raw[i] - low) * rate)
                else:
                    for i in range(SOME):
                        acc[i] += (raw[i] - low) * rate
            self.peak[block] = highest_of(acc)
        return True

    cdef bint same(self, const FloatView* index, Py_ssize_t host, Py_ssize_t other) noexcept nogil:
        """Are two hosts alike in all that is weighed?"""
        cdef Py_ssize_t t
        for t in range(index.terms):
            if index.raw[t] != NULL and index.raw[t][host] != index.raw[t][other]:
                return False
            if self.mixed[t] and self.floats.factor(t, host) != self.floats.factor(t, other):
                return False
        return True

    cdef double weighed(self, const FloatView* index, Py_ssize_t host) noexcept nogil:
        """The total of a host in the scan's order of operations."""
        cdef double total = 0.0
        cdef Py_ssize_t t
        for t in range(index.terms):
            if index.raw[t] != NULL:
                total += self.floats.factor(t, host) * scaled(index.raw[t][host], index.low[t], index.high[t])
        return total

    cdef Py_ssize_t top(self, const FloatView* index, Py_ssize_t most, int64_t* hosts, double* totals) noexcept nogil:
        """The first `most` (1..MOST_TOP) of the open hosts by total, then by index. Returns how many, -1 if it cannot.

        A lone host is not weighed: 0.0.
        """
        cdef double[MOST_TOP] high
        cdef double slack = 0.0, least, total
        cdef Py_ssize_t blocks = index.slots // SOME, b, i, at, last, found = 0
        cdef int64_t alike = -1
        if not self.bounds(index, &slack):
            return -1
        most = min(most, <Py_ssize_t>index.open)
        if most == 0:
            return 0
        for i in range(most):
            high[i] = -INFINITY
        for b in range(blocks):
            if self.peak[b] <= high[most - 1]:
                continue
            for i in range(b * SOME, b * SOME + SOME):
                if self.acc[i] > high[most - 1]:
                    at = most - 1
                    while at > 0 and high[at - 1] < self.acc[i]:
                        high[at] = high[at - 1]
                        at -= 1
                    high[at] = self.acc[i]
        least = high[most - 1] - 2 * slack
        for b in range(blocks):
            if self.peak[b] < least:
                continue
            for i in range(b * SOME, b * SOME + SOME):
                if self.acc[i] < least or index.shut[i] != 0.0:
                    continue
                if alike < 0 or not self.same(index, alike, i):
                    total = 0.0 if index.open == 1 else self.weighed(index, i)
                    alike = i
                at = found
                while at > 0 and totals[at - 1] < total:
                    at -= 1
                if at == most:
                    continue
                found = min(found + 1, most)
                for last in range(found - 1, at, -1):
                    hosts[last], totals[last] = hosts[last - 1], totals[last - 1]
                hosts[at], totals[at] = i, total
        return found

    cdef bint choose(self, const ClassView* request, Choice* choice, bint soon) except -1 nogil:
        """The scan's choice, where an index of the class finds a host; False leaves it to the scan."""
        cdef FloatView* index
        cdef double total = 0.0
        self.ready(request, soon, &index)
        if index == NULL or self.top(index, 1, &choice.host, &total) < 1:
            return False
        choice.score = bits_of(total)
        return True
