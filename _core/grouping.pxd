# Grouping: equal rows of a table become one group, numbered in the order in which they first occur.
#
# Open addressing over group numbers: cell -> group or -1; a table of 2^k cells is at most half full.

from libc.stdint cimport int32_t, int64_t, uint64_t


cdef class Grouping:
    cdef Py_ssize_t columns
    cdef int32_t* cells             # (mask + 1,)
    cdef uint64_t mask
    cdef int64_t* firsts            # (room,) row in which a group first occurs
    cdef Py_ssize_t room
    cdef readonly Py_ssize_t count  # groups

    cdef uint64_t hash_of(self, const int64_t* row) noexcept nogil
    cdef bint same(self, const int64_t* left, const int64_t* right) noexcept nogil
    cdef int grow(self, const int64_t* rows) except -1 nogil
    cdef int run(self, const int64_t* rows, Py_ssize_t length, int32_t* groups) except -1 nogil
