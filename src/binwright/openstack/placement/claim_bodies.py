"""The bodies of PUT and POST /allocations: their shape at each microversion, and one form for what follows.

Shapes are openstack spec 2 with the additions of 13. Looks at no state; whether names exist is the ledger's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.inventory import MAX_INT
from binwright.openstack.placement.microversion import Microversion

__all__ = ["NOBODY", "ClaimBody", "read_claim", "read_claims"]

NOBODY = "00000000-0000-0000-0000-000000000000"
"""Project and user of a consumer written below 1.8."""

OWNERS_SINCE = (1, 8)
BY_PROVIDER_SINCE = (1, 12)
SEVERAL_SINCE = (1, 13)
GENERATIONS_SINCE = (1, 28)
MAPPINGS_SINCE = (1, 34)
TYPES_SINCE = (1, 38)

UUID_KEY = re.compile("[0-9a-fA-F-]{36}")
CLASS_NAME = re.compile("[A-Z0-9_]+")
SUFFIX = re.compile("([a-zA-Z0-9_-]{1,64})?")
LONGEST = 255


@dataclass(frozen=True, slots=True)
class ClaimBody:
    """What one consumer asks for; rows: (provider uuid, class, amount) in the order of the body.

    generation: None where the consumer is to be new. consumer_type: None below 1.38.
    """

    rows: tuple[tuple[str, str, int], ...]
    project: str = NOBODY
    user: str = NOBODY
    generation: int | None = None
    consumer_type: str | None = None


def read_claim(body: Any, version: Microversion) -> ClaimBody:
    """The body of PUT /allocations/CONSUMER; empty allocations are allowed from 1.28 on. Raises Fault 400."""
    return _read(body, version, may_be_empty=version >= GENERATIONS_SINCE)


def read_claims(body: Any, version: Microversion) -> dict[str, ClaimBody]:
    """The body of POST /allocations by consumer uuid. Raises Fault 400, 404 below 1.13."""
    if version < SEVERAL_SINCE:
        raise Fault(404, "POST /allocations needs microversion 1.13", code=None)
    if not isinstance(body, dict) or not body:
        _refuse("a claim of at least one consumer is needed")
    for uuid in body:
        if UUID_KEY.fullmatch(uuid) is None:
            _refuse(f"{uuid!r} is no consumer uuid")
    return {uuid: _read(one, version, may_be_empty=True) for uuid, one in body.items()}


def _refuse(what: str) -> NoReturn:
    raise Fault(400, f"JSON does not validate: {what}")


def _read(body: Any, version: Microversion, *, may_be_empty: bool) -> ClaimBody:
    required = ["allocations"]
    required += ["project_id", "user_id"] if version >= OWNERS_SINCE else []
    required += ["consumer_generation"] if version >= GENERATIONS_SINCE else []
    required += ["consumer_type"] if version >= TYPES_SINCE else []
    allowed = {*required, *(["mappings"] if version >= MAPPINGS_SINCE else [])}
    _check_keys(body, required, allowed, "the body")
    for key in ("project_id", "user_id"):
        if key in required and not (isinstance(body[key], str) and 1 <= len(body[key]) <= LONGEST):
            _refuse(f"{key}: 1 to {LONGEST} characters are allowed")
    generation = body.get("consumer_generation")
    if generation is not None and not _is_integer(generation):
        _refuse(f"consumer_generation: {generation!r} is not of type 'integer', 'null'")
    kind = body.get("consumer_type")
    if "consumer_type" in required and not (
        isinstance(kind, str) and len(kind) <= LONGEST and CLASS_NAME.fullmatch(kind) is not None
    ):
        _refuse(f"consumer_type: {kind!r} does not match '^[A-Z0-9_]+$'")
    if "mappings" in body:
        _check_mappings(body["mappings"])
    by_provider = _rows_by_provider if version >= BY_PROVIDER_SINCE else _rows_of_list
    rows = by_provider(body["allocations"])
    if not rows and not may_be_empty:
        _refuse("allocations: {} should be non-empty")
    return ClaimBody(tuple(rows), body.get("project_id", NOBODY), body.get("user_id", NOBODY), generation, kind)


def _check_keys(value: Any, required: list[str], allowed: set[str], what: str) -> None:
    if not isinstance(value, dict):
        _refuse(f"{what} is not of type 'object'")
    for key in required:
        if key not in value:
            _refuse(f"{key!r} is a required property")
    for key in value:
        if key not in allowed:
            _refuse(f"additional properties are not allowed ({key!r} was unexpected)")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _rows_by_provider(allocations: Any) -> list[tuple[str, str, int]]:
    """From 1.12: {provider: {resources: {class: amount}}}; a generation beside resources is ignored."""
    if not isinstance(allocations, dict):
        _refuse("allocations is not of type 'object'")
    rows = []
    for uuid, given in allocations.items():
        if UUID_KEY.fullmatch(uuid) is None:
            _refuse(f"allocations: {uuid!r} is no provider uuid")
        _check_keys(given, ["resources"], {"resources", "generation"}, f"allocations.{uuid}")
        if not _is_integer(given.get("generation", 0)):
            _refuse(f"allocations.{uuid}.generation is not of type 'integer'")
        rows += _rows(uuid, given["resources"])
    return rows


def _rows_of_list(allocations: Any) -> list[tuple[str, str, int]]:
    """Below 1.12: [{resource_provider: {uuid}, resources: {class: amount}}]."""
    if not isinstance(allocations, list):
        _refuse("allocations is not of type 'array'")
    rows = []
    for given in allocations:
        _check_keys(given, ["resource_provider", "resources"], {"resource_provider", "resources"}, "an allocation")
        _check_keys(given["resource_provider"], ["uuid"], {"uuid"}, "resource_provider")
        rows += _rows(given["resource_provider"]["uuid"], given["resources"])
    return rows


def _rows(uuid: str, resources: Any) -> list[tuple[str, str, int]]:
    if not isinstance(resources, dict) or not resources:
        _refuse(f"resources of {uuid}: {{}} should be non-empty")
    for name, amount in resources.items():
        if CLASS_NAME.fullmatch(name) is None:
            _refuse(f"resources of {uuid}: {name!r} is no class name")
        if not _is_integer(amount) or not 1 <= amount <= MAX_INT:
            _refuse(f"resources of {uuid}: {name}: {amount!r} is less than the minimum of 1, or no amount")
    return [(uuid, name, amount) for name, amount in resources.items()]


def _check_mappings(mappings: Any) -> None:
    """They are not kept, but they are checked: neither they nor a list in them may be empty."""
    if not isinstance(mappings, dict) or not mappings:
        _refuse("mappings: {} should be non-empty")
    for suffix, uuids in mappings.items():
        if SUFFIX.fullmatch(suffix) is None or not isinstance(uuids, list) or not uuids:
            _refuse(f"mappings: {suffix!r}: a list of provider uuids is needed")
