"""Item ids: an id that was taken back or released is refused for good, whatever lies in its slot later."""

import pytest

from binwright import Fleet, InputError


def test_an_id_that_a_rollback_took_back_is_refused_for_good():
    fleet = Fleet({"cpu": [4]})
    one = fleet.request({"cpu": 1})
    token = fleet.checkpoint()
    gone = fleet.place(one).items
    fleet.rollback(token)
    there = fleet.place(one).items
    assert there[0] != gone[0]
    with pytest.raises(InputError, match="not an item"):
        fleet.release(gone)
    assert fleet.used.tolist() == [[1]]
    fleet.release(there)


def test_equal_requests_stay_one_class_when_hosts_come():
    fleet = Fleet({"cpu": [4]}, labels={"zone": ["a"]})
    plain = fleet.request({"cpu": 1})
    labelled = fleet.request({"cpu": 1}, eligible={"zone": ["a"]})
    listed = fleet.request({"cpu": 1}, eligible=[True])
    fleet.add_hosts({"cpu": [8]}, labels={"zone": ["b"]})
    assert fleet.request({"cpu": 1}) is plain
    assert fleet.request({"cpu": 1}, eligible={"zone": ["a"]}) is labelled
    assert fleet.request({"cpu": 1}, eligible=[True, True]) is not listed
    assert fleet.place(plain).hosts.tolist() == [1]
    assert fleet.place(labelled).hosts.tolist() == [0]
