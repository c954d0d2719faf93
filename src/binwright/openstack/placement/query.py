"""GET /allocation_candidates: the query string as typed request groups, with the service's checks in its order.

What every parameter means since which microversion, and which status and code a bad one has, is openstack spec 1.3 and
1.4 (steps 1 to 6; names that do not exist are found by the search, step 7). Knows no provider.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus
from uuid import UUID

from binwright.openstack.placement.faults import BAD_VALUE, DUPLICATE_KEY, MISSING_VALUE, Fault
from binwright.openstack.placement.microversion import LATEST, Microversion

__all__ = ["CandidateQuery", "RequestGroup", "parse_query"]

CANDIDATES_SINCE = (1, 10)
SUFFIXES_SINCE = (1, 25)
FREE_SUFFIXES_SINCE = (1, 33)
RESOURCELESS_SINCE = (1, 36)
ANY_TRAIT_SINCE = (1, 39)
FORBIDDEN_TRAITS_SINCE = (1, 22)
REPEATED_MEMBER_OF_SINCE = (1, 24)
FORBIDDEN_MEMBER_OF_SINCE = (1, 32)

GROUP_PARAMETERS = {"resources": (1, 10), "required": (1, 17), "member_of": (1, 21), "in_tree": (1, 31)}
WIDE_PARAMETERS = {"limit": (1, 16), "group_policy": (1, 25), "root_required": (1, 35), "same_subtree": (1, 36)}
NUMBER_SUFFIX = "[1-9][0-9]*"
FREE_SUFFIX = "[a-zA-Z0-9_-]{1,64}"
LIMIT = re.compile(r"[1-9][0-9]*$")  # like the keys of groups, with the service's `$`: a newline may follow
POLICIES = ("none", "isolate")

INVALID = "Invalid query string parameters: "
RESOURCES_FORM = "Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024."
TRAITS_FORM = "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,CUSTOM_MAGIC."
SIGNED_TRAITS_FORM = "Expected 'required' parameter value of the form: HW_CPU_X86_VMX,!CUSTOM_MAGIC."
ANY_TRAIT_FORM = "Expected 'required' parameter value of the form: in:HW_CPU_X86_VMX,CUSTOM_MAGIC."


@dataclass(slots=True)
class RequestGroup:
    """What one group asks; the group with suffix "" may spread over providers, any other needs one that has it all.

    required, member_of: clauses, of each of which one name is enough.
    """

    suffix: str
    resources: dict[str, int] = field(default_factory=dict)
    required: list[frozenset[str]] = field(default_factory=list)
    forbidden: frozenset[str] = frozenset()
    member_of: list[frozenset[str]] = field(default_factory=list)
    forbidden_aggregates: frozenset[str] = frozenset()
    in_tree: str | None = None


@dataclass(slots=True)
class CandidateQuery:
    """A checked query: groups by suffix in the order of their first parameter, and what holds for all of them."""

    microversion: Microversion = LATEST
    groups: dict[str, RequestGroup] = field(default_factory=dict)
    group_policy: str | None = None
    limit: int | None = None
    root_required: frozenset[str] = frozenset()
    root_forbidden: frozenset[str] = frozenset()
    same_subtrees: list[frozenset[str]] = field(default_factory=list)

    def classes(self) -> set[str]:
        """Every resource class that some group asks for."""
        return {name for group in self.groups.values() for name in group.resources}


def parse_query(text: str, microversion: Microversion = LATEST) -> CandidateQuery:
    """The query of a query string (without "?"). Raises Fault as the service refuses, 404 below 1.10."""
    if microversion < CANDIDATES_SINCE:
        raise Fault(404, "GET /allocation_candidates needs microversion 1.10", code=None)
    items = _items(text)
    key_of_group = _group_keys(microversion)
    _check_shape(items, microversion, key_of_group)
    query = CandidateQuery(microversion)
    _read_wide(query, items)
    for key, value in items:
        match = key_of_group.match(key)
        if match is not None:
            suffix = match.group(2) or ""
            group = query.groups.setdefault(suffix, RequestGroup(suffix))
            _read_group(group, match.group(1), value, _values(items, key), microversion)
    if microversion >= RESOURCELESS_SINCE:
        _check_resourceless(query)
    else:
        _check_orphans(query)
    _check_conflicts(query)
    if query.group_policy is None and sum(1 for suffix in query.groups if suffix) > 1:
        raise Fault(
            400, 'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.'
        )
    return query


def _items(text: str) -> list[tuple[str, str]]:
    """Keys and values in order; ";" separates as "&" does, and a key without "=" has an empty value."""
    items = []
    for part in re.split("[&;]", text):
        if part:
            key, _, value = part.partition("=")
            try:
                items.append((unquote_plus(key, errors="strict"), unquote_plus(value, errors="strict")))
            except UnicodeDecodeError as problem:
                raise Fault(400, f"{INVALID}{problem}") from None
    return items


def _group_keys(microversion: Microversion) -> re.Pattern[str]:
    """Matches the key of a group's parameter: its name and its suffix."""
    names = "|".join(name for name, since in GROUP_PARAMETERS.items() if microversion >= since)
    if microversion < SUFFIXES_SINCE:
        return re.compile(f"({names})()$")
    suffix = NUMBER_SUFFIX if microversion < FREE_SUFFIXES_SINCE else FREE_SUFFIX
    return re.compile(f"({names})({suffix})?$")


