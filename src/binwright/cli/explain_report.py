"""The table of `binwright explain`: the verdict, what the hosts say, the scores of the best.

Hosts that refuse alike are one row; `wide` has a row a host. Computes nothing that the result does not hold.
"""

import re
from typing import Any

from binwright.cli.output import borderless, cell_text
from binwright.cli.report import (
    asked_text,
    change_text,
    draw_not_evaluated,
    draw_notes,
    indented,
    score_text,
    shortfall_text,
    span_text,
    title,
    why_text,
)
from binwright.cli.words import count, listing, printable
from binwright.explained import Explained, HostAnswer, ScorePart
from binwright.stack.envelope import verdict_word
from binwright.stack.explain_result import ExplainResult
from binwright.stack.names import full_name

MOST_NAMES = 3
CAMEL = re.compile("(?<=[a-z])(?=[A-Z])")


def draw(console: Any, result: ExplainResult, wide: bool) -> None:
    """The whole report."""
    explained = result.explained
    draw_headline(console, result)
    draw_refusals(console, explained, wide)
    draw_best(console, explained)
    draw_log(console, explained)
    draw_not_evaluated(console, explained.not_evaluated, wide)
    draw_notes(console, [explained.notes], wide)


def draw_headline(console: Any, result: ExplainResult) -> None:
    """What is asked, in what situation, and the answer."""
    explained = result.explained
    outcome = explained.outcome
    head = f"{outcome.kind} {full_name(outcome)}: {verdict_word(outcome.verdict)}"
    size = f"{count(len(explained.hosts), 'host')}, {result.feasible:,} feasible, {result.elapsed_seconds:.2f} s"
    console.print(title(f"{head} ({size})", good=outcome.host is not None))
    state = explained.state if explained.on is None else f"{explained.state} to {explained.on}"
    indented(console, f"It is {state}; decided {explained.supposes}.")
    if outcome.expanded_from is not None:
        indented(console, f"It stands for what {outcome.expanded_from} still wants.")
    indented(console, f"It asks for {asked_text(explained.asked.items())}.")
    if outcome.host is not None:
        score = "" if outcome.score is None else f", score {score_text(outcome.score)}"
        here = ", where it is" if outcome.host == explained.on else ""
        indented(console, f"It goes to {outcome.host}{here}{score}.")
    if outcome.message is not None:
        indented(console, outcome.message)
    if outcome.smallest_change is not None:
        indented(console, f"Smallest change: {change_text(outcome.smallest_change)}")


def draw_log(console: Any, explained: Explained) -> None:
    """What stands in the peer's own log, line by line."""
    if explained.log:
        console.print()
        console.print(title("In its scheduler's log"))
        for line in explained.log:
            indented(console, line)


def draw_refusals(console: Any, explained: Explained, wide: bool) -> None:
    """The hosts that refuse."""
    refused = [answer for answer in explained.hosts if not answer.feasible]
    if not refused:
        return
    console.print()
    if wide:
        draw_each(console, refused)
        return
    groups: dict[tuple[Any, ...], list[HostAnswer]] = {}
    for answer in refused:
        groups.setdefault(tuple(answer.rejected_by), []).append(answer)
    table = borderless(("Refuse it", "Hosts", "Why", "Missing"), right=("Hosts",))
    for some in groups.values():
        names = listing([answer.host for answer in some], MOST_NAMES)
        lacks = span_text(answer.shortfalls for answer in some)
        table.add_row(*map(printable, (names, f"{len(some):,}", why_text(some[0].rejected_by), lacks)))
    console.print(table)


def draw_each(console: Any, refused: list[HostAnswer]) -> None:
    """One row a host."""
    table = borderless(("Refuses it", "Why", "Missing", "Smallest change there"))
    for answer in refused:
        change = "" if answer.smallest_change is None else change_text(answer.smallest_change)
        cells = (answer.host, why_text(answer.rejected_by), shortfall_text(answer.shortfalls), change)
        table.add_row(*map(printable, cells))
    console.print(table)


def draw_best(console: Any, explained: Explained) -> None:
    """The scores of the best hosts: a column a part with its weight above, normalised scores below it."""
    if not explained.best:
        return
    heads: dict[str, str] = {}
    for name in dict.fromkeys(part.name for score in explained.best for part in score.parts):
        weights = {part.weight for score in explained.best for part in score.parts if part.name == name}
        times = f"x {score_text(weights.pop())}" if len(weights) == 1 else "x"
        heads[name] = "\n".join((*CAMEL.sub(" ", printable(name)).split(), times))
    own = tuple(heads.values())
    table = borderless(("Best hosts", "Rank", "Score", *own), right=("Rank", "Score", *own))
    for score in explained.best:
        name = f"{score.host} (here now)" if score.host == explained.on else score.host
        parts = {part.name: part_text(part, heads[part.name]) for part in score.parts}
        cells = (cell_text(score.rank), score_text(score.total), *(parts.get(head, "") for head in heads))
        table.add_row(printable(name), *cells)
    console.print()
    console.print(table)


def part_text(part: ScorePart, head: str) -> str:
    """A normalised score, with its weight where that is another for each host."""
    value = score_text(part.normalised)
    return f"{score_text(part.weight)} x {value}" if head.endswith("x") else value
