"""`python -m binwright.bench`: what it measures, compares and refuses; a planted slow-down is caught by both gates."""

import json
import os
import random
import shutil
import sys

import pytest

from binwright._core import kernels
from binwright.bench import importing, instructions, plain, results
from binwright.bench.__main__ import main
from binwright.bench.workloads import WORKLOADS
from tests.reference import arithmetic

QUICK = ("--hosts", "300", "--seconds", "0.01")
SMALL_FLEET = "name,cpu,memory,used_cpu\n" + "".join(f"h{i},64000,262144,{i * 100}\n" for i in range(60))


@pytest.fixture
def slowed():
    """Let the slowest copy of the kernels decide: real code that is really slower."""
    before = kernels.current()
    if before == "base":
        pytest.skip("the slowest copy of the kernels decides already")
    yield lambda: kernels.use("base")
    kernels.use(before)


def test_every_workload_is_timed(capsys):
    assert main(["times", *QUICK]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[2:]] == list(WORKLOADS)


def test_json_is_what_is_saved_and_gathered(capsys, tmp_path):
    saved, gathered = tmp_path / "one.json", tmp_path / "all.jsonl"
    words = ["times", "--work", "full", *QUICK, "-o", "json", "--save", str(saved), "--history", str(gathered)]
    assert main(words) == main(words) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last == results.read(saved) == results.history(gathered)[1]
    (record,) = results.records(last)
    assert (record.work, record.hosts, record.resources, record.decisions) == ("full", 300, 4, 1000)
    assert record.best == min(record.seconds)
    assert record.ratio == record.best / record.calibration


def test_your_own_hosts(capsys, tmp_path):
    (tmp_path / "hosts.csv").write_text(SMALL_FLEET)
    assert main(["times", "--fleet", str(tmp_path / "hosts.csv"), "--seconds", "0.01", "-o", "json"]) == 0
    found = results.records(json.loads(capsys.readouterr().out))
    assert [(one.work, one.hosts, one.resources) for one in found] == [(name, 60, 2) for name in WORKLOADS]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a header that names resources, and a row a host"),
        ("name,cpu\na,1\n", "1 resources, the workloads take 2 to 8"),
        ("cpu,memory\n1\n", "line 2: 1 cells, the header has 2"),
        ("cpu,memory\n1,-2\n", "line 2, 'memory': '-2' is not a whole number in 1..2**56"),
        ("cpu,memory\n1,0\n", "line 2, 'memory': '0' is not a whole number in 1..2**56"),
        (f"cpu,memory\n1,{2**56 + 1}\n", "is not a whole number in 1..2**56"),
        ("cpu,memory,used_disk\n1,1,1\n", "column 'used_disk' is of no resource"),
        ("cpu,cpu,memory\n1,1,1\n", "duplicate column among cpu, cpu, memory"),
        (f"cpu,memory\n1,{'9' * 5000}\n", "is not a whole number in 1..2**56"),
        (f"cpu,memory\n1,{'9' * 200_000}\n", "not a CSV file in UTF-8"),
        ("cpu,memory\n\udcff,1\n", "not a CSV file in UTF-8"),
        ("cpu,memory\n1,1\n", "the fleet has room for about 0 requests, the workloads place 100"),
    ],
)
def test_a_fleet_that_cannot_be_measured(text, message, capsys, tmp_path):
    (tmp_path / "hosts.csv").write_text(text, encoding="utf-8", errors="surrogateescape")
    assert main(["times", "--fleet", str(tmp_path / "hosts.csv")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [("--hosts", "0"), ("--hosts", "-5"), ("--hosts", "1e3"), ("--seconds", "nan"), ("--seconds", "inf"),
     ("--seconds", "0")],
)  # fmt: skip
def test_a_size_that_nothing_can_have(words, capsys):
    with pytest.raises(SystemExit) as left:
        main(["times", *words])
    assert left.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_instructions_of_no_workload(capsys):
    assert main(["instructions", "nope"]) == 2
    assert "no workload 'nope' (there are equal" in capsys.readouterr().err


def test_a_slower_binwright_fails_the_comparison(slowed, capsys, tmp_path):
    words = ["times", "--work", "explain", "--hosts", "5000", "--seconds", "0.1", "--save"]
    main([*words, str(tmp_path / "before.json")])
    main([*words, str(tmp_path / "again.json")])
    slowed()
    main([*words, str(tmp_path / "after.json")])
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "before.json"), str(tmp_path / "again.json"), "--fail-over", "60"]) == 0
    assert main(["compare", str(tmp_path / "before.json"), str(tmp_path / "after.json"), "--fail-over", "60"]) == 1
    assert capsys.readouterr().out.splitlines()[-2].endswith("slower")


