"""Terms over counters and domains: sums of one decision, and the hard terms' verdicts from them."""

cimport cython
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from binwright._core.columns cimport expect
from binwright._core.fleet cimport ABSENT
from binwright._core.pools cimport FITS, NO_ROW, Fitting

cdef int64_t MOST_WEIGHT = 0x7FFFFFFF

OPS = {"forbid": FORBID, "require": REQUIRE, "at_most": AT_MOST, "skew": SKEW, "distinct": DISTINCT, "pool": POOL}
HOST_KEY = HOST

cdef enum Kind:
    MEMBER     # what = member set, old = whether the host was in it

cdef void* needed(void* memory) except NULL nogil:
    if memory == NULL:
        with gil:
            raise MemoryError("domain terms")
    return memory


@cython.final
cdef class DomainTerms(Idea):
    """The terms of every class of one fleet, and the member sets that they name."""

    def __cinit__(self, Journal journal, Fleet fleet, Domains domains, Counters counters, Pools pools):
        self.classes = NULL
        self.scratch = self.present = NULL
        self.member_cells = NULL
        self.sums = NULL
        self.journal = journal
        self.fleet = fleet
        self.domains = domains
        self.counters = counters
        self.pools = pools
        self.class_count = self.class_room = self.scratch_room = self.sum_room = 0
        self.definitions = []
        self.members = []
        self.stride = fleet.stride
        self.static_kinds = 1 << MEMBER
        journal.register(self)

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.class_count):
            free(self.classes[i].hard)
            free(self.classes[i].soft)
            free(self.classes[i].refs)
        free(self.classes)
        free(self.member_cells)
        free(self.scratch)
        free(self.present)
        free(self.sums)

    # ---- definitions ---------------------------------------------------------------------------------------

    def new_members(self, const uint8_t[::1] inside):
        """Number of a new member set: 1 = counted, one byte a host."""
        cdef Columns column = Columns(1, self.stride, 1)
        cdef Py_ssize_t host
        for host in range(inside.shape[0]):
            column.uint8s(0)[host] = inside[host]
        self.members.append(column)
        self.point_at_members()
        return len(self.members) - 1

    def member_sets(self):
        """How many member sets there are."""
        return len(self.members)

    def new_hosts(self, Py_ssize_t first, Py_ssize_t count):
        """Hosts that were just added are in no member set, whatever had their slots before a rollback."""
        cdef Py_ssize_t host
        for column in self.members:
            for host in range(first, first + count):
                (<Columns>column).uint8s(0)[host] = 0

    cdef int point_at_members(self) except -1:
        cdef Py_ssize_t number
        self.member_cells = <uint8_t**>needed(realloc(self.member_cells, (len(self.members) + 1) * sizeof(uint8_t*)))
        for number in range(len(self.members)):
            self.member_cells[number] = (<Columns>self.members[number]).uint8s(0)
        return 0

    def set_member(self, Py_ssize_t number, Py_ssize_t host, uint8_t inside):
        cdef uint8_t* cell = (<Columns>self.members[number]).uint8s(0) + host
        if cell[0] != inside:
            self.journal.note(self.number, MEMBER, host, number, cell[0])
            cell[0] = inside

    def new_class(self):
        """Make room for the terms of the next class; returns its number."""
        cdef ClassTerms* grown
        if self.class_count == self.class_room:
            grown = <ClassTerms*>needed(realloc(self.classes, max(16, 2 * self.class_room) * sizeof(ClassTerms)))
            self.classes = grown
            self.class_room = max(16, 2 * self.class_room)
        memset(self.classes + self.class_count, 0, sizeof(ClassTerms))
        self.class_count += 1
        self.definitions.append(([], []))
        return self.class_count - 1

    def extend(self, Py_ssize_t number, list hard, list soft):
        """Add terms to a class; dicts with the fields of HardTerm and SoftTerm, `refs` a list of dicts of Ref. A soft
        term of a slot that has one already adds its refs to that.
        """
        cdef ClassTerms* mine = self.classes + number
        cdef HardTerm* term
        cdef SoftTerm* score
        known_hard, known_soft = self.definitions[number]
        known_hard.extend(hard)
        known_hard.sort(key=rule_of)
        for given in soft:
            for i, known in enumerate(known_soft):
                if known["slot"] == given["slot"]:
                    known_soft[i] = {**known, "refs": known["refs"] + given["refs"]}
                    break
            else:
                known_soft.append(given)
        mine.edition += 1
        every = [ref for term_ in known_hard + known_soft for ref in term_["refs"]]
        free(mine.hard)
        free(mine.soft)
        free(mine.refs)
        mine.hards = mine.softs = mine.ref_count = mine.pools = 0
        mine.hard = NULL
        mine.soft = NULL
        mine.refs = NULL
        mine.hard = <HardTerm*>needed(calloc(len(known_hard) + 1, sizeof(HardTerm)))
        mine.soft = <SoftTerm*>needed(calloc(len(known_soft) + 1, sizeof(SoftTerm)))
        mine.refs = <Ref*>needed(calloc(len(every) + 1, sizeof(Ref)))
        for given in known_hard:
            term = mine.hard + mine.hards
            term.op = OPS[given["op"]]
            term.rule, term.argument, term.missing = given["rule"], given["argument"], given["missing"]
            term.skip_when_empty = given["skip_when_empty"]
            term.resolvable, term.missing_resolvable = given["resolvable"], given["missing_resolvable"]
            term.self, term.limit, term.least_domains = given["self"], given["limit"], given["least_domains"]
            term.held, term.resource = given["held"], given["resource"]
            term.first = mine.ref_count
            term.refs = len(given["refs"])
            self.take_refs(mine, given["refs"])
            mine.pools += term.op == POOL
            mine.hards += 1
            term.alone = self.looks_alone(number, mine.hards - 1)
        for given in known_soft:
            score = mine.soft + mine.softs
            score.slot, score.require_all = given["slot"], given["require_all"]
            score.first = mine.ref_count
            score.refs = len(given["refs"])
            self.take_refs(mine, given["refs"])
            mine.softs += 1

    def claim_lists(self):
        """Numbers of the lists of claims that POOL terms name."""
        return [term["held"] for hard, _ in self.definitions for term in hard if term["op"] == "pool"]

    def soft_of(self, Py_ssize_t number, int32_t slot):
        """(refs, require_all) of a class's soft term in a slot, None if it has none."""
        for known in self.definitions[number][1]:
            if known["slot"] == slot:
                return len(known["refs"]), known["require_all"]
        return None

    cdef void take_refs(self, ClassTerms* mine, list refs):
        cdef Ref* ref
        for given in refs:
            ref = mine.refs + mine.ref_count
            ref.counter, ref.key, ref.members = given["counter"], given["key"], given["members"]
            ref.weight, ref.max_skew, ref.per_host = given["weight"], given["max_skew"], given["per_host"]
            mine.ref_count += 1

    # ---- sums of one decision ------------------------------------------------------------------------------

    cdef int make_room(self, int32_t number) except -1 nogil:
        cdef const ClassTerms* mine = self.classes + number
        cdef Py_ssize_t cells = 0, widest = 1, r, width
        for r in range(mine.ref_count):
            if mine.refs[r].key != HOST:
                width = self.domains.domain_count(mine.refs[r].key) + 1
                widest = max(widest, width)
                cells += width
        if cells + widest > self.scratch_room:
            self.scratch = <int64_t*>needed(realloc(self.scratch, 2 * (cells + widest) * sizeof(int64_t)))
            self.present = <int64_t*>needed(realloc(self.present, 2 * (cells + widest) * sizeof(int64_t)))
            self.scratch_room = 2 * (cells + widest)
        if mine.ref_count > self.sum_room:
            self.sums = <Sum*>needed(realloc(self.sums, 2 * mine.ref_count * sizeof(Sum)))
            self.sum_room = 2 * mine.ref_count
        return 0

    cdef bint counts(self, int32_t members, Py_ssize_t host) noexcept nogil:
        """Does this host take part in sums with this member set?"""
        if self.fleet.flags.uint8s(0)[host] & ABSENT:
            return False
        return members < 0 or self.member_cells[members][host] != 0

    cdef int32_t domain(self, int32_t key, Py_ssize_t host) noexcept nogil:
        return <int32_t>host if key == HOST else self.domains.ids.int32s(key)[host]

    cdef int prepare(self, int32_t number) except -1 nogil:
        """Begin a decision for a class: make its sums, and settle which rules sleep until its end."""
        self.make_room(number)
        self.make_sums(number)
        self.settle_sleep(number)
        return 0

    cdef void settle_sleep(self, int32_t number) noexcept nogil:
        """Which rules this decision does not ask; the totals of the sums are there."""
        cdef const ClassTerms* mine = self.classes + number
        cdef uint32_t awake = 0
        cdef int32_t t, r
        self.asleep = 0
        for t in range(mine.hards):
            if not mine.hard[t].skip_when_empty:
                awake |= <uint32_t>1 << mine.hard[t].rule
            for r in range(mine.hard[t].first, mine.hard[t].first + mine.hard[t].refs):
                if self.sums[r].total != 0:
                    awake |= <uint32_t>1 << mine.hard[t].rule
            self.asleep |= <uint32_t>1 << mine.hard[t].rule
        self.asleep &= ~awake

    cdef void make_sums(self, int32_t number) noexcept nogil:
        """The sums of every ref of a class, as the fleet is now; after prepare() made room."""
        cdef const ClassTerms* mine = self.classes + number
        cdef const Ref* ref
        cdef Sum* made
        cdef int64_t* cells
        cdef int32_t r, t
        cells = self.scratch
        for r in range(mine.ref_count):
            ref = mine.refs + r
            made = self.sums + r
            made.values = cells
            if ref.key == HOST:
                made.total = self.counters.counters[ref.counter].total
                if ref.members >= 0:
                    self.add_up_hosts(ref, made)
                continue
            cells += self.domains.domain_count(ref.key) + 1
            self.add_up(ref, made)
        for t in range(mine.hards):
            r = mine.hard[t].first
            if mine.hard[t].op == SKEW and mine.refs[r].key == HOST:
                self.add_up_hosts(mine.refs + r, self.sums + r)

    cdef void add_up_hosts(self, const Ref* ref, Sum* made) noexcept nogil:
        """The sum of a ref at HOST: without `values`, each host's is its cell."""
        cdef Py_ssize_t host
        cdef int64_t cell
        made.total = made.existing = 0
        made.low = INT64_MAX
        for host in range(self.fleet.hosts):
            if self.counts(ref.members, host):
                cell = self.counters.cell(ref.counter, host)
                made.existing += 1
                made.total += cell
                made.low = min(made.low, cell)
        if made.existing == 0:
            made.low = 0

    cdef void add_up(self, const Ref* ref, Sum* made) noexcept nogil:
        cdef Py_ssize_t width = self.domains.domain_count(ref.key) + 1, host, d
        cdef const int32_t* ids = self.domains.ids.int32s(ref.key)
        cdef const int64_t* cells = self.counters.counters[ref.counter].cells
        memset(made.values, 0, width * sizeof(int64_t))
        memset(self.present, 0, width * sizeof(int64_t))
        for host in range(self.fleet.hosts):
            if self.counts(ref.members, host):
                self.present[ids[host] + 1] += 1
                if cells != NULL:
                    made.values[ids[host] + 1] += cells[host]
        made.total = made.existing = 0
        made.low = INT64_MAX
        for d in range(1, width):
            if self.present[d]:
                made.existing += 1
                made.total += made.values[d]
                made.low = min(made.low, made.values[d])
        if made.existing == 0:
            made.low = 0

    cdef int64_t value(self, int32_t number, int32_t ref, Py_ssize_t host) noexcept nogil:
        """The sum of a ref in the domain of a host; 0 without one."""
        cdef const Ref* mine = self.classes[number].refs + ref
        cdef int32_t domain
        if mine.key == HOST:
            return self.counters.cell(mine.counter, host) if self.counts(mine.members, host) else 0
        domain = self.domains.ids.int32s(mine.key)[host]
        return 0 if domain < 0 else self.sums[ref].values[domain + 1]

    # ---- hard terms ----------------------------------------------------------------------------------------

    cdef int32_t failing(self, int32_t number, int32_t term, Py_ssize_t host) noexcept nogil:
        """PASSES, FAILS or MISSES of one hard term on one host; after prepare()."""
        if self.asleep >> self.classes[number].hard[term].rule & 1:
            return PASSES
        return self.outcome(number, term, host)

    cdef Carry carry(self, int32_t number, int32_t term) noexcept nogil:
        """What an index does with a hard term. A FORBID may read hosts and domains: then it does both."""
        cdef const HardTerm* t = self.classes[number].hard + term
        cdef const Ref* refs = self.classes[number].refs
        cdef int32_t r
        cdef bint by_host = False, by_domain = False
        for r in range(t.first, t.first + t.refs):
            by_host = by_host or refs[r].key == HOST
            by_domain = by_domain or refs[r].key != HOST
        if t.op == DISTINCT:
            return INCREMENTAL
        if t.op == FORBID:
            return BUCKETED if by_domain else INCREMENTAL
        return INCREMENTAL if by_host and t.op == AT_MOST else BUCKETED

    cdef bint looks_alone(self, int32_t number, int32_t term) noexcept nogil:
        """May rejected_alone() be true of some host?"""
        cdef const HardTerm* t = self.classes[number].hard + term
        cdef int32_t r
        if t.op == FORBID:
            for r in range(t.first, t.first + t.refs):
                if self.classes[number].refs[r].key == HOST:
                    return True
            return False
        return self.carry(number, term) == INCREMENTAL

    cdef bint rejected_alone(self, int32_t number, int32_t term, Py_ssize_t host) noexcept nogil:
        """Does a hard term reject this host by the host's own cells alone? Sums are not read. Neither is whether the
        rule sleeps: only a FORBID can, and while it does its cells are 0.
        """
        cdef const HardTerm* t = self.classes[number].hard + term
        cdef const Ref* refs = self.classes[number].refs
        cdef int32_t r
        if not t.alone:
            return False
        if t.op == FORBID:
            for r in range(t.first, t.first + t.refs):
                if refs[r].key == HOST and self.value(number, r, host) > 0:
                    return True
            return False
        return self.outcome(number, term, host) != PASSES

    cdef int32_t outcome(self, int32_t number, int32_t term, Py_ssize_t host) noexcept nogil:
        """failing() of a rule that is awake."""
        cdef const ClassTerms* mine = self.classes + number
        cdef const HardTerm* t = mine.hard + term
        cdef int64_t low, fresh
        cdef int32_t r
        cdef Fitting fitting
        cdef bint all_there = True
        if t.op == FORBID:
            for r in range(t.first, t.first + t.refs):
                if self.value(number, r, host) > 0:
                    return FAILS
            return PASSES
        if t.op == DISTINCT:
            fresh = 0
            for r in range(t.first, t.first + t.refs):
                fresh += self.counters.cell(mine.refs[r].counter, host) == 0
            if fresh == 0:
                return PASSES
            fresh += self.counters.cell(t.held, host)
            return FAILS if fresh > self.fleet.capacity.int64s(t.resource)[host] else PASSES
        if t.op == POOL:
            fitting = self.pools.test(t.held, host, self.member_cells)
            return PASSES if fitting == FITS else FAILS if fitting == NO_ROW else MISSES
        for r in range(t.first, t.first + t.refs):
            if self.domain(mine.refs[r].key, host) < 0:
                return MISSES
        if t.op == REQUIRE:
            for r in range(t.first, t.first + t.refs):
                if self.value(number, r, host) <= 0:
                    all_there = False
            if all_there:
                return PASSES
            for r in range(t.first, t.first + t.refs):
                if self.sums[r].total > 0:
                    return FAILS
            return PASSES if t.self else FAILS
        if t.op == AT_MOST:
            return FAILS if self.value(number, t.first, host) + t.self > t.limit else PASSES
        low = self.sums[t.first].low if self.sums[t.first].existing >= t.least_domains else 0
        return FAILS if self.value(number, t.first, host) + t.self - low > t.limit else PASSES

    cdef void filter(self, int32_t number, int64_t* verdict) noexcept nogil:
        """Reject, among hosts with an open verdict, those that a hard term rejects; after prepare()."""
        cdef const ClassTerms* mine = self.classes + number
        cdef Py_ssize_t host
        cdef int32_t t
        for t in range(mine.hards):
            for host in range(self.fleet.hosts):
                if verdict[host] >= 0 and self.failing(number, t, host) != PASSES:
                    verdict[host] = -1

    cdef int commit(self, int32_t number, Py_ssize_t host) except -1 nogil:
        """An item of a class comes to a host: the claims of its POOL terms take their rows."""
        cdef const ClassTerms* mine = self.classes + number
        cdef int32_t t
        if mine.pools:
            for t in range(mine.hards):
                if mine.hard[t].op == POOL:
                    self.pools.commit(mine.hard[t].held, host, self.member_cells)
        return 0

    cdef const SoftTerm* soft_term(self, int32_t number, int32_t slot) noexcept nogil:
        """The class's data for one soft score, NULL if it has none."""
        cdef const ClassTerms* mine = self.classes + number
        cdef int32_t i
        for i in range(mine.softs):
            if mine.soft[i].slot == slot:
                return mine.soft + i
        return NULL

    # ---- state ---------------------------------------------------------------------------------------------

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        self.members = [(<Columns>column).resized(1, stride) for column in self.members]
        self.stride = stride
        self.point_at_members()
        return 0

    cdef int revert(self, const Change* change) except -1:
        (<Columns>self.members[<Py_ssize_t>change.what]).uint8s(0)[change.host] = <uint8_t>change.old
        return 0

    cpdef object save(self):
        return (
            self.stride,
            [(<Columns>column).copy() for column in self.members],
            [(list(hard), list(soft)) for hard, soft in self.definitions],
        )

    cpdef object restore(self, object saved):
        self.stride, self.members, definitions = saved
        for column in self.members:
            expect("terms", column, 1, self.stride, 1)
        self.point_at_members()
        for hard, soft in definitions:
            self.extend(self.new_class(), hard, soft)

    cpdef object check(self, object state):
        """Terms of rules, sums and sets that there are; refs lie one after another."""
        cdef Py_ssize_t number, i, counters = self.counters.count, keys = len(self.domains.keys)
        cdef const ClassTerms* mine
        cdef const Ref* ref
        if self.stride != self.fleet.stride or self.class_count != len(state.classes):
            raise ValueError("fleet: terms: damaged pickle: its counts do not agree")
        for number in range(self.class_count):
            mine = self.classes + number
            what = None
            for i in range(mine.ref_count):
                ref = mine.refs + i
                if not 0 <= ref.counter < counters or not HOST <= ref.key < keys or not (
                    -1 <= ref.members < len(self.members)
                ):
                    what = f"counter {ref.counter}, key {ref.key}, set {ref.members}"
                elif ref.max_skew < 1 or not -MOST_WEIGHT <= ref.weight <= MOST_WEIGHT:
                    what = f"a weight of {ref.weight}, a skew of {ref.max_skew}"
            for i in range(mine.hards):
                if not 0 <= mine.hard[i].rule < 32 or not self.means_something(mine.hard + i):
                    what = f"rule {mine.hard[i].rule}, operation {mine.hard[i].op}, {mine.hard[i].refs} sums"
            for i in range(mine.softs):
                if not 0 <= mine.soft[i].slot < 32:
                    what = f"slot {mine.soft[i].slot} of {mine.soft[i].refs} sums"
            if what is not None:
                raise ValueError(f"fleet: terms: damaged pickle: class {number} has {what}")

    cdef bint means_something(self, const HardTerm* term) noexcept:
        """Has a term the sums, the counter and the resource that its operation reads?"""
        if term.op == DISTINCT:
            return 0 <= term.held < self.counters.count and 0 <= term.resource < self.fleet.resources
        return term.refs > 0 if term.op in (AT_MOST, SKEW) else True


def rule_of(term):
    """Sort key: hard terms are asked in rule order, those of one rule in the order given."""
    return term["rule"]
