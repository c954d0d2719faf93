"""Whether the row forest of a pickle is one: every number in its range, every chain whole, every count what it counts.

Reads only; raises ValueError with one line. What a fleet makes itself is never checked here.
"""

from libc.stdint cimport int32_t, int64_t, uint64_t

from binwright._core.devices cimport (
    BESIDE, GROUP_LIMIT, ON_COLUMN, ON_PAGES, ON_STOCK, PINNED, Claim, Root, Row, Stock,
)
from binwright._core.groups cimport Group, Plan
from binwright._core.numa cimport MAX_WORDS, Cell, PageSize

cdef int64_t LARGEST = (<int64_t>1) << 56
cdef int64_t MOST_USED = (<int64_t>1) << 61


cdef int refuse(str what) except -1:
    raise ValueError(f"fleet: rows: damaged pickle: {what}")


cdef int check_forest(Forest forest, Items items) except -1:
    """Rows, cells, links and claims of a forest whose arrays have whole entries."""
    if forest.stride != forest.fleet.stride:
        refuse("its lengths do not agree")
    if forest.roots == NULL and (forest.count or forest.link_count or forest.claim_count):
        refuse("rows without hosts")
    check_rows(forest)
    check_cells(forest)
    check_roots(forest)
    check_claims(forest, items)
    return 0


cdef int check_rows(Forest forest) except -1:
    """Rows and their stocks lie one after another; a parent is older than its rows, and of the same host."""
    cdef Py_ssize_t number, i, at = 0, sets = len(forest.clauses.sets)
    cdef Py_ssize_t resources = forest.fleet.resources + len(forest.resources)
    cdef const Row* row
    cdef const Stock* stock
    cdef list children = [0] * forest.count
    for number in range(forest.count):
        row = forest.rows + number
        what = None
        if not -1 <= row.host < forest.fleet.hosts:
            what = f"host {row.host}"
        elif not -1 <= row.parent < number or row.parent >= 0 and forest.rows[row.parent].host != row.host:
            what = f"parent {row.parent}"
        elif not -1 <= row.next < forest.count:
            what = f"next {row.next}"
        elif not 0 <= row.labels < sets or not 0 <= row.members < sets:
            what = f"sets {row.labels} and {row.members}"
        elif row.stock != at or not 0 <= row.stocks <= forest.stock_count - at:
            what = f"stocks {row.stock} and {row.stocks} more"
        elif row.gone not in (0, 1):
            what = f"gone {row.gone}"
        elif row.gone and row.claims:
            what = f"{row.claims} claims, and is gone"
        if what is not None:
            refuse(f"row {number} has {what}")
        for i in range(at, at + row.stocks):
            stock = forest.stocks + i
            if stock.row != number or not 0 <= stock.resource < resources or stock.step < 1:
                refuse(f"stock {i} has row {stock.row}, resource {stock.resource}, step {stock.step}")
            if not 0 <= stock.capacity <= LARGEST or not -MOST_USED <= stock.used <= MOST_USED:
                refuse(f"stock {i} has capacity {stock.capacity}, used {stock.used}")
            if not 0 <= stock.smallest <= MOST_USED or stock.largest < 0:
                refuse(f"stock {i} has smallest {stock.smallest}, largest {stock.largest}")
        at += row.stocks
        if row.parent >= 0 and not row.gone:
            children[row.parent] += 1
    if at != forest.stock_count:
        refuse(f"{forest.stock_count} stocks, the rows have {at}")
    for number in range(forest.count):
        if forest.rows[number].children != children[number]:
            refuse(f"row {number} has {forest.rows[number].children} children, counted {children[number]}")
    return 0


