"""What-ifs by hand: each step changes what it says and nothing else, and results do not depend on who runs them."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import jsonschema
import pytest

from binwright.cli import stack_compare
from binwright.errors import InputError
from binwright.kubernetes.place import Options
from binwright.kubernetes.verify import verify_objects
from binwright.openstack.verify import verify_cloud
from binwright.schemas import schema
from binwright.stack.compare import compare
from binwright.stack.join import join
from binwright.stack.racks import Seat
from binwright.stack.scenario import AddCluster, Lose, Ratio, Repairs, Scenario, read_scenarios
from binwright.stack.what_happens import World, carried_out
from tests.stack.made import cloud, cluster, flavor, group, hypervisor, node, pod, server

TYPE = {"node_kubernetes_io__instance-type": "m1"}
SEATS = [Seat("h1", "r1", "az1", "racks.yaml"), Seat("h2", "r2", "az1", "racks.yaml")]


def sandwich(pods=None, policy="anti-affinity"):
    """Cluster k: n0 on s0@h1, n1 on s1@h2; a pod of 5 CPUs on each; hosts of 64 GiB with 16 taken."""
    nodes = [node(f"n{i}", provider=f"id-s{i}", **TYPE) for i in range(2)]
    if pods is None:
        pods = [pod(f"web-{i}", f"n{i}", "web", ("ReplicaSet", "web"), cpu="5") for i in range(2)]
    made = cloud(
        [server("s0", "h1"), server("s1", "h2"), server("other", "h1")],
        [hypervisor("h1", used_gib=32), hypervisor("h2", used_gib=16)],
        flavors=[flavor()],
        server_groups=[group("workers", policy, "s0", "s1")],
    )
    return join({"k": cluster(*nodes, *pods)}, {"north": made}, SEATS)


def numbers(*steps, shapes=()):
    result = compare(sandwich(), SEATS, [Scenario("changed", tuple(steps))], shapes)
    jsonschema.validate(result.to_dict(), schema("CompareResult"))
    return result.measured


def test_as_it_is_comes_first():
    first, _ = numbers(Repairs())
    assert (first.name, first.hosts, first.servers, first.nodes, first.pods) == ("as is", 2, 3, 2, 2)
    assert (first.pending, first.homeless, sum(first.findings.values())) == (0, 0, 0)
    cpu, memory = first.amounts["cpu"], first.amounts["memory"]
    assert (cpu.physical, cpu.offered, cpu.sold, cpu.requested) == (64000, 256000, 24000, 10000)
    assert (memory.physical, memory.offered) == (128 << 30, 128 << 30)


def test_a_lost_rack_takes_its_hosts_servers_and_nodes():
    """web-0 was on n0; n1 has 3 of 8 CPUs left."""
    _, lost = numbers(Lose("rack", "r1"))
    assert (lost.hosts, lost.servers, lost.nodes, lost.pods) == (1, 1, 1, 2)
    assert (lost.pending, lost.homeless, sum(lost.findings.values())) == (1, 1, 0)


def test_pods_without_a_controller_and_daemons_go_with_their_node():
    bare = pod("bare", "n0", "bare")
    del bare["metadata"]["ownerReferences"]
    made = sandwich([bare, pod("ds", "n0", "ds", ("DaemonSet", "ds")), pod("web", "n0", "web")])
    after = carried_out(World(made, SEATS), Scenario("x", (Lose("host", "h1"),))).sandwich
    assert [(one.metadata.name, one.spec.node_name) for one in after.clusters["k"].pods] == [("web", None)]


def test_an_added_cluster_is_placed_by_the_rules_of_the_cloud():
    """Its own group, so h1 and h2 again; 16 GiB each."""
    made = sandwich()
    after = carried_out(World(made, SEATS), Scenario("x", (AddCluster("k", "k2"),)))
    servers = {one.name: one.host for one in after.sandwich.clouds["north"].servers if one.name.startswith("k2")}
    assert set(servers) == {"k2-n0", "k2-n1"}
    assert set(servers.values()) == {"h1", "h2"}
    assert {place.at("host") for (name, _), place in after.sandwich.nodes.items() if name == "k2"} == {
        "north/h1",
        "north/h2",
    }
    assert {one.spec.node_name for one in after.sandwich.clusters["k2"].pods} == {"k2-n0", "k2-n1"}
    assert verify_cloud(after.sandwich.clouds["north"]).findings == []
    assert verify_objects("k2", after.sandwich.clusters["k2"], Options()).findings == []


def test_an_added_cluster_may_find_too_few_hosts():
    """Free are 32 GiB on h1 and 48 on h2. A second copy takes 16 on each, a third too, a fourth only h2's last 16."""
    steps = tuple(AddCluster("k", f"k{number}") for number in (2, 3, 4))
    _, more = numbers(*steps)
    assert (more.nodes, more.nodes_without_host, more.pending, more.homeless) == (7, 1, 1, 1)


