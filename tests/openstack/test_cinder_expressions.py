"""The language of filter and goodness functions; the answers are cinder 29.0.0's with pyparsing 3.2.5."""

import gzip
import json
from pathlib import Path

import pytest

from binwright.openstack.cinder.expressions import ExpressionError, evaluate
from binwright.openstack.cinder.filters import FILTERS
from binwright.openstack.cinder.pools import read_pool
from binwright.openstack.cinder.volumes import VolumeRequest
from binwright.openstack.cinder.weighers import goodness
from binwright.openstack.conformance import replay

RECORDING = Path(__file__).parents[1] / "conformance" / "openstack" / "cinder_expressions.json.gz"

SCOPES = {
    "stats": {"x": 3, "y": 4, "f": 2.7, "l": [1, 2], "n": None, "b": True, "s": "abc", "neg": -5},
    "volume": {"size": 4},
    "capabilities": {"iops": "500", "ratio": "2.5"},
    "extra": {},
    "qos": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - 4 / 2", 5.0),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("1 < 2 < 3", True),
        ("3 > 2 > 5", False),
        ("1 <> 2", True),
        ("stats.x == 3 AND stats.y == 4", True),
        ("(stats.x) AND (stats.y)", 4),
        ("1 and 1 and 0", 1),
        ("1 or 0 and 0", 1),
        ("1 ? 2 : 0 ? 4 : 5", 2),
        ("stats.x > 2 ? 100 : 50", 100),
        ("max(1, 2, 3)", 3),
        ("abs stats.neg", 5),
        ("max (stats.x, 9) + 1", 10),
        ("stats.f", 2),
        ("capabilities.iops", 500),
        ("capabilities.ratio", 2.5),
        ("'5' == 5", False),
        ("'abc' == stats.s", True),
        ("stats.s == abc", True),
        ("1 andy", "y"),
        ("NOT1", False),
        ("1, 2, 3", [1, 2, 3]),
        ("stats", "stats"),
        ("1||0&&0", 1),
    ],
)
def test_values(text, value):
    found = evaluate(text, SCOPES)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 2", "()", "5.", "5 ? 1", "2^-1", "stats.x=3", "1.5.2"),
        *("stats.x AND stats.y", "stats.x and 1", "stats.x1", "stats.n", "stats.l", "stats.nothing", "nowhere.x"),
        *("qos.k", "7 / 0", "'a' < 1", "min(1)", "9 ^ 9 ^ 9", "'aa' * 9999999", "(" * 400 + "1" + ")" * 400),
        "- " * 5000 + "1",
        "1" * 20_000,
    ],
)
def test_what_has_no_value(text):
    with pytest.raises(ExpressionError) as refused:
        evaluate(text, SCOPES)
    assert "\n" not in str(refused.value)


def test_recorded_values():
    """1500 random expressions, most of them wrong in some way."""
    document = json.loads(gzip.decompress(RECORDING.read_bytes()))
    rows = [row for case in document["cases"] for row in case["expected"]]
    assert (len(rows), sum("value" in row for row in rows) > 500) == (1500, True)
    report = replay(document)
    assert report.differences == []
    assert report.cases == report.exact == 30
    for row in rows:  # to the last bit, and of the same type
        if "value" in row:
            found = evaluate(row["text"], document["cases"][0]["scopes"])
            assert (type(found), found) == (type(row["value"]), row["value"])
    document["cases"][0]["expected"][0] = {"text": "1", "value": 2}
    assert replay(document).exact == 29


def pool(**said):
    said = {"total_capacity_gb": 100, "free_capacity_gb": 40, "storage_protocol": "fibre_channel"} | said
    return read_pool({"name": "h@b#p", "capabilities": said}, "pool")


@pytest.mark.parametrize(
    ("text", "rating"),
    [
        ("50", 50),
        ("stats.free_capacity_gb > 10", 100),
        ("1 > 2", 0),
        ("101", 0),
        ("-1", 0),
        ("abc", 0),
        ("oops(", 0),
        (None, 0),
        ("stats.storage_protocol == 'fc' ? 90 : 10", 90),  # some name of the protocol
        ("volume.size * 2", 14),
    ],
)
def test_goodness(text, rating):
    assert goodness(pool(goodness_function=text), VolumeRequest(7, properties={"size": 7})) == rating


@pytest.mark.parametrize(
    ("text", "passes"),
    [("volume.size < 10", True), ("volume.size > 10", False), (None, True), ("volume.colour", False), ("oops(", False)],
)
def test_the_driver_filter(text, passes):
    volume = VolumeRequest(7, properties={"size": 7})
    assert FILTERS["DriverFilter"](pool(filter_function=text), volume, ()) is passes
