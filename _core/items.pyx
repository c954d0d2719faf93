"""Records of what is placed: who, where, in which order; placing commits resources, releasing gives them back."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from binwright._core.journal cimport high_half, low_half, pack

cdef enum Kind:
    PLACED      # what = slot, old = 1 if the slot was a spare one
    RELEASED    # what = class << 32 | slot, old = previous << 32 | next
    MARKED      # what = budgets before << 32 | slot, old = priority before
    ORDERED     # what = slot, old = order before


cdef enum:
    LAST_GENERATION = 0x7FFFFFFF    # then it begins again: ids stay positive
    MOST_ITEMS = 1 << 30


cdef void* enlarged(void* memory, Py_ssize_t size) except NULL nogil:
    cdef void* grown = realloc(memory, size)
    if grown == NULL:
        with gil:
            raise MemoryError("items")
    return grown


cdef int64_t item_id(Items items, int32_t slot) noexcept nogil:
    """The public id of the item in a slot."""
    return pack(items.records[slot].generation, slot)


@cython.final
cdef class Items(Idea):
    """The items of one fleet. Single writer, like the fleet."""

    def __cinit__(self, Journal journal, Fleet fleet, Classes classes, Counters counters, Externals externals):
        self.records = NULL
        self.spare = NULL
        self.ends = NULL
        self.journal = journal
        self.fleet = fleet
        self.classes = classes
        self.counters = counters
        self.externals = externals
        self.room = self.slots = self.known = self.alive = self.spares = self.spare_room = self.stride = 0
        self.lengthen(fleet.stride)
        journal.register(self)

    def __dealloc__(self):
        free(self.records)
        free(self.spare)
        free(self.ends)

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        if stride > self.stride:
            self.ends = <Ends*>enlarged(self.ends, stride * sizeof(Ends))
            memset(self.ends + self.stride, 0xFF, (stride - self.stride) * sizeof(Ends))
            self.stride = stride
        return 0

    cdef void link_last(self, int32_t slot) noexcept nogil:
        cdef Item* record = self.records + slot
        cdef Ends* ends = self.ends + record.host
        record.previous = ends.last
        record.next = -1
        if ends.last >= 0:
            self.records[ends.last].next = slot
        else:
            ends.first = slot
        ends.last = slot

    cdef void unlink(self, int32_t slot) noexcept nogil:
        cdef Item* record = self.records + slot
        cdef Ends* ends = self.ends + record.host
        if record.previous >= 0:
            self.records[record.previous].next = record.next
        else:
            ends.first = record.next
        if record.next >= 0:
            self.records[record.next].previous = record.previous
        else:
            ends.last = record.previous

    cdef void tell(self, int32_t request, Py_ssize_t host, int sign) noexcept nogil:
        """Tell the class's external terms, if it has any."""
        if self.externals.concerned[request]:
            with gil:
                self.externals.tell(request, host, sign)

    cdef int make_room(self, int64_t more) except -1 nogil:
        """Room for so many items more than there are, beside the spare slots."""
        cdef Py_ssize_t needed = self.slots + more, room = max(256, 2 * self.room, needed)
        if needed <= self.room:
            return 0
        if self.slots >= MOST_ITEMS:
            with gil:
                raise OverflowError("more than 2^30 items in one fleet")
        self.records = <Item*>enlarged(self.records, room * sizeof(Item))
        self.room = room
        return 0

    cdef int64_t place(self, int32_t request, int32_t host) except -1 nogil:
        """A new item of class `request` on `host`; returns its id."""
        cdef int32_t slot
        cdef Item* record
        cdef bint spare = self.spares > 0
        if spare:
            slot = self.spare[self.spares - 1]
        else:
            if self.slots == self.room:
                self.make_room(1)
            slot = <int32_t>self.slots
        self.journal.note(self.number, PLACED, host, slot, spare)
        record = self.records + slot
        if spare:
            self.spares -= 1
        else:
            self.slots += 1
            if slot < self.known:  # had an item that a rollback took back, whose id must stay refused
                record.generation = <int32_t>(<uint32_t>record.generation + 1 & LAST_GENERATION)
            else:
                record.generation = 0
                self.known = slot + 1
        record.request = request
        record.host = host
        record.priority = 0
        record.budgets = -1
        record.order = 0
        self.link_last(slot)
        self.alive += 1
        self.fleet.add_use(host, self.classes.views[request].commit, 1)
        if self.counters.classes[request].count:
            self.counters.count_item(request, host, 1)
        self.tell(request, host, 1)
        return pack(record.generation, slot)

    cdef Item* find(self, int64_t item) noexcept nogil:
        """The record of a live item, NULL for an id that is unknown or released."""
        cdef int32_t slot = low_half(item)
        if item < 0 or slot < 0 or slot >= self.slots:
            return NULL
        cdef Item* record = self.records + slot
        if record.generation != high_half(item) or record.host < 0:
            return NULL
        return record

    cdef int make_spare_room(self) except -1 nogil:
        """Room for one more spare slot."""
        cdef Py_ssize_t room
        if self.spares == self.spare_room:
            room = 2 * self.spare_room if self.spare_room else 64
            self.spare = <int32_t*>enlarged(self.spare, room * sizeof(int32_t))
            self.spare_room = room
        return 0

    cdef int release(self, int64_t item) except -1 nogil:
        """Forget a live item; the caller has found it. What can fail comes first, and what is noted by itself last."""
        cdef int32_t slot = low_half(item)
        cdef Item* record = self.records + slot
        cdef int32_t host = record.host
        self.make_spare_room()
        self.mark(item, 0, 0, -1)  # noted, so that a slot that is used again gets its marks back
        self.journal.note(
            self.number, RELEASED, record.host, pack(record.request, slot), pack(record.previous, record.next)
        )
        self.unlink(slot)
        self.fleet.add_use(record.host, self.classes.views[record.request].commit, -1)
        record.host = -1
        record.generation = <int32_t>(<uint32_t>record.generation + 1 & LAST_GENERATION)
        self.spare[self.spares] = slot
        self.spares += 1
        self.alive -= 1
        self.counters.count_item(record.request, host, -1)
        self.tell(record.request, host, -1)
        return 0

    cdef int mark(self, int64_t item, int32_t priority, int64_t order, int32_t budgets) except -1 nogil:
        """Say how important a live item is; the caller has found it."""
        cdef int32_t slot = low_half(item)
        cdef Item* record = self.records + slot
        if record.priority != priority or record.budgets != budgets:
            self.journal.note(self.number, MARKED, record.host, pack(record.budgets, slot), record.priority)
            record.priority = priority
            record.budgets = budgets
        if record.order != order:
            self.journal.note(self.number, ORDERED, record.host, slot, record.order)
            record.order = order
        return 0

    cdef int revert(self, const Change* change) except -1:
        cdef int32_t slot = low_half(change.what)
        cdef Item* record = self.records + slot
        if change.kind == MARKED:
            record.priority = <int32_t>change.old
            record.budgets = high_half(change.what)
            return 0
        if change.kind == ORDERED:
            record.order = change.old
            return 0
        if change.kind == PLACED:
            self.unlink(slot)
            self.fleet.add_use(record.host, self.classes.views[record.request].commit, -1)
            self.counters.add(record.request, record.host, -1)
            self.tell(record.request, record.host, -1)
            record.host = -1
            if change.old:
                self.make_spare_room()  # a fork that looks at the past has room for the present's spares only
                self.spare[self.spares] = slot
                self.spares += 1
            else:
                self.slots -= 1
            self.alive -= 1
            return 0
        self.spares -= 1
        record.request = high_half(change.what)
        record.host = change.host
        record.generation = <int32_t>(<uint32_t>record.generation - 1 & LAST_GENERATION)
        record.previous = high_half(change.old)
        record.next = low_half(change.old)
        if record.previous >= 0:
            self.records[record.previous].next = slot
        else:
            self.ends[record.host].first = slot
        if record.next >= 0:
            self.records[record.next].previous = slot
        else:
            self.ends[record.host].last = slot
        self.fleet.add_use(record.host, self.classes.views[record.request].commit, 1)
        self.counters.add(record.request, record.host, 1)
        self.tell(record.request, record.host, 1)
        self.alive += 1
        return 0

    def on_host(self, Py_ssize_t host):
        """Ids of the items on one host, in placing order."""
        cdef list ids = []
        cdef int32_t slot = self.ends[host].first
        while slot >= 0:
            ids.append(item_id(self, slot))
            slot = self.records[slot].next
        return ids

    def hosts_of(self, int32_t request):
        """Host of each live item of one class."""
        cdef Py_ssize_t slot
        return [
            self.records[slot].host for slot in range(self.slots)
            if self.records[slot].host >= 0 and self.records[slot].request == request
        ]

    def record(self, int64_t item):
        """(class number, host) of a live item, or None."""
        cdef Item* found = self.find(item)
        return None if found == NULL else (found.request, found.host)

    cpdef object save(self):
        return (
            self.slots, self.alive, self.stride,
            PyBytes_FromStringAndSize(<char*>self.records, self.slots * sizeof(Item)),
            PyBytes_FromStringAndSize(<char*>self.spare, self.spares * sizeof(int32_t)),
            PyBytes_FromStringAndSize(<char*>self.ends, self.stride * sizeof(Ends)),
        )

    cpdef object restore(self, object saved):
        slots, alive, stride, records, spare, ends = saved
        if len(records) != slots * sizeof(Item) or len(ends) != stride * sizeof(Ends) or len(spare) % sizeof(int32_t):
            raise ValueError("fleet: items: damaged pickle: its lengths do not agree")
        self.records = <Item*>enlarged(self.records, max(<Py_ssize_t>slots, 1) * sizeof(Item))
        self.spares = len(spare) // sizeof(int32_t)
        self.spare = <int32_t*>enlarged(self.spare, max(self.spares, 1) * sizeof(int32_t))
        self.ends = <Ends*>enlarged(self.ends, len(ends))
        self.slots = self.known = slots
        self.room = max(<Py_ssize_t>slots, 1)
        self.spare_room = max(self.spares, 1)
        self.alive = alive
        self.stride = stride
        memcpy(self.records, PyBytes_AS_STRING(records), len(records))
        memcpy(self.spare, PyBytes_AS_STRING(spare), len(spare))
        memcpy(self.ends, PyBytes_AS_STRING(ends), len(ends))

    cpdef object check(self, object state):
        """Every record means things that there are, and the lists of the hosts and the spare slots hold each once."""
        cdef Py_ssize_t classes = len(self.classes), lists = len(state.budgets.lists), slot, host, listed = 0, i
        cdef int32_t at, before
        cdef Item* record
        seen = bytearray(self.slots)
        for slot in range(self.slots):
            record = self.records + slot
            what = None
            if record.generation < 0:
                what = f"generation {record.generation}"
            elif record.host != -1 and not 0 <= record.host < self.fleet.hosts:
                what = f"host {record.host}"
            elif record.host >= 0 and not 0 <= record.request < classes:
                what = f"class {record.request}"
            elif record.host >= 0 and not -1 <= record.budgets < lists:
                what = f"list of budgets {record.budgets}"
            if what is not None:
                raise ValueError(f"fleet: items: damaged pickle: slot {slot} has {what}")
        for host in range(self.stride):
            at, before = self.ends[host].first, -1
            while at != -1:
                if not 0 <= at < self.slots or seen[at] or self.records[at].host != host:
                    raise ValueError(f"fleet: items: damaged pickle: the list of host {host} has slot {at}")
                if self.records[at].previous != before:
                    raise ValueError(f"fleet: items: damaged pickle: slot {at} does not follow slot {before}")
                seen[at] = 1
                listed += 1
                at, before = self.records[at].next, at
            if self.ends[host].last != before:
                raise ValueError(f"fleet: items: damaged pickle: the list of host {host} has another end")
        for i in range(self.spares):
            at = self.spare[i]
            if not 0 <= at < self.slots or seen[at] or self.records[at].host != -1:
                raise ValueError(f"fleet: items: damaged pickle: spare slot {at}")
            seen[at] = 1
        if self.stride != self.fleet.stride or self.alive != listed or listed + self.spares != self.slots:
            raise ValueError("fleet: items: damaged pickle: its counts do not agree")
