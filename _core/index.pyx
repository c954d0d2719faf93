"""One class's index before any host is read: its memory, what its terms ask of it, hosts sorted into cells, trees.

Knows nothing of other classes, of when an index is worth having, or of decisions.
"""

cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN, uint64_t
from libc.string cimport memcpy, memset

from binwright._core.domain_terms cimport BUCKETED, HOST, REQUIRE, SKEW, ClassTerms, HardTerm, Ref, SoftTerm
from binwright._core.memory cimport give_back, taken
from binwright._core.spread cimport most_counted
from binwright._core.terms cimport COUNT, LEAST, NONE, SPREAD, STATIC, Share

cdef enum:
    FEW_CELLS = 64         # always allowed
    FEW_LEAVES = 256
    MOST_CELLS = 4096
    HOSTS_A_CELL = 8       # else on average at least: otherwise a scan is as good
    HOSTS_A_LEAF = 2
    MOST_LEAVES = 1 << 14


cdef int64_t static_number(
    const IndexView* index, Scan scan, const ClassView* request, int32_t i, Py_ssize_t host
) noexcept nogil:
    """Number i of the tuple of a host's cell, as the fleet is now."""
    cdef int32_t column = index.column[i]
    return request.raw[column][host] if column >= 0 else scan.domain_terms.domain(~column, host)


cdef bint by_host(const ClassTerms* mine, const HardTerm* term) noexcept nogil:
    """Does a term that is asked at the decision read counts of the hosts themselves?"""
    cdef int32_t r
    if term.op == REQUIRE or term.op == SKEW:
        for r in range(term.first, term.first + term.refs):
            if mine.refs[r].key == HOST:
                return True
    return False


