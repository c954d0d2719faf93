"""Bare metal: nodes as providers, one node one instance, flavors that take their sizes away."""

import itertools

import pytest

from binwright.errors import InputError
from binwright.openstack.cloud import BareMetalNode, Flavor
from binwright.openstack.flavors import flavor_groups
from binwright.openstack.ironic import node_provider, node_providers
from binwright.openstack.nova.options import DEFAULTS
from binwright.openstack.nova.prefilters import wishes_of
from binwright.openstack.nova.request_spec import RequestSpec
from binwright.openstack.nova.resource_request import placement_queries
from binwright.openstack.placement.query import parse_query
from binwright.openstack.placement.search import CandidateSearch
from binwright.openstack.placement.tree import Forest
from tests.openstack.clouds import read
from tests.reference.openstack import ironic as reference

GOLD = {
    "resources:CUSTOM_BAREMETAL_GOLD": "1",
    "resources:VCPU": "0",
    "resources:MEMORY_MB": "0",
    "resources:DISK_GB": "0",
}


def node(name, **rest):
    told = {"resource_class": "baremetal-gold", "provision_state": "available", "power_state": "power off"} | rest
    return BareMetalNode(f"00000000-0000-4000-8000-{name:0>12}", name, **told)


@pytest.mark.parametrize(
    ("name", "resource_class"),
    [
        ("baremetal.gold", "CUSTOM_BAREMETAL_GOLD"),
        ("BM-64--x", "CUSTOM_BM_64_X"),
        ("CUSTOM_A", "CUSTOM_CUSTOM_A"),
        ("größe", "CUSTOM_GR_E"),
    ],
)
def test_class_names(name, resource_class):
    assert list(node_provider(node("1", resource_class=name)).inventories) == [resource_class]


def test_nodes_as_the_reference_reads_them():
    states = itertools.product(
        ("gold", "a b", "-x-", None),
        ("available", "active", "cleaning", None),
        ("power on", "error", None),
        (True, False),
        ("i", None),
    )
    for resource_class, provision, power, maintenance, instance in states:
        one = node(
            "1",
            resource_class=resource_class,
            provision_state=provision,
            power_state=power,
            maintenance=maintenance,
            instance=instance,
        )
        provider = node_provider(one)
        ours = {name: (found.capacity, provider.used[name]) for name, found in provider.inventories.items()}
        names = ("resource_class", "provision_state", "power_state", "maintenance")
        row = {name: getattr(one, name) for name in names} | {"instance_uuid": instance}
        assert ours == reference.inventory(row), one


def test_a_node_in_use_with_the_workaround():
    used = node("1", instance="i")
    assert node_provider(used).inventories["CUSTOM_BAREMETAL_GOLD"].capacity == 0
    assert node_provider(used, reserve_in_use=False).inventories["CUSTOM_BAREMETAL_GOLD"].capacity == 1


def hosts(nodes, extra_specs=None):
    """Names of the nodes that a bare-metal flavor can have."""
    flavor = Flavor(None, "bm.gold", 64, 512_000, 1000, extra_specs=GOLD | (extra_specs or {}))
    spec = RequestSpec(flavor)
    query = parse_query(placement_queries(spec, wishes_of(spec), [], DEFAULTS).query, (1, 36))
    forest = Forest(node_providers(nodes))
    return [
        forest.providers[uuid].name for one in CandidateSearch(forest).candidates(query) for uuid in one.allocations
    ]


def test_a_flavor_without_sizes_asks_for_the_class_alone():
    assert flavor_groups(Flavor(None, "bm", 64, 512_000, 1000, extra_specs=GOLD)).totals() == {
        "CUSTOM_BAREMETAL_GOLD": 1
    }
    # one that forgets to take the memory away fits no node
    assert hosts([node("1")], {"resources:MEMORY_MB": "512000"}) == []


def test_which_nodes_a_flavor_can_have():
    nodes = [
        node("free"),
        node("used", instance="i", provision_state="active"),
        node("mended", maintenance=True),
        node("cleaned", provision_state="cleaning"),
        node("dark", power_state=None),
        node("silver", resource_class="baremetal-silver"),
        node("nameless", resource_class=None),
        node("raid", traits=frozenset({"CUSTOM_RAID5"})),
    ]
    assert hosts(nodes) == ["free", "raid"]
    assert hosts(nodes, {"trait:CUSTOM_RAID5": "required"}) == ["raid"]
    assert hosts(nodes, {"trait:CUSTOM_RAID5": "forbidden"}) == ["free"]


def test_nodes_of_a_dump():
    rows = [
        {
            "UUID": "u1",
            "Name": "n1",
            "Instance UUID": None,
            "Power State": "power off",
            "Provisioning State": "available",
            "Maintenance": False,
            "Resource Class": "gold",
            "Traits": ["CUSTOM_A"],
        },
        {"uuid": "u2", "name": None, "provision_state": "active", "maintenance": True, "instance_uuid": "i"},
    ]
    first, second = read({"baremetal_nodes.json": {"nodes": rows}}).baremetal_nodes
    assert (first.name, first.resource_class, first.traits, first.maintenance) == ("n1", "gold", {"CUSTOM_A"}, False)
    assert (second.name, second.instance, second.maintenance, second.power_state) == ("u2", "i", True, "power off")
    with pytest.raises(InputError, match=r"baremetal_nodes\.json: node n1: uuid: missing"):
        read({"baremetal_nodes.json": [{"name": "n1"}]})
