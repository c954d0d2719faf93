# The hot calls of the table for embedders, as binwright.h says them; `bw_fleet *` is a Handle.

from libc.stdint cimport int32_t, int64_t, uint8_t

from binwright._core.abi cimport bw_columns
from binwright._core.handles cimport Handle

cdef int columns(Handle handle, bw_columns* out) noexcept nogil
cdef int counter_value(Handle handle, int32_t counter, int64_t host, int64_t* value) noexcept nogil
cdef int check_numbers(Handle handle, const char* what, const int64_t* numbers, int64_t count) noexcept nogil
cdef int place(
    Handle handle, int32_t number, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items, uint8_t* verdicts
) noexcept nogil
cdef int place_queue(
    Handle handle, const int64_t* numbers, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items,
    uint8_t* verdicts,
) noexcept nogil
cdef int claim(
    Handle handle, const int64_t* numbers, int64_t count, const int64_t* hosts, int64_t* items
) noexcept nogil
cdef int release(Handle handle, const int64_t* items, int64_t count) noexcept nogil
