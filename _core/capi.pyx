"""The table of functions for embedders in C and Cython: fleets as opaque handles, statuses instead of exceptions.

What changes hosts, classes, checkpoints and terms is here: it goes through the door, whose names the Python side hands
to `connect`, and so gets its checks. What C alone can get wrong (NULL, counts, sizes, text) is checked before.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy, memset

from binwright._core.abi cimport (
    BW_ABI_VERSION, BW_BUSY, BW_FAILED, BW_INPUT, BW_INTERRUPTED, BW_MEMORY, BW_OK, BW_STATE, bw_api, bw_class,
    bw_external, bw_fleet, bw_fleet_spec, bw_term, bw_token,
)
from binwright._core.batches cimport (
    check_numbers, claim, columns, counter_value, place, place_queue, release,
)
from binwright._core.handles cimport (
    MOST_ENTRIES, Handle, bury, bw_give_turn, copy_text, door, enter_door, error_text, handle_of, lacks,
    live, remember, wrong,
)
from binwright._core.natives cimport amiss, native_of

cdef extern from *:
    """
    #define BW_LEAST_SPEC ((int32_t)offsetof(bw_fleet_spec, rule_count))
    #define BW_LEAST_CLASS ((int32_t)offsetof(bw_class, commit))
    """
    int32_t BW_LEAST_SPEC       # no caller knows less of a fleet than its resources, of a class than its demand
    int32_t BW_LEAST_CLASS

INPUT, STATE, BUSY, MEMORY, INTERRUPTED, FAILED = BW_INPUT, BW_STATE, BW_BUSY, BW_MEMORY, BW_INTERRUPTED, BW_FAILED

cdef enum:
    MOST_NAMES = 4096           # of one list; the door knows the true limits and says them

cdef bw_api table


# ---- what C gives -----------------------------------------------------------------------------------------------

cdef object refusal(str text):
    return door["InputError"](text)


cdef int check_size(str where, int32_t size, int32_t least, int32_t most) except -1:
    if not least <= size <= most:
        raise refusal(f"{where}: size is {size}, not the size of the struct in binwright.h ({most})")
    return 0


cdef int check_list(str where, const void* given, int64_t count, int64_t most) except -1:
    """A list of C with its count; NULL where there is nothing in it."""
    if not 0 <= count <= most:
        raise refusal(f"{where}: count {count} is outside 0..{most}")
    if count and given == NULL:
        raise refusal(f"{where} is NULL, and its count {count}")
    return 0


cdef str text_of(const char* name, str where):
    if name == NULL:
        raise refusal(f"{where} is NULL")
    try:
        return (<bytes>name).decode("utf-8")
    except UnicodeDecodeError:
        raise refusal(f"{where} is not UTF-8: {<bytes>name!r}") from None


cdef bytes column_of(const void* cells, Py_ssize_t size):
    """The bytes of a C array; None for NULL."""
    return None if cells == NULL else PyBytes_FromStringAndSize(<const char*>cells, size)


# ---- fleets -----------------------------------------------------------------------------------------------------

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
    if out == NULL:
        return BW_INPUT
    out[0] = NULL
    try:
        fleet = new_fleet(given)
        return give(handle_of(fleet, door["state_of"](fleet), False), out)
    except BaseException as error:
        return give_failed(error, out)


cdef object new_fleet(const bw_fleet_spec* given):
    cdef bw_fleet_spec spec
    cdef int i
    if given == NULL:
        raise refusal("fleet_new: spec is NULL")
    check_size("fleet_new: spec", given.size, BW_LEAST_SPEC, sizeof(spec))
    memset(&spec, 0, sizeof(spec))
    memcpy(&spec, given, given.size)
    check_list("fleet_new: resources", spec.resources, spec.resource_count, MOST_NAMES)
    check_list("fleet_new: rules", spec.rules, spec.rule_count, MOST_NAMES)
    check_list("fleet_new: scores", spec.scores, spec.score_count, MOST_NAMES)
    resources = [text_of(spec.resources[i], f"fleet_new: resource {i}") for i in range(spec.resource_count)]
    rules = [text_of(spec.rules[i], f"fleet_new: rule {i}") for i in range(spec.rule_count)]
    scores = [
        (
            spec.scores[i].kind, spec.scores[i].normalise, spec.scores[i].weight,
            text_of(spec.scores[i].name, f"fleet_new: name of score {i}"),
        )
        for i in range(spec.score_count)
    ]
    return door["new_fleet"](resources, rules, scores)


cdef int fleet_of(void* fleet, bw_fleet** out) noexcept with gil:
    if out == NULL:
        return BW_INPUT
    out[0] = NULL
    try:
        if fleet == NULL:
            raise refusal("fleet_of: python_fleet is NULL")
        held = <object><PyObject*>fleet
        return give(handle_of(held, door["state_of"](held), True), out)
    except BaseException as error:
        return give_failed(error, out)


cdef int fleet_fork(bw_fleet* fleet, bw_fleet** out) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int status
    if out != NULL:
        out[0] = NULL
    status = enter_door(handle)
    if status == BW_OK:
        status = lacks(handle, b"fleet_fork: copy", out, 1)
        if status == BW_OK:
            try:
                forked = handle.fleet.fork()
                status = give(handle_of(forked, door["state_of"](forked), False), out)
            except BaseException as error:
                status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef void fleet_free(bw_fleet* fleet) noexcept with gil:
    cdef Handle handle = live(fleet)
    if handle is not None and bury(handle):
        Py_DECREF(handle)


cdef void* fleet_python(bw_fleet* fleet) noexcept with gil:
    cdef Handle handle = live(fleet)
    if enter_door(handle) != BW_OK:
        return NULL
    handle.shared = True
    handle.alone = False
    Py_INCREF(handle.fleet)
    bw_give_turn(&handle.turn)
    return <void*>handle.fleet


# ---- hosts, classes, counters -----------------------------------------------------------------------------------

cdef list columns_given(Handle handle, const int64_t** cells, int64_t count, str where):
    if cells == NULL:
        if count:
            raise refusal(f"hosts_add: {where} is NULL")
        return [b""] * handle.state.fleet.resources
    found = [column_of(cells[r], count * sizeof(int64_t)) for r in range(handle.state.fleet.resources)]
    if count and None in found:
        raise refusal(f"hosts_add: {where} of {handle.fleet.resources[found.index(None)]!r} is NULL")
    return [column or b"" for column in found]


cdef int hosts_add(
    bw_fleet* fleet, int64_t count, const int64_t** capacity, const int64_t** used, int64_t* first
) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int status = enter_door(handle)
    if status == BW_OK:
        handle.alone = False
        try:
            if not 0 <= count <= MOST_ENTRIES:
                raise refusal(f"hosts_add: count {count} is outside 0..{MOST_ENTRIES}")
            taken = None if used == NULL else columns_given(handle, used, count, "used")
            at = door["add_hosts"](handle.fleet, columns_given(handle, capacity, count, "capacity"), taken)
            if first != NULL:
                first[0] = at
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int host_remove(bw_fleet* fleet, int64_t host) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            handle.fleet.remove_hosts(host)
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int host_resize(bw_fleet* fleet, int64_t host, const int64_t* capacity) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int status = enter_door(handle)
    if status == BW_OK:
        try:
            if capacity == NULL:
                raise refusal("host_resize: capacity is NULL")
            door["resize"](handle.fleet, host, column_of(capacity, handle.state.fleet.resources * sizeof(int64_t)))
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int host_cordon(bw_fleet* fleet, int64_t host, int cordoned) noexcept with gil:
    cdef Handle handle = live(fleet)
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


cdef int new_class(Handle handle, const bw_class* given) except -1:
    """Number of a class."""
    cdef bw_class spec
    cdef Py_ssize_t size = handle.state.fleet.resources * sizeof(int64_t)
    cdef int i
    if given == NULL:
        raise refusal("class_new: spec is NULL")
    check_size("class_new: spec", given.size, BW_LEAST_CLASS, sizeof(spec))
    memset(&spec, 0, sizeof(spec))
    memcpy(&spec, given, given.size)
    if spec.demand == NULL:
        raise refusal("class_new: demand is NULL")
    check_list("class_new: counters", spec.counters, spec.counter_count, MOST_NAMES)
    check_list("class_new: amounts", spec.amounts, spec.counter_count, MOST_NAMES)
    check_list("class_new: limits", spec.limits, spec.limit_count, MOST_NAMES)
    check_list("class_new: externals", spec.externals, spec.external_count, MOST_NAMES)
    contributes = [(spec.counters[i], spec.amounts[i]) for i in range(spec.counter_count)]
    limits = []
    for i in range(spec.limit_count):
        rule = None if spec.limits[i].rule == NULL else text_of(spec.limits[i].rule, f"class_new: rule of limit {i}")
        key = None if spec.limits[i].key == NULL else text_of(spec.limits[i].key, f"class_new: key of limit {i}")
        limits.append((rule, key, spec.limits[i].most, spec.limits[i].counter, spec.limits[i].own))
    externals = []
    for i in range(spec.external_count):
        if spec.externals[i] == NULL:
            raise refusal(f"class_new: external {i} is NULL")
        externals.append(<object><PyObject*>spec.externals[i])
    return door["new_class"](
        handle.fleet, column_of(spec.demand, size), column_of(spec.commit, size), column_of(spec.score, size),
        column_of(spec.eligible, handle.state.fleet.hosts), spec.priority, contributes, limits, externals,
    )


cdef int class_new(bw_fleet* fleet, const bw_class* given, int32_t* number) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int status = enter_door(handle)
    if status == BW_OK:
        handle.alone = False
        try:
            status = lacks(handle, b"class_new: number", number, 1)
            if status == BW_OK:
                number[0] = new_class(handle, given)
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int counter_new(bw_fleet* fleet, int flag, int32_t* counter) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int status = enter_door(handle)
    if status == BW_OK:
        handle.alone = False
        try:
            status = lacks(handle, b"counter_new: counter", counter, 1)
            if status == BW_OK:
                counter[0] = handle.fleet.counter("flag" if flag else "additive")
        except BaseException as error:
            status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int explain(bw_fleet* fleet, int32_t number, char* text, int64_t room) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int64_t asked = number
    cdef int status = enter_door(handle)
    if status != BW_OK:
        return status
    status = check_numbers(handle, b"explain: number", &asked, 1)
    if status == BW_OK and room < 0:
        status = wrong(handle, b"explain: room", -1, room, b"is negative")
    if status == BW_OK:
        status = lacks(handle, b"explain: text", text, room)
    if status == BW_OK:
        try:
            said = door["explain"](handle.fleet, number).encode("utf-8", "replace")
            if room > 0:
                copy_text(text, room, said)
        except BaseException as error:
            status = remember(handle, error)
    bw_give_turn(&handle.turn)
    return status


# ---- undo -------------------------------------------------------------------------------------------------------

cdef int checkpoint(bw_fleet* fleet, bw_token* token) noexcept with gil:
    cdef Handle handle = live(fleet)
    cdef int status = enter_door(handle)
    if status == BW_OK:
        status = lacks(handle, b"checkpoint: token", token, 1)
        if status == BW_OK:
            try:
                token.depth, token.number, token.made = handle.fleet.checkpoint()
            except BaseException as error:
                status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


cdef int rollback(bw_fleet* fleet, const bw_token* token) noexcept with gil:
    cdef Handle handle = live(fleet)
    return close(handle, b"rollback: token", token, True)


cdef int keep(bw_fleet* fleet, const bw_token* token) noexcept with gil:
    cdef Handle handle = live(fleet)
    return close(handle, b"keep: token", token, False)


cdef int close(Handle handle, const char* what, const bw_token* token, bint undo) noexcept:
    cdef int status = enter_door(handle)
    if status == BW_OK:
        status = lacks(handle, what, token, 1)
        if status == BW_OK:
            try:
                given = token.depth, token.number, token.made
                if undo:
                    handle.fleet.rollback(given)
                else:
                    handle.fleet.keep(given)
            except BaseException as error:
                status = remember(handle, error)
        bw_give_turn(&handle.turn)
    return status


# ---- external terms ---------------------------------------------------------------------------------------------

cdef int external_new(const bw_term* term, bw_external** out, const char** why) noexcept with gil:
    cdef const char* nowhere
    if why == NULL:
        why = &nowhere
    why[0] = amiss(term)
    if out == NULL:
        why[0] = b"external_new: external is NULL"
        return BW_INPUT
    out[0] = NULL
    if why[0] != NULL:
        return BW_INPUT
    try:
        made = door["NativeTerm"](native_of(term))
    except BaseException:
        why[0] = b"out of memory"
        return BW_MEMORY
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
