"""The query string of GET /allocation_candidates: parsing, and every check that needs no database.

Turns text into `Query`; looks at no provider and knows no name of a trait or class. Source: openstack spec 1.3, 1.4.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from tests.reference.openstack.fault import BAD_VALUE, DUPLICATE_KEY, MISSING_VALUE, Fault

LATEST = (1, 39)

GROUP_KEYS = {"resources": (1, 10), "required": (1, 17), "member_of": (1, 21), "in_tree": (1, 31)}
WIDE_KEYS = {"limit": (1, 16), "group_policy": (1, 25), "root_required": (1, 35), "same_subtree": (1, 36)}


@dataclass
class Group:
    """One request group; `required` is an AND of ORs, `member_of` too."""

    suffix: str
    resources: dict[str, int] = field(default_factory=dict)
    required: list[set[str]] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    member_of: list[set[str]] = field(default_factory=list)
    forbidden_aggregates: set[str] = field(default_factory=set)
    in_tree: str | None = None


@dataclass
class Query:
    """A checked query; the groups stand in the order of their first parameter (spec 13)."""

    groups: dict[str, Group]
    limit: int | None = None
    group_policy: str | None = None
    root_required: set[str] = field(default_factory=set)
    root_forbidden: set[str] = field(default_factory=set)
    same_subtrees: list[set[str]] = field(default_factory=list)


def parse_microversion(text: str) -> tuple[int, int]:
    if text == "latest":
        return LATEST
    major, minor = text.split(".")
    return int(major), int(minor)


def parse(text: str, version: tuple[int, int]) -> Query:
    """Parse and check a query string in Placement's order (spec 1.4, steps 1 to 6)."""
    pairs = parse_qsl(text, keep_blank_values=True)
    _check_shape(pairs, version)
    limits = _values(pairs, "limit")
    policies = _values(pairs, "group_policy")
    query = Query(groups={}, group_policy=policies[0] if policies else None)
    if limits:
        # 1.13: the last is validated, the first is used; a first one that is no number is a 400 in the repaired rule
        if not re.search("^[1-9][0-9]*$", limits[0]):
            raise Fault(f"limit: {limits[0]!r} is not a positive integer")
        query.limit = int(limits[0])
    _parse_root_required(_values(pairs, "root_required"), query)
    _parse_same_subtree(_values(pairs, "same_subtree"), query)
    _parse_groups(pairs, version, query)
    if version >= (1, 36):
        _check_resourceless(query)
    else:
        _check_orphans(query)
    _check_conflicts(query)
    if sum(1 for suffix in query.groups if suffix) > 1 and query.group_policy is None:
        raise Fault('The "group_policy" parameter is required when specifying more than one suffixed group.')
    return query


def _values(pairs: list[tuple[str, str]], key: str) -> list[str]:
    return [v for k, v in pairs if k == key]


def _suffix_pattern(version: tuple[int, int]) -> str:
    """None before 1.25, then numbers, from 1.33 any short word (spec 1.3)."""
    if version < (1, 25):
        return ""
    return "([1-9][0-9]*)?" if version < (1, 33) else "([a-zA-Z0-9_-]{1,64})?"


def _split_key(key: str, version: tuple[int, int]) -> tuple[str, str] | None:
    """(parameter, suffix) of a group parameter known at this microversion, else None (spec 1.3)."""
    for name, since in GROUP_KEYS.items():
        if version >= since and (match := re.fullmatch(name + _suffix_pattern(version), key)):
            return name, (match.groups() or ("",))[0] or ""
    return None


def _check_shape(pairs: list[tuple[str, str]], version: tuple[int, int]) -> None:
    """Known keys only; of a repeated key the last value is looked at (spec 1.4.1)."""
    last = dict(pairs)
    for key, value in last.items():
        if key in WIDE_KEYS and version >= WIDE_KEYS[key]:
            if key == "limit" and not re.search("^[1-9][0-9]*$", value):
                raise Fault(f"limit: {value!r} does not match '^[1-9][0-9]*$'")
            if key == "group_policy" and value not in ("none", "isolate"):
                raise Fault(f"group_policy: {value!r} is not one of none, isolate")
        elif _split_key(key, version) is None:
            raise Fault(f"Invalid query string parameters: {key!r} is not known")


def _parse_root_required(values: list[str], query: Query) -> None:
    """root_required: once, no any-of, no contradiction (spec 1.4.2)."""
    if not values:
        return
    if len(values) > 1:
        raise Fault("Query parameter 'root_required' may be specified only once.", code=DUPLICATE_KEY)
    clauses, query.root_forbidden = _parse_traits(values[0], any_of=False, forbidden=True)
    query.root_required = set().union(*clauses)
    if query.root_required & query.root_forbidden:
        raise Fault("Conflicting required and forbidden traits found in root_required", code=BAD_VALUE)


def _parse_same_subtree(values: list[str], query: Query) -> None:
    for value in values:
        suffixes = {member.strip() for member in value.split(",")}
        if "" in suffixes:
            raise Fault("Empty string (unsuffixed group) can not be specified in `same_subtree`", code=BAD_VALUE)
        query.same_subtrees.append(suffixes)


