"""`binwright stack compare PATH... --scenario FILE...`: reads the options, runs the what-ifs, prints columns."""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.inputs import PATHS, add_sandwich, add_schedulers, open_options
from binwright.cli.output import Rows, borderless, cell_text, show
from binwright.cli.progress import progress_bar
from binwright.cli.report import draw_not_evaluated, title
from binwright.cli.words import amount, count, printable
from binwright.errors import InputError
from binwright.stack.compare import Comparison, Measured, compare
from binwright.stack.inventory import seats_of
from binwright.stack.scenario import read_scenarios

DESCRIPTION = f"""\
What if? Copies of the whole sandwich, changed as --scenario files say, measured alike and put side by side with the
sandwich as it is: hazards, what is there, offered, sold and requested, pods that find no node, the worst loss of one
host, and with --pod how many more of a pod. A scenario is YAML:

name: without rack r11
steps:
  - lose: {{rack: r11}}                        # or host, or zone
  - ratio: {{resource: VCPU, value: 2.0}}      # cloud: NAME for one cloud only
  - addCluster: {{like: shop, name: shop2}}    # its servers get hosts by the cloud's rules
  - flavors: machine-types.csv               # other flavors on offer: CSV name,vcpus,memory_mb,price,...
  - repairs: true                            # what stack audit proposes

Several in a file are documents with --- between them. --jobs N runs them in N processes; the answer is the same.

{PATHS} Exit code 0: in no scenario more pods find no node than as it is, 1: in one of them.
"""


def configure(parser: Parser) -> None:
    """The options of `stack compare`."""
    add_sandwich(parser)
    add_schedulers(parser)
    parser.add_argument(
        "--scenario", dest="scenarios", metavar="FILE", action="append", required=True, help="what is changed, as YAML"
    )
    parser.add_argument("--pod", dest="pods", metavar="SPEC", action="append", default=[], help="headroom of this pod")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a rule in the input was not evaluated")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1, this one)")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Compare and print. 0: no scenario leaves more pods homeless, 1: one does."""
    start = time.perf_counter()
    if options.jobs < 1:
        raise InputError(f"--jobs {options.jobs}: at least one process is wanted")
    scenarios = read_scenarios(options.scenarios)
    sandwich = open_options(options)
    seats = seats_of([*options.paths, *options.clusters, *options.clouds], options.racks)
    jobs = min(options.jobs, len(scenarios) + 1)
    with progress_bar(options.quiet, "comparing") as bar:
        result = compare(
            sandwich,
            seats,
            scenarios,
            options.pods,
            pool(jobs),
            None if bar is None else partial(bar, "comparing"),
            time.perf_counter() - start,
        )
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, [row(one) for one in result.measured]),
        names=[one.name for one in result.measured],
        report=lambda console, wide: draw(console, result, wide),
    )
    first, *others = result.measured
    worse = any(one.homeless > first.homeless for one in others)
    return exits.NO if worse or (options.strict and result.not_evaluated) else exits.YES


def pool(jobs: int) -> Callable[[], Executor] | None:
    """What makes the processes; None for this one alone. They are spawned: the engine may hold locks."""
    return None if jobs == 1 else partial(ProcessPoolExecutor, jobs, get_context("spawn"))


COLUMNS = (
    "Scenario", "Hosts", "Servers", "Nodes", "Pods", "Pending", "Homeless", "Findings", "Critical", "CPU offered",
    "CPU sold", "CPU requested", "Memory offered", "Memory sold", "Memory requested", "Worst loss", "Worst homeless",
    "Headroom", "Oversold",
)  # fmt: skip


def row(one: Measured) -> tuple[Any, ...]:
    """One scenario under COLUMNS."""
    cpu, memory = one.amounts["cpu"], one.amounts["memory"]
    return (
        one.name, one.hosts, one.servers, one.nodes, one.pods, one.pending, one.homeless, sum(one.findings.values()),
        one.findings["critical"], cpu.offered, cpu.sold, cpu.requested, memory.offered, memory.sold, memory.requested,
        one.worst, one.worst_homeless, " ".join(str(room.together) for room in one.rooms) or None,
        one.oversold_hosts,
    )  # fmt: skip


def draw(console: Any, result: Comparison, wide: bool) -> None:
    """One column a scenario, one line a number; what differs from the first column stands out."""
    head = f"{count(len(result.measured) - 1, 'scenario')} beside the sandwich as it is"
    console.print(title(f"{head} ({result.elapsed_seconds:.2f} s)"))
    table = borderless(("", *(printable(one.name) for one in result.measured)), right=())
    for words, cells in lines(result):
        first = cells[0]
        table.add_row(words, first, *(cell if cell != first else "=" for cell in cells[1:]))
    console.print(table)
    console.print("= as in the first column", style="dim")
    draw_not_evaluated(console, result.not_evaluated, wide)


def most_oversold(one: Measured) -> str:
    """The host that has sold most beside what it may sell."""
    if not one.oversold:
        return "-"
    worst = max(one.oversold, key=lambda over: over.used / max(over.capacity, 1))
    return printable(f"{worst.host}: {worst.used:,} of {worst.capacity:,} {worst.resource}")


def lines(result: Comparison) -> list[tuple[str, list[str]]]:
    """Every number of every scenario, by its name."""
    every = result.measured
    found: list[tuple[str, list[str]]] = [
        ("physical hosts", [f"{one.hosts:,}" for one in every]),
        ("servers", [f"{one.servers:,}" for one in every]),
        ("nodes", [f"{one.nodes:,}" for one in every]),
        ("pods", [f"{one.pods:,}" for one in every]),
        ("pods that wait", [f"{one.pending:,}" for one in every]),
        ("... and find no node", [f"{one.homeless:,}" for one in every]),
        ("findings", [f"{sum(one.findings.values()):,}" for one in every]),
        ("... critical, high", [f"{one.findings['critical']:,}, {one.findings['high']:,}" for one in every]),
    ]
    if any(one.nodes_without_host for one in every):
        found.insert(3, ("... added without a host", [f"{one.nodes_without_host:,}" for one in every]))
    for name in ("cpu", "memory"):
        for part in ("physical", "offered", "sold", "requested"):
            amounts = [getattr(one.amounts[name], part) for one in every]
            found.append((f"{name} {part}", ["-" if value is None else amount(name, value) for value in amounts]))
    if any(one.oversold for one in every):
        found.append(("hosts oversold", [cell_text(one.oversold_hosts) or "-" for one in every]))
        found.append(("... the most", [most_oversold(one) for one in every]))
    found.append(("worst host to lose", [printable(one.worst or "-") for one in every]))
    found.append(("... things break", [f"{one.worst_breaks:,}" for one in every]))
    found.append(("... pods find no node", [f"{one.worst_homeless:,}" for one in every]))
    for number, room in enumerate(every[0].rooms):
        rooms = [one.rooms[number] for one in every]
        found.append((f"more of {printable(room.shape)}", [f"{one.as_is:,}" for one in rooms]))
        found.append(("... with new nodes", [f"{one.together:,} ({count(one.new_nodes, 'node')})" for one in rooms]))
    return found
