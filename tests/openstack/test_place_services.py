"""Placing what the services around Nova ask for: ports, bare metal, clusters, stacks and volumes; by hand."""

import json
import uuid

import pytest

from binwright.cli import main
from binwright.errors import InputError
from binwright.openstack.neutron.providers import Agent, agent_providers
from binwright.openstack.place import place_source
from binwright.openstack.placement.tree import Provider
from tests.openstack.clouds import COMPUTE_1, SERVER_2, blobs, inventory, small_cloud
from tests.openstack.test_volumes import POOLS, TYPES

PORT = "33333333-0000-4000-8000-000000000000"
POLICY = {"id": "q", "name": "gold", "rules": [
    {"id": "r1", "type": "minimum_bandwidth", "min_kbps": 600, "direction": "egress"},
    {"id": "r2", "type": "minimum_packet_rate", "min_kpps": 10, "direction": "any"},
]}  # fmt: skip
NETWORKS = [{"id": "n", "name": "net", "provider:physical_network": "physnet0"}]


def place(files, **options):
    return place_source("c1", blobs(files), **options)


def hosts(result):
    return [(one.name, one.host) for one in result.placed] + [(one.name, None) for one in result.unplaced]


def with_agent(files, egress=1000):
    """The first host gets an agent with one device of so much bandwidth."""
    host = Provider(COMPUTE_1, "compute-1.example")
    agent = Agent(
        "Open vSwitch agent", {"br0": (egress, None)}, {"physnet0": ["br0"]}, packet_rates={"any": 1000, "egress": None}
    )
    for one in agent_providers(host, agent):
        files["providers.json"].append(
            {"uuid": one.uuid, "name": one.name, "parent_provider_uuid": one.parent, "root_provider_uuid": COMPUTE_1}
        )
        rows = [inventory(name, found.total) for name, found in one.inventories.items()]
        files[f"inventories/{one.uuid}.json"] = rows
        files[f"traits/{one.uuid}.json"] = sorted(one.traits)
        files[f"allocations/{one.uuid}.json"] = {"allocations": {}}
    return files


def ported(**files):
    port = {"id": PORT, "name": "p", "device_id": SERVER_2, "network_id": "n", "qos_policy_id": "q"}
    tables = {"ports.json": [port], "qos_policies.json": [POLICY], "networks.json": NETWORKS}
    return with_agent(small_cloud()) | tables | files


def test_a_port_that_guarantees_something_goes_where_that_is():
    result = place(ported())
    (placed,) = result.placed
    assert placed.host == "compute-1.example"  # the second host is emptier, and has no such device
    assert [(device["name"], device["resources"]) for device in placed.devices] == [
        ("compute-1.example:Open vSwitch agent:br0", {"NET_BW_EGR_KILOBIT_PER_SEC": 600}),
        ("compute-1.example:Open vSwitch agent", {"NET_PACKET_RATE_KILOPACKET_PER_SEC": 10}),
    ]
    use = {one.name: (one.capacity, one.used_before, one.used_after) for one in result.resources}
    assert use["NET_BW_EGR_KILOBIT_PER_SEC"] == (1000, 0, 600)
    assert [one.rule for one in result.not_evaluated] == ["image properties"]


def test_bandwidth_runs_out():
    second = {"id": str(uuid.UUID(int=7)), "name": "p2", "network_id": "n", "qos_policy_id": "gold"}
    files = ported()
    files["ports.json"].append(second)
    files["requests.json"] = [{"name": "more", "flavor": "m1.small", "ports": ["p2"]}]
    assert hosts(place(files)) == [("web", "compute-1.example"), ("more", None)]


def test_ports_without_their_files():
    files = small_cloud() | {"requests.json": [{"name": "more", "flavor": "m1.small", "ports": ["p2"]}]}
    result = place(files)
    rule = next(one for one in result.not_evaluated if one.rule.startswith("ports"))
    assert (rule.rule, rule.objects, rule.example) == (
        "ports: the input has no ports.json", 1, "c1/requests.json: request more: p2",
    )  # fmt: skip
    with pytest.raises(InputError, match=r"requests\.json: request more: ports: 'p2' is not in ports\.json"):
        place(files | {"ports.json": []})


STACK = """
heat_template_version: 2018-08-31
parameters: {count: {type: number}}
resources:
  group:
    type: OS::Nova::ServerGroup
    properties: {policies: [anti-affinity]}
  db:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: count}
      resource_def:
        type: OS::Nova::Server
        properties:
          name: db%index%
          flavor: m1.small
          networks: [{port: {get_resource: port}}]
          scheduler_hints: {group: {get_resource: group}}
  port: {type: OS::Neutron::Port, properties: {network: net, qos_policy: gold}}
  data: {type: OS::Cinder::Volume, properties: {size: 50, volume_type: fast}}
  lb: {type: OS::Octavia::LoadBalancer}
"""


