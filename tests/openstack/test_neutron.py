"""Ports that guarantee something: their request, the providers that serve it, and candidates for both, by hand."""

import random
import uuid

import pytest

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Flavor, Network, Port, QosPolicy, QosRule
from binwright.openstack.neutron.ports import Ports, to_requests
from binwright.openstack.neutron.providers import TUNNELLED, Agent, agent_providers
from binwright.openstack.neutron.qos import physnet_trait, resource_request, vnic_type_trait
from binwright.openstack.nova.options import DEFAULTS
from binwright.openstack.nova.prefilters import wishes_of
from binwright.openstack.nova.request_spec import RequestSpec
from binwright.openstack.nova.resource_request import placement_queries
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.query import parse_query
from binwright.openstack.placement.search import CandidateSearch
from binwright.openstack.placement.tree import Forest, Provider
from tests.openstack.clouds import read
from tests.reference.openstack import neutron as reference

PORT = "11111111-2222-4333-8444-555555555555"
BANDWIDTH = QosRule("a1", "minimum_bandwidth", "egress", 1000)
INGRESS = QosRule("b2", "minimum_bandwidth", "ingress", 2000)
PACKETS = QosRule("c3", "minimum_packet_rate", "any", 300)


def test_names_and_ids_are_the_services_own():
    """As neutron-lib 5.0.1 computes them."""
    assert physnet_trait("physnet-0.a") == "CUSTOM_PHYSNET_PHYSNET_0_A"
    assert vnic_type_trait("direct-physical") == "CUSTOM_VNIC_TYPE_DIRECT_PHYSICAL"
    asked = resource_request(uuid.UUID(PORT), [BANDWIDTH, INGRESS, PACKETS], "normal", "physnet0")
    assert asked["request_groups"][0] == {
        "id": "80199841-ae37-579a-b9b3-d64e6ff02f3c",
        "required": ["CUSTOM_PHYSNET_PHYSNET0", "CUSTOM_VNIC_TYPE_NORMAL"],
        "resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 1000, "NET_BW_IGR_KILOBIT_PER_SEC": 2000},
    }
    assert resource_request(uuid.UUID(PORT), [BANDWIDTH])["request_groups"][0]["id"] == (
        "dd7bd2ca-a82f-5df5-a5f4-bd4ba14f9e61"
    )
    assert resource_request(uuid.UUID(PORT), []) is None


@pytest.mark.parametrize("seed", range(30))
def test_random_policies_as_the_reference_reads_them(seed):
    rng = random.Random(seed)
    rules = []
    for number in range(rng.randint(0, 4)):
        kind = rng.choice(["minimum_bandwidth", "minimum_packet_rate"])
        direction = rng.choice(["egress", "ingress"] + ["any"] * (kind == "minimum_packet_rate"))
        rules.append((f"r{number}", kind, direction, rng.randint(1, 9999)))
    vnic, physnet = rng.choice(["normal", "direct", "virtio-forwarder"]), rng.choice([None, "physnet0", "a..b", "é-1"])
    port = str(uuid.UUID(int=rng.getrandbits(128), version=4))
    ours = resource_request(uuid.UUID(port), [QosRule(*rule) for rule in rules], vnic, physnet)
    assert ours == reference.request(port, rules, vnic, physnet), f"seed {seed}"


def compute(name, number):
    return Provider(
        str(uuid.UUID(int=number)),
        name,
        inventories={"VCPU": Inventory(8), "MEMORY_MB": Inventory(8192), "DISK_GB": Inventory(100)},
    )


def ovs(egress=10_000, packets=5000, **rest):
    bandwidths = {"br-physnet0": (egress, 10_000), TUNNELLED: (4000, 4000)}
    return Agent("Open vSwitch agent", bandwidths, {"physnet0": ["br-physnet0"]}, packet_rates={"any": packets}, **rest)


def test_the_providers_of_an_agent():
    agent, bridge, tunnel = agent_providers(compute("compute-1", 1), ovs())
    assert [(one.name, one.uuid) for one in (agent, bridge)] == [
        ("compute-1:Open vSwitch agent", "9d5a1bda-4f86-5531-acc5-c1b7b4763e5c"),
        ("compute-1:Open vSwitch agent:br-physnet0", "4fe99fbd-bfda-5bd6-aea4-bb049dac5077"),
    ]
    assert (bridge.parent, tunnel.parent) == (agent.uuid, agent.uuid)
    assert agent.traits == {"CUSTOM_VNIC_TYPE_NORMAL"}
    assert agent.inventories == {"NET_PACKET_RATE_KILOPACKET_PER_SEC": Inventory(5000)}
    assert bridge.traits == {"CUSTOM_PHYSNET_PHYSNET0", "CUSTOM_VNIC_TYPE_NORMAL"}
    assert tunnel.traits == {"CUSTOM_NETWORK_TUNNEL_PROVIDER", "CUSTOM_VNIC_TYPE_NORMAL"}
    assert bridge.inventories["NET_BW_EGR_KILOBIT_PER_SEC"].capacity == 10_000


