"""`binwright verify` on small clusters whose findings are worked out by hand, in every form of output."""

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
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def bound(name, node, minute, cpu="1", **more):
    """A pod on a node, created at this minute."""
    meta = {"creationTimestamp": f"2026-01-01T00:{minute:02}:00Z", "uid": name, **more.pop("meta", {})}
    return pod_dict(name, cpu=cpu, memory="1Gi", node=node, meta=meta, **more)


def spread(app, skew=1):
    """Labels, and a constraint over zones that counts pods with them."""
    selector = {"matchLabels": {"app": app}}
    constraint = {"maxSkew": skew, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    return {"topologySpreadConstraints": [{**constraint, "labelSelector": selector}]}


@pytest.fixture
def dump(tmp_path):
    def write(*items, name="demo.json"):
        path = tmp_path / name
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        return str(path)

    return write


@pytest.fixture
def verified(command, dump):
    """verified(*objects) is (exit code, envelope), checked against its schema."""

    def verify(*items, words=()):
        ended = command("verify", dump(*items), "-o", "json", *words)
        assert ended.err == ""
        envelope = json.loads(ended.out)
        jsonschema.validate(envelope, schemas.schema("VerifyResult"))
        return ended.code, envelope

    return verify


def short(envelope):
    """(pod, kind of finding, first rule) of each finding."""
    return [(one["name"], one["finding"], one["rejectedBy"][0]["rule"]) for one in envelope["findings"]]


def test_a_sound_cluster_has_no_findings(verified):
    code, envelope = verified(node_dict("a", cpu="2"), bound("p", "a", 1), bound("q", "a", 2))
    assert (code, envelope["findings"]) == (exits.YES, [])
    summary = envelope["summary"]
    assert (summary["checked"], summary["infeasible"], summary["feasibleShare"]) == (2, 0, 1)


def test_overcommit_is_the_younger_pods_finding_whatever_their_order_in_the_file(verified):
    for order in (1, -1):
        pods = [bound("old", "a", 1, "1500m"), bound("young", "a", 2, "1")][::order]
        code, envelope = verified(node_dict("a", cpu="2"), *pods)
        assert (code, short(envelope)) == (exits.NO, [("young", "infeasible", "NodeResourcesFit")])
        (finding,) = envelope["findings"]
        assert finding["shortfalls"] == [{"resource": "cpu", "asked": 1000, "free": 500, "missing": 500}]
        assert envelope["summary"]["feasibleShare"] == 0.5


def test_every_finding_is_asked_again_with_all_the_others_there(verified):
    """Two cores: q and r are too much each, and stay it, since the other and p are there: 1 + 2 + 1."""
    pods = [bound("p", "a", 1), bound("q", "a", 2, "2"), bound("r", "a", 3)]
    assert [(name, kind) for name, kind, _ in short(verified(node_dict("a", cpu="2"), *pods)[1])] == [
        ("q", "infeasible"),
        ("r", "infeasible"),
    ]


def test_pods_of_one_second_come_in_the_order_of_their_start_then_of_the_queue(verified):
    status = [{"startTime": f"2026-01-01T00:00:0{second}Z"} for second in (2, 1)]
    pods = [bound(name, "a", 1, "2", status=one) for name, one in zip("pq", status)]
    assert short(verified(node_dict("a", cpu="2"), *pods)[1]) == [("p", "infeasible", "NodeResourcesFit")]
    pods = [bound("a", "a", 1, "2"), bound("b", "a", 1, "2", priority=1)]
    assert short(verified(node_dict("a", cpu="2"), *pods)[1]) == [("a", "infeasible", "NodeResourcesFit")]


def test_taints_and_node_selectors(verified):
    nodes = node_dict("a", taints=[TAINT], labels={"disk": "ssd"}), node_dict("b")
    pods = [
        bound("p", "a", 1),
        bound("q", "a", 2, tolerations=[{"operator": "Exists"}]),
        bound("r", "b", 3, nodeSelector={"disk": "ssd"}),
    ]
    code, envelope = verified(*nodes, *pods)
    assert (code, short(envelope)) == (
        exits.NO,
        [("p", "infeasible", "TaintToleration"), ("r", "infeasible", "NodeAffinity")],
    )


def test_required_anti_affinity_is_held_against_the_younger_one_only(verified):
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    labels = {"labels": {"app": "db"}}
    node = node_dict("a", labels={"kubernetes.io/hostname": "a"})
    pods = [bound("old", "a", 1, meta=labels), bound("young", "a", 2, meta=labels, affinity=apart)]
    assert short(verified(node, *pods)[1]) == [("young", "infeasible", "InterPodAffinity")]
    # The older one's own term keeps the younger one off, and the other way round nobody minds.
    pods = [bound("old", "a", 1, meta=labels, affinity=apart), bound("young", "a", 2, meta=labels)]
    (finding,) = verified(node, *pods)[1]["findings"]
    text = "node(s) didn't satisfy existing pods anti-affinity rules"
    assert (finding["name"], finding["rejectedBy"]) == ("young", [{"rule": "InterPodAffinity", "text": text}])


def test_a_spread_that_is_uneven_only_on_the_way_is_past(verified):
    """Two pods go to zone x before one comes to y: the second was refused in its turn. Today it is 2 and 2."""
    nodes = [node_dict(name, labels={"zone": name}) for name in "xy"]
    meta = {"labels": {"app": "web"}}
    pods = [bound(f"p{n}", node, n, meta=meta, **spread("web")) for n, node in enumerate("xxyy")]
    code, envelope = verified(*nodes, *pods)
    assert (code, short(envelope)) == (exits.NO, [("p1", "past", "PodTopologySpread")])
    # without the fourth it is uneven today too: with p1 put back x has 2 and y 1, which max skew 1 allows
    assert short(verified(*nodes, *pods[:3])[1]) == [("p1", "past", "PodTopologySpread")]
    assert short(verified(*nodes, *pods[:2])[1]) == [("p1", "infeasible", "PodTopologySpread")]


def test_company_that_came_later_is_past(verified):
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "db"}}}
    near = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    pods = [bound("web", "a", 1, affinity=near), bound("db", "a", 2, meta={"labels": {"app": "db"}})]
    assert short(verified(node_dict("a", labels={"zone": "x"}), *pods)[1]) == [("web", "past", "InterPodAffinity")]
    assert short(verified(node_dict("a", labels={"zone": "x"}), pods[0])[1]) == [
        ("web", "infeasible", "InterPodAffinity")
    ]