cdef int check_cells(Forest forest) except -1:
    """Cells, their words and their pages lie one after another, each of the row that means it."""
    cdef Py_ssize_t number, i, word = 0, page = 0, cells = 0
    cdef const Cell* cell
    cdef const PageSize* size
    for number in range(forest.count):
        if forest.rows[number].cell != -1:
            if forest.rows[number].cell != cells or cells == forest.cells.count:
                refuse(f"row {number} has cell {forest.rows[number].cell}")
            if forest.cells.cells[cells].row != number:
                refuse(f"cell {cells} has row {forest.cells.cells[cells].row}")
            cells += 1
    if cells != forest.cells.count:
        refuse(f"{forest.cells.count} cells, the rows have {cells}")
    for number in range(cells):
        cell = forest.cells.cells + number
        if not 1 <= cell.words <= MAX_WORDS or not 1 <= cell.threads <= 64 * MAX_WORDS or cell.alike not in (0, 1):
            refuse(f"cell {number} has {cell.words} words, {cell.threads} threads")
        if cell.first != word or not 0 <= cell.siblings <= (forest.cells.word_count - word) // cell.words - 2:
            refuse(f"cell {number} has word {cell.first}, {cell.siblings} sibling sets")
        if cell.page != page or not 0 <= cell.pages <= forest.cells.size_count - page:
            refuse(f"cell {number} has page {cell.page} and {cell.pages} more")
        for i in range(word, word + cell.words * (2 + cell.siblings)):
            if forest.cells.owner[i] != cell.row:
                refuse(f"word {i} has row {forest.cells.owner[i]}")
        for i in range(page, page + cell.pages):
            size = forest.cells.sizes + i
            if size.row != cell.row or not 1 <= size.size <= LARGEST:
                refuse(f"page size {i} has row {size.row}, size {size.size}")
            if (
                not 0 <= size.total <= LARGEST or not -MOST_USED <= size.used <= MOST_USED
                or not 0 <= size.reserved <= LARGEST
            ):
                refuse(f"page size {i} has total {size.total}, used {size.used}, reserved {size.reserved}")
        word += cell.words * (2 + cell.siblings)
        page += cell.pages
    if word != forest.cells.word_count or page != forest.cells.size_count:
        refuse(f"{forest.cells.word_count} words, {forest.cells.size_count} page sizes; the cells have {word}, {page}")
    return 0


cdef int check_roots(Forest forest) except -1:
    """The chain of a host's rows holds each of them once, by age; that of its links rises; the rest waits as spares."""
    cdef Py_ssize_t host, sets = len(forest.clauses.sets), chained = 0, rows = 0, number
    cdef const Root* root
    cdef int32_t at, last, found
    cdef bytearray seen = bytearray(forest.link_count)
    for number in range(forest.count):
        rows += forest.rows[number].host >= 0 and not forest.rows[number].gone
    for host in range(forest.stride if forest.roots != NULL else 0):
        root = forest.roots + host
        if not 0 <= root.labels < sets or not 0 <= root.members < sets:
            refuse(f"host {host} has sets {root.labels} and {root.members}")
        at, last, found = root.first, -1, 0
        while at != -1:
            if not last < at < forest.count or forest.rows[at].host != host or forest.rows[at].gone:
                refuse(f"the list of host {host} has row {at}")
            at, last, found = forest.rows[at].next, at, found + 1
        if root.last != last or root.rows != found:
            refuse(f"the list of host {host} has another end, or {root.rows} rows")
        chained += found
        found = check_links(forest, root, seen)
        if found < 0:
            refuse(f"the links of host {host} are no list of {root.links}")
    if chained != rows:
        refuse(f"{rows} rows below hosts, {chained} in their lists")
    at = forest.spare_link
    while at != -1:
        if not 0 <= at < forest.link_count or seen[at]:
            refuse(f"spare link {at}")
        seen[at] = 1
        at = forest.links[at].next
    if seen.count(1) != forest.link_count:
        refuse("links that nobody has")
    return 0


cdef int check_links(Forest forest, const Root* root, bytearray seen) noexcept:
    """How many links a host has; -1 where they are not a rising list of rows, and of hosts, that are there."""
    cdef int32_t at = root.link, found = 0, row, before = 0
    while at != -1:
        if not 0 <= at < forest.link_count or seen[at]:
            return -1
        row = forest.links[at].row
        if found and row <= before or row >= forest.count or row < 0 and ~row >= forest.fleet.hosts:
            return -1
        if row >= 0 and forest.rows[row].gone:
            return -1
        seen[at] = 1
        at, before, found = forest.links[at].next, row, found + 1
    return found if found == root.links else -1


