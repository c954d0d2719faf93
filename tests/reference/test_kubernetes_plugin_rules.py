"""The plugins, one by one: rules that no recorded case decides (end of spec 8), and edges."""

import pytest

from tests.reference.kubernetes.arithmetic import (
    natural_log,
    round_half_away,
)
from tests.reference.kubernetes.builders import (
    HOST,
    ZONE,
    make_cluster,
    make_node,
    make_pod,
    plugin_arguments,
    reasons_of,
    score_of,
)
from tests.reference.kubernetes.cycle import Cycle, run_pre_filters
from tests.reference.kubernetes.plugins.balanced_allocation import deviation
from tests.reference.kubernetes.plugins.image_locality import normalized_image_name
from tests.reference.kubernetes.plugins.node_affinity import term_names
from tests.reference.kubernetes.plugins.node_ports import ports_conflict
from tests.reference.kubernetes.plugins.node_resources_fit import broken_line
from tests.reference.kubernetes.plugins.volume_restrictions import volumes_conflict
from tests.reference.kubernetes.pods import Pod
from tests.reference.kubernetes.quirks import Quirks

# --- NodeAffinity (4, 8.7) ----------------------------------------------------------------------------------------


def names_affinity(*values_per_term):
    terms = [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": values} for values in fields]}
        for fields in values_per_term
    ]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"nodeAffinity": required}