def test_a_host_port_given_twice_is_infeasible(verified):
    ports = [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]
    pods = [bound("p", "a", 1, containers=ports), bound("q", "a", 2, containers=ports)]
    assert short(verified(node_dict("a"), *pods)[1]) == [("q", "infeasible", "NodePorts")]


@pytest.mark.parametrize(
    ("closed", "rule", "text"),
    [
        ({"unschedulable": True}, "NodeUnschedulable", "node(s) were unschedulable"),
        (
            {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]},
            "TaintToleration",
            "node(s) had untolerated taint {node.kubernetes.io/not-ready: }",
        ),
        (
            {"taints": [{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}]},
            "TaintToleration",
            "node(s) had untolerated taint {karpenter.sh/disrupted: }",
        ),
    ],
    ids=["cordon", "condition", "consolidation"],
)
def test_a_node_that_was_closed_since_is_told_and_does_not_count(verified, closed, rule, text):
    code, envelope = verified(node_dict("a", **closed), node_dict("b"), bound("p", "a", 1), bound("q", "b", 2))
    assert (code, short(envelope)) == (exits.YES, [("p", "hostChanged", rule)])
    assert envelope["findings"][0]["rejectedBy"][0]["text"] == text
    summary = envelope["summary"]
    assert (summary["infeasible"], summary["hostChanged"], summary["feasibleShare"]) == (0, 1, 1)


def test_an_ordinary_taint_beside_a_cordon_is_a_finding(verified):
    node = node_dict("a", unschedulable=True, taints=[CORDON, TAINT])
    code, envelope = verified(node, bound("p", "a", 1))
    assert (code, short(envelope)) == (exits.NO, [("p", "infeasible", "TaintToleration")])


