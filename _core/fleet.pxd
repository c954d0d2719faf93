# The fleet: hosts in columns, one column a resource. Sole owner of capacity and used.
#
# capacity, used: int64, (resources, stride), in the resource's own unit; 0 <= capacity <= MAX_AMOUNT,
#                 0 <= used <= MAX_USED. A resource is filtered, scored, or both; that is the profile's affair.
# limits:         int64, (3 * resources, stride) or None: smallest, largest and step of one claim of resource r in
#                 columns 3r, 3r + 1, 3r + 2; a step of 0 means that the resource has no limits on this host.
# flags:          uint8, (1, stride): 0 = takes requests; CORDONED; ABSENT = removed, or beyond the last host.

cimport cython
from libc.stdint cimport int64_t, uint8_t

from binwright._core.columns cimport Columns
from binwright._core.journal cimport Change, Idea, Journal
from binwright._core.kernels cimport BW_BLOCK

cdef enum:
    CORDONED = 1
    ABSENT = 2

cdef int64_t MAX_AMOUNT
cdef int64_t MAX_USED


@cython.final
cdef class Fleet(Idea):
    cdef Journal journal
    cdef readonly Py_ssize_t resources
    cdef readonly Py_ssize_t hosts     # host slots in use, removed ones included
    cdef readonly Py_ssize_t stride
    cdef readonly Columns capacity
    cdef readonly Columns used
    cdef readonly Columns limits
    cdef readonly Columns flags
    cdef int64_t* widest               # (resources,): no host ever had more of it; narrow kernels need <= BW_NARROW

    cdef void mark_absent(self, Py_ssize_t start) noexcept
    cdef bint use_would_overflow(self, Py_ssize_t host, const int64_t* amounts) noexcept nogil
    cdef bint claimable(self, Py_ssize_t host, Py_ssize_t resource, int64_t amount) noexcept nogil
    cdef bint wide(self, Py_ssize_t resource) noexcept nogil

    cdef inline void add_use(self, Py_ssize_t host, const int64_t* amounts, int64_t sign) noexcept nogil:
        """used += sign * amounts on one host; noted by the caller, whose change it is."""
        cdef int64_t* used = self.used.int64s(0) + host
        cdef Py_ssize_t resource, stride = self.stride, resources = self.resources
        for resource in range(resources):
            used[0] += sign * amounts[resource]
            used += stride

    cdef inline Py_ssize_t blocks(self) noexcept nogil:
        return (self.hosts + BW_BLOCK - 1) // BW_BLOCK
