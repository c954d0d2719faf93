"""The window by example: a part of the fleet is asked, the rest has no say; malformed calls of it."""

import pickle

import numpy as np
import pytest

from binwright import Fleet, InputError, Profile, Rule, Verdict

UNASKED = 253


def made_fleet(hosts=4):
    return Fleet({"slots": np.full(hosts, 2)}, profile=Profile(rules=(Rule("closed"), Rule("fit", "fit"))))


def test_a_decision_stops_before_one_feasible_host_too_many():
    fleet = made_fleet()
    fleet.window(2, order=[3, 1, 0, 2], start=1)
    asks = fleet.request({"slots": 2})
    assert fleet.explain(asks).verdicts_by_host().tolist() == [255, 255, UNASKED, UNASKED]
    assert fleet.window_start == 1  # looking moves nothing
    assert fleet.place(asks).hosts.tolist() == [0]
    assert fleet.window_start == 3
    assert fleet.place(asks, count=4).hosts.tolist() == [2, 1, 3, -1]
    fleet.window(None)
    assert fleet.explain(fleet.request({})).feasible == 4


def test_hosts_that_are_not_asked_have_no_say_in_the_verdict():
    fleet = made_fleet()
    asks = fleet.request({"slots": 1}, rejects={"closed": np.array([True, True, False, False])})
    fleet.claim(fleet.request({"slots": 2}), [2, 3])
    assert fleet.place(asks).verdicts.tolist() == [Verdict.UNSCHEDULABLE]
    fleet.window(1, order=[0, 1])
    result = fleet.place(asks, count=2)
    assert result.verdicts.tolist() == [Verdict.UNRESOLVABLE] * 2
    assert [result.explain(i).verdict for i in range(2)] == [Verdict.UNRESOLVABLE] * 2


def test_hosts_of_the_order_that_a_rollback_took_away_are_passed_by():
    fleet = made_fleet(256)
    asks = fleet.request({"slots": 1})
    token = fleet.checkpoint()
    fleet.add_hosts({"slots": np.full(300, 2)})
    fleet.window(1, order=[*range(500, 256, -1), 7, 8])
    assert fleet.place(asks).hosts.tolist() == [500]
    fleet.rollback(token)
    assert fleet.place(asks, count=3).hosts.tolist() == [7, 8, 7]


def test_the_cursor_is_taken_back_and_the_order_is_not():
    fleet = made_fleet()
    fleet.window(1)
    asks = fleet.request({"slots": 1})
    fleet.place(asks)
    token = fleet.checkpoint()
    assert fleet.place(asks, count=2).hosts.tolist() == [1, 2]
    fleet.rollback(token)
    assert fleet.window_start == 1
    assert fleet.fork().place(asks).hosts.tolist() == [1]


CALLS = {
    "a host twice": (lambda f: f.window(1, order=[0, 0]), "window: order names a host twice"),
    "no such host": (lambda f: f.window(1, order=[0, 4]), "window: order: no host 4 in a fleet of 4"),
    "stop of 0": (lambda f: f.window(0), "window: stop 0 must be at least 1, start 0 in 0..3"),
    "start beyond": (lambda f: f.window(1, start=4), "window: stop 1 must be at least 1, start 4 in 0..3"),
    "stop of half": (lambda f: f.window(0.5), "window: stop: 0.5 is not an integer"),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_malformed_window_is_one_line_and_changes_nothing(case):
    action, line = CALLS[case]
    fleet = made_fleet()
    fleet.window(2, start=1)
    with pytest.raises(InputError) as refusal:
        action(fleet)
    assert str(refusal.value) == line
    found = fleet.explain(fleet.request({})).verdicts_by_host()
    assert (found.tolist(), fleet.window_start) == ([UNASKED, 255, 255, UNASKED], 1)


def test_a_cursor_that_a_rollback_brings_back_survives_a_pickle():
    """A rollback gives the cursor back, not the order: without a window, it stands past the end."""
    fleet = Fleet({"cpu": [4, 4, 4]})
    fleet.window(2)
    fleet.place(fleet.request({"cpu": 1}))
    token = fleet.checkpoint()
    cursor = fleet.window_start
    fleet.window(None)
    fleet.rollback(token)
    again = pickle.loads(pickle.dumps(fleet))
    assert again.window_start == cursor == 2
    again.window(2)
    assert again.place(again.request({"cpu": 1})).placed == 1
