"""A cloud asked live: every table of the dump layout by the services' own APIs, a bounded number of calls at a time.

Takes a connection of openstacksdk (or what looks like one: an attribute per service with `get` and
`get_endpoint_data`) and never imports it. Hands out what the files of a dump hold; reads nothing of their meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from binwright.errors import InputError
from binwright.units import shown

__all__ = ["PARALLEL", "Collected", "Progress", "collect"]

Progress = Callable[[str, int, int], None]
"""Called with what was fetched last, how many answers there are, and how many will be as far as is known."""

PARALLEL = 8
PAGE = 1000
PLACEMENT_VERSION = (1, 14)
EXTRA_SPECS_SINCE = (2, 61)
NEEDED = ("compute", "placement")
ABSENT = ("EndpointNotFound", "NotSupported", "ServiceDisabledException")
"""What the library raises where a cloud has no such service, rather than one that does not answer."""


@dataclass(frozen=True, slots=True)
class Table:
    """One list of an API. version: the newest that is asked; paged: how there is more than one page of it."""

    file: str
    service: str
    path: str
    key: str
    version: tuple[int, int] | None = None
    paged: str = ""


# Hypervisors at 2.53, because later versions do not tell capacity; aggregates from 2.41 on with uuid.
TABLES = (
    Table("servers", "compute", "/servers/detail?all_tenants=True", "servers", (2, 100), "marker"),
    Table("flavors", "compute", "/flavors/detail?is_public=None", "flavors", EXTRA_SPECS_SINCE, "marker"),
    Table("hypervisors", "compute", "/os-hypervisors/detail", "hypervisors", (2, 53), "marker"),
    Table("services", "compute", "/os-services", "services", (2, 53)),
    Table("aggregates", "compute", "/os-aggregates", "aggregates", (2, 41)),
    Table("server_groups", "compute", "/os-server-groups?all_projects=True", "server_groups", (2, 64), "offset"),
    Table("providers", "placement", "/resource_providers", "resource_providers", PLACEMENT_VERSION),
    Table("volumes", "block_storage", "/volumes/detail?all_tenants=True", "volumes", paged="marker"),
    Table("volume_types", "block_storage", "/types?is_public=None", "volume_types", paged="marker"),
    Table("volume_services", "block_storage", "/os-services", "services"),
    Table("pools", "block_storage", "/scheduler-stats/get_pools?detail=True", "pools"),
    Table("ports", "network", "/ports", "ports", paged="marker"),
    Table("networks", "network", "/networks", "networks", paged="marker"),
    Table("qos_policies", "network", "/qos/policies", "policies", paged="marker"),
    Table("baremetal_nodes", "baremetal", "/nodes/detail", "nodes", (1, 37), "marker"),
)
QUOTAS = {
    "compute": (("/os-quota-sets/{}/detail",), "quota_set"),
    "network": (("/quotas/{}/details", "/quotas/{}"), "quota"),
    "block_storage": (("/os-quota-sets/{}?usage=True",), "quota_set"),
}
"""Service -> paths of a project's quotas, of which the first is the better one, and the key of the answer."""
PARTS = {
    "inventories": ("inventories", "inventories"),
    "traits": ("traits", "traits"),
    "allocations": ("allocations", "allocations"),
    "provider_aggregates": ("aggregates", "aggregates"),
}
"""Folder of the layout -> the last word of the path, and the key of the answer."""


