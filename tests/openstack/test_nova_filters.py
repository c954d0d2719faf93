"""Nova's filters and its loop by hand: what each filter looks at, once-per-request filters, alternates."""

from dataclasses import replace

import pytest

from binwright.errors import InputError
from binwright.openstack.cloud import Flavor
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.extra_specs import comma_values, matches, smallest, version_holds
from binwright.openstack.nova.filters import FILTERS, ONCE_PER_REQUEST, filtered, one_by_one
from binwright.openstack.nova.json_filter import holds
from binwright.openstack.nova.raw_weights import MissingMetric, factors, ranked, raw_weights
from binwright.openstack.nova.request_spec import Destination, GroupMembers, Image, RequestSpec
from binwright.openstack.nova.schedule import NoValidHost, schedule


def flavor(**extra_specs):
    return Flavor("1", "m1", 2, 1024, root_gb=10, extra_specs=extra_specs, where="flavor m1")


def host(name, **fields):
    made = ComputeHost(name, f"{name}.example", f"uuid-{name}", vcpus_total=8, free_ram_mb=8192, free_disk_mb=102400)
    made = replace(made, **fields)
    made.candidates = fields.get("candidates", [{"": [made.uuid]}])
    return made


def passing(name, hosts, request=None, config=None):
    return [one.host for one in one_by_one(name, hosts, request or RequestSpec(flavor()), config or {})]


@pytest.mark.parametrize(
    ("value", "wanted", "result"),
    [
        ("4", "4", True),
        ("4", "= 3", True),
        ("4", ">= 5", False),
        ("4", "<= 4", True),
        ("4", "== 4.0", True),
        ("4", "!= 4", False),
        ("abc", "s>= abb", True),
        ("abc", "s== abd", False),
        ("abc", "<in> bc", True),
        ("abc", "<all-in> a c", True),
        ("abc", "<all-in> a d", False),
        ("b", "<or> a <or> b", True),
        ("or", "<or> a <or> b", False),
        ("4", ">=", False),
        ("a b", "a b", True),
    ],
)
def test_operators_of_extra_specs(value, wanted, result):
    assert matches(value, wanted) is result


def test_a_numeric_operator_on_text_is_refused():
    with pytest.raises(InputError, match="cannot be compared"):
        matches("many", ">= 3")


def test_versions_lists_and_numbers():
    assert version_holds(7002001, ">=7.2, <8")
    assert not version_holds(7002001, ">7.2.1")
    with pytest.raises(InputError, match="no version predicate"):
        version_holds(1, "about 7")
    assert comma_values(["a, b", "c"]) == {"a", "b", "c"}
    assert smallest(["3", "2"], 9, int) == 2
    assert smallest(["3", "many"], 9, int) == 9
    assert smallest([], 9, int) == 9


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ('[">=", "$free_ram_mb", 1024]', True),
        ('["<", "$free_ram_mb", 1024]', False),
        ('["and", ["=", "$host", "a"], ["in", "$host", "b", "a"]]', True),
        ('["or", ["=", "$host", "b"], ["=", "$cpu_info.arch", "x86_64"]]', True),
        ('["not", ["=", "$host", "a"], ["=", "$host", "b"]]', True),
        ('["=", "$nothing", "x"]', False),
        ("[]", True),
    ],
)
def test_json_queries(query, result):
    assert holds(query, host("a", cpu_info={"arch": "x86_64"}).attribute) is result


@pytest.mark.parametrize("query", ["[", '["~", 1, 2]', '["<", "$host", 3]'])
def test_a_broken_json_query_is_one_line(query):
    with pytest.raises(InputError, match="hint query"):
        holds(query, host("a").attribute)


def test_compute_and_capabilities():
    hosts = [host("a"), host("b", up=False), host("c", disabled=True)]
    assert passing("ComputeFilter", hosts) == ["a"]
    hosts = [host("a", cpu_info='{"maxphysaddr": {"bits": 46}}'), host("b", hypervisor_type="QEMU")]
    wide = RequestSpec(flavor(**{"hw:maxphysaddr_bits": "42"}))
    assert passing("ComputeCapabilitiesFilter", hosts, wide) == ["a"]
    typed = RequestSpec(flavor(**{"capabilities:hypervisor_type": "QEMU", "other:x": "1", "unknown": "2"}))
    assert passing("ComputeCapabilitiesFilter", hosts, typed) == ["b"]
    busy = RequestSpec(flavor(num_io_ops="<= 0"))
    assert passing("ComputeCapabilitiesFilter", [host("a"), host("b", num_io_ops=1)], busy) == ["a"]


