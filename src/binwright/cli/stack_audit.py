"""`binwright stack audit PATH...`: reads the options, calls the stack, prints the findings, answers by exit code."""

import argparse
import time

from binwright.cli import exits, stack_audit_report
from binwright.cli.arguments import FORMS, Parser, add_output
from binwright.cli.inputs import PATHS, add_sandwich, add_schedulers, open_options
from binwright.cli.output import Rows, show
from binwright.errors import InputError
from binwright.stack.audit import MOST_REPAIRED, audit
from binwright.stack.repair import ACTIONS

DESCRIPTION = f"""\
Find what no single layer can see: workloads whose spread over nodes is no spread over physical hosts, quorums that one
host takes down, labels that name a host from before a migration, nodes without a server, budgets over one replica,
hosts that two sources put into two racks, promises that pass what a host has. Beside each spread and quorum stands the
cheapest repair that both layers' rules let and that makes no new finding: a pod moves, a server migrates, or a node is
added for a pod; -o commands prints it to paste.

{PATHS} Files racks.yaml in it (or --racks FILE) tell where hosts stand. Exit code 0: clean, 1: there are findings.
"""
COLUMNS = ("Id", "Kind", "Severity", "Object", "Claimed", "Actual", "Evidence")


def configure(parser: Parser) -> None:
    """The options of `stack audit`."""
    add_sandwich(parser)
    add_schedulers(parser)
    parser.add_argument("--strict", action="store_true", help="exit 1 when something could not be judged")
    parser.add_argument(
        "--cost", metavar="pod=N,migrate=N,node=N",
        help="what a step of a repair counts (default: the bytes of memory that move, or that a new node takes)",
    )  # fmt: skip
    text = f"look for repairs of so many findings, the worst first (default: {MOST_REPAIRED})"
    parser.add_argument("--repairs", type=int, metavar="N", default=MOST_REPAIRED, help=text)
    add_output(parser, (*FORMS, "commands"))


def run(options: argparse.Namespace) -> int:
    """Audit and print. 0: clean, 1: findings, or (--strict) something was not judged."""
    start = time.perf_counter()
    if options.repairs < 0:
        raise InputError(f"--repairs {options.repairs}: must not be negative")
    sandwich = open_options(options)
    spent = time.perf_counter() - start
    result = audit(sandwich, costs=costs(options.cost), most=options.repairs, seconds=spent)
    rows = [
        (one.id, one.kind, one.severity, str(one.objects[0]), one.claimed, one.actual, one.evidence)
        for one in result.findings
    ]
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, rows),
        names=[one.id for one in result.findings],
        report=lambda console, wide: stack_audit_report.draw(console, result, wide),
        commands=lambda: stack_audit_report.commands(result),
    )
    return exits.NO if result.findings or (options.strict and result.not_evaluated) else exits.YES


def costs(given: str | None) -> dict[str, int]:
    """--cost as a mapping. Raises InputError for what is not KIND=N."""
    found = {}
    for part in given.split(",") if given else ():
        action, _, number = part.partition("=")
        if action not in ACTIONS or not number.isdecimal() or len(number) > 18:
            raise InputError(f"--cost {part}: not KIND=N with a kind out of {', '.join(ACTIONS)}")
        found[action] = int(number)
    return found
