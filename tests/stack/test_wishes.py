"""Options that some sources do not take: refused where none takes them, said where others do."""

import json

import pytest

from binwright.errors import InputError
from binwright.stack.place import place_paths
from binwright.stack.wishes import Wishes, unheard
from tests.kubernetes.made import node_dict, pod_dict

EVERYTHING = Wishes(True, True, True, True, "file.yaml")
NODES = "sn,cpu_milli,memory_mib,gpu,model\nn1,32000,65536,2,T4\n"
PODS = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
    "p1,1000,1024,1,500,,LS,Running,0,9,1\n"
)


@pytest.fixture
def trace(tmp_path):
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "pods.csv").write_text(PODS)
    return [str(tmp_path / "nodes.csv"), str(tmp_path / "pods.csv")]


@pytest.fixture
def sandwich(tmp_path):
    cloud, cluster = tmp_path / "clouds" / "north", tmp_path / "clusters" / "shop"
    cloud.mkdir(parents=True)
    cluster.mkdir(parents=True)
    hosts = [
        {"ID": "h1", "Hypervisor Hostname": "h1", "vCPUs": 8, "vCPUs Used": 0, "Memory MB": 8192, "Memory MB Used": 0}
    ]
    (cloud / "hypervisors.json").write_text(json.dumps(hosts))
    (cloud / "flavors.json").write_text("[]")
    (cloud / "servers.json").write_text("[]")
    (cluster / "objects.json").write_text(json.dumps({"items": [node_dict("n1"), pod_dict("p")], "kind": "List"}))
    return tmp_path


def test_which_layer_takes_what():
    assert unheard(EVERYTHING, "kubernetes") == ["--retry-errors"]
    assert unheard(EVERYTHING, "openstack") == ["--preempt", "--peer-sampling", "--complete", "--config"]
    assert unheard(EVERYTHING, "openb") == ["--retry-errors", "--preempt", "--peer-sampling", "--complete", "--config"]
    assert unheard(Wishes(), "openb") == []


@pytest.mark.parametrize(
    "wishes", [Wishes(preempt=True), Wishes(peer_sampling=True), Wishes(complete=True), Wishes(config="no-such-file")]
)
def test_a_trace_takes_none(trace, wishes):
    (option,) = unheard(wishes, "openb")
    with pytest.raises(InputError, match=f"^{option}: no source of the input takes it .they are openb.$"):
        place_paths(trace, "openb", wishes)
    assert len(place_paths(trace, "openb").placed) == 1


def test_a_cloud_alone_and_beside_a_cluster(sandwich):
    with pytest.raises(InputError, match=r"^--preempt: no source of the input takes it"):
        place_paths([str(sandwich / "clouds" / "north")], "openstack", Wishes(preempt=True))
    with pytest.raises(InputError, match=r"^--retry-errors: no source of the input takes it .they are kubernetes.$"):
        place_paths([str(sandwich / "clusters" / "shop")], wishes=Wishes(retry_errors=True))
    both = place_paths([str(sandwich)], wishes=Wishes(preempt=True, retry_errors=True))
    assert [one for one in both.notes if "does nothing" in one] == [
        "north: --preempt does nothing here, it is not for openstack",
        "shop: --retry-errors does nothing here, it is not for kubernetes",
    ]
