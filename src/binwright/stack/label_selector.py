"""Label selectors as kubectl's -l takes them: "app=web,tier!=db,env in (a, b),!canary". Text in, predicate out."""

import re
from collections.abc import Callable, Mapping

from binwright.errors import InputError

Labels = Mapping[str, str]

_WORD = r"[A-Za-z0-9]+(?:[-._/A-Za-z0-9]*[A-Za-z0-9])?"
_COMPARISON = re.compile(rf"({_WORD})\s*(==|=|!=)\s*({_WORD})?")
_SET = re.compile(rf"({_WORD})\s+(in|notin)\s*\(([^()]*)\)")
_PRESENCE = re.compile(rf"(!?)\s*({_WORD})")
# A comma separates requirements, unless it stands in parentheses.
_COMMA = re.compile(r",(?![^()]*\))")


def label_selector(text: str) -> Callable[[Labels], bool]:
    """Whether labels satisfy every requirement of `text`; an absent label satisfies != and notin, as in Kubernetes.

    Raises InputError naming the requirement that cannot be read.
    """
    requirements = [_requirement(part.strip()) for part in _COMMA.split(text)]
    return lambda labels: all(holds(labels) for holds in requirements)


def _requirement(part: str) -> Callable[[Labels], bool]:
    if match := _COMPARISON.fullmatch(part):
        key, operator, value = match[1], match[2], match[3] or ""
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _SET.fullmatch(part):
        key, values = match[1], {value.strip() for value in match[3].split(",")}
        if match[2] == "notin":
            return lambda labels: labels.get(key) not in values
        return lambda labels: labels.get(key) in values
    if match := _PRESENCE.fullmatch(part):
        absent, key = match[1] == "!", match[2]
        return lambda labels: (key in labels) is not absent
    raise InputError(f"-l: {part or 'an empty requirement'}: not KEY=VALUE, KEY!=VALUE, KEY in (A, B), KEY or !KEY")
