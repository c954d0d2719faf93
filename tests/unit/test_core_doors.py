"""The core's classes for candidates and Arrow check what they are given: one clear line, no wild read."""

import ctypes
import struct

import numpy as np
import pytest

from binwright import InputError
from binwright._core import arrow
from binwright._core.candidate_list import listed
from binwright._core.candidates import Candidates, Question, Walk
from binwright._core.rowtable import RowTable
from binwright.arrow import read_table

EMPTY = frozenset()
TREES = np.zeros(1, np.int32)


def table():
    return RowTable([(-1, EMPTY, EMPTY, [(0, 8, 0, 1, 8, 1)])], [[]])


def group(asks=((0, 1),), labels=0, members=0, within=-1, one_row=True):
    return asks, labels, members, within, one_row, True, False, False


@pytest.mark.parametrize(
    ("groups", "subtrees", "said"),
    [
        ((), (), "nothing is asked"),
        ((group(asks=((0, 0),)),), (), "an amount of 0"),
        ((group(asks=((0, 2**57),)),), (), "an amount of 144115188075855872"),
        ((group(labels=-1),), (), "group 0 has filters -1 and 0, tree -1"),
        ((group(), group(members=-7)), (), "group 1 has filters 0 and -7"),
        ((group(within=-2),), (), "tree -2"),
        ((group(),), ((0, 1),), "subtrees name a group that is not there"),
        ((group(),), ((-1,),), "subtrees name a group that is not there"),
    ],
)
def test_a_question_of_numbers_that_cannot_be(groups, subtrees, said):
    with pytest.raises(ValueError, match=said):
        Question(groups, subtrees)


@pytest.mark.parametrize("bad", [group(labels=1), group(labels=2**31 - 1), group(members=1), group(within=1)])
def test_a_question_whose_filters_and_trees_a_table_has_not(bad):
    question = Question((group(), bad), ())
    for ask in (Candidates, listed):
        with pytest.raises(ValueError, match="group 1 has filters"):
            ask(table(), question, TREES)


def test_a_question_is_asked_of_a_table():
    sound = Question((group(),), ())
    assert list(Candidates(table(), sound, TREES)) == [(0,)]
    for given in ((None, sound, TREES), (table(), None, TREES), (table(), sound, None)):
        for ask in (Candidates, listed):
            with pytest.raises(TypeError):
                ask(*given)
    with pytest.raises(IndexError, match="no tree 1"):
        Candidates(table(), sound, TREES + 1)
    with pytest.raises(ValueError, match="steps -1"):
        Candidates(table(), sound, TREES, steps=-1)
    with pytest.raises(ValueError, match="-1 rows"):
        Walk(table(), sound, -1)
    with pytest.raises(OverflowError):
        Question((group(labels=2**40),), ())


@pytest.mark.parametrize(
    "stock", [(0, 8, 0, 1, 8, 0), (0, 8, -1, 1, 8, 1), (0, 8, 2**62, 1, 8, 1), (0, 2**62, 0, 1, 8, 1)]
)
def test_stocks_outside_their_bounds(stock):
    with pytest.raises(ValueError, match="row 0: capacity"):
        RowTable([(-1, EMPTY, EMPTY, [stock])], [[]])


def test_a_table_is_asked_about_what_it_has():
    with pytest.raises(ValueError, match="in use"):
        table().set_used(0, 0, -1)
    with pytest.raises(ValueError, match="no filter 5"):
        table().trees_that_meet(5)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": np.zeros(2), "b": np.zeros(3)}, "column 'b' has 3 entries, not 2"),
        ({"a": np.zeros((2, 2))}, "column 'a' has 2 dimensions"),
        ({"a": np.array(1)}, "column 'a' has 0 dimensions"),
        ({"a": np.zeros(2, np.int32)}, "column 'a' holds 'i', not int64"),
        ({"a": np.zeros(2, "f4")}, "column 'a' holds 'f'"),
        ({"a": np.zeros(2, ">i8")}, "column 'a' holds '>"),
        ({"a": np.zeros(2, "i8,i8")}, "column 'a' holds 'T"),
    ],
)
def test_columns_that_an_arrow_consumer_would_read_beyond(columns, said):
    for make in (arrow.stream_capsule, arrow.schema_capsule):
        with pytest.raises(ValueError, match=said):
            make(columns)


# ---- streams of others -------------------------------------------------------------------------------------------


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


SCHEMA_RELEASE = ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))
ARRAY_RELEASE = ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))
Schema._fields_ = [
    *[(name, ctypes.c_char_p) for name in ("format", "name", "metadata")],
    *[(name, ctypes.c_int64) for name in ("flags", "n_children")],
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.c_void_p),
    ("release", SCHEMA_RELEASE),
    ("private_data", ctypes.c_void_p),
]
Array._fields_ = [
    *[(name, ctypes.c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")],
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ARRAY_RELEASE),
    ("private_data", ctypes.c_void_p),
]
GET_SCHEMA = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Schema))
GET_NEXT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Array))
GET_ERROR = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)
STREAM_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
Stream._fields_ = [
    ("get_schema", GET_SCHEMA),
    ("get_next", GET_NEXT),
    ("get_last_error", GET_ERROR),
    ("release", STREAM_RELEASE),
    ("private_data", ctypes.c_void_p),
]
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


