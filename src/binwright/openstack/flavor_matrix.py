"""Flavor by zone by trait: where the servers that `headroom` counts would be."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from binwright.headroom import Headroom, MatrixRow
from binwright.openstack.hosts import Hosts
from binwright.openstack.zones import DEFAULT_ZONE, Zones

__all__ = ["flavor_matrix"]

CUSTOM = "CUSTOM_"


def flavor_matrix(answers: Iterable[Headroom], hosts: Hosts, zones: Zones) -> list[MatrixRow]:
    """One row for each flavor, zone, and trait that an operator has given to some hosts' providers; "" is any trait.

    Hosts of no zone are in Nova's default one. Rows without any server are left out, but for those of any trait.
    """
    members = dict(sorted(zones.members.items()))
    outside = ~np.any(list(members.values()), axis=0) if members else np.ones(len(hosts), dtype=bool)
    if outside.any():
        members.setdefault(DEFAULT_ZONE, outside)
    traits = _custom_traits(hosts)
    rows = []
    for answer in answers:
        counts = np.array([sum(room.counts) for room in answer.hosts], dtype=np.int64)
        (shape,) = answer.shapes
        for trait, having in traits.items():
            for zone, inside in members.items():
                here = counts[inside & having]
                if here.any() or not trait:
                    rows.append(MatrixRow(shape.name, zone, trait, int((here > 0).sum()), int(here.sum())))
    return rows


def _custom_traits(hosts: Hosts) -> dict[str, np.ndarray]:
    """Trait -> the hosts with it somewhere in their tree, bool (hosts,); "" -> all."""
    found = {"": np.ones(len(hosts), dtype=bool)}
    for index, root in enumerate(hosts.providers):
        for provider in hosts.forest.tree(root.uuid) if root is not None else ():
            for trait in provider.traits:
                if trait.startswith(CUSTOM):
                    found.setdefault(trait, np.zeros(len(hosts), dtype=bool))[index] = True
    return dict(sorted(found.items()))
