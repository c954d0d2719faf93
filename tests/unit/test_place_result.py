"""The outcome of a batch: arrays that are made when somebody looks at them, and stay what they were."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

from binwright import Fleet, InputError, PlaceResult, Verdict
from binwright.float_scores import free_score
from binwright.profile import Profile

COLUMNS = {"hosts": np.int64, "scores": np.int64, "items": np.int64, "verdicts": np.uint8}


def placed(count=3):
    fleet = Fleet({"cpu": [4, 8]})
    return fleet, fleet.place(fleet.request({"cpu": 4}), count=count)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_columns_are_read_only_arrays_one_entry_a_decision(count):
    fleet, result = placed(count)
    assert len(result) == count
    for name, dtype in COLUMNS.items():
        column = getattr(result, name)
        assert (column.shape, column.dtype, column.flags.writeable) == ((count,), dtype, False)
        assert getattr(result, name) is column
    expected = [1, 0, 1, -1, -1][:count]
    assert result.hosts.tolist() == expected
    assert result.placed == sum(host >= 0 for host in expected)
    assert [fleet.item(item)[1] for item in result.items.tolist() if item >= 0] == [h for h in expected if h >= 0]


def test_one_and_many_are_the_same_decisions():
    _, many = placed(4)
    other = Fleet({"cpu": [4, 8]})
    request = other.request({"cpu": 4})
    singly = [other.place(request) for _ in range(4)]
    queue = Fleet({"cpu": [4, 8]})
    each = queue.place_many([queue.request({"cpu": 4})] * 4)
    for name in COLUMNS:
        values = getattr(many, name).tolist()
        assert [getattr(one, name)[0] for one in singly] == values
        assert getattr(each, name).tolist() == values


def test_a_result_has_no_other_attributes_and_is_made_by_fleets_alone():
    _, result = placed()
    with pytest.raises(AttributeError, match="'PlaceResult' object has no attribute 'host'"):
        result.host  # noqa: B018
    with pytest.raises(TypeError, match=r"a PlaceResult is made by Fleet\.place"):
        PlaceResult()


def test_arrays_outlive_the_fleet_without_holding_it():
    fleet, result = placed()
    hosts, gone = result.hosts, weakref.ref(fleet)
    del fleet, result
    gc.collect()
    assert gone() is None
    assert hosts.tolist() == [1, 0, 1]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_copies_have_the_same_arrays(again):
    fleet, result = placed(4)
    other = again(result)
    for name in COLUMNS:
        assert getattr(other, name).tolist() == getattr(result, name).tolist()
    refused = fleet.place_gang([fleet.request({"cpu": 4})])
    assert again(refused).verdicts.tolist() == refused.verdicts.tolist() == [Verdict.UNSCHEDULABLE]


def test_a_gang_taken_back_is_nowhere():
    fleet = Fleet({"cpu": [4, 8]})
    result = fleet.place_gang([fleet.request({"cpu": 4})] * 4)
    assert result.hosts.tolist() == result.scores.tolist() == result.items.tolist() == [-1] * 4
    assert set(result.verdicts.tolist()) == {Verdict.UNSCHEDULABLE}
    assert result.explain(1).verdict is Verdict.PLACED  # it was its siblings that failed
    assert fleet.used.tolist() == [[0, 0]]


def test_float_totals_are_floats():
    fleet = Fleet({"cpu": [4, 8]}, profile=Profile(scores=(free_score("free", "cpu"),)))
    result = fleet.place(fleet.request({"cpu": 4}), count=4)
    assert result.scores.dtype == np.float64
    assert np.isnan(result.scores[3])


@pytest.mark.parametrize("count", [True, 1.0, "1", None, np.float64(1), [1]])
def test_a_count_is_an_integer(count):
    fleet, _ = placed()
    with pytest.raises(InputError, match=r"^place: count: .* is not an integer$"):
        fleet.place(fleet.request({"cpu": 1}), count)


def test_a_count_may_be_numpys():
    fleet, _ = placed()
    assert len(fleet.place(fleet.request({"cpu": 1}), np.int32(2))) == 2


@pytest.mark.parametrize("request_", [None, 3, "web", object()], ids=str)
def test_only_requests_are_placed(request_):
    fleet, _ = placed()
    with pytest.raises(InputError, match="was not made by this fleet"):
        fleet.place(request_)
