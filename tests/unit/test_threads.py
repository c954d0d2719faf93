"""One writer per fleet, any number of readers and forks: what a second thread may do meanwhile, and what it is told."""

import threading

import numpy as np
import pytest

from binwright import Fleet, InputError, StateError

BUSY = "busy in another thread"


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
