"""The layers' modules for a verb, imported when a source needs them, and how they are called.

A layer that lacks the verb is told about.
"""

import importlib
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from binwright.errors import InputError
from binwright.stack.sources import Source
from binwright.stack.wishes import Wishes, kubernetes_options


def by_layer(sources: Iterable[Source], verb: str, module: str) -> tuple[list[tuple[Source, ModuleType]], list[str]]:
    """Each source with `binwright.LAYER.MODULE`, and a note for each source whose layer has no such module.

    Raises InputError naming source and verb when that is all of them.
    """
    able, notes = [], []
    for source in sources:
        name = f"binwright.{source.layer}.{module}"
        try:
            able.append((source, importlib.import_module(name)))
        except ModuleNotFoundError as missing:
            if missing.name not in (name, f"binwright.{source.layer}"):
                raise
            notes.append(f"{source.name}: {verb} does not know sources of layer {source.layer}")
    if notes and not able:
        raise InputError(notes[0])
    return able, notes


def layer_options(source: Source, wishes: Wishes) -> dict[str, Any]:
    """What of the wishes a source's layer takes, as keyword arguments: `options` for kubernetes, `retry_errors` and
    `nova_conf` for openstack.
    """
    if source.layer == "openstack":
        return {"retry_errors": wishes.retry_errors, "nova_conf": wishes.nova_conf}
    return {"options": kubernetes_options(wishes)}
