"""Values of a HOT template: its functions, parameters and conditions, evaluated where a value is wanted.

What only a running stack knows (attributes, files, queries) has the value `Unknown`, and so has everything made of it.
Knows no resource types.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from binwright.errors import InputError
from binwright.units import shown

__all__ = ["Budget", "Scope", "Unknown", "replaced", "unknowns"]

MOST_TEXT = 10**6
MOST_STEPS = 10**6
DEEPEST = 60
NOT_EVALUATED = (
    *("digest", "filter", "get_attr", "get_file", "make_url", "map_merge", "map_replace", "repeat", "resource_facade"),
    *("yaql", "Ref", "Fn::Base64", "Fn::GetAtt", "Fn::GetAZs", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Replace"),
)


_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is not known here; `why` names the function, `parameter` the parameter without a value."""

    why: str
    parameter: bool = False


@dataclass(slots=True)
class Budget:
    """How much evaluating a set of templates may cost, so that a few aliases do not become a million values."""

    steps: int = 0
    depth: int = 0

    def count(self, where: str) -> None:
        """Count one value."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise InputError(f"{where}: the templates are larger than {MOST_STEPS} values when expanded")

    @contextmanager
    def spend(self, where: str) -> Iterator[None]:
        """Count one value, and how deep it lies."""
        self.count(where)
        self.depth += 1
        if self.depth > DEEPEST:
            raise InputError(f"{where}: nested too deeply")
        yield
        self.depth -= 1


@dataclass(slots=True)
class Scope:
    """What names mean in one stack. references: resource -> what stands for its id."""

    where: str
    parameters: Mapping[str, Any]
    references: Mapping[str, str]
    conditions: Mapping[str, Any]
    budget: Budget
    _open: list[str] = field(default_factory=list)

    def value(self, data: Any) -> Any:
        """The value of a part of the template. Raises InputError for a function that is used wrongly."""
        found = self._value(data)
        return None if found is _ABSENT else found

    def _value(self, data: Any) -> Any:
        """The value, or that there is none, which leaves lists and maps without it."""
        with self.budget.spend(self.where):
            if isinstance(data, list):
                return [found for item in data if (found := self._value(item)) is not _ABSENT]
            if not isinstance(data, dict):
                return data
            if len(data) == 1:
                ((name, argument),) = data.items()
                if name in FUNCTIONS:
                    return FUNCTIONS[name](self, argument)
                if name in NOT_EVALUATED:
                    return Unknown(name)
            return {key: found for key, item in data.items() if (found := self._value(item)) is not _ABSENT}

    def condition(self, data: Any) -> bool | Unknown:
        """Whether a condition holds: the name of one, a truth value or a function."""
        with self.budget.spend(self.where):
            if isinstance(data, str):
                return self._named_condition(data)
            if isinstance(data, dict) and len(data) == 1:
                ((name, argument),) = data.items()
                if name in CONDITIONS:
                    return CONDITIONS[name](self, argument)
                data = self.value(data)
            found: bool | Unknown = data if isinstance(data, bool | Unknown) else self._refuse("condition", data)
            return found

    def _named_condition(self, name: str) -> bool | Unknown:
        if name not in self.conditions:
            raise InputError(f"{self.where}: condition {shown(name)} is not defined")
        if name in self._open:
            raise InputError(f"{self.where}: condition {shown(name)} depends on itself")
        self._open.append(name)
        found = self.condition(self.conditions[name])
        self._open.pop()
        return found

    def _refuse(self, what: str, data: Any) -> Any:
        raise InputError(f"{self.where}: {what}: {shown(data)} is not of the form that the function takes")

    # -- functions

    def _get_param(self, argument: Any) -> Any:
        """A parameter, or what a path of keys and indexes finds in it: an empty text beyond its end."""
        path = self.value(argument)
        name, *keys = path if isinstance(path, list) and path else [path]
        if isinstance(name, Unknown):
            return name
        if not isinstance(name, str) or name not in self.parameters:
            raise InputError(f"{self.where}: parameter {shown(name)} is not defined")
        found = self.parameters[name]
        for key in keys:
            if isinstance(found, Unknown):
                return found
            try:
                found = found[int(key) if isinstance(found, list) else key]
            except (IndexError, KeyError, TypeError, ValueError):
                return ""
        return self._plain(found)

    def _plain(self, data: Any) -> Any:
        """What a parameter holds, as it is: paid for, because aliases may have made it large."""
        with self.budget.spend(self.where):
            if isinstance(data, dict):
                return {key: self._plain(item) for key, item in data.items()}
            return [self._plain(item) for item in data] if isinstance(data, list) else data

    def _get_resource(self, argument: Any) -> Any:
        name = self.value(argument)
        if isinstance(name, Unknown):
            return name
        if not isinstance(name, str) or name not in self.references:
            raise InputError(f"{self.where}: resource {shown(name)} is not defined")
        return self.references[name]

    def _str_replace(self, argument: Any) -> Any:
        if not isinstance(argument, dict) or not {"template", "params"} <= argument.keys():
            return self._refuse("str_replace", argument)
        template, params = self.value(argument["template"]), self.value(argument["params"])
        unknown = next(unknowns([template, params]), None)
        if unknown is not None:
            return unknown
        if not isinstance(template, str) or not isinstance(params, dict) or "" in params:
            return self._refuse("str_replace", argument)
        values = {key: self._as_text("str_replace", item, (str, int, float)) for key, item in params.items()}
        size = len(template) + sum(template.count(key) * len(item) for key, item in values.items())
        if size > MOST_TEXT:
            raise InputError(f"{self.where}: str_replace: a text of more than {MOST_TEXT} characters")
        return _replace(template, values)

    def _as_text(self, function: str, item: Any, kinds: tuple[type, ...]) -> str:
        """Nothing is an empty text; maps and lists are written as JSON."""
        if item is None:
            return ""
        if isinstance(item, dict | list):
            return json.dumps(item, sort_keys=True)
        return str(item) if isinstance(item, kinds) else self._refuse(function, item)

    def _list_join(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) < 2:
            return self._refuse("list_join", argument)
        between, *lists = self.value(argument)
        items: list[Any] = []
        for one in lists:
            if isinstance(one, list):
                items += one
            elif isinstance(one, Unknown):
                return one
            elif one:
                return self._refuse("list_join", one)
        unknown = next(unknowns([between, items]), None)
        if unknown is not None or not isinstance(between, str):
            return unknown or self._refuse("list_join", between)
        texts = [self._as_text("list_join", item, (str,)) for item in items]
        if sum(map(len, texts)) + len(between) * len(texts) > MOST_TEXT:
            raise InputError(f"{self.where}: list_join: a text of more than {MOST_TEXT} characters")
        return between.join(texts)

    def _str_split(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) not in (2, 3):
            return self._refuse("str_split", argument)
        by, text, *index = self.value(argument)
        unknown = next((one for one in (by, text, *index) if isinstance(one, Unknown)), None)
        if unknown is not None:
            return unknown
        if text is None:
            return None
        if not isinstance(by, str) or not by or not isinstance(text, str):
            return self._refuse("str_split", argument)
        parts = text.split(by)
        try:
            return parts[int(index[0])] if index else parts
        except (IndexError, TypeError, ValueError):
            return self._refuse("str_split", argument)

    def _if(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) not in (2, 3):
            return self._refuse("if", argument)
        holds = self.condition(argument[0])
        if isinstance(holds, Unknown):
            return holds
        if not holds and len(argument) == 2:
            return _ABSENT
        return self._value(argument[1 if holds else 2])

    def _list_concat(self, argument: Any) -> Any:
        lists = self.value(argument)
        if isinstance(lists, Unknown):
            return lists
        if not isinstance(lists, list):
            return self._refuse("list_concat", argument)
        items: list[Any] = []
        for one in lists:
            if isinstance(one, Unknown):
                return one
            if one is not None and not isinstance(one, list):
                return self._refuse("list_concat", one)
            items += one or []
        return items

    def _list_concat_unique(self, argument: Any) -> Any:
        items = self._list_concat(argument)
        if isinstance(items, Unknown):
            return items
        return [item for number, item in enumerate(items) if item not in items[:number]]

    # -- conditions

    def _equals(self, argument: Any) -> bool | Unknown:
        if not isinstance(argument, list) or len(argument) != 2:
            return bool(self._refuse("equals", argument))
        one, other = self.value(argument)
        unknown = next((value for value in (one, other) if isinstance(value, Unknown)), None)
        return unknown if unknown is not None else bool(one == other)

    def _not(self, argument: Any) -> bool | Unknown:
        holds = self.condition(argument)
        return holds if isinstance(holds, Unknown) else not holds

    def _and(self, argument: Any) -> bool | Unknown:
        return self._all(argument, "and", True)

    def _or(self, argument: Any) -> bool | Unknown:
        return self._all(argument, "or", False)

    def _all(self, argument: Any, name: str, neutral: bool) -> bool | Unknown:
        """`and` (neutral True) or `or`: what decides decides, also beside what is unknown."""
        if not isinstance(argument, list) or len(argument) < 2:
            return bool(self._refuse(name, argument))
        found = [self.condition(one) for one in argument]
        if any(one is (not neutral) for one in found):
            return not neutral
        return next((one for one in found if isinstance(one, Unknown)), neutral)

    def _contains(self, argument: Any) -> bool | Unknown:
        if not isinstance(argument, list) or len(argument) != 2:
            return bool(self._refuse("contains", argument))
        item, among = self.value(argument)
        unknown = next((value for value in (item, among) if isinstance(value, Unknown)), None)
        if unknown is not None:
            return unknown
        return item in among if isinstance(among, list | str) else bool(self._refuse("contains", among))


def unknowns(value: Any) -> Iterator[Unknown]:
    """What is not known in a value."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from unknowns(item)


