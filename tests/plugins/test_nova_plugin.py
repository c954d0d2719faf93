"""The filter and the weigher inside the real Nova: the hosts, their order and their weights are the stock classes'."""

import importlib.util
import inspect
import random
import sys

import pytest

pytest.importorskip("nova", reason="nova is not installed: pip install nova==34.0.0")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]

from tests.plugins import real_nova  # noqa: E402, I001  (first: it silences what the services' imports say)
from nova import exception  # noqa: E402
from nova.scheduler import filters, weights  # noqa: E402
from oslo_config import cfg  # noqa: E402

from binwright.openstack.nova import filters as layer  # noqa: E402
from binwright.openstack.nova_plugin import BinwrightFilter, BinwrightWeigher  # noqa: E402
from binwright.openstack.nova_plugin.rules import RULES  # noqa: E402
from binwright.openstack.nova_plugin.tested import TESTED, untested  # noqa: E402
from binwright.openstack.nova_plugin.weigher import RAW  # noqa: E402
from tests.openstack import random_nova  # noqa: E402

PLUGIN = "binwright.openstack.nova_plugin."
AVAILABLE = ["nova.scheduler.filters.all_filters", PLUGIN + "BinwrightFilter"]
EVERY = ["nova.scheduler.weights.all_weighers"]


class OddFilter(filters.BaseHostFilter):
    """An operator's own."""

    run_filter_once_per_request = True

    def host_passes(self, host_state, spec_obj):
        return host_state.host[-1] in "02468"


class LongNames(weights.BaseHostWeigher):
    """An operator's own."""

    maxval = 6.0

    def weight_multiplier(self, host_state):
        return 0.25

    def _weigh_object(self, obj, weight_properties):
        return len(obj.host)


def many_hosts(rng, at_least, at_most):
    case = random_nova.filters(rng)
    case["hosts"] = [
        random_nova.host(rng, number, case["aggregates"]) for number in range(rng.randint(at_least, at_most))
    ]
    return case


def outcome(made, spec_row, case, index=0, weigh=True):
    """What a manager answers: hosts with what filters left in them, then (host, weight), or the kind of error."""
    states, spec = real_nova.host_states(case), real_nova.request_spec(spec_row)
    try:
        passing = list(made.get_filtered_hosts(states, spec, index))
    except Exception as problem:
        return type(problem).__name__, []
    left = [(one.host, len(one.allocation_candidates), "numa_topology" in one.limits) for one in passing]
    if not weigh:
        return left, []
    try:
        return left, [(one.obj.host, one.weight) for one in made.get_weighed_hosts(passing, spec)]
    except Exception as problem:
        return left, [type(problem).__name__]


def both(case, enabled, index=0):
    """The stock outcome, and the plug-in's."""
    names = {"filter_scheduler__available_filters": AVAILABLE}
    real_nova.configured(case, **names, filter_scheduler__enabled_filters=enabled)
    stock = outcome(real_nova.host_manager_without_database(), case["spec"], case, index)
    real_nova.configured(
        case,
        **names,
        filter_scheduler__enabled_filters=["BinwrightFilter"],
        filter_scheduler__weight_classes=[PLUGIN + "BinwrightWeigher"],
        binwright__enabled_filters=enabled,
        binwright__weight_classes=EVERY,
    )
    return stock, outcome(real_nova.host_manager_without_database(), case["spec"], case, index)


def test_every_stock_class_is_known():
    """Of this Nova, and of the layer."""
    real_nova.configured({})
    assert {one.__name__ for one in filters.all_filters()} == set(RULES) == set(layer.FILTERS)
    assert {one.__name__ for one in weights.all_weighers()} == set(RAW)
    for one in filters.all_filters():
        assert one.run_filter_once_per_request is (one.__name__ in layer.ONCE_PER_REQUEST)


def test_every_stock_class_is_as_it_was_tested():
    """In a release of which this fails: read what changed, run this file, then add the new digests."""
    found = {one.__name__: untested(one) for one in (*filters.all_filters(), *weights.all_weighers())}
    assert {name: parts for name, parts in found.items() if parts} == {}
    parts = {"nova.servicegroup.api", "nova.servicegroup.drivers.db", "nova.filters", "nova.weights"}
    own = (*filters.all_filters(), *weights.all_weighers(), filters.BaseHostFilter, weights.BaseHostWeigher)
    parts |= {one.__module__ for one in own} | {part for part in TESTED if ":" in part}
    assert parts | {f"nova.scheduler.filters.{name}" for name in ("utils", "extra_specs_ops")} == set(TESTED)


