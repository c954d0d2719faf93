# Cells: what some rows have beside their stocks: CPUs that one item may own, in sibling sets, and memory in pages.
#
# CPU c is bit c % 64 of word c / 64 of a set. A cell's words lie together: its dedicated CPUs, those of them that are
# pinned, then one set per sibling group, `words` words each. Invariant: pinned is what was reported and what the
# claims on the cell's words hold; a CPU is claimed once.

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

cdef enum:
    MAX_WORDS = 16       # of one set: 1024 CPUs

cdef enum Threads:
    PREFER = 0           # whole sibling sets if possible, else any CPUs
    REQUIRE = 1          # sibling sets only
    ISOLATE = 2          # one CPU of each set; the others of the set are kept free

cdef enum Page:
    NO_PAGE = 0          # no wish: the smallest size if the cell has pages, else its memory
    SMALLEST = -1
    NOT_SMALLEST = -2    # largest first
    ANY_PAGE = -3        # largest first


cdef struct Cell:
    int32_t row
    int32_t words        # of one set
    int32_t first        # first word of its sets
    int32_t siblings     # sibling sets
    int32_t threads      # CPUs of the largest sibling set, at least 1
    int32_t page         # first of its page sizes
    int32_t pages
    int32_t alike        # 1 = its floating CPUs are its dedicated ones


cdef struct PageSize:
    int64_t size         # in the unit of memory
    int64_t total        # the rest in pages
    int64_t used
    int64_t reserved
    int32_t row
    int32_t padding


cdef struct Wish:        # what a group asks of a cell
    int64_t memory
    int64_t page         # a Page, or a size
    int32_t resource     # stock of memory that a cell without pages is asked for
    int32_t pinned       # CPUs of its own
    int32_t spare        # one more for the emulator
    int32_t threads
    int32_t strict       # 1 = pins: memory and pages must be free, not merely there


cdef struct Packing:     # sets of CPUs
    uint64_t pinned[MAX_WORDS]
    uint64_t spare[MAX_WORDS]
    uint64_t beside[MAX_WORDS]    # siblings that ISOLATE keeps free


@cython.final
cdef class Cells:
    cdef Cell* cells
    cdef readonly Py_ssize_t count
    cdef uint64_t* words
    cdef int32_t* owner              # (words,): row of each word's cell
    cdef Py_ssize_t word_count
    cdef PageSize* sizes
    cdef Py_ssize_t size_count
    cdef Py_ssize_t room, word_room, size_room

    cdef void drop_last(self) noexcept
    cdef int32_t page_for(self, int32_t cell, const Wish* wish, bint empty) noexcept nogil
    cdef bint pack(self, int32_t cell, const Wish* wish, bint empty, Packing* packing) noexcept nogil
    cdef bint pin(
        self, int32_t cell, const Wish* wish, const uint64_t* idle, int32_t threads, int32_t least, Packing* packing
    ) noexcept nogil
    cdef int32_t free_cpus(self, int32_t cell, bint empty) noexcept nogil
