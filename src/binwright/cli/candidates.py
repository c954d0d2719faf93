"""`binwright candidates QUERY PATH`: reads the options, calls the stack, prints the result, answers by exit code."""

import argparse
from collections.abc import Iterator
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_output
from binwright.cli.inputs import PATHS, add_names_and_sources, names_and_sources
from binwright.cli.output import Rows, borderless, show
from binwright.cli.report import draw_not_evaluated, draw_notes, title
from binwright.cli.words import count, printable
from binwright.errors import InputError
from binwright.openstack.candidates import ORDERS, Candidates
from binwright.stack.candidates import CandidatesResult, ask_candidates

FIRST = 1000
DESCRIPTION = f"""\
Ask a cloud's dump what Placement answers to GET /allocation_candidates. QUERY is the query string, with or without
"GET /allocation_candidates?" before it, as `explain` and Nova's log show it:

  binwright candidates 'resources=VCPU:4,MEMORY_MB:8192&required=HW_CPU_X86_AVX2' --cloud clouds/north

Candidates are generated one by one, tree after tree, the first {FIRST} unless --first says otherwise; a `limit` in the
query holds, too. -o json is the API's own answer (allocation_requests and provider_summaries, of a refusal errors) with
a summary beside it.

{PATHS} Exit code 0: there is a candidate, 1: none, 2: the query is refused, with the service's status and code.
"""
COLUMNS = ("Candidate", "Provider", "Name", "Resources", "Groups", "Used")


def configure(parser: Parser) -> None:
    """The options of `candidates`."""
    add_names_and_sources(parser, "QUERY")
    parser.add_argument(
        "--microversion",
        "--os-placement-api-version",
        metavar="V",
        default="latest",
        help="1.10 to 1.39 (default: latest)",
    )
    text = "trees as in the input (provider) or as Nova weighs their hosts (weight), best first; default: provider"
    parser.add_argument("--order", choices=tuple(ORDERS), default="provider", help=text)
    parser.add_argument("--first", type=int, metavar="N", default=FIRST, help=f"generate N at most (default: {FIRST})")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a part of the query was not evaluated")
    add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Ask and print. 0: there is a candidate, 1: none, or (--strict) a rule was not evaluated, 2: refused."""
    queries, sources = names_and_sources(options, "QUERY")
    if len(queries) != 1:
        raise InputError(f"one QUERY, not {len(queries)}; quote it, it has & in it")
    if options.first < 1:
        raise InputError(f"--first {options.first}: at least 1")
    result = ask_candidates(
        sources, queries[0], microversion=options.microversion, order=options.order, first=options.first
    )
    answer = result.answer
    if answer.refusal is not None and options.form not in ("json", "yaml"):
        raise InputError(answer.refusal)
    rows = list(table_rows(answer))
    show(
        options,
        envelope=result.to_dict(),
        rows=Rows(COLUMNS, rows),
        names=[" ".join(provider_names(answer, one.allocations)) for one in answer.found],
        report=lambda console, wide: draw(console, result, rows, wide),
    )
    if answer.refusal is not None:
        raise InputError(answer.refusal)
    return exits.YES if answer.found and not (options.strict and answer.not_evaluated) else exits.NO


def table_rows(answer: Candidates) -> Iterator[tuple[Any, ...]]:
    """A row for every provider of every candidate; those that only stand in mappings have no resources."""
    forest = answer.forest
    for number, candidate in enumerate(answer.found, 1):
        serving: dict[str, list[str]] = {uuid: [] for uuid in candidate.allocations}
        for suffix, uuids in candidate.mappings.items():
            for uuid in uuids:
                serving.setdefault(uuid, []).append(suffix or '""')
        for uuid, groups in serving.items():
            amounts = candidate.allocations.get(uuid, {})
            provider = None if forest is None else forest.providers[uuid]
            used = [
                f"{provider.used.get(name, 0)}/{provider.inventories[name].capacity}" for name in amounts if provider
            ]
            yield (
                number,
                uuid,
                provider.name if provider else None,
                " ".join(f"{name}={amount}" for name, amount in amounts.items()) or None,
                " ".join(groups) or None,
                " ".join(used) or None,
            )


def provider_names(answer: Candidates, uuids: Any) -> list[str]:
    """The names of providers."""
    return [uuid if answer.forest is None else answer.forest.providers[uuid].name for uuid in uuids]


def draw(console: Any, result: CandidatesResult, rows: list[tuple[Any, ...]], wide: bool) -> None:
    """The table: a line a provider, the candidate's number at its first; uuids with `wide`."""
    answer = result.answer
    plus = "+" if answer.more else ""
    size = f"{answer.source}, microversion {answer.microversion}, {answer.elapsed:.3f} s"
    found = count(len(answer.found), "candidate")
    console.print(title(f"{found.replace(' ', plus + ' ', 1)} ({size})", good=bool(answer.found)))
    if rows:
        console.print()
        table = borderless(("#", *(("Provider",) if wide else ()), "Name", "Resources", "Groups", "Used/capacity"))
        before = 0
        for number, uuid, name, resources, groups, used in rows:
            shown = (uuid,) if wide else ()
            cells = (
                str(number) if number != before else "",
                *shown,
                name or "",
                resources or "",
                groups or "",
                used or "",
            )
            table.add_row(*map(printable, cells))
            before = number
        console.print(table)
    draw_not_evaluated(console, answer.not_evaluated, wide)
    draw_notes(console, [answer.notes], wide)
