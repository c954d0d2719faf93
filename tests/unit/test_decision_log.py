"""The decision log: what is recorded, what a replay says of it, and what neither takes."""

import contextvars
import gc
import io
import json
import threading

import numpy as np
import pytest

from binwright import (
    Cell,
    CellDemand,
    DecisionLog,
    External,
    Fleet,
    Group,
    GroupRules,
    HostSet,
    InputError,
    Pools,
    Profile,
    Rows,
    Rule,
    Transaction,
    least_allocated,
    static_score,
)  # fmt: skip
from binwright.decision_log import CHANGING, CHANGING_POOLS, CHANGING_ROWS, RecordedFleet
from binwright.embedding import state_of
from binwright.float_scores import free_score
from binwright.replay import replay
from binwright.terms import Ref, pool, skew

READING = {
    "allowance", "capacity", "copy", "count", "devices", "explain", "host", "item", "items_on", "label", "names",
    "pinned", "ranked", "threads", "used", "window_start",
}  # fmt: skip
READING_ROWS = {"cell", "check_unused", "compiled", "devices", "links", "of", "pinned", "table"}
READING_POOLS = {"claim", "holder"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "decisions.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    ("owner", "changing", "reading"),
    [(Fleet, CHANGING, READING), (Rows, CHANGING_ROWS, READING_ROWS), (Pools, CHANGING_POOLS, READING_POOLS)],
)
def test_every_public_method_is_known_to_change_or_to_read(owner, changing, reading):
    assert {name for name in dir(owner) if not name.startswith("_")} == set(changing) | reading


def test_what_was_decided_is_decided_again(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4, 8], "memory": [16, 16]}, names=["a", "b"])
        request = fleet.request({"cpu": 3}, name="big")
        assert fleet.place(request, count=4).hosts.tolist() == [1, 0, 1, -1]
    found = replay(path)
    assert (found.identical, found.calls, found.decisions, found.fleets, found.cut) == (True, 3, 4, 1, None)
    assert lines(path)[3]["gave"]["hosts"] == {"$array": ["int64", [1, 0, 1, -1]]}


def test_a_call_is_recorded_once_with_the_calls_it_makes_itself(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        fleet.place_gang([fleet.request({"cpu": 3})] * 2)
        fleet.add_rows({"gpu": [2]}, [0])
    assert [line.get("call") for line in lines(path)] == [
        None, "Fleet", "request", "place_gang", "add_rows", None,
    ]  # fmt: skip
    assert replay(path).identical


def test_everything_that_a_fleet_knows_comes_back(path):
    profile = Profile(
        rules=(Rule("fit", "fit"), Rule("banned"), Rule("level"), Rule("claims")),
        scores=(least_allocated({"cpu": 1}), static_score("near", normalise="max")),
    )
    with DecisionLog(path):
        fleet = Fleet(
            {"cpu": np.full(4, 8, np.int32), "memory": range(16, 20)}, {"cpu": (1, 0, 0, 0)}, list("abcd"), profile,
            labels={"zone": np.array(["x", "y", "x", None], object)}, largest={"cpu": [4, 8, 8, 8]},
        )  # fmt: skip
        counter = fleet.counter()
        members = fleet.members(HostSet(4, [0, 1, 3]))
        rows = fleet.pools.add([5, 9], seen=[None, [0, 1]])
        claim = fleet.pools.add_claim(4, rows, provision=np.array([True, False, False, True]))
        even = skew("level", Ref(counter, "zone", members), 1, own=1)
        requests = [
            fleet.request(
                {"cpu": 1}, rejects={"banned": [-1, -1, 7, -1]}, raw={"near": [0, 1, 2, 3]}, kind=("a", object())
            ),
            fleet.request({"cpu": 2}, terms=(term for term in [even]), contributes={counter: (1, 1)}, kind=len),
            fleet.request({}, terms=[pool("claims", [claim])], eligible={"zone": {"y", "x"}}, priority=-3),
        ]
        fleet.rows.add({"gpu": [1, 1]}, [1, 2], labels=[["big"], ["small"]], cells=[Cell(range(4)), None])
        pinned = CellDemand(pins=True, cpus=2)
        grouped = fleet.request({}, groups=[Group({}, isolated=True, cell=pinned)], group_rules=GroupRules(greedy=True))
        fleet.place_many([*requests, grouped], [0, 1, 1, 2, 3, 3])
        budget = fleet.budget(1)
        items = fleet.claim(requests[0], [1, 2])
        fleet.mark(items, priority=[5, -1], order=3, budgets=[[budget], []])
        fleet.evict(requests[1])
        fleet.withdraw(fleet.promise(requests[0], 3))
        with Transaction([fleet]) as change:
            fleet.resize(0, {"cpu": 0})
            change.rollback()
        fleet.window(1, [3, 1])
        other = fleet.fork()
        other.add_hosts({"cpu": [3], "memory": [3]}, names=["e"], labels={"zone": ["y"]})
        other.relabel(0, {"zone": None})
        other.place(requests[1])
        fleet.repair(requests[0], 0, raw={"near": 9})
        fleet.place(requests[0])
        fleet.copy().cordon([0])
        Fleet({"cpu": [4]}, profile=Profile(scores=(free_score("free", "cpu"),)))
    found = replay(path)
    assert found.difference is None
    assert found.fleets == 4


def test_a_float_score_and_a_host_column_come_back(path):
    profile = Profile(scores=(free_score("free", "cpu", multiplier="much", weight=0.1),))
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4, 8]}, profile=profile)
        fleet.set_column("much", [0, 1], [np.float32(0.5), -2.0])
        assert np.isnan(fleet.place(fleet.request({"cpu": 9})).scores).all()
        fleet.place(fleet.request({"cpu": 1}), 3)
    assert replay(path).difference is None


