# A set of hosts as bits: host h is bit h % 64 of word h // 64. Bits beyond the last host are always 0.

cimport cython
from libc.stdint cimport uint64_t


@cython.final
cdef class HostSet:
    cdef readonly Py_ssize_t hosts     # host slots that the set speaks of
    cdef uint64_t* words
    cdef Py_ssize_t count              # words

    cdef HostSet same_size(self, HostSet other)
    cdef void clear_beyond(self) noexcept nogil
