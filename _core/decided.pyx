"""The answers of a batch: one block of memory that is made with the batch, and looked into by whoever wants arrays.

A single decision is the case to be quick in: two small objects and no array.
"""

cimport cython
from cpython.buffer cimport PyBuffer_FillInfo
from cpython.object cimport PyObject, newfunc
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef extern from *:
    """
    #ifdef Py_LIMITED_API
    #define bw_maker(kind) ((newfunc)PyType_GetSlot((PyTypeObject *)(kind), Py_tp_new))
    #else
    #define bw_maker(kind) (((PyTypeObject *)(kind))->tp_new)
    #endif
    """
    newfunc bw_maker(type kind)

cdef enum:
    COLUMNS = 4
    BYTES = 33  # of a decision


@cython.final
@cython.freelist(8)
cdef class Cells:
    """Four int64 columns (count,), hosts, scores, items, positions, and behind them verdicts, uint8 (count,), as one
    read-only buffer of 33 bytes a decision.
    """

    def __cinit__(self, Py_ssize_t count):
        if count < 0:
            raise ValueError("answers: a negative number of them")
        self.count = count
        self.cells = self.one
        if count > 1:
            self.cells = <int64_t*>malloc(count * BYTES)
            if self.cells == NULL:
                raise MemoryError("answers")

    def __dealloc__(self):
        if self.cells != self.one:
            free(self.cells)

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, self.cells, self.count * BYTES, True, flags)

    cdef uint8_t* verdicts(self) noexcept:
        return <uint8_t*>(self.cells + COLUMNS * self.count)

    def take_back(self, uint8_t placed, uint8_t verdict):
        """Nothing was placed after all: what had the verdict `placed` has the other one now."""
        cdef uint8_t* verdicts = self.verdicts()
        cdef Py_ssize_t i
        for i in range((COLUMNS - 1) * self.count):
            self.cells[i] = -1
        for i in range(self.count):
            if verdicts[i] == placed:
                verdicts[i] = verdict


@cython.auto_pickle(False)
cdef class Decided:
    """The answers of one batch; a kind of it is made by `place` and `place_each`, never by itself."""


cdef Decided decided(type kind, object owner, object numbers, Py_ssize_t count):
    """A new `kind` of Decided with room for `count` answers."""
    cdef Decided made = <Decided>bw_maker(kind)(kind, <PyObject*>(), NULL)
    made._cells = Cells.__new__(Cells, count)
    made._owner = owner
    made._numbers = numbers
    return made


def restored(type kind, object owner, object numbers, bytes cells, int64_t position, int64_t serial):
    """A Decided from the bytes of its cells."""
    if not issubclass(kind, Decided):
        raise TypeError(f"{kind.__name__} is no kind of Decided")
    cdef Decided made = decided(kind, owner, numbers, len(cells) // BYTES)
    memcpy(made._cells.cells, <const char*>cells, len(cells) // BYTES * BYTES)
    made._position, made._serial = position, serial
    return made
