"""What is accepted of a client's requests: who may ask, how large and how slow a body may be.

Every refusal is a status and one line; nothing behind this door sees a request that is not whole.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
from dataclasses import dataclass

from binwright.errors import MissingExtraError

try:
    from starlette.requests import ClientDisconnect, Request
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module(missing.name or "starlette", extra="serve") from missing

__all__ = ["Door", "Limits", "Refused"]

AT_ONCE = 8
DENSE = 8
FEW_COMMAS = 100_000
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")


class Refused(Exception):
    """A request that is not taken: `status` and one line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """body_bytes: the largest body; body_seconds: how long it may take to arrive; token: what clients must show; hosts:
    the names, in lower case, by which clients may call this service besides localhost; None: any.
    """

    body_bytes: int = 64 * 2**20
    body_seconds: float = 10.0
    token: str | None = None
    hosts: frozenset[str] | None = frozenset()


class Door:
    """Who may come in, and with how much. Bodies on their way together hold at most `AT_ONCE` of the largest size."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    def check_token(self, request: Request) -> None:
        """Raises Refused 401 where a token is asked for and another one, or none, was shown."""
        if self._limits.token is None:
            return
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(shown.strip().encode(), self._limits.token.encode())
        if scheme.lower() != "bearer" or not right:
            raise Refused(401, "a bearer token is wanted: Authorization: Bearer TOKEN")

    def check_host(self, request: Request) -> None:
        """Raises Refused 421 for a name that is not this service's: one that somebody's DNS leads here, to have a
        browser take this service for a part of their site. An address is no such name, and browsers always send one.
        """
        host = request.headers.get("host")
        if self._limits.hosts is None or host is None:
            return
        found = _HOST.fullmatch(host.strip())
        name = found.group(1).lower().removesuffix(".") if found else ""
        if name in self._limits.hosts or name == "localhost" or name.endswith(".localhost") or _is_address(name):
            return
        raise Refused(421, f"this service does not answer to the name {name[:100]!r} (--allow-host)")

    @staticmethod
    def check_origin(request: Request) -> None:
        """Raises Refused 403 for what a page of another site sends: a browser that runs here would carry it in."""
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
            raise Refused(403, "pages of other sites are not answered")

    async def body(self, request: Request) -> bytes:
        """The whole body. Raises Refused: 413 for one that is too large or has too many values for its size (each of
        which becomes an object of dozens of bytes), 408 for one that is too slow, 503 where too many others are on
        their way.
        """
        limits = self._limits
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limits.body_bytes:
            raise Refused(413, f"the body has {announced} bytes, more than {limits.body_bytes}")
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(limits.body_seconds):
                async for part in request.stream():
                    size += len(part)
                    self._held += len(part)
                    if size > limits.body_bytes:
                        raise Refused(413, f"the body has more than {limits.body_bytes} bytes")
                    if self._held > AT_ONCE * limits.body_bytes:
                        raise Refused(503, "too many bodies are on their way")
                    parts.append(part)
        except TimeoutError:
            raise Refused(408, f"the body was not there after {limits.body_seconds:g} s") from None
        except ClientDisconnect:
            raise Refused(400, "the client went away in the middle of the body") from None
        finally:
            self._held -= size
        body = b"".join(parts)
        commas, most = body.count(b","), FEW_COMMAS + size // DENSE
        if commas > most:
            raise Refused(413, f"the body has {commas} commas in {size} bytes, more than {most}")
        return body


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