def test_a_refused_call_leaves_no_line(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        with pytest.raises(InputError):
            fleet.request({"cpu": -1})
        with pytest.raises(InputError):
            Fleet({"cpu": [-4]})
        fleet.request({"cpu": 1})
    assert [line.get("call") for line in lines(path)[1:]] == ["Fleet", "request", None]
    assert replay(path).identical


def test_only_fleets_made_inside_are_recorded_and_only_until_the_end(path):
    before = Fleet({"cpu": [4]})
    with DecisionLog(path):
        inside = Fleet({"cpu": [4]})
        before.fork().request({"cpu": 1})
    assert isinstance(inside, RecordedFleet)
    inside.place(inside.request({"cpu": 1}))
    assert type(Fleet({"cpu": [4]})) is Fleet
    assert len(lines(path)) == 3


def test_explaining_is_not_recorded(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4, 4]})
        request = fleet.request({"cpu": 1})
        placed = fleet.place(request, 2)
        assert placed.ties(0).tolist() == [0, 1]
        fleet.explain(request)
    assert [line.get("call") for line in lines(path)[1:-1]] == ["Fleet", "request", "place"]


def test_an_external_term_is_refused(path):
    class Mine(External):
        rule = "eligible"

    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        with pytest.raises(InputError, match="an external term is code"):
            fleet.request({"cpu": 1}, external=[Mine()])


def test_after_the_end_a_fleet_is_like_any_other(path):
    class Mine(External):
        rule = "eligible"

    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
    fleet.request({"cpu": 1}, external=[Mine()])
    assert type(fleet.fork()) is Fleet


def test_a_call_that_breaks_off_ends_the_record_of_its_fleet(path, monkeypatch):
    with DecisionLog(path):
        fleet, other = Fleet({"cpu": [4]}), Fleet({"cpu": [4]})
        request = fleet.request({"cpu": 1})
        monkeypatch.setattr("binwright.fleet.core_place.place_each", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fleet.place_many([request])
        monkeypatch.undo()
        fleet.place_many([request])
        other.place(other.request({"cpu": 1}))
    found = replay(path)
    assert (found.identical, found.decisions) == (True, 1)
    assert found.notes == ("fleet 0 is not recorded after line 5: place_many ended in KeyboardInterrupt",)


def test_a_call_that_never_began_does_not_end_the_record(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        request = fleet.request({"cpu": 1})
        with pytest.raises(TypeError, match="cuont"):
            fleet.place(request, cuont=2)
        fleet.place(request)
    assert (replay(path).decisions, replay(path).notes) == (1, ())


def interrupted(*_):
    raise KeyboardInterrupt


def test_a_changed_decision_is_named(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4, 8]})
        fleet.place(fleet.request({"cpu": 1}), 3)
    text = path.read_text()
    path.write_text(text.replace('"hosts":{"$array":["int64",[1,0,', '"hosts":{"$array":["int64",[1,1,'))
    one = replay(path).difference
    assert (one.line, one.call, one.message) == (4, "place", "hosts[1] is 1 in the log, 0 now")


