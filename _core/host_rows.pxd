# The rows of one host as the groups of a request see them. Rows of a host are ordered: the host itself, its rows in
# order of creation, then what it is linked to, ascending.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t

from binwright._core.devices cimport Forest
from binwright._core.fleet cimport Fleet
from binwright._core.groups cimport MAX_UNITS, Ask, Key, Plan
from binwright._core.numa cimport Packing, Wish


cdef class HostRows:
    # Scratch of one question.
    cdef Forest forest
    cdef Fleet fleet
    cdef Py_ssize_t room             # rows that the scratch is made for
    # the question
    cdef const Plan* plan
    cdef const int64_t* reserved     # (resources,): what the request takes of the host beside its groups
    cdef int32_t host
    cdef bint empty                  # as if nothing were used
    # the rows of the host, (rows,)
    cdef int32_t rows, own, words    # `own` of them are its own tree
    cdef int32_t cells               # of the host, where the plan states an order
    cdef int32_t* row                # row number, ~slot of a host
    # units, (units,)
    cdef uint64_t* can               # (units, words): the rows that suit a unit alone
    cdef int32_t[MAX_UNITS] chosen   # index into `row`, -1 = none yet; by whoever asks
    cdef int32_t* order              # (units, rows): rows of a unit in its group's order
    cdef int64_t* free               # (rows,)
    cdef Packing packing

    cdef int make_rows(self, Py_ssize_t rows) except -1
    cdef bint ask(self, const Plan* plan, const int64_t* reserved, Py_ssize_t host, bint empty) noexcept nogil
    cdef void gather_rows(self) noexcept nogil
    cdef bint suits(self, int32_t unit, int32_t index) noexcept nogil
    cdef bint suits_cell(self, const Wish* wish, int32_t row) noexcept nogil
    cdef bint left(self, int32_t index, int32_t resource, int64_t* free, int64_t* largest) noexcept nogil
    cdef bint may_be_claimed(self, int32_t row, const Ask* ask) noexcept nogil
    cdef int64_t given(self, int32_t index, int32_t resource) noexcept nogil
    cdef int32_t sort(self, int32_t unit, int32_t* order) noexcept nogil
    cdef void sort_by(self, const Key* key, int32_t* order, int32_t count) noexcept nogil
    cdef int64_t key_of(self, const Key* key, int32_t index) noexcept nogil
