"""The bodies of PUT and POST /allocations: shape checks per microversion, and one form for what follows.

Looks at no state. Source: openstack spec 2, 13.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.reference.openstack.fault import Fault

NOBODY = "00000000-0000-0000-0000-000000000000"
UUID_KEY = "^[0-9a-fA-F-]{36}$"


@dataclass(frozen=True)
class ClaimBody:
    """What one consumer asks for: rows of (provider, class, amount) in the body's order."""

    rows: tuple[tuple[str, str, int], ...]
    project: str
    user: str
    generation: int | None
    consumer_type: str | None  # None: the microversion has no types


def parse_claim(body: Any, version: tuple[int, int], may_be_empty: bool) -> ClaimBody:
    """One consumer's body; `may_be_empty`: an empty `allocations` means delete (PUT from 1.28, POST from 1.13)."""
    required = {"allocations"}
    if version >= (1, 8):
        required |= {"project_id", "user_id"}
    if version >= (1, 28):
        required |= {"consumer_generation"}
    if version >= (1, 38):
        required |= {"consumer_type"}
    optional = {"mappings"} if version >= (1, 34) else set()
    _need(isinstance(body, dict) and required <= set(body) <= required | optional, "body: wrong or missing properties")
    for key in required & {"project_id", "user_id"}:
        _need(isinstance(body[key], str) and 1 <= len(body[key]) <= 255, f"{key}: 1 to 255 characters")
    generation = body.get("consumer_generation")
    _need(generation is None or _is_int(generation), "consumer_generation: an integer or null")
    consumer_type = body.get("consumer_type")
    if "consumer_type" in required:
        _need(isinstance(consumer_type, str) and len(consumer_type) <= 255, "consumer_type: at most 255 characters")
        _need(re.search("^[A-Z0-9_]+$", consumer_type) is not None, "consumer_type: does not match '^[A-Z0-9_]+$'")
    if "mappings" in body:
        _check_mappings(body["mappings"])
    rows = _rows_of_dict(body["allocations"]) if version >= (1, 12) else _rows_of_list(body["allocations"])
    _need(bool(rows) or may_be_empty, "allocations: should be non-empty")
    project, user = body.get("project_id", NOBODY), body.get("user_id", NOBODY)
    return ClaimBody(tuple(rows), project, user, generation, consumer_type)


def _need(holds: bool, detail: str) -> None:
    if not holds:
        raise Fault(f"JSON does not validate: {detail}")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _rows_of_dict(allocations: Any) -> list[tuple[str, str, int]]:
    """From 1.12: {provider: {resources: {class: amount}, generation ignored}}."""
    _need(isinstance(allocations, dict), "allocations: an object")
    rows = []
    for uuid, row in allocations.items():
        _need(re.search(UUID_KEY, uuid) is not None, "allocations: a key is no uuid")
        _need(isinstance(row, dict) and {"resources"} <= set(row) <= {"resources", "generation"}, f"allocations.{uuid}")
        _need(_is_int(row.get("generation", 0)), f"allocations.{uuid}.generation: an integer")
        rows += _rows_of_resources(uuid, row["resources"])
    return rows


def _rows_of_list(allocations: Any) -> list[tuple[str, str, int]]:
    """Below 1.12: [{resource_provider: {uuid}, resources: {class: amount}}]."""
    _need(isinstance(allocations, list), "allocations: an array")
    rows = []
    for row in allocations:
        _need(isinstance(row, dict) and set(row) == {"resource_provider", "resources"}, "allocations: a row")
        rows += _rows_of_resources(row["resource_provider"]["uuid"], row["resources"])
    return rows


def _rows_of_resources(uuid: str, resources: Any) -> list[tuple[str, str, int]]:
    _need(isinstance(resources, dict) and bool(resources), f"allocations.{uuid}.resources: should be non-empty")
    for rc, amount in resources.items():
        _need(re.search("^[A-Z0-9_]+$", rc) is not None, f"allocations.{uuid}.resources: {rc!r} is no class name")
        _need(_is_int(amount) and amount >= 1, f"allocations.{uuid}.resources.{rc}: less than the minimum of 1")
    return [(uuid, rc, amount) for rc, amount in resources.items()]


def _check_mappings(mappings: Any) -> None:
    """Ignored, but neither the object nor a list in it may be empty (spec 2)."""
    _need(isinstance(mappings, dict) and bool(mappings), "mappings: should be non-empty")
    for suffix, providers in mappings.items():
        _need(isinstance(providers, list) and bool(providers), f"mappings.{suffix!r}: should be non-empty")
