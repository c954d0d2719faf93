"""The sources of a verb: PATH..., --cluster PATH, --cloud PATH, --input; and which objects count: -n, -l."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from binwright.cli.arguments import Parser
from binwright.errors import InputError
from binwright.stack.label_selector import label_selector
from binwright.stack.sources import INPUTS, OPENB, Source, find_sources
from binwright.stack.wishes import Wishes, refuse_unheard

if TYPE_CHECKING:
    from binwright.stack.sandwich import Sandwich

PATHS = """\
A PATH is one source: a file, "-" for standard input, or a directory. A directory that holds clouds/NAME/ or
clusters/NAME/ is a sandwich of several sources."""


def add_sources(parser: Parser) -> None:
    """The paths; none need stand there when --cluster or --cloud names one."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="file, directory, or - for standard input")
    _add_options(parser)


def add_names_and_sources(parser: Parser, what: str) -> None:
    """Names, the last of which is the PATH unless --cluster or --cloud names one."""
    text = f"names, and the PATH as the last word: {what}... PATH; without PATH where --cluster or --cloud names one"
    parser.add_argument("words", nargs="+", metavar=what, help=text)
    _add_options(parser)


def names_and_sources(options: argparse.Namespace, what: str) -> tuple[list[str], list[Source]]:
    """The names and the sources of the command line. Raises InputError when it has no name, and as `sources_of`."""
    named = bool(options.clusters or options.clouds)
    names, options.paths = (options.words, []) if named else (options.words[:-1], options.words[-1:])
    if not names:
        raise InputError(f"no {what} is given: {what}... PATH")
    return names, sources_of(options)


def _add_options(parser: Parser) -> None:
    group = parser.add_argument_group("sources")
    for layer in ("cluster", "cloud"):
        text = f"a PATH that is a {layer}; may be repeated"
        group.add_argument(f"--{layer}", dest=f"{layer}s", metavar="PATH", action="append", default=[], help=text)
    inputs = [name for name in INPUTS if name != OPENB]
    group.add_argument("--input", choices=inputs, default="auto", help="what plain files hold (default: auto)")


def add_configuration(parser: Parser) -> None:
    """--config and --complete: how the clusters' schedulers read the input."""
    parser.add_argument("--config", metavar="FILE", help="a KubeSchedulerConfiguration: plugins, weights, arguments")
    parser.add_argument("--complete", action="store_true", help="kinds of objects that the input lacks do not exist")


def add_rules(parser: Parser) -> None:
    """How the rules are read: --config, --complete, and whether what was not evaluated counts: --strict."""
    add_configuration(parser)
    parser.add_argument("--strict", action="store_true", help="exit 1 when a rule in the input was not evaluated")


def add_nova_conf(parser: Parser) -> None:
    """--nova-conf: how the schedulers of the clouds are configured."""
    text = "the nova.conf of the clouds' schedulers: enabled filters, weights; default: Nova's defaults"
    parser.add_argument("--nova-conf", metavar="FILE", help=text)


def sources_of(options: argparse.Namespace) -> list[Source]:
    """The sources that the command line names. Raises InputError when it names none, and as `find_sources`."""
    if not (options.paths or options.clusters or options.clouds):
        raise InputError("no PATH is given: name a file, a directory, or - for standard input")
    return find_sources(options.paths, options.input, clusters=options.clusters, clouds=options.clouds)


def add_sandwich(parser: Parser) -> None:
    """Sources that are joined: the paths, and --racks."""
    add_sources(parser)
    text = "racks, their zones and hosts, as racks.yaml; may be repeated"
    parser.add_argument("--racks", metavar="FILE", action="append", default=[], help=text)


def wishes_of(options: argparse.Namespace) -> Wishes:
    """How to place, as far as the verb has options for it."""
    given = vars(options)
    return Wishes(**{one.name: given[one.name] for one in fields(Wishes) if one.name in given})


def add_schedulers(parser: Parser) -> None:
    """How the schedulers of a sandwich are configured: --config, --nova-conf, --complete."""
    add_configuration(parser)
    add_nova_conf(parser)


def open_options(options: argparse.Namespace) -> "Sandwich":
    """The sources that the command line names, joined, with the schedulers that `add_schedulers` may have told of.

    Raises InputError as `sources_of` and `open_sandwich` do, and for an option that no source takes.
    """
    from binwright.stack.inventory import open_sandwich  # imports every layer, which few verbs need

    sources, wishes = sources_of(options), wishes_of(options)
    refuse_unheard(wishes, sources)
    return open_sandwich(sources, [*options.paths, *options.clusters, *options.clouds], options.racks, wishes)


def selection(options: argparse.Namespace) -> Callable[[Any], bool]:
    """Whether -n and -l mean an object with `namespace` and `labels`. Raises InputError for a selector that is none."""
    has_labels = None if options.selector is None else label_selector(options.selector)

    def selected(thing: Any) -> bool:
        named = options.namespace is None or thing.namespace == options.namespace
        return named and (has_labels is None or has_labels(thing.labels))

    return selected
