"""Each plugin on its own: which nodes it rejects, in which words, its raw score (kubernetes spec 4)."""

import msgspec
import numpy as np
import pytest

from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import NodeAffinity as Affinity
from binwright.kubernetes.plugins import PASSES, balanced_allocation, node_resources_fit
from binwright.kubernetes.plugins.image_locality import ImageLocality
from binwright.kubernetes.plugins.node_affinity import NodeAffinity
from binwright.kubernetes.plugins.node_name import NodeName
from binwright.kubernetes.plugins.node_resources_fit import FitArgs
from binwright.kubernetes.plugins.node_unschedulable import NodeUnschedulable
from binwright.kubernetes.plugins.pre_filter import PreFilter
from binwright.kubernetes.plugins.taint_toleration import TaintToleration
from binwright.kubernetes.requests import Requests
from tests.kubernetes.made import expression, make_node, make_pod, preferred, required

MIB = 2**20


def texts(plugin, pod):
    """What the plugin says of each node, None where the pod passes; the same twice."""
    if plugin.key(pod) is None:
        return None
    rejected = plugin.rejects(pod)
    if rejected is None:
        return None
    assert rejected.dtype == np.int32
    assert (rejected == plugin.rejects(pod)).all()
    return [None if argument == PASSES else plugin.text(argument) for argument in rejected.tolist()]


def raw(plugin, pod):
    """Raw scores, None for 0 everywhere."""
    scores = None if plugin.key(pod) is None else plugin.raw(pod)
    if scores is None:
        return None
    assert scores.dtype == np.int64
    return scores.tolist()


def taint(key, value=None, effect="NoSchedule"):
    return {"key": key, "value": value, "effect": effect}


def test_node_unschedulable():
    plugin = NodeUnschedulable(NodeTable([make_node("a", unschedulable=True), make_node("b"), make_node("c")]))
    assert texts(plugin, make_pod()) == ["node(s) were unschedulable", None, None]
    for toleration in ({"operator": "Exists"}, {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}):
        assert texts(plugin, make_pod(tolerations=[toleration])) is None
    other = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoExecute"}
    assert texts(plugin, make_pod(tolerations=[other])) == ["node(s) were unschedulable", None, None]
    assert texts(NodeUnschedulable(NodeTable([make_node()])), make_pod()) is None


def test_node_name():
    plugin = NodeName(NodeTable([make_node("a"), make_node("b")]))
    no = "node(s) didn't match the requested node name"
    assert texts(plugin, make_pod(node="b")) == [no, None]
    assert texts(plugin, make_pod(node="nowhere")) == [no, no]
    assert texts(plugin, make_pod()) is texts(plugin, make_pod(node="")) is None


def test_taint_toleration_names_the_first_untolerated_taint():
    nodes = NodeTable(
        [
            make_node("a", taints=[taint("s", "x", "PreferNoSchedule"), taint("k", "v"), taint("l", "w", "NoExecute")]),
            make_node("b", taints=[taint("l", effect="NoExecute")]),
            make_node("c"),
            make_node("d", taints=[taint("k", "v")]),
        ]
    )
    plugin = TaintToleration(nodes)
    k_v, l_w, l_empty = (f"node(s) had untolerated taint {{{words}}}" for words in ("k: v", "l: w", "l: "))
    assert texts(plugin, make_pod()) == [k_v, l_empty, None, k_v]
    assert texts(plugin, make_pod(tolerations=[{"key": "k", "operator": "Exists"}])) == [l_w, l_empty, None, None]
    assert texts(plugin, make_pod(tolerations=[{"operator": "Exists"}])) is None
    assert texts(plugin, make_pod()) == [k_v, l_empty, None, k_v]


def test_taint_toleration_counts_soft_taints():
    soft = [taint("a", effect="PreferNoSchedule"), taint("b", effect="PreferNoSchedule")]
    plugin = TaintToleration(NodeTable([make_node("x", taints=soft), make_node("y", taints=soft[:1]), make_node("z")]))
    assert raw(plugin, make_pod()) == [2, 1, 0]
    assert raw(plugin, make_pod(tolerations=[{"key": "a", "operator": "Exists"}])) == [1, 0, 0]
    hard_only = {"key": "a", "operator": "Exists", "effect": "NoSchedule"}
    assert raw(plugin, make_pod(tolerations=[hard_only])) == [2, 1, 0]
    assert raw(plugin, make_pod(tolerations=[{"operator": "Exists", "effect": "PreferNoSchedule"}])) is None
    assert not plugin.skips(make_pod())


