"""The table of `binwright place`: what went where, use before and after, why the rest does not fit.

Summarises first; `wide` cuts nothing. Draws on a rich console and computes nothing that the result does not hold.
"""

import re
from collections.abc import Iterable
from typing import Any

from binwright.cli.output import borderless, cell_text
from binwright.cli.report import change_text, draw_not_evaluated, draw_notes, fair_cut, indented, score_text, title
from binwright.cli.words import amount, count, listing, printable, share
from binwright.outcome import Outcome, ReasonText, ResourceUse, SourceOutcome
from binwright.stack.envelope import verdict_word
from binwright.stack.names import full_name
from binwright.stack.place_result import PlaceResult

MOST_PLACED = 16  # rows of the table form; `wide` shows all
MOST_REFUSALS = 8
MOST_NAMES = 3
PROJECT_ID = re.compile("[0-9a-f]{32}")
MAIN_RESOURCES = ("cpu", "memory", "VCPU", "PCPU", "MEMORY_MB", "DISK_GB")


def draw(console: Any, result: PlaceResult, wide: bool, among: str = "") -> None:
    """The whole report; among: what it was restricted to, in words."""
    draw_headline(console, result, among)
    if len(result.sources) > 1:
        draw_sources(console, result.sources)
    draw_use(console, result.sources, wide)
    draw_placed(console, result.sources, wide)
    draw_unplaced(console, result.unplaced, wide)
    draw_not_evaluated(console, result.not_evaluated, wide)
    draw_skipped(console, result)
    draw_notes(console, [[f"{one.source}: {note}" for note in one.notes] for one in result.sources], wide)


def explain(console: Any, outcome: Outcome) -> None:
    """Everything that is known about one object."""
    console.print(title(f"{outcome.kind} {full_name(outcome)}: {verdict_word(outcome.verdict)}"))
    if outcome.host is not None:
        score = "" if outcome.score is None else f", score {cell_text(outcome.score)}"
        console.print(printable(f"  goes to {outcome.host}{score}"))
    if outcome.expanded_from is not None:
        console.print(printable(f"  stands for what {outcome.expanded_from} still wants"))
    for device in outcome.devices:
        console.print(printable(f"  device {device}"))
    draw_refusal(console, outcome, wide=True)


def draw_headline(console: Any, result: PlaceResult, among: str) -> None:
    """One line: outcome, size of the problem, time."""
    placed, pending = len(result.placed), len(result.placed) + len(result.unplaced)
    size = f"{count(result.hosts, 'host')}, {count(len(result.sources), 'source')}, {result.elapsed_seconds:.2f} s"
    if pending:
        console.print(
            title(f"{placed:,} of {count(pending, 'pending object')} placed ({size})", good=placed == pending)
        )
    else:
        console.print(title(f"Nothing is pending{among} ({size})"))


def draw_sources(console: Any, sources: list[SourceOutcome]) -> None:
    """One row a source."""
    numbers = ("Hosts", "Pending", "Placed", "Not placed")
    table = borderless(("Source", "Layer", *numbers), right=numbers)
    for source in sources:
        placed, unplaced = len(source.placed), len(source.unplaced)
        cells = (source.source, source.layer, source.hosts, placed + unplaced, placed, unplaced)
        table.add_row(*map(cell_text, cells))
    console.print()
    console.print(table)


def draw_use(console: Any, sources: list[SourceOutcome], wide: bool) -> None:
    """Use before and after, per source and resource."""
    numbers = ("Capacity", "Used before", "Used after")
    table = borderless(("Source", "Resource", *numbers), right=numbers)
    left_out = 0
    for source in sources:
        uses = [use for use in source.resources if wide or worth_a_row(use)]
        left_out += len(source.resources) - len(uses)
        for first, use in zip((True, *[False] * len(uses)), uses):
            table.add_row(
                printable(source.source) if first else "",
                printable(use.name),
                amount(use.name, use.capacity),
                used(use.name, use.used_before, use.capacity),
                used(use.name, use.used_after, use.capacity),
            )
    if not table.row_count:
        return
    console.print()
    console.print(table)
    if left_out:
        console.print(f"({count(left_out, 'more row')} of resources: -o wide)", style="dim")


