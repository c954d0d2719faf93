"""The 16-bit columns that bounds of scores are made of, kept up to date from the feed of changed hosts.

Knows the fleet, nothing of requests or decisions.
"""

cimport cython
from libc.stdint cimport INT64_MAX, uintptr_t
from libc.stdlib cimport calloc, free, malloc

from binwright._core.fleet cimport ABSENT
from binwright._core.kernels cimport BW_INVERSE, BW_WHOLE, K

cdef enum:
    SMALLEST = 1024        # no size is less than this part of the largest capacity
    FEW = 64               # entries more, for small fleets
    HOSTS_AN_ENTRY = 4     # all hosts are read while so many times fewer are read singly


@cython.final
cdef class BlockColumns:
    """The columns of one fleet; holds nothing that the fleet does not say as well."""

    def __cinit__(self, Journal journal, Fleet fleet):
        self.memory = NULL
        self.cells = NULL
        self.size = NULL
        self.none = NULL
        self.journal = journal
        self.fleet = fleet
        self.hosts = self.room = 0
        self.touched = NULL
        self.touches = self.touch_room = 0
        self.read_whole = False
        self.read = self.asked_at = -1
        self.size = <int64_t*>calloc(max(fleet.resources, 1), sizeof(int64_t))
        self.none = <uint8_t*>calloc(2 * max(fleet.resources, 1), 1)
        if self.size == NULL or self.none == NULL:
            raise MemoryError("block columns")
        self.small = self.none + max(fleet.resources, 1)

    def __dealloc__(self):
        free(self.memory)
        free(self.size)
        free(self.none)
        free(self.touched)

    @property
    def bytes(self):
        """Memory of the columns."""
        return self.room * self.columns() * BW_BLOCK * <Py_ssize_t>sizeof(uint16_t)

    cdef bint refresh(self) except -1 nogil:
        """Bring the columns up to date. False: they are not, as to read so much would cost more than a scan and
        nobody asked lately.
        """
        cdef int64_t unread = self.journal.fed - self.read, entry
        cdef int32_t host
        cdef bint seldom = self.asked_at < 0 or self.journal.fed - self.asked_at > self.fleet.hosts + FEW
        self.asked_at = self.journal.fed
        if self.cells == NULL or self.hosts != self.fleet.hosts or unread > self.fleet.hosts // HOSTS_AN_ENTRY + FEW:
            if seldom:
                return False
            if self.room < self.fleet.blocks():
                with gil:
                    self.make_room()
            self.read_all()
        else:
            for entry in range(self.read, self.journal.fed):
                host = self.journal.feed[entry & (self.journal.feed_room - 1)]
                self.read_host(~host if host < 0 else host)
        self.read = self.journal.fed
        return True

    cdef int make_room(self) except -1:
        cdef Py_ssize_t blocks = self.fleet.blocks()
        free(self.memory)
        self.memory = NULL
        self.cells = NULL
        self.room = 0
        free(self.touched)
        self.touches = self.touch_room = 0
        self.touched = <int32_t*>malloc(blocks * sizeof(int32_t))
        if self.touched == NULL:
            raise MemoryError("block columns")
        self.touch_room = blocks
        self.memory = malloc(blocks * self.columns() * BW_BLOCK * sizeof(uint16_t) + 64)
        if self.memory == NULL:
            raise MemoryError("block columns")
        self.cells = <uint16_t*>((<uintptr_t>self.memory + 63) // 64 * 64)
        self.room = blocks
        return 0

    cdef void choose_sizes(self) noexcept nogil:
        """The unit in which each resource's inverse is told, and which resources have hosts that it does not suit."""
        cdef const uint8_t* flags = self.fleet.flags.uint8s(0)
        cdef const int64_t* capacity
        cdef Py_ssize_t r, host
        cdef int64_t least, most
        for r in range(self.fleet.resources):
            capacity = self.fleet.capacity.int64s(r)
            least = INT64_MAX
            most = 1
            self.none[r] = 0
            for host in range(self.fleet.hosts):
                if flags[host] & ABSENT:
                    continue
                if capacity[host] <= 0:
                    self.none[r] = 1
                    continue
                least = min(least, capacity[host])
                most = max(most, capacity[host])
            least = min(least, most)
            self.size[r] = max(least, most // SMALLEST, 1)
            self.small[r] = least < self.size[r]

    cdef void read_all(self) noexcept nogil:
        """Derive everything anew."""
        cdef const uint8_t* flags = self.fleet.flags.uint8s(0)
        cdef Py_ssize_t block, start, r, i
        cdef uint16_t* cells = self.cells
        self.choose_sizes()
        for block in range(self.fleet.blocks()):
            start = block * BW_BLOCK
            for r in range(self.fleet.resources):
                K.shade[self.fleet.wide(r)](
                    self.fleet.capacity.int64s(r) + start, self.fleet.used.int64s(r) + start, self.size[r], cells,
                    cells + BW_BLOCK,
                )
                cells += 2 * BW_BLOCK
            for i in range(BW_BLOCK):
                cells[i] = flags[start + i]
            cells += BW_BLOCK
        self.hosts = self.fleet.hosts
        self.touches = 0
        self.read_whole = True

    cdef void read_host(self, Py_ssize_t host) noexcept nogil:
        """Derive one host's cells anew, as K.shade does."""
        cdef uint16_t* cell = self.cells + (host // BW_BLOCK) * self.columns() * BW_BLOCK + host % BW_BLOCK
        cdef Py_ssize_t r
        cdef int64_t capacity, rest
        cdef double share, part
        cdef int32_t block = <int32_t>(host // BW_BLOCK)
        if self.touches == 0 or self.touched[self.touches - 1] != block:
            if self.touches == self.touch_room:
                self.touches = 0
                self.read_whole = True
            self.touched[self.touches] = block
            self.touches += 1
        for r in range(self.fleet.resources):
            capacity = self.fleet.capacity.int64s(r)[host]
            rest = max(capacity - self.fleet.used.int64s(r)[host], 0)
            if capacity <= 0:
                self.none[r] = 1
            elif capacity < self.size[r]:
                self.small[r] = 1
            share = 1.0 / <double>max(capacity, 1)
            part = <double>BW_INVERSE * <double>self.size[r] * share
            cell[0] = <uint16_t>min(<int32_t>(<double>rest * share * BW_WHOLE) + 1, BW_WHOLE) if rest else 0
            cell[BW_BLOCK] = <uint16_t><int32_t>min(part, <double>BW_INVERSE)
            cell += 2 * BW_BLOCK
        cell[0] = self.fleet.flags.uint8s(0)[host]
