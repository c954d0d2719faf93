"""`binwright drain` and `binwright consolidate`: the sample from end to end, every form, bad input in one line."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import exits
from tests.kubernetes.made import node_dict
from tests.kubernetes.test_drain import budget, owned, running
from tests.stack.made import hypervisor, server

SAMPLE = Path(__file__).parents[2] / "examples/club-sandwich"
FLAGS = ("--ignore-daemonsets", "--delete-emptydir-data")


@pytest.fixture
def cluster(tmp_path):
    """cluster(object, ..., name="c") writes a cluster and returns its path."""

    def write(*objects, name="c"):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        return str(path)

    return write


@pytest.fixture
def small(cluster):
    """Three nodes: a holds a guarded pair and one of a daemon set, b and c have room for them."""
    return cluster(
        node_dict("a"), node_dict("b"), node_dict("c", cpu="2"), budget(allowed=1),
        running("p0", "a", "500m"), running("p1", "a", "500m"), running("q", "b", "2"),
        running("d", "a", "100m", meta=owned("DaemonSet")),
    )  # fmt: skip


DRAIN = """\
2 of 2 evicted pods find another node (1 node of 3, 0.00 s)

Node  Move away  Stand in the way  Emptied
c/a           2                 0  yes

Pod           From  To  Round  Equals
c/default/p0  a     c       1       1
c/default/p1  a     c       2       1

Disruption budget  Allows  Evictions  Rounds
c/default/web           1          2       2

1 pod, ignoring DaemonSet-managed Pods: c/default/d

Not evaluated                         Objects  For example
PodTopologySpread (cluster defaults)        2  Pod default/p0
"""


def without_time(text):
    head, _, rest = text.partition("\n")
    return f"{head.rpartition(', ')[0]}, 0.00 s)\n{rest}"


def test_the_table_of_a_drain(command, small):
    ended = command("drain", "a", small, "--ignore-daemonsets")
    assert (ended.code, ended.err) == (exits.YES, "")
    assert without_time(ended.out) == DRAIN


def test_a_drain_that_kubectl_refuses_says_its_sentence(command, small):
    ended = command("drain", "a", small)
    assert ended.code == exits.NO
    assert "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): c/default/d" in ended.out


def test_commands_of_a_drain(command, small):
    ended = command("drain", "a", "b", small, "--ignore-daemonsets", "-o", "commands")
    lines = ended.out.splitlines()
    assert [line for line in lines if not line.startswith("#") and line] == [
        "kubectl --context c cordon a",
        "kubectl --context c cordon b",
        "kubectl --context c drain --ignore-daemonsets a",
        "kubectl --context c drain --ignore-daemonsets b",
    ]
    assert "#   default/p0 a -> c (only winner)" in lines
    assert "# c: drains 2 nodes, 3 pods move. Made by binwright, which ran nothing." in lines
    assert "# Context c has to be the cluster that c is a dump of." in lines


def test_a_node_that_would_not_be_emptied_gets_no_drain_command(command, small):
    out = command("drain", "a", small, "-o", "commands").out
    assert "kubectl --context c drain" not in out
    assert "#   default/d may not go: cannot delete DaemonSet-managed Pods" in out
    assert "#   not drained: a would not become empty" in out


def test_commands_of_a_consolidation(command, small):
    ended = command("consolidate", small, "-o", "commands")
    assert ended.code == exits.YES
    runs = [line.partition("  #")[0] for line in ended.out.splitlines() if line and not line.startswith("#")]
    assert runs[:2] == ["kubectl --context c cordon c", "kubectl --context c cordon a"]
    assert runs[-3:] == [
        "evict c default p0",
        "kubectl --context c wait -n default pdb/web '--for=jsonpath={.status.disruptionsAllowed}=1' --timeout=10m",
        "evict c default p1",
    ]
    assert 'kubectl --context "$1" create --raw "/api/v1/namespaces/$2/pods/$3/eviction" -f -' in ended.out


@pytest.mark.parametrize("words", [["drain", "one/a", "two/b"], ["consolidate"]])
def test_every_command_names_the_cluster_that_it_is_for(command, cluster, words):
    """Pasted as a whole, nothing may run against the current context, nor one cluster's part against the other."""
    objects = node_dict("a"), node_dict("b"), running("p", "a", "500m"), running("q", "b", "2")
    paths = [cluster(*objects, name=name) for name in ("one", "two")]
    out = command(*words, "--cluster", paths[0], "--cluster", paths[1], "-o", "commands").out
    first, mark, second = out.partition("# two: ")
    assert mark
    for name, part in (("one", first), ("two", second)):
        lines = [line.strip() for line in part.splitlines()]
        runs = [line for line in lines if line.startswith(("kubectl ", "evict "))]
        assert len(runs) >= 2
        own = (f"kubectl --context {name} ", 'kubectl --context "$1" create --raw ', f"evict {name} ")
        assert [line for line in runs if not line.startswith(own)] == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_commands_are_sound_and_quoted_whatever_names_hold(command, cluster, tmp_path):
    """A name from a file cannot run anything: the script is carried out with a kubectl that only notes its words."""
    wild = "x'; touch hacked; '\n$(touch hacked)"
    path = cluster(node_dict("a"), node_dict("b"), running(wild, "a", "500m"), running("q", "b", "2"))
    out = command("consolidate", path, "-o", "commands").out
    note = 'kubectl() { printf "%s\\n" "$*" >> noted; cat > /dev/null < /dev/null; }\n'
    subprocess.run(["bash", "-eu"], input=note + out, text=True, check=True, cwd=tmp_path, timeout=60)
    assert not (tmp_path / "hacked").exists()
    assert (tmp_path / "noted").read_text().splitlines()[0] == "--context c cordon a"


