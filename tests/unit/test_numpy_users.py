"""What comes from NumPy and pandas habits: string arrays, copies of all kinds, views; what would be silently wrong is
refused.
"""

import copy
import pickle

import numpy as np
import pytest

from binwright import Fleet, InputError
from binwright.arrow import ArrowTable, read_table

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


class Frame:
    """What a DataFrame shows of itself to whom it is given."""

    def __init__(self, **columns):
        self.table = ArrowTable({name: np.array(column) for name, column in columns.items()})

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def test_tables_are_taken_wherever_columns_are():
    fleet = Fleet(Frame(cpu=[4, 8], memory=[16, 32]), used=Frame(cpu=[1, 2], memory=[3, 4]))
    assert fleet.add_hosts(Frame(cpu=[2], memory=[8]), used=Frame(memory=[5])).tolist() == [2]
    assert fleet.capacity.tolist() == [[4, 8, 2], [16, 32, 8]]
    assert fleet.used.tolist() == [[1, 2, 0], [3, 4, 5]]


def test_what_is_no_table_is_refused():
    for wrong, line in (
        ({"capacity": [1]}, "fleet: capacity is list, neither a mapping of arrays nor an Arrow table"),
        ({"capacity": CPU, "used": [1]}, "fleet: used: [1] is not a mapping from resource to array"),
        ({"capacity": Frame(cpu=[1.5])}, "fleet: column 'cpu' holds neither integers nor strings (Arrow format 'g')"),
    ):
        with pytest.raises(InputError) as refusal:
            Fleet(**wrong)
        assert str(refusal.value) == line


def test_an_arrow_table_comes_back_as_it_went():
    columns = {"host": np.array([3, -1]), "verdict": np.array([0, 1], np.uint8)}
    table = ArrowTable(columns)
    assert len(table) == 2
    assert repr(table) == "ArrowTable(host, verdict; 2 rows)"
    assert read_table("here", ArrowTable({"host": columns["host"]}))["host"].tolist() == [3, -1]


def test_data_frames_name_the_hosts():
    pandas = pytest.importorskip("pandas")
    used = pandas.DataFrame({"name": ["a", "b"], "cpu": [1, 2]})
    fleet = Fleet(pandas.DataFrame({"name": ["a", "b"], "cpu": [4, 8]}), used=used)
    assert fleet.names == ["a", "b"]
    assert fleet.used.tolist() == [[1, 2]]
    with pytest.raises(InputError, match="fleet: used names other hosts than capacity does"):
        Fleet(pandas.DataFrame({"name": ["a"], "cpu": [4]}), used=pandas.DataFrame({"name": ["b"], "cpu": [1]}))


def test_a_notebook_shows_a_table():
    html = Fleet({"<cpu>": [4, 8]}, used={"<cpu>": [1, 2]})._repr_html_()
    assert "<th>&lt;cpu&gt;</th><td>3</td><td>12</td>" in html
    assert "<cpu>" not in html


RAGGED = [[1], [1, 0]]


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda fleet: fleet.cordon(RAGGED), "cordon"),
        (lambda fleet: fleet.claim(fleet.request({"cpu": 1}), RAGGED), "claim"),
        (lambda fleet: fleet.evict(fleet.request({"cpu": 1}), RAGGED), "evict"),
        (lambda fleet: fleet.release(RAGGED), "release"),
        (lambda fleet: fleet.mark(RAGGED), "mark"),
        (lambda fleet: fleet.mark([0], order=RAGGED), "mark: order"),
        (lambda fleet: fleet.rows.remove(RAGGED), "remove_rows"),
        (lambda fleet: fleet.pools.add_claim(1, [0], held=RAGGED), "pools.add_claim: held"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_lists_of_different_lengths_are_refused(call, where):
    fleet = Fleet(CPU)
    fleet.pools.add([5])
    fleet.place(fleet.request({"cpu": 1}))
    with pytest.raises(InputError, match=f"^{where}: not an array of integers$"):
        call(fleet)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda fleet: fleet.members(RAGGED), "members"),
        (lambda fleet: fleet.pools.add([5], seen=[RAGGED]), "pools.add: seen by row 0"),
        (lambda fleet: fleet.request({}, eligible=RAGGED), "request: eligible"),
        (lambda fleet: fleet.request({}, rejects={"eligible": RAGGED}), "request: rejects 'eligible'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_masks_of_different_lengths_are_refused(call, where):
    with pytest.raises(InputError, match=f"^{where}: lists of different lengths are no array$"):
        call(Fleet(CPU))


@pytest.mark.parametrize("wrong", [None, 3, 1.5, iter(["fast"]), [4], "fast"])
def test_what_is_no_collection_of_labels_is_refused(wrong):
    fleet = Fleet(CPU)
    with pytest.raises(InputError, match=r"^add_rows: labels: row 0: .* is not a collection of strings$"):
        fleet.rows.add({"gpu": [1]}, [0], labels=[wrong])
    fleet.rows.add({"gpu": [1]}, [0])
    if wrong is not None:
        with pytest.raises(InputError, match=r"^relabel_row: row 0: .* is not a collection of strings$"):
            fleet.rows.relabel(0, wrong)
    with pytest.raises(InputError, match=r"^add_rows: labels: 7 is not a collection of sets$"):
        fleet.rows.add({"gpu": [1]}, [0], labels=7)


@pytest.mark.parametrize(
    "wrong", [np.zeros(3, np.int64), np.zeros((2, 2), np.int64), np.array(5), np.zeros(2, np.int32), ["a", "b"]]
)
def test_a_table_of_columns_that_a_reader_would_run_past_is_refused(wrong):
    with pytest.raises(InputError, match=r"^table: column 'b' is .*, needs int64, uint8, float64"):
        ArrowTable({"a": np.zeros(2, np.int64), "b": wrong})
