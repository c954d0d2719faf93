"""`binwright capacity` on small clusters whose room is worked out by hand, in every form of output."""

import csv
import io
import json

import jsonschema
import pytest
import yaml

from binwright import schemas
from binwright.cli import exits
from tests.kubernetes.made import node_dict, pod_dict

TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
# Free: a 3 cores and 8 GiB, b 2 cores and 1 GiB; c is tainted.
OBJECTS = [
    node_dict("a", cpu="4"),
    node_dict("b", cpu="2", memory="4Gi"),
    node_dict("c", taints=[TAINT]),
    pod_dict("on-a", cpu="1", node="a", namespace="web", meta={"uid": "1"}),
    pod_dict("on-b", memory="3Gi", node="b", namespace="web", meta={"uid": "2"}),
    pod_dict("waits", cpu="2", namespace="web", meta={"uid": "3"}),
]


@pytest.fixture
def dump(tmp_path):
    def write(items=OBJECTS, name="demo.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        return str(path)

    return write


@pytest.fixture
def room(command, dump):
    """room(*words) is (exit code, envelope), checked against its schema."""

    def ask(*words, items=OBJECTS):
        ended = command("capacity", dump(items), "-o", "json", *words)
        assert ended.err == ""
        envelope = json.loads(ended.out)
        jsonschema.validate(envelope, schemas.schema("CapacityResult"))
        return ended.code, envelope

    return ask


def test_one_shape_until_the_first_refusal(room):
    """1 core, 1 GiB: a takes 3 by its cores, b takes 1 by its memory."""
    code, envelope = room("--pod", "cpu=1,memory=1Gi")
    (answer,) = envelope["capacity"]
    assert (code, answer["count"], answer["rounds"]) == (exits.YES, 4, 4)
    assert [host["counts"] for host in answer["hosts"]] == [[3], [1], [0]]
    a, b, c = answer["hosts"]
    assert (a["rule"], a["text"], a["short"]) == ("NodeResourcesFit", "Insufficient cpu", ["cpu"])
    assert (b["rule"], b["text"], b["short"]) == ("NodeResourcesFit", "Insufficient memory", ["memory"])
    assert (c["rule"], c["short"]) == ("TaintToleration", [])
    assert answer["message"] == (
        "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, "
        "1 node(s) had untolerated taint {gpu: yes}."
    )
    assert answer["refused"] == "cpu=1,memory=1Gi"
    assert answer["runsOut"] == "cpu"  # one node each: the first in the order of resources
    assert {(one["rule"], one["text"]): one["hosts"] for one in answer["reasons"]} == {
        ("TaintToleration", "node(s) had untolerated taint {gpu: yes}"): 1,
        ("NodeResourcesFit", "Insufficient cpu"): 1,
        ("NodeResourcesFit", "Insufficient memory"): 1,
    }
    assert answer["shapes"][0]["asked"] == [
        {"resource": "pods", "amount": 1},
        {"resource": "cpu", "amount": 1000},
        {"resource": "memory", "amount": 1 << 30},
    ]
    assert envelope["sources"][0]["supposes"] == "beside what is bound, without the 1 pending pod"


def test_what_runs_out_is_what_most_nodes_lack(room):
    items = [node_dict(name, cpu="2", memory=memory) for name, memory in (("a", "9Gi"), ("b", "2Gi"), ("c", "2Gi"))]
    _, envelope = room("--pod", "cpu=1,memory=2Gi", items=items)
    assert envelope["capacity"][0]["runsOut"] == "memory"
    assert [host["counts"] for host in envelope["capacity"][0]["hosts"]] == [[2], [1], [1]]


def test_nodes_that_something_else_closes_do_not_say_what_runs_out(room):
    items = [node_dict("a", cpu="9", memory="2Gi"), *(node_dict(name, cpu="0", taints=[TAINT]) for name in "bc")]
    _, envelope = room("--pod", "cpu=1,memory=1Gi", items=items)
    assert envelope["capacity"][0]["runsOut"] == "memory"
    assert envelope["capacity"][0]["hosts"][1]["short"] == ["cpu"]


def test_pods_that_ask_for_nothing_run_out_of_pods(room):
    _, envelope = room("--pod", "cpu=0", items=[node_dict("a", pods=7), pod_dict("p", node="a")])
    (answer,) = envelope["capacity"]
    assert (answer["count"], answer["runsOut"], answer["hosts"][0]["text"]) == (6, "pods", "Too many pods")


def test_what_is_pending_comes_first_if_that_is_wished(room):
    """`waits` goes to a, where 1 of 3 cores is left then."""
    _, envelope = room("--pod", "cpu=1,memory=1Gi", "--after-pending")
    assert envelope["capacity"][0]["count"] == 2
    assert envelope["sources"][0]["supposes"] == "after the 1 pending pod (1 placed)"


def test_several_shapes_alone_and_in_turn(room):
    """Alone: 5 of one core; 2 of two cores. In turn, small then big: a small to a (2 left), a big to a or b, a small:
    then no node has 2 cores left.
    """
    code, envelope = room("--pod", "cpu=1,cpu=2")
    assert code == exits.YES
    assert [answer["count"] for answer in envelope["capacity"]] == [5, 2, 3]
    mix = envelope["capacity"][2]
    assert [(one["name"], one["each"], one["count"]) for one in mix["shapes"]] == [("cpu=1", 1, 2), ("cpu=2", 1, 1)]
    assert (mix["rounds"], mix["refused"]) == (1, "cpu=2")
    assert sum(sum(host["counts"]) for host in mix["hosts"]) == 3


def test_a_round_of_the_mix_may_have_several_of_a_shape(room):
    _, envelope = room("--pod", "3:cpu=1", "--pod", "1:memory=1Gi", items=[node_dict("a", cpu="8", memory="2Gi")])
    alone, other, mix = envelope["capacity"]
    assert (alone["count"], other["count"]) == (8, 2)
    assert [one["count"] for one in mix["shapes"]] == [8, 2]  # 3 1 3 1 2, and the ninth core is refused
    assert (mix["rounds"], mix["refused"]) == (2, "cpu=1")


def test_the_whole_rules_count(room):
    """Anti-affinity on the host: one pod of the deployment a node, however much room there is."""
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    nodes = [node_dict(name, labels={"kubernetes.io/hostname": name}) for name in "abc"]
    labels = {"labels": {"app": "db"}, "uid": "u"}
    _, envelope = room("--pod", "one", items=[*nodes, pod_dict("one", cpu="1", node="b", meta=labels, affinity=apart)])
    (answer,) = envelope["capacity"]
    assert [host["counts"] for host in answer["hosts"]] == [[1], [0], [1]]
    assert answer["message"] == "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules."
    assert answer["runsOut"] is None


def test_counting_ends(room, monkeypatch):
    from binwright.kubernetes import headroom

    monkeypatch.setattr(headroom, "MOST", 50)
    monkeypatch.setattr(headroom, "_FIRST_BATCH", 16)
    code, envelope = room("--pod", "cpu=1m", items=[node_dict("a", pods=1000)])
    (answer,) = envelope["capacity"]
    assert (code, answer["refused"], answer["message"], answer["runsOut"]) == (exits.YES, None, None, None)
    assert 50 <= answer["count"] < 1000


def test_a_shape_that_fits_nowhere_is_a_no(room):
    code, envelope = room("--pod", "cpu=9")
    assert (code, envelope["capacity"][0]["count"]) == (exits.NO, 0)
    change = envelope["capacity"][0]["smallestChange"]
    assert (change["kind"], change["host"], change["have"]) == ("request", "a", 3000)


def test_a_shape_that_the_api_server_refuses_is_a_no(room, tmp_path):
    other = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "x"}, "value": 1}
    path = tmp_path / "pod.json"
    path.write_text(json.dumps(pod_dict("p", cpu="1", priorityClassName="none")))
    code, envelope = room("--pod", str(path), items=[node_dict("a"), other])
    (answer,) = envelope["capacity"]
    assert (code, answer["count"], answer["hosts"]) == (exits.NO, 0, [])
    assert answer["message"] == "no PriorityClass with name none was found"