@pytest.mark.parametrize("verb", ["drain", "consolidate"])
def test_the_json_keeps_its_schema_and_adds_up_on_the_sample(command, verb):
    words = ["build-worker-az2-2", "lab-worker-az1-3"] if verb == "drain" else []
    ended = command(verb, *words, str(SAMPLE), "-o", "json", *(FLAGS if verb == "drain" else ()))
    assert ended.err == ""
    found = json.loads(ended.out)
    jsonschema.validate(found, schemas.schema(found["kind"]))
    summary = found["summary"]
    assert summary["moves"] == len(found["moves"]) > 0
    assert all(move["host"] != move["from"] for move in found["moves"])
    if verb == "drain":
        assert ended.code == exits.NO
        assert (summary["hosts"], summary["nodes"]) == (43, 2)
        assert summary["unplaced"] == len(found["unplaced"]) == 1
        assert [(one["source"], one["emptied"]) for one in found["nodes"]] == [("build", False), ("lab", True)]
        return
    assert ended.code == exits.YES
    assert summary["remaining"] == summary["hosts"] - summary["emptied"]
    assert summary["gap"] == summary["remaining"] - summary["bound"] >= 0
    emptied = {(source["name"], node) for source in found["sources"] for node in source["emptied"]}
    assert len(emptied) == summary["emptied"] > 0
    assert {(move["source"], move["from"]) for move in found["moves"]} <= emptied
    assert not {(move["source"], move["host"]) for move in found["moves"]} & emptied
    assert all(source["gap"] >= 0 for source in found["sources"])
    fixed = {source["name"]: source["fixed"] for source in found["sources"]}
    assert fixed == dict.fromkeys(("build", "data", "edge", "lab", "shop"), 3) | {"under": 63}  # 60 compute nodes


def test_the_table_of_a_consolidation(command):
    ended = command("consolidate", str(SAMPLE / "clusters/lab"))
    assert ended.code == exits.YES
    assert ended.out.startswith("3 of 20 nodes can be emptied together (17 pods move, 2 rounds, ")
    assert "lab        20        3      17        15    2          3     17       2" in ended.out
    assert (
        "No candidates: 3 nodes\n  lab-cp-0, lab-cp-1, lab-cp-2: label node-role.kubernetes.io/control-plane"
        in ended.out
    )


def test_a_plan_is_the_same_every_time(command):
    first, second = (command("consolidate", str(SAMPLE / "clusters/edge"), "-o", "commands").out for _ in range(2))
    assert first == second


