"""External terms written in C: asked without the GIL over all hosts at once, told of every placing, forked."""

cimport cython
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy, memset

from binwright._core.abi cimport bw_question
from binwright._core.request cimport ClassView

cdef extern from *:
    """
    #include <stddef.h>
    #define BW_LEAST_TERM ((int32_t)offsetof(bw_term, placed))
    """
    int32_t BW_LEAST_TERM       # no caller knows less of a term than its filter and its score

cdef int64_t LARGEST_RAW = (<int64_t>1) << 40


cdef void columns_of(State state, bw_columns* columns) noexcept nogil:
    """Where the columns of a fleet lie now."""
    columns.size = sizeof(bw_columns)
    columns.resources = <int32_t>state.fleet.resources
    columns.hosts = state.fleet.hosts
    columns.stride = state.fleet.stride
    columns.capacity = state.fleet.capacity.int64s(0)
    columns.used = state.fleet.used.int64s(0)
    columns.flags = state.fleet.flags.uint8s(0)


cdef Native native_of(const bw_term* given):
    """A copy of a term; its data is this object's from now on. Raises ValueError for one that cannot work."""
    cdef Native made = Native.__new__(Native)
    if given.size < BW_LEAST_TERM or given.flags:
        raise ValueError("external: size and flags of a bw_term must be sizeof(bw_term) and 0")
    memcpy(&made.term, given, min(<size_t>given.size, sizeof(bw_term)))
    made.name = b"of C" if given.name == NULL else given.name
    made.rule = None if given.rule == NULL else given.rule
    made.score = None if given.score == NULL else given.score
    where = f"external {made.name.decode('utf-8', 'replace')}"
    if (made.rule is None) != (made.term.rejected == NULL) or (made.score is None) != (made.term.scores == NULL):
        raise ValueError(f"{where}: rule needs rejected, score needs scores, and the other way round")
    if made.rule is None and made.score is None:
        raise ValueError(f"{where}: neither a filter nor a score")
    if made.term.placed != NULL and made.term.fork == NULL:
        raise ValueError(f"{where}: keeps what it is told by placed, and so needs fork")
    made.owned = True
    return made


@cython.final
cdef class Native:
    """A term in C. The binwright.External around it says what is asked when."""

    def __cinit__(self):
        memset(&self.term, 0, sizeof(bw_term))
        self.owned = False

    def __dealloc__(self):
        if self.owned and self.term.release != NULL:
            self.term.release(self.term.data)

    @property
    def version(self):
        """None where the term is asked at every decision."""
        return None if self.term.version == NULL else self.term.version(self.term.data)

    def rejected(self, State state, int32_t number, int32_t[::1] reasons):
        """Let it write reasons (hosts,), which are -1 before. Returns what it returned."""
        cdef bw_columns columns
        cdef bw_question question
        cdef int code
        pose(state, number, &question, &columns)
        if not columns.hosts:
            return 0
        with nogil:
            code = self.term.rejected(self.term.data, &question, &reasons[0])
        return code

    def scores(self, State state, int32_t number, int64_t[::1] scores):
        """Let it write raw scores (hosts,), which are 0 before. Returns what it returned."""
        cdef bw_columns columns
        cdef bw_question question
        cdef int code
        pose(state, number, &question, &columns)
        if not columns.hosts:
            return 0
        with nogil:
            code = self.term.scores(self.term.data, &question, &scores[0])
        return code

    def placed(self, int64_t number, int64_t host, int32_t sign):
        """Tell it. Returns what it returned."""
        cdef int code = 0
        if self.term.placed != NULL:
            with nogil:
                code = self.term.placed(self.term.data, number, host, sign)
        return code

    def fork(self):
        """The term for a fork of the fleet; itself where it keeps nothing of its own."""
        cdef Native other
        cdef void* data
        if self.term.fork == NULL:
            return self
        data = self.term.fork(self.term.data)
        if data == NULL:
            raise MemoryError(f"fork of external {self.name.decode('utf-8', 'replace')}")
        other = Native.__new__(Native)
        other.term = self.term
        other.term.data = data
        other.name, other.rule, other.score, other.owned = self.name, self.rule, self.score, True
        return other


cdef void pose(State state, int32_t number, bw_question* question, bw_columns* columns) noexcept nogil:
    cdef const ClassView* view = state.classes.views + number
    columns_of(state, columns)
    question.size = sizeof(bw_question)
    question.request = number
    question.demand = view.fit
    question.columns = columns


def split(const int32_t[::1] reasons, uint8_t[::1] rejected):
    """Write 1 into `rejected` (hosts,) where a reason is given. Returns the first host whose reason is none, or -1."""
    cdef Py_ssize_t host
    for host in range(reasons.shape[0]):
        if reasons[host] < -1:
            return host
        rejected[host] = reasons[host] >= 0
    return -1


def outside(const int64_t[::1] scores):
    """The first host whose raw score is outside 0..2**40, or -1."""
    cdef Py_ssize_t host
    for host in range(scores.shape[0]):
        if not 0 <= scores[host] <= LARGEST_RAW:
            return host
    return -1
