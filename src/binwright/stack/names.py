"""Names of objects over several sources: SOURCE/NAMESPACE/NAME, and the shortest suffix of it that is unambiguous."""

from collections.abc import Iterable

from binwright.errors import InputError
from binwright.outcome import Outcome

SHOWN = 3


def full_name(outcome: Outcome) -> str:
    """SOURCE/NAMESPACE/NAME, SOURCE/NAME for what has no namespace."""
    return "/".join(part for part in (outcome.source, outcome.namespace, outcome.name) if part)


def find_outcome(outcomes: Iterable[Outcome], name: str) -> Outcome:
    """The one outcome whose full name is `name` or ends in "/" + `name`; a uid is accepted too.

    Raises InputError when there is none, or when several match and none is equal, with the first few named.
    """
    matches = []
    for outcome in outcomes:
        full = full_name(outcome)
        if full == name:
            return outcome
        if full.endswith(f"/{name}") or outcome.uid == name:
            matches.append(outcome)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise InputError(f"{name}: no pending object of this name (names are SOURCE/NAMESPACE/NAME or the end of it)")
    shown = ", ".join(full_name(outcome) for outcome in matches[:SHOWN])
    more = f" and {len(matches) - SHOWN} more" if len(matches) > SHOWN else ""
    raise InputError(f"{name}: ambiguous, could be {shown}{more}")
