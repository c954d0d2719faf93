"""A cloud asked live: every table of the layout, paged, at versions that both sides know, so many at a time."""

from types import SimpleNamespace

import pytest

from binwright.errors import InputError
from binwright.openstack import place_cloud, read_cloud, read_live
from binwright.openstack.live import collect
from tests.openstack.live_cloud import HOST_1, HOST_2, RUNNING, THIRD, WAITING, ZONE_A, live_cloud

openstack = pytest.importorskip("openstack", reason="needs openstacksdk (extra openstack)")
pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own


@pytest.fixture
def cloud():
    with live_cloud() as found:
        yield found


def connected(cloud, **more):
    return openstack.connect(load_yaml_config=False, load_envvars=False, **cloud.settings(**more))


def test_every_table_and_every_part_of_each_provider(cloud):
    collected = collect(connected(cloud))
    parts = [f"{part}/{uuid}" for uuid in (HOST_1, HOST_2)
             for part in ("inventories", "traits", "allocations", "provider_aggregates")]  # fmt: skip
    assert sorted(collected.files) == sorted(
        [
            *("servers", "flavors", "hypervisors", "services", "aggregates", "server_groups", "providers"),
            *("volumes", "volume_types", "volume_services", "quotas"),
            *parts,
        ]
    )
    assert [row["id"] for row in collected.files["servers"]] == [RUNNING, WAITING, THIRD]
    assert collected.files[f"provider_aggregates/{HOST_1}"] == [ZONE_A]
    assert collected.files[f"allocations/{HOST_1}"][RUNNING]["resources"]["VCPU"] == 2


def test_what_there_is_not_is_said(cloud):
    notes = collect(connected(cloud)).notes
    assert any(line.startswith("baremetal: not offered") for line in notes)
    assert any(line.startswith("network: not offered") for line in notes)
    assert [line for line in notes if line.startswith("quotas")] == [
        "quotas of block_storage: left out: block_storage /os-quota-sets/p1?usage=True: 403 Policy does not allow it"
    ]
    left = [line for line in notes if line.startswith("pools: left out")]
    assert left == [
        "pools: left out: block_storage /scheduler-stats/get_pools?detail=True: 403 Policy does not allow it"
    ]


def test_versions_are_those_that_both_know_and_lists_are_paged(cloud):
    collect(connected(cloud))
    versions = {path: version for path, _, version in cloud.asked}
    assert versions["/compute/servers/detail"] == "2.70"  # the service knows no newer one
    assert versions["/compute/os-hypervisors/detail"] == "2.53"
    assert versions["/placement/resource_providers"] == "1.14"
    queries = [query for path, query, _ in cloud.asked if path == "/compute/servers/detail"]
    assert queries == ["all_tenants=True&limit=1000", f"all_tenants=True&limit=1000&marker={WAITING}"]


def test_offset_pages_until_nothing_new(cloud):
    group = {"id": "g1", "name": "g", "policy": "affinity", "members": [], "rules": {}}
    cloud.answers["/compute/os-server-groups"] = {"server_groups": [group]}
    assert collect(connected(cloud)).files["server_groups"] == [group]
    assert sum(path == "/compute/os-server-groups" for path, *_ in cloud.asked) == 2


@pytest.mark.parametrize("parallel", [1, 3])
def test_as_many_calls_at_a_time_as_allowed(cloud, parallel):
    cloud.seconds = 0.05
    collect(connected(cloud), parallel=parallel)
    assert cloud.most_at_a_time == parallel


def test_after_an_error_nothing_more_is_asked(cloud):
    providers = [{"uuid": f"{number:08d}", "name": f"p{number}"} for number in range(200)]
    cloud.answers["/placement/resource_providers"] = {"resource_providers": providers}
    cloud.answers["/placement/resource_providers/00000000/inventories"] = (403, {})
    with pytest.raises(InputError, match="inventories: 403"):
        collect(connected(cloud), parallel=1)
    assert len(cloud.asked) < 100  # of 815


def test_progress_counts_to_the_end(cloud):
    told = []
    collected = collect(connected(cloud), progress=lambda *step: told.append(step))
    assert [done for _, done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][1] == told[-1][2] == len(collected.files) + 1  # the table that was left out was asked, too
    assert told[-1][0] == f"provider_aggregates/{HOST_2}"


def test_a_provider_that_is_deleted_meanwhile(cloud):
    del cloud.answers[f"/placement/resource_providers/{HOST_2}/traits"]
    collected = collect(connected(cloud))
    assert [row["uuid"] for row in collected.files["providers"]] == [HOST_1]
    assert not any(HOST_2 in name for name in collected.files)
    assert f"providers: left out, deleted while they were read: {HOST_2}" in collected.notes


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        (
            "/compute/servers/detail",
            (403, {"forbidden": {"message": "not\nfor you"}}),
            r"^compute /servers/detail\?all_tenants=True&limit=1000: 403 not\\nfor you$",
        ),
        ("/compute/os-aggregates", {"odd": 1}, "^compute /os-aggregates: no list of aggregates in the answer$"),
        ("/compute/os-services", b"<html>", "^compute /os-services: the answer is not JSON$"),
        ("/placement/resource_providers", (500, {}), "^placement /resource_providers: 500$"),
        (
            "/placement/resource_providers",
            {"resource_providers": [{"name": "x"}]},
            r"^placement /resource_providers: .* has no uuid$",
        ),
        (
            f"/placement/resource_providers/{HOST_1}/inventories",
            {"x": 1},
            "/inventories: no inventories in the answer$",
        ),
    ],
)
def test_one_line_where_compute_or_placement_cannot_be_read(cloud, path, answer, message):
    cloud.answers[path] = answer
    with pytest.raises(InputError, match=message):
        collect(connected(cloud, connect_retries=0, status_code_retries=0))


