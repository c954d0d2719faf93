# Items: one record per placed request, in slots; the items of a host form a list in placing order.
# Placing an item adds its class's commit demand and its contributions to the host; releasing it, or taking the
# placing back, removes them.
#
# An item's public id is generation << 32 | slot. A slot's generation grows at release (after 2^31 of them it begins
# again), so an old id is refused.
# Released slots wait on a stack and are taken again last in, first out.

cimport cython
from libc.stdint cimport int32_t, int64_t

from binwright._core.counters cimport Counters
from binwright._core.externals cimport Externals
from binwright._core.fleet cimport Fleet
from binwright._core.journal cimport Change, Idea, Journal
from binwright._core.request cimport Classes


cdef struct Item:
    int32_t request      # class number
    int32_t host         # -1 = released
    int32_t previous     # slot of the item placed before it on this host, -1 = none
    int32_t next         # slot of the item placed after it on this host, -1 = none
    int32_t generation
    int32_t priority     # who may evict it: requests of higher priority
    int32_t budgets      # number of a list of budgets, -1 = none
    int64_t order        # among equal priority the lowest is the most important (a start time)


cdef struct Ends:
    int32_t first        # slot of the oldest item of a host, -1 = none
    int32_t last


@cython.final
cdef class Items(Idea):
    cdef Journal journal
    cdef Fleet fleet
    cdef Classes classes
    cdef Counters counters
    cdef Externals externals
    cdef Item* records
    cdef Py_ssize_t room
    cdef readonly Py_ssize_t slots     # slots in use or on the stack
    cdef Py_ssize_t known              # slots that ever had an item: a rollback forgets the item, never its generation
    cdef readonly Py_ssize_t alive     # items now
    cdef int32_t* spare                # stack of released slots
    cdef Py_ssize_t spares, spare_room
    cdef Ends* ends                    # (stride,)
    cdef Py_ssize_t stride

    cdef int make_room(self, int64_t more) except -1 nogil
    cdef int64_t place(self, int32_t request, int32_t host) except -1 nogil
    cdef int make_spare_room(self) except -1 nogil
    cdef int release(self, int64_t item) except -1 nogil
    cdef int mark(self, int64_t item, int32_t priority, int64_t order, int32_t budgets) except -1 nogil
    cdef void tell(self, int32_t request, Py_ssize_t host, int sign) noexcept nogil
    cdef Item* find(self, int64_t item) noexcept nogil
    cdef void link_last(self, int32_t slot) noexcept nogil
    cdef void unlink(self, int32_t slot) noexcept nogil


cdef int64_t item_id(Items items, int32_t slot) noexcept nogil
