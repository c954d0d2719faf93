"""Candidates written by template: for whoever wants text and no object of each candidate. What it says is the caller's
business.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from binwright._core.candidate_list cimport CandidateList

MOST = MOST_UNITS


@cython.final
cdef class Template:
    """`pieces`: (text, hole) in order: hole a unit, MOST + k for the k-th row of the span, -1 behind the last text."""

    def __cinit__(self, list pieces not None):
        cdef Py_ssize_t number = 0
        cdef bytes text
        self.pieces = <Piece*>malloc(max(len(pieces), 1) * sizeof(Piece))
        if self.pieces == NULL:
            raise MemoryError("template")
        self.count, self.length = len(pieces), 0
        self.units = self.spanned = 0
        self.texts = [text for text, _ in pieces]
        for text, hole in pieces:
            self.pieces[number] = Piece(PyBytes_AS_STRING(text), len(text), hole)
            if not -1 <= self.pieces[number].hole < 2 * MOST_UNITS:
                raise ValueError(f"template: hole {hole}")
            self.units = max(self.units, (hole if hole < MOST_UNITS else -1) + 1)
            self.spanned = max(self.spanned, hole - MOST_UNITS + 1)
            self.length += len(text)
            number += 1

    def __dealloc__(self):
        free(self.pieces)


@cython.final
cdef class RowTexts:
    """The text of each row, and the order of rows in spans: `ranks` are different numbers."""

    def __cinit__(self, tuple texts not None, const int32_t[::1] ranks):
        cdef Py_ssize_t row
        cdef bytes text
        self.count, self.owner = len(texts), texts
        self.text = <const char**>malloc(max(self.count, 1) * sizeof(char*))
        self.length = <int32_t*>malloc(max(self.count, 1) * sizeof(int32_t))
        self.rank = <int32_t*>malloc(max(self.count, 1) * sizeof(int32_t))
        if self.text == NULL or self.length == NULL or self.rank == NULL:
            raise MemoryError("texts of rows")
        if ranks.shape[0] != self.count:
            raise ValueError(f"{ranks.shape[0]} ranks for {self.count} texts")
        for row in range(self.count):
            text = texts[row]
            self.text[row], self.length[row], self.rank[row] = PyBytes_AS_STRING(text), <int32_t>len(text), ranks[row]

    def __dealloc__(self):
        free(self.text)
        free(self.length)
        free(self.rank)


cdef uint64_t way_of(const int32_t* rows, Py_ssize_t units) noexcept nogil:
    cdef uint64_t way = 0
    cdef Py_ssize_t unit, first
    for unit in range(units):
        first = 0
        while rows[first] != rows[unit]:
            first += 1
        way |= <uint64_t>first << 4 * unit
    return way


cdef void sort_span(
    RowTexts texts, const int32_t* rows, Py_ssize_t first, Py_ssize_t end, int32_t* sorted
) noexcept nogil:
    """The rows of a span of units, each once, by rank."""
    cdef Py_ssize_t unit, at, count = 0
    cdef int32_t row
    for unit in range(first, end):
        row = rows[unit]
        at = 0
        while at < count and sorted[at] != row:
            at += 1
        if at < count:
            continue
        count += 1
        while at > 0 and texts.rank[sorted[at - 1]] > texts.rank[row]:
            sorted[at] = sorted[at - 1]
            at -= 1
        sorted[at] = row


cdef inline char* appended(char* at, bytes text) noexcept:
    memcpy(at, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return at + PyBytes_GET_SIZE(text)


cdef char* write(
    char* at, Template template, RowTexts texts, const int32_t* rows, const int32_t* span
) noexcept nogil:
    """Write one candidate; where the next goes."""
    cdef Py_ssize_t p
    cdef int32_t hole, row
    for p in range(template.count):
        memcpy(at, template.pieces[p].text, template.pieces[p].length)
        at += template.pieces[p].length
        hole = template.pieces[p].hole
        if hole >= 0:
            row = rows[hole] if hole < MOST_UNITS else span[hole - MOST_UNITS]
            memcpy(at, texts.text[row], texts.length[row])
            at += texts.length[row]
    return at


cdef Py_ssize_t length_of(
    Template template, RowTexts texts, const int32_t* rows, const int32_t* span
) noexcept nogil:
    cdef Py_ssize_t p, length = template.length
    cdef int32_t hole
    for p in range(template.count):
        hole = template.pieces[p].hole
        if hole >= 0:
            length += texts.length[rows[hole] if hole < MOST_UNITS else span[hole - MOST_UNITS]]
    return length


def written(
    CandidateList found not None, RowTexts texts not None, Py_ssize_t first, Py_ssize_t end, made,
    bytes opening not None, bytes middle not None, list rest not None, bytes closing not None, bytes between not None,
):
    """opening, all candidates, middle, the texts `rest`, closing; `between` between candidates and between texts.

    first, end: the span of units; made(firsts): the Template of a way, given the first unit with the same row as each
    unit. Raises ValueError for more than MOST units.
    """
    cdef Py_ssize_t number, unit, spanned, units = found.units
    cdef Py_ssize_t length = len(opening) + len(middle) + len(closing)
    cdef uint64_t way, last = 0
    cdef Template template = None
    cdef dict templates = {}
    cdef list used = []
    cdef const int32_t* rows = found.rows
    cdef int32_t[MOST_UNITS] span
    cdef bytes text
    cdef char* at
    if units > MOST_UNITS or not 0 <= first <= end <= units or texts.count != found.table.count:
        raise ValueError(f"candidates of {units} units with a span {first} to {end}, texts of {texts.count} rows")
    for _ in range(found.count):
        way = way_of(rows, units)
        if template is None or way != last:
            last = way
            if way not in templates:
                templates[way] = made([way >> 4 * unit & 15 for unit in range(units)])
            template = templates[way]
            spanned = len({way >> 4 * unit & 15 for unit in range(first, end)}) if end - first > 1 else 0
            if template is None or template.units > units or template.spanned > spanned:
                raise ValueError(f"template: holes past {units} units, {spanned} rows of the span")
        used.append(template)
        if end - first > 1:
            sort_span(texts, rows, first, end, span)
        length += length_of(template, texts, rows, span)
        rows += units
    for text in rest:
        length += len(text)
    length += (max(found.count - 1, 0) + max(len(rest) - 1, 0)) * len(between)
    whole = PyBytes_FromStringAndSize(NULL, length)
    at = appended(PyBytes_AS_STRING(whole), opening)
    rows = found.rows
    for number in range(found.count):
        if number:
            at = appended(at, between)
        if end - first > 1:
            sort_span(texts, rows, first, end, span)
        at = write(at, <Template>used[number], texts, rows, span)
        rows += units
    at = appended(at, middle)
    for number in range(len(rest)):
        if number:
            at = appended(at, between)
        at = appended(at, <bytes>rest[number])
    appended(at, closing)
    return whole
