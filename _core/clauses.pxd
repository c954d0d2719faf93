# Label sets and clauses over them, both interned: each clause is answered once per distinct set.
#
# A filter is a list of clauses, each met by a set that holds any of its labels, and a set of forbidden labels.
# meets: uint64, (filters, room): bit c of meets[f * room + s] = set s meets clause c of filter f; FORBIDDEN = it
#        holds a forbidden label. wanted: uint64, (filters,): the bits of all clauses. Filter 0 accepts every set,
#        set 0 is empty. Both lists only grow: they are definitions, kept by rollback, copied by forks.

cimport cython
from libc.stdint cimport int32_t, uint64_t

cdef uint64_t FORBIDDEN


@cython.final
cdef class Clauses:
    cdef readonly list sets          # frozenset of str, by number
    cdef readonly list filters       # (tuple of frozensets, frozenset), by number
    cdef dict set_numbers
    cdef dict filter_numbers
    cdef uint64_t* meets
    cdef uint64_t* wanted
    cdef Py_ssize_t room             # sets that a row of `meets` holds
    cdef Py_ssize_t filter_room

    cdef int grow(self) except -1
    cdef int answer(self, Py_ssize_t filter, Py_ssize_t number) except -1

    cdef inline uint64_t met(self, int32_t filter, int32_t labels) noexcept nogil:
        return self.meets[filter * self.room + labels]

    cdef inline bint accepts(self, int32_t filter, int32_t labels) noexcept nogil:
        return self.meets[filter * self.room + labels] == self.wanted[filter]
