# A window: a decision looks at hosts in a stated order, from a cursor on, until enough feasible ones were found.
#
# visited: uint8, (stride,), 1 = the last decision asked this host. Without a window every host is asked.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t

from binwright._core.journal cimport Change, Idea, Journal


@cython.final
cdef class Window(Idea):
    cdef Journal journal
    cdef int32_t* order             # (length,) hosts; a definition, like the stop count
    cdef readonly Py_ssize_t length
    cdef readonly int64_t stop      # feasible hosts wanted, 0 = no window
    cdef readonly int64_t cursor    # position in the order where the next decision begins; state
    cdef uint8_t* visited
    cdef Py_ssize_t stride

    cdef int move_to(self, int64_t cursor) except -1 nogil
    cdef int look(self, int64_t* verdict, Py_ssize_t hosts, bint move) except -1 nogil
