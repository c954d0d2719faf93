"""The tables of `binwright drain` and `binwright consolidate`: who moves where, who may not, what bounds it.

Summarises first; `wide` cuts nothing. Draws on a rich console and computes nothing that the result does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from binwright.cli.output import Rows, borderless, cell_text
from binwright.cli.place_report import draw_unplaced
from binwright.cli.report import draw_not_evaluated, draw_notes, fair_cut, indented, title
from binwright.cli.words import count, listing, printable
from binwright.moves import Held, Move
from binwright.stack.evacuation_result import ConsolidateResult, DrainResult, Evacuations
from binwright.stack.names import full_name

COLUMNS = ("Source", "Namespace", "Name", "From", "Verdict", "Host", "Round", "Budget", "Message")
MOST_MOVES = 16  # rows of the table form; `wide` shows all
MOST_NODES = 8
MOST_BUDGETS = 8
MOST_REFUSALS = 8
MOST_NAMES = 3


def draw_drain(console: Any, result: DrainResult, wide: bool) -> None:
    """The whole report of `drain`."""
    placed, total = len(result.moves) - len(result.unplaced), len(result.moves)
    nodes = list(result.nodes())
    size = f"{count(len(nodes), 'node')} of {result.hosts:,}, {result.elapsed_seconds:.2f} s"
    asked = count(total, "evicted pod finds", "evicted pods find")
    head = f"{placed:,} of {asked} another node" if total else "Nothing has to be evicted"
    console.print(title(f"{head} ({size})", good=result.empties))
    table = borderless(("Node", "Move away", "Stand in the way", "Emptied"), right=("Move away", "Stand in the way"))
    for source, name, moves, kept in nodes:
        table.add_row(printable(f"{source}/{name}"), f"{moves:,}", f"{kept:,}", "no" if kept else "yes")
    console.print()
    console.print(table)
    refused = result.held("refuse")
    draw_carriers(console, [one for one in refused if one.kind == "Node"], wide)
    draw_refused(console, [one for one in refused if one.kind != "Node"], wide)
    draw_rest(console, result, wide)


def draw_consolidate(console: Any, result: ConsolidateResult, wide: bool) -> None:
    """The whole report of `consolidate`."""
    moves = count(len(result.moves), "pod moves", "pods move")
    size = f"{moves}, {count(result.rounds, 'round')}, {result.elapsed_seconds:.2f} s"
    head = f"{result.emptied:,} of {count(result.hosts, 'node')} can be emptied together"
    console.print(title(f"{head} ({size})", good=result.emptied > 0))
    numbers = ("Nodes", "Emptied", "Remain", "At least", "Gap", "Must stay", "Moves", "Rounds")
    table = borderless(("Source", *numbers), right=numbers)
    for plan, bound in result.plans:
        one = plan.evacuated
        remain = one.hosts - len(one.emptied)
        cells = (one.hosts, len(one.emptied), remain, bound.hosts, remain - bound.hosts, bound.fixed)
        table.add_row(*map(cell_text, (one.source, *cells, len(one.moves), one.rounds)))
    console.print()
    console.print(table)
    price = result.price
    if price is not None:
        console.print()
        console.print(f"Price: {price['before']:,} now, {price['after']:,} after, at least {price['bound']:,}")
    for one in result.sources:
        if one.emptied:
            names = listing(one.emptied, len(one.emptied) if wide else MOST_NODES)
            console.print()
            console.print(printable(f"Emptied in {one.source}: {names}"))
    draw_kept(console, result.held("refuse"), wide)
    draw_rest(console, result, wide)


def draw_rest(console: Any, result: Evacuations, wide: bool) -> None:
    """What both reports have after their own."""
    draw_moves(console, result, wide)
    draw_unplaced(console, [move.outcome for move in result.unplaced if move.outcome.host is None], wide)
    back = [move for move in result.unplaced if move.outcome.host is not None]
    if back:
        names = listing([full_name(move.outcome) for move in back], len(back) if wide else MOST_NAMES)
        console.print()
        console.print(printable(f"Come back to a node that is to be emptied, which they tolerate cordoned: {names}"))
    draw_budgets(console, result, wide)
    draw_left(console, result, wide)
    draw_not_evaluated(console, result.not_evaluated, wide)
    notes = [[f"{one.source}: {note}" for note in one.notes] for one in result.sources]
    draw_notes(console, [result.remarks, *notes], wide)


def draw_moves(console: Any, result: Evacuations, wide: bool) -> None:
    """The moves in order; the short table takes the first few of every source."""
    moves = [[move for move in source.moves if move.placed] for source in result.sources]
    total = sum(map(len, moves))
    if not total:
        return
    table = borderless(("Pod", "From", "To", "Round", "Equals"), right=("Round", "Equals"))
    shown = fair_cut(moves, total if wide else MOST_MOVES)
    for move in shown:
        cells = (full_name(move.outcome), move.origin, move.outcome.host, move.round, move.ties)
        table.add_row(*map(cell_text, cells))
    console.print()
    console.print(table)
    if len(shown) < total:
        console.print(f"({total - len(shown):,} more of {total:,} moves: -o wide)", style="dim")


def draw_budgets(console: Any, result: Evacuations, wide: bool) -> None:
    """The disruption budgets that count moves."""
    budgets = [[(source.source, one) for one in source.budgets] for source in result.sources]
    total = sum(map(len, budgets))
    if not total:
        return
    numbers = ("Allows", "Evictions", "Rounds")
    table = borderless(("Disruption budget", *numbers), right=numbers)
    # those that take the most rounds say the most
    ordered = [sorted(some, key=lambda pair: -pair[1].rounds) for some in budgets]
    shown = fair_cut(ordered, total if wide else MOST_BUDGETS)
    for source, one in shown:
        table.add_row(*map(cell_text, (f"{source}/{one.name}", one.allowed, one.moves, one.rounds)))
    console.print()
    console.print(table)
    if len(shown) < total:
        console.print(f"({count(total - len(shown), 'more budget')}: -o wide)", style="dim")


def draw_carriers(console: Any, nodes: Sequence[Held], wide: bool) -> None:
    """The nodes that a drain of their pods does not empty, one line a sentence."""
    if not nodes:
        return
    console.print()
    console.print(title(f"To be migrated first: the servers of {count(len(nodes), 'node')}", good=False))
    for text, some in by_text(nodes):
        names = listing([full_name(one) for one in some], len(some) if wide else MOST_NAMES)
        indented(console, f"{names}: {text}")


def draw_refused(console: Any, refused: Sequence[Held], wide: bool) -> None:
    """The pods that stand in the way of a drain, one line a sentence, as kubectl groups them."""
    if not refused:
        return
    console.print()
    console.print(title(f"May not be evicted: {count(len(refused), 'pod')}", good=False))
    groups = by_text(refused)
    for text, some in groups[: len(groups) if wide else MOST_REFUSALS]:
        names = listing([full_name(one) for one in some], len(some) if wide else MOST_NAMES)
        indented(console, f"{text}: {names}{allowance(some[0])}")
    if not wide and len(groups) > MOST_REFUSALS:
        console.print(f"({count(len(groups) - MOST_REFUSALS, 'more reason')}: -o wide)", style="dim")


def draw_kept(console: Any, refused: Sequence[Held], wide: bool) -> None:
    """Why nodes were no candidates, one line a sentence."""
    if not refused:
        return
    nodes = {(one.source, one.host) for one in refused}
    console.print()
    console.print(title(f"No candidates: {count(len(nodes), 'node')}"))
    groups = by_text(refused)
    for text, some in groups[: len(groups) if wide else MOST_REFUSALS]:
        there = list(dict.fromkeys(one.host for one in some))
        names = listing(there, len(there) if wide else MOST_NAMES)
        pods = [one for one in some if one.kind != "Node"]
        which = f" ({listing([full_name(one) for one in pods], 1)})" if pods else ""
        indented(console, f"{names}: {text}{which}{allowance(some[0])}")
    if not wide and len(groups) > MOST_REFUSALS:
        console.print(f"({count(len(groups) - MOST_REFUSALS, 'more reason')}: -o wide)", style="dim")


def draw_left(console: Any, result: Evacuations, wide: bool) -> None:
    """Pods that stay or vanish without a move, one line a sentence."""
    groups = by_text([*result.held("stay"), *result.held("delete")])
    if groups:
        console.print()
    for text, some in groups:
        names = listing([full_name(one) for one in some], len(some) if wide else MOST_NAMES)
        console.print(printable(f"{count(len(some), 'pod')}, {text}: {names}"), style="dim")


def by_text(held: Sequence[Held]) -> list[tuple[str, list[Held]]]:
    """Those of one sentence and budget together, in order of the first."""
    groups: dict[tuple[str, str | None], list[Held]] = {}
    for one in held:
        groups.setdefault((one.text, one.budget), []).append(one)
    return [(text, some) for (text, _), some in groups.items()]


def allowance(one: Held) -> str:
    """How many disruptions a budget allows, where that is the reason."""
    return "" if one.budget is None else f" ({one.budget} allows {one.allowed} now)"


def rows(result: Evacuations) -> Rows:
    """What moves, then what does not, for csv and value."""
    found = [move_row(move) for move in result.moves]
    return Rows(COLUMNS, found + [held_row(one) for source in result.sources for one in source.held])


def move_row(move: Move) -> tuple[Any, ...]:
    """One move's cells under the columns of both verbs."""
    outcome = move.outcome
    word = "moved" if move.placed else "unplaced"
    cells = (outcome.source, outcome.namespace, outcome.name, move.origin, word, outcome.host)
    return (*cells, move.round, move.budget, outcome.message)


def held_row(one: Held) -> tuple[Any, ...]:
    """An object that is not moved, in the same columns."""
    words = {"refuse": "refused", "delete": "deleted", "stay": "stays"}
    return (one.source, one.namespace, one.name, one.host, words[one.action], None, None, one.budget, one.text)
