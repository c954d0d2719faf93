"""What the random tests of row forests draw, and the same forest on both sides."""

import random

import numpy as np

from binwright import Fleet, Group, GroupRules
from tests.reference import rows as reference

HOST_RESOURCES = ("cpu", "memory")
RESOURCES = ("gpu", "slots", "cpu")  # cpu: hosts have it as a column, rows may have it as a stock
LABELS = ("a", "b", "c")
MEMBERS = ("x", "y")


def some(rng: random.Random, names, chance: float) -> frozenset[str]:
    return frozenset(name for name in names if rng.random() < chance)


def host_arguments(rng: random.Random, hosts: int) -> dict[str, dict[str, list[int]]]:
    capacity = {name: [rng.randint(0, 8) for _ in range(hosts)] for name in HOST_RESOURCES}
    used = {name: [rng.randint(0, amount) // 3 for amount in column] for name, column in capacity.items()}
    return {"capacity": capacity, "used": used}


def both_forests(rng: random.Random, hosts: int, rows: int) -> tuple[Fleet, reference.Forest]:
    arguments = host_arguments(rng, hosts)
    columns = {kind: {name: np.array(column) for name, column in by.items()} for kind, by in arguments.items()}
    limits = {}
    if rng.random() < 0.3:
        limits = {
            "smallest": [rng.randint(1, 2) for _ in range(hosts)],
            "largest": [rng.randint(1, 6) for _ in range(hosts)],
            "step": [rng.randint(1, 2) for _ in range(hosts)],
        }
    engine = Fleet(**columns, **{kind: {"cpu": np.array(column)} for kind, column in limits.items()})
    slow = reference.Forest(
        [
            reference.Host(
                {
                    name: reference.Stock(
                        arguments["capacity"][name][host],
                        arguments["used"][name][host],
                        **({kind: column[host] for kind, column in limits.items()} if name == "cpu" else {}),
                    )
                    for name in HOST_RESOURCES
                }
            )
            for host in range(hosts)
        ]
    )
    add_rows(rng, engine, slow, rows)
    for host in range(hosts):
        relabel(rng, engine, slow, ~host)
    for _ in range(rng.randint(0, 4)):
        link(rng, engine, slow)
    return engine, slow


def add_rows(rng: random.Random, engine: Fleet, slow: reference.Forest, count: int, alive=None) -> None:
    """Some rows in one call, now and then pools, now and then below each other. alive: hosts to put them below."""
    roots = range(len(slow.hosts)) if alive is None else alive
    names = RESOURCES if rng.random() < 0.6 else rng.sample(RESOURCES, 2)
    unit = rng.choice((1, 1, 2))  # the most of a stock: one-unit rows abound
    first, made, hosts = len(slow.rows), [], []
    for i in range(count):
        pool = not roots or rng.random() < 0.1
        host = None if pool else rng.choice(roots)
        above = [
            number
            for number, row in enumerate([*slow.rows, *made])
            if row is not None and row.host == host and host is not None
        ]
        parent = rng.choice(above) if above and rng.random() < 0.5 else None
        stocks = {}
        for name in names:
            if rng.random() < 0.85:
                capacity = rng.randint(1, unit) if rng.random() < 0.5 else rng.randint(0, 6)
                stocks[name] = reference.Stock(
                    capacity,
                    rng.choice((0, 0, 0, 0, rng.randint(0, capacity))),
                    rng.choice((1, 1, 1, 1, 1, 2)),
                    rng.choice((reference.MOST, reference.MOST, 3)),
                    rng.choice((1, 1, 1, 1, 1, 2)),
                )
        made.append(reference.Row(host, parent, stocks, some(rng, LABELS, 0.5), some(rng, MEMBERS, 0.5)))
        hosts.append(-1 if host is None else host)
        assert first + i == len(slow.rows) + len(made) - 1

    def column(read, without):
        return {
            name: np.array([read(row.stocks[name]) if name in row.stocks else without for row in made])
            for name in names
        }

    # one call takes rows of hosts or pools, not both
    start = 0
    while start < count:
        end = start
        while end < count and (hosts[end] < 0) == (hosts[start] < 0):
            end += 1
        part = slice(start, end)
        numbers = engine.add_rows(
            {name: values[part] for name, values in column(lambda s: s.capacity, -1).items()},
            None if hosts[start] < 0 else np.array(hosts[part]),
            parents=np.array([-1 if row.parent is None else row.parent for row in made[part]]),
            used={name: values[part] for name, values in column(lambda s: s.used, 0).items()},
            smallest={name: values[part] for name, values in column(lambda s: s.smallest, 1).items()},
            largest={name: values[part] for name, values in column(lambda s: s.largest, 1).items()},
            step={name: values[part] for name, values in column(lambda s: s.step, 1).items()},
            labels=[row.labels for row in made[part]],
            members=[row.members for row in made[part]],
        )
        assert numbers.tolist() == list(range(first + start, first + end))
        start = end
    slow.rows += made


def relabel(rng: random.Random, engine: Fleet, slow: reference.Forest, row: int) -> None:
    thing = slow.thing(row)
    labels = some(rng, LABELS, 0.5) if rng.random() < 0.7 else None
    members = some(rng, MEMBERS, 0.5) if rng.random() < 0.7 else None
    engine.rows.relabel(row, labels, members)
    if labels is not None:
        thing.labels = labels
    if members is not None:
        thing.members = members


def link(rng: random.Random, engine: Fleet, slow: reference.Forest, alive=None) -> None:
    """A pool, a row of another host or another host becomes visible, or is no longer. alive: hosts that there are."""
    roots = range(len(slow.hosts)) if alive is None else alive
    host = rng.choice(roots)
    rows = [number for number, row in enumerate(slow.rows) if row is not None and row.host != host]
    pools = [number for number in rows if slow.rows[number].host is None]
    rows += pools * 3 + [~other for other in roots if other != host]
    if rows:
        row = rng.choice(rows)
        if row in slow.hosts[host].links and rng.random() < 0.5:
            engine.rows.unlink(row, host)
            slow.hosts[host].links.discard(row)
        else:
            engine.rows.link(row, host)
            slow.hosts[host].links.add(row)


def clauses(rng: random.Random, names) -> tuple[frozenset[str], ...]:
    if rng.random() < 0.75:
        return ()
    return tuple(frozenset(rng.sample(names, rng.choice((1, 2, 2)))) for _ in range(rng.choice((1, 1, 2))))


def a_group(rng: random.Random, hosts: int, same: reference.Group | None) -> reference.Group:
    if same is not None and rng.random() < 0.4:
        return same
    names = ("gpu",) if rng.random() < 0.5 else rng.sample(RESOURCES, rng.choice((1, 1, 2)))
    demand = tuple((name, rng.choice((1, 1, 1, 1, 2, 3))) for name in names)
    spread = rng.random() < 0.2
    take = rng.choice(("amount", "amount", "share")) if spread else rng.choice(("amount", "amount", "share", "whole"))
    if not spread and rng.random() < 0.08:
        demand, take = (), "amount"
    return reference.Group(
        demand,
        take,
        spread,
        not spread and rng.random() < 0.4,
        clauses(rng, LABELS),
        some(rng, LABELS, 0.05),
        clauses(rng, MEMBERS),
        some(rng, MEMBERS, 0.05),
        rng.random() < 0.4,
        rng.randrange(hosts) if rng.random() < 0.05 else None,
        rng.random() < 0.8,
    )


def a_question(rng: random.Random, hosts: int) -> tuple[list[reference.Group], reference.Rules, dict[str, int]]:
    """Groups of at most four units, rules, and the demand on the host itself."""
    groups: list[reference.Group] = []
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4))):
        groups.append(a_group(rng, hosts, groups[-1] if groups else None))
    while len(reference.units_of(groups)) > 4:
        groups.pop()
    union = any(group.spread and group.required for group in groups)
    greedy = not union and rng.random() < 0.15
    subtrees = []
    if not greedy and rng.random() < 0.4:
        for _ in range(rng.randint(1, 2)):
            subtrees.append(tuple(sorted(rng.sample(range(len(groups)), rng.randint(1, len(groups))))))
    rules = reference.Rules(
        tuple(subtrees),
        clauses(rng, LABELS) if rng.random() < 0.2 else (),
        some(rng, LABELS, 0.1) if rng.random() < 0.3 else frozenset(),
        greedy,
    )
    demand = {name: rng.choice((0, 1, 2)) for name in HOST_RESOURCES if rng.random() < 0.5}
    return groups, rules, demand


def engine_request(engine: Fleet, groups, rules: reference.Rules, demand: dict[str, int], **more):
    return engine.request(demand, **engine_groups(groups, rules, **more))


def engine_groups(groups, rules: reference.Rules, **more) -> dict:
    """Arguments of the engine's request."""
    made = [Group(**{**vars(group), "demand": dict(group.demand)}) for group in groups]
    return {"groups": made, "group_rules": GroupRules(**vars(rules), **more)}


def assert_same_rows(engine: Fleet, slow: reference.Forest) -> None:
    for name in HOST_RESOURCES:
        column = engine.used[engine.resources.index(name)]
        assert column.tolist() == [host.stocks[name].used for host in slow.hosts]
    for name in RESOURCES:
        table = [column.tolist() for column in engine.rows.table(name)]
        expected = [
            (number, -1 if row.host is None else row.host, row.stocks[name].capacity, row.stocks[name].used)
            for number, row in enumerate(slow.rows)
            if row is not None and name in row.stocks
        ]
        assert list(zip(*table, strict=True)) == expected
