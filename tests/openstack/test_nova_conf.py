"""A nova.conf: what is read of it, what is left out and told, and what it changes for `place`."""

import pytest

from binwright.errors import InputError
from binwright.openstack.nova.conf import PLAIN_CONF, read_conf
from binwright.openstack.nova.options import ENABLED_FILTERS
from binwright.openstack.place import place_source
from tests.openstack.clouds import blobs, changed, small_cloud


@pytest.fixture
def conf(tmp_path):
    """conf(text) is the path of a nova.conf."""

    def write(text):
        path = tmp_path / "nova.conf"
        path.write_text(text)
        return str(path)

    return write


def test_without_a_file_novas_defaults():
    assert read_conf(None) is PLAIN_CONF
    assert (PLAIN_CONF.enabled, PLAIN_CONF.config, PLAIN_CONF.given) == (ENABLED_FILTERS, {}, False)


def test_what_is_read(conf):
    found = read_conf(
        conf(
            "# a comment\n[DEFAULT]\ndebug = true\n\n[filter_scheduler]\nenabled_filters = ComputeFilter,\n"
            "    JsonFilter , IoOpsFilter\ncpu_weight_multiplier: 2\nram_weight_multiplier = 1\n"
            "ram_weight_multiplier = -1.5\nmax_io_ops_per_host = 3\n; another\n"
            "[scheduler]\nlimit_tenants_to_placement_aggregate = True\n"
        )
    )
    assert found.given
    assert found.enabled == ("ComputeFilter", "JsonFilter", "IoOpsFilter")
    assert found.config == {
        "filter_scheduler.cpu_weight_multiplier": 2.0,
        "filter_scheduler.ram_weight_multiplier": -1.5,
        "filter_scheduler.max_io_ops_per_host": 3,
        "scheduler.limit_tenants_to_placement_aggregate": True,
    }
    assert found.left_out == ()


def test_what_is_left_out_is_told(conf):
    found = read_conf(
        conf(
            "[filter_scheduler]\nenabled_filters = ComputeFilter,MyFilter,MetricsFilter\nhost_subset_size = 3\n"
            "shuffle_best_same_weighed_hosts = false\n"
        )
    )
    assert found.enabled == ("ComputeFilter",)
    assert found.left_out == (
        ("nova.conf: filter_scheduler.host_subset_size", "host_subset_size = 3"),
        ("nova.conf: filter MyFilter", "it is not known"),
        ("nova.conf: filter MetricsFilter", "the input does not tell the metrics of hosts"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[pci]\nalias = {}\n", r"nova\.conf: \[pci\] alias: '\{\}' is no alias with a name, as JSON"),
        ("[scheduler]\nmax_attempts = many\n", r"nova\.conf: \[scheduler\] max_attempts: 'many' is no whole number"),
        (
            "[filter_scheduler]\ncpu_weight_multiplier = x\n",
            r"\[filter_scheduler\] cpu_weight_multiplier: 'x' is",
        ),
        ("[scheduler]\nnonsense\n", r"nova\.conf: line 2: 'nonsense' is neither a section nor an option"),
    ],
)
def test_bad_ones_are_one_line(conf, text, said):
    with pytest.raises(InputError, match=said):
        read_conf(conf(text))


def placed(files, path):
    return place_source("c1", blobs(files), nova_conf=path)


def test_weights_of_the_deployment(conf):
    path = conf("[filter_scheduler]\nram_weight_multiplier = -10\n")
    assert placed(small_cloud(), path).placed[0].host == "compute-1.example"
    assert placed(small_cloud(), None).placed[0].host == "compute-2.example"


def test_filters_of_the_deployment(conf):
    files = changed(small_cloud(), "aggregates.json", 1, "Properties", to={"filter_tenant_id": "somebody"})
    assert placed(files, None).placed[0].host == "compute-2.example"
    assert any("reserved for projects" in one.rule for one in placed(files, None).not_evaluated)
    path = conf("[filter_scheduler]\nenabled_filters = ComputeFilter,AggregateMultiTenancyIsolation\n")
    result = placed(files, path)
    assert result.placed[0].host == "compute-1.example"
    assert not any("reserved for projects" in one.rule for one in result.not_evaluated)


def test_a_group_filter_that_does_not_run_keeps_nobody_apart(conf):
    files = small_cloud()
    files["servers.json"] = files["servers.json"][:1]
    files["server_groups.json"] = [{"ID": "g", "Name": "g", "Policy": "anti-affinity", "Members": []}]
    files["requests.json"] = [{"name": "w", "flavor": "m1.small", "count": 3, "scheduler_hints": {"group": "g"}}]
    assert len(placed(files, None).placed) == 2
    assert len(placed(files, conf("[filter_scheduler]\nenabled_filters = ComputeFilter\n")).placed) == 3


def test_hints_count_where_their_filter_runs(conf):
    files = changed(small_cloud(), "servers.json", 1, "Scheduler Hints", to={"query": '["=", "$num_instances", 1]'})
    assert "scheduler hints" in {one.rule for one in placed(files, None).not_evaluated}
    result = placed(files, conf("[filter_scheduler]\nenabled_filters = ComputeFilter,JsonFilter\n"))
    assert result.placed[0].host == "compute-1.example"
    assert "scheduler hints" not in {one.rule for one in result.not_evaluated}


def test_more_hosts_than_nova_would_look_at(conf):
    notes = placed(small_cloud(), conf("[scheduler]\nmax_placement_results = 1\n")).notes
    text = "Nova asks Placement for 1 candidates ([scheduler] max_placement_results); here all of 2 hosts are looked at"
    assert text in notes
    assert text not in placed(small_cloud(), None).notes
