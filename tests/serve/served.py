"""A service on a free port of loopback, in a thread of the test, and a plain client of it."""

import http.client
import json
import ssl
import threading
import time
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")
pytest.importorskip("prometheus_client", reason="the extra serve is not installed")

from binwright.serve.app import make_app
from binwright.serve.extender import ExtenderService
from binwright.serve.requests import Limits
from binwright.serve.run import Listening, make_server

LIMITS, ANY_PORT = Limits(), Listening(port=0)


class Served:
    """`with Served(service) as served: served.post("/v1/filter", {...})`."""

    def __init__(
        self, service: ExtenderService, limits: Limits = LIMITS, where: Listening = ANY_PORT, **more: Any
    ) -> None:
        self.service = service
        self._server, self._socket = make_server(make_app(service, limits, **more), where)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        self._socket.close()

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """(status, body) of one request on a connection of its own."""
        if context is not None:
            line: Any = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=context)
        else:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            line.request(method, path, data, headers or {})
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def post(self, path: str, body: Any) -> Any:
        """The JSON of an answer that is 200."""
        status, data = self.ask("POST", path, body)
        assert status == 200, data
        return json.loads(data)

    def put(self, path: str, body: Any) -> Any:
        status, data = self.ask("PUT", path, body)
        assert status == 200, data
        return json.loads(data)


def listed(*objects: dict[str, Any]) -> dict[str, Any]:
    """A List of objects."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def event(kind: str, found: dict[str, Any]) -> dict[str, Any]:
    """A watch event."""
    return {"type": kind, "object": found}