@pytest.fixture
def another_release(tmp_path, monkeypatch):
    """Nova with other words in one of its modules: another_release("nova.scheduler.weights.cpu", "return", "yield")."""

    def rewrite(name, words, others):
        source = inspect.getsource(importlib.import_module(name))
        assert words in source
        path = tmp_path / f"{name.rpartition('.')[2]}.py"
        path.write_text(source.replace(words, others))
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        package, _, last = name.rpartition(".")
        monkeypatch.setattr(sys.modules[package], last, module)
        spec.loader.exec_module(module)

    return rewrite


def test_a_class_that_another_release_wrote_anew_is_asked_about_every_host(another_release, caplog):
    """Its filter and its weigher read what they did not read before, so that hosts of one group differ."""
    rng = random.Random("another release")
    case = many_hosts(rng, 30, 30)
    case["spec"] = {"flavor": random_nova.flavor(rng) | {"extra_specs": {}}, "instance_uuid": "new"}
    for number, row in enumerate(case["hosts"]):
        row |= {"num_io_ops": 3, "num_instances": number}
    another_release(
        "nova.scheduler.filters.io_ops_filter", "num_io_ops <", "num_io_ops + host_state.num_instances % 9 <"
    )
    another_release("nova.scheduler.weights.cpu", "host_state.vcpus_used", "host_state.num_instances")
    stock, ours = both(case, ["IoOpsFilter", "NumInstancesFilter"])
    assert ours == stock
    assert 0 < len(stock[0]) < 30
    said = [record.getMessage() for record in caplog.records if "not as they were tested" in record.getMessage()]
    assert "IoOpsFilter (nova.scheduler.filters.io_ops_filter)" in said[0]
    assert "CPUWeigher (nova.scheduler.weights.cpu)" in said[1]
    assert all("this nova 3" in one and "NumInstances" not in one for one in said)


def test_a_part_that_all_share_counts_for_all(another_release):
    another_release("nova.scheduler.filters.utils", "host_state.aggregates", "list(host_state.aggregates)")
    assert untested(filters.all_filters()[0]) == ["nova.scheduler.filters.utils"]
    assert untested(weights.all_weighers()[0]) == []


def test_comments_do_not_count_and_a_source_that_is_not_there_does(another_release, monkeypatch):
    one = next(one for one in weights.all_weighers() if one.__name__ == "RAMWeigher")
    another_release("nova.scheduler.weights.ram", "CONF = ", "# a word\n\nCONF = ")
    assert untested(one) == []
    monkeypatch.delattr(sys.modules["nova.scheduler.weights.ram"], "__file__")
    assert untested(one) == ["nova.scheduler.weights.ram"]


@pytest.mark.parametrize("seed", range(60))
def test_same_hosts_and_weights_as_stock(seed):
    """Any set of filters in any order, all weighers, some hundred random hosts and requests, bit for bit."""
    rng = random.Random(f"nova plug-in {seed}")
    case = many_hosts(rng, 0, 40)
    enabled = rng.sample(sorted(RULES), rng.choice((1, 3, 6)))
    try:
        real_nova.request_spec(case["spec"])
    except Exception:  # flavor and image contradict each other: it never comes to the scheduler
        case["spec"] = {**case["spec"], "image": None, "flavor": case["spec"]["flavor"] | {"extra_specs": {}}}
    stock, ours = both(case, enabled, index=rng.choice((0, 0, 1)))
    assert ours == stock, f"seed {seed}, {enabled}"
    assert isinstance(stock[0], list), f"seed {seed}: nothing was compared, {stock[0]}"


@pytest.mark.parametrize("name", sorted(RULES))
def test_each_filter_alone(name):
    """Every filter, with requests that it can reject hosts for; over all of them it must reject some."""
    rejected = answered = 0
    for seed in range(12):
        rng = random.Random(f"nova filter {name} {seed}")
        case = many_hosts(rng, 10, 20)
        case["spec"].pop("force_hosts", None)
        case["spec"].pop("requested_destination", None)
        case["spec"].pop("ignore_hosts", None)
        wish(rng, name, case)
        try:
            real_nova.request_spec(case["spec"])
        except Exception:
            continue
        stock, ours = both(case, [name])
        assert ours == stock, f"{name}, seed {seed}"
        answered += isinstance(stock[0], list)
        rejected += isinstance(stock[0], list) and len(stock[0]) < len(case["hosts"])
    assert answered
    assert (rejected > 0) is (name != "AllHostsFilter")


