"""The table of functions for embedders in C and Cython: fleets as opaque handles, statuses instead of exceptions.

Hot calls (place, claim, release, look) go to the core directly, without the GIL where the fleet is the embedder's
alone; all others go through the door, whose names the Python side hands to `connect`, and so get its checks.
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset, strncpy

from binwright._core.abi cimport (
    BW_ABI_VERSION, BW_BUSY, BW_FAILED, BW_INPUT, BW_INTERRUPTED, BW_MEMORY, BW_OK, BW_STATE, bw_api, bw_class,
    bw_columns, bw_external, bw_fleet, bw_fleet_spec, bw_term, bw_token,
)
from binwright._core.fleet cimport ABSENT
from binwright._core.natives cimport columns_of, native_of
from binwright._core.place cimport (
    NO_ROWS, Batch, Step, claim_step, guarded, queue_step, release_step, same_step,
)
from binwright._core.state cimport State

cdef extern from "binwright/turns.h" nogil:
    int bw_take_turn(int32_t* turn)
    void bw_give_turn(int32_t* turn)

INPUT, STATE, BUSY, MEMORY, INTERRUPTED, FAILED = BW_INPUT, BW_STATE, BW_BUSY, BW_MEMORY, BW_INTERRUPTED, BW_FAILED

cdef enum:
    TEXT = 512
    SCRATCH = 64
    MOST_ENTRIES = 0x7FFFFFFF
    LONG_JOURNAL = 1 << 21      # entries from which on it is worth to ask for old ones to be dropped

ctypedef int (*QuietStep)(State, Batch*, Py_ssize_t) noexcept nogil

cdef dict door = {}             # the Python side's functions, set once, when binwright.embedding is imported
cdef bw_api table


@cython.final
cdef class Handle:
    """One embedder's hold on a fleet. `bw_fleet *` is a pointer to it."""

    cdef object fleet           # the API's fleet; None when it could not be made
    cdef State state
    cdef int32_t turn           # 1 = a call is inside
    cdef bint shared            # Python code may hold the fleet too
    cdef bint alone             # not shared, no external terms, and the core has scratch for all hosts and classes
    cdef char[TEXT] text        # why the last call failed

    def __cinit__(self):
        self.turn = 0
        self.shared = self.alone = False
        self.text[0] = 0


# ---- entering, leaving, failing --------------------------------------------------------------------------------

cdef int enter(Handle handle) noexcept nogil:
    """Take the turn; what is not BW_OK is the status to return."""
    if <void*>handle == NULL:
        return BW_INPUT
    if not bw_take_turn(&handle.turn):
        return BW_BUSY
    if handle.state is None:  # its making failed, and the text says why
        bw_give_turn(&handle.turn)
        return BW_STATE
    return BW_OK


cdef int enter_door(Handle handle) noexcept:
    """The same for calls that may change anything; the GIL is held."""
    cdef int status = enter(handle)
    if status == BW_OK and handle.state.journal.busy:
        bw_give_turn(&handle.turn)
        return BW_BUSY
    return status


cdef int remember(Handle handle, object error) noexcept:
    """Keep what an exception says; its status."""
    cdef bytes text
    cdef int status = BW_FAILED
    try:
        status = door["status_of"](error)
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        text = said.replace("\n", " ").encode("utf-8", "replace")
        strncpy(handle.text, text, TEXT - 1)
        handle.text[TEXT - 1] = 0
    except BaseException:
        handle.text[0] = 0
    return status


cdef int wrong(Handle handle, const char* what, int64_t entry, int64_t value, const char* why) noexcept nogil:
    snprintf(handle.text, TEXT, b"%s: entry %lld: %lld %s", what, <long long>entry, <long long>value, why)
    return BW_INPUT


cdef const char* error_text(Handle handle, int status) noexcept nogil:
    if status == BW_OK:
        return b""
    if status == BW_BUSY:
        return b"fleet: busy in another thread, or asking an external term; give each its own fork"
    if status == BW_MEMORY:
        return b"out of memory"
    if <void*>handle == NULL:
        return b"fleet: NULL"
    return handle.text


# ---- fleets -----------------------------------------------------------------------------------------------------

cdef str text_of(const char* name, str where):
    if name == NULL:
        raise door["InputError"](f"{where}: a name is NULL")
    return (<bytes>name).decode("utf-8")