@dataclass(slots=True)
class Collected:
    """Path of the layout without suffix ("servers", "traits/UUID") -> JSON value; what was left out, in lines."""

    files: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class _Refused(InputError):
    """An answer that is none; the status is None where there was no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def collect(connection: Any, *, parallel: int = PARALLEL, progress: Progress | None = None) -> Collected:
    """Ask for everything; nothing is changed in the cloud.

    parallel: calls at a time. A service that the cloud does not offer, or a list of another service than compute and
    Placement that may not be read, is left out with a note. Raises InputError, one line with service and path, where
    compute is not there, and where compute or Placement cannot be read.
    """
    collected = Collected()
    adapters = _adapters(connection, collected)
    with ThreadPoolExecutor(parallel) as pool:
        try:
            _collect_all(pool, adapters, collected, progress or (lambda *_: None))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what has not been asked yet is not asked any more
            raise
    return collected


def _collect_all(
    pool: ThreadPoolExecutor, adapters: dict[str, _Adapter], collected: Collected, report: Progress
) -> None:
    """The tables, then what needs them."""
    tables = [table for table in TABLES if table.service in adapters]
    answers = pool.map(lambda table: _rows_or_refusal(adapters[table.service], table), tables)
    for done, (table, answer) in enumerate(zip(tables, answers), 1):
        if isinstance(answer, _Refused):
            collected.notes.append(f"{table.file}: left out: {answer}")
        else:
            collected.files[table.file] = answer
        report(table.file, done, len(tables))
    compute = adapters["compute"]
    if compute.newest is not None and tuple(compute.newest) < EXTRA_SPECS_SINCE:
        flavors = collected.files["flavors"]
        specs = pool.map(lambda flavor: _extra_specs(compute, flavor), flavors)
        collected.files["flavors"] = [flavor | {"extra_specs": one} for flavor, one in zip(flavors, specs)]
    _collect_quotas(pool, adapters, collected)
    report("quotas", len(tables) + 1, len(tables) + 1)
    if "providers" in collected.files:
        _collect_parts(pool, adapters["placement"], collected, len(tables) + 1, report)


def _collect_quotas(pool: ThreadPoolExecutor, adapters: dict[str, _Adapter], collected: Collected) -> None:
    """The quotas of every project that has servers; a service that does not tell them is left out, and said once."""
    owners = (row.get("tenant_id") or row.get("project_id") for row in collected.files["servers"])
    projects = sorted({one for one in owners if isinstance(one, str)})
    tasks = [(service, project) for service in QUOTAS if service in adapters for project in projects]
    rows = []
    for (service, project), told in zip(tasks, pool.map(lambda task: _quota(adapters[task[0]], task[1]), tasks)):
        if isinstance(told, _Refused):
            if not any(note.startswith(f"quotas of {service}:") for note in collected.notes):
                collected.notes.append(f"quotas of {service}: left out: {told}")
        else:
            rows.append({**told, "project_id": project, "service": service})
    if rows:
        collected.files["quotas"] = rows


def _quota(adapter: _Adapter, project: str) -> dict[str, Any] | _Refused:
    paths, key = QUOTAS[adapter.service]
    refused: _Refused | None = None
    for path in paths:
        try:
            body = adapter.get(path.format(project), None)
        except _Refused as problem:
            refused = refused or problem
            continue
        if isinstance(body, dict) and isinstance(body.get(key), dict):
            return dict(body[key])
        refused = refused or _Refused(f"{adapter.service} {path.format(project)}: no {key} in the answer")
    return refused or _Refused(f"{adapter.service}: no quotas")


def _collect_parts(
    pool: ThreadPoolExecutor, adapter: _Adapter, collected: Collected, done: int, report: Progress
) -> None:
    """The four parts of each provider; one that was deleted meanwhile is left out."""
    uuids = [_uuid(provider) for provider in collected.files["providers"]]
    tasks = [(folder, uuid) for uuid in uuids for folder in PARTS]
    total = done + len(tasks)
    gone: set[str] = set()
    parts: dict[str, Any] = {}
    for (folder, uuid), part in zip(tasks, pool.map(lambda task: _part(adapter, *task), tasks)):
        if part is None:
            gone.add(uuid)
        else:
            parts[f"{folder}/{uuid}"] = part
        done += 1
        report(f"{folder}/{uuid}", done, total)
    collected.files |= {name: part for name, part in parts.items() if name.partition("/")[2] not in gone}
    if gone:
        collected.notes.append(f"providers: left out, deleted while they were read: {', '.join(sorted(gone))}")
        rows = collected.files["providers"]
        collected.files["providers"] = [one for one in rows if one["uuid"] not in gone]


def _uuid(provider: Any) -> str:
    uuid = provider.get("uuid") if isinstance(provider, dict) else None
    if not isinstance(uuid, str):
        raise InputError(f"placement /resource_providers: {shown(provider)} has no uuid")
    return uuid


def _adapters(connection: Any, collected: Collected) -> dict[str, _Adapter]:
    """The services that there are, reached and with their versions known before any thread asks."""
    adapters: dict[str, _Adapter] = {}
    for service in dict.fromkeys(table.service for table in TABLES):
        why = "not in the catalogue"
        try:
            proxy = getattr(connection, service)
            data = proxy.get_endpoint_data()
            if data is not None:
                adapters[service] = _Adapter(service, proxy, data.max_microversion)
                continue
        except Exception as problem:  # the library's many
            why = _said(problem)
            if service in NEEDED and type(problem).__name__ not in ABSENT:
                raise InputError(f"{service}: {why}") from None
        if service == "compute":
            raise InputError(f"{service}: {why}")
        collected.notes.append(f"{service}: not offered: {why}")
    return adapters


class _Adapter:
    """One service's `get`, at the newest version that both sides know, with one-line errors."""

    def __init__(self, service: str, proxy: Any, newest: tuple[int, int] | None) -> None:
        self.service = service
        self.newest = newest
        self._proxy = proxy

    def get(self, path: str, version: tuple[int, int] | None) -> Any:
        """JSON of an answer. Raises _Refused."""
        where = f"{self.service} {path}"
        more = {}
        if version is not None:
            newest = version if self.newest is None else min(version, tuple(self.newest))
            more["microversion"] = "{}.{}".format(*newest)
        try:
            answer = self._proxy.get(path, **more)
        except Exception as problem:  # a connection that fails, a token that is refused: the library's many
            raise _Refused(f"{where}: {_said(problem)}", getattr(problem, "status_code", None)) from None
        if answer.status_code != 200:
            raise _Refused(f"{where}: {answer.status_code} {_message(answer)}".rstrip(), answer.status_code)
        try:
            return answer.json()
        except ValueError:
            raise _Refused(f"{where}: the answer is not JSON") from None


