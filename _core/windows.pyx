"""The window of a decision: which hosts are asked when not all of them are."""

cimport cython
from libc.stdint cimport INT32_MAX
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memset

cdef enum Kind:
    MOVED     # old = cursor before


@cython.final
cdef class Window(Idea):
    """The window of one fleet. The order and the stop count are settings, never taken back; the cursor is state."""

    def __cinit__(self, Journal journal, Py_ssize_t stride):
        self.order = NULL
        self.visited = NULL
        self.journal = journal
        self.length = self.stop = self.cursor = self.stride = 0
        self.lengthen(stride)
        journal.register(self)

    def __dealloc__(self):
        free(self.order)
        free(self.visited)

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        cdef uint8_t* grown = <uint8_t*>realloc(self.visited, stride)
        if grown == NULL:
            raise MemoryError("window")
        self.visited = grown
        self.stride = stride
        return 0

    def set(self, const int32_t[::1] order, int64_t stop, int64_t cursor):
        """Ask hosts in this order (checked by the caller), `stop` feasible ones at most; 0 takes the window away."""
        cdef Py_ssize_t i
        cdef int32_t* made = <int32_t*>malloc((order.shape[0] + 1) * sizeof(int32_t))
        if made == NULL:
            raise MemoryError("window")
        for i in range(order.shape[0]):
            made[i] = order[i]
        free(self.order)
        self.order = made
        self.length = order.shape[0]
        self.stop = stop
        self.move_to(cursor)

    cdef int move_to(self, int64_t cursor) except -1 nogil:
        if cursor != self.cursor:
            self.journal.note(self.number, MOVED, -1, 0, self.cursor)
            self.cursor = cursor
        return 0

    cdef int look(self, int64_t* verdict, Py_ssize_t hosts, bint move) except -1 nogil:
        """Reject the hosts that the window does not reach; the one that would be one too many ends it, uncounted."""
        cdef Py_ssize_t asked = 0, host
        cdef int64_t feasible = 0
        memset(self.visited, 0, self.stride)
        while asked < self.length:
            host = self.order[(self.cursor + asked) % self.length]
            if host < hosts and verdict[host] >= 0:  # a rollback may have taken a host of the order away
                if feasible == self.stop:
                    break
                feasible += 1
            self.visited[host] = 1
            asked += 1
        for host in range(hosts):
            if not self.visited[host]:
                verdict[host] = -1
        if move and self.length:
            self.move_to((self.cursor + asked) % self.length)
        return 0

    def asked(self, uint8_t[::1] hosts):
        """Fill (hosts,) with 1 for those that the last decision asked."""
        cdef Py_ssize_t host
        for host in range(hosts.shape[0]):
            hosts[host] = 1 if self.stop == 0 else self.visited[host]

    cdef int revert(self, const Change* change) except -1:
        self.cursor = change.old
        return 0

    cpdef object save(self):
        cdef Py_ssize_t i
        return self.stride, [self.order[i] for i in range(self.length)], self.stop, self.cursor

    cpdef object restore(self, object saved):
        cdef Py_ssize_t i
        stride, order, self.stop, self.cursor = saved
        self.lengthen(stride)
        self.length = len(order)
        free(self.order)
        self.order = <int32_t*>malloc((self.length + 1) * sizeof(int32_t))
        if self.order == NULL:
            raise MemoryError("window")
        for i in range(self.length):
            self.order[i] = order[i]

    cpdef object check(self, object state):
        """An order of hosts that were there, and a cursor in it or, after a rollback, in an earlier, longer one."""
        cdef Py_ssize_t i
        if self.stride != state.fleet.stride or self.stop < 0 or not 0 <= self.cursor <= INT32_MAX:
            raise ValueError(f"fleet: window: damaged pickle: stop {self.stop}, cursor {self.cursor}")
        for i in range(self.length):
            if not 0 <= self.order[i] < self.stride:
                raise ValueError(f"fleet: window: damaged pickle: host {self.order[i]}")
