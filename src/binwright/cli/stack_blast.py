"""`binwright stack blast PATH...`: reads the options, calls the stack, prints what breaks, answers by exit code."""

import argparse
import time
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.inputs import PATHS, add_sandwich, add_schedulers, open_options
from binwright.cli.output import Rows, borderless, show
from binwright.cli.report import draw_not_evaluated, indented, title
from binwright.cli.words import count, printable
from binwright.errors import InputError
from binwright.stack.blast import Blast, BlastResult, Break, blast
from binwright.stack.sandwich import LEVELS

DESCRIPTION = f"""\
Lose a physical host, a rack or a zone, on paper: which quorums, services and disruption budgets break, how many pods
find another node at once by the scheduler's whole rules, and which do not. Several --lose are several questions;
--any host asks about each, worst first.

{PATHS} Files racks.yaml in it (or --racks FILE) tell where hosts stand. Exit code 0: nothing breaks and every pod finds
a place, 1: otherwise.
"""
COLUMNS = ("Level", "Name", "Servers", "Nodes", "Pods", "Placed", "Homeless", "Quorums", "Services", "Budgets")
MOST = 10  # rows of the table form; `wide` shows all


def configure(parser: Parser) -> None:
    """The options of `stack blast`."""
    add_sandwich(parser)
    add_schedulers(parser)
    parser.add_argument(
        "--strict", action="store_true", help="exit 1 when something lies on no known host or a rule was not evaluated"
    )
    parser.add_argument(
        "--lose", metavar="LEVEL=NAME", action="append", default=[],
        help="host=NAME, rack=NAME or zone=NAME; may be repeated",
    )  # fmt: skip
    parser.add_argument("--any", choices=LEVELS, help="ask about every one of them, worst first")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Ask and print. 0: nothing breaks, 1: something does."""
    if not options.lose and options.any is None:
        raise InputError("nothing to lose: give --lose host=NAME, rack=NAME or zone=NAME, or --any host")
    losses = [tuple(one.split("=", 1)) for one in options.lose]
    for given, parts in zip(options.lose, losses):
        if len(parts) != 2:
            raise InputError(f"--lose {given}: not LEVEL=NAME")
    start = time.perf_counter()
    sandwich = open_options(options)
    result = blast(sandwich, losses, options.any, time.perf_counter() - start)
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, [row(one) for one in result.blasts]),
        names=[one.name for one in result.blasts],
        report=lambda console, wide: draw(console, result, wide),
    )
    return exits.YES if result.unhurt and not (options.strict and result.not_evaluated) else exits.NO


def row(one: Blast) -> tuple[Any, ...]:
    """One loss under COLUMNS."""
    quorums, services, budgets = one.weight[:3]
    homeless = len(one.homeless)
    return one.level, one.name, one.servers, one.nodes, one.lost, one.placed, homeless, quorums, services, budgets


def draw(console: Any, result: BlastResult, wide: bool) -> None:
    """One loss in full, or a ranking."""
    breaking = sum(bool(one.breaks) for one in result.blasts)
    head = f"{breaking} of {count(len(result.blasts), 'loss', 'losses')} break{'s' * (breaking == 1)} something"
    console.print(title(f"{head} ({result.elapsed_seconds:.2f} s)", good=not breaking))
    if len(result.blasts) > 1:
        table = borderless((*COLUMNS[1:], "Breaks"), right=COLUMNS[2:])
        for one in result.blasts if wide else result.blasts[:MOST]:
            worst = "; ".join(printable(str(each.object)) for each in one.breaks[:2])
            table.add_row(*(printable(str(cell)) for cell in row(one)[1:]), worst)
        console.print(table)
        if not wide and len(result.blasts) > MOST:
            console.print(f"({count(len(result.blasts) - MOST, 'more loss', 'more losses')}: -o wide)", style="dim")
    else:
        for one in result.blasts:
            draw_one(console, one, wide)
    draw_not_evaluated(console, result.not_evaluated, wide)


def draw_one(console: Any, one: Blast, wide: bool) -> None:
    """Everything about one loss."""
    console.print()
    console.print(title(f"{one.level} {one.name}"))
    indented(
        console,
        f"{count(one.servers, 'server')} and {count(one.nodes, 'node')} are lost, with {count(one.lost, 'pod')}:",
    )
    indented(
        console,
        f"{one.placed} find another node at once, {len(one.homeless)} do not, {one.ended} end with their node.",
    )
    for each in one.breaks:
        indented(console, break_text(each))
    homeless = one.homeless if wide else one.homeless[:MOST]
    if homeless:
        table = borderless(("Finds no node", "Why"))
        for ref, why in homeless:
            table.add_row(printable(str(ref)), printable(why))
        console.print()
        console.print(table)
    if len(homeless) < len(one.homeless):
        console.print(f"({count(len(one.homeless) - len(homeless), 'more pod')}: -o wide)", style="dim")


def break_text(each: Break) -> str:
    """A broken thing, in words."""
    match each.kind:
        case "quorum":
            return f"{each.object}: {each.left} of {each.had} members are left, {each.needed} are needed"
        case "service":
            return f"{each.object}: {'its only pod is' if each.had == 1 else f'all {each.had} pods are'} lost"
        case _:
            return f"{each.object}: {each.left} healthy pods are left, {each.needed} are promised"
