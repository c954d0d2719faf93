"""The fleet's columns: capacity and used of every resource, whether a host takes requests; add, remove, resize."""

cimport cython
from libc.stdlib cimport calloc, free

from binwright._core.columns cimport expect, stride_for
from binwright._core.kernels cimport BW_NARROW

cdef int64_t MAX_AMOUNT = (<int64_t>1) << 56
cdef int64_t MAX_USED = (<int64_t>1) << 61

LARGEST_AMOUNT = MAX_AMOUNT

cdef enum Kind:
    ADDED      # old = host slots before
    FLAGS      # old = flags before
    CAPACITY   # what = resource, old = capacity before
    USED       # what = resource, old = used before


@cython.final
cdef class Fleet(Idea):
    """Columns of `resources` resources. One thread at a time; every change is noted in the journal."""

    def __cinit__(self, Journal journal, Py_ssize_t resources):
        self.widest = NULL
        self.journal = journal
        self.resources = resources
        self.hosts = 0
        self.stride = stride_for(1)
        self.widest = <int64_t*>calloc(max(resources, 1), sizeof(int64_t))
        if self.widest == NULL:
            raise MemoryError(f"fleet of {resources} resources")
        self.capacity = Columns(resources, self.stride, 8)
        self.used = Columns(resources, self.stride, 8)
        self.flags = Columns(1, self.stride, 1)
        self.mark_absent(0)
        self.static_kinds = 1 << ADDED
        journal.register(self)

    def __dealloc__(self):
        free(self.widest)

    cdef void mark_absent(self, Py_ssize_t start) noexcept:
        cdef uint8_t* flags = self.flags.uint8s(0)
        cdef Py_ssize_t host
        for host in range(start, self.stride):
            flags[host] = ABSENT

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        cdef Py_ssize_t before = self.stride
        self.capacity = self.capacity.resized(self.resources, stride)
        self.used = self.used.resized(self.resources, stride)
        if self.limits is not None:
            self.limits = self.limits.resized(3 * self.resources, stride)
        self.flags = self.flags.resized(1, stride)
        self.stride = stride
        self.mark_absent(before)
        self.journal.feed_host(-1, True)  # who read columns reads them elsewhere from now on
        return 0

    cdef bint use_would_overflow(self, Py_ssize_t host, const int64_t* amounts) noexcept nogil:
        cdef const int64_t* used = self.used.int64s(0) + host
        cdef Py_ssize_t resource
        for resource in range(self.resources):
            if used[resource * self.stride] + amounts[resource] > MAX_USED:
                return True
        return False

    cdef bint claimable(self, Py_ssize_t host, Py_ssize_t resource, int64_t amount) noexcept nogil:
        """Do smallest, largest and step of this host allow one claim of this amount?"""
        cdef int64_t step
        if self.limits is None:
            return True
        step = self.limits.int64s(3 * resource + 2)[host]
        if step == 0:
            return True
        return (
            self.limits.int64s(3 * resource)[host] <= amount <= self.limits.int64s(3 * resource + 1)[host]
            and amount % step == 0
        )

    def set_limits(self, Py_ssize_t resource, const int64_t[::1] smallest, const int64_t[::1] largest,
                   const int64_t[::1] step):
        """Limits of one claim of `resource` on the first hosts; arrays (hosts,), checked by the caller."""
        cdef Py_ssize_t host
        if self.limits is None:
            self.limits = Columns(3 * self.resources, self.stride, 8)
        for host in range(step.shape[0]):
            self.limits.int64s(3 * resource)[host] = smallest[host]
            self.limits.int64s(3 * resource + 1)[host] = largest[host]
            self.limits.int64s(3 * resource + 2)[host] = step[host]

    def unclaimable(self, Py_ssize_t resource, int64_t amount, uint8_t[::1] result):
        """Write 1 into `result` (hosts,) where limits forbid one claim of `amount`, else leave it."""
        cdef Py_ssize_t host
        for host in range(self.hosts):
            if not self.claimable(host, resource, amount):
                result[host] = 1

    cdef bint wide(self, Py_ssize_t resource) noexcept nogil:
        return self.widest[resource] > BW_NARROW

    def add_hosts(self, list capacity, list used, Py_ssize_t count):
        """Append `count` hosts; `capacity[r]`, `used[r]`: int64 arrays (count,), checked by the caller.

        Returns the index of the first new host. The stride has been lengthened by the caller where needed.
        """
        cdef Py_ssize_t first = self.hosts, resource, i
        cdef const int64_t[::1] amounts
        cdef int64_t* column
        for resource in range(self.resources):
            amounts = capacity[resource]
            column = self.capacity.int64s(resource) + first
            for i in range(count):
                column[i] = amounts[i]
                if amounts[i] > self.widest[resource]:
                    self.widest[resource] = amounts[i]
            amounts = used[resource]
            column = self.used.int64s(resource) + first
            for i in range(count):
                column[i] = amounts[i]
        if self.limits is not None:
            for resource in range(3 * self.resources):
                for i in range(count):
                    self.limits.int64s(resource)[first + i] = 0
        for i in range(count):
            self.flags.uint8s(0)[first + i] = 0
        self.hosts = first + count
        self.journal.note(self.number, ADDED, -1, 0, first)
        return first

    def set_flags(self, Py_ssize_t host, int flags):
        """Cordon, uncordon or remove one host."""
        cdef uint8_t* cell = self.flags.uint8s(0) + host
        if cell[0] != flags:
            self.journal.note(self.number, FLAGS, host, 0, cell[0])
            cell[0] = <uint8_t>flags

    def set_capacity(self, Py_ssize_t host, Py_ssize_t resource, int64_t amount):
        cdef int64_t* cell = self.capacity.int64s(resource) + host
        self.journal.note(self.number, CAPACITY, host, resource, cell[0])
        cell[0] = amount
        if amount > self.widest[resource]:
            self.widest[resource] = amount

    def set_used(self, Py_ssize_t host, Py_ssize_t resource, int64_t amount):
        """Overwrite what is used without an item for it (an outside report)."""
        cdef int64_t* cell = self.used.int64s(resource) + host
        self.journal.note(self.number, USED, host, resource, cell[0])
        cell[0] = amount

    cdef int revert(self, const Change* change) except -1:
        cdef Py_ssize_t resource, host
        if change.kind == ADDED:
            for resource in range(self.resources):
                for host in range(<Py_ssize_t>change.old, self.hosts):
                    self.capacity.int64s(resource)[host] = 0
                    self.used.int64s(resource)[host] = 0
            self.hosts = <Py_ssize_t>change.old
            self.mark_absent(self.hosts)
        elif change.kind == FLAGS:
            self.flags.uint8s(0)[change.host] = <uint8_t>change.old
        elif change.kind == CAPACITY:
            self.capacity.int64s(<Py_ssize_t>change.what)[change.host] = change.old
        else:
            self.used.int64s(<Py_ssize_t>change.what)[change.host] = change.old
        return 0

    cpdef object save(self):
        return (
            self.hosts, self.capacity.copy(), self.used.copy(), self.flags.copy(),
            None if self.limits is None else self.limits.copy(), [self.widest[r] for r in range(self.resources)],
        )

    cpdef object restore(self, object saved):
        hosts, capacity, used, flags, limits, widest = saved
        for given in (capacity, used, flags):
            if not isinstance(given, Columns) or given.stride != flags.stride:
                raise ValueError("fleet: hosts: damaged pickle: its lengths do not agree")
        self.hosts, self.capacity, self.used, self.flags, self.limits = hosts, capacity, used, flags, limits
        self.stride = self.capacity.stride
        cdef Py_ssize_t resource
        if len(widest) != self.resources:
            raise ValueError(f"fleet: damaged pickle: {len(widest)} widest amounts")
        for resource in range(self.resources):
            self.widest[resource] = widest[resource]

    cpdef object check(self, object state):
        """Columns of one shape, amounts within their bounds, none wider than the widest, no host beyond the last."""
        cdef Py_ssize_t resource, host
        cdef int64_t amount
        expect("hosts", self.capacity, self.resources, self.stride, 8)
        expect("hosts", self.used, self.resources, self.stride, 8)
        expect("hosts", self.flags, 1, self.stride, 1)
        if self.limits is not None:
            expect("hosts", self.limits, 3 * self.resources, self.stride, 8)
        if not 0 <= self.hosts <= self.stride or self.stride != stride_for(self.stride) or self.stride == 0:
            raise ValueError(f"fleet: hosts: damaged pickle: {self.hosts} hosts, a stride of {self.stride}")
        for resource in range(self.resources):
            for host in range(self.stride):
                amount = self.capacity.int64s(resource)[host]
                if not 0 <= amount <= min(MAX_AMOUNT, self.widest[resource]):
                    raise ValueError(f"fleet: hosts: damaged pickle: host {host} has capacity {amount}")
                amount = self.used.int64s(resource)[host]
                if not -MAX_USED <= amount <= MAX_USED:
                    raise ValueError(f"fleet: hosts: damaged pickle: host {host} has used {amount}")
        for resource in range(3 * self.resources if self.limits is not None else 0):
            for host in range(self.stride):
                amount = self.limits.int64s(resource)[host]
                if amount < 0:
                    raise ValueError(f"fleet: hosts: damaged pickle: host {host} has a limit of {amount}")
        for host in range(self.stride):
            if self.flags.uint8s(0)[host] > 3 or host >= self.hosts and not self.flags.uint8s(0)[host] & ABSENT:
                raise ValueError(
                    f"fleet: hosts: damaged pickle: host {host} has flags {self.flags.uint8s(0)[host]}"
                )
