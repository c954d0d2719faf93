"""An embedder's hold on a fleet: entering one call at a time, leaving, saying what was wrong, and being freed.

A handle that was freed is known by its magic word, as long as its memory is not used again: the newest of those that
were freed are kept for that, empty.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy

from collections import deque

from binwright._core.abi cimport BW_BUSY, BW_FAILED, BW_INPUT, BW_MEMORY, BW_OK, BW_STATE

cdef extern from *:
    """
    static inline int bw_end(int32_t *magic, int32_t live)
    {
        return __atomic_compare_exchange_n(magic, &live, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
    """
    int bw_end(int32_t* magic, int32_t live) nogil

cdef enum:
    LIVE = 0x62776866   # "bwhf"
    GRAVES = 256        # handles that are known to be freed

cdef dict door = {}
cdef object graves = deque(maxlen=GRAVES)


@cython.final
cdef class Handle:
    def __cinit__(self):
        self.magic = LIVE
        self.turn = 0
        self.shared = self.alone = False
        self.text[0] = 0

    def __dealloc__(self):
        self.magic = 0


cdef Handle handle_of(object fleet, State state, bint shared):
    cdef Handle made = Handle.__new__(Handle)
    made.fleet = fleet
    made.state = state
    made.shared = shared
    return made


cdef bint is_live(const void* fleet) noexcept nogil:
    """Is this a handle that was not freed? It may be anything: it is not counted as a reference before."""
    return fleet != NULL and (<Handle>fleet).magic == LIVE


cdef Handle live(const void* fleet):
    """The handle that a C program means; None where it is none."""
    return <Handle>fleet if is_live(fleet) else None


cdef bint bury(Handle handle) noexcept:
    """What fleet_free does to a live handle; one in which another thread is keeps its fleet a while longer. False if
    another thread has just freed it.
    """
    if not bw_end(&handle.magic, LIVE):
        return False
    if bw_take_turn(&handle.turn):
        handle.fleet = handle.state = None
    try:
        graves.append(handle)
    except BaseException:
        pass  # no memory for it: then it is freed at once
    return True


# ---- entering ---------------------------------------------------------------------------------------------------

cdef int enter(Handle handle) noexcept nogil:
    """Take the turn; what is not BW_OK is the status to return."""
    if not is_live(<const void*>handle):
        return BW_INPUT
    if not bw_take_turn(&handle.turn):
        return BW_BUSY
    if handle.state is None:  # its making failed, and the text says why
        bw_give_turn(&handle.turn)
        return BW_STATE
    return BW_OK


cdef int enter_door(Handle handle) noexcept:
    """The same for calls that may change anything; the GIL is held. None is no handle."""
    cdef int status = BW_INPUT if handle is None else enter(handle)
    if status == BW_OK and handle.state.journal.busy:
        bw_give_turn(&handle.turn)
        return BW_BUSY
    return status


# ---- failing ----------------------------------------------------------------------------------------------------

cdef int remember(Handle handle, object error) noexcept:
    """Keep what an exception says; its status."""
    cdef bytes text
    cdef int status = BW_FAILED
    try:
        status = door["status_of"](error)
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        text = said.replace("\n", " ").encode("utf-8", "replace")
        copy_text(handle.text, TEXT, text)
    except BaseException:
        handle.text[0] = 0
    return status


cdef int wrong(Handle handle, const char* what, int64_t entry, int64_t value, const char* why) noexcept nogil:
    """BW_INPUT, with words about one entry of an array, or about a number of its own (entry -1)."""
    if entry < 0:
        snprintf(handle.text, TEXT, b"%s: %lld %s", what, <long long>value, why)
    else:
        snprintf(handle.text, TEXT, b"%s: entry %lld: %lld %s", what, <long long>entry, <long long>value, why)
    return BW_INPUT


cdef int lacks(Handle handle, const char* what, const void* given, int64_t count) noexcept nogil:
    """BW_INPUT for an array or a place for answers, "CALL: NAME", that is NULL though it has `count` entries."""
    if given != NULL or count == 0:
        return BW_OK
    snprintf(handle.text, TEXT, b"%s is NULL", what)
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
    if not is_live(<const void*>handle):
        return b"fleet: no handle, or freed before"
    return handle.text


cdef void copy_text(char* to, int64_t room, bytes text) noexcept:
    """As much of a UTF-8 text as there is room for, in whole characters, with a 0 behind it."""
    cdef const char* source = text
    cdef int64_t length = min(<int64_t>len(text), room - 1)
    if length < <int64_t>len(text):
        while length > 0 and (<unsigned char>source[length] & 0xC0) == 0x80:
            length -= 1
    memcpy(to, source, length)
    to[length] = 0
