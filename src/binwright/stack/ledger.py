"""`stack ledger`: what each physical host has, what every layer above gave away of it, and what is used.

All amounts in base units: cpu in millicores, memory in bytes. Reclaimable is a quantile of the sum of all series on a
host: peaks that do not meet count once, which a sum of quantiles would not see.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from binwright.errors import InputError
from binwright.kubernetes.limits import guaranteed, limit
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.requests import Requests, base_units
from binwright.outcome import NotEvaluated
from binwright.stack.envelope import API_VERSION, not_evaluated_entries
from binwright.stack.finding import not_known
from binwright.stack.physical import CPU, MEMORY, capacities
from binwright.stack.sandwich import Host, NodePlace, Sandwich
from binwright.stack.server_sizes import server_sizes
from binwright.stack.source_errors import errors_of
from binwright.stack.unplaced import unplaced
from binwright.stack.usage import Usage
from binwright.units import nanos

RESOURCES = (CPU, MEMORY)


@dataclass(slots=True)
class Line:
    """One resource of one host. physical: None where nothing tells. sold: to servers, and to pods where the host is a
    node itself. nodes: allocatable of the nodes on its servers. guaranteed, requested, limited: of pods; unlimited:
    pods without a limit. mean, peak: measured, None without series. reclaimable: sold and idle at the stated risk;
    what has no series is not idle.
    """

    physical: int | None = None
    sold: int = 0
    nodes: int = 0
    guaranteed: int = 0
    requested: int = 0
    limited: int = 0
    unlimited: int = 0
    mean: int | None = None
    peak: int | None = None
    reclaimable: int | None = None

    @property
    def host_ratio(self) -> float:
        """How often the host's amount is sold; at least 1."""
        return max(1.0, self.sold / self.physical) if self.physical else 1.0

    @property
    def node_ratio(self) -> float:
        """How often what the nodes can give is promised up to the limits, at least 1; pods without one are left out."""
        return max(1.0, self.limited / self.nodes) if self.nodes else 1.0


@dataclass(slots=True)
class Account:
    """One host's lines. double: resources of which both layers promise more than there is below them."""

    host: str
    rack: str | None
    zone: str | None
    servers: int = 0
    pods: int = 0
    lines: dict[str, Line] = field(default_factory=lambda: {name: Line() for name in RESOURCES})

    @property
    def double(self) -> tuple[str, ...]:
        """Resources that both layers overcommit on this host."""
        return tuple(name for name, line in self.lines.items() if line.host_ratio > 1 and line.node_ratio > 1)


@dataclass(frozen=True, slots=True)
class PodShare:
    """What a pod's request is worth at full load: `effective` of `requested` for cpu, millicores."""

    source: str
    namespace: str
    name: str
    host: str
    requested: int
    effective: int


