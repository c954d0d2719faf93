# Budgets: how many items of a group may still be taken away. An item names a list of budgets; each eviction of it
# takes 1 from every budget of the list.

cimport cython
from libc.stdint cimport int32_t, int64_t

from binwright._core.journal cimport Change, Idea, Journal


@cython.final
cdef class Budgets(Idea):
    cdef Journal journal
    cdef int64_t* allowance      # (count,)
    cdef readonly Py_ssize_t count
    cdef readonly list lists     # lists of budget numbers, by list number; definitions
