# The index of one request class: what finds its best host at once, derived from the fleet host by host.
#
# A leaf is a set of hosts that nothing but their own totals can tell apart: their raw scores that a normaliser looks
# at and the domains that the class's terms read are equal, so every normaliser and every condition over domains treats
# them alike, whatever its state. Within a leaf the best host has the highest local total, lowest index first; a
# decision compares the leaves' best hosts.
#
# Invariants, once the feed of changed hosts has been read:
# 1. A host that passes every rule that looks at it alone has the key local total + 1 in its leaf's tree; others 0.
# 2. Hosts of a leaf stand in its tree in rising order. A key of level l + 1 is the largest of its 32 of level l.
# 3. Keys, counts and sums are derived from columns and cells, never from what a change did: reading a host twice, or
#    once after it was changed and taken back, ends the same. So undo needs nothing of its own.
# 4. What a term says of a domain is read at the decision and kept nowhere.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from binwright._core.domain_terms cimport Sum
from binwright._core.request cimport MAX_SLOTS, ClassView
from binwright._core.scan cimport Scan
from binwright._core.terms cimport Extremes

cdef enum:
    LEVELS = 7             # 32^7 hosts
    HIGHEST_TOTAL = 65534  # that has a key; a class with higher local totals is scanned


cdef struct Leaf:
    int32_t open           # hosts with a key
    int32_t first          # its tree's slot 0 as a slot of the index
    int32_t depth          # levels of its tree
    int32_t best           # host: the first of the largest key, -1 = none; unless stale
    uint16_t key           # the largest key; unless stale
    uint8_t stale
    uint16_t* level[LEVELS]


cdef struct Kept:          # of one ref: its sum, kept up to date
    int64_t* seen          # (hosts,) the host's cell when it was last read, -1 = not counted; NULL = no sum is kept
    int64_t* present       # (domains + 1,) counted hosts of each domain; NULL at HOST
    Py_ssize_t width       # domains + 1
    int32_t place          # of the domain in a tuple
    uint8_t stale          # the smallest sum has to be found again


cdef struct IndexView:
    # All that a nogil loop reads and writes of an index. Owner of the memory: its Index.
    int32_t number         # of the class
    int64_t read           # entries of the feed
    int64_t statics        # static changes told when it was made
    int64_t turn           # of the last decision
    int64_t bytes
    int64_t refused_at     # entries of the feed when it last found no host
    int32_t refusal        # the verdict then
    uint8_t too_high       # some local total has no key
    uint8_t misplaced      # some host is in the wrong leaf
    uint8_t plain          # one leaf whose key is the whole total, and no term is asked at the decision
    int32_t hosts
    int32_t leaves
    int32_t width          # numbers in a tuple
    int32_t* column        # (width,) what a number of the tuple is: a slot of raw scores, or ~key of a domain
    int64_t* tuples        # (leaves, width)
    Leaf* leaf             # (leaves,)
    int32_t* slot_of       # (hosts,); NULL = the host's number, there is one leaf
    int32_t* host_of       # (slots,)
    int32_t* leaf_of       # (hosts,)
    int32_t refs           # of the class
    Kept* kept             # (refs,)
    Sum* sums              # (refs,)
    int32_t bucketed       # hard terms that are asked at the decision
    int32_t* hard          # (bucketed,) their numbers
    int32_t[MAX_SLOTS] raw_place   # where a tuple has the raw score of a slot, -1 = the class has none
    # of one decision
    uint8_t* asked         # (leaves,) 1 = some host is feasible
    int64_t* total         # (leaves,)
    int64_t* parts         # (terms, leaves) normalised scores under `extremes`
    Extremes* extremes     # (terms,)


@cython.final
cdef class Index:
    cdef IndexView view
    cdef list blocks       # addresses of the memory that it owns

    cdef void* take(self, Py_ssize_t count, Py_ssize_t size) except NULL
    cdef int name_columns(self, Scan scan, const ClassView* request) except -1
    cdef bint sort_hosts(self, Scan scan, const ClassView* request) except -1
    cdef int plant(self) except -1
    cdef int keep_sums(self, Scan scan) except -1


cdef Index made_index(Scan scan, const ClassView* request)
cdef void fill(IndexView* index, Scan scan, const ClassView* request) noexcept nogil
cdef void read_host(IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil
cdef bint in_place(const IndexView* index, Scan scan, const ClassView* request, Py_ssize_t host) noexcept nogil
cdef void find_best(const IndexView* index, Leaf* leaf) noexcept nogil
cdef void find_lowest(IndexView* index, int32_t ref) noexcept nogil
