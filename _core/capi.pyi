from typing import Any, Final, final

INPUT: Final[int]
STATE: Final[int]
BUSY: Final[int]
MEMORY: Final[int]
INTERRUPTED: Final[int]
FAILED: Final[int]

@final
class Handle:
    def __new__(cls) -> Handle: ...

def connect(names: dict[str, Any], of: str) -> object: ...
