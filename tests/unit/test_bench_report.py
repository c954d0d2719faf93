"""The gate on instructions and the README's table of measurements: what fails, what is written where."""

import pytest

from bench import table
from binwright.bench import instructions


@pytest.mark.parametrize(
    ("found", "stored", "fails", "word"),
    [
        (101_000, 100_000, False, "+1.00%"),
        (101_001, 100_000, True, "slower"),
        (98_999, 100_000, False, "faster"),
        (99_000, 100_000, False, "-1.00%"),
        (5, None, False, "not stored"),
    ],
)
def test_one_percent_more_instructions_fail(found, stored, fails, word):
    text, failed = instructions.verdict(found, stored)
    assert failed is fails
    assert word in text


def test_counts_are_kept_per_compiler_of_the_core(tmp_path):
    (tmp_path / "scan.x.so").write_bytes(b"\x7fELF\x00GCC: (Debian 12.2.0-14) 12.2.0\x00")
    assert instructions.key_of(tmp_path, "v3").endswith(", gcc 12.2.0, v3")
    (tmp_path / "scan.x.so").write_bytes(b"\x00clang version 19.1.7 (/llvm)\x00")
    assert instructions.key_of(tmp_path, "base").endswith(", clang version 19.1.7, base")
    (tmp_path / "scan.x.so").write_bytes(b"")
    assert "unknown compiler" in instructions.key_of(tmp_path, "base")


def test_the_table_goes_between_the_markers():
    readme = f"head\n{table.START}\nold\n{table.END}\ntail\n"
    assert table.put_into(readme, "new") == f"head\n{table.START}\nnew\n{table.END}\ntail\n"
    for broken in ("no markers", f"{table.START} only", readme + readme):
        with pytest.raises(SystemExit, match="README"):
            table.put_into(broken, "new")


def test_numbers_have_three_significant_digits():
    assert [table.short(x) for x in (0.63345, 2.4, 15.24, 402_345.0, 999_999.0, 0)] == [
        "0.633", "2.4", "15.2", "402,000", "1,000,000", "0",
    ]  # fmt: skip


def test_the_best_round_is_shown():
    record = {"work": "equal", "hosts": 1000, "resources": 4, "decisions": 100, "seconds": [3e-4, 2e-4, 9e-4]}
    assert table.rate(record) == "500,000 (2)"
    assert table.duration(record) == "200 (200)"
    assert list(table.rows_of([record], {"equal": "equal requests"}, table.rate)) == [
        ["equal requests", "4", "500,000 (2)"]
    ]
