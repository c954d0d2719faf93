"""Every registered idea's `save()`, in a form that can be compared: what rollback must bring back exactly.

Definitions are left out (engine-model.md 1.1): whatever classes, counters, member sets, budgets, keys were made later.
So is what nobody can see: slots beyond the last host, the contents of released items, columns that were not made yet.
"""

from dataclasses import dataclass

import numpy as np

ITEM = np.dtype(
    {
        "names": ["request", "host", "previous", "next", "generation", "priority", "budgets", "order"],
        "formats": ["<i4"] * 7 + ["<i8"],
        "offsets": [0, 4, 8, 12, 16, 20, 24, 32],
        "itemsize": 40,
    }
)


POOL_ROW = np.dtype({"names": ["holder"], "formats": ["<i4"], "offsets": [16], "itemsize": 24})
POOL_CLAIM = np.dtype({"names": ["pinned", "held"], "formats": ["<i4"] * 2, "offsets": [8, 12], "itemsize": 32})
ROOT_FIELDS = 8  # int32 each, of what the forest knows of a host
PLAIN_ROOT = [-1, -1, 0, -1, 0, 0, 0, 0]  # of one without rows; a fleet without any row keeps none


@dataclass
class Made:
    """How many definitions there were, and what they said about counting."""

    classes: int
    counters: int
    members: int
    budgets: int
    pool_rows: int
    pool_claims: int
    contributions: list


def made(state) -> Made:
    _, counters, contributions = state.counters.save()
    allowances, _ = state.budgets.save()
    return Made(
        len(state.classes), len(counters), state.domain_terms.member_sets(), len(allowances),
        state.pools.row_count, state.pools.claim_count, contributions,
    )  # fmt: skip


def cells(columns, dtype, hosts):
    """A block of columns as lists, the first `hosts` cells of each."""
    return np.frombuffer(columns, dtype).reshape(columns.count, columns.stride)[:, :hosts].tolist()


def fleet(state, then):
    hosts, capacity, used, flags, limits, _ = state.fleet.save()
    limited = None if limits is None else cells(limits, np.int64, hosts)
    return hosts, cells(capacity, np.int64, hosts), cells(used, np.int64, hosts), cells(flags, np.uint8, hosts), limited


def classes(state, then):
    hosts = state.fleet.hosts
    found = []
    for number in range(then.classes):
        mask, arguments, raw = state.classes.static_columns(number)
        found.append((
            [0] * hosts if mask is None else np.frombuffer(mask, np.uint32)[:hosts].tolist(),
            {rule: c for rule, (c,) in ((r, cells(a, np.int32, hosts)) for r, a in arguments.items()) if set(c) - {-1}},
            {slot: c for slot, (c,) in ((s, cells(a, np.int64, hosts)) for s, a in raw.items()) if any(c)},
        ))  # fmt: skip
    return found


def counters(state, then):
    hosts = state.fleet.hosts
    _, kept, contributions = state.counters.save()
    if contributions[: then.classes] != then.contributions[: then.classes]:
        return "extended since"
    return [
        (kind, feeds, total, [0] * hosts if column is None else np.frombuffer(column, np.int64)[:hosts].tolist())
        for kind, feeds, total, column in kept[: then.counters]
    ]


def items(state, then):
    slots, alive, _, records, spare, ends = state.items.save()
    table = np.frombuffer(records, ITEM)
    assert len(table) == slots
    seen = [tuple(record) if record["host"] >= 0 else int(record["generation"]) for record in table]
    return alive, seen, spare, np.frombuffer(ends, np.int32)[: 2 * state.fleet.hosts].tolist()


def domains(state, then):
    _, keys, _, ids = state.domains.save()
    columns = cells(ids, np.int32, state.fleet.hosts)
    return {key: column for key, column in zip(keys, columns, strict=True) if set(column) - {-1}}


def domain_terms(state, then):
    _, members, _ = state.domain_terms.save()
    return [cells(column, np.uint8, state.fleet.hosts) for column in members[: then.members]]


def budgets(state, then):
    allowances, _ = state.budgets.save()
    return allowances[: then.budgets]


def pools(state, then):
    """Who holds each row; what each claim holds and where it is pinned. Sizes, hosts and lists are definitions, and so
    is what a claim that was made later held from the start.
    """
    rows, claims, _, _ = state.pools.save()
    holders = np.frombuffer(rows, POOL_ROW)["holder"].tolist()
    held, pinned = np.frombuffer(claims, POOL_CLAIM)["held"], np.frombuffer(claims, POOL_CLAIM)["pinned"]
    return (
        [holder if holder < then.pool_claims else -1 for holder in holders[: then.pool_rows]],
        held[: then.pool_claims].tolist(),
        pinned[: then.pool_claims].tolist(),
    )


def floats(state, then):
    _, columns, _ = state.floats.save()
    return [cells(column, np.int64, state.fleet.hosts) for column in columns]


def forest(state, then):
    """Everything but label sets, filters and resource names, which are definitions; hosts that are not there yet."""
    _, _, _, cells, spare_link, spare_claim, rows, stocks, roots, *links_and_claims = state.forest.save()
    seen = np.frombuffer(roots, np.int32).reshape(-1, ROOT_FIELDS)[: state.fleet.hosts].tolist()
    seen = seen or [PLAIN_ROOT] * state.fleet.hosts
    return cells, spare_link, spare_claim, rows, stocks, seen, links_and_claims


READERS = {
    "Fleet": fleet,
    "Classes": classes,
    "Counters": counters,
    "Items": items,
    "Domains": domains,
    "DomainTerms": domain_terms,
    "Overlays": lambda state, then: state.overlays.save(),
    "Budgets": budgets,
    "Forest": forest,
    "Pools": pools,
    "FloatScores": floats,
    "Externals": lambda state, then: None,  # theirs, told of every placing and its undoing
    "Window": lambda state, then: state.window.cursor,  # order and stop count are settings
}


def snapshot(engine, then: Made | None = None) -> dict:
    """What every registered idea holds; a new idea needs a reader here. then: count only what was made by then."""
    state = engine._state
    then = then or made(state)
    return {name: READERS[name](state, then) for name in state.ideas()}


def assert_equal(before: dict, after: dict) -> None:
    """The same but for counters whose contributions were extended in between."""
    assert before.keys() == after.keys()
    for name, held in before.items():
        if "extended since" not in (held, after[name]):
            assert held == after[name], name
