"""What comes from NumPy and pandas habits: string arrays, copies of all kinds, views; what would be silently wrong is
refused.
"""

import copy
import pickle

import numpy as np
import pytest

from binwright import Fleet, InputError

CPU = {"cpu": np.array([4, 8, 8])}


def test_arrays_of_strings_are_names_and_labels():
    fleet = Fleet(CPU, names=np.array(["a", "b", "c"]), labels={"zone": np.array(["x", "y", "x"])})
    assert [type(name) for name in fleet.names] == [str] * 3
    assert fleet.place(fleet.request({"cpu": 1}, eligible={"zone": ["y"]})).hosts.tolist() == [1]
    fleet.relabel(0, {"zone": np.str_("y")})
    assert fleet.label(0, "zone") == "y"


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"names": {"a", "b", "c"}}, "fleet: names: set is not a sequence of names"),
        ({"names": {"a": 0, "b": 0, "c": 0}}, "fleet: names: dict is not a sequence of names"),
        ({"names": "abc"}, "fleet: names: str is not a sequence of names"),
        ({"names": 3}, "fleet: names: int is not a sequence of names"),
        ({"labels": ["zone"]}, "fleet: labels ['zone'] is not a mapping from key to values"),
        ({"labels": {"zone": {"x", "y", "z"}}}, "fleet: label 'zone' needs 3 values, one a host"),
        ({"labels": {"zone": None}}, "fleet: label 'zone' needs 3 values, one a host"),
        (
            {"used": {"cpu": np.ma.array([1, 2, 3], mask=[0, 1, 0])}},
            "fleet: used of 'cpu': masked values are not amounts",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_what_has_no_order_or_no_value_is_refused(wrong, line):
    with pytest.raises(InputError) as refusal:
        Fleet(CPU, **wrong)
    assert str(refusal.value) == line


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda pair: (pair[0].fork(), pair[1]),
        lambda pair: (pair[0].copy(), pair[1]),
        lambda pair: (copy.copy(pair[0]), copy.copy(pair[1])),
        lambda pair: (copy.deepcopy(pair[0]), pair[1]),
        lambda pair: pickle.loads(pickle.dumps(pair)),
    ],
    ids=["copy a pair", "deepcopy a pair", "fork", "copy()", "copy.copy", "deepcopy", "pickle"],
)
def test_requests_serve_every_kind_of_copy(copied):
    fleet = Fleet(CPU)
    request = fleet.request({"cpu": 3})
    other, same = copied((fleet, request))
    assert other.place(same, 2).placed == 2
    assert fleet.used.sum() == (6 if other is fleet else 0)


def test_views_are_live_and_read_only():
    fleet = Fleet(CPU)
    used = fleet.used
    fleet.place(fleet.request({"cpu": 3}))
    assert used.tolist() == [[0, 3, 0]]
    assert used.base is not None
    with pytest.raises(ValueError, match="read-only"):
        used[0, 0] = 1


def test_a_pickle_of_another_layout_is_refused():
    rebuild, (kept, (resources, terms, rules, layout, saved)) = Fleet(CPU).__reduce__()
    assert rebuild(kept, (resources, terms, rules, layout, saved)).capacity.tolist() == [[4, 8, 8]]
    for other in ((layout[0][:-1], *layout[1:]), (layout[0], layout[1] + 8, *layout[2:])):
        with pytest.raises(InputError, match="made by another version of binwright"):
            rebuild(kept, (resources, terms, rules, other, saved))
