"""Label selectors, node selectors, tolerations (spec 2).

Plain functions over the JSON objects.  A parsed label selector is a tuple of requirements, or None for an absent
one: None matches nothing, the empty tuple matches everything and is what the spec calls *empty*.
"""

import re
from typing import Any, NamedTuple

Labels = dict[str, str]
Json = dict[str, Any]


class Requirement(NamedTuple):
    """One expression of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Labels) -> bool:
        """In: key present and value listed.  NotIn: key absent or value not listed (spec 2, *Label selector*)."""
        match self.operator:
            case "In":
                return self.key in labels and labels[self.key] in self.values
            case "NotIn":
                return self.key not in labels or labels[self.key] not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        raise ValueError(f"label selector operator {self.operator!r} is not known")


Selector = tuple[Requirement, ...] | None


def map_requirements(pairs: Labels) -> tuple[Requirement, ...]:
    """A plain map (``matchLabels``, a Service's selector) as requirements."""
    return tuple(Requirement(key, "In", (value,)) for key, value in pairs.items())


def parse_label_selector(selector: Json | None) -> Selector:
    """matchLabels and matchExpressions, ANDed; None stays None (spec 2)."""
    if selector is None:
        return None
    expressions = tuple(
        Requirement(e["key"], e["operator"], tuple(e.get("values") or ()))
        for e in selector.get("matchExpressions") or ()
    )
    return map_requirements(selector.get("matchLabels") or {}) + expressions


def selects(selector: Selector, labels: Labels) -> bool:
    """Whether a parsed selector matches these labels."""
    return selector is not None and all(requirement.matches(labels) for requirement in selector)


# --- node selectors -----------------------------------------------------------------------------------------------

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)


def parse_int64(text: str) -> int | None:
    """Signed 64-bit decimal with optional sign and leading zeros; None for anything else (spec 2, Gt/Lt)."""
    if _INTEGER.fullmatch(text) is None or not -(2**63) <= int(text) < 2**63:
        return None
    return int(text)


def is_name(text: str) -> bool:
    """Up to 63 letters, digits, dashes, underscores and dots; a letter or digit at both ends."""
    inner = text.replace("-", "a").replace("_", "a").replace(".", "a")
    return text.isascii() and len(text) <= 63 and inner.isalnum() and text[0].isalnum() and text[-1].isalnum()


def is_label_key(text: str) -> bool:
    """A name, with or without a DNS domain and a slash before it."""
    domain, slash, name = text.rpartition("/")
    if not slash:
        return is_name(name)
    parts = domain.split(".")
    lower = all(part == part.lower() and part.replace("-", "a").isalnum() and "_" not in part for part in parts)
    ends = all(part and part[0].isalnum() and part[-1].isalnum() for part in parts)
    return is_name(name) and domain.isascii() and len(domain) <= 253 and lower and ends


def _expression_is_valid(expression: Json) -> bool:
    """Whether the term may be used at all; one malformed expression spoils its whole term (spec 8.7).

    Recorded from the peer, not in the spec: an expression is malformed, too, if its key or a value cannot be a label's.
    """
    values = expression.get("values") or ()
    if not is_label_key(expression["key"]) or not all(value == "" or is_name(value) for value in values):
        return False
    match expression["operator"]:
        case "In" | "NotIn":
            return len(values) > 0
        case "Exists" | "DoesNotExist":
            return len(values) == 0
        case "Gt" | "Lt":
            return len(values) == 1 and parse_int64(values[0]) is not None
    return False


def _expression_matches(expression: Json, labels: Labels) -> bool:
    key, operator, values = expression["key"], expression["operator"], tuple(expression.get("values") or ())
    if operator not in ("Gt", "Lt"):
        return Requirement(key, operator, values).matches(labels)
    found = parse_int64(labels[key]) if key in labels else None
    if found is None:
        return False
    wanted = parse_int64(values[0])
    assert wanted is not None
    return found > wanted if operator == "Gt" else found < wanted


def _field_is_valid(field: Json) -> bool:
    """Only ``metadata.name`` with In/NotIn and exactly one value (spec 2, matchFields)."""
    return (
        field["key"] == "metadata.name" and field["operator"] in ("In", "NotIn") and len(field.get("values") or ()) == 1
    )


def _field_matches(field: Json, node_name: str) -> bool:
    return (node_name == field["values"][0]) == (field["operator"] == "In")


def is_empty_term(term: Json) -> bool:
    """A term without expressions and fields."""
    return not term.get("matchExpressions") and not term.get("matchFields")


def node_term_matches(term: Json, node_name: str, labels: Labels) -> bool:
    """One nodeSelectorTerm; an empty or an invalid one matches nothing (spec 2, *Node selector*)."""
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    if is_empty_term(term):
        return False
    if not all(map(_expression_is_valid, expressions)) or not all(map(_field_is_valid, fields)):
        return False
    return all(_expression_matches(e, labels) for e in expressions) and all(
        _field_matches(f, node_name) for f in fields
    )


def node_selector_matches(selector: Json, node_name: str, labels: Labels) -> bool:
    """nodeSelectorTerms, ORed; an empty list matches nothing (spec 2)."""
    return any(node_term_matches(term, node_name, labels) for term in selector.get("nodeSelectorTerms") or ())


def required_node_match(spec: Json, node_name: str, labels: Labels) -> bool:
    """*Required node match* of spec 2: a pod's nodeSelector and its required node affinity."""
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = required_node_affinity(spec)
    return required is None or node_selector_matches(required, node_name, labels)


def node_affinity(spec: Json) -> Json:
    """The pod's nodeAffinity stanza, {} if it has none."""
    return (spec.get("affinity") or {}).get("nodeAffinity") or {}


def required_node_affinity(spec: Json) -> Json | None:
    """The pod's required node selector, None if it has none."""
    return node_affinity(spec).get("requiredDuringSchedulingIgnoredDuringExecution")


# --- tolerations --------------------------------------------------------------------------------------------------


def tolerates(toleration: Json, taint: Json) -> bool:
    """*Toleration tolerates taint* of spec 2; an empty key with Equal still compares values."""
    if toleration.get("effect") and toleration["effect"] != taint.get("effect", ""):
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    match toleration.get("operator") or "Equal":
        case "Equal":
            return (toleration.get("value") or "") == (taint.get("value") or "")
        case "Exists":
            return True
    return False


def first_untolerated(taints: list[Json], tolerations: list[Json], effects: tuple[str, ...]) -> Json | None:
    """The first taint, in node order, with one of these effects that no toleration tolerates."""
    for taint in taints:
        if taint.get("effect") in effects and not any(tolerates(t, taint) for t in tolerations):
            return taint
    return None
