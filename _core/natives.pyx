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


cdef const char* amiss(const bw_term* given) noexcept:
    """What is wrong with a term, in static words; NULL = nothing."""
    cdef bw_term term
    if given == NULL:
        return b"external_new: term is NULL"
    if not BW_LEAST_TERM <= given.size <= <int32_t>sizeof(bw_term):
        return b"external_new: size is not sizeof(bw_term)"
    if given.flags:
        return b"external_new: flags is not 0"
    memset(&term, 0, sizeof(term))
    memcpy(&term, given, given.size)
    if not is_utf8(term.name):
        return b"external_new: name is not UTF-8"
    if not is_utf8(term.rule):
        return b"external_new: rule is not UTF-8"
    if not is_utf8(term.score):
        return b"external_new: score is not UTF-8"
    if (term.rule == NULL) != (term.rejected == NULL):
        return b"external_new: rule and rejected: one of them is NULL, a filter has a rule with rejected"
    if (term.score == NULL) != (term.scores == NULL):
        return b"external_new: score and scores: one of them is NULL, a score has both"
    if term.rule == NULL and term.score == NULL:
        return b"external_new: rule and score are both NULL, neither a filter nor a score"
    if term.placed != NULL and term.fork == NULL:
        return b"external_new: fork is NULL, a term that is told by placed needs it"
    return NULL


cdef bint is_utf8(const char* text) noexcept:
    if text == NULL:
        return True
    try:
        (<bytes>text).decode("utf-8")
    except BaseException:
        return False
    return True


cdef Native native_of(const bw_term* given):
    """A copy of a term with which nothing is amiss; its data is this object's from now on."""
    cdef Native made = Native.__new__(Native)
    memcpy(&made.term, given, min(<size_t>given.size, sizeof(bw_term)))
    made.name = b"of C" if given.name == NULL else given.name
    made.rule = None if given.rule == NULL else given.rule
    made.score = None if given.score == NULL else given.score
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
        cdef int code = 0
        if pose(state, number, &question, &columns):
            with nogil:
                code = self.term.rejected(self.term.data, &question, &reasons[0])
        return code

    def scores(self, State state, int32_t number, int64_t[::1] scores):
        """Let it write raw scores (hosts,), which are 0 before. Returns what it returned."""
        cdef bw_columns columns
        cdef bw_question question
        cdef int code = 0
        if pose(state, number, &question, &columns):
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


cdef bint pose(State state, int32_t number, bw_question* question, bw_columns* columns) noexcept nogil:
    """The question about one class; whether there is a host to ask it of."""
    cdef const ClassView* view = state.classes.views + number
    columns_of(state, columns)
    question.size = sizeof(bw_question)
    question.request = number
    question.demand = view.fit
    question.columns = columns
    return columns.hosts != 0


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
