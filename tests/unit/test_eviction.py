"""Promises, marks, budgets and evictions by example, and malformed calls of them."""

import threading

import numpy as np
import pytest

from binwright import External, Fleet, Group, InputError, Profile, Rule, StateError
from binwright.terms import Ref, forbid, pool
from tests.property import registry


def made_fleet(hosts=3, slots=4):
    profile = Profile(rules=(Rule("ports"), Rule("fit", "fit")))
    return Fleet({"slots": np.full(hosts, slots)}, names=[f"h{i}" for i in range(hosts)], profile=profile)


def test_a_promise_counts_for_its_equals_and_the_less_important():
    fleet = made_fleet()
    one = fleet.request({"slots": 3}, priority=5)
    for priority, fits in ((4, [1, 2]), (5, [1, 2]), (6, [0, 1, 2])):
        asks = fleet.request({"slots": 2}, priority=priority)
        number = fleet.promise(one, 0)
        verdicts = fleet.explain(asks).verdicts_by_host()
        assert np.flatnonzero(verdicts == 255).tolist() == fits
        fleet.withdraw(number)
        assert fleet.explain(asks).feasible == 3
    assert fleet.used.tolist() == [[0, 0, 0]]


def test_a_promised_host_must_fit_without_the_promise_as_well():
    """A promise cannot give what is asked for; the reasons are those of the run that speaks."""
    fleet = made_fleet(1)
    port = fleet.counter("flag")
    holder = fleet.request({"slots": 1}, contributes={port: 1})
    asks = fleet.request({"slots": 4}, terms=[forbid("ports", [Ref(port)], argument=3)])
    fleet.promise(holder, 0)
    assert fleet.explain(asks).reasons_at(0) == (("ports", 3), ("fit", "slots"))
    assert fleet.explain(asks).smallest_change is None  # neither change alone would let it in
    assert fleet.explain(fleet.request({"slots": 5})).smallest_change is None
    fleet.withdraw(0)
    assert fleet.explain(asks).feasible == 1


def test_victims_are_the_least_that_must_go():
    fleet = made_fleet(2)
    item = fleet.request({"slots": 1})
    first = fleet.claim(item, [0] * 4)
    second = fleet.claim(item, [1] * 4)
    fleet.mark(first, priority=[1, 2, 3, 9], order=[0, 0, 0, 0])
    fleet.mark(second, priority=[1, 1, 1, 1], order=[5, 7, 6, 8])
    found = fleet.evict(fleet.request({"slots": 2}, priority=9))
    assert [(c.host, c.victims, c.violations) for c in found.candidates] == [
        (0, (first[1], first[0]), 0),
        (1, (second[1], second[3]), 0),
    ]
    assert found.best.host == 1
    assert fleet.used.tolist() == [[4, 4]]


class NoMemory:
    def __iter__(self):
        raise MemoryError("no more")


def test_evict_puts_everything_back_when_memory_runs_out_midway():
    fleet = made_fleet(1)
    port, seat = fleet.counter("flag"), fleet.counter()
    fleet.add_rows({"gpu": [1, 1]}, [0, 0])
    claim = fleet.pools.add_claim(1, fleet.pools.add([1]))
    store = pool("ports", [claim])
    for _ in range(2):
        item = fleet.request({"slots": 1}, groups=[Group({"gpu": 1})], contributes={port: 1, seat: 2}, terms=[store])
        fleet.claim(item, [0])
    fleet.mark(fleet.items_on(0), budgets=[[fleet.budget(0)]] * 2)
    asks = fleet.request({"slots": 4}, terms=[forbid("ports", [Ref(port)])], priority=9)
    before = registry.snapshot(fleet)
    lists = fleet._state.budgets.lists
    kept, lists[0] = lists[0], NoMemory()  # budgets are walked while all are taken out
    with pytest.raises(MemoryError, match="no more"):
        fleet.evict(asks)
    lists[0] = kept
    assert registry.snapshot(fleet) == before
    assert fleet.evict(asks).best.victims == tuple(fleet.items_on(0).tolist())
    assert registry.snapshot(fleet) == before


