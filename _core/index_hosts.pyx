"""What an index keeps of a host, derived from the fleet: its key, its leaf, its part in the sums.

Knows one index and the fleet, nothing of decisions.
"""

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint16_t, uint64_t
from libc.string cimport memset

from binwright._core.domain_terms cimport HOST, ClassTerms, Ref, SoftTerm, Sum
from binwright._core.fleet cimport ABSENT
from binwright._core.index cimport (
    CELL, COUNTED, HIGHEST_CELL, HIGHEST_TOTAL, HINTS, THERE, Kept, Number, Own, cell_of, new_leaf, static_number,
    whole_fans,
)
from binwright._core.kernels cimport BW_BLOCK, BW_FAN, BW_FAN_BITS, BW_NARROW, K
from binwright._core.leaves cimport mean_down, percent
from binwright._core.terms cimport local_total, local_totals_of


cdef bint in_place(const IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """Is a host whose static part changed still like the others of its cell?"""
    cdef const int64_t* told = index.tuples + cell_of(index, host) * index.width
    cdef int32_t i
    for i in range(index.width):
        if static_number(index, scan, request, i, host) != told[i]:
            return False
    return True


# ---- sums --------------------------------------------------------------------------------------------------------

cdef void read_cell(IndexView* index, Scan scan, const Ref* ref, int32_t r, Py_ssize_t host) noexcept nogil:
    """Bring the sum of a ref up to date with one host."""
    cdef Kept* kept = index.kept + r
    cdef Sum* sum = index.sums + r
    cdef int64_t cell = -1, before = kept.seen[host], change, place
    if not index.flags[host] & ABSENT and (ref.members < 0 or scan.domain_terms.member_cells[ref.members][host]):
        cell = scan.counters.cell(ref.counter, host)
    if cell == before:
        return
    kept.seen[host] = cell
    change = max(cell, 0) - max(before, 0)
    if kept.place >= 0:
        place = index.tuples[cell_of(index, host) * index.width + kept.place] + 1
        sum.values[place] += change
        kept.present[place] += (cell >= 0) - (before >= 0)
        kept.stale = True
        if place == 0:
            return
    elif kept.present != NULL:
        if cell > HIGHEST_CELL:
            index.unfit = True
            return
        if cell >= 0:
            kept.present[cell] += 1
        if before >= 0:
            kept.present[before] -= 1
        kept.stale = True
    sum.total += change


cdef void find_lowest(IndexView* index, int32_t r) noexcept nogil:
    """The smallest sum of a domain in which a counted host lies, and how many such domains there are."""
    cdef const Kept* kept = index.kept + r
    cdef Sum* sum = index.sums + r
    cdef Py_ssize_t d
    sum.low = INT64_MAX
    sum.existing = 0
    index.kept[r].stale = False
    if kept.place < 0:  # each host is its own domain
        for d in range(kept.width):
            if kept.present[d]:
                sum.existing += <int32_t>kept.present[d]
                sum.low = min(sum.low, d)
    else:
        for d in range(1, kept.width):
            if kept.present[d]:
                sum.existing += 1
                sum.low = min(sum.low, sum.values[d])
    if sum.existing == 0:
        sum.low = 0


# ---- keys and leaves ---------------------------------------------------------------------------------------------

cdef int64_t key_of(const IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """Local total + 1 of a host that passes every rule that looks at it alone, else 0."""
    cdef Py_ssize_t f
    if index.flags[host] or request.mask != NULL and request.mask[host]:
        return 0
    for f in range(request.filters):
        if index.demand[f] > index.capacity[f][host] - index.used[f][host]:
            return 0
    if rejected(scan, request, host):
        return 0
    return local_total(index.local, index.locals, request, host) + 1


cdef bint rejected(Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """Does some hard term reject the host by its own cells?"""
    cdef const ClassTerms* mine = scan.domain_terms.classes + request.number
    cdef int32_t t
    for t in range(mine.hards):
        if mine.hard[t].alone and scan.domain_terms.rejected_alone(request.number, t, host):
            return True
    return False


cdef int64_t own_number(
    const IndexView* index, Scan scan, const ClassView* request, const Number* number, Py_ssize_t host
) noexcept nogil:
    """One of the numbers that tell the leaves of a cell apart, as the fleet is now."""
    cdef const ClassTerms* mine = scan.domain_terms.classes + request.number
    cdef const SoftTerm* soft
    cdef int64_t sum = 0
    cdef int32_t r
    if number.kind == CELL:
        return scan.counters.cell(mine.refs[number.which].counter, host)
    if number.kind == COUNTED:
        return scan.domain_terms.value(request.number, number.which, host)
    if number.kind == THERE:
        return scan.domain_terms.value(request.number, number.which, host) > 0
    soft = mine.soft + number.which
    for r in range(soft.first, soft.first + soft.refs):
        if mine.refs[r].key == HOST:
            sum += mine.refs[r].weight * min(scan.domain_terms.value(request.number, r, host), index.kept[r].most)
    return sum


cdef int leaf_for(IndexView* index, int32_t cell, int32_t* leaf) except -1 nogil:
    """The leaf of a cell with the numbers `mine`: one that has them, one that is empty, or a new one; else -1."""
    cdef uint64_t mixed = cell
    cdef int32_t i, c, spare = -1
    for i in range(index.numbers):
        mixed = (mixed ^ <uint64_t>index.mine[i]) * 0x9E3779B97F4A7C15u
        mixed ^= mixed >> 29
    mixed &= HINTS - 1
    c = index.hint[mixed] - 1
    if c >= 0 and index.leaf[c].cell == cell and has_numbers(index, c):
        leaf[0] = c
        return 0
    for c in range(index.leaves):
        if index.leaf[c].cell == cell:
            if has_numbers(index, c):
                index.hint[mixed] = c + 1
                leaf[0] = c
                return 0
            if index.leaf[c].open == 0:
                spare = c
    if spare < 0:
        spare = index.leaves
        new_leaf(index, cell)
        if index.unfit:
            leaf[0] = -1
            return 0
    for i in range(index.numbers):
        index.told[spare * index.numbers + i] = index.mine[i]
    index.hint[mixed] = spare + 1
    leaf[0] = spare
    return 0


cdef bint has_numbers(const IndexView* index, int32_t leaf) noexcept nogil:
    cdef const int64_t* told = index.told + leaf * index.numbers
    cdef int32_t i
    for i in range(index.numbers):
        if told[i] != index.mine[i]:
            return False
    return True


cdef void make_stale(IndexView* index, Leaf* leaf) noexcept nogil:
    if not leaf.stale:
        leaf.stale = True
        index.stale[index.stales] = <int32_t>(leaf - index.leaf)
        index.stales += 1


cdef void count_in(IndexView* index, Leaf* leaf, int32_t hosts) noexcept nogil:
    """So many hosts more are in a leaf; its first one makes it live, its last one ends that."""
    cdef int32_t at = leaf.at, last, i
    leaf.open += hosts
    if at < 0 and leaf.open:
        at = leaf.at = index.live
        index.live += 1
        index.live_leaf[at] = <int32_t>(leaf - index.leaf)
        index.live_cell[at] = leaf.cell
        for i in range(index.numbers):
            index.live_told[i * index.leaf_room + at] = index.told[index.live_leaf[at] * index.numbers + i]
    elif at >= 0 and leaf.open == 0:
        index.live -= 1
        last = index.live
        leaf.at = -1
        if at != last:
            index.leaf[index.live_leaf[last]].at = at
            index.live_leaf[at] = index.live_leaf[last]
            index.live_cell[at] = index.live_cell[last]
            index.live_open[at] = index.live_open[last]
            index.live_best[at] = index.live_best[last]
            index.live_total[at] = index.live_total[last]
            for i in range(index.numbers):
                index.live_told[i * index.leaf_room + at] = index.live_told[i * index.leaf_room + last]
        return
    if at >= 0:
        index.live_open[at] = leaf.open


cdef void set_key(IndexView* index, Leaf* leaf, int64_t slot, uint16_t key) noexcept nogil:
    """Put a host's key into a tree."""
    cdef uint16_t* fan
    cdef uint16_t before, largest
    cdef int64_t each = slot & (BW_FAN - 1), place = slot >> BW_FAN_BITS
    if leaf.block == NULL:
        before = leaf.level[0][slot]
    else:
        if leaf.block[place] < 0:
            if key == 0:
                return
            if index.spares:
                index.spares -= 1
                leaf.block[place] = index.spare[index.spares]
            else:
                leaf.block[place] = index.taken
                index.taken += 1
        fan = index.blocks + <int64_t>leaf.block[place] * BW_FAN
        before = fan[each]
        fan[each] = key
    if key == before:
        return
    if (key > 0) != (before > 0):
        count_in(index, leaf, 1 if key > 0 else -1)
    if key >= leaf.key or before == leaf.key:
        make_stale(index, leaf)
    if leaf.block == NULL:
        K.climb(leaf.level, leaf.depth, slot, key)
        return
    K.fold_keys(fan, 1, &largest)
    if largest == 0:
        index.spare[index.spares] = leaf.block[place]
        index.spares += 1
        leaf.block[place] = -1
    if leaf.level[1][place] != largest:
        K.climb(leaf.level + 1, leaf.depth - 1, place, largest)


cdef int put(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host, int64_t key) except -1 nogil:
    """Give a host its key, in the leaf that it belongs to now."""
    cdef int32_t cell = cell_of(index, host), leaf = cell, before, i
    cdef int64_t slot = host if index.slot_of == NULL else index.slot_of[host] - index.cell[cell].first
    if key > HIGHEST_TOTAL + 1:
        index.unfit = True
        return 0
    if index.numbers:
        before = index.leaf_of[host]
        leaf = -1
        if key:
            for i in range(index.numbers):
                index.mine[i] = own_number(index, scan, request, index.number_kind + i, host)
            if before >= 0 and has_numbers(index, before):
                leaf = before
            else:
                leaf_for(index, cell, &leaf)
                if leaf < 0:
                    return 0
        if before != leaf:
            if before >= 0:
                set_key(index, index.leaf + before, slot, 0)
            index.leaf_of[host] = leaf
        if leaf < 0:
            return 0
    set_key(index, index.leaf + leaf, slot, <uint16_t>key)
    return 0


cdef int read_host(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) except -1 nogil:
    """Derive all that the index keeps of one host anew."""
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef int32_t r
    for r in range(index.refs):
        if index.kept[r].seen != NULL:
            read_cell(index, scan, refs + r, r, host)
    return put(index, scan, request, host, key_of(index, scan, request, host))


cdef int read_many(
    IndexView* index, Scan scan, const ClassView* request, const int32_t* hosts, Py_ssize_t count, int64_t* gathered
) except -1 nogil:
    """read_host() of at most a block of hosts, by the block kernels. `gathered`: room for two blocks a resource."""
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef int64_t[BW_BLOCK] verdict
    cdef int64_t[BW_BLOCK] total
    cdef int64_t* cells
    cdef Py_ssize_t i
    cdef int32_t r, host
    for r in range(index.resources):
        cells = gathered + 2 * r * BW_BLOCK
        K.gather(scan.fleet.capacity.int64s(index.resource[r]), hosts, count, cells)
        K.gather(scan.fleet.used.int64s(index.resource[r]), hosts, count, cells + BW_BLOCK)
    memset(verdict, 0, sizeof(verdict))
    for i in range(request.filters):
        cells = gathered + 2 * index.place[request.filtered[i]] * BW_BLOCK
        K.fit(cells, cells + BW_BLOCK, index.demand[i], verdict)
    local_totals_of(index.local, index.locals, request, hosts, count, gathered, index.place, total)
    for i in range(count):
        host = hosts[i]
        for r in range(index.refs):
            if index.kept[r].seen != NULL:
                read_cell(index, scan, refs + r, r, host)
        if (
            verdict[i] < 0 or scan.fleet.flags.uint8s(0)[host] or request.mask != NULL and request.mask[host]
            or rejected(scan, request, host)
        ):
            total[i] = -1
        put(index, scan, request, host, total[i] + 1)
    return 0


cdef int read_all(IndexView* index, Scan scan, const ClassView* request) except -1 nogil:
    """Derive all that the index keeps anew; keys come from the scan, block by block."""
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef Py_ssize_t host
    cdef int32_t r
    cdef int64_t key
    for r in range(index.refs):
        if index.kept[r].seen != NULL:
            for host in range(index.hosts):
                read_cell(index, scan, refs + r, r, host)
    scan.filter_all(request)
    scan.local_totals(request)
    for host in range(index.hosts):
        key = scan.total[host] + 1 if scan.open[host // BW_BLOCK] else 0
        if key and rejected(scan, request, host):
            key = 0
        if index.numbers:
            put(index, scan, request, host, key)
        else:
            lay(index, host, key)
    if not index.numbers:
        fold(index)
    return 0


cdef void lay(IndexView* index, Py_ssize_t host, int64_t key) noexcept nogil:
    """Write a key of a tree without blocks that is folded afterwards."""
    cdef Leaf* leaf = index.leaf + cell_of(index, host)
    cdef int64_t slot = host if index.slot_of == NULL else index.slot_of[host] - index.cell[leaf.cell].first
    if key > HIGHEST_TOTAL + 1:
        index.unfit = True
        key = 0
    if (key > 0) != (leaf.level[0][slot] > 0):
        count_in(index, leaf, 1 if key > 0 else -1)
    leaf.level[0][slot] = <uint16_t>key


cdef void fold(IndexView* index) noexcept nogil:
    """Make the upper levels of all trees."""
    cdef int32_t c, level
    cdef Py_ssize_t keys
    cdef Leaf* leaf
    for c in range(index.leaves):
        leaf = index.leaf + c
        make_stale(index, leaf)
        keys = whole_fans(index.cell[leaf.cell].slots)
        for level in range(1, leaf.depth):
            K.fold_keys(leaf.level[level - 1], keys // BW_FAN, leaf.level[level])
            keys = whole_fans(keys // BW_FAN)


cdef void find_best(IndexView* index, Leaf* leaf) noexcept nogil:
    """The leaf's first host of the largest key."""
    cdef int64_t slot
    cdef uint16_t* fan
    leaf.stale = False
    leaf.key = 0
    leaf.best = -1
    if leaf.block == NULL:
        slot = K.descend(leaf.level, leaf.depth)
        if slot < 0:
            return
        leaf.key = leaf.level[0][slot]
    else:
        slot = K.descend(leaf.level + 1, leaf.depth - 1)
        if slot < 0:
            return
        leaf.key = leaf.level[1][slot]
        fan = index.blocks + <int64_t>leaf.block[slot] * BW_FAN
        slot = (slot << BW_FAN_BITS) + K.descend(&fan, 1)
    leaf.best = <int32_t>slot
    if index.host_of != NULL:
        leaf.best = index.host_of[index.cell[leaf.cell].first + slot]
    index.live_best[leaf.at] = leaf.best
    index.live_total[leaf.at] = <int64_t>leaf.key - 1


cdef bint succeeded(IndexView* index, const ClassView* request, Py_ssize_t host) noexcept nogil:
    """read_host() and find_best() after the best host was taken, for a class with `own` columns; False leaves all as it
    was, for those two to do.
    """
    cdef Leaf* leaf = index.leaf
    cdef const Own* own
    cdef int64_t whole, room, widest = 0, sum = 0
    cdef uint16_t key
    cdef int32_t i
    if host != leaf.best or index.flags[host] or request.mask != NULL and request.mask[host]:
        return False
    for i in range(index.owns):
        own = index.own + i
        whole = own.capacity[host]
        room = whole - own.used[host] - own.demand
        if <uint64_t>room >= <uint64_t>whole:  # it does not fit, or what is used is no amount
            return False
        widest |= whole
        sum += own.weight * percent(room, whole, False)
    key = <uint16_t>(index.own_weight * mean_down(sum, index.own_weights) + 1)
    if widest > BW_NARROW:
        return False
    if key == leaf.key:
        return True  # as after most placements: a score is a whole number
    leaf.best = <int32_t>K.succeed(leaf.level, leaf.depth, host, key)
    leaf.key = leaf.level[0][leaf.best]
    index.live_best[leaf.at] = leaf.best
    index.live_total[leaf.at] = <int64_t>leaf.key - 1
    return True
