"""`binwright capacity --pod SPEC PATH...`: reads the options, calls the stack, prints, answers by exit code."""

import argparse
from typing import Any

from binwright.cli import capacity_report, exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.inputs import PATHS, add_nova_conf, add_rules, add_sources, sources_of, wishes_of
from binwright.cli.output import Rows, say, show
from binwright.headroom import Question
from binwright.stack.headroom import headroom
from binwright.stack.headroom_result import HeadroomResult

DESCRIPTION = f"""\
How many more fit? Really places pods or servers of a shape, one after another by the whole rules, until the first is
refused, and says what ran out. Nothing is changed; several shapes are asked about one by one, then as a mix, in turn.

--pod SPEC[,SPEC...] asks the clusters. A SPEC is
  cpu=500m,memory=1Gi     amounts; in a row they are one shape until one of them is named again
  FILE                    a manifest, .yaml or .json, with pods or workloads
  [NAMESPACE/]POD         a pod of the input
  KIND/[NAMESPACE/]NAME   the next pod of a workload of the input: deploy/web, sts/shop/db, job/backup
with N: before it (3:deploy/web) for N of it in each round of the mix. Manifests are taken as the API server would store
them: limit ranges, defaults, priority and runtime classes.

--flavor NAME asks the clouds; without --pod and --flavor they are asked for every flavor.

{PATHS} Exit code 0: each shape fits at least once, 1: one does not.
"""
COLUMNS = ("Source", "Shape", "Host", "Count", "Rule", "Message", "Short")


def configure(parser: Parser) -> None:
    """The options of `capacity`."""
    add_sources(parser)
    parser.add_argument("--pod", dest="pods", metavar="SPEC", action="append", default=[], help="shapes of pods")
    text = "flavors by name, separated by commas"
    parser.add_argument("--flavor", dest="flavors", metavar="NAME", action="append", default=[], help=text)
    parser.add_argument("--after-pending", action="store_true", help="place first what is pending in the input")
    parser.add_argument("-n", "--namespace", help="where pods are asked for that name no namespace (default: default)")
    add_rules(parser)
    add_nova_conf(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Count and print. 0: every shape fits at least once, 1: one does not, or (--strict) a rule was not evaluated."""
    sources = sources_of(options)
    result = headroom(sources, questions(options), wishes_of(options))
    say(options, result.notes)
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, rows(result)),
        names=[f"{answer.source}/{capacity_report.shape_text(answer)}" for answer in result.answers],
        report=lambda console, wide: capacity_report.draw(console, result, wide),
    )
    nowhere = any(not shape.count for answer in result.answers for shape in answer.shapes)
    return exits.NO if nowhere or (options.strict and result.not_evaluated) else exits.YES


def questions(options: argparse.Namespace) -> dict[str, Question]:
    """What each layer is asked."""
    asked = {}
    if options.pods:
        asked["kubernetes"] = Question(tuple(options.pods), options.after_pending, options.namespace)
    if options.flavors or not options.pods:
        names = tuple(name for text in options.flavors for name in text.split(","))
        asked["openstack"] = Question(names, options.after_pending, options.namespace)
    return asked


def rows(result: HeadroomResult) -> list[tuple[Any, ...]]:
    """For each answer a row of the total, without a host, and a row a host."""
    found: list[tuple[Any, ...]] = []
    for answer in result.answers:
        name = capacity_report.shape_text(answer)
        found.append((answer.source, name, None, answer.count, None, answer.message, answer.runs_out))
        found += [
            (answer.source, name, room.host, sum(room.counts), room.rule, room.text, " ".join(room.short) or None)
            for room in answer.hosts
        ]
    return found
