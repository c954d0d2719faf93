"""Which rows of a host serve the groups of a request: the first assignment, none, or "limit reached".

Units that need rows of their own, or that ask for the same, are matched; the others are searched depth first, with a
bound. Changes nothing: what is chosen becomes claims in `row_claims`.
"""

cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from binwright._core.groups cimport FREE, UNIT_WORDS, Ask, Group, Unit
from binwright._core.matching cimport match_all, prefer

cdef inline bint has(const uint64_t* words, int32_t bit) noexcept nogil:
    return words[bit >> 6] >> (bit & 63) & 1


@cython.final
cdef class Search(HostRows):
    """Searches over one forest. Holds scratch memory only."""

    def __cinit__(self, Forest forest, Fleet fleet):
        memset(&self.graph, 0, sizeof(Bipartite))
        memset(&self.rest, 0, sizeof(Bipartite))
        self.make_room()

    def __dealloc__(self):
        free(self.graph.can)
        free(self.graph.room)
        free(self.graph.open)
        free(self.rest.can)
        free(self.rest.room)
        free(self.rest.open)

    cdef int make_room(self) except -1:
        """Scratch for as many rows as any host sees; called before a batch."""
        cdef Py_ssize_t rows = self.forest.most, words
        if rows <= self.graph_room:
            return 0
        rows = max(16, 2 * rows)
        words = (rows + 63) // 64
        free(self.graph.can)
        free(self.graph.room)
        free(self.graph.open)
        free(self.rest.can)
        free(self.rest.room)
        free(self.rest.open)
        self.graph_room = 0
        # of each graph: room, load and match in one block, open and seen in another
        self.graph.can = <uint64_t*>malloc(MAX_UNITS * words * sizeof(uint64_t))
        self.graph.room = <int32_t*>malloc((2 * rows + MAX_UNITS) * sizeof(int32_t))
        self.graph.open = <uint64_t*>malloc(2 * words * sizeof(uint64_t))
        self.rest.can = <uint64_t*>malloc(MAX_UNITS * words * sizeof(uint64_t))
        self.rest.room = <int32_t*>malloc((2 * rows + MAX_UNITS) * sizeof(int32_t))
        self.rest.open = <uint64_t*>malloc(2 * words * sizeof(uint64_t))
        if (
            self.graph.can == NULL or self.graph.room == NULL or self.graph.open == NULL
            or self.rest.can == NULL or self.rest.room == NULL or self.rest.open == NULL
        ):
            raise MemoryError("group search")
        self.make_rows(rows)
        lay_out(&self.graph, rows, words)
        lay_out(&self.rest, rows, words)
        self.graph_room = rows
        return 0

    # ---- one question --------------------------------------------------------------------------------------

    cdef Answer solve(
        self, const Plan* plan, const int64_t* reserved, Py_ssize_t host, bint first, bint empty
    ) noexcept nogil:
        """Is there an assignment on this host? With `first`, `chosen` becomes the first one.

        empty: as if nothing were used. reserved: (resources,), taken of the host's columns beside the groups.
        """
        cdef int32_t unit, part
        cdef bint alone
        cdef Answer answer
        self.steps = plan.steps
        if not self.ask(plan, reserved, host, empty):
            return NONE
        if plan.greedy:
            self.count = plan.unit_count
            for unit in range(plan.unit_count):
                self.members[unit] = unit
            return self.descend(0)
        self.split()
        for part in range(plan.unit_count):
            if self.part[part] != part:
                continue
            self.count = 0
            for unit in range(part, plan.unit_count):
                if self.part[unit] == part:
                    self.members[self.count] = unit
                    self.count += 1
            alone = self.exclusive()
            if alone or self.interchangeable():
                answer = self.matched(alone, first)
            else:
                answer = self.descend(0)
            if answer != FOUND:
                return answer
        return FOUND

    # ---- parts ---------------------------------------------------------------------------------------------

    cdef void split(self) noexcept nogil:
        """Part of each unit: number of the first unit of its part."""
        cdef int32_t unit, other, joined, kept, i
        for unit in range(self.plan.unit_count):
            self.part[unit] = unit
            for other in range(unit):
                joined, kept = self.part[other], self.part[unit]
                if joined == kept or not self.related(unit, other):
                    continue
                if joined < kept:
                    joined, kept = kept, joined
                for i in range(unit + 1):
                    if self.part[i] == joined:
                        self.part[i] = kept

    cdef bint related(self, int32_t unit, int32_t other) noexcept nogil:
        """Do two units have a row, or a rule about several rows, in common?"""
        cdef const uint64_t* together
        cdef int32_t word, group = self.plan.units[unit].group
        for word in range(self.words):
            if self.can[unit * self.words + word] & self.can[other * self.words + word]:
                return True
        if group == self.plan.units[other].group and self.forest.clauses.wanted[self.plan.groups[group].labels]:
            return True
        if self.plan.gathered and self.plan.groups[group].wish >= 0:
            if self.plan.groups[self.plan.units[other].group].wish >= 0:
                return True
        for word in range(self.plan.subtree_count):
            together = self.plan.subtrees + word * UNIT_WORDS
            if has(together, unit) and has(together, other):
                return True
        return False

    cdef bint bound(self, int32_t unit) noexcept nogil:
        """Does a rule about several rows bind this unit?"""
        cdef const Group* group = self.plan.groups + self.plan.units[unit].group
        cdef int32_t i
        if not group.one_row and self.forest.clauses.wanted[group.labels]:
            return True
        if self.plan.gathered and group.wish >= 0:
            return True
        for i in range(self.plan.subtree_count):
            if has(self.plan.subtrees + i * UNIT_WORDS, unit):
                return True
        return False

    cdef bint exclusive(self) noexcept nogil:
        """Does every unit of the part need a row of its own, and no more?"""
        cdef const Group* group
        cdef int32_t i
        for i in range(self.count):
            group = self.plan.groups + self.plan.units[self.members[i]].group
            if self.count > 1 and not group.whole and not (group.isolated and group.one_row):
                return False
            if self.bound(self.members[i]):
                return False
        return True

    cdef bint interchangeable(self) noexcept nogil:
        """Does every unit of the part ask for the same, so that a row is a number of units?"""
        cdef const Unit* unit = self.plan.units + self.members[0]
        cdef const Unit* other
        cdef const Group* group
        cdef int32_t i, a
        for i in range(self.count):
            other = self.plan.units + self.members[i]
            group = self.plan.groups + other.group
            if group.whole or group.isolated or group.wish >= 0 or other.asks != unit.asks:
                return False
            if self.bound(self.members[i]):
                return False
            for a in range(unit.asks):
                if (
                    self.plan.asks[unit.ask + a].resource != self.plan.asks[other.ask + a].resource
                    or self.plan.asks[unit.ask + a].amount != self.plan.asks[other.ask + a].amount
                    or self.plan.asks[unit.ask + a].check != FREE or self.plan.asks[other.ask + a].check != FREE
                ):
                    return False
        return True

    # ---- matching ------------------------------------------------------------------------------------------

    cdef Answer matched(self, bint alone, bint first) noexcept nogil:
        """The part by matching; `alone`: a row serves one unit, else as many as it holds of the first unit's asks."""
        cdef Bipartite* graph = &self.graph
        cdef int32_t i, k, length, index, unit
        graph.units, graph.rows, graph.words = self.count, self.rows, self.words
        for index in range(self.rows):
            graph.room[index] = 1 if alone else self.capacity_for(self.members[0], index)
        for i in range(self.count):
            memcpy(
                graph.can + i * self.words, self.can + self.members[i] * self.words, self.words * sizeof(uint64_t)
            )
        if not match_all(graph):
            return NONE
        for i in range(self.count):
            unit = self.members[i]
            if first:
                length = self.sort(unit, self.order)
                for k in range(length):
                    if prefer(graph, i, self.order[k]):
                        break
            self.chosen[unit] = graph.match[i]
        return FOUND

    cdef int32_t capacity_for(self, int32_t unit, int32_t index) noexcept nogil:
        """How many units with the asks of `unit` a row holds; 0 if it does not have what they ask for."""
        cdef const Ask* ask = self.plan.asks + self.plan.units[unit].ask
        cdef int64_t most = MAX_UNITS, unused, largest
        cdef int32_t i
        for i in range(self.plan.units[unit].asks):
            if not self.left(index, ask[i].resource, &unused, &largest):
                return 0
            most = min(most, max(min(unused, largest), 0) // ask[i].amount)
        return <int32_t>most

    # ---- search --------------------------------------------------------------------------------------------

    cdef Answer descend(self, int32_t depth) noexcept nogil:
        """Rows for the members of the part from `depth` on, the first that work."""
        cdef int32_t unit, length, k
        cdef int32_t* order = self.order + depth * self.rows
        cdef Answer answer
        if depth == self.count:
            return FOUND
        unit = self.members[depth]
        length = self.sort(unit, order)
        for k in range(length):
            if self.steps <= 0:
                return LIMIT
            self.steps -= 1
            if not self.allowed(unit, order[k]):
                continue
            self.chosen[unit] = order[k]
            if self.plan.greedy:
                return self.descend(depth + 1)
            if self.rest_possible(depth + 1):
                answer = self.descend(depth + 1)
                if answer != NONE:
                    return answer
            self.chosen[unit] = -1
        return NONE

    cdef bint allowed(self, int32_t unit, int32_t index) noexcept nogil:
        """May a unit have this row, which suits it, beside the units that have theirs?"""
        cdef const Unit* mine = self.plan.units + unit
        cdef const Group* group = self.plan.groups + mine.group
        cdef const Group* other
        cdef const Ask* ask
        cdef int64_t unused, largest, sum
        cdef int32_t u, i
        cdef bint shared = False, held
        for u in range(self.plan.unit_count):
            if self.chosen[u] == index and u != unit:
                shared = True
                other = self.plan.groups + self.plan.units[u].group
                if group.whole or other.whole or group.isolated and other.isolated and group != other:
                    return False
        if shared:
            for i in range(mine.asks):
                ask = self.plan.asks + mine.ask + i
                if ask.check != FREE:
                    continue
                self.left(index, ask.resource, &unused, &largest)
                sum = self.given(index, ask.resource) + ask.amount
                if sum > unused or sum > largest:
                    return False
        self.chosen[unit] = index
        held = self.rules_hold(unit)
        self.chosen[unit] = -1
        return held

    cdef bint rules_hold(self, int32_t unit) noexcept nogil:
        """Can the rules about several rows that bind this unit still be kept?"""
        cdef const Group* group = self.plan.groups + self.plan.units[unit].group
        cdef int32_t i
        if not group.one_row and self.forest.clauses.wanted[group.labels]:
            if not self.union_possible(self.plan.units[unit].group):
                return False
        if self.plan.gathered and group.wish >= 0 and not self.gathering_possible():
            return False
        for i in range(self.plan.subtree_count):
            if has(self.plan.subtrees + i * UNIT_WORDS, unit):
                if not self.subtree_possible(self.plan.subtrees + i * UNIT_WORDS):
                    return False
        return True

    cdef bint subtree_possible(self, const uint64_t* units) noexcept nogil:
        """Is, or can, one of the rows of these units be above all of them?"""
        cdef int32_t unit, other, index
        cdef bint above
        for unit in range(self.plan.unit_count):
            if not has(units, unit):
                continue
            for index in range(self.rows):
                if self.chosen[unit] >= 0 and self.chosen[unit] != index:
                    continue
                if not has(self.can + unit * self.words, index):
                    continue
                above = True
                for other in range(self.plan.unit_count):
                    if has(units, other) and self.chosen[other] >= 0:
                        if not self.forest.above(self.row[index], self.row[self.chosen[other]]):
                            above = False
                            break
                if above:
                    return True
        return False

    cdef bint union_possible(self, int32_t group) noexcept nogil:
        """Do the rows of a group's units together meet its clauses, or can they?"""
        cdef int32_t filter = self.plan.groups[group].labels, unit, index, row
        cdef uint64_t met = 0
        for unit in range(self.plan.unit_count):
            if self.plan.units[unit].group != group:
                continue
            for index in range(self.rows):
                if self.chosen[unit] >= 0 and self.chosen[unit] != index:
                    continue
                if has(self.can + unit * self.words, index):
                    row = self.row[index]
                    met |= self.forest.clauses.met(
                        filter, self.forest.roots[~row].labels if row < 0 else self.forest.rows[row].labels
                    )
        return met == self.forest.clauses.wanted[filter]

    cdef bint gathering_possible(self) noexcept nogil:
        """Do the chosen cells together meet what cells of the host meet, or can they?"""
        cdef int32_t unit, index, row
        cdef uint64_t there = 0, met = 0
        for index in range(self.own):
            row = self.row[index]
            if row >= 0 and self.forest.rows[row].cell >= 0:
                there |= self.forest.clauses.met(self.plan.gathered, self.forest.rows[row].labels)
        for unit in range(self.plan.unit_count):
            if self.plan.groups[self.plan.units[unit].group].wish < 0:
                continue
            for index in range(self.rows):
                if self.chosen[unit] >= 0 and self.chosen[unit] != index:
                    continue
                if has(self.can + unit * self.words, index):
                    met |= self.forest.clauses.met(self.plan.gathered, self.forest.rows[self.row[index]].labels)
        return there & ~met == 0

    cdef bint rest_possible(self, int32_t depth) noexcept nogil:
        """Can the units from `depth` on that need a row of their own still be matched? Necessary, not sufficient."""
        cdef Bipartite* graph = &self.rest
        cdef const Group* group
        cdef int32_t i, unit, index
        graph.units, graph.rows, graph.words = 0, self.rows, self.words
        for index in range(self.rows):
            graph.room[index] = 1
        for i in range(depth, self.count):
            unit = self.members[i]
            group = self.plan.groups + self.plan.units[unit].group
            if not group.whole and not (group.isolated and group.one_row):
                continue
            memset(graph.can + graph.units * self.words, 0, self.words * sizeof(uint64_t))
            for index in range(self.rows):
                if has(self.can + unit * self.words, index):
                    self.steps -= 1
                    if self.allowed(unit, index):
                        graph.can[graph.units * self.words + (index >> 6)] |= <uint64_t>1 << (index & 63)
            graph.units += 1
        return graph.units == 0 or match_all(graph)

cdef void lay_out(Bipartite* graph, Py_ssize_t rows, Py_ssize_t words) noexcept:
    """Point a graph's arrays into its blocks."""
    graph.load = graph.room + rows
    graph.match = graph.room + 2 * rows
    graph.seen = graph.open + words
