"""Amounts and counts as people read them."""

import pytest

from binwright.cli import words


@pytest.mark.parametrize(
    ("resource", "value", "text"),
    [
        ("cpu", 0, "0 cores"),
        ("cpu", 1, "0.001 cores"),
        ("cpu", 250, "0.25 cores"),
        ("cpu", 1000, "1 core"),
        ("cpu", 1500, "1.5 cores"),
        ("cpu", 1_234_567, "1,235 cores"),
        ("memory", 0, "0 B"),
        ("memory", 1023, "1,023 B"),
        ("memory", 3 << 29, "1.5 GiB"),
        ("memory", -(2 << 30), "-2 GiB"),
        ("memory", 384 << 30, "384 GiB"),
        ("hugepages-2Mi", 4 << 20, "4 MiB"),
        ("ephemeral-storage", 2**70, "1,024 EiB"),
        ("MEMORY_MB", 2048, "2 GiB"),
        ("DISK_GB", 2048, "2 TiB"),
        ("VCPU", 3840, "3,840"),
        ("nvidia.com/gpu", 8, "8"),
    ],
)
def test_an_amount_has_the_unit_that_keeps_it_short(resource, value, text):
    assert words.amount(resource, value) == text


@pytest.mark.parametrize(("part", "whole", "text"), [(1, 3, "33 %"), (2, 1, "200 %"), (5, 0, "-"), (0, 7, "0 %")])
def test_a_share_is_rounded_down(part, whole, text):
    assert words.share(part, whole) == text


def test_counts_and_listings():
    assert [words.count(number, "host") for number in (0, 1, 1000)] == ["0 hosts", "1 host", "1,000 hosts"]
    assert words.count(2, "entry", "entries") == "2 entries"
    assert words.listing(["a", "b"], 2) == "a, b"
    assert words.listing(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_what_could_steer_a_terminal_is_escaped():
    assert words.printable("a\x1b[2J\r\n\u202eb\ud800 ü") == "a\\x1b[2J\\r\\n\\u202eb\\ud800 ü"