@pytest.mark.parametrize(
    ("agent", "message"),
    [
        (Agent("My agent", {}, {}), "agent My agent of c: type: 'My agent' is not one of Open vSwitch agent, NIC"),
        (Agent("NIC Switch agent", {"eth0": (1, 1)}, {}), "of c: device eth0: is on no physical network"),
        (Agent("NIC Switch agent", {"eth0": (-1, 1)}, {"n": ["eth0"]}), "NET_BW_EGR_KILOBIT_PER_SEC: -1 is not in"),
    ],
)
def test_an_agent_that_makes_no_sense_is_one_line(agent, message):
    with pytest.raises(InputError, match=message):
        agent_providers(compute("c", 1), agent)


def candidates(ports, cloud, *computes):
    """Group -> providers' names, for every candidate that Nova's query finds."""
    providers = [one for host, agent in computes for one in (host, *agent_providers(host, agent))]
    flavor = Flavor(None, "small", 1, 1024, 1)
    asked = to_requests(cloud, ports)
    spec = RequestSpec(flavor, requested_groups=asked.groups, same_subtrees=asked.same_subtrees)
    query = parse_query(placement_queries(spec, wishes_of(spec), [], DEFAULTS).query, (1, 36))
    query.root_forbidden = frozenset()
    names = {one.uuid: one.name for one in providers}
    return [
        {suffix: [names[uuid] for uuid in uuids] for suffix, uuids in one.mappings.items()}
        for one in CandidateSearch(Forest(providers)).candidates(query)
    ]


def policy_cloud(*rules, physnet="physnet0"):
    return Cloud(
        "c",
        networks=[Network("n1", "net", physnet)],
        qos_policies=[QosPolicy("q1", "gold", rules)],
        present={"networks", "qos_policies"},
    )


def port(name=PORT, **rest):
    return Port(name, "p", network="n1", qos_policy="gold", where="ports.json: port p", **rest)


def test_bandwidth_comes_from_the_device_on_the_network():
    cloud = policy_cloud(BANDWIDTH, INGRESS)
    found = candidates([port()], cloud, (compute("a", 1), ovs()), (compute("b", 2), ovs(egress=999)))
    group = to_requests(cloud, [port()]).groups[0].id
    assert found == [{"": ["a"], group: ["a:Open vSwitch agent:br-physnet0"]}]


def test_a_tunnelled_network_takes_the_tunnels_device():
    cloud = policy_cloud(BANDWIDTH, physnet=None)
    (found,) = candidates([port()], cloud, (compute("a", 1), ovs()))
    assert ["a:Open vSwitch agent:rp_tunnelled"] in found.values()


def test_packet_rate_comes_from_the_agent_of_the_device():
    cloud = policy_cloud(BANDWIDTH, PACKETS)
    host = compute("a", 1)
    bandwidth, packets = to_requests(cloud, [port()]).groups
    (found,) = candidates([port()], cloud, (host, ovs()))
    assert found[packets.id] == ["a:Open vSwitch agent"]
    assert found[bandwidth.id] == ["a:Open vSwitch agent:br-physnet0"]
    # packets from one agent and bandwidth from another are not of one subtree
    nic = Agent("NIC Switch agent", {"eth0": (10_000, 10_000)}, {"physnet0": ["eth0"]})
    half = Agent("Open vSwitch agent", {}, {}, packet_rates={"any": 5000})
    providers = [host, *agent_providers(host, half), *agent_providers(host, nic)]
    spec = to_requests(cloud, [port()])
    query = parse_query(
        f"resources{bandwidth.id}=NET_BW_EGR_KILOBIT_PER_SEC:1000&resources{packets.id}="
        f"NET_PACKET_RATE_KILOPACKET_PER_SEC:300&group_policy=none",
        (1, 36),
    )
    assert len(list(CandidateSearch(Forest(providers)).candidates(query))) == 1
    query.same_subtrees = [frozenset(one) for one in spec.same_subtrees]
    assert list(CandidateSearch(Forest(providers)).candidates(query)) == []


def test_a_vnic_type_needs_a_provider_that_serves_it():
    cloud = policy_cloud(BANDWIDTH)
    direct = port(vnic_type="direct")
    assert candidates([direct], cloud, (compute("a", 1), ovs(vnic_types=("normal", "smart-nic", "direct")))) != []
    with_direct = (
        compute("b", 2),
        Agent("NIC Switch agent", {"eth1": (5000, 5000)}, {"physnet0": ["eth1"]}, ["direct"]),
    )
    found = candidates([direct], cloud, (compute("a", 1), ovs()), with_direct)
    assert [one[""] for one in found] == [["b"]]


def test_two_ports_share_a_device_if_it_has_enough():
    cloud = policy_cloud(BANDWIDTH)
    ports = [port(), port("22222222-2222-4333-8444-555555555555")]
    assert len(candidates(ports, cloud, (compute("a", 1), ovs(egress=2000)))) == 1
    assert candidates(ports, cloud, (compute("a", 1), ovs(egress=1999))) == []