def _replace(template: str, values: Mapping[str, str]) -> str:
    """A text with every key replaced, the longest key first; what was put in is not looked at again."""
    pieces = [(template, True)]
    for key in sorted(sorted(values), key=len, reverse=True):
        split: list[tuple[str, bool]] = []
        for text, open_ in pieces:
            parts = text.split(key) if open_ else [text]
            for number, part in enumerate(parts):
                split += [(values[key], False), (part, open_)] if number else [(part, open_)]
        pieces = split
    return "".join(text for text, _ in pieces)


def replaced(data: Any, variable: str, text: str, scope: Scope) -> Any:
    """A value with a text put in for a variable wherever it stands; keys are left as they are."""
    scope.budget.count(scope.where)
    if isinstance(data, str):
        return data.replace(variable, text)
    if isinstance(data, dict):
        return {key: replaced(item, variable, text, scope) for key, item in data.items()}
    return [replaced(item, variable, text, scope) for item in data] if isinstance(data, list) else data


CONDITIONS: dict[str, Callable[[Scope, Any], bool | Unknown]] = {
    "equals": Scope._equals,
    "not": Scope._not,
    "and": Scope._and,
    "or": Scope._or,
    "contains": Scope._contains,
}
FUNCTIONS: dict[str, Callable[[Scope, Any], Any]] = {
    "get_param": Scope._get_param,
    "get_resource": Scope._get_resource,
    "str_replace": Scope._str_replace,
    "str_replace_strict": Scope._str_replace,
    "str_replace_vstrict": Scope._str_replace,
    "list_join": Scope._list_join,
    "str_split": Scope._str_split,
    "if": Scope._if,
    "list_concat": Scope._list_concat,
    "list_concat_unique": Scope._list_concat_unique,
    "contains": Scope._contains,
}
