# A table of rows in trees, made at once: what the enumeration of candidates runs over.
#
# Rows stand in preorder: a tree's rows lie together, its root first, and row a is b or above b iff
# a <= b < leave[a]. Trees are numbered in the order of their roots. A tree sees its own rows and those it is linked to;
# a row that some tree is linked to is *shared*. Stocks of a row lie together.
# Only `used` ever changes.

cimport cython
from libc.stdint cimport int32_t, int64_t

from binwright._core.clauses cimport Clauses


cdef struct Row:
    int32_t tree
    int32_t leave        # one past the last row of its subtree
    int32_t labels       # set number in `labels`
    int32_t members      # set number in `members`
    int32_t stock        # first of its stocks
    int32_t stocks
    int32_t shared       # 1 = some tree is linked to it


cdef struct Stock:
    int64_t capacity     # 0..MAX_AMOUNT
    int64_t used         # 0..MAX_USED, may exceed the capacity
    int64_t smallest     # of one claim
    int64_t largest      # of one claim, and of all claims of one request together
    int64_t step
    int32_t resource


cdef struct Tree:
    int32_t first        # its root
    int32_t rows
    int32_t link         # first of its links
    int32_t links
    int32_t shape        # trees of one shape are alike in all but what is used; -1 = linked, or another is to it


@cython.final
cdef class RowTable:
    cdef readonly Clauses labels
    cdef readonly Clauses members
    cdef Row* rows                   # (count,)
    cdef readonly Py_ssize_t count
    cdef Stock* stocks               # (stock_count,)
    cdef readonly Py_ssize_t stock_count
    cdef Tree* trees                 # (tree_count,)
    cdef readonly Py_ssize_t tree_count
    cdef readonly Py_ssize_t shape_count
    cdef int32_t* links              # rows, ascending within a tree
    cdef readonly Py_ssize_t most    # no tree sees more rows

    cdef int number_shapes(self, rows) except -1
    cdef Stock* stock_of(self, int32_t row, int32_t resource) noexcept nogil