def test_image_properties():
    hosts = [
        host("a", supported_instances=[["x86_64", "kvm", "hvm"]], hypervisor_version=7002001),
        host("b", supported_instances=[["aarch64", "kvm", "hvm"]]),
    ]
    amd = {"hw_architecture": "amd64", "hw_vm_mode": "hv"}
    assert passing("ImagePropertiesFilter", hosts, RequestSpec(flavor(), Image("i", amd))) == ["a"]
    assert passing("ImagePropertiesFilter", hosts, RequestSpec(flavor())) == ["a", "b"]
    default = {"filter_scheduler.image_properties_default_architecture": "aarch64"}
    assert passing("ImagePropertiesFilter", hosts, RequestSpec(flavor()), default) == ["b"]
    version = RequestSpec(flavor(), Image("i", {"img_hv_type": "kvm", "img_hv_requested_version": ">=8"}))
    assert passing("ImagePropertiesFilter", hosts, version) == ["b"]


def test_server_groups():
    hosts = [host("a", instances=["i1"]), host("b", instances=["i2", "i3"]), host("c")]

    def asked(policy, **fields):
        group = GroupMembers(policy, frozenset({"i1", "i2", "i3", "me"}), **fields)
        return RequestSpec(flavor(), group=group, instance="me")

    assert passing("ServerGroupAntiAffinityFilter", hosts, asked("anti-affinity")) == ["c"]
    assert passing("ServerGroupAntiAffinityFilter", hosts, asked("anti-affinity", most=2)) == ["a", "c"]
    assert passing("ServerGroupAntiAffinityFilter", [host("a", instances=["me"])], asked("anti-affinity")) == ["a"]
    assert passing("ServerGroupAffinityFilter", hosts, asked("affinity")) == ["a", "b", "c"]
    assert passing("ServerGroupAffinityFilter", hosts, asked("affinity", hosts=["b"])) == ["b"]


def test_filters_of_aggregates():
    data = {"ssd": "yes, true", "filter_tenant_id7": "p,q", "instance_type": "m1", "hw_disk_bus": "scsi"}
    hosts = [host("a", aggregates=[data]), host("b", aggregates=[{"filter_tenant_id": "x", "instance_type": "m2"}])]
    scoped = RequestSpec(flavor(**{"aggregate_instance_extra_specs:ssd": "true", "hw:x": "1"}))
    assert passing("AggregateInstanceExtraSpecsFilter", hosts, scoped) == ["a"]
    assert passing("AggregateMultiTenancyIsolation", hosts, RequestSpec(flavor(), project="q")) == ["a"]
    assert passing("AggregateTypeAffinityFilter", hosts) == ["a"]
    virtio = RequestSpec(flavor(), Image("i", {"hw_disk_bus": "virtio"}))
    assert passing("AggregateImagePropertiesIsolation", hosts, virtio) == ["b"]
    namespace = {"filter_scheduler.aggregate_image_properties_isolation_namespace": "own"}
    assert passing("AggregateImagePropertiesIsolation", hosts, virtio, namespace) == ["a", "b"]


def test_counts():
    hosts = [host("a", num_io_ops=7, num_instances=49), host("b", num_io_ops=8, num_instances=50)]
    assert passing("IoOpsFilter", hosts) == passing("NumInstancesFilter", hosts) == ["a"]
    less = [{"max_io_ops_per_host": "7", "max_instances_per_host": "49"}]
    hosts[0].aggregates = less
    assert passing("AggregateIoOpsFilter", hosts) == passing("AggregateNumInstancesFilter", hosts) == []


def test_hints():
    hosts = [host("a", instances=["i1"], host_ip="10.0.0.1"), host("b", host_ip="10.0.1.1")]
    assert passing("SameHostFilter", hosts, RequestSpec(flavor(), hints={"same_host": "i1"})) == ["a"]
    assert passing("DifferentHostFilter", hosts, RequestSpec(flavor(), hints={"different_host": ["i1"]})) == ["b"]
    near = RequestSpec(flavor(), hints={"build_near_host_ip": "10.0.0.9"})
    assert passing("SimpleCIDRAffinityFilter", hosts, near) == ["a"]
    with pytest.raises(InputError, match="build_near_host_ip"):
        passing("SimpleCIDRAffinityFilter", hosts, RequestSpec(flavor(), hints={"build_near_host_ip": "here"}))
    assert passing("JsonFilter", hosts, RequestSpec(flavor(), hints={"query": '["=", "$host", "b"]'})) == ["b"]


