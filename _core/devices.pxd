# The row forest: rows below hosts, to any depth, each with a stock of resources of its own; and who holds what.
#
# A host is the root row of its tree, written ~slot; its stock is the fleet's columns. Resource numbers: those of the
# fleet first, then those that only rows have. Rows keep their numbers for good; a removed row leaves a hole.
#
# Invariants: `used` of a stock = what was reported + the sum of the claims on it. The rows of a host form a chain in
# order of creation. Links are chained in ascending order of what they lead to. The claims of an item form a chain,
# newest first; cells of released claims wait on a stack and are taken again last in, first out.

cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t

from binwright._core.clauses cimport Clauses
from binwright._core.fleet cimport Fleet
from binwright._core.journal cimport Change, Idea, Journal
from binwright._core.numa cimport Cells


cdef enum:
    GROUP_LIMIT = 256    # of one request, so that a group's number fits into the kind of a change


cdef enum ClaimKind:
    ON_STOCK = 0     # where = stock
    ON_COLUMN = 1    # where = host * resources of the fleet + resource
    PRESENCE = 2     # where = row: it serves the group and gives nothing
    ON_PAGES = 3     # where = page size of a cell, amount = pages
    PINNED = 4       # where = word of a cell's pinned CPUs, amount = bits: for the item's own CPUs
    SPARE = 5        # the same for its emulator
    BESIDE = 6       # the same for siblings of those that nobody may use


cdef struct Row:
    int32_t host         # slot of its root, -1 = none: a pool
    int32_t parent       # row above it, -1 = it stands directly below its host, or is a pool
    int32_t next         # row of the same host made after it, -1 = none
    int32_t labels       # set number
    int32_t members      # set number
    int32_t stock        # first of its stocks
    int32_t stocks
    int32_t cell         # number of its cell, -1 = none
    int32_t children     # rows directly below it
    int32_t claims       # claims on it
    int32_t gone         # 1 = removed


cdef struct Stock:
    int32_t row
    int32_t resource
    int64_t capacity     # 0..MAX_AMOUNT
    int64_t used         # 0..MAX_USED, may exceed the capacity
    int64_t smallest     # of one claim
    int64_t largest      # of one request's claims together
    int64_t step


cdef struct Root:        # what the forest knows of a host
    int32_t first        # its oldest row, -1 = none
    int32_t last
    int32_t rows
    int32_t link         # its first link, -1 = none
    int32_t links
    int32_t labels       # set number
    int32_t members      # set number
    int32_t claims       # claims on the host itself


cdef struct Link:
    int32_t row          # pool row, row of another host, or ~slot of one
    int32_t next         # -1 = none


cdef struct Claim:
    int64_t amount
    int32_t where
    int16_t kind
    int16_t group        # number of the group of the item's class
    int32_t next         # older claim of the same item, or next spare cell; -1 = none


@cython.final
cdef class Forest(Idea):
    cdef Journal journal
    cdef Fleet fleet
    cdef readonly Clauses clauses
    cdef readonly Cells cells
    cdef readonly list resources     # names that only rows have; numbers go on after the fleet's
    cdef Row* rows
    cdef readonly Py_ssize_t count   # rows ever made
    cdef Py_ssize_t row_room
    cdef Stock* stocks
    cdef readonly Py_ssize_t stock_count
    cdef Py_ssize_t stock_room
    cdef Root* roots                 # (stride,); NULL as long as no host has a row, label, link or claim of its own
    cdef Py_ssize_t stride
    cdef Link* links                 # cells; spare ones chained from spare_link
    cdef Py_ssize_t link_count, link_room
    cdef int32_t spare_link
    cdef Claim* claims               # cells; spare ones chained from spare_claim
    cdef Py_ssize_t claim_count, claim_room
    cdef int32_t spare_claim
    cdef int32_t* held               # (item slots,): newest claim of an item, -1 = none
    cdef Py_ssize_t item_room
    cdef readonly Py_ssize_t most    # no host ever saw more rows, itself included

    cdef int need_roots(self) except -1
    cdef int plant(self, Py_ssize_t first, Py_ssize_t stride) except -1
    cdef Stock* stock_of(self, int32_t row, int32_t resource) noexcept nogil
    cdef bint above(self, int32_t upper, int32_t lower) noexcept nogil
    cdef bint untouched(self, int32_t row) noexcept nogil
    cdef int make_items(self, Py_ssize_t slots) except -1 nogil
    cdef int claim(self, int32_t item, int kind, int32_t where, int64_t amount, int group) except -1 nogil
    cdef void try_out(self, int32_t item, int sign) noexcept nogil
    cdef int give_back(self, int32_t item) except -1 nogil
    cdef int32_t push(self, int32_t item, int kind, int32_t where, int64_t amount, int group) except -1 nogil
    cdef void pop(self, int32_t item) noexcept nogil
    cdef void move(self, int kind, int32_t where, int64_t amount, int sign) noexcept nogil
    cdef int32_t host_of(self, int kind, int32_t where) noexcept nogil
    cdef int32_t row_of(self, int kind, int32_t where) noexcept nogil
    cdef int add_link(self, int32_t host, int32_t row) except -1
    cdef bint drop_link(self, int32_t host, int32_t row) noexcept
