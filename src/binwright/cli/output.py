"""The forms of output that verbs share: JSON, YAML, CSV, plain values, names, and a rich console for tables.

Takes an envelope and rows; knows no verb. Text is made whole and written once, so that a closed pipe has one place.
"""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from binwright.cli.words import printable
from binwright.errors import InputError

PIPE_WIDTH = 120  # columns of a table that does not go to a terminal, unless COLUMNS says otherwise


@dataclass(slots=True)
class Rows:
    """What csv, value and -c print: one row an object, a cell is text, a number or None."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def pick(self, names: Sequence[str]) -> "Rows":
        """The columns called `names`, in that order, upper and lower case alike; all when there are no names."""
        if not names:
            return self
        known = {column.lower(): position for position, column in enumerate(self.columns)}
        for name in names:
            if name.lower() not in known:
                raise InputError(f"-c {name}: no such column (there are {', '.join(self.columns)})")
        picked = [known[name.lower()] for name in names]
        return Rows(
            tuple(self.columns[position] for position in picked),
            [tuple(row[position] for position in picked) for row in self.rows],
        )


Report = Callable[[Any, bool], None]


def show(
    options: Any,
    envelope: dict[str, Any],
    rows: Rows,
    names: list[str],
    report: Report,
    commands: Callable[[], str] | None = None,
) -> None:
    """Print a result in the form that `options` ask for; nothing with --quiet.

    `report(console, wide)` draws the table of the verb on a rich console; -c replaces it by a plain table of columns.
    `commands()` makes the text of the form "commands", for verbs that advise.
    """
    picked = rows.pick(options.columns)
    if options.quiet:
        return
    headers = not options.no_headers
    match options.form:
        case "json":
            text = as_json(envelope)
        case "yaml":
            text = as_yaml(envelope)
        case "csv":
            text = as_csv(picked, headers)
        case "value":
            text = as_values(picked)
        case "name":
            text = "".join(f"{printable(name)}\n" for name in names)
        case "commands" if commands is not None:
            text = commands()
        case form:
            wide = form == "wide"
            if options.columns:
                text = on_console(lambda console: console.print(plain_table(picked, headers)))
            else:
                text = on_console(lambda console: report(console, wide))
    emit(text)


def say(options: Any, notes: Iterable[str]) -> None:
    """With -v the remarks on standard error, whatever the form of the result."""
    for note in notes if options.verbose else ():
        print(f"binwright: {printable(note)}", file=sys.stderr)


def emit(text: str) -> None:
    """Write to standard output. A reader that has gone (`... | head`) is not an error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer goes nowhere, now and when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def as_json(envelope: dict[str, Any]) -> str:
    """Indented JSON, keys in the envelope's order."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(envelope), indent=2).decode() + "\n"


def as_yaml(envelope: dict[str, Any]) -> str:
    """YAML in block style, keys in the envelope's order."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(envelope, Dumper=dumper, sort_keys=False, allow_unicode=True, width=PIPE_WIDTH)


def as_csv(rows: Rows, headers: bool) -> str:
    """RFC 4180 with plain newlines; None is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if headers:
        writer.writerow(rows.columns)
    writer.writerows(rows.rows)
    return text.getvalue()


def as_values(rows: Rows) -> str:
    """Values separated by a space, one line a row, as the openstack client prints them; None is "None"."""
    return "".join(" ".join(printable(str(cell)) for cell in row) + "\n" for row in rows.rows)


def on_console(draw: Callable[[Any], None]) -> str:
    """The text of what `draw(console)` prints; plain unless standard output is a terminal and NO_COLOR is unset."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    plain = bool(os.environ.get("NO_COLOR"))
    console = Console(width=width, color_system=None if plain else "auto", markup=False, highlight=False, emoji=False)
    with console.capture() as capture:
        draw(console)
    lines = capture.get().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def plain_table(rows: Rows, headers: bool) -> Any:
    """A table of rows without lines."""
    table = borderless(rows.columns, headers)
    for row in rows.rows:
        table.add_row(*(cell_text(cell) for cell in row))
    return table


def borderless(columns: Sequence[str], headers: bool = True, right: Sequence[str] = ()) -> Any:
    """An empty rich table without lines; columns named in `right` are numbers. Long cells fold, nothing is cut off."""
    from rich.table import Table

    table = Table(box=None, show_header=headers, header_style="bold", padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def cell_text(cell: Any) -> str:
    """A cell of a table: empty for None, thousands separated, control characters escaped."""
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) else printable(str(cell))
