"""Knapsack pricing in one or several resources: depth first over types, bounded by suffix tables of whole cells."""

cimport cython
from libc.stdlib cimport calloc, free, qsort, realloc
from libc.string cimport memcpy, memset

cdef enum:
    MOST_CELLS = 1 << 20       # of all tables together
    MOST_ONE_CELLS = 1 << 22   # of the one table of a single resource
    MOST_EXACT_CELLS = 1 << 24   # of the one table of a single resource, where it leaves nothing to search
    FINEST = 16384             # cells of a resource that is rounded
    MOST_TABLES = 5
    ROUNDS = 8                 # of improving the multipliers
    REPORTS = 3

cdef double MOST_SURROGATE = <double>(<int64_t>1 << 58)
cdef int64_t LARGEST_PRICE = <int64_t>1 << 40


cdef int by_efficiency(const void* left, const void* right) noexcept nogil:
    cdef const Candidate* a = <const Candidate*>left
    cdef const Candidate* b = <const Candidate*>right
    if (a.cuts > 0) != (b.cuts > 0):
        return -1 if a.cuts > 0 else 1
    if a.efficiency != b.efficiency:
        return -1 if a.efficiency > b.efficiency else 1
    return a.type - b.type


cdef inline int64_t cell_of_weight(const Grid* grid, int64_t weight) noexcept nogil:
    # Rounded down, never up: 1e-9 is far above the error of the product, far below a cell.
    cdef double cell
    if grid.per_unit == 1.0:
        return weight
    cell = <double>weight * grid.per_unit - 1e-9
    return <int64_t>cell if cell > 0 else 0


cdef inline int64_t cell_of_room(const Grid* grid, int64_t room) noexcept nogil:
    # With all the room that candidates could make on top, so never too small.
    cdef int64_t cell
    room += grid.made
    if grid.per_unit == 1.0:
        return room if room < grid.cells else grid.cells
    cell = <int64_t>(<double>room * grid.per_unit + 1e-9)
    return cell if cell < grid.cells else grid.cells


cdef void relax(
    const double* rest, double* row, int64_t weight, double price, Py_ssize_t cells,
) noexcept nogil:
    # row[c] = max(rest[c], rest[c - weight] + price); two arrays, so that it vectorises.
    cdef Py_ssize_t c
    cdef double with_it
    memcpy(row, rest, weight * sizeof(double))
    for c in range(weight, cells):
        with_it = rest[c - weight] + price
        row[c] = rest[c] if rest[c] > with_it else with_it


