"""The external scheduler for Nova: the hosts that came, best first by the rules of `place`, refused ones left out."""

import json
import os
import random

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.live import LiveCluster
from binwright.openstack.dumps import read_dump
from binwright.openstack.external_scheduler import ExternalScheduler
from binwright.openstack.nova.conf import PLAIN_CONF
from binwright.openstack.place import place_cloud
from tests.openstack.clouds import COMPUTE_1, small_cloud
from tests.serve.served import ExtenderService, Served

HOSTS = ["compute-1.example", "compute-2.example"]


def nested(name, /, **data):
    """A versioned object as its primitive."""
    return {"nova_object.name": name, "nova_object.version": "1.0", "nova_object.namespace": "nova",
            "nova_object.data": data}  # fmt: skip


def call(vcpus=2, memory=2048, disk=20, hosts=HOSTS, specs=None, **more):
    """What SAP's Nova sends."""
    flavor = nested("Flavor", id=1, name="m1", flavorid="f", vcpus=vcpus, memory_mb=memory, root_gb=disk,
                    ephemeral_gb=0, swap=0, extra_specs=specs or {}, is_public=True)  # fmt: skip
    spec = nested("RequestSpec", flavor=flavor, instance_uuid="i-1", project_id="p1", num_instances=1,
                  availability_zone=more.pop("zone", None), scheduler_hints=more.pop("hints", {}),
                  image=nested("ImageMeta", id="99999999-0000-4000-8000-000000000000", properties={}))  # fmt: skip
    return {
        "spec": spec, "context": {"user": "u"}, "rebuild": False, "resize": False, "live": False, "vmware": False,
        "hosts": [{"host": one, "hypervisor_hostname": one} for one in hosts],
        "weights": dict.fromkeys(hosts, 1.0), **more,
    }  # fmt: skip


def written(folder, files):
    """The cloud as a dump."""
    for name, found in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found))
    return str(folder)


def blobs(files):
    return [Blob(name, json.dumps(found).encode()) for name, found in files.items()]


def scheduler(files=None):
    return ExternalScheduler(read_dump("cloud", blobs(files or small_cloud())))


def rank(asked, *arguments, **named):
    return asked.rank(json.dumps(call(*arguments, **named)).encode())


def test_the_best_host_is_the_one_that_place_takes():
    files = small_cloud()
    files["servers.json"] = [one for one in files["servers.json"] if one["Status"] != "BUILD"]
    asked, small, rng = scheduler(files), files["flavors.json"][0], random.Random(3)
    for _ in range(12):
        vcpus, memory, disk = rng.choice([1, 8, 40]), rng.choice([512, 30_000, 64_000]), rng.choice([1, 500])
        wished = small | {"ID": "2", "Name": "f", "VCPUs": vcpus, "RAM": memory, "Disk": disk}
        more = {"flavors.json": [small, wished], "requests.json": [{"name": "w", "flavor": "f"}]}
        outcome = place_cloud(read_dump("c", blobs(files | more)))
        placed = [one.host for one in outcome.placed if one.name == "w"]
        assert rank(asked, vcpus, memory, disk).hosts[:1] == placed, (vcpus, memory, disk)


def test_refused_hosts_are_left_out_and_unknown_ones_follow():
    asked = scheduler()
    everything = rank(asked)
    assert sorted(everything.hosts) == HOSTS
    assert rank(asked, zone="nowhere").hosts == []
    assert rank(asked, vcpus=1000).hosts == []
    assert rank(asked, hosts=HOSTS[1:]).hosts == HOSTS[1:]
    strange = call(hosts=["x", *HOSTS, "y"]) | {"weights": {"x": 0.5, "y": 2.5}}
    found = asked.rank(json.dumps(strange).encode())
    assert found.hosts == [*everything.hosts, "y", "x"]
    assert (found.asked, found.unknown) == (4, 2)


def test_a_rebuild_keeps_its_host():
    assert rank(scheduler(), vcpus=1000, rebuild=True).hosts == HOSTS


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the call: not JSON"),
        (b"[]", "expected object"),
        (b'{"spec":{},"hosts":[]}', "flavor"),
        (b'{"spec":{"nova_object.data":5},"hosts":[]}', "spec: expected object, got int"),
        (b'{"spec":{"flavor":{"nova_object.data":null}},"hosts":[]}', "spec.flavor: expected object, got null"),
        (b'{"spec":{"flavor":{"name":"x","vcpus":"2","memory_mb":1}},"hosts":[]}', "spec.flavor.vcpus"),
        (b'{"spec":{"flavor":{"name":"x","vcpus":2,"memory_mb":1}},"hosts":[{"node":1}]}', "host"),
    ],
)
def test_malformed_calls_are_one_line(body, words):
    with pytest.raises(InputError, match=words) as refused:
        scheduler().rank(body)
    assert "\n" not in str(refused.value)


def test_over_http_and_the_dump_is_read_again_when_it_changes(tmp_path, monkeypatch):
    from binwright.serve import nova

    monkeypatch.setattr(nova, "LOOK_SECONDS", 0.0)
    files = small_cloud()
    path = written(tmp_path / "cloud", files)
    service = ExtenderService(LiveCluster())
    answering = nova.NovaService(path, PLAIN_CONF, service.journal, service.metrics)
    with Served(service, nova=answering) as served:
        answer = served.post("/scheduler/nova/external", call())
        assert list(answer) == ["hosts"]
        assert sorted(answer["hosts"]) == HOSTS
        (tmp_path / "cloud" / "hypervisors.json").write_text("[")
        assert served.post("/scheduler/nova/external", call()) == answer, "a half-written dump leaves the old one"
        files["hypervisors.json"] = files["hypervisors.json"][:1]
        kept = {name: one for name, one in files.items() if "/" not in name or COMPUTE_1 in name}
        kept["providers.json"] = [one for one in files["providers.json"] if one["uuid"] == COMPUTE_1]
        for name in set(files) - set(kept):
            os.unlink(tmp_path / "cloud" / name)
        written(tmp_path / "cloud", kept)
        assert served.post("/scheduler/nova/external", call(vcpus=4))["hosts"] == HOSTS
        assert served.post("/scheduler/nova/external", call(vcpus=1000))["hosts"] == HOSTS[1:]
        status, text = served.ask("POST", "/scheduler/nova/external", b"{}")
        assert (status, "spec" in json.loads(text)["error"]) == (400, True)
        seen = json.loads(served.ask("GET", "/v1/overview")[1])["decisions"]
        assert {one["verb"] for one in seen} == {"schedule"}
    with Served(ExtenderService(LiveCluster())) as served:
        assert served.ask("POST", "/scheduler/nova/external", call())[0] == 404