def test_a_ratio_changes_what_is_offered_and_what_still_fits():
    """64 CPUs at 4.0; at 0.25 the two hosts offer 16, of which 8 and 8 are sold; a server of 8 fits nowhere more."""
    uuids = {name: f"00000000-0000-4000-8000-00000000000{number}" for number, name in enumerate(("h1", "h2"))}
    kinds = {"VCPU": (32, 4.0, 8), "MEMORY_MB": (65536, 1.0, 16384), "DISK_GB": (1000, 1.0, 20)}
    tables = {"providers": [{"uuid": uuid, "name": name, "parent_provider_uuid": None} for name, uuid in uuids.items()]}
    for number, uuid in enumerate(uuids.values()):
        tables[f"inventories/{uuid}"] = [
            {"resource_class": kind, "total": total, "allocation_ratio": ratio, "reserved": 0, "min_unit": 1,
             "max_unit": total, "step_size": 1}
            for kind, (total, ratio, _) in kinds.items()
        ]  # fmt: skip
        held = {f"id-s{number}": {"resources": {kind: used for kind, (_, _, used) in kinds.items()}}}
        tables[f"allocations/{uuid}"] = {"allocations": held}
    nodes = [node(f"n{i}", provider=f"id-s{i}", **TYPE) for i in range(2)]
    rows = [hypervisor(name) | {"ID": uuid} for name, uuid in uuids.items()]
    made = cloud([server("s0", "h1"), server("s1", "h2")], rows, flavors=[flavor()], **tables)
    made = join({"k": cluster(*nodes, pod("web", "n0", "web"))}, {"north": made}, SEATS)
    scenarios = [Scenario("less", (Ratio("VCPU", 0.25, None),)), Scenario("more", (Ratio("VCPU", 8.0, "north"),))]
    now, less, more = compare(made, SEATS, scenarios, ["cpu=8"]).measured
    assert [one.amounts["cpu"].offered for one in (now, less, more)] == [256000, 16000, 512000]
    assert [one.amounts["memory"].offered for one in (now, less, more)] == [128 << 30] * 3
    assert [one.rooms[0].new_nodes for one in (now, less, more)] == [6, 0, 6]  # memory ends it at 6
    assert [one.oversold_hosts for one in (now, less, more)] == [0, 0, 0]


def test_a_ratio_below_what_is_sold_names_the_hosts():
    """32 CPUs a host at 0.2 are 6, and a server of 8 stands on each; at 4.0 all is well."""
    uuids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(2)]
    tables = {"providers": [{"uuid": uuid, "name": f"h{n + 1}"} for n, uuid in enumerate(uuids)]}
    for number, uuid in enumerate(uuids):
        kinds = {"VCPU": (32, 4.0, 8), "MEMORY_MB": (65536, 1.0, 16384)}
        tables[f"inventories/{uuid}"] = [
            {"resource_class": kind, "total": total, "allocation_ratio": ratio, "reserved": 0, "min_unit": 1,
             "max_unit": total, "step_size": 1}
            for kind, (total, ratio, _) in kinds.items()
        ]  # fmt: skip
        held = {f"id-s{number}": {"resources": {kind: used for kind, (_, _, used) in kinds.items()}}}
        tables[f"allocations/{uuid}"] = {"allocations": held}
    rows = [hypervisor(f"h{n + 1}") | {"ID": uuid} for n, uuid in enumerate(uuids)]
    made = cloud([server("s0", "h1"), server("s1", "h2")], rows, flavors=[flavor()], **tables)
    made = join({"k": cluster(node("n0", provider="id-s0"), pod("web", "n0", "web"))}, {"north": made}, SEATS)
    found = compare(made, SEATS, [Scenario("less", (Ratio("VCPU", 0.2, None),))])
    jsonschema.validate(found.to_dict(), schema("CompareResult"))
    now, less = found.measured
    assert (now.oversold, less.oversold_hosts) == ([], 2)
    assert [(one.host, one.resource, one.capacity, one.used) for one in less.oversold] == [
        ("north/h1", "VCPU", 6, 8),
        ("north/h2", "VCPU", 6, 8),
    ]
    assert stack_compare.most_oversold(less) == "north/h1: 8 of 6 VCPU"
    assert [words for words, _ in stack_compare.lines(found) if "oversold" in words] == ["hosts oversold"]


