# A block of equally long columns: the only owner of per-host memory in the core.
#
# Invariants: the first cell is 64-byte aligned; `stride` is a multiple of 256 (one kernel block), so kernels always
# run whole blocks; cells that nobody wrote are 0.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t


@cython.final
cdef class Columns:
    cdef void* memory               # as calloc gave it
    cdef char* data                 # the first aligned byte; column c begins at data + c * stride * width
    cdef readonly Py_ssize_t count  # columns
    cdef readonly Py_ssize_t stride  # cells in a column
    cdef readonly Py_ssize_t width  # bytes in a cell: 1, 4 or 8
    cdef Py_ssize_t shape[1]
    cdef Py_ssize_t steps[1]

    cdef Columns resized(self, Py_ssize_t count, Py_ssize_t stride)
    cpdef Columns copy(self)

    cdef inline int64_t* int64s(self, Py_ssize_t column) noexcept nogil:
        return <int64_t*>(self.data + column * self.stride * self.width)

    cdef inline int32_t* int32s(self, Py_ssize_t column) noexcept nogil:
        return <int32_t*>(self.data + column * self.stride * self.width)

    cdef inline uint32_t* uint32s(self, Py_ssize_t column) noexcept nogil:
        return <uint32_t*>(self.data + column * self.stride * self.width)

    cdef inline uint8_t* uint8s(self, Py_ssize_t column) noexcept nogil:
        return <uint8_t*>(self.data + column * self.stride * self.width)


cdef Py_ssize_t stride_for(Py_ssize_t hosts) noexcept nogil
cdef int expect(str where, object given, Py_ssize_t count, Py_ssize_t stride, Py_ssize_t width) except -1
