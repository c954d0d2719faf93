"""The real Placement in this process: its WSGI application over SQLite in memory, filled and asked.

Clouds come in the recordings' form (`resource_providers`, `allocations`). They are written into the service's own
tables, which is what its calls end in, because some thousand calls would take longer than what is measured. `REPAIRS`
mend the service's known defects (openstack spec 1.13) one by one, so that a difference can be told from its cause.
"""

from __future__ import annotations

import copy
import io
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

warnings.simplefilter("ignore")

import sqlalchemy as sa  # noqa: E402
from oslo_config import cfg  # noqa: E402
from placement import conf, db_api, deploy  # noqa: E402
from placement.db.sqlalchemy import models  # noqa: E402
from placement.objects import allocation_candidate, research_context  # noqa: E402
from placement.objects import trait as traits  # noqa: E402

Json = dict[str, Any]
FILLED = (
    models.Allocation,
    models.Consumer,
    models.Project,
    models.User,
    models.Inventory,
    models.ResourceProviderTrait,
    models.ResourceProviderAggregate,
    models.PlacementAggregate,
)


class RealPlacement:
    """The service, empty; the process may have one only, because its database is the process's own."""

    def __init__(self) -> None:
        logging.disable(logging.CRITICAL)
        config = cfg.ConfigOpts()
        conf.register_opts(config)
        config.set_override("connection", "sqlite://", group="placement_database")
        config.set_override("sync_on_startup", True, group="placement_database")
        config.set_override("auth_strategy", "noauth2", group="api")
        config([], project="placement", default_config_files=[], default_config_dirs=[])
        db_api.configure(config)
        self.config = config
        self.application = deploy.loadapp(config)

    def call(self, method: str, path: str, body: Any = None, microversion: str = "latest") -> tuple[int, bytes]:
        """One call: status and bytes of the answer."""
        route, _, query = path.partition("?")
        data = b"" if body is None else json.dumps(body).encode()
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": route,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(data),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "CONTENT_LENGTH": str(len(data)),
            "HTTP_ACCEPT": "application/json",
            "HTTP_X_AUTH_TOKEN": "admin",
            "HTTP_OPENSTACK_API_VERSION": f"placement {microversion}",
            **({} if body is None else {"CONTENT_TYPE": "application/json"}),
        }
        told: list[str] = []
        answer = b"".join(self.application(environ, lambda status, *_rest: told.append(status)))
        return int(told[0].split()[0]), answer

    @contextmanager
    def searches(self) -> Iterator[list[tuple[float, float]]]:
        """(wall, processor) milliseconds of each search of the calls inside: without parsing and writing."""
        told: list[tuple[float, float]] = []
        search = allocation_candidate.AllocationCandidates.get_by_requests

        def timed(*given: Any, **named: Any) -> Any:
            wall, cpu = time.perf_counter(), time.process_time()
            found = search(*given, **named)
            told.append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)))
            return found

        with mock.patch.object(allocation_candidate.AllocationCandidates, "get_by_requests", timed):
            yield told

    def candidates(self, query: str, microversion: str) -> tuple[int, Json]:
        """GET /allocation_candidates: status and JSON."""
        status, body = self.call("GET", f"/allocation_candidates?{query}", None, microversion)
        return status, json.loads(body)

    def create_names(self, names: Iterable[str], kind: str) -> None:
        """Custom traits ("traits") or classes ("resource_classes") that are to exist."""
        for name in names:
            if name.startswith("CUSTOM_"):
                status, body = self.call("PUT", f"/{kind}/{name}")
                assert status in (201, 204), body

    def fill(self, cloud: Json) -> None:
        """Have the providers, names and allocations of a cloud and no others."""
        self.create_names(cloud["extra_traits"], "traits")
        self.create_names(cloud["extra_resource_classes"], "resource_classes")
        with _session() as session:
            for model in FILLED:
                session.execute(sa.delete(model))
            session.execute(sa.update(models.ResourceProvider).values(parent_provider_id=None, root_provider_id=None))
            session.execute(sa.delete(models.ResourceProvider))
            classes = dict(session.execute(sa.select(models.ResourceClass.name, models.ResourceClass.id)).all())
            known = dict(session.execute(sa.select(models.Trait.name, models.Trait.id)).all())
            for model, rows in _tables(cloud, classes, known):
                if rows:
                    session.execute(sa.insert(model), rows)


@contextmanager
def _session() -> Iterator[Any]:
    """A transaction of the service's database."""
    context = db_api.DbContext()
    with db_api.placement_context_manager.writer.using(context):
        yield context.session


