"""One table of malformed inputs: each ends with exit code 2 and exactly one line that names file, object and field.

Everything is written to an empty directory that is the current one, so the lines show the paths as a user typed them.
"""

import gzip
import json
from typing import Any

import pytest

from binwright.cli import exits

MIB = 1 << 20
UUID = "7d2c9a70-5c1c-4a35-9a0b-0c6d5f9c0a01"


def dumps(*objects: Any) -> str:
    """A kubectl List."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


def node(name: str | None = "n1", cpu: Any = "4", memory: Any = "8Gi", **rest: Any) -> dict:
    """A node with room for one of everything; `rest` goes into its spec."""
    status = {"allocatable": {"cpu": cpu, "memory": memory, "pods": "10"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": rest, "status": status}


def pod(name: str | None = "p1", cpu: Any = "1", memory: Any = "1Gi", spec: Any = None, **requests: Any) -> dict:
    """A pending pod with one container; `spec` replaces or adds fields of its spec."""
    container = {"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory, **requests}}}
    spec = {"containers": [container], **(spec or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": name}, "spec": spec}


def cloud(**changed: Any) -> dict[str, str]:
    """The files of cloud c, one hypervisor and one pending server; a value None leaves the file out."""
    files: dict[str, Any] = {"flavors": [flavor()], "hypervisors": [hypervisor()], "servers": [server()]} | changed
    return {f"c/{name}.json": json.dumps(value) for name, value in files.items() if value is not None}


def placement(**changed: Any) -> dict[str, str]:
    """The same cloud with Placement's files; every provider has the same inventory."""
    tables: dict[str, Any] = {"providers": [provider()], "inventory": inventory()} | changed
    files = {f"c/inventories/{uuid}.json": json.dumps(tables["inventory"]) for uuid in (UUID, UUID[:-1] + "2")}
    if len(tables["providers"]) == 1:
        files.popitem()
    return cloud(providers=tables["providers"]) | files


def flavor(**changed: Any) -> dict:
    return {"ID": "1", "Name": "m1", "RAM": 1024, "Disk": 10, "VCPUs": 1, "Properties": {}} | changed


def hypervisor(**changed: Any) -> dict:
    counts = {"vCPUs": 8, "vCPUs Used": 0, "Memory MB": 16384, "Memory MB Used": 0}
    return {"ID": UUID, "Hypervisor Hostname": "cmp1", "State": "up"} | counts | changed


def server(**changed: Any) -> dict:
    return {"ID": "s1", "Name": "vm1", "Status": "BUILD", "Flavor Name": "m1", "Host": None} | changed


def provider(**changed: Any) -> dict:
    return {"uuid": UUID, "name": "cmp1", "root_provider_uuid": UUID, "parent_provider_uuid": None} | changed


def inventory(**changed: Any) -> list:
    return [{"resource_class": "VCPU", "total": 8, "reserved": 0, "allocation_ratio": 1.0} | changed]


def tree(*parents: tuple[str, str | None]) -> list:
    """Providers from (uuid's last digit, parent's last digit or None)."""
    uuid = UUID[:-1]
    return [
        provider(
            uuid=uuid + own,
            name=f"p{own}",
            root_provider_uuid=uuid + "1",
            parent_provider_uuid=parent and uuid + parent,
        )
        for own, parent in parents
    ]


