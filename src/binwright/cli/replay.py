"""`binwright replay LOG`: decides a recorded log again, prints what came of it, answers by exit code."""

import argparse
import time
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_form, add_verbosity
from binwright.cli.output import as_json, emit
from binwright.cli.progress import progress_bar
from binwright.cli.words import printable
from binwright.replay import Replay, replay
from binwright.stack.envelope import API_VERSION

DESCRIPTION = """\
Make every call of a decision log again (`binwright place --log FILE`, or `binwright.DecisionLog` in a program) and
compare what it gives with the log, byte by byte, on any machine and any instruction-set copy (BINWRIGHT_KERNELS=base).
A log that was cut off is replayed to its last whole record. Exit code 0: all of it is identical, 1: something differs.
"""


def configure(parser: Parser) -> None:
    """The options of `replay`."""
    parser.add_argument("log", metavar="LOG", help="a decision log")
    add_form(parser.add_argument_group("output"), ("table", "json"))
    add_verbosity(parser)


def run(options: argparse.Namespace) -> int:
    """Replay one log."""
    start = time.perf_counter()
    with progress_bar(options.quiet) as bar:
        found = replay(options.log, bar and (lambda done, size: bar("replaying", done, size)))
    elapsed = time.perf_counter() - start
    if not options.quiet:
        emit(as_json(envelope(options.log, found, elapsed)) if options.form == "json" else lines(found, elapsed))
    return exits.YES if found.identical else exits.NO


def lines(found: Replay, elapsed: float) -> str:
    """What a person reads."""
    what = "identical" if found.difference is None else "not identical"
    text = [
        f"{what}: {found.decisions:,} decisions in {found.calls:,} calls on {found.fleets:,} "
        f"fleet{'' if found.fleets == 1 else 's'} ({found.kernels} kernels, {elapsed:.2f} s)"
    ]
    if found.difference:
        one = found.difference
        text.append(f"line {one.line}, {one.call}: {one.message}")
    text += [*found.notes, *([found.cut] if found.cut else [])]
    return "".join(f"{printable(line)}\n" for line in text)


def envelope(log: str, found: Replay, elapsed: float) -> dict[str, Any]:
    """The envelope of kind ReplayResult; schema in `schemas`."""
    one = found.difference
    return {
        "apiVersion": API_VERSION,
        "kind": "ReplayResult",
        "summary": {
            "log": log,
            "identical": found.identical,
            "calls": found.calls,
            "decisions": found.decisions,
            "fleets": found.fleets,
            "kernels": found.kernels,
            "elapsedSeconds": round(elapsed, 6),
        },
        "difference": one and {"line": one.line, "call": one.call, "message": one.message},
        "notes": [*found.notes, *([found.cut] if found.cut else [])],
        "notEvaluated": [],
    }
