"""A refusal by Placement: HTTP status, error code, message. Source: openstack spec 1.4."""

from __future__ import annotations

UNDEFINED = "placement.undefined_code"
BAD_VALUE = "placement.query.bad_value"
DUPLICATE_KEY = "placement.query.duplicate_key"
MISSING_VALUE = "placement.query.missing_value"
CONCURRENT_UPDATE = "placement.concurrent_update"
PROVIDER_IN_USE = "placement.resource_provider.inuse"
CANNOT_DELETE_PARENT = "placement.resource_provider.cannot_delete_parent"
INVENTORY_IN_USE = "placement.inventory.inuse"

TITLES = {400: "Bad Request", 404: "Not Found", 409: "Conflict"}


class Fault(Exception):
    """Raised by every rule that refuses a call."""

    def __init__(self, detail: str, status: int = 400, code: str = UNDEFINED) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code

    def body(self, microversion: tuple[int, int]) -> dict:
        """The JSON body; `code` exists from 1.23 on, and not for an unknown route (spec 1.4)."""
        error = {"status": self.status, "title": TITLES[self.status], "detail": self.detail}
        if microversion >= (1, 23):
            error["code"] = self.code
        return {"errors": [error]}