cdef int new_leaf(IndexView* index, int32_t cell) except -1 nogil:
    """One more leaf, of this cell; `unfit` if there are too many."""
    if index.leaves >= min(MOST_LEAVES, max(FEW_LEAVES, index.hosts // HOSTS_A_LEAF)):
        index.unfit = True
        return 0
    with gil:
        (<Index>index.owner).add_leaf(cell)
    return 0


cdef Index planted(Scan scan, const ClassView* request):
    """The index of a class, with no host in any leaf; None if there would be too many cells."""
    cdef Index index = Index()
    index.view.number = request.number
    index.view.hosts = <int32_t>scan.fleet.hosts
    index.name_locals(scan, request)
    index.name_statics(scan, request)
    index.name_terms(scan, request)
    if not index.sort_hosts(scan, request):
        return None
    index.plant(scan, request)
    index.name_own(scan, request)
    return index


@cython.no_gc  # holds numbers only, and needs them to free what they stand for
@cython.final
cdef class Index:
    """Owner of an index's memory, which is released whole."""

    def __cinit__(self):
        self.blocks = []
        memset(&self.view, 0, sizeof(IndexView))
        self.view.owner = <void*>self
        self.view.refused_at = -1
        self.view.plain = True

    def __dealloc__(self):
        give_back(self.blocks)

    cdef void* take(self, Py_ssize_t count, Py_ssize_t size) except NULL:
        """`count` zeroed cells of `size` bytes, 64-byte aligned, that live as long as the index."""
        return taken(self.blocks, &self.view.bytes, count, size)

    cdef void* retake(self, void* memory, Py_ssize_t before, Py_ssize_t count, Py_ssize_t size) except NULL:
        """A longer array with the same beginning; the shorter one stays until the index goes, halves add up to one."""
        cdef void* grown = self.take(count, size)
        if before:
            memcpy(grown, memory, before * size)
        return grown

    # ---- what the class's terms ask of the index -----------------------------------------------------------------

    cdef int name_locals(self, Scan scan, const ClassView* request) except -1:
        """What is read of a host alone, at addresses that hold until the fleet's columns are lengthened."""
        cdef IndexView* view = &self.view
        cdef Py_ssize_t f, columns = scan.terms.columns()
        cdef Share* shares = <Share*>self.take(columns, sizeof(Share))
        view.local = <LocalTerm*>self.take(scan.terms.count, sizeof(LocalTerm))
        view.locals = scan.terms.local_terms(scan.fleet, request, view.local, shares)
        view.flags = scan.fleet.flags.uint8s(0)
        view.capacity = <const int64_t**>self.take(request.filters, sizeof(int64_t*))
        view.used = <const int64_t**>self.take(request.filters, sizeof(int64_t*))
        view.demand = <int64_t*>self.take(request.filters, sizeof(int64_t))
        for f in range(request.filters):
            view.capacity[f] = scan.fleet.capacity.int64s(request.filtered[f])
            view.used[f] = scan.fleet.used.int64s(request.filtered[f])
            view.demand[f] = request.fit[request.filtered[f]]
        view.resource = <int32_t*>self.take(scan.fleet.resources, sizeof(int32_t))
        view.place = <int32_t*>self.take(scan.fleet.resources, sizeof(int32_t))
        memset(view.place, 0xFF, scan.fleet.resources * sizeof(int32_t))
        for f in range(request.filters):
            self.name_resource(request.filtered[f])
        for f in range(view.locals):
            for columns in range(view.local[f].count):
                self.name_resource(view.local[f].shares[columns].resource)
        return 0

    cdef int name_resource(self, int32_t resource) except -1:
        if self.view.place[resource] < 0:
            self.view.place[resource] = self.view.resources
            self.view.resource[self.view.resources] = resource
            self.view.resources += 1
        return 0

    cdef int name_own(self, Scan scan, const ClassView* request) except -1:
        """Columns of a class whose only score is the free share of resources that it filters, and which nothing else
        can refuse: `succeeded` reads them.
        """
        cdef IndexView* view = &self.view
        cdef const LocalTerm* score = view.local
        cdef const Share* share
        cdef Py_ssize_t s, f
        if not view.plain or view.locals != 1 or score.kind != LEAST or 100 * score.weight > HIGHEST_TOTAL:
            return 0
        if view.refs or scan.domain_terms.classes[request.number].hards:
            return 0
        view.own = <Own*>self.take(request.filters, sizeof(Own))
        for f in range(request.filters):
            view.own[f].capacity, view.own[f].used = view.capacity[f], view.used[f]
            view.own[f].demand = view.demand[f]
        for s in range(score.count):
            share = score.shares + s
            if request.fit[share.resource] == 0 or request.fit[share.resource] != share.demand:
                return 0
            for f in range(request.filters):
                if request.filtered[f] == share.resource:
                    view.own[f].weight += share.weight
            view.own_weights += share.weight
        view.own_weight = score.weight
        view.owns = <int32_t>request.filters if view.own_weights else 0
        return 0

    cdef int name_statics(self, Scan scan, const ClassView* request) except -1:
        """Raw scores that a normaliser looks at tell cells apart."""
        cdef IndexView* view = &self.view
        cdef Extremes none
        cdef Py_ssize_t t
        cdef int32_t slot
        none.low = none.high = 0
        view.refs = scan.domain_terms.classes[request.number].ref_count
        view.column = <int32_t*>self.take(MAX_SLOTS + view.refs, sizeof(int32_t))
        for slot in range(MAX_SLOTS):
            view.raw_place[slot] = -1
        for t in range(scan.terms.count):
            if request.skips >> t & 1 or scan.terms.terms[t].kind != STATIC or scan.terms.terms[t].normaliser == NONE:
                continue
            slot = scan.terms.terms[t].slot
            if request.raw[slot] == NULL:
                view.fixed += scan.terms.terms[t].weight * scan.terms.normalised(t, 0, &none)
                continue
            view.plain = False
            view.raw_place[slot] = view.width
            view.column[view.width] = slot
            view.width += 1
        return 0

    cdef int name_terms(self, Scan scan, const ClassView* request) except -1:
        """Which sums are kept, which domains tell cells apart, which counts of a host tell leaves apart."""
        cdef IndexView* view = &self.view
        cdef const ClassTerms* mine = scan.domain_terms.classes + request.number
        cdef const HardTerm* term
        cdef Py_ssize_t t
        cdef int32_t r, h
        cdef bint by_leaf
        view.hard = <int32_t*>self.take(mine.hards, sizeof(int32_t))
        view.kept = <Kept*>self.take(mine.ref_count, sizeof(Kept))
        view.sums = <Sum*>self.take(mine.ref_count, sizeof(Sum))
        view.number_kind = <Number*>self.take(2 * mine.ref_count + mine.softs, sizeof(Number))
        for r in range(mine.ref_count):
            view.kept[r].place = view.kept[r].number = -1
            view.kept[r].size = -1
        for by_leaf in range(2):
            for h in range(mine.hards):
                term = mine.hard + h
                if scan.domain_terms.carry(request.number, h) != BUCKETED:
                    continue
                if by_host(mine, term) == by_leaf:
                    view.hard[view.by_cell + view.by_leaf] = h
                    view.by_cell += not by_leaf
                    view.by_leaf += by_leaf
        for h in range(mine.hards):
            term = mine.hard + h
            for r in range(term.first, term.first + term.refs):
                self.keep_sum(scan, r, term.op == SKEW)
                view.kept[r].lowest = term.op == SKEW
                if mine.refs[r].key == HOST and term.op == REQUIRE:
                    self.add_number(THERE, r)
                elif mine.refs[r].key == HOST and term.op == SKEW:
                    self.add_number(COUNTED, r)
        for t in range(scan.terms.count):
            if request.skips >> t & 1 or scan.terms.terms[t].kind not in (COUNT, SPREAD):
                continue
            for h in range(mine.softs):
                if mine.soft[h].slot == scan.terms.terms[t].slot:
                    self.name_soft(scan, h, scan.terms.terms[t].kind == SPREAD)
                    view.plain = False
        if view.by_cell + view.by_leaf:
            view.plain = False
        return 0

    cdef int name_soft(self, Scan scan, int32_t soft, bint spread) except -1:
        cdef const Ref* refs = scan.domain_terms.classes[self.view.number].refs
        cdef const SoftTerm* mine = scan.domain_terms.classes[self.view.number].soft + soft
        cdef int32_t r
        cdef bint weighed = False
        for r in range(mine.first, mine.first + mine.refs):
            self.keep_sum(scan, r, False)
            if not spread:
                self.view.kept[r].most = most_counted(mine, refs + r)
                weighed = weighed or refs[r].key == HOST and refs[r].weight != 0
            elif refs[r].per_host:
                self.add_number(CELL, r)
            elif refs[r].key == HOST:
                self.add_number(COUNTED, r)
        if weighed:
            self.add_number(WEIGHED, soft)
        return 0

    cdef int add_number(self, NumberKind kind, int32_t which) except -1:
        cdef IndexView* view = &self.view
        view.number_kind[view.numbers].kind = kind
        view.number_kind[view.numbers].which = which
        if kind != WEIGHED:
            view.kept[which].number = view.numbers
        view.numbers += 1
        return 0

    cdef int keep_sum(self, Scan scan, int32_t r, bint by_value) except -1:
        """Keep the sum of a ref, unless its counter's total is the sum. by_value: the smallest cell is asked for."""
        cdef IndexView* view = &self.view
        cdef const Ref* ref = scan.domain_terms.classes[view.number].refs + r
        cdef Kept* kept = view.kept + r
        cdef int32_t i = 0
        if ref.key == HOST and ref.members < 0 and not by_value:
            return 0
        kept.seen = <int64_t*>self.take(view.hosts, sizeof(int64_t))
        memset(kept.seen, 0xFF, view.hosts * sizeof(int64_t))
        kept.stale = True
        if ref.key != HOST:
            while i < view.width and view.column[i] != ~ref.key:
                i += 1
            view.column[i] = ~ref.key
            view.width = max(view.width, i + 1)
            kept.place = i
            kept.width = scan.domain_terms.domains.domain_count(ref.key) + 1
            view.sums[r].values = <int64_t*>self.take(kept.width, sizeof(int64_t))
            kept.marked = <int64_t*>self.take(kept.width, sizeof(int64_t))
        elif by_value:
            kept.width = HIGHEST_CELL + 1
        if kept.width:
            kept.present = <int64_t*>self.take(kept.width, sizeof(int64_t))
        return 0

    # ---- cells and leaves ----------------------------------------------------------------------------------------

    cdef bint sort_hosts(self, Scan scan, const ClassView* request) except -1:
        """Give every host its cell and its slot; False if there would be too many cells."""
        cdef IndexView* view = &self.view
        cdef Py_ssize_t most = min(MOST_CELLS, max(FEW_CELLS, view.hosts // HOSTS_A_CELL)), room = 256, host, slots
        cdef int32_t* table
        cdef int64_t* mine
        cdef int64_t* known
        cdef int32_t i, c
        cdef uint64_t mixed
        if view.width == 0:
            view.cells = 1
            view.cell = <Cell*>self.take(1, sizeof(Cell))
            view.cell.slots = view.hosts
            view.tuples = <int64_t*>self.take(1, sizeof(int64_t))
            return True
        while room < 4 * most:
            room *= 2
        table = <int32_t*>self.take(room, sizeof(int32_t))  # number of a cell + 1
        view.tuples = <int64_t*>self.take((most + 1) * view.width, sizeof(int64_t))
        view.cell_of = <int32_t*>self.take(view.hosts, sizeof(int32_t))
        view.slot_of = <int32_t*>self.take(view.hosts, sizeof(int32_t))
        view.cell = <Cell*>self.take(most, sizeof(Cell))
        for host in range(view.hosts):
            mine = view.tuples + view.cells * view.width
            mixed = 0
            for i in range(view.width):
                mine[i] = static_number(view, scan, request, i, host)
                mixed = (mixed ^ <uint64_t>mine[i]) * 0x9E3779B97F4A7C15u
                mixed ^= mixed >> 29
            while True:
                mixed &= room - 1
                c = table[mixed] - 1
                if c < 0:
                    break
                known = view.tuples + c * view.width
                i = 0
                while i < view.width and known[i] == mine[i]:
                    i += 1
                if i == view.width:
                    break
                mixed += 1
            if c < 0:
                if view.cells == most:
                    return False
                c = view.cells
                view.cells += 1
                table[mixed] = c + 1
            view.cell_of[host] = c
            view.slot_of[host] = view.cell[c].slots  # in its cell, until all are counted
            view.cell[c].slots += 1
        slots = 0
        for c in range(view.cells):
            view.cell[c].first = <int32_t>slots
            slots += view.cell[c].slots
        view.host_of = <int32_t*>self.take(slots, sizeof(int32_t))
        for host in range(view.hosts):
            view.slot_of[host] += view.cell[view.cell_of[host]].first
            view.host_of[view.slot_of[host]] = <int32_t>host
        return True

    cdef bint is_weighed(self, Scan scan, const ClassView* request, Py_ssize_t t) except -1:
        """Is a score asked at the decision? Of counts and spreads the class has terms, of others raw scores."""
        if request.skips >> t & 1:
            return False
        if scan.terms.terms[t].kind == STATIC:
            return scan.terms.terms[t].normaliser != NONE and self.view.raw_place[scan.terms.terms[t].slot] >= 0
        if scan.terms.terms[t].kind in (COUNT, SPREAD):
            return scan.domain_terms.soft_term(request.number, scan.terms.terms[t].slot) != NULL
        return False

    cdef int plant(self, Scan scan, const ClassView* request) except -1:
        """A leaf for every cell, and what a decision notes."""
        cdef IndexView* view = &self.view
        cdef Py_ssize_t t
        cdef int32_t c
        if view.numbers:
            view.plain = False
            view.leaf_of = <int32_t*>self.take(view.hosts, sizeof(int32_t))
            memset(view.leaf_of, 0xFF, view.hosts * sizeof(int32_t))
            view.blocks = <uint16_t*>self.take(view.hosts, BW_FAN * sizeof(uint16_t))
            view.bytes -= view.hosts * BW_FAN * sizeof(uint16_t)  # counted as they are taken
            view.spare = <int32_t*>self.take(view.hosts, sizeof(int32_t))
            view.mine = <int64_t*>self.take(view.numbers, sizeof(int64_t))
        view.plain = view.plain and view.cells == 1
        self.make_leaf_room(max(16, 2 * view.cells))
        for c in range(view.cells):
            self.add_leaf(c)
        view.closed = <uint8_t*>self.take(view.cells, 1)
        view.share = <int64_t*>self.take(view.cells, sizeof(int64_t))
        view.step = <double*>self.take(view.cells, sizeof(double))
        view.weigh = <int32_t*>self.take(scan.terms.count, sizeof(int32_t))
        for t in range(scan.terms.count):
            if self.is_weighed(scan, request, t):
                view.weigh[view.weighed] = <int32_t>t
                view.weighed += 1
        if not view.plain:
            view.parts = <int64_t*>self.take(scan.terms.count * view.cells, sizeof(int64_t))
            view.extremes = <Extremes*>self.take(scan.terms.count, sizeof(Extremes))
            for t in range(scan.terms.count):
                view.extremes[t].low = INT64_MAX
                view.extremes[t].high = INT64_MIN
        return 0

    cdef int make_leaf_room(self, Py_ssize_t room) except -1:
        cdef IndexView* view = &self.view
        cdef Py_ssize_t i, before = view.leaves
        cdef int64_t* told = <int64_t*>self.take(max(view.numbers, 1) * room, sizeof(int64_t))
        for i in range(view.numbers if before else 0):
            memcpy(told + i * room, view.live_told + i * view.leaf_room, before * sizeof(int64_t))
        view.live_told = told
        view.leaf = <Leaf*>self.retake(view.leaf, before, room, sizeof(Leaf))
        view.told = <int64_t*>self.retake(view.told, before, room, max(view.numbers, 1) * sizeof(int64_t))
        view.stale = <int32_t*>self.retake(view.stale, before, room, sizeof(int32_t))
        view.live_leaf = <int32_t*>self.retake(view.live_leaf, before, room, sizeof(int32_t))
        view.live_cell = <int32_t*>self.retake(view.live_cell, before, room, sizeof(int32_t))
        view.live_open = <int32_t*>self.retake(view.live_open, before, room, sizeof(int32_t))
        view.live_best = <int32_t*>self.retake(view.live_best, before, room, sizeof(int32_t))
        view.live_total = <int64_t*>self.retake(view.live_total, before, room, sizeof(int64_t))
        view.asked = <uint8_t*>self.take(room, 1)
        view.total = <int64_t*>self.take(room, sizeof(int64_t))
        view.raw = <int64_t*>self.take(room, sizeof(int64_t))
        view.level = <double*>self.take(room, sizeof(double))
        view.leaf_room = <int32_t>room
        return 0

    cdef int add_leaf(self, int32_t cell) except -1:
        """An empty leaf of a cell, all its numbers 0."""
        cdef IndexView* view = &self.view
        cdef Py_ssize_t keys = whole_fans(view.cell[cell].slots), level
        cdef Leaf* leaf
        if view.leaves == view.leaf_room:
            self.make_leaf_room(max(16, 2 * view.leaves))
        leaf = view.leaf + view.leaves
        leaf.cell = cell
        leaf.best = leaf.at = -1
        if view.numbers:
            leaf.block = <int32_t*>self.take(keys // BW_FAN, sizeof(int32_t))
            memset(leaf.block, 0xFF, keys // BW_FAN * sizeof(int32_t))
        else:
            leaf.level[0] = <uint16_t*>self.take(keys, sizeof(uint16_t))
        leaf.depth = 1
        level = keys
        while level > BW_FAN or view.numbers and leaf.depth == 1:
            level = whole_fans(level // BW_FAN)
            leaf.level[leaf.depth] = <uint16_t*>self.take(level, sizeof(uint16_t))
            leaf.depth += 1
        view.leaves += 1
        return 0