ZONES = NodeTable([make_node(name, labels={"zone": zone}) for name, zone in zip("abc", "xyz")])
OF_POD = "node(s) didn't match Pod's node affinity/selector"
OF_PROFILE = "node(s) didn't match scheduler-enforced node affinity"


def test_node_affinity_filter():
    plugin = NodeAffinity(ZONES)
    assert texts(plugin, make_pod(nodeSelector={"zone": "y"})) == [OF_POD, None, OF_POD]
    pod = make_pod(affinity=required(expression("zone", "In", "x"), expression("zone", "In", "y")))
    assert texts(plugin, pod) == [None, None, OF_POD]
    both = make_pod(nodeSelector={"zone": "y"}, affinity=required(expression("zone", "NotIn", "y")))
    assert texts(plugin, both) == [OF_POD] * 3
    assert texts(plugin, make_pod(affinity=required())) == [OF_POD] * 3
    assert texts(plugin, make_pod(affinity=preferred((1, expression("zone", "In", "x"))))) is None


def test_node_affinity_that_the_profile_adds_comes_first():
    added = required(expression("zone", "NotIn", "x")), preferred((7, expression("zone", "In", "y")))
    terms = {**added[0]["nodeAffinity"], **added[1]["nodeAffinity"]}
    plugin = NodeAffinity(ZONES, msgspec.convert(terms, Affinity))
    assert texts(plugin, make_pod(nodeSelector={"zone": "z"})) == [OF_PROFILE, OF_POD, None]
    assert texts(plugin, make_pod()) == [OF_PROFILE, None, None]
    assert raw(plugin, make_pod()) == [0, 7, 0]
    assert raw(plugin, make_pod(affinity=preferred((2, expression("zone", "Exists"))))) == [2, 9, 2]
    assert not plugin.skips(make_pod())
    assert plugin.filters(make_pod())


def test_node_affinity_score_and_when_it_is_skipped():
    plugin = NodeAffinity(ZONES)
    terms = (3, expression("zone", "In", "x")), (4, expression("zone", "NotIn", "z")), (9, {})
    pod = make_pod(affinity=preferred(*terms))
    assert raw(plugin, pod) == [7, 4, 0]
    assert not plugin.skips(pod)
    assert not plugin.skips(make_pod(affinity=preferred()))
    assert plugin.skips(make_pod())
    assert plugin.skips(make_pod(affinity=required(expression("zone", "In", "x"))))


def test_node_affinity_pre_filter_skip():
    plugin = NodeAffinity(ZONES)
    assert not plugin.filters(make_pod())
    assert not plugin.filters(make_pod(affinity=preferred((1, {}))))
    assert plugin.filters(make_pod(nodeSelector={}))
    assert plugin.filters(make_pod(affinity=required()))


def by_name(*names, operator="In"):
    return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": list(names)}]}


def test_node_names_restrict_before_any_filter():
    plugin = PreFilter(ZONES, names=True, refusing=())
    outside = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
    assert texts(plugin, make_pod(affinity=required(by_name("b"), by_name("c", "nowhere")))) == [outside, None, None]
    assert texts(plugin, make_pod(affinity=required(by_name("nowhere")))) == [outside] * 3
    assert texts(plugin, make_pod(affinity=required(by_name("b"), expression("zone", "In", "x")))) is None
    assert texts(plugin, make_pod(affinity=required(by_name("b", operator="NotIn")))) is None
    conflict = {"matchFields": by_name("a")["matchFields"] + by_name("b")["matchFields"]}
    assert texts(plugin, make_pod(affinity=required(conflict))) == ["pod affinity terms conflict"] * 3
    assert texts(plugin, make_pod()) is None


def images(*listed):
    return [{"names": names, "sizeBytes": size} for names, size in listed]