def test_a_cut_log_is_replayed_to_its_last_whole_record(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4, 8]})
        request = fleet.request({"cpu": 1})
        for _ in range(3):
            fleet.place(request)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    found = replay(path)
    assert (found.identical, found.decisions) == (True, 2)
    assert found.cut == "the log has no end; replayed to its last whole record, line 5"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda lines: lines[:-2] + lines[-1:], "line 6: the log ended with 5 calls, and has 4"),
        (lambda lines: [*lines[:-1], '{"end":9}'], "line 7: the log ended with 9 calls, and has 5"),
        (lambda lines: [*lines, lines[-2]], "line 8: the log ended before it"),
        (lambda lines: [*lines, *lines[1:]], "line 8: the log ended before it"),
        (lambda lines: lines[:3] + lines[-1:] + lines[3:], "line 5: the log ended before it"),
        (lambda lines: [*lines[:-1], '{"end":5} or so'], "line 7: not a record"),
    ],
)
def test_a_log_with_lines_taken_out_or_put_behind_its_end_is_refused(path, edit, message):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4, 8]})
        request = fleet.request({"cpu": 1})
        for _ in range(3):
            fleet.place(request)
    path.write_text("\n".join([*edit(path.read_text().splitlines()), ""]))
    with pytest.raises(InputError, match=message):
        replay(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"fleet":0,"call":"__reduce__"}', "line 3: no call '__reduce__' of fleet 0"),
        ('{"fleet":7,"call":"place"}', "line 3: no call 'place' of fleet 7"),
        ('{"fleet":0,"call":"place","with":', "line 3: not a record"),
        ("[" * 100_000, "line 3: not a record"),
        ("{}", "line 3: not a record"),
    ],
)
def test_a_line_that_is_no_record(path, line, message):
    with DecisionLog(path):
        Fleet({"cpu": [4]})
    text = path.read_text().splitlines()
    path.write_text("\n".join([*text[:2], line, text[2], ""]))
    with pytest.raises(InputError, match=message):
        replay(path)


@pytest.mark.parametrize("text", ["", "{}\n", '{"log":"binwright decisions","version":2}\n', "\x00" * 100])
def test_a_file_that_is_no_log(path, text):
    path.write_text(text)
    with pytest.raises(InputError, match="line 1: not a decision log of version 1"):
        replay(path)


def test_a_log_cannot_ask_for_more_memory_than_it_holds_answers(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        fleet.place(fleet.request({"cpu": 1}), 2)
    path.write_text(path.read_text().replace('{"$request":0},2]', '{"$request":0},2000000000]'))
    with pytest.raises(InputError, match="line 4: place: 2 hosts for 2000000000 items"):
        replay(path)


def test_recording_takes_nothing_from_an_iterator_that_the_call_needs(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4, 8]}, labels={"zone": ["a", "b"]})
        request = fleet.request({"cpu": 1}, eligible={"zone": iter(["a"])})
        assert fleet.place(request).hosts.tolist() == [0]
    assert replay(path).identical


def test_iterators_inside_of_lists_groups_and_terms_are_left_to_the_call(path):
    """At any depth: a group's clauses, a pair of amounts, the hosts of a constraint, a term's claims."""
    profile = Profile(rules=(Rule("own"), Rule("fit", "fit"), Rule("rows", "rows"), Rule("store")))

    def lived():
        fleet = Fleet({"cpu": [4, 8, 8]}, profile=profile)
        fleet.rows.add({"gpu": [2, 2]}, [0, 1], labels=[["old", "slow"], ["new"]])
        claim = fleet.pools.add_claim(1, fleet.pools.add([1], (h for h in [[0, 1]])))
        request = fleet.request(
            {"cpu": 1},
            groups=(g for g in [Group({"gpu": 1}, required=(c for c in ["new"]))]),
            group_rules=GroupRules(subtrees=[(i for i in [0])], root_required=iter(())),
            terms=[pool("store", iter([claim]))],
        )
        pair = fleet.request({"cpu": 2})
        return fleet.place_many(iter([request, pair]), [0, 1, 1]).hosts.tolist(), fleet.used.tolist()

    bare = lived()
    assert bare[0][0] == 1  # the label was read
    with DecisionLog(path):
        assert lived() == bare
    assert replay(path).identical