def wish(rng, name, case):
    """Make a request ask what a filter looks at."""
    spec = case["spec"]
    plain = random_nova.flavor(rng) | {"extra_specs": {}}
    hints = {"SameHostFilter": "same_host", "DifferentHostFilter": "different_host"}
    if name in hints:
        spec["scheduler_hints"] = {hints[name]: rng.choice((["i0", "i3"], ["i1"]))}
    elif name == "JsonFilter":
        spec["scheduler_hints"] = {"query": '["and", [">=", "$free_ram_mb", 4096], ["=", "$hypervisor_type", "QEMU"]]'}
    elif name == "SimpleCIDRAffinityFilter":
        spec["scheduler_hints"] = {"build_near_host_ip": "10.0.0.7"}
    elif name.startswith("ServerGroup"):
        policy = "affinity" if "Anti" not in name else "anti-affinity"
        spec["group"] = {"policy": policy, "members": ["i0", "i1", "new"], "hosts": ["host3", "host5"]}
    elif name == "ComputeCapabilitiesFilter":
        spec["flavor"] = plain | {"extra_specs": {"capabilities:hypervisor_type": "QEMU", "num_io_ops": "<= 5"}}
    elif name == "AggregateInstanceExtraSpecsFilter":
        spec["flavor"] = plain | {"extra_specs": {"ssd": "true"}}
    elif name == "ImagePropertiesFilter":
        spec["image"] = {"properties": {"hw_architecture": "x86_64", "img_hv_requested_version": ">=6.0,<8"}}
    elif name == "AggregateImagePropertiesIsolation":
        spec["image"] = {"properties": {"hw_architecture": "aarch64"}}
        case["aggregates"].append({"name": "x", "uuid": real_nova.DEFAULT_IMAGE, "metadata": {"hw_architecture": "x"}})
        case["hosts"][0]["aggregates"].append("x")
    elif name == "NUMATopologyFilter":
        spec["flavor"] = plain | {"extra_specs": {"hw:numa_nodes": "1", "hw:mem_page_size": "2048"}}
        spec["image"] = None
    elif name == "PciPassthroughFilter":
        spec["pci_requests"] = random_nova.pci_requests(rng)
    elif name == "MetricsFilter":
        case["config"]["metrics.weight_setting"] = ["cpu.frequency=1.0"]
        case["config"]["metrics.required"] = False
    elif name == "IsolatedHostsFilter":
        case["config"]["filter_scheduler.isolated_hosts"] = ["host1", "host2"]
    elif name.startswith("Aggregate"):
        metadata = {"filter_tenant_id": "q", "instance_type": "other", "max_io_ops_per_host": "3"}
        metadata["max_instances_per_host"] = "20"
        case["aggregates"].append({"name": "x", "uuid": real_nova.DEFAULT_IMAGE, "metadata": metadata})
        for row in case["hosts"][::2]:
            row["aggregates"].append("x")


def test_an_operators_own_classes_are_called_as_they_are():
    """At their place, only for the first instance if they say so, with their bounds and multipliers."""
    rng = random.Random("own classes")
    case = many_hosts(rng, 30, 30)
    case["spec"] = {"flavor": random_nova.flavor(rng) | {"extra_specs": {}}, "instance_uuid": "new"}
    own = [*EVERY, "tests.plugins.test_nova_plugin.LongNames"]
    available = [*AVAILABLE, "tests.plugins.test_nova_plugin.OddFilter"]
    for index in (0, 1):
        real_nova.configured(
            {},
            filter_scheduler__available_filters=available,
            filter_scheduler__enabled_filters=["OddFilter", "IoOpsFilter"],
            filter_scheduler__weight_classes=own,
        )
        stock = outcome(real_nova.host_manager_without_database(), case["spec"], case, index)
        real_nova.configured(
            {},
            filter_scheduler__available_filters=available,
            filter_scheduler__enabled_filters=["BinwrightFilter"],
            filter_scheduler__weight_classes=[PLUGIN + "BinwrightWeigher"],
            binwright__enabled_filters=["OddFilter", "IoOpsFilter"],
            binwright__weight_classes=own,
        )
        made = real_nova.host_manager_without_database()
        assert made.enabled_filters[0].left_alone == ["OddFilter"]
        assert made.weighers[0].left_alone == ["LongNames"]
        assert outcome(made, case["spec"], case, index) == stock
        assert (len(stock[0]) <= 15) is (index == 0)


