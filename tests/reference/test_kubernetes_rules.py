"""The arithmetic leaves, the cycle and preemption: rules that no recorded case decides (end of spec 8), and edges."""

from decimal import Decimal
from fractions import Fraction

import pytest

from tests.reference.kubernetes.arithmetic import (
    default_normalize,
    divide_truncating,
    natural_log,
    round_half_away,
)
from tests.reference.kubernetes.builders import (
    ZONE,
    make_cluster,
    make_node,
    make_pod,
)
from tests.reference.kubernetes.cluster import Cluster
from tests.reference.kubernetes.config import DEFAULT_SCORE_WEIGHTS, score_list
from tests.reference.kubernetes.messages import histogram
from tests.reference.kubernetes.names import is_counted, is_extended, is_scalar
from tests.reference.kubernetes.pods import Pod
from tests.reference.kubernetes.preemption import Candidate, best_candidates, split_by_budgets
from tests.reference.kubernetes.quantities import NANO, parse_quantity, to_integer
from tests.reference.kubernetes.queue import queue_order
from tests.reference.kubernetes.requests import as_integers, pod_requests
from tests.reference.kubernetes.sampling import number_to_find, scan
from tests.reference.kubernetes.selectors import (
    node_selector_matches,
    node_term_matches,
    parse_label_selector,
    selects,
    tolerates,
)
from tests.reference.kubernetes.snapshot import Node, snapshot_order
from tests.reference.kubernetes.status import CycleError, NotModelled

# --- arithmetic (preamble, 2.1) -----------------------------------------------------------------------------------


def test_division_truncates_toward_zero():
    pairs = ((7, 2), (-7, 2), (7, -2), (-7, -2), (-6, 2), (0, -3))
    assert [divide_truncating(a, b) for a, b in pairs] == [3, -3, -3, 3, -3, 0]


def test_round_is_half_away_from_zero():
    assert [round_half_away(x) for x in (0.5, 1.5, 2.5, -0.5, -2.5, 2.4, -2.6)] == [1, 2, 3, -1, -3, 2, -3]
    assert round_half_away(0.49999999999999994) == 0  # floor(x + 0.5) would say 1


def test_logarithm_is_within_one_step_of_the_exact_value_and_has_the_known_bits():
    for value in (2, 3, 5, 14, 48, 74, 176, 20002):
        exact = Decimal(value).ln()
        assert abs(Decimal(natural_log(float(value))) - exact) < Decimal(2) ** -51 * exact
    assert natural_log(1.0) == 0.0
    assert natural_log(3.0).hex() == "0x1.193ea7aad030ap+0"  # size 1: glibc ends in ...0b
    assert natural_log(14.0).hex() == "0x1.51cca16d7bba8p+1"


def test_default_normalize():
    assert default_normalize([0, 1, 3], reverse=False) == [0, 33, 100]
    assert default_normalize([0, 1, 3], reverse=True) == [100, 67, 0]
    assert default_normalize([0, 0], reverse=True) == [100, 100]
    assert default_normalize([0, 0], reverse=False) == [0, 0]


def test_a_score_outside_its_range_fails_the_cycle():
    preferred = [
        {"weight": w, "preference": {"matchExpressions": [{"key": "k", "operator": "In", "values": [v]}]}}
        for w, v in ((-5, "a"), (5, "b"))
    ]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    cluster = make_cluster([make_node(v, labels={"k": v}) for v in "ab"])
    with pytest.raises(CycleError, match="NodeAffinity"):
        cluster.decide(make_pod(affinity=affinity))


# --- quantities (2) -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("+1.5", Fraction(3, 2)), (".5", Fraction(1, 2)), ("2.", 2), ("100m", Fraction(1, 10)),
        ("1k", 1000), ("1Ki", 1024), ("1.5Gi", 3 * 2**29), ("1E", 10**18), ("1E3", 1000), ("1e-2", Fraction(1, 100)),
        ("1Ei", 2**60), ("3u", Fraction(3, 10**6)), (7, 7),
        ("0.1n", NANO), ("1e-12", NANO), ("1.0000000001n", 2 * NANO), ("0.5u", 500 * NANO),
    ],
)  # fmt: skip
def test_quantities_are_exact_and_finer_than_1n_rounds_up(text, value):
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", ["", "m", "1 ", "1K", "1e", "--1", "0x1", "1_0", "1kk"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


