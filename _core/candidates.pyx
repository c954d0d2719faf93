"""All candidates of a question, lazily: depth-first, pruned by stock, isolation, subtree sets and matchings."""

cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from binwright._core.clauses cimport FORBIDDEN
from binwright._core.matching cimport lowest_bit, match_all
from binwright._core.rowtable cimport Stock, Tree

STEPS = 1 << 24

cdef enum:
    MOST_UNITS = 1 << 16

cdef int64_t LARGEST = (<int64_t>1) << 56


@cython.final
cdef class Question:
    """What is asked of the rows of one tree.

    groups: (asks ((resource, amount), ...), labels filter, members filter, within tree or -1, one row, linked,
    root answers, isolated) of each; a group without asks takes one row and nothing of it. subtrees: group numbers.
    Raises ValueError for amounts and numbers that cannot be; filters and trees are compared with a table by Candidates.
    """

    def __cinit__(self, tuple groups not None, tuple subtrees not None):
        cdef Py_ssize_t number, at = 0, unit = 0, s
        cdef dict locals = {}
        memset(&self.plan, 0, sizeof(Plan))
        self.plan.group_count = <int32_t>len(groups)
        self.plan.subtree_count = len(subtrees)
        for asks, _, _, _, one_row, _, _, _ in groups:
            self.plan.unit_count += 1 if one_row else len(asks)
            for resource, amount in asks:
                if not 0 < amount <= LARGEST:
                    raise ValueError(f"Question: an amount of {amount}")
                locals.setdefault(resource, len(locals))
        if self.plan.unit_count == 0:
            raise ValueError("Question: nothing is asked")
        if self.plan.unit_count > MOST_UNITS:
            raise ValueError(f"Question: {self.plan.unit_count} rows are asked for, at most {MOST_UNITS}")
        self.plan.resource_count = len(locals)
        self.plan.groups = <Group*>calloc(self.plan.group_count, sizeof(Group))
        self.plan.asks = <Ask*>calloc(max(sum(len(group[0]) for group in groups), 1), sizeof(Ask))
        self.plan.units = <Unit*>calloc(self.plan.unit_count, sizeof(Unit))
        self.plan.subtrees = <uint8_t*>calloc(max(self.plan.subtree_count * self.plan.unit_count, 1), 1)
        if self.plan.groups == NULL or self.plan.asks == NULL or self.plan.units == NULL or self.plan.subtrees == NULL:
            raise MemoryError("groups of a question")
        for number in range(self.plan.group_count):
            asks, labels, members, within, one_row, linked, root_answers, isolated = groups[number]
            if labels < 0 or members < 0 or within < -1:
                raise ValueError(f"Question: group {number} has filters {labels} and {members}, tree {within}")
            self.plan.groups[number] = Group(labels, members, within, one_row, linked, root_answers, isolated)
            if one_row:
                self.plan.units[unit] = Unit(<int32_t>number, <int32_t>at, len(asks))
                unit += 1
            for resource, amount in asks:
                self.plan.asks[at] = Ask(resource, locals[resource], amount)
                if not one_row:
                    self.plan.units[unit] = Unit(<int32_t>number, <int32_t>at, 1)
                    unit += 1
                at += 1
        self.plan.ask_count = <int32_t>at
        for together in subtrees:
            if any(not 0 <= one < self.plan.group_count for one in together):
                raise ValueError(f"Question: subtrees name a group that is not there: {together}")
        for s in range(self.plan.subtree_count):
            for unit in range(self.plan.unit_count):
                self.plan.subtrees[s * self.plan.unit_count + unit] = self.plan.units[unit].group in subtrees[s]

    cdef int check(self, RowTable table) except -1:
        """Raises ValueError where a group means a filter or a tree that a table has not."""
        cdef Py_ssize_t number, labels = len(table.labels.filters), members = len(table.members.filters)
        cdef const Group* group
        for number in range(self.plan.group_count):
            group = self.plan.groups + number
            if group.labels >= labels or group.members >= members or group.within >= table.tree_count:
                raise ValueError(
                    f"Candidates: group {number} has filters {group.labels} and {group.members}, tree {group.within}; "
                    f"there are {labels} and {members}, and {table.tree_count} trees"
                )
        return 0

    def __dealloc__(self):
        free(self.plan.groups)
        free(self.plan.asks)
        free(self.plan.units)
        free(self.plan.subtrees)


