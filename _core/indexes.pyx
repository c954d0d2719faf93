"""Decisions by index: each class's index is brought up to date with the hosts that changed since its last decision.

The answer is the scan's, bit for bit, without looking at every host. A class whose terms an index does not carry, and
any decision under a window or promises, is left to the scan.
"""

cimport cython
from libc.stdlib cimport free, malloc

from binwright._core.block_filter cimport BlockFilter
from binwright._core.float_index cimport FloatIndexes
from binwright._core.index cimport Index, planted
from binwright._core.index_choice cimport choose_leaf
from binwright._core.index_hosts cimport find_best, in_place, read_all, read_host, read_many, succeeded
from binwright._core.kernels cimport BW_BLOCK, BW_FAN
from binwright._core.memory cimport with_room

cdef enum:
    HOSTS_AN_ENTRY = 8     # a scan reads about this many hosts while an index reads one that changed,
    TERMS_AN_ENTRY = 1     # so many where the class has terms over counters,
    BOUNDS_AN_ENTRY = 128  # and the block filter so many, but for
    BOUNDED = 88           # entries, which are worth what it spends beside; in small fleets, which are in the cache,
    SMALL_AN_ENTRY = 40    # so many, but for
    BOUNDS_A_HOST = 8      # while a scan reads a host
    FEW_BOUNDED = 20       # entries
    A_MAKING = 16          # decisions by bounds cost what making an index does
    AT_ONCE = 4            # entries that are always read: to ask what else could be done costs as much
    MANY = 48              # entries from which on block kernels read them
    FEW = 64               # hosts more, for small fleets
    MOST_BYTES = 1 << 28
    TURNS_UNUSED = 4       # for each index there is: then it may make room for another


cdef int64_t held(const IndexView* index) noexcept nogil:
    """Memory of an index; of its blocks those that were ever taken."""
    return index.bytes + index.taken * BW_FAN * <int64_t>sizeof(uint16_t)


