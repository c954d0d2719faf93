"""`binwright consolidate PATH...`: reads the options, calls the stack, prints the result, answers by exit code."""

import argparse

from binwright.cli import evacuation_report, exits
from binwright.cli.arguments import FORMS, Parser, add_output
from binwright.cli.inputs import PATHS, add_rules, add_sources, sources_of, wishes_of
from binwright.cli.kubectl import consolidate_commands
from binwright.cli.output import show
from binwright.cli.progress import progress_bar
from binwright.packing.catalogue import read_catalogue_file
from binwright.stack.consolidate import consolidate_sources

DESCRIPTION = f"""\
Which nodes of a cluster can be emptied together, and how: the largest set that was found, the moves in an order in
which each can be carried out, and beside it how few nodes there can be, proven. With --prices, what saves most.

No candidate is a node of the control plane, one with scale-down-disabled or do-not-disrupt, or one with a pod that has
no controller, has an emptyDir volume (see --delete-emptydir-data), says safe-to-evict: "false" or do-not-disrupt, would
come back to a cordoned node, or whose disruption budget allows nothing; nor one that carries servers of a cloud in the
input. Daemon-set and mirror pods go with their node. With -o commands, contexts are named after the sources.

All chosen nodes are cordoned first, so every pod moves once, to a node that stays; the scheduler's own rules say where.
The bound covers requests and pod counts on every node's allocatable, daemon-set pods, the nodes that must stay, and
where taints, node selectors and affinity, and volumes let pods be; not spread, affinity between pods, or budgets.
Why a node could not go as well, `binwright drain NODE PATH` says pod by pod.

{PATHS} Exit code 0: at least one node can be emptied, 1: none.
"""


def configure(parser: Parser) -> None:
    """The options of `consolidate`."""
    add_sources(parser)
    text = "pods with emptyDir volumes may be moved, too; their data is lost"
    parser.add_argument("--delete-emptydir-data", action="store_true", help=text)
    text = (
        "CSV name,vcpus,memory_mb,price; name is a node's label node.kubernetes.io/instance-type, of all that could go"
    )
    parser.add_argument("--prices", metavar="CATALOGUE", help=text)
    add_rules(parser)
    add_output(parser, (*FORMS, "commands"))


def run(options: argparse.Namespace) -> int:
    """Consolidate and print. 0: some node can be emptied, 1: none, or (--strict) a rule was not evaluated."""
    sources = sources_of(options)
    catalogue = None if options.prices is None else read_catalogue_file(options.prices)
    with progress_bar(options.quiet) as progress:
        result = consolidate_sources(
            sources,
            wishes_of(options),
            catalogue,
            progress,
            delete_emptydir_data=options.delete_emptydir_data,
        )
    show(
        options,
        envelope=result.to_dict(),
        rows=evacuation_report.rows(result),
        names=[f"{source.source}/{node}" for source in result.sources for node in source.emptied],
        report=lambda console, wide: evacuation_report.draw_consolidate(console, result, wide),
        commands=lambda: consolidate_commands(result.sources),
    )
    return exits.YES if result.emptied and not (options.strict and result.not_evaluated) else exits.NO