@cython.final
cdef class Walk:
    """The search below one tree; `begin` chooses the tree, `advance` finds its next candidate."""

    def __cinit__(self, RowTable table not None, Question question not None, Py_ssize_t rows):
        if rows < 0:
            raise ValueError(f"Walk: {rows} rows")
        cdef Py_ssize_t units = question.plan.unit_count, words = (rows + 63) // 64 + 1
        self.table, self.question, self.plan = table, question, &question.plan
        rows = max(rows, 1)
        self.row = <int32_t*>calloc(rows, sizeof(int32_t))
        self.left = <int64_t*>calloc(rows * max(question.plan.resource_count, 1), sizeof(int64_t))
        self.busy = <int32_t*>calloc(rows, sizeof(int32_t))
        self.can = <uint64_t*>calloc(units * words, sizeof(uint64_t))
        self.chosen = <int32_t*>calloc(units, sizeof(int32_t))
        self.order = <int32_t*>calloc(units, sizeof(int32_t))
        self.part = <int32_t*>calloc(units, sizeof(int32_t))
        self.part_first = <int32_t*>calloc(units, sizeof(int32_t))
        self.part_end = <int32_t*>calloc(units, sizeof(int32_t))
        self.completed = <uint8_t*>calloc(units, 1)
        self.line = <int32_t*>calloc(units, sizeof(int32_t))
        self.graph.can = <uint64_t*>calloc(units * words, sizeof(uint64_t))
        self.graph.room = <int32_t*>calloc(rows, sizeof(int32_t))
        self.graph.load = <int32_t*>calloc(rows, sizeof(int32_t))
        self.graph.match = <int32_t*>calloc(units, sizeof(int32_t))
        self.graph.open = <uint64_t*>calloc(words, sizeof(uint64_t))
        self.graph.seen = <uint64_t*>calloc(words, sizeof(uint64_t))
        if (
            self.row == NULL or self.left == NULL or self.busy == NULL or self.can == NULL or self.chosen == NULL
            or self.order == NULL or self.part == NULL or self.part_first == NULL or self.part_end == NULL
            or self.completed == NULL or self.line == NULL or self.graph.can == NULL or self.graph.room == NULL
            or self.graph.load == NULL or self.graph.match == NULL or self.graph.open == NULL
            or self.graph.seen == NULL
        ):
            raise MemoryError("search for candidates")

    def __dealloc__(self):
        free(self.row)
        free(self.left)
        free(self.busy)
        free(self.can)
        free(self.chosen)
        free(self.order)
        free(self.part)
        free(self.part_first)
        free(self.part_end)
        free(self.completed)
        free(self.line)
        free(self.graph.can)
        free(self.graph.room)
        free(self.graph.load)
        free(self.graph.match)
        free(self.graph.open)
        free(self.graph.seen)

    cdef bint begin(self, int32_t tree) noexcept nogil:
        """Look at the rows of a tree; False when it is plain that it has no candidate."""
        cdef const Tree* seen = self.table.trees + tree
        cdef const Plan* asked = self.plan
        cdef int32_t index, unit, at, depth
        cdef const Stock* stock
        cdef bint some
        self.tree = tree
        self.own = seen.rows
        self.rows = seen.rows + seen.links
        self.words = (self.rows + 63) >> 6
        self.depth = -1
        memset(self.busy, 0, self.rows * sizeof(int32_t))
        memset(self.left, 0xFF, self.rows * asked.resource_count * sizeof(int64_t))
        memset(self.can, 0, asked.unit_count * self.words * sizeof(uint64_t))
        for index in range(self.rows):
            self.row[index] = seen.first + index if index < self.own else self.table.links[seen.link + index - self.own]
            for unit in range(asked.unit_count):
                for at in range(asked.units[unit].ask, asked.units[unit].ask + asked.units[unit].asks):
                    stock = self.table.stock_of(self.row[index], asked.asks[at].resource)
                    if stock != NULL:
                        self.left[index * asked.resource_count + asked.asks[at].local] = min(
                            stock.capacity - stock.used, stock.largest
                        )
        for unit in range(asked.unit_count):
            self.chosen[unit] = -1
            some = False
            for index in range(self.rows):
                if self.suits(unit, index):
                    self.can[unit * self.words + (index >> 6)] |= <uint64_t>1 << (index & 63)
                    some = True
            if not some:
                return False
        self.split()
        depth = 0
        while depth < asked.unit_count:
            if not self.rest_possible(depth, depth, self.part_end[depth]):
                return False
            depth = self.part_end[depth]
        self.depth = 0
        return True

    cdef bint suits(self, int32_t unit, int32_t index) noexcept nogil:
        """Whether a row could serve a unit if the unit were alone."""
        cdef const Unit* one = self.plan.units + unit
        cdef const Group* group = self.plan.groups + one.group
        cdef int32_t row = self.row[index], root = self.table.trees[self.tree].first, at
        cdef bint link = index >= self.own
        cdef const Stock* stock
        cdef const Ask* ask
        cdef uint64_t mine, above, wanted = self.table.members.wanted[group.members]
        if link and not group.linked:
            return False
        if group.within >= 0 and self.table.rows[row].tree != group.within:
            return False
        if group.one_row:
            if not self.table.labels.accepts(group.labels, self.table.rows[row].labels):
                return False
        elif self.table.labels.met(group.labels, self.table.rows[row].labels) & FORBIDDEN:
            return False
        mine = self.table.members.met(group.members, self.table.rows[row].members)
        if group.root_answers:
            above = self.table.members.met(group.members, self.table.rows[root].members)
            if (mine | above) & FORBIDDEN or not (mine == wanted or (above == wanted and not link)):
                return False
        elif mine != wanted:
            return False
        for at in range(one.ask, one.ask + one.asks):
            ask = self.plan.asks + at
            stock = self.table.stock_of(row, ask.resource)
            if (
                stock == NULL or stock.used + ask.amount > stock.capacity
                or ask.amount < stock.smallest or ask.amount > stock.largest or ask.amount % stock.step
            ):
                return False
        return True

    cdef void split(self) noexcept nogil:
        """Find the parts, and put the units of each behind one another."""
        cdef int32_t unit, other, count = self.plan.unit_count, low, high, third, depth = 0, first
        for unit in range(count):
            self.part[unit] = unit
        for unit in range(count):
            for other in range(unit):
                if self.part[unit] != self.part[other] and self.related(unit, other):
                    low = min(self.part[unit], self.part[other])
                    high = max(self.part[unit], self.part[other])
                    for third in range(count):
                        if self.part[third] == high:
                            self.part[third] = low
        for unit in range(count):
            if self.part[unit] != unit:
                continue
            first = depth
            for other in range(unit, count):
                if self.part[other] == unit:
                    self.order[depth] = other
                    self.part_first[depth] = first
                    depth += 1
            for other in range(first, depth):
                self.part_end[other] = depth
            self.completed[first] = 0

    cdef bint related(self, int32_t unit, int32_t other) noexcept nogil:
        """Whether the choice for one unit can matter to the other."""
        cdef const Plan* asked = self.plan
        cdef const Unit* one = asked.units + unit
        cdef const Unit* two = asked.units + other
        cdef int32_t word, a, b
        cdef bint rivals = asked.groups[one.group].isolated and asked.groups[two.group].isolated
        if one.group == two.group and self.table.labels.wanted[asked.groups[one.group].labels]:
            return True
        for a in range(asked.subtree_count):
            if asked.subtrees[a * asked.unit_count + unit] and asked.subtrees[a * asked.unit_count + other]:
                return True
        for a in range(one.ask, one.ask + one.asks):
            for b in range(two.ask, two.ask + two.asks):
                rivals |= asked.asks[a].local == asked.asks[b].local
        if rivals:
            for word in range(self.words):
                if self.can[unit * self.words + word] & self.can[other * self.words + word]:
                    return True
        return False

    cdef Answer advance(self, int64_t* steps) noexcept nogil:
        """The next candidate; `steps` counts trials down, at 0 the answer is LIMIT."""
        cdef int32_t depth = self.depth, unit, index, first, end, count = self.plan.unit_count
        cdef uint64_t bits
        cdef int32_t word
        if depth < 0:
            return NONE
        while True:
            unit = self.order[depth]
            index = self.chosen[unit]
            if index >= 0:
                self.give(unit, index, -1)
            first, end = self.part_first[depth], self.part_end[depth]
            while True:
                index += 1
                word = index >> 6
                bits = self.can[unit * self.words + word] >> (index & 63) if word < self.words else 0
                while bits == 0 and word + 1 < self.words:
                    word += 1
                    index = word << 6
                    bits = self.can[unit * self.words + word]
                if bits == 0:
                    index = -1
                    break
                index += lowest_bit(bits)
                if not self.allowed(unit, index):
                    continue
                if steps[0] == 0:
                    return LIMIT
                steps[0] -= 1
                self.chosen[unit] = index
                self.give(unit, index, 1)
                if self.rest_possible(first, depth + 1, end):
                    break
                self.give(unit, index, -1)
            if index < 0:
                self.chosen[unit] = -1
                depth -= 1
                if depth < 0 or (depth + 1 == first and not self.completed[first]):
                    self.depth = -1
                    return NONE
            elif depth + 1 == count:
                self.completed[first] = 1
                self.depth = depth
                return FOUND
            else:
                if depth + 1 == end:
                    self.completed[first] = 1
                depth += 1

    cdef bint allowed(self, int32_t unit, int32_t index) noexcept nogil:
        """Whether a row that suits a unit alone can serve it beside those chosen so far."""
        cdef const Plan* asked = self.plan
        cdef const Unit* one = asked.units + unit
        cdef int32_t at
        if asked.groups[one.group].isolated and self.busy[index]:
            return False
        for at in range(one.ask, one.ask + one.asks):
            if self.left[index * asked.resource_count + asked.asks[at].local] < asked.asks[at].amount:
                return False
        return True

    cdef void give(self, int32_t unit, int32_t index, int sign) noexcept nogil:
        """Take a unit's asks from a row, or put them back (sign -1)."""
        cdef const Plan* asked = self.plan
        cdef const Unit* one = asked.units + unit
        cdef int32_t at
        if asked.groups[one.group].isolated:
            self.busy[index] += sign
        for at in range(one.ask, one.ask + one.asks):
            self.left[index * asked.resource_count + asked.asks[at].local] -= sign * asked.asks[at].amount

    cdef bint rest_possible(self, int32_t first, int32_t depth, int32_t end) noexcept nogil:
        """Whether the units behind `depth` of a part may still be served; exact when there are none left."""
        cdef const Plan* asked = self.plan
        cdef int32_t s, at, unit, resource, shares = 0
        for at in range(first, end):
            unit = self.order[at]
            if not asked.groups[asked.units[unit].group].one_row:
                if not self.union_possible(first, depth, end, asked.units[unit].group):
                    return False
        if depth < end and not self.matched(depth, end, -1, NULL, -1):
            return False
        for at in range(depth, end):
            shares = shares + (not asked.groups[asked.units[self.order[at]].group].isolated)
        if shares:  # isolated units alone never meet on a row
            for resource in range(asked.resource_count):
                if not self.matched(depth, end, resource, NULL, -1):
                    return False
        for s in range(asked.subtree_count):
            if not self.subtree_possible(first, depth, end, asked.subtrees + s * asked.unit_count):
                return False
        return True

    cdef bint matched(
        self, int32_t depth, int32_t end, int32_t resource, const uint8_t* units, int32_t top
    ) noexcept nogil:
        """Whether the rest can be put on rows as far as one thing goes: isolation (resource -1), or one resource.

        `units` and `top` restrict the question to a subtree set and to the rows below, or at, row `top`.
        """
        cdef const Plan* asked = self.plan
        cdef int32_t at, unit, index, word, a, count = 0
        cdef int64_t least = 0, amount
        cdef uint64_t bits, low
        cdef uint64_t* line
        for at in range(depth, end):
            unit = self.order[at]
            if units != NULL and not units[unit]:
                continue
            if resource >= 0:
                amount = 0
                for a in range(asked.units[unit].ask, asked.units[unit].ask + asked.units[unit].asks):
                    if asked.asks[a].local == resource:
                        amount = asked.asks[a].amount
                if amount == 0:
                    continue
                least = amount if count == 0 else min(least, amount)
            line = self.graph.can + count * self.words
            low = 0
            for word in range(self.words):
                line[word] = 0
                bits = self.can[unit * self.words + word]
                while bits:
                    index = (word << 6) + lowest_bit(bits)
                    bits &= bits - 1
                    if top >= 0 and not top <= self.row[index] < self.table.rows[top].leave:
                        continue
                    if self.allowed(unit, index):
                        line[word] |= <uint64_t>1 << (index & 63)
                low |= line[word]
            if low == 0:
                return False
            if resource < 0 and not asked.groups[asked.units[unit].group].isolated:
                continue
            count += 1
        if count < 2:
            return True
        for index in range(self.rows):
            if resource < 0:
                self.graph.room[index] = 0 if self.busy[index] else 1
            else:
                amount = self.left[index * asked.resource_count + resource] // least
                self.graph.room[index] = <int32_t>max(0, min(amount, count))
        self.graph.units = count
        self.graph.rows = self.rows
        self.graph.words = self.words
        return match_all(&self.graph)

    cdef bint subtree_possible(
        self, int32_t first, int32_t depth, int32_t end, const uint8_t* units
    ) noexcept nogil:
        """Whether one row that serves a unit of a set, or still may, can stand above the rows of all its units."""
        cdef int32_t at, unit, index, word
        cdef uint64_t bits
        cdef bint concerned = False
        for at in range(first, end):
            unit = self.order[at]
            if not units[unit]:
                continue
            concerned = True
            if at < depth:
                if self.below(first, depth, end, units, self.row[self.chosen[unit]]):
                    return True
                continue
            for word in range(self.words):
                bits = self.can[unit * self.words + word]
                while bits:
                    index = (word << 6) + lowest_bit(bits)
                    bits &= bits - 1
                    if self.below(first, depth, end, units, self.row[index]):
                        return True
        return not concerned

    cdef bint below(
        self, int32_t first, int32_t depth, int32_t end, const uint8_t* units, int32_t top
    ) noexcept nogil:
        """Whether all units of a set are below, or at, row `top`, or still may be."""
        cdef int32_t at, row
        for at in range(first, depth):
            if units[self.order[at]]:
                row = self.row[self.chosen[self.order[at]]]
                if not top <= row < self.table.rows[top].leave:
                    return False
        return depth == end or self.matched(depth, end, -1, units, top)

    cdef bint union_possible(self, int32_t first, int32_t depth, int32_t end, int32_t group) noexcept nogil:
        """Whether the rows of a group may together meet all its clauses."""
        cdef int32_t filter = self.plan.groups[group].labels, at, unit, index, word
        cdef uint64_t wanted = self.table.labels.wanted[filter], met = 0, bits
        for at in range(first, end):
            if met == wanted:
                return True
            unit = self.order[at]
            if self.plan.units[unit].group != group:
                continue
            if at < depth:
                met |= self.table.labels.met(filter, self.table.rows[self.row[self.chosen[unit]]].labels)
                continue
            for word in range(self.words):
                bits = self.can[unit * self.words + word]
                while bits:
                    index = (word << 6) + lowest_bit(bits)
                    bits &= bits - 1
                    if self.allowed(unit, index):
                        met |= self.table.labels.met(filter, self.table.rows[self.row[index]].labels)
        return met == wanted


