"""One table of malformed inputs: each ends with exit code 2 and exactly one line that names file, object and field.

Everything is written to an empty directory that is the current one, so the lines show the paths as a user typed them.
"""

import gzip
import json
from typing import Any

import pytest

from binwright.cli import exits

MIB = 1 << 20
UUID = "rp-01"


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
    """Enough of everything; `changed` goes into the first row."""
    rows = [
        {"resource_class": name, "total": 8192, "allocation_ratio": 1.0} for name in ("VCPU", "MEMORY_MB", "DISK_GB")
    ]
    rows[0] |= {"total": 8} | changed
    return rows


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
    "missing file": ({}, ["gone.json"], "gone.json: No such file or directory"),
    "empty directory": (
        {"d/.keep": ""},
        ["d"],
        "d: no data files in this directory (looked for .json, .jsonl, .ndjson, .yaml, .yml, .csv)",
    ),
    "directory without data": (
        {"d/notes.txt": "hello", "d/pod.log": "x"},
        ["d"],
        "d: no data files in this directory (looked for .json, .jsonl, .ndjson, .yaml, .yml, .csv)",
    ),
    "cluster directory without data": (
        {"s/clusters/a/notes.txt": "x"},
        ["s"],
        "s/clusters/a: no data files in this directory (looked for .json, .jsonl, .ndjson, .yaml, .yml, .csv)",
    ),
    "the same path twice": ({"x.json": dumps(node())}, ["x.json", "./x.json"], "./x.json: given twice"),
    # Bytes.
    "empty file": ({"x.json": ""}, ["x.json"], "x.json: the file is empty"),
    "white space only": ({"x.yaml": " \n\n"}, ["x.yaml"], "x.yaml: the file is empty"),
    "binary junk": ({"x.json": bytes(range(256)) * 16}, ["x.json"], "x.json: binary data, not text"),
    "junk without zero bytes": ({"x.json": b"\x93\xfa\x96\x7b" * 100}, ["x.json"], "x.json: not UTF-8 text"),
    "gzip cut off": (
        {"x.json.gz": gzip.compress(dumps(node()).encode(), mtime=0)[:-12]},
        ["x.json.gz"],
        "x.json.gz: broken compressed data (Compressed file ended before the end-of-stream marker was reached)",
    ),
    "gzip by name only": (
        {"x.json.gz": dumps(node())[:-2]},
        ["x.json.gz"],
        "x.json.gz: line 1: JSON ends in the middle of a value",
    ),
    "xz that is broken": (
        {"x.json.xz": b"\xfd7zXZ\x00" + b"junk" * 10},
        ["x.json.xz"],
        "x.json.xz: broken compressed data (Corrupt input data)",
    ),
    "half a UTF-16 character": (
        {"x.json": dumps(node()).encode("utf-16") + b"\x00"},
        ["x.json"],
        "x.json: broken UTF-16 text",
    ),
    "Latin-1": (
        {"x.json": dumps(node("n1")).replace("n1", "nö").encode("latin-1")},
        ["x.json"],
        "x.json: object 1: not UTF-8 text",
    ),
    # JSON and YAML.
    "JSON cut off": (
        {"x.json": dumps(node(), pod())[:-40]},
        ["x.json"],
        "x.json: line 1: JSON ends in the middle of a value",
    ),
    "JSON with a trailing comma": (
        {"x.json": '{"apiVersion": "v1",\n "items": [],\n}'},
        ["x.json"],
        "x.json: line 3: broken JSON: trailing comma in object",
    ),
    "NaN in JSON": (
        {"x.json": '{"apiVersion": "v1", "kind": "Node",\n "spec": NaN}'},
        ["x.json"],
        "x.json: line 2: broken JSON: invalid character",
    ),
    "text after the end": (
        {"x.json": dumps(node()) + "}"},
        ["x.json"],
        "x.json: line 1: broken JSON: invalid character",
    ),
    "a broken line of JSON lines": (
        {"x.jsonl": json.dumps(node()) + "\n{\n"},
        ["x.jsonl"],
        "x.jsonl: line 2: JSON ends in the middle of a value",
    ),
    "10 MB line of brackets": ({"x.json": "[" * 10 * MIB}, ["x.json"], "x.json: line 1: nested too deeply"),
    "10 MB line of text": (
        {"x.yaml": "x" * 10 * MIB},
        ["x.yaml"],
        "x.yaml: neither kubectl objects nor openstack output; --input tells which it is",
    ),
    "10 MB quantity": (
        {"x.json": dumps(node(cpu="9" * 10 * MIB))},
        ["x.json"],
        "x: Node n1: status.allocatable.cpu: "
        "'99999999999999999999999999999999999999999999999999999999... is too long to be a quantity",
    ),
    "deep nesting": (
        {"x.json": '{"apiVersion":' + "[" * 5000 + "]" * 5000 + "}"},
        ["x.json"],
        "x.json: line 1: nested too deeply",
    ),
    "deep YAML": (
        {"x.yaml": "apiVersion: " + "[" * 5000 + "]" * 5000},
        ["x.yaml"],
        "x.yaml: line 1: nested too deeply",
    ),
    "tab in YAML": (
        {"x.yaml": "apiVersion: v1\nkind: Node\nmetadata:\n\tname: n1\n"},
        ["x.yaml"],
        "x.yaml: line 4: broken YAML: found character that cannot start any token",
    ),
    "YAML key twice": (
        {"x.yaml": "apiVersion: v1\nkind: Node\nkind: Pod\n"},
        ["x.yaml"],
        "x.yaml: line 3: the key 'kind' stands twice in one mapping",
    ),
    "YAML alias to itself": (
        {"x.yaml": "apiVersion: v1\nkind: List\nitems: &a [*a]\n"},
        ["x.yaml"],
        "x.yaml: line 3: a YAML alias to something that it is part of",
    ),
    "YAML that builds objects": (
        {"x.yaml": "kind: !!python/object/apply:os.system ['true']\n"},
        ["x.yaml"],
        "x.yaml: line 1: YAML tag 'tag:yaml.org,2002:python/object/apply:os.system' is not read",
    ),
    # What it is.
    "neither kubectl nor openstack": (
        {"x.json": '{"hello": 1}'},
        ["x.json"],
        "x.json: neither kubectl objects nor openstack output; --input tells which it is",
    ),
    "a JSON number": (
        {"x.json": "42"},
        ["x.json"],
        "x.json: neither kubectl objects nor openstack output; --input tells which it is",
    ),
    "kubectl and openstack in one directory": (
        {"d/pods.json": dumps(pod()), "d/servers.json": json.dumps([server()])},
        ["d"],
        "d: both kubectl objects (d/pods.json) and openstack output (d/servers.json) in one source; "
        "give each its own PATH, or directories clusters/NAME and clouds/NAME",
    ),
    "openstack forced on kubectl": (
        {"x.json": dumps(node())},
        ["x.json", "--input", "openstack"],
        "x.json: no file of an OpenStack dump (servers.json, flavors.json, hypervisors.json, ...)",
    ),
    "kubectl forced on openstack": (
        {"servers.json": json.dumps([server()])},
        ["servers.json", "--input", "kubectl"],
        "servers.json: object 1: kind: missing, so these are not Kubernetes objects",
    ),
    "openstack forced on a cluster": (
        {"s/clusters/a/n.json": dumps(node())},
        ["s", "--input", "openstack"],
        "s/clusters/a: read as kubernetes by its directory, --input openstack contradicts",
    ),
    "an object without kind": (
        {"x.json": '{"apiVersion": "v1", "metadata": {"name": "a"}}'},
        ["x.json"],
        "x.json: object 1: kind: missing, so these are not Kubernetes objects",
    ),
    "items that are no list": (
        {"x.json": '{"apiVersion": "v1", "kind": "List", "items": 3}'},
        ["x.json"],
        "x.json: object 1 (no name): items: expected array | null, got int",
    ),
    "an item that is no object": (
        {"x.json": dumps(node(), 7)},
        ["x.json"],
        "x.json: object 2 (no name): the object: expected object, got int",
    ),
    # Kubernetes objects.
    "pods without nodes": (
        {"x.json": dumps(pod())},
        ["x.json"],
        "x: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)",
    ),
    "a node without a name": (
        {"x.json": dumps(node(None))},
        ["x.json"],
        "x.json: Node 1 (no name): metadata.name: missing",
    ),
    "a node twice": (
        {"x.json": dumps(node(), node())},
        ["x.json"],
        "x.json: Node n1: is in the input twice, first in x.json",
    ),
    "a pod twice in two files": (
        {"d/a.json": dumps(node(), pod()), "d/b.json": dumps(pod())},
        ["d"],
        "d/b.json: Pod default/p1: is in the input twice, first in d/a.json",
    ),
    "a negative capacity": (
        {"x.json": dumps(node(cpu="-1"))},
        ["x.json"],
        "x: Node n1: status.allocatable.cpu: '-1' is negative",
    ),
    "a quantity that is none": (
        {"x.json": dumps(node(memory="1.5.2Gi"))},
        ["x.json"],
        "x: Node n1: status.allocatable.memory: '1.5.2Gi' is not a quantity (a number and a unit, such "
        "as 500m, 1.5 or 4Gi)",
    ),
    "an unknown unit": (
        {"x.json": dumps(node(), pod(memory="1GB"))},
        ["x.json"],
        "x: Pod default/p1: spec.containers[0].resources.requests.memory: '1GB' has an unknown unit 'GB'",
    ),
    "a request that is negative": (
        {"x.json": dumps(node(), pod(cpu="-500m"))},
        ["x.json"],
        "x: Pod default/p1: spec.containers[0].resources.requests.cpu: '-500m' is negative",
    ),
    "a request that is NaN": (
        {"x.yaml": json.dumps(node()) + "\n---\n" + json.dumps(pod(cpu=None)).replace("null", ".nan", 1)},
        ["x.yaml"],
        "x: Pod default/p1: spec.containers[0].resources.requests.cpu: 'nan' is not a quantity (a "
        "number and a unit, such as 500m, 1.5 or 4Gi)",
    ),
    "a request past int64": (
        {"x.json": dumps(node(), pod(memory="9223372036854775808"))},
        ["x.json"],
        "x: Pod default/p1: spec.containers[0].resources.requests.memory: '9223372036854775808' is past "
        "the int64 range",
    ),
    "a request past what the core takes": (
        {"x.json": dumps(node(), pod(memory="65Pi"))},
        ["x.json"],
        "x: Pod default/p1: memory: 73183493944770560 is more than 72057594037927936, the most that is computed with",
    ),
    "a request that is a list": (
        {"x.json": dumps(node(), pod(cpu=["1"]))},
        ["x.json"],
        "x.json: Pod default/p1: spec.containers[0].resources.requests[...]: expected int | float | str, got array",
    ),
    "a request that is a truth value": (
        {"x.json": dumps(node(), pod(cpu=True))},
        ["x.json"],
        "x.json: Pod default/p1: spec.containers[0].resources.requests[...]: expected int | float | str, got bool",
    ),
    "containers that are no list": (
        {"x.json": dumps(node(), pod(spec={"containers": "c"}))},
        ["x.json"],
        "x.json: Pod default/p1: spec.containers: expected array | null, got str",
    ),
    "a priority that is a text": (
        {"x.json": dumps(node(), pod(spec={"priority": "high"}))},
        ["x.json"],
        "x.json: Pod default/p1: spec.priority: expected int | null, got str",
    ),
    "labels that are a list": (
        {"x.json": dumps(node() | {"metadata": {"name": "n1", "labels": ["a"]}})},
        ["x.json"],
        "x.json: Node n1: metadata.labels: expected object | null, got array",
    ),
    # OpenStack objects.
    "no file of a dump": (
        {"c/things.json": "[]"},
        ["c"],
        "c/things.json: no file of an OpenStack dump (servers.json, flavors.json, hypervisors.json, ...)",
    ),
    "servers without flavors": (
        cloud(flavors=None),
        ["c"],
        "c/servers.json: server vm1: flavor: 'm1' cannot be looked up, flavors.json is missing",
    ),
    "servers without hosts": (
        cloud(hypervisors=None),
        ["c"],
        "c: hypervisors.json: missing, so the capacity of the hosts is unknown",
    ),
    "hypervisors without counts": (
        cloud(hypervisors=[{"ID": UUID, "Hypervisor Hostname": "cmp1", "State": "up"}]),
        ["c"],
        "c: providers.json and inventories/: missing, and hypervisors.json has no vCPUs and Memory MB "
        "columns, so the capacity of the hosts is unknown",
    ),
    "an unknown flavor": (
        cloud(servers=[server(**{"Flavor Name": "m9"})]),
        ["c"],
        "c/servers.json: server vm1: flavor: 'm9' is not in flavors.json",
    ),
    "a flavor without VCPUs": (
        cloud(flavors=[{"ID": "1", "Name": "m1", "RAM": 1, "Disk": 1}]),
        ["c"],
        "c/flavors.json: flavor m1: vcpus: missing",
    ),
    "a flavor with negative memory": (
        cloud(flavors=[flavor(RAM=-1)]),
        ["c"],
        "c/flavors.json: flavor m1: RAM: -1 is negative",
    ),
    "a flavor twice": (
        cloud(flavors=[flavor(), flavor(ID="2")]),
        ["c"],
        "c/flavors.json: flavor m1: name occurs twice",
    ),
    "a hypervisor twice": (
        cloud(hypervisors=[hypervisor(), hypervisor(ID="x")]),
        ["c"],
        "c/hypervisors.json: hypervisor cmp1: hostname occurs twice",
    ),
    "a server that is a text": (cloud(servers=["vm1"]), ["c"], "c/servers.json: server 1: 'vm1' is not an object"),
    "a server without status": (
        cloud(servers=[{"ID": "s", "Name": "v", "Flavor Name": "m1"}]),
        ["c"],
        "c/servers.json: server v: status: missing",
    ),
    "memory past int64": (
        cloud(hypervisors=[hypervisor(**{"Memory MB": 2**63})]),
        ["c"],
        "c/hypervisors.json: hypervisor cmp1: Memory MB: 9223372036854775808 is more than 2147483647",
    ),
    "half a CPU": (
        cloud(hypervisors=[hypervisor(vCPUs=7.5)]),
        ["c"],
        "c/hypervisors.json: hypervisor cmp1: vCPUs: 7.5 is not a whole number",
    ),
    "an inventory without total": (
        placement(inventory=[{"resource_class": "VCPU"}]),
        ["c"],
        "c/inventories/rp-01.json: inventory VCPU: total: missing",
    ),
    "an allocation ratio of text": (
        placement(inventory=inventory(allocation_ratio="much")),
        ["c"],
        "c/inventories/rp-01.json: inventory VCPU: allocation_ratio: 'much' is not a number",
    ),
    "an allocation ratio that is no number": (
        placement(inventory=inventory(allocation_ratio="NaN")),
        ["c"],
        "c/inventories/rp-01.json: inventory VCPU: allocation_ratio: nan is not a finite number",
    ),
    "a negative allocation ratio": (
        placement(inventory=inventory(allocation_ratio=-1.5)),
        ["c"],
        "c/inventories/rp-01.json: inventory VCPU: allocation_ratio: -1.5 is negative",
    ),
    "more reserved than there is": (
        placement(inventory=inventory(reserved=9)),
        ["c"],
        "c/inventories/rp-01.json: inventory VCPU: reserved: 9 is more than the total, 8",
    ),
    "a step of zero": (
        placement(inventory=inventory(step_size=0)),
        ["c"],
        "c/inventories/rp-01.json: inventory VCPU: step_size: 0 is less than 1",
    ),
    "an inventory of nobody": (
        placement(providers=[provider(uuid=UUID[:-1] + "2", root_provider_uuid=None)]),
        ["c"],
        "c/inventories/rp-01.json: provider rp-01: not in providers.json",
    ),
    "providers in a circle": (
        placement(providers=tree(("1", "2"), ("2", "1"))),
        ["c"],
        "c/providers.json: provider p2: its parent providers form a cycle",
    ),
    "a provider below nobody": (
        placement(providers=tree(("1", "9"))),
        ["c"],
        "c/providers.json: provider p1: parent provider rp-09 does not exist",
    ),
    "a request for no servers": (
        cloud(requests=[{"name": "more", "flavor": "m1", "count": 0}]),
        ["c"],
        "c/requests.json: request more: count: 0 is less than 1",
    ),
    "a request for an unknown flavor": (
        cloud(requests=[{"name": "more", "flavor": "m7"}]),
        ["c"],
        "c/requests.json: request more: flavor: 'm7' is not in flavors.json",
    ),
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
