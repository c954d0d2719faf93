"""Interned label sets and filters over them; a filter is asked once per distinct set, then it is one word compared."""

cimport cython
from libc.stdlib cimport free, realloc

cdef uint64_t FORBIDDEN = (<uint64_t>1) << 63

MAX_CLAUSES = 63


@cython.final
cdef class Clauses:
    """The sets and filters of one forest, by number."""

    def __cinit__(self):
        self.meets = NULL
        self.wanted = NULL
        self.room = self.filter_room = 0
        self.sets = []
        self.filters = []
        self.set_numbers = {}
        self.filter_numbers = {}
        self.set_number(frozenset())
        self.filter_number((), frozenset())

    def __dealloc__(self):
        free(self.meets)
        free(self.wanted)

    def set_number(self, frozenset labels):
        """Number of a set of strings, made if it is new."""
        cdef Py_ssize_t number, filter
        if labels not in self.set_numbers:
            number = len(self.sets)
            self.set_numbers[labels] = number
            self.sets.append(labels)
            self.grow()
            for filter in range(len(self.filters)):
                self.answer(filter, number)
        return self.set_numbers[labels]

    def filter_number(self, tuple clauses, frozenset forbidden):
        """Number of a filter, made if it is new; `clauses`: at most 63 frozensets, each met by any of its labels."""
        cdef Py_ssize_t number, labels
        if len(clauses) > MAX_CLAUSES:
            raise ValueError(f"{len(clauses)} clauses, at most {MAX_CLAUSES}")
        key = clauses, forbidden
        if key not in self.filter_numbers:
            number = len(self.filters)
            self.filter_numbers[key] = number
            self.filters.append(key)
            self.grow()
            self.wanted[number] = (<uint64_t>1 << len(clauses)) - 1
            for labels in range(len(self.sets)):
                self.answer(number, labels)
        return self.filter_numbers[key]

    cdef int grow(self) except -1:
        """Room for all sets and filters; when a row of `meets` gets longer, everything is answered again."""
        cdef Py_ssize_t sets = len(self.sets), filters = len(self.filters), number, labels
        cdef bint longer = sets > self.room
        cdef void* grown
        if not longer and filters <= self.filter_room:
            return 0
        cdef Py_ssize_t room = max(16, 2 * sets) if longer else self.room
        cdef Py_ssize_t filter_room = max(4, 2 * filters) if filters > self.filter_room else self.filter_room
        grown = realloc(self.meets, room * filter_room * sizeof(uint64_t))
        if grown == NULL:
            raise MemoryError("label sets")
        self.meets = <uint64_t*>grown
        grown = realloc(self.wanted, filter_room * sizeof(uint64_t))
        if grown == NULL:
            raise MemoryError("label filters")
        self.wanted = <uint64_t*>grown
        self.room = room
        self.filter_room = filter_room
        if longer:
            for number in range(filters):
                for labels in range(sets):
                    self.answer(number, labels)
        return 0

    cdef int answer(self, Py_ssize_t filter, Py_ssize_t number) except -1:
        cdef uint64_t bits = 0
        cdef Py_ssize_t clause = 0
        labels = self.sets[number]
        clauses, forbidden = self.filters[filter]
        for anything in clauses:
            if not labels.isdisjoint(anything):
                bits |= <uint64_t>1 << clause
            clause += 1
        if not labels.isdisjoint(forbidden):
            bits |= FORBIDDEN
        self.meets[filter * self.room + number] = bits
        return 0

    def save(self):
        return list(self.sets), list(self.filters)

    def restore(self, tuple saved):
        """Become what was saved; numbers stay."""
        sets, filters = saved
        for labels in sets:
            self.set_number(labels)
        for clauses, forbidden in filters:
            self.filter_number(clauses, forbidden)
