"""The converter of amounts: every notation, rounding, and the one-line refusals."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright.errors import InputError
from binwright.units import MAX_AMOUNT, milli, nanos, shown, size_bytes, whole

GOOD = [
    ("0", 0),
    ("1", 10**9),
    ("500m", 5 * 10**8),
    ("0.5", 5 * 10**8),
    (".5", 5 * 10**8),
    ("5.", 5 * 10**9),
    ("+2", 2 * 10**9),
    ("-0", 0),
    ("007", 7 * 10**9),
    ("100u", 10**5),
    ("3n", 3),
    ("0.1n", 1),
    ("1.0000000001", 10**9 + 1),
    ("2k", 2000 * 10**9),
    ("1M", 10**15),
    ("1G", 10**18),
    ("1T", 10**21),
    ("1P", 10**24),
    ("1E", 10**27),
    ("1e3", 10**12),
    ("1E3", 10**12),
    ("12e-1", 12 * 10**8),
    ("1e-12", 1),
    ("1e-999999999", 1),
    ("0e999999999", 0),
    ("1Ki", 1024 * 10**9),
    ("1.5Gi", 3 * 2**29 * 10**9),
    ("1Mi", 2**20 * 10**9),
    ("1Ti", 2**40 * 10**9),
    ("1Pi", 2**50 * 10**9),
    ("7Ei", 7 * 2**60 * 10**9),
    (4, 4 * 10**9),
    (0.25, 25 * 10**7),
    (1e-07, 100),
    ("9223372036854775807", (2**63 - 1) * 10**9),
]

BAD = [
    ("", "not a quantity"),
    (" 1", "not a quantity"),
    ("1 Gi", "not a quantity"),
    (".", "not a quantity"),
    ("m", "not a quantity"),
    ("1.5.2Gi", "not a quantity"),
    ("1,5", "not a quantity"),
    ("--1", "not a quantity"),
    ("٣", "not a quantity"),
    ("1\n", "not a quantity"),
    ("NaN", "not a quantity"),
    (float("nan"), "not a quantity"),
    (True, "not a quantity"),
    (None, "not a quantity"),
    ([1], "not a quantity"),
    ({}, "not a quantity"),
    ("5Gb", "unknown unit 'Gb'"),
    ("5GB", "unknown unit 'GB'"),
    ("5gi", "unknown unit 'gi'"),
    ("5K", "unknown unit 'K'"),
    ("1e", "unknown unit 'e'"),
    ("1Ki5", "unknown unit 'Ki5'"),
    ("-1", "negative"),
    ("-5m", "negative"),
    (-3, "negative"),
    ("8Ei", "past the int64 range"),
    ("9223372036854775808", "past the int64 range"),
    ("1e400", "past the int64 range"),
    ("1e999999999", "past the int64 range"),
    (float("inf"), "past the int64 range"),
    (10**5000, "past the int64 range"),
    ("1" * 10_000_000, "too long"),
]


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_nanos(text, expected):
    assert nanos(text) == expected


@pytest.mark.parametrize(("text", "what"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_nanos_refuses_in_one_line(text, what):
    with pytest.raises(InputError, match=what) as caught:
        nanos(text, "Pod default/a: cpu")
    message = str(caught.value)
    assert message.startswith("Pod default/a: cpu: ")
    assert "\n" not in message
    assert len(message) < 200


@given(st.integers(0, 10**12), st.integers(0, 12), st.sampled_from(["n", "u", "m", "", "k", "Ki", "Mi"]))
def test_nanos_is_exact_rounding_up(digits, places, suffix):
    factor = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": 1, "k": 1000}
    factor |= {"Ki": 1024, "Mi": 2**20}
    text = str(digits).rjust(places + 1, "0")
    text = text[: len(text) - places] + "." + text[len(text) - places :]
    exact = Fraction(digits, 10**places) * factor[suffix]
    assert nanos(text + suffix) == ceil(exact * 10**9)


def test_sums_are_made_before_rounding():
    two = nanos("100u") + nanos("100u")
    assert milli(two) == 1
    assert milli(nanos("1n")) == 1
    assert milli(nanos("1001u")) == 2
    assert whole(nanos("1001m")) == 2
    assert whole(nanos("1Gi")) == 2**30
    assert milli(0) == whole(0) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (0, 0),
        (4096, 4096),
        ("4096", 4096),
        ("2048 MB", 2**31),
        ("2048MB", 2**31),
        ("2048 mb", 2**31),
        ("4Gi", 2**32),
        ("4 GiB", 2**32),
        ("4g", 2**32),
        ("1.5 GiB", 3 * 2**29),
        ("512 B", 512),
        ("1 TB", 2**40),
        ("1 KiB", 1024),
        ("0.3 B", 1),
        (" 1 PB ", 2**50),
    ],
)
def test_size_bytes(text, expected):
    assert size_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not a size"),
        ("MB", "not a size"),
        ("1.5.2 GB", "not a size"),
        ("2048 M B", "not a size"),
        (1.5, "not a size"),
        (True, "not a size"),
        (None, "not a size"),
        ("1" * 1000, "not a size"),
        ("5 XB", "unknown unit 'XB'"),
        ("5 iB", "unknown unit 'iB'"),
        ("5 cores", "unknown unit 'cores'"),
        ("-1 MB", "negative"),
        (-1, "negative"),
        ("8388608 TB", "past the int64 range"),
        (2**63, "past the int64 range"),
    ],
)
def test_size_bytes_refuses_in_one_line(text, what):
    with pytest.raises(InputError, match=what) as caught:
        size_bytes(text, "flavor m1: ram")
    assert str(caught.value).startswith("flavor m1: ram: ")
    assert "\n" not in str(caught.value)


def test_shown_is_short():
    assert shown("abc") == "'abc'"
    assert len(shown("x" * 10**7)) == 60
    assert shown([1] * 10**6) == "a list"
    assert shown({}) == "an object"


def test_max_amount_leaves_room_for_percentages():
    assert MAX_AMOUNT * 100 < 2**63
