"""The scan's choice without looking at every host exactly: bounds in 16 bits first, exact totals of the highest.

For classes whose rules look at one host alone and whose scores are resource scores and raw scores; all others, and
requests that no host takes, are left to the scan.
"""

cimport cython
from libc.math cimport sqrt
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from binwright._core.block_statics cimport feasible
from binwright._core.crew cimport share_out
from binwright._core.domain_terms cimport FORBID, HOST, INCREMENTAL, ClassTerms
from binwright._core.kernels cimport (
    BW_ALL, BW_EVEN, BW_FREE, BW_GAINS, BW_SHARES, BW_TAKEN, BW_WHOLE, K, bw_gain, bw_left, bw_share,
)
from binwright._core.request cimport Classes
from binwright._core.terms cimport LEAST, MOST, RATIO, STATIC, local_total

cdef extern from "binwright/turns.h" nogil:
    void bw_add_to(int64_t* sum, int64_t amount)

cdef enum:
    HIGHEST_SUM = 65535 // 100    # sum of a term's weights
    SURE_TRIES = 32               # exact evaluations before the scan is asked, and
    HOSTS_A_TRY = 128             # one more for so many hosts
    MANY_BLOCKS = 64              # fewer are read sooner than potentials are kept
    SHARED_BLOCKS = 96            # to be read: fewer are read sooner than two threads have told each other
    PIECE_BLOCKS = 16
    MOST_DEMAND = 0x7FFFFFFF      # that 16 bits tell after a shift by 15 at most


