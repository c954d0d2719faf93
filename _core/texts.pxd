# Lists of candidates as one text: a template for each way in which units share rows, with the rows' own texts in its
# holes.
#
# The way of a candidate is a number: nibble u = the first unit that has the same row as unit u. A hole takes the text
# of the row of a unit, or of the k-th row of a span of units, each row once and in the order of `rank`.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t

cdef enum:
    MOST_UNITS = 16


cdef struct Piece:
    const char* text       # before the hole
    Py_ssize_t length
    int32_t hole           # unit; MOST_UNITS + k = the k-th of the span; -1 = none, the end


@cython.final
cdef class Template:
    cdef Piece* pieces
    cdef Py_ssize_t count
    cdef Py_ssize_t length  # of all pieces
    cdef int32_t units     # no hole is of a unit past these,
    cdef int32_t spanned   # or past so many rows of the span
    cdef list texts        # owner of what they point at


@cython.final
cdef class RowTexts:
    cdef readonly Py_ssize_t count
    cdef tuple owner
    cdef const char** text           # (count,)
    cdef int32_t* length             # (count,)
    cdef int32_t* rank               # (count,)
