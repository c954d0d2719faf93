"""Claims: who has what, and when a change of that is accepted.

Owns consumers and their allocation rows; changes nothing else of a provider than its generation. Source: openstack
spec 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.openstack.claim_bodies import ClaimBody
from tests.reference.openstack.cloud import Provider
from tests.reference.openstack.fault import CONCURRENT_UPDATE, Fault

UNKNOWN_TYPE = "unknown"  # what Placement says of a consumer written below 1.38


@dataclass
class Consumer:
    """One consumer record; `rows` is keyed by (provider, class)."""

    project: str
    user: str
    consumer_type: str = UNKNOWN_TYPE
    generation: int = 0
    rows: dict[tuple[str, str], int] = field(default_factory=dict)


class Ledger:
    """All consumers. `leaks_consumers`: keep the stock defect of spec 1.13 that a first write that is empty or
    names an unknown provider leaves a consumer record behind; without it, the repaired rule."""

    def __init__(self, providers: dict[str, Provider], classes: set[str], leaks_consumers: bool = False) -> None:
        self.providers = providers
        self.classes = classes
        self.leaks_consumers = leaks_consumers
        self.consumers: dict[str, Consumer] = {}

    def usage(self) -> dict[tuple[str, str], int]:
        """Sum over all consumers' rows, by (provider, class) (spec 1.1)."""
        used: dict[tuple[str, str], int] = {}
        for consumer in self.consumers.values():
            for key, amount in consumer.rows.items():
                used[key] = used.get(key, 0) + amount
        return used

    def replace(self, claims: dict[str, ClaimBody], checks_generation: bool) -> None:
        """Replace all allocations of these consumers, all or nothing; the checks stand in Placement's order (spec 2).

        Raises Fault 409 for a generation or capacity conflict, 400 for an unknown provider or class.
        """
        if checks_generation:
            for uuid, claim in claims.items():
                self._check_generation(uuid, claim)
        for claim in claims.values():
            for provider, _, _ in claim.rows:
                if provider not in self.providers:
                    self._leak(claims)
                    raise Fault(f"Allocation for resource provider '{provider}' that does not exist.")
        for claim in claims.values():
            for _, rc, _ in claim.rows:
                if rc not in self.classes:
                    raise Fault(f"No such resource class {rc}.")
        self._check_capacity(claims)
        self._write(claims)

    def delete(self, uuid: str) -> None:
        """Remove a consumer's allocations; provider generations stay as they are (spec 2)."""
        if not (uuid in self.consumers and self.consumers[uuid].rows):
            raise Fault(f"No allocations for consumer '{uuid}'", status=404)
        del self.consumers[uuid]

    def _check_generation(self, uuid: str, claim: ClaimBody) -> None:
        """An unknown consumer needs null, a known one exactly its generation (spec 2)."""
        expected = self.consumers[uuid].generation if uuid in self.consumers else None
        if claim.generation != expected:
            raise Fault(
                f"consumer generation conflict - expected {expected} but got {claim.generation}",
                status=409,
                code=CONCURRENT_UPDATE,
            )

    def _check_capacity(self, claims: dict[str, ClaimBody]) -> None:
        """Row by row, as if the consumers' old rows were removed already (spec 2, corrected in 13)."""
        before = self.usage()
        remaining = dict(before)
        for uuid in claims:
            for key, amount in self.consumers[uuid].rows.items() if uuid in self.consumers else ():
                remaining[key] -= amount
        running: dict[tuple[str, str], int] = {}
        for claim in claims.values():
            for provider, rc, amount in claim.rows:
                key = provider, rc
                inventory = self.providers[provider].inventories.get(rc)
                if inventory is None:
                    raise Fault(f"Inventory for '{rc}' on resource provider '{provider}' invalid.", status=409)
                refusal = f"Unable to create allocation for '{rc}' on resource provider '{provider}'."
                if not inventory.unit_fits(amount):
                    raise Fault(f"{refusal} The requested amount would violate inventory constraints.", status=409)
                running[key] = running.get(key, 0) + amount
                after = remaining.get(key, 0) + running[key]
                if after > inventory.raw_limit and after > before.get(key, 0):
                    raise Fault(f"{refusal} The requested amount would exceed the capacity.", status=409)

    def _write(self, claims: dict[str, ClaimBody]) -> None:
        """Every provider named gets its next generation, also one that is only being emptied by {} (spec 2)."""
        named = set()
        for uuid, claim in claims.items():
            consumer = self.consumers.setdefault(uuid, Consumer(claim.project, claim.user))
            named |= {row[0] for row in claim.rows or consumer.rows}
            consumer.project, consumer.user = claim.project, claim.user
            consumer.consumer_type = claim.consumer_type or consumer.consumer_type
            consumer.generation += 1
            consumer.rows = {(provider, rc): amount for provider, rc, amount in claim.rows}
            if not claim.rows:
                self._forget(uuid, leak=consumer.generation == 1)
        for provider in named:
            self.providers[provider].generation += 1

    def _forget(self, uuid: str, leak: bool) -> None:
        """A consumer without allocations has no record; stock Placement forgets to forget a new one (spec 1.13)."""
        if leak and self.leaks_consumers:
            self.consumers[uuid].generation = 0
        else:
            del self.consumers[uuid]

    def _leak(self, claims: dict[str, ClaimBody]) -> None:
        """The stock defect of spec 1.13, if this ledger is to have it."""
        if self.leaks_consumers:
            for uuid, claim in claims.items():
                fresh = Consumer(claim.project, claim.user, claim.consumer_type or UNKNOWN_TYPE)
                self.consumers.setdefault(uuid, fresh)
