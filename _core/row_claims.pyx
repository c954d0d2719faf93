"""What the search chose for an item becomes its claims on the rows."""

from libc.stdint cimport int64_t

from binwright._core.devices cimport BESIDE, ON_COLUMN, ON_PAGES, ON_STOCK, PINNED, PRESENCE, SPARE, Stock
from binwright._core.groups cimport Unit
from binwright._core.numa cimport Wish


cdef int claim_rows(Search search, Forest forest, int32_t item) except -1 nogil:
    """Claim what the last search chose, for an item slot."""
    cdef const Unit* unit
    cdef Stock* stock
    cdef int32_t u, i, row, resource
    for u in range(search.plan.unit_count):
        unit = search.plan.units + u
        row = search.row[search.chosen[u]]
        if search.plan.groups[unit.group].wish >= 0:
            claim_cell(search, forest, item, unit, row)
        elif unit.asks == 0:
            forest.claim(item, PRESENCE, row, 0, unit.group)
        for i in range(unit.ask, unit.ask + unit.asks):
            resource = search.plan.asks[i].resource
            if row < 0:
                forest.claim(
                    item, ON_COLUMN, ~row * <int32_t>search.fleet.resources + resource, search.plan.asks[i].amount,
                    unit.group,
                )
                continue
            stock = forest.stock_of(row, resource)
            forest.claim(
                item, ON_STOCK, <int32_t>(stock - forest.stocks),
                stock.capacity if search.plan.groups[unit.group].whole else search.plan.asks[i].amount, unit.group,
            )
    return 0


cdef int claim_cell(Search search, Forest forest, int32_t item, const Unit* unit, int32_t row) except -1 nogil:
    """Claim memory, pages and CPUs of a cell."""
    cdef const Wish* wish = search.plan.wishes + search.plan.groups[unit.group].wish
    cdef int32_t cell = forest.rows[row].cell, page, w
    cdef int32_t first = forest.cells.cells[cell].first + forest.cells.cells[cell].words
    cdef Stock* stock = forest.stock_of(row, wish.resource)
    forest.claim(item, PRESENCE, row, 0, unit.group)
    if stock != NULL and wish.memory:
        forest.claim(item, ON_STOCK, <int32_t>(stock - forest.stocks), wish.memory, unit.group)
    if wish.page or forest.cells.cells[cell].pages:
        page = forest.cells.page_for(cell, wish, search.empty)
        forest.claim(item, ON_PAGES, page, wish.memory // forest.cells.sizes[page].size, unit.group)
    if not wish.strict:
        return 0
    forest.cells.pack(cell, wish, search.empty, &search.packing)
    for w in range(forest.cells.cells[cell].words):
        if search.packing.pinned[w]:
            forest.claim(item, PINNED, first + w, <int64_t>search.packing.pinned[w], unit.group)
        if search.packing.spare[w]:
            forest.claim(item, SPARE, first + w, <int64_t>search.packing.spare[w], unit.group)
        if search.packing.beside[w]:
            forest.claim(item, BESIDE, first + w, <int64_t>search.packing.beside[w], unit.group)
    return 0