def test_a_rebuild_asks_only_the_filters_that_look_at_one():
    rng = random.Random("rebuild")
    case = many_hosts(rng, 12, 12)
    case["spec"] = {
        "flavor": random_nova.flavor(rng) | {"extra_specs": {}},
        "image": {"properties": {"hw_architecture": "aarch64"}},
        "instance_uuid": "i0",
        "scheduler_hints": {"_nova_check_type": ["rebuild"]},
    }
    for enabled in (["ComputeFilter", "IoOpsFilter"], ["ComputeFilter", "ImagePropertiesFilter"]):
        stock, ours = both(case, enabled)
        assert ours == stock
        assert (len(stock[0]) == 12) is ("ImagePropertiesFilter" not in enabled)


def test_the_filter_need_not_run_again_where_none_of_its_filters_does():
    real_nova.configured({}, filter_scheduler__available_filters=AVAILABLE)
    one = BinwrightFilter()
    assert one.run_filter_for_index(0)
    assert one.run_filter_for_index(1)  # the server group filters of the default list
    real_nova.configured(
        {}, filter_scheduler__available_filters=AVAILABLE, binwright__enabled_filters=["ComputeFilter"]
    )
    assert not BinwrightFilter().run_filter_for_index(1)


@pytest.mark.parametrize("names", [["ComputeFilter", "NoSuchFilter"], ["BinwrightFilter"]])
def test_a_filter_that_there_is_not_is_refused_when_the_scheduler_starts(names):
    real_nova.configured(
        {}, filter_scheduler__available_filters=AVAILABLE, filter_scheduler__enabled_filters=["BinwrightFilter"],
        binwright__enabled_filters=names,
    )  # fmt: skip
    with pytest.raises(exception.SchedulerHostFilterNotFound, match=rf"{names[-1]} \(of \[binwright\] enabled_filters"):
        real_nova.host_manager_without_database()


def test_a_weigher_that_stands_for_itself_is_refused_when_the_scheduler_starts():
    real_nova.configured({}, binwright__weight_classes=[PLUGIN + "BinwrightWeigher"])
    with pytest.raises(cfg.ConfigFileValueError, match="cannot stand for itself"):
        BinwrightWeigher()


def test_the_scheduler_chooses_the_same_hosts_for_several_instances():
    """The whole loop: hosts are consumed between instances, groups grow, alternates follow."""
    placed = 0
    for seed in range(25):
        rng = random.Random(f"schedule {seed}")
        case = many_hosts(rng, 8, 16) | {"instance_uuids": ["new", "new2", "new3"][: rng.randint(1, 3)]}
        case["config"].pop("metrics.weight_setting", None)
        case["spec"]["flavor"] = random_nova.flavor(rng) | {"extra_specs": {}}
        case["spec"]["image"] = None
        case["spec"].pop("requested_destination", None)
        got = []
        for mine in (False, True):
            names = ["BinwrightFilter"] if mine else list(random_nova.ENABLED)
            weighers = [PLUGIN + "BinwrightWeigher"] if mine else EVERY
            real_nova.configured(
                case,
                filter_scheduler__available_filters=AVAILABLE,
                filter_scheduler__enabled_filters=names,
                filter_scheduler__weight_classes=weighers,
                binwright__enabled_filters=list(random_nova.ENABLED),
            )
            got.append(real_nova.schedule(case))
        assert got[0] == got[1], f"seed {seed}"
        placed += len(got[0][0])
    assert placed > 20


def test_a_host_without_numbers_fails_as_in_stock():
    """A compute node that has never reported has no allocation ratio."""
    rng = random.Random("no ratio")
    case = many_hosts(rng, 5, 5)
    case["hosts"][3]["cpu_allocation_ratio"] = None
    case["spec"] = {"flavor": random_nova.flavor(rng) | {"extra_specs": {}}, "instance_uuid": "new"}

    def states(_case):
        found = made_states(_case)
        found[3].cpu_allocation_ratio = None
        return found

    made_states = real_nova.host_states
    case["hosts"][3]["cpu_allocation_ratio"] = 1.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(real_nova, "host_states", states)
        stock, ours = both(case, ["AllHostsFilter"])
    assert ours == stock
    assert stock[1] == ["TypeError"]