def test_who_tolerates_a_closed_node_is_no_finding(verified):
    node = node_dict("a", unschedulable=True, taints=[CORDON])
    daemon = [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]
    assert verified(node, bound("p", "a", 1, tolerations=daemon))[1]["findings"] == []


def test_static_pods_and_pods_of_unknown_nodes_are_skipped_but_hold_their_room(verified):
    mirror = {"annotations": {"kubernetes.io/config.mirror": "x"}}
    owned = {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "a", "controller": True}]}
    items = [
        node_dict("a", cpu="2", taints=[TAINT]),
        bound("mirror", "a", 1, meta=mirror),
        bound("owned", "a", 2, meta=owned),
        bound("lost", "elsewhere", 3),
        bound("p", "a", 4, tolerations=[{"operator": "Exists"}]),
    ]
    code, envelope = verified(*items)
    assert (code, short(envelope)) == (exits.NO, [("p", "infeasible", "NodeResourcesFit")])
    assert envelope["summary"]["checked"] == 1
    assert [(one["why"], one["objects"], one["example"]) for one in envelope["skipped"]] == [
        ("static pod: the kubelet runs it from a file", 2, "Pod default/mirror"),
        ("its node is not in the input", 1, "Pod default/lost"),
    ]


def test_pods_of_other_schedulers_are_listed_and_hold_their_room(verified):
    items = [node_dict("a", cpu="1", taints=[TAINT]), bound("theirs", "a", 1, schedulerName="mine")]
    items.append(bound("p", "a", 2, tolerations=[{"operator": "Exists"}]))
    _, envelope = verified(*items)
    assert short(envelope) == [("p", "infeasible", "NodeResourcesFit")]
    assert envelope["notEvaluated"] == [{"rule": "schedulerName mine", "objects": 1, "example": "Pod default/theirs"}]


def test_finished_and_pending_pods_do_not_matter(verified):
    items = [
        node_dict("a", cpu="1"),
        bound("done", "a", 1, status={"phase": "Succeeded"}),
        bound("p", "a", 2),
        pod_dict("waits", cpu="9"),
    ]
    code, envelope = verified(*items)
    assert (code, envelope["summary"]["checked"]) == (exits.YES, 1)


def test_a_pod_resized_in_place_holds_what_it_has_now(verified):
    """`p` asked for one core and was given two, so no core is left for `q`; that `p` itself asked for one is fine."""
    given = {"name": "c", "resources": {"requests": {"cpu": "2"}}, "allocatedResources": {"cpu": "2"}}
    pods = [bound("p", "a", 1, status={"containerStatuses": [given]}), bound("q", "a", 2)]
    assert short(verified(node_dict("a", cpu="2"), *pods)[1]) == [("q", "infeasible", "NodeResourcesFit")]


def test_a_group_is_no_rule_for_one_pod(verified):
    meta = {"labels": {"scheduling.x-k8s.io/pod-group": "g"}}
    assert verified(node_dict("a"), bound("p", "a", 1, meta=meta))[1]["notEvaluated"] == []


def test_strict_counts_rules_that_were_not_evaluated(command, dump):
    claim = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    path = dump(node_dict("a"), bound("p", "a", 1, volumes=claim))
    assert command("verify", path, "-q").code == exits.YES
    assert command("verify", path, "-q", "--strict").code == exits.NO
    assert command("verify", path, "-q", "--complete").code == exits.NO  # the claim does not exist, then


def two_findings(dump):
    return dump(
        node_dict("a", cpu="1"),
        bound("p", "a", 1, namespace="web"),
        bound("q", "a", 2, namespace="web", meta={"labels": {"app": "q"}}),
        bound("r", "a", 3, namespace="batch"),
    )


TABLE = """\
1 of 3 placements are allowed by the rules, 33.33 % (1 host, 1 source, TIME s)

Refused then and today    Host  Why                                 Missing
demo/web/q, demo/batch/r  a     NodeResourcesFit: Insufficient cpu  1 core to 2 cores of cpu
"""


