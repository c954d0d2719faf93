"""The candidates of a question all at once; `candidates` finds the same ones lazily, one tree after another."""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memset

from binwright._core.candidates cimport FOUND, LIMIT, Answer, Question, Walk
from binwright._core.rowtable cimport RowTable, Stock, Tree

STEPS = 1 << 24

cdef enum:
    UNHEARD = 1 << 12    # candidates between two looks for Ctrl-C


@cython.final
cdef class CandidateList:
    """Candidates in the order in which they were found; one is a row for each unit of the question."""

    def __cinit__(self, RowTable table not None, Question question not None):
        self.rows = NULL
        self.table, self.question = table, question
        self.units = question.plan.unit_count
        self.count = self.room = 0
        self.limit_reached = False

    def __dealloc__(self):
        free(self.rows)

    def __len__(self):
        return self.count

    def __getitem__(self, Py_ssize_t number):
        """Rows (units,) of one candidate."""
        cdef Py_ssize_t unit
        if not 0 <= number < self.count:
            raise IndexError(f"no candidate {number}")
        return tuple([self.rows[number * self.units + unit] for unit in range(self.units)])

    def trees(self, bytes units not None):
        """Numbers of the trees that give something, in order of first use; `units`: 1 for a unit that asks amounts."""
        cdef bytearray told = bytearray(self.table.tree_count)
        cdef char* mark = told
        cdef const char* asks = units
        cdef Py_ssize_t number, unit
        cdef int32_t tree
        cdef list found = []
        if len(units) != self.units:
            raise ValueError(f"{len(units)} marks for {self.units} units")
        for number in range(self.count):
            for unit in range(self.units):
                tree = self.table.rows[self.rows[number * self.units + unit]].tree
                if asks[unit] and not mark[tree]:
                    mark[tree] = 1
                    found.append(tree)
        return found

    cdef int32_t* grown(self, Py_ssize_t more) except NULL:
        """Room for more candidates; where the first of them goes."""
        cdef Py_ssize_t room
        cdef int32_t* made
        if self.count + more > self.room:
            room = max(2 * self.room, self.count + more, 64)
            made = <int32_t*>realloc(self.rows, room * self.units * sizeof(int32_t))
            if made == NULL:
                raise MemoryError("candidates")
            self.rows = made
            self.room = room
        return self.rows + self.count * self.units


