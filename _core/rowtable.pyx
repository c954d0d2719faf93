"""Rows in trees with stocks, labels, memberships and links, as one compact table. Knows nothing of requests."""

cimport cython
from libc.stdlib cimport calloc, free

cdef int64_t LARGEST = (<int64_t>1) << 61


@cython.final
cdef class RowTable:
    """A table of rows in preorder.

    rows: (parent, labels, members, stocks) of each row, parent a row number or -1 for a root, labels and members
    frozensets of str, stocks (resource, capacity, used, smallest, largest, step), at most one per resource.
    links: for each tree, in the order of their roots, the rows of other trees that it sees too.
    Raises ValueError for rows out of order, for numbers that do not exist and for amounts outside their bounds.
    """

    def __cinit__(self, rows, links):
        cdef Py_ssize_t number, tree = -1, at = 0, total = 0
        cdef int32_t parent, row
        self.labels, self.members = Clauses(), Clauses()
        self.count = len(rows)
        self.tree_count = sum(1 for parent, _, _, _ in rows if parent < 0)
        self.stock_count = sum(len(stocks) for _, _, _, stocks in rows)
        if len(links) != self.tree_count:
            raise ValueError(f"RowTable: links of {len(links)} trees, and {self.tree_count} roots")
        total = sum(len(seen) for seen in links)
        self.rows = <Row*>calloc(max(self.count, 1), sizeof(Row))
        self.stocks = <Stock*>calloc(max(self.stock_count, 1), sizeof(Stock))
        self.trees = <Tree*>calloc(max(self.tree_count, 1), sizeof(Tree))
        self.links = <int32_t*>calloc(max(total, 1), sizeof(int32_t))
        if self.rows == NULL or self.stocks == NULL or self.trees == NULL or self.links == NULL:
            raise MemoryError("rows in trees")
        cdef list path = []
        for number in range(self.count):
            parent, labels, members, stocks = rows[number]
            while path and path[len(path) - 1] != parent:
                self.rows[<Py_ssize_t>path.pop()].leave = <int32_t>number
            if parent >= 0 and not path:
                raise ValueError(f"RowTable: row {number} does not follow its parent {parent} in preorder")
            path.append(number)
            if parent < 0:
                tree += 1
                self.trees[tree].first = <int32_t>number
            self.trees[tree].rows += 1
            self.rows[number].tree = <int32_t>tree
            self.rows[number].labels = self.labels.set_number(labels)
            self.rows[number].members = self.members.set_number(members)
            self.rows[number].stock = <int32_t>at
            self.rows[number].stocks = len(stocks)
            for resource, capacity, used, smallest, largest, step in stocks:
                if step < 1 or not -LARGEST <= capacity <= LARGEST or not 0 <= used <= LARGEST:
                    raise ValueError(f"RowTable: row {number}: capacity {capacity}, used {used}, step {step}")
                self.stocks[at] = Stock(capacity, used, smallest, largest, step, resource)
                at += 1
        for last in path:
            self.rows[<Py_ssize_t>last].leave = <int32_t>self.count
        at = 0
        for tree in range(self.tree_count):
            self.trees[tree].link = <int32_t>at
            for row in sorted(links[tree]):
                if not 0 <= row < self.count or self.rows[row].tree == tree:
                    raise ValueError(f"RowTable: tree {tree} cannot be linked to row {row}")
                self.rows[row].shared = 1
                self.links[at] = row
                at += 1
            self.trees[tree].links = <int32_t>(at - self.trees[tree].link)
            self.most = max(self.most, self.trees[tree].rows + self.trees[tree].links)
        self.number_shapes(rows)

    cdef int number_shapes(self, rows) except -1:
        """Tell trees apart by all that never changes."""
        cdef Py_ssize_t tree, number
        cdef Row* row
        cdef bint linked
        cdef dict shapes = {}
        for tree in range(self.tree_count):
            shape = []
            linked = self.trees[tree].links > 0
            for number in range(self.trees[tree].first, self.trees[tree].first + self.trees[tree].rows):
                row = self.rows + number
                stocks = [(one, size, low, high, step) for one, size, _, low, high, step in rows[number][3]]
                shape.append((row.leave - self.trees[tree].first, row.labels, row.members, tuple(stocks)))
                linked |= row.shared
            self.trees[tree].shape = -1 if linked else shapes.setdefault(tuple(shape), len(shapes))
        self.shape_count = len(shapes)
        return 0

    def __dealloc__(self):
        free(self.rows)
        free(self.stocks)
        free(self.trees)
        free(self.links)

    cdef Stock* stock_of(self, int32_t row, int32_t resource) noexcept nogil:
        """The stock of a resource on a row, NULL if it has none."""
        cdef int32_t at
        for at in range(self.rows[row].stock, self.rows[row].stock + self.rows[row].stocks):
            if self.stocks[at].resource == resource:
                return self.stocks + at
        return NULL

    def set_used(self, int32_t row, int32_t resource, int64_t amount):
        """What is in use of a stock from now on. Raises KeyError if the row has no such stock, ValueError for an
        amount outside 0..2**61.
        """
        cdef Stock* stock = NULL
        if not 0 <= amount <= LARGEST:
            raise ValueError(f"row {row}: {amount} in use")
        if 0 <= row < self.count:
            stock = self.stock_of(row, resource)
        if stock == NULL:
            raise KeyError(f"row {row} has no resource {resource}")
        stock.used = amount

    def trees_that_meet(self, int32_t filter):
        """Numbers of the trees whose root meets a filter of `labels`, as int32 in bytes."""
        cdef Py_ssize_t tree, count = 0
        if not 0 <= filter < len(self.labels.filters):
            raise ValueError(f"trees_that_meet: no filter {filter}")
        cdef bytearray found = bytearray(self.tree_count * sizeof(int32_t))
        cdef int32_t* numbers = <int32_t*><char*>found
        for tree in range(self.tree_count):
            if self.labels.accepts(filter, self.rows[self.trees[tree].first].labels):
                numbers[count] = <int32_t>tree
                count += 1
        del found[count * sizeof(int32_t):]
        return bytes(found)

    def tree_of(self, Py_ssize_t row):
        """Number of the tree that a row is in."""
        if not 0 <= row < self.count:
            raise IndexError(f"no row {row}")
        return self.rows[row].tree
