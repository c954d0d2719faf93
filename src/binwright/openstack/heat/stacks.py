"""Templates expanded to what they ask for: groups counted out, nested stacks entered, conditions applied.

One resource after another in the order of the file. How many there may be is limited; a resource type that could hold
servers and is not known is listed. What becomes of the types that are known is `resources`' business.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from binwright.errors import InputError
from binwright.openstack.heat.properties import NotTold, Properties
from binwright.openstack.heat.resources import READERS, is_irrelevant
from binwright.openstack.heat.templates import Environment, Template, nested_name, roots
from binwright.openstack.heat.values import Budget, Scope, Unknown, replaced, unknowns
from binwright.openstack.wishes import Wishes
from binwright.units import shown

__all__ = ["parameter_value", "to_requests"]

MOST_RESOURCES = 20_000
DEEPEST = 10
RESOURCE_GROUP = "OS::Heat::ResourceGroup"
SCALING_GROUP = "OS::Heat::AutoScalingGroup"
INDEX = "%index%"
CONDITIONS = "Heat conditions that only a running stack can evaluate: taken as true"
TYPES = "Heat resource types that are not known"
TRUTHS = dict.fromkeys(("1", "t", "true", "on", "y", "yes"), True) | dict.fromkeys(
    ("0", "f", "false", "off", "n", "no"), False
)


def to_requests(templates: Iterable[Template], environment: Environment | None = None) -> Wishes:
    """Everything that the whole stacks among some templates would like to have; a stack is called as its file.

    Raises InputError, naming file, resource and property.
    """
    templates, environment = list(templates), environment or Environment()
    by_name: dict[str, Template] = {}
    for template in templates:
        if by_name.setdefault(template.name, template) is not template:
            raise InputError(f"{template.file}: a second template of the name {template.name}")
    expansion = _Expansion(by_name, environment)
    for template in roots(templates, environment):
        expansion.enter(template, template.name.partition(".")[0], environment.parameters, template.file, 0)
    return expansion.wishes


class _Expansion:
    """The state of one expansion: what has been found, and what it has cost."""

    def __init__(self, templates: Mapping[str, Template], environment: Environment) -> None:
        self.wishes = Wishes()
        self._templates = templates
        self._environment = environment
        self._budget = Budget()
        self._resources = 0

    def enter(self, template: Template, stack: str, given: Mapping[str, Any], where: str, depth: int) -> None:
        """One stack; `given` are the values of its parameters, `where` names it in errors."""
        if depth > DEEPEST:
            raise InputError(f"{where}: more than {DEEPEST} stacks inside each other")
        references = {name: f"{stack}.{name}" for name in template.resources}
        parameters = {"OS::stack_name": stack, "OS::stack_id": stack, "OS::project_id": Unknown("OS::project_id")}
        for name, parameter in template.parameters.items():
            parameters[name] = parameter_value(f"{template.file}: parameter {name}", name, parameter, given, depth > 0)
        scope = Scope(template.file, parameters, references, template.conditions, self._budget)
        for name, resource in template.resources.items():
            scope.where = f"{where}: resource {name}" if depth == 0 else f"{where}.{name}"
            if self._wanted(resource, scope):
                self.make(resource["type"], resource.get("properties") or {}, references[name], scope, depth)

    def _wanted(self, resource: Mapping[str, Any], scope: Scope) -> bool:
        holds = scope.condition(resource.get("condition", True))
        if isinstance(holds, Unknown):
            if holds.parameter:
                raise InputError(f"{scope.where}: condition: parameter {holds.why!r} has no value")
            self.wishes.not_evaluated.append((CONDITIONS, f"{scope.where}: {holds.why}"))
            return True
        return holds

    def make(self, kind: str, data: Mapping[str, Any], reference: str, scope: Scope, depth: int) -> None:
        """One resource of a type, with properties as the template has them."""
        self._resources += 1
        if self._resources > MOST_RESOURCES:
            raise InputError(f"{scope.where}: more than {MOST_RESOURCES} resources")
        kind = self._environment.registry.get(kind, kind)
        properties = Properties(scope.where, data, scope, self.wishes.not_evaluated)
        try:
            if kind == RESOURCE_GROUP:
                self._group(properties, reference, scope, depth)
            elif kind == SCALING_GROUP:
                self._scaling_group(properties, reference, scope, depth)
            elif kind in READERS:
                READERS[kind](properties, reference, self.wishes)
            elif (name := nested_name(kind)) is not None and name in self._templates:
                given = {key: properties.raw(key) for key in data}
                self.enter(self._templates[name], reference, given, scope.where, depth + 1)
            elif not is_irrelevant(kind):
                self.wishes.not_evaluated.append((TYPES, f"{scope.where}: {kind}"))
        except NotTold as problem:
            self.wishes.not_evaluated.append((problem.rule, problem.example))

    def _group(self, properties: Properties, reference: str, scope: Scope, depth: int) -> None:
        """`count` (1) of one definition, in each of which the index stands for %index%."""
        count = properties.whole("count", MOST_RESOURCES, needed=False)
        variable = properties.text("index_var") or INDEX
        self._repeat(properties, "resource_def", 1 if count is None else count, variable, reference, scope, depth)

    def _scaling_group(self, properties: Properties, reference: str, scope: Scope, depth: int) -> None:
        """As many as are desired, else the least."""
        least = properties.whole("min_size", MOST_RESOURCES, needed=True) or 0
        count = properties.whole("desired_capacity", MOST_RESOURCES)
        self._repeat(properties, "resource", least if count is None else count, INDEX, reference, scope, depth)

    def _repeat(
        self, properties: Properties, field: str, count: int, variable: str, reference: str, scope: Scope, depth: int
    ) -> None:
        definition = properties.raw(field)
        where = scope.where
        if not isinstance(definition, dict) or not isinstance(definition.get("type"), str):
            raise InputError(f"{where}: {field}: {shown(definition)} is not an object with a type")
        data = definition.get("properties") or {}
        if not isinstance(data, dict):
            raise InputError(f"{where}: {field}: properties: {shown(data)} is not an object")
        for number in range(count):
            scope.where = f"{where}[{number}]"
            own = replaced(data, variable, str(number), scope)
            self.make(definition["type"], own, f"{reference}.{number}", scope, depth + 1)
        scope.where = where


def parameter_value(
    where: str, name: str, parameter: Mapping[str, Any], given: Mapping[str, Any], evaluated: bool = False
) -> Any:
    """The value of a parameter, in its type; Unknown without one. evaluated: whether those given are a stack's."""
    value = given.get(name)
    if value is None:
        value = parameter.get("default")
    if value is None:
        return Unknown(name, parameter=True)
    if evaluated and next(unknowns(value), None) is not None:
        return value
    kind = parameter.get("type", "string")
    if kind == "number":
        return _number(where, value)
    if kind == "comma_delimited_list":
        items = value.split(",") if isinstance(value, str) and value else value or []
        if not isinstance(items, list) or not all(isinstance(item, str | int | float) for item in items):
            raise InputError(f"{where}: {shown(value)} is not a list of texts")
        return [str(item) for item in items]
    if kind == "boolean":
        found = TRUTHS.get(str(value).strip().casefold()) if isinstance(value, str | int) else None
        if found is None:
            raise InputError(f"{where}: {shown(value)} is not a boolean")
        return found
    if kind == "json" and isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise InputError(f"{where}: {shown(value)} is not JSON") from None
    return str(value) if isinstance(value, int | float) and kind == "string" else value


def _number(where: str, value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, str) and len(value) < 100:
            try:
                return kind(value)
            except ValueError:
                continue
    raise InputError(f"{where}: {shown(value)} is not a number")
