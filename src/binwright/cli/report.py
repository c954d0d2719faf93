"""Parts that the tables of several verbs share: titles, refusals, changes, what was not evaluated, notes.

Draws on a rich console; knows no verb.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from binwright.cli.output import borderless, cell_text
from binwright.cli.words import amount, count, printable
from binwright.explained import RuleText, Shortfall
from binwright.outcome import NotEvaluated

MOST_RULES = 12  # rows of the table form; `wide` shows all
MOST_NOTES = 3
Thing = TypeVar("Thing")


def title(text: str, good: bool | None = None) -> Any:
    """A line that stands out; green when it is good news, red when it is bad."""
    from rich.text import Text

    colour = {True: " green", False: " red", None: ""}[good]
    return Text(printable(text), style=f"bold{colour}")


def indented(console: Any, text: str) -> None:
    """A line two columns in, also where it wraps."""
    from rich.padding import Padding

    console.print(Padding(printable(text), (0, 0, 0, 2)))


def change_text(change: dict[str, Any]) -> str:
    """The smallest change that would be enough, as a sentence."""
    host, resource = change["host"], change["resource"]
    match change["kind"]:
        case "request":
            have, need = amount(resource, change["have"]), amount(resource, change["need"])
            return f"ask for {have} of {resource} instead of {need}; {host} has that"
        case "host":
            have, need = amount(resource, change["have"]), amount(resource, change["need"])
            return f"give {host} {need} of {resource} instead of {have}"
        case _:
            argument = f" ({change['argument']})" if change["argument"] is not None else ""
            return f"only {change['rule']}{argument} keeps it from {host}"


def draw_not_evaluated(console: Any, entries: Sequence[NotEvaluated], wide: bool) -> None:
    """Rules that were not evaluated."""
    if not entries:
        return
    table = borderless(("Not evaluated", "Objects", "For example"), right=("Objects",))
    for entry in entries if wide else entries[:MOST_RULES]:
        table.add_row(printable(entry.rule), f"{entry.objects:,}", printable(entry.example))
    console.print()
    console.print(table)
    if not wide and len(entries) > MOST_RULES:
        console.print(f"({count(len(entries) - MOST_RULES, 'more rule')}: -o wide)", style="dim")


def draw_notes(console: Any, notes: Sequence[Sequence[str]], wide: bool) -> None:
    """Remarks of the layers, the first few of every source."""
    total = sum(map(len, notes))
    shown = fair_cut(notes, total if wide else MOST_NOTES)
    if shown:
        console.print()
        console.print(title("Notes"))
    for note in shown:
        indented(console, note)
    if len(shown) < total:
        console.print(f"({count(total - len(shown), 'more note')}: -o wide)", style="dim")


def fair_cut(lists: Sequence[Sequence[Thing]], most: int) -> list[Thing]:
    """At most `most` things, the first ones of each list, as evenly as the lists allow, list by list."""
    taken = [0] * len(lists)
    left = most
    while left and any(number < len(things) for number, things in zip(taken, lists)):
        for position, things in enumerate(lists):
            if left and taken[position] < len(things):
                taken[position] += 1
                left -= 1
    return [thing for things, number in zip(lists, taken) for thing in things[:number]]


def score_text(score: int | float | None) -> str:
    """A score: whole as it is, broken with three decimals."""
    return f"{score:.3f}" if isinstance(score, float) else cell_text(score)


def asked_text(asked: Iterable[tuple[str, int]]) -> str:
    """A request as people read it: "500m" is "0.5 cores of cpu"; the one pod that every pod is goes unsaid."""
    return ", ".join(f"{amount(name, value)} of {name}" for name, value in asked if name != "pods") or "nothing"


def why_text(rejected_by: Iterable[RuleText]) -> str:
    """The rules that reject, with their words."""
    return "; ".join(f"{one.rule}: {one.text}" for one in rejected_by)


def shortfall_text(shortfalls: Iterable[Shortfall]) -> str:
    """What is missing, and what is there."""
    return "; ".join(
        f"{amount(one.resource, one.missing)} of {one.resource} (free {amount(one.resource, one.free)})"
        for one in shortfalls
    )


def span_text(answers: Iterable[Sequence[Shortfall]]) -> str:
    """What several hosts or objects lack, from the least to the most of each resource."""
    found: dict[str, list[int]] = {}
    for shortfalls in answers:
        for one in shortfalls:
            found.setdefault(one.resource, []).append(one.missing)
    spans = []
    for resource, missing in found.items():
        first, last = amount(resource, min(missing)), amount(resource, max(missing))
        spans.append(f"{first} of {resource}" if first == last else f"{first} to {last} of {resource}")
    return ", ".join(spans)
