"""`binwright place` on a result made by hand: every form of output, the selection, the exit codes."""

import csv
import io
import json

import jsonschema
import pytest
import yaml

from binwright import schemas
from binwright.cli import exits
from binwright.cli.report import change_text
from binwright.stack.place_result import PlaceResult
from binwright.stack.wishes import Wishes
from tests.cli.made import cluster, made_result

TABLE = """\
4 of 8 pending objects placed (84 hosts, 2 sources, 0.31 s)

Source  Layer       Hosts  Pending  Placed  Not placed
region  openstack      60        2       1           1
alpha   kubernetes     24        6       3           3

Source  Resource   Capacity        Used before       Used after
region  VCPU          3,840       1,210 (31 %)     1,214 (31 %)
        MEMORY_MB    30 TiB      20 TiB (66 %)    20 TiB (66 %)
alpha   cpu        96 cores  58.5 cores (60 %)  63 cores (65 %)
        memory      384 GiB     300 GiB (78 %)   310 GiB (80 %)
(1 more row of resources: -o wide)

Placed             Host       Score
region/legacy-1    compute-7  1.250
alpha/web/front-0  node-0       200
alpha/web/front-1  node-1       200
alpha/web/front-2  node-2       200

Does not fit: 4 objects
Server region/demo/big-1
  No valid host was found.
  Rejected by: VCPU
2 x Pod in alpha/batch: render-1, render-2
  0/24 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane:
  }, 21 Insufficient cpu.
  Rejected by: NodeResourcesFit, TaintToleration
  Smallest change: ask for 1.5 cores of cpu instead of 4 cores; node-3 has that
Pod alpha/web/[bold]odd\\x1b[31m
  no such node

Not evaluated      Objects  For example
PodTopologySpread       12  alpha: Pod web/front-1

Read over: 2 ConfigMap, 3 Service

Notes
  alpha: 12 pods are finished
"""


def test_the_table_summarises_and_lists(command, made):
    ended = command("place", "x")
    assert ended.out == TABLE
    assert (ended.code, ended.err) == (exits.NO, "")


def test_wide_cuts_nothing(command, made):
    made(PlaceResult([cluster(100)], 1.0))
    short, wide = command("place", "x"), command("place", "x", "-o", "wide")
    assert "(84 more of 100 placed: -o wide)" in short.out
    assert short.out.count("/front-") == 17  # 16 rows and the example of what was not evaluated
    assert wide.out.count("/front-") == 101
    assert "pods  " not in short.out
    assert "pods         2,640         400 (15 %)       403 (15 %)" in wide.out
    assert "NodeResourcesFit, 21 hosts: Insufficient cpu" in wide.out


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_name_is_cut(command, made, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    result = made_result()
    result.sources[1].placed[0].name = "a-very-long-name-of-a-pod-" * 5
    made(result)
    lines = command("place", "x").out.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)


def test_json_keeps_the_schema(command, made):
    ended = command("place", "x", "-o", "json")
    assert ended.code == exits.NO
    envelope = json.loads(ended.out)
    jsonschema.validate(envelope, schemas.schema("PlaceResult"))
    assert envelope == made_result().to_dict()


def test_yaml_says_the_same_as_json(command, made):
    assert yaml.safe_load(command("place", "x", "-f", "yaml").out) == made_result().to_dict()


def test_csv_has_one_row_an_object_and_an_empty_field_for_none(command, made):
    rows = list(csv.reader(io.StringIO(command("place", "x", "-o", "csv").out)))
    assert rows[0] == ["Source", "Kind", "Namespace", "Name", "Verdict", "Host", "Score", "Message"]
    assert rows[1] == ["region", "Server", "", "legacy-1", "placed", "compute-7", "1.25", ""]
    assert len(rows) == 9


def test_columns_are_picked_in_the_order_asked_for(command, made):
    ended = command("place", "x", "-f", "value", "-c", "host", "-c", "Name", "--column", "VERDICT")
    assert ended.out.splitlines()[:2] == ["compute-7 legacy-1 placed", "node-0 front-0 placed"]
    assert "None big-1 unschedulable" in ended.out
    assert command("place", "x", "-f", "csv", "-c", "name", "--no-headers").out.splitlines()[0] == "legacy-1"


