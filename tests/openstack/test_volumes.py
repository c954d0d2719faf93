"""Volumes of a dump: which wait for a pool, where they go, what is not evaluated and what is refused."""

import pytest

from binwright.errors import InputError
from binwright.openstack.cinder.place import cloud_pools, place_volumes, to_requests
from tests.openstack.clouds import read

VOLUME = "33333333-0000-4000-8000-000000000000"
POOLS = {
    "pools": [
        {
            "name": "stor-1@lvm#ssd",
            "capabilities": {
                "total_capacity_gb": 1000.0,
                "free_capacity_gb": 300.0,
                "allocated_capacity_gb": 700,
                "provisioned_capacity_gb": 700,
                "reserved_percentage": 10,
                "disk": "ssd",
            },
        },
        {
            "name": "stor-2@ceph#hdd",
            "capabilities": {
                "total_capacity_gb": 1000.0,
                "free_capacity_gb": 500.0,
                "provisioned_capacity_gb": 1200,
                "thin_provisioning_support": True,
                "max_over_subscription_ratio": "2.0",
                "disk": "hdd",
            },
        },
    ]
}
TYPES = [{"ID": "t1", "Name": "fast", "Is Public": True, "Properties": {"disk": "ssd"}}]
SERVICES = [
    {"Binary": "cinder-scheduler", "Host": "ctl", "Zone": "nova", "Status": "enabled", "State": "up"},
    {"Binary": "cinder-volume", "Host": "stor-1@lvm", "Zone": "az1", "Status": "enabled", "State": "up"},
    {"Binary": "cinder-volume", "Host": "stor-2@ceph", "Zone": "az2", "Status": "enabled", "State": "up"},
]


def volume(name, size, **fields):
    return {"ID": VOLUME, "Name": name, "Status": "creating", "Size": size, "Type": None, "Attached to": []} | fields


def cloud(*requests, volumes=(), **files):
    return read(
        {
            "volumes.json": list(volumes),
            "pools.json": POOLS,
            "volume_types.json": TYPES,
            "volume_services.json": SERVICES,
            "requests.json": list(requests),
        }
        | {f"{name}.json": value for name, value in files.items()}
    )


def answers(result):
    return [(one.name, one.host) for one in result.placed] + [(one.name, None) for one in result.unplaced]


def test_volumes_go_where_most_is_free():
    one = volume("data", 150)
    result = place_volumes(cloud({"name": "wish", "size": 60, "count": 2}, volumes=[one]))
    # stor-2 has 2 * 1000 - 1200 = 800 GiB to promise, stor-1 1000 - 100 - 700 = 200
    assert answers(result) == [
        ("data", "stor-2@ceph#hdd"),
        ("wish-1", "stor-2@ceph#hdd"),
        ("wish-2", "stor-2@ceph#hdd"),
    ]
    assert (result.placed[0].kind, result.placed[0].uid, result.placed[1].uid) == ("Volume", VOLUME, None)
    assert result.not_evaluated == []


def test_a_type_chooses_and_fills_its_pool():
    result = place_volumes(cloud({"name": "log", "size": 90, "type": "fast", "count": 3}))
    assert answers(result) == [("log-1", "stor-1@lvm#ssd"), ("log-2", "stor-1@lvm#ssd"), ("log-3", None)]
    refused = result.unplaced[0]
    assert [(reason.rule, reason.hosts, reason.text) for reason in refused.reasons] == [
        ("CapacityFilter", 1, "without room for 90 GiB"),
        ("CapabilitiesFilter", 1, "without what volume type fast asks for"),
    ]
    assert refused.message == (
        "No valid backend was found: 0/2 pools: 1 without room for 90 GiB, 1 without what volume type fast asks for"
    )
    assert refused.verdict.name == "UNSCHEDULABLE"


def test_zones_and_services_that_are_down():
    wishes = [
        {"name": "a", "size": 1, "availability_zone": "az1"},
        {"name": "b", "size": 1, "availability_zone": "az2"},
    ]
    assert answers(place_volumes(cloud(*wishes))) == [("a", "stor-1@lvm#ssd"), ("b", "stor-2@ceph#hdd")]
    services = [row | {"State": "down"} if row["Zone"] == "az1" else row for row in SERVICES]
    result = place_volumes(cloud({"name": "a", "size": 1, "availability_zone": "az1"}, volume_services=services))
    assert [(reason.rule, reason.text) for reason in result.unplaced[0].reasons] == [
        ("service", "with volume service down or disabled"),
        ("AvailabilityZoneFilter", "outside availability zone az1"),
    ]


def test_what_waits():
    volumes = [
        volume("creating", 5),
        volume("placed", 5, **{"os-vol-host-attr:host": "stor-1@lvm#ssd"}),
        volume("failed", 5, Status="error"),
        volume("there", 5, Status="available"),
    ]
    one = cloud(volumes=volumes)
    assert [waiting.name for waiting in to_requests(one)] == ["creating"]
    assert [waiting.name for waiting in to_requests(one, retry_errors=True)] == ["creating", "failed"]
    assert [pool.zone for pool in cloud_pools(one)] == ["az1", "az2"]


def test_what_the_input_does_not_tell_is_listed():
    files = {"requests.json": [{"name": "a", "size": 1, "type": "fast", "hints": {"same_host": "x"}}]}
    files["requests.json"][0]["availability_zone"] = "az1"
    result = place_volumes(read(files))
    assert [(one.rule, one.objects, one.example) for one in result.not_evaluated] == [
        ("volumes to create: the input has no pools.json", 1, "a")
    ]
    result = place_volumes(read(files | {"pools.json": POOLS}))
    assert answers(result) == [("a", "stor-2@ceph#hdd")]
    assert [one.rule for one in result.not_evaluated] == [
        "extra specs of volume types: the input has no volume_types.json",
        "availability zones of volumes: the input has no volume_services.json",
        "scheduler hints of volumes: Cinder's default filters do not read them",
    ]


def test_no_volume_waits():
    assert place_volumes(cloud()).notes == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pools": [{"Name": "p", "Capacity": 5}]}, "pools.json: pool p: capabilities: missing; GET /scheduler-stats"),
        ({"pools": POOLS["pools"] * 2}, "pools.json: pool stor-1@lvm#ssd: name occurs twice"),
        (
            {"pools": [{"name": "p", "capabilities": {"total_capacity_gb": "x"}}]},
            "pools.json: pool p: total_capacity_gb: 'x' is not a number",
        ),
        ({"requests": [{"name": "a", "size": 0}]}, "requests.json: request a: size: 0 is less than 1"),
        (
            {"requests": [{"name": "a", "size": 1, "type": "slow"}]},
            "request a: type: 'slow' is not in volume_types.json",
        ),
        ({"volumes": [volume("v", None)]}, "volumes.json: volume v: size: missing"),
    ],
)
def test_bad_input_is_one_line(files, message):
    with pytest.raises(InputError) as refused:
        place_volumes(cloud({"name": "ok", "size": 1}, **files))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
