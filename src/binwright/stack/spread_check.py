"""Claimed spread against real spread: domains of a label, and what lies below them.

A claim over nodes is broken when it would not hold if each physical host were one node; a claim over zones, when the
zones are those of the hosts. Reads claims and the joined sandwich; knows no scheduler's profile.
"""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass

from binwright.kubernetes.objects import Pod
from binwright.kubernetes.spread_claims import Claim, spread_claims
from binwright.outcome import NotEvaluated
from binwright.stack.finding import Finding, Ref, not_known
from binwright.stack.sandwich import NodePlace, Sandwich
from binwright.stack.source_errors import errors_of

LEVEL_OF_KEY = {
    "kubernetes.io/hostname": "host",
    "topology.kubernetes.io/zone": "zone",
    "failure-domain.beta.kubernetes.io/zone": "zone",
    "topology.openstack.org/host-id": "host",
    "topology.scs.openstack.org/host-id": "host",
    "binwright.io/host": "host",
    "binwright.io/rack": "rack",
    "binwright.io/zone": "zone",
}
"""Topology keys, and the level below the nodes whose loss they are meant to survive."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A claim that was measured. claimed: domains that the label shows; actual: real domains; skew: over the latter.
    crowds: members by real domain. kept: the claim holds over the real domains, too. hidden: the labels show it better
    than it is.
    """

    claim: Claim
    level: str
    claimed: int
    actual: int
    skew: int
    crowds: dict[str, tuple[Pod, ...]]
    kept: bool
    hidden: bool


Domains = dict[tuple[str, tuple[str, ...]], tuple[frozenset[str], frozenset[str]]]
"""(topology key, nodes) -> the real domains of these nodes, and those by their labels."""


def measure(sandwich: Sandwich, cluster: str, claim: Claim, known: Domains) -> Spread | None:
    """A claim over the real domains; None where the key names no level or a member's host is not known. known: what
    other claims of this cluster had to find out.
    """
    level = LEVEL_OF_KEY.get(claim.key)
    if level is None:
        return None
    crowds: dict[str, list[Pod]] = {}
    labels: dict[int, str] = {}
    for pod in claim.members:
        place = sandwich.place_of(cluster, pod)
        domain = place.at(level) if place is not None else None
        if place is None or domain is None:
            return None
        crowds.setdefault(domain, []).append(pod)
        labels[id(pod)] = domain_by_label(place, claim.key)
    if (claim.key, claim.nodes) not in known:
        places = [place for name in claim.nodes if (place := sandwich.nodes.get((cluster, name))) is not None]
        known[claim.key, claim.nodes] = (
            frozenset(domain for place in places if (domain := place.at(level)) is not None),
            frozenset(domain_by_label(place, claim.key) for place in places),
        )
    domains, shown_domains = known[claim.key, claim.nodes]
    labelled: dict[str, list[Pod]] = {}
    for pod in claim.members:
        labelled.setdefault(labels[id(pod)], []).append(pod)
    if claim.rule == "antiAffinity":
        crowds = with_bearer(claim, crowds)
        most, shown, allowed = most_of(crowds), most_of(with_bearer(claim, labelled)), 1
    else:
        most = skew_of(domains, crowds)
        shown, allowed = skew_of(shown_domains, labelled), claim.max_skew
    return Spread(
        claim,
        level,
        len({labels[id(pod)] for pods in crowds.values() for pod in pods}),
        len(crowds),
        skew_of(domains, crowds),
        {name: tuple(pods) for name, pods in crowds.items()},
        kept=most <= allowed,
        hidden=shown <= allowed or most > shown,
    )


def with_bearer(claim: Claim, crowds: dict[str, list[Pod]]) -> dict[str, list[Pod]]:
    """The domains with a pod that bears the claim: others of its selector may share a domain among themselves."""
    bearers = {id(pod) for pod in claim.workload.pods}
    return {name: pods for name, pods in crowds.items() if any(id(pod) in bearers for pod in pods)}


def most_of(crowds: Mapping[str, Sized]) -> int:
    """Members of the fullest domain."""
    return max(map(len, crowds.values()), default=0)


def skew_of(domains: Iterable[str], crowds: Mapping[str, Sized]) -> int:
    """Members of the fullest domain less those of the emptiest; `domains` count without a member, too."""
    sizes = [*map(len, crowds.values())]
    if any(name not in crowds for name in domains):
        sizes.append(0)
    return max(sizes, default=0) - min(sizes, default=0)


def domain_by_label(place: NodePlace, key: str) -> str:
    """What the scheduler takes for a node's domain; a key of ours is never a label of a node."""
    return (place.node.metadata.labels or {}).get(key) or place.name


def check_spread(sandwich: Sandwich) -> tuple[list[Finding], list[Spread], list[NotEvaluated]]:
    """(broken claims, every measured claim, what could not be judged)."""
    findings, spreads, blind = [], [], []
    for cluster in sorted(sandwich.clusters):
        objects = sandwich.clusters[cluster]
        with errors_of(cluster):
            claims = spread_claims(objects, sandwich.workloads(cluster))
        known: Domains = {}
        for claim in claims:
            spread = measure(sandwich, cluster, claim, known)
            if spread is None:
                blind.append(f"{cluster}/{claim.workload.namespace}/{claim.workload.name}")
                continue
            spreads.append(spread)
            if not spread.kept:
                findings.append(broken(sandwich, cluster, spread))
    return findings, spreads, not_known("real spread (a host or the meaning of a topology key is not known)", blind)


def broken(sandwich: Sandwich, cluster: str, spread: Spread) -> Finding:
    """A claim that does not hold below the nodes."""
    claim = spread.claim
    workload = claim.workload
    shared = {domain: pods for domain, pods in sorted(spread.crowds.items()) if len(pods) > 1}
    lines = "; ".join(f"{domain}: {', '.join(nodes_of(pods))}" for domain, pods in shared.items())
    rule = f"maxSkew {claim.max_skew}, DoNotSchedule" if claim.rule == "spread" else "required anti-affinity"
    return Finding(
        "spread",
        "high" if spread.hidden else "medium",
        (
            Ref(cluster, workload.kind, workload.name, workload.namespace),
            *(Ref(cluster, "Pod", pod.metadata.name or "", workload.namespace) for pod in claim.members),
            *(Ref(cluster, "Node", name) for name in nodes_of(claim.members)),
            *level_refs(sandwich, cluster, spread),
        ),
        claimed=spread.claimed,
        actual=spread.actual,
        evidence=f"{len(claim.members)} pods claim {claim.key} ({rule}) and stand on {spread.claimed} of its domains, "
        f"which are {spread.actual} {spread.level}{'' if spread.actual == 1 else 's'} (skew {spread.skew}); {lines}"
        f"{'' if spread.hidden else '; the labels show as much'}",
    )


def nodes_of(pods: Iterable[Pod]) -> list[str]:
    """Names of the nodes that hold the pods, each once."""
    return list(dict.fromkeys((pod.spec and pod.spec.node_name) or "" for pod in pods))


def level_refs(sandwich: Sandwich, cluster: str, spread: Spread) -> list[Ref]:
    """The real domains as objects."""
    if spread.level != "host":
        return [Ref("racks", spread.level.capitalize(), name) for name in sorted(spread.crowds)]
    return [Ref(sandwich.hosts[key].source, "Host", sandwich.hosts[key].name) for key in sorted(spread.crowds)]
