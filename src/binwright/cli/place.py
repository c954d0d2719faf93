"""`binwright place PATH...`: reads the options, calls the stack, prints the result, answers by exit code."""

import argparse
from contextlib import nullcontext
from typing import Any

from binwright.cli import exits, place_report
from binwright.cli.arguments import Parser, add_output, add_selection
from binwright.cli.inputs import add_nova_conf, wishes_of
from binwright.cli.output import Rows, emit, on_console, say, show
from binwright.cli.progress import progress_bar
from binwright.decision_log import DecisionLog
from binwright.outcome import Outcome
from binwright.stack.envelope import verdict_word
from binwright.stack.label_selector import label_selector
from binwright.stack.names import find_named, full_name
from binwright.stack.place import place_paths
from binwright.stack.place_result import PlaceResult
from binwright.stack.sources import INPUTS

DESCRIPTION = """\
Place what is pending in each PATH: pods of `kubectl get nodes,pods -A -o json|yaml`, servers of
`openstack ... -f json`. Nothing is changed anywhere; the answer is where each would go and why the rest does not fit.

A PATH is one source: a file, "-" for standard input, or a directory. A directory that holds clouds/NAME/ or
clusters/NAME/ is a sandwich of several sources. With --input openb two files are one source, NODES.csv PODS.csv of the
public GPU cluster trace; its pods are placed in file order, each on the node whose GPUs are then used most.
Exit code 0: everything fits, 1: something does not.
"""
COLUMNS = ("Source", "Kind", "Namespace", "Name", "Verdict", "Host", "Score", "Message")


def configure(parser: Parser) -> None:
    """The options of `place`."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="file, directory, or - for standard input")
    parser.add_argument("--input", choices=INPUTS, default="auto", help="what plain files hold (default: auto)")
    parser.add_argument("--retry-errors", action="store_true", help="place servers in status ERROR too")
    parser.add_argument("--preempt", action="store_true", help="push out less important pods, which queue again")
    parser.add_argument("--config", metavar="FILE", help="a KubeSchedulerConfiguration: plugins, weights, arguments")
    add_nova_conf(parser)
    parser.add_argument("--peer-sampling", action="store_true", help="look at a part of the nodes, as kube-scheduler")
    parser.add_argument("--complete", action="store_true", help="kinds of objects that the input lacks do not exist")
    parser.add_argument("--explain", metavar="NAME", help="say everything about one object: SOURCE/NAMESPACE/NAME")
    parser.add_argument("--log", metavar="FILE", help="record every decision in a new file, for `binwright replay`")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a rule in the input was not evaluated")
    add_selection(parser)
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Place and print. 0: all placed, 1: something is not, or (--strict) a rule was not evaluated."""
    has_labels = None if options.selector is None else label_selector(options.selector)
    recorded = nullcontext() if options.log is None else DecisionLog(options.log)
    with recorded, progress_bar(options.quiet) as progress:
        result = place_paths(options.paths, options.input, wishes_of(options), progress)
    say(options, result.notes)
    if options.namespace is not None:
        result = result.only(lambda outcome: outcome.namespace == options.namespace)
    if has_labels is not None:
        result = result.only(lambda outcome: has_labels(outcome.labels))
    if options.explain is not None:
        named = find_named([*result.unplaced, *result.placed], options.explain, "pending object")
        result = result.only(lambda outcome: outcome is named)
    print_result(options, result)
    if result.unplaced or (options.strict and result.not_evaluated):
        return exits.NO
    return exits.YES


def print_result(options: argparse.Namespace, result: PlaceResult) -> None:
    """The result in the form asked for; --explain has its own table."""
    outcomes = [*result.placed, *result.unplaced]
    if options.explain is not None and options.form in ("table", "wide") and not options.columns:
        if not options.quiet:
            emit(on_console(lambda console: place_report.explain(console, outcomes[0])))
        return
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, [row(outcome) for outcome in outcomes]),
        names=[full_name(outcome) for outcome in outcomes],
        report=lambda console, wide: place_report.draw(console, result, wide, among=among(options)),
    )


def among(options: argparse.Namespace) -> str:
    """What -n and -l chose from, in words; "" for everything."""
    named = "" if options.namespace is None else f" in namespace {options.namespace}"
    return named if options.selector is None else f"{named} with labels {options.selector}"


def row(outcome: Outcome) -> tuple[Any, ...]:
    """One object's cells under COLUMNS."""
    return (
        outcome.source,
        outcome.kind,
        outcome.namespace,
        outcome.name,
        verdict_word(outcome.verdict),
        outcome.host,
        outcome.score,
        outcome.message,
    )