def test_the_table_counts_and_groups(command, dump):
    ended = command("verify", two_findings(dump))
    assert (ended.code, ended.err) == (exits.NO, "")
    seconds = ended.out.split(" source, ")[1].split(" s)")[0]
    assert ended.out.replace(f"{seconds} s)", "TIME s)") == TABLE
    wide = command("verify", two_findings(dump), "-o", "wide").out
    assert [line.split()[0] for line in wide.splitlines()[3:5]] == ["demo/web/q", "demo/batch/r"]


def test_rows_are_findings_with_exact_amounts(command, dump):
    path = two_findings(dump)
    rows = list(csv.reader(io.StringIO(command("verify", path, "-o", "csv").out)))
    assert rows[1] == [
        "demo", "Pod", "web", "q", "a", "infeasible", "NodeResourcesFit", "Insufficient cpu", "cpu=1000",
    ]  # fmt: skip
    assert command("verify", path, "-o", "name").out == "demo/web/q\ndemo/batch/r\n"
    assert command("verify", path, "-f", "value", "-c", "name", "-c", "Missing").out == "q cpu=1000\nr cpu=2000\n"


def test_yaml_says_the_same_as_json(command, dump):
    path = two_findings(dump)
    told = yaml.safe_load(command("verify", path, "-o", "yaml").out)
    same = json.loads(command("verify", path, "-o", "json").out)
    told["summary"].pop("elapsedSeconds")
    same["summary"].pop("elapsedSeconds")
    assert told == same


def test_namespace_and_labels_narrow_the_findings_and_the_exit_code(command, dump):
    path = two_findings(dump)
    assert command("verify", path, "-n", "batch", "-o", "name").out == "demo/batch/r\n"
    assert command("verify", path, "-l", "app=q", "-o", "name").out == "demo/web/q\n"
    assert command("verify", path, "-n", "nowhere").code == exits.YES


@pytest.mark.parametrize("form", ["table", "wide", "json", "yaml", "csv", "value", "name"])
def test_quiet_leaves_only_the_exit_code(command, dump, form):
    ended = command("verify", two_findings(dump), "-q", "-o", form)
    assert (ended.code, ended.out, ended.err) == (exits.NO, "", "")


def test_a_share_is_never_rounded_up_to_all(command, dump):
    many = [bound(f"p{number}", "a", 1, cpu="0") for number in range(30)]
    path = dump(node_dict("a", memory="99Gi", pods=29), *many)
    assert command("verify", path).out.startswith("29 of 30 placements are allowed by the rules, 96.66 % ")
    assert command("verify", dump(node_dict("a"))).out.startswith("Nothing is placed (1 host, ")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([bound("p", "a", 1)], "demo: no Node in the input"),
        ([node_dict("a"), bound("p", "a", 1, cpu="x")], "demo: Pod default/p: spec.containers[0].resources.requests"),
    ],
)
def test_bad_input_is_one_line(command, dump, items, message):
    ended = command("verify", dump(*items))
    assert (ended.code, ended.out, ended.err.count("\n")) == (exits.BAD, "", 1)
    assert ended.err.startswith(f"binwright: {message}")


def test_the_profile_decides_which_rules_there_are(command, dump, tmp_path):
    """Without the filter of TaintToleration no taint is minded; explain and capacity read the same file."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
        "profiles: [{plugins: {filter: {disabled: [{name: TaintToleration}]}}}]\n"
    )
    path = dump(node_dict("a", taints=[TAINT]), bound("p", "a", 1))
    for words in (["verify"], ["explain", "p"], ["capacity", "--pod", "cpu=1"]):
        assert command(*words, path, "-q").code == exits.NO
        assert command(*words, path, "-q", "--config", str(config)).code == exits.YES
        ended = command(*words, path, "--config", "nowhere.yaml")
        assert (ended.code, ended.err.count("\n")) == (exits.BAD, 1)
        assert ended.err.startswith("binwright: nowhere.yaml: ")
