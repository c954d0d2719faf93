# First fit and best fit on types with counts. Equal bins are one group with a count: a run of equal items is put into
# whole groups at once and splits at most two, so the work depends on the shapes and not on the number of items, and
# the packing is the very one that item after item would give.
#
# Groups stand in a list in the order of opening; `left` never falls below 0. What a group holds is a chain of entries
# that groups may share, because a split copies only the link.

from libc.stdint cimport int64_t


cdef struct Group:
    int64_t count           # bins
    int64_t entry           # last thing put in, -1 = empty
    int64_t next            # group behind it, -1 = last
    int64_t before          # group in front of it, -1 = first
    bint open               # still looked at


cdef struct Entry:
    int64_t type
    int64_t copies
    int64_t before          # entry put in earlier, -1 = none


cdef class FirstFit:
    cdef Py_ssize_t types, resources
    cdef Group* groups
    cdef int64_t* left              # (group room, resources) what one bin of the group has left
    cdef Entry* entries
    cdef double* inverse            # (resources,) 1 / capacity
    cdef Py_ssize_t group_room, group_count, entry_room, entry_count, open_count
    cdef int64_t head, tail         # of the list of open groups

    cdef int64_t new_group(self, const int64_t* left, int64_t count, int64_t entry) except -1 nogil
    cdef int64_t new_entry(self, int64_t type, int64_t copies, int64_t before) except -1 nogil
    cdef void insert_behind(self, int64_t group, int64_t place) noexcept nogil
    cdef void retire(self, int64_t group) noexcept nogil
    cdef int64_t copies_that_fit(self, int64_t group, const int64_t* weight) noexcept nogil
    cdef int64_t best_group(self, const int64_t* weight) noexcept nogil
    cdef int64_t put(self, int64_t group, int64_t type, const int64_t* weight, int64_t count) except -1 nogil
    cdef int run(
        self, const int64_t* weights, const int64_t* counts, const int64_t* order, Py_ssize_t length,
        const int64_t* capacity, bint best, Py_ssize_t window,
    ) except -1 nogil
