"""`binwright stack report PATH... -o FILE`: writes one HTML page, answers by exit code."""

import argparse
from pathlib import Path

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_verbosity
from binwright.cli.inputs import PATHS, add_sandwich, add_schedulers, open_options
from binwright.cli.output import emit
from binwright.stack.report import report
from binwright.stack.usage import read_usage, usage_files

DESCRIPTION = f"""\
Write one self-contained page, without any network, for people: numbers, hazards with their repairs, what the loss of a
host breaks, the sandwich drawn to scale with what is used, before and after the repairs.

{PATHS} Files racks.yaml and usage/*.csv in it are read as by `stack audit` and `stack ledger`. Exit code 0: written.
"""


def configure(parser: Parser) -> None:
    """The options of `stack report`."""
    add_sandwich(parser)
    add_schedulers(parser)
    parser.add_argument("-o", "--output", metavar="FILE", default="report.html", help="the page (default: report.html)")
    parser.add_argument("--usage", metavar="FILE", action="append", default=[], help="series of use")
    parser.add_argument("--risk", type=float, default=0.01, help="as of `stack ledger` (default: 0.01)")
    parser.add_argument("--title", help="headline of the page")
    add_verbosity(parser)


def run(options: argparse.Namespace) -> int:
    """Write the page; `-` is standard output."""
    sandwich = open_options(options)
    usage = read_usage(usage_files(options.paths, options.usage))
    names = [Path(path).resolve().name for path in [*options.paths, *options.clusters, *options.clouds]]
    page = report(sandwich, usage, options.title or f"The sandwich of {', '.join(names)}", options.risk)
    if options.output == "-":
        emit(page)
        return exits.YES
    Path(options.output).write_text(page, encoding="utf-8")
    if not options.quiet:
        emit(f"{options.output}: {len(page.encode()) // 1024} KiB\n")
    return exits.YES