def test_budgets_spare_what_they_cover_least():
    fleet = made_fleet(1)
    items = fleet.claim(fleet.request({"slots": 1}), [0] * 4)
    tight, loose = fleet.budget(0), fleet.budget(1)
    fleet.mark(items, priority=1, order=[1, 2, 3, 4], budgets=[[tight], [loose], [loose], []])
    asks = fleet.request({"slots": 2}, priority=2)
    assert fleet.evict(asks).best.victims == (items[1], items[3])
    assert fleet.evict(asks).best.violations == 0
    fleet.set_allowance(loose, -1)
    best = fleet.evict(fleet.request({"slots": 3}, priority=2)).best
    assert (best.victims, best.violations) == ((items[1], items[2], items[3]), 2)
    assert (fleet.allowance(tight), fleet.allowance(loose)) == (0, -1)


def test_why_a_host_is_no_candidate():
    fleet = made_fleet(4)
    item = fleet.request({"slots": 1})
    fleet.mark(fleet.claim(item, [0, 0, 0]), priority=5)
    fleet.claim(item, [1, 1, 1, 1, 2])
    fleet.cordon(3)
    found = fleet.evict(fleet.request({"slots": 3}, priority=5))
    assert [c.host for c in found.candidates] == [1]
    assert [(o.host, o.why) for o in found.others] == [
        (0, "nothing to evict"),
        (2, "nothing left to evict"),
        (3, "nothing to evict"),
    ]
    fleet.resize(1, {"slots": 2})
    (other,) = fleet.evict(fleet.request({"slots": 3}, priority=5), 1).others
    assert (other.why, other.first, other.short, other.argument) == ("still refused", 3, 1, -1)
    assert fleet.evict(item, []).best is None


def test_an_item_of_the_lowest_priority_goes_first():
    fleet = made_fleet(1, slots=2)
    items = fleet.claim(fleet.request({"slots": 1}), [0, 0])
    fleet.mark(items, priority=[-(2**31), 0])
    assert fleet.evict(fleet.request({"slots": 1}, priority=1)).best.victims == (items[0],)


def test_victims_of_the_lowest_priority_are_named_last():
    fleet = made_fleet(1)
    items = fleet.claim(fleet.request({"slots": 1}), [0] * 4)
    fleet.mark(items, priority=[-(2**31), 0, -(2**31), 5])
    (found,) = fleet.evict(fleet.request({"slots": 4}, priority=9)).candidates
    assert found.victims == tuple(items[[3, 1, 0, 2]])
    assert found.rank[1] == 5


def test_a_rule_that_slept_at_the_beginning_sleeps_through_the_eviction():
    """Only the promise carries what is forbidden: without skip_when_empty it counts, with it it does not."""
    fleet = made_fleet(1)
    carried = fleet.counter()
    fleet.promise(fleet.request({}, contributes={carried: 1}, priority=9), 0)
    fleet.claim(fleet.request({"slots": 4}), 0)
    for skips in (True, False):
        terms = [forbid("ports", [Ref(carried)], argument=2, skip_when_empty=skips)]
        found = fleet.evict(fleet.request({"slots": 1}, terms=terms, priority=1))
        assert len(found.candidates) == skips
        assert [other.argument for other in found.others] == ([] if skips else [2])


def test_a_flag_with_two_holders_is_clear_once_one_was_taken_out():
    fleet = made_fleet(1)
    port = fleet.counter("flag")
    holder = fleet.request({"slots": 1}, contributes={port: 1})
    low, high = fleet.claim(holder, [0, 0])
    fleet.mark(high, priority=9)
    asks = fleet.request({"slots": 1}, terms=[forbid("ports", [Ref(port)])], priority=5)
    assert fleet.evict(asks).best.victims == (low,)
    assert fleet.count(port, 0) == 1