def worth_a_row(use: ResourceUse) -> bool:
    """Whether the short table shows a resource: the usual ones, and any other whose use changes but the pod count."""
    return use.name in MAIN_RESOURCES or (use.used_after != use.used_before and use.name != "pods")


def draw_placed(console: Any, sources: list[SourceOutcome], wide: bool) -> None:
    """What went where; the short table takes the first few of every source."""
    total = sum(len(source.placed) for source in sources)
    if not total:
        return
    outcomes = fair_cut([source.placed for source in sources], total if wide else MOST_PLACED)
    table = borderless(("Placed", "Host", "Score"), right=("Score",))
    for outcome in outcomes:
        table.add_row(printable(called(outcome, wide)), cell_text(outcome.host), score_text(outcome.score))
    console.print()
    console.print(table)
    if len(outcomes) < total:
        console.print(f"({total - len(outcomes):,} more of {total:,} placed: -o wide)", style="dim")


def draw_unplaced(console: Any, unplaced: list[Outcome], wide: bool) -> None:
    """Why the rest does not fit; objects that are refused alike are one entry."""
    if not unplaced:
        return
    console.print()
    console.print(title(f"Does not fit: {count(len(unplaced), 'object')}", good=False))
    by_source: dict[str, list[list[Outcome]]] = {}
    for group in alike(unplaced):
        by_source.setdefault(group[0].source, []).append(group)
    groups = list(by_source.values())
    shown = fair_cut(groups, len(unplaced) if wide else MOST_REFUSALS)
    for group in shown:
        first = group[0]
        head = f"{first.kind} {called(first, wide)}"
        if len(group) > 1:
            where = called(first, wide).removesuffix(f"/{first.name}")
            names = [outcome.name for outcome in group]
            head = f"{len(group)} x {first.kind} in {where}: {listing(names, len(names) if wide else MOST_NAMES)}"
        console.print(printable(head), style="bold")
        draw_refusal(console, first, wide)
    rest = len(unplaced) - sum(map(len, shown))
    if rest:
        console.print(f"({count(rest, 'more object')} refused for other reasons: -o wide)", style="dim")


def draw_refusal(console: Any, outcome: Outcome, wide: bool) -> None:
    """Message, reasons with counts, smallest change, each indented."""
    lines = [outcome.message] if outcome.message else []
    if wide:
        lines += [f"{reason.rule}, {count(reason.hosts, 'host')}: {reason.text}" for reason in outcome.reasons]
    elif outcome.reasons:
        lines.append("Rejected by: " + ", ".join(by_rule(outcome.reasons)))
    if outcome.smallest_change is not None:
        lines.append(f"Smallest change: {change_text(outcome.smallest_change)}")
    for line in lines:
        indented(console, line)


def draw_skipped(console: Any, result: PlaceResult) -> None:
    """Kinds that were read over."""
    if result.skipped_kinds:
        kinds = ", ".join(f"{number:,} {kind}" for kind, number in result.skipped_kinds.items())
        console.print()
        console.print(printable(f"Read over: {kinds}"), style="dim")


def called(outcome: Outcome, wide: bool) -> str:
    """The name that a row shows: the full one, but in the short table without a project id, which says nothing."""
    if not wide and outcome.namespace and PROJECT_ID.fullmatch(outcome.namespace):
        return f"{outcome.source}/{outcome.name}"
    return full_name(outcome)


def alike(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Outcomes of one source and namespace with equal message, reasons and smallest change, in order of the first."""
    groups: dict[tuple[Any, ...], list[Outcome]] = {}
    for outcome in outcomes:
        reasons = tuple((reason.rule, reason.hosts, reason.text) for reason in outcome.reasons)
        same = (outcome.source, outcome.kind, outcome.namespace, outcome.message, reasons, str(outcome.smallest_change))
        groups.setdefault(same, []).append(outcome)
    return list(groups.values())


def by_rule(reasons: list[ReasonText]) -> list[str]:
    """The rules, those that reject the most hosts first; the counts are in the message and in the wide table."""
    totals: dict[str, int] = {}
    for reason in reasons:
        totals[reason.rule] = totals.get(reason.rule, 0) + reason.hosts
    return sorted(totals, key=lambda rule: -totals[rule])


def used(resource: str, value: int, capacity: int) -> str:
    """An amount with its share of the capacity."""
    return f"{amount(resource, value)} ({share(value, capacity)})"
