# Steps of a batch, and what walks them. A step takes one entry: it decides, claims or releases.

from libc.stdint cimport int32_t, int64_t, uint8_t

from binwright._core.state cimport State

cdef enum:
    DONE = 0
    OVERFLOWS = 1       # a claim would take what is used past its bound
    NO_ROWS = 2         # the host has no rows for the groups of a claim
    UNKNOWN_ITEM = 3    # a release of what is not a live item


cdef struct Batch:
    Py_ssize_t count
    int32_t same                # the class of every entry, if not
    const int64_t* numbers      # (count,) class numbers
    const int64_t* given        # (count,) hosts of claims, items of releases
    int64_t* hosts              # (count,) answers, as place.pyi's functions say
    int64_t* scores
    int64_t* items
    int64_t* positions
    uint8_t* verdicts
    int64_t work                # since somebody last looked for Ctrl-C
    int failed                  # how the last step ended


ctypedef int (*Step)(State, Batch*, Py_ssize_t) except -1 nogil

cdef Py_ssize_t guarded(State state, Step step, Batch* batch) except -2

cdef int same_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil
cdef int queue_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil
cdef int claim_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil
cdef int release_step(State state, Batch* batch, Py_ssize_t i) except -1 nogil