def _rows_or_refusal(adapter: _Adapter, table: Table) -> list[Any] | _Refused:
    """The rows of a table; for one that may be left out also why there are none."""
    try:
        return list(_rows(adapter, table))
    except _Refused as refused:
        if table.service in NEEDED:
            raise
        return refused


def _rows(adapter: _Adapter, table: Table) -> Iterator[Any]:
    """All rows, page after page, until one is empty or brings nothing new."""
    path, taken, last = table.path, 0, None
    seen: set[Any] = set()
    while True:
        if table.paged:
            path = f"{table.path}{'&' if '?' in table.path else '?'}limit={PAGE}"
            if taken:
                path += f"&marker={last}" if table.paged == "marker" else f"&offset={taken}"
        body = adapter.get(path, table.version)
        rows = body.get(table.key) if isinstance(body, dict) else None
        if not isinstance(rows, list):
            raise _Refused(f"{adapter.service} {path}: no list of {table.key} in the answer")
        fresh = [row for row in rows if not table.paged or _id(row) not in seen]
        yield from fresh
        taken += len(rows)
        seen.update(map(_id, fresh))
        if not table.paged or not fresh or not _more(body, table, rows):
            return
        last = _id(rows[-1])


def _more(body: Any, table: Table, rows: list[Any]) -> bool:
    """Whether the answer says that there is another page; who pages by offset never says."""
    links = body.get(f"{table.key}_links", ())
    told = any(isinstance(link, dict) and link.get("rel") == "next" for link in links) or bool(body.get("next"))
    return told or (table.paged == "offset" and bool(rows))


def _id(row: Any) -> Any:
    """What stands for a row in a marker."""
    return (row.get("id") or row.get("uuid")) if isinstance(row, dict) else None


def _extra_specs(adapter: _Adapter, flavor: Any) -> Any:
    """A flavor's extra specs, for services that do not list them with the flavors; empty of one that is gone."""
    try:
        return adapter.get(f"/flavors/{_id(flavor)}/os-extra_specs", None).get("extra_specs", {})
    except _Refused as refused:
        if refused.status == 404:
            return {}
        raise


def _part(adapter: _Adapter, folder: str, uuid: str) -> Any:
    """A part of a provider; None where the provider is gone."""
    word, key = PARTS[folder]
    path = f"/resource_providers/{uuid}/{word}"
    try:
        body = adapter.get(path, PLACEMENT_VERSION)
    except _Refused as refused:
        if refused.status == 404:
            return None
        raise
    if not isinstance(body, dict) or key not in body:
        raise _Refused(f"{adapter.service} {path}: no {key} in the answer")
    return body[key]


def _said(problem: BaseException) -> str:
    """An error of the library in one line."""
    lines: Iterable[str] = str(problem).strip().splitlines()
    return next(iter(lines), "") or type(problem).__name__


def _message(answer: Any) -> str:
    """What a service says beside the status: the first message or detail in its JSON."""
    try:
        found = answer.json()
    except ValueError:
        return ""
    while isinstance(found, dict | list) and found:
        inner = list(found.values()) if isinstance(found, dict) else found
        named = [found[key] for key in ("message", "detail") if key in found] if isinstance(found, dict) else []
        found = named[0] if named else next((one for one in inner if isinstance(one, dict | list)), None)
    return shown(found)[1:-1] if isinstance(found, str) else ""
