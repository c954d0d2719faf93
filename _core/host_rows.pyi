from binwright._core.devices import Forest
from binwright._core.fleet import Fleet

class HostRows:
    def __new__(cls, forest: Forest, fleet: Fleet) -> HostRows: ...