cdef bytes column_of(const void* cells, Py_ssize_t size):
    """The bytes of a C array; None for NULL."""
    return None if cells == NULL else PyBytes_FromStringAndSize(<const char*>cells, size)


cdef Handle handle_of(object fleet, bint shared):
    cdef Handle made = Handle.__new__(Handle)
    made.fleet = fleet
    made.state = door["state_of"](fleet)
    made.shared = shared
    return made


cdef int give(Handle handle, bw_fleet** out) noexcept:
    Py_INCREF(handle)
    out[0] = <bw_fleet*><void*>handle
    return BW_OK


cdef int give_failed(object error, bw_fleet** out) noexcept:
    """A handle that only says what went wrong."""
    cdef Handle handle
    cdef int status
    try:
        handle = Handle.__new__(Handle)
        status = remember(handle, error)
        give(handle, out)
        return status
    except BaseException:
        return BW_MEMORY


cdef int fleet_new(const bw_fleet_spec* given, bw_fleet** out) noexcept with gil:
    cdef bw_fleet_spec spec
    cdef int i
    out[0] = NULL
    memset(&spec, 0, sizeof(spec))
    memcpy(&spec, given, min(<size_t>max(given.size, 0), sizeof(spec)))
    try:
        resources = [text_of(spec.resources[i], "fleet: resource") for i in range(spec.resource_count)]
        rules = [text_of(spec.rules[i], "fleet: rule") for i in range(spec.rule_count)]
        scores = [
            (
                spec.scores[i].kind, spec.scores[i].normalise, spec.scores[i].weight,
                text_of(spec.scores[i].name, "fleet: score"),
            )
            for i in range(spec.score_count)
        ]
        return give(handle_of(door["new_fleet"](resources, rules, scores), False), out)
    except BaseException as error:
        return give_failed(error, out)


cdef int fleet_of(void* fleet, bw_fleet** out) noexcept with gil:
    out[0] = NULL
    try:
        return give(handle_of(<object><PyObject*>fleet, True), out)
    except BaseException as error:
        return give_failed(error, out)


cdef int fleet_fork(Handle handle, bw_fleet** out) noexcept with gil:
    cdef int status = enter_door(handle)
    out[0] = NULL
    if status == BW_OK:
        try:
            status = give(handle_of(handle.fleet.fork(), False), out)
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef void fleet_free(void* handle) noexcept with gil:
    if handle != NULL:
        Py_DECREF(<object><PyObject*>handle)


cdef void* fleet_python(Handle handle) noexcept with gil:
    if enter_door(handle) != BW_OK:
        return NULL
    handle.shared = True
    handle.alone = False
    Py_INCREF(handle.fleet)
    bw_give_turn(&handle.turn)
    return <void*>handle.fleet


# ---- hosts, classes, counters -----------------------------------------------------------------------------------

cdef list columns_given(Handle handle, const int64_t** columns, int64_t count, str where):
    if columns == NULL:
        raise door["InputError"](f"hosts_add: {where} is NULL")
    found = [column_of(columns[r], count * sizeof(int64_t)) for r in range(handle.state.fleet.resources)]
    if None in found:
        raise door["InputError"](f"hosts_add: {where} of {handle.fleet.resources[found.index(None)]!r} is NULL")
    return found


cdef int hosts_add(
    Handle handle, int64_t count, const int64_t** capacity, const int64_t** used, int64_t* first
) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        handle.alone = False
        try:
            if not 0 <= count <= MOST_ENTRIES:
                raise door["InputError"](f"hosts_add: count {count} is outside 0..{MOST_ENTRIES}")
            taken = None if used == NULL else columns_given(handle, used, count, "used")
            at = door["add_hosts"](handle.fleet, columns_given(handle, capacity, count, "capacity"), taken)
            if first != NULL:
                first[0] = at
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int host_remove(Handle handle, int64_t host) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            handle.fleet.remove_hosts(host)
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int host_resize(Handle handle, int64_t host, const int64_t* capacity) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            if capacity == NULL:
                raise door["InputError"]("host_resize: capacity is NULL")
            door["resize"](handle.fleet, host, column_of(capacity, handle.state.fleet.resources * sizeof(int64_t)))
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int host_cordon(Handle handle, int64_t host, int cordoned) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            if cordoned:
                handle.fleet.cordon(host)
            else:
                handle.fleet.uncordon(host)
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int columns(Handle handle, bw_columns* out) noexcept nogil:
    cdef bw_columns now
    cdef int status = enter(handle)
    if status == BW_OK:
        columns_of(handle.state, &now)
        now.size = out.size
        memcpy(out, &now, min(<size_t>max(out.size, 0), sizeof(now)))
        bw_give_turn(&handle.turn)
    return status


