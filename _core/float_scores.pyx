"""Float64 profiles: the exact order of operations of scores that are computed in double."""

cimport cython
from libc.math cimport INFINITY, isnan
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy

from binwright._core.columns cimport expect
from binwright._core.spread cimport count_scores

FLOAT_KINDS = {"free": FREE, "used": USED, "raw": RAW, "near": NEAR}

cdef enum Kind:
    SET    # what = column, old = the bits of the value before


@cython.final
cdef class FloatScores(Idea):
    """The float terms of one fleet's profile and its host columns. `specs`: one dict a term with the fields of
    FloatTerm, checked by the caller; None for a profile that computes in integers.
    """

    def __cinit__(self, Journal journal, Fleet fleet, DomainTerms domain_terms, list specs):
        cdef Py_ssize_t t
        self.terms = NULL
        self.cells = NULL
        self.raw = self.total = NULL
        self.counts = NULL
        self.journal = journal
        self.fleet = fleet
        self.domain_terms = domain_terms
        self.floating = specs is not None
        specs = specs or []
        self.specs = specs
        self.count = len(specs)
        self.columns = []
        self.fresh = []
        self.stride = fleet.stride
        self.terms = <FloatTerm*>calloc(self.count + 1, sizeof(FloatTerm))
        if self.terms == NULL:
            raise MemoryError("float scores")
        for t in range(self.count):
            spec = specs[t]
            self.terms[t].kind = FLOAT_KINDS[spec["kind"]]
            self.terms[t].resource, self.terms[t].ratio = spec["resource"], spec["ratio"]
            self.terms[t].slot, self.terms[t].multiplier = spec["slot"], spec["multiplier"]
            self.terms[t].weight, self.terms[t].low, self.terms[t].high = spec["weight"], spec["low"], spec["high"]
        self.lengthen(fleet.stride)
        journal.register(self)

    def __dealloc__(self):
        free(self.terms)
        free(self.cells)
        free(self.raw)
        free(self.total)
        free(self.counts)

    # ---- host columns --------------------------------------------------------------------------------------

    def new_column(self, double fresh):
        """Number of a new host column, `fresh` everywhere."""
        cdef Columns column = Columns(1, self.stride, 8)
        cdef Py_ssize_t host
        for host in range(self.stride):
            (<double*>column.data)[host] = fresh
        self.columns.append(column)
        self.fresh.append(fresh)
        self.point_at_columns()
        return len(self.columns) - 1

    def set_value(self, Py_ssize_t column, Py_ssize_t host, double value):
        cdef double* cell = self.cells[column] + host
        if cell[0] != value:
            self.journal.note(self.number, SET, host, column, bits_of(cell[0]))
            cell[0] = value

    def value(self, Py_ssize_t column, Py_ssize_t host):
        return self.cells[column][host]

    cdef int point_at_columns(self) except -1:
        cdef Py_ssize_t number
        cdef double** grown = <double**>realloc(self.cells, (len(self.columns) + 1) * sizeof(double*))
        if grown == NULL:
            raise MemoryError("host columns")
        self.cells = grown
        for number in range(len(self.columns)):
            self.cells[number] = <double*>(<Columns>self.columns[number]).data
        return 0

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        cdef Py_ssize_t number, host
        cdef Columns column
        if self.floating:
            self.make_scratch(stride)
        for number in range(len(self.columns)):
            column = (<Columns>self.columns[number]).resized(1, stride)
            for host in range(self.stride, stride):
                (<double*>column.data)[host] = self.fresh[number]
            self.columns[number] = column
        self.stride = stride
        return self.point_at_columns()

    cdef int make_scratch(self, Py_ssize_t stride) except -1:
        """Arrays of one decision, which nobody needs who computes in integers."""
        cdef double* raw = <double*>realloc(self.raw, stride * sizeof(double))
        if raw != NULL:
            self.raw = raw
        cdef double* total = <double*>realloc(self.total, stride * sizeof(double))
        if total != NULL:
            self.total = total
        cdef int64_t* counts = <int64_t*>realloc(self.counts, stride * sizeof(int64_t))
        if counts != NULL:
            self.counts = counts
        if raw == NULL or total == NULL or counts == NULL:
            raise MemoryError("float scores")
        return 0

    # ---- one decision --------------------------------------------------------------------------------------

    cdef void fill_raw(self, Py_ssize_t term, const ClassView* view, const int64_t* verdict) noexcept nogil:
        """Raw values of one term, clamped to its fixed bounds, on the hosts with an open verdict."""
        cdef Py_ssize_t host
        if self.terms[term].kind == NEAR:
            count_scores(self.domain_terms, view.number, self.terms[term].slot, self.counts)
        for host in range(self.fleet.hosts):
            if verdict[host] >= 0:
                self.raw[host] = self.raw_of(term, view, host)

    cdef double raw_of(self, Py_ssize_t term, const ClassView* view, Py_ssize_t host) noexcept nogil:
        """Raw value of one term on one host, clamped; a NEAR term's is read from `counts`."""
        cdef const FloatTerm* t = self.terms + term
        cdef int64_t used
        cdef double raw
        if t.kind == FREE or t.kind == USED:
            used = self.fleet.used.int64s(t.resource)[host]
            if t.kind == USED:
                raw = <double>used
            elif t.ratio < 0:
                raw = <double>(self.fleet.capacity.int64s(t.resource)[host] - used)
            else:
                raw = <double>self.fleet.capacity.int64s(t.resource)[host] * self.cells[t.ratio][host] - <double>used
        elif t.kind == RAW:
            raw = 0.0 if view.raw[t.slot] == NULL else (<const double*>view.raw[t.slot])[host]
        else:
            raw = <double>self.counts[host]
        if raw < t.low:
            raw = t.low
        if raw > t.high:
            raw = t.high
        return raw

    cdef void normalise(self, Py_ssize_t term, const int64_t* verdict) noexcept nogil:
        """(raw - low) / (high - low) over the open hosts, 0 where they are all equal; in place."""
        cdef const FloatTerm* t = self.terms + term
        cdef double low = t.low, high = t.high
        cdef Py_ssize_t host
        if isnan(low):
            low = INFINITY
            for host in range(self.fleet.hosts):
                if verdict[host] >= 0 and self.raw[host] < low:
                    low = self.raw[host]
        if isnan(high):
            high = -INFINITY
            for host in range(self.fleet.hosts):
                if verdict[host] >= 0 and self.raw[host] > high:
                    high = self.raw[host]
        for host in range(self.fleet.hosts):
            if verdict[host] >= 0:
                self.raw[host] = scaled(self.raw[host], low, high)

    cdef int64_t choose(self, const ClassView* view, const int64_t* verdict) noexcept nogil:
        """The open host of highest total, lowest index first; -1 without one. A lone host is not weighed: 0.0."""
        cdef Py_ssize_t host, t, open_hosts = 0
        cdef int64_t best = -1
        for host in range(self.fleet.hosts):
            if verdict[host] >= 0:
                self.total[host] = 0.0
                open_hosts += 1
        if open_hosts > 1:
            for t in range(self.count):
                if view.skips >> t & 1:
                    continue
                self.fill_raw(t, view, verdict)
                self.normalise(t, verdict)
                for host in range(self.fleet.hosts):
                    if verdict[host] >= 0:
                        self.total[host] += self.factor(t, host) * self.raw[host]
        for host in range(self.fleet.hosts):
            if verdict[host] >= 0 and (best < 0 or self.total[host] > self.total[best]):
                best = host
        return best

    # ---- state ---------------------------------------------------------------------------------------------

    cdef int revert(self, const Change* change) except -1:
        memcpy(self.cells[change.what] + change.host, &change.old, 8)
        return 0

    cpdef object save(self):
        return self.stride, [(<Columns>column).copy() for column in self.columns], list(self.fresh)

    cpdef object restore(self, object saved):
        stride, self.columns, self.fresh = saved
        if len(self.columns) != len(self.fresh):
            raise ValueError(f"fleet: columns: damaged pickle: {len(self.fresh)} of {len(self.columns)} columns")
        for column in self.columns:
            expect("columns", column, 1, stride, 8)
        self.stride = stride
        self.lengthen(stride)

    cpdef object check(self, object state):
        """The columns that the profile's terms read."""
        cdef Py_ssize_t t
        for t in range(self.count):
            if self.terms[t].ratio >= len(self.columns) or self.terms[t].multiplier >= len(self.columns):
                raise ValueError(f"fleet: columns: damaged pickle: {len(self.columns)} of them")
