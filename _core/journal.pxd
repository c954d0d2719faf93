# The journal: every change of a fleet in order, each with what its idea needs to take it back.
#
# Positions: entry i of the fleet's life stands at `entries[i - first]`. `first` grows when old entries are dropped,
# which never happens beyond the oldest open checkpoint. Serials are never used twice, also after a rollback, so
# (position, serial of the entry before it) names one state of the fleet for good.

cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t, uint32_t, uint64_t


cdef struct Change:
    int64_t serial   # unique over the fleet's life, rising
    int32_t host     # host that changed, or -1
    int16_t idea     # number of the idea that can revert it
    int16_t kind     # in that idea's own words
    int64_t what     # idea's own: which item, resource, class ...
    int64_t old      # idea's own: what was there before


# Two numbers in one field of a change.

cdef inline int64_t pack(int32_t high, int32_t low) noexcept nogil:
    return <int64_t>(<uint64_t><uint32_t>high << 32 | <uint32_t>low)


cdef inline int32_t high_half(int64_t packed) noexcept nogil:
    return <int32_t>(packed >> 32)


cdef inline int32_t low_half(int64_t packed) noexcept nogil:
    return <int32_t><uint32_t>packed


cdef enum:
    MAX_IDEAS = 32


# The feed: hosts in the order in which they changed, also when a change was taken back; for readers that keep
# something derived from hosts. It only grows: a reader remembers how far it has read, and starts afresh when more has
# gathered since than it cares to read, or than the ring holds. An entry is a host, or ~host after a change of what is
# static about it (a label, a raw score, a member set: the `static_kinds` of an idea).

@cython.final
cdef class Journal:
    cdef Change* entries
    cdef Py_ssize_t room       # entries allocated
    cdef readonly int64_t first     # position of entries[0]
    cdef readonly int64_t position  # position of the next entry
    cdef int64_t serial        # last serial given
    cdef list ideas            # the registered ideas, by number
    cdef list checkpoints      # open checkpoints: positions, rising
    cdef bint busy             # a batch runs, or an external term speaks: nobody else may enter
    cdef int32_t* feed         # ring of `feed_room` entries, a power of two
    cdef int64_t feed_room
    cdef int64_t fed           # entries ever written; entry i stands at feed[i & (feed_room - 1)] until overwritten
    cdef int64_t fed_static    # static changes ever told
    cdef uint32_t[MAX_IDEAS] static_kinds   # by idea: bit = kind of change

    cdef inline bint is_static(self, int idea, int kind) noexcept nogil:
        return self.static_kinds[idea] >> (kind & 31) & 1  # ideas with larger kinds have no static ones

    cdef inline void feed_host(self, int64_t host, bint static) noexcept nogil:
        """Tell the readers of the feed that a host changed; host -1 and static: the list of hosts did."""
        self.fed_static += static
        if host >= 0:
            self.feed[self.fed & (self.feed_room - 1)] = ~<int32_t>host if static else <int32_t>host
            self.fed += 1
        elif static:
            self.fed += self.feed_room + 1  # nobody can have read that far: all start afresh

    cdef inline int note(self, int idea, int kind, int64_t host, int64_t what, int64_t old) except -1 nogil:
        """Write down one change that was just applied."""
        cdef Py_ssize_t length = self.position - self.first
        cdef Change* change
        if length == self.room:
            self.make_room(1)
        self.serial += 1
        change = self.entries + length
        change.serial = self.serial
        change.host = <int32_t>host
        change.idea = <int16_t>idea
        change.kind = <int16_t>kind
        change.what = what
        change.old = old
        self.position += 1
        self.feed_host(host, self.is_static(idea, kind))
        return 0

    cdef int register(self, Idea idea) except -1
    cdef int make_room(self, int64_t more) except -1 nogil
    cdef int64_t serial_before(self, int64_t position) noexcept nogil
    cdef int revert_to(self, int64_t position) except -1
    cdef int trim(self) except -1
    cdef int widen_feed(self, Py_ssize_t hosts) except -1


cdef class Idea:
    # One stateful idea of a fleet. What it holds is saved, restored and taken back through these alone.
    cdef int number                                      # its place in the journal's registry
    cdef uint32_t static_kinds                           # bit = kind of its changes that may move a host's static part

    cdef int revert(self, const Change* change) except -1   # takes back one change, the newest of this idea
    cdef int lengthen(self, Py_ssize_t stride) except -1    # columns must hold `stride` hosts from now on
    cpdef object save(self)                                 # everything it holds, picklable, not shared with live state
    cpdef object restore(self, object saved)                # becomes what was saved
    cpdef object check(self, object state)                  # raises ValueError if a pickle made it something impossible
