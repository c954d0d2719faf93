"""`binwright drain NODE... PATH`: reads the options, calls the stack, prints the result, answers by exit code."""

import argparse

from binwright.cli import evacuation_report, exits
from binwright.cli.arguments import FORMS, Parser, add_output
from binwright.cli.inputs import PATHS, add_names_and_sources, add_rules, names_and_sources, wishes_of
from binwright.cli.kubectl import drain_commands
from binwright.cli.output import show
from binwright.stack.drain import drain_named
from binwright.stack.names import full_name

DESCRIPTION = f"""\
What `kubectl drain` of these nodes would do, on paper: who leaves, where the scheduler puts each replacement, who may
not go, and who finds no place. NODE is the name of a node, or SOURCE/NAME; several are drained together. Daemon-set,
mirror, unmanaged and finished pods and emptyDir volumes are treated as kubectl does, with its flags.

All nodes are cordoned first. Pods leave in the order of the nodes given and on each in the scheduler's own order
(priority, then age); each is gone before its replacement is placed, and that is placed before the next one leaves, so
room is never counted twice. What a disruption budget does not allow at once is evicted in later rounds, when the
replacements of the round before are ready. A node that carries servers of a cloud in the input is not emptied: they
have to be migrated first. With -o commands, contexts are named after the sources.

{PATHS} Exit code 0: every node is emptied and everything finds a place, 1: not so.
"""
FLAGS = {
    "ignore_daemonsets": "leave pods of daemon sets where they are",
    "delete_emptydir_data": "evict pods with emptyDir volumes, too; their data is lost",
    "force": "delete pods without a controller, too; nothing replaces them",
}


def configure(parser: Parser) -> None:
    """The options of `drain`."""
    add_names_and_sources(parser, "NODE")
    for flag, text in FLAGS.items():
        parser.add_argument(option(flag), action="store_true", help=text)
    add_rules(parser)
    add_output(parser, (*FORMS, "commands"))


def run(options: argparse.Namespace) -> int:
    """Drain and print. 0: all nodes are emptied, 1: not so, or (--strict) a rule was not evaluated."""
    names, sources = names_and_sources(options, "NODE")
    flags = {flag: getattr(options, flag) for flag in FLAGS}
    result = drain_named(names, sources, wishes_of(options), **flags)
    show(
        options,
        envelope=result.to_dict(),
        rows=evacuation_report.rows(result),
        names=[full_name(move.outcome) for move in result.moves],
        report=lambda console, wide: evacuation_report.draw_drain(console, result, wide),
        commands=lambda: drain_commands(result.sources, [option(flag) for flag in FLAGS if flags[flag]]),
    )
    return exits.YES if result.empties and not (options.strict and result.not_evaluated) else exits.NO


def option(flag: str) -> str:
    """A flag as kubectl writes it."""
    return f"--{flag.replace('_', '-')}"
