"""Times of workloads: rounds of each beside a calibration loop that was timed right before it.

Times inform; a gate on them must be loose. Instruction counts (`instructions`) are the gate that does not flake.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from binwright.bench.fleets import Hosts
from binwright.bench.workloads import WORKLOADS, Unit, decisions_for
from binwright.errors import InputError

CALIBRATION = bytes(1 << 18)
LEAST, MOST = 3, 40  # rounds
LEAST_PLACED = 100  # by one of the workloads, whatever the fleet


@dataclass(frozen=True)
class Timed:
    """One workload's rounds. seconds: of each; calibration: seconds of the calibration loop, timed beside it."""

    work: str
    hosts: int
    resources: int
    decisions: int
    seconds: tuple[float, ...]
    calibration: float

    @property
    def best(self) -> float:
        """Seconds of the fastest round."""
        return min(self.seconds)

    @property
    def ratio(self) -> float:
        """The fastest round in calibration loops: what two machines, or two days, may be compared by."""
        return self.best / self.calibration

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a result."""
        return {**asdict(self), "seconds": list(self.seconds)}


def seconds_of(function: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def calibration() -> float:
    """Seconds of the calibration loop: blake2b over 256 KiB, the best of 15."""
    return min(seconds_of(lambda: hashlib.blake2b(CALIBRATION).digest()) for _ in range(15))


def timed(work: str, unit: Unit, hosts: Hosts, seconds: float) -> Timed:
    """Rounds of one unit for about so many seconds; its answer is checked, AssertionError if it is wrong."""
    unit.run()
    unit.check()
    unit.reset()
    once = seconds_of(unit.run)
    beside = calibration()
    found = []
    for _ in range(max(LEAST, min(MOST, int(seconds / once)))):
        unit.reset()
        found.append(seconds_of(unit.run))
    return Timed(work, hosts.count, len(hosts.capacity), unit.decisions, tuple(found), beside)


def run(hosts: Hosts, names: Sequence[str] = (), seconds: float = 0.6) -> list[Timed]:
    """Time the named workloads (default: all) over a fleet. Raises InputError where it has no room for them."""
    room = min(
        sum(map(int.__sub__, whole, taken)) // share
        for whole, taken, share in zip(hosts.capacity, hosts.used, hosts.shares, strict=False)
    )
    decisions = min(decisions_for(hosts.count), room // 4)  # a request wants up to three shares, and some stay unused
    if room < 4 * LEAST_PLACED:
        raise InputError(
            f"the fleet has room for about {max(0, room // 4)} requests, the workloads place {LEAST_PLACED}"
        )
    return [timed(name, WORKLOADS[name][1](hosts, decisions), hosts, seconds) for name in names or WORKLOADS]
