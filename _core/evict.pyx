"""What must leave a host so that a request fits: the smallest set of less important items, found on trial.

Per host asked: take out every item of lower priority; if the request then fits, put them back in order of importance,
those whose budgets are exhausted first, as long as it still fits. The rest are the victims. Everything is put back.
Quiet: it ends in the state that it began in and notes nothing, also when memory runs out midway.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free, malloc

from binwright._core.items cimport item_id
from binwright._core.request cimport ClassView
from binwright._core.scan cimport Refusal
from binwright._core.state cimport State

CANDIDATE = 0
NOTHING_TO_EVICT = 1
STILL_REFUSED = 2
NOTHING_LEFT_TO_EVICT = 3


@cython.final
cdef class Trial:
    """Items of one host that are taken out and put back on trial; whatever happens, `end` puts all of them back."""

    cdef State state
    cdef Py_ssize_t host
    cdef int32_t* slots
    cdef uint8_t* out         # 1 = taken out
    cdef Py_ssize_t count
    cdef int32_t* flags       # (counters,) of the host before

    def __cinit__(self, State state, Py_ssize_t host, list slots):
        self.slots = NULL
        self.out = NULL
        self.flags = NULL
        self.state = state
        self.host = host
        self.count = 0
        self.slots = <int32_t*>malloc((len(slots) + 1) * sizeof(int32_t))
        self.out = <uint8_t*>calloc(len(slots) + 1, 1)
        self.flags = <int32_t*>malloc((state.counters.count + 1) * sizeof(int32_t))
        if self.slots == NULL or self.out == NULL or self.flags == NULL:
            raise MemoryError("evict")
        for slot in slots:
            self.slots[self.count] = slot
            self.count += 1
        state.counters.remember_flags(host, self.flags)

    def __dealloc__(self):
        free(self.slots)
        free(self.out)
        free(self.flags)

    cdef void move(self, Py_ssize_t i, int32_t sign) noexcept nogil:
        """Take item i out (-1) or put it back (1); its place in the host's list is not touched."""
        cdef int32_t slot = self.slots[i], request = self.state.items.records[slot].request
        self.state.fleet.add_use(self.host, self.state.classes.views[request].commit, sign)
        self.state.counters.try_out(request, self.host, sign)
        self.state.forest.try_out(slot, sign)
        self.out[i] = sign < 0

    cdef void end(self) noexcept nogil:
        """The host as it was; flags by their values, as two holders may share one."""
        cdef Py_ssize_t i
        for i in range(self.count):
            if self.out[i]:
                self.move(i, 1)
        self.state.counters.recall_flags(self.host, self.flags)


cdef Refusal asked(State state, const ClassView* view, Py_ssize_t host) noexcept nogil:
    state.domain_terms.make_sums(view.number)
    return state.scan.refusal(view, host)


cdef tuple rank(State state, int32_t slot):
    """Sort key of a slot, most important first: higher priority, then lower order."""
    return -<int64_t>state.items.records[slot].priority, state.items.records[slot].order  # -2**31 has no opposite


cdef list less_important(State state, int32_t priority, Py_ssize_t host):
    """Slots of the host's items of lower priority, most important first; equals in their order on the host."""
    cdef int32_t slot = state.items.ends[host].first
    cdef list found = []
    while slot >= 0:
        if state.items.records[slot].priority < priority:
            found.append((rank(state, slot), len(found), slot))
        slot = state.items.records[slot].next
    return [entry[2] for entry in sorted(found)]


cdef tuple split_by_budget(State state, list slots):
    """(places in `slots` of items whose eviction would overdraw a budget, places of the others), walking in order with
    a running allowance.
    """
    cdef list overdrawn = [], covered = []
    cdef dict left = {}
    for i, slot in enumerate(slots):
        violates = False
        number = state.items.records[<Py_ssize_t>slot].budgets
        for budget in state.budgets.lists[number] if number >= 0 else ():
            left[budget] = left.get(budget, state.budgets.allowance[<Py_ssize_t>budget]) - 1
            violates = violates or left[budget] < 0
        (overdrawn if violates else covered).append(i)
    return overdrawn, covered


cdef tuple try_host(State state, const ClassView* view, Py_ssize_t host):
    """(status, victims most important first as slots, violations, refusal that remains)."""
    cdef list slots = less_important(state, view.priority, host)
    if not slots:
        return NOTHING_TO_EVICT, [], 0, None
    cdef Trial trial = Trial(state, host, slots)
    try:
        return find_victims(state, view, host, slots, trial)
    finally:
        trial.end()


cdef tuple find_victims(State state, const ClassView* view, Py_ssize_t host, list slots, Trial trial):
    """The same, leaving some items taken out."""
    cdef list victims = []
    cdef Py_ssize_t i
    cdef Refusal refusal
    for i in range(trial.count):
        trial.move(i, -1)
    refusal = asked(state, view, host)
    if refusal.mask:
        return STILL_REFUSED, [], 0, (refusal.first, refusal.mask, refusal.short, refusal.argument, refusal.resolvable)
    overdrawn, covered = split_by_budget(state, slots)
    violations = 0
    for i in overdrawn + covered:
        trial.move(i, 1)
        if asked(state, view, host).mask:
            trial.move(i, -1)
            victims.append(slots[i])
            violations += i in overdrawn
    if overdrawn and covered:  # as the peer: those of overdrawn budgets first among equals
        victims = [slot for _, _, slot in sorted((rank(state, slot), i, slot) for i, slot in enumerate(victims))]
    return (CANDIDATE if victims else NOTHING_LEFT_TO_EVICT), victims, violations, None


def evict(State state, int32_t number, const int64_t[::1] hosts):
    """For each host: (host, status, victims as [(item, priority, order)] most important first, violations, refusal).

    `refusal` is (first rule, mask, short, argument, resolvable) where the request is still refused, else None.
    """
    cdef const ClassView* view = state.classes.views + number
    cdef Py_ssize_t i, host
    cdef int32_t slot
    cdef list found = []
    state.enter()
    state.scan.make_room()
    state.scan.ask_externals(view)
    state.domain_terms.prepare(number)
    for i in range(hosts.shape[0]):
        host = hosts[i]
        status, slots, violations, refusal = try_host(state, view, host)
        victims = [
            (item_id(state.items, slot), state.items.records[slot].priority, state.items.records[slot].order)
            for slot in slots
        ]
        found.append((host, status, victims, violations, refusal))
    return found


def mark(State state, const int64_t[::1] items, const int64_t[::1] priority, const int64_t[::1] order, list budgets):
    """Say how important items are; arrays and `budgets` (lists of budget numbers) of one length, checked by the
    caller. Returns -1, or the index of the first id that is not a live item, with nothing changed.
    """
    cdef Py_ssize_t i
    cdef int64_t start = state.journal.position
    state.enter()
    for i in range(items.shape[0]):
        if state.items.find(items[i]) == NULL:
            state.journal.revert_to(start)
            return i
        state.items.mark(items[i], <int32_t>priority[i], order[i], state.budgets.list_number(budgets[i]))
    return -1