def test_columns_turn_the_table_into_a_plain_one(command, made):
    lines = command("place", "x", "-c", "Name", "-c", "Host").out.splitlines()
    assert lines[:2] == ["Name               Host", "legacy-1           compute-7"]
    assert command("place", "x", "-c", "Name", "--no-headers").out.splitlines()[0] == "legacy-1"


def test_an_unknown_column_is_refused(command, made):
    ended = command("place", "x", "-c", "Nmae")
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == (
        "binwright: -c Nmae: no such column (there are Source, Kind, Namespace, Name, Verdict, Host, Score, Message)\n"
    )


def test_names_are_full_names_with_control_characters_escaped(command, made):
    lines = command("place", "x", "-o", "name").out.splitlines()
    assert lines[0] == "region/legacy-1"
    assert lines[-1] == "alpha/web/[bold]odd\\x1b[31m"


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "csv", "value", "name"])
def test_quiet_leaves_only_the_exit_code(command, made, form):
    ended = command("place", "x", "-q", "-o", form)
    assert (ended.code, ended.out, ended.err) == (exits.NO, "", "")


def test_no_form_lets_a_name_steer_the_terminal(command, made):
    for form in ("table", "wide", "json", "yaml", "value", "name"):
        assert "\x1b" not in command("place", "x", "-o", form).out


def test_verbose_adds_the_notes_of_the_layers(command, made):
    assert command("place", "x", "-v").err == "binwright: alpha: 12 pods are finished\n"


def test_a_namespace_narrows_what_is_reported_and_what_the_exit_code_is_about(command, made):
    ended = command("place", "x", "-n", "web", "-o", "name")
    assert ended.out.splitlines()[:3] == ["alpha/web/front-0", "alpha/web/front-1", "alpha/web/front-2"]
    assert len(ended.out.splitlines()) == 4
    assert command("place", "x", "-n", "nowhere").code == exits.YES
    assert command("place", "x", "-A", "-o", "json").out == command("place", "x", "-o", "json").out


def test_labels_narrow_what_is_reported(command, made):
    out = command("place", "x", "-l", "app=front,number in (0, 2)", "-o", "name").out
    assert out.splitlines() == ["alpha/web/front-0", "alpha/web/front-2"]
    ended = command("place", "gone.json", "-l", "app>1")
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == "binwright: -l: app>1: not KEY=VALUE, KEY!=VALUE, KEY in (A, B), KEY or !KEY\n"


def test_explain_says_everything_about_one_object(command, made):
    ended = command("place", "x", "--explain", "batch/render-1")
    assert ended.code == exits.NO
    assert ended.out.splitlines() == [
        "Pod alpha/batch/render-1: unschedulable",
        "  0/24 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane:",
        "  }, 21 Insufficient cpu.",
        "  NodeResourcesFit, 21 hosts: Insufficient cpu",
        "  TaintToleration, 3 hosts: node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }",
        "  Smallest change: ask for 1.5 cores of cpu instead of 4 cores; node-3 has that",
    ]
    ended = command("place", "x", "--explain", "front-2")
    assert ended.code == exits.YES
    assert ended.out.splitlines() == ["Pod alpha/web/front-2: placed", "  goes to node-2, score 200"]
    envelope = json.loads(command("place", "x", "--explain", "legacy-1", "-o", "json").out)
    assert [entry["name"] for entry in envelope["placed"]] == ["legacy-1"]
    assert command("place", "x", "--explain", "nobody").code == exits.BAD


@pytest.mark.parametrize(
    ("refused", "rules", "strict", "code"),
    [(True, True, False, 1), (False, True, False, 0), (False, True, True, 1), (False, False, True, 0)],
)
def test_the_exit_code_answers_and_strict_counts_rules_too(command, made, refused, rules, strict, code):
    source = cluster(2)
    source.unplaced = source.unplaced if refused else []
    source.not_evaluated = source.not_evaluated if rules else []
    made(PlaceResult([source]))
    assert command("place", "x", *["--strict"] * strict).code == code


def test_nothing_pending_is_said(command, made):
    source = cluster(0)
    source.unplaced = []
    made(PlaceResult([source], 0.5))
    ended = command("place", "x")
    assert ended.code == exits.YES
    assert ended.out.startswith("Nothing is pending (24 hosts, 1 source, 0.50 s)\n")


def test_nothing_pending_says_among_what(command, made):
    made(PlaceResult([cluster(2)], 0.5))
    ended = command("place", "x", "-n", "NOSUCH")
    assert ended.code == exits.YES
    assert ended.out.startswith("Nothing is pending in namespace NOSUCH (24 hosts, 1 source, 0.50 s)\n")
    out = command("place", "x", "-n", "NOSUCH", "-l", "app=no").out
    assert out.startswith("Nothing is pending in namespace NOSUCH with labels app=no (")


