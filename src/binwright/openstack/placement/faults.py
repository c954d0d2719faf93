"""Placement's refusals: an HTTP status and a code, as an exception that can be written as the API's JSON.

Texts follow the service where it has a fixed one; status and code are what clients rely on (openstack spec 1.4).
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from binwright.errors import InputError

__all__ = [
    "BAD_VALUE",
    "CANNOT_DELETE_PARENT",
    "CONCURRENT_UPDATE",
    "DUPLICATE_KEY",
    "DUPLICATE_NAME",
    "INVENTORY_IN_USE",
    "MISSING_VALUE",
    "PROVIDER_IN_USE",
    "UNDEFINED_CODE",
    "Fault",
    "no_such_class",
    "no_such_traits",
]

UNDEFINED_CODE = "placement.undefined_code"
BAD_VALUE = "placement.query.bad_value"
DUPLICATE_KEY = "placement.query.duplicate_key"
MISSING_VALUE = "placement.query.missing_value"
CONCURRENT_UPDATE = "placement.concurrent_update"
INVENTORY_IN_USE = "placement.inventory.inuse"
PROVIDER_IN_USE = "placement.resource_provider.inuse"
CANNOT_DELETE_PARENT = "placement.resource_provider.cannot_delete_parent"
DUPLICATE_NAME = "placement.duplicate_name"

TITLES = {400: "Bad Request", 404: "Not Found", 406: "Not Acceptable", 409: "Conflict"}
PREAMBLES = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    404: "The resource could not be found.",
    406: "The resource could not be generated that was acceptable to your browser.",
    409: "There was a conflict when trying to complete your request.",
}
CODES_SINCE = (1, 23)


class Fault(InputError):
    """One refused call. `status` is the HTTP status, `code` Placement's own, `detail` says what was wrong.

    A code of None: there is no such route, which the service tells in fewer words.
    """

    def __init__(self, status: int, detail: str, code: str | None = UNDEFINED_CODE) -> None:
        super().__init__(f"{status} {TITLES[status]}: {detail}")
        self.status = status
        self.detail = detail
        self.code = code

    def to_dict(self, microversion: tuple[int, int], request_id: str = "") -> dict[str, Any]:
        """The body of the API's answer, with a code from 1.23 on."""
        error: dict[str, Any] = {
            "status": self.status,
            "title": TITLES[self.status],
            "detail": PREAMBLES[404] if self.code is None else f"{PREAMBLES[self.status]}\n\n {self.detail}  ",
        }
        if microversion >= CODES_SINCE and self.code is not None:
            error["code"] = self.code
        error["request_id"] = request_id
        return {"errors": [error]}


def no_such_class(name: str) -> Fault:
    """A resource class that does not exist."""
    return Fault(400, f"Invalid resource class in resources parameter: No such resource class {name}.")


def no_such_traits(names: Set[str]) -> Fault:
    """Traits that do not exist; named in order, where the service's order is a set's."""
    return Fault(400, f"No such trait(s): {', '.join(sorted(names))}.")
