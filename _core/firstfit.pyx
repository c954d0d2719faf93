"""First fit and best fit of types with counts into equal bins; deterministic, and the order is the caller's."""

cimport cython
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy


@cython.final
cdef class FirstFit:
    """One packing. `FirstFit(weights, counts, order, capacity, best, window)`.

    weights int64 (types, resources), counts int64 (types,), order int64 (any,): types in the order of packing,
    capacity int64 (resources,); every type must fit an empty bin. `best`: into the fullest bin that fits, not the
    first. `window`: at most so many groups of equal bins stay open, the oldest is closed. A negative weight makes
    room for what comes later.
    """

    def __cinit__(
        self, const int64_t[:, ::1] weights, const int64_t[::1] counts, const int64_t[::1] order,
        const int64_t[::1] capacity, bint best, Py_ssize_t window,
    ):
        cdef Py_ssize_t t, r
        self.groups = NULL
        self.left = NULL
        self.entries = NULL
        self.inverse = NULL
        self.types = weights.shape[0]
        self.resources = weights.shape[1]
        self.group_room = self.group_count = self.entry_room = self.entry_count = self.open_count = 0
        self.head = self.tail = -1
        if counts.shape[0] != self.types or capacity.shape[0] != self.resources or not self.resources:
            raise ValueError("first fit: arrays of different lengths")
        for t in range(order.shape[0]):
            if not 0 <= order[t] < self.types:
                raise ValueError("first fit: no such type")
            for r in range(self.resources):
                if weights[order[t], r] > capacity[r]:
                    raise ValueError("first fit: a type that does not fit an empty bin")
        self.inverse = <double*>calloc(self.resources, sizeof(double))
        if self.inverse == NULL:
            raise MemoryError("first fit")
        for r in range(self.resources):
            self.inverse[r] = 1.0 / <double>capacity[r] if capacity[r] else 0.0
        if self.types and order.shape[0]:
            with nogil:
                self.run(&weights[0, 0], &counts[0], &order[0], order.shape[0], &capacity[0], best, window)

    def __dealloc__(self):
        free(self.groups)
        free(self.left)
        free(self.entries)
        free(self.inverse)

    @property
    def bins(self):
        """Bins used."""
        cdef int64_t total = 0
        cdef Py_ssize_t group
        for group in range(self.group_count):
            total += self.groups[group].count
        return total

    @property
    def sizes(self):
        """(groups of equal bins, entries that describe them all)."""
        cdef Py_ssize_t group
        cdef int64_t entry, total = 0
        for group in range(self.group_count):
            entry = self.groups[group].entry
            while entry >= 0:
                total += 1
                entry = self.entries[entry].before
        return self.group_count, total

    def fill_patterns(self, int64_t[::1] counts, int64_t[::1] ends, int64_t[::1] types, int64_t[::1] copies):
        """Write the groups: bins of each, where its entries end, and per entry the type and its copies."""
        cdef Py_ssize_t group, at = 0
        cdef int64_t entry
        if (counts.shape[0], types.shape[0]) != self.sizes or ends.shape[0] != counts.shape[0]:
            raise ValueError("first fit: arrays of different lengths")
        for group in range(self.group_count):
            counts[group] = self.groups[group].count
            entry = self.groups[group].entry
            while entry >= 0:
                types[at] = self.entries[entry].type
                copies[at] = self.entries[entry].copies
                entry = self.entries[entry].before
                at += 1
            ends[group] = at

    cdef int64_t new_group(self, const int64_t* left, int64_t count, int64_t entry) except -1 nogil:
        cdef Py_ssize_t room
        cdef Group* groups
        cdef int64_t* lefts
        cdef int64_t number = self.group_count
        cdef Py_ssize_t at = left - self.left if self.left != NULL else 0
        cdef bint own = self.left != NULL and 0 <= at < self.group_room * self.resources
        if self.group_count == self.group_room:
            room = self.group_room * 2 if self.group_room else 256
            groups = <Group*>realloc(self.groups, room * sizeof(Group))
            if groups == NULL:
                with gil:
                    raise MemoryError("first fit")
            self.groups = groups
            lefts = <int64_t*>realloc(self.left, room * self.resources * sizeof(int64_t))
            if lefts == NULL:
                with gil:
                    raise MemoryError("first fit")
            self.left = lefts
            self.group_room = room
        memcpy(self.left + number * self.resources, self.left + at if own else <int64_t*>left,
               self.resources * sizeof(int64_t))
        self.groups[number].count = count
        self.groups[number].entry = entry
        self.groups[number].open = True
        self.group_count += 1
        return number

    cdef int64_t new_entry(self, int64_t type, int64_t copies, int64_t before) except -1 nogil:
        cdef Py_ssize_t room
        cdef Entry* entries
        if self.entry_count == self.entry_room:
            room = self.entry_room * 2 if self.entry_room else 1024
            entries = <Entry*>realloc(self.entries, room * sizeof(Entry))
            if entries == NULL:
                with gil:
                    raise MemoryError("first fit")
            self.entries = entries
            self.entry_room = room
        self.entries[self.entry_count].type = type
        self.entries[self.entry_count].copies = copies
        self.entries[self.entry_count].before = before
        self.entry_count += 1
        return self.entry_count - 1

    cdef void insert_behind(self, int64_t group, int64_t place) noexcept nogil:
        """Put `group` into the list behind `place`; -1 = at the end."""
        if place < 0:
            place = self.tail
        self.groups[group].before = place
        self.groups[group].next = self.groups[place].next if place >= 0 else -1
        if place >= 0:
            self.groups[place].next = group
        else:
            self.head = group
        if self.groups[group].next >= 0:
            self.groups[self.groups[group].next].before = group
        else:
            self.tail = group
        self.open_count += 1

    cdef void retire(self, int64_t group) noexcept nogil:
        cdef int64_t before = self.groups[group].before, behind = self.groups[group].next
        if before >= 0:
            self.groups[before].next = behind
        else:
            self.head = behind
        if behind >= 0:
            self.groups[behind].before = before
        else:
            self.tail = before
        self.groups[group].open = False
        self.open_count -= 1

    cdef inline int64_t copies_that_fit(self, int64_t group, const int64_t* weight) noexcept nogil:
        cdef const int64_t* left = self.left + group * self.resources
        cdef Py_ssize_t r
        cdef int64_t copies = INT64_MAX
        for r in range(self.resources):
            if weight[r] > left[r]:
                return 0
        for r in range(self.resources):
            if weight[r] > 0 and left[r] // weight[r] < copies:
                copies = left[r] // weight[r]
        return copies

    cdef int64_t best_group(self, const int64_t* weight) noexcept nogil:
        """The open group with the least left (as sum of shares) that takes the item; the earlier wins a tie; or -1."""
        cdef int64_t group = self.head, best = -1
        cdef const int64_t* left
        cdef Py_ssize_t r
        cdef double share, least = 0
        cdef bint fits
        while group >= 0:
            left = self.left + group * self.resources
            fits = True
            share = 0
            for r in range(self.resources):
                if weight[r] > left[r]:
                    fits = False
                    break
                share += <double>left[r] * self.inverse[r]
            if fits and (best < 0 or share < least):
                best = group
                least = share
            group = self.groups[group].next
        return best

    cdef int64_t put(self, int64_t group, int64_t type, const int64_t* weight, int64_t count) except -1 nogil:
        """Put up to `count` items into the bins of a group, bin after bin; how many went in. Splits the group."""
        cdef int64_t copies = self.copies_that_fit(group, weight)
        cdef int64_t bins = self.groups[group].count, entry = self.groups[group].entry
        cdef int64_t whole, some, other
        cdef Py_ssize_t r
        if copies > count:
            copies = count
        whole = count // copies
        some = 0
        if whole >= bins:
            whole = bins
        else:
            some = count % copies
        if whole < bins:       # behind the whole ones: one bin with the remainder, then the untouched ones
            if bins - whole - (some > 0) > 0:
                other = self.new_group(self.left + group * self.resources, bins - whole - (some > 0), entry)
                self.insert_behind(other, group)
            if some:
                other = self.new_group(self.left + group * self.resources, 1, self.new_entry(type, some, entry))
                for r in range(self.resources):
                    self.left[other * self.resources + r] -= some * weight[r]
                self.insert_behind(other, group)
        self.groups[group].count = whole
        self.groups[group].entry = self.new_entry(type, copies, entry)
        for r in range(self.resources):
            self.left[group * self.resources + r] -= copies * weight[r]
        return whole * copies + some

    cdef int run(
        self, const int64_t* weights, const int64_t* counts, const int64_t* order, Py_ssize_t length,
        const int64_t* capacity, bint best, Py_ssize_t window,
    ) except -1 nogil:
        cdef Py_ssize_t i
        cdef int64_t type, waiting, group, behind, copies, bins
        cdef const int64_t* weight
        for i in range(length):
            type = order[i]
            waiting = counts[type]
            weight = weights + type * self.resources
            group = self.head
            while waiting > 0:
                if best:
                    group = self.best_group(weight)
                else:
                    while group >= 0 and self.copies_that_fit(group, weight) == 0:
                        group = self.groups[group].next
                if group >= 0:
                    behind = self.groups[group].next
                    waiting -= self.put(group, type, weight, waiting)
                    group = behind
                    continue
                group = self.new_group(capacity, 1, -1)
                copies = self.copies_that_fit(group, weight)
                bins = waiting // copies + (waiting % copies > 0)
                self.groups[group].count = bins
                self.insert_behind(group, -1)
            while self.open_count > window:
                self.retire(self.head)
        return 0
