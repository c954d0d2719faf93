"""`binwright example NAME DIR`: writes the sample data set that ships as a generator."""

import argparse

from binwright.cli import exits
from binwright.cli.arguments import Parser, add_verbosity
from binwright.cli.output import emit

DESCRIPTION = """\
Write the sample "club-sandwich" to a directory: five Kubernetes clusters on one OpenStack, with pending pods and
servers, and hazards to find. Needs no cluster and no credentials. The same seed writes the same bytes.
"""
SAMPLES = ("club-sandwich",)


def configure(parser: Parser) -> None:
    """The options of `example`."""
    parser.add_argument("name", metavar="NAME", choices=SAMPLES, help=f"which sample: {', '.join(SAMPLES)}")
    parser.add_argument("directory", metavar="DIR", help="directory to write to, new or empty")
    parser.add_argument("--seed", type=int, help="another sample of the same make (default: the one that ships)")
    add_verbosity(parser)


def run(options: argparse.Namespace) -> int:
    """Write the sample and say what to do with it."""
    from binwright.sample import write_club_sandwich

    seed = {} if options.seed is None else {"seed": options.seed}
    write_club_sandwich(options.directory, **seed)
    if not options.quiet:
        emit(f"Wrote {options.name} to {options.directory}; now: binwright place {options.directory}\n")
    return exits.YES