TABLE = """\
How many more fit (3 hosts, 1 source, TIME s)

Source  Shape             More  Runs out first
demo    cpu=1,memory=1Gi     4  cpu

demo: cpu=1,memory=1Gi: 4 more
  Placed beside what is bound, without the 1 pending pod.
  Asks for 1 core of cpu, 1 GiB of memory.
  The next: 0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) had
  untolerated taint {gpu: yes}.
  Smallest change: only TaintToleration (node(s) had untolerated taint {gpu: yes}) keeps it from c
Hosts  More  Stopped by                                                 Short of
a         3  NodeResourcesFit: Insufficient cpu                         cpu
b         1  NodeResourcesFit: Insufficient memory                      memory
c         0  TaintToleration: node(s) had untolerated taint {gpu: yes}
"""


def test_the_table_summarises_and_groups(command, dump):
    ended = command("capacity", dump(), "--pod", "cpu=1,memory=1Gi")
    assert (ended.code, ended.err) == (exits.YES, "")
    seconds = ended.out.split(" source, ")[1].split(" s)")[0]
    assert ended.out.replace(f"{seconds} s)", "TIME s)") == TABLE
    items = [node_dict(name, cpu="2") for name in "abcde"]
    grouped = command("capacity", dump(items), "--pod", "cpu=1").out
    assert "5 x a, b, c and 2 more    10  NodeResourcesFit: Insufficient cpu  cpu" in grouped
    wide = command("capacity", dump(items), "--pod", "cpu=1", "-o", "wide").out
    assert wide.count("     2  NodeResourcesFit: Insufficient cpu  cpu") == 5


