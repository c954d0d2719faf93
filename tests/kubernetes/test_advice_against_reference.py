"""Random clusters: `explain` and `verify` say of every node and every placement what the slow reference says.

A cluster follows from one number, which Hypothesis prints.
"""

from copy import deepcopy

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright.kubernetes.configuration import read_configuration
from binwright.kubernetes.explain import ExplainableCluster
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.place import Options
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.related import Related, kind_by_plural
from binwright.kubernetes.verify import verify_objects
from tests.kubernetes.made import Json
from tests.kubernetes.test_against_reference import random_case
from tests.reference.kubernetes.cluster import Cluster


def drawn(seed: int) -> Json:
    """A random case in which all pods are bound or wait, nothing closes a node, and pods have an age."""
    case = random_case(seed)
    for node in case["objects"]["nodes"]:
        node.setdefault("spec", {}).pop("unschedulable", None)
    for number, pod in enumerate((*case["pods"], *case["pending"])):
        pod["metadata"]["creationTimestamp"] = f"2026-01-01T00:{number:02}:00Z"
        pod["metadata"]["uid"] = f"u{number}"
        pod.get("status", {}).pop("nominatedNodeName", None)
    case["pending"] = [pod for pod in case["pending"] if "nodeName" not in pod["spec"]]
    return case


def read(case: Json) -> tuple[Objects, Options]:
    """The case as the reader would have read it from a complete dump."""
    others = {kind: items for kind, items in case["objects"].items() if kind != "nodes"}
    related = Related(complete=True)
    for plural, items in others.items():
        kind, struct = kind_by_plural(plural)
        for item in msgspec.convert(items, list[struct]):
            related.add(kind, item)
    nodes, pods = case["objects"]["nodes"], [*case["pods"], *case["pending"]]
    objects = Objects(msgspec.convert(nodes, list[Node]), msgspec.convert(pods, list[Pod]), related)
    config = case.get("config")
    return objects, Options(complete=True, profile=read_configuration(config, "config")[0] if config else None)


def empty(case: Json) -> Cluster:
    """The reference's cluster of a case, without pods."""
    return Cluster(case.get("config"), objects=case["objects"])


def asking(pod: Json) -> Json:
    """A bound pod as it asked for its node."""
    pod = deepcopy(pod)
    pod["spec"].pop("nodeName", None)
    return pod


def word(result: Json, number: int) -> tuple[str, list[str]] | None:
    """(first plugin, its reasons) of one node in a result of the reference, None where it passed."""
    if "filter" in result:
        status = result["filter"][number]
    elif result["preFilter"]["code"] != "Success":
        status = result["preFilter"]
    else:
        status = None
    return None if status is None else (status.get("plugin") or "NodeAffinity", status["reasons"])


def said(rejected_by: list) -> tuple[str, list[str]] | None:
    """The same of the layer's answer."""
    if not rejected_by:
        return None
    first = rejected_by[0].rule
    return first, [one.text for one in rejected_by if one.rule == first]


@given(st.integers(0, 2**32 - 1))
def test_verify_finds_what_the_reference_refuses(seed):
    case = drawn(seed)
    cluster, expected = empty(case), {}
    names = [node["metadata"]["name"] for node in case["objects"]["nodes"]]
    for pod in case["pods"]:
        decision = cluster.decide(asking(pod))
        node = pod["spec"]["nodeName"]
        refused = word(decision.result, names.index(node))
        if refused is None:
            for plugin in cluster.plugins.values():
                plugin.reserve(decision.cycle, cluster.node(node))
        else:
            expected[pod["metadata"]["name"]] = refused
        cluster.add_bound_pod(pod)
    objects, options = read(case)
    found = verify_objects("demo", objects, options)
    assert {one.name: said(one.rejected_by) for one in found.findings} == expected
    assert found.checked == len(case["pods"])


@given(st.integers(0, 2**32 - 1))
def test_explain_says_of_every_node_what_the_reference_says(seed):
    case = drawn(seed)
    objects, options = read(case)
    pods = case["pods"]
    for number, pod in enumerate(pods):
        cluster = empty(case)
        for other in pods:
            if other is not pod:
                cluster.add_bound_pod(other)
        result = cluster.decide({**asking(pod), "status": {}}).result
        explained = ExplainableCluster("demo", objects, options).explain(number, best=1000)
        assert_alike(explained, result)


def assert_alike(explained, result: Json) -> None:
    assert explained.outcome.host == result.get("chosen")
    for number, answer in enumerate(explained.hosts):
        assert said(answer.rejected_by) == word(result, number)
        status = result["filter"][number] if "filter" in result else None
        for rule, part in ((status or {}).get("all") or {}).items():
            assert [one.text for one in answer.rejected_by if one.rule == rule] == part["reasons"]
        if status is not None and not status.get("absent"):
            assert answer.resolvable == (status["code"] == "Unschedulable")
    if "score" in result:
        totals = {
            explained.hosts[host].host: total for host, total in zip(result["feasible"], result["score"]["total"])
        }
        assert {one.host: one.total for one in explained.best} == totals
        for one in explained.best:
            assert sum(part.normalised * part.weight for part in one.parts) == one.total


@pytest.mark.parametrize("part", ["findings", "refusals"])
def test_the_draws_reach_many_plugins(part):
    """Guards the generator."""
    seen: set[str] = set()
    for seed in range(150):
        objects, options = read(drawn(seed))
        if part == "findings":
            rejecting = [one.rejected_by for one in verify_objects("demo", objects, options).findings]
        elif objects.pods:
            rejecting = [one.rejected_by for one in ExplainableCluster("demo", objects, options).explain(0, 1).hosts]
        seen |= {one.rule for some in rejecting for one in some}
    assert seen >= {
        "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit", "VolumeRestrictions", "VolumeBinding",
        "PodTopologySpread", "InterPodAffinity",
    }  # fmt: skip