def test_rounding_up_happens_once_per_pod_and_resource():
    assert to_integer("cpu", parse_quantity("100u")) == 1
    assert to_integer("memory", parse_quantity("0.1")) == 1
    pod = make_pod()
    pod["spec"]["containers"] = [
        {"name": n, "resources": {"requests": {"cpu": "100u", "memory": "500m"}}} for n in ("a", "b")
    ]
    assert as_integers(pod_requests(pod)) == {"cpu": 1, "memory": 1}


def test_names_of_resources():
    assert is_extended("nvidia.com/gpu")
    assert not is_extended("requests.nvidia.com/gpu")
    assert not is_extended("node.kubernetes.io/thing")
    assert all(map(is_scalar, ("hugepages-2Mi", "node.kubernetes.io/thing", "attachable-volumes-x", "a/b")))
    assert not is_counted("storage")
    assert not is_scalar("cpu")


# --- requests (3) -------------------------------------------------------------------------------------------------


def resized(reason=None):
    pod = make_pod(requests={"cpu": "3", "memory": "1Gi"})
    reported = {"name": "c", "resources": {"requests": {"cpu": "1"}}, "allocatedResources": {"cpu": "2"}}
    pod["status"] = {"containerStatuses": [reported]}
    if reason:
        pod["status"]["conditions"] = [
            {"type": "PodResizePending", "reason": reason},
            {"type": "PodResizePending", "reason": "Infeasible"},
        ]
    return as_integers(pod_requests(pod, use_status=True))


def test_an_infeasible_resize_drops_the_spec_request():
    assert resized() == {"cpu": 3000, "memory": 2**30}
    assert resized("Infeasible") == {"cpu": 2000}
    assert resized("Deferred")["cpu"] == 3000  # the first condition of the type decides


def test_init_containers_and_sidecars():
    pod = make_pod(requests={"cpu": "1"})

    def init(cpu, **more):
        return {"name": f"i{cpu}", "resources": {"requests": {"cpu": cpu}}, **more}

    pod["spec"]["initContainers"] = [init("1"), init("2", restartPolicy="Always"), init("3")]
    assert pod_requests(pod) == {"cpu": 5}  # 3 + the sidecar's 2; the running total is only 1 + 2
    pod["spec"]["initContainers"] = [init("3"), init("2", restartPolicy="Always")]
    assert pod_requests(pod) == {"cpu": 3}
    pod["spec"]["overhead"] = {"cpu": "250m"}
    assert pod_requests(pod) == {"cpu": Fraction(13, 4)}


def test_pod_level_requests_replace_and_limit_the_defaults():
    pod = make_pod(requests={"cpu": "1"}, resources={"requests": {"cpu": "3", "ephemeral-storage": "5"}})
    assert pod_requests(pod, pod_level=True) == {"cpu": 3}
    assert Pod(pod).non_zero == {"cpu": 3000, "memory": 200 * 2**20}
    assert Pod(pod).score_request == {"cpu": 1000, "memory": 200 * 2**20}  # [quirk fitScorePodLevel]


# --- selectors and tolerations (2) --------------------------------------------------------------------------------


def test_label_selectors():
    labels = {"app": "web"}
    assert not selects(parse_label_selector(None), labels)
    assert selects(parse_label_selector({}), {})
    expressions = {
        ("app", "In", ("web",)): True, ("app", "In", ("db",)): False, ("x", "In", ("web",)): False,
        ("app", "NotIn", ("db",)): True, ("app", "NotIn", ("web",)): False, ("x", "NotIn", ("web",)): True,
        ("app", "Exists", ()): True, ("x", "Exists", ()): False,
        ("app", "DoesNotExist", ()): False, ("x", "DoesNotExist", ()): True,
    }  # fmt: skip
    for (key, operator, values), verdict in expressions.items():
        selector = {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}
        assert selects(parse_label_selector(selector), labels) is verdict


def expression(operator, *values, key="n"):
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("operator", "wanted", "label", "verdict"),
    [
        ("Gt", "5", "+006", True), ("Gt", "5", "5", False), ("Lt", "5", "-5", True), ("Gt", "5", "6.0", False),
        ("Lt", "+5", "1", False), ("Gt", "-5", "1", False), ("NotIn", "a b", "1", False), ("NotIn", "a.b", "1", True),
        ("Gt", "x", "6", False), ("Lt", "9223372036854775808", "1", False), ("Gt", "1", "9223372036854775808", False),
    ],
)  # fmt: skip
def test_bounds_and_values(operator, wanted, label, verdict):
    assert node_term_matches(expression(operator, wanted), "a", {"n": label}) is verdict


