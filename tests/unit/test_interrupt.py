"""Ctrl-C during a long batch stops it soon, and leaves the fleet as it was."""

import signal
import time

import numpy as np
import pytest

from binwright import Fleet

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm clock in the process")


def interrupted(call, after: float) -> float:
    """Seconds from the interrupt until the call has raised it."""
    rung = []

    def ring(number, frame):
        rung.append(time.perf_counter())
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        with pytest.raises(KeyboardInterrupt):
            call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return time.perf_counter() - rung[0]


@pytest.mark.parametrize("scan", [True, False])
def test_a_long_batch_hears_ctrl_c(scan):
    hosts, count = (20_000, 200_000) if scan else (500, 6_000_000)
    fleet = Fleet({"cpu": np.full(hosts, 2**50)}, used={"cpu": np.arange(hosts)})
    fleet._state.indexes.off = scan
    request = fleet.request({"cpu": 7})
    first = fleet.place(request, count=3)
    before = fleet.used.copy()
    assert interrupted(lambda: fleet.place(request, count=count), 0.05) < 2
    assert np.array_equal(fleet.used, before)
    fleet.release(first.items)  # still there, and the fleet is not busy
    assert fleet.place(request, count=3).hosts.tolist() == first.hosts.tolist()


def test_claims_and_releases_hear_it_too():
    fleet = Fleet({"cpu": np.full(100, 2**50)})
    request = fleet.request({"cpu": 1})
    hosts = np.zeros(6_000_000, np.int64)
    interrupted(lambda: fleet.claim(request, hosts), 0.05)
    assert int(fleet.used.sum()) == 0
    items = fleet.claim(request, hosts[:3])
    fleet.release(items)
    assert int(fleet.used.sum()) == 0
