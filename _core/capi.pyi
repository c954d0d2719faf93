from typing import Any, Final

INPUT: Final[int]
STATE: Final[int]
BUSY: Final[int]
MEMORY: Final[int]
INTERRUPTED: Final[int]
FAILED: Final[int]

def connect(names: dict[str, Any], of: str) -> object: ...
