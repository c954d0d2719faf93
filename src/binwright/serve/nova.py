"""Nova's external scheduler as a service: a dump of a cloud, read again when its files change, behind one call."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import msgspec

from binwright.errors import BinwrightError
from binwright.formats.files import read_path
from binwright.openstack.dumps import read_dump
from binwright.openstack.external_scheduler import ExternalScheduler
from binwright.openstack.nova.conf import NovaConf
from binwright.serve.journal import Decision, Journal
from binwright.serve.logs import log
from binwright.serve.metrics import Metrics

__all__ = ["NovaService"]

LOOK_SECONDS = 5.0


class NovaService:
    """The cloud of one dump. Raises InputError for a dump that cannot be read at first; later the old one stays."""

    def __init__(self, path: str, conf: NovaConf, journal: Journal, metrics: Metrics) -> None:
        self._path = path
        self._conf = conf
        self._journal = journal
        self._metrics = metrics
        self._stamp = self._stamped()
        self._looked = time.monotonic()
        self._scheduler = self._read()

    def ask(self, body: bytes) -> bytes:
        """The answer to POST /scheduler/nova/external. Raises InputError for a call that is no such thing."""
        begin = time.perf_counter()
        self._follow()
        found = self._scheduler.rank(body)
        refused = found.asked - len(found.hosts)
        reasons = [("Nova", "refused by a filter or a weigher's rules", refused)] if refused else []
        if found.unknown:
            reasons.append(("binwright", "host is not in the dump; left where Nova's weights put it", found.unknown))
        decision = Decision(
            time.time(),
            "schedule",
            f"server {found.instance}",
            found.asked,
            len(found.hosts),
            found.hosts[0] if found.hosts else None,
            None,
            reasons,
            time.perf_counter() - begin,
        )
        self._journal.write(decision)
        self._metrics.decided("nova", decision)
        return msgspec.json.encode({"hosts": found.hosts})

    def _follow(self) -> None:
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        stamp = self._stamped()
        if stamp != self._stamp:
            try:
                self._scheduler = self._read()
                self._stamp = stamp
                log(logging.INFO, "cloud read again", path=self._path)
            except (BinwrightError, OSError) as problem:  # half written: the next look finds it whole
                log(logging.WARNING, "cloud not read", path=self._path, error=str(problem))

    def _read(self) -> ExternalScheduler:
        return ExternalScheduler(read_dump(self._path, read_path(self._path)), self._conf)

    def _stamped(self) -> tuple[tuple[str, int, int], ...]:
        root = Path(self._path)
        files = sorted(one for one in root.rglob("*") if one.is_file()) if root.is_dir() else [root]
        stats = ((str(one), one.stat()) for one in files)
        return tuple((name, found.st_mtime_ns, found.st_size) for name, found in stats)