def test_isolated_hosts_and_metrics():
    hosts, options = [host("a"), host("b")], {"filter_scheduler.isolated_hosts": ["a"]}
    assert passing("IsolatedHostsFilter", hosts, None, options) == ["b"]
    options["filter_scheduler.isolated_images"] = ["i"]
    assert passing("IsolatedHostsFilter", hosts, RequestSpec(flavor(), Image("i")), options) == ["a"]
    assert passing("IsolatedHostsFilter", hosts, RequestSpec(flavor(), Image("j")), options) == ["b"]
    options["filter_scheduler.restrict_isolated_hosts_to_isolated_images"] = False
    assert passing("IsolatedHostsFilter", hosts, RequestSpec(flavor(), Image("j")), options) == ["a", "b"]
    hosts[0].metrics = {"cpu.frequency": 1.0}
    assert passing("MetricsFilter", hosts, None, {"metrics.weight_setting": ["cpu.frequency=1"]}) == ["a"]


def test_the_pipeline_starts_with_what_is_asked_for_by_name():
    hosts = [host("a"), host("b", up=False), host("c")]
    every = ["ComputeFilter"]

    def left(**fields):
        return [one.host for one in filtered(hosts, RequestSpec(flavor(), **fields), every, {})]

    assert left() == ["a", "c"]
    assert left(ignore_hosts=["A"]) == ["c"]
    assert left(force_hosts=["B"]) == ["b"]
    assert left(force_hosts=["B"], hints={"_nova_check_type": ["rebuild"]}) == []
    assert left(force_nodes=["c.example"]) == ["c"]
    assert left(destination=Destination(host="c")) == ["c"]
    assert left(destination=Destination(host="c", node="a.example")) == []
    with pytest.raises(InputError, match="no filter 'RoundFilter'"):
        filtered(hosts, RequestSpec(flavor()), ["RoundFilter"], {})
    assert FILTERS.keys() >= ONCE_PER_REQUEST


def test_filters_that_run_once_do_not_see_later_instances():
    hosts = [host("a", up=False)]
    assert filtered(hosts, RequestSpec(flavor()), ["ComputeFilter", "IoOpsFilter"], {}, index=1) == hosts


def test_weights_rank_and_aggregates_override_multipliers():
    hosts = [host("a", free_ram_mb=4096), host("b")]
    assert [one.host for one, _ in ranked(hosts, RequestSpec(flavor()), {})] == ["b", "a"]
    hosts[0].aggregates, hosts[1].aggregates = [{"ram_weight_multiplier": "3"}], [{"ram_weight_multiplier": "0"}]
    assert factors(hosts, {})["RAMWeigher"].tolist() == [3.0, 0.0]
    assert [one.host for one, _ in ranked(hosts, RequestSpec(flavor()), {})] == ["a", "b"]
    assert ranked([], RequestSpec(flavor()), {}) == []


def test_metrics_that_are_missing():
    hosts = [host("a", metrics={"x.percent": 0.29}), host("b")]
    config = {"metrics.weight_setting": ["x.percent=2.0"]}
    with pytest.raises(MissingMetric, match=r"host b: metric x\.percent"):
        raw_weights(hosts, RequestSpec(flavor()), config)
    config["metrics.required"] = False
    assert raw_weights(hosts, RequestSpec(flavor()), config)["MetricsWeigher"].tolist() == [56.0, -10000.0]


def test_the_loop_takes_the_best_and_gives_alternates():
    hosts = [host("a", cell="1"), host("b", free_ram_mb=2048, cell="1"), host("c", free_ram_mb=1024, cell="2")]
    chosen = schedule(hosts, RequestSpec(flavor()), ["x"], ["ComputeFilter"], {})
    assert [[one.host for one in row] for row in chosen] == [["a", "b"]]
    assert (hosts[0].free_ram_mb, hosts[0].vcpus_used, hosts[0].free_disk_mb) == (7168, 2, 92160)
    assert (hosts[0].num_instances, hosts[0].num_io_ops) == (1, 1)


def test_members_of_a_group_that_are_placed_together_count():
    hosts = [host("a"), host("b")]
    group = GroupMembers("anti-affinity", frozenset({"x", "y", "z"}))
    request = RequestSpec(flavor(), group=group)
    enabled = ["ServerGroupAntiAffinityFilter"]
    chosen = schedule(hosts, request, ["x", "y"], enabled, {"scheduler.max_attempts": 1})
    assert [[one.host for one in row] for row in chosen] == [["a"], ["b"]]
    assert group.hosts == ["a", "b"]
    with pytest.raises(NoValidHost, match="instance z"):
        schedule(hosts, request, ["z"], enabled, {})


def test_a_host_without_candidates_is_skipped():
    hosts = [host("a"), host("b", free_ram_mb=1)]
    hosts[0].candidates = []
    assert [[one.host for one in row] for row in schedule(hosts, RequestSpec(flavor()), ["x"], [], {})] == [["b"]]
