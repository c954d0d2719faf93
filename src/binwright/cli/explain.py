"""`binwright explain NAME PATH...`: reads the options, calls the stack, prints the result, answers by exit code."""

import argparse
from typing import Any

from binwright.cli import exits, explain_report
from binwright.cli.arguments import Parser, add_output, add_selection
from binwright.cli.inputs import PATHS, add_nova_conf, add_rules, add_sources, selection, sources_of, wishes_of
from binwright.cli.output import Rows, say, show
from binwright.cli.report import change_text
from binwright.errors import InputError
from binwright.explained import HostAnswer
from binwright.stack.explain import DEFAULT_BEST, explain_named
from binwright.stack.explain_result import ExplainResult

DESCRIPTION = f"""\
Say everything about one pod or server: which host takes it and which does not, by which rule, what it lacks there, and
the one change that would be enough; and the scores of the best hosts, part by part. NAME is SOURCE/NAMESPACE/NAME, the
end of it as far as it is unambiguous, or a uid. The name of a flavor asks about one more server of it.

What is pending is decided as at its turn: after everything that stands before it in the queue. What has a host already
is decided as if it came now: taken out, decided about, put back; what is pending is not placed.

{PATHS} Exit code 0: some host takes it, 1: none does.
"""
COLUMNS = ("Host", "Verdict", "Score", "Rule", "Message", "Missing", "Change")


def configure(parser: Parser) -> None:
    """The options of `explain`."""
    parser.add_argument("name", metavar="NAME", help="the object: SOURCE/NAMESPACE/NAME or the end of it")
    add_sources(parser)
    parser.add_argument(
        "--best", type=int, metavar="N", default=DEFAULT_BEST, help=f"scores of N hosts (default: {DEFAULT_BEST})"
    )
    parser.add_argument("--retry-errors", action="store_true", help="servers in status ERROR are pending, too")
    add_rules(parser)
    add_nova_conf(parser)
    add_selection(parser, "look among")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Explain and print. 0: a host takes it, 1: none does, or (--strict) a rule was not evaluated."""
    if options.best < 0:
        raise InputError(f"--best {options.best}: must not be negative")
    selected = selection(options)
    result = explain_named(options.name, sources_of(options), wishes_of(options), options.best, selected)
    say(options, result.explained.notes)
    hosts = result.explained.hosts
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, [row(answer) for answer in hosts]),
        names=[answer.host for answer in hosts],
        report=lambda console, wide: explain_report.draw(console, result, wide),
    )
    return exits.YES if fits(result) and not (options.strict and result.explained.not_evaluated) else exits.NO


def fits(result: ExplainResult) -> bool:
    """Whether the object gets a host."""
    return result.explained.outcome.host is not None


def row(answer: HostAnswer) -> tuple[Any, ...]:
    """One host's cells under COLUMNS; amounts are exact, in base units."""
    return (
        answer.host,
        "feasible" if answer.feasible else "refused",
        answer.score,
        "; ".join(dict.fromkeys(one.rule for one in answer.rejected_by)) or None,
        "; ".join(one.text for one in answer.rejected_by) or None,
        " ".join(f"{one.resource}={one.missing}" for one in answer.shortfalls) or None,
        None if answer.smallest_change is None else change_text(answer.smallest_change),
    )
