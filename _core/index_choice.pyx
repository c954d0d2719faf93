"""What a decision by index asks at its turn: conditions over domains, normalised scores, counts and spreads.

All hosts of a leaf are alike to it, so it asks once a leaf, or once a cell where no count of the hosts matters. The
arithmetic is that of the scan's scores, in its order.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t
from libc.string cimport memset

from binwright._core.domain_terms cimport HOST, MAX_SPREAD_REFS, PASSES, Ref, SoftTerm
from binwright._core.index cimport WEIGHED, Kept, Leaf
from binwright._core.index_hosts cimport find_best, find_lowest
from binwright._core.leaves cimport rounded
from binwright._core.spread cimport exact_log
from binwright._core.terms cimport COUNT, NONE, SPREAD, STATIC, Extremes, Term

cdef enum:
    UNKNOWN = 2    # whether a cell is closed
    IGNORED = 2    # a leaf that is feasible and takes no part in a score


cdef int choose_leaf(IndexView* index, Scan scan, const ClassView* request, Choice* choice) except -1 nogil:
    """The scan's choice, from an index that is up to date."""
    cdef Py_ssize_t t
    cdef int32_t c
    cdef Leaf* leaf
    cdef const Term* term
    index.epoch += 1
    if index.refs:
        lend_sums(index, scan, request)
    for c in range(index.leaves):
        leaf = index.leaf + c
        index.asked[c] = leaf.open > 0
        if leaf.open:
            if leaf.stale:
                find_best(index, leaf)
            index.total[c] = <int64_t>leaf.key - 1
    if index.by_cell:
        ask_cells(index, scan, request)
    if index.by_leaf:
        ask_leaves(index, scan, request)
    for t in range(scan.terms.count):
        term = scan.terms.terms + t
        if term.kind == STATIC:
            if term.normaliser != NONE and not request.skips >> t & 1:
                add_static(index, scan, t)
        elif term.kind == COUNT:
            if not scan.idle(t, request):
                add_counts(index, scan, request, t)
        elif term.kind == SPREAD:
            if not scan.idle(t, request):
                add_spread(index, scan, request, t)
    choice.host = choice.score = -1
    for c in range(index.leaves):
        if not index.asked[c] or index.total[c] < choice.score:
            continue
        if index.total[c] > choice.score or index.leaf[c].best < choice.host:
            choice.score = index.total[c]
            choice.host = index.leaf[c].best
    return 0


cdef int lend_sums(IndexView* index, Scan scan, const ClassView* request) except -1 nogil:
    """Let the domain terms see the index's sums as those of this decision."""
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef int32_t r
    scan.domain_terms.make_room(request.number)
    for r in range(index.refs):
        if index.kept[r].seen == NULL:
            index.sums[r].total = scan.counters.counters[refs[r].counter].total
        elif index.kept[r].stale:
            find_lowest(index, r)
        scan.domain_terms.sums[r] = index.sums[r]
    scan.domain_terms.settle_sleep(request.number)
    return 0


# ---- conditions --------------------------------------------------------------------------------------------------

cdef void ask_cells(IndexView* index, Scan scan, const ClassView* request) noexcept nogil:
    """Close the cells that a condition over domains rejects; any feasible host speaks for its cell."""
    cdef int32_t c, t
    cdef uint8_t* closed
    memset(index.closed, UNKNOWN, index.cells)
    for c in range(index.leaves):
        if not index.asked[c]:
            continue
        closed = index.closed + index.leaf[c].cell
        if closed[0] == UNKNOWN:
            closed[0] = False
            for t in range(index.by_cell):
                if scan.domain_terms.failing(request.number, index.hard[t], index.leaf[c].best) != PASSES:
                    closed[0] = True
                    break
        index.asked[c] = not closed[0]


cdef void ask_leaves(IndexView* index, Scan scan, const ClassView* request) noexcept nogil:
    """Close the leaves that a condition rejects which reads counts of the hosts too."""
    cdef int32_t c, t
    for c in range(index.leaves):
        if index.asked[c]:
            for t in range(index.by_cell, index.by_cell + index.by_leaf):
                if scan.domain_terms.failing(request.number, index.hard[t], index.leaf[c].best) != PASSES:
                    index.asked[c] = False
                    break


# ---- scores ------------------------------------------------------------------------------------------------------

cdef void add_static(IndexView* index, Scan scan, Py_ssize_t t) noexcept nogil:
    """Add a normalised raw score, normalised again if the extremes over the feasible hosts moved."""
    cdef const Term* term = scan.terms.terms + t
    cdef int32_t c, place = index.raw_place[term.slot]
    cdef int64_t* parts = index.parts + t * index.cells
    cdef int64_t raw
    cdef Extremes now
    now.low = INT64_MAX
    now.high = INT64_MIN
    for c in range(index.leaves):
        if index.asked[c]:
            raw = 0 if place < 0 else index.tuples[index.leaf[c].cell * index.width + place]
            now.low = min(now.low, raw)
            now.high = max(now.high, raw)
    if now.low > now.high:
        return
    if now.low != index.extremes[t].low or now.high != index.extremes[t].high:
        index.extremes[t] = now
        for c in range(index.cells):
            raw = 0 if place < 0 else index.tuples[c * index.width + place]
            parts[c] = scan.terms.normalised(t, raw, &now)
    for c in range(index.leaves):
        index.total[c] += term.weight * parts[index.leaf[c].cell]


