"""`binwright explain` on small clusters whose answers are worked out by hand, in every form of output."""

import csv
import io
import json

import jsonschema
import pytest
import yaml

from binwright import schemas
from binwright.cli import exits, explain_report
from binwright.cli.output import on_console
from binwright.explained import Explained, HostScore, ScorePart
from tests.kubernetes.made import node_dict, pod_dict

TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
# a: 2 cores, 1 used; b: 4 cores, tainted; c: 4 cores, 3.5 used. Pods waiting, in queue order: first, second, big.
OBJECTS = [
    node_dict("a", cpu="2"),
    node_dict("b", cpu="4", taints=[TAINT]),
    node_dict("c", cpu="4"),
    pod_dict("on-a", cpu="1", memory="1Gi", node="a", namespace="web"),
    pod_dict("on-c", cpu="3500m", memory="1Gi", node="c", namespace="web"),
    pod_dict("first", cpu="500m", memory="1Gi", namespace="web", priority=3),
    pod_dict("second", cpu="600m", memory="1Gi", namespace="web", priority=2),
    pod_dict("big", cpu="1500m", namespace="batch", meta={"labels": {"app": "big"}}),
]


@pytest.fixture
def dump(tmp_path):
    """dump(objects) writes a kubectl List, and returns its path."""

    def write(items=OBJECTS, name="demo.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        return str(path)

    return write


@pytest.fixture
def explained(command, dump):
    """explained(name, *words) is the envelope of `explain NAME`, checked against its schema."""

    def explain(name, *words, items=OBJECTS):
        ended = command("explain", name, dump(items), "-o", "json", *words)
        assert ended.err == ""
        envelope = json.loads(ended.out)
        jsonschema.validate(envelope, schemas.schema("ExplainResult"))
        return ended.code, envelope

    return explain


def test_every_node_says_rule_shortfall_and_smallest_change(explained):
    code, envelope = explained("big")
    assert code == exits.NO
    assert envelope["verdict"] == "unschedulable"
    message = "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, 2 Insufficient cpu."
    assert envelope["message"] == message
    a, b, c = envelope["hosts"]
    # `first` went to a before it, so a has 500m of 2000m left, and c as much
    assert a["rejectedBy"] == [{"rule": "NodeResourcesFit", "text": "Insufficient cpu"}]
    assert a["shortfalls"] == [{"resource": "cpu", "asked": 1500, "free": 500, "missing": 1000}]
    assert a["smallestChange"]["kind"] == "request"
    assert (a["smallestChange"]["have"], a["smallestChange"]["need"]) == (500, 1500)
    assert a["resolvable"]
    assert b["rejectedBy"] == [{"rule": "TaintToleration", "text": "node(s) had untolerated taint {gpu: yes}"}]
    assert (b["smallestChange"]["kind"], b["smallestChange"]["host"]) == ("rule", "b")
    assert (b["shortfalls"], b["resolvable"]) == ([], False)
    assert c["shortfalls"] == [{"resource": "cpu", "asked": 1500, "free": 500, "missing": 1000}]
    assert envelope["best"] == []
    assert envelope["object"]["asked"] == [{"resource": "pods", "amount": 1}, {"resource": "cpu", "amount": 1500}]


def test_every_rule_that_rejects_a_node_is_named_and_then_no_single_change_is_enough(explained):
    items = [node_dict("b", cpu="1", taints=[TAINT]), pod_dict("p", cpu="1500m", memory="9Gi")]
    _, envelope = explained("p", items=items)
    (b,) = envelope["hosts"]
    assert [one["rule"] for one in b["rejectedBy"]] == ["TaintToleration", "NodeResourcesFit", "NodeResourcesFit"]
    assert [one["resource"] for one in b["shortfalls"]] == ["cpu", "memory"]
    assert b["smallestChange"] is None


def test_a_node_may_have_to_grow(explained):
    """A node without any free memory: asking for less would mean asking for nothing."""
    items = [
        node_dict("n", memory="4Gi"), pod_dict("full", memory="4Gi", node="n"), pod_dict("p", memory="1Gi", cpu="1"),
    ]  # fmt: skip
    _, envelope = explained("p", items=items)
    change = envelope["hosts"][0]["smallestChange"]
    assert (change["kind"], change["resource"], change["have"], change["need"]) == ("host", "memory", 4 << 30, 5 << 30)


def test_a_pending_pod_is_decided_at_its_turn(explained):
    """1 core is free on a, 500m on c: `first` takes a, whose share left is larger; `second` finds no 600m any more."""
    code, envelope = explained("first")
    assert (code, envelope["host"], envelope["object"]["state"]) == (exits.YES, "a", "pending")
    assert envelope["supposes"] == "at its turn, the first in the queue"
    code, envelope = explained("second")
    assert (code, envelope["host"]) == (exits.NO, None)
    assert envelope["supposes"] == "at its turn, after 1 pod in the queue before it (1 placed)"


def test_a_bound_pod_is_decided_as_if_it_came_now_with_its_score_parts(explained):
    """Without on-a, node a has 2 cores free and c half a core.

    a: (1000*100/2000 + 7*100/8)/2 = (50 + 87)/2 = 68; |0.5 - 0.125|/2 = 0.1875 -> 81; taints: 3 x 100.
    """
    code, envelope = explained("on-a")
    assert (code, envelope["host"], envelope["object"]["on"], envelope["object"]["state"]) == (0, "a", "a", "bound")
    assert envelope["supposes"] == "as if it came now: taken out, decided about, put back"
    (best,) = envelope["best"]
    assert (best["host"], best["rank"]) == ("a", 1)
    parts = {part["name"]: (part["normalised"], part["weight"]) for part in best["parts"]}
    assert parts == {
        "TaintToleration": (100, 3),
        "NodeResourcesFit": (68, 1),
        "NodeResourcesBalancedAllocation": (81, 1),
        "ImageLocality": (0, 1),
    }
    assert best["total"] == 449 == envelope["score"]


def test_the_host_that_it_has_stands_below_the_best(explained):
    items = [node_dict(name, cpu=str(cpu)) for cpu, name in enumerate("abcd", 2)]
    items.append(pod_dict("p", cpu="1", node="a"))
    _, envelope = explained("p", "--best", "2", items=items)
    assert [(one["host"], one["rank"]) for one in envelope["best"]] == [("d", 1), ("c", 2), ("a", 4)]
    _, envelope = explained("p", "--best", "9", items=items)
    assert [one["rank"] for one in envelope["best"]] == [1, 2, 3, 4]


def test_a_nominated_pod_gets_its_node_unscored(explained):
    items = [node_dict("a"), node_dict("b"), pod_dict("p", cpu="1", status={"nominatedNodeName": "b"})]
    code, envelope = explained("p", items=items)
    assert (code, envelope["host"], envelope["score"]) == (exits.YES, "b", None)


def test_pods_that_come_later_and_were_promised_a_node_keep_it(command, dump, explained):
    """q is nominated: p, of equal priority, finds one of two cores promised away, as `place` says too."""
    items = [node_dict("a", cpu="2"), pod_dict("p", cpu="2"), pod_dict("q", cpu="1", status={"nominatedNodeName": "a"})]
    code, envelope = explained("p", items=items)
    assert (code, envelope["host"]) == (exits.NO, None)
    refused = json.loads(command("place", dump(items), "-o", "json").out)["unplaced"]
    assert [(one["name"], one["message"]) for one in refused] == [("p", envelope["message"])]


def test_pods_out_of_the_queue_say_so(explained):
    items = [
        node_dict("a"),
        pod_dict("gated", cpu="1", schedulingGates=[{"name": "wait"}]),
        pod_dict("other", cpu="1", schedulerName="mine"),
        pod_dict("done", cpu="1", node="a", status={"phase": "Succeeded"}),
        pod_dict("gone", cpu="1", meta={"deletionTimestamp": "2026-01-01T00:00:00Z", "uid": "u"}),
        pod_dict("lost", cpu="1", node="elsewhere"),
    ]
    states = {}
    for name in ("gated", "other", "done", "gone", "lost"):
        code, envelope = explained(name, items=items)
        assert (code, envelope["host"]) == (exits.YES, "a")
        states[name] = envelope["object"]["state"], envelope["object"]["on"]
    assert states == {
        "gated": ("gated", None),
        "other": ("foreign", None),
        "done": ("finished", None),
        "gone": ("deleted", None),
        "lost": ("bound", "elsewhere"),
    }


def test_a_manifest_that_the_api_server_would_refuse(command, explained):
    """Admission knows that there is no such priority class, since the input has others."""
    other = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "x"}, "value": 1}
    code, envelope = explained("p", items=[node_dict("a"), other, pod_dict("p", priorityClassName="none")])
    assert (code, envelope["verdict"], envelope["hosts"]) == (exits.NO, "error", [])
    assert envelope["message"] == 'pods "p" is forbidden: no PriorityClass with name none was found'
    assert envelope["object"]["state"] == "refused"


