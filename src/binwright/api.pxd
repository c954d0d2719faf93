# binwright for Cython: fleets, classes, placing, counters, checkpoints and forks, without the GIL and without NumPy.
#
#     from binwright.api cimport *
#     import_binwright()          # once in each module, before anything else: fetches the table, or raises ImportError
#
# Compile with include_dirs=[binwright.get_include()]. These are the functions of binwright.h, exceptions in place of
# statuses: InputError, StateError (also for a fleet that is busy in another thread), MemoryError, KeyboardInterrupt,
# BinwrightError. The header says what each does and which never touch the GIL; docs/embedding.md says what is stable.
# A module keeps working with every later binwright: nothing here depends on how the core's own classes are laid out.

from cpython.ref cimport Py_DECREF
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memset

from binwright._core.abi cimport (
    BW_AS_IT_IS, BW_BALANCED, BW_BUSY, BW_ERROR, BW_LEAST, BW_MIN_MAX, BW_MOST, BW_PLACED, BW_REVERSED, BW_STATIC,
    BW_TO_MAX, BW_UNRESOLVABLE, BW_UNSCHEDULABLE, bw_api, bw_class, bw_columns, bw_external, bw_fleet,
    bw_fleet_spec, bw_limit, bw_question, bw_score, bw_term, bw_token,
)

cdef extern from "binwright/binwright.h":
    """
    static const bw_api *bw_table; /* of this module */

    static inline int bw_import_table(void)
    {
        bw_table = bw_import();
        return bw_table ? 0 : -1;
    }
    """
    int bw_import_table() except -1
    const bw_api* bw_table


cdef inline int import_binwright() except -1:
    return bw_import_table()


cdef inline int bw_raise(int status, str text) except -1:
    from binwright.embedding import error
    raise error(status, text)


cdef inline int bw_check(bw_fleet* fleet, int status) except -1 nogil:
    """Raise what a status says."""
    if status:
        with gil:
            bw_raise(status, (<bytes>bw_table.error_text(fleet, status)).decode("utf-8", "replace"))
    return 0


cdef inline bw_fleet* bw_opened(bw_fleet* fleet, int status) except NULL nogil:
    """A fleet that was just made, or what went wrong."""
    if status:
        with gil:
            text = (<bytes>bw_table.error_text(fleet, status)).decode("utf-8", "replace")
            bw_table.fleet_free(fleet)
            bw_raise(status, text)
    return fleet


# ---- fleets. Free each with close_fleet. -------------------------------------------------------------------------

cdef inline bw_fleet_spec fleet_spec() noexcept nogil:
    """An empty description, its size filled in."""
    cdef bw_fleet_spec spec
    memset(&spec, 0, sizeof(spec))
    spec.size = sizeof(spec)
    return spec


cdef inline bw_fleet* new_fleet(const bw_fleet_spec* spec) except NULL nogil:
    cdef bw_fleet* fleet
    cdef int status = bw_table.fleet_new(spec, &fleet)
    return bw_opened(fleet, status)


cdef inline bw_fleet* fleet_of(object python_fleet) except NULL:
    """The fleet behind a binwright.Fleet; its classes are `Request.index`."""
    cdef bw_fleet* fleet
    cdef int status = bw_table.fleet_of(<void*>python_fleet, &fleet)
    return bw_opened(fleet, status)


cdef inline bw_fleet* fork_fleet(bw_fleet* fleet) except NULL nogil:
    cdef bw_fleet* copy
    bw_check(fleet, bw_table.fleet_fork(fleet, &copy))
    return copy


cdef inline void close_fleet(bw_fleet* fleet) noexcept nogil:
    bw_table.fleet_free(fleet)


cdef extern from *:
    """
    static inline PyObject *bw_as_object(bw_external *external) { return (PyObject *)external; }
    """
    object bw_as_object(bw_external* external)


cdef inline object python_fleet(bw_fleet* fleet):
    """Its binwright.Fleet, for explanations and all that is not here. From now on calls take the GIL for a moment."""
    cdef void* found = bw_table.fleet_python(fleet)
    if found == NULL:
        bw_check(fleet, BW_BUSY)
    made = <object>found
    Py_DECREF(made)  # the reference that was given; `made` has its own
    return made


# ---- hosts -------------------------------------------------------------------------------------------------------

cdef inline int64_t add_hosts(
    bw_fleet* fleet, int64_t count, const int64_t** capacity, const int64_t** used
) except -1 nogil:
    """Index of the first; arrays (count,) per resource, used NULL = nothing."""
    cdef int64_t first = 0
    bw_check(fleet, bw_table.hosts_add(fleet, count, capacity, used, &first))
    return first