def test_flavors_are_swapped_for_new_nodes_only(tmp_path):
    (tmp_path / "types.csv").write_text("name,vcpus,memory_mb,price\nhuge,32,49152,1\n")
    (tmp_path / "swap.yaml").write_text("steps: [{flavors: types.csv}]\n")
    scenarios = read_scenarios([str(tmp_path / "swap.yaml")])
    assert [one.name for one in scenarios] == ["swap"]
    first, swapped = compare(sandwich(policy="soft-anti-affinity"), SEATS, scenarios, ["cpu=5"]).measured
    assert (first.rooms[0].together, first.rooms[0].new_nodes) == (5, 5)  # 32 and 48 GiB are free, a node holds one
    assert (swapped.servers, swapped.amounts["cpu"].sold) == (3, 24000)
    assert (swapped.rooms[0].together, swapped.rooms[0].new_nodes) == (6, 1)  # 32 vCPUs hold six


def test_results_are_the_same_whoever_runs_them():
    scenarios = [Scenario("rack", (Lose("rack", "r2"),)), Scenario("more", (AddCluster("k", "k2"),))]
    here = compare(sandwich(), SEATS, scenarios, ["cpu=1"]).measured
    threads = compare(sandwich(), SEATS, scenarios, ["cpu=1"], ThreadPoolExecutor(2)).measured
    spawned = partial(ProcessPoolExecutor, 2, get_context("spawn"))
    assert here == threads == compare(sandwich(), SEATS, scenarios, ["cpu=1"], spawned).measured


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Lose("rack", "r9"), "scenario x: --lose rack=r9: no rack of this name"),
        (Ratio("VCPU", 2.0, None), "scenario x: north: no inventory of VCPU in the input, so no ratio to change"),
        (Ratio("VCPU", 2.0, "south"), "scenario x: ratio: no cloud south in the input"),
        (AddCluster("q", "k2"), "scenario x: addCluster: no cluster q in the input"),
        (AddCluster("k", "k"), "scenario x: addCluster: there is a source k already"),
    ],
)
def test_what_is_not_there_is_one_line(step, line):
    with pytest.raises(InputError) as refusal:
        compare(sandwich(), SEATS, [Scenario("x", (step,))])
    assert str(refusal.value) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("steps: [{lose: {rack: a, host: b}}]", "steps[0]: lose: one of host, rack, zone is wanted, there are 2"),
        ("steps: [{}]", "steps[0]: one of lose, ratio, addCluster, flavors, repairs is wanted, there are 0"),
        ("steps: [{ratio: {resource: VCPU, value: -1}}]", "steps[0]: ratio: -1.0 is no allocation ratio"),
    ],
)
def test_a_scenario_that_says_nothing_sensible_is_one_line(tmp_path, text, line):
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as refusal:
        read_scenarios([str(file)])
    assert str(refusal.value) == f"{file}: {line}"


def test_names_are_told_apart(tmp_path):
    (tmp_path / "s.yaml").write_text("name: a\nsteps: [{repairs: true}]\n---\nname: a\nsteps: [{repairs: true}]\n")
    with pytest.raises(InputError, match="scenario a: this name stands twice"):
        read_scenarios([str(tmp_path / "s.yaml")])