def test_a_pod_made_for_a_workload_tells_which(command, dump, explained):
    template = {"metadata": {"labels": {"app": "w"}}, "spec": pod_dict(cpu="1")["spec"]}
    workload = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "namespace": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "w"}}, "template": template},
    }  # fmt: skip
    name = command("place", dump([node_dict("a"), workload]), "-o", "name").out.strip()
    code, envelope = explained(name, items=[node_dict("a"), workload])
    assert (code, envelope["object"]["expandedFrom"]) == (exits.YES, "Deployment web/w")


TABLE = """\
Pod demo/batch/big: unschedulable (3 hosts, 0 feasible, TIME s)
  It is pending; decided at its turn, after 2 pods in the queue before it (1 placed).
  It asks for 1.5 cores of cpu.
  0/3 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, 2 Insufficient cpu.
  Smallest change: ask for 0.5 cores of cpu instead of 1.5 cores; a has that

Refuse it  Hosts  Why                                                        Missing
a, c           2  NodeResourcesFit: Insufficient cpu                         1 core of cpu
b              1  TaintToleration: node(s) had untolerated taint {gpu: yes}
"""


def test_the_table_of_a_refused_pod(command, dump):
    ended = command("explain", "big", dump())
    assert (ended.code, ended.err) == (exits.NO, "")
    seconds = ended.out.split(" feasible, ")[1].split(" s)")[0]
    assert ended.out.replace(f"{seconds} s)", "TIME s)") == TABLE


