"""The groups of a request as numbers: made once, never changed, shared by forks."""

cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.string cimport memset

MOST_UNITS = MAX_UNITS


@cython.final
cdef class GroupSet:
    """groups: (asks, labels, members, within, one_row, whole, least_free, isolated, linked, root_answers, wish) each,
    with asks = ((resource, amount, check), ...), filters as numbers, wish = the fields of a Wish in order or None;
    root, gathered: filters; subtrees: tuples of group numbers; keys: (kind, resource, descending). At most 256 units;
    all checked by the caller.
    """

    def __cinit__(
        self, tuple groups, int32_t root, int32_t gathered, tuple subtrees, tuple keys, bint greedy, int64_t steps
    ):
        cdef Plan* plan = &self.plan
        cdef Group* group
        cdef Wish* asked
        cdef int32_t number, ask = 0, unit = 0
        cdef list units_of = []
        memset(plan, 0, sizeof(Plan))
        self.spec = groups, root, gathered, subtrees, keys, greedy, steps
        units = sum(1 if one_row else len(asks) for asks, _, _, _, one_row, *_ in groups)
        if units > MAX_UNITS:
            raise ValueError(f"groups: {units} rows, at most {MAX_UNITS}")
        for together in subtrees:
            if not all(0 <= i < len(groups) for i in together):
                raise ValueError(f"groups: subtrees name one that is not there: {together}")
        plan.asks = <Ask*>PyMem_Calloc(1 + sum(len(group[0]) for group in groups), sizeof(Ask))
        plan.groups = <Group*>PyMem_Calloc(1 + len(groups), sizeof(Group))
        plan.units = <Unit*>PyMem_Calloc(1 + units, sizeof(Unit))
        plan.wishes = <Wish*>PyMem_Calloc(1 + len(groups), sizeof(Wish))
        plan.keys = <Key*>PyMem_Calloc(1 + len(keys), sizeof(Key))
        plan.subtrees = <uint64_t*>PyMem_Calloc(1 + len(subtrees), UNIT_WORDS * sizeof(uint64_t))
        if (
            plan.asks == NULL or plan.groups == NULL or plan.units == NULL or plan.wishes == NULL or plan.keys == NULL
            or plan.subtrees == NULL
        ):
            raise MemoryError("groups")
        for number, (
            asks, labels, members, within, one_row, whole, least, isolated, linked, answers, wish
        ) in enumerate(groups):
            group = plan.groups + number
            group.labels, group.members, group.within = labels, members, within
            group.one_row, group.whole, group.least_free = one_row, whole, least
            group.isolated, group.linked, group.root_answers = isolated, linked, answers
            group.wish = -1
            if wish is not None:
                group.wish = plan.wish_count
                asked = plan.wishes + plan.wish_count
                asked.memory, asked.page, asked.resource, asked.pinned, asked.spare, asked.threads, asked.strict = wish
                plan.wish_count += 1
            units_of.append(unit)
            for _, (resource, amount, check) in enumerate(asks):
                plan.asks[ask].resource = resource
                plan.asks[ask].check = check
                plan.asks[ask].amount = amount
                if not one_row:
                    plan.units[unit].group, plan.units[unit].ask, plan.units[unit].asks = number, ask, 1
                    unit += 1
                ask += 1
            if one_row:
                plan.units[unit].group = number
                plan.units[unit].ask, plan.units[unit].asks = ask - <int32_t>len(asks), <int32_t>len(asks)
                unit += 1
        units_of.append(unit)
        for number, together in enumerate(subtrees):
            for i in together:
                for unit in range(units_of[i], units_of[i + 1]):
                    plan.subtrees[number * UNIT_WORDS + (unit >> 6)] |= <uint64_t>1 << (unit & 63)
        plan.group_count, plan.unit_count, plan.subtree_count = len(groups), units, len(subtrees)
        for number, (kind, resource, descending) in enumerate(keys):
            plan.keys[number].kind, plan.keys[number].resource = kind, resource
            plan.keys[number].descending = descending
        plan.key_count = len(keys)
        plan.root, plan.gathered, plan.greedy, plan.steps = root, gathered, greedy, steps

    def __dealloc__(self):
        PyMem_Free(self.plan.asks)
        PyMem_Free(self.plan.groups)
        PyMem_Free(self.plan.units)
        PyMem_Free(self.plan.wishes)
        PyMem_Free(self.plan.keys)
        PyMem_Free(self.plan.subtrees)

    def __reduce__(self):
        return GroupSet, self.spec
