"""What `python -m tests.fuzz` shows of a round that ended badly: the end, and what a sanitizer said first."""

import pytest

from tests.fuzz.__main__ import FRAMES, KEPT, ending

PYTHON = [f"    #{i} 0x7f0000 in _PyEval_EvalFrameDefault" for i in range(3, 250)]
REPORTS = {
    "address": [
        "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x61",
        "READ of size 8 at 0x61 thread T0",
    ],
    "undefined": ["build/cython/_core/pools.c:812:9: runtime error: index 99 out of bounds for type 'int [4]'"],
    "signal": ["Fatal Python error: Segmentation fault", "", "Current thread 0x7f (most recent call first):"],
}


@pytest.mark.parametrize("kind", REPORTS)
@pytest.mark.parametrize("given", [str, str.encode])
def test_a_long_report_keeps_its_headline(kind, given):
    frames = ["    #0 0x7e0000 in claims_of _core/pools.c:812", *PYTHON]
    said = "\n".join(["tests/fuzz/test_pickles.py", *REPORTS[kind], *frames, "SUMMARY: of it", "==7==ABORTING"])
    shown = ending(given(said)).splitlines()
    assert shown[: len(REPORTS[kind]) + 1] == [*REPORTS[kind], frames[0]]
    assert shown[FRAMES] == "..."
    assert shown[-2:] == ["SUMMARY: of it", "==7==ABORTING"]
    assert len(shown) == FRAMES + 1 + KEPT


def test_nothing_is_said_twice():
    early = ["==7==ERROR: AddressSanitizer: SEGV", *PYTHON[: KEPT + 4]]
    assert ending("\n".join(early)).splitlines() == [*early[:5], "...", *early[5:]]
    short = ["==7==ERROR: AddressSanitizer: SEGV", *PYTHON[:20]]
    assert ending("\n".join(short)).splitlines() == short


def test_without_a_report_the_end_alone():
    assert ending("\n".join(PYTHON)).splitlines() == PYTHON[-KEPT:]
    assert ending(None) == ending("") == ending(b"") == "\n"
