"""Measures everything and makes the README's table of it: the one command behind every figure.

    python -m bench.table --readme         measure all (ten minutes), keep the raw samples, put the table into README.md
    python -m bench.table --quick          without a million hosts
    python -m bench.table --from FILE      the table of an earlier measurement

Machine, date, versions and raw samples go to bench/results/DATE-engine.json. Needs the extra `bench`, and valgrind for
the instruction counts, which are left out without it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from bench import api, machine, memory
from bench.index_workloads import INDEXED
from binwright.bench import instructions
from binwright.bench.workloads import WORKLOADS

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results")
START, END = "<!-- measured -->", "<!-- /measured -->"
MILLION = 1_000_000


# ---- measuring -----------------------------------------------------------------------------------------------


def times(quick: bool) -> list[dict[str, Any]]:
    """One record a benchmark, raw samples in seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "times.json"
        options = ["-q", "--benchmark-quiet", f"--benchmark-json={out}", *(("-m", "not slow") if quick else ())]
        command = [sys.executable, "-m", "pytest", "bench/test_engine.py", *options]
        environment = {key: value for key, value in os.environ.items() if key != "BINWRIGHT_KERNELS"}
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        report = json.loads(out.read_text(encoding="utf-8"))
    return [
        {
            "work": record["params"].get("name", record["name"].removeprefix("test_").split("[")[0]),
            **record["extra_info"],
            "seconds": [round(sample, 9) for sample in record["stats"]["data"]],
        }
        for record in report["benchmarks"]
    ]


def measure(quick: bool) -> dict[str, Any]:
    core, copy = instructions.core_folder(), instructions.copy_to_force()
    key = instructions.key_of(core, copy)
    found: dict[str, Any] = {"what": "engine", "machine": machine.described(key.split(", ")[1])}
    found["times"] = times(quick)
    found["api"] = api.measured()
    sizes = [count for count in memory.HOSTS if count < MILLION or not quick]
    found["memory"] = [memory.measured(count, resources) for count in sizes for resources in memory.RESOURCES]
    if shutil.which("valgrind"):
        found["instructions"] = {key: instructions.counts(list(WORKLOADS), core, copy)}
    return found


def keep(found: dict[str, Any]) -> Path:
    """Write a measurement to results/, one record a line."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{found['machine']['date']}-{found['what']}.json"
    parts = []
    for name, value in found.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(json.dumps(record) for record in value) + "\n]"
        parts.append(f"{json.dumps(name)}: {text}")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    return path


# ---- the table -----------------------------------------------------------------------------------------------


def short(value: float) -> str:
    """Three significant digits, thousands apart."""
    if value >= 100:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---", *("---:" for _ in lines[0][1:])])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rows_of(
    records: list[dict[str, Any]], works: dict[str, str], cell: Callable[[dict[str, Any]], str]
) -> Iterable[list[str]]:
    """One row a kind of work and number of resources, one cell a fleet size."""
    sizes = sorted({record["hosts"] for record in records})
    for work, caption in works.items():
        mine = {(r["hosts"], r["resources"]): cell(r) for r in records if r.get("work", work) == work}
        for resources in sorted({resources for _, resources in mine}):
            yield [caption, str(resources), *(mine.get((size, resources), "") for size in sizes)]


def rate(record: dict[str, Any]) -> str:
    best = min(record["seconds"])
    decisions = record["decisions"]
    return f"{short(decisions / best)} ({short(best * 1e9 / decisions / record['hosts'])})"


def duration(record: dict[str, Any]) -> str:
    best = min(record["seconds"])
    return f"{short(best * 1e6)} ({short(best * 1e9 / record['hosts'])})"


def table(found: dict[str, Any], source: str) -> str:
    """The markdown between the README's markers; everything in it comes from `found`."""
    times, held = [r for r in found["times"] if r["work"] not in INDEXED], found["memory"]
    indexed = [record for record in found["times"] if record["work"] in INDEXED]
    columns = ["resources", *(f"{size:,} hosts" for size in sorted({record["hosts"] for record in times}))]
    placing = {record["work"] for record in times if record["decisions"]} - {"explain"}
    captions = {name: caption for name, (caption, _) in WORKLOADS.items()}
    works = {name: caption for name, caption in captions.items() if name in placing}
    others = {name: caption for name, caption in captions.items() if name not in placing}
    others["fleet_from_numpy"] = "`Fleet` from numpy arrays, amounts checked"
    core = rows_of(held, {"core": "held by the core"}, lambda r: short(r["core_bytes_per_host"]))
    bounds = rows_of(
        [r for r in held if "filter_bytes_per_host" in r],
        {"filter": "of that by the block filter"},
        lambda r: short(r["filter_bytes_per_host"]),
    )
    process = rows_of(held, {"process": "growth of the process"}, lambda r: short(r["process_bytes"] / r["hosts"]))
    return "\n\n".join(
        (
            origin(found["machine"], source),
            grid(["decisions a second (ns a host)", *columns], rows_of(times, works, rate)),
            *by_index(indexed),
            *by_api(found.get("api", [])),
            grid(["microseconds (ns a host)", *columns], rows_of(times, others, duration)),
            grid(["bytes a host", *columns], (*core, *bounds, *process)),
            apart(held[-1]),
        )
    )


