"""`drain`: find the nodes that names mean in all sources, let each layer drain its own.

A layer offers `drain.open_source(name, blobs, options)`, of which `hosts()` are the nodes that can be named and
`drain(nodes, flags...)` makes an `Evacuated` (see `binwright.moves`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from binwright.errors import InputError
from binwright.explained import Named
from binwright.stack.evacuation_result import DrainResult
from binwright.stack.layers import by_layer
from binwright.stack.names import find_named, full_name
from binwright.stack.sources import Source
from binwright.stack.wishes import PLAINLY, Wishes, kubernetes_options

__all__ = ["drain_named"]


def drain_named(
    names: Sequence[str], sources: Iterable[Source], wishes: Wishes = PLAINLY, **flags: bool
) -> DrainResult:
    """Drain the nodes called `names` (SOURCE/NAME or NAME), those of one source together, in the order given. flags:
    those of `kubectl drain`: ignore_daemonsets, delete_emptydir_data, force.

    Raises InputError when no node has a name or several have it, for one named twice, for all nodes of a source, and
    for the first bad object of any source.
    """
    start = time.perf_counter()
    able, notes = by_layer(sources, "drain", "drain")
    opened: dict[str, Any] = {}
    hosts: list[Named] = []
    for source, module in able:
        one = module.open_source(source.name, source.blobs, kubernetes_options(wishes))
        opened[source.name] = one
        hosts += one.hosts()
    chosen: dict[str, list[str]] = {}
    for name in names:
        found = find_named(hosts, name, "Node")
        listed = chosen.setdefault(found.source, [])
        if found.name in listed:
            raise InputError(f"{name}: Node {full_name(found)} is given twice")
        listed.append(found.name)
    drained = [opened[source].drain(nodes, **flags) for source, nodes in chosen.items()]
    return DrainResult(drained, notes, elapsed_seconds=time.perf_counter() - start)