def _check_shape(items: list[tuple[str, str]], microversion: Microversion, group_keys: re.Pattern[str]) -> None:
    """Step 1: keys that exist at this microversion, and the form of the last value of each."""
    last = dict(items)
    for key, value in last.items():
        wide = key in WIDE_PARAMETERS and microversion >= WIDE_PARAMETERS[key]
        if not wide and group_keys.match(key) is None:
            raise Fault(400, f"{INVALID}{key!r} is no parameter at microversion {microversion[0]}.{microversion[1]}")
        if key == "limit" and LIMIT.match(value) is None:
            raise Fault(400, f"{INVALID}{value!r} does not match '^[1-9][0-9]*$'")
        if key == "group_policy" and value not in POLICIES:
            raise Fault(400, f"{INVALID}{value!r} is not one of {list(POLICIES)}")
    if microversion < SUFFIXES_SINCE and "resources" not in last:
        raise Fault(400, f"{INVALID}'resources' is a required property")


def _values(items: Iterable[tuple[str, str]], key: str) -> list[str]:
    return [value for name, value in items if name == key]


def _read_wide(query: CandidateQuery, items: list[tuple[str, str]]) -> None:
    """Step 2: the parameters that hold for all groups.

    Of `limit` and `group_policy` the first value counts, although step 1 looked at the last one: what is no number
    then makes the service answer 500, here it is 400.
    """
    for value in _values(items, "limit")[:1]:
        try:
            limit = int(value)
            query.limit = limit if limit > 0 else None
        except ValueError:
            raise Fault(400, f"{INVALID}{value!r} does not match '^[1-9][0-9]*$'") from None
    for value in _values(items, "group_policy")[:1]:
        query.group_policy = value or None
    roots = _values(items, "root_required")
    if len(roots) > 1:
        raise Fault(400, "Query parameter 'root_required' may be specified only once.", DUPLICATE_KEY)
    if roots:
        required, query.root_forbidden = _traits(roots[0], query.microversion, any_allowed=False)
        query.root_required = frozenset().union(*required)
        both = query.root_required & query.root_forbidden
        if both:
            names = ", ".join(sorted(both))
            raise Fault(400, f"Conflicting required and forbidden traits found in root_required: {names}", BAD_VALUE)
    for value in _values(items, "same_subtree"):
        suffixes = frozenset(part.strip() for part in value.split(","))
        if "" in suffixes:
            raise Fault(400, "Empty string (unsuffixed group) can not be specified in `same_subtree` ", BAD_VALUE)
        query.same_subtrees.append(suffixes)


def _read_group(group: RequestGroup, name: str, value: str, values: list[str], microversion: Microversion) -> None:
    """Step 3: one parameter of one group, of which `values` are all repetitions.

    The last `resources` and `in_tree` count, but a malformed one before them is refused too.
    """
    if name == "resources":
        group.resources = _resources(value)
    elif name == "in_tree":
        group.in_tree = _uuid(value.strip(), "Expected 'in_tree' parameter to be a format of uuid. Got: ")
    elif name == "member_of":
        _read_member_of(group, values, microversion)
    elif microversion < ANY_TRAIT_SINCE:
        group.required, group.forbidden = _traits(values[-1], microversion, any_allowed=False)
    else:
        read = [_traits(each, microversion, any_allowed=True) for each in values]
        group.required = [clause for required, _ in read for clause in required]
        group.forbidden = frozenset().union(*(forbidden for _, forbidden in read))


def _resources(value: str) -> dict[str, int]:
    """ "RC:n,RC:n"; amounts are what Python's int() reads."""
    if not value.strip():
        raise Fault(400, f"Badly formed resources parameter. {RESOURCES_FORM} Got: empty string.")
    resources = {}
    for part in value.split(","):
        name, colon, text = part.partition(":")
        if not colon or ":" in text:
            raise Fault(400, f"Badly formed resources parameter. {RESOURCES_FORM} Got: {part}.")
        try:
            amount = int(text)
        except ValueError:
            raise Fault(400, f"Requested resource {name} expected positive integer amount. Got: {text}.") from None
        if amount < 1:
            raise Fault(400, f"Requested resource {name} requires amount >= 1. Got: {amount}.")
        resources[name] = amount
    return resources


