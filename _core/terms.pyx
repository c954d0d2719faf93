"""Score terms: the exact arithmetic of one score over one block of hosts, and of its normaliser."""

cimport cython
from libc.math cimport fabs, sqrt
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from binwright._core.kernels cimport BW_BLOCK, BW_NARROW, K
from binwright._core.leaves cimport (
    bw_narrow_double, fraction, mean_down, mean_nearest, percent, scaled_between, scaled_up,
)

cdef enum:
    MAX_COLUMNS = 64

KINDS = {"least": LEAST, "most": MOST, "ratio": RATIO, "balanced": BALANCED, "static": STATIC,
         "count": COUNT, "spread": SPREAD}
NORMALISERS = {None: NONE, "max": TO_MAX, "reverse": REVERSED, "minmax": MIN_MAX}


cdef int64_t NARROW_RANGE = (<int64_t>1) << 52  # the kernel converts integers below this to double


cdef int64_t scaled_between_far(int64_t raw, int64_t low, int64_t high) noexcept nogil:
    """scaled_between() for counts so far apart that it could not convert them."""
    cdef int64_t value = min(max(raw, low), high) - low
    return <int64_t>(100.0 * (<double>value / <double>(high - low)))


cdef int64_t share_score(const LocalTerm* term, Py_ssize_t host) noexcept nogil:
    """score_block() of LEAST, MOST, RATIO on one host."""
    cdef const Share* share = term.shares
    cdef int64_t sum = 0, weights = 0, whole, part
    cdef Py_ssize_t c
    for c in range(term.count):
        whole = share[c].capacity[host]
        if whole <= 0:
            continue
        part = share[c].used[host] + share[c].demand
        part = part if part < whole else whole
        if term.kind == LEAST:
            part = whole - part
        part = percent(part, whole, share[c].widest[0] > BW_NARROW)
        if term.kind == RATIO:
            part = term.table[part]
            if part == 0:
                continue
        sum += share[c].weight * part
        weights += share[c].weight
    if weights == 0:
        return 0
    return mean_nearest(sum, weights) if term.kind == RATIO else mean_down(sum, weights)


cdef int64_t evenness(const LocalTerm* term, Py_ssize_t host) noexcept nogil:
    """score_block() of BALANCED on one host."""
    cdef const Share* share = term.shares
    cdef double[MAX_COLUMNS] part
    cdef double total = 0.0, spread = 0.0, mean
    cdef Py_ssize_t c, present = 0
    cdef int64_t whole
    for c in range(term.count):
        whole = share[c].capacity[host]
        if whole <= 0:
            continue
        part[present] = fraction(whole, share[c].used[host], share[c].demand, share[c].widest[0] > BW_NARROW)
        total += part[present]
        present += 1
    if present == 2:
        spread = fabs(part[0] - part[1]) / 2
    elif present > 2:
        mean = total / present
        for c in range(present):
            spread += (part[c] - mean) * (part[c] - mean)
        spread = sqrt(spread / present)
    return <int64_t>((1.0 - spread) * 100.0)


cdef void score_columns(
    const LocalTerm* term, const int64_t* const* capacity, const int64_t* const* used, int64_t* score
) noexcept nogil:
    """Score of a resource term on one block, whose columns are given; `score` is overwritten."""
    cdef int64_t[BW_BLOCK] sums
    cdef int64_t[BW_BLOCK] weights
    cdef int64_t[MAX_COLUMNS] demand
    cdef const Share* share
    cdef bint wide, all_wide = False
    cdef Py_ssize_t c
    if term.kind == BALANCED:
        for c in range(term.count):
            demand[c] = term.shares[c].demand
            all_wide = all_wide or term.shares[c].widest[0] > BW_NARROW
        if term.count == 2:
            K.balance_two[all_wide](capacity, used, demand, score)
        else:
            K.balance_any(capacity, used, demand, term.count, score)
        return
    memset(sums, 0, sizeof(sums))
    memset(weights, 0, sizeof(weights))
    for c in range(term.count):
        share = term.shares + c
        wide = share.widest[0] > BW_NARROW
        if term.kind == LEAST:
            K.least[wide](capacity[c], used[c], share.demand, share.weight, sums, weights)
        elif term.kind == MOST:
            K.most[wide](capacity[c], used[c], share.demand, share.weight, sums, weights)
        else:
            K.ratio[wide](capacity[c], used[c], share.demand, share.weight, term.table, sums, weights)
    if term.kind == RATIO:
        K.mean_round(sums, weights, score)
    else:
        K.mean_floor(sums, weights, score)


