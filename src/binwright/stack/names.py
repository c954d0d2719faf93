"""Names of objects over several sources: SOURCE/NAMESPACE/NAME, and the shortest suffix of it that is unambiguous."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from binwright.errors import InputError
from binwright.units import shown

SHOWN = 3
NAMES = "SOURCE/NAMESPACE/NAME or the end of it"


class HasName(Protocol):
    """What every named object of a result has."""

    @property
    def source(self) -> str: ...
    @property
    def namespace(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> str | None: ...


Thing = TypeVar("Thing", bound=HasName)


def full_name(thing: HasName) -> str:
    """SOURCE/NAMESPACE/NAME, SOURCE/NAME for what has no namespace."""
    return "/".join(part for part in (thing.source, thing.namespace, thing.name) if part)


def matching(things: Iterable[Thing], name: str) -> list[Thing]:
    """The things that `name` may mean: the one whose full name it is, else all whose full name ends in it or whose uid
    it is.
    """
    found = []
    for thing in things:
        full = full_name(thing)
        if full == name:
            return [thing]
        if full.endswith(f"/{name}") or thing.uid == name:
            found.append(thing)
    return found


def find_named(things: Iterable[Thing], name: str, what: str = "object") -> Thing:
    """The one thing whose full name is `name` or ends in "/" + `name`; a uid is accepted too.

    Raises InputError for an empty name, when there is none (it says no `what`), or when several match and none is
    equal, with the first few named.
    """
    if not name.strip():
        raise InputError(f"{shown(name)}: the name is empty, so it means no {what} (names are {NAMES})")
    matches = matching(things, name)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise InputError(f"{name}: no {what} of this name (names are {NAMES})")
    first = ", ".join(full_name(thing) for thing in matches[:SHOWN])
    more = f" and {len(matches) - SHOWN} more" if len(matches) > SHOWN else ""
    raise InputError(f"{name}: ambiguous, could be {first}{more}")
