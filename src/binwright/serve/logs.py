"""Structured logs: one JSON object a line on standard error, with time, level, event and what the caller adds."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

__all__ = ["log", "set_up"]

_LOGGER = logging.getLogger("binwright.serve")


class JsonLines(logging.Formatter):
    """A record as one line of JSON; records of other libraries too."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.name != _LOGGER.name:
            line["logger"] = record.name
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def set_up(verbose: bool) -> None:
    """Send the logs of this process to standard error; verbose: every decision as well."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in (_LOGGER.name, "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.WARNING if name != _LOGGER.name else logging.INFO)
    if verbose:
        _LOGGER.setLevel(logging.DEBUG)


def log(level: int, event: str, *, exc_info: bool = False, **fields: Any) -> None:
    """One line, if the level is shown."""
    if _LOGGER.isEnabledFor(level):
        _LOGGER.log(level, event, exc_info=exc_info, extra={"fields": fields})
