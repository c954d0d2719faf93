"""Score terms: the exact arithmetic of one score over one block of hosts, and of its normaliser."""

cimport cython
from libc.math cimport fabs, sqrt
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from binwright._core.kernels cimport BW_BLOCK, K
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
        cdef const Term* t = self.terms + term
        cdef int64_t[BW_BLOCK] sums
        cdef int64_t[BW_BLOCK] weights
        cdef const int64_t* capacity[MAX_COLUMNS]
        cdef const int64_t* used[MAX_COLUMNS]
        cdef int64_t[MAX_COLUMNS] demand
        cdef bint[MAX_COLUMNS] wide
        cdef Py_ssize_t c, kept = 0
        cdef int32_t column
        for c in range(t.count):
            column = t.columns[c]
            if t.optional[c] and view.score[column] == 0:
                continue
            capacity[kept] = fleet.capacity.int64s(column) + start
            used[kept] = fleet.used.int64s(column) + start
            demand[kept] = view.score[column]
            wide[kept] = fleet.wide(column)
            if t.kind == BALANCED:
                kept += 1
                continue
            if kept == 0:
                memset(sums, 0, sizeof(sums))
                memset(weights, 0, sizeof(weights))
            if t.kind == LEAST:
                K.least[wide[kept]](capacity[kept], used[kept], demand[kept], t.weights[c], sums, weights)
            elif t.kind == MOST:
                K.most[wide[kept]](capacity[kept], used[kept], demand[kept], t.weights[c], sums, weights)
            else:
                K.ratio[wide[kept]](
                    capacity[kept], used[kept], demand[kept], t.weights[c], t.table, sums, weights
                )
            kept += 1
        if t.kind == BALANCED:
            if kept == 2:
                K.balance_two[wide[0] or wide[1]](capacity, used, demand, score)
            else:
                K.balance_any(capacity, used, demand, kept, score)
        elif kept == 0:
            memset(score, 0, BW_BLOCK * sizeof(int64_t))
        elif t.kind == RATIO:
            K.mean_round(sums, weights, score)
        else:
            K.mean_floor(sums, weights, score)

    cdef int64_t score_host(
        self, Py_ssize_t term, Fleet fleet, const ClassView* view, Py_ssize_t host
    ) noexcept nogil:
        """Score of a resource term on one host: what score_block() says of it."""
        cdef const Term* t = self.terms + term
        cdef int64_t sum = 0, weights = 0, whole, used, demand, share
        cdef Py_ssize_t c
        cdef int32_t column
        cdef bint wide
        if t.kind == BALANCED:
            return self.evenness(t, fleet, view, host)
        for c in range(t.count):
            column = t.columns[c]
            demand = view.score[column]
            if t.optional[c] and demand == 0:
                continue
            whole = fleet.capacity.int64s(column)[host]
            if whole <= 0:
                continue
            used = fleet.used.int64s(column)[host]
            wide = fleet.wide(column)
            if t.kind == LEAST:
                share = percent(max(whole - used - demand, 0), whole, wide)
            else:
                share = percent(min(used + demand, whole), whole, wide)
            if t.kind == RATIO:
                share = t.table[share]
                if share == 0:
                    continue
            sum += t.weights[c] * share
            weights += t.weights[c]
        if weights == 0:
            return 0
        return mean_nearest(sum, weights) if t.kind == RATIO else mean_down(sum, weights)

    cdef int64_t evenness(
        self, const Term* t, Fleet fleet, const ClassView* view, Py_ssize_t host
    ) noexcept nogil:
        cdef double[MAX_COLUMNS] share
        cdef double total = 0.0, spread = 0.0, mean
        cdef Py_ssize_t c, present = 0
        cdef int32_t column
        cdef int64_t whole
        for c in range(t.count):
            column = t.columns[c]
            if t.optional[c] and view.score[column] == 0:
                continue
            whole = fleet.capacity.int64s(column)[host]
            if whole <= 0:
                continue
            share[present] = fraction(whole, fleet.used.int64s(column)[host], view.score[column], fleet.wide(column))
            total += share[present]
            present += 1
        if present == 2:
            spread = fabs(share[0] - share[1]) / 2
        elif present > 2:
            mean = total / present
            for c in range(present):
                spread += (share[c] - mean) * (share[c] - mean)
            spread = sqrt(spread / present)
        return <int64_t>((1.0 - spread) * 100.0)

    cdef int64_t local_total(self, Fleet fleet, const ClassView* view, Py_ssize_t host) noexcept nogil:
        """Sum of the terms that look at one host alone."""
        cdef const Term* term
        cdef const int64_t* raw
        cdef Py_ssize_t t
        cdef int64_t total = 0
        for t in range(self.count):
            term = self.terms + t
            if view.skips >> t & 1 or term.kind == COUNT or term.kind == SPREAD:
                continue
            if term.kind != STATIC:
                total += term.weight * self.score_host(t, fleet, view, host)
            elif term.normaliser == NONE:
                raw = view.raw[term.slot]
                if raw != NULL:
                    total += term.weight * raw[host]
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
