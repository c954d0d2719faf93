# The index of one request class: what finds its best host at once, derived from the fleet host by host.
#
# A cell is a set of hosts that no term of the class can tell apart by what is static: their raw scores that a
# normaliser looks at and the domains that the class's terms read are equal. A leaf is a set of hosts of one cell whose
# own counts are equal too, as far as terms read them host by host (most classes read none: then a cell is a leaf).
# Every normaliser and every condition treats the hosts of a leaf alike, whatever its state, so that the best of them
# has the highest local total, lowest index first; a decision compares the leaves' best hosts.
#
# Invariants, once the feed of changed hosts has been read:
# 1. A host that passes every rule that looks at it alone is in one leaf, with the key local total + 1 in the leaf's
#    tree; other hosts are in none, their keys are 0.
# 2. Hosts of a cell have slots in rising order. A key of level l + 1 is the largest of its 32 of level l.
# 3. Keys, leaves and sums are derived from columns and cells, never from what a change did: reading a host twice, or
#    once after it was changed and taken back, ends the same. So undo needs nothing of its own.
# 4. What a term says of a domain is read at the decision and kept nowhere.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

from binwright._core.domain_terms cimport Sum
from binwright._core.kernels cimport BW_FAN
from binwright._core.request cimport MAX_SLOTS, ClassView
from binwright._core.scan cimport Scan
from binwright._core.terms cimport Extremes, LocalTerm

cdef enum:
    LEVELS = 7             # 32^7 hosts
    HIGHEST_TOTAL = 65534  # that has a key; a class with higher local totals is scanned
    HIGHEST_CELL = 4095    # that is counted value by value; a class that levels higher ones host by host is scanned
    HINTS = 256


cdef struct Cell:
    int32_t first          # its slot 0 as a slot of the index
    int32_t slots          # hosts


cdef struct Leaf:
    int32_t cell
    int32_t open           # hosts in it
    int32_t depth          # levels of its tree
    int32_t at             # its place among the live leaves, -1 = no host is in it
    int32_t best           # host: the first of the largest key, -1 = none; unless stale
    uint16_t key           # the largest key; unless stale
    uint8_t stale          # the best host has to be found again, and the leaf is listed for it
    uint16_t* level[LEVELS]    # level[0] is NULL where keys stand in blocks
    int32_t* block         # (slots / 32,) the block of a fan of slots, -1 = no key there; NULL without blocks


cdef struct Kept:          # of one ref: its sum, kept up to date
    int64_t* seen          # (hosts,) the host's cell when it was last read, -1 = not counted; NULL = no sum is kept
    int64_t* present       # (width,) counted hosts of each domain + 1; at HOST of each value of a cell, or NULL
    int64_t* marked        # (width,) number of the decision that last saw a feasible host in the domain
    Py_ssize_t width
    int32_t place          # of the domain in a tuple, -1 at HOST
    int32_t number         # of its own count among a leaf's numbers, -1 = none
    int64_t size           # spread scores: domains at the last decision, and
    double log             # ln(size + 2)
    int64_t most           # count scores: a count beyond it counts as this
    uint8_t lowest         # the smallest sum is asked for
    uint8_t stale          # and has to be found again


cdef enum NumberKind:
    CELL           # the host's cell of a ref
    COUNTED        # the same, 0 where the ref does not count the host
    THERE          # 1 if that is above 0
    WEIGHED        # weighted counts of a soft term's refs at HOST


cdef struct Number:        # of those that tell the leaves of a cell apart
    int32_t kind
    int32_t which          # ref, or place of the soft term in the class


cdef struct Own:           # of a class that is told by `succeed`: a resource that it filters, and may score
    const int64_t* capacity
    const int64_t* used
    int64_t demand
    int64_t weight         # 0 = filtered alone


