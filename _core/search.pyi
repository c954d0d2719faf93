from typing import final

from binwright._core.devices import Forest
from binwright._core.fleet import Fleet

@final
class Search:
    def __new__(cls, forest: Forest, fleet: Fleet) -> Search: ...
