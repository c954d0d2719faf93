"""`verify`: every source's own placements against its rules, source by source, one result for all.

A layer offers `verify.verify_source(name, blobs, **options) -> SourceVerified` (see `binwright.verified`), with the
options that `layers.layer_options` has for it.
"""

import time
from collections.abc import Sequence

from binwright.stack.layers import by_layer, layer_options
from binwright.stack.sources import Source
from binwright.stack.verify_result import VerifyResult
from binwright.stack.wishes import PLAINLY, Wishes
from binwright.verified import SourceVerified


def verify_sources(sources: Sequence[Source], wishes: Wishes = PLAINLY) -> VerifyResult:
    """Verify what lies on the hosts of each source; of the wishes, `config` and `complete` count.

    Raises InputError for the first bad object.
    """
    start = time.perf_counter()
    able, notes = by_layer(sources, "verify", "verify")
    found: list[SourceVerified] = [
        module.verify_source(source.name, source.blobs, **layer_options(source, wishes)) for source, module in able
    ]
    return VerifyResult(found, notes, elapsed_seconds=time.perf_counter() - start)
