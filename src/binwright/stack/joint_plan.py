"""What `stack place` answers: new nodes with their hosts, pods on nodes, what stops the rest; and its JSON form."""

from dataclasses import dataclass, field
from typing import Any

from binwright.openstack.growth import NoHost
from binwright.outcome import NotEvaluated, Outcome
from binwright.stack.envelope import API_VERSION, merged_not_evaluated, not_evaluated_entries
from binwright.stack.grown_headroom_result import no_host_entry
from binwright.stack.new_nodes import NewNode
from binwright.stack.sandwich import Sandwich


@dataclass(frozen=True, slots=True)
class PoolStop:
    """Why no new node of a pool helps a pod. layer: "kubernetes" (such a node would refuse it), "openstack" (the cloud
    has no host for another server; `no_host` says more) or "both" (there is room, and yet no node helped).
    """

    pool: str
    flavor: str
    layer: str
    text: str
    no_host: NoHost | None = None


@dataclass(slots=True)
class Stop:
    """A pod that finds no place, with why at every layer. change: the smallest that is enough, at `change_layer`."""

    outcome: Outcome
    pools: list[PoolStop] = field(default_factory=list)
    note: str | None = None
    change: dict[str, Any] | None = None
    change_layer: str | None = None


@dataclass(slots=True)
class Bought:
    """One packing problem of a cluster: nodes, and what they cost beside the proven bound."""

    cluster: str
    nodes: int
    value: int | float | None
    bound: int | float | None
    status: str


@dataclass(slots=True)
class JointPlan:
    """One answer for all clusters and clouds. complete: every pending pod has its place. Unless `partial` was asked
    for, a plan that is not complete has neither nodes nor placements. after: the sandwich as it would be.
    """

    pending: int
    nodes: list[NewNode] = field(default_factory=list)
    placed: list[Outcome] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    bought: list[Bought] = field(default_factory=list)
    price: int | float | None = None
    priced: bool = False
    partial: bool = False
    spread: str | None = None
    notes: list[str] = field(default_factory=list)
    not_evaluated: list[tuple[str, list[NotEvaluated]]] = field(default_factory=list)
    elapsed_seconds: float = 0.0
    after: Sandwich | None = None

    @property
    def complete(self) -> bool:
        """Whether all fits."""
        return not self.stops

    def to_dict(self) -> dict[str, Any]:
        """The envelope, kind StackPlaceResult: plain dicts, lists, strings and exact numbers."""
        new = {(one.pool.cluster, one.name) for one in self.nodes}
        return {
            "apiVersion": API_VERSION,
            "kind": "StackPlaceResult",
            "summary": {
                "pending": self.pending,
                "placed": len(self.placed),
                "stopped": len(self.stops),
                "newNodes": len(self.nodes),
                "price": self.price if self.priced else None,
                "complete": self.complete,
                "partial": self.partial,
                "spread": self.spread,
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "nodes": [node_entry(one) for one in self.nodes],
            "placed": [
                {
                    "source": one.source,
                    "namespace": one.namespace,
                    "name": one.name,
                    "uid": one.uid,
                    "host": one.host,
                    "newNode": (one.source, one.host) in new,
                }
                for one in self.placed
            ],
            "stops": [stop_entry(one) for one in self.stops],
            "packing": [
                {
                    "cluster": one.cluster,
                    "nodes": one.nodes,
                    "value": one.value,
                    "bound": one.bound,
                    "status": one.status,
                }
                for one in self.bought
            ],
            "notes": self.notes,
            "notEvaluated": not_evaluated_entries(merged_not_evaluated(self.not_evaluated)),
        }


def node_entry(one: NewNode) -> dict[str, Any]:
    """A new node."""
    return {
        "name": one.name,
        "cluster": one.pool.cluster,
        "cloud": one.pool.cloud,
        "pool": one.pool.name,
        "flavor": one.pool.flavor.name,
        "zone": one.pool.zone,
        "group": one.pool.group,
        "like": one.pool.mould.node.metadata.name,
        "derived": one.pool.derived,
        "host": one.grown.host,
        "requested": one.grown.requested,
        "pods": one.pods,
    }


def stop_entry(one: Stop) -> dict[str, Any]:
    """A pod without a place."""
    return {
        "source": one.outcome.source,
        "namespace": one.outcome.namespace,
        "name": one.outcome.name,
        "uid": one.outcome.uid,
        "message": one.outcome.message,
        "pools": [
            {
                "pool": each.pool,
                "flavor": each.flavor,
                "layer": each.layer,
                "text": each.text,
                "noHost": None if each.no_host is None else no_host_entry(each.no_host),
            }
            for each in one.pools
        ],
        "note": one.note,
        "smallestChange": None if one.change is None else {"layer": one.change_layer, **one.change},
    }