def test_ports_of_a_dump():
    request = {"request_groups": [{"id": "g", "required": ["CUSTOM_A"], "resources": {"X": 1}}], "same_subtree": ["g"]}
    old = {"required": ["CUSTOM_A"], "resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 5}}
    policies = {"policies": [{"id": "q1", "name": "gold", "rules": [
        {"id": "a1", "type": "minimum_bandwidth", "min_kbps": 7, "direction": "egress"},
        {"id": "z9", "type": "bandwidth_limit", "max_kbps": 9},
    ]}]}  # fmt: skip
    cloud = read(
        {
            "ports.json": {"ports": [
                {"id": "p1", "name": "", "device_id": "s1", "resource_request": request},
                {"id": "p2", "name": "two", "device_id": "s1", "resource_request": old},
                {"id": "p3", "name": "three", "device_id": "s2", "network_id": "n", "binding:vnic_type": "direct",
                 "qos_policy_id": "q1"},
                {"id": "p4", "name": "four", "device_id": ""},
            ]},
            "networks.json": [{"ID": "n", "Name": "net", "provider:physical_network": "physnet1"}],
            "qos_policies.json": policies,
        }
    )  # fmt: skip
    ports = Ports(cloud)
    asked = ports.of_server("s1")
    assert [(group.id, dict(group.resources)) for group in asked.groups] == [
        ("g", {"X": 1}),
        ("p2", {"NET_BW_EGR_KILOBIT_PER_SEC": 5}),
    ]
    assert asked.same_subtrees == (("g",),)
    (group,) = ports.of_server("s2").groups
    assert group.resources == {"NET_BW_EGR_KILOBIT_PER_SEC": 7}
    assert group.required == {"CUSTOM_PHYSNET_PHYSNET1", "CUSTOM_VNIC_TYPE_DIRECT"}
    assert (
        ports.of_server("s3").groups == ports.of_server(None).groups == ports.of_wish(["four"], "request").groups == ()
    )
    assert [group.id for group in ports.of_wish(["two", "p1"], "request").groups] == ["p2", "g"]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"request_groups": 5}, "request_groups: 5 is not a list of groups"),
        ({"request_groups": [5]}, r"request_groups\[0\]: 5 is not an object"),
        ({"request_groups": [{"id": "a b", "resources": {"X": 1}}]}, r"\[0\]: id: 'a b' is not 1 to 64 letters"),
        ({"request_groups": [{"id": "a"}]}, r"\[0\]: resources: missing"),
        ({"request_groups": [{"id": "a", "resources": {"X": 0}}]}, "resources: X: 0 is not a whole number in 1"),
        ({"request_groups": [{"id": "a", "resources": {"X": 1}, "required": "T"}]}, "required: 'T' is not a list"),
        (
            {"request_groups": [{"id": "a", "resources": {"X": 1}}], "same_subtree": ["b"]},
            "same_subtree: a list is not",
        ),
        ({"request_groups": [{"id": "a", "resources": {"X": 1}}] * 2}, "two groups of one server have the id a"),
    ],
)
def test_a_bad_request_is_one_line(request_, message):
    with pytest.raises(InputError, match=message):
        to_requests(Cloud("c"), [port(resource_request=request_)])


def test_what_a_port_names_must_be_there():
    with pytest.raises(InputError, match=r"ports\.json: port p: qos_policy_id: 'gold' is not in qos_policies\.json"):
        to_requests(Cloud("c", present={"qos_policies"}), [port()])
    cloud = policy_cloud(BANDWIDTH)
    cloud.networks = []
    with pytest.raises(InputError, match=r"port p: network_id: 'n1' is not in networks\.json"):
        to_requests(cloud, [port()])
    with pytest.raises(InputError, match=r"request x: ports: 'none' is not in ports\.json"):
        Ports(Cloud("c", present={"ports"})).of_wish(["none"], "request x")


def test_what_a_dump_does_not_tell_of_ports_is_listed():
    assert Ports(Cloud("c")).of_wish(["none"], "request x").not_evaluated == (
        ("ports: the input has no ports.json", "request x: none"),
    )
    assert to_requests(Cloud("c"), [port()]).not_evaluated == (
        ("QoS policies of ports: the input has no qos_policies.json", "ports.json: port p: gold"),
    )
    assert to_requests(Cloud("c"), [port(resource_request={})]).not_evaluated == ()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"id": "r", "type": "minimum_bandwidth"}, "rule r: min_kbps: missing"),
        ({"id": "r", "type": "minimum_bandwidth", "min_kbps": 1, "direction": "any"}, "direction: 'any' is not one of"),
        ({"type": "minimum_packet_rate", "min_kpps": -1}, "min_kpps: -1 is negative"),
    ],
)
def test_a_bad_rule_is_one_line(rule, message):
    with pytest.raises(InputError, match=message):
        read({"qos_policies.json": [{"id": "q", "name": "gold", "rules": [rule]}]})
