"""`stack split`: how many of a pool of bare-metal hosts should run hypervisors, and how many Kubernetes directly.

Demand is what waits: servers in the cloud, pods in the clusters. Hosts are really added, as hypervisors like one that
there is, or as nodes of its physical size, and what waits is placed by the layers' whole rules. The least number that
places as much as the whole pool does is found by halving; it has been tried, one less has been tried, too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from binwright.errors import InputError
from binwright.kubernetes.node_copies import Mould, lasting_taints, moulds, reserved, resized, with_nodes
from binwright.kubernetes.place import place_read
from binwright.openstack.cloud_changes import with_hosts_like
from binwright.openstack.place import place_cloud
from binwright.openstack.quotas import quotas_not_told, with_allowed_wishes
from binwright.outcome import NotEvaluated
from binwright.stack.envelope import API_VERSION, merged_not_evaluated, not_evaluated_entries
from binwright.stack.new_nodes import is_control
from binwright.stack.physical import CPU, MEMORY, capacities
from binwright.stack.sandwich import Sandwich

MOST_HOSTS = 1000


@dataclass(slots=True)
class Share:
    """What one source makes of hosts. without: objects placed with none of them; most: with all of the pool; hosts:
    the least number that places as many as that; still: objects that wait even so, `barred` of them because their
    projects may not have more.
    """

    source: str
    layer: str
    waiting: int
    without: int
    most: int
    hosts: int
    barred: int = 0

    @property
    def still(self) -> int:
        """Objects that no number of hosts of the pool helps."""
        return self.waiting - self.most


@dataclass(slots=True)
class Split:
    """The answer. pool: hosts that there are; like: a hypervisor of the same make; node: what one offers as a node."""

    pool: int
    like: str
    node: dict[str, int]
    shares: list[Share] = field(default_factory=list)
    not_evaluated: list[tuple[str, list[NotEvaluated]]] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def hypervisors(self) -> int:
        """Hosts that should run hypervisors."""
        return sum(one.hosts for one in self.shares if one.layer == "openstack")

    @property
    def nodes(self) -> int:
        """Hosts that should be nodes."""
        return sum(one.hosts for one in self.shares if one.layer == "kubernetes")

    @property
    def enough(self) -> bool:
        """Whether the pool is large enough for both."""
        return self.hypervisors + self.nodes <= self.pool

    def to_dict(self) -> dict[str, Any]:
        """The envelope, kind SplitResult: plain dicts, lists, strings and exact numbers."""
        return {
            "apiVersion": API_VERSION,
            "kind": "SplitResult",
            "summary": {
                "pool": self.pool,
                "like": self.like,
                "hypervisors": self.hypervisors,
                "nodes": self.nodes,
                "spare": max(0, self.pool - self.hypervisors - self.nodes),
                "enough": self.enough,
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "node": [{"resource": name, "amount": amount} for name, amount in self.node.items()],
            "shares": [
                {
                    "source": one.source,
                    "layer": one.layer,
                    "waiting": one.waiting,
                    "placedWithout": one.without,
                    "placedWith": one.most,
                    "hosts": one.hosts,
                    "stillWaiting": one.still,
                    "barredByQuota": one.barred,
                }
                for one in self.shares
            ],
            "notEvaluated": not_evaluated_entries(merged_not_evaluated(self.not_evaluated)),
        }


def split(sandwich: Sandwich, pool: int, like: str, seconds: float = 0.0) -> Split:
    """Divide `pool` empty hosts like the hypervisor `like` (HOST, or CLOUD/HOST). The sandwich does not change.

    Raises InputError for a pool that is none, and where there is no such host or its physical size is not told.
    """
    start = time.perf_counter()
    if not 1 <= pool <= MOST_HOSTS:
        raise InputError(f"--bare-metal {pool}: from 1 to {MOST_HOSTS} hosts can be divided")
    found = [
        (cloud, one.hostname)
        for cloud in sorted(sandwich.clouds)
        for one in sandwich.clouds[cloud].hypervisors
        if like in (one.hostname, f"{cloud}/{one.hostname}")
    ]
    if len(found) != 1:
        raise InputError(f"--like {like}: {'several hypervisors' if found else 'no hypervisor'} of this name")
    cloud, hostname = found[0]
    size = capacities(sandwich).get(f"{cloud}/{hostname}", {})
    if not {CPU, MEMORY} <= size.keys():
        raise InputError(f"--like {like}: its CPUs and memory are not told")
    result = Split(pool, f"{cloud}/{hostname}", {})
    result.shares.append(of_cloud(sandwich, cloud, hostname, result))
    for cluster in sorted(sandwich.clusters):
        if sandwich.queue(cluster).pending and sandwich.clusters[cluster].nodes:
            result.shares.append(of_cluster(sandwich, cluster, size, result))
    result.elapsed_seconds = seconds + time.perf_counter() - start
    return result


def of_cloud(sandwich: Sandwich, name: str, like: str, result: Split) -> Share:
    """Hypervisors for the servers that wait, and for those wished for that quotas let."""
    waiting = 0
    cloud, barred = with_allowed_wishes(sandwich.clouds[name])

    def placed(hosts: int) -> int:
        nonlocal waiting
        bigger = with_hosts_like(cloud, like, [f"bare-metal-{n}" for n in range(hosts)])
        told = place_cloud(bigger, conf=sandwich.conf)
        waiting = sum(one.kind == "Server" for one in (*told.placed, *told.unplaced))
        if not hosts:
            result.not_evaluated.append((name, told.not_evaluated + quotas_not_told(cloud)))
        return sum(one.kind == "Server" for one in told.placed)

    without, most, hosts = least(placed, result.pool)
    return Share(name, "openstack", waiting + len(barred), without, most, hosts, len(barred))


def of_cluster(sandwich: Sandwich, name: str, size: dict[str, int], result: Split) -> Share:
    """Nodes for the pods that wait: like the cluster's plainest worker, of the host's size less what kubelet keeps."""
    objects = sandwich.clusters[name]
    known = moulds(objects)
    workers = [node for node in objects.nodes if not is_control(node)] or list(objects.nodes)
    plainest = min(workers, key=lambda node: len(lasting_taints(node)))
    kept = reserved(plainest)
    amounts = {CPU: size[CPU] - kept[CPU], MEMORY: size[MEMORY] - kept[MEMORY]}
    mould: Mould = resized(known[plainest.metadata.name or ""], amounts)
    result.node = result.node or amounts

    def placed(hosts: int) -> int:
        bigger = with_nodes(objects, [(mould, f"{name}-bare-metal-{n}", {}) for n in range(hosts)])
        told = place_read(name, bigger, sandwich.options)
        if not hosts:
            result.not_evaluated.append((name, told.not_evaluated))
        return len(told.placed)

    without, most, hosts = least(placed, result.pool)
    return Share(name, "kubernetes", len(sandwich.queue(name).pending), without, most, hosts)


def least(placed: Callable[[int], int], pool: int) -> tuple[int, int, int]:
    """(placed with no host, with the whole pool, the least number of hosts that places as many as that)."""
    without, most = placed(0), placed(pool)
    low, high = 0, 0 if without >= most else pool
    while high - low > 1:
        middle = (low + high) // 2
        if placed(middle) >= most:
            high = middle
        else:
            low = middle
    return without, max(without, most), high
