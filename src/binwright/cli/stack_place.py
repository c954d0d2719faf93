"""`binwright stack place PATH...`: reads the options, calls the stack, prints one joint plan, answers by exit code."""

import argparse
import time
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import FORMS, Parser, add_output
from binwright.cli.inputs import PATHS, add_sandwich, add_schedulers, open_options
from binwright.cli.output import Rows, borderless, show
from binwright.cli.report import change_text, draw_not_evaluated, draw_notes, indented, title
from binwright.cli.stack_words import no_host_text
from binwright.cli.words import count, listing, printable
from binwright.packing.catalogue import read_catalogue_file
from binwright.stack.commands import WANTS, create_server
from binwright.stack.envelope import merged_not_evaluated
from binwright.stack.joint_place import joint_place
from binwright.stack.joint_plan import JointPlan, Stop
from binwright.stack.new_nodes import NewNode
from binwright.stack.sandwich import LEVELS

DESCRIPTION = f"""\
Place every pending pod through all layers. Pods go to nodes as their scheduler says; for those that no node takes, the
cheapest new nodes are chosen by packing (by price with --bins, else as few as possible), their servers are given hosts
by the cloud's rules (zone, traits, server group, ratios), the nodes are really added with the pods of their daemon
sets, and the pods placed on them. It is one answer: all of it holds, or nothing, and then it says which rule at which
layer stops each pod, and the smallest change that would be enough. --partial keeps what fits.

--spread LEVEL makes waiting pods spread over real hosts, racks or zones, whatever their own constraints say of nodes;
new nodes are put where fewest nodes of their cluster are. Where Nova, left to itself, would take another host, the
command asks for the right one (`server create --host`, compute API 2.74, for administrators); all rules still hold.
Nodes carry the labels binwright.io/host, /rack and /zone meanwhile, so that pods may name them, too. How a new node is
derived: see stack headroom.

{PATHS} Exit code 0: every pod has its place, 1: one has not. -o commands prints openstack commands to paste.
"""
COLUMNS = ("Source", "Namespace", "Name", "Host", "New node", "Message")
MOST = 12  # rows of the table form; `wide` shows all


def configure(parser: Parser) -> None:
    """The options of `stack place`."""
    add_sandwich(parser)
    add_schedulers(parser)
    text = "flavors of new nodes, by name, separated by commas (default: those that the workers are)"
    parser.add_argument("--flavor", dest="flavors", metavar="NAME", action="append", default=[], help=text)
    parser.add_argument("--bins", metavar="CATALOGUE", help="prices of flavors: CSV name,vcpus,memory_mb,price,...")
    parser.add_argument("--spread", choices=LEVELS, help="spread waiting pods over these, maxSkew 1")
    parser.add_argument("--partial", action="store_true", help="keep what fits where not all fits")
    parser.add_argument("--after-pending", action="store_true", help="servers that wait in a cloud come first")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a rule in the input was not evaluated")
    add_output(parser, (*FORMS, "commands"))


def run(options: argparse.Namespace) -> int:
    """Plan and print. 0: all has its place, 1: something has not, or (--strict) a rule was not evaluated."""
    start = time.perf_counter()
    catalogue = None if options.bins is None else read_catalogue_file(options.bins)
    sandwich = open_options(options)
    plan = joint_place(
        sandwich,
        [name for text in options.flavors for name in text.split(",")],
        catalogue=catalogue,
        spread=options.spread,
        after_pending=options.after_pending,
        partial=options.partial,
        seconds=time.perf_counter() - start,
    )
    new = {(one.pool.cluster, one.name) for one in plan.nodes}
    rows: list[tuple[Any, ...]] = [
        (one.source, one.namespace, one.name, one.host, str((one.source, one.host) in new).lower(), None)
        for one in plan.placed
    ]
    stopped = [one.outcome for one in plan.stops]
    rows += [(one.source, one.namespace, one.name, None, None, one.message) for one in stopped]
    show(
        options,
        envelope=plan.to_dict(),
        rows=Rows(COLUMNS, rows),
        names=[f"{one.source}/{one.namespace}/{one.name}" for one in (*plan.placed, *stopped)],
        report=lambda console, wide: draw(console, plan, wide),
        commands=lambda: commands(plan),
    )
    unseen = options.strict and any(entries for _, entries in plan.not_evaluated)
    return exits.YES if plan.complete and not unseen else exits.NO


