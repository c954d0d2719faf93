"""`binwright pack`: formats of input and output, the catalogue, exit codes, refusals in one line, pictures."""

import json

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import exits

PROBLEM = '{"name": "few", "capacity": 100, "items": [[60, 2], [40, 3], [55, 1]]}'


@pytest.fixture
def write(tmp_path, monkeypatch):
    """write(name, text) makes a file in the current directory."""
    monkeypatch.chdir(tmp_path)

    def make(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return name

    return make


def result_of(ended):
    envelope = json.loads(ended.out)
    jsonschema.validate(envelope, schemas.schema("PackResult"))
    return envelope


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("few.json", PROBLEM),
        ("few.bpp", "3\n100\n60 2\n40 3\n55\n"),
        ("few.txt", "6\n100\n60\n60\n40\n40\n40\n55\n"),
        ("few.vbp", "1\n100\n3\n60 2\n40 3\n55 1\n"),
    ],
)
def test_every_format_is_the_same_problem(command, write, name, text):
    ended = command("pack", write(name, text), "-o", "json", "--iterations", "5")
    assert ended.code == exits.YES
    envelope = result_of(ended)
    assert (envelope["value"], envelope["bound"], envelope["gap"], envelope["status"]) == (3, 3, 0, "optimal")
    assert envelope["summary"]["items"] == 6
    proof = envelope["proof"]
    rows = [60, 40, 55] if envelope["summary"]["types"] == 3 else [60, 60, 40, 40, 40, 55]
    assert sum(pattern["count"] for pattern in envelope["patterns"]) == 3
    for pattern in envelope["patterns"]:
        assert sum(rows[at] * copies for at, copies in pattern["items"]) <= 100
        assert sum(proof["duals"][at] * copies for at, copies in pattern["items"]) <= proof["scale"]


def test_the_table_shows_value_bound_and_patterns(command, write):
    ended = command("pack", write("few.json", PROBLEM))
    assert ended.code == exits.YES
    lines = ended.out.splitlines()
    assert lines[0].split() == ["Name", "Items", "Types", "Value", "Bound", "Gap", "Status", "Seconds"]
    assert lines[1].split()[:8] == ["few", "6", "3", "3", "3", "0.000", "%", "optimal"]
    assert any("1 x item 0, 1 x item 1" in line for line in lines)


def test_several_problems_are_json_lines(command, write):
    second = PROBLEM.replace("few", "two").replace("100", "60")
    ended = command("pack", write("few.jsonl", f"{PROBLEM}\n{second}\n"), "-o", "json")
    values = [json.loads(line) for line in ended.out.splitlines()]
    assert [(value["summary"]["name"], value["value"]) for value in values] == [("few", 3), ("two", 6)]


def test_the_cheapest_bins_of_a_catalogue(command, write):
    catalogue = write(
        "bins.csv",
        "name,vcpus,memory_mb,price,stock,max_pods,kube_reserved_cpu_m,kube_reserved_memory_mb\n"
        "small,4,16384,0.10,,110,1000,384\nlarge,16,65536,0.35,2,110,0,0\n",
    )
    items = write("items.csv", "name,vcpus,memory_mb,count\nweb,2,1024,9\ndb,14,60000,1\n")
    envelope = result_of(command("pack", items, "--bins", catalogue, "-o", "json", "--iterations", "50"))
    # the large bins hold 8 of web or one db and a web; what the reserve leaves of a small one holds one web
    assert (envelope["value"], envelope["bound"], envelope["status"]) == (0.7, 0.7, "optimal")
    assert {pattern["bin"]: pattern["count"] for pattern in envelope["patterns"] if pattern["bin"] == "large"}


def test_what_fits_no_bin_is_named(command, write):
    ended = command("pack", write("big.json", PROBLEM.replace("55", "155")))
    assert ended.code == exits.NO
    assert "item 2 fits no bin" in ended.out


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("x.json", '{"items": [[1, 2]]}', "x.json: neither capacity nor bins (--bins CATALOGUE names them)"),
        ("x.json", '{"capacity": 5, "items": [[1, -2]]}', "x.json: items: row 0: the count -2 is negative"),
        ("x.json", '{"capacity": 5, "items": [[1.5, 2]]}', "x.json: items: row 0: 1.5 is not an integer up to 2**56"),
        (
            "x.json",
            '{"capacity": 5, "items": [[1, 2]], "at_most": [[[0], 18446744073709551616]]}',
            "x.json: items: at_most of rows (0,) is 18446744073709551616, must be 1 to 2**40",
        ),
        (
            "x.json",
            '{"capacity": 5, "items": [[1, 2]], "at_most": [[[0], 0]]}',
            "x.json: items: at_most of rows (0,) is 0, must be 1 to 2**40",
        ),
        ("x.json", '{"capacity": [5, 5], "items": [[1, 2]]}', "items: 1 resources, the bins have 2"),
        ("x.json", '{"capacity": 5, "items": [[1, 2], [1, 2, 3]]}', "x.json: items: row 1 has 3 numbers, row 0 has 2"),
        ("x.bpp", "3\n100\n60\n", "x.bpp: 1 lines of items, the first line says 3"),
        ("x.bpp", "1\n100\nsixty\n", "x.bpp: line 3: 'sixty' is not a whole number"),
        ("x.vbp", "2\n100 100\n1\n5 1\n", "x.vbp: 2 numbers after the head, 1 types of 2 weights and a count need 3"),
        ("x.csv", "a,count\n5,1\n", "x.csv: items without bins (--bins CATALOGUE names them)"),
        ("x.json", "", "x.json: the file is empty"),
    ],
)
def test_bad_input_is_one_line(command, write, name, text, line):
    ended = command("pack", write(name, text))
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == f"binwright: {line}\n"


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_picture(command, write, tmp_path, suffix):
    pytest.importorskip("matplotlib")
    ended = command("pack", write("few.json", PROBLEM), "--plot", f"out.{suffix}", "-q")
    assert (ended.code, ended.out, ended.err) == (exits.YES, "", "")
    assert (tmp_path / f"out.{suffix}").stat().st_size > 5000


def test_a_picture_of_another_kind_is_refused(command, write):
    ended = command("pack", write("few.json", PROBLEM), "--plot", "out.gif")
    assert (ended.code, ended.err) == (exits.BAD, "binwright: out.gif: a picture is .svg or .png\n")


def test_strict_asks_for_the_proof(command, write):
    # decreasing first fit needs one bin more than the bound, and without iterations nothing closes the gap
    problem = '{"capacity": 10, "items": [[6, 2], [5, 2], [4, 1], [3, 2], [2, 3], [1, 0]]}'
    path = write("gap.json", problem)
    ended = command("pack", path, "--iterations", "0", "--strict", "-o", "json")
    status = result_of(ended)["status"]
    assert ended.code == (exits.YES if status == "optimal" else exits.NO)
