"""Equal rows of a table as groups, by hashing; linear in the rows, and nothing is sorted."""

cimport cython
from libc.stdlib cimport free, realloc
from libc.string cimport memset


@cython.final
cdef class Grouping:
    """`Grouping(rows, groups)`: rows int64 (n, columns); writes the group of each row into `groups` int32 (n,)."""

    def __cinit__(self, const int64_t[:, ::1] rows, int32_t[::1] groups):
        self.cells = NULL
        self.firsts = NULL
        self.mask = 0
        self.room = self.count = 0
        self.columns = rows.shape[1]
        if groups.shape[0] != rows.shape[0]:
            raise ValueError("grouping: arrays of different lengths")
        if rows.shape[0] and self.columns:
            with nogil:
                self.run(&rows[0, 0], rows.shape[0], &groups[0])

    def __dealloc__(self):
        free(self.cells)
        free(self.firsts)

    def fill_firsts(self, int64_t[::1] firsts):
        """Write the row in which each group first occurs into `firsts` (count,)."""
        cdef Py_ssize_t group
        if firsts.shape[0] != self.count:
            raise ValueError("grouping: arrays of different lengths")
        for group in range(self.count):
            firsts[group] = self.firsts[group]

    cdef inline uint64_t hash_of(self, const int64_t* row) noexcept nogil:
        cdef uint64_t mixed = 0
        cdef Py_ssize_t column
        for column in range(self.columns):
            mixed = (mixed ^ <uint64_t>row[column]) * <uint64_t>0x9E3779B97F4A7C15
            mixed ^= mixed >> 29
        return mixed ^ (mixed >> 32)

    cdef inline bint same(self, const int64_t* left, const int64_t* right) noexcept nogil:
        cdef Py_ssize_t column
        for column in range(self.columns):
            if left[column] != right[column]:
                return False
        return True

    cdef int grow(self, const int64_t* rows) except -1 nogil:
        """Twice the room, every group put where it is found again."""
        cdef Py_ssize_t group, room = self.room * 2 if self.room else 512
        cdef uint64_t cell
        cdef int32_t* cells = <int32_t*>realloc(self.cells, 2 * room * sizeof(int32_t))
        if cells == NULL:
            with gil:
                raise MemoryError("grouping")
        self.cells = cells
        cdef int64_t* firsts = <int64_t*>realloc(self.firsts, room * sizeof(int64_t))
        if firsts == NULL:
            with gil:
                raise MemoryError("grouping")
        self.firsts = firsts
        self.room = room
        self.mask = <uint64_t>(2 * room - 1)
        memset(cells, 0xFF, 2 * room * sizeof(int32_t))
        for group in range(self.count):
            cell = self.hash_of(rows + firsts[group] * self.columns) & self.mask
            while cells[cell] >= 0:
                cell = (cell + 1) & self.mask
            cells[cell] = <int32_t>group
        return 0

    cdef int run(self, const int64_t* rows, Py_ssize_t length, int32_t* groups) except -1 nogil:
        cdef Py_ssize_t i
        cdef uint64_t cell
        cdef const int64_t* row
        for i in range(length):
            if self.count == self.room:
                self.grow(rows)
            row = rows + i * self.columns
            cell = self.hash_of(row) & self.mask
            while self.cells[cell] >= 0 and not self.same(row, rows + self.firsts[self.cells[cell]] * self.columns):
                cell = (cell + 1) & self.mask
            if self.cells[cell] < 0:
                self.cells[cell] = <int32_t>self.count
                self.firsts[self.count] = i
                self.count += 1
            groups[i] = self.cells[cell]
        return 0
