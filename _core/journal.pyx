"""The journal of changes and the contract of a stateful idea: save, apply (and note), revert."""

cimport cython
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memmove

cdef enum:
    KEPT = 1 << 20  # changes kept for explaining past decisions when no checkpoint is open
    LEAST_FEED = 1 << 10


cdef class Idea:
    cdef int revert(self, const Change* change) except -1:
        raise NotImplementedError

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        return 0

    cpdef object save(self):
        raise NotImplementedError

    cpdef object restore(self, object saved):
        raise NotImplementedError

    cpdef object check(self, object state):
        return None


@cython.final
cdef class Journal:
    def __cinit__(self):
        self.entries = NULL
        self.room = 0
        self.first = self.position = self.serial = 0
        self.ideas = []
        self.checkpoints = []
        self.busy = False
        self.feed = NULL
        self.feed_room = self.fed = self.fed_static = 0
        self.widen_feed(1)

    def __dealloc__(self):
        free(self.entries)
        free(self.feed)

    cdef int widen_feed(self, Py_ssize_t hosts) except -1:
        """A ring that holds entries of at least half of the hosts: to read more would cost more than to start afresh,
        which everybody does after it was widened.
        """
        cdef int64_t room = max(self.feed_room, LEAST_FEED)
        cdef int32_t* made
        while 2 * room < hosts:
            room *= 2
        if room > self.feed_room:
            made = <int32_t*>malloc(room * sizeof(int32_t))
            if made == NULL:
                raise MemoryError("feed of changed hosts")
            free(self.feed)
            self.feed = made
            self.feed_room = room
            self.feed_host(-1, True)
        return 0

    cdef int register(self, Idea idea) except -1:
        assert len(self.ideas) < MAX_IDEAS
        idea.number = len(self.ideas)
        self.static_kinds[idea.number] = idea.static_kinds
        self.ideas.append(idea)
        return 0

    cdef int make_room(self, int64_t more) except -1 nogil:
        """Room for so many changes more."""
        cdef Py_ssize_t needed = self.position - self.first + more, wanted = max(256, 2 * self.room, needed)
        cdef Change* grown
        if needed <= self.room:
            return 0
        grown = <Change*>realloc(self.entries, wanted * sizeof(Change))
        if grown == NULL:
            with gil:
                raise MemoryError("journal of changes")
        self.entries = grown
        self.room = wanted
        return 0

    cdef int64_t serial_before(self, int64_t position) noexcept nogil:
        """Serial of the entry before `position`; 0 at the beginning; -1 where it is no longer kept."""
        if position == 0:
            return 0
        if position > self.position or position <= self.first:
            return -1
        return self.entries[position - 1 - self.first].serial

    cdef int revert_to(self, int64_t position) except -1:
        """Take back every change from the newest down to `position`."""
        cdef const Change* change
        while self.position > position:
            change = self.entries + (self.position - 1 - self.first)
            (<Idea>self.ideas[change.idea]).revert(change)
            self.feed_host(change.host, self.is_static(change.idea, change.kind))
            self.position -= 1
        return 0

    cdef int trim(self) except -1:
        """Drop old entries that no checkpoint needs, once twice as many as are kept have gathered."""
        cdef int64_t length = self.position - self.first
        cdef int64_t drop
        if length < 2 * KEPT:
            return 0
        drop = length - KEPT
        if self.checkpoints:
            drop = min(drop, <int64_t>self.checkpoints[0] - self.first)
        if drop <= 0:
            return 0
        memmove(self.entries, self.entries + drop, (length - drop) * sizeof(Change))
        self.first += drop
        return 0
