"""The rows of one host as the groups of a request see them: which suit a unit alone, what is left, in which order.

Reads the forest and the fleet; changes nothing.
"""

from libc.stdint cimport INT64_MAX
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from binwright._core.clauses cimport FORBIDDEN
from binwright._core.devices cimport Stock
from binwright._core.fleet cimport ABSENT
from binwright._core.groups cimport BY_CPUS, BY_FREE_BELOW, BY_USED, FREE, THERE, Group, Unit
from binwright._core.matching cimport lowest_bit


cdef class HostRows:
    """One question at a time. Holds scratch memory only."""

    def __cinit__(self, Forest forest, Fleet fleet):
        self.row = NULL
        self.can = NULL
        self.order = NULL
        self.free = NULL
        self.room = 0
        self.forest = forest
        self.fleet = fleet

    def __dealloc__(self):
        free(self.row)
        free(self.can)
        free(self.order)
        free(self.free)

    cdef int make_rows(self, Py_ssize_t rows) except -1:
        """Scratch for that many rows."""
        cdef Py_ssize_t words = (rows + 63) // 64
        free(self.row)
        free(self.can)
        free(self.order)
        free(self.free)
        self.room = 0
        self.row = <int32_t*>malloc(rows * sizeof(int32_t))
        self.can = <uint64_t*>malloc(MAX_UNITS * words * sizeof(uint64_t))
        self.order = <int32_t*>malloc(MAX_UNITS * rows * sizeof(int32_t))
        self.free = <int64_t*>malloc(rows * sizeof(int64_t))
        if self.row == NULL or self.can == NULL or self.order == NULL or self.free == NULL:
            raise MemoryError("rows of a host")
        self.room = rows
        return 0

    cdef bint ask(
        self, const Plan* plan, const int64_t* reserved, Py_ssize_t host, bint empty
    ) noexcept nogil:
        """Begin a question: which rows suit each unit alone? False if some unit has none, or the host itself does not
        do. empty: as if nothing were used. reserved: (resources,), taken of the host's columns beside the groups.
        """
        cdef int32_t unit, index
        cdef uint64_t any_row
        self.plan, self.reserved, self.host, self.empty = plan, reserved, <int32_t>host, empty
        if not self.forest.clauses.accepts(plan.root, self.forest.roots[host].labels):
            return False
        self.gather_rows()
        for unit in range(plan.unit_count):
            self.chosen[unit] = -1
            memset(self.can + unit * self.words, 0, self.words * sizeof(uint64_t))
            any_row = 0
            for index in range(self.rows):
                if self.suits(unit, index):
                    self.can[unit * self.words + (index >> 6)] |= <uint64_t>1 << (index & 63)
                    any_row = 1
            if not any_row:
                return False
        return True

    cdef void gather_rows(self) noexcept nogil:
        """The rows of the host, in order."""
        cdef int32_t number = self.forest.roots[self.host].first
        cdef int32_t link = self.forest.roots[self.host].link
        self.row[0] = ~self.host
        self.rows = 1
        while number >= 0:
            self.row[self.rows] = number
            self.rows += 1
            number = self.forest.rows[number].next
        self.own = self.rows
        while link >= 0:
            self.row[self.rows] = self.forest.links[link].row
            self.rows += 1
            link = self.forest.links[link].next
        self.words = (self.rows + 63) >> 6
        self.cells = 0
        if self.plan.key_count:
            for number in range(1, self.own):
                self.cells += self.forest.rows[self.row[number]].cell >= 0

    cdef bint suits(self, int32_t unit, int32_t index) noexcept nogil:
        """May this row serve this unit if it serves nothing else of the request?"""
        cdef const Group* group = self.plan.groups + self.plan.units[unit].group
        cdef const Ask* ask = self.plan.asks + self.plan.units[unit].ask
        cdef int32_t row = self.row[index], tree, labels, members, i
        cdef int64_t unused, largest
        cdef bint linked = index >= self.own
        if row < 0:
            tree, labels, members = ~row, self.forest.roots[~row].labels, self.forest.roots[~row].members
            if linked and self.fleet.flags.uint8s(0)[~row] & ABSENT:
                return False
        else:
            tree, labels, members = (
                self.forest.rows[row].host, self.forest.rows[row].labels, self.forest.rows[row].members
            )
        if linked and not group.linked or group.within >= 0 and group.within != tree or group.whole and row < 0:
            return False
        if group.one_row:
            if not self.forest.clauses.accepts(group.labels, labels):
                return False
        elif self.forest.clauses.met(group.labels, labels) & FORBIDDEN:
            return False
        if group.members:
            if not self.forest.clauses.accepts(group.members, members):
                if linked or not group.root_answers or self.forest.clauses.met(group.members, members) & FORBIDDEN:
                    return False
                if not self.forest.clauses.accepts(group.members, self.forest.roots[self.host].members):
                    return False
            if group.root_answers:
                if self.forest.clauses.met(group.members, self.forest.roots[self.host].members) & FORBIDDEN:
                    return False
        if group.whole and not self.empty and not self.forest.untouched(row):
            return False
        if group.wish >= 0 and (row < 0 or not self.suits_cell(self.plan.wishes + group.wish, row)):
            return False
        for i in range(self.plan.units[unit].asks):
            if not self.left(index, ask[i].resource, &unused, &largest):
                return False
            if ask[i].check != FREE:
                if ask[i].check == THERE and ask[i].amount > self.forest.stock_of(row, ask[i].resource).capacity:
                    return False
                continue
            if unused < ask[i].amount:
                return False
            if not group.whole and (largest < ask[i].amount or not self.may_be_claimed(row, ask + i)):
                return False
        return True

    cdef bint suits_cell(self, const Wish* wish, int32_t row) noexcept nogil:
        """Has the row a cell with the memory and the CPUs of a wish?"""
        cdef int32_t cell = self.forest.rows[row].cell
        cdef Stock* stock
        if cell < 0:
            return False
        if wish.page or self.forest.cells.cells[cell].pages:
            if self.forest.cells.page_for(cell, wish, self.empty) < 0:
                return False
        elif wish.memory:
            stock = self.forest.stock_of(row, wish.resource)
            if stock == NULL:
                return False
            if wish.memory > stock.capacity - (stock.used if wish.strict and not self.empty else 0):
                return False
        return not wish.strict or self.forest.cells.pack(cell, wish, self.empty, &self.packing)

    cdef bint left(self, int32_t index, int32_t resource, int64_t* unused, int64_t* largest) noexcept nogil:
        """What a row has free of a resource, and the most that one request may claim; False if it has no stock."""
        cdef int32_t row = self.row[index]
        cdef Stock* stock
        if row >= 0:
            stock = self.forest.stock_of(row, resource)
            if stock == NULL:
                return False
            unused[0] = stock.capacity - (0 if self.empty else stock.used)
            largest[0] = stock.largest
            return True
        if resource >= self.fleet.resources:
            return False
        unused[0] = self.fleet.capacity.int64s(resource)[~row]
        if not self.empty:
            unused[0] -= self.fleet.used.int64s(resource)[~row]
        if index == 0:
            unused[0] -= self.reserved[resource]
        largest[0] = INT64_MAX
        if self.fleet.limits is not None and self.fleet.limits.int64s(3 * resource + 2)[~row]:
            largest[0] = self.fleet.limits.int64s(3 * resource + 1)[~row]
        return True

    cdef bint may_be_claimed(self, int32_t row, const Ask* ask) noexcept nogil:
        """Do smallest and step of the row's stock allow one claim of this amount? The row has the stock."""
        cdef Stock* stock
        if row < 0:
            return self.fleet.claimable(~row, ask.resource, ask.amount)
        stock = self.forest.stock_of(row, ask.resource)
        return stock.smallest <= ask.amount and ask.amount % stock.step == 0

    cdef int64_t given(self, int32_t index, int32_t resource) noexcept nogil:
        """What the units that have a row already take of one row."""
        cdef const Unit* unit
        cdef int64_t total = 0
        cdef int32_t u, i
        for u in range(self.plan.unit_count):
            if self.chosen[u] == index:
                unit = self.plan.units + u
                for i in range(unit.ask, unit.ask + unit.asks):
                    if self.plan.asks[i].resource == resource:
                        total += self.plan.asks[i].amount
        return total

    cdef int32_t sort(self, int32_t unit, int32_t* order) noexcept nogil:
        """The rows that suit a unit, in its group's order, less what the request has taken; returns how many."""
        cdef const uint64_t* line = self.can + unit * self.words
        cdef int32_t count = 0, word, index, i
        cdef int32_t resource = self.plan.asks[self.plan.units[unit].ask].resource
        cdef bint by_free = self.plan.groups[self.plan.units[unit].group].least_free and self.plan.units[unit].asks
        cdef int64_t unused, largest
        cdef uint64_t bits
        for word in range(self.words):
            bits = line[word]
            while bits:
                index = (word << 6) + lowest_bit(bits)
                bits &= bits - 1
                i = count
                if by_free:
                    self.left(index, resource, &unused, &largest)
                    unused -= self.given(index, resource)
                    self.free[index] = unused
                    while i > 0 and self.free[order[i - 1]] > unused:
                        order[i] = order[i - 1]
                        i -= 1
                order[i] = index
                count += 1
        if self.plan.key_count and self.plan.groups[self.plan.units[unit].group].wish >= 0:
            if self.cells > self.plan.wish_count:
                for word in range(self.plan.key_count):
                    self.sort_by(self.plan.keys + word, order, count)
        return count

    cdef void sort_by(self, const Key* key, int32_t* order, int32_t count) noexcept nogil:
        """Sort rows by one key; equal ones stay as they are."""
        cdef int32_t k, i, index
        cdef int64_t value
        for k in range(count):
            index = order[k]
            value = self.key_of(key, index)
            if key.descending:
                value = -value
            self.free[index] = value
            i = k
            while i > 0 and self.free[order[i - 1]] > value:
                order[i] = order[i - 1]
                i -= 1
            order[i] = index

    cdef int64_t key_of(self, const Key* key, int32_t index) noexcept nogil:
        cdef int32_t row = self.row[index], other
        cdef int64_t total = 0
        cdef Stock* stock
        if key.kind == BY_CPUS:
            return self.forest.cells.free_cpus(self.forest.rows[row].cell, self.empty)
        for other in range(self.own):
            if other != index and key.kind != BY_FREE_BELOW or self.row[other] < 0:
                continue
            if not self.forest.above(row, self.row[other]):
                continue
            stock = self.forest.stock_of(self.row[other], key.resource)
            if stock != NULL:
                total += stock.used if key.kind == BY_USED else stock.capacity - stock.used
        return total
