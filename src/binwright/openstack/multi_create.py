"""Several instances of one request, as Nova's multi-create schedules them: all of them, or none (openstack spec 5.2).

Placement is asked once. After each instance the hosts that are left are filtered and weighed again; a claim that no
longer fits goes to the next host, and one instance without a host takes all others back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from binwright.errors import InputError
from binwright.openstack.asked import Asked
from binwright.openstack.chain import Chain, Look
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.request_spec import GroupMembers
from binwright.openstack.placement.answer import Candidate

__all__ = ["Given", "NoHostLeft", "give_together"]

Given = tuple[int, float, Mapping[str, Mapping[str, int]]]
"""A host, its total weight, and what the instance got of which provider."""


class NoHostLeft(InputError):
    """An instance found no host; everything is as before. `number` is the instance's, `look` what it found."""

    def __init__(self, number: int, count: int, look: Look) -> None:
        super().__init__(f"instance {number + 1} of {count} found no host")
        self.number = number
        self.look = look


def give_together(chain: Chain, asked: Asked, instances: Sequence[str], group: GroupMembers | None) -> list[Given]:
    """A host for each instance, charged to the chain's books. Raises NoHostLeft, with nothing changed."""
    given: list[Given] = []
    saved: list[tuple[ComputeHost, ComputeHost]] = []
    members = None if group is None else list(group.hosts)
    left: Sequence[int] | None = None
    candidates: dict[int, list[Candidate]] | None = None
    try:
        for number, instance in enumerate(instances):
            look = chain.look(asked, instance, group, left, number, candidates)
            candidates = look.candidates if candidates is None else candidates
            left = [host for host, _ in look.ranking]
            chosen = next(((host, total) for host, total in look.ranking if _claimable(chain, look, host)), None)
            if chosen is None:
                raise NoHostLeft(number, len(instances), look)
            host, total = chosen
            saved.append((chain.computes[host], chain.computes[host].saved()))
            given.append((host, total, chain.claim(look, host).allocations))
    except InputError:
        for _, _, allocations in given:
            chain.charge(allocations, -1)
        for compute, before in reversed(saved):
            compute.restore(before)
        if group is not None and members is not None:
            group.hosts[:] = members
        raise
    return given


def _claimable(chain: Chain, look: Look, host: int) -> bool:
    """Whether Placement still accepts the first candidate that the filters have left a host (openstack spec 2)."""
    mapped = chain.computes[host].candidates[0]
    candidate = next(one for one in look.candidates[host] if one.mappings is mapped)
    for uuid, amounts in candidate.allocations.items():
        provider = chain.hosts.forest.providers[uuid]
        for name, amount in amounts.items():
            if not provider.inventories[name].fits(provider.used.get(name, 0), amount):
                return False
    return True
