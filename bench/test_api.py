"""That bench.api measures what it says: it asserts itself that core and Python API decide alike."""

import pytest

from bench import api


@pytest.mark.parametrize("work", [lambda: api.what_if(1_000, 3), lambda: api.drain(100, 3)], ids=["what-if", "drain"])
def test_a_probe_is_the_cores(work):
    assert work()["median_ns"] > 0


def test_a_decision_is_the_cores():
    call, with_host = api.one_decision(200, 50)
    assert 0 < call["median_ns"] <= call["p99_ns"]
    assert call["median_ns"] < with_host["median_ns"]
