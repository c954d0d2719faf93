"""Rows that hosts share, held whole by one claim each: the smallest that fits, and what may be made instead."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

cdef enum Kind:
    HOLDER     # what = row, old = claim that held it before
    HELD       # what = claim, old = row before
    PINNED     # what = claim, old = pinned before


cdef void* enlarged(void* memory, Py_ssize_t size) except NULL:
    cdef void* grown = realloc(memory, max(size, 1))
    if grown == NULL:
        raise MemoryError("pools")
    return grown


cdef inline bint inside(int32_t which, Py_ssize_t host, uint8_t** members) noexcept nogil:
    """Is a host in a member set, EVERYWHERE or NOWHERE?"""
    return which == EVERYWHERE or which != NOWHERE and members[which][host] != 0


@cython.final
cdef class Pools(Idea):
    """The pool rows and claims of one fleet. Member sets are those of the domain terms, given with each question."""

    def __cinit__(self, Journal journal):
        self.rows = NULL
        self.claims = NULL
        self.lists = NULL
        self.arena = NULL
        self.chosen = NULL
        self.journal = journal
        self.row_count = self.row_room = self.claim_count = self.claim_room = self.longest = 0
        self.list_count = self.list_room = self.arena_count = self.arena_room = 0
        self.number_of = {}
        journal.register(self)

    def __dealloc__(self):
        free(self.rows)
        free(self.claims)
        free(self.lists)
        free(self.arena)
        free(self.chosen)

    # ---- definitions ---------------------------------------------------------------------------------------

    def add_row(self, int64_t size, int32_t host, int32_t seen):
        """A new row, seen by one host (>= 0) or else by a member set, EVERYWHERE (-1) or NOWHERE (-2). Its number."""
        cdef PoolRow* row
        if self.row_count == self.row_room:
            self.rows = <PoolRow*>enlarged(self.rows, max(64, 2 * self.row_room) * sizeof(PoolRow))
            self.row_room = max(64, 2 * self.row_room)
        row = self.rows + self.row_count
        memset(row, 0, sizeof(PoolRow))  # its padding too: equal states are equal bytes
        row.size, row.host, row.seen, row.holder, row.offered = size, host, seen, -1, 0
        self.row_count += 1
        return self.row_count - 1

    def add_claim(self, int64_t size, list rows, int32_t may, int32_t room, list held, int32_t pinned):
        """A new claim of that size, which could have these rows if they are large enough. It holds the rows `held`,
        which are untouched, and is pinned. Its number.
        """
        cdef PoolClaim* claim
        cdef int32_t number
        fitting = [row for row in set(rows) if self.rows[<Py_ssize_t>row].size >= size]
        fitting.sort(key=lambda row: (self.rows[<Py_ssize_t>row].size, row))
        candidates = self.add_list(tuple(fitting))
        if self.claim_count == self.claim_room:
            self.claims = <PoolClaim*>enlarged(self.claims, max(64, 2 * self.claim_room) * sizeof(PoolClaim))
            self.claim_room = max(64, 2 * self.claim_room)
        claim = self.claims + self.claim_count
        memset(claim, 0, sizeof(PoolClaim))
        claim.size, claim.pinned, claim.held, claim.candidates = size, pinned, min(held, default=-1), candidates
        claim.may, claim.room = may, room
        for number in fitting:
            self.rows[number].offered = 1
        for number in held:
            self.rows[number].holder = <int32_t>self.claim_count
            self.rows[number].offered = 1
        self.claim_count += 1
        return self.claim_count - 1

    def add_request(self, tuple claims):
        """Number of the list of a request's claims: as given, and behind that by rising size, equals as given."""
        ordered = sorted(claims, key=lambda claim: self.claims[<Py_ssize_t>claim].size)
        if len(claims) > self.longest:
            self.chosen = <int32_t*>enlarged(self.chosen, len(claims) * sizeof(int32_t))
            self.longest = len(claims)
        return self.add_list((*claims, *ordered))

    cdef int add_list(self, tuple numbers) except -1:
        """The number of a list with this content, made if it is new."""
        cdef Py_ssize_t count = len(numbers), i
        if numbers in self.number_of:
            return self.number_of[numbers]
        if self.arena_count + count > self.arena_room:
            self.arena = <int32_t*>enlarged(self.arena, 2 * (self.arena_count + count) * sizeof(int32_t))
            self.arena_room = 2 * (self.arena_count + count)
        if self.list_count == self.list_room:
            self.lists = <Listed*>enlarged(self.lists, max(64, 2 * self.list_room) * sizeof(Listed))
            self.list_room = max(64, 2 * self.list_room)
        for i in range(count):
            self.arena[self.arena_count + i] = numbers[i]
        self.lists[self.list_count].first = <int32_t>self.arena_count
        self.lists[self.list_count].count = <int32_t>count
        self.arena_count += count
        self.number_of[numbers] = self.list_count
        self.list_count += 1
        return <int>(self.list_count - 1)

    def new_hosts(self, Py_ssize_t first):
        """Hosts from `first` on were just added: no row or claim means them; those were made for others, now gone."""
        cdef Py_ssize_t i
        for i in range(self.claim_count):
            if self.claims[i].pinned >= first:
                self.claims[i].pinned = ELSEWHERE
        for i in range(self.row_count):
            if self.rows[i].host >= first:
                self.rows[i].host = NOWHERE

    # ---- one question --------------------------------------------------------------------------------------

    cdef bint sees(self, Py_ssize_t host, int32_t row, uint8_t** members) noexcept nogil:
        cdef const PoolRow* one = self.rows + row
        if one.host != EVERYWHERE:
            return one.host == host
        return inside(one.seen, host, members)

    cdef int32_t choose(self, int32_t claim, Py_ssize_t host, int32_t before, uint8_t** members) noexcept nogil:
        """The row that an unpinned claim gets on a host after `before` others of its request chose, -1 = none."""
        cdef const PoolClaim* mine = self.claims + claim
        cdef const int32_t* candidates = self.arena + self.lists[mine.candidates].first
        cdef int32_t i, row = mine.held
        if row >= 0:
            while row < self.row_count and (self.rows[row].holder != claim or self.is_taken(row, before)):
                row += 1  # only for a claim that its request names twice
            if row < self.row_count:
                return row if self.sees(host, row, members) else -1
        for i in range(self.lists[mine.candidates].count):
            row = candidates[i]
            if self.rows[row].holder < 0 and self.sees(host, row, members) and not self.is_taken(row, before):
                return row
        return -1

    cdef bint is_taken(self, int32_t row, int32_t before) noexcept nogil:
        """Is a row among the first `before` that this request chose?"""
        cdef int32_t i
        for i in range(before):
            if self.chosen[i] == row:
                return True
        return False

    cdef Fitting making(self, int32_t claim, Py_ssize_t host, uint8_t** members) noexcept nogil:
        """Can a row be made for a claim on a host?"""
        cdef const PoolClaim* mine = self.claims + claim
        if not inside(mine.may, host, members):
            return NO_ROW
        return FITS if inside(mine.room, host, members) else NO_ROOM

    cdef Fitting test(self, int32_t wanted, Py_ssize_t host, uint8_t** members) noexcept nogil:
        """Can a list of claims be met on a host? The first claim that cannot speaks: pinned ones as given, then the
        others by rising size.
        """
        cdef const int32_t* given = self.arena + self.lists[wanted].first
        cdef int32_t count = self.lists[wanted].count // 2, i
        cdef const int32_t* ordered = given + count
        cdef Fitting found
        for i in range(count):
            if self.claims[given[i]].pinned != UNPINNED and self.claims[given[i]].pinned != host:
                return NO_ROW
        for i in range(count):
            if self.claims[given[i]].pinned != UNPINNED:
                found = self.making(given[i], host, members)
                if found != FITS:
                    return found
        for i in range(count):
            self.chosen[i] = -1
            if self.claims[ordered[i]].pinned == UNPINNED:
                self.chosen[i] = self.choose(ordered[i], host, i, members)
                if self.chosen[i] < 0:
                    found = self.making(ordered[i], host, members)
                    if found != FITS:
                        return found
        return FITS

    # ---- changes -------------------------------------------------------------------------------------------

    cdef int commit(self, int32_t wanted, Py_ssize_t host, uint8_t** members) except -1 nogil:
        """An item with these claims came to a host, whether they can be met there or not: each takes its row, or is
        pinned.
        """
        cdef int32_t count = self.lists[wanted].count // 2, i, claim
        cdef const int32_t* ordered = self.arena + self.lists[wanted].first + count
        for i in range(count):
            self.chosen[i] = -1
            if self.claims[ordered[i]].pinned == UNPINNED:
                self.chosen[i] = self.choose(ordered[i], host, i, members)
        for i in range(count):
            claim = ordered[i]
            if self.chosen[i] < 0:
                if self.claims[claim].pinned == UNPINNED:
                    self.set_pinned(claim, <int32_t>host)
                continue
            self.set_holder(self.chosen[i], claim)
            if self.claims[claim].held < 0 or self.chosen[i] < self.claims[claim].held:
                self.set_held(claim, self.chosen[i])
        return 0

    cdef int set_holder(self, int32_t row, int32_t claim) except -1 nogil:
        if self.rows[row].holder != claim:
            self.journal.note(self.number, HOLDER, -1, row, self.rows[row].holder)
            self.rows[row].holder = claim
        return 0

    cdef int set_held(self, int32_t claim, int32_t row) except -1 nogil:
        if self.claims[claim].held != row:
            self.journal.note(self.number, HELD, -1, claim, self.claims[claim].held)
            self.claims[claim].held = row
        return 0

    cdef int set_pinned(self, int32_t claim, int32_t host) except -1 nogil:
        if self.claims[claim].pinned != host:
            self.journal.note(self.number, PINNED, -1, claim, self.claims[claim].pinned)
            self.claims[claim].pinned = host
        return 0

    def free(self, int32_t claim):
        """Let a claim hold nothing and be pinned nowhere."""
        cdef Py_ssize_t row
        for row in range(self.row_count):
            if self.rows[row].holder == claim:
                self.set_holder(<int32_t>row, -1)
        self.set_held(claim, -1)
        self.set_pinned(claim, UNPINNED)

    def row(self, Py_ssize_t number):
        """(holder, -1 = nobody; whether some claim could have it) of a row."""
        return self.rows[number].holder, self.rows[number].offered != 0

    def claim(self, Py_ssize_t number):
        """(held row, -1 = none; host that it is pinned to, -1 = none, -2 = elsewhere) of a claim."""
        return self.claims[number].held, self.claims[number].pinned

    # ---- undo, copies --------------------------------------------------------------------------------------

    cdef int revert(self, const Change* change) except -1:
        if change.kind == HOLDER:
            self.rows[change.what].holder = <int32_t>change.old
        elif change.kind == HELD:
            self.claims[change.what].held = <int32_t>change.old
        else:
            self.claims[change.what].pinned = <int32_t>change.old
        return 0

    cpdef object save(self):
        return (
            PyBytes_FromStringAndSize(<char*>self.rows, self.row_count * sizeof(PoolRow)),
            PyBytes_FromStringAndSize(<char*>self.claims, self.claim_count * sizeof(PoolClaim)),
            list(self.number_of),
            self.longest,
        )

    cpdef object restore(self, object saved):
        rows, claims, lists, longest = saved
        if len(rows) % sizeof(PoolRow) or len(claims) % sizeof(PoolClaim):
            raise ValueError("fleet: pools: damaged pickle: its lengths are those of no rows and claims")
        self.row_count = self.row_room = len(rows) // sizeof(PoolRow)
        self.claim_count = self.claim_room = len(claims) // sizeof(PoolClaim)
        self.rows = <PoolRow*>enlarged(self.rows, len(rows))
        self.claims = <PoolClaim*>enlarged(self.claims, len(claims))
        memcpy(self.rows, PyBytes_AS_STRING(rows), self.row_count * sizeof(PoolRow))
        memcpy(self.claims, PyBytes_AS_STRING(claims), self.claim_count * sizeof(PoolClaim))
        for numbers in lists:
            self.add_list(numbers)
        if not 0 <= longest <= self.arena_count:
            raise ValueError(f"fleet: pools: damaged pickle: a list of {longest} claims")
        self.chosen = <int32_t*>enlarged(self.chosen, longest * sizeof(int32_t))
        self.longest = longest

    cpdef object check(self, object state):
        """Every row and claim means sets, rows and claims that there are; hosts may be gone by a rollback."""
        cdef Py_ssize_t sets = state.domain_terms.member_sets(), i, number
        cdef PoolRow* row
        cdef PoolClaim* claim
        for i in range(self.row_count):
            row = self.rows + i
            if row.host < NOWHERE or not NOWHERE <= row.seen < sets:
                raise ValueError(f"fleet: pools: damaged pickle: row {i} has host {row.host}, set {row.seen}")
            if not -1 <= row.holder < self.claim_count:
                raise ValueError(f"fleet: pools: damaged pickle: row {i} has holder {row.holder}")
        for i in range(self.claim_count):
            claim = self.claims + i
            what = None
            if claim.pinned < ELSEWHERE:
                what = f"host {claim.pinned}"
            elif claim.held != -1 and not (0 <= claim.held < self.row_count and self.rows[claim.held].holder == i):
                what = f"row {claim.held}"
            elif not NOWHERE <= claim.may < sets or not NOWHERE <= claim.room < sets:
                what = f"sets {claim.may} and {claim.room}"
            elif not self.lists_numbers_below(claim.candidates, self.row_count):
                what = f"candidates {claim.candidates}"
            if what is not None:
                raise ValueError(f"fleet: pools: damaged pickle: claim {i} has {what}")
        for number in state.domain_terms.claim_lists():
            if not self.lists_numbers_below(number, self.claim_count) or self.lists[number].count > 2 * self.longest:
                raise ValueError(f"fleet: pools: damaged pickle: a request has the list of claims {number}")

    cdef bint lists_numbers_below(self, Py_ssize_t number, Py_ssize_t limit) noexcept:
        """Is there a list of this number, and are all its numbers in 0..limit - 1?"""
        cdef int32_t i
        if not 0 <= number < self.list_count:
            return False
        for i in range(self.lists[number].first, self.lists[number].first + self.lists[number].count):
            if not 0 <= self.arena[i] < limit:
                return False
        return True
