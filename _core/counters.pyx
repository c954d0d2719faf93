"""Counters per host, and what one item of each class contributes to them."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

cdef enum:
    MOST = 1 << 16    # that one item adds

cdef int64_t MOST_COUNTED = (<int64_t>1) << 47    # 2^30 items, and twice that while they are told

cdef enum Kind:
    FLAGGED    # what = counter, old = cell before


@cython.final
cdef class Counters(Idea):
    """The counters of one fleet. Counters and contributions are definitions; the cells are state."""

    def __cinit__(self, Journal journal, Py_ssize_t stride):
        self.counters = NULL
        self.classes = NULL
        self.journal = journal
        self.count = self.room = self.class_count = self.class_room = 0
        self.stride = stride
        journal.register(self)

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.count):
            free(self.counters[i].cells)
        for i in range(self.class_count):
            free(self.classes[i].each)
        free(self.counters)
        free(self.classes)

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        cdef Py_ssize_t i
        cdef int64_t* grown
        for i in range(self.count):
            if self.counters[i].cells == NULL:
                continue
            grown = <int64_t*>realloc(self.counters[i].cells, stride * sizeof(int64_t))
            if grown == NULL:
                raise MemoryError("counters")
            memset(grown + self.stride, 0, (stride - self.stride) * sizeof(int64_t))
            self.counters[i].cells = grown
        self.stride = stride
        return 0

    def new_counter(self, int32_t kind, int32_t feeds):
        """Number of a new counter; `feeds`: an additive counter made before, or -1; only additive ones feed."""
        cdef Counter* grown
        if self.count == self.room:
            grown = <Counter*>realloc(self.counters, max(16, 2 * self.room) * sizeof(Counter))
            if grown == NULL:
                raise MemoryError("counters")
            self.counters = grown
            self.room = max(16, 2 * self.room)
        cdef Counter* made = self.counters + self.count
        made.kind = kind
        made.feeds = feeds
        made.total = 0
        made.cells = NULL
        if feeds >= 0:
            self.need_cells(feeds)
        self.count += 1
        return self.count - 1

    cdef int need_cells(self, int32_t counter) except -1:
        if self.counters[counter].cells == NULL:
            self.counters[counter].cells = <int64_t*>calloc(self.stride, sizeof(int64_t))
            if self.counters[counter].cells == NULL:
                raise MemoryError("counters")
        return 0

    def new_class(self):
        """Make room for the contributions of the next class; returns its number."""
        cdef Contributions* grown
        if self.class_count == self.class_room:
            grown = <Contributions*>realloc(self.classes, max(16, 2 * self.class_room) * sizeof(Contributions))
            if grown == NULL:
                raise MemoryError("contributions")
            self.classes = grown
            self.class_room = max(16, 2 * self.class_room)
        self.classes[self.class_count].each = NULL
        self.classes[self.class_count].count = 0
        self.class_count += 1
        return self.class_count - 1

    def contribute(self, Py_ssize_t number, int32_t counter, int32_t amount, int32_t whatif, list hosts):
        """Items of a class add `amount` to a counter from now on; those that lie on `hosts` (one entry an item) are
        counted at once, which an additive counter alone can: its cells are what the items add, flags have a history.
        """
        cdef Contributions* mine = self.classes + number
        cdef Contribution* grown = <Contribution*>realloc(mine.each, (mine.count + 1) * sizeof(Contribution))
        if grown == NULL:
            raise MemoryError("contributions")
        self.need_cells(counter)
        mine.each = grown
        mine.each[mine.count].counter = counter
        mine.each[mine.count].amount = amount
        mine.each[mine.count].whatif = whatif
        mine.count += 1
        for host in hosts:
            self.add_cell(counter, host, amount)
            self.journal.feed_host(host, False)

    def contributions(self, Py_ssize_t number):
        """[(counter, amount, what-if amount)] of one class."""
        cdef Py_ssize_t i
        cdef Contributions* mine = self.classes + number
        return [(mine.each[i].counter, mine.each[i].amount, mine.each[i].whatif) for i in range(mine.count)]

    def is_flag(self, int32_t counter):
        """Is this counter a set?"""
        return self.counters[counter].kind == FLAG

    def value(self, int32_t counter, Py_ssize_t host):
        """One cell."""
        return self.cell(counter, host)

    def total(self, int32_t counter):
        """Sum of a counter's cells."""
        return self.counters[counter].total

    cdef void add_cell(self, int32_t counter, Py_ssize_t host, int64_t amount) noexcept nogil:
        cdef Counter* mine = self.counters + counter
        cdef int64_t before = mine.cells[host]
        mine.cells[host] = before + amount
        mine.total += amount
        if mine.feeds >= 0 and (before == 0) != (before + amount == 0):
            self.add_cell(mine.feeds, host, 1 if before == 0 else -1)

    cdef void add(self, int32_t request, Py_ssize_t host, int32_t sign) noexcept nogil:
        """The additive contributions of one item."""
        cdef const Contributions* mine = self.classes + request
        cdef Py_ssize_t i
        for i in range(mine.count):
            if self.counters[mine.each[i].counter].kind == ADDITIVE:
                self.add_cell(mine.each[i].counter, host, sign * mine.each[i].amount)

    cdef void try_out(self, int32_t request, Py_ssize_t host, int32_t sign) noexcept nogil:
        """One item on trial: additive counters move by its what-if amounts, flags as placing and releasing move them.
        Nothing is noted: the caller puts everything back, flags by their saved cells.
        """
        cdef const Contributions* mine = self.classes + request
        cdef Counter* counter
        cdef Py_ssize_t i
        for i in range(mine.count):
            counter = self.counters + mine.each[i].counter
            if counter.kind == ADDITIVE:
                self.add_cell(mine.each[i].counter, host, sign * mine.each[i].whatif)
            else:
                counter.total += (sign > 0) - counter.cells[host]
                counter.cells[host] = sign > 0

    cdef void remember_flags(self, Py_ssize_t host, int32_t* kept) noexcept nogil:
        """Copy the flags of one host into `kept` (counters,)."""
        cdef Py_ssize_t i
        for i in range(self.count):
            kept[i] = <int32_t>self.cell(<int32_t>i, host) if self.counters[i].kind == FLAG else 0

    cdef void recall_flags(self, Py_ssize_t host, const int32_t* kept) noexcept nogil:
        """Set the flags of one host as they were remembered."""
        cdef Py_ssize_t i
        for i in range(self.count):
            if self.counters[i].kind == FLAG and self.counters[i].cells != NULL:
                self.counters[i].total += kept[i] - self.counters[i].cells[host]
                self.counters[i].cells[host] = kept[i]

    cdef int set_flag(self, int32_t counter, Py_ssize_t host, int32_t value) except -1 nogil:
        cdef Counter* mine = self.counters + counter
        if mine.cells[host] != value:
            self.journal.note(self.number, FLAGGED, host, counter, mine.cells[host])
            mine.total += value - mine.cells[host]
            mine.cells[host] = value
        return 0

    cdef int count_item(self, int32_t request, Py_ssize_t host, int32_t sign) except -1 nogil:
        """Count one item in (1) or out (-1); noted by the item, but for flags."""
        cdef const Contributions* mine = self.classes + request
        cdef const Contribution* each
        cdef Py_ssize_t i
        for i in range(mine.count):
            each = mine.each + i
            if self.counters[each.counter].kind == FLAG:
                self.set_flag(each.counter, host, sign > 0)
            else:
                self.add_cell(each.counter, host, sign * each.amount)
        return 0

    cdef int revert(self, const Change* change) except -1:
        cdef Counter* mine = self.counters + change.what
        mine.total += change.old - mine.cells[change.host]
        mine.cells[change.host] = change.old
        return 0

    cpdef object save(self):
        cdef Py_ssize_t i
        return (
            self.stride,
            [
                (
                    self.counters[i].kind, self.counters[i].feeds, self.counters[i].total,
                    None if self.counters[i].cells == NULL else PyBytes_FromStringAndSize(
                        <char*>self.counters[i].cells, self.stride * sizeof(int64_t)
                    ),
                )
                for i in range(self.count)
            ],
            [self.contributions(i) for i in range(self.class_count)],
        )

    cpdef object restore(self, object saved):
        stride, counters, classes = saved
        self.stride = stride
        for kind, feeds, total, cells in counters:
            if kind not in (ADDITIVE, FLAG) or not -1 <= feeds < self.count:
                raise ValueError(
                    f"fleet: counters: damaged pickle: counter {self.count} is of kind {kind}, feeds {feeds}"
                )
            if feeds >= 0 and (kind == FLAG or self.counters[<Py_ssize_t>feeds].kind == FLAG):
                raise ValueError(f"fleet: counters: damaged pickle: counter {self.count} feeds {feeds}")
            if cells is not None and len(cells) != stride * sizeof(int64_t):
                raise ValueError(f"fleet: counters: damaged pickle: counter {self.count} has {len(cells)} bytes")
            number = self.new_counter(kind, feeds)
            self.counters[<Py_ssize_t>number].total = total
            if cells is not None:
                self.need_cells(number)
                memcpy(self.counters[<Py_ssize_t>number].cells, PyBytes_AS_STRING(cells), len(cells))
        for contributions in classes:
            number = self.new_class()
            for counter, amount, whatif in contributions:
                if not 0 <= counter < self.count or not 0 <= amount <= MOST or not 0 <= whatif <= MOST:
                    raise ValueError(
                        f"fleet: counters: damaged pickle: class {number} adds {amount} or {whatif} to {counter}"
                    )
                self.contribute(number, counter, amount, whatif, [])

    cpdef object check(self, object state):
        """As many classes and hosts as the fleet has, totals that are sums, flags that are 0 or 1."""
        cdef Py_ssize_t i, host
        cdef int64_t total, cell
        if self.stride != state.fleet.stride or self.class_count != len(state.classes):
            raise ValueError("fleet: counters: damaged pickle: its counts do not agree")
        for i in range(self.count):
            total = 0
            for host in range(self.stride):
                cell = self.cell(<int32_t>i, host)
                if not -MOST_COUNTED <= cell <= MOST_COUNTED or not -MOST_COUNTED <= total <= MOST_COUNTED:
                    raise ValueError(f"fleet: counters: damaged pickle: counter {i} is {cell} on host {host}")
                total += cell
                if self.counters[i].kind == FLAG and cell not in (0, 1):
                    raise ValueError(f"fleet: counters: damaged pickle: flag {i} is {cell} on host {host}")
            if total != self.counters[i].total:
                raise ValueError(
                    f"fleet: counters: damaged pickle: counter {i} has total {self.counters[i].total}, sum {total}"
                )
