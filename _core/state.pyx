"""One fleet with all its stateful ideas: checkpoint, rollback, fork, pickling, and a look at the past."""

cimport cython
from binwright._core.columns cimport stride_for
from binwright._core.items cimport Ends, Item
from binwright._core.journal cimport Change, Idea
from binwright._core.overlays cimport Promise
from binwright._core.pools cimport PoolClaim, PoolRow
from binwright._core.request cimport RequestClass, Statics
from binwright._core.whole cimport check_forest, check_groups

cdef extern from "binwright/turns.h" nogil:
    int64_t bw_this_thread()
    int64_t bw_writer(const int64_t* writer)
    int bw_become_writer(int64_t* writer, int64_t thread)
    void bw_resign(int64_t* writer)
    int64_t bw_next(int64_t* last)


cdef str BUSY = "fleet: busy in another thread, or asking an external term; give each its own fork"
cdef enum:
    MOST_RESOURCES = 64

cdef int64_t last_token = 0    # of this process: a token of one fleet never fits another


# where in what an idea saves its length stands
cdef dict STRIDES = {
    "Classes": 0, "Counters": 0, "Items": 2, "Domains": 0, "DomainTerms": 0, "Forest": 2, "Window": 0, "FloatScores": 0,
}


class OutOfOrder(Exception):
    """A call that the present state does not allow; the API turns it into a StateError."""


@cython.final
cdef class State:
    """The ideas of one fleet of `resources` resources under the score terms `terms` and the rules of `rules`.

    One thread at a time: a second thread that enters while a batch runs is refused. Forks are independent.
    """

    def __cinit__(self, Py_ssize_t resources, Terms terms, tuple rules):
        self.journal = Journal()
        self.fleet = Fleet(self.journal, resources)
        self.classes = Classes(self.journal, self.fleet.stride)
        self.counters = Counters(self.journal, self.fleet.stride)
        self.externals = Externals(self.journal, self.fleet, self.classes)
        self.items = Items(self.journal, self.fleet, self.classes, self.counters, self.externals)
        self.domains = Domains(self.journal, self.fleet.stride)
        self.pools = Pools(self.journal)
        self.domain_terms = DomainTerms(self.journal, self.fleet, self.domains, self.counters, self.pools)
        self.overlays = Overlays(self.journal, self.fleet, self.classes, self.counters)
        self.budgets = Budgets(self.journal)
        self.forest = Forest(self.journal, self.fleet)
        self.search = Search(self.forest, self.fleet)
        self.window = Window(self.journal, self.fleet.stride)
        self.floats = FloatScores(self.journal, self.fleet, self.domain_terms, terms.float_specs)
        self.terms = terms
        self.rules = rules
        self.tokens = []
        self.writer = self.within = 0
        self.scan = Scan(
            self.fleet, terms, self.domain_terms, self.counters, self.overlays, self.search, self.externals,
            self.window, self.floats, *rules,
        )
        self.indexes = Indexes(self.journal, self.scan)

    cdef int enter(self) except -1:
        """Refuse while a batch runs, or another thread is in the middle of a change."""
        if self.journal.busy or bw_writer(&self.writer) not in (0, bw_this_thread()):
            raise OutOfOrder(BUSY)
        return 0

    def begin(self):
        """This thread begins a change of several steps: until `end` others are refused, and so is everybody while a
        batch runs. A change may consist of others.
        """
        self.enter()
        while not bw_become_writer(&self.writer, bw_this_thread()):
            self.enter()
        self.within += 1

    def end(self):
        """The change that was begun last is complete, or was given up."""
        self.within -= 1
        if self.within == 0:
            bw_resign(&self.writer)

    cdef int begin_batch(self) except -1:
        """Nobody may enter until end_batch, not even this thread: a batch runs without the GIL, or asks a term."""
        self.begin()
        self.journal.busy = True
        return 0

    cdef void end_batch(self) noexcept:
        self.journal.busy = False
        self.end()

    def check_idle(self):
        """Refuses while a batch runs: nothing may change under it, not even by an external term that it asks."""
        self.enter()

    def check_readable(self):
        """Refuses while another thread is inside a batch; external terms ask from the same one."""
        if self.journal.busy and bw_writer(&self.writer) != bw_this_thread():
            self.enter()

    def ideas(self):
        """Names of the registered stateful ideas, in order."""
        return [type(idea).__name__ for idea in self.journal.ideas]

    def add_class(self, RequestClass made, Statics statics, list externals):
        """Register a class in every idea that keeps something per class; returns its number."""
        self.enter()
        if made.groups is not None:
            self.forest.need_roots()
        self.externals.new_class(externals)
        self.counters.new_class()
        self.domain_terms.new_class()
        return self.classes.add(made, statics)

    def reserve(self, Py_ssize_t hosts):
        """Room for `hosts` host slots in every idea; doubles, so that adding one by one stays cheap."""
        cdef Py_ssize_t stride
        self.enter()
        if hosts > self.fleet.stride:
            stride = stride_for(hosts if self.fleet.hosts == 0 else max(hosts, 2 * self.fleet.stride))
            # the fleet, first in the registry, goes last: if memory runs out before, the next call tries again
            for idea in reversed(self.journal.ideas):
                (<Idea>idea).lengthen(stride)
            self.journal.widen_feed(stride)

    def checkpoint(self):
        """Remember this state; returns the token to give to rollback: how many checkpoints are open, and a number that
        no other checkpoint has.
        """
        cdef int64_t number
        self.enter()
        number = bw_next(&last_token)
        self.tokens.append(number)
        self.journal.checkpoints.append(self.journal.position)
        return len(self.tokens), number

    cdef int check_newest(self, str where, tuple token) except -1:
        """Refuse a token that is not the newest checkpoint's."""
        self.enter()
        if not self.tokens or token != (len(self.tokens), self.tokens[len(self.tokens) - 1]):
            raise OutOfOrder(f"{where}: this is not the newest open checkpoint of this fleet (last in, first out)")
        return 0

    def rollback(self, tuple token):
        """Return to the newest checkpoint, which closes it."""
        self.check_newest("rollback", token)
        self.begin_batch()
        try:
            self.journal.revert_to(self.journal.checkpoints[len(self.tokens) - 1])
            self.journal.checkpoints.pop()
            self.tokens.pop()
        finally:
            self.end_batch()

    def settle(self):
        """Raise what a hook of an external term raised meanwhile."""
        self.externals.settle()

    def keep(self, tuple token):
        """Close the newest checkpoint without returning to it."""
        self.check_newest("keep", token)
        self.journal.checkpoints.pop()
        self.tokens.pop()

    def fork(self):
        """An independent copy without history: no open checkpoints, no past decisions to explain."""
        cdef State other = State(self.fleet.resources, self.terms, self.rules)
        cdef int64_t position, serial
        self.enter()  # before the journal is read: another thread's batch may be writing it
        position = self.journal.position
        serial = self.journal.serial_before(position)
        for mine, theirs in zip(self.journal.ideas, other.journal.ideas):
            (<Idea>theirs).restore((<Idea>mine).save())
        if not self.is_at(position, serial):  # the fork of an external term let somebody in
            raise OutOfOrder(BUSY)
        other.journal.widen_feed(other.fleet.stride)
        other.scan.threads = self.scan.threads
        return other

    def moment(self):
        """Names the present state for good: (position, serial of the change before it); (-1, -1) while a batch runs,
        when nobody may begin what it could be for.
        """
        if self.journal.busy:
            return -1, -1
        return self.journal.position, self.journal.serial_before(self.journal.position)

    def reaches(self, tuple moment, int64_t later):
        """Does the journal still know the state `later` changes after `moment`? Not while a batch moves it."""
        position, serial = moment
        if self.journal.busy:
            return False
        return (
            position >= self.journal.first and position + later <= self.journal.position
            and self.journal.serial_before(position) == serial
        )

    cdef bint is_at(self, int64_t position, int64_t serial) noexcept:
        """Is this still the state of that moment, and nobody inside?"""
        return (
            not self.journal.busy and self.journal.position == position
            and self.journal.serial_before(position) == serial
        )

    def rewind(self, State origin, tuple now, tuple moment, int64_t later):
        """Take this fresh fork of `origin`, made at the moment `now`, back to the state `later` changes after
        `moment`, which origin reaches. Refused when origin has moved since.
        """
        cdef Change change
        cdef int64_t forked, serial, position, wanted = moment[0] + later
        forked, serial = now
        for position in range(forked, wanted, -1):
            if not origin.is_at(forked, serial):
                raise OutOfOrder(BUSY)
            change = origin.journal.entries[position - 1 - origin.journal.first]  # a copy: hooks may let others in
            (<Idea>self.journal.ideas[change.idea]).revert(&change)
        self.journal.feed_host(-1, True)

    def __reduce__(self):
        self.enter()
        return rebuild_state, (
            self.fleet.resources, self.terms, self.rules, self.layout(),
            [(<Idea>idea).save() for idea in self.journal.ideas],
        )

    def layout(self):
        """What the saved bytes of the ideas mean; a pickle of another layout cannot be read."""
        return self.ideas(), sizeof(Item), sizeof(Ends), sizeof(Promise), sizeof(PoolRow), sizeof(PoolClaim)


