from typing import final

from binwright._core.devices import Forest
from binwright._core.fleet import Fleet
from binwright._core.host_rows import HostRows

@final
class Search(HostRows):
    def __new__(cls, forest: Forest, fleet: Fleet) -> Search: ...