def test_wide_has_a_row_a_host(command, dump, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    lines = command("explain", "big", dump(), "-o", "wide").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("Refuses it"))
    told = "\n".join(lines[at:])
    assert told.count("NodeResourcesFit: Insufficient cpu") == 2
    assert told.count("1 core of cpu (free 0.5 cores)") == 2
    assert "only TaintToleration" in told


def test_the_table_of_a_bound_pod_shows_scores(command, dump):
    out = command("explain", "on-a", dump()).out
    assert "  It is bound to a; decided as if it came now: taken out, decided about, put back.\n" in out
    assert "  It goes to a, where it is, score 449.\n" in out
    heads, row = out.splitlines()[-2:]
    assert heads.split() == ["Best", "hosts", "Rank", "Score", "x", "3", "x", "1", "x", "1", "x", "1"]
    assert row.split() == ["a", "(here", "now)", "1", "449", "100", "68", "81", "0"]
    assert "  Allocation  Locality\n" in out


def test_weights_that_differ_by_host_stand_in_the_cells():
    """Nova's multipliers may come from aggregates, so each host has its own."""
    parts = [(ScorePart("RAMWeigher", 1, 0.5, weight), ScorePart("Same", 1, 1, 2)) for weight in (1.0, 2.0)]
    best = [HostScore(name, rank, 1.5, part) for rank, (name, part) in enumerate(zip("ab", parts), 1)]
    explained = Explained(None, "pending", None, "", {}, [], best)
    lines = on_console(lambda console: explain_report.draw_best(console, explained)).splitlines()
    assert [line.split()[3:] for line in lines[-2:]] == [["1.000", "x", "0.500", "1"], ["2.000", "x", "0.500", "1"]]
    assert lines[-3].split()[4:] == ["x", "x", "2"]


def test_rows_are_hosts_with_exact_amounts(command, dump):
    rows = list(csv.reader(io.StringIO(command("explain", "big", dump(), "-o", "csv").out)))
    assert rows[0] == ["Host", "Verdict", "Score", "Rule", "Message", "Missing", "Change"]
    assert rows[1][:6] == ["a", "refused", "", "NodeResourcesFit", "Insufficient cpu", "cpu=1000"]
    picked = command("explain", "first", dump(), "-f", "value", "-c", "host", "-c", "score").out
    # a: cpu 25, memory 75: 50; balance 75. c: cpu 0, memory 75: 37; balance 62
    assert picked == "a 425\nb None\nc 399\n"
    assert command("explain", "big", dump(), "-o", "name").out == "a\nb\nc\n"
    assert command("explain", "big", dump(), "-c", "host", "--no-headers").out == "a\nb\nc\n"