cdef inline int64_t domain_of(const IndexView* index, int32_t cell, const Kept* kept) noexcept nogil:
    return index.tuples[cell * index.width + kept.place]


cdef void add_counts(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t t) noexcept nogil:
    """Add weighted counts, normalised between the extremes over the feasible hosts."""
    cdef const Term* term = scan.terms.terms + t
    cdef const SoftTerm* soft = scan.domain_terms.soft_term(request.number, term.slot)
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef const Kept* kept
    cdef int32_t c, r, i, weighed = -1, which = <int32_t>(soft - scan.domain_terms.classes[request.number].soft)
    cdef int64_t domain
    cdef Extremes now
    for c in range(index.cells):
        index.share[c] = 0
        for r in range(soft.first, soft.first + soft.refs):
            kept = index.kept + r
            if kept.place >= 0 and refs[r].weight != 0:
                domain = domain_of(index, c, kept)
                if domain >= 0:
                    index.share[c] += refs[r].weight * min(index.sums[r].values[domain + 1], kept.most)
    for i in range(index.numbers):
        if index.number_kind[i].kind == WEIGHED and index.number_kind[i].which == which:
            weighed = i
    now.low = INT64_MAX
    now.high = INT64_MIN
    for c in range(index.leaves):
        if index.asked[c]:
            index.raw[c] = index.share[index.leaf[c].cell]
            if weighed >= 0:
                index.raw[c] += index.told[c * index.numbers + weighed]
            now.low = min(now.low, index.raw[c])
            now.high = max(now.high, index.raw[c])
    for c in range(index.leaves):
        if index.asked[c]:
            index.total[c] += term.weight * scan.terms.normalised(t, index.raw[c], &now)


cdef bint ignored(const IndexView* index, const SoftTerm* soft, int32_t cell) noexcept nogil:
    """Hosts without one of the keys, where all are required, take no part in a spread score."""
    cdef int32_t r
    if soft.require_all:
        for r in range(soft.first, soft.first + soft.refs):
            if index.kept[r].place >= 0 and domain_of(index, cell, index.kept + r) < 0:
                return True
    return False


cdef double spread_weight(IndexView* index, const Ref* ref, int32_t r) noexcept nogil:
    """ln(size + 2), size = domains that feasible hosts lie in, or the feasible hosts; the ignored ones are closed."""
    cdef Kept* kept = index.kept + r
    cdef int64_t size = 0, place
    cdef int32_t c
    for c in range(index.leaves):
        if index.asked[c] != 1:
            continue
        if ref.per_host or ref.key == HOST:
            size += index.leaf[c].open
            continue
        place = domain_of(index, index.leaf[c].cell, kept) + 1
        if kept.marked[place] != index.epoch:
            kept.marked[place] = index.epoch
            size += 1
    return exact_log(<double>(size + 2))


cdef void add_spread(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t t) noexcept nogil:
    """Add the spread score: raw and normaliser as spread.pyx says them."""
    cdef int64_t weight = scan.terms.terms[t].weight, low = INT64_MAX, high = 0, count, domain
    cdef const SoftTerm* soft = scan.domain_terms.soft_term(request.number, scan.terms.terms[t].slot)
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs + soft.first
    cdef const Kept* kept = index.kept + soft.first
    cdef int32_t c, r
    cdef double[MAX_SPREAD_REFS] weights
    cdef double total
    for c in range(index.leaves):
        if index.asked[c] and ignored(index, soft, index.leaf[c].cell):
            index.asked[c] = IGNORED
    for r in range(soft.refs):
        weights[r] = spread_weight(index, refs + r, soft.first + r)
    for c in range(index.leaves):
        if index.asked[c] != 1:
            continue
        total = 0.0
        for r in range(soft.refs):
            count = 0
            if kept[r].place >= 0:
                domain = domain_of(index, index.leaf[c].cell, kept + r)
                if domain < 0:
                    continue
                count = index.sums[soft.first + r].values[domain + 1]
            if kept[r].number >= 0:
                count = index.told[c * index.numbers + kept[r].number]
            total += <double>count * weights[r] + <double>(refs[r].max_skew - 1)
        index.raw[c] = rounded(total)
        low = min(low, index.raw[c])
        high = max(high, index.raw[c])
    for c in range(index.leaves):
        if index.asked[c] == 1:
            index.total[c] += weight * (100 if high == 0 else 100 * (high + low - index.raw[c]) // high)
        elif index.asked[c]:
            index.asked[c] = 1