cdef int new_class(Handle handle, const bw_class* spec) except -1:
    """Number of a class; `spec` is whole."""
    cdef Py_ssize_t size = handle.state.fleet.resources * sizeof(int64_t)
    cdef int i
    if spec.demand == NULL:
        raise door["InputError"]("request: demand is NULL")
    contributes = [(spec.counters[i], spec.amounts[i]) for i in range(spec.counter_count)]
    limits = []
    for i in range(spec.limit_count):
        rule = None if spec.limits[i].rule == NULL else text_of(spec.limits[i].rule, "request")
        key = None if spec.limits[i].key == NULL else text_of(spec.limits[i].key, "request")
        limits.append((rule, key, spec.limits[i].most, spec.limits[i].counter, spec.limits[i].own))
    externals = [<object><PyObject*>spec.externals[i] for i in range(spec.external_count)]
    return door["new_class"](
        handle.fleet, column_of(spec.demand, size), column_of(spec.commit, size), column_of(spec.score, size),
        column_of(spec.eligible, handle.state.fleet.hosts), spec.priority, contributes, limits, externals,
    )


cdef int class_new(Handle handle, const bw_class* given, int32_t* number) noexcept with gil:
    cdef bw_class spec
    cdef int status = enter_door(handle)
    if status == BW_OK:
        handle.alone = False
        memset(&spec, 0, sizeof(spec))
        memcpy(&spec, given, min(<size_t>max(given.size, 0), sizeof(spec)))
        try:
            number[0] = new_class(handle, &spec)
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int counter_new(Handle handle, int flag, int32_t* counter) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        handle.alone = False
        try:
            counter[0] = handle.fleet.counter("flag" if flag else "additive")
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int counter_value(Handle handle, int32_t counter, int64_t host, int64_t* value) noexcept nogil:
    cdef int status = enter(handle)
    if status != BW_OK:
        return status
    if not 0 <= counter < handle.state.counters.count:
        status = wrong(handle, b"counter_value", 0, counter, b"is not a counter of this fleet")
    elif not is_there(handle, host):
        status = wrong(handle, b"counter_value", 0, host, b"is not a host of this fleet, or was removed")
    else:
        value[0] = handle.state.counters.cell(counter, <Py_ssize_t>host)
    bw_give_turn(&handle.turn)
    return status


# ---- decisions --------------------------------------------------------------------------------------------------

cdef bint is_there(Handle handle, int64_t host) noexcept nogil:
    return 0 <= host < handle.state.fleet.hosts and not handle.state.fleet.flags.uint8s(0)[host] & ABSENT


cdef int check_numbers(Handle handle, const char* what, const int64_t* numbers, int64_t count) noexcept nogil:
    cdef int64_t i
    for i in range(count):
        if not 0 <= numbers[i] < handle.state.counters.class_count:
            return wrong(handle, what, i, numbers[i], b"is not a class of this fleet")
    return BW_OK


cdef int check_count(Handle handle, const char* what, int64_t count) noexcept nogil:
    if not 0 <= count <= MOST_ENTRIES:
        return wrong(handle, what, 0, count, b"entries are too many, or fewer than none")
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
    status = check_count(handle, b"place", count)
    if status == BW_OK:
        status = check_numbers(handle, b"place", &asked, 1)
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
    status = check_count(handle, b"place_queue", count)
    if status == BW_OK:
        status = check_numbers(handle, b"place_queue", numbers, count)
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
    cdef int status = check_count(handle, b"claim", count)
    if status == BW_OK:
        status = check_numbers(handle, b"claim", numbers, count)
    if status != BW_OK:
        return status
    for i in range(count):
        if not is_there(handle, hosts[i]):
            return wrong(handle, b"claim", i, hosts[i], b"is not a host of this fleet, or was removed")
    batch.count = count
    batch.numbers = numbers
    batch.given = hosts
    batch.items = items
    status = run(handle, claim_step, &batch, &failed)
    if status == BW_OK and failed >= 0:
        if batch.failed == NO_ROWS:
            return wrong(handle, b"claim", failed, hosts[failed], b"has no rows for the groups of this class")
        return wrong(handle, b"claim", failed, hosts[failed], b"would use more than 2**61 of a resource")
    return status