@cython.final
cdef class Lister:
    """One search; see `listed`."""

    def __cinit__(self, RowTable table not None, Question question not None, Py_ssize_t most, int64_t steps):
        cdef Py_ssize_t a, local, unit, shapes = max(table.shape_count, 1), resources = question.plan.resource_count
        cdef int64_t amount
        self.first_asked = self.asked_count = self.slots = NULL
        self.asked = NULL
        self.some = NULL
        self.keys = self.least = self.sum = NULL
        self.stretches = NULL
        self.table, self.question = table, question
        self.found = CandidateList(table, question)
        self.walk = Walk(table, question, table.most)
        self.most, self.steps, self.left = most, steps, steps
        self.seen = set()
        self.asked_room = self.asked_taken = self.key_room = self.key_taken = 0
        self.stretch_room = self.stretch_count = self.slot_count = 0
        self.first_asked = <int32_t*>malloc(shapes * sizeof(int32_t))
        self.asked_count = <int32_t*>malloc(shapes * sizeof(int32_t))
        self.least = <int64_t*>calloc(max(resources, 1), sizeof(int64_t))
        self.sum = <int64_t*>calloc(max(resources, 1), sizeof(int64_t))
        self.some = <uint8_t*>calloc(max(resources, 1), 1)
        if (
            self.first_asked == NULL or self.asked_count == NULL or self.least == NULL or self.sum == NULL
            or self.some == NULL
        ):
            raise MemoryError("list of candidates")
        memset(self.first_asked, 0xFF, shapes * sizeof(int32_t))
        for unit in range(question.plan.unit_count):
            a = question.plan.units[unit].ask
            for a in range(a, a + question.plan.units[unit].asks):
                local, amount = question.plan.asks[a].local, question.plan.asks[a].amount
                self.least[local] = amount if self.sum[local] == 0 else min(self.least[local], amount)
                self.sum[local] += amount
        self.widen_slots()

    def __dealloc__(self):
        free(self.first_asked)
        free(self.asked_count)
        free(self.asked)
        free(self.least)
        free(self.sum)
        free(self.some)
        free(self.keys)
        free(self.stretches)
        free(self.slots)

    cdef int look_at(self, int32_t tree) except -1:
        """Append the candidates of one tree."""
        cdef const Tree* seen = self.table.trees + tree
        cdef uint64_t hash = 0
        cdef int64_t* key
        cdef int32_t* slot
        cdef Stretch* stretch
        cdef Py_ssize_t group, before = self.found.count
        cdef bint own = seen.shape < 0
        for group in range(self.question.plan.group_count):
            own |= self.question.plan.groups[group].within == tree
        if own:
            return self.walk_below(tree)
        key = self.key_of(tree, &hash)
        if key == NULL:
            return 0
        slot = self.slot_of(seen.shape, key, hash)
        if slot[0] >= 0:
            return self.repeat(self.stretches + slot[0], tree)
        if self.stretch_count == self.stretch_room:
            self.stretch_room = max(16, 2 * self.stretch_room)
            stretch = <Stretch*>realloc(self.stretches, self.stretch_room * sizeof(Stretch))
            if stretch == NULL:
                raise MemoryError("list of candidates")
            self.stretches = stretch
        self.walk_below(tree)
        slot[0] = <int32_t>self.stretch_count
        self.stretches[self.stretch_count] = Stretch(
            hash, seen.shape, tree, self.key_taken, before, self.found.count - before
        )
        self.stretch_count += 1
        self.key_taken += self.asked_count[seen.shape]
        if 2 * self.stretch_count > self.slot_count:
            self.widen_slots()
        return 0

    cdef int walk_below(self, int32_t tree) except -1:
        """Search one tree."""
        cdef Walk walk = self.walk
        cdef Py_ssize_t unit
        cdef int32_t* rows
        cdef Answer answer
        cdef bint linked = self.table.trees[tree].shape < 0
        walk.begin(tree)
        while self.most < 0 or self.found.count < self.most:
            answer = walk.advance(&self.left)
            if answer != FOUND:
                self.found.limit_reached = answer == LIMIT
                return 0
            rows = self.found.grown(1)
            for unit in range(self.found.units):
                rows[unit] = walk.row[walk.chosen[unit]]
            if linked and self.is_told(rows):
                continue
            self.left = self.steps
            self.found.count += 1
            if self.found.count % UNHEARD == 0:
                PyErr_CheckSignals()
        return 0

    cdef bint is_told(self, const int32_t* rows) except -1:
        """Has another tree found it, too? Only what consists of shared rows is asked for."""
        cdef Py_ssize_t unit
        for unit in range(self.found.units):
            if not self.table.rows[rows[unit]].shared:
                return False
        told = tuple([rows[unit] for unit in range(self.found.units)])
        if told in self.seen:
            return True
        self.seen.add(told)
        return False

    cdef int repeat(self, const Stretch* stretch, int32_t tree) except -1:
        """The candidates of another tree, with the rows of this one."""
        cdef Py_ssize_t count = stretch.count, i
        cdef int32_t between = self.table.trees[tree].first - self.table.trees[stretch.tree].first
        cdef const int32_t* before
        cdef int32_t* rows
        if self.most >= 0:
            count = min(count, self.most - self.found.count)
        if count == 0:
            return 0
        rows = self.found.grown(count)
        before = self.found.rows + stretch.first * self.found.units
        for i in range(count * self.found.units):
            rows[i] = before[i] + between
        self.found.count += count
        return 0

    # ---- what tells trees apart --------------------------------------------------------------------------------

    cdef int name_asked(self, int32_t tree) except -1:
        """The stocks of a shape that are asked of."""
        cdef const Tree* seen = self.table.trees + tree
        cdef int32_t base = self.table.rows[seen.first].stock, row, at
        cdef Py_ssize_t a
        cdef Asked* made
        self.first_asked[seen.shape] = <int32_t>self.asked_taken
        for row in range(seen.first, seen.first + seen.rows):
            for at in range(self.table.rows[row].stock, self.table.rows[row].stock + self.table.rows[row].stocks):
                for a in range(self.question.plan.ask_count):
                    if self.question.plan.asks[a].resource != self.table.stocks[at].resource:
                        continue
                    if self.asked_taken == self.asked_room:
                        self.asked_room = max(64, 2 * self.asked_room)
                        made = <Asked*>realloc(self.asked, self.asked_room * sizeof(Asked))
                        if made == NULL:
                            raise MemoryError("list of candidates")
                        self.asked = made
                    self.asked[self.asked_taken] = Asked(at - base, self.question.plan.asks[a].local)
                    self.asked_taken += 1
                    break
        self.asked_count[seen.shape] = <int32_t>(self.asked_taken - self.first_asked[seen.shape])
        return 0

    cdef int64_t* key_of(self, int32_t tree, uint64_t* hash) except? NULL:
        """What is left of the stocks that are asked of, behind the keys that are taken; NULL where nobody has enough of
        some resource.
        """
        cdef const Tree* seen = self.table.trees + tree
        cdef const Stock* stocks = self.table.stocks + self.table.rows[seen.first].stock
        cdef const Stock* stock
        cdef const Asked* asked
        cdef int64_t* made
        cdef int64_t* key
        cdef int64_t left
        cdef int32_t i, count
        if self.first_asked[seen.shape] < 0:
            self.name_asked(tree)
        count = self.asked_count[seen.shape]
        if self.key_taken + count >= self.key_room:
            self.key_room = max(1024, 2 * (self.key_taken + count))
            made = <int64_t*>realloc(self.keys, self.key_room * sizeof(int64_t))
            if made == NULL:
                raise MemoryError("list of candidates")
            self.keys = made
        key = self.keys + self.key_taken
        asked = self.asked + self.first_asked[seen.shape]
        hash[0] = <uint64_t>seen.shape
        memset(self.some, 0, self.question.plan.resource_count)
        for i in range(count):
            stock = stocks + asked[i].stock
            left = min(stock.capacity - stock.used, stock.largest)
            left = min(left, self.sum[asked[i].local])
            key[i] = left if left >= self.least[asked[i].local] else 0
            self.some[asked[i].local] |= key[i] > 0
            hash[0] = (hash[0] ^ <uint64_t>key[i]) * <uint64_t>0x9E3779B97F4A7C15
            hash[0] ^= hash[0] >> 29
        for i in range(self.question.plan.resource_count):
            if not self.some[i]:
                return NULL
        return key

    cdef int32_t* slot_of(self, int32_t shape, const int64_t* key, uint64_t hash) noexcept nogil:
        """Where the stretch with this key is named, or should be."""
        cdef Py_ssize_t at = hash & (self.slot_count - 1)
        cdef const Stretch* stretch
        while self.slots[at] >= 0:
            stretch = self.stretches + self.slots[at]
            if stretch.hash == hash and stretch.shape == shape:
                if memcmp(self.keys + stretch.key, key, self.asked_count[shape] * sizeof(int64_t)) == 0:
                    break
            at = (at + 1) & (self.slot_count - 1)
        return self.slots + at

    cdef int widen_slots(self) except -1:
        """Twice the room for names, all put in again."""
        cdef Py_ssize_t count = max(64, 4 * self.slot_count), i, at
        cdef int32_t* made = <int32_t*>malloc(count * sizeof(int32_t))
        if made == NULL:
            raise MemoryError("list of candidates")
        memset(made, 0xFF, count * sizeof(int32_t))
        for i in range(self.stretch_count):
            at = self.stretches[i].hash & (count - 1)
            while made[at] >= 0:
                at = (at + 1) & (count - 1)
            made[at] = <int32_t>i
        free(self.slots)
        self.slots, self.slot_count = made, count
        return 0


def listed(
    RowTable table not None, Question question not None, const int32_t[::1] trees not None,
    Py_ssize_t most=-1, int64_t steps=STEPS,
):
    """The candidates of a question below `trees`, in their order, each once, as `candidates.Candidates` finds them; the
    first `most`, -1 = all. `limit_reached` of the list: `steps` trials found no candidate, and it ends there.
    """
    cdef Lister search
    cdef Py_ssize_t number
    question.check(table)
    search = Lister(table, question, most, steps)
    for number in range(trees.shape[0]):
        if not 0 <= trees[number] < table.tree_count:
            raise IndexError(f"no tree {trees[number]}")
        if search.found.limit_reached or 0 <= most <= search.found.count:
            break
        search.look_at(trees[number])
    return search.found
