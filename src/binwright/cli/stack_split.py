"""`binwright stack split PATH...`: reads the options, calls the stack, prints how to divide bare-metal hosts."""

import argparse
import time
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.inputs import PATHS, add_sandwich, add_schedulers, open_options
from binwright.cli.output import Rows, borderless, show
from binwright.cli.report import draw_not_evaluated, indented, title
from binwright.cli.words import amount, count, printable
from binwright.stack.envelope import merged_not_evaluated
from binwright.stack.split import Split, split

DESCRIPTION = f"""\
Divide a pool of empty bare-metal hosts: how many should run hypervisors and how many Kubernetes directly, so that the
servers and pods that wait in the input find a place. Hosts are really added, as hypervisors like --like HOST, or as
nodes of its physical size (like the cluster's plainest worker, less what kubelet keeps there), and what waits is placed
by the whole rules; the least number that places all that any number places is found by halving. Cinder's pools are
asked, too, and servers of requests.json are held to the quotas of Nova, Neutron and Cinder that quotas.json tells.

{PATHS} Exit code 0: the pool is enough for both and nothing that it could help is left, 1: it is not.
"""
COLUMNS = ("Source", "Layer", "Waiting", "Placed without", "Placed with", "Hosts", "Still waiting")


def configure(parser: Parser) -> None:
    """The options of `stack split`."""
    add_sandwich(parser)
    add_schedulers(parser)
    parser.add_argument("--bare-metal", type=int, metavar="HOSTS", required=True, help="how many empty hosts there are")
    parser.add_argument("--like", metavar="HOST", required=True, help="a hypervisor of the same make")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a rule in the input was not evaluated")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Divide and print. 0: the pool is enough, 1: it is not, or (--strict) a rule was not evaluated."""
    start = time.perf_counter()
    sandwich = open_options(options)
    result = split(sandwich, options.bare_metal, options.like, time.perf_counter() - start)
    rows: list[tuple[Any, ...]] = [
        (one.source, one.layer, one.waiting, one.without, one.most, one.hosts, one.still) for one in result.shares
    ]
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, rows),
        names=[one.source for one in result.shares],
        report=lambda console, wide: draw(console, result, rows, wide),
    )
    unseen = options.strict and any(entries for _, entries in result.not_evaluated)
    return exits.YES if result.enough and not unseen else exits.NO


def draw(console: Any, result: Split, rows: list[tuple[Any, ...]], wide: bool) -> None:
    """The division, and each source's part in it."""
    head = f"{count(result.hypervisors, 'hypervisor')}, {count(result.nodes, 'node')}"
    spare = result.pool - result.hypervisors - result.nodes
    head += f", {spare} to spare" if result.enough else f": {-spare} more than the {result.pool} that there are"
    console.print(title(f"{head} ({result.elapsed_seconds:.2f} s)", good=result.enough))
    offers = ", ".join(f"{amount(name, value)} of {name}" for name, value in result.node.items())
    indented(console, f"Each host is like {result.like}" + (f"; as a node it offers {offers}." if offers else "."))
    table = borderless(COLUMNS, right=COLUMNS[2:])
    for row in rows:
        table.add_row(*(printable(cell) if isinstance(cell, str) else f"{cell:,}" for cell in row))
    console.print(table)
    draw_not_evaluated(console, merged_not_evaluated(result.not_evaluated), wide)