cdef int release(Handle handle, const int64_t* items, int64_t count) noexcept nogil:
    cdef Batch batch
    cdef int64_t failed
    cdef int status = enter(handle)
    if status != BW_OK:
        return status
    status = check_count(handle, b"release", count)
    if status == BW_OK:
        batch.count = count
        batch.given = items
        status = run(handle, release_step, &batch, &failed)
        if status == BW_OK and failed >= 0:
            status = wrong(
                handle, b"release", failed, items[failed], b"is not an item of this fleet (released before?)"
            )
    bw_give_turn(&handle.turn)
    return status


cdef int explain(Handle handle, int32_t number, char* text, int64_t room) noexcept with gil:
    cdef int64_t asked = number
    cdef bytes said
    cdef int status = enter_door(handle)
    if status != BW_OK:
        return status
    status = check_numbers(handle, b"explain", &asked, 1)
    if status == BW_OK:
        try:
            said = door["explain"](handle.fleet, number).encode("utf-8", "replace")
            if room > 0:
                strncpy(text, said, room - 1)
                text[room - 1] = 0
        except BaseException as error:
            status = remember(handle, error)
    bw_give_turn(&handle.turn)
    return status


# ---- undo -------------------------------------------------------------------------------------------------------

cdef int checkpoint(Handle handle, bw_token* token) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            token.depth, token.number, token.made = handle.fleet.checkpoint()
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int rollback(Handle handle, const bw_token* token) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            handle.fleet.rollback((token.depth, token.number, token.made))
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int keep(Handle handle, const bw_token* token) noexcept with gil:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            handle.fleet.keep((token.depth, token.number, token.made))
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


# ---- external terms ---------------------------------------------------------------------------------------------

cdef int external_new(const bw_term* term, bw_external** out, const char** why) noexcept with gil:
    out[0] = NULL
    why[0] = b"external: size, flags, rule with rejected, score with scores, placed with fork: one of these is amiss"
    try:
        made = door["NativeTerm"](native_of(term))
    except MemoryError:
        why[0] = b"out of memory"
        return BW_MEMORY
    except BaseException:
        return BW_INPUT
    Py_INCREF(made)
    out[0] = <bw_external*><PyObject*>made
    why[0] = b""
    return BW_OK


cdef void external_free(void* external) noexcept with gil:
    if external != NULL:
        Py_DECREF(<object><PyObject*>external)


# ---- the table --------------------------------------------------------------------------------------------------

cdef bytes version


def connect(dict names, str of):
    """Take the Python side's functions by name and binwright's version; returns the capsule of the table."""
    global version
    door.update(names)
    version = of.encode()
    table.abi_version = BW_ABI_VERSION
    table.size = sizeof(bw_api)
    table.version = version
    # A bw_fleet * is a pointer to a Handle, which Cython passes as such: only the type's name differs.
    set_function(&table.fleet_new, <void*>fleet_new)
    set_function(&table.fleet_of, <void*>fleet_of)
    set_function(&table.fleet_fork, <void*>fleet_fork)
    set_function(&table.fleet_free, <void*>fleet_free)
    set_function(&table.fleet_python, <void*>fleet_python)
    set_function(&table.error_text, <void*>error_text)
    set_function(&table.hosts_add, <void*>hosts_add)
    set_function(&table.host_remove, <void*>host_remove)
    set_function(&table.host_resize, <void*>host_resize)
    set_function(&table.host_cordon, <void*>host_cordon)
    set_function(&table.columns, <void*>columns)
    set_function(&table.class_new, <void*>class_new)
    set_function(&table.counter_new, <void*>counter_new)
    set_function(&table.counter_value, <void*>counter_value)
    set_function(&table.place, <void*>place)
    set_function(&table.place_queue, <void*>place_queue)
    set_function(&table.claim, <void*>claim)
    set_function(&table.release, <void*>release)
    set_function(&table.explain, <void*>explain)
    set_function(&table.checkpoint, <void*>checkpoint)
    set_function(&table.rollback, <void*>rollback)
    set_function(&table.keep, <void*>keep)
    set_function(&table.external_new, <void*>external_new)
    set_function(&table.external_free, <void*>external_free)
    return PyCapsule_New(&table, b"binwright.embedding.table", NULL)


cdef void set_function(void* member, void* function) noexcept:
    (<void**>member)[0] = function
