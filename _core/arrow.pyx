"""Tables through the Arrow C interfaces, out without a copy and in without an Arrow library.

Out: columns of int64, uint8 or float64 buffers as one record batch. In: integer and string columns of any stream;
what it cannot take it names. Knows columns and names only.
"""

cimport cython
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBuffer_Release, PyObject_GetBuffer
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, strlen

cdef extern from "binwright/arrow_abi.h" nogil:
    struct ArrowSchema:
        const char* format
        const char* name
        const char* metadata
        int64_t flags
        int64_t n_children
        ArrowSchema** children
        ArrowSchema* dictionary
        void (*release)(ArrowSchema*) noexcept
        void* private_data

    struct ArrowArray:
        int64_t length
        int64_t null_count
        int64_t offset
        int64_t n_buffers
        int64_t n_children
        const void** buffers
        ArrowArray** children
        ArrowArray* dictionary
        void (*release)(ArrowArray*) noexcept
        void* private_data

    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream*, ArrowSchema*) noexcept
        int (*get_next)(ArrowArrayStream*, ArrowArray*) noexcept
        const char* (*get_last_error)(ArrowArrayStream*) noexcept
        void (*release)(ArrowArrayStream*) noexcept
        void* private_data

cdef enum:
    NULLABLE = 2
    FAILED = 5   # EIO

INTEGERS = ("l", "L", "i", "I", "s", "S", "c", "C")
TEXTS = ("u", "U", "vu")
FORMATS = {"l": b"l", "q": b"l", "B": b"C", "d": b"g"}


# ---- out -----------------------------------------------------------------------------------------------------

@cython.internal
@cython.final
cdef class Batch:
    """Borrowed buffers of equally long columns, alive as long as an Arrow consumer holds them. Raises ValueError for
    others, whose cells a consumer would read beyond.
    """

    cdef list names         # bytes
    cdef list formats       # bytes
    cdef Py_buffer* views
    cdef Py_ssize_t count
    cdef int64_t length

    def __cinit__(self, dict columns not None):
        cdef Py_ssize_t i, size = len(columns)
        self.count = 0
        self.length = 0
        self.names = [name.encode() for name in columns]
        self.formats = []
        self.views = <Py_buffer*>calloc(max(size, 1), sizeof(Py_buffer))
        if self.views == NULL:
            raise MemoryError("arrow columns")
        for i, (name, column) in enumerate(columns.items()):
            PyObject_GetBuffer(column, &self.views[i], PyBUF_FORMAT | PyBUF_ND)
            self.count = i + 1
            if self.views[i].ndim != 1:
                raise ValueError(f"arrow: column {name!r} has {self.views[i].ndim} dimensions")
            kind = "B" if self.views[i].format == NULL else self.views[i].format.decode()
            if kind not in FORMATS or self.views[i].itemsize != (1 if kind == "B" else 8):
                raise ValueError(f"arrow: column {name!r} holds {kind!r}, not int64, uint8 or float64")
            if i and self.views[i].shape[0] != self.length:
                raise ValueError(f"arrow: column {name!r} has {self.views[i].shape[0]} entries, not {self.length}")
            self.formats.append(FORMATS[kind])
            self.length = self.views[i].shape[0]

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.count):
            PyBuffer_Release(&self.views[i])
        free(self.views)


cdef void release_schema(ArrowSchema* schema) noexcept with gil:
    cdef int64_t i
    for i in range(schema.n_children):
        if schema.children[i].release != NULL:
            schema.children[i].release(schema.children[i])
        free(schema.children[i])
    free(schema.children)
    if schema.private_data != NULL:
        Py_DECREF(<object>schema.private_data)
    schema.release = NULL


cdef void release_array(ArrowArray* array) noexcept with gil:
    cdef int64_t i
    for i in range(array.n_children):
        if array.children[i].release != NULL:
            array.children[i].release(array.children[i])
        free(array.children[i])
    free(array.children)
    free(array.buffers)
    if array.private_data != NULL:
        Py_DECREF(<object>array.private_data)
    array.release = NULL