cdef struct IndexView:
    # All that a nogil loop reads and writes of an index. Owner of the memory: its Index.
    void* owner
    int32_t number         # of the class
    int64_t read           # entries of the feed
    int64_t statics        # static changes told when it was made
    int64_t turn           # of the last decision
    int64_t bytes          # of its memory, without the blocks
    int64_t counted        # of it with its blocks, when `Indexes` last added all up
    int64_t refused_at     # entries of the feed when it last found no host
    int32_t refusal        # the verdict then
    uint8_t unfit          # a total without a key, a cell without a place, too many leaves: the class is scanned
    uint8_t misplaced      # some host is in the wrong cell
    uint8_t plain          # one leaf whose key is the whole total, and no term is asked at the decision
    int32_t hosts
    int32_t cells
    int32_t width          # numbers in a cell's tuple
    int32_t* column        # (width,) what a number of the tuple is: a slot of raw scores, or ~key of a domain
    int64_t* tuples        # (cells, width)
    Cell* cell             # (cells,)
    int32_t* slot_of       # (hosts,); NULL = the host's number, there is one cell
    int32_t* host_of       # (slots,)
    int32_t* cell_of       # (hosts,); NULL likewise
    int32_t numbers        # that tell the leaves of a cell apart; 0 = leaf c is cell c
    Number* number_kind    # (numbers,)
    int64_t* told          # (leaf_room, numbers) of each leaf
    int64_t* mine          # (numbers,) of the host that is being read
    int32_t* leaf_of       # (hosts,) -1 = none; NULL without numbers
    int32_t[HINTS] hint    # by hash of numbers: a leaf that had them, + 1
    int32_t leaves, leaf_room
    Leaf* leaf             # (leaf_room,)
    int32_t* stale         # (leaf_room,) leaves whose best host has to be found again
    int32_t stales
    int32_t live           # leaves with hosts; of each, by its place among them, all (leaf_room,):
    int32_t* live_leaf     # its number
    int32_t* live_cell
    int32_t* live_open
    int32_t* live_best     # unless stale
    int64_t* live_total    # local total of its best host, unless stale
    int64_t* live_told     # (numbers, leaf_room)
    uint16_t* blocks       # (hosts, 32) keys; the memory is touched as blocks are taken
    int32_t* spare         # (hosts,) blocks that were given back
    int32_t spares, taken  # of them; blocks ever taken
    Py_ssize_t locals
    LocalTerm* local       # (locals,) scores that look at one host alone
    int32_t resources      # that the class filters or scores
    int32_t* resource      # (resources,)
    int32_t* place         # (resources of the fleet,) where among them
    const uint8_t* flags       # the fleet's
    const int64_t** capacity   # (filters,) columns of the resources that the class filters
    const int64_t** used       # (filters,)
    int64_t* demand            # (filters,)
    int32_t owns           # 0 = more has a say than what is free of these resources
    Own* own               # (owns,)
    int64_t own_weights    # sum of them
    int64_t own_weight     # of the score
    int32_t refs           # of the class
    Kept* kept             # (refs,)
    Sum* sums              # (refs,)
    int32_t by_cell, by_leaf   # hard terms that are asked at the decision, once a cell or once a leaf
    int32_t* hard          # (by_cell + by_leaf,) their numbers
    int32_t[MAX_SLOTS] raw_place   # where a tuple has the raw score of a slot, -1 = the class has none
    int32_t weighed        # scores that are asked at the decision
    int32_t* weigh         # (weighed,) their terms
    int64_t fixed          # what normalised raw scores add where the class has none
    # of one decision
    int64_t epoch
    uint8_t* closed        # (cells,) by a condition over domains
    int64_t* share         # (cells,) of a count score: what it owes to domains
    uint8_t* asked         # (live,) 1 = its hosts are feasible
    int64_t* total         # (live,)
    int64_t* raw           # (live,)
    double* level          # (live,)
    double* step           # (cells,)
    int64_t* parts         # (terms, cells) normalised static scores under `extremes`
    Extremes* extremes     # (terms,)


@cython.final
cdef class Index:
    cdef IndexView view
    cdef list blocks       # addresses of the memory that it owns

    cdef void* take(self, Py_ssize_t count, Py_ssize_t size) except NULL
    cdef void* retake(self, void* memory, Py_ssize_t before, Py_ssize_t count, Py_ssize_t size) except NULL
    cdef int name_locals(self, Scan scan, const ClassView* request) except -1
    cdef int name_resource(self, int32_t resource) except -1
    cdef int name_own(self, Scan scan, const ClassView* request) except -1
    cdef int name_statics(self, Scan scan, const ClassView* request) except -1
    cdef int name_terms(self, Scan scan, const ClassView* request) except -1
    cdef int name_soft(self, Scan scan, int32_t soft, bint spread) except -1
    cdef int add_number(self, NumberKind kind, int32_t which) except -1
    cdef bint sort_hosts(self, Scan scan, const ClassView* request) except -1
    cdef bint is_weighed(self, Scan scan, const ClassView* request, Py_ssize_t t) except -1
    cdef int plant(self, Scan scan, const ClassView* request) except -1
    cdef int keep_sum(self, Scan scan, int32_t ref, bint by_value) except -1
    cdef int make_leaf_room(self, Py_ssize_t room) except -1
    cdef int add_leaf(self, int32_t cell) except -1


cdef inline Py_ssize_t whole_fans(Py_ssize_t keys) noexcept nogil:
    # Room for a level of `keys` keys.
    return max((keys + BW_FAN - 1) // BW_FAN, 1) * BW_FAN


cdef inline int32_t cell_of(const IndexView* index, Py_ssize_t host) noexcept nogil:
    return 0 if index.cell_of == NULL else index.cell_of[host]


cdef Index planted(Scan scan, const ClassView* request)
cdef int new_leaf(IndexView* index, int32_t cell) except -1 nogil
cdef int64_t static_number(
    const IndexView* index, Scan scan, const ClassView* request, int32_t i, Py_ssize_t host
) noexcept nogil
