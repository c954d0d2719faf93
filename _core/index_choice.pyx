"""What a decision by index asks at its turn: conditions over domains, normalised scores, counts and spreads.

All hosts of a leaf are alike to it, so it asks once a leaf, or once a cell where no count of the hosts matters. The
arithmetic is that of the scan's scores, in its order.
"""

from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t, uint8_t
from libc.string cimport memset

from binwright._core.domain_terms cimport HOST, PASSES, Ref, SoftTerm
from binwright._core.index cimport WEIGHED, Kept
from binwright._core.index_hosts cimport find_lowest
from binwright._core.leaves cimport bw_narrow_double, rounded
from binwright._core.spread cimport exact_log
from binwright._core.terms cimport COUNT, SPREAD, STATIC, Extremes, Term

cdef enum:
    UNKNOWN = 2    # whether a cell is closed
    IGNORED = 2    # a leaf that is feasible and takes no part in a score

cdef int64_t NARROW = (<int64_t>1) << 44  # of a raw score: a hundred times twice as much converts to double exactly


cdef int choose_leaf(IndexView* index, Scan scan, const ClassView* request, Choice* choice) except -1 nogil:
    """The scan's choice, from an index that is up to date and whose leaves know their best hosts."""
    cdef Py_ssize_t t
    cdef int32_t at, i
    cdef const Term* term
    index.epoch += 1
    if index.refs:
        lend_sums(index, scan, request)
    for at in range(index.live):
        index.asked[at] = 1
        index.total[at] = index.live_total[at] + index.fixed
    if index.by_cell:
        ask_cells(index, scan, request)
    if index.by_leaf:
        ask_leaves(index, scan, request)
    for i in range(index.weighed):
        t = index.weigh[i]
        term = scan.terms.terms + t
        if term.kind == STATIC:
            add_static(index, scan, t)
        elif term.kind == COUNT:
            if not scan.idle(t, request):
                add_counts(index, scan, request, t)
        elif term.kind == SPREAD:
            if not scan.idle(t, request):
                add_spread(index, scan, request, t)
    choice.host = choice.score = -1
    for at in range(index.live):
        if not index.asked[at] or index.total[at] < choice.score:
            continue
        if index.total[at] > choice.score or index.live_best[at] < choice.host:
            choice.score = index.total[at]
            choice.host = index.live_best[at]
    return 0


cdef int lend_sums(IndexView* index, Scan scan, const ClassView* request) except -1 nogil:
    """Let the domain terms see the index's sums as those of this decision."""
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef int32_t r
    if index.refs > scan.domain_terms.sum_room:
        scan.domain_terms.make_room(request.number)
    for r in range(index.refs):
        if index.kept[r].seen == NULL:
            index.sums[r].total = scan.counters.counters[refs[r].counter].total
        elif index.kept[r].stale and index.kept[r].lowest:
            find_lowest(index, r)
        scan.domain_terms.sums[r] = index.sums[r]
    scan.domain_terms.settle_sleep(request.number)
    return 0


# ---- conditions --------------------------------------------------------------------------------------------------

cdef void ask_cells(IndexView* index, Scan scan, const ClassView* request) noexcept nogil:
    """Close the cells that a condition over domains rejects; any feasible host speaks for its cell."""
    cdef int32_t at, t
    cdef uint8_t* closed
    memset(index.closed, UNKNOWN, index.cells)
    for at in range(index.live):
        closed = index.closed + index.live_cell[at]
        if closed[0] == UNKNOWN:
            closed[0] = False
            for t in range(index.by_cell):
                if scan.domain_terms.failing(request.number, index.hard[t], index.live_best[at]) != PASSES:
                    closed[0] = True
                    break
        index.asked[at] = not closed[0]


cdef void ask_leaves(IndexView* index, Scan scan, const ClassView* request) noexcept nogil:
    """Close the leaves that a condition rejects which reads counts of the hosts too."""
    cdef int32_t at, t
    for at in range(index.live):
        if index.asked[at]:
            for t in range(index.by_cell, index.by_cell + index.by_leaf):
                if scan.domain_terms.failing(request.number, index.hard[t], index.live_best[at]) != PASSES:
                    index.asked[at] = False
                    break


# ---- scores ------------------------------------------------------------------------------------------------------

cdef void add_static(IndexView* index, Scan scan, Py_ssize_t t) noexcept nogil:
    """Add a normalised raw score, normalised again if the extremes over the feasible hosts moved."""
    cdef const Term* term = scan.terms.terms + t
    cdef int32_t at, c, place = index.raw_place[term.slot]
    cdef int64_t* parts = index.parts + t * index.cells
    cdef int64_t raw
    cdef Extremes now
    now.low = INT64_MAX
    now.high = INT64_MIN
    for at in range(index.live):
        if index.asked[at]:
            raw = index.tuples[index.live_cell[at] * index.width + place]
            now.low = min(now.low, raw)
            now.high = max(now.high, raw)
    if now.low > now.high:
        return
    if now.low != index.extremes[t].low or now.high != index.extremes[t].high:
        index.extremes[t] = now
        for c in range(index.cells):
            raw = index.tuples[c * index.width + place]
            parts[c] = term.weight * scan.terms.normalised(t, raw, &now)
    for at in range(index.live):
        index.total[at] += parts[index.live_cell[at]]


