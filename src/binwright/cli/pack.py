"""`binwright pack PATH...`: reads problems, packs them, prints each packing beside its proven bound."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.output import Rows, borderless, emit, say, show
from binwright.cli.words import printable
from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.outcome import NotEvaluated
from binwright.packing.catalogue import Catalogue, read_catalogue_file
from binwright.packing.documents import INPUTS, Instance, read_instances
from binwright.packing.result import Moment, PackResult
from binwright.packing.search import Progress
from binwright.packing.solve import DEFAULT_SECONDS, pack
from binwright.stack.pack import demands, problem_of
from binwright.stack.sources import LAYERS, layer_of

DESCRIPTION = """\
Pack items into few or cheap bins, and prove how few there can be. A PATH holds problems: JSON or JSON lines
{name, capacity: int|[int], items: [[w..., count]]}, the BPP or VBP text format, or CSV (columns are resources,
optional name and count) with --bins; or a dump of a cluster or a cloud with --bins: then everything that runs or waits
there is packed anew into the cheapest bins, pods of daemon sets counted on every one.

Exit code 0: everything is packed, 1: something fits no bin.
"""
COLUMNS = ("Name", "Items", "Types", "Value", "Bound", "Gap", "Status", "Seconds")
MOST_PATTERNS = 12


def configure(parser: Parser) -> None:
    """The options of `pack`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, directory, or - for standard input")
    inputs = (*INPUTS, *LAYERS)
    parser.add_argument("--input", choices=inputs, default="auto", help="what the files hold (default: auto)")
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
    parser.add_argument("--strict", action="store_true", help="exit 1 unless proven optimal with every rule evaluated")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Pack and print. 0: all packed, 1: something is not, or (--strict) not proven optimal."""
    catalogue = None
    if options.bins is not None:
        catalogue = read_catalogue_file(options.bins)
    instances, left_out = read_problems(options, catalogue)
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
    print_results(options, done, left_out)
    if any(result.cost is None or (options.strict and result.status != "optimal") for _, result in done) or (
        options.strict and any(left_out)
    ):
        return exits.NO
    return exits.YES


def read_problems(
    options: argparse.Namespace, catalogue: Catalogue | None
) -> tuple[list[Instance], list[list[NotEvaluated]]]:
    """The problems of all paths, and for each what is not evaluated: plain ones as they are, dumps by their layers."""
    instances: list[Instance] = []
    left_out: list[list[NotEvaluated]] = []
    for path in options.paths:
        if options.input in LAYERS or (options.input == "auto" and catalogue is not None and is_dump(path)):
            if catalogue is None:
                raise InputError(f"{path}: items without bins (--bins CATALOGUE names them)")
            for demand in demands([path], options.input):
                instance, unused = problem_of(demand, catalogue)
                instances.append(instance)
                left_out.append(unused)
                say(options, demand.notes)
            continue
        for blob in read_path(path):
            for instance in read_instances(blob, options.input, catalogue):
                instances.append(instance)
                left_out.append([])
    return instances, left_out


def is_dump(path: str) -> bool:
    """Whether a path holds objects of a cluster or a cloud, not packing problems."""
    return path != "-" and (os.path.isdir(path) or any(layer_of(blob) for blob in read_path(path)))


def print_results(
    options: argparse.Namespace, done: list[tuple[Instance, PackResult]], left_out: list[list[NotEvaluated]]
) -> None:
    """One problem in the form asked for; several as a table, or one JSON object a line."""
    envelopes = [
        result.to_dict(instance.name, unused) for (instance, result), unused in zip(done, left_out, strict=True)
    ]
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
        report=lambda console, wide: report(console, done, left_out, wide),
    )


def row(instance: Instance, result: PackResult) -> tuple[Any, ...]:
    """One problem's cells under COLUMNS."""
    items = instance.items
    gap = None if result.gap is None else f"{100 * result.gap:.3f} %"
    seconds = f"{result.seconds:.3f}"
    count, types = int(items.counts.sum()), len(items.counts)
    return (instance.name, count, types, result.value, result.bound, gap, result.status, seconds)


def report(
    console: Any, done: list[tuple[Instance, PackResult]], left_out: list[list[NotEvaluated]], wide: bool
) -> None:
    """A table of the problems; for a single one its patterns too; what was not evaluated."""
    table = borderless(COLUMNS, right=COLUMNS[1:6])
    for instance, result in done:
        table.add_row(*("" if cell is None else printable(str(cell)) for cell in row(instance, result)))
    console.print(table)
    for unused in left_out:
        for entry in unused:
            console.print(printable(f"not evaluated: {entry.rule} ({entry.objects}, such as {entry.example})"))
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
