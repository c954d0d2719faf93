"""`binwright stack headroom PATH...`: reads the options, calls the stack, prints how many more fit, answers by code."""

import argparse
import time
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.inputs import PATHS, add_sandwich, add_schedulers, open_options
from binwright.cli.output import Rows, borderless, show
from binwright.cli.report import asked_text, change_text, draw_not_evaluated, draw_notes, indented, title
from binwright.cli.stack_words import no_host_text
from binwright.cli.words import count, printable
from binwright.packing.catalogue import read_catalogue_file
from binwright.stack.envelope import merged_not_evaluated
from binwright.stack.grown_headroom import GrownHeadroom, ShapeRoom, grown_headroom
from binwright.stack.grown_headroom_result import to_dict

DESCRIPTION = f"""\
How many more of this pod: on the nodes as they are, and with new nodes on the hosts as they are. New nodes are servers
of the flavors that the cluster's workers are, or of those that --flavor names; each gets a host by the cloud's whole
rules (zone, traits, server group, ratios), holds the pods of its daemon sets, and is really added before pods are
placed. Each cluster is asked by itself, and all of them together: they share the cloud, and take nodes in turn.

A new node is a copy of a node of the cluster of that flavor. Of a flavor that the cluster has none of, it is a copy of
its plainest worker with the flavor's vCPUs, memory and disk, less what kubelet and system keep on that worker, or what
kube_reserved_cpu_m and kube_reserved_memory_mb of the catalogue (--bins) say.

{PATHS} Exit code 0: every shape fits at least once more, 1: one does not.
"""
COLUMNS = (
    "Shape", "Cluster", "Nodes", "As is", "New nodes alone", "Pods alone", "New nodes together", "Pods together",
    "Next",
)  # fmt: skip


def configure(parser: Parser) -> None:
    """The options of `stack headroom`."""
    add_sandwich(parser)
    add_schedulers(parser)
    parser.add_argument(
        "--pod", dest="pods", metavar="SPEC", action="append", required=True, help="shapes of pods, as capacity --pod"
    )
    text = "flavors of new nodes, by name, separated by commas"
    parser.add_argument("--flavor", dest="flavors", metavar="NAME", action="append", default=[], help=text)
    parser.add_argument("--bins", metavar="CATALOGUE", help="flavors of new nodes: CSV name,vcpus,memory_mb,price,...")
    parser.add_argument("--after-pending", action="store_true", help="place first what is pending in the input")
    parser.add_argument("-n", "--namespace", help="where pods are asked for that name no namespace (default: default)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a rule in the input was not evaluated")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Ask and print. 0: every shape fits somewhere, 1: one does not, or (--strict) a rule was not evaluated."""
    start = time.perf_counter()
    catalogue = None if options.bins is None else read_catalogue_file(options.bins)
    sandwich = open_options(options)
    result = grown_headroom(
        sandwich,
        options.pods,
        [name for text in options.flavors for name in text.split(",")],
        catalogue=catalogue,
        after_pending=options.after_pending,
        namespace=options.namespace,
        seconds=time.perf_counter() - start,
    )
    show(
        options,
        envelope=to_dict(result),
        rows=Rows(COLUMNS, [row for shape in result.shapes for row in rows(shape)]),
        names=[f"{one.cluster}/{shape.shape}" for shape in result.shapes for one in shape.clusters],
        report=lambda console, wide: draw(console, result, wide),
    )
    unseen = options.strict and any(entries for _, entries in result.not_evaluated)
    return exits.NO if unseen or not all(shape.together for shape in result.shapes) else exits.YES


def rows(shape: ShapeRoom) -> list[tuple[Any, ...]]:
    """A row a cluster under COLUMNS."""
    return [
        (
            shape.shape, one.cluster, one.nodes, one.as_is, one.alone_nodes, one.alone, one.together_nodes,
            one.together, one.message,
        )
        for one in shape.clusters
    ]  # fmt: skip


def draw(console: Any, result: GrownHeadroom, wide: bool) -> None:
    """Every shape: a table of clusters, then what stops more."""
    for shape in result.shapes:
        draw_shape(console, shape, result.supposes, wide)
    entries = merged_not_evaluated(result.not_evaluated)
    draw_not_evaluated(console, entries, wide)
    draw_notes(console, [result.notes], wide)
    console.print(f"({result.elapsed_seconds:.2f} s)", style="dim")


def draw_shape(console: Any, shape: ShapeRoom, supposes: str, wide: bool) -> None:
    """One shape."""
    head = f"{shape.shape}: {shape.as_is:,} more on the nodes as they are"
    head += f", {shape.together:,} with {count(shape.new_nodes, 'new node')}"
    console.print(title(head, good=bool(shape.together)))
    indented(console, f"Asks for {asked_text(shape.asked.items())}; {supposes}.")
    columns = ("Cluster", "Nodes", "As is", "Alone", "+ nodes", "Together", "+ nodes ")
    table = borderless(columns, right=columns[1:])
    for one in shape.clusters:
        cells = (one.nodes, one.as_is, one.alone, one.alone_nodes, one.together, one.together_nodes)
        table.add_row(printable(one.cluster), *(f"{cell:,}" for cell in cells))
    table.add_row("all", *(f"{cell:,}" if cell is not None else "" for cell in total(shape)))
    console.print(table)
    console.print()
    draw_pools(console, shape, wide)


def total(shape: ShapeRoom) -> tuple[int | None, ...]:
    """The last line: clusters alone cannot be added, they would take the same room."""
    nodes = sum(one.nodes for one in shape.clusters)
    return nodes, shape.as_is, None, None, shape.together, shape.new_nodes


def draw_pools(console: Any, shape: ShapeRoom, wide: bool) -> None:
    """Each cluster's pools, with what stops them."""
    columns = ("New nodes of", "Servers", "Pods", "A node", "Then")
    for one in shape.clusters:
        if one.note is not None:
            console.print(printable(f"{one.cluster}: no new nodes, {one.note}"))
            continue
        useful = [pool for pool in one.pools if wide or pool.unfit is None]
        if not useful:
            told = {pool.unfit or "" for pool in one.pools}
            console.print(printable(f"{one.cluster}: a new node takes none ({'; '.join(sorted(told))})"))
            continue
        table = borderless((f"{one.cluster}: {columns[0].lower()}", *columns[1:]), right=columns[1:4])
        for pool in useful:
            then = pool.unfit or ""
            if pool.stopped is not None:
                then = no_host_text(pool.pool.flavor.name, pool.stopped)
                if pool.stopped.change is not None:
                    then += f". Smallest change: {change_text(pool.stopped.change)}"
            derived = " (the cluster has none yet)" if pool.pool.derived else ""
            cells = (f"{pool.servers:,}", f"{pool.pods:,}", f"{pool.per_node:,}")
            table.add_row(printable(pool.pool.name + derived), *cells, printable(then))
        console.print(table)
    console.print()