@cython.final
cdef class Candidates:
    """Iterator over the candidates of a question below `trees`, in their order, each once: rows (units,) as a tuple.

    in_turn: one candidate of each tree in turn instead of one tree after another. After `steps` trials without a
    candidate it ends with `limit_reached`: there may be more. The table must not change meanwhile.
    """

    def __cinit__(
        self, RowTable table not None, Question question not None, const int32_t[::1] trees not None,
        bint in_turn=False, int64_t steps=STEPS,
    ):
        cdef Py_ssize_t number
        if steps < 0:
            raise ValueError(f"Candidates: steps {steps}")
        question.check(table)
        for number in range(trees.shape[0]):
            if not 0 <= trees[number] < table.tree_count:
                raise IndexError(f"no tree {trees[number]}")
        self.table, self.question, self.trees = table, question, trees
        self.in_turn, self.steps = in_turn, steps
        self.walks = []
        self.seen = set()
        self.tree = -1
        if in_turn:
            for number in range(trees.shape[0]):
                seen = table.trees[trees[number]].rows + table.trees[trees[number]].links
                walk = Walk(table, question, seen)
                if (<Walk>walk).begin(trees[number]):
                    self.walks.append(walk)
        else:
            self.walks.append(Walk(table, question, table.most))

    def __iter__(self):
        return self

    def __next__(self):
        cdef int64_t steps = self.steps
        cdef Walk walk
        cdef Answer answer
        while not self.limit_reached:
            if self.in_turn:
                if not self.walks:
                    break
                self.at %= len(self.walks)
            elif self.at > self.trees.shape[0]:
                break
            walk = self.walks[self.at if self.in_turn else 0]
            answer = walk.advance(&steps) if self.in_turn or self.at else NONE
            if answer == FOUND:
                self.at += self.in_turn
                rows = self.take(walk)
                if rows is not None:
                    self.tree = walk.tree
                    return rows
            elif answer == LIMIT:
                self.limit_reached = True
            elif self.in_turn:
                del self.walks[self.at]
            else:
                self.at += 1
                if self.at <= self.trees.shape[0]:
                    walk.begin(self.trees[self.at - 1])
        raise StopIteration

    cdef object take(self, Walk walk):
        """The rows of the latest candidate by unit; None if another tree has found it before."""
        cdef Py_ssize_t unit
        cdef bint shared = True
        cdef list rows = []
        for unit in range(walk.plan.unit_count):
            rows.append(walk.row[walk.chosen[unit]])
            shared = shared and self.table.rows[<Py_ssize_t>rows[unit]].shared
        found = tuple(rows)
        if shared:
            if found in self.seen:
                return None
            self.seen.add(found)
        return found