def test_the_short_table_takes_the_first_of_every_source(command, made):
    sources = [cluster(30) for _ in range(3)]
    for number, source in enumerate(sources):
        source.source = f"c{number}"
        for outcome in (*source.placed, *source.unplaced):
            outcome.source = f"c{number}"
    made(PlaceResult(sources))
    out = command("place", "x").out
    assert [out.count(f"c{number}/web/front-") for number in range(3)] == [6, 5, 5]


def test_options_may_stand_between_paths(command, monkeypatch):
    from binwright.cli import place

    seen = []
    monkeypatch.setattr(place, "place_paths", lambda *arguments: seen.append(arguments) or made_result())
    command("place", "a", "-o", "json", "b", "--input", "kubectl", "--retry-errors")
    assert seen == [(["a", "b"], "kubectl", Wishes(retry_errors=True), None)]
    command("place", "a", "--preempt", "--peer-sampling", "--complete", "--config", "f")
    assert seen[1][2] == Wishes(preempt=True, peer_sampling=True, complete=True, config="f")


def objects(tmp_path, *items):
    path = tmp_path / "objects.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return str(path)


def pod_of(name, cpu, priority=0, node=None):
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    spec = {"containers": [container], "priority": priority, **({"nodeName": node} if node else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def node_of(name, cpu):
    allocatable = {"cpu": cpu, "memory": "8Gi", "pods": "10"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": {"allocatable": allocatable}}


def test_preemption_names_its_victims(command, tmp_path):
    path = objects(tmp_path, node_of("n", "1"), pod_of("low", "1", node="n"), pod_of("high", "1", priority=5))
    refused = json.loads(command("place", path, "-o", "json").out)
    assert [entry["rule"] for entry in refused["notEvaluated"]] == ["DefaultPreemption"]
    ended = command("place", path, "--preempt", "-o", "json")
    result = json.loads(ended.out)
    jsonschema.validate(result, schemas.schema("PlaceResult"))
    assert ended.code == exits.NO
    assert [(entry["name"], entry["victims"]) for entry in result["placed"]] == [
        ("high", [{"namespace": "default", "name": "low"}])
    ]
    assert [entry["name"] for entry in result["unplaced"]] == ["low"]


def test_a_scheduler_configuration_decides(command, tmp_path):
    path = objects(tmp_path, node_of("small", "2"), node_of("large", "9"), pod_of("p", "1"))
    config = tmp_path / "config.yaml"
    config.write_text(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n- pluginConfig:\n"
        "  - name: NodeResourcesFit\n    args: {scoringStrategy: {type: MostAllocated}}\n"
        "  plugins: {multiPoint: {disabled: [{name: NodeResourcesBalancedAllocation}], enabled: [{name: Mine}]}}\n"
    )
    hosts = [
        json.loads(command("place", path, *more, "-o", "json").out)["placed"][0]["host"]
        for more in ((), ("--config", str(config)))
    ]
    assert hosts == ["large", "small"]
    listed = json.loads(command("place", path, "--config", str(config), "-o", "json").out)["notEvaluated"]
    assert [entry["rule"] for entry in listed] == ["plugin Mine"]
    config.write_text("kind: Pod\n")
    ended = command("place", path, "--config", str(config))
    assert ended.code == exits.BAD
    assert ended.err == f"binwright: {config}: kind: 'Pod' is not KubeSchedulerConfiguration\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ("request", "n1", "memory", None, None, 2**30, 3 * 2**30),
            "ask for 1 GiB of memory instead of 3 GiB; n1 has that",
        ),
        (("host", "n1", "nvidia.com/gpu", None, None, 1, 2), "give n1 2 of nvidia.com/gpu instead of 1"),
        (
            ("rule", "n1", None, "TaintToleration", "taint {a: }", None, None),
            "only TaintToleration (taint {a: }) keeps it from n1",
        ),
        (("rule", "n1", None, "NodeName", None, None, None), "only NodeName keeps it from n1"),
    ],
)
def test_the_smallest_change_is_a_sentence(change, words):
    keys = ("kind", "host", "resource", "rule", "argument", "have", "need")
    assert change_text(dict(zip(keys, change, strict=True))) == words
