"""docs/engine-model.md names what is there: every rule has a row, every module that it names exists."""

import re

from tests.house.sources import CORE, PACKAGE, ROOT

ROW = re.compile(r"^\| ([KO]\d+) ")
RULES = {"K": 85, "O": 76}
LAYERS = ("kubernetes", "openstack", "kubernetes/plugins")


def table():
    """(rule, core module, state) of every row."""
    for line in (ROOT / "docs" / "engine-model.md").read_text(encoding="utf-8").splitlines():
        found = ROW.match(line)
        if found:
            cells = line.strip("| ").split(" | ")
            assert len(cells) == 5, line
            yield found[1], cells[2], cells[4]


def test_every_rule_has_one_row():
    rules = [rule for rule, _, _ in table()]
    assert rules == [f"{peer}{number}" for peer, count in RULES.items() for number in range(1, count + 1)]


def test_the_core_modules_exist():
    modules = {path.stem for path in CORE.glob("*.pyx")}
    for rule, cell, _ in table():
        named = set(re.findall(r"\w+", cell)) - {"fleets"}
        assert named <= modules, f"{rule}: {sorted(named - modules)}"


def test_what_the_layers_carry_exists():
    for rule, _, state in table():
        assert "special" not in state
        for name in re.findall(r"`([\w.]+)`", state):
            path = name.removeprefix("binwright.").replace(".", "/")
            places = [PACKAGE / folder / path for folder in ("", *LAYERS)]
            there = any(one.with_suffix(".py").exists() or one.is_dir() for one in places)
            assert there or name.startswith("Fleet."), f"{rule}: {name}"