cdef int fill_schema(Batch batch, ArrowSchema* schema) except -1:
    cdef Py_ssize_t i
    cdef ArrowSchema* child
    schema.format = b"+s"
    schema.name = b""
    schema.metadata = NULL
    schema.flags = 0
    schema.n_children = 0
    schema.dictionary = NULL
    schema.children = <ArrowSchema**>calloc(max(batch.count, 1), sizeof(void*))
    schema.private_data = <void*>batch
    Py_INCREF(batch)
    schema.release = release_schema
    for i in range(batch.count):
        child = <ArrowSchema*>calloc(1, sizeof(ArrowSchema))
        if schema.children == NULL or child == NULL:
            raise MemoryError("arrow schema")
        child.format = <bytes>batch.formats[i]
        child.name = <bytes>batch.names[i]
        child.release = release_schema
        schema.children[i] = child
        schema.n_children += 1
    return 0


cdef int fill_array(Batch batch, ArrowArray* array) except -1:
    cdef Py_ssize_t i
    cdef ArrowArray* child
    array.length = batch.length
    array.null_count = array.offset = array.n_children = 0
    array.n_buffers = 1
    array.dictionary = NULL
    array.buffers = <const void**>calloc(1, sizeof(void*))
    array.children = <ArrowArray**>calloc(max(batch.count, 1), sizeof(void*))
    array.private_data = <void*>batch
    Py_INCREF(batch)
    array.release = release_array
    for i in range(batch.count):
        child = <ArrowArray*>calloc(1, sizeof(ArrowArray))
        if array.buffers == NULL or array.children == NULL or child == NULL:
            raise MemoryError("arrow array")
        child.length = batch.length
        child.n_buffers = 2
        child.buffers = <const void**>calloc(2, sizeof(void*))
        if child.buffers == NULL:
            free(child)
            raise MemoryError("arrow array")
        child.buffers[1] = batch.views[i].buf
        child.release = release_array
        array.children[i] = child
        array.n_children += 1
    return 0


@cython.internal
@cython.final
cdef class Producer:
    """What a stream has still to give: one batch, then the end."""

    cdef Batch batch
    cdef bint given


cdef int stream_schema(ArrowArrayStream* stream, ArrowSchema* schema) noexcept with gil:
    try:
        return fill_schema((<Producer>stream.private_data).batch, schema)
    except MemoryError:
        return FAILED


cdef int stream_next(ArrowArrayStream* stream, ArrowArray* array) noexcept with gil:
    cdef Producer producer = <Producer>stream.private_data
    if producer.given:
        array.release = NULL
        return 0
    producer.given = True
    try:
        return fill_array(producer.batch, array)
    except MemoryError:
        return FAILED


cdef const char* stream_error(ArrowArrayStream* stream) noexcept with gil:
    return b"out of memory"


cdef void stream_release(ArrowArrayStream* stream) noexcept with gil:
    Py_DECREF(<object>stream.private_data)
    stream.release = NULL


cdef void drop_stream(object capsule) noexcept:
    cdef ArrowArrayStream* stream = <ArrowArrayStream*>PyCapsule_GetPointer(capsule, b"arrow_array_stream")
    if stream.release != NULL:
        stream.release(stream)
    free(stream)


cdef void drop_schema(object capsule) noexcept:
    cdef ArrowSchema* schema = <ArrowSchema*>PyCapsule_GetPointer(capsule, b"arrow_schema")
    if schema.release != NULL:
        schema.release(schema)
    free(schema)


def schema_capsule(dict columns):
    """The "arrow_schema" capsule of a table of buffers."""
    cdef ArrowSchema* schema = <ArrowSchema*>calloc(1, sizeof(ArrowSchema))
    if schema == NULL:
        raise MemoryError("arrow schema")
    capsule = PyCapsule_New(schema, b"arrow_schema", drop_schema)
    fill_schema(Batch(columns), schema)
    return capsule


