"""Transactions, gangs and kept checkpoints: all or nothing, and checkpoints that nest as they were opened."""

import numpy as np
import pytest

from binwright import Fleet, StateError, Transaction, Verdict


def made(cpu=(4, 4)):
    fleet = Fleet({"cpu": np.array(cpu)})
    return fleet, fleet.request({"cpu": 3})


def test_kept_when_the_block_ends():
    (a, ask), (b, other) = made(), made()
    with Transaction([a, b]):
        a.place(ask)
        b.place(other, 2)
    assert (a.used.tolist(), b.used.tolist()) == ([[3, 0]], [[3, 3]])
    with pytest.raises(StateError):
        a.rollback((1, 0, 1))  # no checkpoint stays open


def test_taken_back_from_all_when_it_raises_or_is_asked_to():
    (a, ask), (b, other) = made(), made()
    with pytest.raises(StateError, match="not a token"), Transaction([a, b]):  # noqa: PT012
        a.place(ask)
        b.place(other)
        a.rollback(None)
    with Transaction([a, b]) as transaction:
        a.place(ask)
        transaction.rollback()
        b.place(other)
    assert a.used.sum() == b.used.sum() == 0


def test_one_whose_fleet_was_left_in_the_middle_closes_the_others():
    (a, ask), (b, other) = made(), made()
    outer = a.checkpoint()
    with pytest.raises(StateError, match="not the newest"), Transaction([a, b]):  # noqa: PT012
        a.place(ask)
        b.place(other)
        b.checkpoint()
    assert a.used.sum() == 0
    a.rollback(outer)


def test_opening_fails_whole():
    (a, _), broken = made(), object()
    outer = a.checkpoint()
    with pytest.raises(AttributeError), Transaction([a, broken]):
        pass
    a.rollback(outer)


def test_a_gang_is_all_or_nothing():
    fleet, ask = made()
    result = fleet.place_gang([ask], [0, 0, 0])
    assert result.hosts.tolist() == result.items.tolist() == [-1] * 3
    assert result.verdicts.tolist() == [Verdict.UNSCHEDULABLE] * 3
    assert fleet.used.sum() == 0
    assert fleet.place_gang([ask], [0, 0, 0], least=2).hosts.tolist() == [0, 1, -1]


def test_keep_closes_the_newest_only():
    fleet, ask = made()
    outer, inner = fleet.checkpoint(), fleet.checkpoint()
    fleet.place(ask)
    with pytest.raises(StateError):
        fleet.keep(outer)
    fleet.keep(inner)
    assert fleet.used.sum() == 3
    fleet.rollback(outer)
    assert fleet.used.sum() == 0
