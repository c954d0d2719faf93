"""The table of `binwright verify`: how many placements the rules allow, and those that they do not.

Findings alike are one row; `wide` has a row for each. Computes nothing that the result does not hold.
"""

from typing import Any

from binwright.cli.output import borderless, cell_text
from binwright.cli.report import draw_not_evaluated, draw_notes, shortfall_text, span_text, title, why_text
from binwright.cli.words import count, listing, printable
from binwright.stack.names import full_name
from binwright.stack.verify_result import VerifyResult
from binwright.verified import ALLOCATION, HOST_CHANGED, INFEASIBLE, ORPHAN, PAST, Finding

HEADS = {
    INFEASIBLE: "Refused then and today",
    PAST: "Refused then, would be taken today",
    HOST_CHANGED: "Taken then, the host is closed today",
    ALLOCATION: "Booked other than it is",
    ORPHAN: "Booked for nobody that is known",
}
MOST_ROWS = 16  # of the table form; `wide` shows all
MOST_NAMES = 3


def draw(console: Any, result: VerifyResult, wide: bool) -> None:
    """The whole report."""
    draw_headline(console, result)
    if len(result.sources) > 1:
        draw_sources(console, result)
    for kind, head in HEADS.items():
        some = [finding for finding in result.findings if finding.kind == kind]
        if some:
            console.print()
            draw_findings(console, head, some, wide)
    draw_skipped(console, result)
    draw_not_evaluated(console, result.not_evaluated, wide)
    draw_notes(console, [result.notes], wide)


def draw_headline(console: Any, result: VerifyResult) -> None:
    """One line: the share, size of the problem, time."""
    size = f"{count(result.hosts, 'host')}, {count(len(result.sources), 'source')}, {result.elapsed_seconds:.2f} s"
    share = result.feasible_share
    if share is None:
        console.print(title(f"Nothing is placed ({size})"))
        return
    refused = len(result.infeasible)
    # never rounded up to 100
    percent = int(share * 10_000) / 100
    text = f"{result.checked - refused:,} of {count(result.checked, 'placement')} are allowed by the rules"
    console.print(title(f"{text}, {percent:g} % ({size})", good=not refused))


def draw_sources(console: Any, result: VerifyResult) -> None:
    """One row a source."""
    numbers = ("Hosts", "Checked", "Findings")
    table = borderless(("Source", "Layer", *numbers), right=numbers)
    for source in result.sources:
        cells = (source.source, source.layer, source.hosts, source.checked, len(source.findings))
        table.add_row(*map(cell_text, cells))
    console.print()
    console.print(table)


def draw_findings(console: Any, head: str, findings: list[Finding], wide: bool) -> None:
    """Findings of one kind; in the short table those of one source, host and rule are one row."""
    groups: dict[tuple[Any, ...], list[Finding]] = {}
    for number, finding in enumerate(findings):
        alike = (finding.source, finding.host, tuple(finding.rejected_by))
        groups.setdefault((number,) if wide else alike, []).append(finding)
    table = borderless((head, "Host", "Why", "Missing"))
    for some in list(groups.values())[: len(groups) if wide else MOST_ROWS]:
        first = some[0]
        names = listing([full_name(one) for one in some], MOST_NAMES)
        lacks = shortfall_text(first.shortfalls) if len(some) == 1 else span_text(one.shortfalls for one in some)
        table.add_row(*map(printable, (names, first.host, why_text(first.rejected_by), lacks)))
    console.print(table)
    if not wide and len(groups) > MOST_ROWS:
        console.print(f"({count(len(groups) - MOST_ROWS, 'more row')}: -o wide)", style="dim")


def draw_skipped(console: Any, result: VerifyResult) -> None:
    """What was not replayed."""
    skipped = [(source, one) for source in result.sources for one in source.skipped]
    if not skipped:
        return
    table = borderless(("Skipped", "Objects", "For example"), right=("Objects",))
    for source, one in skipped:
        table.add_row(printable(one.why), cell_text(one.objects), printable(f"{source.source}: {one.example}"))
    console.print()
    console.print(table)