def _parse_groups(pairs: list[tuple[str, str]], version: tuple[int, int], query: Query) -> None:
    """Left to right; a repeated parameter counts as spec 1.3 says for it (spec 1.4.3)."""
    for key, value in pairs:
        split = _split_key(key, version)
        if split is None:
            continue
        name, suffix = split
        group = query.groups.setdefault(suffix, Group(suffix))
        if name == "resources":
            group.resources = _parse_resources(value)
        elif name == "required":
            values = _values(pairs, key)
            group.required, group.forbidden = [], set()
            for one in values if version >= (1, 39) else values[-1:]:
                clauses, forbidden = _parse_traits(one, any_of=version >= (1, 39), forbidden=version >= (1, 22))
                group.required += clauses
                group.forbidden |= forbidden
        elif name == "member_of":
            group.member_of, group.forbidden_aggregates = _parse_member_of(_values(pairs, key), key, version)
        else:
            group.in_tree = value.strip()
            if not is_uuid_like(group.in_tree):
                raise Fault(f"Expected 'in_tree' parameter to be a format of uuid. Got: {value}")


def _parse_resources(value: str) -> dict[str, int]:
    """`RC:int,RC:int`; numbers are whatever Python's int() takes; a repeated class: the last (spec 1.3)."""
    resources = {}
    for part in value.split(","):
        if part.count(":") != 1:
            raise Fault(f"Badly formed resources parameter. Got: {value}")
        rc, text = part.split(":")
        try:
            amount = int(text)
        except ValueError:
            raise Fault(f"Requested resource {rc} expected positive integer amount. Got: {text}") from None
        if amount < 1:
            raise Fault(f"Requested resource {rc} requires amount >= 1. Got: {amount}")
        resources[rc] = amount
    return resources


def _parse_traits(value: str, any_of: bool, forbidden: bool) -> tuple[list[set[str]], set[str]]:
    """One `required` value: (clauses, forbidden traits); may `in:` and `!` occur? (spec 1.3)."""
    if value.startswith("in:"):
        if not any_of:
            raise Fault(f"The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' is not supported here. Got: {value}")
        names = {name.strip() for name in value[3:].split(",")}
        if any(not name or name.startswith("!") for name in names):
            raise Fault(f"Expected 'required' parameter value of the form in:A,B. Got: {value}")
        return [names], set()
    names = [name.strip() for name in value.split(",")]
    wanted = [name for name in names if not name.startswith("!")]
    refused = [name.lstrip("!") for name in names if name.startswith("!")]
    if not all(wanted + refused) or (refused and not forbidden):
        raise Fault(f"Expected 'required' parameter value of the form A,B or A,!B. Got: {value}")
    return [{name} for name in dict.fromkeys(wanted)], set(refused)


def _parse_member_of(values: list[str], key: str, version: tuple[int, int]) -> tuple[list[set[str]], set[str]]:
    """All values of one member_of parameter: (positive clauses, forbidden aggregates) (spec 1.3)."""
    if len(values) > 1 and version < (1, 24):
        raise Fault(f"Multiple {key} parameters are not supported")
    clauses, refused = [], set()
    for value in values:
        if value.startswith("!") and version < (1, 32):
            raise Fault("Forbidden member_of parameters are not supported in the specified microversion")
        negative, rest = value.startswith("!"), value.removeprefix("!")
        if rest.startswith("in:"):
            members = set(rest.removeprefix("in:").split(","))
        elif "," in rest:
            raise Fault(f"Multiple values for {key!r} must be prefixed with the 'in:' or '!in:' keyword. Got: {value}")
        else:
            members = {rest}
        for member in members:
            if not is_uuid_like(member):
                raise Fault(f"Expected {key!r} parameter to contain valid UUID(s). Got: {member}")
        if negative:
            refused |= members
        else:
            clauses.append(members)
    return clauses, refused


def is_uuid_like(text: str) -> bool:
    """The spellings uuid.UUID takes; what follows compares literally (spec 13)."""
    try:
        plain = str(uuid.UUID(text)).replace("-", "")
    except (TypeError, ValueError, AttributeError):
        return False
    return plain == text.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "").lower()


def _check_resourceless(query: Query) -> None:
    """From 1.36 groups without resources are allowed if a same_subtree names them (spec 1.4.4, 13)."""
    if not any(group.resources for group in query.groups.values()):
        raise Fault("There must be at least one resources or resources[$S] parameter.", code=MISSING_VALUE)
    named = set().union(*query.same_subtrees)
    for suffix, group in query.groups.items():
        if not group.resources and suffix not in named:
            raise Fault(f"Resourceless group {suffix!r} should be specified in `same_subtree`", code=BAD_VALUE)
    if unknown := named - set(query.groups):
        raise Fault(f"Real suffixes should be specified in `same_subtree`: {sorted(unknown)}", code=BAD_VALUE)


def _check_orphans(query: Query) -> None:
    """Before 1.36 every group must have resources (spec 1.4.4)."""
    if not query.groups:
        raise Fault("There must be at least one resources or resources[$N] parameter.")
    for suffix, group in query.groups.items():
        if not group.resources:
            raise Fault(f"All traits and aggregates parameters must be associated with resources: {suffix!r}")


def _check_conflicts(query: Query) -> None:
    """A clause all of whose traits are forbidden in the same group can never hold (spec 1.4.5)."""
    for group in query.groups.values():
        for clause in group.required:
            if clause <= group.forbidden:
                raise Fault(
                    "Conflicting required and forbidden traits found in the following traits keys: "
                    f"required{group.suffix}: ({', '.join(sorted(clause))})"
                )
