"""Promises of hosts to requests that are still waiting (the peer's nominations)."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from binwright._core.fleet cimport MAX_USED

cdef enum Kind:
    PROMISED     # what = promise
    WITHDRAWN    # what = promise, old = class


@cython.final
cdef class Overlays(Idea):
    """The promises of one fleet."""

    def __cinit__(self, Journal journal, Fleet fleet, Classes classes, Counters counters):
        self.promises = NULL
        self.journal = journal
        self.fleet = fleet
        self.classes = classes
        self.counters = counters
        self.count = self.live = self.room = 0
        journal.register(self)

    def __dealloc__(self):
        free(self.promises)

    def promise(self, int32_t request, int32_t host, int32_t priority):
        """Promise a host to one request of a class; returns the promise's number."""
        cdef Promise* grown
        if self.count == self.room:
            grown = <Promise*>realloc(self.promises, max(16, 2 * self.room) * sizeof(Promise))
            if grown == NULL:
                raise MemoryError("promises")
            self.promises = grown
            self.room = max(16, 2 * self.room)
        self.journal.note(self.number, PROMISED, host, self.count, 0)
        self.promises[self.count].request = request
        self.promises[self.count].host = host
        self.promises[self.count].priority = priority
        self.count += 1
        self.live += 1
        return self.count - 1

    def would_overflow(self, int32_t request, int32_t host):
        """Would one more promise of this class take what is promised on a host past MAX_USED?"""
        cdef Py_ssize_t i
        cdef int32_t resource, other
        cdef int64_t total
        for resource in range(self.fleet.resources):
            total = self.classes.views[request].commit[resource]
            for i in range(self.count):
                other = self.promises[i].request
                if other >= 0 and self.promises[i].host == host:
                    total += self.classes.views[other].commit[resource]
            if total > MAX_USED:
                return True
        return False

    def withdraw(self, Py_ssize_t number):
        """Forget a promise; False if there is none of that number."""
        if not 0 <= number < self.count or self.promises[number].request < 0:
            return False
        self.journal.note(
            self.number, WITHDRAWN, self.promises[number].host, number, self.promises[number].request
        )
        self.promises[number].request = -1
        self.live -= 1
        return True

    def hosts(self, int32_t priority):
        """Hosts that are promised to a request of at least this priority, once a promise."""
        return [
            self.promises[i].host for i in range(self.count)
            if self.promises[i].request >= 0 and self.promises[i].priority >= priority
        ]

    cdef bint concerns(self, Py_ssize_t host, int32_t priority) noexcept nogil:
        """Is this host promised to a request of at least this priority?"""
        cdef Py_ssize_t i
        for i in range(self.count):
            if self.promises[i].request >= 0 and self.promises[i].host == host:
                if self.promises[i].priority >= priority:
                    return True
        return False

    cdef void apply(self, Py_ssize_t host, int32_t priority, int32_t sign) noexcept nogil:
        """Add (sign 1) or take away (-1) what is promised there at this priority or above; not noted."""
        cdef Py_ssize_t i
        cdef int32_t request
        for i in range(self.count):
            request = self.promises[i].request
            if request >= 0 and self.promises[i].host == host and self.promises[i].priority >= priority:
                self.fleet.add_use(host, self.classes.views[request].commit, sign)
                self.counters.try_out(request, host, sign)

    cdef int revert(self, const Change* change) except -1:
        if change.kind == PROMISED:
            self.count -= 1
            self.live -= 1
        else:
            self.promises[change.what].request = <int32_t>change.old
            self.live += 1
        return 0

    cpdef object save(self):
        return self.live, PyBytes_FromStringAndSize(<char*>self.promises, self.count * sizeof(Promise))

    cpdef object restore(self, object saved):
        live, promises = saved
        if len(promises) % sizeof(Promise):
            raise ValueError("fleet: promises: damaged pickle: its length is that of no number of promises")
        self.promises = <Promise*>realloc(self.promises, max(len(promises), 1))
        if self.promises == NULL:
            raise MemoryError("promises")
        memcpy(self.promises, PyBytes_AS_STRING(promises), len(promises))
        self.live = live
        self.count = self.room = len(promises) // sizeof(Promise)

    cpdef object check(self, object state):
        """Every promise means a host and a class that there are."""
        cdef Py_ssize_t classes = len(self.classes), i, live = 0
        for i in range(self.count):
            if not 0 <= self.promises[i].host < self.fleet.hosts:
                raise ValueError(f"fleet: promises: damaged pickle: promise {i} has host {self.promises[i].host}")
            if not -1 <= self.promises[i].request < classes:
                raise ValueError(
                    f"fleet: promises: damaged pickle: promise {i} has class {self.promises[i].request}"
                )
            live += self.promises[i].request >= 0
        if live != self.live:
            raise ValueError(f"fleet: promises: damaged pickle: {self.live} live ones, counted {live}")
