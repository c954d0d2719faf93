"""The state that Placement decides on: provider trees, inventories, usage, traits, aggregates.

Answers questions about one provider or one tree; knows nothing of requests. Source: openstack spec 1.1, 1.2, 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.reference.openstack.inventory import Inventory

SHARING_TRAIT = "MISC_SHARES_VIA_AGGREGATE"


@dataclass
class Provider:
    """One resource provider (spec 1.1)."""

    uuid: str
    name: str
    parent: str | None = None
    inventories: dict[str, Inventory] = field(default_factory=dict)
    traits: set[str] = field(default_factory=set)
    aggregates: set[str] = field(default_factory=set)
    generation: int = 0


class Cloud:
    """A forest of providers with their usage; `used` is keyed by (provider uuid, class)."""

    def __init__(
        self,
        providers: list[Provider],
        used: dict[tuple[str, str], int],
        known_traits: set[str],
        known_classes: set[str],
    ) -> None:
        self.providers = {p.uuid: p for p in providers}
        self.used = used
        self.known_traits = known_traits
        self.known_classes = known_classes
        # deployment-wide, not per request (spec 1.1)
        self.has_trees = any(p.parent is not None for p in providers)
        self.has_sharing = any(SHARING_TRAIT in p.traits for p in providers)
        self._roots = {uuid: self.ancestors_or_self(uuid)[-1] for uuid in self.providers}

    @classmethod
    def from_json(cls, cloud: dict, standard: dict) -> Cloud:
        """The `cloud` of a candidates case; `standard` holds the standard trait and class names."""
        providers = [
            Provider(
                uuid=p["uuid"],
                name=p["name"],
                parent=p["parent_provider_uuid"],
                inventories={rc: Inventory.from_json(inv) for rc, inv in p["inventories"].items()},
                traits=set(p["traits"]),
                aggregates=set(p["aggregates"]),
            )
            for p in cloud["resource_providers"]
        ]
        used: dict[tuple[str, str], int] = {}
        for consumer in cloud["allocations"].values():
            for uuid, row in consumer["allocations"].items():
                for rc, amount in row["resources"].items():
                    used[uuid, rc] = used.get((uuid, rc), 0) + amount
        traits = set(standard["traits"]) | set(cloud.get("extra_traits", ()))
        classes = set(standard["resource_classes"]) | set(cloud.get("extra_resource_classes", ()))
        for p in providers:
            traits |= p.traits
            classes |= set(p.inventories)
        return cls(providers, used, traits, classes)

    def ancestors_or_self(self, uuid: str) -> list[str]:
        """The provider, its parent, ... its root."""
        chain = [uuid]
        while (parent := self.providers[chain[-1]].parent) is not None:
            chain.append(parent)
        return chain

    def root(self, uuid: str) -> str:
        return self._roots[uuid]

    def tree(self, root: str) -> list[str]:
        """Every provider of the tree with this root."""
        return [uuid for uuid in self.providers if self._roots[uuid] == root]

    def is_sharing(self, uuid: str) -> bool:
        return SHARING_TRAIT in self.providers[uuid].traits

    def anchors(self, uuid: str) -> set[str]:
        """Roots of all providers that have an aggregate in common with this sharing provider (spec 1.5)."""
        mine = self.providers[uuid].aggregates
        return {self.root(other.uuid) for other in self.providers.values() if other.aggregates & mine}

    def usage(self, uuid: str, rc: str) -> int:
        return self.used.get((uuid, rc), 0)

    def fits(self, uuid: str, rc: str, amount: int) -> bool:
        """A single request for the class fits this provider (spec 1.2)."""
        inventory = self.providers[uuid].inventories.get(rc)
        return inventory is not None and inventory.single_fits(self.usage(uuid, rc), amount)

    def sum_fits(self, uuid: str, rc: str, amount: int) -> bool:
        """The amount summed over the groups fits this provider (spec 1.9.3)."""
        return self.providers[uuid].inventories[rc].sum_fits(self.usage(uuid, rc), amount)
