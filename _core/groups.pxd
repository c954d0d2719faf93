# The groups of a request, compiled: what is asked of the rows of one host.
#
# A group asks amounts of one row, or of one row per ask. A unit is what one row serves: a group that wants one row is
# one unit, any other is one unit per ask.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from binwright._core.numa cimport Wish

cdef enum:
    MAX_UNITS = 256      # of one request
    UNIT_WORDS = 4       # of a set of units

cdef enum Check:
    FREE = 0             # the amount must be free
    THERE = 1            # the row must be that large; what is used of it does not count
    UNCHECKED = 2        # it is claimed all the same

cdef enum KeyKind:
    BY_FREE = 0          # capacity less what is used, of a resource
    BY_USED = 1
    BY_CPUS = 2          # dedicated CPUs that nobody has pinned
    BY_FREE_BELOW = 3    # what is free of a resource in the row and all rows below it


cdef struct Ask:
    int32_t resource
    int32_t check        # a Check
    int64_t amount       # > 0


cdef struct Key:         # of a stated order; stable sorts, the last one dominant
    int32_t kind
    int32_t resource
    int32_t descending


cdef struct Group:
    int32_t labels       # filter on the labels of a row, or on those of all chosen rows together
    int32_t members      # filter on the memberships of a row
    int32_t within       # the row must be of this host's tree, -1 = any
    int32_t wish         # what it asks of the row's cell, -1 = nothing
    uint8_t one_row
    uint8_t whole        # takes all of a row of which nothing is used, and serves alone
    uint8_t least_free   # its order: least free of the first ask, then row; else row
    uint8_t isolated     # isolated groups of one request have different rows
    uint8_t linked       # what the host is linked to may serve it
    uint8_t root_answers  # the host's memberships count for its rows, and forbid what it is linked to


cdef struct Unit:
    int32_t group
    int32_t ask          # first of its asks
    int32_t asks


cdef struct Plan:
    Ask* asks
    Group* groups
    Unit* units
    Wish* wishes
    Key* keys            # order of the cells of a host, where it has more of them than the plan has wishes
    uint64_t* subtrees   # (subtree_count, UNIT_WORDS): units of which one row must stand above, or be, all rows
    int32_t group_count
    int32_t unit_count
    int32_t subtree_count
    int32_t wish_count
    int32_t key_count
    int32_t root         # filter on the labels of the host itself
    int32_t gathered     # filter: what cells of the host meet, the chosen ones among them meet together
    int32_t greedy       # each unit takes the first row it can have; nothing is taken back
    int64_t steps        # trials on one host before the search gives up


@cython.final
cdef class GroupSet:
    # Never changes after it was made; shared by forks. Owner of its plan's memory.
    cdef Plan plan
    cdef readonly tuple spec