def test_a_token_is_known_as_a_list_too(path):
    Fleet({"cpu": [4]}).checkpoint()
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        fleet.rollback(list(fleet.checkpoint()))
    assert lines(path)[3]["with"] == [{"$token": 0}]
    Fleet({"cpu": [4]}).checkpoint()
    assert replay(path).identical


class Pieces(io.RawIOBase):
    """A file that takes a few bytes at a time, and in all no more than there is room for."""

    def __init__(self, room):
        self.room, self.held = room, b""

    def write(self, given):
        taken = bytes(given[: min(7, self.room - len(self.held))])
        if not taken:
            raise OSError(28, "no space left")
        self.held += taken
        return len(taken)


def test_a_line_that_the_file_takes_in_pieces_is_written_whole(path):
    file = Pieces(10_000)
    with DecisionLog(file):
        fleet = Fleet({"cpu": [4, 8]})
        fleet.place(fleet.request({"cpu": 1}), 3)
    path.write_bytes(file.held)
    assert (replay(path).identical, replay(path).cut) == (True, None)


def test_nothing_follows_a_line_that_could_not_be_written_whole(path):
    file = Pieces(300)
    with DecisionLog(file):
        fleet = Fleet({"cpu": [4, 8]})
        request = fleet.request({"cpu": 1})
        with pytest.raises(OSError, match="no space"):
            fleet.place(request, 3)
        file.room = 10_000
        fleet.place(request)
    path.write_bytes(file.held)
    found = replay(path)
    assert (found.identical, found.calls) == (True, 2)
    assert found.cut is not None


def test_forks_that_are_never_asked_are_let_go_of(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        for _ in range(30):
            fleet.fork()
    del fleet
    gc.collect()
    alive = []

    def count(*_):
        gc.collect()
        alive.append(sum(type(one) is RecordedFleet for one in gc.get_objects()))

    found = replay(path, count)
    assert (found.fleets, found.identical) == (31, True)
    assert max(alive) < 5


def test_fleets_of_several_threads_are_numbered_as_their_lines_stand(path, monkeypatch):
    """One thread's fleet takes long to write down; another's, made meanwhile, is in the log before it."""
    from binwright import decision_log

    other_is_written = threading.Event()
    encode = decision_log.encode

    def slow(value):
        if isinstance(value, dict) and "first" in value:
            other_is_written.wait(5)
        return encode(value)

    monkeypatch.setattr(decision_log, "encode", slow)
    with DecisionLog(path):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(Fleet, {"first": [4]}))
        thread.start()
        while thread.is_alive() and not other_is_written.is_set():
            Fleet({"second": [4]})
            other_is_written.set()
        thread.join()
    monkeypatch.undo()
    assert replay(path).difference is None


def test_a_recorded_fleet_is_not_given_to_c_whose_calls_would_not_be_recorded(path):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        with pytest.raises(InputError, match="is recorded by a decision log"):
            state_of(fleet)
    assert state_of(fleet) is fleet._state


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('{"$request":0},2]', '{"$request":0},{"$array":["int64",[2,2]]}]', "place: 2 hosts for"),
        ('"with":[[0]]', '"with":[[[0],[0,1]]]', None),
        ('["uint8",[0,0]]', '["uint8",0]', None),
    ],
)
def test_values_of_the_wrong_shape_are_bad_input_or_a_difference(path, before, after, message):
    with DecisionLog(path):
        fleet = Fleet({"cpu": [4]})
        fleet.place(fleet.request({"cpu": 1}), 2)
        fleet.release([0])
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    if message is None:
        assert replay(path).difference is not None
    else:
        with pytest.raises(InputError, match=message):
            replay(path)


def test_a_file_that_exists_is_not_overwritten(path):
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        DecisionLog(path)
    assert path.read_text() == "mine"
