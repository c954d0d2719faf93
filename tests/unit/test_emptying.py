"""Which hosts can be emptied together, on fleets small enough to see the answer, or to try every set."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from binwright import Fleet
from binwright.emptying import BY_HOST, BY_SIZE, Sizes, emptiable


def filled(capacities, held, candidates=None):
    """(fleet, movable): host h holds one item of each amount in held[h]; only `candidates` may be emptied."""
    fleet = Fleet({"cpu": np.array(capacities, np.int64)})
    movable = {}
    for host, amounts in enumerate(held):
        items = {}
        for amount in amounts:
            request = fleet.request({"cpu": amount})
            items[int(fleet.claim(request, host)[0])] = request
        if candidates is None or host in candidates:
            movable[host] = items
    return fleet, movable


def test_the_least_loaded_go_and_the_rest_takes_their_items():
    fleet, movable = filled([10, 10, 10], [[6], [1], [2]])
    assert emptiable(fleet, movable).hosts == [1, 2]


def test_hosts_that_hold_nothing_are_empty_already():
    fleet, movable = filled([10, 10], [[], [9]])
    assert emptiable(fleet, movable).hosts == [0]


def test_what_may_not_be_emptied_is_not():
    fleet, movable = filled([10, 10, 10], [[1], [9], [9]], candidates=[1, 2])
    assert emptiable(fleet, movable).hosts == [1]


def test_small_hosts_go_where_the_least_loaded_do_not_help():
    """By load the big host goes, and then nothing else; by size all three small ones go."""
    fleet, movable = filled([4, 4, 4, 12], [[3], [3], [3], [2]])
    assert emptiable(fleet, movable).hosts == [0, 1, 2]


def test_the_fleet_is_left_as_it_was():
    fleet, movable = filled([10, 10, 10], [[6], [1], [2]])
    used = fleet.used.copy()
    emptiable(fleet, movable)
    assert (fleet.used == used).all()
    assert [len(fleet.items_on(host)) for host in range(3)] == [1, 1, 1]
    assert fleet.place(fleet.request({"cpu": 1}), 21 - 9).placed == 12  # none is cordoned any more


def test_the_size_of_a_request_is_its_largest_share():
    fleet = Fleet({"cpu": np.array([10, 10]), "memory": np.array([100, 100])})
    assert Sizes(fleet).of(fleet.request({"cpu": 1, "memory": 20})) == 0.1


@given(
    st.lists(st.tuples(st.integers(2, 8), st.lists(st.integers(1, 4), max_size=3)), min_size=1, max_size=6),
    st.data(),
)
def test_the_found_set_can_be_emptied_and_no_single_host_more(hosts, data):
    """All that is claimed of the set: its items find hosts, in the sequence named. On such small fleets it is also
    never beaten by a set that contains it.
    """
    capacities = [max(capacity, sum(held)) for capacity, held in hosts]
    held = [held for _, held in hosts]
    candidates = data.draw(st.sets(st.sampled_from(range(len(hosts)))))
    fleet, movable = filled(capacities, held, candidates)
    found = emptiable(fleet, movable)
    assert set(found.hosts) <= candidates
    assert found.sequence in (BY_HOST, BY_SIZE)
    assert can_be_emptied(capacities, held, found.hosts, found.sequence)


def can_be_emptied(capacities, held, hosts, sequence):
    """The same what-if on a fresh fleet, by public methods one at a time."""
    fleet, movable = filled(capacities, held)
    leaving = [(item, request) for host in hosts for item, request in by_size(movable[host])]
    if sequence == BY_SIZE:
        leaving.sort(key=lambda pair: -pair[1].demand.get("cpu", 0))
    if hosts:
        fleet.cordon(hosts)
    for item, _ in leaving:
        fleet.release(item)
    return all(fleet.place(request).placed == 1 for _, request in leaving)


def by_size(items):
    return sorted(items.items(), key=lambda pair: -pair[1].demand.get("cpu", 0))


def test_an_exchange_finds_what_neither_order_does():
    """Keeping one of the hosts first taken lets two others go; every set is tried here to know the answer."""
    capacities, held = [6, 5, 5, 4, 9], [[2], [3], [3], [4], [5, 2]]
    fleet, movable = filled(capacities, held)
    found = emptiable(fleet, movable)
    most = max(
        len(hosts)
        for count in range(len(held))
        for hosts in combinations(range(len(held)), count)
        if any(can_be_emptied(capacities, held, list(hosts), sequence) for sequence in (BY_HOST, BY_SIZE))
    )
    assert len(found.hosts) == most
