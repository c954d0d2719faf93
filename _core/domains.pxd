# Domains: a label key maps each host to a domain (a value's number) or to none.
#
# ids: int32, (keys, stride), -1 = the host has no such label. Values are numbered per key in order of appearance.

cimport cython
from libc.stdint cimport int32_t

from binwright._core.columns cimport Columns
from binwright._core.journal cimport Change, Idea, Journal


@cython.final
cdef class Domains(Idea):
    cdef Journal journal
    cdef readonly list keys        # key names, by number
    cdef readonly list values      # per key: its values, by domain number
    cdef list numbers              # per key: value -> domain number
    cdef readonly Columns ids
    cdef Py_ssize_t stride
    cdef int32_t* counts           # (keys,) domains numbered so far, for nogil loops

    cdef inline int32_t domain_count(self, int32_t key) noexcept nogil:
        return self.counts[key]