def test_rows_are_a_total_and_the_hosts(command, dump):
    rows = list(csv.reader(io.StringIO(command("capacity", dump(), "--pod", "cpu=1,memory=1Gi", "-o", "csv").out)))
    assert rows[0] == ["Source", "Shape", "Host", "Count", "Rule", "Message", "Short"]
    assert rows[1][:4] == ["demo", "cpu=1,memory=1Gi", "", "4"]
    assert rows[2] == ["demo", "cpu=1,memory=1Gi", "a", "3", "NodeResourcesFit", "Insufficient cpu", "cpu"]
    assert len(rows) == 5
    told = command("capacity", dump(), "--pod", "cpu=1", "-f", "value", "-c", "host", "-c", "count").out
    assert told == "None 5\na 3\nb 2\nc 0\n"
    assert command("capacity", dump(), "--pod", "2:cpu=1,web/on-a", "-o", "name").out == (
        "demo/cpu=1\ndemo/web/on-a\ndemo/2 x cpu=1 + web/on-a\n"
    )


def test_yaml_says_the_same_as_json(command, dump, room):
    _, same = room("--pod", "cpu=1,cpu=2")
    told = yaml.safe_load(command("capacity", dump(), "--pod", "cpu=1,cpu=2", "-o", "yaml").out)
    told["summary"].pop("elapsedSeconds")
    same["summary"].pop("elapsedSeconds")
    assert told == same


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "csv", "value", "name"])
def test_quiet_leaves_only_the_exit_code(command, dump, form):
    ended = command("capacity", dump(), "--pod", "cpu=9", "-q", "-o", form)
    assert (ended.code, ended.out, ended.err) == (exits.NO, "", "")


def test_an_object_of_one_cluster_is_asked_for_there(command, dump):
    with_it, without = dump(name="s/a.json"), dump([node_dict("n")], name="s/b.json")
    ended = command("capacity", with_it, without, "--pod", "web/on-a", "-o", "json")
    envelope = json.loads(ended.out)
    assert [answer["source"] for answer in envelope["capacity"]] == ["a"]
    assert envelope["notes"] == ["b: not asked for web/on-a, there is none"]
    ended = command("capacity", with_it, without, "--pod", "web/nobody")
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == "binwright: --pod web/nobody: no such file, and no object of this name in the input\n"


