"""Label columns: which domain of each key a host lies in; relabelling is a change like any other."""

cimport cython
from libc.stdlib cimport free, realloc

from binwright._core.columns cimport expect

cdef enum Kind:
    RELABELLED   # what = key, old = domain before
    FILLED       # what = key, old = first host that got a domain


@cython.final
cdef class Domains(Idea):
    """Keys and domains of one fleet. New keys and values are definitions, never taken back; a host's domain is."""

    def __cinit__(self, Journal journal, Py_ssize_t stride):
        self.counts = NULL
        self.journal = journal
        self.keys = []
        self.values = []
        self.numbers = []
        self.stride = stride
        self.ids = Columns(0, stride, 4)
        self.static_kinds = 1 << RELABELLED | 1 << FILLED
        journal.register(self)

    def __dealloc__(self):
        free(self.counts)

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        cdef Py_ssize_t before = self.stride, key, host
        self.ids = self.ids.resized(len(self.keys), stride)
        self.stride = stride
        for key in range(len(self.keys)):
            for host in range(before, stride):
                self.ids.int32s(key)[host] = -1
        return 0

    def add_key(self, str name):
        """Number of key `name`, made if it is new (then no host has it)."""
        if name in self.keys:
            return self.keys.index(name)
        cdef Py_ssize_t key = len(self.keys), host
        cdef int32_t* grown = <int32_t*>realloc(self.counts, (key + 1) * sizeof(int32_t))
        if grown == NULL:
            raise MemoryError("label keys")
        self.counts = grown
        self.counts[key] = 0
        self.ids = self.ids.resized(key + 1, self.stride)
        for host in range(self.stride):
            self.ids.int32s(key)[host] = -1
        self.keys.append(name)
        self.values.append([])
        self.numbers.append({})
        return key

    def domain(self, Py_ssize_t key, str value):
        """Number of the domain `value` of a key, made if it is new."""
        cdef dict numbers = self.numbers[key]
        if value not in numbers:
            numbers[value] = len(numbers)
            self.values[key].append(value)
            self.counts[key] += 1
        return numbers[value]

    def lookup(self, Py_ssize_t key, str value):
        """Number of the domain `value` of a key, -1 if no host ever had it."""
        return self.numbers[key].get(value, -1)

    def domain_of(self, Py_ssize_t key, Py_ssize_t host):
        return self.ids.int32s(key)[host]

    def fill(self, Py_ssize_t key, Py_ssize_t first, const int32_t[::1] ids):
        """Domains of hosts that are being added, from `first` to the last."""
        cdef Py_ssize_t i
        self.journal.note(self.number, FILLED, -1, key, first)
        for i in range(ids.shape[0]):
            self.ids.int32s(key)[first + i] = ids[i]

    def relabel(self, Py_ssize_t key, Py_ssize_t host, int32_t domain):
        cdef int32_t* cell = self.ids.int32s(key) + host
        if cell[0] != domain:
            self.journal.note(self.number, RELABELLED, host, key, cell[0])
            cell[0] = domain

    cdef int revert(self, const Change* change) except -1:
        cdef Py_ssize_t host
        if change.kind == FILLED:
            for host in range(<Py_ssize_t>change.old, self.stride):
                self.ids.int32s(<Py_ssize_t>change.what)[host] = -1
            return 0
        self.ids.int32s(<Py_ssize_t>change.what)[change.host] = <int32_t>change.old
        return 0

    cpdef object save(self):
        return self.stride, list(self.keys), [list(values) for values in self.values], self.ids.copy()

    cpdef object restore(self, object saved):
        self.stride, keys, values, ids = saved
        for name, known in zip(keys, values):
            key = self.add_key(name)
            for value in known:
                self.domain(key, value)
        self.ids = ids

    cpdef object check(self, object state):
        """Every host lies in a domain that its key has, or in none."""
        cdef Py_ssize_t key, host
        expect("labels", self.ids, len(self.keys), state.fleet.stride, 4)
        if self.stride != state.fleet.stride:
            raise ValueError("fleet: labels: damaged pickle: its lengths do not agree")
        for key in range(len(self.keys)):
            for host in range(self.stride):
                if not -1 <= self.ids.int32s(key)[host] < self.counts[key]:
                    raise ValueError(
                        f"fleet: labels: damaged pickle: host {host} has domain {self.ids.int32s(key)[host]}"
                    )
