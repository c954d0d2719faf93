# cython: language_level=3
"""The term of heat_python.py in Cython: four functions without the GIL, and the data that they work on."""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

from binwright.api cimport *

import_binwright()


cdef struct Heat:
    int64_t limit, watts, version
    int64_t room
    int64_t* heat       # (room,)


cdef int make_room(Heat* mine, int64_t hosts) noexcept nogil:
    cdef int64_t* grown
    if hosts > mine.room:
        grown = <int64_t*>realloc(mine.heat, hosts * sizeof(int64_t))
        if grown == NULL:
            return 1
        memset(grown + mine.room, 0, (hosts - mine.room) * sizeof(int64_t))
        mine.heat, mine.room = grown, hosts
    return 0


cdef int rejected(void* data, const bw_question* question, int32_t* reasons) noexcept nogil:
    cdef Heat* mine = <Heat*>data
    cdef int64_t host
    if make_room(mine, question.columns.hosts):
        return 1
    for host in range(question.columns.hosts):
        if mine.heat[host] + mine.watts > mine.limit:
            reasons[host] = <int32_t>mine.heat[host]
    return 0


cdef int scores(void* data, const bw_question* question, int64_t* scores) noexcept nogil:
    cdef Heat* mine = <Heat*>data
    cdef int64_t host, left
    if make_room(mine, question.columns.hosts):
        return 1
    for host in range(question.columns.hosts):
        left = mine.limit - mine.heat[host] - mine.watts
        scores[host] = left * 1000 // mine.limit if left > 0 else 0
    return 0


cdef int placed(void* data, int64_t request, int64_t host, int32_t sign) noexcept nogil:
    cdef Heat* mine = <Heat*>data
    if make_room(mine, host + 1):
        return 1
    mine.heat[host] += sign * mine.watts
    mine.version += 1
    return 0


cdef int64_t version(void* data) noexcept nogil:
    return (<Heat*>data).version


cdef void* fork(void* data) noexcept nogil:
    cdef Heat* mine = <Heat*>data
    cdef Heat* other = <Heat*>calloc(1, sizeof(Heat))
    if other == NULL:
        return NULL
    other.limit, other.watts = mine.limit, mine.watts
    if make_room(other, mine.room):
        free(other)
        return NULL
    if mine.room:
        memcpy(other.heat, mine.heat, mine.room * sizeof(int64_t))
    return other


cdef void release_heat(void* data) noexcept nogil:
    free((<Heat*>data).heat)
    free(data)


def heat(int64_t limit, int64_t watts):
    cdef Heat* made = <Heat*>calloc(1, sizeof(Heat))
    if made == NULL:
        raise MemoryError()
    made.limit, made.watts = limit, watts
    cdef bw_term term = term_spec(made)
    term.name, term.rule, term.score = b"heat", b"heat", b"cool"
    term.rejected, term.scores, term.placed = rejected, scores, placed
    term.version, term.fork, term.release = version, fork, release_heat
    return new_external(&term)
