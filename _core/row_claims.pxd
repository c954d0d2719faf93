# Claims of an item on the rows that the last search chose for it.

from libc.stdint cimport int32_t

from binwright._core.devices cimport Forest
from binwright._core.search cimport Search

cdef int claim_rows(Search search, Forest forest, int32_t item) except -1 nogil
