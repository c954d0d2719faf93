"""Bin packing with a proof beside it: `pack(items, bins)` finds few or cheap bins and proves how few there can be."""

from binwright.packing.certificate import Certificate
from binwright.packing.check import CheckFailed, TooHard, check_certificate, check_packing
from binwright.packing.problem import Bins, Items, Problem
from binwright.packing.result import Moment, PackResult
from binwright.packing.solve import pack

__all__ = [
    "Bins",
    "Certificate",
    "CheckFailed",
    "Items",
    "Moment",
    "PackResult",
    "Problem",
    "TooHard",
    "check_certificate",
    "check_packing",
    "pack",
]