def test_two_interpreters_are_compared_in_turn(capsys):
    assert main(["compare", sys.executable, sys.executable, "--work", "full", *QUICK]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("full ")


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_more_instructions_fail_the_gate(capsys, tmp_path, monkeypatch):
    if "v3" not in kernels.available():
        pytest.skip("this machine has no AVX2 copy of the kernels to be slower than")
    monkeypatch.setattr(instructions, "LOOPS", (2, 12))
    baseline = str(tmp_path / "counts.json")
    assert main(["instructions", "explain", "--baseline", baseline]) == 1
    assert "record a baseline with --update" in capsys.readouterr().out
    assert main(["instructions", "explain", "--baseline", baseline, "--update"]) == 0
    assert main(["instructions", "explain", "--baseline", baseline]) == 0
    count = instructions.counts
    monkeypatch.setattr(instructions, "counts", lambda names, core, _: count(names, core, "base"))
    capsys.readouterr()
    assert main(["instructions", "explain", "--baseline", baseline]) == 1
    assert "slower, mend it or store it" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_count_does_not_depend_on_the_surroundings(monkeypatch):
    """A longer PATH moved what malloc had at hand, and with it the count of `build`, by up to 2 %."""
    monkeypatch.setattr(instructions, "LOOPS", (2, 12))

    def count():
        return instructions.counts(["build"], instructions.core_folder(), instructions.copy_to_force())["build"]

    before = count()
    monkeypatch.setenv("PATH", os.environ["PATH"] + ":/" + "b" * 90)
    assert abs(count() - before) * 1000 < before


def test_a_history_becomes_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    gathered, picture = tmp_path / "all.jsonl", tmp_path / "all.svg"
    for _ in range(2):
        main(["times", "--work", "full", *QUICK, "--history", str(gathered)])
    assert main(["plot", str(gathered), "-o", str(picture)]) == 0
    assert "full, 300 hosts, 4 resources" in picture.read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["compare", "FILE", "FILE"], ["plot", "FILE", "-o", "x.svg"]])
@pytest.mark.parametrize(
    "text", ["", "{}", '{"kind":"BenchResult","records":[{}]}', "[1]", '{"kind":"x","records":[]}']
)
def test_a_file_that_is_no_result(words, text, capsys, tmp_path):
    path = tmp_path / "result"
    path.write_text(text + "\n")
    assert main([str(path) if word == "FILE" else word for word in words]) == 2
    assert "not a result of" in capsys.readouterr().err


def test_the_plain_loops_have_the_arithmetic_of_the_reference():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(2000):
        pairs = [(dice.randint(1, 2**56), dice.randint(0, 2**56)) for _ in range(2)]
        assert plain.balanced(pairs) == arithmetic.balanced(pairs)
        raw = [dice.randint(0, dice.choice([0, 3, 100])) for _ in range(dice.randint(0, 5))]
        for how in ("max", "reverse"):
            assert plain.normalised(raw, how) == arithmetic.normalise(raw, how)


def test_import_is_timed_beyond_numpy(capsys):
    assert main(["import", "--runs", "2"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["import", "best", "median", "of", "2", "interpreters"]
    assert [row[:34].strip() for row in rows] == list(importing.ROWS)
    best = [float(row.split()[-4]) for row in rows]
    middling = [float(row.split()[-2]) for row in rows]
    assert all(0 < one <= other for one, other in zip(best, middling))


def test_import_that_fails_says_why(monkeypatch, capsys):
    monkeypatch.setattr(importing, "CHILD", "import no_such_module")
    assert main(["import"]) == 2
    assert capsys.readouterr().err == "binwright.bench: import: ModuleNotFoundError: No module named 'no_such_module'\n"
