"""Dumps with anything anywhere: the answer is a result or one InputError of one line, and twice the same."""

import copy
import random

import pytest

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import Blob
from binwright.openstack.place import place_source
from tests.openstack.clouds import SERVER_2, blobs, small_cloud
from tests.openstack.test_place_services import NETWORKS, POLICY, PORT, STACK, with_agent
from tests.openstack.test_volumes import POOLS, SERVICES, TYPES

MUTATIONS = 120
JUNK = (
    None,
    -1,
    0,
    1,
    1.5,
    1e308,
    2**31,
    2**63,
    True,
    False,
    "",
    "x",
    "-3",
    "None",
    "é\n",
    "\x00\n",
    [],
    [1],
    [None],
    [[]],
    {},
    {"": {}},
    {"id": 3},
    {"vcpus": 1},
    {"resources": {"VCPU": "x"}},
    {"get_param": "count"},
    {"get_attr": ["x"]},
    {"str_replace": {"template": "x", "params": {"x": "y"}}},
    {"type": "OS::Nova::Server"},
    "infinite",
    [{"uuid": 5}],
)


def whole_cloud():
    """A dump with every kind of file."""
    files = small_cloud()
    files["servers.json"][1]["Scheduler Hints"] = {"group": ["g"]}
    files["server_groups.json"] = [{"ID": "g", "Name": "q", "Policy": "anti-affinity", "Members": [SERVER_2]}]
    files["volumes.json"] = [{"ID": "v", "Name": "", "Attached to": [{"server_id": SERVER_2}]}]
    files["requests.json"] = [{"name": "w", "flavor": "m1.small", "count": 2, "scheduler_hints": {"group": "g"}}]
    files["services.json"] = [{"Binary": "nova-compute", "Host": "compute-1", "Status": "enabled", "State": "up"}]
    for row in files["hypervisors.json"]:
        row |= {"vCPUs": 4, "Memory MB": 4096, "Hypervisor Version": "7.2.1"}
    return files


def services():
    """A dump with what the services around Nova have, and a stack."""
    files = with_agent(small_cloud())
    port = {"id": PORT, "name": "p", "device_id": SERVER_2, "network_id": "n", "binding:vnic_type": "normal"}
    group = {"id": "g1", "required": ["CUSTOM_VNIC_TYPE_NORMAL"], "resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 5}}
    other = {"id": "p2", "name": "q", "resource_request": {"request_groups": [group], "same_subtree": ["g1"]}}
    node_group = {"name": "w", "role": "worker", "flavor_id": "m1.small", "node_count": 2, "max_node_count": 5}
    volume = {"ID": "v", "Name": "v", "Status": "creating", "Size": 10, "Type": "fast", "availability_zone": "az1"}
    return files | {
        "ports.json": [port | {"qos_policy_id": "q"}, other],
        "networks.json": copy.deepcopy(NETWORKS),
        "qos_policies.json": [copy.deepcopy(POLICY)],
        "requests.json": [
            {"name": "a", "flavor": "m1.small", "ports": ["p2"]},
            {"name": "b", "size": 5, "type": "fast"},
        ],
        "volumes.json": [volume],
        "pools.json": copy.deepcopy(POOLS),
        "volume_types.json": copy.deepcopy(TYPES),
        "volume_services.json": copy.deepcopy(SERVICES),
        "node_groups.json": [node_group | {"labels": {"boot_volume_size": "5", "availability_zone": "az-a"}}],
        "baremetal_nodes.json": [{"uuid": "u1", "name": "n", "resource_class": "gold", "maintenance": False}],
        "stack.yaml": copy.deepcopy(documents.load(Blob("stack.yaml", STACK.encode()))[0]),
        "env.yaml": {"parameters": {"count": 2}, "resource_registry": {"X": "OS::Nova::Server"}},
    }


def places(value, path=()):
    """Every path into a dump."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


@pytest.mark.parametrize("made", [whole_cloud, services])
@pytest.mark.parametrize("seed", range(6))
def test_anything_anywhere(seed, made):
    dice = random.Random(seed)
    refusals = []
    for number in range(MUTATIONS):
        files = made()
        *way, last = dice.choice(list(places(files)))
        target = files
        for step in way:
            target = target[step]
        if dice.random() < 0.2:
            del target[last]
        else:
            target[last] = copy.deepcopy(dice.choice(JUNK))
        told = f"seed {seed}, mutation {number}, at {[*way, last]}"
        try:
            result = place_source("c1", blobs(files), retry_errors=True)
        except InputError as refusal:
            refusals.append(f"{told}: {refusal}")
            continue
        assert place_source("c1", blobs(files), retry_errors=True) == result, told
    assert 0 < len(refusals) < MUTATIONS
    assert [told for told in refusals if "\n" in told] == []
