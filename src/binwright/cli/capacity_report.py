"""The table of `binwright capacity`: how many more of each shape, what ran out, what stops the next one where.

Hosts that are stopped alike are one row; `wide` has a row a host. Computes nothing that the result does not hold.
"""

from typing import Any

from binwright.cli.output import borderless, cell_text
from binwright.cli.report import asked_text, change_text, draw_not_evaluated, draw_notes, indented, title
from binwright.cli.words import count, listing, printable
from binwright.headroom import Headroom, HostRoom, SourceHeadroom
from binwright.stack.headroom_result import HeadroomResult

MOST_NAMES = 3


def draw(console: Any, result: HeadroomResult, wide: bool) -> None:
    """The whole report."""
    size = f"{count(result.hosts, 'host')}, {count(len(result.sources), 'source')}, {result.elapsed_seconds:.2f} s"
    console.print(title(f"How many more fit ({size})"))
    table = borderless(("Source", "Shape", "More", "Runs out first"), right=("More",))
    for answer in result.answers:
        cells = (answer.source, shape_text(answer), more(answer), ended_by(answer))
        table.add_row(*map(printable, cells))
    console.print()
    console.print(table)
    for source in result.sources:
        draw_matrix(console, source)
    for source in result.sources:
        for answer in source.answers:
            console.print()
            draw_answer(console, answer, source.supposes, wide)
    draw_not_evaluated(console, result.not_evaluated, wide)
    draw_notes(console, [result.notes], wide)


def draw_matrix(console: Any, source: SourceHeadroom) -> None:
    """Shape by trait, with a column a zone; a dash where nothing fits."""
    if not source.matrix:
        return
    zones = list(dict.fromkeys(row.zone for row in source.matrix))
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for row in source.matrix:
        rows.setdefault((row.shape, row.trait), {})[row.zone] = row.count
    table = borderless((f"{source.source}: shape", "On hosts with", *zones), right=zones)
    for (shape, trait), counts in rows.items():
        numbers = (f"{counts[zone]:,}" if counts.get(zone) else "-" for zone in zones)
        table.add_row(*map(printable, (shape, trait or "any trait", *numbers)))
    console.print()
    console.print(table)


def shape_text(answer: Headroom) -> str:
    """The shape, or those of a mix: "deploy/web + 3 x cpu=1"."""
    return " + ".join(f"{shape.each} x {shape.name}" if shape.each > 1 else shape.name for shape in answer.shapes)


def ended_by(answer: Headroom) -> str:
    """The resource that runs out; in brackets what stops most hosts, where none is stopped by amounts."""
    if answer.runs_out is not None or not answer.reasons:
        return answer.runs_out or ""
    return f"({max(answer.reasons, key=lambda reason: reason.hosts).text})"


def more(answer: Headroom) -> str:
    """How many; of a mix, rounds and objects; with a plus where counting stopped."""
    plus = "+" if answer.refused is None else ""
    if len(answer.shapes) == 1:
        return f"{answer.count:,}{plus}"
    parts = " + ".join(f"{shape.count:,}" for shape in answer.shapes)
    return f"{count(answer.rounds, 'round')}{plus} ({parts})"


def draw_answer(console: Any, answer: Headroom, supposes: str, wide: bool) -> None:
    """What was asked, why it ended, and where."""
    console.print(title(f"{answer.source}: {shape_text(answer)}: {more(answer)} more", good=bool(answer.count)))
    indented(console, f"Placed {supposes}.")
    for shape in answer.shapes:
        asked = asked_text(shape.asked.items())
        indented(console, f"{shape.name} asks for {asked}." if len(answer.shapes) > 1 else f"Asks for {asked}.")
    if answer.message is not None:
        which = f"The next {answer.refused}: " if len(answer.shapes) > 1 else "The next: "
        indented(console, which + answer.message)
    if answer.smallest_change is not None:
        indented(console, f"Smallest change: {change_text(answer.smallest_change)}")
    draw_hosts(console, answer, wide)


def draw_hosts(console: Any, answer: Headroom, wide: bool) -> None:
    """The hosts with what they took and what stops them."""
    if not answer.hosts:
        return
    groups: dict[tuple[Any, ...], list[HostRoom]] = {}
    for number, room in enumerate(answer.hosts):
        groups.setdefault((number,) if wide else (room.rule, room.text, tuple(room.short)), []).append(room)
    table = borderless(("Hosts", "More", "Stopped by", "Short of"), right=("More",))
    for some in groups.values():
        first = some[0]
        names = listing([room.host for room in some], MOST_NAMES)
        many = f"{len(some)} x " if len(some) > 1 else ""
        stopped = "" if first.rule is None else f"{first.rule}: {first.text}"
        taken = cell_text(sum(sum(room.counts) for room in some))
        table.add_row(printable(many + names), taken, printable(stopped), printable(", ".join(first.short)))
    console.print(table)
