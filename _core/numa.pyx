"""Cells of a host: which CPUs of one an item may own, and which page size its memory fits. Decides for one cell alone.

Rules of the packing: sibling sets in their order, CPUs of a set ascending. Knows nothing of hosts, groups or claims.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

MOST_CPUS = 64 * MAX_WORDS


cdef extern from *:
    int __builtin_popcountll(unsigned long long) noexcept nogil


cdef void* enlarged(void* memory, Py_ssize_t size) except NULL nogil:
    cdef void* grown = realloc(memory, max(size, 1))
    if grown == NULL:
        with gil:
            raise MemoryError("cells")
    return grown


cdef inline int32_t size_of(const uint64_t* words, int32_t count) noexcept nogil:
    cdef int32_t w, total = 0
    for w in range(count):
        total += __builtin_popcountll(words[w])
    return total


cdef int32_t take(uint64_t* source, uint64_t* target, int32_t words, int32_t most) noexcept nogil:
    """Move the lowest `most` CPUs of one set to another; returns how many there were."""
    cdef int32_t w, moved = 0
    cdef uint64_t bit
    for w in range(words):
        while source[w] and moved < most:
            bit = source[w] & (~source[w] + 1)
            source[w] &= ~bit
            target[w] |= bit
            moved += 1
    return moved


@cython.final
cdef class Cells:
    """The cells of one forest, in order of creation."""

    def __cinit__(self):
        self.cells = NULL
        self.words = NULL
        self.owner = NULL
        self.sizes = NULL
        self.count = self.word_count = self.size_count = self.room = self.word_room = self.size_room = 0

    def __dealloc__(self):
        free(self.cells)
        free(self.words)
        free(self.owner)
        free(self.sizes)

    def add(self, int32_t row, list sets, list pages, bint alike):
        """A cell of a row. sets: dedicated, pinned, each sibling set, as ints (bit c = CPU c); pages: (size, total,
        used, reserved) each. Returns its number. Checked by the caller.
        """
        cdef Cell* cell
        cdef Py_ssize_t length = max(1, (max(one.bit_length() for one in sets) + 63) // 64)
        cdef Py_ssize_t w
        if self.count == self.room:
            self.room = max(16, 2 * self.room)
            self.cells = <Cell*>enlarged(self.cells, self.room * sizeof(Cell))
        if self.word_count + length * len(sets) > self.word_room:
            self.word_room = 2 * (self.word_count + length * len(sets))
            self.words = <uint64_t*>enlarged(self.words, self.word_room * sizeof(uint64_t))
            self.owner = <int32_t*>enlarged(self.owner, self.word_room * sizeof(int32_t))
        if self.size_count + len(pages) > self.size_room:
            self.size_room = 2 * (self.size_count + len(pages))
            self.sizes = <PageSize*>enlarged(self.sizes, self.size_room * sizeof(PageSize))
        cell = self.cells + self.count
        cell.row, cell.words, cell.first, cell.siblings = row, length, self.word_count, len(sets) - 2
        cell.page, cell.pages, cell.alike = self.size_count, len(pages), alike
        cell.threads = max([1] + [one.bit_count() for one in sets[2:]])
        for one in sets:
            for w in range(length):
                self.words[self.word_count] = (one >> 64 * w) & 0xFFFFFFFFFFFFFFFF
                self.owner[self.word_count] = row
                self.word_count += 1
        for size, total, used, reserved in pages:
            self.sizes[self.size_count].size, self.sizes[self.size_count].total = size, total
            self.sizes[self.size_count].used, self.sizes[self.size_count].reserved = used, reserved
            self.sizes[self.size_count].row, self.sizes[self.size_count].padding = row, 0
            self.size_count += 1
        self.count += 1
        return self.count - 1

    cdef void drop_last(self) noexcept:
        """Forget the newest cell."""
        self.count -= 1
        self.word_count = self.cells[self.count].first
        self.size_count = self.cells[self.count].page

    def cell(self, Py_ssize_t number):
        """(dedicated, pinned, sibling sets, pages) of a cell, as `add` takes them."""
        cdef Cell* cell = self.cells + number
        cdef Py_ssize_t i, w
        sets = [
            sum(<object>self.words[cell.first + i * cell.words + w] << 64 * w for w in range(cell.words))
            for i in range(2 + cell.siblings)
        ]
        pages = [
            (self.sizes[i].size, self.sizes[i].total, self.sizes[i].used, self.sizes[i].reserved)
            for i in range(cell.page, cell.page + cell.pages)
        ]
        return sets[0], sets[1], sets[2:], pages

    # ---- memory --------------------------------------------------------------------------------------------

    cdef int32_t page_for(self, int32_t cell, const Wish* wish, bint empty) noexcept nogil:
        """The page size that a cell's memory comes from; -1 = none fits. Only for a wish, or a cell with pages.

        A wish names candidates; the first of them of which enough pages are free is taken. Without one it is the
        smallest size, of which enough must be free if the group pins, else merely be there.
        """
        cdef const Cell* mine = self.cells + cell
        cdef int32_t i, best = -1, smallest = -1
        cdef int64_t there
        for i in range(mine.page, mine.page + mine.pages):
            if smallest < 0 or self.sizes[i].size < self.sizes[smallest].size:
                smallest = i
        for i in range(mine.page, mine.page + mine.pages):
            if wish.page > 0 and self.sizes[i].size != wish.page or wish.page == NOT_SMALLEST and i == smallest:
                continue
            if (wish.page == SMALLEST or wish.page == NO_PAGE) and i != smallest:
                continue
            there = self.sizes[i].total
            if wish.page != NO_PAGE or wish.strict:
                there -= (0 if empty else self.sizes[i].used) + self.sizes[i].reserved
            if wish.memory // self.sizes[i].size > there or wish.memory % self.sizes[i].size:
                continue
            if best < 0 or self.sizes[i].size > self.sizes[best].size:
                best = i
        return best

    # ---- CPUs ----------------------------------------------------------------------------------------------

    cdef int32_t free_cpus(self, int32_t cell, bint empty) noexcept nogil:
        """How many dedicated CPUs nobody has pinned."""
        cdef const Cell* mine = self.cells + cell
        cdef const uint64_t* words = self.words + mine.first
        cdef int32_t w, total = 0
        for w in range(mine.words):
            total += __builtin_popcountll(words[w] & ~(0 if empty else words[mine.words + w]))
        return total

    cdef bint pack(self, int32_t cell, const Wish* wish, bint empty, Packing* packing) noexcept nogil:
        """Choose the CPUs of a group that pins; False if the cell has not got them. The sets are then complete."""
        cdef const Cell* mine = self.cells + cell
        cdef const uint64_t* words = self.words + mine.first
        cdef uint64_t[MAX_WORDS] idle
        cdef int32_t w, t
        if wish.pinned + wish.spare > self.free_cpus(cell, empty):
            return False
        for w in range(mine.words):
            idle[w] = words[w] & ~(0 if empty else words[mine.words + w])
        if wish.threads == ISOLATE:
            if wish.pinned == 0 or mine.threads > 1 and not mine.alike:
                return False
            return self.pin(cell, wish, idle, 1, mine.threads, packing)
        for t in range(mine.threads, 1 if wish.threads == REQUIRE else 0, -1):
            if self.pin(cell, wish, idle, t, t, packing):
                return True
        return wish.threads == PREFER and self.pin(cell, wish, idle, 64 * MAX_WORDS, 1, packing)

    cdef bint pin(
        self, int32_t cell, const Wish* wish, const uint64_t* idle, int32_t threads, int32_t least, Packing* packing
    ) noexcept nogil:
        """Take the first `threads` CPUs of each sibling set with at least `least` free ones, in order, until it is
        enough; then the spare ones of what is left, in order.
        """
        cdef const Cell* mine = self.cells + cell
        cdef const uint64_t* siblings = self.words + mine.first + 2 * mine.words
        cdef uint64_t[MAX_WORDS] threads_free
        cdef uint64_t touched
        cdef int32_t s, w, wanted = wish.pinned, spare = wish.spare, sets = 0, got
        memset(packing, 0, sizeof(Packing))
        for s in range(mine.siblings):
            for w in range(mine.words):
                threads_free[w] = siblings[s * mine.words + w] & idle[w]
            if size_of(threads_free, mine.words) < least:
                continue
            sets += 1
            got = take(threads_free, packing.pinned, mine.words, min(threads, wanted))
            wanted -= got
        if wanted > 0 or sets == 0 and threads <= mine.threads:
            return False
        for s in range(mine.siblings):
            touched = 0
            for w in range(mine.words):
                touched |= siblings[s * mine.words + w] & packing.pinned[w]
                threads_free[w] = siblings[s * mine.words + w] & idle[w] & ~packing.pinned[w]
            if wish.threads == ISOLATE and touched:
                continue
            spare -= take(threads_free, packing.spare, mine.words, spare)
        if spare > 0:
            return False
        if wish.threads == ISOLATE:
            for s in range(mine.siblings):
                touched = 0
                for w in range(mine.words):
                    touched |= siblings[s * mine.words + w] & (packing.pinned[w] | packing.spare[w])
                if touched:
                    for w in range(mine.words):
                        packing.beside[w] |= siblings[s * mine.words + w] & idle[w]
            for w in range(mine.words):
                packing.beside[w] &= ~(packing.pinned[w] | packing.spare[w])
        return True

    # ---- copies --------------------------------------------------------------------------------------------

    def save(self):
        return (
            PyBytes_FromStringAndSize(<char*>self.cells, self.count * sizeof(Cell)),
            PyBytes_FromStringAndSize(<char*>self.words, self.word_count * sizeof(uint64_t)),
            PyBytes_FromStringAndSize(<char*>self.owner, self.word_count * sizeof(int32_t)),
            PyBytes_FromStringAndSize(<char*>self.sizes, self.size_count * sizeof(PageSize)),
        )

    def restore(self, tuple saved):
        cells, words, owner, sizes = saved
        if len(cells) % sizeof(Cell) or len(sizes) % sizeof(PageSize) or len(words) % 8 or len(owner) * 2 != len(words):
            raise ValueError("fleet: rows: damaged pickle: its cells' lengths do not agree")
        self.cells = <Cell*>enlarged(self.cells, len(cells))
        self.words = <uint64_t*>enlarged(self.words, len(words))
        self.owner = <int32_t*>enlarged(self.owner, len(owner))
        self.sizes = <PageSize*>enlarged(self.sizes, len(sizes))
        self.count = self.room = len(cells) // sizeof(Cell)
        self.word_count = self.word_room = len(words) // sizeof(uint64_t)
        self.size_count = self.size_room = len(sizes) // sizeof(PageSize)
        memcpy(self.cells, PyBytes_AS_STRING(cells), len(cells))
        memcpy(self.words, PyBytes_AS_STRING(words), len(words))
        memcpy(self.owner, PyBytes_AS_STRING(owner), len(owner))
        memcpy(self.sizes, PyBytes_AS_STRING(sizes), len(sizes))