def test_a_stack_with_an_anti_affinity_group():
    text = STACK.replace("networks: [{port: {get_resource: port}}]", "")
    files = small_cloud() | {"db.yaml": text, "env.yaml": "parameters: {count: 3}"}
    result = place(files | {"pools.json": POOLS, "volume_types.json": TYPES})
    placed = dict(hosts(result))
    assert {placed["db0"], placed["db1"]} == {"compute-1.example", "compute-2.example"}
    assert placed["db2"] is None
    assert placed["db-data"] == "stor-1@lvm#ssd"
    (refused,) = result.unplaced
    assert [reason.rule for reason in refused.reasons] == ["ServerGroupAntiAffinityFilter"]
    assert [one.kind for one in result.placed] == ["Server", "Server", "Server", "Volume"]
    listed = {one.rule: (one.objects, one.example) for one in result.not_evaluated}
    assert listed["Heat resource types that are not known"] == (1, "c1/db.yaml: resource lb: OS::Octavia::LoadBalancer")


def test_a_stack_whose_port_guarantees_something():
    tables = {"qos_policies.json": [POLICY], "networks.json": NETWORKS}
    files = with_agent(small_cloud()) | tables | {"db.yaml": STACK, "env.json": '{"parameters": {"count": 2}}'}
    # only the first host has the bandwidth, and the group wants two hosts
    assert dict(hosts(place(files))) == {"web": "compute-2.example", "db0": "compute-1.example", "db1": None}


def test_a_cluster_of_magnum_spreads_where_it_can():
    groups = [{"name": "w", "role": "worker", "flavor_id": "m1.small", "node_count": 3, "cluster_id": "k1"}]
    files = small_cloud() | {"node_groups.json": groups}
    placed = dict(hosts(place(files)))
    assert {placed["k1-w-0"], placed["k1-w-1"]} == {"compute-1.example", "compute-2.example"}
    assert placed["k1-w-2"] is not None  # soft: a third node goes beside one of the others


NODES = [
    {"uuid": str(uuid.UUID(int=number)), "name": f"n{number}", "resource_class": kind, "provision_state": "available",
     "power_state": "power off", "maintenance": maintained, "instance_uuid": None, "traits": traits}
    for number, kind, maintained, traits in (
        (1, "gold", False, []), (2, "gold", False, ["CUSTOM_RAID"]), (3, "gold", True, []), (4, "tin", False, []))
]  # fmt: skip
GOLD = {"resources:CUSTOM_GOLD": "1", "resources:VCPU": "0", "resources:MEMORY_MB": "0", "resources:DISK_GB": "0"}


def bare_metal(*wishes, nodes=NODES):
    flavors = [
        {"id": name, "name": name, "vcpus": 64, "ram": 1024, "disk": 9, "extra_specs": GOLD | more}
        for name, more in (("bm", {}), ("raid", {"trait:CUSTOM_RAID": "required"}))
    ]
    files = {"flavors.json": flavors, "baremetal_nodes.json": nodes, "servers.json": []}
    return place(files | {"requests.json": list(wishes)})


def test_one_node_one_instance():
    result = bare_metal({"name": "r", "flavor": "raid"}, {"name": "b", "flavor": "bm", "count": 2})
    assert hosts(result) == [("r", "n2"), ("b-1", "n1"), ("b-2", None)]
    (use, _) = result.resources
    assert (use.name, use.capacity, use.used_before, use.used_after) == ("CUSTOM_GOLD", 2, 0, 2)
    assert result.notes[0] == "providers: the nodes of baremetal_nodes.json, because providers.json is missing"


def test_a_node_that_is_in_use_is_no_room():
    used = [row | {"instance_uuid": str(uuid.UUID(int=99)), "provision_state": "active"} for row in NODES[:1]]
    assert hosts(bare_metal({"name": "b", "flavor": "bm", "count": 2}, nodes=[*used, *NODES[1:]])) == [
        ("b-1", "n2"),
        ("b-2", None),
    ]


def test_nodes_beside_other_hosts():
    """Placement tells of both; without it the nodes are not used, and that is said."""
    files = small_cloud() | {"baremetal_nodes.json": NODES}
    assert hosts(place(files)) == [("web", "compute-2.example")]
    assert not any("baremetal" in note for note in place(files).notes if "from" not in note)
    for row in files["hypervisors.json"]:
        row |= {"vCPUs": 8, "Memory MB": 8192, "Local GB": 100}
    result = place({name: value for name, value in files.items() if "/" not in name and name != "providers.json"})
    assert (
        "baremetal_nodes.json: not used, other hosts are in hypervisors.json; providers.json has both" in result.notes
    )


def test_the_command_places_a_stack_and_its_volume(tmp_path, capsys):
    files = small_cloud() | {"db.yaml": STACK, "env.yaml": "parameters: {count: 1}", "pools.json": POOLS}
    for name, value in files.items():
        path = tmp_path / "clouds" / "c1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))
    assert main.main(["place", str(tmp_path), "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["kind"], one["name"], one["host"]) for one in told["placed"]] == [
        ("Server", "web", "compute-2.example"),
        ("Server", "db0", "compute-1.example"),
        ("Volume", "db-data", "stor-2@ceph#hdd"),
    ]
    assert {one["rule"] for one in told["notEvaluated"]} >= {
        "Heat resource types that are not known",
        "QoS policies of ports: the input has no qos_policies.json",
        "extra specs of volume types: the input has no volume_types.json",
    }
