"""Runs an application: one process, one thread, loopback unless told otherwise, TLS, a clean end on SIGTERM."""

from __future__ import annotations

import ipaddress
import logging
import os
import signal
import socket
import ssl
from dataclasses import dataclass
from typing import Any

from binwright.errors import InputError, MissingExtraError
from binwright.serve.connections import GuardedProtocol
from binwright.serve.logs import log

try:
    import uvicorn
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("uvicorn", extra="serve") from missing

__all__ = ["Listening", "make_server", "serve"]

MOST_CONNECTIONS = 1024
KEEP_ALIVE_SECONDS = 120  # longer than Go's clients keep theirs, so that the server is never the first to hang up
SHUTDOWN_SECONDS = 10


@dataclass(frozen=True)
class Listening:
    """Where, and behind which keys. client_ca: clients must show a certificate of this authority."""

    host: str = "127.0.0.1"
    port: int = 8890
    cert: str | None = None
    key: str | None = None
    client_ca: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def serve(app: Any, where: Listening) -> None:
    """Serve until SIGTERM or Ctrl-C; requests that are under way get their answers.

    Raises InputError for an address that is taken and for keys that cannot be read.
    """
    server, listener = make_server(app, where)
    host, port = listener.getsockname()[:2]
    log(logging.INFO, "listening", host=host, port=port, tls=where.cert is not None, pid=os.getpid())
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # the server raises it once more when it has ended
    try:
        server.run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)
        listener.close()
    log(logging.INFO, "stopped")


def make_server(app: Any, where: Listening) -> tuple[uvicorn.Server, socket.socket]:
    """The server, and the socket on which it is to run."""
    if (where.cert is None) != (where.key is None):
        raise InputError("--tls-cert and --tls-key: one without the other")
    if where.client_ca is not None and where.cert is None:
        raise InputError("--client-ca: wants --tls-cert and --tls-key as well")
    config = uvicorn.Config(
        app,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ssl_certfile=where.cert,
        ssl_keyfile=where.key,
        ssl_ca_certs=where.client_ca,
        ssl_cert_reqs=ssl.CERT_NONE if where.client_ca is None else ssl.CERT_REQUIRED,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as problem:
        raise InputError(f"TLS: {problem}") from None
    return uvicorn.Server(config), _listen(where)


def _listen(where: Listening) -> socket.socket:
    if not 0 <= where.port < 2**16:
        raise InputError(f"{where.host} port {where.port}: is not in 0..65535")
    try:
        family = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((where.host, where.port), family=family, backlog=2048)
    except socket.gaierror as problem:
        raise InputError(f"{where.host} port {where.port}: {problem.strerror}") from None
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno else str(problem)
        raise InputError(f"{where.host} port {where.port}: {why}") from None
