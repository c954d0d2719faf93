"""`python -m binwright.bench`: times, comparisons, instruction counts and a picture of speed, where it runs."""

import argparse
import json
import sys
from collections.abc import Sequence

from binwright.bench import given, importing, instructions, plot, results, times
from binwright.bench.fleets import Hosts, hosts_of
from binwright.bench.workloads import WORKLOADS
from binwright.errors import BinwrightError

HOSTS, RESOURCES, SECONDS = 5_000, 4, 0.6
MOST_HOSTS, MOST_SECONDS, MOST_RUNS = 10_000_000, 3600, 1000
DESCRIPTION = """\
Measure binwright where it runs. Every workload checks its answer.

  times         time the workloads over a fleet of any size, or your own hosts (CSV)
  compare       two saved results, or two Pythons with a binwright each; --fail-over makes a gate of it
  instructions  count instructions by callgrind against a baseline: the gate that does not flake
  import        what `import binwright` costs beyond `import numpy`
  plot          draw a history that `times --history` gathered
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m binwright.bench", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = top.add_subparsers(dest="verb", metavar="VERB")
    times_ = verbs.add_parser("times", help="time the workloads")
    add_work(times_)
    times_.add_argument("-o", dest="form", choices=("table", "json"), default="table", help="output (default: table)")
    times_.add_argument("--save", metavar="FILE", help="write the result there too, as JSON")
    times_.add_argument("--history", metavar="FILE", help="append the result there, a JSON line")
    compare = verbs.add_parser("compare", help="compare two results, or two Pythons")
    compare.add_argument("before", help="a saved result, or a Python interpreter")
    compare.add_argument("after", help="the same")
    add_work(compare)
    compare.add_argument("--fail-over", type=float, metavar="PERCENT", help="exit 1 if anything is slower by more")
    count = verbs.add_parser("instructions", help="count instructions against a baseline")
    count.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(WORKLOADS)}; default: all")
    count.add_argument("--baseline", metavar="FILE", help="stored counts, JSON; over 1 %% more is exit code 1")
    count.add_argument("--update", action="store_true", help="store the counts there")
    import_ = verbs.add_parser("import", help="time the import, beyond NumPy's")
    import_.add_argument("--runs", type=runs, default=importing.RUNS, help=f"interpreters (default: {importing.RUNS})")
    picture = verbs.add_parser("plot", help="draw a history")
    picture.add_argument("history", metavar="HISTORY", help="what `times --history` gathered")
    picture.add_argument("-o", dest="path", metavar="FILE", required=True, help="the picture, .svg or .png")
    return top


def add_work(to: argparse.ArgumentParser) -> None:
    """What is measured, over which hosts."""
    to.add_argument("--work", metavar="NAME", action="append", choices=WORKLOADS, help=f"one of {', '.join(WORKLOADS)}")
    to.add_argument("--hosts", type=hosts, default=HOSTS, help=f"hosts of the made-up fleet (default: {HOSTS})")
    to.add_argument("--resources", type=int, choices=range(2, 9), default=RESOURCES, help="2 to 8 (default: 4)")
    to.add_argument("--fleet", metavar="CSV", help="your own hosts: a column a resource, used_NAME beside it")
    to.add_argument("--seconds", type=seconds, default=SECONDS, help=f"for each workload (default: {SECONDS})")


def hosts(text: str) -> int:
    """How many hosts; argparse says what is wrong with others."""
    if not 1 <= int(text) <= MOST_HOSTS:
        raise argparse.ArgumentTypeError(f"{text} is outside 1..{MOST_HOSTS}")
    return int(text)


def seconds(text: str) -> float:
    """How long; neither nothing nor without end."""
    if not 0 < float(text) <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0, at most {MOST_SECONDS}")
    return float(text)


def runs(text: str) -> int:
    """How many interpreters."""
    if not 1 <= int(text) <= MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text} is outside 1..{MOST_RUNS}")
    return int(text)


def fleet(options: argparse.Namespace) -> Hosts:
    """The hosts that are asked for."""
    return hosts_of(options.hosts, options.resources) if options.fleet is None else given.read_hosts(options.fleet)


def show(document: dict[str, object], found: Sequence[times.Timed]) -> None:
    """The table of a run."""
    print(f"binwright {document['binwright']}, {document['kernels']} kernels, Python {document['python']}, "
          f"{document['processor']}")  # fmt: skip
    print(f"{'workload':10} {'hosts':>9} {'resources':>9} {'best':>12} {'a decision':>12} {'calibrations':>12}")
    for one in found:
        each = f"{one.best * 1e9 / one.decisions:,.0f} ns" if one.decisions else ""
        print(f"{one.work:10} {one.hosts:9,} {one.resources:9} {one.best * 1e6:9,.1f} us {each:>12} {one.ratio:12.3f}")


def time_them(options: argparse.Namespace) -> int:
    """`times`."""
    found = times.run(fleet(options), options.work or (), options.seconds)
    document = results.result(found)
    if options.form == "json":
        print(json.dumps(document))
    else:
        show(document, found)
    if options.save:
        with open(options.save, "w", encoding="utf-8") as file:
            file.write(json.dumps(document) + "\n")
    if options.history:
        results.append(options.history, document)
    return 0


def compare_them(options: argparse.Namespace) -> int:
    """`compare`."""
    sides = options.before, options.after
    if all(map(results.is_interpreter, sides)):
        numbers = {"--hosts": options.hosts, "--resources": options.resources, "--seconds": options.seconds}
        words = [str(word) for pair in numbers.items() for word in pair]
        words += ["--fleet", options.fleet] if options.fleet else []
        for name in options.work or ():
            words += ["--work", name]
        before, after = results.of_interpreters(*sides, words)
    else:
        before, after = (results.records(results.read(side)) for side in sides)
    changes = results.compared(before, after)
    if not changes:
        raise BinwrightError("compare: the two results have no workload in common")
    slower = False
    print(f"{'workload':10} {'hosts':>9} {'resources':>9} {'before':>12} {'after':>12} {'change':>8}")
    for one in changes:
        worse = options.fail_over is not None and one.factor > 1 + options.fail_over / 100
        slower |= worse
        print(f"{one.work:10} {one.hosts:9,} {one.resources:9} {one.before:12.3f} {one.after:12.3f} "
              f"{one.factor - 1:+8.1%}{'  slower' if worse else ''}")  # fmt: skip
    print("times in calibration loops of the same run")
    return int(slower)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; 0 well, 1 slower than allowed, 2 bad usage or input."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    top = parser()
    options = top.parse_args(words or ["times"])
    try:
        if options.verb == "times":
            return time_them(options)
        if options.verb == "compare":
            return compare_them(options)
        if options.verb == "instructions":
            return instructions.gate(options.names, options.baseline, options.update)
        if options.verb == "import":
            importing.show(importing.imports(options.runs), options.runs)
            return 0
        plot.draw(results.history(options.history), options.path)
    except BinwrightError as error:
        print(f"binwright.bench: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"binwright.bench: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
