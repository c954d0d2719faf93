"""One writer per fleet, any number of readers and forks: what a second thread may do meanwhile, and what it is told."""

import threading

import numpy as np
import pytest

from binwright import External, Fleet, InputError, Profile, Rule, StateError, least_allocated

BUSY = "busy in another thread"
PROFILE = Profile(rules=(Rule("own"), Rule("fit", "fit")), scores=(least_allocated({"cpu": 1}),))


class Slow(dict):
    """Labels that wait in the middle of add_hosts until `go`."""

    def __init__(self):
        super().__init__(zone=["b"])
        self.inside, self.go = threading.Event(), threading.Event()

    def items(self):
        self.inside.set()
        assert self.go.wait(20)
        return super().items()


def made():
    fleet = Fleet({"cpu": np.full(3, 8)}, labels={"zone": ["a", "b", "b"]})
    return fleet, fleet.request({"cpu": 2}, eligible={"zone": ["b"]})


def test_a_change_of_several_steps_keeps_others_out_until_it_is_done():
    fleet, request = made()
    labels = Slow()
    writer = threading.Thread(target=fleet.add_hosts, args=({"cpu": [16]},), kwargs={"labels": labels})
    writer.start()
    try:
        assert labels.inside.wait(20)
        before = len(fleet)
        for misuse in (
            lambda: fleet.place(request),
            lambda: fleet.claim(request, [0]),
            lambda: fleet.request({"cpu": 1}),
            lambda: fleet.add_hosts({"cpu": [1]}),
            lambda: fleet.cordon(0),
            lambda: fleet.checkpoint(),
            lambda: fleet.counter(),
            lambda: fleet.budget(1),
            lambda: fleet.pools.add([1]),
            lambda: fleet.rows.add({"cpu": [1]}, [0]),
            lambda: fleet.fork(),
        ):
            with pytest.raises(StateError, match=BUSY):
                misuse()
        assert len(fleet) == before
        assert fleet.capacity.tolist() == [[8, 8, 8]]  # looking is allowed
    finally:
        labels.go.set()
        writer.join()
    assert fleet.place(request, 3).hosts.tolist() == [3, 1, 2]


def test_a_change_that_fails_lets_others_in():
    fleet, request = made()
    with pytest.raises(InputError):
        fleet.add_hosts({"disk": [1]})
    answers = []
    other = threading.Thread(target=lambda: answers.append(fleet.place(request).hosts.tolist()))
    other.start()
    other.join()
    assert answers == [[1]]


def test_forks_and_readers_are_free():
    fleet, request = made()
    fleet.place(request)
    wanted = fleet.fork().place(request, 9).hosts.tolist(), repr(fleet.explain(request))
    found = []

    def read():
        for _ in range(30):
            found.append((fleet.fork().place(request, 9).hosts.tolist(), repr(fleet.explain(request))))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 120


class Asked(External):
    """A filter that lets the test in while it is asked."""

    rule = "own"

    def __init__(self):
        self.inside, self.go, self.calls = threading.Event(), threading.Event(), None

    def rejected(self, fleet, request):
        self.inside.set()
        if self.calls:
            self.calls()
        assert self.go.wait(20)
        return np.zeros(len(fleet), bool)


def test_a_past_decision_is_not_looked_at_while_a_batch_runs():
    """The words are those of one writer, not of a fleet that has changed too much; afterwards it is explained."""
    fleet = Fleet({"cpu": np.full(3, 8)}, profile=PROFILE)
    plain, term = fleet.request({"cpu": 2}), Asked()
    slow = fleet.request({"cpu": 3}, external=[term])
    result, live = fleet.place(plain, 2), fleet.explain(plain, live=True)
    writer = threading.Thread(target=fleet.place, args=(slow,))
    writer.start()
    try:
        assert term.inside.wait(20)
        for misuse in (lambda: result.explain(1), lambda: result.ties(0), lambda: live.verdict):
            with pytest.raises(StateError, match=BUSY):
                misuse()
    finally:
        term.go.set()
        writer.join()
    assert repr(result.explain(1)) == repr(result.explain(-1)) != repr(fleet.explain(plain))
    assert result.ties(0).tolist() == [0, 1, 2]
    assert result.ties(1).tolist() == [1, 2]


def test_a_term_cannot_explain_the_fleet_that_asks_it():
    """What is explained live would be written into the scratch memory of the very decision."""
    fleet = Fleet({"cpu": np.full(3, 8)}, profile=PROFILE)
    plain, term, refused = fleet.request({"cpu": 2}), Asked(), []
    result = fleet.place(plain)
    term.go.set()

    def misuse():
        for explain in (lambda: fleet.explain(plain, live=True).feasible, lambda: result.explain(0)):
            with pytest.raises(StateError, match=BUSY) as error:
                explain()
            refused.append(str(error.value))

    term.calls = misuse
    assert fleet.place(fleet.request({"cpu": 3}, external=[term])).hosts.tolist() == [1]
    assert len(refused) == 2


def test_a_fork_or_a_past_into_which_a_term_lets_a_writer_is_refused():
    """The term's `fork` places on the fleet that is being copied: the copy would hold half of it."""

    class Meddles(Asked):
        def fork(self):
            if self.calls:
                self.calls()
            return self

    fleet = Fleet({"cpu": np.full(3, 8)}, profile=PROFILE)
    plain, term = fleet.request({"cpu": 1}), Meddles()
    term.go.set()
    result = fleet.place(fleet.request({"cpu": 3}, external=[term]))
    term.calls = lambda: fleet.place(plain)
    for misuse in (fleet.fork, lambda: result.explain(0)):
        with pytest.raises(StateError, match=BUSY):
            misuse()
    term.calls = None
    assert fleet.fork().place(plain).hosts.tolist() == fleet.place(plain).hosts.tolist()
    assert result.explain(0).host == 0
