"""Request classes and what is static about hosts for them; both are filled by the Python side, once a class."""

cimport cython
from array import array

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, realloc

from binwright._core.columns cimport expect

cdef int64_t LARGEST = (<int64_t>1) << 56

cdef enum Kind:
    MASK        # what = class, old = mask before
    ARGUMENT    # what = class << 8 | rule, old = argument before
    RAW         # what = class << 8 | slot, old = raw score before


@cython.final
cdef class RequestClass:
    """The demands of one class, three int64 arrays (resources,): fit, commit, score; checked by the caller.
    `skips`: bit t = score term t is not run. `groups`: what is asked of single rows, or None.
    """

    def __cinit__(
        self, const int64_t[::1] fit, const int64_t[::1] commit, const int64_t[::1] score, uint32_t skips,
        int32_t priority=0, GroupSet groups=None,
    ):
        self.fit = NULL
        self.skips = skips
        self.priority = priority
        self.groups = groups
        self.filtered = NULL
        if commit.shape[0] != fit.shape[0] or score.shape[0] != fit.shape[0]:
            raise ValueError(f"request class: {fit.shape[0]}, {commit.shape[0]} and {score.shape[0]} amounts")
        self.resources = fit.shape[0]
        self.filters = 0
        cdef Py_ssize_t count = max(self.resources, 1)
        self.fit = <int64_t*>PyMem_Malloc(3 * count * sizeof(int64_t))
        self.filtered = <int32_t*>PyMem_Malloc(count * sizeof(int32_t))
        if self.fit == NULL or self.filtered == NULL:
            raise MemoryError("request class")
        self.commit = self.fit + count
        self.score = self.fit + 2 * count
        cdef Py_ssize_t resource
        for resource in range(self.resources):
            self.fit[resource] = fit[resource]
            self.commit[resource] = commit[resource]
            self.score[resource] = score[resource]
            if fit[resource] > 0:
                self.filtered[self.filters] = <int32_t>resource
                self.filters += 1

    def __dealloc__(self):
        PyMem_Free(self.fit)
        PyMem_Free(self.filtered)

    def amounts(self):
        """(fit, commit, score) as lists, by resource."""
        cdef Py_ssize_t r
        return (
            [self.fit[r] for r in range(self.resources)],
            [self.commit[r] for r in range(self.resources)],
            [self.score[r] for r in range(self.resources)],
        )

    def __reduce__(self):
        return rebuild_class, (*self.amounts(), self.skips, self.priority, self.groups)


def rebuild_class(list fit, list commit, list score, uint32_t skips, int32_t priority, GroupSet groups):
    return RequestClass(array("q", fit), array("q", commit), array("q", score), skips, priority, groups)


@cython.final
cdef class Statics:
    """What is static about hosts for one class. `mask`: Columns uint32 or None; dicts as request.pxd says."""

    def __cinit__(self, Columns mask, dict arguments, dict raw):
        if not all(0 <= rule < 32 for rule in arguments) or not all(0 <= slot < MAX_SLOTS for slot in raw):
            raise ValueError("statics: rules or slots that there are not")
        if not all(isinstance(column, Columns) for column in (*arguments.values(), *raw.values())):
            raise ValueError("statics: these are no columns")
        self.shared = False
        self.mask = mask
        self.arguments = arguments
        self.raw = raw

    def __reduce__(self):
        return Statics, (self.mask, self.arguments, self.raw)

    cdef Statics own(self):
        """A copy that nobody else holds."""
        return Statics(
            None if self.mask is None else self.mask.copy(),
            {rule: (<Columns>column).copy() for rule, column in self.arguments.items()},
            {slot: (<Columns>column).copy() for slot, column in self.raw.items()},
        )


