"""Aligned columns of per-host memory, each block with one owner; grown by making a new block, so views stay valid."""

cimport cython
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_WRITABLE
from libc.stdint cimport uintptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

cdef enum:
    ALIGNMENT = 64
    BLOCK = 256
    MOST = 1 << 30


cdef Py_ssize_t stride_for(Py_ssize_t hosts) noexcept nogil:
    """Cells that a column for `hosts` hosts has: whole kernel blocks."""
    return (hosts + BLOCK - 1) // BLOCK * BLOCK


@cython.final
cdef class Columns:
    """`count` columns of `stride` cells of `width` bytes, zeroed. Exports a flat read-only buffer of all cells."""

    def __cinit__(self, Py_ssize_t count, Py_ssize_t stride, Py_ssize_t width):
        self.memory = NULL
        self.data = NULL
        self.count = count
        self.stride = stride
        self.width = width
        self.memory = calloc(count * stride * width + ALIGNMENT, 1)
        if self.memory == NULL:
            raise MemoryError(f"{count} columns of {stride} hosts")
        cdef uintptr_t start = <uintptr_t>self.memory
        self.data = <char*>((start + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT)

    def __dealloc__(self):
        free(self.memory)

    def __reduce__(self):
        return rebuild, (self.count, self.stride, self.width, bytes(memoryview(self).cast("B")))

    cdef Columns resized(self, Py_ssize_t count, Py_ssize_t stride):
        """A new block with the same cells, more columns or longer ones."""
        cdef Columns grown = Columns(count, stride, self.width)
        cdef Py_ssize_t column, cells = min(stride, self.stride)
        for column in range(min(count, self.count)):
            memcpy(
                grown.data + column * stride * self.width,
                self.data + column * self.stride * self.width,
                cells * self.width,
            )
        return grown

    cpdef Columns copy(self):
        return self.resized(self.count, self.stride)

    def load(self, Py_ssize_t column, const unsigned char[::1] cells):
        """Overwrite the beginning of one column with the bytes `cells`."""
        if not 0 <= column < self.count or cells.shape[0] > self.stride * self.width:
            raise ValueError(f"columns: {cells.shape[0]} bytes do not fit column {column}")
        if cells.shape[0]:
            memcpy(self.data + column * self.stride * self.width, &cells[0], cells.shape[0])

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        if flags & PyBUF_WRITABLE:
            raise BufferError("binwright's columns are read-only from outside the core")
        self.shape[0] = self.count * self.stride
        self.steps[0] = self.width
        buffer.buf = self.data
        buffer.obj = self
        buffer.len = self.count * self.stride * self.width
        buffer.itemsize = self.width
        buffer.readonly = 1
        buffer.ndim = 1
        buffer.format = NULL
        if flags & PyBUF_FORMAT:
            buffer.format = b"q" if self.width == 8 else b"i" if self.width == 4 else b"B"
        buffer.shape = self.shape
        buffer.strides = self.steps
        buffer.suboffsets = NULL
        buffer.internal = NULL


def rebuild(Py_ssize_t count, Py_ssize_t stride, Py_ssize_t width, const unsigned char[::1] cells):
    """A block from its pickled cells; refuses a length that does not fit."""
    if not 0 <= count <= MOST or not 0 <= stride <= MOST or width not in (1, 4, 8) or (
        cells.shape[0] != count * stride * width
    ):
        raise ValueError(f"columns: {cells.shape[0]} bytes for {count} x {stride} cells of {width} bytes")
    cdef Columns columns = Columns(count, stride, width)
    if cells.shape[0]:
        memcpy(columns.data, &cells[0], cells.shape[0])
    return columns


cdef int expect(str where, object given, Py_ssize_t count, Py_ssize_t stride, Py_ssize_t width) except -1:
    """Raise ValueError for what a pickle says are columns, unless they are these."""
    cdef Columns columns
    if not isinstance(given, Columns):
        raise ValueError(f"fleet: {where}: damaged pickle: {type(given).__name__} for columns")
    columns = given
    if columns.count != count or columns.stride != stride or columns.width != width:
        raise ValueError(
            f"fleet: {where}: damaged pickle: {columns.count} columns of {columns.stride} cells, {columns.width} bytes"
        )
    return 0
