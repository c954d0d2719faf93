"""One request after another: choose a host, commit, next; and items that are claimed or released by hand.

A batch that raises (an external term, memory) is taken back whole.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

from binwright._core.items cimport Item
from binwright._core.journal cimport low_half
from binwright._core.request cimport ClassView
from binwright._core.row_claims cimport claim_rows
from binwright._core.scan cimport ERROR, PLACED, Choice
from binwright._core.search cimport FOUND
from binwright._core.state cimport State


cdef int place_one(
    State state, int32_t number, int64_t* host, int64_t* score, int64_t* item, uint8_t* verdict,
) except -1 nogil:
    cdef const ClassView* view = state.classes.views + number
    cdef Choice choice
    state.scan.choose(view, &choice, True)
    host[0] = choice.host
    score[0] = choice.score
    item[0] = -1
    if choice.host < 0:
        verdict[0] = state.scan.verdict_without_host(view)
        return 0
    if state.fleet.use_would_overflow(choice.host, view.commit):
        host[0] = score[0] = -1
        verdict[0] = ERROR
        return 0
    if view.plan != NULL:
        state.search.solve(view.plan, view.fit, choice.host, True, False)
    state.domain_terms.commit(number, choice.host)
    item[0] = state.items.place(number, <int32_t>choice.host)
    if view.plan != NULL:
        claim_rows(state.search, state.forest, low_half(item[0]))
    verdict[0] = PLACED
    settle(state, number)
    return 0


cdef int settle(State state, int64_t number) except -1 nogil:
    """Raise what a hook of the class's external terms raised."""
    if state.externals.concerned[number]:
        with gil:
            state.externals.settle()
    return 0


cdef int take_back(State state, int64_t start) except -1:
    """A batch that fails midway leaves nothing behind; what hooks raise meanwhile is not what failed."""
    state.journal.revert_to(start)
    state.externals.error = None
    return 0


def place_same(
    State state, int32_t number, int64_t[::1] hosts, int64_t[::1] scores, int64_t[::1] items, int64_t[::1] positions,
    uint8_t[::1] verdicts,
):
    """Place one class as often as the arrays are long; after the first refusal the rest is refused alike,
    unless a window or an external term may see things differently next time."""
    cdef Py_ssize_t i, count = hosts.shape[0]
    cdef int64_t start = state.journal.position
    cdef bint refused = False
    state.enter()
    state.scan.make_room()
    state.journal.busy = True
    try:
        with nogil:
            for i in range(count):
                positions[i] = state.journal.position
                if refused and not state.window.stop and not state.externals.concerned[number]:
                    hosts[i] = scores[i] = items[i] = -1
                    verdicts[i] = verdicts[i - 1]
                    continue
                place_one(state, number, &hosts[i], &scores[i], &items[i], &verdicts[i])
                refused = hosts[i] < 0
    except BaseException:
        take_back(state, start)
        raise
    finally:
        state.journal.busy = False
    state.journal.trim()


def place_queue(
    State state, const int64_t[::1] numbers, int64_t[::1] hosts, int64_t[::1] scores, int64_t[::1] items,
    int64_t[::1] positions, uint8_t[::1] verdicts,
):
    """Place the classes `numbers` (checked by the caller) in this order; all arrays (len(numbers),). `positions` gets
    the journal's position before each decision.
    """
    cdef Py_ssize_t i
    cdef int64_t start = state.journal.position
    state.enter()
    state.scan.make_room()
    state.journal.busy = True
    try:
        with nogil:
            for i in range(numbers.shape[0]):
                positions[i] = state.journal.position
                place_one(state, <int32_t>numbers[i], &hosts[i], &scores[i], &items[i], &verdicts[i])
    except BaseException:
        take_back(state, start)
        raise
    finally:
        state.journal.busy = False
    state.journal.trim()


def claim(State state, const int64_t[::1] numbers, const int64_t[::1] hosts, int64_t[::1] items):
    """Commit classes on given hosts without asking any rule but for the rows of their groups: the first assignment.

    Returns -1; or i, the first entry that would overflow what is used; or -2 - i, the first one whose host has no
    rows for it. Then nothing has changed. All arrays (len(numbers),); classes and hosts checked by the caller.
    """
    cdef Py_ssize_t i, failed = -1
    cdef int64_t start = state.journal.position
    cdef const ClassView* view
    state.enter()
    state.search.make_room()
    state.journal.busy = True
    try:
        with nogil:
            for i in range(numbers.shape[0]):
                view = state.classes.views + numbers[i]
                if state.fleet.use_would_overflow(hosts[i], view.commit):
                    failed = i
                    break
                if view.plan != NULL and state.search.solve(view.plan, view.fit, hosts[i], True, False) != FOUND:
                    failed = -2 - i
                    break
                state.domain_terms.commit(<int32_t>numbers[i], hosts[i])
                items[i] = state.items.place(<int32_t>numbers[i], <int32_t>hosts[i])
                if view.plan != NULL:
                    claim_rows(state.search, state.forest, low_half(items[i]))
                settle(state, numbers[i])
        if failed != -1:
            state.journal.revert_to(start)
            state.externals.settle()
    except BaseException:
        take_back(state, start)
        raise
    finally:
        state.journal.busy = False
    state.journal.trim()
    return failed


def release(State state, const int64_t[::1] items):
    """Release items. Returns -1, or the index of the first id that is not a live item, with nothing changed."""
    cdef Py_ssize_t i
    cdef int64_t start = state.journal.position
    cdef Item* found
    state.enter()
    state.journal.busy = True
    try:
        for i in range(items.shape[0]):
            found = state.items.find(items[i])
            if found == NULL:
                state.journal.revert_to(start)
                state.externals.settle()
                return i
            state.forest.give_back(low_half(items[i]))
            state.items.release(items[i])
        state.externals.settle()
    except BaseException:
        take_back(state, start)
        raise
    finally:
        state.journal.busy = False
    state.journal.trim()
    return -1
