"""`explain`: find the one object that a name means in all sources, let its layer say everything about it.

A layer offers `explain.open_source(name, blobs, **options) -> Explainable` (see `binwright.explained`), with what
`layers.layer_options` has for it.
"""

import time
from collections.abc import Callable, Iterable

from binwright.explained import Explainable, Named
from binwright.stack.explain_result import ExplainResult
from binwright.stack.layers import by_layer, layer_options
from binwright.stack.names import find_named, matching
from binwright.stack.sources import Source
from binwright.stack.wishes import PLAINLY, Wishes

DEFAULT_BEST = 5


def explain_named(
    name: str,
    sources: Iterable[Source],
    wishes: Wishes = PLAINLY,
    best: int = DEFAULT_BEST,
    keep: Callable[[Named], bool] = lambda named: True,
) -> ExplainResult:
    """Explain the object called `name` (SOURCE/NAMESPACE/NAME or the end of it, or a uid) among those that `keep`
    accepts, with the scores of its `best` best hosts.

    Raises InputError when no object has this name or several have it, and for the first bad object of any source.
    """
    start = time.perf_counter()
    able, notes = by_layer(sources, "explain", "explain")
    named: list[Named] = []
    owners: list[tuple[Source, Explainable, int]] = []
    for source, module in able:
        opened: Explainable = module.open_source(source.name, source.blobs, **layer_options(source, wishes))
        for number, one in enumerate(opened.objects()):
            if keep(one):
                named.append(one)
                owners.append((source, opened, number))
    kinds_too = not matching([one for one in named if not one.of_kind], name)
    found = find_named([one for one in named if kinds_too or not one.of_kind], name)
    source, opened, number = next(owner for one, owner in zip(named, owners) if one is found)
    explained = opened.explain(number, best)
    explained.notes += notes
    return ExplainResult(explained, source.layer, elapsed_seconds=time.perf_counter() - start)
