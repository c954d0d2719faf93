# External terms: a mask, reasons and scores from outside the core, per class, written into the class's static columns
# just before they are read. What they hold themselves is theirs; hooks tell them of every placing and its undoing.

cimport cython
from libc.stdint cimport int32_t, uint8_t

from binwright._core.fleet cimport Fleet
from binwright._core.journal cimport Change, Idea, Journal
from binwright._core.request cimport Classes


@cython.final
cdef class Externals(Idea):
    cdef Journal journal
    cdef Fleet fleet
    cdef Classes classes
    cdef readonly list of_class        # per class: [(term, rule position or -1, raw slot or -1)]
    cdef list seen                     # per class: the versions at which its columns were written, or None
    cdef uint8_t* concerned            # (classes,) 1 = the class has external terms
    cdef Py_ssize_t class_count

    cdef object error                  # the first exception of a hook that nobody has raised yet

    cdef tuple ask(self, object term, int32_t number)
    cdef int refresh(self, int32_t number) except -1
    cdef void tell(self, int32_t number, Py_ssize_t host, int sign) noexcept
    cdef int settle(self) except -1
