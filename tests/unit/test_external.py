"""External terms: what they reject and score counts, what they are told adds up, what they raise leaves no trace."""

import copy
import gc
import pickle

import numpy as np
import pytest

from binwright import External, Fleet, InputError, Profile, Rule, StateError, static_score

HOSTS = 4


class Term(External):
    """Rejects host `closed`, keeps what it is told, raises when asked or told for the `fails`-th time."""

    rule, score = "own rule", "own score"

    def __init__(self, closed=0, fails=None, version=None):
        self.closed, self.fails, self.version = closed, fails, version
        self.asked, self.told = 0, []

    def _count(self, number):
        if self.fails is not None and number >= self.fails:
            raise RuntimeError("no")

    def rejected(self, fleet, request):
        self.asked += 1
        if self.version is None:
            self._count(self.asked)
        return np.where(np.arange(len(fleet)) == self.closed, 7, -1)

    def scores(self, fleet, request):
        return np.arange(len(fleet))

    def placed(self, request, host, sign):
        self.told.append((host, sign))
        if sign > 0:
            self._count(len(self.told))


class Stubborn(Term):
    """Raises whenever an item leaves."""

    def placed(self, request, host, sign):
        super().placed(request, host, sign)
        if sign < 0 and self.closed == -1:
            raise RuntimeError("stays")


class Copied(Term):
    """Forks get one of their own."""

    def fork(self):
        return Copied(self.closed)


def made(term):
    profile = Profile(rules=(Rule("own rule"), Rule("fit", "fit")), scores=(static_score("own score"),))
    fleet = Fleet({"cpu": np.full(HOSTS, 100)}, profile=profile)
    return fleet, fleet.request({"cpu": 10}, external=[term])


def seen(fleet):
    return fleet.used.tolist(), [fleet.items_on(host).tolist() for host in range(HOSTS)], repr(fleet)


def test_it_rejects_and_scores():
    fleet, request = made(Term(closed=3))
    result = fleet.place(request)
    assert (result.hosts.tolist(), result.scores.tolist()) == ([2], [2])
    assert result.explain(0).reasons_at(3) == (("own rule", 7),)


def test_a_version_that_stays_is_asked_once():
    term = Term(version=1)
    fleet, request = made(term)
    fleet.place(request, 5)
    assert term.asked == 1
    term.version, term.closed = 2, 3
    assert (fleet.place(request).hosts.tolist(), term.asked) == ([2], 2)


def test_it_is_told_of_placing_release_and_rollback():
    term = Term()
    fleet, request = made(term)
    token = fleet.checkpoint()
    items = fleet.place(request, 2).items
    fleet.release(items[0])
    fleet.rollback(token)
    assert term.told == [(3, 1), (3, 1), (3, -1), (3, 1), (3, -1), (3, -1)]


@pytest.mark.parametrize("version", [None, 1], ids=["asked", "told"])
@pytest.mark.parametrize("way", ["place", "place_many", "place_gang"])
def test_a_batch_in_which_it_raises_is_taken_back_whole(way, version):
    term = Term(fails=3, version=version)
    fleet, request = made(term)
    token, before = fleet.checkpoint(), seen(fleet)
    with pytest.raises(RuntimeError, match="no"):
        fleet.place(request, 5) if way == "place" else getattr(fleet, way)([request], [0] * 5)
    assert seen(fleet) == before
    assert sum(sign for _, sign in term.told) == 0
    fleet.rollback(token)  # the gang's own checkpoint is closed


def test_a_claim_in_which_it_raises_is_taken_back_whole():
    term = Term(fails=2, version=1)
    fleet, request = made(term)
    before = seen(fleet)
    with pytest.raises(RuntimeError):
        fleet.claim(request, [0, 1, 2])
    assert seen(fleet) == before


def test_a_release_that_it_refuses_changes_nothing():
    term = Stubborn()
    fleet, request = made(term)
    token = fleet.checkpoint()
    items = fleet.claim(request, [0, 0, 0])
    before = seen(fleet)
    term.closed = -1
    with pytest.raises(RuntimeError, match="stays"):
        fleet.release(items[:2])
    assert seen(fleet) == before
    with pytest.raises(RuntimeError, match="stays"):
        fleet.rollback(token)  # completed first
    assert seen(fleet)[:2] == ([[0] * HOSTS], [[]] * HOSTS)
    term.closed = 0
    assert fleet.place(request, 50).placed == 40 - 10


CHANGES = {
    "place": lambda fleet, request: fleet.place(request),
    "claim": lambda fleet, request: fleet.claim(request, 0),
    "resize": lambda fleet, request: fleet.resize(0, {"cpu": 5}),
    "add_hosts": lambda fleet, request: fleet.add_hosts({"cpu": [1]}),
    "window": lambda fleet, request: fleet.window(None),
    "counter": lambda fleet, request: fleet.counter(),
    "request": lambda fleet, request: fleet.request({"cpu": 3}),
    "pickle": lambda fleet, request: pickle.dumps(fleet),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("moment", ["rejected", "placed"])
@pytest.mark.parametrize("way", ["place", "explain"])
def test_it_cannot_change_the_fleet_that_asks_it(change, moment, way):
    class Meddler(Term):
        def meddle(self, fleet, request):
            with pytest.raises(StateError):
                CHANGES[change](fleet, request)

        def rejected(self, fleet, request):
            if moment == "rejected":
                self.meddle(fleet, request)
            return super().rejected(fleet, request)

        def placed(self, request, host, sign):
            if moment == "placed":
                self.meddle(fleet, request)

    fleet, request = made(Meddler())
    look = fleet.place(request).explain(0) if way == "place" else fleet.explain(request)
    assert look.feasible == 3


def test_a_fork_does_not_take_a_new_term_for_one_that_is_gone():
    term = Copied(closed=3)
    fleet, request = made(term)
    forks = [fleet.fork(), pickle.loads(pickle.dumps(fleet)), copy.deepcopy(fleet)]
    address = id(term)
    del fleet, request, term
    gc.collect()
    kept = [Copied(closed=2) for _ in range(1000)]
    new = next((term for term in kept if id(term) == address), kept[0])
    for fork in forks:
        assert fork.place(fork.request({"cpu": 10}, external=[new])).hosts.tolist() == [3]


def test_what_it_answers_is_checked():
    class Short(Term):
        def rejected(self, fleet, request):
            return np.zeros(2, bool)

    fleet, request = made(Short())
    with pytest.raises(InputError, match="external Short: rejected: shape"):
        fleet.place(request)
    assert fleet.used.sum() == 0


def test_a_fork_that_is_no_term_is_refused():
    class Forgetful(Term):
        def fork(self):
            return None

    fleet, request = made(Forgetful())
    with pytest.raises(InputError, match="external Forgetful: fork: None is not a "):
        fleet.fork()
    assert fleet.place(request).placed == 1