def test_yaml_says_the_same_as_json(command, explained, dump):
    _, envelope = explained("big")
    told = yaml.safe_load(command("explain", "big", dump(), "-o", "yaml").out)
    envelope["summary"].pop("elapsedSeconds")
    told["summary"].pop("elapsedSeconds")
    assert told == envelope


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "csv", "value", "name"])
def test_quiet_leaves_only_the_exit_code(command, dump, form):
    ended = command("explain", "big", dump(), "-q", "-o", form)
    assert (ended.code, ended.out, ended.err) == (exits.NO, "", "")


def test_an_empty_name_is_named(command, dump):
    ended = command("explain", "", dump())
    assert (ended.code, ended.out) == (exits.BAD, "")
    text = "'': the name is empty, so it means no object (names are SOURCE/NAMESPACE/NAME or the end of it)"
    assert ended.err == f"binwright: {text}\n"


def test_names_over_several_sources(command, dump):
    paths = dump(name="one/a.json"), dump(name="one/b.json")
    ended = command("explain", "big", *paths)
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == "binwright: big: ambiguous, could be a/batch/big, b/batch/big\n"
    ended = command("explain", "b/batch/big", *paths, "-o", "json")
    assert json.loads(ended.out)["object"]["source"] == "b"
    ended = command("explain", "nobody", *paths)
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == (
        "binwright: nobody: no object of this name (names are SOURCE/NAMESPACE/NAME or the end of it)\n"
    )


def test_namespace_and_labels_narrow_the_names(command, dump):
    twin = pod_dict("big", cpu="1m", namespace="web")
    path = dump([*OBJECTS, twin])
    assert command("explain", "big", path).code == exits.BAD
    assert command("explain", "big", path, "-n", "web", "-q").code == exits.YES
    assert command("explain", "big", path, "-n", "batch", "-q").code == exits.NO
    assert command("explain", "big", path, "-l", "app=big", "-q").code == exits.NO
    assert command("explain", "big", path, "-l", "app>1").err.startswith("binwright: -l: app>1")


def test_a_path_may_be_named_as_a_cluster(command, dump):
    path = dump()
    assert command("explain", "first", "--cluster", path, "-q").code == exits.YES
    ended = command("explain", "first")
    assert (ended.code, ended.err) == (
        exits.BAD,
        "binwright: no PATH is given: name a file, a directory, or - for standard input\n",
    )
    ended = command("explain", "first", path, "--cluster", path)
    assert (ended.code, ended.err) == (exits.BAD, f"binwright: {path}: given twice\n")


def test_strict_counts_rules_that_were_not_evaluated(command, dump):
    claim = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    path = dump([node_dict("a"), pod_dict("p", cpu="1", volumes=claim)])
    assert command("explain", "p", path, "-q").code == exits.YES
    assert command("explain", "p", path, "-q", "--strict").code == exits.NO
    assert command("explain", "p", path, "-q", "--complete").code == exits.NO  # the claim does not exist, then


def test_a_negative_number_of_scores_is_refused(command, dump):
    ended = command("explain", "first", dump(), "--best", "-1")
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == "binwright: --best -1: must not be negative\n"


def test_a_cluster_without_nodes_is_refused(command, dump):
    ended = command("explain", "p", dump([pod_dict("p")]))
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err.startswith("binwright: demo: no Node in the input")


def test_a_member_of_a_group_is_decided_after_those_of_its_group_that_come_before(explained):
    group = {"apiVersion": "scheduling.x-k8s.io/v1alpha1", "kind": "PodGroup", "metadata": {"name": "g"}}
    group["spec"] = {"minMember": 2}
    meta = {"labels": {"scheduling.x-k8s.io/pod-group": "g"}}
    items = [node_dict("a", cpu="3"), group, *(pod_dict(name, cpu="2", meta=meta) for name in "pq")]
    code, envelope = explained("q", items=items)
    assert (code, envelope["hosts"][0]["shortfalls"][0]["missing"]) == (exits.NO, 1000)
    assert envelope["supposes"] == (
        "at its turn, after 1 pod in the queue before it (1 placed); "
        "whether PodGroup default/g gets enough pods to run is not asked here"
    )
