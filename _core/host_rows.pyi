from typing_extensions import disjoint_base

from binwright._core.devices import Forest
from binwright._core.fleet import Fleet

@disjoint_base
class HostRows:
    def __new__(cls, forest: Forest, fleet: Fleet) -> HostRows: ...