def _tables(cloud: Json, classes: dict[str, int], known: dict[str, int]) -> Iterator[tuple[Any, list[Json]]]:
    """The rows of each table."""
    providers = {row["uuid"]: row for row in cloud["resource_providers"]}
    ids = {uuid: number for number, uuid in enumerate(providers, 1)}

    def root(uuid: str) -> str:
        parent = providers[uuid]["parent_provider_uuid"]
        return uuid if parent is None else root(parent)

    yield (
        models.ResourceProvider,
        [
            {
                "id": ids[uuid],
                "uuid": uuid,
                "name": row["name"],
                "generation": 0,
                "root_provider_id": ids[root(uuid)],
                "parent_provider_id": ids.get(row["parent_provider_uuid"]),
            }
            for uuid, row in providers.items()
        ],
    )
    yield (
        models.Inventory,
        [
            {"resource_provider_id": ids[uuid], "resource_class_id": classes[name], **numbers}
            for uuid, row in providers.items()
            for name, numbers in row["inventories"].items()
        ],
    )
    yield (
        models.ResourceProviderTrait,
        [
            {"resource_provider_id": ids[uuid], "trait_id": known[name]}
            for uuid, row in providers.items()
            for name in row["traits"]
        ],
    )
    aggregates = {uuid: number for number, uuid in enumerate(_all(providers.values(), "aggregates"), 1)}
    yield models.PlacementAggregate, [{"id": number, "uuid": uuid} for uuid, number in aggregates.items()]
    yield (
        models.ResourceProviderAggregate,
        [
            {"resource_provider_id": ids[uuid], "aggregate_id": aggregates[name]}
            for uuid, row in providers.items()
            for name in row["aggregates"]
        ],
    )
    yield models.Project, [{"id": 1, "external_id": "project"}]
    yield models.User, [{"id": 1, "external_id": "user"}]
    yield (
        models.Consumer,
        [{"uuid": consumer, "project_id": 1, "user_id": 1, "generation": 1} for consumer in cloud["allocations"]],
    )
    yield (
        models.Allocation,
        [
            {
                "resource_provider_id": ids[uuid],
                "consumer_id": consumer,
                "resource_class_id": classes[name],
                "used": amount,
            }
            for consumer, claim in cloud["allocations"].items()
            for uuid, part in claim["allocations"].items()
            for name, amount in part["resources"].items()
        ],
    )


def _all(rows: Iterable[Json], key: str) -> dict[str, None]:
    return dict.fromkeys(name for row in rows for name in row[key])


# -- the service's known defects, mended


def _always_copied(_self: Any, amount: Any) -> Any:
    return copy.copy(amount)


def _same_with_anchor(self: Any, other: Any) -> bool:
    return (
        set(self.resource_requests) == set(other.resource_requests)
        and self.mappings == other.mappings
        and self.anchor_root_provider_uuid == other.anchor_root_provider_uuid
    )


def _with_whole_trees(context: Any, ids: Iterable[int]) -> set[int]:
    """Roots of providers, with the providers."""
    query = sa.select(models.ResourceProvider.root_provider_id).where(models.ResourceProvider.id.in_(list(ids)))
    return {*ids, *(row[0] for row in context.session.execute(query))}


def _trees_loaded() -> list[Any]:
    summaries, named = allocation_candidate._build_provider_summaries, traits.get_traits_by_provider_tree
    return [
        mock.patch.object(
            allocation_candidate,
            "_build_provider_summaries",
            lambda context, wide, ids, names: summaries(context, wide, _with_whole_trees(context, ids), names),
        ),
        mock.patch.object(
            traits,
            "get_traits_by_provider_tree",
            lambda context, ids: named(context, _with_whole_trees(context, ids) if ids else ids),
        ),
    ]


REPAIRS: dict[str, Callable[[], list[Any]]] = {
    "amount aliasing": lambda: [
        mock.patch.object(research_context.RequestWideSearchContext, "copy_arr_if_needed", _always_copied)
    ],
    "anchor lost": lambda: [mock.patch.object(allocation_candidate.AllocationRequest, "__eq__", _same_with_anchor)],
    "status 500": _trees_loaded,
}
"""Name of a defect of openstack spec 1.13 -> what mends it."""


@contextmanager
def repaired(names: Iterable[str]) -> Iterator[None]:
    """Ask the service without these defects."""
    with ExitStack() as stack:
        for name in names:
            for patch in REPAIRS[name]():
                stack.enter_context(patch)
        yield
