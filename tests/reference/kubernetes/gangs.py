"""Pod groups of scheduler-plugins (Coscheduling), the slow way: pods of a group are tried one by one on a copy of the
cluster; the copy becomes the cluster when enough of them found a node.

From the plugin's rules: queue by priority, then creation of the group (or of a pod without one), then name; too few
siblings, too many gated ones, or minResources that all nodes together do not have, end it before any node is asked.
"""

from copy import deepcopy
from typing import Any

from tests.reference.kubernetes.cluster import Cluster
from tests.reference.kubernetes.pods import Pod

Json = dict[str, Any]

LABEL = "scheduling.x-k8s.io/pod-group"
LAST = "~"  # later than any time


def group_name(pod: Json) -> str | None:
    name = (pod["metadata"].get("labels") or {}).get(LABEL)
    return f"{pod['metadata'].get('namespace') or 'default'}/{name}" if name else None


def place_gangs(cluster: Cluster, pending: list[Json], bound: list[Json], groups: list[Json]) -> dict[str, str | None]:
    """Node of each pending pod (NAMESPACE/NAME), None for those that stay without. `bound`: what the cluster holds."""
    known = {f"{one['metadata'].get('namespace') or 'default'}/{one['metadata']['name']}": one for one in groups}
    of_group: dict[str | None, list[Json]] = {}

    def turn(pod: Json) -> tuple[Any, ...]:
        group = known.get(group_name(pod) or "")
        created = (group or pod)["metadata"].get("creationTimestamp") or LAST
        return (
            -(pod["spec"].get("priority") or 0),
            created,
            pod["metadata"].get("namespace") or "default",
            pod["metadata"]["name"],
        )

    queue = sorted(pending, key=turn)
    for pod in queue:
        of_group.setdefault(group_name(pod), []).append(pod)
    places: dict[str, str | None] = {}
    for pod in queue:
        name = group_name(pod)
        if name is None:
            places[Pod(pod).key] = bind(cluster, pod)
        elif Pod(pod).key not in places:
            members = of_group[name]
            assigned = sum(group_name(one) == name for one in bound)
            cluster = together(cluster, members, assigned, known.get(name), places)
    return places


def together(
    cluster: Cluster, members: list[Json], assigned: int, group: Json | None, places: dict[str, str | None]
) -> Cluster:
    """The cluster after a group had its turn."""
    places.update((Pod(one).key, None) for one in members)
    least = (group or {"spec": {}})["spec"].get("minMember") or 0
    if group is None or assigned + len(members) < least:
        return cluster
    tried = deepcopy(cluster)
    found = {Pod(one).key: bind(tried, one) for one in members}
    if assigned + sum(node is not None for node in found.values()) < least:
        return cluster
    places.update(found)
    return tried


def bind(cluster: Cluster, manifest: Json) -> str | None:
    """Place one pod for good, if there is a node for it."""
    decision = cluster.decide(manifest)
    if decision.node is None:
        return None
    cluster.commit(decision)
    return decision.node.name