def test_name_sets_intersect_in_a_term_and_unite_over_terms():
    assert term_names({"matchExpressions": []}) is None
    cluster = make_cluster([make_node(name) for name in "abc"])
    result = cluster.decide(make_pod(affinity=names_affinity([["a", "b"], ["b"]], [["zz"]]))).result
    assert result["preFilter"]["nodes"] == ["b", "zz"]
    # several values in a field restrict the names but spoil the term for Filter
    assert reasons_of(result, 1)[1] == ["node(s) didn't match Pod's node affinity/selector"]
    assert result["filter"][0]["absent"]
    assert result["fitError"] == (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector,"
        " 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )


@pytest.mark.parametrize(("quirk", "tail"), [
    (True, " not found"),
    (False, " no new claims to deallocate, preemption: 0/1 nodes are available:"
            " 1 Preemption is not helpful for scheduling."),
])  # fmt: skip
def test_quirk_dra_not_found(quirk, tail):
    cluster = make_cluster([make_node("a")], quirks=Quirks(draNotFound=quirk))
    result = cluster.decide(make_pod(affinity=names_affinity([["a"], ["b"]]))).result
    assert result["preFilter"]["reasons"] == ["pod affinity terms conflict"]
    assert result["message"] == "0/1 nodes are available: pod affinity terms conflict." + tail
    assert result.get("postFilterError", False) is quirk


# --- NodePorts, NodeResourcesFit, BalancedAllocation, ImageLocality (4) ---------------------------------------------


def test_ports():
    assert ports_conflict(("0.0.0.0", "TCP", 80), ("10.0.0.1", "TCP", 80))
    assert not ports_conflict(("10.0.0.2", "TCP", 80), ("10.0.0.1", "TCP", 80))
    assert not ports_conflict(("::", "TCP", 80), ("10.0.0.1", "TCP", 80))
    assert not ports_conflict(("0.0.0.0", "UDP", 80), ("0.0.0.0", "TCP", 80))


def test_used_ports_are_a_set_that_forgets_the_second_holder():
    cluster = make_cluster([make_node("a")])
    for name in ("one", "two"):
        pod = make_pod(name, node="a")
        pod["spec"]["containers"][0]["ports"] = [{"hostPort": 80}]
        cluster.add_bound_pod(pod)
    cluster.remove_pod("default/one")
    assert cluster.nodes[0].used_ports == set()


def test_broken_line_truncates_on_falling_lines():
    shape = [(0, 100), (30, 0), (60, 50)]
    assert [broken_line(shape, u) for u in (0, 1, 29, 30, 31, 60, 61)] == [100, 97, 4, 0, 1, 50, 50]
    assert [broken_line([(40, 70)], u) for u in (0, 40, 100)] == [70, 70, 70]


def test_shaped_score_leaves_out_resources_without_a_value():
    arguments = plugin_arguments(
        "NodeResourcesFit",
        scoringStrategy={
            "type": "RequestedToCapacityRatio",
            "resources": [{"name": "cpu", "weight": 3}, {"name": "memory", "weight": 0}],
            "requestedToCapacityRatio": {"shape": [{"utilization": 50, "score": 0}, {"utilization": 100, "score": 10}]},
        },
    )
    pod = make_pod(requests={"cpu": "3", "memory": "1Gi"})
    result = make_cluster([make_node("a"), make_node("b", memory="1Gi")], configuration=arguments).decide(pod).result
    assert score_of(result, "NodeResourcesFit") == [50, round_half_away((50 * 3 + 100) / 4)] == [50, 63]


def test_deviation():
    assert deviation([0.5]) == 0.0
    assert deviation([0.25, 0.75]) == 0.25
    assert deviation([0.0, 0.5, 1.0]) == pytest.approx((1 / 6) ** 0.5)


def test_too_many_pods_alone_is_resolvable_and_reasons_keep_their_order():
    cluster = make_cluster([make_node("a", pods="0"), make_node("b", pods="0", cpu="1", memory="1")])
    result = cluster.decide(make_pod(requests={"cpu": "2", "memory": "5", "z.io/z": "1", "a.io/a": "1"})).result
    assert reasons_of(result, 1) == (
        "UnschedulableAndUnresolvable",
        ["Too many pods", "Insufficient cpu", "Insufficient memory", "Insufficient a.io/a", "Insufficient z.io/z"],
    )
    assert reasons_of(cluster.decide(make_pod()).result, 0) == ("Unschedulable", ["Too many pods"])


@pytest.mark.parametrize(
    ("quirk", "scores"),
    [
        (True, [(75 + 50) // 2, (60 + 33) // 2]),  # 1 cpu and 2 GiB, as the container says
        (False, [(37 + 36) // 2, (0 + 15) // 2]),  # 2.5 cpu and 2600 MiB, as the pod says
    ],
)
def test_quirk_fit_score_pod_level(quirk, scores):
    nodes = [make_node("a", memory="4Gi"), make_node("b", memory="3Gi", cpu="2500m")]
    pod_level = {"requests": {"cpu": "2500m", "memory": "2600Mi"}}
    pod = make_pod(requests={"cpu": "1", "memory": "2Gi"}, resources=pod_level)
    result = make_cluster(nodes, quirks=Quirks(fitScorePodLevel=quirk)).decide(pod).result
    assert score_of(result, "NodeResourcesFit") == scores


@pytest.mark.parametrize(("name", "full"), [
    ("nginx", "nginx:latest"), ("nginx:1", "nginx:1"), ("host:5000/nginx", "host:5000/nginx:latest"),
    ("host:5000/nginx:1", "host:5000/nginx:1"),
])  # fmt: skip
def test_image_names(name, full):
    assert normalized_image_name(name) == full


def test_image_size_is_that_of_the_first_node_that_lists_the_name():
    nodes = [make_node(name) for name in "abc"]
    for node, size in ((nodes[1], 800 * 2**20), (nodes[2], 1)):
        node["status"]["images"] = [{"names": ["x:latest"], "sizeBytes": size}]
    result = make_cluster(nodes).decide(make_pod()).result
    expected = 100 * (int(800 * 2**20 * (2 / 3)) - 23 * 2**20) // (977 * 2**20)
    assert score_of(result, "ImageLocality") == [0, expected, expected]


# --- PodTopologySpread (4, 8.4) -----------------------------------------------------------------------------------


def spread(key, when, selector, **more):
    return {"topologyKey": key, "whenUnsatisfiable": when, "maxSkew": 1, "labelSelector": selector, **more}


def test_the_empty_selector_counts_no_pods_but_matches_the_pod_itself():
    nodes = [make_node("a", labels={ZONE: "z"}), make_node("b", labels={ZONE: "y"})]
    constraint = spread(ZONE, "DoNotSchedule", {}, minDomains=3)
    cluster = make_cluster(nodes, [make_pod(node="a"), make_pod(node="a")])
    constraint["maxSkew"] = 1
    assert cluster.decide(make_pod(topologySpreadConstraints=[constraint])).result["feasible"] == [0, 1]
    constraint["maxSkew"] = 0  # 0 counted + 1 itself - 0 > 0
    assert cluster.decide(make_pod(topologySpreadConstraints=[constraint])).result["feasible"] == []


def test_null_selector_matches_neither_pods_nor_the_pod_itself():
    constraint = spread(HOST, "DoNotSchedule", None, maxSkew=0)
    cluster = make_cluster([make_node("a")], [make_pod(node="a")])
    assert cluster.decide(make_pod(topologySpreadConstraints=[constraint])).result["feasible"] == [0]


def test_hostname_score_does_not_ask_for_eligibility():
    nodes = [make_node("a"), make_node("b", taints=[{"key": "t", "effect": "NoSchedule"}])]
    web = {"app": "web"}
    cluster = make_cluster(nodes, [make_pod(node=name, labels=web) for name in "abb"])
    constraint = spread(HOST, "ScheduleAnyway", {"matchLabels": web}, nodeTaintsPolicy="Honor")
    cycle = Cycle(cluster, Pod(make_pod(topologySpreadConstraints=[constraint])))
    plugin = cluster.plugins["PodTopologySpread"]
    assert not plugin.constraints(cycle, "ScheduleAnyway")[0].eligible(cycle.pod, cluster.nodes[1])
    assert plugin.pre_score(cycle, cluster.nodes)
    assert [plugin.score(cycle, node) for node in cluster.nodes] == [1, 3]  # ln 4 times 1 and 2


def test_dry_run_counts_terminating_pods_that_the_first_count_left_out():
    web = {"app": "web"}
    terminating = make_pod(node="a", labels=web, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    cluster = make_cluster([make_node("a")], [terminating])
    pod = Pod(make_pod(topologySpreadConstraints=[spread(HOST, "DoNotSchedule", {"matchLabels": web})]))
    cycle = Cycle(cluster, pod)
    plugin = cluster.plugins["PodTopologySpread"]
    run_pre_filters(cycle)
    assert cycle.state[plugin.name].domains == [{"a": 0}]
    trial = cycle.copy()
    trial.remove_pod(cluster.nodes[0].pods[0], cluster.nodes[0].copy())
    assert trial.state[plugin.name].domains == [{"a": -1}]
    assert cycle.state[plugin.name].domains == [{"a": 0}]


def test_default_constraints_need_a_service_or_an_owner():
    service = {"metadata": {"name": "s", "namespace": "default"}, "spec": {"selector": {"app": "web"}}}
    nodes = [make_node("a"), make_node("b")]
    bound = [make_pod(node="a", labels={"app": "web"})]
    result = make_cluster(nodes, bound, services=[service]).decide(make_pod(labels={"app": "web"})).result
    # hostname: ln(4) + 2; zone: no label, so the key is skipped when scoring
    assert score_of(result, "PodTopologySpread") == [round_half_away(natural_log(4.0) + 2), 2]
    result = make_cluster(nodes, bound, services=[service]).decide(make_pod(labels={"app": "db"})).result
    assert "PodTopologySpread" in result["score"]["skip"]


# --- InterPodAffinity (4) -----------------------------------------------------------------------------------------


def pod_affinity(kind, selector, *, weight=None, key=HOST, **more):
    term = {"topologyKey": key, "labelSelector": selector, **more}
    if weight is None:
        return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return {kind: {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": weight, "podAffinityTerm": term}]}}


WEB = {"matchLabels": {"app": "web"}}


def test_terminating_pods_count():
    terminating = make_pod(node="a", labels={"app": "web"}, meta={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    cluster = make_cluster([make_node("a"), make_node("b")], [terminating])
    assert cluster.decide(make_pod(affinity=pod_affinity("podAffinity", WEB))).result["feasible"] == [0]
    assert cluster.decide(make_pod(affinity=pod_affinity("podAntiAffinity", WEB))).result["feasible"] == [1]


def test_the_first_of_its_kind_may_go_anywhere_but_only_with_the_key():
    node = make_node("b")
    del node["metadata"]["labels"][HOST]
    cluster = make_cluster([make_node("a"), node])
    affinity = pod_affinity("podAffinity", WEB)
    assert cluster.decide(make_pod(labels={"app": "web"}, affinity=affinity)).result["feasible"] == [0]
    assert cluster.decide(make_pod(labels={"app": "db"}, affinity=affinity)).result["feasible"] == []


@pytest.mark.parametrize(("weight", "raw"), [(None, [1, 0]), (0, None), (7, [7, 0])])
def test_hard_pod_affinity_weight(weight, raw):
    wants_web = make_pod(node="a", affinity=pod_affinity("podAffinity", WEB))
    arguments = plugin_arguments("InterPodAffinity", hardPodAffinityWeight=weight)
    cluster = make_cluster([make_node("a"), make_node("b")], [wants_web], arguments)
    result = cluster.decide(make_pod(labels={"app": "web"})).result
    if raw is None:
        assert "InterPodAffinity" in result["score"]["skip"]
    else:
        assert score_of(result, "InterPodAffinity") == raw


def test_an_entry_that_cancels_to_zero_is_not_skipped():
    pods = [
        make_pod(node="a", affinity=pod_affinity(kind, WEB, weight=5)) for kind in ("podAffinity", "podAntiAffinity")
    ]
    result = make_cluster([make_node("a"), make_node("b")], pods).decide(make_pod(labels={"app": "web"})).result
    assert score_of(result, "InterPodAffinity") == [0, 0]
    assert score_of(result, "InterPodAffinity", "norm") == [0, 0]


@pytest.mark.parametrize("quirk", [True, False])
def test_quirk_namespace_selector_on_empty_labels(quirk):
    selector = {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]}
    affinity = pod_affinity("podAntiAffinity", WEB, namespaceSelector=selector)
    cluster = make_cluster(
        [make_node("a"), make_node("b")],
        [make_pod(node="a", namespace="live", labels={"app": "web"})],
        quirks=Quirks(nsSelectorEmptyLabels=quirk),
        namespaces=[{"metadata": {"name": "live", "labels": {"env": "prod"}}}],
    )
    assert cluster.decide(make_pod(affinity=affinity)).result["feasible"] == ([1] if quirk else [0, 1])


# --- volumes (4, 8.6) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "volume", "other", "read_only_conflicts"),
    [
        ("gcePersistentDisk", {"pdName": "d"}, {"pdName": "e"}, False),
        ("awsElasticBlockStore", {"volumeID": "d"}, {"volumeID": "e"}, True),
        ("iscsi", {"iqn": "d", "targetPortal": "p"}, {"iqn": "e"}, False),
        ("rbd", {"monitors": ["m", "n"], "pool": "p", "image": "i"}, {"monitors": ["o"], "pool": "p", "image": "i"},
         False),
    ],
)  # fmt: skip
def test_disks(kind, volume, other, read_only_conflicts):
    read_only = {**volume, "readOnly": True}
    assert volumes_conflict({kind: volume}, {kind: read_only})
    assert volumes_conflict({kind: read_only}, {kind: read_only}) is read_only_conflicts
    assert not volumes_conflict({kind: volume}, {kind: other})
    assert not volumes_conflict({kind: volume}, {"emptyDir": {}})


def test_rbd_needs_one_shared_monitor_and_the_same_pool_and_image():
    disk = {"monitors": ["m", "n"], "pool": "p", "image": "i"}
    assert volumes_conflict({"rbd": disk}, {"rbd": {**disk, "monitors": ["n", "o"]}})
    assert not volumes_conflict({"rbd": disk}, {"rbd": {**disk, "pool": "q"}})


def make_claim(name, size="1Gi", annotations=None, storage_class="local"):
    return {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", "annotations": annotations or {}},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        },
        "status": {"phase": "Pending"},
    }


def make_volume(name, size, node=None, **spec):
    if node is not None:
        term = {"matchExpressions": [{"key": HOST, "operator": "In", "values": [node]}]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [term]}}
    base = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local"}
    return {"metadata": {"name": name}, "spec": {**base, **spec}, "status": {"phase": "Available"}}


def volume_cluster(claims, volumes, nodes="ab"):
    classes = [
        {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer"}
        for name, provisioner in (("local", "kubernetes.io/no-provisioner"), ("made", "csi.example.com"))
    ]
    return make_cluster(
        [make_node(name) for name in nodes],
        persistentVolumeClaims=claims,
        persistentVolumes=volumes,
        storageClasses=classes,
    )


def claiming(*names):
    return make_pod(volumes=[{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names])


def claimed_by(cluster):
    volumes = cluster.objects["persistentVolumes"]
    return {v["metadata"]["name"]: v["spec"]["claimRef"]["name"] for v in volumes if "claimRef" in v["spec"]}


def test_the_smallest_volume_that_fits_is_taken_smallest_claim_first():
    volumes = [make_volume("v9", "9Gi"), make_volume("v3", "3Gi"), make_volume("v2", "2Gi"), make_volume("v1", "1Mi")]
    cluster = volume_cluster([make_claim("big", "2Gi"), make_claim("small", "1Gi")], volumes)
    cluster.schedule_one(claiming("big", "small"))
    assert claimed_by(cluster) == {"v2": "small", "v3": "big"}


def test_a_prebound_volume_is_taken_and_no_other_if_it_does_not_reach_the_node():
    reference = {"name": "c", "namespace": "default", "uid": "uid-c"}
    volumes = [make_volume("any", "1Gi"), make_volume("mine", "9Gi", node="b", claimRef=reference)]
    cluster = volume_cluster([make_claim("c")], volumes)
    result = cluster.schedule_one(claiming("c"))
    assert result["feasible"] == [1]
    assert reasons_of(result, 0)[1] == ["node(s) didn't find available persistent volumes to bind"]
    assert claimed_by(cluster) == {"mine": "c"}


def test_a_claim_with_a_selected_node_fits_only_there():
    selected = {"volume.kubernetes.io/selected-node": "b"}
    cluster = volume_cluster([make_claim("c", annotations=selected, storage_class="made")], [])
    assert cluster.decide(claiming("c")).result["feasible"] == [1]


def test_reserve_selects_the_node_of_a_provisioned_claim():
    cluster = volume_cluster([make_claim("c", storage_class="made")], [])
    assert cluster.schedule_one(claiming("c"))["chosen"] == "a"
    assert cluster.decide(claiming("c")).result["feasible"] == [0]


def test_allowed_topologies_limit_where_a_claim_is_provisioned():
    cluster = volume_cluster([make_claim("c", storage_class="made")], [])
    made = cluster.find("storageClasses", "made")
    made["allowedTopologies"] = [
        {"matchLabelExpressions": [{"key": HOST, "values": ["a", "b"]}, {"key": ZONE, "values": ["z"]}]},
        {"matchLabelExpressions": [{"key": HOST, "values": ["b"]}]},
    ]
    assert cluster.decide(claiming("c")).result["feasible"] == [1]


def test_volume_attachments_count_unless_a_pod_of_the_node_uses_the_volume():
    volumes = [make_volume(n, "1Gi", csi={"driver": "d", "volumeHandle": n}) for n in ("mine", "used", "left")]
    claims = [make_claim(name) for name in ("mine", "used")]
    for claim in claims:
        claim["spec"]["volumeName"] = claim["metadata"]["name"]
        claim["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
    cluster = volume_cluster(claims, volumes, nodes="a")
    cluster.add_object("csiNodes", {"metadata": {"name": "a"}, "spec": {"drivers": [{"name": "d"}]}})
    user = claiming("used")
    user["spec"]["nodeName"] = "a"
    cluster.add_bound_pod(user)
    for name in ("used", "left"):
        source = {"persistentVolumeName": name}
        attachment = {"metadata": {"name": f"at-{name}"}, "spec": {"attacher": "d", "nodeName": "a", "source": source}}
        cluster.add_object("volumeAttachments", attachment)
    driver = cluster.find("csiNodes", "a")["spec"]["drivers"][0]
    for limit, feasible in ((None, [0]), (3, [0]), (2, [])):
        driver["allocatable"] = {"count": limit}
        result = cluster.decide(claiming("mine")).result
        assert result["feasible"] == feasible, limit
    assert reasons_of(result, 0) == ("Unschedulable", ["node(s) exceed max volume count"])


def test_a_beta_zone_label_of_a_volume_accepts_the_general_label_of_the_node():
    beta = "failure-domain.beta.kubernetes.io/zone"
    nodes = {"a": {ZONE: "y"}, "b": {ZONE: "x"}, "c": {beta: "z", ZONE: "x"}, "d": {}}
    volume = make_volume("v", "1Gi")
    volume["metadata"]["labels"] = {beta: "y__z"}
    claim = make_claim("c", annotations={"pv.kubernetes.io/bind-completed": "yes"})
    claim["spec"]["volumeName"] = "v"
    cluster = make_cluster(
        [make_node(name, labels=labels) for name, labels in nodes.items()],
        persistentVolumes=[volume],
        persistentVolumeClaims=[claim],
    )
    assert cluster.decide(claiming("c")).result["feasible"] == [0, 2, 3]
    volume = cluster.find("persistentVolumes", "v")
    volume["metadata"]["labels"] = {ZONE: "z"}  # not the other way round
    assert cluster.decide(claiming("c")).result["feasible"] == [3]
