"""Allowances of disruption, and the lists of them that items name."""

cimport cython
from libc.stdlib cimport free, realloc

cdef enum Kind:
    MOVED    # what = budget, old = allowance before


@cython.final
cdef class Budgets(Idea):
    """The budgets of one fleet. Budgets and lists are definitions; allowances are state."""

    def __cinit__(self, Journal journal):
        self.allowance = NULL
        self.journal = journal
        self.count = 0
        self.lists = []
        journal.register(self)

    def __dealloc__(self):
        free(self.allowance)

    def new_budget(self, int64_t allowance):
        """Number of a new budget."""
        cdef int64_t* grown = <int64_t*>realloc(self.allowance, (self.count + 1) * sizeof(int64_t))
        if grown == NULL:
            raise MemoryError("budgets")
        self.allowance = grown
        self.allowance[self.count] = allowance
        self.count += 1
        return self.count - 1

    def list_number(self, list budgets):
        """Number of a list of budgets, the same for equal lists; -1 for none."""
        if not budgets:
            return -1
        if budgets not in self.lists:
            self.lists.append(list(budgets))
        return self.lists.index(budgets)

    def allowed(self, Py_ssize_t budget):
        return self.allowance[budget]

    def set_allowance(self, Py_ssize_t budget, int64_t allowance):
        if self.allowance[budget] != allowance:
            self.journal.note(self.number, MOVED, -1, budget, self.allowance[budget])
            self.allowance[budget] = allowance

    cdef int revert(self, const Change* change) except -1:
        self.allowance[change.what] = change.old
        return 0

    cpdef object save(self):
        return [self.allowance[i] for i in range(self.count)], [list(each) for each in self.lists]

    cpdef object restore(self, object saved):
        allowances, self.lists = saved
        for allowance in allowances:
            self.new_budget(allowance)

    cpdef object check(self, object state):
        """Lists of budgets that there are."""
        for number, each in enumerate(self.lists):
            for budget in each:
                if type(budget) is not int or not 0 <= budget < self.count:
                    raise ValueError(f"fleet: budgets: damaged pickle: list {number} has budget {budget!r}")
