"""The JSON form of `stack headroom`, kind `StackHeadroomResult`. Decides nothing, formats nothing for people."""

from typing import Any

from binwright.openstack.growth import NoHost
from binwright.stack.envelope import API_VERSION, merged_not_evaluated, not_evaluated_entries, reason_entries
from binwright.stack.grown_headroom import ClusterRoom, GrownHeadroom, PoolRoom


def to_dict(result: GrownHeadroom) -> dict[str, Any]:
    """The envelope: plain dicts, lists, strings and exact numbers."""
    return {
        "apiVersion": API_VERSION,
        "kind": "StackHeadroomResult",
        "summary": {
            "clusters": max((len(one.clusters) for one in result.shapes), default=0),
            "shapes": len(result.shapes),
            "supposes": result.supposes,
            "elapsedSeconds": round(result.elapsed_seconds, 6),
        },
        "shapes": [
            {
                "name": shape.shape,
                "asked": [{"resource": name, "amount": amount} for name, amount in shape.asked.items()],
                "asIs": shape.as_is,
                "together": {"pods": shape.together, "newNodes": shape.new_nodes},
                "clusters": [cluster_entry(one) for one in shape.clusters],
            }
            for shape in result.shapes
        ],
        "notes": result.notes,
        "notEvaluated": not_evaluated_entries(merged_not_evaluated(result.not_evaluated)),
    }


def cluster_entry(one: ClusterRoom) -> dict[str, Any]:
    """One cluster's answer."""
    return {
        "cluster": one.cluster,
        "nodes": one.nodes,
        "asIs": one.as_is,
        "alone": {"pods": one.alone, "newNodes": one.alone_nodes},
        "together": {"pods": one.together, "newNodes": one.together_nodes},
        "message": one.message,
        "note": one.note,
        "pools": [pool_entry(pool) for pool in one.pools],
    }


def pool_entry(one: PoolRoom) -> dict[str, Any]:
    """New nodes of one pool, alone."""
    return {
        "name": one.pool.name,
        "cloud": one.pool.cloud,
        "flavor": one.pool.flavor.name,
        "zone": one.pool.zone,
        "like": one.pool.mould.node.metadata.name,
        "derived": one.pool.derived,
        "newNodes": one.servers,
        "pods": one.pods,
        "podsPerNode": one.per_node,
        "unfit": one.unfit,
        "stopped": None if one.stopped is None else no_host_entry(one.stopped),
        "hosts": [{"host": host, "servers": number} for host, number in one.hosts.items()],
    }


def no_host_entry(one: NoHost) -> dict[str, Any]:
    """Why no host takes a server."""
    return {
        "message": one.message,
        "withoutTrait": one.lacking,
        "fragmented": one.fragmented,
        "largestHole": [{"resource": name, "amount": amount} for name, amount in one.hole.items()],
        "shutOutByGroup": one.shut_out,
        "other": one.other,
        "reasons": reason_entries(one.reasons),
        "smallestChange": one.change,
    }
