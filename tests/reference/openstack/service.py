"""An in-memory Placement: the calls that a claims case replays, from an empty service on.

Routes, provider writes and bodies; the rules of claims are in claims.py. Source: openstack spec 2, 13.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from tests.reference.openstack.answer import allocation_candidates
from tests.reference.openstack.claim_bodies import parse_claim
from tests.reference.openstack.claims import Consumer, Ledger
from tests.reference.openstack.cloud import Cloud, Provider
from tests.reference.openstack.fault import (
    CANNOT_DELETE_PARENT,
    CONCURRENT_UPDATE,
    INVENTORY_IN_USE,
    PROVIDER_IN_USE,
    Fault,
)
from tests.reference.openstack.inventory import MAX_INT, Inventory
from tests.reference.openstack.query import is_uuid_like, parse_microversion

Answer = tuple[int, dict | None]


class Placement:
    """State and calls; `names` holds the standard trait and class names."""

    def __init__(self, names: dict, leaks_consumers: bool = False) -> None:
        self.providers: dict[str, Provider] = {}
        self.traits = set(names["traits"])
        self.classes = set(names["resource_classes"])
        self.ledger = Ledger(self.providers, self.classes, leaks_consumers)

    def call(self, method: str, path: str, body: dict | None = None, microversion: str = "latest") -> Answer:
        """(status, body or None) of one request."""
        version = parse_microversion(microversion)
        route, _, query = path.partition("?")
        parts = route.strip("/").split("/")
        try:
            if parts == ["allocation_candidates"]:
                return allocation_candidates(self.cloud(), query, microversion)
            if parts == ["usages"]:
                return 200, {"usages": self._project_usages(dict(parse_qsl(query)), version)}
            if parts[0] == "allocations":
                return self._allocations(method, parts[1:], body, version)
            if parts[0] == "resource_providers":
                return self._providers(method, parts[1:], body, version)
            if method == "PUT" and parts[0] in ("traits", "resource_classes"):
                return self._create_name({"traits": self.traits, "resource_classes": self.classes}[parts[0]], parts[1])
            raise Fault("The resource could not be found.", status=404)
        except Fault as fault:
            return fault.status, fault.body(version)

    def cloud(self) -> Cloud:
        return Cloud(list(self.providers.values()), self.ledger.usage(), self.traits, self.classes)

    @staticmethod
    def _create_name(known: set[str], name: str) -> Answer:
        """PUT of a trait or class: 201 if new, 204 if it exists (spec 13)."""
        if name in known:
            return 204, None
        if not re.search("^CUSTOM_[A-Z0-9_]+$", name):
            raise Fault(f"{name!r} does not match '^CUSTOM_[A-Z0-9_]+$'")
        known.add(name)
        return 201, None

    # -- allocations

    def _allocations(self, method: str, rest: list[str], body: dict | None, version: tuple[int, int]) -> Answer:
        if method == "POST":
            if not isinstance(body, dict) or not body:
                raise Fault("JSON does not validate: an object with at least one consumer is needed")
            claims = {uuid: parse_claim(one, version, version >= (1, 13)) for uuid, one in body.items()}
            self.ledger.replace(claims, version >= (1, 28))
            return 204, None
        (uuid,) = rest
        if method == "PUT":
            if not is_uuid_like(uuid):
                raise Fault(f"Malformed consumer_uuid: {uuid}")
            self.ledger.replace({uuid: parse_claim(body, version, version >= (1, 28))}, version >= (1, 28))
            return 204, None
        if method == "DELETE":
            self.ledger.delete(uuid)
            return 204, None
        return 200, self._consumer_json(self.ledger.consumers.get(uuid), version)

    def _consumer_json(self, consumer: Consumer | None, version: tuple[int, int]) -> dict:
        """GET /allocations/{consumer} (spec 2, 13)."""
        if consumer is None or not consumer.rows:
            return {"allocations": {}}
        allocations: dict[str, dict] = {}
        for (uuid, rc), amount in consumer.rows.items():
            generation = self.providers[uuid].generation
            row = allocations.setdefault(uuid, {"generation": generation, "resources": {}})
            row["resources"][rc] = amount
        body: dict = {"allocations": allocations}
        if version >= (1, 12):
            body |= {"project_id": consumer.project, "user_id": consumer.user}
        if version >= (1, 28):
            body["consumer_generation"] = consumer.generation
        if version >= (1, 38):
            body["consumer_type"] = consumer.consumer_type
        return body

    def _project_usages(self, query: dict[str, str], version: tuple[int, int]) -> dict:
        """GET /usages: sums of a project, from 1.38 per consumer type with a count (vectors README, claims)."""
        usages: dict[str, dict[str, int]] = {}
        wanted = query.get("consumer_type") if version >= (1, 38) else "all"
        for consumer in self.ledger.consumers.values():
            if not consumer.rows or consumer.project != query["project_id"]:
                continue
            if query.get("user_id", consumer.user) != consumer.user:
                continue
            if wanted not in (None, "all", consumer.consumer_type):
                continue
            sums = usages.setdefault("all" if wanted == "all" else consumer.consumer_type, {"consumer_count": 0})
            sums["consumer_count"] += 1
            for (_, rc), amount in consumer.rows.items():
                sums[rc] = sums.get(rc, 0) + amount
        if version >= (1, 38):
            return usages
        return {rc: amount for rc, amount in usages.get("all", {}).items() if rc != "consumer_count"}

    # -- providers

    def _providers(self, method: str, rest: list[str], body: dict | None, version: tuple[int, int]) -> Answer:
        if method == "POST":
            return 200, self._create_provider(body)
        if rest[0] not in self.providers:
            raise Fault(f"No resource provider with uuid {rest[0]} found", status=404)
        provider = self.providers[rest[0]]
        match method, rest[1:]:
            case "GET", []:
                return 200, self._provider_json(provider)
            case "DELETE", []:
                return self._delete_provider(provider)
            case "GET", ["usages"]:
                used = self.ledger.usage()
                usages = {rc: used.get((provider.uuid, rc), 0) for rc in provider.inventories}
                return 200, {"resource_provider_generation": provider.generation, "usages": usages}
            case "GET", ["allocations"]:
                return 200, self._provider_allocations(provider)
            case "PUT", ["inventories"]:
                return 200, self._put_inventories(provider, body, version)
            case "PUT", ["inventories", rc]:
                return 200, self._put_inventory(provider, rc, body, version)
            case "DELETE", ["inventories", rc]:
                return self._delete_inventory(provider, rc)
            case "PUT", ["traits"]:
                return 200, self._put_traits(provider, body)
            case "PUT", ["aggregates"]:
                self._next_generation(provider, body)
                provider.aggregates = set(body["aggregates"])
                aggregates = sorted(provider.aggregates)
                return 200, {"aggregates": aggregates, "resource_provider_generation": provider.generation}
        raise Fault("The resource could not be found.", status=404)

    def _create_provider(self, body: dict) -> dict:
        parent = body.get("parent_provider_uuid")
        if parent is not None and parent not in self.providers:
            raise Fault(f"Unable to create resource provider: parent {parent} does not exist")
        provider = Provider(body["uuid"], body["name"], parent)
        self.providers[provider.uuid] = provider
        return self._provider_json(provider)

    def _provider_json(self, provider: Provider) -> dict:
        """POST and GET of a provider (spec 13)."""
        base = f"/resource_providers/{provider.uuid}"
        links = [{"rel": "self", "href": base}]
        for rel in ("inventories", "usages", "aggregates", "traits", "allocations"):
            links.append({"rel": rel, "href": f"{base}/{rel}"})
        return {
            "uuid": provider.uuid,
            "name": provider.name,
            "generation": provider.generation,
            "parent_provider_uuid": provider.parent,
            "root_provider_uuid": self.cloud().root(provider.uuid),
            "links": links,
        }

    def _delete_provider(self, provider: Provider) -> Answer:
        """Refused while it has children or allocations (spec 2)."""
        if any(other.parent == provider.uuid for other in self.providers.values()):
            raise Fault("It has child resource providers.", status=409, code=CANNOT_DELETE_PARENT)
        if any(uuid == provider.uuid for uuid, _ in self.ledger.usage()):
            raise Fault("Resource provider has allocations.", status=409, code=PROVIDER_IN_USE)
        del self.providers[provider.uuid]
        return 204, None

    def _provider_allocations(self, provider: Provider) -> dict:
        allocations = {}
        for uuid, consumer in self.ledger.consumers.items():
            resources = {rc: amount for (p, rc), amount in consumer.rows.items() if p == provider.uuid}
            if resources:
                allocations[uuid] = {"resources": resources, "consumer_generation": consumer.generation}
        return {"allocations": allocations, "resource_provider_generation": provider.generation}

    @staticmethod
    def _check_provider_generation(provider: Provider, body: dict) -> None:
        if body["resource_provider_generation"] != provider.generation:
            raise Fault("resource provider generation conflict", status=409, code=CONCURRENT_UPDATE)

    def _next_generation(self, provider: Provider, body: dict) -> None:
        """Writes need the provider's current generation and bump it (spec 2)."""
        self._check_provider_generation(provider, body)
        provider.generation += 1

    def _put_traits(self, provider: Provider, body: dict) -> dict:
        unknown = set(body["traits"]) - self.traits
        if unknown:
            raise Fault(f"No such trait(s): {', '.join(sorted(unknown))}.")
        self._check_provider_generation(provider, body)
        if provider.traits != set(body["traits"]):  # the same set again is no change
            provider.generation += 1
        provider.traits = set(body["traits"])
        return {"traits": sorted(provider.traits), "resource_provider_generation": provider.generation}

    def _put_inventories(self, provider: Provider, body: dict, version: tuple[int, int]) -> dict:
        for one in body["inventories"].values():
            check_inventory_shape(one)
        self._check_provider_generation(provider, body)
        inventories = {rc: self._inventory(rc, one, version) for rc, one in body["inventories"].items()}
        used = self.ledger.usage()
        for rc in provider.inventories:
            if rc not in inventories and used.get((provider.uuid, rc)):
                raise Fault(f"Inventory for '{rc}' in use.", status=409, code=INVENTORY_IN_USE)
        provider.inventories = inventories
        provider.generation += 1
        return {
            "inventories": {rc: inventory_json(inventory) for rc, inventory in inventories.items()},
            "resource_provider_generation": provider.generation,
        }

    def _put_inventory(self, provider: Provider, rc: str, body: dict, version: tuple[int, int]) -> dict:
        check_inventory_shape(body)
        self._check_provider_generation(provider, body)
        inventory = self._inventory(rc, body, version)
        if rc not in provider.inventories:
            raise Fault(f"No inventory record with resource class for resource provider: {rc}")
        provider.inventories[rc] = inventory
        provider.generation += 1
        return inventory_json(inventory) | {"resource_provider_generation": provider.generation}

    def _delete_inventory(self, provider: Provider, rc: str) -> Answer:
        if rc not in provider.inventories:
            raise Fault(f"No inventory of class {rc} found for delete", status=404)
        if self.ledger.usage().get((provider.uuid, rc)):
            raise Fault(f"Inventory for '{rc}' in use.", status=409, code=CONCURRENT_UPDATE)
        del provider.inventories[rc]
        provider.generation += 1
        return 204, None

    def _inventory(self, rc: str, body: dict, version: tuple[int, int]) -> Inventory:
        """The truncated capacity is not negative, and below 1.26 not 0 either (spec 1.1; the peer itself)."""
        inventory = Inventory.from_json(body)
        if rc not in self.classes:
            raise Fault(f"No such resource class {rc}.")
        if inventory.capacity < (1 if version < (1, 26) else 0):
            raise Fault(f"Invalid inventory for '{rc}'. The reserved value is too great.")
        return inventory


def check_inventory_shape(body: dict) -> None:
    """Bounds of the numbers, checked before anything else (spec 1.1)."""
    inventory = Inventory.from_json(body)
    whole = (inventory.total, inventory.min_unit, inventory.max_unit, inventory.step_size)
    if any(not 1 <= number <= MAX_INT for number in whole) or not 0 <= inventory.reserved <= MAX_INT:
        raise Fault("JSON does not validate: a number of the inventory is out of bounds")


def inventory_json(inventory: Inventory) -> dict:
    """An inventory with its defaults filled in (spec 13)."""
    return {
        "total": inventory.total,
        "reserved": inventory.reserved,
        "min_unit": inventory.min_unit,
        "max_unit": inventory.max_unit,
        "step_size": inventory.step_size,
        "allocation_ratio": inventory.allocation_ratio,
    }
