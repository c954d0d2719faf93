# The bin-centric greedy on types with counts: fill one bin as well as a measure can tell, then repeat that pattern as
# often as the counts (and the stock of that bin) allow. With several kinds of bins each is filled in thought, and the
# one that packs most per price is used.
#
# Prices of bins are integers; a free bin (price 0) goes first. `size` of a type is what it weighs under the current
# weights of the resources: a resource of which much is still to be packed weighs more.

from libc.stdint cimport int64_t, uint64_t


cdef enum Measure:
    DOT = 0            # largest dot product of demand and what is left
    NEAREST = 1        # smallest distance of what would be left from nothing
    VALUE = 2          # largest given value per size


cdef class Packer:
    cdef Py_ssize_t types, resources, kinds, words
    cdef int64_t* weights           # (types, resources)
    cdef int64_t* waiting           # (types,) items not yet packed
    cdef int64_t* capacity          # (kinds, resources)
    cdef int64_t* price             # (kinds,)
    cdef int64_t* stock             # (kinds,) bins left of each kind
    cdef unsigned char* allowed     # (kinds, types)
    cdef uint64_t* conflicts        # (types, words); NULL = none
    cdef double* value              # (types,) given values, for VALUE
    # scratch of one fill
    cdef int64_t* left              # (resources,)
    cdef int64_t* pattern           # (types,)
    cdef int64_t* best              # (types,)
    cdef uint64_t* blocked          # (words,)
    cdef double* urgency            # (resources,) weight of each resource
    cdef double* scale              # (resources,) urgency / capacity of the bin
    cdef double* size               # (types,)

    cdef void weigh(self) noexcept nogil
    cdef double fill(self, Py_ssize_t kind, Measure measure) noexcept nogil
    cdef double score(self, Py_ssize_t type, Measure measure) noexcept nogil
    cdef Py_ssize_t choose_in(self, Py_ssize_t kind, Measure measure) noexcept nogil
