"""`binwright pack PATH...`: reads problems, packs them, prints each packing beside its proven bound."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.output import Rows, borderless, emit, show
from binwright.cli.words import printable
from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.packing.catalogue import read_catalogue
from binwright.packing.documents import INPUTS, Instance, read_instances
from binwright.packing.result import Moment, PackResult
from binwright.packing.search import Progress
from binwright.packing.solve import DEFAULT_SECONDS, pack

DESCRIPTION = """\
Pack items into few or cheap bins, and prove how few there can be. A PATH holds problems: JSON or JSON lines
{name, capacity: int|[int], items: [[w..., count]]}, the BPP or VBP text format, or CSV (columns are resources,
optional name and count) with --bins. Exit code 0: everything is packed, 1: something fits no bin.
"""
COLUMNS = ("Name", "Items", "Types", "Value", "Bound", "Gap", "Status", "Seconds")
MOST_PATTERNS = 12


def configure(parser: Parser) -> None:
    """The options of `pack`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, directory, or - for standard input")
    parser.add_argument("--input", choices=INPUTS, default="auto", help="what the files hold (default: auto)")
    parser.add_argument("--bins", metavar="CATALOGUE", help="bins: CSV name,vcpus,memory_mb,price[,stock,max_pods,...]")
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument(
        "--time-limit",
        type=float,
        metavar="S",
        help=f"seconds a problem (default: {DEFAULT_SECONDS:.0f}); wall clock, so not reproducible",
    )
    limits.add_argument("--iterations", type=int, metavar="N", help="iterations of column generation; reproducible")
    parser.add_argument("--plot", metavar="FILE", help="draw the bins, and value and bound over time, as .svg or .png")
    parser.add_argument("--strict", action="store_true", help="exit 1 also when optimality is not proven")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Pack and print. 0: all packed, 1: something is not, or (--strict) not proven optimal."""
    catalogue = None
    if options.bins is not None:
        blob, *others = read_path(options.bins)
        if others:
            raise InputError(f"{options.bins}: a directory; name the file of the catalogue")
        catalogue = read_catalogue(blob)
    instances = [
        instance
        for path in options.paths
        for blob in read_path(path)
        for instance in read_instances(blob, options.input, catalogue)
    ]
    if options.plot is not None and len(instances) != 1:
        raise InputError(f"--plot: draws one problem, there are {len(instances)}")
    done: list[tuple[Instance, PackResult]] = []
    for instance in instances:
        with progress_line(options.quiet, instance.name) as progress:
            result = pack(
                instance.items,
                instance.bins,
                time_limit=options.time_limit,
                iterations=options.iterations,
                progress=progress,
            )
        done.append((instance, result))
        for note in result.notes if not options.quiet else ():
            print(f"binwright: {printable(f'{instance.name}: {note}')}", file=sys.stderr)
    if options.plot is not None:
        from binwright.packing.plot import draw

        draw(done[0][1], done[0][0].resources, options.plot)
    print_results(options, done)
    if any(result.cost is None or (options.strict and result.status != "optimal") for _, result in done):
        return exits.NO
    return exits.YES


def print_results(options: argparse.Namespace, done: list[tuple[Instance, PackResult]]) -> None:
    """One problem in the form asked for; several as a table, or one JSON object a line."""
    envelopes = [result.to_dict(instance.name) for instance, result in done]
    if options.form == "json" and len(done) != 1:
        if not options.quiet:
            import msgspec

            emit("".join(msgspec.json.encode(envelope).decode() + "\n" for envelope in envelopes))
        return
    show(
        options,
        envelope=envelopes[0] if len(done) == 1 else {"results": envelopes},
        rows=Rows(COLUMNS, [row(instance, result) for instance, result in done]),
        names=[instance.name for instance, _ in done],
        report=lambda console, wide: report(console, done, wide),
    )


def row(instance: Instance, result: PackResult) -> tuple[Any, ...]:
    """One problem's cells under COLUMNS."""
    items = instance.items
    gap = None if result.gap is None else f"{100 * result.gap:.3f} %"
    seconds = f"{result.seconds:.3f}"
    count, types = int(items.counts.sum()), len(items.counts)
    return (instance.name, count, types, result.value, result.bound, gap, result.status, seconds)


def report(console: Any, done: list[tuple[Instance, PackResult]], wide: bool) -> None:
    """A table of the problems; for a single one its patterns too."""
    table = borderless(COLUMNS, right=COLUMNS[1:6])
    for instance, result in done:
        table.add_row(*("" if cell is None else printable(str(cell)) for cell in row(instance, result)))
    console.print(table)
    if len(done) > 1:
        return
    instance, result = done[0]
    for number in result.unpacked:
        console.print(printable(f"{instance.items.name(number)} fits no bin"))
    if result.patterns:
        console.print()
        patterns = borderless(("Bins", "Kind", "Items"), right=("Bins",))
        shown = result.patterns if wide else result.patterns[:MOST_PATTERNS]
        for kind, pairs, count in shown:
            held = ", ".join(f"{copies} x {instance.items.name(at)}" for at, copies in pairs)
            patterns.add_row(str(count), printable(instance.bins.name(kind)), printable(held))
        console.print(patterns)
        if len(shown) < len(result.patterns):
            console.print(f"({len(result.patterns) - len(shown)} more patterns: -o wide)")


@contextmanager
def progress_line(quiet: bool, name: str) -> Iterator[Progress | None]:
    """Value and bound on standard error while they move, only when that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return

    def progress(moment: Moment) -> None:
        value = "-" if moment.value is None else moment.value
        print(f"\r\x1b[K{printable(name)}: value {value} bound {moment.bound}", end="", file=sys.stderr, flush=True)

    yield progress
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)