@cython.final
cdef class Classes(Idea):
    """The classes of one fleet, by number. Making a class is not a change of the fleet and is never taken back."""

    def __cinit__(self, Journal journal, Py_ssize_t stride):
        self.views = NULL
        self.room = 0
        self.journal = journal
        self.classes = []
        self.statics = []
        self.stride = stride
        self.static_kinds = 1 << RAW
        journal.register(self)

    def __dealloc__(self):
        free(self.views)

    def __len__(self):
        return len(self.classes)

    def __getitem__(self, Py_ssize_t number):
        return self.classes[number]

    def add(self, RequestClass made, Statics statics):
        """Register a class; returns its number."""
        cdef Py_ssize_t number = len(self.classes)
        cdef void* grown
        if number == self.room:
            grown = realloc(self.views, max(16, 2 * self.room) * sizeof(ClassView))
            if grown == NULL:
                raise MemoryError("request classes")
            self.views = <ClassView*>grown
            self.room = max(16, 2 * self.room)
        self.classes.append(made)
        self.statics.append(statics)
        self.views[number].edition = self.views[number].writes = 0
        self.refresh(number)
        return number

    cdef void refresh(self, Py_ssize_t number):
        """Point the class's view at where its columns are now."""
        cdef RequestClass made = self.classes[number]
        cdef Statics statics = self.statics[number]
        cdef ClassView* view = self.views + number
        cdef Py_ssize_t resource
        cdef int slot
        view.number = <int32_t>number
        view.fit = made.fit
        view.commit = made.commit
        view.score = made.score
        view.filtered = made.filtered
        view.filters = made.filters
        view.commits_more = False
        for resource in range(made.resources):
            if made.commit[resource] > made.fit[resource]:
                view.commits_more = True
        view.skips = made.skips
        view.plan = NULL if made.groups is None else &made.groups.plan
        view.priority = made.priority
        view.mask = NULL if statics.mask is None else statics.mask.uint32s(0)
        for slot in range(MAX_SLOTS):
            view.raw[slot] = NULL
        for slot, column in statics.raw.items():
            view.raw[slot] = (<Columns>column).int64s(0)

    def static_columns(self, Py_ssize_t number):
        """(mask, arguments, raw) of one class: read-only buffers."""
        cdef Statics statics = self.statics[number]
        return statics.mask, statics.arguments, statics.raw

    cdef Statics writable(self, Py_ssize_t number):
        cdef Statics statics = self.statics[number]
        self.views[number].writes += 1
        if statics.shared:
            statics = statics.own()
            self.statics[number] = statics
            self.refresh(number)
        return statics

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        cdef Statics statics
        cdef Py_ssize_t number
        self.stride = stride
        for number in range(len(self.statics)):
            statics = self.writable(number)
            if statics.mask is not None:
                statics.mask = statics.mask.resized(1, stride)
            for columns in (statics.arguments, statics.raw):
                for key in columns:
                    columns[key] = (<Columns>columns[key]).resized(1, stride)
            self.refresh(number)
        return 0

    def new_hosts(self, Py_ssize_t first, Py_ssize_t count):
        """Hosts that were just added: no static rule rejects them and their raw scores are 0, in every class."""
        cdef Statics statics
        cdef Py_ssize_t number, host
        for number in range(len(self.statics)):
            statics = self.writable(number)
            for host in range(first, first + count):
                if statics.mask is not None:
                    statics.mask.uint32s(0)[host] = 0
            for column in statics.arguments.values():
                for host in range(first, first + count):
                    (<Columns>column).int32s(0)[host] = -1
            for column in statics.raw.values():
                for host in range(first, first + count):
                    (<Columns>column).int64s(0)[host] = 0

    def set_rule(self, Py_ssize_t number, Py_ssize_t first, const uint8_t[::1] rejected, int rule):
        """Whether the rule at position `rule` rejects hosts first, first + 1, ...: a byte not 0 = yes. Not noted: for
        hosts that were just added, and for classes that no noted change concerns.
        """
        cdef Statics statics = self.writable(number)
        cdef Py_ssize_t i
        cdef uint32_t bit = <uint32_t>1 << rule
        if statics.mask is None:
            statics.mask = Columns(1, self.stride, 4)
            self.refresh(number)
        cdef uint32_t* mask = statics.mask.uint32s(0) + first
        self.views[number].edition += 1
        for i in range(rejected.shape[0]):
            mask[i] = mask[i] | bit if rejected[i] else mask[i] & ~bit

    def set_arguments(self, Py_ssize_t number, Py_ssize_t first, const int32_t[::1] arguments, int rule):
        """Arguments of one rule on hosts first, first + 1, ...; -1 = none. Not noted, like set_rule."""
        cdef Statics statics = self.writable(number)
        cdef Columns column = self.argument_column(statics, rule)
        cdef Py_ssize_t i
        for i in range(arguments.shape[0]):
            column.int32s(0)[first + i] = arguments[i]

    def set_scores(self, Py_ssize_t number, Py_ssize_t first, const int64_t[::1] scores, int slot):
        """Raw scores of one slot on hosts first, first + 1, ... Not noted, like set_rule."""
        cdef Statics statics = self.writable(number)
        cdef Columns column = self.raw_column(statics, number, slot)
        cdef Py_ssize_t i
        self.views[number].edition += 1
        for i in range(scores.shape[0]):
            column.int64s(0)[first + i] = scores[i]

    cdef Columns argument_column(self, Statics statics, int rule):
        cdef Columns column = statics.arguments.get(rule)
        cdef Py_ssize_t i
        if column is None:
            column = Columns(1, self.stride, 4)
            for i in range(self.stride):
                column.int32s(0)[i] = -1
            statics.arguments[rule] = column
        return column

    cdef Columns raw_column(self, Statics statics, Py_ssize_t number, int slot):
        cdef Columns column = statics.raw.get(slot)
        if column is None:
            column = statics.raw[slot] = Columns(1, self.stride, 8)
            self.refresh(number)
            self.views[number].edition += 1
        return column

    def mask_of(self, Py_ssize_t number, Py_ssize_t host):
        """The reject mask of one host."""
        cdef Statics statics = self.statics[number]
        return 0 if statics.mask is None else statics.mask.uint32s(0)[host]

    def set_mask(self, Py_ssize_t number, Py_ssize_t host, uint32_t bits):
        """Replace the whole reject mask of one host."""
        cdef Statics statics = self.writable(number)
        if statics.mask is None:
            if bits == 0:
                return
            statics.mask = Columns(1, self.stride, 4)
            self.refresh(number)
        cdef uint32_t* cell = statics.mask.uint32s(0) + host
        if cell[0] != bits:
            self.journal.note(self.number, MASK, host, number, cell[0])
            cell[0] = bits

    def set_argument(self, Py_ssize_t number, Py_ssize_t host, int rule, int32_t argument):
        cdef Statics statics = self.writable(number)
        cdef Columns column = self.argument_column(statics, rule)
        cdef int32_t* cell = column.int32s(0) + host
        if cell[0] != argument:
            self.journal.note(self.number, ARGUMENT, host, number << 8 | rule, cell[0])
            cell[0] = argument

    def set_raw(self, Py_ssize_t number, Py_ssize_t host, int slot, int64_t raw):
        cdef Statics statics = self.writable(number)
        cdef Columns column = self.raw_column(statics, number, slot)
        cdef int64_t* cell = column.int64s(0) + host
        if cell[0] != raw:
            self.journal.note(self.number, RAW, host, number << 8 | slot, cell[0])
            cell[0] = raw

    cdef int revert(self, const Change* change) except -1:
        cdef Statics statics
        if change.kind == MASK:
            statics = self.writable(<Py_ssize_t>change.what)
            statics.mask.uint32s(0)[change.host] = <uint32_t>change.old
            return 0
        statics = self.writable(<Py_ssize_t>(change.what >> 8))
        if change.kind == ARGUMENT:
            (<Columns>statics.arguments[change.what & 0xFF]).int32s(0)[change.host] = <int32_t>change.old
        else:
            (<Columns>statics.raw[change.what & 0xFF]).int64s(0)[change.host] = change.old
        return 0

    cpdef object save(self):
        # Statics are shared, not copied: whoever writes next copies first.
        for statics in self.statics:
            (<Statics>statics).shared = True
        return self.stride, list(self.classes), list(self.statics)

    cpdef object restore(self, object saved):
        stride, classes, statics = saved
        self.stride = stride
        for made, columns in zip(classes, statics, strict=True):
            if not isinstance(made, RequestClass) or not isinstance(columns, Statics):
                raise ValueError("fleet: classes: damaged pickle: these are no classes")
            self.add(made, columns)
        for columns in self.statics:
            (<Statics>columns).shared = True

    cpdef object check(self, object state):
        """Amounts within their bounds, and columns of the fleet's length."""
        cdef RequestClass made
        cdef Statics statics
        cdef Py_ssize_t resource, number
        if self.stride != state.fleet.stride:
            raise ValueError("fleet: classes: damaged pickle: its lengths do not agree")
        for number in range(len(self.classes)):
            made, statics = self.classes[number], self.statics[number]
            if made.resources != state.fleet.resources:
                raise ValueError(f"fleet: classes: damaged pickle: class {number} has {made.resources} amounts")
            for resource in range(3 * made.resources):
                if not 0 <= made.fit[resource] <= LARGEST:
                    raise ValueError(
                        f"fleet: classes: damaged pickle: class {number} has an amount of {made.fit[resource]}"
                    )
            if statics.mask is not None:
                expect("classes", statics.mask, 1, self.stride, 4)
            for column in statics.arguments.values():
                expect("classes", column, 1, self.stride, 4)
            for column in statics.raw.values():
                expect("classes", column, 1, self.stride, 8)