@dataclass(slots=True)
class LedgerResult:
    """accounts: by host. pods: shares, most diluted first. risk: share of the samples in which reclaimed capacity would
    have been missed.
    """

    accounts: list[Account]
    pods: list[PodShare]
    samples: int
    risk: float
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    def total(self, name: str) -> Line:
        """The sum of all hosts' lines of one resource, physical of those whose size is told; measured means and
        reclaimable amounts add up, peaks do not.
        """
        found = Line()
        measured = [one.lines[name] for one in self.accounts if one.lines[name].mean is not None]
        for one in self.accounts:
            line = one.lines[name]
            if line.physical is not None:
                found.physical = (found.physical or 0) + line.physical
            for part in ("sold", "nodes", "guaranteed", "requested", "limited", "unlimited"):
                setattr(found, part, getattr(found, part) + getattr(line, part))
        if measured:
            found.mean = sum(line.mean or 0 for line in measured)
            found.reclaimable = sum(line.reclaimable or 0 for line in measured)
        return found

    def to_dict(self, with_pods: bool = False) -> dict[str, Any]:
        """The envelope, kind LedgerResult."""
        return {
            "apiVersion": API_VERSION,
            "kind": "LedgerResult",
            "summary": {
                "hosts": len(self.accounts),
                "doubleOvercommit": sum(bool(one.double) for one in self.accounts),
                "samples": self.samples,
                "risk": self.risk,
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "totals": {name: _entry(self.total(name)) for name in RESOURCES},
            "hosts": [
                {
                    "host": one.host, "rack": one.rack, "zone": one.zone, "servers": one.servers, "pods": one.pods,
                    "doubleOvercommit": list(one.double),
                    **{name: _entry(line) for name, line in one.lines.items()},
                }
                for one in self.accounts
            ],
            "pods": [
                {
                    "source": one.source, "namespace": one.namespace, "name": one.name, "host": one.host,
                    "requested": one.requested, "effective": one.effective,
                }
                for one in (self.pods if with_pods else ())
            ],
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }  # fmt: skip


def _entry(line: Line) -> dict[str, Any]:
    parts = (
        "physical", "sold", "nodes", "guaranteed", "requested", "limited", "unlimited", "mean", "peak", "reclaimable"
    )  # fmt: skip
    return {part: getattr(line, part) for part in parts}


def ledger(sandwich: Sandwich, usage: Usage, risk: float = 0.01, seconds: float = 0.0) -> LedgerResult:
    """The account of every physical host. Raises InputError for a risk outside 0..1, and for bad amounts."""
    if not 0 <= risk < 1:
        raise InputError(f"risk {risk} is not in 0..1 (1 left out)")
    start = time.perf_counter()
    have = capacities(sandwich)
    accounts: dict[str, Account] = {}
    for key in sorted(sandwich.hosts):
        host = sandwich.hosts[key]
        if host.physical() is host:
            account = accounts[key] = Account(key, host.rack, host.zone)
            for name in RESOURCES:
                account.lines[name].physical = have.get(key, {}).get(name)
    _servers(sandwich, accounts)
    _nodes(sandwich, accounts)
    shares = _pods(sandwich, accounts)
    if usage.samples:
        _measure(sandwich, accounts, usage, risk)
    found = [
        PodShare(
            *name, account.host, requested,
            int(requested / (account.lines[CPU].host_ratio * max(1.0, account.lines[CPU].requested / node))),
        )
        for name, account, requested, node in shares
    ]  # fmt: skip
    found.sort(key=lambda one: (one.effective / one.requested, one.source, one.namespace, one.name))
    elapsed = seconds + time.perf_counter() - start
    sizeless = [key for key, one in accounts.items() if any(line.physical is None for line in one.lines.values())]
    blind = unplaced(sandwich) + not_known("hosts whose size nobody tells", sizeless)
    return LedgerResult(list(accounts.values()), found, usage.samples, risk, blind, elapsed)


def _servers(sandwich: Sandwich, accounts: dict[str, Account]) -> None:
    """What is sold to servers; those that lie in another cloud's server were sold below already."""
    sizes = {source: server_sizes(cloud) for source, cloud in sandwich.clouds.items()}
    for place in sandwich.servers.values():
        if place.host is None or place.host.physical() is not place.host:
            continue
        account = accounts[place.host.key]
        account.servers += 1
        cpu, memory = sizes[place.cloud](place.server)
        account.lines[CPU].sold += cpu
        account.lines[MEMORY].sold += memory


def _nodes(sandwich: Sandwich, accounts: dict[str, Account]) -> None:
    for (cluster, name), place in sandwich.nodes.items():
        account = _account(place, accounts)
        if account is None or place.node.status is None:
            continue
        told = place.node.status.allocatable or place.node.status.capacity or {}
        for resource in RESOURCES:
            if resource in told:
                amount = nanos(told[resource], f"Node {cluster}/{name}: status.allocatable.{resource}")
                account.lines[resource].nodes += base_units(resource, amount)


def _pods(sandwich: Sandwich, accounts: dict[str, Account]) -> list[tuple[tuple[str, str, str], Account, int, int]]:
    """Adds all bound pods; returns (name, account, requested cpu, allocatable cpu of the host's nodes) of each that
    requests some.
    """
    requests = Requests()
    shares = []
    for cluster in sorted(sandwich.clusters):
        for pod in sandwich.bound(cluster):
            place = sandwich.place_of(cluster, pod)
            account = _account(place, accounts)
            if place is None or account is None:
                continue
            account.pods += 1
            with errors_of(cluster):
                used = requests.of(pod).used
                for name in RESOURCES:
                    _add(account.lines[name], pod, name, used.get(name, 0), place.server is None)
            if used.get(CPU, 0):
                meta = pod.metadata
                who = (cluster, meta.namespace or "default", meta.name or "")
                shares.append((who, account, used[CPU], account.lines[CPU].nodes or used[CPU]))
    return shares


def _add(line: Line, pod: Pod, name: str, requested: int, on_metal: bool) -> None:
    line.requested += requested
    if guaranteed(pod):
        line.guaranteed += requested
    most = limit(pod, name)
    if most is None:
        line.unlimited += 1
    else:
        line.limited += most
    if on_metal:
        line.sold += requested


def _account(place: NodePlace | None, accounts: dict[str, Account]) -> Account | None:
    if place is None or place.host is None:
        return None
    return accounts[place.host.physical().key]


def _measure(sandwich: Sandwich, accounts: dict[str, Account], usage: Usage, risk: float) -> None:
    """Adds up the series on each host: a server's own, which has its pods in it; else those of its pods. What has no
    series counts as used in full.
    """
    sums: dict[str, dict[str, np.ndarray]] = {}
    unseen: dict[str, dict[str, int]] = {}

    def add(key: str, series: dict[str, np.ndarray]) -> None:
        here = sums.setdefault(key, {name: np.zeros(usage.samples, np.int64) for name in RESOURCES})
        for name in RESOURCES:
            here[name] += series[name]

    def miss(key: str, amounts: Iterable[int]) -> None:
        here = unseen.setdefault(key, dict.fromkeys(RESOURCES, 0))
        for name, amount in zip(RESOURCES, amounts, strict=True):
            here[name] += amount

    requests = Requests()
    without: list[tuple[NodePlace, Host, Pod]] = []
    by_pods = set()  # servers that are told by series of their pods
    for cluster in sandwich.clusters:
        for pod in sandwich.bound(cluster):
            node = sandwich.place_of(cluster, pod)
            if node is None or node.host is None or _told_by_server(node, usage):
                continue
            host = node.host.physical()
            series = usage.pods.get((cluster, pod.metadata.namespace or "default", pod.metadata.name or ""))
            if series is None:
                without.append((node, host, pod))
                continue
            add(host.key, series)
            if node.server is not None:
                by_pods.add(id(node.server))
    for node, host, pod in without:
        if node.server is None or id(node.server) in by_pods:
            used = requests.of(pod).used
            miss(host.key, (used.get(name, 0) for name in RESOURCES))
    sizes = {source: server_sizes(cloud) for source, cloud in sandwich.clouds.items()}
    for place in sandwich.servers.values():
        if place.host is None or place.host.physical() is not place.host:
            continue
        series = usage.servers.get((place.cloud, place.server.id or place.server.name))
        if series is not None:
            add(place.host.key, series)
        elif id(place) not in by_pods:
            miss(place.host.key, sizes[place.cloud](place.server))
    for key, measured in sums.items():
        for name, values in measured.items():
            line = accounts[key].lines[name]
            line.mean, line.peak = int(values.mean()), int(values.max())
            needed = int(np.quantile(values, 1 - risk, method="inverted_cdf"))
            needed += unseen.get(key, {}).get(name, 0)
            promised = min(line.sold, line.physical) if line.physical is not None else line.sold
            line.reclaimable = max(0, promised - needed)


def _told_by_server(node: NodePlace, usage: Usage) -> bool:
    place = node.server
    return place is not None and (place.cloud, place.server.id or place.server.name) in usage.servers
