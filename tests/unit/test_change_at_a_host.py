"""`Explanation.smallest_change_at`: the change for one host, whatever would be enough elsewhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright import Change, Fleet, Profile, Rule


def explained(capacity, used, demand, closed=(), profile=None):
    """Hosts with these cores and memory; those in `closed` reject by a rule of their own."""
    profile = profile or Profile(rules=(Rule("fit", "fit"), Rule("closed")))
    columns = {name: np.array(values) for name, values in capacity.items()}
    fleet = Fleet(columns, used={name: np.array(values) for name, values in used.items()}, profile=profile)
    hosts = len(next(iter(columns.values())))
    arguments = np.where(np.isin(np.arange(hosts), closed), 7, -1).astype(np.int32)
    return fleet.explain(fleet.request(demand, rejects={"closed": arguments}))


def test_every_host_has_its_own_change_or_none():
    look = explained(
        {"cpu": [8, 4, 4, 4, 8], "memory": [8, 8, 2, 2, 8]},
        {"cpu": [7, 4, 0, 4, 0], "memory": [0, 0, 0, 0, 0]},
        {"cpu": 6, "memory": 4},
        closed=[4],
    )
    assert [look.smallest_change_at(host) for host in range(5)] == [
        Change("request", 0, resource="cpu", have=1, need=6),
        Change("host", 1, resource="cpu", have=4, need=10),  # nothing is free, so asking for less is no way
        None,  # short of both
        None,
        Change("rule", 4, rule="closed", argument=7),
    ]


def test_a_host_that_takes_it_needs_no_change():
    look = explained({"cpu": [8, 1]}, {"cpu": [0, 0]}, {"cpu": 2})
    assert look.smallest_change_at(0) is None
    assert look.smallest_change is None  # it is placed
    assert look.smallest_change_at(1) == Change("request", 1, resource="cpu", have=1, need=2)


@pytest.mark.parametrize("rule", ["fit", "closed"])
def test_two_rules_at_once_are_no_single_change(rule):
    look = explained({"cpu": [1]}, {"cpu": [0]}, {"cpu": 2}, closed=[0])
    assert look.smallest_change_at(0) is None


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), min_size=1, max_size=8))
def test_the_smallest_of_all_is_that_of_its_host(hosts):
    """Whatever is enough for the fleet is what its host says, if nothing is placed."""
    look = explained(
        {"cpu": [cpu for cpu, _, _ in hosts], "memory": [memory for _, memory, _ in hosts]},
        {},
        {"cpu": 5, "memory": 3},
        closed=[host for host, (_, _, shut) in enumerate(hosts) if shut],
    )
    best = look.smallest_change
    changes = [look.smallest_change_at(host) for host in range(len(hosts))]
    if best is not None:
        assert changes[best.host] == best
    elif not look.feasible:
        assert changes == [None] * len(hosts)