def test_image_locality():
    nodes = NodeTable(
        [
            make_node("a", images=images((["big:latest", "big@sha256:1"], 600 * MIB))),
            make_node("b", images=images((["big:latest"], 5 * MIB), (["small:1"], 30 * MIB))),
            make_node("c"),
            make_node("d"),
        ]
    )
    plugin = ImageLocality(nodes)
    one = make_pod(containers=[{"name": "c", "image": "big"}])
    # 600 MiB (the first node's word) on 2 of 4 nodes: 300 MiB, between 23 and 1000 MiB
    expected = 100 * (300 - 23) // (1000 - 23)
    assert raw(plugin, one) == [expected, expected, 0, 0]
    two = make_pod(containers=[{"name": "c", "image": "big"}], initContainers=[{"name": "i", "image": "small:1"}])
    both = 100 * (300 * MIB + 30 * MIB // 4 - 23 * MIB) // (2000 * MIB - 23 * MIB)
    assert raw(plugin, two) == [100 * (300 - 23) // (2000 - 23), both, 0, 0]
    for unknown in ("big:1", "registry:5000/big", None):
        assert raw(plugin, make_pod(containers=[{"name": "c", "image": unknown}])) is None
    assert raw(plugin, make_pod(containers=[{"name": "c", "image": "small:1"}])) is None  # 7.5 MiB: below the least


@pytest.mark.parametrize(
    ("name", "tagged"),
    [("a", "a:latest"), ("a:1", "a:1"), ("r:5000/a", "r:5000/a:latest"), ("r:5000/a:1", "r:5000/a:1")],
)
def test_image_names_get_a_tag(name, tagged):
    nodes = NodeTable([make_node("a", images=images(([tagged], 900 * MIB)))])
    assert raw(ImageLocality(nodes), make_pod(containers=[{"name": "c", "image": name}])) == [100 * (900 - 23) // 977]


AMOUNTS = Requests().of(make_pod(cpu="1", memory="1Gi", requests={"example.com/a": "2", "hugepages-2Mi": "4Mi"}))


def test_fit_demand_and_what_a_profile_ignores():
    assert node_resources_fit.demand(FitArgs(), AMOUNTS) == {
        "pods": 1, "cpu": 1000, "memory": 2**30, "example.com/a": 2, "hugepages-2Mi": 4 * MIB,
    }  # fmt: skip
    for ignored in (FitArgs(ignored=frozenset({"example.com/a"})), FitArgs(ignored_groups=frozenset({"example.com"}))):
        assert "example.com/a" not in node_resources_fit.demand(ignored, AMOUNTS)
    native = FitArgs(ignored=frozenset({"cpu", "hugepages-2Mi"}))
    assert node_resources_fit.demand(native, AMOUNTS)["cpu"] == 1000
    assert node_resources_fit.demand(native, AMOUNTS)["hugepages-2Mi"] == 4 * MIB


def test_fit_words():
    assert node_resources_fit.text("pods") == "Too many pods"
    assert node_resources_fit.text("nvidia.com/gpu") == "Insufficient nvidia.com/gpu"


def test_fit_score_terms():
    args = FitArgs("MostAllocated", {"cpu": 2, "example.com/a": 3, "ephemeral-storage": 1, "nonsense": 5})
    term = node_resources_fit.term(args, 4)
    assert (term.kind, term.weight) == ("most", 4)
    assert dict(term.resources) == {"cpu.nonzero": 2, "example.com/a.fit": 3, "ephemeral-storage.fit": 1}
    assert term.optional == {"example.com/a.fit"}
    assert node_resources_fit.extra_columns(args) == ["example.com/a", "ephemeral-storage"]
    assert node_resources_fit.term(FitArgs(), 1).kind == "least"
    assert node_resources_fit.term(FitArgs("RequestedToCapacityRatio", shape=((0, 0), (100, 10))), 1).kind == "ratio"
    assert node_resources_fit.term(FitArgs(resources={"nonsense": 1}), 1).kind == "static"


def test_balanced_allocation_term_and_skip():
    term = balanced_allocation.term(("cpu", "example.com/a", "nonsense"), 2)
    assert [name for name, _ in term.resources] == ["cpu", "example.com/a"]
    assert (term.kind, term.weight, term.optional) == ("balanced", 2, {"example.com/a"})
    assert balanced_allocation.term(("nonsense",), 1).kind == "static"
    assert not balanced_allocation.skips(("cpu", "memory"), AMOUNTS)
    assert balanced_allocation.skips(("ephemeral-storage",), AMOUNTS)
    assert balanced_allocation.skips(("cpu", "memory"), Requests().of(make_pod(cpu="0")))
