"""An in-memory Placement: its calls as (method, path, body), answered with a status and JSON (openstack spec 2, 13).

Providers with their inventories, traits and aggregates are written here; what consumers have is the ledger's business,
candidates are the search's. Every call is all or nothing. Not thread-safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from binwright.openstack.placement.answer import candidates_answer
from binwright.openstack.placement.claim_bodies import read_claim, read_claims
from binwright.openstack.placement.claims import Consumer, Ledger
from binwright.openstack.placement.faults import (
    CANNOT_DELETE_PARENT,
    CONCURRENT_UPDATE,
    DUPLICATE_NAME,
    INVENTORY_IN_USE,
    PROVIDER_IN_USE,
    Fault,
    no_such_traits,
)
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.inventory_bodies import check_reserved, inventory_json, read_inventory
from binwright.openstack.placement.microversion import LATEST, Microversion
from binwright.openstack.placement.names import RESOURCE_CLASSES, TRAITS
from binwright.openstack.placement.query import parse_query
from binwright.openstack.placement.search import CandidateSearch
from binwright.openstack.placement.tree import Forest, Provider

__all__ = ["PlacementService"]

Answer = tuple[int, dict[str, Any] | None]
Body = Any

CUSTOM_NAME = re.compile("CUSTOM_[A-Z0-9_]+")
OWNERS_SINCE = (1, 12)
GENERATIONS_SINCE = (1, 28)
TYPES_SINCE = (1, 38)
PROVIDER_PARTS = ("inventories", "usages", "aggregates", "traits", "allocations")


class PlacementService:
    """A Placement without providers; names that exist are the standard ones.

    most, breadth_first: the options max_allocation_candidates (None: no bound) and
    allocation_candidates_generation_strategy. leaks_consumers: see `Ledger`.
    """

    def __init__(self, *, most: int | None = None, breadth_first: bool = False, leaks_consumers: bool = False) -> None:
        self.providers: dict[str, Provider] = {}
        self.traits = set(TRAITS)
        self.classes = set(RESOURCE_CLASSES)
        self.ledger = Ledger(self.providers, self.classes, leaks_consumers=leaks_consumers)
        self._most = most
        self._breadth_first = breadth_first
        self._search: CandidateSearch | None = None

    def call(self, method: str, path: str, body: Body = None, microversion: Microversion = LATEST) -> Answer:
        """One call: the status, and the JSON of the answer or None where it has no body."""
        route, _, query = path.partition("?")
        try:
            match method, route.strip("/").split("/"):
                case "GET", ["allocation_candidates"]:
                    return 200, self._candidates(query, microversion)
                case "GET", ["usages"]:
                    return 200, self._project_usages(dict(parse_qsl(query)), microversion)
                case "POST", ["allocations"]:
                    return self._claim(self._replace, read_claims(body, microversion), microversion)
                case _, ["allocations", consumer]:
                    return self._allocations(method, consumer, body, microversion)
                case "POST", ["resource_providers"]:
                    return 200, self._create_provider(body)
                case _, ["resource_providers", uuid, *parts]:
                    return self._provider_call(method, self._provider(uuid), parts, body, microversion)
                case "PUT", ["traits", name]:
                    return self._create_name(self.traits, name)
                case "PUT", ["resource_classes", name]:
                    return self._create_name(self.classes, name)
            raise Fault(404, f"no route {method} {route}", code=None)
        except Fault as fault:
            return fault.status, fault.to_dict(microversion)

    # -- candidates

    def _candidates(self, text: str, version: Microversion) -> dict[str, Any]:
        query = parse_query(text, version)
        if self._search is None:
            self._search = CandidateSearch(Forest(self.providers.values()), self.traits, self.classes)
        found = self._search.answer(query, self._most, self._breadth_first)
        return candidates_answer(found, query, self._search.forest)

    def _create_name(self, known: set[str], name: str) -> Answer:
        """201 for a new name of a trait or class, 204 for one that exists."""
        if name in known:
            return 204, None
        if CUSTOM_NAME.fullmatch(name) is None:
            raise Fault(400, f"JSON does not validate: {name!r} does not match '^CUSTOM_[A-Z0-9_]+$'")
        known.add(name)
        self._search = None
        return 201, None

    # -- allocations

    def _allocations(self, method: str, consumer: str, body: Body, version: Microversion) -> Answer:
        match method:
            case "GET":
                return 200, self._consumer_json(self.ledger.consumers.get(consumer), version)
            case "PUT":
                try:
                    UUID(consumer)
                except ValueError:
                    raise Fault(400, f"Malformed consumer_uuid: {consumer}") from None
                return self._claim(self._replace, {consumer: read_claim(body, version)}, version)
            case "DELETE":
                return self._claim(lambda uuid, _: self.ledger.delete(uuid), consumer, version)
        raise Fault(404, f"no route {method} /allocations/{consumer}", code=None)

    def _replace(self, claims: Any, version: Microversion) -> set[tuple[str, str]]:
        return self.ledger.replace(claims, generations=version >= GENERATIONS_SINCE)

    def _claim(self, change: Callable[..., set[tuple[str, str]]], what: Any, version: Microversion) -> Answer:
        """Change what consumers have, and let the search know."""
        changed = change(what, version)
        if self._search is not None:
            for uuid, name in sorted(changed):
                self._search.update_used(self.providers[uuid], name)
        return 204, None

    def _consumer_json(self, consumer: Consumer | None, version: Microversion) -> dict[str, Any]:
        allocations: dict[str, Any] = {}
        if consumer is None or not consumer.rows:
            return {"allocations": allocations}
        for (uuid, name), amount in consumer.rows.items():
            row = allocations.setdefault(uuid, {"generation": self.providers[uuid].generation, "resources": {}})
            row["resources"][name] = amount
        answer: dict[str, Any] = {"allocations": allocations}
        if version >= OWNERS_SINCE:
            answer |= {"project_id": consumer.project, "user_id": consumer.user}
        if version >= GENERATIONS_SINCE:
            answer["consumer_generation"] = consumer.generation
        if version >= TYPES_SINCE:
            answer["consumer_type"] = consumer.kind
        return answer

    def _project_usages(self, wanted: dict[str, str], version: Microversion) -> dict[str, Any]:
        """What a project, or one user of it, has: sums per class, from 1.38 on per type of consumer."""
        if "project_id" not in wanted:
            raise Fault(400, "Invalid query string parameters: 'project_id' is a required property")
        kind = wanted.get("consumer_type") if version >= TYPES_SINCE else "all"
        usages: dict[str, dict[str, int]] = {}
        for consumer in self.ledger.consumers.values():
            mine = consumer.project == wanted["project_id"] and consumer.user == wanted.get("user_id", consumer.user)
            if not mine or not consumer.rows or kind not in (None, "all", consumer.kind):
                continue
            sums = usages.setdefault("all" if kind == "all" else consumer.kind, {"consumer_count": 0})
            sums["consumer_count"] += 1
            for (_, name), amount in consumer.rows.items():
                sums[name] = sums.get(name, 0) + amount
        if version >= TYPES_SINCE:
            return {"usages": usages}
        flat = usages.get("all", {})
        flat.pop("consumer_count", None)
        return {"usages": flat}

    # -- providers

    def _provider(self, uuid: str) -> Provider:
        if uuid not in self.providers:
            raise Fault(404, f"No resource provider with uuid {uuid} found")
        return self.providers[uuid]

    def _create_provider(self, body: Body) -> dict[str, Any]:
        """The uuid must be given: it is not made up here."""
        if not isinstance(body, dict) or not all(isinstance(body.get(key), str) for key in ("name", "uuid")):
            raise Fault(400, "JSON does not validate: 'name' and 'uuid' are required")
        uuid, name, parent = body["uuid"], body["name"], body.get("parent_provider_uuid")
        if uuid in self.providers:
            raise Fault(409, f"Conflicting resource provider uuid: {uuid} already exists.", DUPLICATE_NAME)
        if any(provider.name == name for provider in self.providers.values()):
            raise Fault(409, f"Conflicting resource provider name: {name} already exists.", DUPLICATE_NAME)
        if parent is not None and parent not in self.providers:
            text = f"parent provider UUID '{parent}' does not exist."
            raise Fault(400, f'Unable to create resource provider "{name}", {uuid}: {text}')
        self.providers[uuid] = Provider(uuid, name, parent, where=f"resource provider {uuid}")
        self._search = None
        return self._provider_json(self.providers[uuid])

    def _provider_call(
        self, method: str, provider: Provider, parts: list[str], body: Body, version: Microversion
    ) -> Answer:
        match method, parts:
            case "GET", []:
                return 200, self._provider_json(provider)
            case "DELETE", []:
                return self._delete_provider(provider)
            case "GET", ["usages"]:
                usages = {name: provider.used.get(name, 0) for name in provider.inventories}
                return 200, _with_generation(provider, {"usages": usages})
            case "GET", ["allocations"]:
                return 200, self._provider_allocations(provider, version)
            case "PUT", ["inventories"]:
                return 200, self._put_inventories(provider, body, version)
            case "PUT", ["inventories", name]:
                return 200, self._put_inventory(provider, name, body, version)
            case "DELETE", ["inventories", name]:
                return self._delete_inventory(provider, name)
            case "PUT", ["traits"]:
                return 200, self._put_traits(provider, body)
            case "PUT", ["aggregates"]:
                return 200, self._put_aggregates(provider, body)
        raise Fault(404, f"no route {method} /resource_providers/{provider.uuid}/{'/'.join(parts)}", code=None)

    def _provider_json(self, provider: Provider) -> dict[str, Any]:
        root, base = provider, f"/resource_providers/{provider.uuid}"
        while root.parent is not None:
            root = self.providers[root.parent]
        return {
            "uuid": provider.uuid,
            "name": provider.name,
            "generation": provider.generation,
            "parent_provider_uuid": provider.parent,
            "root_provider_uuid": root.uuid,
            "links": [
                {"rel": "self", "href": base},
                *({"rel": part, "href": f"{base}/{part}"} for part in PROVIDER_PARTS),
            ],
        }

    def _delete_provider(self, provider: Provider) -> Answer:
        refusal = f"Unable to delete resource provider {provider.uuid}: "
        if any(other.parent == provider.uuid for other in self.providers.values()):
            raise Fault(409, f"{refusal}It has child resource providers.", CANNOT_DELETE_PARENT)
        if self.ledger.uses(provider.uuid):
            raise Fault(409, f"{refusal}Resource provider has allocations.", PROVIDER_IN_USE)
        del self.providers[provider.uuid]
        self._search = None
        return 204, None

    def _provider_allocations(self, provider: Provider, version: Microversion) -> dict[str, Any]:
        allocations: dict[str, Any] = {}
        for uuid, consumer in self.ledger.consumers.items():
            resources = {name: amount for (owner, name), amount in consumer.rows.items() if owner == provider.uuid}
            if resources:
                allocations[uuid] = {"resources": resources}
                if version >= GENERATIONS_SINCE:
                    allocations[uuid]["consumer_generation"] = consumer.generation
        return _with_generation(provider, {"allocations": allocations})

    def _check_generation(self, provider: Provider, body: Body) -> None:
        """A write says which generation of the provider it is meant for."""
        if not isinstance(body, dict) or not isinstance(body.get("resource_provider_generation"), int):
            raise Fault(400, "JSON does not validate: 'resource_provider_generation' is a required property")
        if body["resource_provider_generation"] != provider.generation:
            raise Fault(409, "resource provider generation conflict", CONCURRENT_UPDATE)

    def _written(self, provider: Provider) -> None:
        """A provider has changed: its next generation, and another search."""
        provider.generation += 1
        self._search = None

    def _put_traits(self, provider: Provider, body: Body) -> dict[str, Any]:
        """The same set again is no change."""
        traits = _names(body, "traits")
        if traits - self.traits:
            raise no_such_traits(traits - self.traits)
        self._check_generation(provider, body)
        if traits != provider.traits:
            provider.traits = traits
            self._written(provider)
        return _with_generation(provider, {"traits": sorted(traits)})

    def _put_aggregates(self, provider: Provider, body: Body) -> dict[str, Any]:
        aggregates = _names(body, "aggregates")
        self._check_generation(provider, body)
        provider.aggregates = aggregates
        self._written(provider)
        return _with_generation(provider, {"aggregates": sorted(aggregates)})

    def _put_inventories(self, provider: Provider, body: Body, version: Microversion) -> dict[str, Any]:
        """Replace all inventories; one that is in use may shrink, but not go."""
        if not isinstance(body, dict) or not isinstance(body.get("inventories"), dict):
            raise Fault(400, "JSON does not validate: 'inventories' is a required property")
        inventories = {name: read_inventory(one) for name, one in body["inventories"].items()}
        self._check_generation(provider, body)
        for name, inventory in inventories.items():
            self._check_inventory(provider, name, inventory, version)
        for name in provider.inventories:
            if name not in inventories and provider.used.get(name):
                raise Fault(409, f"update conflict: {_in_use(provider, name)}", INVENTORY_IN_USE)
        provider.inventories = inventories
        self._written(provider)
        written = {name: inventory_json(inventory) for name, inventory in inventories.items()}
        return _with_generation(provider, {"inventories": written})

    def _put_inventory(self, provider: Provider, name: str, body: Body, version: Microversion) -> dict[str, Any]:
        inventory = read_inventory(body)
        self._check_generation(provider, body)
        self._check_inventory(provider, name, inventory, version)
        if name not in provider.inventories:
            raise Fault(400, f"No inventory record with resource class {name} for resource provider {provider.uuid}")
        provider.inventories[name] = inventory
        self._written(provider)
        return _with_generation(provider, inventory_json(inventory))

    def _check_inventory(self, provider: Provider, name: str, inventory: Inventory, version: Microversion) -> None:
        if name not in self.classes:
            raise Fault(400, f"Unknown resource class in inventory for resource provider {provider.uuid}: {name}")
        check_reserved(inventory, name, provider.uuid, version)

    def _delete_inventory(self, provider: Provider, name: str) -> Answer:
        if name not in provider.inventories:
            raise Fault(404, f"No inventory of class {name} found for delete")
        if provider.used.get(name):
            text = f"Unable to delete inventory of class {name}: {_in_use(provider, name)}"
            raise Fault(409, text, CONCURRENT_UPDATE)
        del provider.inventories[name]
        self._written(provider)
        return 204, None


def _names(body: Body, key: str) -> frozenset[str]:
    names = body.get(key) if isinstance(body, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Fault(400, f"JSON does not validate: {key!r} is to be a list of names")
    return frozenset(names)


def _in_use(provider: Provider, name: str) -> str:
    return f"Inventory for '{name}' on resource provider '{provider.uuid}' in use."


def _with_generation(provider: Provider, body: dict[str, Any]) -> dict[str, Any]:
    return body | {"resource_provider_generation": provider.generation}
