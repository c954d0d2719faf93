"""Decisions by index: each class's index is brought up to date with the hosts that changed since its last decision.

The answer is the scan's, bit for bit, without looking at every host. A class whose terms an index does not carry, and
any decision under a window or promises, is left to the scan.
"""

cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN
from libc.stdlib cimport free, realloc
from libc.string cimport memset

from binwright._core.domain_terms cimport PASSES, SCANNED, ClassTerms, Ref
from binwright._core.index cimport Index, fill, find_best, find_lowest, in_place, made_index, read_host
from binwright._core.terms cimport COUNT, NONE, SPREAD, STATIC, Extremes, Term

cdef enum:
    HOSTS_AN_ENTRY = 4     # a scan reads this many hosts while an index reads one that changed
    MOST_BYTES = 1 << 28


@cython.final
cdef class Indexes:
    """The indexes of one fleet; holds nothing that the fleet does not say as well."""

    def __cinit__(self, Journal journal, Scan scan):
        self.standing = NULL
        self.room = 0
        self.journal = journal
        self.scan = scan
        self.indexes = {}
        self.bytes = 0
        self.most_bytes = MOST_BYTES
        self.off = False
        self.turn = self.answered = 0

    def __dealloc__(self):
        free(self.standing)

    def carried(self, Py_ssize_t number):
        """Is a class indexed from its second decision on, as far as is known?"""
        return number < self.room and self.standing[number].way == INDEXED

    cdef int make_room(self, Py_ssize_t classes) except -1:
        """Room for as many classes as there are; called before a batch."""
        cdef Standing* grown
        cdef Py_ssize_t room = max(16, 2 * classes)
        if classes > self.room:
            grown = <Standing*>realloc(self.standing, room * sizeof(Standing))
            if grown == NULL:
                raise MemoryError("indexes")
            memset(grown + self.room, 0, (room - self.room) * sizeof(Standing))
            self.standing = grown
            self.room = room
        return 0

    # ---- which classes have an index ---------------------------------------------------------------------------

    cdef uint8_t way_of(self, const ClassView* request) noexcept nogil:
        """INDEXED, or BARRED if some term of the class is not carried."""
        cdef const ClassTerms* mine = self.scan.domain_terms.classes + request.number
        cdef int32_t t
        if self.scan.floating or request.plan != NULL or self.scan.externals.concerned[request.number]:
            return BARRED
        for t in range(mine.hards):
            if self.scan.domain_terms.carry(request.number, t) == SCANNED:
                return BARRED
        for t in range(self.scan.terms.count):
            if self.scan.terms.terms[t].kind in (COUNT, SPREAD) and not request.skips >> t & 1:
                if self.scan.domain_terms.soft_term(request.number, self.scan.terms.terms[t].slot) != NULL:
                    return BARRED
        return INDEXED

    cdef int ready(self, const ClassView* request, bint soon, IndexView** found) except -1 nogil:
        """`found` = the class's index, up to date; NULL where the scan has to decide. soon: more decisions follow."""
        cdef Standing* mine = self.standing + request.number
        cdef int64_t edition = self.scan.domain_terms.classes[request.number].edition, unread
        cdef IndexView* index
        cdef int32_t host
        cdef bint settled = mine.edition == request.edition and mine.terms_edition == edition
        found[0] = NULL
        if self.off or self.scan.overlays.live or self.scan.window.stop:
            return 0
        if not settled or mine.way == UNSEEN:
            if mine.index != NULL:
                with gil:
                    self.forget(request.number)
            mine.edition = request.edition
            mine.terms_edition = edition
            mine.way = self.way_of(request)
            if not soon:
                return 0
        if mine.way == BARRED:
            return 0
        index = mine.index
        if index != NULL:
            unread = self.journal.fed - index.read
            if unread * HOSTS_AN_ENTRY > index.hosts + self.journal.feed_room // 64:
                if index.statics == self.journal.fed_static:
                    fill(index, self.scan, request)
                else:
                    index.misplaced = True
            else:
                for unread in range(index.read, self.journal.fed):
                    host = self.journal.feed[unread & (self.journal.feed_room - 1)]
                    if host < 0:
                        host = ~host
                        if not in_place(index, self.scan, request, host):
                            index.misplaced = True
                            break
                    read_host(index, self.scan, request, host)
            index.read = self.journal.fed
        if index == NULL or index.misplaced or index.too_high:
            with gil:
                self.renew(request)
        found[0] = mine.index
        return 0

    cdef int renew(self, const ClassView* request) except -1:
        """Make the index of a class anew, or bar the class."""
        cdef Index made
        cdef int32_t number = request.number
        self.forget(number)
        made = made_index(self.scan, request)
        if made is None or made.view.bytes > self.most_bytes:
            self.standing[number].way = BARRED
            return 0
        made.view.read = self.journal.fed
        made.view.statics = self.journal.fed_static
        self.indexes[number] = made
        self.standing[number].index = &made.view
        self.bytes += made.view.bytes
        return self.keep_within(number)

    cdef int forget(self, int32_t number) except -1:
        cdef Index gone = self.indexes.pop(number, None)
        if gone is not None:
            self.bytes -= gone.view.bytes
            self.standing[number].index = NULL
        return 0

    cdef int keep_within(self, int32_t number) except -1:
        """Forget the least recently used indexes, never that of class `number`, until the rest fits."""
        cdef int32_t other, oldest
        while self.bytes > self.most_bytes:
            oldest = -1
            for other in self.indexes:
                if other != number and (
                    oldest < 0 or self.standing[other].index.turn < self.standing[oldest].index.turn
                ):
                    oldest = other
            self.forget(oldest)
        return 0

    # ---- one decision --------------------------------------------------------------------------------------------

    cdef bint choose(self, const ClassView* request, Choice* choice, bint soon) except -1 nogil:
        """The scan's choice, if there is an index for the class; False leaves it to the scan."""
        cdef IndexView* index
        self.ready(request, soon, &index)
        if index == NULL:
            return False
        self.turn += 1
        index.turn = self.turn
        self.answered += 1
        if index.plain:
            if index.leaf.stale:
                find_best(index, index.leaf)
            choice.host = index.leaf.best
            choice.score = <int64_t>index.leaf.key - 1
            return True
        self.decide(index, request, choice)
        return True

    cdef int decide(self, IndexView* index, const ClassView* request, Choice* choice) except -1 nogil:
        """Compare the best hosts of the leaves."""
        cdef int32_t c
        cdef Leaf* leaf
        if index.refs:
            self.lend_sums(index, request)
        for c in range(index.leaves):
            leaf = index.leaf + c
            index.asked[c] = leaf.open > 0
            if leaf.open and leaf.stale:
                find_best(index, leaf)
            index.total[c] = <int64_t>leaf.key - 1
        if index.bucketed:
            self.ask_terms(index, request)
        if not self.scan.terms.local:
            self.add_statics(index, request)
        choice.host = choice.score = -1
        for c in range(index.leaves):
            if not index.asked[c] or index.total[c] < choice.score:
                continue
            if index.total[c] > choice.score or index.leaf[c].best < choice.host:
                choice.score = index.total[c]
                choice.host = index.leaf[c].best
        return 0

    cdef int lend_sums(self, IndexView* index, const ClassView* request) except -1 nogil:
        """Let the domain terms see the index's sums as those of this decision."""
        cdef const Ref* refs = self.scan.domain_terms.classes[request.number].refs
        cdef int32_t r
        self.scan.domain_terms.make_room(request.number)
        for r in range(index.refs):
            if index.kept[r].stale:
                find_lowest(index, r)
            if index.kept[r].seen == NULL:
                index.sums[r].total = self.scan.counters.counters[refs[r].counter].total
            self.scan.domain_terms.sums[r] = index.sums[r]
        self.scan.domain_terms.settle_sleep(request.number)
        return 0

    cdef void ask_terms(self, IndexView* index, const ClassView* request) noexcept nogil:
        """Close the leaves that a hard term rejects: it says the same of all their hosts."""
        cdef int32_t c, t
        for c in range(index.leaves):
            if index.asked[c]:
                for t in range(index.bucketed):
                    if self.scan.domain_terms.failing(request.number, index.hard[t], index.leaf[c].best) != PASSES:
                        index.asked[c] = False
                        break

    cdef void add_statics(self, IndexView* index, const ClassView* request) noexcept nogil:
        """Add the normalised raw scores, normalised again where the extremes over the feasible hosts moved."""
        cdef const Term* term
        cdef Extremes now
        cdef int64_t* parts
        cdef int64_t raw
        cdef Py_ssize_t t
        cdef int32_t c, place
        for t in range(self.scan.terms.count):
            term = self.scan.terms.terms + t
            if request.skips >> t & 1 or term.kind != STATIC or term.normaliser == NONE:
                continue
            place = index.raw_place[term.slot]
            parts = index.parts + t * index.leaves
            now.low = INT64_MAX
            now.high = INT64_MIN
            for c in range(index.leaves):
                if index.asked[c]:
                    raw = 0 if place < 0 else index.tuples[c * index.width + place]
                    now.low = min(now.low, raw)
                    now.high = max(now.high, raw)
            if now.low > now.high:
                return
            if now.low != index.extremes[t].low or now.high != index.extremes[t].high:
                index.extremes[t] = now
                for c in range(index.leaves):
                    raw = 0 if place < 0 else index.tuples[c * index.width + place]
                    parts[c] = self.scan.terms.normalised(t, raw, &now)
            for c in range(index.leaves):
                index.total[c] += term.weight * parts[c]
