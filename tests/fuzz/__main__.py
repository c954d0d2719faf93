"""Damage at every door for some minutes, each round with a seed of its own; prints executions, time and finds.

    python -m tests.fuzz MINUTES [--seed N] [--times N] [--doors EXPRESSION]

A find prints its seed and door, and the command that repeats it; then the exit code is 1. `--doors` is pytest's -k.
On a core with sanitizers: `bash .ci/sanitize FOLDER MINUTES`.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
HANG = 3600  # seconds of one round
KEPT, FRAMES = 60, 15  # lines of an output's end, and of a report that stands before it
HEADLINES = (
    "ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", ": runtime error: ",
    "Fatal Python error: ",
)  # fmt: skip


def one_round(seed: int, times: int, doors: str) -> tuple[int, str]:
    """(executions, what was found: "" for nothing)."""
    with tempfile.TemporaryDirectory() as scratch:
        count = Path(scratch) / "count"
        told = {"BINWRIGHT_SEED": str(seed), "BINWRIGHT_FUZZ": str(times), "BINWRIGHT_FUZZ_COUNT": str(count)}
        words = ["-v", "-x", "-p", "no:cacheprovider", "--capture=sys", "--tb=short", str(HERE)]
        words += ["-k", doors] if doors else []
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "pytest", *words], cwd=HERE.parents[1], env={**os.environ, **told},
                capture_output=True, text=True, errors="replace", timeout=HANG, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as hung:
            return 0, f"hangs\n{ending(hung.stdout)}"
        executions = int(count.read_text()) if count.exists() else 0
        return executions, "" if ended.returncode == 0 else ending(ended.stdout) + ending(ended.stderr)


def ending(text: str | bytes | None) -> str:
    """The last lines of what was said; above them a sanitizer's first report, where it would be cut off."""
    said = (text.decode(errors="replace") if isinstance(text, bytes) else text or "").splitlines()
    last = max(len(said) - KEPT, 0)
    first = next((i for i in range(last) if any(headline in said[i] for headline in HEADLINES)), last)
    report = said[first : min(first + FRAMES, last)]
    return "\n".join([*report, *(["..."] if report else []), *said[last:]]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, help="of the first round; the next rounds count on")
    parser.add_argument("--times", type=int, default=12, help="damaged inputs a door and round (default 12)")
    parser.add_argument("--doors", default="", help="only those, as pytest's -k names them")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(2**31)
    first, start, executions, finds = seed, time.monotonic(), 0, 0
    while seed == first or time.monotonic() - start < 60 * options.minutes:
        tried, found = one_round(seed, options.times, options.doors)
        executions += tried
        if found:
            finds += 1
            again = f"BINWRIGHT_SEED={seed} BINWRIGHT_FUZZ={options.times} python -m pytest -x tests/fuzz"
            print(f"find, seed {seed}; again: {again}\n{found}", flush=True)
        seed += 1
        spent = time.monotonic() - start
        print(f"seeds {first}..{seed - 1}: {executions} executions, {spent:.0f} s, {finds} finds", flush=True)
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
