from typing import Any, Final, final

KINDS: Final[dict[str, int]]
NORMALISERS: Final[dict[str | None, int]]

@final
class Terms:
    count: int
    slots: int
    soft_slots: int
    float_specs: list[dict[str, Any]] | None
    def __new__(cls, specs: list[dict[str, Any]], float_specs: list[dict[str, Any]] | None = None) -> Terms: ...
