"""Every argument of the public API, given values of every wrong type: taken, or refused by one line; nothing else."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import binwright as bw
from binwright import float_scores, profile, terms
from binwright.pools import Pools

VALUES: tuple[Any, ...] = (
    None, 3.5, float("nan"), -1, 0, 10**30, True, "x", b"x", (), [], [1], ["a"], [None], [[]], [-1], [10**30], (1, 2),
    {1: 2}, {"cpu": 1}, {"cpu": -1}, {"cpu": "x"}, {"cpu": [1]}, {"cpu": None}, {"zone": 3}, {"zone": [3]}, {3: ["a"]},
    {"cpu"}, range(3), object(), len, np.float64(2), np.array([[1]]), np.array([1.5]), np.array(["a"]), np.zeros(0),
)  # fmt: skip
WRONG: tuple[Callable[[], Any], ...] = (
    *((lambda value=value: value) for value in VALUES),
    lambda: iter([1]),
    lambda: (part for part in "ab"),
)


def small() -> dict[str, Any]:
    """A fleet of three hosts with one of everything, and good arguments to fall back on."""
    rules = (bw.Rule("eligible"), bw.Rule("near"), bw.Rule("fit", "fit"), bw.Rule("rows", "rows"))
    scores = (profile.least_allocated({"cpu": 1}), profile.static_score("liked"))
    made = bw.Profile(rules, scores)
    fleet = bw.Fleet({"cpu": [10, 20, 30]}, names=["a", "b", "c"], profile=made, labels={"zone": ["x", "y", None]})
    rows = fleet.add_rows({"gpu": [1, 1]}, [0, 1])
    request = fleet.request({"cpu": 1})
    placed = fleet.place(request, 2)
    claim = fleet.pools.add_claim(1, fleet.pools.add([1, 2]))
    return {
        "fleet": fleet, "request": request, "requests": [request], "rows": rows, "items": placed.items,
        "item": int(placed.items[0]), "promise": fleet.promise(request, 0), "counter": fleet.counter(),
        "budget": fleet.budget(1), "token": fleet.checkpoint(), "result": placed,
        "claim": claim, "row": 0,
    }  # fmt: skip


GOOD: Mapping[str, Any] = {
    "capacity": {"cpu": [1]}, "demand": {"cpu": 1}, "host": 0, "hosts": [0], "which": [0], "count": 1, "stop": 1,
    "labels": {"zone": "b"}, "name": "a", "key": "zone", "allowance": 1, "values": 1.0,
    "size": 1, "sizes": [1],
}  # fmt: skip
METHODS = [
    pytest.param(kind, name, id=name if kind is bw.Fleet else f"{kind.__name__}.{name}")
    for kind in (bw.Fleet, Pools)
    for name, made in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_") and len(inspect.signature(made).parameters) > 1
]


def complaints(where: str, call: Callable[[], Any]) -> list[str]:
    """What is wrong about how a call ended."""
    try:
        call()
    except bw.BinwrightError as error:
        return [f"{where}: two lines: {error}"] if "\n" in str(error) else []
    except Exception as error:
        return [f"{where}: {type(error).__name__}: {error}"]
    return []


@pytest.mark.parametrize(("kind", "method"), METHODS)
def test_methods_of_a_fleet(kind: type, method: str) -> None:
    """One argument is wrong, the others are good."""
    parameters = list(inspect.signature(getattr(kind, method)).parameters.values())[1:]
    found: list[str] = []
    for wrong in (parameter for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD):
        for value in WRONG:
            world = small()
            given = {
                p.name: world.get(p.name, GOOD.get(p.name))
                for p in parameters
                if p.default is p.empty and p.kind is not p.VAR_KEYWORD
            }
            given[wrong.name] = value()
            shown = f"{method}({wrong.name}={value()!r})"
            whole = world["fleet"] if kind is bw.Fleet else world["fleet"].pools
            found += complaints(shown, lambda method=method, whole=whole, given=given: getattr(whole, method)(**given))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("wrong", list(inspect.signature(bw.Fleet).parameters))
def test_making_a_fleet(wrong: str) -> None:
    """Every keyword of the constructor."""
    found: list[str] = []
    for value in WRONG:
        given = {"capacity": {"cpu": [1, 2, 3]}, wrong: value()}
        found += complaints(f"Fleet({wrong}={value()!r})", lambda given=given: bw.Fleet(**given))
    assert not found, "\n".join(found)


def makers() -> list[Any]:
    """The functions that make rules, scores and terms."""
    return [
        pytest.param(made, id=f"{module.__name__.split('.')[-1]}.{name}")
        for module in (profile, float_scores, terms)
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__
        and inspect.signature(made).return_annotation
        in ("Score", "FloatScore", "HardTerm", profile.Score, float_scores.FloatScore, terms.HardTerm)
        and not name.startswith("_")
    ]


@pytest.mark.parametrize("maker", makers())
def test_makers_of_scores_and_terms(maker: Callable[..., Any]) -> None:
    """A wrong argument is refused when the score or term is made, or at the latest where it is used."""
    parameters = inspect.signature(maker).parameters
    good = {
        "resources": {"cpu": 1}, "shape": [(0, 0), (100, 10)], "name": "n", "rule": "near", "refs": [terms.Ref(0)],
        "ref": terms.Ref(0), "counters": [0], "held": 0, "resource": "cpu", "limit": 1, "max_skew": 1, "own": 1,
        "matches_itself": True, "claims": [0],
    }  # fmt: skip
    found: list[str] = []
    for wrong in parameters:
        for value in WRONG:
            given = {p.name: good[p.name] for p in parameters.values() if p.default is p.empty} | {wrong: value()}

            def use(given: dict[str, Any] = given) -> None:
                made = maker(**given)
                if isinstance(made, terms.HardTerm):
                    world = small()
                    world["fleet"].request({"cpu": 1}, terms=[made])
                else:
                    bw.Fleet({"cpu": [1]}, profile=bw.Profile(scores=(made,))).request({"cpu": 1})

            found += complaints(f"{maker.__name__}({wrong}={value()!r})", use)
    assert not found, "\n".join(found)


def test_asking_a_result() -> None:
    """Positions and hosts that are none."""
    world = small()
    explanation = world["fleet"].explain(world["request"])
    found: list[str] = []
    for value in WRONG:
        for ask in (world["result"].ties, world["result"].explain, explanation.reasons_at):
            found += complaints(f"{ask.__name__}({value()!r})", lambda ask=ask, value=value: ask(value()))
    assert not found, "\n".join(found)
