"""`binwright conformance PEER FILE...`: replays recordings of a real service and prints how many cases are equal."""

import argparse
import importlib
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_form, add_verbosity
from binwright.cli.output import as_json, emit
from binwright.cli.words import printable
from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import read_path
from binwright.stack.envelope import API_VERSION

DESCRIPTION = """\
Replay recorded decisions of a real service and compare them, case by case. Prints `FILE: cases N exact M` for every
file and a total; the first differences go to standard error. Exit code 0: every case is exact, 1: one is not.
"""
# Where each peer's replay(document) lives; it returns a ConformanceReport.
PEERS = {
    "kubernetes": "binwright.kubernetes.conformance",
    "placement": "binwright.openstack.conformance",
    "nova": "binwright.openstack.conformance",
    "cinder": "binwright.openstack.conformance",
    "heat": "binwright.openstack.conformance",
}
FIRST = 20


@dataclass(slots=True)
class FileReport:
    """One file's counts; `skipped` when it holds no cases."""

    file: str
    cases: int = 0
    exact: int = 0
    skipped: bool = False
    differences: list[str] = field(default_factory=list)


def configure(parser: Parser) -> None:
    """The options of `conformance`."""
    parser.add_argument("peer", metavar="PEER", choices=PEERS, help=f"the recorded service: {', '.join(PEERS)}")
    parser.add_argument("files", nargs="+", metavar="FILE", help="recordings, JSON, also .gz or .xz")
    parser.add_argument("--all", action="store_true", help=f"show every difference, not the first {FIRST}")
    add_form(parser.add_argument_group("output"), ("table", "json"))
    add_verbosity(parser)


def run(options: argparse.Namespace) -> int:
    """Replay the files one after another; a line appears as soon as its file is done."""
    replay = importlib.import_module(PEERS[options.peer]).replay
    start = time.perf_counter()
    lines = options.form == "table" and not options.quiet
    reports = []
    for path in options.files:
        report = replay_file(path, replay)
        reports.append(report)
        if lines and not report.skipped:
            emit(f"{printable(path)}: cases {report.cases} exact {report.exact}\n")
    if not options.quiet:
        show_remarks(reports, most=None if options.all else FIRST)
    cases, exact = sum(report.cases for report in reports), sum(report.exact for report in reports)
    if lines:
        emit(f"total: cases {cases} exact {exact}\n")
    elif not options.quiet:
        summary = {"peer": options.peer, "cases": cases, "exact": exact}
        emit(as_json(envelope(summary, reports, time.perf_counter() - start)))
    return exits.YES if exact == cases else exits.NO


def replay_file(path: str, replay: Any) -> FileReport:
    """Load one recording and replay it. Raises InputError for what is not a JSON object."""
    report = FileReport(path)
    blob, *others = read_path(path)
    if others:
        raise InputError(f"{path}: a directory; name its files")
    loaded = documents.load(blob)
    if len(loaded) != 1 or not isinstance(loaded[0], dict) or "cases" not in loaded[0]:
        report.skipped = True
        return report
    try:
        found = replay(loaded[0])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    report.cases, report.exact, report.differences = found.cases, found.exact, list(found.differences)
    return report


def show_remarks(reports: list[FileReport], most: int | None) -> None:
    """On standard error: the files without cases, and at most `most` (None: all) differences."""
    for report in reports:
        if report.skipped:
            print(f"{printable(report.file)}: skipped, it holds no cases", file=sys.stderr)
    differences = [f"{report.file}: {difference}" for report in reports for difference in report.differences]
    for difference in differences[:most]:
        print(printable(difference), file=sys.stderr)
    if most is not None and len(differences) > most:
        print(f"({len(differences) - most} more differences: --all)", file=sys.stderr)


def envelope(summary: dict[str, Any], reports: list[FileReport], elapsed: float) -> dict[str, Any]:
    """The envelope of kind ConformanceResult; schema in `schemas`."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ConformanceResult",
        "summary": summary | {"elapsedSeconds": round(elapsed, 6)},
        "files": [asdict(report) for report in reports],
        "notEvaluated": [],
    }
