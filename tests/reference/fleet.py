"""The slow, obvious fleet: every rule of the engine written once more with lists, dicts and Python integers.

A decision looks at every host, asks every rule, adds every score. A checkpoint is a deep copy. Nothing is remembered
between decisions. Joins the other files of this folder; must never know numpy or anything of binwright.

Where several readings were possible, these are chosen and the engine follows:
- A removed host leaves a hole: capacity and used 0, no name, no reason, position HOLE in `verdicts_by_host`.
- Hosts added after a request was made: static rules pass, raw scores are 0, an explicit eligible set does not hold
  them, eligible labels are matched. `repair` changes the first two.
- Rollback takes back everything but the existence of requests; one made after the checkpoint stays usable and is as
  it was when made, cut to the hosts that are left. A fork and a pickled copy have no open checkpoints.
- Reasons come in rule order, then by argument (static rules) or in resource order (fit). A fit reason is resolvable
  when at least one of the hosts it counts could be helped by removing items: none of that host's short resources has
  a demand outside smallest, largest and step, or above the capacity (but for the rule's always resolvable ones).
- Rules "eligible" and "cordon" stand first where the rules do not name them.
- Counters, member sets, budgets, pool rows and claims, and what a request contributes and asks (also what `extend`
  added) are definitions: rollback leaves them, with a budget's allowance, and what a claim holds, as it was made.
  Flags, promises, marks and allowances are taken back.
- A member set holds the hosts it was made with; hosts added later are not in it, also where they take over the index
  of one that a rollback took away.
- A host promised to others of at least the request's priority is asked with them and without; the first run that
  rejects speaks. Such hosts are left out of the smallest change.
- No feasible host: UNSCHEDULABLE if the first rejecting rule of some host is resolvable, else UNRESOLVABLE (also when
  there is no host at all).
"""

import copy

from tests.reference import (
    counting,
    domain_terms,
    eviction,
    fleet_rows,
    pools,
    refusals,
    smallest_change,
    windows,
)
from tests.reference.records import (
    FEASIBLE,
    HOLE,
    PLACED,
    UNASKED,
    UNRESOLVABLE,
    UNSCHEDULABLE,
    Decision,
    RequestClass,
    Rule,
    Score,
    State,
)
from tests.reference.refusals import Rejection
from tests.reference.rows import Host, Rules
from tests.reference.scores import normalised
from tests.reference.smallest_change import MAX_AMOUNT


def rejection(value: int | bool | None) -> int | None:
    """True -> None, False -> -1."""
    if isinstance(value, bool):
        return None if value else -1
    return value