def _traits(
    value: str, microversion: Microversion, *, any_allowed: bool
) -> tuple[list[frozenset[str]], frozenset[str]]:
    """Clauses of required traits, and forbidden ones: "A,!B", or "in:A,B" for one clause of several."""
    if value.startswith("in:"):
        if not any_allowed:
            form = "The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39."
            raise Fault(400, f"{INVALID}{form} Got: {value}")
        names = [part.strip() for part in value.removeprefix("in:").split(",")]
        if any(name.startswith("!") for name in names):
            form = "The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' does not support forbidden traits."
            raise Fault(400, f"{INVALID}{form} Got: {value}")
        if "" in names:
            raise Fault(400, f"{INVALID}{ANY_TRAIT_FORM} Got an empty trait in: {value}")
        return [frozenset(names)], frozenset()
    signed = microversion >= FORBIDDEN_TRAITS_SINCE
    names = [part.strip() for part in value.split(",")]
    if not signed and any(name.startswith("!") for name in names):
        raise Fault(400, f"{INVALID}{TRAITS_FORM} Got: {value}")
    forbidden = frozenset(name.lstrip("!") for name in names if name.startswith("!"))
    required = [frozenset([name]) for name in dict.fromkeys(names) if not name.startswith("!")]
    if "" in names or "" in forbidden:
        raise Fault(400, f"{INVALID}{SIGNED_TRAITS_FORM if signed else TRAITS_FORM} Got an empty trait in: {value}")
    return required, forbidden


def _read_member_of(group: RequestGroup, values: list[str], microversion: Microversion) -> None:
    if len(values) > 1 and microversion < REPEATED_MEMBER_OF_SINCE:
        raise Fault(400, f"Multiple member_of{group.suffix} parameters are not supported")
    group.member_of = []
    for value in values:
        if "," in value and not value.startswith(("in:", "!in:")):
            rule = "Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword"
            raise Fault(400, f"{rule} using the valid microversion. Got: {value}")
        names = value
        if forbidden := value.startswith("!"):
            if microversion < FORBIDDEN_MEMBER_OF_SINCE:
                raise Fault(400, "Forbidden member_of parameters are not supported in the specified microversion")
            names = value.removeprefix("!")
        aggregates = frozenset(
            _uuid(part, "Expected 'member_of' parameter to contain valid UUID(s). Got: ")
            for part in names.removeprefix("in:").split(",")
        )
        if forbidden:
            group.forbidden_aggregates |= aggregates
        else:
            group.member_of.append(aggregates)


def _uuid(text: str, refusal: str) -> str:
    """A UUID in any spelling that Python's UUID reads; it is compared as it is written."""
    try:
        UUID(text)
    except ValueError:
        raise Fault(400, f"{INVALID}{refusal}{text}") from None
    return text


def _check_resourceless(query: CandidateQuery) -> None:
    """Step 4 from 1.36 on: groups without resources stand in some same_subtree, which names groups only."""
    if not any(group.resources for group in query.groups.values()):
        raise Fault(400, "There must be at least one resources or resources[$S] parameter.", MISSING_VALUE)
    named = frozenset().union(*query.same_subtrees)
    bare = [suffix for suffix, group in query.groups.items() if not group.resources and suffix not in named]
    if bare:
        rule = "Resourceless suffixed group request should be specified in `same_subtree` query param"
        raise Fault(400, f"{rule}: bad group(s) - {sorted(bare)}.", BAD_VALUE)
    unknown = named - query.groups.keys()
    if unknown:
        known = f"{sorted(unknown)} not found in {list(query.groups)}"
        raise Fault(400, f"Real suffixes should be specified in `same_subtree`: {known}.", BAD_VALUE)


def _check_orphans(query: CandidateQuery) -> None:
    """Step 4 below 1.36: every group has resources."""
    for name, words in (("required", "traits"), ("member_of", "member_of")):
        orphans = [
            name + suffix
            for suffix, group in query.groups.items()
            if not group.resources
            and (group.required if name == "required" else group.member_of or group.forbidden_aggregates)
        ]
        if orphans:
            found = f"Found the following orphaned {words} keys: {', '.join(orphans)}"
            raise Fault(400, f"All {words} parameters must be associated with resources.  {found}")
    if not query.groups:
        raise Fault(400, "At least one request group (`resources` or `resources{$S}`) is required.")
    if not all(group.resources for group in query.groups.values()):
        raise Fault(400, "All request groups must specify resources.")


def _check_conflicts(query: CandidateQuery) -> None:
    """Step 5: a clause all of whose traits are forbidden in the same group."""
    conflicts = []
    for suffix, group in query.groups.items():
        names = {name for clause in group.required if clause <= group.forbidden for name in clause}
        if names:
            conflicts.append(f"required{suffix}: ({', '.join(sorted(names))})")
    if conflicts:
        found = "Conflicting required and forbidden traits found in the following traits keys"
        raise Fault(400, f"{found}: {', '.join(conflicts)}")
