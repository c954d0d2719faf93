"""One class's index: its memory, how hosts are sorted into leaves, and how one host is read again.

Knows nothing of other classes, of when an index is worth having, or of decisions.
"""

cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN, uint64_t, uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from binwright._core.domain_terms cimport BUCKETED, HOST, ClassTerms, Ref
from binwright._core.kernels cimport BW_BLOCK, BW_FAN, K
from binwright._core.terms cimport COUNT, NONE, SPREAD, STATIC

cdef enum:
    FEW_LEAVES = 64        # always allowed
    MOST_LEAVES = 4096
    HOSTS_A_LEAF = 8       # else on average at least: otherwise a scan is as good


cdef Py_ssize_t whole_fans(Py_ssize_t keys) noexcept nogil:
    """Room for a level of `keys` keys: whole fans."""
    return max((keys + BW_FAN - 1) // BW_FAN, 1) * BW_FAN


cdef Py_ssize_t tree_room(Py_ssize_t slots, int32_t* depth) noexcept nogil:
    """Keys of all levels of a tree, the last of which is one fan."""
    cdef Py_ssize_t room = whole_fans(slots), level = room
    depth[0] = 1
    while level > BW_FAN:
        level = whole_fans(level // BW_FAN)
        room += level
        depth[0] += 1
    return room


cdef int64_t tuple_number(
    const IndexView* index, Scan scan, const ClassView* request, int32_t i, Py_ssize_t host
) noexcept nogil:
    """Number i of a host's tuple as the fleet is now."""
    cdef int32_t column = index.column[i]
    return request.raw[column][host] if column >= 0 else scan.domain_terms.domain(~column, host)


cdef bint in_place(const IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """Is a host whose static part changed still like the others of its leaf?"""
    cdef int32_t i, leaf = 0 if index.leaf_of == NULL else index.leaf_of[host]
    for i in range(index.width):
        if tuple_number(index, scan, request, i, host) != index.tuples[leaf * index.width + i]:
            return False
    return True


cdef int64_t key_of(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """Local total + 1 of a host that passes every rule that looks at it alone, else 0."""
    cdef Py_ssize_t f
    cdef int32_t resource, t
    cdef int64_t total
    if scan.fleet.flags.uint8s(0)[host] or request.mask != NULL and request.mask[host]:
        return 0
    for f in range(request.filters):
        resource = request.filtered[f]
        if request.fit[resource] > scan.fleet.capacity.int64s(resource)[host] - scan.fleet.used.int64s(resource)[host]:
            return 0
    for t in range(scan.domain_terms.classes[request.number].hards):
        if scan.domain_terms.rejected_alone(request.number, t, host):
            return 0
    total = scan.terms.local_total(scan.fleet, request, host)
    if total > HIGHEST_TOTAL:
        index.too_high = True
        return 0
    return total + 1


cdef void read_cell(IndexView* index, Scan scan, const Ref* ref, int32_t r, Py_ssize_t host) noexcept nogil:
    """Bring the sum of a ref up to date with one host."""
    cdef Kept* kept = index.kept + r
    cdef Sum* sum = index.sums + r
    cdef int64_t cell = scan.counters.cell(ref.counter, host) if scan.domain_terms.counts(ref.members, host) else -1
    cdef int64_t before = kept.seen[host], change
    cdef int32_t leaf, domain = 0
    if cell == before:
        return
    kept.seen[host] = cell
    change = max(cell, 0) - max(before, 0)
    if kept.present != NULL:
        leaf = 0 if index.leaf_of == NULL else index.leaf_of[host]
        domain = <int32_t>index.tuples[leaf * index.width + kept.place]
        sum.values[domain + 1] += change
        kept.present[domain + 1] += (cell >= 0) - (before >= 0)
        kept.stale = True
    if domain >= 0:
        sum.total += change


cdef void find_lowest(IndexView* index, int32_t r) noexcept nogil:
    """The smallest sum of a domain where a counted host lies, and how many such domains there are."""
    cdef const Kept* kept = index.kept + r
    cdef Sum* sum = index.sums + r
    cdef Py_ssize_t d
    sum.low = INT64_MAX
    sum.existing = 0
    for d in range(1, kept.width):
        if kept.present[d]:
            sum.existing += 1
            sum.low = min(sum.low, sum.values[d])
    if sum.existing == 0:
        sum.low = 0
    index.kept[r].stale = False


cdef void read_host(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """Derive all that the index keeps of one host anew."""
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef int32_t r
    cdef Leaf* leaf = index.leaf
    cdef int64_t slot = host
    cdef uint16_t key, before
    for r in range(index.refs):
        if index.kept[r].seen != NULL:
            read_cell(index, scan, refs + r, r, host)
    if index.slot_of != NULL:
        leaf = index.leaf + index.leaf_of[host]
        slot = index.slot_of[host] - leaf.first
    key = <uint16_t>key_of(index, scan, request, host)
    before = leaf.level[0][slot]
    if key == before:
        return
    leaf.level[0][slot] = key
    leaf.open += (key > 0) - (before > 0)
    if key >= leaf.key or before == leaf.key:
        leaf.stale = True
    K.climb(leaf.level, leaf.depth, slot)


cdef void find_best(const IndexView* index, Leaf* leaf) noexcept nogil:
    """The leaf's first host of the largest key."""
    cdef int64_t slot = K.descend(leaf.level, leaf.depth)
    leaf.stale = False
    if slot < 0:
        leaf.key = 0
        leaf.best = -1
        return
    leaf.key = leaf.level[0][slot]
    leaf.best = <int32_t>slot if index.host_of == NULL else index.host_of[leaf.first + slot]


cdef void fill(IndexView* index, Scan scan, const ClassView* request) noexcept nogil:
    """Read every host, block by block."""
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef Py_ssize_t host, slot, level, room
    cdef int32_t r, t, c, hards = scan.domain_terms.classes[request.number].hards
    cdef Leaf* leaf = index.leaf
    cdef int64_t key
    for r in range(index.refs):
        if index.kept[r].seen != NULL:
            for host in range(index.hosts):
                read_cell(index, scan, refs + r, r, host)
    scan.filter_all(request)
    scan.local_totals(request)
    for c in range(index.leaves):
        index.leaf[c].open = 0
        index.leaf[c].stale = True
    for host in range(index.hosts):
        key = 0
        if scan.open[host // BW_BLOCK] and scan.total[host] >= 0:
            key = scan.total[host] + 1
            for t in range(hards):
                if scan.domain_terms.rejected_alone(request.number, t, host):
                    key = 0
                    break
        if key > HIGHEST_TOTAL + 1:
            index.too_high = True
            key = 0
        slot = host
        if index.slot_of != NULL:
            leaf = index.leaf + index.leaf_of[host]
            slot = index.slot_of[host] - leaf.first
        leaf.level[0][slot] = <uint16_t>key
        leaf.open += key > 0
    for c in range(index.leaves):
        leaf = index.leaf + c
        room = leaf.level[1] - leaf.level[0] if leaf.depth > 1 else 0
        for level in range(1, leaf.depth):
            K.fold_keys(leaf.level[level - 1], room // BW_FAN, leaf.level[level])
            room = whole_fans(room // BW_FAN)


cdef Index made_index(Scan scan, const ClassView* request):
    """The index of a class, every host read; None if it would not be one: too many leaves, too high totals."""
    cdef Index index = Index()
    index.view.number = request.number
    index.view.hosts = <int32_t>scan.fleet.hosts
    index.name_columns(scan, request)
    if not index.sort_hosts(scan, request):
        return None
    index.view.plain = index.view.plain and index.view.leaves == 1
    index.plant()
    index.keep_sums(scan)
    fill(&index.view, scan, request)
    return None if index.view.too_high else index


@cython.final
cdef class Index:
    """Owner of an index's memory, which is released whole."""

    def __cinit__(self):
        self.blocks = []
        memset(&self.view, 0, sizeof(IndexView))
        self.view.refused_at = -1

    def __dealloc__(self):
        for block in self.blocks or ():
            free(<void*><uintptr_t>block)

    cdef void* take(self, Py_ssize_t count, Py_ssize_t size) except NULL:
        """`count` zeroed cells of `size` bytes, 64-byte aligned, that live as long as the index."""
        cdef Py_ssize_t bytes_ = max(count, 1) * size + 64
        cdef void* memory = calloc(bytes_, 1)
        if memory == NULL:
            raise MemoryError("index")
        self.blocks.append(<uintptr_t>memory)
        self.view.bytes += bytes_
        return <void*>((<uintptr_t>memory + 63) // 64 * 64)

    cdef int name_columns(self, Scan scan, const ClassView* request) except -1:
        """What a tuple is made of, and which terms are asked at the decision."""
        cdef IndexView* view = &self.view
        cdef const ClassTerms* mine = scan.domain_terms.classes + request.number
        cdef Py_ssize_t t
        cdef int32_t r, i, slot
        view.column = <int32_t*>self.take(MAX_SLOTS + mine.ref_count, sizeof(int32_t))
        view.hard = <int32_t*>self.take(mine.hards, sizeof(int32_t))
        view.kept = <Kept*>self.take(mine.ref_count, sizeof(Kept))
        view.sums = <Sum*>self.take(mine.ref_count, sizeof(Sum))
        view.refs = mine.ref_count
        view.plain = True
        for slot in range(MAX_SLOTS):
            view.raw_place[slot] = -1
        for t in range(scan.terms.count):
            if request.skips >> t & 1 or scan.terms.terms[t].kind in (COUNT, SPREAD):
                continue
            if scan.terms.terms[t].kind != STATIC or scan.terms.terms[t].normaliser == NONE:
                continue
            view.plain = False
            slot = scan.terms.terms[t].slot
            if request.raw[slot] != NULL:
                view.raw_place[slot] = view.width
                view.column[view.width] = slot
                view.width += 1
        for r in range(mine.ref_count):
            if mine.refs[r].key == HOST:
                continue
            i = 0
            while i < view.width and view.column[i] != ~mine.refs[r].key:
                i += 1
            view.column[i] = ~mine.refs[r].key
            view.width = max(view.width, i + 1)
            view.kept[r].place = i
        for t in range(mine.hards):
            if scan.domain_terms.carry(request.number, <int32_t>t) == BUCKETED:
                view.hard[view.bucketed] = <int32_t>t
                view.bucketed += 1
                view.plain = False
        return 0

    cdef bint sort_hosts(self, Scan scan, const ClassView* request) except -1:
        """Give every host its leaf and its slot; False if there would be too many leaves."""
        cdef IndexView* view = &self.view
        cdef Py_ssize_t most = min(MOST_LEAVES, max(FEW_LEAVES, view.hosts // HOSTS_A_LEAF)), cells = 256, host, slots
        cdef int32_t* table
        cdef int64_t* mine
        cdef int64_t* known
        cdef int32_t i, c
        cdef uint64_t mixed
        if view.width == 0:
            view.leaves = 1
            view.leaf = <Leaf*>self.take(1, sizeof(Leaf))
            view.leaf.open = view.hosts  # slots, until it is planted
            view.tuples = <int64_t*>self.take(1, sizeof(int64_t))
            return True
        while cells < 4 * most:
            cells *= 2
        table = <int32_t*>self.take(cells, sizeof(int32_t))  # number of a leaf + 1
        view.tuples = <int64_t*>self.take((most + 1) * view.width, sizeof(int64_t))
        view.leaf_of = <int32_t*>self.take(view.hosts, sizeof(int32_t))
        view.slot_of = <int32_t*>self.take(view.hosts, sizeof(int32_t))
        view.leaf = <Leaf*>self.take(most, sizeof(Leaf))
        for host in range(view.hosts):
            mine = view.tuples + view.leaves * view.width
            mixed = 0
            for i in range(view.width):
                mine[i] = tuple_number(view, scan, request, i, host)
                mixed = (mixed ^ <uint64_t>mine[i]) * 0x9E3779B97F4A7C15u
                mixed ^= mixed >> 29
            while True:
                mixed &= cells - 1
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
                if view.leaves == most:
                    return False
                c = view.leaves
                view.leaves += 1
                table[mixed] = c + 1
            view.leaf_of[host] = c
            view.slot_of[host] = view.leaf[c].open  # in its leaf, until all are counted
            view.leaf[c].open += 1
        slots = 0
        for c in range(view.leaves):
            view.leaf[c].first = <int32_t>slots
            slots += whole_fans(view.leaf[c].open)
        view.host_of = <int32_t*>self.take(slots, sizeof(int32_t))
        for host in range(view.hosts):
            view.slot_of[host] += view.leaf[view.leaf_of[host]].first
            view.host_of[view.slot_of[host]] = <int32_t>host
        return True

    cdef int plant(self) except -1:
        """Trees for the leaves, and what a decision notes about them."""
        cdef IndexView* view = &self.view
        cdef Py_ssize_t room = 0, keys
        cdef uint16_t* memory
        cdef int32_t c, level
        for c in range(view.leaves):
            room += tree_room(view.leaf[c].open, &view.leaf[c].depth)
        memory = <uint16_t*>self.take(room, sizeof(uint16_t))
        for c in range(view.leaves):
            keys = whole_fans(view.leaf[c].open)
            for level in range(view.leaf[c].depth):
                view.leaf[c].level[level] = memory
                memory += keys
                keys = whole_fans(keys // BW_FAN)
        view.asked = <uint8_t*>self.take(view.leaves, 1)
        view.total = <int64_t*>self.take(view.leaves, sizeof(int64_t))
        return 0

    cdef int keep_sums(self, Scan scan) except -1:
        """Sums that no host was read for yet, and the scores of a decision that saw none."""
        cdef IndexView* view = &self.view
        cdef const Ref* refs = scan.domain_terms.classes[view.number].refs
        cdef Py_ssize_t t
        cdef int32_t r
        cdef Kept* kept
        for r in range(view.refs):
            kept = view.kept + r
            if refs[r].key == HOST and refs[r].members < 0:
                continue
            kept.seen = <int64_t*>self.take(view.hosts, sizeof(int64_t))
            memset(kept.seen, 0xFF, view.hosts * sizeof(int64_t))
            if refs[r].key != HOST:
                kept.width = scan.domain_terms.domains.domain_count(refs[r].key) + 1
                kept.present = <int64_t*>self.take(kept.width, sizeof(int64_t))
                view.sums[r].values = <int64_t*>self.take(kept.width, sizeof(int64_t))
                kept.stale = True
        if not view.plain:
            view.parts = <int64_t*>self.take(scan.terms.count * view.leaves, sizeof(int64_t))
            view.extremes = <Extremes*>self.take(scan.terms.count, sizeof(Extremes))
            for t in range(scan.terms.count):
                view.extremes[t].low = INT64_MAX
                view.extremes[t].high = INT64_MIN
        return 0
