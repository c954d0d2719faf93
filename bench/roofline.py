"""How fast a placement could be at best: its memory traffic alone, replayed in C on the hosts that the engine chose.

    python -m bench.roofline [HOSTS ...]      needs cc

One line a fleet size: nanoseconds of a placement by the engine (a million equal requests, resources only, index build
included), of the same placements' reads and writes alone, and of the engine without its index build. CPU time, the best
of some rounds, the two in turn in one run, so that a busy machine slows both.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path

from bench import index_workloads

SOURCE = Path(__file__).with_name("roofline.c")
HOSTS = (5_000, 100_000, 1_000_000)
ROUNDS = 7
SIZES = {"change": 32, "item": 40, "ends": 8}  # bytes, as in roofline.c


def compiled(folder: Path) -> Callable[..., int]:
    """The C loop."""
    library = folder / "roofline.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    function = ctypes.CDLL(str(library)).replay
    function.restype = ctypes.c_int64
    return function


class Traffic:
    """The arrays that a run of placements reads and writes."""

    def __init__(self, chosen: array[int], hosts: int, resources: int) -> None:
        count = len(chosen)
        self.numbers = (count, hosts, resources)
        self.feed_room = max(1 << 10, 1 << (hosts - 1).bit_length())
        self.chosen = chosen
        self.ends = bytearray(SIZES["ends"] * hosts)
        self.columns = [
            bytearray(33 * count), bytearray(SIZES["change"] * count), bytearray(SIZES["item"] * count), self.ends,
            bytearray(8 * resources * hosts), bytearray(8 * resources * hosts), bytearray(8 * hosts),
            bytearray(4 * self.feed_room),
        ]  # fmt: skip
        for column in self.columns:
            column[:] = b"\1" * len(column)

    def seconds(self, replay: Callable[..., int]) -> float:
        """CPU seconds of one run, from hosts without items."""
        self.ends[:] = b"\xff" * len(self.ends)
        given = [ctypes.c_int64(number) for number in self.numbers]
        memory = [(ctypes.c_char * len(column)).from_buffer(column) for column in self.columns]
        chosen = ctypes.c_void_p(self.chosen.buffer_info()[0])
        start = time.process_time()
        replay(*given, chosen, *memory, ctypes.c_int64(self.feed_room))
        return time.process_time() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        replay = compiled(Path(scratch))
        for hosts in map(int, sys.argv[1:] or HOSTS):
            unit = index_workloads.make("index_equal", hosts)
            assert isinstance(unit, index_workloads.Indexed)
            unit.reset()
            unit.run()
            traffic = Traffic(array("q", unit.answers.hosts), hosts, index_workloads.RESOURCES)
            ours: list[float] = []
            without: list[float] = []
            least: list[float] = []
            for unit.warm in (False, True) * ROUNDS:
                unit.reset()
                if unit.warm:  # brings the index up to date with what was rolled back
                    unit.place(unit.state, index_workloads.Answers(1), 0)
                start = time.process_time()
                unit.run()
                (without if unit.warm else ours).append(time.process_time() - start)
                least.append(traffic.seconds(replay))
            whole, warm, memory = (1e9 * min(each) / unit.decisions for each in (ours, without, least))
            print(
                f"{hosts:,} hosts: {whole:.1f} ns a placement, {warm:.1f} without the build, memory alone {memory:.1f}"
            )


if __name__ == "__main__":
    main()
