"""Claims: who has what of which provider, and when a change of that is accepted (openstack spec 2, corrected in 13).

Owns the consumers; of a provider it changes `used` and, when it is named in a claim, the generation. A refused change
leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from binwright.openstack.placement.claim_bodies import ClaimBody
from binwright.openstack.placement.faults import CONCURRENT_UPDATE, Fault
from binwright.openstack.placement.tree import Provider

__all__ = ["UNKNOWN_TYPE", "Consumer", "Ledger"]

UNKNOWN_TYPE = "unknown"
"""What the service says of a consumer that was written below 1.38."""

Row = tuple[str, str]


@dataclass(slots=True)
class Consumer:
    """One consumer; rows: (provider uuid, class) -> amount."""

    project: str
    user: str
    kind: str = UNKNOWN_TYPE
    generation: int = 0
    rows: dict[Row, int] = field(default_factory=dict)


class Ledger:
    """All consumers, over the providers of a service (shared with it).

    leaks_consumers: as the stock service (spec 1.13), keep a record of a new consumer whose first claim is empty or
    names an unknown provider.
    """

    def __init__(self, providers: Mapping[str, Provider], classes: set[str], *, leaks_consumers: bool = False) -> None:
        self._providers = providers
        self._classes = classes
        self._leaks = leaks_consumers
        self.consumers: dict[str, Consumer] = {}

    def replace(self, claims: Mapping[str, ClaimBody], *, generations: bool) -> set[Row]:
        """Replace all that these consumers have, all or nothing; the rows that changed.

        generations: whether consumer generations are compared. Raises Fault 409 for a generation or capacity conflict,
        400 for a provider or class that does not exist.
        """
        if generations:
            for uuid, claim in claims.items():
                self._check_generation(uuid, claim)
        for claim in claims.values():
            for uuid, _, _ in claim.rows:
                if uuid not in self._providers:
                    self._leak(claims)
                    raise Fault(400, f"Allocation for resource provider '{uuid}' that does not exist.")
        for consumer, claim in claims.items():
            for _, name, _ in claim.rows:
                if name not in self._classes:
                    text = f"Unable to allocate inventory for consumer {consumer}: No such resource class {name}."
                    raise Fault(400, text)
        self._check_capacity(claims)
        return self._write(claims)

    def delete(self, uuid: str) -> set[Row]:
        """Give back all that a consumer has; the rows that changed. Raises Fault 404 if it has nothing."""
        consumer = self.consumers.get(uuid)
        if consumer is None or not consumer.rows:
            raise Fault(404, f"No allocations for consumer '{uuid}'")
        changed = set(consumer.rows)
        self._move(consumer.rows, -1)
        del self.consumers[uuid]
        return changed

    def uses(self, provider: str) -> bool:
        """Whether anybody has anything of a provider."""
        return any(self._providers[provider].used.values())

    def _check_generation(self, uuid: str, claim: ClaimBody) -> None:
        """A new consumer says null, any other exactly its generation."""
        consumer = self.consumers.get(uuid)
        expected = None if consumer is None else consumer.generation
        if claim.generation != expected:
            wanted = "null" if expected is None else expected
            text = f"consumer generation conflict - expected {wanted} but got {claim.generation}"
            raise Fault(409, text, CONCURRENT_UPDATE)

    def _check_capacity(self, claims: Mapping[str, ClaimBody]) -> None:
        """Row by row, as if what the consumers have were given back already.

        What is over capacity may stay so, if the claims do not make it worse.
        """
        given_back: dict[Row, int] = {}
        for uuid in claims:
            for row, amount in self.consumers[uuid].rows.items() if uuid in self.consumers else ():
                given_back[row] = given_back.get(row, 0) + amount
        asked: dict[Row, int] = {}
        for claim in claims.values():
            for uuid, name, amount in claim.rows:
                provider = self._providers[uuid]
                inventory = provider.inventories.get(name)
                refusal = "Unable to allocate inventory: "
                if inventory is None:
                    raise Fault(409, f"{refusal}Inventory for '{name}' on resource provider '{uuid}' invalid.")
                refusal += f"Unable to create allocation for '{name}' on resource provider '{uuid}'. "
                if not inventory.admits(amount):
                    raise Fault(409, f"{refusal}The requested amount would violate inventory constraints.")
                asked[uuid, name] = asked.get((uuid, name), 0) + amount
                before = provider.used.get(name, 0)
                after = before - given_back.get((uuid, name), 0) + asked[uuid, name]
                if after > inventory.limit and after > before:
                    raise Fault(409, f"{refusal}The requested amount would exceed the capacity.")

    def _write(self, claims: Mapping[str, ClaimBody]) -> set[Row]:
        """Make the change; every provider that is named, or is only being emptied, gets its next generation."""
        touched: set[str] = set()
        changed: set[Row] = set()
        for uuid, claim in claims.items():
            consumer = self.consumers.setdefault(uuid, Consumer(claim.project, claim.user))
            touched.update(row[0] for row in (claim.rows or consumer.rows))
            changed.update(consumer.rows)
            self._move(consumer.rows, -1)
            consumer.project, consumer.user = claim.project, claim.user
            consumer.kind = claim.consumer_type or consumer.kind
            consumer.generation += 1
            consumer.rows = {}
            for provider, name, amount in claim.rows:
                consumer.rows[provider, name] = consumer.rows.get((provider, name), 0) + amount
            changed.update(consumer.rows)
            self._move(consumer.rows, 1)
            if not consumer.rows:
                del self.consumers[uuid]
                if consumer.generation == 1:
                    self._leak({uuid: claim})
        for provider in touched:
            self._providers[provider].generation += 1
        return changed

    def _move(self, rows: Mapping[Row, int], sign: int) -> None:
        for (uuid, name), amount in rows.items():
            used = self._providers[uuid].used
            used[name] = used.get(name, 0) + sign * amount

    def _leak(self, claims: Mapping[str, ClaimBody]) -> None:
        """The stock service's mistake, where it is asked for: a record of generation 0 without rows."""
        if self._leaks:
            for uuid, claim in claims.items():
                kind = claim.consumer_type or UNKNOWN_TYPE
                self.consumers.setdefault(uuid, Consumer(claim.project, claim.user, kind))
