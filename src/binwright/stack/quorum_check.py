"""Groups that vote: members of one quorum on too few physical hosts, so that one loss stops them all."""

import re
from collections.abc import Iterable

from binwright.kubernetes.objects import Pod
from binwright.kubernetes.spread_claims import Workload
from binwright.outcome import NotEvaluated
from binwright.stack.finding import Finding, Ref, not_known
from binwright.stack.sandwich import Sandwich

VOTERS = re.compile(
    r"(^|[-/])(etcd|zookeeper|consul|nats|rabbitmq|galera|mariadb-galera|vault|kafka-controller|ovn-ovsdb-\w+)($|[-:@0-9])"
)
"""Names of pods' controllers and images that vote among themselves."""
HELPERS = re.compile(r"(^|[-/])(agent|backup|client|config-reloader|dataplane|exporter|operator|proxy)($|[-:@0-9])")
"""Names of containers and images that only serve or ask those that vote."""
MARK = "binwright.io/quorum"
"""Label with a group's name, for what is not known by its name."""


def quorums(listed: Iterable[Workload]) -> list[tuple[str, str, tuple[Pod, ...]]]:
    """(namespace, name, members) of every group of at least three members that votes, in input order."""
    groups: dict[tuple[str, str], list[Pod]] = {}
    for workload in listed:
        for pod in workload.pods:
            labels = pod.metadata.labels or {}
            name = labels.get(MARK)
            if name is None and workload.kind in ("Node", "Pod") and VOTERS.search(labels.get("component", "")):
                name = labels["component"]  # static pods, one a node
            if name is None and workload.kind == "StatefulSet" and _votes(workload.name, pod):
                name = workload.name
            if name is not None:
                groups.setdefault((workload.namespace, name), []).append(pod)
    return [(namespace, name, tuple(pods)) for (namespace, name), pods in groups.items() if len(pods) >= 3]


def _votes(name: str, pod: Pod) -> bool:
    containers = (pod.spec and pod.spec.containers) or ()
    return _is_voter(name) or any(
        _is_voter((one.image or "").rpartition("/")[2]) and not HELPERS.search(one.name or "") for one in containers
    )


def _is_voter(name: str) -> bool:
    return bool(VOTERS.search(name)) and not HELPERS.search(name)


def check_quorums(sandwich: Sandwich) -> tuple[list[Finding], list[NotEvaluated]]:
    """(quorums that one host takes down, what could not be judged)."""
    findings, blind = [], []
    for cluster in sorted(sandwich.clusters):
        for namespace, name, members in quorums(sandwich.workloads(cluster)):
            crowds: dict[str, list[Pod]] = {}
            for pod in members:
                place = sandwich.place_of(cluster, pod)
                crowds.setdefault((place.at("host") if place is not None else None) or "", []).append(pod)
            if "" in crowds:
                blind.append(f"{cluster}/{namespace}/{name}")
            worst = max((key for key in crowds if key), key=lambda key: (len(crowds[key]), key), default=None)
            if worst is None or len(members) - len(crowds[worst]) >= len(members) // 2 + 1:
                continue
            host = sandwich.hosts[worst]
            nodes = dict.fromkeys((pod.spec and pod.spec.node_name) or "" for pod in members)
            findings.append(
                Finding(
                    "quorum",
                    "critical",
                    (
                        *(Ref(cluster, "Pod", pod.metadata.name or "", namespace) for pod in members),
                        *(Ref(cluster, "Node", node) for node in nodes),
                        Ref(host.source, "Host", host.name),
                    ),
                    claimed=len(members),
                    actual=len([key for key in crowds if key]),
                    evidence=f"{len(crowds[worst])} of {len(members)} members of {name} run on host {host.name}; "
                    f"{len(members) // 2 + 1} are needed",
                )
            )
    return findings, not_known("quorum on one host (a member's host is not known)", blind)
