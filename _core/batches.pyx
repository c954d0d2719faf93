"""The table's hot calls: batches of decisions, claims and releases, and looks at columns and counters.

They go to the core directly, without the GIL where the fleet is the embedder's alone, and check their arguments
themselves. Any other change is `capi`'s, which goes through the door.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from binwright._core.abi cimport BW_BUSY, BW_MEMORY, BW_OK, bw_columns
from binwright._core.fleet cimport ABSENT
from binwright._core.handles cimport (
    MOST_ENTRIES, Handle, bw_give_turn, door, enter, lacks, remember, wrong,
)
from binwright._core.natives cimport columns_of
from binwright._core.place cimport (
    NO_ROWS, Batch, Step, claim_step, guarded, queue_step, release_step, same_step,
)
from binwright._core.state cimport State

cdef enum:
    SCRATCH = 64
    LONG_JOURNAL = 1 << 21      # entries from which on it is worth to ask for old ones to be dropped

cdef extern from *:
    """
    #define BW_LEAST_COLUMNS ((int32_t)offsetof(bw_columns, hosts))
    """
    int32_t BW_LEAST_COLUMNS

ctypedef int (*QuietStep)(State, Batch*, Py_ssize_t) noexcept nogil


# ---- looking ----------------------------------------------------------------------------------------------------

cdef bint is_there(Handle handle, int64_t host) noexcept nogil:
    return 0 <= host < handle.state.fleet.hosts and not handle.state.fleet.flags.uint8s(0)[host] & ABSENT


cdef int columns(Handle handle, bw_columns* out) noexcept nogil:
    cdef bw_columns now
    cdef int status = enter(handle)
    if status != BW_OK:
        return status
    status = lacks(handle, b"columns: columns", out, 1)
    if status == BW_OK and not BW_LEAST_COLUMNS <= out.size <= <int32_t>sizeof(now):
        status = wrong(handle, b"columns: size", -1, out.size, b"is not sizeof(bw_columns)")
    if status == BW_OK:
        columns_of(handle.state, &now)
        now.size = out.size
        memcpy(out, &now, out.size)
    bw_give_turn(&handle.turn)
    return status


cdef int counter_value(Handle handle, int32_t counter, int64_t host, int64_t* value) noexcept nogil:
    cdef int status = enter(handle)
    if status != BW_OK:
        return status
    status = lacks(handle, b"counter_value: value", value, 1)
    if status != BW_OK:
        bw_give_turn(&handle.turn)
        return status
    if not 0 <= counter < handle.state.counters.count:
        status = wrong(handle, b"counter_value: counter", -1, counter, b"is not a counter of this fleet")
    elif not is_there(handle, host):
        status = wrong(handle, b"counter_value: host", -1, host, b"is not a host of this fleet, or was removed")
    else:
        value[0] = handle.state.counters.cell(counter, <Py_ssize_t>host)
    bw_give_turn(&handle.turn)
    return status


# ---- decisions --------------------------------------------------------------------------------------------------

cdef int check_numbers(Handle handle, const char* what, const int64_t* numbers, int64_t count) noexcept nogil:
    cdef int64_t i
    if numbers == NULL and count:
        return lacks(handle, what, numbers, count)
    for i in range(count):
        if not 0 <= numbers[i] < handle.state.counters.class_count:
            return wrong(handle, what, i, numbers[i], b"is not a class of this fleet")
    return BW_OK


cdef int check_count(Handle handle, const char* what, int64_t count) noexcept nogil:
    if not 0 <= count <= MOST_ENTRIES:
        return wrong(handle, what, -1, count, b"entries are too many, or fewer than none")
    return BW_OK


cdef int failed_step(int status) except? -1:
    """Raise what a step raised; called where its result says that it did."""
    return status


cdef int run(Handle handle, Step step, Batch* batch, int64_t* failed) noexcept nogil:
    """Take the steps of a batch, all or none; `failed` = the one that could not be taken, -1 = all were."""
    failed[0] = -1
    if handle.alone:
        return run_alone(handle, step, batch, failed)
    return run_guarded(handle, step, batch, failed)


cdef int run_alone(Handle handle, Step step, Batch* batch, int64_t* failed) noexcept nogil:
    cdef int64_t start = handle.state.journal.position
    cdef Py_ssize_t i
    cdef int code = 0
    batch.work = 0
    handle.state.journal.busy = True
    for i in range(batch.count):
        code = (<QuietStep><void*>step)(handle.state, batch, i)
        if code:
            break
    if code:
        batch.failed = code
        failed[0] = i
        code = take_back(handle, start, code)
    elif handle.state.journal.position - handle.state.journal.first > LONG_JOURNAL:
        trim(handle)
    handle.state.journal.busy = False
    return code


cdef int take_back(Handle handle, int64_t start, int code) noexcept with gil:
    """After a step that raised (code -1) or failed: nothing has happened."""
    cdef int status = BW_OK
    try:
        if code < 0:
            failed_step(-1)
            raise MemoryError()  # what was raised in a thread that Python does not know is lost there
    except BaseException as error:
        status = remember(handle, error)
    try:
        if code < 0:
            handle.state.indexes.clear()
        handle.state.journal.revert_to(start)
    except BaseException as error:
        status = remember(handle, error)
    return status


cdef void trim(Handle handle) noexcept with gil:
    handle.state.journal.trim()


cdef int run_guarded(Handle handle, Step step, Batch* batch, int64_t* failed) noexcept with gil:
    """As the Python API does it: Python is asked whether anybody else is inside; Ctrl-C is heard."""
    if handle.state.journal.busy:
        return BW_BUSY
    try:
        failed[0] = guarded(handle.state, step, batch)
        handle.alone = not handle.shared and not door["is_told"](handle.fleet)
    except BaseException as error:
        return remember(handle, error)
    return BW_OK


cdef int decide(
    Handle handle, Step step, Batch* batch, int64_t* hosts, int64_t* scores, int64_t* items, uint8_t* verdicts
) noexcept nogil:
    """A batch of decisions. What the core notes and nobody asked for goes to scratch."""
    cdef int64_t[3 * SCRATCH] little
    cdef uint8_t[SCRATCH] little_verdicts
    cdef int64_t* spare = little
    cdef int64_t failed
    cdef int status
    if batch.count > SCRATCH:
        spare = <int64_t*>malloc((3 * sizeof(int64_t) + 1) * batch.count)
        if spare == NULL:
            return BW_MEMORY
    batch.hosts = hosts
    batch.positions = spare
    batch.scores = scores if scores != NULL else spare + batch.count
    batch.items = items if items != NULL else spare + 2 * batch.count
    batch.verdicts = little_verdicts
    if verdicts != NULL:
        batch.verdicts = verdicts
    elif spare != little:
        batch.verdicts = <uint8_t*>(spare + 3 * batch.count)
    status = run(handle, step, batch, &failed)
    if spare != little:
        free(spare)
    return status


cdef int place(
    Handle handle, int32_t number, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items, uint8_t* verdicts
) noexcept nogil:
    cdef Batch batch
    cdef int64_t asked = number
    cdef int status = enter(handle)
    if status != BW_OK:
        return status
    status = check_count(handle, b"place: count", count)
    if status == BW_OK:
        status = lacks(handle, b"place: hosts", hosts, count)
    if status == BW_OK:
        status = check_numbers(handle, b"place: number", &asked, 1)
    if status == BW_OK:
        batch.count = count
        batch.same = number
        status = decide(handle, same_step, &batch, hosts, scores, items, verdicts)
    bw_give_turn(&handle.turn)
    return status


cdef int place_queue(
    Handle handle, const int64_t* numbers, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items,
    uint8_t* verdicts,
) noexcept nogil:
    cdef Batch batch
    cdef int status = enter(handle)
    if status != BW_OK:
        return status
    status = check_count(handle, b"place_queue: count", count)
    if status == BW_OK:
        status = lacks(handle, b"place_queue: hosts", hosts, count)
    if status == BW_OK:
        status = check_numbers(handle, b"place_queue: numbers", numbers, count)
    if status == BW_OK:
        batch.count = count
        batch.numbers = numbers
        status = decide(handle, queue_step, &batch, hosts, scores, items, verdicts)
    bw_give_turn(&handle.turn)
    return status


cdef int claim(
    Handle handle, const int64_t* numbers, int64_t count, const int64_t* hosts, int64_t* items
) noexcept nogil:
    cdef int status = enter(handle)
    if status == BW_OK:
        status = claim_inside(handle, numbers, count, hosts, items)
        bw_give_turn(&handle.turn)
    return status


cdef int claim_inside(
    Handle handle, const int64_t* numbers, int64_t count, const int64_t* hosts, int64_t* items
) noexcept nogil:
    cdef Batch batch
    cdef int64_t i, failed
    cdef int status = check_count(handle, b"claim: count", count)
    if status == BW_OK:
        status = lacks(handle, b"claim: hosts", hosts, count)
    if status == BW_OK:
        status = lacks(handle, b"claim: items", items, count)
    if status == BW_OK:
        status = check_numbers(handle, b"claim: numbers", numbers, count)
    if status != BW_OK:
        return status
    for i in range(count):
        if not is_there(handle, hosts[i]):
            return wrong(handle, b"claim: hosts", i, hosts[i], b"is not a host of this fleet, or was removed")
    batch.count = count
    batch.numbers = numbers
    batch.given = hosts
    batch.items = items
    status = run(handle, claim_step, &batch, &failed)
    if status == BW_OK and failed >= 0:
        if batch.failed == NO_ROWS:
            return wrong(handle, b"claim: hosts", failed, hosts[failed], b"has no rows for the groups of this class")
        return wrong(handle, b"claim: hosts", failed, hosts[failed], b"would use more than 2**61 of a resource")
    return status


cdef int release(Handle handle, const int64_t* items, int64_t count) noexcept nogil:
    cdef Batch batch
    cdef int64_t failed
    cdef int status = enter(handle)
    if status != BW_OK:
        return status
    status = check_count(handle, b"release: count", count)
    if status == BW_OK:
        status = lacks(handle, b"release: items", items, count)
    if status == BW_OK:
        batch.count = count
        batch.given = items
        status = run(handle, release_step, &batch, &failed)
        if status == BW_OK and failed >= 0:
            status = wrong(
                handle, b"release: items", failed, items[failed], b"is not an item of this fleet (released before?)"
            )
    bw_give_turn(&handle.turn)
    return status
