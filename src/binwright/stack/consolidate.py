"""`consolidate`: every source by its own layer, and beside each plan the bound that packing proves.

A layer offers `consolidate.read_source(name, blobs, options)` and `consolidate_source(name, what was read, flags,
options)`, which makes a `Consolidated`. Nodes that carry servers of a cloud beside them are no candidates.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from binwright.packing.catalogue import Catalogue
from binwright.stack.evacuation_result import ConsolidateResult
from binwright.stack.hypervisors import carriers, emptiable
from binwright.stack.layers import by_layer
from binwright.stack.node_bound import least_hosts
from binwright.stack.sources import Source
from binwright.stack.wishes import PLAINLY, Wishes, kubernetes_options

__all__ = ["Progress", "consolidate_sources"]

Progress = Callable[[str, int, int], None]


def consolidate_sources(
    sources: Iterable[Source],
    wishes: Wishes = PLAINLY,
    catalogue: Catalogue | None = None,
    progress: Progress | None = None,
    **flags: bool,
) -> ConsolidateResult:
    """The nodes of each source that can be emptied together. catalogue: prices of kinds of nodes; then what saves most
    is looked for, not the most nodes. flags: delete_emptydir_data, pods with emptyDir volumes may be moved, too.
    `progress(source name, sources done, sources)` is called before each source and once at the end.

    Raises InputError for the first bad object of any source.
    """
    start = time.perf_counter()
    sources = list(sources)
    able, notes = by_layer(emptiable(sources), "consolidate", "consolidate")
    options = kubernetes_options(wishes)
    clusters = {source.name: module.read_source(source.name, source.blobs, options) for source, module in able}
    kept = carriers(clusters, sources)
    prices = None if catalogue is None else dict(zip(catalogue.names, catalogue.prices))
    plans = []
    for done, (source, module) in enumerate(able):
        if progress is not None:
            progress(source.name, done, len(able))
        how = module.ConsolidateFlags(**flags, prices=prices, kept=kept[source.name])
        plan = module.consolidate_source(source.name, clusters[source.name], how, options)
        plans.append((plan, least_hosts(plan.needs, priced=prices is not None)))
    if progress is not None:
        progress("", len(able), len(able))
    return ConsolidateResult(plans, notes, elapsed_seconds=time.perf_counter() - start)