def test_empty_and_invalid_terms_match_nothing_but_the_others_still_count():
    good = expression("Exists")
    bad_field = {**good, "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a", "b"]}]}
    assert not node_term_matches({}, "a", {"n": "1"})
    assert not node_term_matches(bad_field, "a", {"n": "1"})
    assert not node_term_matches(expression("In"), "a", {"n": "1"})
    assert node_selector_matches({"nodeSelectorTerms": [bad_field, good]}, "a", {"n": "1"})
    assert not node_selector_matches({"nodeSelectorTerms": []}, "a", {"n": "1"})


def test_an_empty_key_with_equal_still_compares_values():
    taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
    assert tolerates({"operator": "Exists"}, taint)
    assert not tolerates({"operator": "Equal"}, taint)
    assert tolerates({"value": "v"}, taint)
    assert tolerates({}, {"key": "k", "effect": "NoSchedule"})
    assert not tolerates({"operator": "Gt", "key": "k", "value": "v"}, taint)
    assert not tolerates({"operator": "Exists", "effect": "NoExecute"}, taint)


# --- preemption (5) -----------------------------------------------------------------------------------------------


def started(second, name, priority=0, node="a"):
    status = {"startTime": f"2026-01-01T00:00:{second:02d}Z"}
    return make_pod(name, node=node, priority=priority, labels={"app": name}, status=status, requests={"cpu": "1"})


def make_budget(selector, allowed, **status):
    metadata = {"name": "b", "namespace": "default"}
    return {"metadata": metadata, "spec": {"selector": selector}, "status": {"disruptionsAllowed": allowed, **status}}


def test_every_matching_budget_is_charged_also_after_a_violation():
    pods = [Pod(started(i, name)) for i, name in enumerate(("one", "two"))]
    everything = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    only_one = {"matchLabels": {"app": "one"}}
    budgets = [make_budget(only_one, 0), make_budget(everything, 1)]
    violating, others = split_by_budgets(pods, budgets)
    assert [pod.name for pod in violating] == ["one", "two"]  # "one" spent the second budget too
    assert others == []
    budgets[1]["status"]["disruptedPods"] = {"one": "2026-01-01T00:00:00Z"}
    assert [pod.name for pod in split_by_budgets(pods, budgets)[0]] == ["one"]
    for selector in (None, {}):
        assert split_by_budgets(pods, [make_budget(selector, 0)]) == ([], pods)


def candidate(name, *victims, violations=0):
    return Candidate(Node(make_node(name)), [Pod(victim) for victim in victims], violations)


def test_the_criteria_of_the_choice_in_their_order():
    def best(*candidates):
        return "".join(c.node.name for c in best_candidates(list(candidates)))

    cheap = started(1, "x", 5)
    assert best(candidate("a", started(1, "x"), violations=1), candidate("b", started(1, "x", 9))) == "b"
    assert best(candidate("a", started(1, "x", 6)), candidate("b", cheap, started(1, "y", 5))) == "b"
    assert best(candidate("a", cheap, started(1, "y", 4)), candidate("b", cheap, started(1, "y", 3))) == "b"
    # fewest victims decides only when the sums are equal, which needs a priority of -2**31
    assert best(candidate("a", cheap, started(1, "y", -(2**31))), candidate("b", cheap)) == "b"
    late = candidate("b", started(4, "x"), started(4, "y"))
    assert best(candidate("a", started(3, "x"), started(5, "y")), late) == "b"
    assert best(candidate("a", cheap), candidate("b", cheap)) == "ab"


def test_a_nominated_pod_of_equal_priority_keeps_its_room():
    def nominated(priority):
        status = {"nominatedNodeName": "a"}
        cluster = make_cluster([make_node("a", cpu="1")])
        cluster.nominate(make_pod("waits", priority=priority, requests={"cpu": "1"}, status=status))
        return cluster.decide(make_pod(priority=5, requests={"cpu": "1"})).result["outcome"]

    assert nominated(4) == "bound"
    assert nominated(5) == "unschedulable"


def test_preemption_evicts_nominates_and_the_retry_binds():
    cluster = make_cluster([make_node("a", cpu="1")], [started(1, "low")])
    cluster.nominate(make_pod("loses", priority=1, status={"nominatedNodeName": "a"}))
    pod = Pod(make_pod("high", priority=5, requests={"cpu": "1"}))
    result = cluster.schedule_one(pod)
    assert result["outcome"] == "preempting"
    assert result["preemption"]["victims"] == ["default/low"]
    assert result["preemption"]["clearedNominations"] == ["default/loses"]
    assert list(cluster.nominated) == ["default/high"]
    retry = cluster.schedule_one(pod)
    assert retry["viaNominated"]
    assert retry["chosen"] == "a"
    assert [other.key for other in cluster.nodes[0].pods] == ["default/high"]
    assert cluster.nominated == {}