@cython.final
cdef class Indexes:
    """The indexes of one fleet; holds nothing that the fleet does not say as well."""

    def __cinit__(self, Journal journal, Scan scan):
        self.standing = NULL
        self.gathered = NULL
        self.room = 0
        self.journal = journal
        self.scan = scan
        self.indexes = {}
        self.floats = FloatIndexes(journal, scan)
        self.most_bytes = MOST_BYTES
        self.filter = BlockFilter(journal, scan)
        self.off = self.none = False
        self.turn = self.answered = self.total = 0

    def __dealloc__(self):
        free(self.standing)
        free(self.gathered)

    @property
    def bytes(self):
        """Memory of all indexes."""
        return self.total

    def clear(self):
        """Forget all indexes; they are made again when they are asked for."""
        for number in list(self.indexes):
            self.forget(number)
        self.floats.clear()

    def carried(self, Py_ssize_t number):
        """Is a class indexed from its second decision on, as far as is known?"""
        return number < self.room and self.standing[number].way == INDEXED

    cdef int make_room(self, Py_ssize_t classes) except -1:
        """Room for as many classes as there are; called before a batch."""
        self.filter.make_room(classes)
        self.floats.make_room(classes)
        if self.gathered == NULL:
            self.gathered = <int64_t*>malloc(max(self.scan.fleet.resources, 1) * 2 * BW_BLOCK * sizeof(int64_t))
            if self.gathered == NULL:
                raise MemoryError("indexes")
        self.standing = <Standing*>with_room(self.standing, &self.room, classes, sizeof(Standing))
        return 0

    # ---- which classes have an index ---------------------------------------------------------------------------

    cdef uint8_t way_of(self, const ClassView* request) noexcept nogil:
        """INDEXED, or BARRED if some term of the class is not carried."""
        if self.scan.floating or request.plan != NULL or self.scan.externals.concerned[request.number]:
            return BARRED
        if self.scan.domain_terms.classes[request.number].pools:  # a row is taken from hosts that no feed names
            return BARRED
        return INDEXED

    cdef int ready(self, const ClassView* request, bint soon, IndexView** found) except -1 nogil:
        """`found` = the class's index, up to date; NULL where the scan has to decide. soon: more decisions follow."""
        cdef Standing* mine = self.standing + request.number
        cdef int64_t edition = self.scan.domain_terms.classes[request.number].edition, unread
        cdef IndexView* index = mine.index
        cdef bint settled = mine.edition == request.edition and mine.terms_edition == edition, often, bounded
        cdef int64_t entries   # that cost less to read than a scan
        cdef int64_t worth     # that cost less to read than a decision without the index
        found[0] = NULL
        self.turn += 1
        if self.none or self.scan.overlays.live or self.scan.window.stop:
            return 0
        if index != NULL and settled and self.journal.fed - index.read <= AT_ONCE:
            mine.asked_at = self.journal.fed
            return self.catch_up(request, found)
        if not settled or mine.way == UNSEEN:
            if mine.index != NULL:
                with gil:
                    self.forget(request.number)
            mine.edition = request.edition
            mine.terms_edition = edition
            mine.way = self.way_of(request)
            mine.bounded = 0
            mine.carried = self.filter.carries(request)
            if not soon:
                return 0
        bounded = mine.carried and not self.filter.off
        entries = self.scan.fleet.hosts + FEW
        entries //= TERMS_AN_ENTRY if self.scan.domain_terms.classes[request.number].ref_count else HOSTS_AN_ENTRY
        if bounded:
            worth = self.scan.fleet.hosts // BOUNDS_AN_ENTRY + BOUNDED
            worth = min(worth, self.scan.fleet.hosts // SMALL_AN_ENTRY + FEW_BOUNDED)
        else:
            worth = entries
        often = soon or self.journal.fed - mine.asked_at <= worth
        mine.asked_at = self.journal.fed
        if mine.way == BARRED or mine.waits > self.turn:
            return 0
        index = mine.index  # which may have been forgotten
        if index == NULL and not often:
            return 0
        if index == NULL and bounded and not soon and mine.bounded < A_MAKING:
            mine.bounded += 1
            return 0
        if index == NULL:
            with gil:
                self.renew(request)
            found[0] = mine.index
            return 0
        unread = self.journal.fed - index.read
        if unread > worth and not often:
            return 0  # a decision without the index costs less than reading so much
        if unread > entries or unread > self.journal.feed_room:
            if index.statics == self.journal.fed_static:
                read_all(index, self.scan, request)
            else:
                index.misplaced = True
            index.read = self.journal.fed
        return self.catch_up(request, found)

    cdef int catch_up(self, const ClassView* request, IndexView** found) except -1 nogil:
        """`found` = the class's index after it has read what it has not; NULL if it has outgrown its place."""
        cdef IndexView* index = self.standing[request.number].index
        self.read_feed(index, request)
        index.read = self.journal.fed
        if held(index) != index.counted:
            self.count_anew(index)
            if self.total > self.most_bytes:
                with gil:
                    self.make_way(request.number)
                index = self.standing[request.number].index
                if index == NULL:
                    return 0
        if index.misplaced or index.unfit:
            with gil:
                self.renew(request)
        found[0] = self.standing[request.number].index
        return 0

    cdef int read_feed(self, IndexView* index, const ClassView* request) except -1 nogil:
        """Read the hosts that changed since the last time; `misplaced` if one has to move to another cell."""
        cdef int32_t[BW_BLOCK] hosts
        cdef const int32_t* feed = self.journal.feed
        cdef int64_t entry = index.read, end = self.journal.fed, last = self.journal.feed_room - 1
        cdef Met* met
        cdef Py_ssize_t count, i
        cdef int32_t host
        while entry < end:
            count = 0
            while count < BW_BLOCK and entry < end:
                host = feed[entry & last]
                entry += 1
                if host < 0:
                    host = ~host
                    if not in_place(index, self.scan, request, host):
                        index.misplaced = True
                        return 0
                met = self.met + (host & MET - 1)
                hosts[count] = host
                count += (met.host != host) | (met.turn != self.turn)
                met.host = host
                met.turn = self.turn
            if count >= MANY:
                read_many(index, self.scan, request, hosts, count, self.gathered)
                continue
            for i in range(count):
                read_host(index, self.scan, request, hosts[i])
        return 0

    cdef int renew(self, const ClassView* request) except -1:
        """Make the index of a class anew, or bar the class."""
        cdef Index made
        cdef int32_t number = request.number
        self.forget(number)
        made = planted(self.scan, request)
        if made is not None:
            read_all(&made.view, self.scan, request)
        if made is None or made.view.unfit or held(&made.view) > self.most_bytes:
            self.standing[number].way = BARRED
            return 0
        if not self.find_room(held(&made.view)):
            self.standing[number].waits = self.turn + 4 * TURNS_UNUSED * len(self.indexes)
            return 0
        made.view.read = self.journal.fed
        made.view.statics = self.journal.fed_static
        self.indexes[number] = made
        self.standing[number].index = &made.view
        self.count_anew(&made.view)
        return 0

    cdef int forget(self, int32_t number) except -1:
        if self.standing[number].index != NULL:
            self.total -= self.standing[number].index.counted
        self.standing[number].index = NULL
        self.indexes.pop(number, None)
        return 0

    cdef void count_anew(self, IndexView* index) noexcept nogil:
        """What an index holds has changed."""
        self.total += held(index) - index.counted
        index.counted = held(index)

    cdef int make_way(self, int32_t grown) except -1:
        """An index has grown past the bound: forget the least recently used others until all fit, or else itself."""
        while self.total > self.most_bytes:
            oldest = self.least_used(grown)
            if oldest < 0:
                self.standing[grown].way = BARRED
                oldest = grown
            self.forget(oldest)
        return 0

    cdef int32_t least_used(self, int32_t but) except -2:
        """The class whose index has not been used for longest, -1 = there is none but that of `but`."""
        cdef int32_t other, oldest = -1
        for other in self.indexes:
            if other != but and (
                oldest < 0 or self.standing[other].index.turn < self.standing[oldest].index.turn
            ):
                oldest = other
        return oldest

    cdef bint find_room(self, int64_t needed) except -1:
        """Forget the least recently used indexes until a new one fits; False where all are in use: to forget an index
        that comes next would only have it made again and again.
        """
        cdef int32_t oldest
        while self.total + needed > self.most_bytes:
            oldest = self.least_used(-1)
            if self.turn - self.standing[oldest].index.turn <= TURNS_UNUSED * len(self.indexes):
                return False
            self.forget(oldest)
        return True

    # ---- one decision --------------------------------------------------------------------------------------------

    cdef bint next_best(self, const ClassView* request, Choice* choice) noexcept nogil:
        """choose() for a class with an index of resources alone that has one entry to read, if that is the best host;
        False leaves it to choose().
        """
        cdef Standing* mine = self.standing + request.number
        cdef IndexView* index = mine.index
        if (
            not index.owns or self.none or self.scan.overlays.live or self.scan.window.stop
            or mine.edition != request.edition
            or mine.terms_edition != self.scan.domain_terms.classes[request.number].edition
            or not succeeded(index, request, self.journal.feed[index.read & self.journal.feed_room - 1])
        ):
            return False
        self.turn += 1
        self.answered += 1
        index.turn = self.turn
        index.read = mine.asked_at = self.journal.fed
        choice.host = index.leaf.best
        choice.score = <int64_t>index.leaf.key - 1 + index.fixed
        return True

    cdef bint choose(self, const ClassView* request, Choice* choice, bint soon) except -1 nogil:
        """The scan's choice, by an index of the class or by bounds; False leaves it to the scan."""
        cdef IndexView* index
        cdef bint found
        self.spent = 0
        if self.off:
            return False
        if self.scan.floating:
            found = self.floats.choose(request, choice, soon)
            self.answered += found
            return found
        index = self.standing[request.number].index
        if index != NULL and self.journal.fed - index.read == 1 and self.next_best(request, choice):
            return True
        self.ready(request, soon, &index)
        if index == NULL:
            self.spent = self.scan.fleet.hosts // BOUNDS_A_HOST
            return self.filter.choose(request, choice)
        index.turn = self.turn
        self.answered += 1
        while index.stales:
            index.stales -= 1
            find_best(index, index.leaf + index.stale[index.stales])
        if index.plain:
            choice.host = index.leaf.best
            choice.score = <int64_t>index.leaf.key - 1 + index.fixed if index.leaf.key else -1
            return True
        choose_leaf(index, self.scan, request, choice)
        return True
