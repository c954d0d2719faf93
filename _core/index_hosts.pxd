# Hosts in an index: how one of them, or all, are read from the fleet.

from libc.stdint cimport int32_t, int64_t

from binwright._core.index cimport IndexView, Leaf
from binwright._core.request cimport ClassView
from binwright._core.scan cimport Scan


cdef bint rejected(Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil
cdef bint in_place(const IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil
cdef int read_host(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) except -1 nogil
cdef int read_many(
    IndexView* index, Scan scan, const ClassView* request, const int32_t* hosts, Py_ssize_t count, int64_t* gathered
) except -1 nogil
cdef int read_all(IndexView* index, Scan scan, const ClassView* request) except -1 nogil
cdef bint succeeded(IndexView* index, const ClassView* request, Py_ssize_t host) noexcept nogil
cdef void find_best(IndexView* index, Leaf* leaf) noexcept nogil
cdef void find_lowest(IndexView* index, int32_t ref) noexcept nogil