cdef inline int64_t domain_of(const IndexView* index, int32_t cell, const Kept* kept) noexcept nogil:
    return index.tuples[cell * index.width + kept.place]


cdef void add_counts(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t t) noexcept nogil:
    """Add weighted counts, normalised between the extremes over the feasible hosts."""
    cdef const Term* term = scan.terms.terms + t
    cdef const SoftTerm* soft = scan.domain_terms.soft_term(request.number, term.slot)
    cdef const Ref* refs = scan.domain_terms.classes[request.number].refs
    cdef const Kept* kept
    cdef const int64_t* weighed = NULL
    cdef int32_t at, c, r, which = <int32_t>(soft - scan.domain_terms.classes[request.number].soft)
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
    for c in range(index.numbers):
        if index.number_kind[c].kind == WEIGHED and index.number_kind[c].which == which:
            weighed = index.live_told + c * index.leaf_room
    now.low = INT64_MAX
    now.high = INT64_MIN
    for at in range(index.live):
        index.raw[at] = index.share[index.live_cell[at]]
        if weighed != NULL:
            index.raw[at] += weighed[at]
        if index.asked[at]:
            now.low = min(now.low, index.raw[at])
            now.high = max(now.high, index.raw[at])
    for at in range(index.live):
        if index.asked[at]:
            index.total[at] += term.weight * scan.terms.normalised(t, index.raw[at], &now)


cdef bint ignored(const IndexView* index, const SoftTerm* soft, int32_t cell) noexcept nogil:
    """Hosts without one of the keys, where all are required, take no part in a spread score."""
    cdef int32_t r
    if soft.require_all:
        for r in range(soft.first, soft.first + soft.refs):
            if index.kept[r].place >= 0 and domain_of(index, cell, index.kept + r) < 0:
                return True
    return False


cdef double spread_weight(IndexView* index, const Ref* ref, Kept* kept) noexcept nogil:
    """ln(size + 2), size = domains that feasible hosts lie in, or the feasible hosts; but for the ignored."""
    cdef int64_t size = 0, place
    cdef int32_t at
    if ref.per_host or ref.key == HOST:
        for at in range(index.live):
            size += index.live_open[at] if index.asked[at] == 1 else 0
    else:
        for at in range(index.live):
            place = domain_of(index, index.live_cell[at], kept) + 1
            if index.asked[at] == 1 and kept.marked[place] != index.epoch:
                kept.marked[place] = index.epoch
                size += 1
    if size != kept.size:
        kept.size = size
        kept.log = exact_log(<double>(size + 2))
    return kept.log


cdef void add_spread(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t t) noexcept nogil:
    """Add the spread score: raw and normaliser as spread.pyx says them."""
    cdef int64_t weight = scan.terms.terms[t].weight, low = INT64_MAX, high = 0
    cdef const SoftTerm* soft = scan.domain_terms.soft_term(request.number, scan.terms.terms[t].slot)
    cdef const Ref* ref
    cdef Kept* kept
    cdef int32_t at, c, r
    cdef double log, wide
    for c in range(index.cells):
        index.closed[c] = ignored(index, soft, c)
    for at in range(index.live):
        if index.asked[at] and index.closed[index.live_cell[at]]:
            index.asked[at] = IGNORED
        index.level[at] = 0.0
    for r in range(soft.first, soft.first + soft.refs):
        ref = scan.domain_terms.classes[request.number].refs + r
        kept = index.kept + r
        log = spread_weight(index, ref, kept)
        add_levels(index, ref, kept, index.sums[r].values, log)
    for at in range(index.live):
        index.raw[at] = rounded(index.level[at])
        if index.asked[at] == 1:
            low = min(low, index.raw[at])
            high = max(high, index.raw[at])
    wide = bw_narrow_double(high)
    for at in range(index.live):
        if index.asked[at] == 1:
            if high == 0:
                index.total[at] += weight * 100
            elif high < NARROW:  # the double quotient of integers below 2^52 has the exact floor
                index.total[at] += weight * <int64_t>(bw_narrow_double(100 * (high + low - index.raw[at])) / wide)
            else:
                index.total[at] += weight * (100 * (high + low - index.raw[at]) // high)
        elif index.asked[at]:
            index.asked[at] = 1


cdef void add_levels(
    IndexView* index, const Ref* ref, const Kept* kept, const int64_t* values, double log
) noexcept nogil:
    """Add count * log + (max skew - 1) of one constraint to every leaf that has its key."""
    cdef double fixed = <double>(ref.max_skew - 1)
    cdef const int64_t* told
    cdef int32_t at, c
    cdef int64_t domain
    if kept.number < 0:
        for c in range(index.cells):
            domain = domain_of(index, c, kept)
            index.step[c] = 0.0 if domain < 0 else <double>values[domain + 1] * log + fixed
        for at in range(index.live):
            index.level[at] += index.step[index.live_cell[at]]
        return
    told = index.live_told + kept.number * index.leaf_room
    if kept.place < 0:
        for at in range(index.live):
            index.level[at] += <double>told[at] * log + fixed
        return
    for at in range(index.live):
        if domain_of(index, index.live_cell[at], kept) >= 0:
            index.level[at] += <double>told[at] * log + fixed