def test_prices_are_told_when_there_are_some(command, cluster, tmp_path):
    catalogue = tmp_path / "catalogue.csv"
    catalogue.write_text("name,vcpus,memory_mb,price\nbig,4,8192,0.2\nsmall,4,8192,0.1\n")
    types = [{"node.kubernetes.io/instance-type": name} for name in ("big", "small", "small")]
    path = cluster(*(node_dict(name, labels=labels) for name, labels in zip("abc", types)), running("p", "a", "1"))
    ended = command("consolidate", path, "--prices", str(catalogue))
    assert "Price: 0.4 now, 0.1 after, at least 0.1" in ended.out
    found = json.loads(command("consolidate", path, "--prices", str(catalogue), "-o", "json").out)
    jsonschema.validate(found, schemas.schema("ConsolidateResult"))
    assert found["summary"]["price"] == {"before": 0.4, "after": 0.1, "bound": 0.1}
    assert found["sources"][0]["emptied"] == ["a", "b"]
    ended = command("consolidate", path, "--prices", str(tmp_path))
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert len(ended.err.splitlines()) == 1


@pytest.fixture
def hypervisors(cluster, tmp_path):
    """Words for a cluster of a, b and c, and the cloud beside it, whose hypervisors a and b are: a carries a server."""
    folder = tmp_path / "north"
    folder.mkdir()
    (folder / "servers.json").write_text(json.dumps([server("s", "a")]))
    (folder / "hypervisors.json").write_text(json.dumps([hypervisor("a"), hypervisor("b")]))
    nodes = (node_dict(name) for name in "abc")
    return ["--cluster", cluster(*nodes, running("p", "a", "500m"), running("q", "c", "2")), "--cloud", str(folder)]


def test_a_node_that_carries_servers_is_no_candidate(command, hypervisors):
    ended = command("consolidate", *hypervisors)
    assert ended.code == exits.YES
    assert "No candidates: 1 node\n  a: carries 1 server of cloud north\n" in ended.out
    found = json.loads(command("consolidate", *hypervisors, "-o", "json").out)
    jsonschema.validate(found, schemas.schema("ConsolidateResult"))
    assert (found["sources"][0]["emptied"], found["sources"][0]["fixed"]) == (["b", "c"], 1)
    assert [(one["kind"], one["name"], one["reason"]) for one in found["refused"]] == [("Node", "a", "servers")]
    alone = json.loads(command("consolidate", *hypervisors[:2], "-o", "json").out)
    assert alone["sources"][0]["emptied"] == ["b", "a"]


def test_a_drain_does_not_empty_a_node_that_carries_servers(command, hypervisors):
    ended = command("drain", "a", *hypervisors)
    assert ended.code == exits.NO
    assert ended.out.startswith("1 of 1 evicted pod finds another node (")
    assert "c/a           1                 1  no\n" in ended.out
    assert "To be migrated first: the servers of 1 node\n  c/a: carries 1 server of cloud north\n" in ended.out
    assert "May not be evicted" not in ended.out
    lines = command("drain", "a", *hypervisors, "-o", "commands").out.splitlines()
    assert lines[-2:] == [
        "#   carries 1 server of cloud north, to be migrated first",
        "#   not drained: a would not become empty",
    ]
    found = json.loads(command("drain", "a", *hypervisors, "-o", "json").out)
    jsonschema.validate(found, schemas.schema("DrainResult"))
    assert [(one["kind"], one["name"], one["message"]) for one in found["refused"]] == [
        ("Node", "a", "carries 1 server of cloud north")
    ]
    assert command("drain", "b", *hypervisors).code == exits.YES
    assert command("drain", "a", *hypervisors[:2]).code == exits.YES


def test_the_sample_keeps_its_compute_nodes(command):
    """No node of `under` on which a server of the sample's cloud runs is emptied."""
    ended = command("consolidate", str(SAMPLE), "-o", "json")
    under = next(one for one in json.loads(ended.out)["sources"] if one["name"] == "under")
    servers = json.loads((SAMPLE / "clouds/north/servers.json").read_text())
    carrying = {one["Host"] for one in servers if one.get("Host")}
    assert len(carrying) > 50
    assert under["emptied"]
    assert carrying.isdisjoint(under["emptied"])


