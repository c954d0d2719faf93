"""Small sound inputs, cut from the sample that ships: what the doors are fed before it is damaged."""

import json
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parents[2] / "examples" / "club-sandwich"
SHORT = 4  # entries that are left of each list of a cloud's dump

PROFILE = """\
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
  plugins:
    score: {disabled: [{name: ImageLocality}], enabled: [{name: NodeResourcesFit, weight: 3}]}
  pluginConfig:
  - name: NodeResourcesFit
    args:
      scoringStrategy:
        type: RequestedToCapacityRatio
        resources: [{name: cpu, weight: 2}]
        requestedToCapacityRatio: {shape: [{utilization: 0, score: 0}, {utilization: 100, score: 10}]}
"""
NOVA_CONF = """\
[filter_scheduler]
enabled_filters = ComputeFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter
ram_weight_multiplier = 2.5
[scheduler]
placement_aggregate_required_for_tenants = true
[quota]
instances = 10
"""
ITEMS = {
    "name": "t",
    "capacity": [10, 20],
    "items": [[3, 4, 5], [6, 1, 2], [1, 1, 9]],
    "conflicts": [[0, 1]],
    "at_most": [[[2], 4]],
}
TABLE = "name,count,cpu,memory\na,5,3,4\nb,2,6,1\n"
BINS = "name,vcpus,memory_mb,price,stock,max_pods\nsmall,16,65536,0.4,,110\nlarge,64,262144,1.5,7,250\n"
TABLE_BINS = "name,cpu,memory,price\nsmall,10,20,3\nlarge,30,70,8.5\n"
BPP = "4\n10\n3\n6\n7\n2\n"
OPENB_NODES = "sn,cpu_milli,memory_mib,gpu,model\na,8000,16384,2,T4\nb,8000,16384,1,G2\n"
OPENB_PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np,1000,1024,1,250,G2|P100\nq,1000,1024,2,1000,\n"
QUERY = "resources=VCPU:4,MEMORY_MB:8192&required=HW_CPU_X86_AVX2&resources1=PCI_DEVICE:1&group_policy=none&limit=3"
POD = "cpu=500m,memory=1Gi,example.com/gpu=1,2:cpu=1"
SELECTOR = "app=web,tier in (front, back),!canary,zone!=a"


def cluster() -> dict[str, Any]:
    """Four nodes of a cluster, what runs there, what waits, and the objects around it."""
    folder = SAMPLE / "clusters" / "lab"
    read = {name: json.loads((folder / f"{name}.json").read_text())["items"] for name in ("nodes", "pods")}
    nodes = [*read["nodes"][:1], *read["nodes"][-3:]]
    names = {node["metadata"]["name"] for node in nodes}
    placed = [pod for pod in read["pods"] if pod["spec"].get("nodeName") in names][:8]
    waiting = [pod for pod in read["pods"] if not pod["spec"].get("nodeName")][:4]
    around = [
        item
        for name in ("policy", "storage", "workloads")
        for item in json.loads((folder / f"{name}.json").read_text())["items"][:SHORT]
    ]
    return {"apiVersion": "v1", "kind": "List", "items": [*nodes, *placed, *waiting, *around]}


def cloud() -> dict[str, Any]:
    """The files of a cloud's dump, by name, with a few hypervisors and what belongs to them."""
    folder = SAMPLE / "clouds" / "north"
    files = {path.name: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    some = {name: _some(value) for name, value in files.items()}
    for part in ("allocations", "inventories", "provider_aggregates", "traits"):
        for path in sorted((folder / part).iterdir())[:SHORT]:
            some[f"{part}/{path.name}"] = json.loads(path.read_text())
    return some


def _some(value: Any) -> Any:
    if isinstance(value, list):
        return value[:SHORT]
    return {key: _some(one) if isinstance(one, list) else one for key, one in value.items()}
