"""The JSON Schemas of every result that a command prints with `-o json`; one file a kind, named after it."""

import json
from importlib import resources
from typing import Any


def kinds() -> list[str]:
    """The kinds that have a schema, ascending."""
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of `kind`, e.g. "PlaceResult"; KeyError for a kind that has none."""
    if kind not in kinds():
        raise KeyError(kind)
    found: dict[str, Any] = json.loads(resources.files(__name__).joinpath(f"{kind}.json").read_text(encoding="utf-8"))
    return found
