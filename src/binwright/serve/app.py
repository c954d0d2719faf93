"""The service's paths: which request does what, and how every way of ending becomes a status and a body.

Knows HTTP; what an answer says comes from the services behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

import msgspec

from binwright.errors import BinwrightError, MissingExtraError
from binwright.serve.extender import ExtenderService
from binwright.serve.logs import log
from binwright.serve.metrics import CONTENT_TYPE
from binwright.serve.nova import NovaService
from binwright.serve.overview import overview
from binwright.serve.requests import Door, Limits, Refused

try:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("starlette", extra="serve") from missing

__all__ = ["make_app"]

_VERBS = ("filter", "prioritize", "preempt", "bind")
_PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

Answerer = Callable[[Request], Awaitable[Response]]


def make_app(
    service: ExtenderService,
    limits: Limits,
    background: Callable[[], Awaitable[None]] | None = None,
    nova: NovaService | None = None,
) -> Any:
    """The ASGI application. background: what else runs as long as the service does. nova: a cloud to answer for."""

    door = Door(limits)

    def guarded(path: str, answer: Answerer, *, open_to_all: bool = False) -> Answerer:
        async def endpoint(request: Request) -> Response:
            response = await _answered(request, answer, None if open_to_all else door)
            service.metrics.requested(path, response.status_code)
            return response

        return endpoint

    def route(path: str, methods: list[str], answer: Answerer, *, open_to_all: bool = False) -> Route:
        return Route(path, guarded(path, answer, open_to_all=open_to_all), methods=methods)

    def of_verb(verb: str) -> Answerer:
        async def answer(request: Request) -> Response:
            body = await door.body(request)
            if service.follows and not service.ready():  # nodes without their pods would seem empty
                raise Refused(503, f"the state of {service.source} is not read yet")
            return _json(await service.ask(verb, body))

        return answer

    async def put_state(request: Request) -> Response:
        return _json(service.put_state(await door.body(request)))

    async def post_events(request: Request) -> Response:
        return _json(await service.post_events(await door.body(request)))

    async def ask_nova(request: Request) -> Response:
        if nova is None:
            raise Refused(404, "no cloud is served here: begin with --cloud")
        return _json(nova.ask(await door.body(request)))

    async def health(request: Request) -> Response:
        return Response("ok\n", media_type="text/plain")

    async def ready(request: Request) -> Response:
        is_ready = service.ready()
        return Response("ok\n" if is_ready else "no state yet\n", 200 if is_ready else 503, media_type="text/plain")

    async def metrics(request: Request) -> Response:
        return Response(service.metrics.text(), media_type=CONTENT_TYPE)

    async def show_overview(request: Request) -> Response:
        return _json(overview(service))

    page = files("binwright.serve").joinpath("page.html").read_bytes()

    async def show_page(request: Request) -> Response:
        return Response(page, headers=_PAGE_HEADERS, media_type="text/html")

    async def nowhere(request: Request, problem: Exception) -> Response:
        status = problem.status_code if isinstance(problem, HTTPException) else 500
        service.metrics.requested("other", status)
        return _error(status, "no such path" if status == 404 else "this path takes another method")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = [asyncio.create_task(service.tick())]
        if background is not None:
            running.append(asyncio.ensure_future(background()))
        yield
        for task in running:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    app = Starlette(
        routes=[
            *(route(f"/v1/{verb}", ["POST"], of_verb(verb)) for verb in _VERBS),
            route("/v1/state", ["PUT"], put_state),
            route("/v1/events", ["POST"], post_events),
            route("/scheduler/nova/external", ["POST"], ask_nova),
            route("/v1/overview", ["GET"], show_overview),
            route("/metrics", ["GET"], metrics),
            route("/healthz", ["GET"], health, open_to_all=True),
            route("/readyz", ["GET"], ready, open_to_all=True),
            route("/", ["GET"], show_page, open_to_all=True),
        ],
        exception_handlers={404: nowhere, 405: nowhere},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # it would send clients to whatever host they name
    return app


async def _answered(request: Request, answer: Answerer, door: Door | None) -> Response:
    """door: None where everybody may ask."""
    try:
        if door is not None:
            door.check_host(request)
            door.check_origin(request)
            door.check_token(request)
        return await answer(request)
    except Refused as refused:
        log(logging.WARNING, "refused", path=request.url.path, status=refused.status, error=str(refused))
        return _error(refused.status, str(refused))
    except BinwrightError as problem:
        log(logging.WARNING, "refused", path=request.url.path, status=400, error=str(problem))
        return _error(400, str(problem))
    except RecursionError:
        log(logging.WARNING, "refused", path=request.url.path, status=400, error="nested too deeply")
        return _error(400, "the body is nested too deeply")
    except Exception:
        log(logging.ERROR, "internal error", path=request.url.path, exc_info=True)
        return _error(500, "internal error, a defect of binwright; its log has the traceback")


def _error(status: int, text: str) -> Response:
    """What is left of the body is not read: the connection ends."""
    headers = {"connection": "close"}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    body = msgspec.json.encode({"error": text})
    return Response(body, status, headers, media_type="application/json")


def _json(value: Any) -> Response:
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return Response(body, media_type="application/json")