def test_a_cloud_that_does_not_list_extra_specs(cloud):
    specs = {"extra_specs": {"hw:cpu_policy": "shared"}}
    cloud.answers["/compute/flavors/1/os-extra_specs"] = specs
    collected = collect(connected(cloud))
    assert [flavor["extra_specs"] for flavor in collected.files["flavors"]] == [{}]
    cloud.newest["compute"] = "2.60"
    collected = collect(connected(cloud))
    assert [flavor["extra_specs"] for flavor in collected.files["flavors"]] == [specs["extra_specs"]]
    del cloud.answers["/compute/flavors/1/os-extra_specs"]  # deleted meanwhile
    assert [flavor["extra_specs"] for flavor in collect(connected(cloud)).files["flavors"]] == [{}]
    cloud.answers["/compute/flavors/1/os-extra_specs"] = (403, {})
    with pytest.raises(InputError, match=r"^compute /flavors/1/os-extra_specs: 403$"):
        collect(connected(cloud))


def test_a_cloud_without_placement(cloud):
    settings = cloud.settings()
    del settings["placement_endpoint_override"]
    connection = openstack.connect(load_yaml_config=False, load_envvars=False, **settings)
    found = read_live(connection)
    assert any(line.startswith("placement: not offered") for line in found.notes)
    assert [one.name for one in place_cloud(found).placed] == ["web-2", "web-3"]  # by the hypervisors' columns


@pytest.mark.parametrize("service", ["compute", "placement"])
def test_a_needed_service_that_does_not_answer(cloud, service):
    closed = {f"{service}_endpoint_override": "http://127.0.0.1:9/nothing"}
    with pytest.raises(InputError, match=f"^{service}: "):
        collect(connected(cloud, connect_retries=0, **closed))


def test_a_connection_without_catalogue_entries():
    nothing = SimpleNamespace(get_endpoint_data=lambda: None)
    connection = SimpleNamespace(compute=nothing)
    with pytest.raises(InputError, match=r"^compute: not in the catalogue$"):
        collect(connection)


def test_a_live_cloud_is_placed(cloud):
    found = read_live(connected(cloud), name="mine")
    outcome = place_cloud(found)
    assert [(one.name, one.host) for one in outcome.placed] == [("web-2", "host2.example")]
    assert [one.name for one in outcome.unplaced] == ["web-3"]  # zone a has host1 alone, and that lacks the trait
    assert found.columns["servers.json"]["task_state"] == "OS-EXT-STS:task_state"
    assert any(line.startswith("pools: left out") for line in outcome.notes)


def test_objects_of_openstacksdk_are_what_the_api_says(cloud):
    connection = connected(cloud)
    providers = list(connection.placement.resource_providers())
    tables = {
        "servers": connection.compute.servers(all_projects=True),
        "flavors": connection.compute.flavors(),
        "hypervisors": connection.compute.hypervisors(details=True),
        "services": connection.compute.services(),
        "aggregates": connection.compute.aggregates(),
        "server_groups": connection.compute.server_groups(),
        "providers": providers,
        "inventories": {one.id: connection.placement.resource_provider_inventories(one) for one in providers},
        "traits": {HOST_1: [], HOST_2: ["HW_CPU_X86_AVX2"]},
        "provider_aggregates": {HOST_1: [ZONE_A], HOST_2: []},
        "allocations": {one.id: cloud.answers[f"/placement/resource_providers/{one.id}/allocations"]
                        for one in providers},
    }  # fmt: skip
    found, live = read_cloud(name="mine", **tables), read_live(connection, name="mine")
    for one, other in zip(found.servers, live.servers, strict=True):
        for field in ("id", "name", "status", "host", "service_host", "from_volume", "image", "zone", "project"):
            assert getattr(one, field) == getattr(other, field), (one.name, field)
        assert one.flavor.vcpus == other.flavor.vcpus
        assert one.flavor.extra_specs == other.flavor.extra_specs
    assert [(one.hostname, one.service_host, one.vcpus, one.memory_mb_used) for one in found.hypervisors] == [
        (one.hostname, one.service_host, one.vcpus, one.memory_mb_used) for one in live.hypervisors
    ]
    assert [(one.name, one.zone, one.hosts) for one in found.aggregates] == [("a", "a", ("host1",))]
    assert [(one.uuid, one.name, one.inventories, one.used) for one in found.providers] == [
        (one.uuid, one.name, one.inventories, one.used) for one in live.providers
    ]
    assert [(one.name, one.host) for one in place_cloud(found).placed] == [("web-2", "host2.example")]