cdef int64_t local_total(
    const LocalTerm* terms, Py_ssize_t count, const ClassView* view, Py_ssize_t host
) noexcept nogil:
    """Sum of the terms that look at one host alone."""
    cdef const LocalTerm* term
    cdef Py_ssize_t t
    cdef int64_t total = 0
    for t in range(count):
        term = terms + t
        if term.kind == STATIC:
            if view.raw[term.slot] != NULL:
                total += term.weight * view.raw[term.slot][host]
        elif term.kind == BALANCED:
            total += term.weight * evenness(term, host)
        else:
            total += term.weight * share_score(term, host)
    return total


@cython.final
cdef class Terms:
    """The score terms of one profile, in order. `specs`: one dict a term, checked by the caller: kind, weight,
    columns, weights, optional, table, normalise (see the struct in terms.pxd). A float64 profile has no specs but
    `float_specs` (see float_scores.pxd).
    """

    def __cinit__(self, list specs, list float_specs=None):
        cdef Py_ssize_t t, c
        cdef Term* term
        self.specs = specs
        self.float_specs = float_specs
        self.count = len(specs)
        self.slots = self.soft_slots = 0
        self.local = True
        self.terms = <Term*>calloc(max(self.count, 1), sizeof(Term))
        if self.terms == NULL:
            raise MemoryError("score terms")
        for t in range(self.count):
            spec = specs[t]
            term = self.terms + t
            term.kind = KINDS[spec["kind"]]
            term.weight = spec["weight"]
            term.count = len(spec["columns"])
            if term.kind == STATIC:
                term.normaliser = NORMALISERS[spec["normalise"]]
                term.slot = <int32_t>self.slots
                self.slots += 1
                if term.normaliser != NONE:
                    self.local = False
            elif term.kind == COUNT or term.kind == SPREAD:
                term.normaliser = NORMALISERS[spec["normalise"]]
                term.slot = <int32_t>self.soft_slots
                self.soft_slots += 1
                self.local = False
            term.columns = <int32_t*>calloc(max(term.count, 1), sizeof(int32_t))
            term.weights = <int64_t*>calloc(max(term.count, 1), sizeof(int64_t))
            term.optional = <uint8_t*>calloc(max(term.count, 1), 1)
            term.table = <int64_t*>calloc(101, sizeof(int64_t))
            if term.columns == NULL or term.weights == NULL or term.optional == NULL or term.table == NULL:
                raise MemoryError("score terms")
            for c in range(term.count):
                term.columns[c] = spec["columns"][c]
                term.weights[c] = spec["weights"][c]
                term.optional[c] = spec["optional"][c]
            for c in range(len(spec["table"])):
                term.table[c] = spec["table"][c]

    def __dealloc__(self):
        cdef Py_ssize_t t
        if self.terms != NULL:
            for t in range(self.count):
                free(self.terms[t].columns)
                free(self.terms[t].weights)
                free(self.terms[t].optional)
                free(self.terms[t].table)
        free(self.terms)

    def __reduce__(self):
        return Terms, (self.specs, self.float_specs)

    cdef void score_block(
        self, Py_ssize_t term, Fleet fleet, const ClassView* view, Py_ssize_t start, int64_t* score
    ) noexcept nogil:
        """Score of a resource term on hosts start .. start + 255; `score` is overwritten."""
        cdef LocalTerm local
        cdef Share[MAX_COLUMNS] shares
        cdef const int64_t* capacity[MAX_COLUMNS]
        cdef const int64_t* used[MAX_COLUMNS]
        cdef Py_ssize_t c
        self.compile_term(term, fleet, view, &local, shares)
        for c in range(local.count):
            capacity[c] = shares[c].capacity + start
            used[c] = shares[c].used + start
        score_columns(&local, capacity, used, score)

    cdef void compile_term(
        self, Py_ssize_t t, Fleet fleet, const ClassView* view, LocalTerm* local, Share* shares
    ) noexcept nogil:
        """Write a term as one class sees it."""
        cdef const Term* term = self.terms + t
        cdef Py_ssize_t c
        cdef int32_t column
        local.kind = term.kind
        local.slot = term.slot
        local.weight = term.weight
        local.table = term.table
        local.shares = shares
        local.count = 0
        for c in range(term.count):
            column = term.columns[c]
            if term.optional[c] and view.score[column] == 0:
                continue
            shares.resource = column
            shares.capacity = fleet.capacity.int64s(column)
            shares.used = fleet.used.int64s(column)
            shares.widest = fleet.widest + column
            shares.demand = view.score[column]
            shares.weight = term.weights[c]
            shares += 1
            local.count += 1

    cdef Py_ssize_t local_terms(
        self, Fleet fleet, const ClassView* view, LocalTerm* terms, Share* shares
    ) noexcept nogil:
        """Write the terms that look at one host alone as local_total() takes them; returns how many there are. Room:
        terms (count,), shares (columns of all terms,).
        """
        cdef const Term* term
        cdef Py_ssize_t t, made = 0
        for t in range(self.count):
            term = self.terms + t
            if view.skips >> t & 1 or term.kind == COUNT or term.kind == SPREAD:
                continue
            if term.kind == STATIC and term.normaliser != NONE:
                continue
            self.compile_term(t, fleet, view, terms + made, shares)
            shares += terms[made].count
            made += 1
        return made

    cdef Py_ssize_t columns(self) noexcept nogil:
        """Columns of all terms."""
        cdef Py_ssize_t t, total = 0
        for t in range(self.count):
            total += self.terms[t].count
        return total

    cdef int64_t normalised(self, Py_ssize_t term, int64_t raw, const Extremes* extremes) noexcept nogil:
        """normalise_block() of one raw score."""
        cdef int32_t normaliser = self.terms[term].normaliser
        cdef int64_t low = extremes.low, high = extremes.high
        if normaliser == NONE:
            return raw
        if normaliser == MIN_MAX:
            if high == low:
                return 0
            if high - low < NARROW_RANGE:
                return scaled_between(raw, low, high, bw_narrow_double(high - low))
            return scaled_between_far(raw, low, high)
        if high == 0:
            return 100 if normaliser == REVERSED else 0
        raw = scaled_up(raw, high, bw_narrow_double(high))
        return 100 - raw if normaliser == REVERSED else raw

    cdef void normalise_block(
        self, Py_ssize_t term, const int64_t* raw, const Extremes* extremes, int64_t* score
    ) noexcept nogil:
        """Normalised score of a static term on one block; `raw` is the block's part of the class's column."""
        cdef int32_t normaliser = self.terms[term].normaliser
        cdef Py_ssize_t i
        if normaliser == NONE:
            for i in range(BW_BLOCK):
                score[i] = raw[i]
        elif normaliser == MIN_MAX:
            if extremes.high == extremes.low:
                memset(score, 0, BW_BLOCK * sizeof(int64_t))
            else:
                if extremes.high - extremes.low < NARROW_RANGE:
                    K.scale_between(raw, extremes.low, extremes.high, score)
                else:
                    for i in range(BW_BLOCK):
                        score[i] = scaled_between_far(raw[i], extremes.low, extremes.high)
        elif extremes.high == 0:
            for i in range(BW_BLOCK):
                score[i] = 100 if normaliser == REVERSED else 0
        elif normaliser == REVERSED:
            K.scale_down(raw, extremes.high, score)
        else:
            K.scale_up(raw, extremes.high, score)


cdef void local_totals_of(
    const LocalTerm* terms, Py_ssize_t count, const ClassView* view, const int32_t* hosts, Py_ssize_t asked,
    const int64_t* gathered, const int32_t* place, int64_t* total
) noexcept nogil:
    """local_total() of at most a block of hosts. `gathered`: capacity and used of resources, a block each, in turn;
    `place`: which of them a resource is.
    """
    cdef const LocalTerm* term
    cdef const int64_t* raw
    cdef const int64_t* capacity[MAX_COLUMNS]
    cdef const int64_t* used[MAX_COLUMNS]
    cdef int64_t[BW_BLOCK] score
    cdef Py_ssize_t t, c, i
    memset(total, 0, BW_BLOCK * sizeof(int64_t))
    for t in range(count):
        term = terms + t
        if term.kind == STATIC:
            raw = view.raw[term.slot]
            if raw != NULL:
                for i in range(asked):
                    total[i] += term.weight * raw[hosts[i]]
            continue
        for c in range(term.count):
            capacity[c] = gathered + 2 * place[term.shares[c].resource] * BW_BLOCK
            used[c] = capacity[c] + BW_BLOCK
        score_columns(term, capacity, used, score)
        K.add(score, term.weight, total)