def draw(console: Any, plan: JointPlan, wide: bool) -> None:
    """Numbers, new nodes, what goes there, what stops the rest."""
    head = (
        f"{len(plan.placed):,} of {count(plan.pending, 'pending pod')} placed with {count(len(plan.nodes), 'new node')}"
    )
    if plan.priced and plan.price is not None:
        head += f" for {plan.price}"
    console.print(title(f"{head} ({plan.elapsed_seconds:.2f} s)", good=plan.complete))
    if plan.stops and not plan.partial:
        indented(console, "All or nothing, so nothing; --partial keeps what fits.")
    if plan.nodes:
        draw_nodes(console, plan.nodes, wide)
    for one in plan.bought if plan.nodes else ():
        told = f"{one.cluster}: {count(one.nodes, 'new node')}, packing {one.value}, proven bound {one.bound}"
        indented(console, f"{told} ({one.status})")
    draw_stops(console, plan.stops, wide)
    draw_not_evaluated(console, merged_not_evaluated(plan.not_evaluated), wide)
    draw_notes(console, [plan.notes], wide)


def draw_nodes(console: Any, nodes: list[NewNode], wide: bool) -> None:
    """The new nodes."""
    table = borderless(("New node", "Of", "Zone", "Host", "Pods"))
    for one in nodes if wide else nodes[:MOST]:
        pods = listing(one.pods, len(one.pods) if wide else 2)
        cells = (one.name, one.pool.flavor.name, one.pool.zone or "", one.grown.host, pods)
        table.add_row(*map(printable, cells))
    console.print(table)
    if not wide and len(nodes) > MOST:
        console.print(f"({count(len(nodes) - MOST, 'more node')}: -o wide)", style="dim")


def draw_stops(console: Any, stops: list[Stop], wide: bool) -> None:
    """What stops pods, those that are stopped alike together."""
    groups: dict[tuple[str, ...], list[Stop]] = {}
    for one in stops:
        groups.setdefault((one.outcome.source, *why_lines(one)), []).append(one)
    shown = list(groups.items()) if wide else list(groups.items())[:MOST]
    for (_, *lines), some in shown:
        names = [f"{one.outcome.source}/{one.outcome.namespace}/{one.outcome.name}" for one in some]
        console.print()
        console.print(title(listing(names, len(names) if wide else 2), good=False))
        for line in lines:
            indented(console, line)
    if len(shown) < len(groups):
        console.print(f"({count(len(groups) - len(shown), 'more reason')}: -o wide)", style="dim")


def why_lines(stop: Stop) -> list[str]:
    """One pod's refusal, layer by layer."""
    lines = [f"nodes: {stop.outcome.message}"]
    if stop.note is not None:
        lines.append(f"new nodes: {stop.note}")
    texts: dict[str, list[str]] = {}
    for one in stop.pools:
        text = one.text if one.no_host is None else no_host_text(one.flavor, one.no_host)
        texts.setdefault(text, []).append(one.pool)
    lines += [f"a new node of {', '.join(pools)}: {text}" for text, pools in texts.items()]
    if stop.change is not None:
        lines.append(f"smallest change ({stop.change_layer}): {change_text(stop.change)}")
    return lines


def commands(plan: JointPlan) -> str:
    """The new servers as commands to paste, in order; nothing is run."""
    lines = ["# Made by binwright, which ran nothing. Clouds are named after the sources."]
    if plan.stops and not plan.partial:
        lines.append(f"# {count(len(plan.stops), 'pod')} cannot be placed, so nothing is to be done (--partial)")
    if plan.nodes:
        lines.append(WANTS)
    for one in plan.nodes:
        pods = ", ".join(one.pods) or "no pod of its own: it makes Nova give the next one another host"
        lines += ["", f"# {printable(one.pool.cluster)}: for {printable(pods)}", *create_server(one)]
    return "".join(f"{line}\n" for line in lines)
