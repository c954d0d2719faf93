# An embedder's hold on a fleet, and how a call of the table enters, leaves and says what was wrong.

cimport cython
from libc.stdint cimport int32_t, int64_t

from binwright._core.state cimport State

cdef enum:
    TEXT = 512
    MOST_ENTRIES = 0x7FFFFFFF


@cython.final
cdef class Handle:
    """One embedder's hold on a fleet. `bw_fleet *` is a pointer to it."""

    cdef int32_t magic          # LIVE from its making to fleet_free; anything else is no handle
    cdef int32_t turn           # 1 = a call is inside
    cdef object fleet           # the API's fleet; None when it could not be made
    cdef State state
    cdef bint shared            # Python code may hold the fleet too
    cdef bint alone             # not shared, no external terms, and the core has scratch for all hosts and classes
    cdef char[TEXT] text        # why the last call failed


cdef extern from "binwright/turns.h" nogil:
    int bw_take_turn(int32_t* turn)
    void bw_give_turn(int32_t* turn)

cdef dict door                  # the Python side's functions, by name, set once when binwright.embedding is imported

cdef Handle handle_of(object fleet, State state, bint shared)
cdef bint bury(Handle handle) noexcept
cdef bint is_live(const void* fleet) noexcept nogil
cdef Handle live(const void* fleet)
cdef int enter(Handle handle) noexcept nogil
cdef int enter_door(Handle handle) noexcept
cdef int remember(Handle handle, object error) noexcept
cdef int wrong(Handle handle, const char* what, int64_t entry, int64_t value, const char* why) noexcept nogil
cdef int lacks(Handle handle, const char* what, const void* given, int64_t count) noexcept nogil
cdef const char* error_text(Handle handle, int status) noexcept nogil
cdef void copy_text(char* to, int64_t room, bytes text) noexcept
