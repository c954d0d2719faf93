"""Replays recorded values of Heat's functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from binwright.errors import InputError
from binwright.openstack.comparison import value_differences
from binwright.openstack.heat.stacks import parameter_value
from binwright.openstack.heat.values import Budget, Scope

__all__ = ["REPLAYS"]


def functions_differences(case: Mapping[str, Any]) -> Iterator[str]:
    """Parts of a template: the value, or that there is none."""
    parameters = {
        name: parameter_value(f"parameter {name}", name, parameter, {})
        for name, parameter in case["parameters"].items()
    }
    for number, row in enumerate(case["expected"]):
        wanted = {key: value for key, value in row.items() if key != "data"}
        scope = Scope(f"value {number}", parameters, {}, case["conditions"], Budget())
        try:
            got = {"value": scope.value(row["data"])}
        except InputError:
            got = {"error": True}
        yield from value_differences(wanted, got, f"value {number}")


REPLAYS = {"functions": (functions_differences, (("parameters", dict), ("conditions", dict), ("expected", list)))}
"""Suite -> who replays a case, and what a case must have."""
