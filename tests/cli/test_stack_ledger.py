"""`binwright stack ledger` on the sample: the CPU is idle while the memory is sold."""

import json
from pathlib import Path

import jsonschema

from binwright.schemas import schema

SAMPLE = str(Path(__file__).parents[2] / "examples" / "club-sandwich")


def test_the_cpu_is_idle_while_the_memory_is_sold(command):
    ended = command("stack", "ledger", SAMPLE, "-o", "json", "--pods")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("LedgerResult"))
    cpu, memory = result["totals"]["cpu"], result["totals"]["memory"]
    assert 0.15 < cpu["mean"] / cpu["physical"] < 0.20
    assert memory["sold"] / memory["physical"] > 0.8
    assert cpu["reclaimable"] > cpu["physical"] // 2
    assert len(result["pods"]) > 1000
    assert all(one["effective"] <= one["requested"] for one in result["pods"])


def test_the_table_has_a_column_a_resource(command):
    ended = command("stack", "ledger", SAMPLE)
    assert ended.out.startswith("72 hosts, 0 overcommitted by both layers (")
    assert any(line.split()[:4] == ["physical", "3,616", "cores", "20.6"] for line in ended.out.splitlines())


def test_without_series_it_says_so(command):
    ended = command("stack", "ledger", "--cloud", f"{SAMPLE}/clouds/north")
    assert "No series of use beside the sources" in ended.out
