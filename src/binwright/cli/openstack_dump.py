"""`binwright openstack dump DIR`: connects, asks the layer for everything, writes the layout of a dump."""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_verbosity
from binwright.cli.output import emit
from binwright.cli.progress import progress_bar
from binwright.cli.words import count, printable
from binwright.errors import InputError, MissingExtraError
from binwright.openstack.dumps.script import SCRIPT
from binwright.openstack.live import PARALLEL, Collected, Progress, collect

DESCRIPTION = """\
Write everything that binwright reads of a live OpenStack cloud to a directory, as one source for the other verbs. Only
GET requests are made, some at a time; the directory is written when all have been answered. The cloud is named as for
`openstack`: --os-cloud, OS_CLOUD or the OS_ variables, with clouds.yaml. Needs a user who may read all projects:
compute and Placement must be readable, of the other services what there is.

--script prints a shell script of plain `openstack` commands that writes the same layout, for where only they are.
"""


def configure(parser: Parser) -> None:
    """The options of `openstack dump`."""
    parser.add_argument("directory", metavar="DIR", nargs="?", help="directory to write to, new or empty")
    parser.add_argument("--os-cloud", metavar="NAME", help="the cloud of clouds.yaml (default: OS_CLOUD)")
    text = f"requests at a time (default: {PARALLEL})"
    parser.add_argument("--parallel", metavar="N", type=positive, default=PARALLEL, help=text)
    parser.add_argument("--script", action="store_true", help="print the shell script instead; connects to nothing")
    add_verbosity(parser)


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def run(options: argparse.Namespace) -> int:
    """Write the dump and say what to do with it."""
    if options.script:
        emit(SCRIPT)
        return exits.YES
    if options.directory is None:
        raise InputError("openstack dump: DIR is missing")
    directory = Path(options.directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory}: not an empty directory")
    connection = connect(options.os_cloud)
    with progress_bar(options.quiet, "asking") as bar:
        collected = collect(connection, parallel=options.parallel, progress=None if bar is None else by_table(bar))
    write(directory, collected)
    if not options.quiet:
        for note in collected.notes:
            print(f"binwright: {printable(note)}", file=sys.stderr)
        tables = [name for name in collected.files if "/" not in name]
        rows = ", ".join(f"{count(len(collected.files[name]), 'object')} in {name}" for name in tables)
        emit(f"Wrote {directory}: {rows}\nNow: binwright place {directory}\n")
    return exits.YES


def by_table(bar: Progress) -> Progress:
    """Tells the table alone of what is asked for one provider after another."""
    return lambda what, done, total: bar(what.partition("/")[0], done, total)


def connect(cloud: str | None) -> Any:
    """A connection of openstacksdk. Raises InputError where the configuration or the login is no good."""
    try:
        openstack = import_module("openstack")
    except ModuleNotFoundError as error:
        raise MissingExtraError.for_module("openstacksdk", extra="openstack") from error
    try:
        connection = openstack.connect(cloud=cloud)
        connection.compute.get_endpoint_data()
    except Exception as problem:  # the library's own errors have no common base with those of what it uses
        where = cloud or os.environ.get("OS_CLOUD") or "cloud of the environment"
        line = next(iter(str(problem).strip().splitlines()), type(problem).__name__)
        raise InputError(f"{where}: {line}") from None
    return connection


def write(directory: Path, collected: Collected) -> None:
    """The files of the layout."""
    for name, value in collected.files.items():
        path = directory / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