@cython.final
cdef class BlockFilter:
    """Decides by bounds over one fleet; holds nothing that the fleet does not say as well."""

    def __cinit__(self, Journal journal, Scan scan):
        self.local = NULL
        self.shares = NULL
        self.top = NULL
        self.asked = NULL
        self.top_room = 0
        self.journal = journal
        self.scan = scan
        self.columns = BlockColumns(journal, scan.fleet)
        self.statics = BlockStatics(scan)
        self.potentials = BlockPotentials(self.columns)
        self.off = False
        self.many_blocks = MANY_BLOCKS
        self.shared_blocks = SHARED_BLOCKS
        self.piece_blocks = PIECE_BLOCKS
        self.answered = self.evaluated = self.read = 0
        self.local = <LocalTerm*>malloc(max(scan.terms.count, 1) * sizeof(LocalTerm))
        self.shares = <Share*>malloc(max(scan.terms.columns(), 1) * sizeof(Share))
        if self.local == NULL or self.shares == NULL:
            raise MemoryError("block filter")

    def __dealloc__(self):
        free(self.local)
        free(self.shares)
        free(self.top)
        free(self.asked)

    @property
    def bytes(self):
        """Memory of the 16-bit columns, static ones and potentials included."""
        return self.columns.bytes + self.statics.bytes + self.potentials.bytes

    cdef int make_room(self, Py_ssize_t classes) except -1:
        """Room for as many classes and hosts as there are; called before a batch."""
        cdef Py_ssize_t wanted = (self.scan.fleet.blocks() + BW_BLOCK - 1) // BW_BLOCK * BW_BLOCK
        self.statics.make_room(classes)
        if self.scan.fleet.blocks() >= self.many_blocks:
            self.potentials.make_room()
        if wanted > self.top_room:
            free(self.top)
            free(self.asked)
            self.top_room = 0
            self.top = <uint16_t*>malloc(wanted * sizeof(uint16_t))
            self.asked = <uint8_t*>malloc(wanted)
            if self.top == NULL or self.asked == NULL:
                raise MemoryError("block filter")
            self.top_room = wanted
        return 0

    cdef bint carries(self, const ClassView* request) noexcept nogil:
        """Do all terms of a class look at one host alone? The scan does not ask it anything else then."""
        cdef const ClassTerms* mine = self.scan.domain_terms.classes + request.number
        cdef int32_t t, r
        if self.off or self.scan.floating or request.plan != NULL or mine.softs:
            return False
        if self.scan.overlays.live or self.scan.window.stop or self.scan.externals.concerned[request.number]:
            return False
        for t in range(mine.hards):
            if mine.hard[t].op == FORBID:
                for r in range(mine.hard[t].first, mine.hard[t].first + mine.hard[t].refs):
                    if mine.refs[r].key != HOST:
                        return False
            elif self.scan.domain_terms.carry(request.number, t) != INCREMENTAL:
                return False
        for t in range(self.scan.terms.count):
            if self.scan.terms.terms[t].kind == RATIO and not request.skips >> t & 1:
                return False
        return True

    cdef bint choose(self, const ClassView* request, Choice* choice) except -1 nogil:
        """The scan's choice; False leaves it to the scan."""
        cdef Plan plan
        if not self.prepare(request, &plan):
            return False
        if self.scan.fleet.blocks() < self.many_blocks:
            self.bound_all(&plan)
        else:
            self.bound_some(&plan)
        if not self.find_best(request, &plan, choice):
            return False
        self.answered += 1
        return True

    cdef bint prepare(self, const ClassView* request, Plan* plan) except -1 nogil:
        """Say what bounds a decision of a class now; False leaves it to the scan."""
        if not self.carries(request) or not self.lay_out(request, plan) or not self.columns.refresh():
            return False
        self.potentials.note()
        self.scale(plan)
        if not self.add_statics(request, plan):
            return False
        self.key = <uint16_t*>self.scan.total
        memset(self.top, 0, self.top_room * sizeof(uint16_t))
        return True

    def bounds(self, Classes classes, Py_ssize_t number, uint16_t[::1] key):
        """Tests: fill, for every host slot (stride,), the bound of its total + 1, 0 = not feasible. Returns False where
        the scan would be left to decide.
        """
        cdef Plan plan
        cdef const ClassView* request = classes.views + number
        cdef Py_ssize_t host
        self.scan.make_room()
        self.make_room(number + 1)
        self.columns.asked_at = self.journal.fed
        if not self.prepare(request, &plan):
            return False
        self.bound_all(&plan)
        for host in range(self.scan.fleet.hosts):
            key[host] = self.key[host]
        return True

    # ---- what a decision computes -----------------------------------------------------------------------------

    cdef bint lay_out(self, const ClassView* request, Plan* plan) noexcept nogil:
        """Which demands are taken from which resources and what is scored of what they leave. False: too much."""
        cdef bw_bounds* bounds = &plan.bounds
        cdef LocalTerm* term
        cdef bw_gain* gain
        cdef bw_share* share
        cdef Py_ssize_t f, t, c
        cdef int64_t common, sum
        cdef int32_t left
        bounds.resources = <int32_t>self.scan.fleet.resources
        bounds.lefts = bounds.shares = bounds.gains = 0
        plan.highest = 0
        for f in range(request.filters):
            if self.left_of(plan, request.filtered[f], request.fit[request.filtered[f]], True) < 0:
                return False
        plan.local = self.local
        plan.locals = self.scan.terms.local_terms(self.scan.fleet, request, self.local, self.shares)
        for t in range(plan.locals):
            if self.local[t].kind == STATIC:  # `extra` has those
                continue
            self.local[bounds.gains] = self.local[t]
            term = self.local + bounds.gains
            if bounds.gains == BW_GAINS or bounds.shares + term.count > BW_SHARES or term.weight > HIGHEST_SUM:
                return False
            gain = bounds.gain + bounds.gains
            bounds.gains += 1
            gain.kind = BW_FREE if term.kind == LEAST else BW_TAKEN if term.kind == MOST else BW_EVEN
            gain.weight = <uint16_t>term.weight
            gain.first = bounds.shares
            gain.count = <int32_t>term.count
            plan.highest += 100 * term.weight
            common = sum = 0
            for c in range(term.count):
                common = divisor(common, term.shares[c].weight)
            for c in range(term.count):
                share = bounds.share + bounds.shares
                bounds.shares += 1
                left = self.left_of(plan, term.shares[c].resource, term.shares[c].demand, False)
                if left < 0 or term.shares[c].weight // common > HIGHEST_SUM:
                    return False
                share.left = left
                share.weight = <uint16_t>(2 if term.count == 1 else term.shares[c].weight // common)
                sum += share.weight
            if sum > HIGHEST_SUM:
                return False
            gain.factor = <uint16_t>(65536 // max(sum, 2) + 1)
            if gain.kind == BW_EVEN:
                gain.factor = <uint16_t>(65536 / sqrt(2.0 * max(term.count, 2)))
        plan.locals = bounds.gains
        return plan.highest < 65535

    cdef int32_t left_of(self, Plan* plan, int32_t resource, int64_t amount, bint filtered) noexcept nogil:
        """The number of what an amount leaves of a resource; -1 = no room for one more."""
        cdef int32_t i
        cdef bw_left* left
        for i in range(plan.bounds.lefts):
            left = plan.bounds.left + i
            if left.resource == resource and plan.amount[i] == amount and left.filtered >= filtered:
                return i
        if plan.bounds.lefts == BW_LEFTS:
            return -1
        left = plan.bounds.left + plan.bounds.lefts
        left.resource = resource
        left.filtered = filtered
        plan.amount[plan.bounds.lefts] = amount
        plan.bounds.lefts += 1
        return plan.bounds.lefts - 1

    cdef void scale(self, Plan* plan) noexcept nogil:
        """Write demands and errors in the units of the columns, which are up to date."""
        cdef bw_left* left
        cdef bw_gain* gain
        cdef bw_share* share
        cdef Py_ssize_t i, t
        cdef int64_t demand
        for i in range(plan.bounds.lefts):
            left = plan.bounds.left + i
            demand = <int64_t>min(
                <double>plan.amount[i] / <double>self.columns.size[left.resource] * BW_WHOLE, <double>MOST_DEMAND
            )
            left.shift = 0
            while demand >> left.shift > 0xFFFF:
                left.shift += 1
            left.demand = <uint16_t>(demand >> left.shift)
            left.slack = <uint16_t>min(2 + (<int64_t>4 << left.shift), 0xFFFF)
        for t in range(plan.bounds.gains):
            gain = plan.bounds.gain + t
            gain.slack = 0
            if gain.kind == BW_EVEN and gain.count < 2:
                gain.kind = BW_ALL
            for i in range(gain.first, gain.first + gain.count):
                share = plan.bounds.share + i
                left = plan.bounds.left + share.left
                share.some = self.columns.none[left.resource]
                gain.slack = max(gain.slack, left.slack)
                if gain.kind != BW_FREE and (share.some or self.columns.small[left.resource]):
                    gain.kind = BW_ALL

    cdef bint add_statics(self, const ClassView* request, Plan* plan) except -1 nogil:
        """Put the static totals in. False: no host is feasible, or totals need more than 16 bits."""
        cdef StaticColumn* column
        cdef Py_ssize_t i
        cdef int64_t same
        if request.mask == NULL and not self.statics.has_raw(request):
            same = self.statics.without(request) + 1
            if same + plan.highest > 65535:
                return False
            for i in range(BW_BLOCK):
                self.equal_extra[i] = <uint16_t>same
            plan.extra = self.equal_extra
            plan.one_extra = True
            plan.tops = NULL
            return True
        column = self.statics.of(request)
        if not self.statics.settle(column, request) or column.most + plan.highest > 65535:
            return False
        plan.extra = column.extra
        plan.one_extra = False
        plan.tops = column.tops
        return True

    # ---- bounds -----------------------------------------------------------------------------------------------

    cdef void bound(self, const Plan* plan, Py_ssize_t block) noexcept nogil:
        """Bounds of the hosts of a block, and the highest."""
        self.top[block] = <uint16_t>K.bound(
            &plan.bounds, self.columns.block(block),
            plan.extra if plan.one_extra else plan.extra + block * BW_BLOCK, self.key + block * BW_BLOCK,
        )
        self.asked[block] = True

    cdef void bound_all(self, const Plan* plan) noexcept nogil:
        cdef Py_ssize_t block
        for block in range(self.scan.fleet.blocks()):
            self.bound(plan, block)
        self.read += self.scan.fleet.blocks()

    cdef void bound_some(self, const Plan* plan) noexcept nogil:
        """Bounds of the blocks that may hold the best host; what the others cannot pass."""
        cdef Sweep sweep
        cdef const uint16_t* best
        cdef Py_ssize_t block, blocks = self.scan.fleet.blocks()
        cdef int64_t most
        best = self.potentials.of(&plan.bounds)
        for block in range(blocks):
            most = plan.tops[block] if plan.tops != NULL else plan.extra[0]
            self.top[block] = <uint16_t>min(best[block] + most, 0xFFFF) if most else 0
        memset(self.asked, 0, self.top_room)
        block = self.highest_block()
        if block < 0:
            return
        self.bound(plan, block)
        sweep.filter = <void*>self
        sweep.plan = plan
        sweep.highest = self.top[block]
        sweep.each = self.blocks_a_piece(sweep.highest)
        sweep.read = 1
        share_out(bound_piece, &sweep, (blocks + sweep.each - 1) // sweep.each, self.scan.threads)
        self.read += sweep.read

    cdef Py_ssize_t blocks_a_piece(self, int64_t highest) noexcept nogil:
        """How many blocks a thread takes at a time: all, where one thread had better do the work."""
        cdef Py_ssize_t block, blocks = self.scan.fleet.blocks(), unread = 0
        if self.scan.threads == 1:
            return blocks
        for block in range(blocks):
            unread += self.top[block] > highest
        return self.piece_blocks if unread >= self.shared_blocks else blocks

    cdef int64_t bound_above(self, const Plan* plan, int64_t highest, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
        """Bounds of those blocks of first .. end - 1 that may pass the highest; their number. Where equals matter,
        find_best asks for them.
        """
        cdef Py_ssize_t block
        cdef int64_t read = 0
        for block in range(first, end):
            if self.top[block] > highest and not self.asked[block]:
                self.bound(plan, block)
                highest = max(highest, self.top[block])
                read += 1
        return read

    cdef Py_ssize_t highest_block(self) noexcept nogil:
        """The first block of the highest bound, -1 = all are 0."""
        cdef Py_ssize_t chunk, place = -1
        cdef int64_t highest = 0, found
        for chunk in range(0, self.top_room // BW_BLOCK):
            found = K.top(self.top + chunk * BW_BLOCK)
            if found > highest:
                highest = found
                place = chunk
        return -1 if place < 0 else place * BW_BLOCK + K.find(self.top + place * BW_BLOCK, highest)

    # ---- exact totals -----------------------------------------------------------------------------------------

    cdef bint find_best(self, const ClassView* request, const Plan* plan, Choice* choice) noexcept nogil:
        """The first host of the highest total; False: none is feasible, or too many bounds were too high."""
        cdef Py_ssize_t block, host
        cdef Py_ssize_t tries = SURE_TRIES + self.scan.fleet.hosts // HOSTS_A_TRY
        cdef int64_t highest, total
        cdef uint16_t* key
        while tries:
            block = self.highest_block()
            if block < 0:
                return False
            if not self.asked[block]:
                self.bound(plan, block)
                self.read += 1
                continue
            tries -= 1
            highest = self.top[block]
            key = self.key + block * BW_BLOCK
            host = K.find(key, highest)
            self.evaluated += 1
            total = -1
            if feasible(self.scan, request, block * BW_BLOCK + host):
                total = local_total(plan.local, plan.locals, request, block * BW_BLOCK + host) - 1
                total += plan.extra[host] if plan.one_extra else plan.extra[block * BW_BLOCK + host]
            if total + 1 == highest:
                choice.host = block * BW_BLOCK + host
                choice.score = total
                return True
            key[host] = <uint16_t>(total + 1)
            self.top[block] = <uint16_t>K.top(key)
        return False


cdef void bound_piece(void* what, int64_t piece) noexcept nogil:
    """One thread's part of `bound_some`: it knows the highest bound of the first block and of its own. Which bounds
    are computed depends on the pieces, not on who takes them or when; the choice depends on neither.
    """
    cdef Sweep* sweep = <Sweep*>what
    cdef Py_ssize_t first = piece * sweep.each
    cdef Py_ssize_t end = min(first + sweep.each, (<BlockFilter>sweep.filter).scan.fleet.blocks())
    bw_add_to(&sweep.read, (<BlockFilter>sweep.filter).bound_above(sweep.plan, sweep.highest, first, end))


cdef int64_t divisor(int64_t a, int64_t b) noexcept nogil:
    """The greatest common one; of 0 and a number the number."""
    while b:
        a, b = b, a % b
    return a
