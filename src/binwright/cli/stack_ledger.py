"""`binwright stack ledger PATH...`: reads the options, calls the stack, prints the accounts, answers by exit code."""

import argparse
import time
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.inputs import PATHS, add_sandwich, open_options
from binwright.cli.output import Rows, borderless, show
from binwright.cli.report import indented, title
from binwright.cli.words import amount, count, printable, share
from binwright.stack.ledger import RESOURCES, LedgerResult, Line, ledger
from binwright.stack.usage import read_usage, usage_files

DESCRIPTION = f"""\
For each physical host, and in total: what it has, what is sold to servers, what the nodes on them can give, what pods
were guaranteed, request and may use at most, and, where series of use are there, what is really used and what is sold
but idle. Hosts where both layers promise more than lies below them are marked.

Series are CSV files usage/SOURCE.pods.csv and usage/SOURCE.servers.csv beside the sources (or --usage FILE).
{PATHS} Exit code 0: no host is overcommitted by both layers, 1: some are.
"""
COLUMNS = (
    "Host", "Rack", "Zone", "Resource", "Physical", "Sold", "Nodes", "Guaranteed", "Requested", "Limit", "Unlimited",
    "Mean", "Peak", "Reclaimable",
)  # fmt: skip
MOST = 10


def configure(parser: Parser) -> None:
    """The options of `stack ledger`."""
    add_sandwich(parser)
    parser.add_argument("--usage", metavar="FILE", action="append", default=[], help="series of use, named as above")
    parser.add_argument(
        "--risk", type=float, default=0.01,
        help="share of the samples in which reclaimed capacity may be missed (default: 0.01)",
    )  # fmt: skip
    parser.add_argument(
        "--pods", action="store_true", help="json and yaml: what every pod's request is worth at full load"
    )
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Add up and print. 0: no host is overcommitted by both layers, 1: some are."""
    start = time.perf_counter()
    sandwich = open_options(options)
    usage = read_usage(usage_files(options.paths, options.usage))
    result = ledger(sandwich, usage, options.risk, time.perf_counter() - start)
    show(
        options,
        envelope=result.to_dict(with_pods=options.pods),
        rows=Rows(COLUMNS, [row for one in result.accounts for row in rows(one)]),
        names=[one.host for one in result.accounts],
        report=lambda console, wide: draw(console, result, wide),
    )
    return exits.NO if any(one.double for one in result.accounts) else exits.YES


def rows(one: Any) -> list[tuple[Any, ...]]:
    """One host under COLUMNS, a row a resource; amounts are exact, in base units."""
    return [
        (
            one.host, one.rack, one.zone, name, line.physical, line.sold, line.nodes, line.guaranteed, line.requested,
            line.limited, line.unlimited, line.mean, line.peak, line.reclaimable,
        )
        for name, line in one.lines.items()
    ]  # fmt: skip


def draw(console: Any, result: LedgerResult, wide: bool) -> None:
    """Totals through the layers, then the hosts that both layers overcommit."""
    double = [one for one in result.accounts if one.double]
    head = f"{count(len(result.accounts), 'host')}, {len(double)} overcommitted by both layers"
    console.print(title(f"{head} ({result.elapsed_seconds:.2f} s)", good=not double))
    table = borderless(("All hosts", *RESOURCES), right=RESOURCES)
    totals = {name: result.total(name) for name in RESOURCES}
    for words, part in (
        ("physical", "physical"), ("sold to servers and pods on metal", "sold"), ("allocatable on nodes", "nodes"),
        ("guaranteed to pods", "guaranteed"), ("requested by pods", "requested"), ("pods' limits", "limited"),
        ("used, mean of the series", "mean"), (f"sold and idle at risk {result.risk:g}", "reclaimable"),
    ):  # fmt: skip
        table.add_row(words, *(cell(name, totals[name], part) for name in RESOURCES))
    table.add_row("pods without a limit", *(f"{totals[name].unlimited:,}" for name in RESOURCES))
    console.print(table)
    if double:
        console.print()
        draw_double(console, double if wide else double[:MOST])
        if not wide and len(double) > MOST:
            console.print(f"({count(len(double) - MOST, 'more host')}: -o wide)", style="dim")
    if not result.samples:
        console.print()
        indented(console, "No series of use beside the sources: what is used and idle is not known.")


def cell(name: str, line: Line, part: str) -> str:
    """An amount, with its share of the physical one."""
    value = getattr(line, part)
    if value is None:
        return "-"
    return (
        amount(name, value) if part == "physical" else f"{amount(name, value)}  {share(value, line.physical or 0):>5}"
    )


def draw_double(console: Any, accounts: list[Any]) -> None:
    """Hosts that both layers overcommit."""
    table = borderless(
        ("Overcommitted twice", "Resource", "Sold / physical", "Limits / nodes"),
        right=("Sold / physical", "Limits / nodes"),
    )
    for one in accounts:
        for name in one.double:
            line = one.lines[name]
            table.add_row(printable(one.host), name, f"{line.host_ratio:.2f}", f"{line.node_ratio:.2f}")
    console.print(table)