@cython.boundscheck(True)
cdef int check_strides(list saved, list names) except -1:
    """All ideas of a pickle hold columns of one length: that of the hosts' flags, which are there."""
    cdef Py_ssize_t i
    if len(saved) != len(names):
        raise ValueError(f"fleet: damaged pickle: {len(saved)} parts of {len(names)}")
    stride = saved[0][3].stride
    for i in range(len(names)):
        if names[i] in STRIDES and saved[i][STRIDES[names[i]]] != stride:
            raise ValueError(f"fleet: {names[i]}: damaged pickle: its lengths do not agree")
    return 0


def rebuild_state(Py_ssize_t resources, Terms terms, tuple rules, tuple layout, list saved):
    """A state from its pickled ideas. Raises ValueError, with one line, for a pickle of another layout, and for one
    whose contents no fleet could have.
    """
    cdef State state
    if not 0 <= resources <= MOST_RESOURCES:
        raise ValueError(f"fleet: damaged pickle: {resources} resources")
    state = State(resources, terms, rules)
    if layout != state.layout():
        raise ValueError("fleet: this pickle was made by another version of binwright")
    try:
        check_strides(saved, layout[0])
        for idea, kept in zip(state.journal.ideas, saved, strict=True):
            (<Idea>idea).restore(kept)
    except (TypeError, LookupError, OverflowError, AttributeError) as error:
        raise ValueError(f"fleet: damaged pickle: {error}") from None
    for idea in state.journal.ideas:
        (<Idea>idea).check(state)
    check_forest(state.forest, state.items)
    check_groups(state.forest, state.classes)
    state.journal.widen_feed(state.fleet.stride)
    return state
