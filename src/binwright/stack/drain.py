"""`drain`: find the nodes that names mean in all sources, let each layer drain its own.

A layer offers `drain.open_source(name, blobs, options)`, of which `hosts()` are the nodes that can be named and
`drain(nodes, flags...)` makes an `Evacuated` (see `binwright.moves`), and `objects` what was read. A drain moves no
servers of a cloud beside the cluster: a node that carries some is not emptied.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from binwright.errors import InputError
from binwright.explained import Named
from binwright.moves import Held
from binwright.stack.evacuation_result import DrainResult
from binwright.stack.hypervisors import carriers, emptiable
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
    sources = list(sources)
    able, notes = by_layer(emptiable(sources), "drain", "drain")
    opened: dict[str, Any] = {}
    hosts: list[Named] = []
    for source, module in able:
        one = module.open_source(source.name, source.blobs, kubernetes_options(wishes))
        opened[source.name] = one
        hosts += one.hosts()
    chosen: dict[str, list[Named]] = {}
    for name in names:
        found = find_named(hosts, name, "Node")
        listed = chosen.setdefault(found.source, [])
        if found in listed:
            raise InputError(f"{name}: Node {full_name(found)} is given twice")
        listed.append(found)
    carrying = carriers({name: one.objects for name, one in opened.items()}, sources)
    drained = []
    for cluster, nodes in chosen.items():
        plan = opened[cluster].drain([node.name for node in nodes], **flags)
        carried = carrying[cluster]
        plan.held[:0] = [
            Held(cluster, "Node", None, node.name, node.uid, node.name, "refuse", *carried[node.name])
            for node in nodes
            if node.name in carried
        ]
        drained.append(plan)
    return DrainResult(drained, notes, elapsed_seconds=time.perf_counter() - start)
