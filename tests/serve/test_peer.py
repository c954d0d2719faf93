"""The real kube-scheduler places pods through a running extender, which then holds what was placed."""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from binwright.kubernetes.live import LiveCluster
from binwright.kubernetes.place import place_dicts
from tests.kubernetes.made import node_dict, pod_dict
from tests.serve.served import ExtenderService, Served, listed

ROOT = Path(__file__).parents[2]
PEER = Path(os.environ.get("KUBE_SCHEDULER", ROOT / "build" / "kube_scheduler"))


def cluster(seed):
    """Nodes of several sizes and zones, some tainted; pods of several kinds, of which some fit nowhere in the end."""
    rng = random.Random(seed)
    taint = [{"key": "only", "value": "x", "effect": "NoSchedule"}]
    nodes = []
    for number in range(12):
        name, taints = f"n{number:02}", rng.choice([None, None, taint])
        labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"z{number % 3}"}
        nodes.append(node_dict(name, cpu=str(rng.choice([2, 4, 8])), memory="16Gi", taints=taints, labels=labels))
    pods = []
    for number in range(60):
        labels = {"app": rng.choice("abc")}
        spread = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
                  "labelSelector": {"matchLabels": labels}}  # fmt: skip
        more = {"topologySpreadConstraints": [spread]} if rng.random() < 0.3 else {}
        if rng.random() < 0.3:
            more["tolerations"] = [{"operator": "Exists"}]
        pods.append(pod_dict(f"p{number:02}", cpu=rng.choice(["500m", "1", "1500m"]), memory="1Gi", namespace="default",
                             meta={"uid": f"u{number}", "labels": labels}, **more))  # fmt: skip
    return nodes, pods


@pytest.mark.peers
@pytest.mark.parametrize("whole_nodes", [False, True])
@pytest.mark.parametrize("single", [True, False])
def test_the_real_scheduler_goes_through_it(tmp_path, single, whole_nodes):
    if not PEER.exists():
        pytest.skip(f"the real kube-scheduler is not built ({PEER})")
    nodes, pods = cluster(seed=4)
    for name, found in (("nodes", nodes), ("init", []), ("pods", pods), ("namespaces", [])):
        (tmp_path / f"{name}.json").write_text(json.dumps(found))
    service = ExtenderService(LiveCluster(complete=True), single=single)
    with Served(service) as served:
        served.put("/v1/state", listed(*nodes))
        words = [PEER, "speed", tmp_path, "-extender", f"http://127.0.0.1:{served.port}/v1"]
        done = subprocess.run([*words, f"-names={str(not whole_nodes).lower()}"], capture_output=True, check=True)
        hosts = json.loads(done.stdout)["hosts"]
        assert {key: service.live.where(key) for key in hosts} == hosts
        assert service.live.pods == len(hosts)
    assert 20 < len(hosts) < len(pods)
    assert service.journal.by_rule() == {}, "the scheduler's own filters refuse the same nodes, and ask for the rest"
    if single:
        placed = place_dicts("place", [*nodes, *pods]).placed
        assert hosts == {f"{one.namespace}/{one.name}": one.host for one in placed}
