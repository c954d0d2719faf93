"""One request after another: choose a host, commit, next; and items that are claimed or released by hand.

All of them are steps of a guarded batch: nobody else enters meanwhile, Ctrl-C is heard, and what raises (an external
term, memory, Ctrl-C) or fails is taken back whole.
"""

from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t, uint8_t

from binwright._core.decided cimport Decided, decided
from binwright._core.index cimport IndexView
from binwright._core.items cimport Item
from binwright._core.journal cimport low_half
from binwright._core.request cimport ClassView
from binwright._core.row_claims cimport claim_rows
from binwright._core.scan cimport ERROR, PLACED, Choice
from binwright._core.search cimport FOUND

cdef enum:
    A_STEP = 32             # work of a step that looks at few hosts, in hosts scanned
    AHEAD = 1 << 18         # changes and items for which a batch makes room at once
    UNHEARD_WORK = 1 << 24  # between two looks for Ctrl-C: some hundredths of a second


cdef int hear_signals(Batch* batch) except -1 nogil:
    if batch.work > UNHEARD_WORK:
        batch.work = 0
        with gil:
            PyErr_CheckSignals()
    return 0


cdef Py_ssize_t guarded(State state, Step step, Batch* batch) except -2:
    """Take the steps 0, 1 ... of a batch. Returns -1; or the number of a step that failed, with nothing changed and
    `batch.failed` saying why.
    """
    cdef Py_ssize_t i, failed = -1
    cdef int64_t start = state.journal.position
    state.begin_batch()
    batch.work = 0
    try:
        state.scan.make_room()
        state.indexes.make_room(len(state.classes))
        state.journal.make_room(min(batch.count, AHEAD))
        if step != release_step:
            state.items.make_room(min(batch.count, AHEAD) - state.items.spares)
        with nogil:
            for i in range(batch.count):
                hear_signals(batch)
                batch.failed = step(state, batch, i)
                if batch.failed:
                    failed = i
                    break
        if failed >= 0:
            state.journal.revert_to(start)
        state.externals.settle()
    except BaseException:
        state.indexes.clear()  # one may have been left half made
        state.journal.revert_to(start)
        state.externals.error = None  # what hooks raise meanwhile is not what failed
        raise
    finally:
        state.end_batch()
    state.journal.trim()
    return failed


cdef int settle(State state, int64_t number) except -1 nogil:
    """Raise what a hook of the class's external terms raised."""
    if state.externals.concerned[number]:
        with gil:
            state.externals.settle()
    return 0


cdef int place_one(State state, Batch* batch, Py_ssize_t i, int32_t number, bint soon) except -1 nogil:
    """Decision i of a batch. soon: more of this class follow."""
    cdef const ClassView* view = state.classes.views + number
    cdef Choice choice
    cdef bint indexed
    batch.positions[i] = state.journal.position
    batch.work += A_STEP
    indexed = state.indexes.choose(view, &choice, soon)
    batch.work += state.indexes.spent
    if not indexed:
        batch.work += state.fleet.hosts
        state.scan.choose(view, &choice, True)
    batch.hosts[i] = choice.host
    batch.scores[i] = choice.score
    batch.items[i] = -1
    if choice.host < 0:
        return refuse(state, batch, i, view, indexed)
    if view.commits_more and state.fleet.use_would_overflow(choice.host, view.commit):
        batch.hosts[i] = batch.scores[i] = -1
        batch.verdicts[i] = ERROR
        return DONE
    if view.plan != NULL:
        state.search.solve(view.plan, view.fit, choice.host, True, False)
    if state.domain_terms.classes[number].pools:
        state.domain_terms.commit(number, choice.host)
    batch.items[i] = state.items.place(number, <int32_t>choice.host)
    if view.plan != NULL:
        claim_rows(state.search, state.forest, low_half(batch.items[i]))
    batch.verdicts[i] = PLACED
    return settle(state, number)


cdef int refuse(State state, Batch* batch, Py_ssize_t i, const ClassView* view, bint indexed) except -1 nogil:
    """The verdict of a decision that found no host: it comes from the scan, and an index remembers it."""
    cdef IndexView* index = state.indexes.standing[view.number].index if indexed else NULL
    cdef Choice choice
    if index != NULL and index.refused_at == state.journal.fed:
        batch.verdicts[i] = <uint8_t>index.refusal
        return DONE
    batch.work += 8 * state.fleet.hosts
    if index != NULL:
        state.scan.choose(view, &choice, True)
        index.refused_at = state.journal.fed
    batch.verdicts[i] = state.scan.verdict_without_host(view)
    if index != NULL:
        index.refusal = batch.verdicts[i]
    return DONE


cdef int same_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil:
    """After the first refusal the rest is refused alike, unless a window or an external term may see things
    differently next time."""
    if i and batch.hosts[i - 1] < 0 and not state.window.stop and not state.externals.concerned[batch.same]:
        batch.positions[i] = state.journal.position
        batch.hosts[i] = batch.scores[i] = batch.items[i] = -1
        batch.verdicts[i] = batch.verdicts[i - 1]
        return DONE
    return place_one(state, batch, i, batch.same, i + 1 < batch.count)


