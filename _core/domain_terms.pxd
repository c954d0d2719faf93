# Terms over counters and domains, per class: what forbids, requires, limits or levels a request, and what attracts it.
#
# A Ref names a sum: the cells of a counter, added up over the hosts of each domain of a key (only hosts in `members`
# count, if given). The key HOST makes each host its own domain. Sums are derived from the cells at each decision, so
# a relabelled host takes its counts along.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from binwright._core.columns cimport Columns
from binwright._core.counters cimport Counters
from binwright._core.domains cimport Domains
from binwright._core.fleet cimport Fleet
from binwright._core.journal cimport Change, Idea, Journal
from binwright._core.pools cimport Pools

cdef enum:
    HOST = -1          # the key whose domains are the hosts
    MAX_SPREAD_REFS = 16

cdef enum Op:
    FORBID = 0         # any ref's sum > 0 rejects; a host without the key has none
    REQUIRE = 1        # every ref's sum > 0; or nothing matches anywhere yet and the request matches itself
    AT_MOST = 2        # the ref's sum + self <= limit
    SKEW = 3           # the ref's sum + self - smallest sum of a domain <= limit
    DISTINCT = 4       # refs not yet held here + the counter `held` <= capacity of `resource`
    POOL = 5           # the claims of the list `held` find rows in the pools, or rows can be made for them


cdef enum Outcome:
    PASSES = 0
    FAILS = 1
    MISSES = 2         # the host lacks a key that the term needs, or room for the row that POOL would make


cdef enum Carry:       # what an index does with a term
    INCREMENTAL = 0    # part of what it keeps about each host
    BUCKETED = 1       # asked at the decision, once for all hosts that the term cannot tell apart


cdef struct Ref:
    int32_t counter
    int32_t key        # label key, or HOST
    int32_t members    # member set, -1 = all hosts
    int32_t max_skew   # spread scores
    int64_t weight     # counter scores
    uint8_t per_host   # spread: size and count are the host's own


cdef struct HardTerm:
    int32_t op
    int32_t rule               # position in the profile
    int32_t argument           # of the reason, when the condition fails
    int32_t missing            # of the reason, when the term misses
    uint8_t resolvable, missing_resolvable
    uint8_t alone              # it may reject a host by the host's own cells
    uint8_t skip_when_empty    # the rule is not asked while this holds for all its terms and all their sums are 0
    int32_t first, refs        # slice of the class's refs
    int32_t self               # what the request itself would add
    int32_t limit
    int32_t least_domains      # SKEW: with fewer, the smallest sum is 0
    int32_t held, resource     # DISTINCT: counter of what is held, resource whose capacity limits it; POOL: claims


cdef struct SoftTerm:
    int32_t slot               # of the profile's score
    int32_t first, refs
    uint8_t require_all        # spread: hosts without all keys are ignored; else a missing label is a domain


cdef struct ClassTerms:
    HardTerm* hard
    SoftTerm* soft
    Ref* refs
    int32_t hards, softs, ref_count
    int32_t pools              # how many of the hard terms are POOL
    int64_t edition            # grows when terms are added


cdef struct Sum:               # of one ref at one decision, in scratch memory
    int64_t* values            # (domains + 1,) by domain + 1; [0] = hosts without the key; unused at HOST
    int64_t low                # smallest sum over the domains that exist; at HOST for SKEW alone, like `existing`
    int32_t existing           # domains that exist: some counted host lies there
    int64_t total              # over all counted hosts that have the key


@cython.final
cdef class DomainTerms(Idea):
    cdef Journal journal
    cdef Fleet fleet
    cdef Domains domains
    cdef Counters counters
    cdef Pools pools
    cdef ClassTerms* classes           # by class number
    cdef Py_ssize_t class_count, class_room
    cdef list definitions              # per class: (hard, soft) as given
    cdef list members                  # member sets: Columns uint8
    cdef uint8_t** member_cells        # where the sets' cells are now, by number
    cdef Py_ssize_t stride
    cdef int64_t* scratch              # sums of one decision
    cdef int64_t* present              # hosts per domain, while one sum is made
    cdef Py_ssize_t scratch_room
    cdef Sum* sums                     # (refs of the class,)
    cdef Py_ssize_t sum_room
    cdef uint32_t asleep               # rules that this decision does not ask, bit = position

    cdef int make_room(self, int32_t number) except -1 nogil
    cdef void add_up(self, const Ref* ref, Sum* made) noexcept nogil
    cdef void add_up_hosts(self, const Ref* ref, Sum* made) noexcept nogil
    cdef void take_refs(self, ClassTerms* mine, list refs)
    cdef int point_at_members(self) except -1
    cdef bint means_something(self, const HardTerm* term) noexcept
    cdef bint counts(self, int32_t members, Py_ssize_t host) noexcept nogil
    cdef int32_t domain(self, int32_t key, Py_ssize_t host) noexcept nogil
    cdef int64_t value(self, int32_t number, int32_t ref, Py_ssize_t host) noexcept nogil
    cdef int prepare(self, int32_t number) except -1 nogil
    cdef void make_sums(self, int32_t number) noexcept nogil
    cdef void settle_sleep(self, int32_t number) noexcept nogil
    cdef Carry carry(self, int32_t number, int32_t term) noexcept nogil
    cdef bint looks_alone(self, int32_t number, int32_t term) noexcept nogil
    cdef bint rejected_alone(self, int32_t number, int32_t term, Py_ssize_t host) noexcept nogil
    cdef int32_t outcome(self, int32_t number, int32_t term, Py_ssize_t host) noexcept nogil
    cdef int32_t failing(self, int32_t number, int32_t term, Py_ssize_t host) noexcept nogil
    cdef void filter(self, int32_t number, int64_t* verdict) noexcept nogil
    cdef int commit(self, int32_t number, Py_ssize_t host) except -1 nogil
    cdef const SoftTerm* soft_term(self, int32_t number, int32_t slot) noexcept nogil
