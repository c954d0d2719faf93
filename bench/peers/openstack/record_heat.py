"""Records what the real Heat makes of its functions, as cases for `binwright conformance heat`.

    python -m venv V && V/bin/pip install openstack-heat==27.0.1
    V/bin/python bench/peers/openstack/record_heat.py tests/conformance/openstack

Random values of random functions, one template of parameters and conditions; the service's own parser and functions
evaluate them in process, without engine or database. Some are wrong in some way: those have an error.
"""

from __future__ import annotations

import gzip
import json
import logging
import random
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

from heat.common.identifier import HeatIdentifier  # noqa: E402
from heat.engine import environment, function, stk_defn, template  # noqa: E402

SEED = 20261123
CASES = 40
SNIPPETS = 30
PARAMETERS: dict[str, Any] = {
    "p": {"type": "json", "default": {"a": [1, 2], "b": "x"}},
    "s": {"type": "string", "default": "abc"},
    "n": {"type": "number", "default": "3"},
    "l": {"type": "comma_delimited_list", "default": "u,v, w"},
    "t": {"type": "boolean", "default": "yes"},
    "e": {"type": "string", "default": ""},
}
CONDITIONS: dict[str, Any] = {
    "yes": True,
    "no": {"not": "yes"},
    "eq": {"equals": [{"get_param": "n"}, 3]},
    "both": {"and": ["yes", "eq"]},
    "any": {"or": ["no", {"equals": [{"get_param": "e"}, ""]}]},
}
PLAIN: list[Any] = [
    *("x", "a,b", "foo bar", "", 1, 2.5, True, None, {"get_param": "s"}, {"get_param": "n"}, {"get_param": "t"}),
    *({"get_param": ["p", "a", 0]}, {"get_param": ["p", "zz"]}, {"get_param": ["l", 1]}, {"get_param": ["p", "a", 9]}),
]


def condition(rng: random.Random, depth: int) -> Any:
    """A name, a comparison of what conditions may compare, or several of them."""
    kind = rng.random()
    if depth == 0 or kind < 0.4:
        return rng.choice(sorted(CONDITIONS))
    if kind < 0.6:
        return {"equals": [rng.choice(PLAIN), rng.choice(PLAIN)]}
    if kind < 0.75:
        return {"not": condition(rng, depth - 1)}
    return {rng.choice(["and", "or"]): [condition(rng, depth - 1) for _ in range(rng.randint(2, 3))]}


def several(rng: random.Random, depth: int) -> Any:
    """A list, or a function that makes one."""
    kind = rng.random()
    if kind < 0.3 or depth <= 0:
        return {"get_param": "l"}
    if kind < 0.6:
        return [snippet(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    if kind < 0.85:
        name = rng.choice(["list_concat", "list_concat_unique"])
        return {name: [several(rng, depth - 1) for _ in range(2)]}
    if kind < 0.95:
        return {"str_split": [rng.choice([",", "b", "x"]), snippet(rng, depth - 1)]}
    return {"if": [condition(rng, 1), several(rng, depth - 1), []]}


def snippet(rng: random.Random, depth: int) -> Any:
    """A value of a property."""
    kind = rng.random()
    if depth <= 0 or kind < 0.25:
        return rng.choice(PLAIN)
    if kind < 0.5:
        text = rng.choice(["a aa $x b", "NAME-$x", {"get_param": "s"}, snippet(rng, depth - 1)])
        names = rng.sample(["a", "aa", "$x", "NAME", "b", "bc"], rng.randint(0, 4))
        return {"str_replace": {"template": text, "params": {name: snippet(rng, depth - 1) for name in names}}}
    if kind < 0.65:
        more = [several(rng, depth - 1)] if rng.random() < 0.3 else []
        return {"list_join": [rng.choice([",", "-", ""]), several(rng, depth), *more]}
    if kind < 0.8:
        other = [snippet(rng, depth - 1)] if rng.random() < 0.8 else []
        return {"if": [condition(rng, depth - 1), snippet(rng, depth - 1), *other]}
    if kind < 0.9:
        return {"str_split": [",", snippet(rng, depth - 1), rng.randint(0, 1)]}
    return {"k": snippet(rng, depth - 1), "l": several(rng, depth - 1)}


def values() -> Iterator[dict[str, Any]]:
    """Snippets, each with its value or that it has none."""
    document = {
        "heat_template_version": "2021-04-16",
        "parameters": PARAMETERS,
        "conditions": CONDITIONS,
        "resources": {"r": {"type": "OS::Heat::None"}},
    }
    parsed = template.Template(document, env=environment.Environment({}))
    stack = stk_defn.StackDefinition(None, parsed, HeatIdentifier("t", "s", "i"), {})
    rng = random.Random(SEED)
    for _ in range(CASES * SNIPPETS):
        asked = [snippet(rng, rng.choice([1, 2, 3]))]  # in a list, from which what is absent is left out
        try:
            yield {"data": asked, "value": function.resolve(parsed.parse(stack, asked))}
        except Exception:
            yield {"data": asked, "error": True}


def main(directory: str) -> None:
    """Record everything into one compressed file that is the same each time."""
    logging.disable(logging.CRITICAL)
    rows = list(values())
    cases = [
        {"id": f"part-{number}", "parameters": PARAMETERS, "conditions": CONDITIONS, "expected": rows[number::CASES]}
        for number in range(CASES)
    ]
    document = {"peer": f"heat {version('openstack-heat')}", "suite": "functions", "cases": cases}
    target = Path(directory) / "heat.json.gz"
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{target}: {len(rows)} values, {sum('value' in row for row in rows)} good, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