def test_one_pod_moves(command, cluster):
    path = cluster(node_dict("a"), node_dict("b"), running("p", "a", "500m"), running("q", "b", "2"))
    assert command("consolidate", path).out.startswith("1 of 2 nodes can be emptied together (1 pod moves, 1 round, ")
    assert "# c: empties 1 node, 1 pod moves. Made" in command("consolidate", path, "-o", "commands").out


def test_nothing_to_empty_is_no(command, cluster):
    ended = command("consolidate", cluster(node_dict("a"), running("p", "a")))
    assert (ended.code, ended.err) == (exits.NO, "")
    assert ended.out.startswith("0 of 1 node can be emptied together (0 pods move, 0 rounds, ")


def test_strict_counts_what_was_not_evaluated(command, small):
    assert command("drain", "a", small, "--ignore-daemonsets", "--strict").code == exits.NO
    assert command("drain", "a", small, "--ignore-daemonsets", "--strict", "--complete").code == exits.YES


def test_csv_has_a_row_a_pod(command, small):
    rows = list(csv.reader(io.StringIO(command("drain", "a", small, "--ignore-daemonsets", "-o", "csv").out)))
    assert rows[0] == ["Source", "Namespace", "Name", "From", "Verdict", "Host", "Round", "Budget", "Message"]
    assert [(row[2], row[4], row[5]) for row in rows[1:]] == [
        ("p0", "moved", "c"),
        ("p1", "moved", "c"),
        ("d", "stays", ""),
    ]


def test_names_are_what_moves_and_what_is_emptied(command, small):
    assert command("drain", "a", small, "-o", "name").out == "c/default/p0\nc/default/p1\n"
    assert command("consolidate", small, "-o", "name").out == "c/c\nc/a\n"


def test_a_configuration_decides_where_pods_go(command, small, tmp_path):
    """MostAllocated packs: p0 joins q on b instead of the emptier c."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n- pluginConfig:\n"
        "  - name: NodeResourcesFit\n    args: {scoringStrategy: {type: MostAllocated, resources: "
        "[{name: cpu, weight: 5}]}}\n"
    )
    ended = command("drain", "a", small, "--ignore-daemonsets", "--config", str(config), "-o", "json")
    assert [move["host"] for move in json.loads(ended.out)["moves"]] == ["b", "b"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([""], "'': the name is empty, so it means no Node (names are SOURCE/NAMESPACE/NAME or the end of it)"),
        (["nope"], "nope: no Node of this name (names are SOURCE/NAMESPACE/NAME or the end of it)"),
        (["a", "c/a"], "c/a: Node c/a is given twice"),
        (["a", "b", "c"], "c: all 3 nodes would be drained; at least one has to stay for the pods"),
        ([], "no NODE is given: NODE... PATH"),
    ],
)
def test_bad_names_are_one_line(command, small, words, message):
    ended = command("drain", *words, small)
    assert (ended.code, ended.out, ended.err) == (exits.BAD, "", f"binwright: {message}\n")


def test_a_name_that_two_clusters_have_is_ambiguous(command, cluster):
    paths = [cluster(node_dict("a"), node_dict("b"), name=name) for name in ("one", "two")]
    ended = command("drain", "a", "--cluster", paths[0], "--cluster", paths[1])
    assert (ended.code, ended.err) == (exits.BAD, "binwright: a: ambiguous, could be one/a, two/a\n")
    assert command("drain", "two/a", "--cluster", paths[0], "--cluster", paths[1]).code == exits.YES


@pytest.mark.parametrize("words", [["drain", "compute-1"], ["consolidate"]])
def test_a_cloud_has_neither_verb(command, words):
    ended = command(*words, str(SAMPLE / "clouds/north"))
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == f"binwright: north: {words[0]} does not know sources of layer openstack\n"


@pytest.mark.parametrize("words", [["drain", "a"], ["consolidate"]])
def test_a_cluster_without_nodes_or_a_broken_file_is_one_line(command, cluster, tmp_path, words):
    ended = command(*words, cluster(running("p", "a")))
    assert ended.code == exits.BAD
    assert len(ended.err.splitlines()) == 1
    broken = tmp_path / "broken.json"
    broken.write_text('{"apiVersion": "v1", "kind": "Node"')
    ended = command(*words, str(broken))
    assert ended.code == exits.BAD
    assert len(ended.err.splitlines()) == 1
