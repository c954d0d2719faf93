"""Resource providers and the forest they form: parents, roots, sharing through aggregates (openstack spec 1.1, 1.5).

Knows Placement's terms only; which provider is a compute host is the business of `hosts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from binwright.errors import InputError
from binwright.openstack.placement.inventory import Inventory
from binwright.units import shown

__all__ = ["SHARING_TRAIT", "Forest", "Provider"]

SHARING_TRAIT = "MISC_SHARES_VIA_AGGREGATE"


@dataclass(slots=True)
class Provider:
    """One resource provider; `used` is the sum of all consumers' allocation rows per class.

    `where` is how an error names it (file and object).
    """

    uuid: str
    name: str
    parent: str | None = None
    where: str = ""
    inventories: dict[str, Inventory] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    traits: frozenset[str] = frozenset()
    aggregates: frozenset[str] = frozenset()
    generation: int = 0

    @property
    def sharing(self) -> bool:
        """Whether it offers its inventories to the trees of its aggregates."""
        return SHARING_TRAIT in self.traits


class Forest:
    """Providers by uuid, in input order, with the root and the subtree of each.

    Raises InputError for a parent that does not exist and for a cycle of parents.
    """

    def __init__(self, providers: Iterable[Provider]) -> None:
        self.providers: dict[str, Provider] = {provider.uuid: provider for provider in providers}
        self._roots: dict[str, str] = {}
        self._trees: dict[str, list[Provider]] = {}
        for provider in self.providers.values():
            self._trees.setdefault(self._find_root(provider), []).append(provider)

    def _find_root(self, provider: Provider) -> str:
        walked = {provider.uuid: None}
        while provider.uuid not in self._roots and provider.parent is not None:
            parent = self.providers.get(provider.parent)
            if parent is None:
                raise InputError(f"{provider.where}: parent provider {shown(provider.parent)[1:-1]} does not exist")
            if parent.uuid in walked:
                raise InputError(f"{provider.where}: its parent providers form a cycle")
            walked[parent.uuid] = None
            provider = parent
        root = self._roots.get(provider.uuid, provider.uuid)
        self._roots.update(dict.fromkeys(walked, root))
        return root

    def root(self, uuid: str) -> str:
        """The uuid of the root of the tree that `uuid` is in."""
        return self._roots[uuid]

    def roots(self) -> list[Provider]:
        """The roots, in input order."""
        return [provider for provider in self.providers.values() if provider.parent is None]

    def tree(self, root: str) -> list[Provider]:
        """Every provider of a tree, the root among them, in input order."""
        return self._trees[root]

    def sharing(self) -> list[Provider]:
        """The sharing providers, in input order."""
        return [provider for provider in self.providers.values() if provider.sharing]

    def anchors(self, sharing: Provider) -> set[str]:
        """Roots that a sharing provider serves beside its own: of every provider with an aggregate in common."""
        if not sharing.aggregates:
            return set()
        return {
            self._roots[uuid]
            for uuid, other in self.providers.items()
            if not sharing.aggregates.isdisjoint(other.aggregates)
        }
