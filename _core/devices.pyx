"""Rows below hosts: their stocks, labels and links, and the claims of items on them; every change is noted."""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int16_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memset

from binwright._core.journal cimport high_half, low_half, pack
from binwright._core.numa cimport Cell, PageSize

cdef enum Kind:
    ROW_ADDED      # what = row
    ROW_REMOVED    # what = row, old = row before it in its host's chain, -1 = none
    CAPACITY       # what = stock, old = capacity before
    USED           # what = stock, old = used before
    LABELS         # what = row or ~slot, old = labels << 32 | members before
    LINKED         # what = row, old = 1 if the cell was a spare one
    UNLINKED       # what = row
    CLAIMED        # what = item, old = 1 if the cell was a spare one
    GIVEN_BACK     # + claim kind << 4 | group << 7; what = item << 32 | where, old = amount

MOST_GROUPS = GROUP_LIMIT


cdef void* enlarged(void* memory, Py_ssize_t size) except NULL nogil:
    cdef void* grown = realloc(memory, max(size, 1))
    if grown == NULL:
        with gil:
            raise MemoryError("row forest")
    return grown


@cython.final
cdef class Forest(Idea):
    """The rows of one fleet. Single writer, like the fleet."""

    def __cinit__(self, Journal journal, Fleet fleet):
        self.rows = NULL
        self.stocks = NULL
        self.roots = NULL
        self.links = NULL
        self.claims = NULL
        self.held = NULL
        self.journal = journal
        self.fleet = fleet
        self.clauses = Clauses()
        self.cells = Cells()
        self.resources = []
        self.count = self.row_room = self.stock_count = self.stock_room = self.stride = self.item_room = 0
        self.link_count = self.link_room = self.claim_count = self.claim_room = 0
        self.spare_link = self.spare_claim = -1
        self.most = 1
        self.lengthen(fleet.stride)
        journal.register(self)

    def __dealloc__(self):
        free(self.rows)
        free(self.stocks)
        free(self.roots)
        free(self.links)
        free(self.claims)
        free(self.held)

    cdef int lengthen(self, Py_ssize_t stride) except -1:
        if stride > self.stride:
            if self.roots != NULL:
                self.plant(self.stride, stride)
            self.stride = stride
        return 0

    cdef int need_roots(self) except -1:
        """Roots for the hosts that there are; a fleet in which nothing is below a host, or asked there, has none."""
        return self.plant(0, self.stride) if self.roots == NULL else 0

    cdef int plant(self, Py_ssize_t first, Py_ssize_t stride) except -1:
        cdef Py_ssize_t host
        self.roots = <Root*>enlarged(self.roots, stride * sizeof(Root))
        memset(self.roots + first, 0, (stride - first) * sizeof(Root))
        for host in range(first, stride):
            self.roots[host].first = self.roots[host].last = self.roots[host].link = -1
        return 0

    # ---- definitions and rows ------------------------------------------------------------------------------

    def resource(self, str name):
        """Number of a resource that only rows have, made if it is new."""
        if name not in self.resources:
            self.resources.append(name)
        return self.fleet.resources + self.resources.index(name)

    def add_row(self, int32_t host, int32_t parent, int32_t labels, int32_t members, list stocks, tuple cell):
        """A new row below `parent` or directly below `host`; host -1 = a pool. Returns its number.

        stocks: (resource, capacity, used, smallest, largest, step) each; cell: what `Cells.add` takes after the row,
        or None; checked by the caller.
        """
        cdef int32_t number = <int32_t>self.count
        cdef Row* row
        cdef Root* root
        cdef Stock* stock
        self.need_roots()
        if self.count == self.row_room:
            self.row_room = max(64, 2 * self.row_room)
            self.rows = <Row*>enlarged(self.rows, self.row_room * sizeof(Row))
        if self.stock_count + len(stocks) > self.stock_room:
            self.stock_room = max(64, 2 * (self.stock_count + len(stocks)))
            self.stocks = <Stock*>enlarged(self.stocks, self.stock_room * sizeof(Stock))
        self.journal.note(self.number, ROW_ADDED, host, number, 0)
        row = self.rows + number
        row.host, row.parent, row.next, row.labels, row.members = host, parent, -1, labels, members
        row.stock, row.stocks = <int32_t>self.stock_count, <int32_t>len(stocks)
        row.children = row.claims = row.gone = 0
        row.cell = -1 if cell is None else self.cells.add(number, *cell)
        for resource, capacity, used, smallest, largest, step in stocks:
            stock = self.stocks + self.stock_count
            stock.row, stock.resource, stock.capacity, stock.used = number, resource, capacity, used
            stock.smallest, stock.largest, stock.step = smallest, largest, step
            self.stock_count += 1
        self.count += 1
        if parent >= 0:
            self.rows[parent].children += 1
        if host >= 0:
            root = self.roots + host
            if root.last >= 0:
                self.rows[root.last].next = number
            else:
                root.first = number
            root.last = number
            root.rows += 1
            self.most = max(self.most, root.rows + root.links + 1)
        return number

    def remove_row(self, int32_t number):
        """Take a row out that has no rows below it, no claims and no links to it; checked by the caller."""
        cdef Row* row = self.rows + number
        cdef Root* root
        cdef int32_t before = -1, other
        if row.host >= 0:
            other = self.roots[row.host].first
            while other != number:
                before = other
                other = self.rows[other].next
        self.journal.note(self.number, ROW_REMOVED, row.host, number, before)
        row.gone = 1
        if row.parent >= 0:
            self.rows[row.parent].children -= 1
        if row.host >= 0:
            root = self.roots + row.host
            if before >= 0:
                self.rows[before].next = row.next
            else:
                root.first = row.next
            if root.last == number:
                root.last = before
            root.rows -= 1

    def set_capacity(self, int32_t stock, int64_t amount):
        self.journal.note(
            self.number, CAPACITY, self.rows[self.stocks[stock].row].host, stock, self.stocks[stock].capacity
        )
        self.stocks[stock].capacity = amount

    def set_used(self, int32_t stock, int64_t amount):
        """Overwrite what is used without a claim for it (an outside report)."""
        self.journal.note(self.number, USED, self.rows[self.stocks[stock].row].host, stock, self.stocks[stock].used)
        self.stocks[stock].used = amount

    def set_labels(self, int32_t row, int32_t labels, int32_t members):
        """New sets for a row, or for a host's own root, ~slot."""
        self.need_roots()
        cdef int32_t* old_labels = &self.roots[~row].labels if row < 0 else &self.rows[row].labels
        cdef int32_t* old_members = &self.roots[~row].members if row < 0 else &self.rows[row].members
        self.journal.note(
            self.number, LABELS, ~row if row < 0 else self.rows[row].host, row, pack(old_labels[0], old_members[0])
        )
        old_labels[0] = labels
        old_members[0] = members

    def link(self, int32_t host, int32_t row):
        """Let a host see a pool, a row of another host, or another host, ~slot. False if it did already."""
        self.need_roots()
        cdef int32_t link = self.roots[host].link
        while link >= 0:
            if self.links[link].row == row:
                return False
            link = self.links[link].next
        self.journal.note(self.number, LINKED, host, row, self.add_link(host, row))
        return True

    def unlink(self, int32_t host, int32_t row):
        """Take a link back. False if there was none."""
        if self.roots == NULL or not self.drop_link(host, row):
            return False
        self.journal.note(self.number, UNLINKED, host, row, 0)
        return True

    cdef int add_link(self, int32_t host, int32_t row) except -1:
        """Returns 1 if the link's cell was a spare one."""
        cdef int32_t cell = self.spare_link, spare = cell >= 0
        cdef int32_t* place
        if spare:
            self.spare_link = self.links[cell].next
        else:
            if self.link_count == self.link_room:
                self.link_room = max(64, 2 * self.link_room)
                self.links = <Link*>enlarged(self.links, self.link_room * sizeof(Link))
            cell = <int32_t>self.link_count
            self.link_count += 1
        place = &self.roots[host].link
        while place[0] >= 0 and self.links[place[0]].row < row:
            place = &self.links[place[0]].next
        self.links[cell].row = row
        self.links[cell].next = place[0]
        place[0] = cell
        self.roots[host].links += 1
        self.most = max(self.most, self.roots[host].rows + self.roots[host].links + 1)
        return spare

    cdef bint drop_link(self, int32_t host, int32_t row) noexcept:
        cdef int32_t* place = &self.roots[host].link
        cdef int32_t cell
        while place[0] >= 0 and self.links[place[0]].row != row:
            place = &self.links[place[0]].next
        cell = place[0]
        if cell < 0:
            return False
        place[0] = self.links[cell].next
        self.links[cell].row = 0
        self.links[cell].next = self.spare_link
        self.spare_link = cell
        self.roots[host].links -= 1
        return True

    # ---- reading -------------------------------------------------------------------------------------------

    cdef Stock* stock_of(self, int32_t row, int32_t resource) noexcept nogil:
        """A row's stock of a resource, NULL without one; not for hosts."""
        cdef Stock* stock = self.stocks + self.rows[row].stock
        cdef int32_t i
        for i in range(self.rows[row].stocks):
            if stock[i].resource == resource:
                return stock + i
        return NULL

    cdef bint above(self, int32_t upper, int32_t lower) noexcept nogil:
        """Is `upper` the row `lower` itself or above it? Hosts are ~slot."""
        if upper < 0:
            return upper == lower or lower >= 0 and self.rows[lower].host == ~upper
        while lower >= 0 and lower != upper:
            lower = self.rows[lower].parent
        return lower == upper

    cdef bint untouched(self, int32_t row) noexcept nogil:
        """Is nothing of the row used?"""
        cdef int32_t i
        for i in range(self.rows[row].stock, self.rows[row].stock + self.rows[row].stocks):
            if self.stocks[i].used:
                return False
        return True

    def rows_of(self, int32_t host):
        """Numbers of a host's rows, in order of creation."""
        cdef list found = []
        cdef int32_t row = -1 if self.roots == NULL else self.roots[host].first
        while row >= 0:
            found.append(row)
            row = self.rows[row].next
        return found

    def links_of(self, int32_t host):
        """What a host sees beside its own rows, ascending."""
        cdef list found = []
        cdef int32_t link = -1 if self.roots == NULL else self.roots[host].link
        while link >= 0:
            found.append(self.links[link].row)
            link = self.links[link].next
        return found

    def linking(self, frozenset rows):
        """Hosts that have a link to any of these rows, ascending."""
        cdef list found = []
        cdef Py_ssize_t host
        cdef int32_t link
        for host in range(self.stride if self.roots != NULL else 0):
            link = self.roots[host].link
            while link >= 0:
                if self.links[link].row in rows:
                    found.append(host)
                    break
                link = self.links[link].next
        return found

    def row(self, int32_t number):
        """(host, parent, labels, members, children, claims, stocks, cell) of a row; None if it was removed. Stocks:
        (number, resource, capacity, used) each; cell: its number, -1 = none.
        """
        cdef Row* row = self.rows + number
        cdef int32_t i
        if row.gone:
            return None
        stocks = [
            (i, self.stocks[i].resource, self.stocks[i].capacity, self.stocks[i].used)
            for i in range(row.stock, row.stock + row.stocks)
        ]
        return row.host, row.parent, row.labels, row.members, row.children, row.claims, stocks, row.cell

    def root(self, int32_t host):
        """(labels, members, claims) of a host's own root; the first two are set numbers."""
        if self.roots == NULL:
            return 0, 0, 0
        return self.roots[host].labels, self.roots[host].members, self.roots[host].claims

    def stock_table(self, int64_t[:, ::1] table):
        """Fill (stocks, 5): row, host, resource, capacity, used of each stock; row -1 where it was removed."""
        cdef Py_ssize_t i
        cdef Stock* stock
        for i in range(self.stock_count):
            stock = self.stocks + i
            table[i, 0] = -1 if self.rows[stock.row].gone else stock.row
            table[i, 1] = self.rows[stock.row].host
            table[i, 2] = stock.resource
            table[i, 3] = stock.capacity
            table[i, 4] = stock.used

    # ---- claims --------------------------------------------------------------------------------------------

    cdef int make_items(self, Py_ssize_t slots) except -1 nogil:
        """Room for the claims of that many item slots."""
        cdef Py_ssize_t room
        if slots > self.item_room:
            room = max(256, 2 * slots)
            self.held = <int32_t*>enlarged(self.held, room * sizeof(int32_t))
            memset(self.held + self.item_room, 0xFF, (room - self.item_room) * sizeof(int32_t))
            self.item_room = room
        return 0

    cdef int32_t host_of(self, int kind, int32_t where) noexcept nogil:
        """The host whose row a claim is on, -1 for a pool's."""
        cdef int32_t row
        row = self.row_of(kind, where)
        return ~row if row < 0 else self.rows[row].host

    cdef int32_t row_of(self, int kind, int32_t where) noexcept nogil:
        """The row that a claim is on; ~slot for a host."""
        if kind == ON_COLUMN:
            return ~(where // <int32_t>self.fleet.resources)
        if kind == ON_STOCK:
            return self.stocks[where].row
        if kind == ON_PAGES:
            return self.cells.sizes[where].row
        return self.cells.owner[where] if kind >= PINNED else where

    cdef void move(self, int kind, int32_t where, int64_t amount, int sign) noexcept nogil:
        """used += sign * amount, and the count of claims on the row."""
        cdef int32_t resources = <int32_t>self.fleet.resources
        cdef int32_t row = self.row_of(kind, where)
        cdef PageSize* sizes = self.cells.sizes
        cdef uint64_t* words = self.cells.words
        if kind == ON_STOCK:
            self.stocks[where].used += sign * amount
        elif kind == ON_COLUMN:
            self.fleet.used.int64s(where % resources)[where // resources] += sign * amount
        elif kind == ON_PAGES:
            sizes[where].used += sign * amount
        elif kind >= PINNED and sign > 0:
            words[where] |= <uint64_t>amount
        elif kind >= PINNED:
            words[where] &= ~<uint64_t>amount
        if row >= 0:
            self.rows[row].claims += sign
        else:
            self.roots[~row].claims += sign

    cdef int32_t push(self, int32_t item, int kind, int32_t where, int64_t amount, int group) except -1 nogil:
        """A claim in front of the item's chain; returns 1 if its cell was a spare one."""
        cdef int32_t cell = self.spare_claim, spare = cell >= 0
        self.make_items(item + 1)
        if spare:
            self.spare_claim = self.claims[cell].next
        else:
            if self.claim_count == self.claim_room:
                self.claim_room = max(256, 2 * self.claim_room)
                self.claims = <Claim*>enlarged(self.claims, self.claim_room * sizeof(Claim))
            cell = <int32_t>self.claim_count
            self.claim_count += 1
        memset(self.claims + cell, 0, sizeof(Claim))  # its padding too: equal states are equal bytes
        self.claims[cell].amount = amount
        self.claims[cell].where = where
        self.claims[cell].kind = <int16_t>kind
        self.claims[cell].group = <int16_t>group
        self.claims[cell].next = self.held[item]
        self.held[item] = cell
        self.move(kind, where, amount, 1)
        return spare

    cdef void pop(self, int32_t item) noexcept nogil:
        """Forget the item's newest claim; its cell becomes a spare one, blank but for the chain."""
        cdef int32_t cell = self.held[item]
        cdef Claim* claim = self.claims + cell
        self.move(claim.kind, claim.where, claim.amount, -1)
        self.held[item] = claim.next
        memset(claim, 0, sizeof(Claim))
        claim.next = self.spare_claim
        self.spare_claim = cell

    cdef int claim(self, int32_t item, int kind, int32_t where, int64_t amount, int group) except -1 nogil:
        """Item slot `item` takes `amount` for one of its groups."""
        cdef int32_t spare = self.push(item, kind, where, amount, group)
        self.journal.note(self.number, CLAIMED, self.host_of(kind, where), item, spare)
        return 0

    cdef int give_back(self, int32_t item) except -1 nogil:
        """Release all that an item slot holds."""
        cdef Claim* claim
        if item >= self.item_room:
            return 0
        while self.held[item] >= 0:
            claim = self.claims + self.held[item]
            self.journal.note(
                self.number, GIVEN_BACK | claim.kind << 4 | claim.group << 7, self.host_of(claim.kind, claim.where),
                pack(item, claim.where), claim.amount,
            )
            self.pop(item)
        return 0

    cdef void try_out(self, int32_t item, int sign) noexcept nogil:
        """Take all that an item slot holds out on trial (-1) or put it back (1); its claims stay."""
        cdef int32_t cell = self.held[item] if item < self.item_room else -1
        while cell >= 0:
            self.move(self.claims[cell].kind, self.claims[cell].where, self.claims[cell].amount, sign)
            cell = self.claims[cell].next

    def claims_of(self, int32_t item):
        """What an item slot holds: (group, kind, row, what, amount) each, oldest first. what: the resource, the page
        size, or the first CPU of a word of bits, which `amount` then is.
        """
        cdef list found = []
        cdef int32_t cell = self.held[item] if item < self.item_room else -1
        cdef Claim* claim
        cdef Cell* cell_of_row
        while cell >= 0:
            claim = self.claims + cell
            if claim.kind == ON_STOCK:
                what = self.stocks[claim.where].resource
            elif claim.kind == ON_COLUMN:
                what = claim.where % <int32_t>self.fleet.resources
            elif claim.kind == ON_PAGES:
                what = self.cells.sizes[claim.where].size
            elif claim.kind == PRESENCE:
                what = -1
            else:
                cell_of_row = self.cells.cells + self.rows[self.cells.owner[claim.where]].cell
                what = 64 * (claim.where - cell_of_row.first - cell_of_row.words)
            row = self.row_of(claim.kind, claim.where)
            found.append((claim.group, claim.kind, row, what, <uint64_t>claim.amount))
            cell = claim.next
        found.reverse()
        return found

    # ---- undo, copies --------------------------------------------------------------------------------------

    cdef int revert(self, const Change* change) except -1:
        cdef int kind = change.kind & 15
        cdef int32_t number, old
        cdef Row* row
        cdef Root* root
        if kind == CLAIMED:
            number = <int32_t>change.what
            self.pop(number)
            if not change.old:
                self.spare_claim = self.claims[self.spare_claim].next
                self.claim_count -= 1
        elif kind == GIVEN_BACK:
            self.push(
                high_half(change.what), change.kind >> 4 & 7, low_half(change.what), change.old, change.kind >> 7
            )
        elif kind == ROW_ADDED:
            self.count -= 1
            row = self.rows + self.count
            self.stock_count = row.stock
            if row.cell >= 0:
                self.cells.drop_last()
            if row.parent >= 0:
                self.rows[row.parent].children -= 1
            if row.host >= 0:
                root = self.roots + row.host
                old = root.first
                if old == self.count:
                    root.first = root.last = -1
                else:
                    while self.rows[old].next != self.count:
                        old = self.rows[old].next
                    self.rows[old].next = -1
                    root.last = old
                root.rows -= 1
        elif kind == ROW_REMOVED:
            row = self.rows + change.what
            row.gone = 0
            if row.parent >= 0:
                self.rows[row.parent].children += 1
            if row.host >= 0:
                root = self.roots + row.host
                if change.old >= 0:
                    self.rows[change.old].next = <int32_t>change.what
                else:
                    root.first = <int32_t>change.what
                if row.next < 0:
                    root.last = <int32_t>change.what
                root.rows += 1
        elif kind == CAPACITY:
            self.stocks[change.what].capacity = change.old
        elif kind == USED:
            self.stocks[change.what].used = change.old
        elif kind == LABELS:
            number = <int32_t>change.what
            if number < 0:
                self.roots[~number].labels = high_half(change.old)
                self.roots[~number].members = low_half(change.old)
            else:
                self.rows[number].labels = high_half(change.old)
                self.rows[number].members = low_half(change.old)
        elif kind == LINKED:
            self.drop_link(change.host, <int32_t>change.what)
            if not change.old:
                self.spare_link = self.links[self.spare_link].next
                self.link_count -= 1
        else:
            self.add_link(change.host, <int32_t>change.what)
        return 0

    cpdef object save(self):
        cdef Py_ssize_t items = self.item_room
        while items and self.held[items - 1] < 0:
            items -= 1
        return (
            self.clauses.save(), list(self.resources), self.stride, self.cells.save(),
            self.spare_link, self.spare_claim,
            PyBytes_FromStringAndSize(<char*>self.rows, self.count * sizeof(Row)),
            PyBytes_FromStringAndSize(<char*>self.stocks, self.stock_count * sizeof(Stock)),
            PyBytes_FromStringAndSize(<char*>self.roots, self.stride * sizeof(Root)) if self.roots != NULL else b"",
            PyBytes_FromStringAndSize(<char*>self.links, self.link_count * sizeof(Link)),
            PyBytes_FromStringAndSize(<char*>self.claims, self.claim_count * sizeof(Claim)),
            PyBytes_FromStringAndSize(<char*>self.held, items * sizeof(int32_t)),
        )

    cpdef object restore(self, object saved):
        cdef Py_ssize_t host
        clauses, names, stride, cells, spare_link, spare_claim, rows, stocks, roots, links, claims, held = saved
        if (
            len(rows) % sizeof(Row) or len(stocks) % sizeof(Stock) or len(links) % sizeof(Link) or len(held) % 4
            or len(claims) % sizeof(Claim) or roots and len(roots) != stride * sizeof(Root)
        ):
            raise ValueError("fleet: rows: damaged pickle: its lengths do not agree")
        self.clauses.restore(clauses)
        self.cells.restore(cells)
        self.resources = list(names)
        self.stride, self.spare_link, self.spare_claim = stride, spare_link, spare_claim
        self.item_room = len(held) // sizeof(int32_t)
        self.count = self.row_room = len(rows) // sizeof(Row)
        self.stock_count = self.stock_room = len(stocks) // sizeof(Stock)
        self.link_count = self.link_room = len(links) // sizeof(Link)
        self.claim_count = self.claim_room = len(claims) // sizeof(Claim)
        self.rows = <Row*>enlarged(self.rows, len(rows))
        self.stocks = <Stock*>enlarged(self.stocks, len(stocks))
        if roots:
            self.roots = <Root*>enlarged(self.roots, len(roots))
            memcpy(self.roots, PyBytes_AS_STRING(roots), len(roots))
        self.links = <Link*>enlarged(self.links, len(links))
        self.claims = <Claim*>enlarged(self.claims, len(claims))
        self.held = <int32_t*>enlarged(self.held, len(held))
        memcpy(self.rows, PyBytes_AS_STRING(rows), len(rows))
        memcpy(self.stocks, PyBytes_AS_STRING(stocks), len(stocks))
        memcpy(self.links, PyBytes_AS_STRING(links), len(links))
        memcpy(self.claims, PyBytes_AS_STRING(claims), len(claims))
        memcpy(self.held, PyBytes_AS_STRING(held), len(held))
        for host in range(self.stride if roots else 0):
            self.most = max(self.most, <Py_ssize_t>self.roots[host].rows + self.roots[host].links + 1)
