"""The table of `binwright stack audit`: findings, repairs, how the layers were joined.

Computes nothing that the result does not hold.
"""

from typing import Any

from binwright.cli.output import borderless
from binwright.cli.report import draw_not_evaluated, indented, title
from binwright.cli.words import count, listing, printable
from binwright.stack.audit_result import AuditResult
from binwright.stack.commands import comment
from binwright.stack.finding import Finding

MOST_OBJECTS = 4
NO_REPAIR = {True: "no repair was found", False: "repairs were not looked for", None: "moving things does not mend it"}
"""By whether repairs were looked for."""


def draw(console: Any, result: AuditResult, wide: bool) -> None:
    """The whole report."""
    sandwich = result.sandwich
    size = ", ".join(
        (
            count(len(sandwich.clouds), "cloud"),
            count(len(sandwich.clusters), "cluster"),
            count(len(sandwich.hosts), "host"),
            count(len(sandwich.servers), "server"),
            count(len(sandwich.nodes), "node"),
            f"{result.elapsed_seconds:.2f} s",
        )
    )
    found = count(len(result.findings), "finding") if result.findings else "clean"
    console.print(title(f"{found} ({size})", good=not result.findings))
    kept = sum(one.kept for one in result.spreads)
    indented(console, f"{kept} of {count(len(result.spreads), 'claimed spread')} hold over what lies below the nodes.")
    if result.not_sought:
        indented(console, missed(result))
    for one in result.findings:
        draw_finding(console, one, wide)
    draw_joins(console, result)
    draw_not_evaluated(console, result.not_evaluated, wide)


def draw_finding(console: Any, one: Finding, wide: bool) -> None:
    """One finding with its objects and repairs."""
    console.print()
    console.print(title(f"{one.severity} {one.kind}  {one.objects[0]}", good=False))
    indented(console, one.evidence)
    if one.claimed is not None:
        indented(console, f"claimed {one.claimed}, actual {'nothing' if one.actual is None else one.actual}")
    others = [str(ref) for ref in one.objects[1:]]
    if others:
        indented(console, listing(others, len(others) if wide else MOST_OBJECTS))
    for step in one.repairs:
        to = f" to {step.to_host}" if step.to_host else ""
        indented(console, f"repair: {step.action} {step.object}{to} (checked by {', '.join(step.checked)})")
        for command in step.commands:
            indented(console, f"  {command}")
    if not one.repairs and one.sought is not None:
        indented(console, "repair: none found" if one.sought else "repair: not looked for")
    for command in one.advice:
        indented(console, f"advice: {command}")
    indented(console, f"id {one.id}")


def commands(result: AuditResult) -> str:
    """Repairs and advice as commands to paste, each under its finding; nothing is run."""
    lines = [comment("Made by binwright, which ran nothing. Contexts and clouds are named after the sources.")]
    if result.not_sought:
        lines.append(comment(missed(result)))
    for one in result.findings:
        lines += ["", comment(f"{one.id}: {one.objects[0]}"), comment(one.evidence)]
        lines += [line for step in one.repairs for line in step.commands]
        lines += one.advice
        if not one.repairs and not one.advice:
            lines.append(comment(NO_REPAIR[one.sought]))
    return "".join(f"{line}\n" for line in lines)


def missed(result: AuditResult) -> str:
    """For how many findings no repair was looked for, and what looks for all."""
    every = sum(one.sought is not None for one in result.findings)
    some = every - result.not_sought
    findings = f"the {some:,} worst of {every:,} findings that moving things may mend"
    return f"Repairs were looked for of {findings}; --repairs {every} looks for all."


def draw_joins(console: Any, result: AuditResult) -> None:
    """How many nodes and servers were joined by what."""
    table = borderless(("Joined", "Kind", "By", "Objects"), right=("Objects",))
    for source, kind, how, number in result.joins:
        table.add_row(printable(source), kind, printable(how), f"{number:,}")
    console.print()
    console.print(table)