def stream_capsule(dict columns):
    """The "arrow_array_stream" capsule of a table of buffers: one batch that borrows them."""
    cdef Producer producer = Producer()
    cdef ArrowArrayStream* stream = <ArrowArrayStream*>calloc(1, sizeof(ArrowArrayStream))
    if stream == NULL:
        raise MemoryError("arrow stream")
    capsule = PyCapsule_New(stream, b"arrow_array_stream", drop_stream)
    producer.batch = Batch(columns)
    producer.given = False
    stream.get_schema = stream_schema
    stream.get_next = stream_next
    stream.get_last_error = stream_error
    stream.private_data = <void*>producer
    Py_INCREF(producer)
    stream.release = stream_release
    return capsule


# ---- in ------------------------------------------------------------------------------------------------------

cdef bint is_null(const ArrowArray* column, int64_t row) noexcept:
    cdef const uint8_t* validity = <const uint8_t*>column.buffers[0]
    return validity != NULL and not validity[row >> 3] >> (row & 7) & 1


cdef int64_t integer_at(const ArrowArray* column, char kind, int64_t row) except? -1:
    cdef const void* cells = column.buffers[1]
    cdef uint64_t big
    if kind == c"l":
        return (<const int64_t*>cells)[row]
    if kind == c"i":
        return (<const int32_t*>cells)[row]
    if kind == c"I":
        return (<const uint32_t*>cells)[row]
    if kind == c"s":
        return (<const int16_t*>cells)[row]
    if kind == c"S":
        return (<const uint16_t*>cells)[row]
    if kind == c"c":
        return (<const int8_t*>cells)[row]
    if kind == c"C":
        return (<const uint8_t*>cells)[row]
    big = (<const uint64_t*>cells)[row]
    if big > <uint64_t>0x7FFFFFFFFFFFFFFF:
        raise ValueError(f"row {row}: {big} is past int64")
    return <int64_t>big


cdef str text_at(const ArrowArray* column, str kind, int64_t row):
    cdef const int32_t* small
    cdef const int64_t* large
    cdef const char* view
    cdef int32_t length, buffer, start
    if kind == "u":
        small = <const int32_t*>column.buffers[1]
        return text_between(column, small[row], small[row + 1])
    if kind == "U":
        large = <const int64_t*>column.buffers[1]
        return text_between(column, large[row], large[row + 1])
    # a view: length, then 12 bytes of text, or 4 of prefix, the buffer's number and the place in it
    view = <const char*>column.buffers[1] + 16 * row
    memcpy(&length, view, 4)
    if 0 <= length <= 12:
        return view[4:4 + length].decode()
    memcpy(&buffer, view + 8, 4)
    memcpy(&start, view + 12, 4)
    if length < 0 or start < 0 or not 0 <= buffer < column.n_buffers - 3 or column.buffers[2 + buffer] == NULL:
        raise ValueError(f"a text of {length} bytes at {start} in buffer {buffer}")
    return (<const char*>column.buffers[2 + buffer])[start:start + length].decode()


cdef int64_t MOST_ROWS = (<int64_t>1) << 48     # more lie in nobody's memory


cdef int check_column(const ArrowArray* batch, const ArrowArray* column, str name, str kind) except -1:
    """As much of what a stream says about a column as can be told without going beyond it."""
    cdef int64_t buffers = 3 if kind in ("u", "U") else 2, i
    if column == NULL or column.release == NULL:
        raise ValueError(f"column {name!r} is not there")
    if not 0 <= batch.length <= MOST_ROWS or not 0 <= batch.offset <= MOST_ROWS or column.offset < 0 or (
        column.length < batch.offset + batch.length
    ):
        raise ValueError(f"column {name!r} has {column.length} entries, the batch {batch.offset} + {batch.length}")
    if column.offset > MOST_ROWS:
        raise ValueError(f"column {name!r} begins at {column.offset}")
    if column.n_buffers < buffers or column.buffers == NULL:
        raise ValueError(f"column {name!r} has {column.n_buffers} buffers")
    for i in range(1, buffers if batch.length else 1):
        if column.buffers[i] == NULL and not (i == 2 and not text_bytes(column, kind, batch.offset, batch.length)):
            raise ValueError(f"column {name!r}: buffer {i} is NULL")
    return 0


