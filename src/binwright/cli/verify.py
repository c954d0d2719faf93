"""`binwright verify PATH...`: reads the options, calls the stack, prints the result, answers by exit code."""

import argparse
from typing import Any

from binwright.cli import exits, verify_report
from binwright.cli.arguments import Parser, add_output, add_selection
from binwright.cli.inputs import PATHS, add_nova_conf, add_rules, add_sources, selection, sources_of, wishes_of
from binwright.cli.output import Rows, say, show
from binwright.stack.names import full_name
from binwright.stack.verify import verify_sources
from binwright.verified import Finding

DESCRIPTION = f"""\
Do the rules allow what is there? Replays what lies on the hosts, oldest first, each onto its own host, and lists every
placement that the rules refuse, with the rule and what was short. Each object meets the older ones only; those that
have gone since are unknown. Findings are

  infeasible   refused in its turn, and would be refused today
  past         refused in its turn, though today it would be taken: what made room or company for it may be gone
  hostChanged  refused only because the host is closed to new objects now, by a cordon, say; does not count
  allocation   a server holds something else in Placement than its flavor asks, or not on its host
  orphan       somebody who is no server of the input holds something in Placement

Static pods, which nobody scheduled, are skipped and counted.

{PATHS} Exit code 0: no placement is refused and the books agree, 1: one is, or they do not.
"""
COLUMNS = ("Source", "Kind", "Namespace", "Name", "Host", "Finding", "Rule", "Message", "Missing")


def configure(parser: Parser) -> None:
    """The options of `verify`."""
    add_sources(parser)
    add_rules(parser)
    add_nova_conf(parser)
    add_selection(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Verify and print. 0: clean, 1: a placement is refused, the books are wrong, or (--strict) a rule was left out."""
    selected = selection(options)
    wishes = wishes_of(options)
    result = verify_sources(sources_of(options), wishes)
    say(options, result.notes)
    result = result.only(selected)
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, [row(finding) for finding in result.findings]),
        names=[full_name(finding) for finding in result.findings],
        report=lambda console, wide: verify_report.draw(console, result, wide),
    )
    return exits.NO if result.infeasible or result.misbooked or (options.strict and result.not_evaluated) else exits.YES


def row(finding: Finding) -> tuple[Any, ...]:
    """One finding's cells under COLUMNS; amounts are exact, in base units."""
    return (
        finding.source,
        finding.object_kind,
        finding.namespace,
        finding.name,
        finding.host,
        finding.kind,
        "; ".join(dict.fromkeys(one.rule for one in finding.rejected_by)),
        "; ".join(one.text for one in finding.rejected_by),
        " ".join(f"{one.resource}={one.missing}" for one in finding.shortfalls) or None,
    )
