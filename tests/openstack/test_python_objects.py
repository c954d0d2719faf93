"""Clouds from what a program holds: dicts, JSON text, objects with to_dict(), a dump's path; bad ones in one line."""

import json
import subprocess
import sys

import pytest

from binwright.errors import InputError
from binwright.openstack import place_cloud, read_cloud
from tests.openstack.clouds import small_cloud


class Told:
    """As an object of openstacksdk looks: to_dict() names every field, None where it has not been told."""

    def __init__(self, **fields):
        self._fields = fields

    def to_dict(self):
        return {"location": None, "host": None, "image_id": None, "policy": None, **self._fields}


FLAVOR = {"id": "1", "name": "m1", "vcpus": 2, "ram": 2048, "disk": 20}
HYPERVISOR = {
    "id": "h1",
    "name": "host1.example",
    "service_details": {"host": "host1"},
    "vcpus": 4,
    "vcpus_used": 2,
    "memory_size": 8192,
    "memory_used": 2048,
    "local_disk_size": 100,
    "local_disk_used": 20,
}


def tables(**more):
    servers = [
        Told(id="s1", name="one", status="ACTIVE", compute_host="host1", flavor={"id": "1", "vcpus": None}, image={}),
        Told(id="s2", name="two", status="BUILD", flavor={"id": "1"}, image={"id": "i", "name": None}),
    ]
    return {"flavors": [FLAVOR], "hypervisors": iter([Told(**HYPERVISOR)]), "servers": iter(servers)} | more


def test_objects_that_name_every_field():
    cloud = read_cloud(**tables(server_groups=[Told(id="g", name="g", policies=["affinity"], member_ids=["s1"])]))
    one, two = cloud.servers
    assert (one.host, one.flavor_ref, one.from_volume, one.image) == ("host1", "1", True, None)
    assert (two.host, two.flavor_ref, two.from_volume, two.image) == (None, "1", False, "i")
    assert cloud.hypervisors[0].service_host == "host1"
    assert cloud.server_groups[0].policy == "affinity"
    assert cloud.server_groups[0].members == {"s1"}
    assert cloud.columns["servers.json"]["host"] == "compute_host"
    assert [(one.name, one.host) for one in place_cloud(cloud).placed] == [("two", "host1.example")]


def test_a_parent_as_openstacksdk_calls_it():
    rows = [Told(id="r", name="root"), Told(id="c", name="child", parent_provider_id="r", root_provider_id="r")]
    cloud = read_cloud(providers=rows, inventories={"r": {}, "c": [{"resource_class": "VCPU", "total": 4}]})
    assert [(one.uuid, one.parent) for one in cloud.providers] == [("r", None), ("c", "r")]
    assert cloud.providers[1].inventories["VCPU"].total == 4


FORMS = [list, tuple, iter, json.dumps, lambda rows: json.dumps(rows).encode(), lambda rows: {"flavors": rows}]


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_table(form):
    assert [one.name for one in read_cloud(flavors=form([FLAVOR])).flavors] == ["m1"]


def test_a_dump_with_wishes_of_the_program(tmp_path):
    for name, content in small_cloud().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    cloud = read_cloud(tmp_path, name="mine", requests=[{"name": "more", "flavor": "m1.small", "count": 3}])
    assert [(one.name, one.count) for one in cloud.wishes] == [("more", 3)]
    assert cloud.name == "mine"
    assert len(place_cloud(cloud).placed) >= 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "^no tables: at least one of servers, "),
        ({"pods": []}, "^pods: not one of servers, flavors, "),
        (
            {"servers": [object()]},
            "^servers: object 1: type object is neither a mapping nor an object of openstacksdk$",
        ),
        ({"servers": 3}, "^servers: type int is neither"),
        ({"inventories": []}, "^inventories: a mapping of provider uuids is needed, not a list$"),
        ({"flavors": [{**FLAVOR, "vcpus": "two"}]}, "^flavors.json: flavor m1: vcpus: .* is not a whole number$"),
        ({"flavors": [{**FLAVOR, "x": {1, object()}}]}, "^flavors: "),
        ({"flavors": "[{"}, "^flavors.json: "),
    ],
)
def test_one_line_errors(given, message):
    with pytest.raises(InputError, match=message) as caught:
        read_cloud(**given)
    assert "\n" not in str(caught.value)


def test_names_come_when_they_are_asked_for():
    import binwright.openstack

    assert {"place_cloud", "read_cloud", "read_live"} <= set(dir(binwright.openstack))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = binwright.openstack.nonsense
    text = "import sys, binwright.openstack; print('binwright.openstack.place' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_openstacksdk_is_imported_by_connecting_only():
    modules = "binwright.openstack.python_objects, binwright.cli.openstack_dump"
    text = f"import sys, {modules}; print('openstack' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