cdef bint text_bytes(const ArrowArray* column, str kind, int64_t first, int64_t count) noexcept:
    """Do these texts have any bytes? Those that have none need no buffer."""
    first += column.offset
    if kind == "u":
        return (<const int32_t*>column.buffers[1])[first] != (<const int32_t*>column.buffers[1])[first + count]
    return (<const int64_t*>column.buffers[1])[first] != (<const int64_t*>column.buffers[1])[first + count]


cdef str text_between(const ArrowArray* column, int64_t start, int64_t end):
    if not 0 <= start <= end:
        raise ValueError(f"a text from {start} to {end}")
    return (<const char*>column.buffers[2])[start:end].decode() if end > start else ""


cdef int read_batch(const ArrowArray* batch, list names, list kinds, list columns) except -1:
    cdef Py_ssize_t c
    cdef int64_t row, first
    cdef const ArrowArray* column
    if batch.n_children != len(names) or (names and batch.children == NULL):
        raise ValueError(f"a batch of {batch.n_children} columns, the schema has {len(names)}")
    for c in range(len(names)):
        column = batch.children[c]
        kind = kinds[c]
        check_column(batch, column, names[c], kind)
        values = columns[c]
        first = batch.offset + column.offset
        for row in range(first, first + batch.length):
            if is_null(column, row):
                if kind in TEXTS:
                    values.append(None)
                    continue
                raise ValueError(f"column {names[c]!r}, row {row - first}: null is not an amount")
            try:
                values.append(
                    text_at(column, kind, row) if kind in TEXTS else integer_at(column, <char>ord(kind), row)
                )
            except UnicodeDecodeError:
                raise ValueError(f"column {names[c]!r}, row {row - first}: not UTF-8") from None
            except ValueError as error:
                raise ValueError(f"column {names[c]!r}, {error}") from None
    return 0


def read_stream(source):
    """Columns of anything with `__arrow_c_stream__`: {name: array of int64 ("q"), or list of str and None}.

    Raises ValueError for a column that is neither integers nor strings, for nulls among integers, values past
    int64, and whatever the stream reports.
    """
    from array import array as integers

    capsule = source.__arrow_c_stream__()
    cdef ArrowArrayStream* stream = <ArrowArrayStream*>PyCapsule_GetPointer(capsule, b"arrow_array_stream")
    cdef ArrowSchema schema
    cdef ArrowArray batch
    cdef int64_t c
    names, kinds, columns = [], [], []
    if stream.release == NULL:
        raise ValueError("the stream has been read before")
    if stream.get_schema(stream, &schema):
        raise ValueError(stream_problem(stream))
    try:
        if schema.format == NULL or schema.format[:strlen(schema.format)] != b"+s":
            raise ValueError("the stream does not hold record batches")
        for c in range(schema.n_children):
            if schema.children == NULL or schema.children[c] == NULL or schema.children[c].format == NULL:
                raise ValueError(f"column {c} has no format")
            names.append("" if schema.children[c].name == NULL else schema.children[c].name.decode(errors="replace"))
            kind = schema.children[c].format.decode(errors="replace")
            if schema.children[c].dictionary != NULL or kind not in INTEGERS + TEXTS:
                raise ValueError(f"column {names[c]!r} holds neither integers nor strings (Arrow format {kind!r})")
            kinds.append(kind)
            columns.append([] if kind in TEXTS else integers("q"))
    finally:
        if schema.release != NULL:
            schema.release(&schema)
    while True:
        if stream.get_next(stream, &batch):
            raise ValueError(stream_problem(stream))
        if batch.release == NULL:
            break
        try:
            read_batch(&batch, names, kinds, columns)
        finally:
            batch.release(&batch)
    if len(set(names)) != len(names):
        raise ValueError(f"duplicate column names: {', '.join(names)}")
    return dict(zip(names, columns, strict=True))


cdef str stream_problem(ArrowArrayStream* stream):
    cdef const char* text = stream.get_last_error(stream)
    return "the stream failed" if text == NULL else text.decode(errors="replace")
