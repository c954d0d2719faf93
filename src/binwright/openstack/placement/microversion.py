"""Placement's API microversions: the numbers, and how one is written."""

from __future__ import annotations

import re

from binwright.openstack.placement.faults import Fault

__all__ = ["LATEST", "Microversion", "parse_microversion"]

Microversion = tuple[int, int]

LATEST: Microversion = (1, 39)
EARLIEST: Microversion = (1, 0)
WRITTEN = re.compile(r"(\d+)\.(\d+)")


def parse_microversion(text: str) -> Microversion:
    """ "1.36" as (1, 36), "latest" as the newest. Raises Fault 400 for other text, 406 for a version there is not."""
    if text == "latest":
        return LATEST
    match = WRITTEN.fullmatch(text)
    if match is None:
        raise Fault(400, f"invalid version string: {text}")
    version = (int(match.group(1)), int(match.group(2)))
    if not EARLIEST <= version <= LATEST:
        raise Fault(406, f"Unacceptable version header: {text}")
    return version