def test_strict_counts_rules_that_were_not_evaluated(command, dump):
    claim = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    path = dump([node_dict("a"), pod_dict("p", cpu="1", volumes=claim, meta={"uid": "u"})])
    assert command("capacity", path, "--pod", "p", "-q").code == exits.YES
    assert command("capacity", path, "--pod", "p", "-q", "--strict").code == exits.NO


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing is asked (demo: not asked, it is of layer kubernetes and wants --pod)"),
        (("--pod", "mem=1Gi"), "--pod mem=1Gi: mem: no resource that pods ask for"),
        (("--pod", "cpu=1,"), "--pod cpu=1,: an empty shape"),
        (("--pod", "cpu=1", "--config", "nowhere"), "nowhere: "),
    ],
)
def test_bad_usage_is_one_line(command, dump, words, message):
    ended = command("capacity", dump(), *words)
    assert (ended.code, ended.out, ended.err.count("\n")) == (exits.BAD, "", 1)
    assert ended.err.startswith(f"binwright: {message}")


def test_quotas_do_not_count_but_are_told(room):
    quota = {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"},
        "spec": {"hard": {"requests.cpu": "3"}}, "status": {"used": {"requests.cpu": "1"}},
    }  # fmt: skip
    _, envelope = room("--pod", "cpu=1", items=[*OBJECTS, quota])
    assert envelope["capacity"][0]["count"] == 5
    (note,) = envelope["notes"]
    assert note.startswith(
        "demo: cpu=1: ResourceQuota default/q: requests.cpu: 1 used and 5 of pods to be made exceed 3"
    )
    assert room("--pod", "cpu=2", "-n", "web", items=[*OBJECTS, quota])[1]["notes"] == []
    (note,) = room("--pod", "web/on-a", items=[*OBJECTS, quota])[1]["notes"]
    assert note == "demo: web/on-a: whether quotas allow more of it is not asked, its limits are not known"


def test_a_claim_that_the_first_pod_binds_holds_the_others_to_its_volume_and_is_free_again(room):
    """The claim waits for its first pod: that takes the volume of one zone, where the others must follow; alone and in
    the mix the answer is the same, so the volume was given back in between.
    """
    spec = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "local",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    metadata = {"name": "c", "namespace": "web", "uid": "c"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}
    terms = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["x"]}]}]
    volume = {
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "status": {"phase": "Available"},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "local",
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
        },
    }  # fmt: skip
    kind = {
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local"},
        "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer",
    }  # fmt: skip
    nodes = [node_dict(name, cpu="3", labels={"zone": name}) for name in "xy"]
    mounted = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    pod = pod_dict("p", cpu="1", namespace="web", volumes=mounted, meta={"uid": "p"})
    _, envelope = room("--pod", "p,cpu=1", items=[*nodes, pod, claim, volume, kind])
    alone, amounts, mix = envelope["capacity"]
    assert (alone["count"], [host["counts"] for host in alone["hosts"]]) == (3, [[3], [0]])
    assert amounts["count"] == 6
    assert mix["shapes"][0]["count"] >= 1
    assert all(host["counts"][0] == 0 for host in mix["hosts"] if host["host"] == "y")


def test_verbose_adds_the_notes_on_standard_error(command, dump):
    paths = dump(name="s/a.json"), dump([node_dict("n")], name="s/b.json")
    ended = command("capacity", *paths, "--pod", "web/on-a", "-v", "-q")
    assert ended.err == "binwright: b: not asked for web/on-a, there is none\n"
    stray = pod_dict("lost", cpu="1", node="elsewhere", meta={"uid": "l"})
    path = dump([*OBJECTS, stray])
    told = "1 pod bound to nodes that are not in the input (elsewhere), so they use nothing here: default/lost"
    assert command("explain", "waits", path, "-v", "-q").err == f"binwright: {told}\n"
    assert command("capacity", path, "--pod", "cpu=1", "-v", "-q").err == f"binwright: demo: {told}\n"