def by_index(records: list[dict[str, Any]]) -> Iterable[str]:
    """The table of the workloads that indexes answer; nothing for a measurement without them."""
    if records:
        sizes = sorted({record["hosts"] for record in records})
        captions = {name: caption for name, (caption, _) in INDEXED.items()}
        rows = ([row[0], *row[2:]] for row in rows_of(records, captions, each))
        yield grid(["decisions a second by index or by bounds (ns each)", *(f"{size:,} hosts" for size in sizes)], rows)


def by_api(records: list[dict[str, Any]]) -> Iterable[str]:
    """The table of single calls of the Python API; nothing for a measurement without them."""
    if records:
        head = ("microseconds through the Python API", "hosts", "core alone", "median", "99th percentile")
        keys = ("core_ns", "median_ns", "p99_ns")
        yield grid(
            head, ([one["work"], f"{one['hosts']:,}", *(short(one[key] / 1000) for key in keys)] for one in records)
        )


def each(record: dict[str, Any]) -> str:
    best = min(record["seconds"])
    return f"{short(record['decisions'] / best)} ({short(best * 1e9 / record['decisions'])})"


def origin(on: dict[str, Any], source: str) -> str:
    versions = on["versions"]
    return (
        f"{on['date']}, {on['processor']}, one of {on['cores']} cores, load average {on['load_average']:.1f} at the "
        f"start, {on['kernels']} kernels, Python {versions['python']}, {versions['compiler']}, commit {on['commit']}. "
        f"Best of the rounds; every benchmark asserts that its answer is right. Raw samples: `{source}`."
    )


def apart(record: dict[str, Any]) -> str:
    sizes = {name: short(value) for name, value in record.items()}
    return (
        f"Apart from these, in bytes: a request class that rejects hosts {sizes['class_mask_bytes_per_host']} a host, "
        f"each of its raw score columns {sizes['class_raw_column_bytes_per_host']} a host; a host's name "
        f"{sizes['name_bytes_per_host']}; an item {sizes['item_record_bytes']}, "
        f"{sizes['item_with_journal_bytes']} while the journal remembers its placing."
    )


def put_into(readme: str, text: str) -> str:
    """`readme` with `text` between the markers. Raises SystemExit where it has not exactly one pair of them."""
    before, start, rest = readme.partition(START)
    inside, end, after = rest.partition(END)
    if not start or not end or START in inside + after or END in after:
        raise SystemExit(f"table: README.md needs one {START} and one {END}")
    return f"{before}{START}\n{text}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="without a million hosts")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="do not measure, read FILE")
    parser.add_argument("--readme", action="store_true", help="put the table into README.md")
    arguments = parser.parse_args()
    path = arguments.source or keep(measure(arguments.quick))
    found = json.loads(path.read_text(encoding="utf-8"))
    text = table(found, path.resolve().relative_to(ROOT).as_posix())
    print(text)
    if arguments.readme:
        readme = ROOT / "README.md"
        readme.write_text(put_into(readme.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