cdef int check_claims(Forest forest, Items items) except -1:
    """Each claim is of one live item, or a spare; rows and hosts count theirs."""
    cdef Py_ssize_t item, number, host
    cdef int32_t at, row
    cdef const Claim* claim
    cdef bytearray seen = bytearray(forest.claim_count)
    cdef list on_rows = [0] * forest.count
    cdef dict on_hosts = {}
    for item in range(forest.item_room):
        at = forest.held[item]
        if at != -1 and (item >= items.slots or items.records[item].host < 0):
            refuse(f"item {item} holds claim {at}, and is not there")
        while at != -1:
            if not 0 <= at < forest.claim_count or seen[at]:
                refuse(f"item {item} holds claim {at}")
            seen[at] = 1
            claim = forest.claims + at
            if not is_claim(forest, claim):
                refuse(f"claim {at} has kind {claim.kind}, place {claim.where}, amount {claim.amount}")
            row = forest.row_of(claim.kind, claim.where)
            if row < 0:
                on_hosts[~row] = on_hosts.get(~row, 0) + 1
            else:
                on_rows[row] += 1
            at = claim.next
    at = forest.spare_claim
    while at != -1:
        if not 0 <= at < forest.claim_count or seen[at]:
            refuse(f"spare claim {at}")
        seen[at] = 1
        at = forest.claims[at].next
    if seen.count(1) != forest.claim_count:
        refuse("claims that nobody has")
    for number in range(forest.count):
        if forest.rows[number].claims != on_rows[number]:
            refuse(f"row {number} has {forest.rows[number].claims} claims, counted {on_rows[number]}")
    for host in range(forest.stride if forest.roots != NULL else 0):
        if forest.roots[host].claims != on_hosts.get(host, 0):
            refuse(f"host {host} has {forest.roots[host].claims} claims, counted {on_hosts.get(host, 0)}")
    return 0


cdef bint is_claim(Forest forest, const Claim* claim) noexcept:
    """Does a claim mean a place that there is, with an amount that can be?"""
    cdef int64_t where = claim.where
    if not 0 <= claim.group < GROUP_LIMIT or not ON_STOCK <= claim.kind <= BESIDE:
        return False
    if claim.kind >= PINNED:  # the CPUs that it holds are marked
        return 0 <= where < forest.cells.word_count and not <uint64_t>claim.amount & ~forest.cells.words[where]
    if not 0 <= claim.amount <= LARGEST:
        return False
    if claim.kind == ON_STOCK:
        return 0 <= where < forest.stock_count
    if claim.kind == ON_COLUMN:
        return 0 <= where < forest.fleet.hosts * forest.fleet.resources
    if claim.kind == ON_PAGES:
        return 0 <= where < forest.cells.size_count
    return -forest.fleet.hosts <= where < forest.count


# ---- what is asked ----------------------------------------------------------------------------------------------

cdef int check_groups(Forest forest, Classes classes) except -1:
    """The groups of each class mean filters, hosts and resources that there are."""
    cdef Py_ssize_t filters = len(forest.clauses.filters), number, i
    cdef Py_ssize_t resources = forest.fleet.resources + len(forest.resources)
    cdef const Plan* plan
    cdef const Group* group
    for number in range(len(classes)):
        plan = classes.views[number].plan
        if plan == NULL:
            continue
        if forest.roots == NULL:
            refuse(f"class {number} asks for rows without hosts")
        if not 0 <= plan.root < filters or not 0 <= plan.gathered < filters or not 0 < plan.steps <= LARGEST:
            refuse(f"class {number} has filters {plan.root} and {plan.gathered}")
        for i in range(plan.group_count):
            group = plan.groups + i
            # A rollback takes hosts away, never the classes made meanwhile: `within` may be past the last host.
            if not 0 <= group.labels < filters or not 0 <= group.members < filters or group.within < -1:
                refuse(
                    f"class {number}, group {i} has filters {group.labels} and {group.members}, within {group.within}"
                )
        for i in range(plan.unit_count):
            group = plan.groups + plan.units[i].group
            check_asks(number, plan.units[i].ask, plan.units[i].asks, plan, resources)
            if group.wish >= 0:
                check_wish(number, plan, group.wish, resources)
        for i in range(plan.key_count):
            if not 0 <= plan.keys[i].kind <= 3 or not -1 <= plan.keys[i].resource < resources:
                refuse(f"class {number} has key {plan.keys[i].kind} of {plan.keys[i].resource}")
    return 0


cdef int check_asks(Py_ssize_t number, int32_t first, int32_t count, const Plan* plan, Py_ssize_t resources) except -1:
    cdef int32_t i
    for i in range(first, first + count):
        if not 0 <= plan.asks[i].resource < resources or not 0 < plan.asks[i].amount <= LARGEST:
            refuse(f"class {number} asks {plan.asks[i].amount} of resource {plan.asks[i].resource}")
    return 0


cdef int check_wish(Py_ssize_t number, const Plan* plan, int32_t wish, Py_ssize_t resources) except -1:
    if (
        not -1 <= plan.wishes[wish].resource < resources or not 0 <= plan.wishes[wish].memory <= LARGEST
        or not 0 <= plan.wishes[wish].pinned <= 64 * MAX_WORDS or not 0 <= plan.wishes[wish].spare <= 64 * MAX_WORDS
        or not 0 <= plan.wishes[wish].threads <= 2 or not -3 <= plan.wishes[wish].page <= LARGEST
    ):
        refuse(f"class {number} asks a cell for what cannot be")
    return 0
