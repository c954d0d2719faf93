"""`capacity`: how many more of a shape fit, asked of every source that has such shapes, one result for all.

A layer offers `headroom.headroom_source(name, blobs, question, **options) -> SourceHeadroom`, with what
`layers.layer_options` has for it; `question` and answer are those of `binwright.headroom`.
"""

import time
from collections.abc import Iterable, Mapping, Sequence

from binwright.errors import InputError
from binwright.headroom import Question, SourceHeadroom
from binwright.stack.headroom_result import HeadroomResult
from binwright.stack.layers import by_layer, layer_options
from binwright.stack.sources import Source
from binwright.stack.wishes import PLAINLY, Wishes

OPTIONS = {"kubernetes": "--pod", "openstack": "--flavor"}


def headroom(sources: Sequence[Source], questions: Mapping[str, Question], wishes: Wishes = PLAINLY) -> HeadroomResult:
    """Ask every source the question of its layer; a source without one is noted.

    Raises InputError when no source is asked anything, for a shape that no source of its layer knows, and for the first
    bad object.
    """
    start = time.perf_counter()
    asked = [source for source in sources if source.layer in questions]
    remarks = [
        f"{source.name}: not asked, it is of layer {source.layer} and wants {OPTIONS.get(source.layer, 'another verb')}"
        for source in sources
        if source.layer not in questions
    ]
    if not asked:
        raise InputError(f"nothing is asked ({'; '.join(remarks)})")
    able, notes = by_layer(asked, "capacity", "headroom")
    found: list[SourceHeadroom] = []
    for source, module in able:
        options = layer_options(source, wishes)
        found.append(module.headroom_source(source.name, source.blobs, questions[source.layer], **options))
    remarks += notes + list(unknown_shapes(found, questions))
    return HeadroomResult(found, remarks, elapsed_seconds=time.perf_counter() - start)


def unknown_shapes(found: Sequence[SourceHeadroom], questions: Mapping[str, Question]) -> Iterable[str]:
    """A remark for each shape that some sources do not know. Raises InputError for one that none of its layer knows."""
    for layer in questions:
        sources = [source for source in found if source.layer == layer]
        for shape in dict.fromkeys(shape for source in sources for shape in source.unknown):
            without = [source.source for source in sources if shape in source.unknown]
            if len(without) == len(sources):
                none = "no flavor" if layer == "openstack" else "no such file, and no object"
                raise InputError(f"{OPTIONS[layer]} {shape}: {none} of this name in the input")
            yield f"{', '.join(without)}: not asked for {shape}, there is none"
