"""Plans the club sandwich and writes it as files: the same bytes for a seed on every run and platform.

The only module of the sample that touches the disk. JSON has one object per line, so that people and diffs can read it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from binwright.errors import BinwrightError
from binwright.sample import hazards
from binwright.sample.catalogue import RACKS
from binwright.sample.cloud_plan import REQUESTS, CloudPlan
from binwright.sample.cluster_plan import ClusterPlan
from binwright.sample.dice import NOW
from binwright.sample.kubernetes_objects import ClusterObjects
from binwright.sample.openstack_objects import CloudObjects
from binwright.sample.usage import HOURS, UsagePlan
from binwright.sample.workloads import CLUSTERS, UNDER

README = """# The club sandwich

Five Kubernetes clusters (`shop`, `data`, `build`, `edge`, `lab`) whose nodes are servers of one OpenStack (`north`),
whose own control plane runs as pods of a sixth cluster (`under`) on the physical hosts. Made by
`binwright example club-sandwich DIR --seed {seed}`; nobody's real data.

- `clouds/north/`: what `openstack ... -f json` prints, and per provider what Placement holds; `requests.json`: wishes.
- `clusters/NAME/`: what `kubectl get ... -A -o json` prints.
- `usage/`: 24 hourly means per object, `cpu_*` in millicores, `memory_*` in MiB.
- `racks.yaml`: which physical host stands in which rack and zone.
- `manifest.json`: what a reader should find: the seeded hazards, what only looks like one, and what is pending and why.
"""


def write_club_sandwich(directory: str | Path, seed: int = 42) -> dict[str, Any]:
    """Write the sample below ``directory`` and return its manifest (also written, as ``manifest.json``).

    ``directory`` is made if it is missing. Raises BinwrightError if it is a file or holds anything.
    """
    root = Path(directory)
    if root.exists() and not root.is_dir():
        raise BinwrightError(f"{root}: is a file; the sample wants a new or empty directory")
    if root.is_dir() and any(root.iterdir()):
        raise BinwrightError(f"{root}: directory is not empty; the sample wants a new or empty directory")
    files, manifest = plan_files(seed)
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return manifest


def plan_files(seed: int) -> tuple[dict[str, str], dict[str, Any]]:
    """(relative path -> text, manifest) of the sample of this seed."""
    cloud = CloudPlan(seed)
    clusters = {spec.name: ClusterPlan(seed, spec, cloud) for spec in (*CLUSTERS, UNDER)}
    usage = UsagePlan(seed, cloud, clusters)
    manifest = _manifest(seed, cloud, clusters)
    files = {
        "README.md": README.format(seed=seed),
        "manifest.json": json.dumps(manifest, indent=1) + "\n",
        "racks.yaml": _racks(cloud),
    }
    files |= _cloud_files(cloud)
    for cluster in clusters.values():
        files |= _cluster_files(cluster)
    return files | _usage_files(cloud, usage), manifest


# files -------------------------------------------------------------------------------------------------------------
def _line(value: object, sort: bool = False) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=sort)


def _rows(rows: list[dict[str, Any]], sort: bool = False) -> str:
    """A JSON list with one object a line."""
    return "[\n" + ",\n".join(_line(row, sort) for row in rows) + "\n]" if rows else "[]"


def _kubectl_list(documents: list[dict[str, Any]]) -> str:
    """What kubectl prints for several objects: a List, keys in order."""
    return f'{{"apiVersion":"v1","items":{_rows(documents, True)},"kind":"List","metadata":{{"resourceVersion":""}}}}\n'


def _cluster_files(plan: ClusterPlan) -> dict[str, str]:
    objects = ClusterObjects(plan)
    tables = {
        "nodes": objects.nodes(),
        "pods": objects.pods(),
        "policy": objects.policy(),
        "storage": objects.storage(),
        "workloads": objects.workloads(),
    }
    return {f"clusters/{plan.name}/{name}.json": _kubectl_list(rows) for name, rows in tables.items() if rows}


def _cloud_files(plan: CloudPlan) -> dict[str, str]:
    objects = CloudObjects(plan)
    tables = {
        "servers": objects.servers(),
        "flavors": objects.flavors(),
        "hypervisors": objects.hypervisors(),
        "aggregates": objects.aggregates(),
        "server_groups": objects.server_groups(),
        "volumes": objects.volumes(),
        "providers": objects.providers(),
        "requests": objects.requests(),
    }
    files = {f"clouds/{plan.name}/{name}.json": _rows(rows) + "\n" for name, rows in tables.items()}
    for uuid, parts in objects.per_provider().items():
        for part, value in parts.items():
            text = _rows(value) if isinstance(value, list) else _line(value)
            files[f"clouds/{plan.name}/{part}/{uuid}.json"] = text + "\n"
    return files


def _racks(plan: CloudPlan) -> str:
    lines = ["# Where each physical host stands; bare-metal (Ironic) hosts by the name of their hypervisor.", "racks:"]
    for rack, zone in RACKS.items():
        lines += [f"- name: {rack}", f"  zone: {zone}", "  hosts:"]
        hosts = [*plan.hosts.values(), *plan.ironic_hosts]
        lines += [f"  - {host.name}" for host in hosts if host.rack == rack]
    return "\n".join(lines) + "\n"


def _usage_files(cloud: CloudPlan, usage: UsagePlan) -> dict[str, str]:
    hours = [f"cpu_{hour:02d}" for hour in range(HOURS)] + [f"memory_{hour:02d}" for hour in range(HOURS)]
    servers = [",".join(["id", "name", *hours])]
    for server, series in usage.servers:
        servers.append(",".join([server.uuid, server.name, *map(str, series.cpu + series.memory)]))
    files = {f"usage/{cloud.name}.servers.csv": "\n".join(servers) + "\n"}
    for cluster, rows in usage.pods.items():
        pods = [",".join(["namespace", "name", *hours])]
        for pod, series in rows:
            pods.append(",".join([pod.workload.namespace, pod.name, *map(str, series.cpu + series.memory)]))
        files[f"usage/{cluster}.pods.csv"] = "\n".join(pods) + "\n"
    return files


# manifest ----------------------------------------------------------------------------------------------------------
def _manifest(seed: int, cloud: CloudPlan, clusters: dict[str, ClusterPlan]) -> dict[str, Any]:
    return {
        "sample": "club-sandwich",
        "seed": seed,
        "time": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "counts": {
            "hypervisors": len(cloud.hypervisors),
            "ironicNodes": len(cloud.ironic_hosts),
            "servers": len(cloud.servers),
            "nodes": {name: len(plan.nodes) for name, plan in clusters.items()},
            "pods": {name: len(plan.pods) for name, plan in clusters.items()},
        },
        "hazards": hazards.manifest_hazards(cloud, clusters),
        "notHazards": hazards.not_hazards(cloud),
        "pending": {
            "pods": [entry for plan in clusters.values() for entry in _pending_pods(plan)],
            "servers": [
                {"source": cloud.name, "name": server.name, "placeable": server.placeable, "why": server.waits}
                for server in cloud.servers
                if server.waits
            ],
            "requests": [
                {"source": cloud.name, "name": name, "count": count, "placeable": room, "why": why}
                for name, _, count, _, _, _, why, room in REQUESTS
            ],
        },
    }


def _pending_pods(plan: ClusterPlan) -> list[dict[str, Any]]:
    """One entry per waiting workload; gated pods and those of other schedulers are not asked of this one."""
    entries = []
    for load in plan.workloads:
        if load.pending:
            asked = load.gate is None and load.scheduler == "default-scheduler"
            entries.append(
                {
                    "source": plan.name,
                    "namespace": load.namespace,
                    "workload": load.name,
                    "pods": [pod.name for pod in plan.pods_of(load)],
                    "asked": asked,
                    "placeable": load.placeable,
                    "why": load.pending,
                }
            )
    return entries
