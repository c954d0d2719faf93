"""The plain exact evaluation of every host: filter, score, normalise, pick the highest total, lowest index first."""

cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from binwright._core.domain_terms cimport MISSES, PASSES, ClassTerms, HardTerm, SoftTerm
from binwright._core.fleet cimport ABSENT
from binwright._core.float_scores cimport bits_of
from binwright._core.kernels cimport BW_BLOCK, K
from binwright._core.request cimport LIMITS, Classes
from binwright._core.search cimport FOUND, LIMIT, NONE, Answer
from binwright._core.spread cimport count_scores, spread_scores
from binwright._core.terms cimport COUNT, SPREAD, STATIC, Term

cdef int64_t[BW_BLOCK] zeros
memset(zeros, 0, sizeof(zeros))


@cython.final
cdef class Scan:
    """Evaluates requests over one fleet under one profile. Holds scratch memory only."""

    def __cinit__(
        self, Fleet fleet, Terms terms, DomainTerms domain_terms, Counters counters, Overlays overlays,
        Search search, Externals externals, Window window, FloatScores floats, int cordon_rule, int fit_rule,
        uint32_t resolvable, uint64_t always_resolvable, int rows_rule,
    ):
        self.verdict = self.total = self.open = self.raw = self.score = NULL
        self.room = 0
        self.threads = 1
        self.fleet = fleet
        self.terms = terms
        self.search = search
        self.rows_rule = rows_rule
        self.domain_terms = domain_terms
        self.counters = counters
        self.overlays = overlays
        self.externals = externals
        self.window = window
        self.floats = floats
        self.floating = terms.float_specs is not None
        self.kept_flags = NULL
        self.kept_room = 0
        self.cordon_rule = cordon_rule
        self.fit_rule = fit_rule
        self.resolvable = resolvable
        self.always_resolvable = always_resolvable
        self.make_room()

    def __dealloc__(self):
        free(self.verdict)
        free(self.total)
        free(self.open)
        free(self.raw)
        free(self.score)
        free(self.kept_flags)

    cdef int make_room(self) except -1:
        """Scratch for as many hosts and counters as there are; called before a batch."""
        if self.counters.count > self.kept_room:
            free(self.kept_flags)
            self.kept_room = 0
            self.kept_flags = <int32_t*>malloc(2 * self.counters.count * sizeof(int32_t))
            if self.kept_flags == NULL:
                raise MemoryError("scan scratch")
            self.kept_room = 2 * self.counters.count
        cdef Py_ssize_t stride = self.fleet.stride
        self.search.make_room()
        if stride <= self.room:
            return 0
        free(self.verdict)
        free(self.total)
        free(self.open)
        free(self.raw)
        free(self.score)
        self.raw = self.score = NULL
        self.verdict = <int64_t*>malloc(stride * sizeof(int64_t))
        self.total = <int64_t*>malloc(stride * sizeof(int64_t))
        self.open = <int64_t*>malloc(stride // BW_BLOCK * sizeof(int64_t))
        self.room = 0
        if self.verdict == NULL or self.total == NULL or self.open == NULL:
            raise MemoryError("scan scratch")
        if self.terms.soft_slots:
            self.raw = <int64_t*>malloc(stride * sizeof(int64_t))
            self.score = <int64_t*>malloc(stride * sizeof(int64_t))
            if self.raw == NULL or self.score == NULL:
                raise MemoryError("scan scratch")
        self.room = stride
        return 0

    # ---- one decision --------------------------------------------------------------------------------------

    cdef int choose(self, const ClassView* view, Choice* choice, bint move_window) except -1 nogil:
        """The feasible host of highest total, lowest index first. Looking without placing leaves the window."""
        self.ask_externals(view)
        self.filter_all(view)
        self.apply_domain_terms(view)
        if view.plan != NULL:
            self.ask_rows(view)
        if self.overlays.live:
            self.settle_promises(view)
        if self.window.stop:
            self.window.look(self.verdict, self.fleet.hosts, move_window)
            self.count_all()
        if self.floating:
            choice.host = self.floats.choose(view, self.verdict)
            choice.score = -1 if choice.host < 0 else bits_of(self.floats.total[choice.host])
            return 0
        self.local_totals(view)
        if not self.terms.local:
            self.add_normalised(view)
        choice[0] = self.best()
        return 0

    cdef void filter_all(self, const ClassView* view) noexcept nogil:
        cdef Py_ssize_t block, start, f
        cdef int64_t* verdict
        cdef int32_t resource
        for block in range(self.fleet.blocks()):
            start = block * BW_BLOCK
            verdict = self.verdict + start
            K.open_hosts(self.fleet.flags.uint8s(0) + start, verdict)
            if view.mask != NULL:
                K.reject(view.mask + start, verdict)
            for f in range(view.filters):
                resource = view.filtered[f]
                K.fit(
                    self.fleet.capacity.int64s(resource) + start, self.fleet.used.int64s(resource) + start,
                    view.fit[resource], verdict,
                )
            self.open[block] = K.count_open(verdict)
    cdef void ask_rows(self, const ClassView* view) noexcept nogil:
        """Close the open hosts that have no rows for the groups."""
        cdef Py_ssize_t block, host
        for block in range(self.fleet.blocks()):
            if self.open[block] == 0:
                continue
            for host in range(block * BW_BLOCK, (block + 1) * BW_BLOCK):
                if self.verdict[host] < 0:
                    continue
                if self.search.solve(view.plan, view.fit, host, False, False) != FOUND:
                    self.verdict[host] = -1
                    self.open[block] -= 1

    cdef int apply_domain_terms(self, const ClassView* view) except -1 nogil:
        """Make the sums that this decision reads, and reject what its hard terms reject."""
        self.domain_terms.prepare(view.number)
        if self.domain_terms.classes[view.number].hards:
            self.domain_terms.filter(view.number, self.verdict)
            self.count_all()
        return 0

    cdef void settle_promises(self, const ClassView* view) noexcept nogil:
        """Reject open hosts that do not fit with the promises of at least this priority added."""
        cdef Py_ssize_t i
        cdef int32_t host
        for i in range(self.overlays.count):
            host = self.overlays.promises[i].host
            if self.overlays.promises[i].request < 0 or self.verdict[host] < 0:
                continue
            if self.overlays.concerns(host, view.priority) and self.refusal_with_promises(view, host).mask:
                self.verdict[host] = -1
        self.count_all()

    cdef void count_all(self) noexcept nogil:
        """How many hosts of each block are open, after verdicts changed."""
        cdef Py_ssize_t block
        for block in range(self.fleet.blocks()):
            self.open[block] = K.count_open(self.verdict + block * BW_BLOCK)

    cdef int ask_externals(self, const ClassView* view) except -1 nogil:
        """Let the class's external terms write their columns."""
        if self.externals.concerned[view.number]:
            with gil:
                self.externals.refresh(view.number)
        return 0

    cdef bint idle(self, Py_ssize_t term, const ClassView* view) noexcept nogil:
        """Is this term not run for the class, or has it nothing to count? After prepare()."""
        cdef const Term* mine = self.terms.terms + term
        cdef const SoftTerm* soft
        cdef int32_t r
        if view.skips >> term & 1:
            return True
        if mine.kind not in (COUNT, SPREAD):
            return False
        soft = self.domain_terms.soft_term(view.number, mine.slot)
        if soft == NULL:
            return True
        if mine.kind == SPREAD:
            return False
        for r in range(soft.first, soft.first + soft.refs):
            if self.domain_terms.sums[r].total != 0:
                return False
        return True

    cdef void soft_scores(self, Py_ssize_t term, const ClassView* view) noexcept nogil:
        """Fill `raw` and `score` with a COUNT or SPREAD term of this decision."""
        cdef const Term* mine = self.terms.terms + term
        cdef Extremes extremes
        cdef Py_ssize_t block, start
        if mine.kind == SPREAD:
            spread_scores(self.domain_terms, view.number, mine.slot, self.verdict, self.raw, self.score)
            return
        count_scores(self.domain_terms, view.number, mine.slot, self.raw)
        extremes = self.extremes(self.raw)
        for block in range(self.fleet.blocks()):
            start = block * BW_BLOCK
            self.terms.normalise_block(term, self.raw + start, &extremes, self.score + start)

    cdef void local_totals(self, const ClassView* view) noexcept nogil:
        """Totals of the terms that look at one host alone; rejected hosts are closed."""
        cdef Py_ssize_t block, start, t
        cdef int64_t* total
        cdef int64_t[BW_BLOCK] score
        for block in range(self.fleet.blocks()):
            if self.open[block] == 0:
                continue
            start = block * BW_BLOCK
            total = self.total + start
            memset(total, 0, BW_BLOCK * sizeof(int64_t))
            for t in range(self.terms.count):
                if view.skips >> t & 1 or self.terms.terms[t].kind in (COUNT, SPREAD):
                    continue
                if self.terms.terms[t].kind == STATIC and self.terms.terms[t].normaliser:
                    continue
                if self.terms.terms[t].kind == STATIC:
                    if view.raw[self.terms.terms[t].slot] != NULL:
                        K.add(view.raw[self.terms.terms[t].slot] + start, self.terms.terms[t].weight, total)
                    continue
                self.terms.score_block(t, self.fleet, view, start, score)
                K.add(score, self.terms.terms[t].weight, total)
            K.close(self.verdict + start, total)

    cdef void add_normalised(self, const ClassView* view) noexcept nogil:
        """Totals of the terms whose normaliser looks at all feasible hosts."""
        cdef Py_ssize_t block, start, t
        cdef int64_t[BW_BLOCK] score
        cdef const int64_t* raw
        cdef const int64_t* block_raw
        cdef Extremes extremes
        for t in range(self.terms.count):
            if self.idle(t, view):
                continue
            if self.terms.terms[t].kind in (COUNT, SPREAD):
                self.soft_scores(t, view)
                for block in range(self.fleet.blocks()):
                    if self.open[block]:
                        start = block * BW_BLOCK
                        K.add(self.score + start, self.terms.terms[t].weight, self.total + start)
                        K.close(self.verdict + start, self.total + start)
                continue
            if self.terms.terms[t].kind != STATIC or not self.terms.terms[t].normaliser:
                continue
            raw = view.raw[self.terms.terms[t].slot]
            extremes = self.extremes(raw)
            for block in range(self.fleet.blocks()):
                if self.open[block] == 0:
                    continue
                start = block * BW_BLOCK
                block_raw = <const int64_t*>&zeros[0] if raw == NULL else raw + start
                self.terms.normalise_block(t, block_raw, &extremes, score)
                K.add(score, self.terms.terms[t].weight, self.total + start)
                K.close(self.verdict + start, self.total + start)

    cdef Extremes extremes(self, const int64_t* raw) noexcept nogil:
        """Smallest and largest raw score over the feasible hosts; 0 and 0 without a column or a host."""
        cdef Extremes found
        cdef Py_ssize_t block, start
        found.low = INT64_MAX
        found.high = INT64_MIN
        if raw != NULL:
            for block in range(self.fleet.blocks()):
                if self.open[block]:
                    start = block * BW_BLOCK
                    found.high = K.raw_max(raw + start, self.verdict + start, found.high)
                    found.low = K.raw_min(raw + start, self.verdict + start, found.low)
        if found.high == INT64_MIN:
            found.low = found.high = 0
        return found

    cdef Choice best(self) noexcept nogil:
        cdef Choice choice
        cdef Py_ssize_t block, start, i
        cdef int64_t highest
        choice.host = choice.score = -1
        for block in range(self.fleet.blocks()):
            if self.open[block] == 0:
                continue
            start = block * BW_BLOCK
            highest = K.highest(self.total + start)
            if highest <= choice.score:
                continue
            choice.score = highest
            i = start
            while self.total[i] != highest:
                i += 1
            choice.host = i
        return choice

    # ---- refusals ------------------------------------------------------------------------------------------

    cdef Refusal refusal(self, const ClassView* view, Py_ssize_t host) noexcept nogil:
        """Everything that rejects one host, and whether releasing items could lift the first rejection. A promised
        host is asked twice, with the promises added and without; the first failing run speaks.
        """
        cdef Refusal found
        if self.overlays.live and self.overlays.concerns(host, view.priority):
            found = self.refusal_with_promises(view, host)
            if found.mask:
                return found
        return self.refusal_as_it_is(view, host)

    cdef Refusal refusal_with_promises(self, const ClassView* view, Py_ssize_t host) noexcept nogil:
        cdef Refusal found
        self.promise(view, host, 1)
        found = self.refusal_as_it_is(view, host)
        self.promise(view, host, -1)
        return found

    cdef void promise(self, const ClassView* view, Py_ssize_t host, int32_t sign) noexcept nogil:
        """Add what concerns this class of what is promised on one host (1), or take just that away again (-1)."""
        if sign > 0:
            self.counters.remember_flags(host, self.kept_flags)
        self.overlays.apply(host, view.priority, sign)
        if sign < 0:
            self.counters.recall_flags(host, self.kept_flags)
        self.domain_terms.make_sums(view.number)

    cdef Refusal refusal_as_it_is(self, const ClassView* view, Py_ssize_t host) noexcept nogil:
        cdef Refusal found
        cdef Py_ssize_t f
        cdef int32_t resource
        cdef uint8_t flags = self.fleet.flags.uint8s(0)[host]
        cdef uint32_t rest
        cdef int64_t capacity
        cdef bint claimable, too_small, misses
        cdef int32_t t
        cdef Answer rows = FOUND
        cdef const ClassTerms* mine = self.domain_terms.classes + view.number
        cdef const HardTerm* term = NULL
        found.mask = 0
        found.short = 0
        found.first = FEASIBLE
        found.resolvable = False
        found.argument = -1
        if flags & ABSENT:
            found.first = GONE
            return found
        if view.mask != NULL:
            found.mask = view.mask[host]
        too_small = False
        found.mask &= ~(<uint32_t>1 << LIMITS)
        if flags:
            found.mask |= <uint32_t>1 << self.cordon_rule
        for f in range(view.filters):
            resource = view.filtered[f]
            claimable = self.fleet.claimable(host, resource, view.fit[resource])
            capacity = self.fleet.capacity.int64s(resource)[host]
            if claimable and view.fit[resource] <= capacity - self.fleet.used.int64s(resource)[host]:
                continue
            found.short |= <uint64_t>1 << resource
            if not claimable or view.fit[resource] > capacity and not self.always_resolvable >> resource & 1:
                too_small = True
        if found.short:
            found.mask |= <uint32_t>1 << self.fit_rule
        for t in range(mine.hards):
            if self.domain_terms.failing(view.number, t, host) != PASSES:
                found.mask |= <uint32_t>1 << mine.hard[t].rule
                if term == NULL:
                    term = mine.hard + t
        if view.plan != NULL:
            rows = self.search.solve(view.plan, view.fit, host, False, False)
            if rows != FOUND:
                found.mask |= <uint32_t>1 << self.rows_rule
        if found.mask == 0:
            return found
        found.first = 0
        rest = found.mask
        while not rest & 1:
            rest >>= 1
            found.first += 1
        if found.first == self.fit_rule:
            found.resolvable = not too_small
        elif found.first == self.rows_rule:
            found.argument = LIMIT if rows == LIMIT else -1
            found.resolvable = rows == LIMIT or self.search.solve(view.plan, view.fit, host, False, True) != NONE
        elif term != NULL and term.rule == found.first:
            misses = self.domain_terms.failing(view.number, <int32_t>(term - mine.hard), host) == MISSES
            found.argument = term.missing if misses else term.argument
            found.resolvable = term.missing_resolvable if misses else term.resolvable
        else:
            found.resolvable = self.resolvable >> found.first & 1
        return found

    cdef Verdict verdict_without_host(self, const ClassView* view) noexcept nogil:
        """The verdict where no host that was asked is feasible."""
        cdef Py_ssize_t host
        for host in range(self.fleet.hosts):
            if self.window.stop and not self.window.visited[host]:
                continue
            if self.refusal(view, host).resolvable:
                return UNSCHEDULABLE
        return UNRESOLVABLE

    # ---- the whole table, on demand ------------------------------------------------------------------------

    def refusals(
        self, Classes classes, Py_ssize_t number, uint8_t[::1] first, uint32_t[::1] mask, uint64_t[::1] short,
        uint8_t[::1] resolvable, int32_t[::1] argument,
    ):
        """Fill, for every host slot, the fields of its Refusal; all arrays (hosts,)."""
        cdef Refusal found
        cdef Py_ssize_t host
        cdef const ClassView* view = classes.views + number
        cdef Choice choice
        self.make_room()
        with nogil:
            self.choose(view, &choice, False)
            for host in range(self.fleet.hosts):
                found = self.refusal(view, host)
                if self.window.stop and found.first != GONE and not self.window.visited[host]:
                    found.first = UNASKED
                    found.mask = found.short = 0
                    found.resolvable = False
                first[host] = found.first
                mask[host] = found.mask
                short[host] = found.short
                resolvable[host] = found.resolvable
                argument[host] = found.argument

    def term_reasons(self, Classes classes, Py_ssize_t number, Py_ssize_t host):
        """[(rule, argument, resolvable)] of the first failing domain term of each rule that rejects one host, in the
        run that speaks.
        """
        cdef const ClassTerms* mine = self.domain_terms.classes + number
        cdef const ClassView* view = classes.views + number
        cdef int32_t t, outcome
        cdef list found = []
        cdef bint promised
        self.make_room()
        self.domain_terms.prepare(<int32_t>number)
        promised = self.overlays.concerns(host, view.priority) and self.refusal_with_promises(view, host).mask != 0
        if promised:
            self.promise(view, host, 1)
        for t in range(mine.hards):
            outcome = self.domain_terms.failing(<int32_t>number, t, host)
            if outcome == PASSES or found and found[len(found) - 1][0] == mine.hard[t].rule:
                continue
            if outcome == MISSES:
                found.append((mine.hard[t].rule, mine.hard[t].missing, bool(mine.hard[t].missing_resolvable)))
            else:
                found.append((mine.hard[t].rule, mine.hard[t].argument, bool(mine.hard[t].resolvable)))
        if promised:
            self.promise(view, host, -1)
        return found

    def term_arguments(self, Classes classes, Py_ssize_t number, int rule, int32_t[::1] arguments):
        """Fill, for every host slot, what the first failing domain term of one rule says, in the run that speaks; -1
        where none fails.
        """
        cdef const ClassTerms* mine = self.domain_terms.classes + number
        cdef const ClassView* view = classes.views + number
        cdef Py_ssize_t host
        cdef int32_t t, outcome
        cdef bint promised
        self.make_room()
        self.domain_terms.prepare(<int32_t>number)
        for host in range(self.fleet.hosts):
            arguments[host] = -1
            promised = self.overlays.concerns(host, view.priority) and self.refusal_with_promises(view, host).mask != 0
            if promised:
                self.promise(view, host, 1)
            for t in range(mine.hards):
                outcome = PASSES if mine.hard[t].rule != rule else self.domain_terms.failing(<int32_t>number, t, host)
                if outcome != PASSES:
                    arguments[host] = mine.hard[t].missing if outcome == MISSES else mine.hard[t].argument
                    break
            if promised:
                self.promise(view, host, -1)

    def row_answers(self, Classes classes, Py_ssize_t number, uint8_t[::1] answers):
        """Fill, for every host slot, whether its rows serve the groups of a class: 0 no, 1 yes, 2 limit reached."""
        cdef Py_ssize_t host
        cdef const ClassView* view = classes.views + number
        self.make_room()
        with nogil:
            for host in range(self.fleet.hosts):
                answers[host] = FOUND if view.plan == NULL else self.search.solve(
                    view.plan, view.fit, host, False, False
                )

    def awake(self, Classes classes, Py_ssize_t number):
        """(rules with domain terms that a decision of this class asks now, scores that it runs), as bits."""
        cdef const ClassView* view = classes.views + number
        cdef const ClassTerms* mine = self.domain_terms.classes + number
        cdef int32_t t
        cdef uint32_t rules = 0, scores = 0
        self.domain_terms.prepare(<int32_t>number)
        for t in range(mine.hards):
            rules |= <uint32_t>1 << mine.hard[t].rule
        for t in range(self.terms.count):
            scores |= <uint32_t>(not self.idle(t, view)) << t
        return rules & ~self.domain_terms.asleep, scores

    def evaluate(
        self, Classes classes, Py_ssize_t number, int64_t[:, ::1] raw, int64_t[:, ::1] normalised, int64_t[::1] total,
    ):
        """Fill the raw and normalised score of every term (terms, stride) and the totals (stride,); -1 in `total`
        = not feasible, where the other two mean nothing. Skipped terms stay as they are.
        """
        cdef Py_ssize_t block, start, t, i
        cdef const int64_t* column
        cdef Extremes extremes
        cdef Choice choice
        cdef const ClassView* view = classes.views + number
        self.make_room()
        with nogil:
            self.choose(view, &choice, False)
            for block in range(self.fleet.blocks()):
                start = block * BW_BLOCK
                for i in range(start, start + BW_BLOCK):
                    total[i] = self.total[i] if self.open[block] else -1
            for t in range(self.terms.count):
                if self.idle(t, view):
                    continue
                if self.terms.terms[t].kind in (COUNT, SPREAD):
                    self.soft_scores(t, view)
                    for i in range(self.fleet.hosts):
                        raw[t, i] = self.raw[i]
                        normalised[t, i] = self.score[i]
                    continue
                column = NULL
                if self.terms.terms[t].kind == STATIC:
                    column = view.raw[self.terms.terms[t].slot]
                    extremes = self.extremes(column)
                for block in range(self.fleet.blocks()):
                    start = block * BW_BLOCK
                    if self.terms.terms[t].kind != STATIC:
                        self.terms.score_block(t, self.fleet, view, start, &raw[t, start])
                        for i in range(start, start + BW_BLOCK):
                            normalised[t, i] = raw[t, i]
                        continue
                    for i in range(start, start + BW_BLOCK):
                        raw[t, i] = 0 if column == NULL else column[i]
                    self.terms.normalise_block(t, &raw[t, start], &extremes, &normalised[t, start])

    def evaluate_floats(
        self, Classes classes, Py_ssize_t number, double[:, ::1] raw, double[:, ::1] normalised, double[::1] total,
    ):
        """The same for a float64 profile; hosts that are not feasible stay as they are."""
        cdef Py_ssize_t t, host
        cdef Choice choice
        cdef const ClassView* view = classes.views + number
        self.make_room()
        with nogil:
            self.choose(view, &choice, False)
            for host in range(self.fleet.hosts):
                if self.verdict[host] >= 0:
                    total[host] = self.floats.total[host]
            for t in range(self.floats.count):
                if view.skips >> t & 1:
                    continue
                self.floats.fill_raw(t, view, self.verdict)
                for host in range(self.fleet.hosts):
                    if self.verdict[host] >= 0:
                        raw[t, host] = self.floats.raw[host]
                self.floats.normalise(t, self.verdict)
                for host in range(self.fleet.hosts):
                    if self.verdict[host] >= 0:
                        normalised[t, host] = self.floats.raw[host]