CELLS = struct.pack("3q", 5, 6, 7)


class Told:
    """A stream of one column whose batch says what the test says; one batch, then the end."""

    def __init__(self, kind=b"l", cells=CELLS, texts=b"", schema=None, column=None, batch=None):
        self.kept = [ctypes.create_string_buffer(cells, len(cells) + 1), ctypes.create_string_buffer(texts, 64)]
        self.schema, self.column, self.batch = schema or {}, column or {}, batch or {}
        self.kind, self.given = kind, False
        self.released = SCHEMA_RELEASE(lambda _: None), ARRAY_RELEASE(lambda _: None)
        self.stream = Stream(
            GET_SCHEMA(self.get_schema), GET_NEXT(self.get_next), GET_ERROR(lambda _: None),
            STREAM_RELEASE(lambda _: None), None,
        )  # fmt: skip

    def get_schema(self, _, out):
        child = Schema(format=self.kind, name=b"cpu", release=self.released[0])
        self.children = (ctypes.POINTER(Schema) * 1)(ctypes.pointer(child))
        out[0] = Schema(format=b"+s", n_children=1, children=self.children, release=self.released[0])
        for name, value in self.schema.items():
            setattr(child if name in ("format", "name") else out[0], name, value)
        self.kept.append(child)
        return 0

    def get_next(self, _, out):
        buffers = (ctypes.c_void_p * 4)(None, *(ctypes.addressof(one) for one in self.kept[:2]), None)
        child = Array(length=3, n_buffers=3, buffers=buffers, release=self.released[1])
        for name, value in self.column.items():
            setattr(child, name, value)
        children = (ctypes.POINTER(Array) * 1)(ctypes.pointer(child))
        out[0] = Array(length=3, n_buffers=1, n_children=1, children=children, release=self.released[1])
        for name, value in self.batch.items():
            setattr(out[0], name, value)
        self.kept += [buffers, child, children]
        if self.given:
            out[0].release = ARRAY_RELEASE()
        self.given = True
        return 0

    def __arrow_c_stream__(self, requested_schema=None):
        return new_capsule(ctypes.addressof(self.stream), b"arrow_array_stream", None)


def test_a_stream_that_says_the_truth():
    assert read_table("t", Told())["cpu"].tolist() == [5, 6, 7]
    assert read_table("t", Told(schema={"name": None}))[""].tolist() == [5, 6, 7]
    texts = Told(b"u", struct.pack("4i", 0, 1, 1, 3), b"abc")
    assert read_table("t", texts)["cpu"] == ["a", "", "bc"]
    none = Told(b"u", struct.pack("4i", 0, 0, 0, 0), column={"buffers": (ctypes.c_void_p * 3)(None, None, None)})
    with pytest.raises(InputError, match="buffer 1 is NULL"):
        read_table("t", none)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (lambda: Told(column={"length": 2}), "column 'cpu' has 2 entries, the batch 0 \\+ 3"),
        (lambda: Told(batch={"length": 2**62}), "the batch 0 \\+ 4611686018427387904"),
        (lambda: Told(batch={"length": -1}), "the batch 0 \\+ -1"),
        (lambda: Told(batch={"offset": 1}), "the batch 1 \\+ 3"),
        (lambda: Told(batch={"offset": 2**63 - 1}), "the batch 9223372036854775807 \\+ 3"),
        (lambda: Told(column={"offset": -1}), "column 'cpu' has 3 entries"),
        (lambda: Told(column={"offset": 2**63 - 1}), "begins at 9223372036854775807"),
        (lambda: Told(batch={"n_children": 0}), "a batch of 0 columns, the schema has 1"),
        (lambda: Told(batch={"n_children": 9}), "a batch of 9 columns"),
        (lambda: Told(batch={"children": None}), "a batch of 1 columns"),
        (lambda: Told(column={"n_buffers": 1}), "column 'cpu' has 1 buffers"),
        (lambda: Told(column={"buffers": None}), "column 'cpu' has 3 buffers"),
        (lambda: Told(schema={"format": None}), "column 0 has no format"),
        (lambda: Told(schema={"children": None}), "column 0 has no format"),
        (lambda: Told(b"u", struct.pack("4i", 0, 2, 1, 3), b"abc"), "a text from 2 to 1"),
        (lambda: Told(b"u", struct.pack("4i", -4, 0, 1, 3), b"abc"), "a text from -4 to 0"),
        (lambda: Told(b"U", struct.pack("4q", 0, -(2**62), 1, 3), b"abc"), "a text from 0 to"),
        (lambda: Told(b"u", struct.pack("4i", 0, 1, 1, 3), b"a\xff\xff"), "row 2: not UTF-8"),
        (lambda: Told(b"vu", struct.pack("12i", -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), "a text of -1 bytes"),
        (lambda: Told(b"vu", struct.pack("12i", 13, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0)), "in buffer 7"),
    ],
)
def test_a_stream_that_does_not(told, said):
    with pytest.raises(InputError, match=said) as error:
        read_table("t", told())
    assert "\n" not in str(error.value)


def test_a_stream_that_was_read_before():
    told = Told()
    told.stream.release = STREAM_RELEASE()
    with pytest.raises(InputError, match="has been read before"):
        read_table("t", told)
