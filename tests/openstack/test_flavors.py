"""A flavor's resource groups (openstack spec 3.1), and finding a flavor by the way a server names it."""

import pytest

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Flavor, Server, Wish
from binwright.openstack.flavors import flavor_groups
from binwright.openstack.pending import Catalogue, pending_servers, wanted_servers


def flavor(specs=None, **sizes):
    sizes = {"vcpus": 2, "memory_mb": 2048, "root_gb": 20} | sizes
    return Flavor("1", "m1", extra_specs=specs or {}, **sizes)


@pytest.mark.parametrize(
    ("swap_mb", "disk"), [(0, 25), (1, 26), (1024, 26), (1025, 27), (1500, 27)], ids=lambda value: str(value)
)
def test_disk_is_root_and_ephemeral_and_swap_rounded_up(swap_mb, disk):
    asked = flavor_groups(flavor(ephemeral_gb=5, swap_mb=swap_mb)).totals()
    assert asked == {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": disk}


def test_a_root_disk_on_a_volume_is_not_counted():
    assert flavor_groups(flavor(ephemeral_gb=5), from_volume=True).totals()["DISK_GB"] == 5
    assert "DISK_GB" not in flavor_groups(flavor(), from_volume=True).totals()


def test_overrides_replace_and_nulls_take_away():
    bare_metal = flavor(
        {
            "resources:CUSTOM_BAREMETAL_GOLD": "1",
            "resources:VCPU": "0",
            "resources:MEMORY_MB": "0",
            "resources:DISK_GB": "0",
        }
    )
    assert flavor_groups(bare_metal).totals() == {"CUSTOM_BAREMETAL_GOLD": 1}
    assert flavor_groups(flavor({"resources:VCPU": "7"})).totals()["VCPU"] == 7


def test_an_override_in_a_suffixed_group_replaces_too():
    groups = flavor_groups(
        flavor({"resources1:VCPU": "3", "trait1:HW_NUMA_ROOT": "required", "group_policy": "isolate"})
    )
    assert groups.groups["1"].resources == {"VCPU": 3}
    assert groups.groups["1"].required == {"HW_NUMA_ROOT"}
    assert "VCPU" not in groups.unsuffixed.resources
    assert groups.group_policy == "isolate"


def test_pcpu_given_takes_the_vcpus_away():
    assert flavor_groups(flavor({"resources:PCPU": "2"})).totals() == {"PCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}


@pytest.mark.parametrize("pinned", ["PCPU", "VCPU"])
def test_dedicated_cpus(pinned):
    asked = flavor_groups(flavor({"hw:cpu_policy": "dedicated"}), pinned_class=pinned).totals()
    assert asked == {pinned: 2, "MEMORY_MB": 2048, "DISK_GB": 20}


def test_traits():
    groups = flavor_groups(flavor({"trait:HW_CPU_X86_AVX2": "required", "trait:CUSTOM_OLD": "forbidden"}))
    assert groups.unsuffixed.required == {"HW_CPU_X86_AVX2"}
    assert groups.unsuffixed.forbidden == {"CUSTOM_OLD"}
    assert list(groups.groups) == [""]


@pytest.mark.parametrize(
    "spec",
    [
        ("resources:VCPU", "-1"),
        ("resources:VCPU", "many"),
        ("resources:NOPE", "1"),
        ("trait:CUSTOM_X", "wanted"),
        ("group_policy", "both"),
    ],
)
def test_what_nova_ignores_is_remembered(spec):
    groups = flavor_groups(flavor(dict([spec])))
    assert groups.totals() == {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}
    assert groups.ignored == ["=".join(spec)]
    assert not groups.unsuffixed.required


def test_other_extra_specs_are_no_groups():
    groups = flavor_groups(flavor({"hw:numa_nodes": "2", "resources_x": "1", "quota:cpu_shares": "5"}))
    assert groups.totals() == {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}
    assert groups.ignored == []


def test_flavors_are_found_by_id_before_name_and_by_both():
    catalogue = Catalogue([Flavor("1", "small", 1, 1), Flavor("2", "1", 2, 2), Flavor("x-y", "m1.large", 4, 4)])
    assert catalogue.find("1").vcpus == 1
    assert catalogue.find("small").vcpus == 1
    assert catalogue.find("m1.large (x-y)").vcpus == 4
    assert catalogue.find("m1.huge") is None


def test_what_is_pending():
    def server(name, status, host=None):
        return Server(name, name, status, host, "1")

    cloud = Cloud("c", flavors=[flavor()])
    cloud.servers = [
        server("a", "BUILD"),
        server("b", "BUILD", "h"),
        server("c", "ERROR"),
        server("d", "SHELVED_OFFLOADED"),
        server("e", "ERROR", "h"),
    ]
    cloud.wishes = [Wish("w", "m1", count=2), Wish("x", "1")]
    assert [one.name for one in pending_servers(cloud)] == ["a"]
    assert [one.name for one in pending_servers(cloud, retry_errors=True)] == ["a", "c"]
    assert [one.name for one in wanted_servers(cloud)] == ["a", "w-1", "w-2", "x"]
    assert [one.uid for one in wanted_servers(cloud)] == ["a", None, None, None]


def test_a_pending_server_of_an_unknown_flavor():
    cloud = Cloud(
        "c", flavors=[flavor()], servers=[Server("s", "web", "BUILD", None, "m9", where="s.json: server web")]
    )
    with pytest.raises(InputError, match=r"s\.json: server web: flavor: 'm9' is not in flavors\.json"):
        wanted_servers(cloud)
    cloud.flavors = []
    with pytest.raises(InputError, match=r"flavor: 'm9' cannot be looked up, flavors\.json is missing"):
        wanted_servers(cloud)
