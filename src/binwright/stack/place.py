"""The main job: read PATHs, place every source by its own layer, one result for all. Sources share no hosts."""

import time
from collections.abc import Callable, Iterable

from binwright.outcome import SourceOutcome
from binwright.stack.place_result import PlaceResult
from binwright.stack.sources import Source, find_sources
from binwright.stack.wishes import PLAINLY, Wishes, kubernetes_options, refuse_unheard, unheard_notes

Progress = Callable[[str, int, int], None]


def place_paths(
    paths: Iterable[str],
    input: str = "auto",
    wishes: Wishes = PLAINLY,
    progress: Progress | None = None,
) -> PlaceResult:
    """Place what is pending in every source that `paths` name; no file is changed.

    `input` is one of `sources.INPUTS`.
    `progress(source name, sources done, sources)` is called before each source and once at the end.
    Raises InputError for the first bad path or object, and for a wish that no source takes.
    """
    start = time.perf_counter()
    sources = find_sources(paths, input)
    refuse_unheard(wishes, sources)
    outcomes = []
    for done, source in enumerate(sources):
        if progress is not None:
            progress(source.name, done, len(sources))
        outcomes.append(place_one(source, wishes))
        outcomes[-1].notes += unheard_notes(wishes, source.layer)
    if progress is not None:
        progress("", len(sources), len(sources))
    return PlaceResult(outcomes, elapsed_seconds=time.perf_counter() - start)


def place_one(source: Source, wishes: Wishes) -> SourceOutcome:
    """Hand a source to its layer; the other layer's modules are not imported."""
    if source.layer == "openstack":
        from binwright.openstack.place import place_source as place_servers

        return place_servers(source.name, source.blobs, retry_errors=wishes.retry_errors, nova_conf=wishes.nova_conf)
    if source.layer == "openb":
        from binwright.kubernetes.openb.place import place_source as place_trace

        return place_trace(source.name, *source.blobs)
    from binwright.kubernetes.place import place_source as place_pods

    return place_pods(source.name, source.blobs, kubernetes_options(wishes))