cdef inline int remove_host(bw_fleet* fleet, int64_t host) except -1 nogil:
    return bw_check(fleet, bw_table.host_remove(fleet, host))


cdef inline int resize_host(bw_fleet* fleet, int64_t host, const int64_t* capacity) except -1 nogil:
    return bw_check(fleet, bw_table.host_resize(fleet, host, capacity))


cdef inline int cordon_host(bw_fleet* fleet, int64_t host, bint cordoned) except -1 nogil:
    return bw_check(fleet, bw_table.host_cordon(fleet, host, cordoned))


cdef inline int look_at(bw_fleet* fleet, bw_columns* columns) except -1 nogil:
    """Borrow its columns until hosts are added."""
    columns.size = sizeof(bw_columns)
    return bw_check(fleet, bw_table.columns(fleet, columns))


# ---- classes and counters ----------------------------------------------------------------------------------------

cdef inline bw_class class_spec(const int64_t* demand) noexcept nogil:
    """A class that asks for nothing but (resources,) amounts, its size filled in."""
    cdef bw_class spec
    memset(&spec, 0, sizeof(spec))
    spec.size = sizeof(spec)
    spec.demand = demand
    return spec


cdef inline int32_t new_class(bw_fleet* fleet, const bw_class* spec) except -1 nogil:
    cdef int32_t number = 0
    bw_check(fleet, bw_table.class_new(fleet, spec, &number))
    return number


cdef inline int32_t new_counter(bw_fleet* fleet, bint flag) except -1 nogil:
    cdef int32_t counter = 0
    bw_check(fleet, bw_table.counter_new(fleet, flag, &counter))
    return counter


cdef inline int64_t counter_value(bw_fleet* fleet, int32_t counter, int64_t host) except -1 nogil:
    cdef int64_t value = 0
    bw_check(fleet, bw_table.counter_value(fleet, counter, host, &value))
    return value


# ---- decisions ---------------------------------------------------------------------------------------------------

cdef inline int64_t place_one(bw_fleet* fleet, int32_t number, int64_t* item) except -2 nogil:
    """Host of one item of a class, -1 = none; `item` gets its id."""
    cdef int64_t host = -1
    bw_check(fleet, bw_table.place(fleet, number, 1, &host, NULL, item, NULL))
    return host


cdef inline int place(
    bw_fleet* fleet, int32_t number, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items, uint8_t* verdicts
) except -1 nogil:
    return bw_check(fleet, bw_table.place(fleet, number, count, hosts, scores, items, verdicts))


cdef inline int place_queue(
    bw_fleet* fleet, const int64_t* numbers, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items,
    uint8_t* verdicts,
) except -1 nogil:
    return bw_check(fleet, bw_table.place_queue(fleet, numbers, count, hosts, scores, items, verdicts))


cdef inline int claim(
    bw_fleet* fleet, const int64_t* numbers, int64_t count, const int64_t* hosts, int64_t* items
) except -1 nogil:
    return bw_check(fleet, bw_table.claim(fleet, numbers, count, hosts, items))


cdef inline int release(bw_fleet* fleet, const int64_t* items, int64_t count) except -1 nogil:
    return bw_check(fleet, bw_table.release(fleet, items, count))


# ---- undo: last in, first out ------------------------------------------------------------------------------------

cdef inline int checkpoint(bw_fleet* fleet, bw_token* token) except -1 nogil:
    return bw_check(fleet, bw_table.checkpoint(fleet, token))


cdef inline int rollback(bw_fleet* fleet, const bw_token* token) except -1 nogil:
    return bw_check(fleet, bw_table.rollback(fleet, token))


cdef inline int keep(bw_fleet* fleet, const bw_token* token) except -1 nogil:
    return bw_check(fleet, bw_table.keep(fleet, token))


# ---- external terms ----------------------------------------------------------------------------------------------

cdef inline bw_term term_spec(void* data) noexcept nogil:
    """An empty term, its size filled in."""
    cdef bw_term term
    memset(&term, 0, sizeof(term))
    term.size = sizeof(term)
    term.data = data
    return term


cdef inline object new_external(const bw_term* term):
    """A binwright.External, for Fleet.request(external=[...]) and, as <bw_external*>, for bw_class.externals."""
    cdef bw_external* external
    cdef const char* why
    cdef int status = bw_table.external_new(term, &external, &why)
    if status:
        bw_raise(status, (<bytes>why).decode())
    return bw_as_object(external)
