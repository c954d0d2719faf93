"""The answer of a plugin that rejects, and the errors of this package."""

from dataclasses import dataclass
from typing import Any

SUCCESS = "Success"
UNSCHEDULABLE = "Unschedulable"
UNRESOLVABLE = "UnschedulableAndUnresolvable"


class CycleError(RuntimeError):
    """The scheduling cycle itself fails (spec 2.1: a normalised score outside 0..100)."""


class NotModelled(NotImplementedError):
    """The input uses a rule that the spec does not describe (spec 7); refused rather than dropped."""


@dataclass(frozen=True)
class Status:
    """A rejection: code U (preemption may help) or UU (it may not), and its reasons (spec 4)."""

    code: str
    reasons: tuple[str, ...]
    plugin: str = ""

    def as_result(self) -> dict[str, Any]:
        """In the vectors' schema."""
        result: dict[str, Any] = {"code": self.code, "reasons": list(self.reasons)}
        return {"plugin": self.plugin, **result} if self.plugin else result