def test_never_keeps_the_nomination_and_a_vain_attempt_loses_it():
    for policy, kept in (("Never", True), ("PreemptLowerPriority", False)):
        cluster = make_cluster([make_node("a", cpu="1")])
        status = {"nominatedNodeName": "a"}
        pod = Pod(make_pod("high", priority=5, requests={"cpu": "2"}, status=status, preemptionPolicy=policy))
        cluster.nominate(pod)
        cluster.schedule_one(pod)
        assert (pod.key in cluster.nominated) is kept


# --- the cycle (1) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "percentage", "found"),
    [
        (99, 1, 99), (100, 0, 100), (1000, 0, 420), (5000, 0, 500), (5625, 0, 281), (6000, 0, 300), (300, 50, 150),
        (300, 10, 100), (300, 100, 300), (300, 120, 300),
    ],
)  # fmt: skip
def test_number_of_feasible_nodes_looked_for(count, percentage, found):
    assert number_to_find(count, percentage) == found


def test_scan_wraps_and_stops_before_one_too_many():
    judged = scan(list(range(10)), 8, 3, lambda i: "no" if i % 2 else None)
    assert [i for i, _ in judged] == [8, 9, 0, 1, 2, 3]
    assert scan([], 3, 0, lambda _: None) == []


def test_snapshot_order_is_round_robin_over_zones():
    beta = "failure-domain.beta.kubernetes.io/zone"
    zones = {"a": {ZONE: "1"}, "b": {ZONE: "1"}, "c": {}, "d": {ZONE: "2"}, "e": {ZONE: "9", beta: "1"}, "f": {}}
    nodes = [Node(make_node(name, labels=labels)) for name, labels in zones.items()]
    assert "".join(node.name for node in snapshot_order(nodes)) == "acdbfe"


def test_queue_order():
    gated = make_pod("gated", schedulingGates=[{"name": "g"}], priority=99)
    pods = [make_pod("one"), gated, make_pod("two", priority=3), make_pod("three", priority=0)]
    assert [pod.name for pod in queue_order([Pod(pod) for pod in pods])] == ["two", "one", "three"]


def test_ties_go_to_the_lowest_index_and_no_nodes_is_a_failure_of_its_own():
    cluster = make_cluster([])
    assert cluster.decide(make_pod()).result["message"] == "no nodes available to schedule pods"
    for name in "cab":
        cluster.add_node(make_node(name))
    result = cluster.decide(make_pod()).result
    assert (result["max"], result["chosen"]) == ([0, 1, 2], "c")


def test_an_updated_node_keeps_its_place_and_its_pods_a_returning_one_goes_last():
    cluster = make_cluster([make_node("a", cpu="1"), make_node("b")], [make_pod("p", node="a")])
    cluster.add_node(make_node("a", cpu="8"))
    assert [(node.name, len(node.pods)) for node in cluster.nodes] == [("a", 1), ("b", 0)]
    assert cluster.nodes[0].allocatable["cpu"] == 8000
    cluster.remove_node("a")
    cluster.add_node(make_node("a"))
    assert [node.name for node in cluster.nodes] == ["b", "a"]


def test_score_list():
    assert score_list({}) == DEFAULT_SCORE_WEIGHTS
    assert list(score_list({"enabled": [{"name": "ImageLocality"}]}))[:2] == ["ImageLocality", "TaintToleration"]
    again = {"disabled": [{"name": "TaintToleration"}], "enabled": [{"name": "TaintToleration", "weight": 9}]}
    assert list(score_list(again).items())[-1] == ("TaintToleration", 9)
    assert score_list({"disabled": [{"name": "*"}], "enabled": [{"name": "ImageLocality"}]}) == {"ImageLocality": 1}


def test_histogram_is_sorted_as_strings():
    reasons = ["two"] * 2 + ["ten"] * 10 + ["one"]
    assert histogram(12, reasons) == "0/12 nodes are available: 1 one, 10 ten, 2 two."


def test_what_the_spec_does_not_describe_is_refused():
    with pytest.raises(NotModelled, match="resourceClaims"):
        Pod(make_pod(resourceClaims=[{"name": "gpu"}]))
    with pytest.raises(NotModelled, match="profiles"):
        Cluster({"profiles": [{}, {}]})
    with pytest.raises(NotModelled, match="filter"):
        Cluster({"profiles": [{"plugins": {"filter": {"disabled": [{"name": "NodePorts"}]}}}]})