# name of the case: (files, the words after `place`, the line). A file's text may be bytes.
CASES: dict[str, tuple[dict[str, str | bytes], list[str], str]] = {
    # The path.
    "missing file": ({}, ["gone.json"], "?"),
    "empty directory": ({"d/.keep": ""}, ["d"], "?"),
    "directory without data": ({"d/notes.txt": "hello", "d/pod.log": "x"}, ["d"], "?"),
    "cluster directory without data": ({"s/clusters/a/notes.txt": "x"}, ["s"], "?"),
    "the same path twice": ({"x.json": dumps(node())}, ["x.json", "./x.json"], "?"),
    # Bytes.
    "empty file": ({"x.json": ""}, ["x.json"], "?"),
    "white space only": ({"x.yaml": " \n\n"}, ["x.yaml"], "?"),
    "binary junk": ({"x.json": bytes(range(256)) * 16}, ["x.json"], "?"),
    "junk without zero bytes": ({"x.json": b"\x93\xfa\x96\x7b" * 100}, ["x.json"], "?"),
    "gzip cut off": ({"x.json.gz": gzip.compress(dumps(node()).encode(), mtime=0)[:-12]}, ["x.json.gz"], "?"),
    "gzip by name only": ({"x.json.gz": dumps(node())[:-2]}, ["x.json.gz"], "?"),
    "xz that is broken": ({"x.json.xz": b"\xfd7zXZ\x00" + b"junk" * 10}, ["x.json.xz"], "?"),
    "half a UTF-16 character": ({"x.json": dumps(node()).encode("utf-16") + b"\x00"}, ["x.json"], "?"),
    "Latin-1": ({"x.json": dumps(node("n1")).replace("n1", "nö").encode("latin-1")}, ["x.json"], "?"),
    # JSON and YAML.
    "JSON cut off": ({"x.json": dumps(node(), pod())[:-40]}, ["x.json"], "?"),
    "JSON with a trailing comma": ({"x.json": '{"apiVersion": "v1",\n "items": [],\n}'}, ["x.json"], "?"),
    "NaN in JSON": ({"x.json": '{"apiVersion": "v1", "kind": "Node",\n "spec": NaN}'}, ["x.json"], "?"),
    "text after the end": ({"x.json": dumps(node()) + "}"}, ["x.json"], "?"),
    "a broken line of JSON lines": ({"x.jsonl": json.dumps(node()) + "\n{\n"}, ["x.jsonl"], "?"),
    "10 MB line of brackets": ({"x.json": "[" * 10 * MIB}, ["x.json"], "?"),
    "10 MB line of text": ({"x.yaml": "x" * 10 * MIB}, ["x.yaml"], "?"),
    "10 MB quantity": ({"x.json": dumps(node(cpu="9" * 10 * MIB))}, ["x.json"], "?"),
    "deep nesting": ({"x.json": '{"apiVersion":' + "[" * 5000 + "]" * 5000 + "}"}, ["x.json"], "?"),
    "deep YAML": ({"x.yaml": "apiVersion: " + "[" * 5000 + "]" * 5000}, ["x.yaml"], "?"),
    "tab in YAML": ({"x.yaml": "apiVersion: v1\nkind: Node\nmetadata:\n\tname: n1\n"}, ["x.yaml"], "?"),
    "YAML key twice": ({"x.yaml": "apiVersion: v1\nkind: Node\nkind: Pod\n"}, ["x.yaml"], "?"),
    "YAML alias to itself": ({"x.yaml": "apiVersion: v1\nkind: List\nitems: &a [*a]\n"}, ["x.yaml"], "?"),
    "YAML that builds objects": ({"x.yaml": "kind: !!python/object/apply:os.system ['true']\n"}, ["x.yaml"], "?"),
    # What it is.
    "neither kubectl nor openstack": ({"x.json": '{"hello": 1}'}, ["x.json"], "?"),
    "a JSON number": ({"x.json": "42"}, ["x.json"], "?"),
    "kubectl and openstack in one directory": (
        {"d/pods.json": dumps(pod()), "d/servers.json": json.dumps([server()])},
        ["d"],
        "?",
    ),
    "openstack forced on kubectl": ({"x.json": dumps(node())}, ["x.json", "--input", "openstack"], "?"),
    "kubectl forced on openstack": (
        {"servers.json": json.dumps([server()])},
        ["servers.json", "--input", "kubectl"],
        "?",
    ),
    "openstack forced on a cluster": ({"s/clusters/a/n.json": dumps(node())}, ["s", "--input", "openstack"], "?"),
    "an object without kind": ({"x.json": '{"apiVersion": "v1", "metadata": {"name": "a"}}'}, ["x.json"], "?"),
    "items that are no list": ({"x.json": '{"apiVersion": "v1", "kind": "List", "items": 3}'}, ["x.json"], "?"),
    "an item that is no object": ({"x.json": dumps(node(), 7)}, ["x.json"], "?"),
    # Kubernetes objects.
    "pods without nodes": ({"x.json": dumps(pod())}, ["x.json"], "?"),
    "a node without a name": ({"x.json": dumps(node(None))}, ["x.json"], "?"),
    "a node twice": ({"x.json": dumps(node(), node())}, ["x.json"], "?"),
    "a pod twice in two files": ({"d/a.json": dumps(node(), pod()), "d/b.json": dumps(pod())}, ["d"], "?"),
    "a negative capacity": ({"x.json": dumps(node(cpu="-1"))}, ["x.json"], "?"),
    "a quantity that is none": ({"x.json": dumps(node(memory="1.5.2Gi"))}, ["x.json"], "?"),
    "an unknown unit": ({"x.json": dumps(node(), pod(memory="1GB"))}, ["x.json"], "?"),
    "a request that is negative": ({"x.json": dumps(node(), pod(cpu="-500m"))}, ["x.json"], "?"),
    "a request that is NaN": (
        {"x.yaml": json.dumps(node()) + "\n---\n" + json.dumps(pod(cpu=None)).replace("null", ".nan", 1)},
        ["x.yaml"],
        "?",
    ),
    "a request past int64": ({"x.json": dumps(node(), pod(memory="9223372036854775808"))}, ["x.json"], "?"),
    "a request past what the core takes": ({"x.json": dumps(node(), pod(memory="64Pi"))}, ["x.json"], "?"),
    "a request that is a list": ({"x.json": dumps(node(), pod(cpu=["1"]))}, ["x.json"], "?"),
    "a request that is a truth value": ({"x.json": dumps(node(), pod(cpu=True))}, ["x.json"], "?"),
    "containers that are no list": ({"x.json": dumps(node(), pod(spec={"containers": "c"}))}, ["x.json"], "?"),
    "a priority that is a text": ({"x.json": dumps(node(), pod(spec={"priority": "high"}))}, ["x.json"], "?"),
    "labels that are a list": (
        {"x.json": dumps(node() | {"metadata": {"name": "n1", "labels": ["a"]}})},
        ["x.json"],
        "?",
    ),
    "a bound pod on a node that is not there": (
        {"x.json": dumps(node(), pod(spec={"nodeName": "n9"}))},
        ["x.json"],
        "?",
    ),
    # OpenStack objects.
    "no file of a dump": ({"c/things.json": "[]"}, ["c"], "?"),
    "servers without flavors": (cloud(flavors=None), ["c"], "?"),
    "servers without hosts": (cloud(hypervisors=None), ["c"], "?"),
    "hypervisors without counts": (
        cloud(hypervisors=[{"ID": UUID, "Hypervisor Hostname": "cmp1", "State": "up"}]),
        ["c"],
        "?",
    ),
    "an unknown flavor": (cloud(servers=[server(**{"Flavor Name": "m9"})]), ["c"], "?"),
    "a flavor without VCPUs": (cloud(flavors=[{"ID": "1", "Name": "m1", "RAM": 1, "Disk": 1}]), ["c"], "?"),
    "a flavor with negative memory": (cloud(flavors=[flavor(RAM=-1)]), ["c"], "?"),
    "a flavor twice": (cloud(flavors=[flavor(), flavor(ID="2")]), ["c"], "?"),
    "a hypervisor twice": (cloud(hypervisors=[hypervisor(), hypervisor(ID="x")]), ["c"], "?"),
    "a server that is a text": (cloud(servers=["vm1"]), ["c"], "?"),
    "a server without status": (cloud(servers=[{"ID": "s", "Name": "v", "Flavor Name": "m1"}]), ["c"], "?"),
    "memory past int64": (cloud(hypervisors=[hypervisor(**{"Memory MB": 2**63})]), ["c"], "?"),
    "half a CPU": (cloud(hypervisors=[hypervisor(vCPUs=7.5)]), ["c"], "?"),
    "an inventory without total": (placement(inventory=[{"resource_class": "VCPU"}]), ["c"], "?"),
    "an allocation ratio of text": (placement(inventory=inventory(allocation_ratio="much")), ["c"], "?"),
    "more reserved than there is": (placement(inventory=inventory(reserved=9)), ["c"], "?"),
    "a step of zero": (placement(inventory=inventory(step_size=0)), ["c"], "?"),
    "an inventory of nobody": (
        placement(providers=[provider(uuid=UUID[:-1] + "2", root_provider_uuid=None)]),
        ["c"],
        "?",
    ),
    "providers in a circle": (placement(providers=tree(("1", "2"), ("2", "1"))), ["c"], "?"),
    "a provider below nobody": (placement(providers=tree(("1", "9"))), ["c"], "?"),
    "a request for no servers": (cloud(requests=[{"name": "more", "flavor": "m1", "count": 0}]), ["c"], "?"),
    "a request for an unknown flavor": (cloud(requests=[{"name": "more", "flavor": "m7"}]), ["c"], "?"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_line_and_2(command, tmp_path, monkeypatch, case):
    files, words, line = CASES[case]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.chdir(tmp_path)
    ended = command("place", *words)
    assert (ended.code, ended.out, ended.err) == (exits.BAD, "", f"binwright: {line}\n")


def test_the_table_is_as_long_as_promised():
    assert len(CASES) >= 40
    assert len({line for _, _, line in CASES.values()}) > 40


@pytest.mark.parametrize("files", [{"x.json": dumps(node(), pod())}, cloud(), placement()])
def test_what_the_cases_are_made_from_is_sound(command, tmp_path, monkeypatch, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    assert command("place", ".").code == exits.YES