def test_marks_budgets_and_promises_are_taken_back():
    fleet = made_fleet(1)
    item = fleet.claim(fleet.request({"slots": 4}), 0)
    budget = fleet.budget(1)
    asks = fleet.request({"slots": 1}, priority=1)
    token = fleet.checkpoint()
    fleet.mark(item, priority=7, budgets=[[budget]])
    fleet.set_allowance(budget, 5)
    promise = fleet.promise(asks, 0)
    assert fleet.evict(asks).best is None
    fleet.rollback(token)
    assert fleet.allowance(budget) == 1
    assert fleet.evict(asks).best.victims == (item[0],)
    with pytest.raises(InputError):
        fleet.withdraw(promise)


CALLS = {
    "promise of nothing": (
        lambda f, r: f.promise(3, 0),
        "promise: 3 was not made by this fleet, or by the one it was forked from",
    ),
    "promise nowhere": (lambda f, r: f.promise(r, 3), "promise: no host 3 in a fleet of 3"),
    "promise two hosts": (lambda f, r: f.promise(r, [0, 1]), "promise: needs one host, has 2"),
    "promise past int32": (lambda f, r: f.promise(r, 0, 2**31), "promise: priority 2147483648 is past int32"),
    "promise too much": (
        lambda f, r: [f.promise(f.request({"slots": 2**56}), 0) for _ in range(33)],
        "promise: what is promised on host 0 would pass 2**61",
    ),
    "priority past int32": (lambda f, r: f.request({}, priority=2**31), "request: priority 2147483648 is past int32"),
    "priority of half": (lambda f, r: f.request({}, priority=0.5), "request: priority: 0.5 is not an integer"),
    "withdraw nothing": (lambda f, r: f.withdraw(1), "withdraw: no promise 1"),
    "withdraw -1": (lambda f, r: f.withdraw(-1), "withdraw: no promise -1"),
    "withdraw past int64": (lambda f, r: f.withdraw(2**70), "withdraw: no promise 1180591620717411303424"),
    "budget past int64": (
        lambda f, r: f.budget(2**70),
        "budget: allowance 1180591620717411303424 is outside -2147483647..2147483647",
    ),
    "budget of half": (lambda f, r: f.budget(0.5), "budget: 0.5 is not an integer"),
    "allowance of nothing": (lambda f, r: f.allowance(1), "allowance: no budget 1"),
    "set nothing": (lambda f, r: f.set_allowance(9, 0), "set_allowance: no budget 9"),
    "set too much": (
        lambda f, r: f.set_allowance(0, -(2**31)),
        "set_allowance: budget 0: allowance -2147483648 is outside -2147483647..2147483647",
    ),
    "mark no item": (lambda f, r: f.mark([0, 9]), "mark: 9 is not an item of this fleet (released before?)"),
    "mark -1": (lambda f, r: f.mark(-1), "mark: -1 is not an item of this fleet (released before?)"),
    "mark past int32": (
        lambda f, r: f.mark(0, priority=2**31),
        "mark: priority, item 0: 2147483648 is outside -2147483648..2147483647",
    ),
    "mark with floats": (lambda f, r: f.mark(0, order=0.5), "mark: order: needs integers, has float64"),
    "mark with too few": (lambda f, r: f.mark([0, 1], priority=[1]), "mark: 2 items, but 1, 2 and 2 values"),
    "mark with no budget": (lambda f, r: f.mark(0, budgets=[[1]]), "mark: no budget 1"),
    "mark with flat budgets": (
        lambda f, r: f.mark(0, budgets=[0]),
        "mark: budgets [0] is not one list of budget numbers an item",
    ),
    "mark with one number": (
        lambda f, r: f.mark(0, budgets=0),
        "mark: budgets 0 is not one list of budget numbers an item",
    ),
    "evict for nothing": (
        lambda f, r: f.evict("web"),
        "evict: 'web' was not made by this fleet, or by the one it was forked from",
    ),
    "evict nowhere": (lambda f, r: f.evict(r, [0, 4]), "evict: no host 4 in a fleet of 3"),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_malformed_call_is_one_line_and_changes_nothing(case):
    action, line = CALLS[case]
    fleet = made_fleet()
    request = fleet.request({"slots": 2}, priority=3)
    fleet.claim(request, [0, 1])
    fleet.budget(2)
    fleet.promise(request, 2)

    def seen():
        found = fleet.evict(fleet.request({"slots": 4}, priority=9))
        return found, fleet.used.tolist(), fleet.allowance(0)

    before = seen()
    token = fleet.checkpoint()
    with pytest.raises(InputError) as refusal:
        action(fleet, request)
    assert str(refusal.value) == line
    fleet.rollback(token)  # the thirty-two promises that may be
    assert seen() == before


def test_a_removed_host_keeps_a_promise_to_nobody():
    fleet = made_fleet()
    asks = fleet.request({"slots": 4})
    number = fleet.promise(asks, 1, priority=0)
    fleet.remove_hosts(1)
    assert fleet.explain(asks).verdicts_by_host().tolist() == [255, 254, 255]
    with pytest.raises(InputError):
        fleet.promise(asks, 1)
    assert fleet.fork().place(asks, count=3).hosts.tolist() == [0, 2, -1]
    fleet.withdraw(number)


def test_definitions_wait_while_another_thread_is_inside_a_batch():
    """A batch reads counters, terms and promises without the interpreter's lock: nobody may move them meanwhile."""
    hosts = 20_000
    fleet = made_fleet(hosts, slots=2**40)
    counter = fleet.counter()
    request = fleet.request({"slots": 1}, terms=[forbid("ports", [Ref(counter, "zone")])])
    batch = threading.Thread(target=fleet.place, args=(request, 2_000_000))
    calls = (
        fleet.counter,
        lambda: fleet.members([0]),
        lambda: fleet.extend(request, contributes={counter: 1}),
        lambda: fleet.promise(request, 0),
        lambda: fleet.withdraw(0),
        lambda: fleet.budget(1),
        lambda: fleet.request({}, terms=[forbid("ports", [Ref(counter, "another")])]),
        lambda: fleet.relabel(0, {"third": "x"}),
        lambda: fleet.evict(request, [0]),
    )
    batch.start()
    refused = 0
    while batch.is_alive():
        for call in calls:
            try:
                call()
            except StateError as error:
                refused += "busy" in str(error)
            except InputError:
                pass  # no promise to withdraw: between two batches of this loop
    batch.join()
    assert refused


class Shut(External):
    """Rejects one host, which may change at any time."""

    rule = "ports"

    def __init__(self, host):
        self.host = host

    def rejected(self, fleet, request):
        return np.arange(len(fleet)) == self.host


def test_external_terms_are_asked_before_an_eviction():
    fleet = made_fleet()
    fleet.claim(fleet.request({"slots": 4}), [0, 1, 2])
    shut = Shut(0)
    asks = fleet.request({"slots": 1}, priority=1, external=[shut])
    assert [c.host for c in fleet.evict(asks).candidates] == [1, 2]
    shut.host = 2
    assert [c.host for c in fleet.evict(asks).candidates] == [0, 1]


class Nosy(External):
    """Looks at the fleet while it is asked, and once tries to change it."""

    rule = "ports"

    def __init__(self):
        self.seen = []
        self.meddles = False

    def rejected(self, fleet, request):
        if self.meddles:
            fleet.cordon(0)
        self.seen.append([len(fleet.items_on(host)) for host in range(len(fleet))])
        return np.zeros(len(fleet), bool)


def test_an_external_term_may_look_at_the_fleet_in_a_batch_but_not_change_it():
    fleet = made_fleet()
    nosy = Nosy()
    asks = fleet.request({"slots": 2}, external=[nosy])
    assert fleet.place(asks, count=3).hosts.tolist() == [0, 0, 1]
    assert nosy.seen == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    nosy.meddles = True
    with pytest.raises(StateError):
        fleet.place(asks)
    nosy.meddles = False
    assert fleet.place(asks).hosts.tolist() == [1]
