from typing import final

@final
class Handle:
    def __new__(cls) -> Handle: ...
