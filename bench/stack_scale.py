"""How long the joined layers take to be read, audited, added up, asked about every host, and placed through.

`python -m bench.stack_scale [--hosts 1000] [--servers 20000] [--pods 200000] [--clusters 20] [--pending 10000]
[--json FILE]` writes the files of such a sandwich (seeded) to a temporary directory and times the commands' own
functions on them. Every number is checked: what is made is what is found.
"""

import argparse
import json
import os
import random
import tempfile
import time
from pathlib import Path

from bench.machine import commit, processor
from binwright.stack.audit import audit
from binwright.stack.blast import blast
from binwright.stack.grown_headroom import grown_headroom
from binwright.stack.inventory import open_sandwich
from binwright.stack.join import host_id
from binwright.stack.joint_place import joint_place
from binwright.stack.ledger import ledger
from binwright.stack.sources import find_sources
from binwright.stack.usage import Usage

FLAVOR = {"ID": "k8s", "Name": "k8s.large", "RAM": 32768, "Disk": 40, "Ephemeral": 0, "VCPUs": 8, "Properties": {}}
HARD = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}


def write(root: Path, hosts: int, servers: int, pods: int, clusters: int, pending: int, seed: int) -> None:
    """A cloud whose servers are the nodes of `clusters` clusters, an eighth of them other servers; `pending` more
    pods wait, every second ten of which are too large for what is left on any node.
    """
    dice = random.Random(seed)
    cloud = root / "clouds" / "north"
    cloud.mkdir(parents=True)
    names = [f"cmp-{number:05}" for number in range(hosts)]
    hypervisors = [
        {
            "ID": name, "Hypervisor Hostname": name, "Hypervisor Type": "QEMU", "State": "up", "Status": "enabled",
            "vCPUs": 192, "vCPUs Used": 0, "Memory MB": 1048576, "Memory MB Used": 0, "Local GB": 4000,
            "Local GB Used": 0,
        }
        for name in names
    ]  # fmt: skip
    racks = [{"name": f"r{number}", "zone": f"az{number % 3}", "hosts": names[number::40]} for number in range(40)]
    (root / "racks.yaml").write_text(json.dumps({"racks": racks}))
    rows, nodes = [], [[] for _ in range(clusters)]
    for number in range(servers):
        host, name = names[number % hosts], f"vm-{number:06}"
        project = f"p{number % clusters}"
        rows.append(
            {
                "ID": f"id-{number}", "Name": name, "Status": "ACTIVE", "Host": host, "Flavor": "k8s.large",
                "Networks": {"net": [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"]}, "Project ID": project,
            }
        )  # fmt: skip
        if number % 8:
            nodes[number % clusters].append((name, f"id-{number}", host_id(project, host)))
    for file, table in (("servers", rows), ("flavors", [FLAVOR]), ("hypervisors", hypervisors)):
        (cloud / f"{file}.json").write_text(json.dumps(table))
    for number in range(clusters):
        write_cluster(root / "clusters" / f"c{number:02}", nodes[number], pods // clusters, pending // clusters, dice)


def write_cluster(
    folder: Path, nodes: list[tuple[str, str, str]], pods: int, pending: int, dice: random.Random
) -> None:
    """Nodes on servers, and workloads of ten pods, every fifth of which claims to be spread."""
    folder.mkdir(parents=True)
    amounts = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    made = [
        {
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {"kubernetes.io/hostname": name, "topology.openstack.org/host-id": label},
            },
            "spec": {"providerID": f"openstack:///{server}"},
            "status": {"capacity": amounts, "allocatable": amounts},
        }
        for name, server, label in nodes
    ]  # fmt: skip
    listed = []
    for number in range(pods):
        app = f"app-{number // 10}"
        if number % 10 == 0:
            where = dice.sample(nodes, min(10, len(nodes)))
        spec = {
            "nodeName": where[number % 10 % len(where)][0],
            "containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}}}],
        }
        if number // 10 % 5 == 0:
            spec["topologySpreadConstraints"] = [HARD | {"labelSelector": {"matchLabels": {"app": app}}}]
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-1", "controller": True}
        meta = {"name": f"{app}-1-{number % 10}", "namespace": f"ns-{number // 10 % 20}", "labels": {"app": app}}
        listed.append(
            {
                "apiVersion": "v1", "kind": "Pod", "metadata": {**meta, "ownerReferences": [owner]}, "spec": spec,
                "status": {"phase": "Running"},
            }
        )  # fmt: skip
    for number in range(pending):
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"new-{number // 10}-1", "controller": True}
        meta = {"name": f"new-{number}", "namespace": "ns-0", "labels": {"app": f"new-{number // 10}"}}
        requests = {"cpu": "7900m" if number // 10 % 2 else "500m", "memory": "1Gi"}
        listed.append(
            {
                "apiVersion": "v1", "kind": "Pod", "metadata": {**meta, "ownerReferences": [owner]},
                "spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": requests}}]},
                "status": {"phase": "Pending"},
            }
        )  # fmt: skip
    (folder / "nodes.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    (folder / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}))


def main() -> None:
    """Make, time, check, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, number in (
        ("hosts", 1000),
        ("servers", 20000),
        ("pods", 200000),
        ("clusters", 20),
        ("pending", 10000),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--json", help="write the figures to this file")
    options = parser.parse_args()
    sizes = {name: getattr(options, name) for name in ("hosts", "servers", "pods", "clusters", "pending", "seed")}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), **sizes)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.json"))
        seconds, cpu_seconds = {}, {}

        def timed(what, function):
            start, cpu = time.perf_counter(), time.process_time()
            found = function()
            seconds[what] = round(time.perf_counter() - start, 3)
            cpu_seconds[what] = round(time.process_time() - cpu, 3)
            return found

        sandwich = timed("read and join", lambda: open_sandwich(find_sources([folder]), [folder]))
        timed("audit without repairs", lambda: audit(sandwich, repair=False))
        audited = timed("audit", lambda: audit(sandwich))
        accounts = timed("ledger", lambda: ledger(sandwich, Usage()))
        blasted = timed("blast of every host", lambda: blast(sandwich, any_level="host"))
        planned = timed("joint placing", lambda: joint_place(sandwich, partial=True))
        roomy = timed("headroom of one shape", lambda: grown_headroom(sandwich, ["cpu=2,memory=4Gi"]))
    assert len(sandwich.servers) == options.servers
    assert all(place.host is not None for place in sandwich.nodes.values())
    assert {one.kind for one in audited.findings} <= {"spread"}, "nothing else is wrong in what was made"
    assert sum(one.pods for one in accounts.accounts) == options.pods // options.clusters * options.clusters
    assert sum(one.lost for one in blasted.blasts) == options.pods // options.clusters * options.clusters
    assert planned.pending == options.pending // options.clusters * options.clusters
    assert len(planned.placed) + len(planned.stops) == planned.pending
    assert roomy.shapes[0].together >= roomy.shapes[0].as_is
    figures = {
        "machine": {"processor": processor(), "commit": commit(), "loadAverage": os.getloadavg()[0]},
        "sizes": {**sizes, "bytes": size},
        "seconds": seconds,
        "cpuSeconds": cpu_seconds,
        "findings": len(audited.findings),
        "planned": {"placed": len(planned.placed), "newNodes": len(planned.nodes), "stopped": len(planned.stops)},
    }
    print(json.dumps(figures, indent=2))
    if options.json:
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
