"""`binwright VERB ...`: finds the verb's module, runs it, turns every way of ending into an exit code.

The verbs are imported when they are asked for: `binwright --version` and `--help` need NumPy only.
"""

import argparse
import importlib
import io
import sys
import traceback
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any, TextIO

from binwright import __version__
from binwright.cli import exits
from binwright.cli.arguments import Parser
from binwright.cli.words import printable
from binwright.errors import BinwrightError, BinwrightWarning, MissingExtraError

VERBS = {
    "place": "place what is pending in dumps of clusters and clouds, and say why the rest does not fit",
    "explain": "say why one object goes where it goes, host by host: rule, shortfall, smallest change, score",
    "verify": "replay what is placed in dumps, oldest first, and list what the rules would refuse",
    "capacity": "how many more of each shape fit, or of a mix, and what runs out first",
    "candidates": "what Placement answers to GET /allocation_candidates, from a cloud's dump",
    "stack": "ask about all layers together, from racks to pods (audit, place, headroom, compare, ...)",
    "openstack": "talk to a live cloud (dump)",
    "serve": "answer schedulers over HTTP (extender)",
    "drain": "what kubectl drain of some nodes would do: who moves where, who may not go, who finds no place",
    "consolidate": "the nodes that can be emptied together, the moves in order, a proven bound beside them",
    "pack": "pack items into few or cheap bins, with a proven lower bound beside the packing",
    "example": "write the sample data set to a directory",
    "conformance": "replay recorded decisions of the real services and count the cases that are equal",
    "replay": "decide a recorded decision log again and compare, byte by byte",
    "completion": "print the completion script for bash, zsh or fish",
}
GROUPS = {
    "openstack": {"dump": "write all that binwright reads of a cloud to a directory, or print a script that does"},
    "serve": {"extender": "kube-scheduler's HTTP extender, Nova's external scheduler, and a page to look at"},
    "stack": {
        "audit": "hazards of all layers together: spread, quorums, stale labels, what joins nothing",
        "place": "pending pods through all layers: on nodes, and on new nodes whose servers get hosts, all or nothing",
        "headroom": "how many more of a pod, on the nodes as they are and with new nodes on the hosts as they are",
        "compare": "what-if copies side by side: lose a rack, change a ratio, add a cluster, swap flavors, repair",
        "split": "how many of a pool of bare-metal hosts should run hypervisors, and how many Kubernetes directly",
        "report": "one page for people: numbers, hazards, the sandwich drawn to scale, before and after",
        "ledger": "what each physical host has, what every layer gave away of it, what is used, what is idle",
        "blast": "what breaks when a host, a rack or a zone is lost, and what finds another place at once",
    },
}
"""Verbs that are followed by a verb of their own; `VERBS` says what they are about."""
EXTRA_MODULES = ("rich", "msgspec", "yaml")
LONGEST = 2000  # characters of an error; what is beyond is the input repeating itself


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (default: the process's own) and return its exit code, see `exits`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            return guarded(words)
    except SystemExit as end:  # argparse ends this way, after having said why
        return end.code if isinstance(end.code, int) else exits.YES
    except KeyboardInterrupt:
        complain("interrupted")
        return exits.INTERRUPTED


def guarded(words: list[str]) -> int:
    """Run the verb; every error becomes one line on standard error."""
    try:
        return dispatch(words)
    except BinwrightError as error:
        complain(str(error))
        return exits.BAD
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return exits.BAD
    except ModuleNotFoundError as error:
        if error.name not in EXTRA_MODULES:
            return defect(error, words)
        complain(str(MissingExtraError.for_module(error.name, extra="cli")))
        return exits.BAD
    except Exception as error:
        return defect(error, words)


def dispatch(words: list[str]) -> int:
    """Read the command line and call the verb."""
    top = top_parser()
    options = top.parse_args(words[:1])
    if options.verb is None:
        top.print_help()
        return exits.BAD
    verb, rest = options.verb, words[1:]
    if verb in GROUPS:
        inner = group_parser(verb).parse_args(rest[:1])
        if inner.verb is None:
            group_parser(verb).print_help()
            return exits.BAD
        verb, rest = f"{verb} {inner.verb}", rest[1:]
    module = verb_module(verb)
    code: int = module.run(verb_parser(verb, module).parse_intermixed_args(rest))
    return code


def verb_module(verb: str) -> ModuleType:
    """The module of "place", or of "stack audit"."""
    return importlib.import_module(f"binwright.cli.{verb.replace(' ', '_')}")


def verb_parser(verb: str, module: ModuleType) -> Parser:
    """The parser of everything after a verb."""
    parser = Parser(f"binwright {verb}", module.DESCRIPTION)
    module.configure(parser)
    return parser


def top_parser() -> Parser:
    """The parser of the first word."""
    about = "Where does it fit, and if it does not, why? Placement for Kubernetes and OpenStack from plain dumps."
    parser = list_parser("binwright", about, VERBS)
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")
    return parser


def group_parser(verb: str) -> Parser:
    """The parser of the word after a verb that has verbs of its own."""
    return list_parser(f"binwright {verb}", f"{VERBS[verb][:1].upper()}{VERBS[verb][1:]}.", GROUPS[verb])


def list_parser(words: str, about: str, verbs: dict[str, str]) -> Parser:
    """A parser of one word out of `verbs`."""
    listed = "\n".join(f"  {name:<14}{text}" for name, text in verbs.items())
    parser = Parser(
        words,
        about,
        f"verbs:\n{listed}\n\n`{words} VERB --help` shows a verb's options.\n"
        "Exit codes: 0 yes or clean, 1 no or findings, 2 bad usage or input, 3 internal error, 130 interrupted.",
    )
    parser.add_argument("verb", nargs="?", metavar="VERB", choices=verbs, help=argparse.SUPPRESS)
    return parser


def defect(error: Exception, words: list[str]) -> int:
    """What a user sees of a defect: one line, the traceback with -v."""
    if {"-v", "--verbose"} & set(words):
        traceback.print_exc()
    detail = f"{type(error).__name__}: {error}".splitlines()[0]
    complain(f"internal error: {detail} (a defect of binwright; -v shows the traceback)")
    return exits.INTERNAL


def complain(message: str) -> None:
    """One line on standard error, whatever the message holds."""
    text = printable(message)
    print("binwright:", text if len(text) <= LONGEST else f"{text[:LONGEST]} ...", file=sys.stderr)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Our own warnings as one line; others as Python shows them."""
    if issubclass(category, BinwrightWarning):
        complain(f"warning: {message}")
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


class ShowVersion(argparse.Action):
    """--version: of the package, on standard output."""

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        print("binwright", __version__)
        parser.exit()