class Fleet:
    """Hosts, what they hold, and the requests made on them."""

    def __init__(
        self, capacity, used=None, names=None, rules=None, scores=None, scored_only=(), labels=None,
        smallest=None, largest=None, step=None,
    ):  # fmt: skip
        self.resources = list(capacity)
        self.scored_only = set(scored_only)
        self.rules = list(rules or [Rule("fit", "fit")])
        for kind in ("eligible", "cordon"):
            if all(rule.kind != kind for rule in self.rules):
                self.rules.insert(0, Rule(kind, kind))
        self.rules.append(Rule("rows", "rows"))
        filtered = tuple((name, 1) for name in self.resources if name not in self.scored_only)
        self.scores = [Score("least", "least_allocated", 1, filtered)] if scores is None else scores
        hosts = len(next(iter(capacity.values())))
        self.state = State(
            names=list(names) if names else [None] * hosts,
            alive=[True] * hosts,
            cordoned=[False] * hosts,
            labels=[{key: column[h] for key, column in (labels or {}).items() if column[h]} for h in range(hosts)],
            capacity={name: list(column) for name, column in capacity.items()},
            used={name: list((used or {}).get(name, [0] * hosts)) for name in capacity},
            limits={
                "smallest": {name: list((smallest or {}).get(name, [1] * hosts)) for name in capacity},
                "largest": {name: list((largest or {}).get(name, [MAX_AMOUNT] * hosts)) for name in capacity},
                "step": {name: list((step or {}).get(name, [1] * hosts)) for name in capacity},
            },
        )
        self.state.roots = [Host({}) for _ in range(hosts)]
        self.originals: list[RequestClass] = []  # every request as it was made
        self.groups: list[tuple[list, Rules]] = []  # what each request class asks of rows
        self.checkpoints: list[State] = []
        self.definitions = counting.Definitions()
        self.terms: list[domain_terms.ClassTerms] = []  # by request class
        self.priorities: list[int] = []  # by request class
        self.budgets: list[int] = []  # allowances as made
        self.pools = pools.Pools()
        self.window_order: list[int] | None = None  # a setting: never taken back, like `window_stop`
        self.window_stop = 0

    # ---- hosts

    def live_hosts(self) -> list[int]:
        return [host for host, alive in enumerate(self.state.alive) if alive]

    def add_hosts(self, capacity, names=None, labels=None) -> list[int]:
        s = self.state
        count = len(next(iter(capacity.values())))
        first = len(s.alive)
        for i in range(count):
            s.names.append(names[i] if names else None)
            s.alive.append(True)
            s.cordoned.append(False)
            s.labels.append({key: column[i] for key, column in (labels or {}).items() if column[i]})
            s.roots.append(Host({}))
            for name in self.resources:
                s.capacity[name].append(capacity[name][i])
                s.used[name].append(0)
                s.limits["smallest"][name].append(1)
                s.limits["largest"][name].append(MAX_AMOUNT)
                s.limits["step"][name].append(1)
            for known in s.classes:
                if known.eligible_hosts is not None:
                    known.eligible_hosts.append(False)
                for column in known.rejects.values():
                    column.append(-1)
                for column in known.raw.values():
                    column.append(0)
        for members in self.definitions.members:
            members.difference_update(range(first, first + count))
        self.pools.new_hosts(range(first, first + count))
        for claim, host in s.held.pinned.items():
            if host >= first:
                s.held.pinned[claim] = pools.ELSEWHERE
        return list(range(first, first + count))

    def remove_hosts(self, hosts) -> None:
        s = self.state
        for host in hosts:
            assert s.alive[host]
            assert not self.items_on(host)
            s.alive[host] = False
            s.names[host] = None
            s.labels[host] = {}
            fleet_rows.drop_host(self, host)
            for name in self.resources:
                s.capacity[name][host] = s.used[name][host] = 0

    def resize(self, host, capacity) -> None:
        for name, amount in capacity.items():
            self.state.capacity[name][host] = amount

    def cordon(self, hosts, value=True) -> None:
        for host in hosts:
            self.state.cordoned[host] = value

    def relabel(self, host, labels) -> None:
        for key, value in labels.items():
            if value is None:
                self.state.labels[host].pop(key, None)
            else:
                self.state.labels[host][key] = value

    # ---- requests

    def compiled(self, demand, commit=None, score=None, eligible=None, rejects=None, raw=None, skip=()) -> RequestClass:
        """eligible: None, a list of bool (one a host) or a dict label -> values.

        rejects: by static rule, one value a host: True, False, or as in RequestClass.
        """
        hosts = len(self.state.alive)
        rules = [rule.name for rule in self.rules if rule.kind == "static"]
        statics = [term.name for term in self.scores if term.kind == "static"]

        def amounts(given):
            return {name: given.get(name, 0) for name in self.resources}

        return RequestClass(
            demand=amounts(demand),
            commit=amounts(demand if commit is None else commit),
            score=amounts(demand if score is None else score),
            eligible_hosts=list(eligible) if isinstance(eligible, list) else None,
            eligible_labels=dict(eligible) if isinstance(eligible, dict) else None,
            rejects={name: [rejection(v) for v in (rejects or {}).get(name, [-1] * hosts)] for name in rules},
            raw={name: list((raw or {}).get(name, [0] * hosts)) for name in statics},
            skip=frozenset(skip),
        )

    def request(self, *args, terms=(), contributes=None, priority=0, groups=(), group_rules=None, **kwargs) -> int:
        """Arguments of `compiled`; the number of the new class. Here, equal requests are not one class."""
        made = self.compiled(*args, **kwargs)
        made.index = len(self.state.classes)
        self.state.classes.append(made)
        self.originals.append(copy.deepcopy(made))
        self.terms.append(domain_terms.ClassTerms())
        self.definitions.contributes.append([])
        self.priorities.append(priority)
        self.groups.append((list(groups), group_rules or Rules()))
        self.extend(made.index, terms, contributes)
        return made.index

    def extend(self, request: int, terms=(), contributes=None) -> None:
        """More terms and contributions of a class that exists; its items in the fleet count at once."""
        self.terms[request].extend(terms)
        self.definitions.contributes[request] += counting.contributions(contributes)

    def repair(self, request, host, rejects=None, raw=None) -> None:
        for name, value in (rejects or {}).items():
            self.state.classes[request].rejects[name][host] = value
        for name, value in (raw or {}).items():
            self.state.classes[request].raw[name][host] = value

    # ---- counters, budgets, promises

    def counter(self, kind="additive", feeds=None) -> int:
        self.definitions.counters.append(counting.Counter(kind, feeds))
        return len(self.definitions.counters) - 1

    def count(self, counter: int, host: int) -> int:
        return counting.tables(self)[counter][host]

    def members(self, hosts) -> int:
        self.definitions.members.append(set(hosts))
        return len(self.definitions.members) - 1

    def pool_row(self, size: int, seen=None) -> int:
        self.pools.rows.append(pools.PoolRow(size, None if seen is None else set(seen)))
        return len(self.pools.rows) - 1

    def pool_claim(self, size: int, rows=(), provision=(), room=None, held=(), pinned=None) -> int:
        known = pools.Claim(size, list(rows), set(provision), None if room is None else set(room), held, pinned)
        self.pools.claims.append(known)
        self.state.held.meet(self.pools.claims)
        return len(self.pools.claims) - 1

    def budget(self, allowance: int) -> int:
        self.budgets.append(allowance)
        return len(self.budgets) - 1

    def allowance(self, budget: int) -> int:
        return self.state.allowances.get(budget, self.budgets[budget])

    def set_allowance(self, budget: int, allowance: int) -> None:
        self.state.allowances[budget] = allowance

    def promise(self, request: int, host: int, priority=None) -> int:
        s = self.state
        level = self.priorities[request] if priority is None else priority
        s.promises[s.next_promise] = eviction.Promise(request, host, level)
        s.next_promise += 1
        return s.next_promise - 1

    def withdraw(self, promise: int) -> None:
        del self.state.promises[promise]

    def mark(self, items, priority=0, order=0, budgets=()) -> None:
        """One priority, order and list of budgets for all of these items."""
        for item in items:
            self.state.marks[item] = eviction.Mark(priority, order, tuple(budgets))

    def window(self, stop, order=None, start=0) -> None:
        """Ask hosts in `order` only, until `stop` feasible ones are found; None: ask all."""
        self.window_stop, self.window_order = stop, None if stop is None else order
        self.state.cursor = 0 if stop is None else start

    # ---- decisions

    def rejections(self, request: int, host: int, sleeping: set[str], sums=None) -> list[Rejection]:
        return refusals.rejections(self, request, host, sleeping, sums)

    def explain(self, request_index: int) -> Decision:
        """What place would decide now, without placing."""
        request = self.state.classes[request_index]
        hosts = self.live_hosts()
        sleeping, sums = domain_terms.asleep(self, request_index), domain_terms.Sums(self, request_index)
        rejections = {host: self.rejections(request_index, host, sleeping, sums) for host in hosts}
        feasible = [host for host in hosts if not rejections[host]]
        cursor = self.state.cursor
        if self.window_order is not None:
            asked, cursor = windows.look(self.window_order, self.window_stop, cursor, set(feasible))
            hosts = [host for host in hosts if host in asked]
            feasible = [host for host in feasible if host in asked]
            unasked = rejections.keys() - asked
            rejections = {host: rejections[host] for host in hosts}
        else:
            unasked = set()
        totals = dict.fromkeys(feasible, 0)
        parts = {host: {} for host in feasible}
        for term in self.scores:
            values = normalised(self, term, request, feasible, sums)
            if term.name in request.skip or values is None:
                continue
            for host, value in zip(feasible, values, strict=True):
                totals[host] += term.weight * value
                parts[host][term.name] = (value, term.weight)
        ties = [host for host in feasible if totals[host] == max(totals.values())]
        chosen = ties[0] if ties else None
        helped = [host for host in hosts if rejections[host] and rejections[host][0].resolvable]
        promised = {host for host in hosts if eviction.promised(self, host, self.priorities[request_index])}
        changeable = {host: found for host, found in rejections.items() if host not in promised}
        every = range(len(self.state.alive))
        return Decision(
            verdict=PLACED if ties else UNSCHEDULABLE if helped else UNRESOLVABLE,
            host=chosen,
            score=totals[chosen] if ties else None,
            feasible=len(feasible),
            ties=ties,
            parts=parts[chosen] if ties else {},
            reasons=refusals.reasons(self, rejections),
            smallest_change=None if ties else smallest_change.smallest_change(self, request, changeable),
            verdicts_by_host=[(rejections[h][0].position if rejections[h] else FEASIBLE) if h in rejections
                              else UNASKED if h in unasked else HOLE for h in every],
            reasons_by_host=[
                tuple((self.rules[r.position].name, r.argument) for r in rejections.get(h, [])) for h in every
            ],
            cursor=cursor,
        )  # fmt: skip

    # ---- items

    def place(self, request: int, count: int = 1) -> list[Decision]:
        return self.place_many([request], [0] * count)

    def place_many(self, requests, which) -> list[Decision]:
        decisions = []
        for position in which:
            decision = self.explain(requests[position])
            self.state.cursor = decision.cursor
            if decision.host is not None:
                decision.item = self.commit(requests[position], decision.host)
            decisions.append(decision)
        return decisions

    def claim(self, request: int, hosts) -> list[int]:
        return [self.commit(request, host) for host in hosts]

    def commit(self, request: int, host: int) -> int:
        """A new item on a host. Raises NoRows, with nothing changed."""
        s = self.state
        claims = fleet_rows.wanted(self, request, host)
        for name in self.resources:
            s.used[name][host] += s.classes[request].commit[name]
        item = s.next_item
        s.next_item += 1
        s.items[item] = (request, host)
        s.claims[item] = claims
        fleet_rows.move(self, claims, 1)
        s.marks[item] = eviction.Mark()
        counting.set_flags(self, request, host, True)
        pools.commit(self, request, host)
        return item

    def release(self, items) -> None:
        for item in items:
            request, host = self.state.items.pop(item)
            del self.state.marks[item]
            fleet_rows.move(self, self.state.claims.pop(item), -1)
            counting.set_flags(self, request, host, False)
            for name in self.resources:
                self.state.used[name][host] -= self.state.classes[request].commit[name]

    def items_on(self, host: int) -> list[int]:
        return [item for item, (_, where) in self.state.items.items() if where == host]

    # ---- undo

    def checkpoint(self) -> int:
        self.checkpoints.append(copy.deepcopy(self.state))
        return len(self.checkpoints) - 1

    def rollback(self, token: int) -> None:
        assert token == len(self.checkpoints) - 1
        later = self.originals[len(self.checkpoints[token].classes) :]
        self.state = self.checkpoints.pop()
        self.state.held.meet(self.pools.claims)
        hosts = len(self.state.alive)
        for original in later:
            known = copy.deepcopy(original)
            if known.eligible_hosts is not None:
                del known.eligible_hosts[hosts:]
            for column in [*known.rejects.values(), *known.raw.values()]:
                del column[hosts:]
            self.state.classes.append(known)

    def keep(self, token: int) -> None:
        assert token == len(self.checkpoints) - 1
        self.checkpoints.pop()

    def fork(self) -> "Fleet":
        other = copy.deepcopy(self)
        other.checkpoints = []
        return other
