"""binwright: a placement and bin-packing engine for data centres. The public names, nothing else."""

from typing import TYPE_CHECKING

from binwright._core import get_include
from binwright._core.hostset import HostSet
from binwright.cells import Cell, CellDemand, Pinning
from binwright.errors import BinwrightError, BinwrightWarning, InputError, MissingExtraError, StateError
from binwright.explain import Explanation
from binwright.external import External
from binwright.fleet import Fleet
from binwright.groups import Group, GroupRules
from binwright.lazy import lazily
from binwright.pools import ClaimState, Pools
from binwright.profile import (
    Profile,
    Rule,
    Score,
    balanced_allocation,
    count_score,
    least_allocated,
    most_allocated,
    requested_to_capacity_ratio,
    spread_score,
    static_score,
)
from binwright.request import Request
from binwright.result import PlaceResult
from binwright.rows import Device, Rows
from binwright.transaction import Transaction
from binwright.verdict import Change, Reason, Verdict

if TYPE_CHECKING:
    from binwright.decision_log import DecisionLog
    from binwright.sweeping import sweep
    from binwright.trace import TraceResult, distinct_requests, run_trace

__version__ = "0.1.0.dev0"

__all__ = [
    "BinwrightError",
    "BinwrightWarning",
    "Cell",
    "CellDemand",
    "Change",
    "ClaimState",
    "DecisionLog",
    "Device",
    "Explanation",
    "External",
    "Fleet",
    "Group",
    "GroupRules",
    "HostSet",
    "InputError",
    "MissingExtraError",
    "PlaceResult",
    "Pinning",
    "Pools",
    "Profile",
    "Reason",
    "Request",
    "Rows",
    "Rule",
    "Score",
    "StateError",
    "TraceResult",
    "Transaction",
    "Verdict",
    "__version__",
    "balanced_allocation",
    "count_score",
    "distinct_requests",
    "get_include",
    "least_allocated",
    "most_allocated",
    "requested_to_capacity_ratio",
    "run_trace",
    "spread_score",
    "static_score",
    "sweep",
]

# What few programs use, and what takes the longest to import.
__getattr__, __dir__ = lazily(
    __name__,
    {
        "DecisionLog": "decision_log",
        "TraceResult": "trace",
        "distinct_requests": "trace",
        "run_trace": "trace",
        "sweep": "sweeping",
    },
)
