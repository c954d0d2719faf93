"""What the C table and the Cython functions refuse, and with which words; run where `drive` is built."""

import ctypes
import io
import threading

import drive
import numpy as np

from binwright import External, Fleet, InputError, Profile, Rule, StateError, static_score
from binwright.decision_log import DecisionLog

INPUT, STATE, BUSY, FAILED = 1, 2, 3, 6


def refused(status, said, call, *arguments):
    found = None
    try:
        call(*arguments)
    except drive.Refused as refusal:
        found = refusal.args
    assert found, f"not refused: {said}"
    assert found[0] == status, found
    assert said in found[1], found


def raises(kind, said, call, *arguments):
    found = None
    try:
        call(*arguments)
    except kind as error:
        found = str(error)
    assert found, f"not raised: {said}"
    assert said in found, found


def made(bare, hosts=4):
    side = drive.Side.made(bare, ["cpu", "memory"], [], [])
    side.add_hosts({"cpu": [8] * hosts, "memory": [8] * hosts}, None)
    return side, side.new_class([2, 1])


def arguments():
    side, number = made(True)
    before = side.columns()
    refused(INPUT, "duplicate resource", drive.Side.made, True, ["cpu", "cpu"], [], [])
    refused(INPUT, "no bw_score_kind 9", drive.Side.made, True, ["cpu"], [], [(9, 0, 1, "s")])
    refused(INPUT, "capacity of 'cpu', host 0: -1 is negative", side.add_hosts, {"cpu": [-1], "memory": [1]}, None)
    refused(INPUT, "entry 0: 7 is not a class of this fleet", side.place, 7, 1)
    refused(INPUT, "entry 1: 3 is not a class of this fleet", side.place, [number, 3])
    refused(INPUT, "entry 0: 4 is not a host", side.claim, [number], [4])
    refused(INPUT, "entry 0: 99 is not an item", side.release, [99])
    refused(INPUT, "-2 is negative", side.new_class, [-2, 0])
    refused(INPUT, "no counter 0", side.new_class, [1, 1], None, None, None, 0, [(0, 1)])
    refused(INPUT, "0 is not a counter", side.count, 0, 0)
    refused(INPUT, "entries are too many, or fewer than none", side.place, number, 2**31)
    refused(STATE, "not the newest open checkpoint", side.close, (1, 1, 1), True)
    refused(INPUT, "Odd is not a binwright.Fleet", drive.Side.of, True, Odd())
    assert side.columns() == before
    items = side.place(number, 2)[2]
    refused(STATE, "holds items; release them first", side.remove, 0)
    refused(INPUT, "entry 1:", side.release, [items[0], items[0]])
    assert side.explain(number).startswith("Explanation(placed on host 2")
    assert side.explain(number, 8) == "Explana"
    assert side.place_hosts_only(number, 100)[:3] == [2, 3, 0]
    other, number = made(False)
    raises(InputError, "99 is not an item", other.release, [99])
    raises(StateError, "not the newest open checkpoint", other.close, (1, 1, 1), True)
    raises(InputError, "duplicate resource", drive.Side.made, False, ["cpu", "cpu"], [], [])


def logs():
    """A decision log does not see what C does: its fleets are refused."""
    said = "is recorded by a decision log"
    with DecisionLog(io.BytesIO()):
        fleet = Fleet({"cpu": np.full(4, 8)})
        refused(INPUT, said, drive.Side.of, True, fleet)
        raises(InputError, said, drive.Side.made, False, ["cpu"], [], [])


class Odd(int):
    resources = ()


class Slow(External):
    """Says when it is asked, and waits until it may answer; calls the fleet when it is told to."""

    rule = "own"

    def __init__(self):
        self.asked, self.go = threading.Event(), threading.Event()
        self.calls, self.fails = None, False

    def rejected(self, fleet, request):
        if self.fails:
            raise RuntimeError("no answer")
        self.asked.set()
        if self.calls:
            self.calls()
        assert self.go.wait(20)
        return np.zeros(len(fleet), bool)


def threads():
    """A second thread is refused while the first is inside, in both interfaces and both directions."""
    term = Slow()
    fleet = Fleet({"cpu": np.full(4, 8)}, profile=Profile(rules=(Rule("own"), Rule("fit", "fit"))))
    request = fleet.request({"cpu": 1}, external=[term])
    side, facade = drive.Side.of(True, fleet), drive.Side.of(False, fleet)
    for inside in (lambda: fleet.place(request), lambda: side.place(request.index, 1)):
        term.asked.clear()
        term.go.clear()
        worker = threading.Thread(target=inside)
        worker.start()
        assert term.asked.wait(20)
        refused(BUSY, "busy in another thread", side.place, request.index, 1)
        raises(StateError, "busy in another thread", facade.place, request.index, 1)
        raises(StateError, "busy in another thread", fleet.place, request)
        refused(BUSY, "busy in another thread", side.checkpoint)
        raises(StateError, "busy in another thread", fleet.add_hosts, {"cpu": [1]})
        term.go.set()
        worker.join()
    term.calls = lambda: refused(BUSY, "asking an external term", side.place, request.index, 1)
    assert side.place(request.index, 2)[0] == [0, 0]
    term.fails = True
    refused(FAILED, "RuntimeError: no answer", side.place, request.index, 1)
    raises(Exception, "RuntimeError: no answer", facade.place, request.index, 1)
    assert side.columns()[1] == [[4, 0, 0, 0]]


def without_the_gil():
    """While another thread sits on the GIL for a second, a fleet of the embedder's own goes on placing."""
    side, number = made(True, 1000)
    side.place(number, 1)  # the first decision after a definition asks Python
    calls, longest = side.place_for(0.6, number, hold_the_gil)
    assert calls > 100
    assert longest < 0.5, longest


def hold_the_gil():
    """For a second, in another thread; returns at once."""
    sleep = ctypes.PyDLL(None).usleep
    threading.Thread(target=lambda: sleep(1_000_000)).start()


def terms():
    fleet = Fleet(
        {"cpu": np.full(4, 8)},
        profile=Profile(rules=(Rule("own"), Rule("fit", "fit")), scores=(static_score("own score"),)),
    )
    raises(InputError, "rule with rejected", drive.term, "amiss")
    for kind, said in (
        ("fails", "external fails: rejected returned 7"),
        ("reason", "external reason: rejected, host 1: -5 is no reason"),
        ("score", "external score: scores, host 2: -1 is outside 0..2**40"),
    ):
        request = fleet.request({"cpu": 1}, external=[drive.term(kind)])
        side = drive.Side.of(True, fleet)
        refused(FAILED if kind == "fails" else INPUT, said, side.place, request.index, 1)
        raises(Exception, said, fleet.place, request)
    assert int(fleet.used.sum()) == 0


arguments()
logs()
threads()
without_the_gil()
terms()
print("all refused")
