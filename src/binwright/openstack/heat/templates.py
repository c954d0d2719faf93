"""HOT templates and environments as they stand in files: their sections, checked; and which of them are whole stacks.

A template whose file name is another's resource type is nested in that one. Evaluates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from binwright.errors import InputError
from binwright.units import shown

__all__ = [
    "VERSION",
    "Environment",
    "Template",
    "is_environment",
    "is_template",
    "nested_name",
    "read_environment",
    "read_template",
    "roots",
]

VERSION = "heat_template_version"
ENVIRONMENT_KEYS = {"parameters", "parameter_defaults", "resource_registry", "encrypted_param_names", "event_sinks"}
NESTED = re.compile(r"\.(?:ya?ml|template)$")
PACKED = re.compile(r"\.(?:gz|xz)$")


@dataclass(frozen=True, slots=True)
class Template:
    """One template: `file` as errors name it, `name` its base name, and its sections."""

    file: str
    name: str
    parameters: Mapping[str, Mapping[str, Any]]
    conditions: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Environment:
    """Values of parameters, and what other types stand for, from all environment files."""

    parameters: dict[str, Any] = field(default_factory=dict)
    registry: dict[str, str] = field(default_factory=dict)


def is_template(document: Any) -> bool:
    """Whether a document is a HOT template."""
    return isinstance(document, dict) and VERSION in document


def is_environment(document: Any) -> bool:
    """Whether a document is an environment of templates."""
    return isinstance(document, dict) and bool(document) and document.keys() <= ENVIRONMENT_KEYS


def read_template(file: str, document: Mapping[str, Any]) -> Template:
    """A template's sections. Raises InputError."""
    resources = _section(file, document, "resources")
    for name, resource in resources.items():
        where = f"{file}: resource {name}"
        if not isinstance(resource, dict):
            raise InputError(f"{where}: {shown(resource)} is not an object")
        if not isinstance(resource.get("type"), str):
            raise InputError(f"{where}: type: missing")
        if not isinstance(resource.get("properties") or {}, dict):
            raise InputError(f"{where}: properties: {shown(resource['properties'])} is not an object")
    parameters = _section(file, document, "parameters")
    for name, parameter in parameters.items():
        if not isinstance(parameter, dict):
            raise InputError(f"{file}: parameter {name}: {shown(parameter)} is not an object")
    return Template(file, _base(file), parameters, _section(file, document, "conditions"), resources)


def read_environment(file: str, document: Mapping[str, Any], into: Environment) -> None:
    """Take over an environment; a later file goes before an earlier one. Raises InputError."""
    into.parameters |= _section(file, document, "parameter_defaults") | _section(file, document, "parameters")
    for name, target in _section(file, document, "resource_registry").items():
        if isinstance(target, str):  # others are hooks of single resources
            into.registry[name] = target


def roots(templates: Iterable[Template], environment: Environment) -> list[Template]:
    """The templates that no other one is nested with. Raises InputError where each is nested in another."""
    templates = list(templates)
    nested = {_base(target) for target in environment.registry.values()}
    for template in templates:
        nested |= {_base(kind) for kind in _types(template) if NESTED.search(kind) and _base(kind) != template.name}
    found = [template for template in templates if template.name not in nested]
    if templates and not found:
        raise InputError(f"{templates[0].file}: the templates are nested in each other, none of them is the stack")
    return found


def nested_name(kind: str) -> str | None:
    """The base name of the template that a resource type is, None for a type of the service's."""
    return _base(kind) if NESTED.search(kind) else None


def _types(template: Template) -> Iterator[str]:
    """Resource types of a template, those in groups too."""
    pending: list[Any] = list(template.resources.values())
    seen: set[int] = set()  # an alias may lead to one definition by many ways
    while pending:
        resource = pending.pop()
        if isinstance(resource, dict) and id(resource) not in seen:
            seen.add(id(resource))
            if isinstance(resource.get("type"), str):
                yield resource["type"]
            properties = resource.get("properties")
            if isinstance(properties, dict):
                pending += [properties.get("resource_def"), properties.get("resource")]


def _section(file: str, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputError(f"{file}: {name}: {shown(found)} is not an object")
    return found


def _base(file: str) -> str:
    return PACKED.sub("", PurePath(file).name)