@cython.final
cdef class Pricer:
    """Prices patterns of one kind of bin.

    `Pricer(weights, limits, capacity, conflicts=None)`: weights int64 (types, resources), limits int64 (types,):
    copies a bin may hold, capacity int64 (resources,), all >= 0; conflicts uint64 (types, words): bit = type that may
    not share a bin. Not safe for two threads at once.
    """

    def __cinit__(
        self, const int64_t[:, ::1] weights, const int64_t[::1] limits, const int64_t[::1] capacity,
        const uint64_t[:, ::1] conflicts=None,
    ):
        cdef Py_ssize_t t, r, depth
        cdef int64_t room
        self.weights = self.limits = self.capacity = self.packed = self.left = self.taken = self.made = NULL
        self.fines = self.held = NULL
        self.cut_starts = self.cut_list = NULL
        self.conflicts = self.blocked = NULL
        self.shares = self.lambdas = self.cells = self.spare = NULL
        self.candidates = NULL
        self.stack = NULL
        self.grids = NULL
        self.types = weights.shape[0]
        self.resources = weights.shape[1]
        self.makers = self.count = self.depth_room = self.cell_room = self.spare_room = 0
        self.grid_count = 0
        self.cuts = 0
        if limits.shape[0] != self.types or capacity.shape[0] != self.resources or not self.resources:
            raise ValueError("pricing: arrays of different lengths")
        cdef Py_ssize_t size = max(self.types * self.resources, 1)
        self.weights = <int64_t*>calloc(size, sizeof(int64_t))
        self.packed = <int64_t*>calloc(size, sizeof(int64_t))
        self.limits = <int64_t*>calloc(self.types + 1, sizeof(int64_t))
        self.taken = <int64_t*>calloc(self.types + 1, sizeof(int64_t))
        self.capacity = <int64_t*>calloc(self.resources, sizeof(int64_t))
        self.left = <int64_t*>calloc(self.resources + 1, sizeof(int64_t))
        self.made = <int64_t*>calloc(self.resources, sizeof(int64_t))
        self.shares = <double*>calloc(size, sizeof(double))
        self.lambdas = <double*>calloc(self.resources, sizeof(double))
        self.cut_starts = <int32_t*>calloc(self.types + 1, sizeof(int32_t))
        self.candidates = <Candidate*>calloc(self.types + 1, sizeof(Candidate))
        self.grids = <Grid*>calloc(self.resources + 1, sizeof(Grid))
        if (self.weights == NULL or self.packed == NULL or self.limits == NULL or self.taken == NULL
                or self.capacity == NULL or self.left == NULL or self.made == NULL or self.shares == NULL
                or self.lambdas == NULL or self.cut_starts == NULL or self.candidates == NULL or self.grids == NULL):
            raise MemoryError("pricing")
        for r in range(self.resources):
            self.capacity[r] = capacity[r]
            self.lambdas[r] = 1.0 / self.resources
        depth = 0
        for t in range(self.types):
            self.limits[t] = limits[t]
            for r in range(self.resources):
                self.weights[t * self.resources + r] = weights[t, r]
                if weights[t, r] < 0:
                    self.made[r] -= weights[t, r] * limits[t]
        for t in range(self.types):
            for r in range(self.resources):
                room = capacity[r] + self.made[r]
                if weights[t, r] > room:
                    self.limits[t] = 0
                elif weights[t, r] > 0:
                    self.limits[t] = min(self.limits[t], room // weights[t, r])
                    self.shares[t * self.resources + r] = <double>weights[t, r] / <double>room
            depth += self.limits[t]
        self.depth_room = depth + 1
        self.stack = <int32_t*>calloc(self.depth_room, sizeof(int32_t))
        if self.stack == NULL:
            raise MemoryError("pricing")
        if conflicts is not None:
            self.words = conflicts.shape[1]
            self.conflicts = <uint64_t*>calloc(max(self.types * self.words, 1), sizeof(uint64_t))
            self.blocked = <uint64_t*>calloc((self.types + 1) * self.words, sizeof(uint64_t))
            if self.conflicts == NULL or self.blocked == NULL:
                raise MemoryError("pricing")
            if self.types:
                memcpy(self.conflicts, &conflicts[0, 0], self.types * self.words * sizeof(uint64_t))

    def __dealloc__(self):
        free(self.weights)
        free(self.packed)
        free(self.limits)
        free(self.taken)
        free(self.capacity)
        free(self.left)
        free(self.made)
        free(self.shares)
        free(self.lambdas)
        free(self.candidates)
        free(self.grids)
        free(self.stack)
        free(self.conflicts)
        free(self.blocked)
        free(self.cells)
        free(self.spare)
        free(self.fines)
        free(self.held)
        free(self.cut_starts)
        free(self.cut_list)

    def fine_pairs(self, const int32_t[::1] starts, const int32_t[::1] cuts, const int64_t[::1] fines):
        """From now on every second item of a cut costs its fine: starts int32 (types + 1,), cuts int32 (entries,):
        the cuts of a type; fines int64 (cuts,) in 0..2^40. A type is in a cut once at most."""
        cdef Py_ssize_t t, entries = cuts.shape[0]
        cdef int64_t* grown
        cdef int32_t* listed
        if starts.shape[0] != self.types + 1 or starts[0] != 0 or starts[self.types] != entries:
            raise ValueError("pricing: arrays of different lengths")
        for t in range(self.types):
            if starts[t] > starts[t + 1]:
                raise ValueError("pricing: cuts of a type that end before they start")
        for t in range(entries):
            if not 0 <= cuts[t] < fines.shape[0]:
                raise ValueError("pricing: a cut that is not there")
        for t in range(fines.shape[0]):
            if not 0 <= fines[t] <= LARGEST_PRICE:
                raise ValueError("pricing: a fine outside 0..2^40")
        self.cuts = 0
        grown = <int64_t*>realloc(self.fines, (fines.shape[0] + 1) * sizeof(int64_t))
        if grown == NULL:
            raise MemoryError("pricing")
        self.fines = grown
        grown = <int64_t*>realloc(self.held, (fines.shape[0] + 1) * sizeof(int64_t))
        if grown == NULL:
            raise MemoryError("pricing")
        self.held = grown
        listed = <int32_t*>realloc(self.cut_list, (entries + 1) * sizeof(int32_t))
        if listed == NULL:
            raise MemoryError("pricing")
        self.cut_list = listed
        for t in range(fines.shape[0]):
            self.fines[t] = fines[t]
        for t in range(entries):
            self.cut_list[t] = cuts[t]
        for t in range(self.types + 1):
            self.cut_starts[t] = starts[t]
        self.cuts = fines.shape[0]

    def solve(
        self, const int64_t[::1] prices, const int64_t[::1] limits, int64_t floor, int64_t steps,
        int64_t[:, ::1] found,
    ):
        """Search patterns worth more than `floor`; (patterns found, bound, steps taken).

        Every pattern of at most `limits` (types,) copies is worth at most `bound` >= floor; prices int64 (types,) in
        0..2^40. The last improvements are in the first rows of `found` (any, types), the best one last. Gives up
        after `steps` steps, then with a larger bound.
        """
        cdef int64_t[REPORTS] report
        cdef Py_ssize_t t
        if prices.shape[0] != self.types:
            raise ValueError("pricing: arrays of different lengths")
        self.refuse(limits, found)
        if self.types == 0:
            return 0, floor, 0
        for t in range(self.types):
            if not 0 <= prices[t] <= LARGEST_PRICE:
                raise ValueError("pricing: a price outside 0..2^40")
        with nogil:
            self.gather(&prices[0], &limits[0])
            self.make_tables()
            self.search(floor, steps, &found[0, 0], found.shape[0], report)
        return self.ordered(found, report[0]), report[1], report[2]

    def again(self, const int64_t[::1] limits, int64_t floor, int64_t steps, int64_t[:, ::1] found):
        """Search once more under the prices of the last `solve`, its tables kept; limits only ever fall. As `solve`."""
        cdef int64_t[REPORTS] report
        cdef Py_ssize_t j
        self.refuse(limits, found)
        if self.types == 0:
            return 0, floor, 0
        with nogil:
            for j in range(self.count):
                self.candidates[j].most = max(min(self.candidates[j].most, limits[self.candidates[j].type]), 0)
            self.search(floor, steps, &found[0, 0], found.shape[0], report)
        return self.ordered(found, report[0]), report[1], report[2]

    cdef int refuse(self, const int64_t[::1] limits, const int64_t[:, ::1] found) except -1:
        """ValueError for arrays that do not fit."""
        if limits.shape[0] != self.types:
            raise ValueError("pricing: arrays of different lengths")
        if not found.shape[0] or found.shape[1] != self.types:
            raise ValueError("pricing: no room for patterns")
        return 0

    cdef Py_ssize_t ordered(self, int64_t[:, ::1] found, int64_t improvements) except -1:
        """The best pattern last, where more were found than `found` has rows; how many it has."""
        cdef Py_ssize_t t, first, count = min(improvements, found.shape[0])
        if improvements > count:     # the ring has turned
            first = improvements % found.shape[0]
            rows = [bytes(memoryview(found[(first + t) % count])) for t in range(count)]
            for t in range(count):
                memcpy(&found[t, 0], <const char*>rows[t], self.types * sizeof(int64_t))
        return count

    cdef int gather(self, const int64_t* prices, const int64_t* limits) except -1 nogil:
        """The candidates under these prices, in the order of the search."""
        cdef Py_ssize_t t, r, j
        cdef int64_t most, multiplier
        cdef Candidate* candidate
        self.count = self.makers = 0
        for t in range(self.types):
            most = self.limits[t] if self.limits[t] < limits[t] else limits[t]
            if most > 0 and (prices[t] > 0 or self.makes_room(t)):
                candidate = self.candidates + self.count
                candidate.type = <int32_t>t
                candidate.price = prices[t]
                candidate.most = most
                candidate.surrogate = 0
                candidate.cuts = 0
                self.count += 1
                self.makers += self.makes_room(t)
        self.fit_multipliers()
        for j in range(self.count):
            t = self.candidates[j].type
            memcpy(self.packed + j * self.resources, self.weights + t * self.resources,
                   self.resources * sizeof(int64_t))
        self.left[0] = 0
        for r in range(self.resources):
            multiplier = 0
            if self.capacity[r] > 0:
                multiplier = <int64_t>(
                    self.lambdas[r] * MOST_SURROGATE / 2 / <double>(self.capacity[r] + self.made[r]))
            self.left[0] += multiplier * (self.capacity[r] + self.made[r])
            self.left[r + 1] = self.capacity[r]
            for j in range(self.count):
                if self.packed[j * self.resources + r] > 0:
                    self.candidates[j].surrogate += multiplier * self.packed[j * self.resources + r]
        return 0

    cdef bint makes_room(self, Py_ssize_t type) noexcept nogil:
        cdef Py_ssize_t r
        for r in range(self.resources):
            if self.weights[type * self.resources + r] < 0:
                return True
        return False

    cdef double fit_multipliers(self) noexcept nogil:
        """Multipliers with a small fractional bound, by multiplicative steps; sorts the candidates by them."""
        cdef Py_ssize_t j, r, t, turn
        cdef double size, total, value, copies, step, best = -1
        cdef int rounds = 1 if self.resources == 1 else ROUNDS
        cdef double[64] used
        cdef double[64] kept
        cdef Py_ssize_t resources = self.resources if self.resources < 64 else 64
        for r in range(resources):
            kept[r] = self.lambdas[r]
        for turn in range(rounds + 1):
            if turn == rounds:     # the last turn only sorts by the best ones
                for r in range(resources):
                    self.lambdas[r] = kept[r]
            for j in range(self.count):
                t = self.candidates[j].type
                size = 0
                for r in range(self.resources):
                    size += self.lambdas[r] * self.shares[t * self.resources + r]
                self.candidates[j].efficiency = <double>self.candidates[j].price / (size + 1e-12)
                if turn == rounds or rounds == 1:
                    # what is fined comes early: once no fine can come any more the tables tell the truth
                    self.candidates[j].cuts = self.cut_starts[t + 1] - self.cut_starts[t]
                if self.makes_room(t):     # first, so that whatever fits later fits then
                    self.candidates[j].efficiency = 1e300
                    self.candidates[j].cuts = 0x7fffffff
            qsort(self.candidates, self.count, sizeof(Candidate), by_efficiency)
            if turn == rounds or rounds == 1:
                break
            memset(used, 0, sizeof(used))
            total = value = 0
            for j in range(self.count):
                t = self.candidates[j].type
                size = <double>self.candidates[j].price / self.candidates[j].efficiency + 1e-12
                copies = <double>self.candidates[j].most
                if total + copies * size > 1:
                    copies = (1 - total) / size
                total += copies * size
                value += copies * <double>self.candidates[j].price
                for r in range(resources):
                    used[r] += copies * self.shares[t * self.resources + r]
                if total >= 1:
                    break
            if best < 0 or value < best:
                best = value
                for r in range(resources):
                    kept[r] = self.lambdas[r]
            step = 1.0 / (1 + turn)
            total = 0
            for r in range(resources):
                size = step * (used[r] - 1)
                self.lambdas[r] = (self.lambdas[r] + 1e-4) * (1 + size if size > -0.5 else 0.5)
                total += self.lambdas[r]
            for r in range(self.resources):
                self.lambdas[r] = self.lambdas[r] / total if r < resources else 0
        return best

    cdef int make_tables(self) except -1 nogil:
        """Choose which resources get a table and how fine, then fill them."""
        cdef Py_ssize_t r, k, room, needed = 0, widest = 0
        cdef int tables = 1 if self.resources == 1 else <int>min(self.resources + 1, MOST_TABLES)
        cdef int64_t cells, finest
        cdef double* grown
        cdef Grid* grid
        self.grid_count = 0
        for k in range(tables):
            grid = self.grids + k
            if self.resources == 1:
                r = 0
            elif k == 0:
                r = -1
            else:
                r = self.next_resource(k)
            grid.resource = <int32_t>r
            grid.capacity = self.left[r + 1] + (self.made[r] if r >= 0 else 0)
            grid.made = self.made[r] if r >= 0 else 0
            finest = (MOST_ONE_CELLS if self.resources == 1 else MOST_CELLS) // tables // (self.count + 1)
            if self.resources == 1 and (grid.capacity + 1) * (self.count + 1) <= MOST_EXACT_CELLS:
                finest = grid.capacity
            elif finest > FINEST:
                finest = FINEST
            elif finest < 64:
                finest = 64
            cells = grid.capacity if grid.capacity <= finest else finest
            grid.cells = <int32_t>cells
            grid.per_unit = 1.0 if cells == grid.capacity else <double>cells / <double>grid.capacity
            needed += (self.count + 1) * (cells + 1)
            self.grid_count += 1
        for k in range(self.grid_count):
            widest = max(widest, self.grids[k].cells + 1)
        if widest > self.spare_room:
            grown = <double*>realloc(self.spare, widest * sizeof(double))
            if grown == NULL:
                with gil:
                    raise MemoryError("pricing")
            self.spare = grown
            self.spare_room = widest
        if needed > self.cell_room:
            room = needed + needed // 8
            grown = <double*>realloc(self.cells, room * sizeof(double))
            if grown == NULL:
                with gil:
                    raise MemoryError("pricing")
            self.cells = grown
            self.cell_room = room
        needed = 0
        for k in range(self.grid_count):
            self.grids[k].table = self.cells + needed
            needed += (self.count + 1) * (self.grids[k].cells + 1)
            self.fill_table(self.grids + k)
        return 0

    cdef Py_ssize_t next_resource(self, Py_ssize_t rank) noexcept nogil:
        """The resource with the rank-th largest multiplier, from 1; the lower number first."""
        cdef Py_ssize_t r, other, before
        for r in range(self.resources):
            before = 1
            for other in range(self.resources):
                if self.lambdas[other] > self.lambdas[r] or (other < r and self.lambdas[other] == self.lambdas[r]):
                    before += 1
            if before == rank:
                return r
        return 0

    cdef void fill_table(self, Grid* grid) noexcept nogil:
        cdef Py_ssize_t j, c, cells = grid.cells + 1
        cdef int64_t weight, left, copies
        cdef double price, gain
        cdef double* row
        cdef double* rest
        memset(grid.table + self.count * cells, 0, cells * sizeof(double))
        for j in range(self.count - 1, -1, -1):
            row = grid.table + j * cells
            rest = row + cells
            if grid.resource < 0:
                weight = self.candidates[j].surrogate
            else:
                weight = max(self.packed[j * self.resources + grid.resource], 0)
            weight = cell_of_weight(grid, weight)
            price = <double>self.candidates[j].price
            left = self.candidates[j].most
            if weight == 0:
                gain = price * <double>left
                for c in range(cells):
                    row[c] = rest[c] + gain
                continue
            if left > grid.cells // weight:
                left = grid.cells // weight
            if left == 0:
                memcpy(row, rest, cells * sizeof(double))
                continue
            relax(rest, row, weight, price, cells)
            left -= 1
            copies = 1
            while left > 0:       # 1, 2, 4 ... and the rest: every number of copies is a sum of these
                copies = min(copies * 2, left)
                memcpy(self.spare, row, cells * sizeof(double))
                relax(self.spare, row, weight * copies if weight * copies < cells else cells, price * <double>copies,
                      cells)
                left -= copies

    cdef inline double bound(self, Py_ssize_t j) noexcept nogil:
        """The largest value that candidates j.. could add to what is left."""
        cdef Grid* grid = self.grids
        cdef double value, least = grid.table[j * (grid.cells + 1) + cell_of_room(grid, self.left[grid.resource + 1])]
        cdef int k
        for k in range(1, self.grid_count):
            grid = self.grids + k
            value = grid.table[j * (grid.cells + 1) + cell_of_room(grid, self.left[grid.resource + 1])]
            if value < least:
                least = value
        return least

    cdef inline bint fits(self, Py_ssize_t j, Py_ssize_t level) noexcept nogil:
        cdef const int64_t* weight = self.packed + j * self.resources
        cdef Py_ssize_t r
        cdef int32_t type
        if j < self.makers:        # others that make room may still come
            for r in range(self.resources):
                if weight[r] > self.left[r + 1] + self.made[r]:
                    return False
        else:
            for r in range(self.resources):
                if weight[r] > self.left[r + 1]:
                    return False
        if self.taken[j] >= self.candidates[j].most:
            return False
        if self.conflicts != NULL:
            type = self.candidates[j].type
            if self.blocked[level * self.words + type // 64] >> (type % 64) & 1:
                return False
        return True

    cdef inline bint within(self) noexcept nogil:
        """Whether the bin holds no more than it can; only what makes room can leave it overfull meanwhile."""
        cdef Py_ssize_t r
        for r in range(self.resources):
            if self.left[r + 1] < 0:
                return False
        return True

    cdef inline int64_t move(self, Py_ssize_t j, int64_t sign) noexcept nogil:
        """Put a candidate in, or take it out; what the bin is worth more then."""
        cdef const int64_t* weight = self.packed + j * self.resources
        cdef int64_t gain = self.candidates[j].price
        cdef Py_ssize_t r
        cdef int32_t entry, cut
        cdef int32_t type = self.candidates[j].type
        self.left[0] -= sign * self.candidates[j].surrogate
        for r in range(self.resources):
            self.left[r + 1] -= sign * weight[r]
        self.taken[j] += sign
        for entry in range(self.cut_starts[type], self.cut_starts[type + 1]):
            cut = self.cut_list[entry]
            if sign > 0:
                gain -= self.fines[cut] if self.held[cut] & 1 else 0
                self.held[cut] += 1
            else:
                self.held[cut] -= 1
                gain -= self.fines[cut] if self.held[cut] & 1 else 0
        return sign * gain

    cdef int64_t search(
        self, int64_t floor, int64_t steps, int64_t* found, Py_ssize_t most, int64_t* report,
    ) except -1 nogil:
        """Depth first; report = patterns found, bound, steps."""
        cdef Py_ssize_t j = 0, k, word, depth = 0, level = 0
        cdef int64_t value = 0, best = floor, done = 0, count = 0
        cdef double upper
        cdef bint grew = False
        cdef int64_t* pattern
        memset(self.taken, 0, self.count * sizeof(int64_t))
        if self.cuts:
            memset(self.held, 0, self.cuts * sizeof(int64_t))
        if self.conflicts != NULL:
            memset(self.blocked, 0, self.words * sizeof(uint64_t))
        while True:
            while j < self.count:
                if not self.fits(j, level):
                    j += 1
                    continue
                if <double>value + self.bound(j) <= <double>best:
                    break
                done += 1
                if done > steps:
                    break
                if self.taken[j] == 0 and self.conflicts != NULL:
                    for word in range(self.words):
                        self.blocked[(level + 1) * self.words + word] = (
                            self.blocked[level * self.words + word]
                            | self.conflicts[self.candidates[j].type * self.words + word])
                    level += 1
                value += self.move(j, 1)
                self.stack[depth] = <int32_t>j
                depth += 1
                grew = True
            # with makers a content may be whole although what was put on top of it was not, with fines worth more
            if (grew or self.makers or self.cuts) and value > best and self.within():
                pattern = found + (count % most) * self.types
                memset(pattern, 0, self.types * sizeof(int64_t))
                for k in range(depth):
                    pattern[self.candidates[self.stack[k]].type] += 1
                count += 1
                best = value
            grew = False
            if done > steps:
                break
            if depth == 0:
                break
            depth -= 1
            j = self.stack[depth]
            value += self.move(j, -1)
            if self.taken[j] == 0 and self.conflicts != NULL:
                level -= 1
            j += 1
        upper = <double>best
        if done > steps:       # what was left open, from the innermost level outwards
            while True:
                if j < self.count and <double>value + self.bound(j) > upper:
                    upper = <double>value + self.bound(j)
                if depth == 0:
                    break
                depth -= 1
                j = self.stack[depth]
                value += self.move(j, -1)
                j += 1
        report[0] = count
        report[1] = <int64_t>upper
        report[2] = done
        return 0
