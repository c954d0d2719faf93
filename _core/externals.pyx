"""External terms: an embedder's filters and scores, asked over all hosts at once."""

cimport cython
from libc.stdlib cimport free, realloc

from binwright._core.request cimport MAX_SLOTS


@cython.final
cdef class Externals(Idea):
    """The external terms of one fleet. A term is an object with `version`, `evaluate(request) -> (rejected,
    arguments, scores)` and `commit(request, host, sign)`, already checked and wrapped by the Python side.
    """

    def __cinit__(self, Journal journal, Fleet fleet, Classes classes):
        self.concerned = NULL
        self.journal = journal
        self.fleet = fleet
        self.classes = classes
        self.of_class = []
        self.seen = []
        self.class_count = 0
        journal.register(self)

    def __dealloc__(self):
        free(self.concerned)

    def new_class(self, list terms):
        """The terms of the next class."""
        cdef uint8_t* grown = <uint8_t*>realloc(self.concerned, self.class_count + 1)
        if grown == NULL:
            raise MemoryError("external terms")
        self.concerned = grown
        self.concerned[self.class_count] = len(terms) > 0
        self.of_class.append(terms)
        self.seen.append(None)
        self.class_count += 1

    cdef int refresh(self, int32_t number) except -1:
        """Write the columns of a class anew, unless no term has changed its version since."""
        versions = [term.version for term, _, _ in self.of_class[number]]
        if self.seen[number] == versions and None not in versions:
            return 0
        for term, rule, slot in self.of_class[number]:
            rejected, arguments, scores = self.ask(term, number)
            if rule >= 0:
                self.classes.set_rule(number, 0, rejected, rule)
                self.classes.set_arguments(number, 0, arguments, rule)
            if slot >= 0:
                self.classes.set_scores(number, 0, scores, slot)
        self.seen[number] = versions
        return 0

    cdef tuple ask(self, object term, int32_t number):
        """What a term answers; the fleet is closed to it meanwhile."""
        cdef bint busy = self.journal.busy
        self.journal.busy = True
        try:
            return term.evaluate(number, self.fleet.hosts)
        finally:
            self.journal.busy = busy

    cdef void tell(self, int32_t number, Py_ssize_t host, int sign) noexcept:
        """An item of the class came to a host (sign 1) or left it (-1). A hook that raises must not leave the fleet
        between two states: the exception is kept for settle().
        """
        cdef bint busy = self.journal.busy
        self.journal.busy = True
        for term, _, _ in self.of_class[number]:
            try:
                term.commit(number, host, sign)
            except BaseException as error:
                if self.error is None:
                    self.error = error
        self.journal.busy = busy

    cdef int settle(self) except -1:
        """Raise what a hook raised, now that the fleet is in one state again."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return 0

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        self.seen = [None] * self.class_count
        return 0

    cdef int revert(self, const Change* change) except -1:
        return 0  # nothing of its own is noted: items tell of their own undoing

    cpdef object save(self):
        return [
            [(term.fork(), rule, slot) for term, rule, slot in terms]
            for terms in self.of_class
        ]

    cpdef object restore(self, object saved):
        for terms in saved:
            self.new_class(terms)

    cpdef object check(self, object state):
        """As many classes as there are; rules and slots of the profile."""
        if self.class_count != len(self.classes):
            raise ValueError("fleet: external terms: damaged pickle: its counts do not agree")
        for terms in self.of_class:
            for _, rule, slot in terms:
                if not -1 <= rule < 32 or not -1 <= slot < MAX_SLOTS:
                    raise ValueError(f"fleet: external terms: damaged pickle: rule {rule}, slot {slot}")
