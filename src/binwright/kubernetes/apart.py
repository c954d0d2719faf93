"""Which pods may never share a node, whatever the nodes are: host ports and required anti-affinity between hosts.

Both rules of kubernetes spec 4 (NodePorts, InterPodAffinity), read off the pods alone; knows neither nodes nor packing.
Anti-affinity binds both sides: a pod with a term keeps out what the term selects, and is kept out where that lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins.affinity_terms import Selection, terms_of
from binwright.kubernetes.plugins.node_ports import ANY_ADDRESS, host_ports
from binwright.kubernetes.related import Related
from binwright.kubernetes.traits import Traits

__all__ = ["HOSTNAME", "Apart", "apart", "of_namespace_labels"]

HOSTNAME = "kubernetes.io/hostname"


@dataclass(slots=True)
class Apart:
    """By position of the pods: `groups` of which no two share a node, and further `pairs` that do not."""

    groups: list[list[int]] = field(default_factory=list)
    pairs: set[tuple[int, int]] = field(default_factory=set)

    def touching(self, positions: Iterable[int]) -> set[int]:
        """The pods that are kept from one of these."""
        some = set(positions)
        found = {at for group in self.groups if some & set(group) for at in group}
        found |= {at for pair in self.pairs if some & set(pair) for at in pair}
        return found - some


def apart(pods: Sequence[Pod], related: Related) -> Apart:
    """Everything that keeps two of these pods from one node. Raises InputError for a selector that cannot be."""
    found = Apart()
    _ports(pods, found)
    _terms(pods, related, found)
    return found


def of_namespace_labels(pod: Pod) -> bool:
    """Whether a term of the rule asks for labels of namespaces."""
    return any(about.namespace_selector for about in _between_hosts(pod))


def _ports(pods: Sequence[Pod], found: Apart) -> None:
    """A host port is given away once per address and protocol; the address 0.0.0.0 means every one."""
    users: dict[tuple[str, int], dict[str, list[int]]] = {}
    for at, pod in enumerate(pods):
        for address, protocol, port in host_ports(pod):
            users.setdefault((protocol, port), {}).setdefault(address, []).append(at)
    for by_address in users.values():
        everywhere = by_address.get(ANY_ADDRESS, [])
        for address, some in by_address.items():
            _group(some, found)
            if address != ANY_ADDRESS:
                _across(everywhere, some, found)


def _terms(pods: Sequence[Pod], related: Related, found: Apart) -> None:
    """Required anti-affinity with the topology key kubernetes.io/hostname: every node is a domain of its own."""
    holders: dict[Selection, list[int]] = {}
    for at, pod in enumerate(pods):
        for about in dict.fromkeys(_between_hosts(pod)):
            holders.setdefault(about, []).append(at)
    if not holders:
        return
    alike: dict[Traits, list[int]] = {}
    for at, pod in enumerate(pods):
        labels = tuple(sorted((pod.metadata.labels or {}).items()))
        alike.setdefault(Traits(pod.metadata.namespace or "default", labels), []).append(at)
    for about, some in holders.items():
        selected = sorted(at for traits, each in alike.items() if about.matches(traits, related) for at in each)
        both = sorted(set(some) & set(selected))
        _group(both, found)
        _across(some, sorted(set(selected) - set(both)), found)
        _across(sorted(set(some) - set(both)), both, found)


def _between_hosts(pod: Pod) -> Iterator[Selection]:
    return (term.about for term in terms_of(pod).anti_affinity if term.key == HOSTNAME)


def _group(some: list[int], found: Apart) -> None:
    if len(some) > 1 and some not in found.groups:
        found.groups.append(some)


def _across(left: Iterable[int], right: Sequence[int], found: Apart) -> None:
    found.pairs |= {(min(a, b), max(a, b)) for a in left for b in right if a != b}
