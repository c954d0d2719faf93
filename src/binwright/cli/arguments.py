"""Options that several verbs share, and a parser that says what is wrong in one line.

Knows no verb and no result; imports nothing beyond the standard library, so that `binwright --version` needs no extra.
"""

import argparse
from typing import NoReturn

from binwright.cli import exits

FORMS = ("table", "wide", "json", "yaml", "csv", "value", "name")


class Parser(argparse.ArgumentParser):
    """argparse without abbreviated options, whose errors are one line and point at --help."""

    def __init__(self, prog: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    def error(self, message: str) -> NoReturn:
        self.exit(exits.BAD, f"{self.prog}: {message} (see {self.prog} --help)\n")


def add_output(parser: Parser, forms: tuple[str, ...] = FORMS) -> None:
    """How the result is printed: -o (or -f), -c, --no-headers, --quiet, -v."""
    group = parser.add_argument_group("output")
    add_form(group, forms)
    group.add_argument(
        "-c",
        "--column",
        dest="columns",
        metavar="COLUMN",
        action="append",
        default=[],
        help="only this column of table, wide, csv and value; may be repeated",
    )
    group.add_argument("--no-headers", action="store_true", help="leave out the line of column names")
    add_verbosity(parser)


def add_form(group: argparse._ArgumentGroup, forms: tuple[str, ...]) -> None:
    """-o as kubectl has it, -f as the openstack client has it."""
    names = ("-o", "--output", "-f", "--format")
    text = f"one of {', '.join(forms)} (default: table)"
    group.add_argument(*names, dest="form", metavar="FORM", choices=forms, default="table", help=text)


def add_verbosity(parser: Parser) -> None:
    """--quiet and -v, for verbs without forms of output too."""
    group = parser.add_argument_group("verbosity")
    group.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors; the exit code answers")
    group.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")


def add_selection(parser: Parser, what: str = "report") -> None:
    """Which objects are meant, to `what` them: -n, -A, -l. All are evaluated all the same, because they compete."""
    group = parser.add_argument_group("selection")
    labels = f"{what} objects with these labels only: app=web,tier!=db,env in (a, b)"
    group.add_argument("-l", "--selector", help=labels)
    either = group.add_mutually_exclusive_group()
    either.add_argument("-n", "--namespace", help=f"{what} objects of this namespace or project only")
    either.add_argument("-A", "--all-namespaces", action="store_true", help=f"{what} all namespaces (the default)")