cdef int queue_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil:
    cdef bint again = i + 1 < batch.count and batch.numbers[i + 1] == batch.numbers[i]
    return place_one(state, batch, i, <int32_t>batch.numbers[i], again)


cdef int claim_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil:
    cdef const ClassView* view = state.classes.views + batch.numbers[i]
    batch.work += A_STEP
    if state.fleet.use_would_overflow(batch.given[i], view.commit):
        return OVERFLOWS
    if view.plan != NULL and state.search.solve(view.plan, view.fit, batch.given[i], True, False) != FOUND:
        return NO_ROWS
    state.domain_terms.commit(<int32_t>batch.numbers[i], batch.given[i])
    batch.items[i] = state.items.place(<int32_t>batch.numbers[i], <int32_t>batch.given[i])
    if view.plan != NULL:
        claim_rows(state.search, state.forest, low_half(batch.items[i]))
    return settle(state, batch.numbers[i])


cdef int release_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil:
    cdef Item* found = state.items.find(batch.given[i])
    batch.work += A_STEP
    if found == NULL:
        return UNKNOWN_ITEM
    state.forest.give_back(low_half(batch.given[i]))
    state.items.release(batch.given[i])
    return DONE


cdef void take_answers(
    Batch* batch, int64_t[::1] hosts, int64_t[::1] scores, int64_t[::1] items, int64_t[::1] positions,
    uint8_t[::1] verdicts,
):
    batch.count = hosts.shape[0]
    batch.hosts = &hosts[0]
    batch.scores = &scores[0]
    batch.items = &items[0]
    batch.positions = &positions[0]
    batch.verdicts = &verdicts[0]


cdef Decided answered(State state, Step step, Batch* batch, Decided into):
    """Take the steps of a batch and keep what they answer."""
    batch.count = into._cells.count
    batch.hosts = into._cells.cells
    batch.scores = batch.hosts + batch.count
    batch.items = batch.scores + batch.count
    batch.positions = batch.items + batch.count
    batch.verdicts = into._cells.verdicts()
    state.enter()  # before the journal is read: another thread's batch may be writing it
    into._position = state.journal.position
    into._serial = state.journal.serial_before(into._position)
    guarded(state, step, batch)
    return into


def place(State state, int32_t number, Py_ssize_t count, type kind, object owner):
    """Place one class `count` times; the answers as a new `kind` of Decided that knows its owner."""
    cdef Batch batch
    batch.same = number
    return answered(state, same_step, &batch, decided(kind, owner, number, count))


def place_each(State state, const int64_t[::1] numbers, type kind, object owner):
    """The same for the classes `numbers` (checked by the caller) in this order."""
    cdef Batch batch
    batch.numbers = &numbers[0]
    return answered(state, queue_step, &batch, decided(kind, owner, numbers.base, numbers.shape[0]))


def place_same(
    State state, int32_t number, int64_t[::1] hosts, int64_t[::1] scores, int64_t[::1] items, int64_t[::1] positions,
    uint8_t[::1] verdicts,
):
    """Place one class as often as the caller's arrays are long. `positions` gets the journal's position before each
    decision.
    """
    cdef Batch batch
    take_answers(&batch, hosts, scores, items, positions, verdicts)
    batch.same = number
    guarded(state, same_step, &batch)


def place_queue(
    State state, const int64_t[::1] numbers, int64_t[::1] hosts, int64_t[::1] scores, int64_t[::1] items,
    int64_t[::1] positions, uint8_t[::1] verdicts,
):
    """Place the classes `numbers` (checked by the caller) in this order, into the caller's arrays (len(numbers),)."""
    cdef Batch batch
    take_answers(&batch, hosts, scores, items, positions, verdicts)
    batch.numbers = &numbers[0]
    guarded(state, queue_step, &batch)


def claim(State state, const int64_t[::1] numbers, const int64_t[::1] hosts, int64_t[::1] items):
    """Commit classes on given hosts without asking any rule but for the rows of their groups: the first assignment.

    Returns -1; or i, the first entry that would overflow what is used; or -2 - i, the first one whose host has no
    rows for it. Then nothing has changed. All arrays (len(numbers),); classes and hosts checked by the caller.
    """
    cdef Batch batch
    cdef Py_ssize_t failed
    batch.count = numbers.shape[0]
    batch.numbers = &numbers[0]
    batch.given = &hosts[0]
    batch.items = &items[0]
    failed = guarded(state, claim_step, &batch)
    return -2 - failed if failed >= 0 and batch.failed == NO_ROWS else failed


def release(State state, const int64_t[::1] items):
    """Release items. Returns -1, or the index of the first id that is not a live item, with nothing changed."""
    cdef Batch batch
    batch.count = items.shape[0]
    batch.given = &items[0]
    return guarded(state, release_step, &batch)
