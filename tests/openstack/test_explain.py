"""`explain` of one server: each host's word, the smallest change that is enough, and Nova's own filter trail."""

import random

import pytest

from binwright.errors import InputError
from binwright.openstack.explain import open_source
from binwright.openstack.place import place_cloud
from binwright.stack.explain import explain_named
from binwright.stack.sources import Source
from binwright.verdict import Verdict
from tests.openstack import random_dumps
from tests.openstack.clouds import COMPUTE_1, COMPUTE_2, blobs, changed, read, small_cloud


def explained(files, name, best=5):
    opened = open_source("c1", blobs(files))
    number = next(number for number, one in enumerate(opened.objects()) if one.name == name)
    return opened.explain(number, best)


def test_a_pending_server():
    found = explained(small_cloud(), "web")
    assert (found.state, found.on, found.supposes) == ("pending", None, "at its turn, the first in the queue")
    assert found.asked == {"DISK_GB": 20, "MEMORY_MB": 2048, "VCPU": 2}
    assert found.outcome.host == "compute-2.example"
    assert [answer.feasible for answer in found.hosts] == [True, True]
    first, second = found.best
    assert (first.host, first.rank, first.total) == ("compute-2.example", 1, pytest.approx(3.0))
    assert {part.name for part in second.parts} == {"CPUWeigher", "RAMWeigher", "DiskWeigher", "NumInstancesWeigher"}
    for score in found.best:
        assert sum(part.weight * part.normalised for part in score.parts) == pytest.approx(score.total)
    assert "alternates that Nova would hand on: compute-1.example" in found.notes


def test_the_trail_is_novas():
    files = changed(small_cloud(), "hypervisors.json", 0, "State", to="down")
    files["hypervisors.json"][1]["State"] = "down"
    found = explained(files, "web")
    assert [(step.name, step.start, step.end) for step in found.trail] == [("ComputeFilter", 2, 0)]
    uuid = found.outcome.uid
    assert found.log == [
        "Starting with 2 host(s)",
        "Filter ComputeFilter returned 0 hosts",
        f"Filtering removed all hosts for the request with instance ID '{uuid}'. "
        "Filter results: ['ComputeFilter: (start: 2, end: 0)']",
    ]


def test_no_candidate_is_said_as_nova_says_it():
    files = changed(small_cloud(), "flavors.json", 0, "VCPUs", to=17)
    found = explained(files, "web")
    assert found.trail == []
    assert found.log == [
        "Got no allocation candidates from the Placement API. This could be due to insufficient resources or a "
        "temporary occurrence as compute nodes start up."
    ]
    assert found.notes[0].startswith("Placement is asked: GET /allocation_candidates?")
    assert found.outcome.verdict is Verdict.UNRESOLVABLE


def test_shortfall_and_smallest_change_of_each_host():
    files = changed(small_cloud(), f"allocations/{COMPUTE_1}.json", "allocations", to={})
    files[f"allocations/{COMPUTE_1}.json"]["allocations"]["x"] = {"resources": {"MEMORY_MB": 64000}}
    files[f"allocations/{COMPUTE_2}.json"]["allocations"]["x"] = {"resources": {"VCPU": 64}}
    first, second = explained(files, "web").hosts
    assert [(one.resource, one.asked, one.free, one.missing) for one in first.shortfalls] == [
        ("MEMORY_MB", 2048, 1024, 1024)
    ]
    assert first.resolvable
    assert (first.smallest_change["kind"], first.smallest_change["have"]) == ("request", 1024)
    assert (second.smallest_change["kind"], second.smallest_change["need"]) == ("host", 66)


def test_a_server_that_runs_is_taken_out_first():
    files = changed(small_cloud(), "flavors.json", 0, "VCPUs", to=16)
    row = files[f"allocations/{COMPUTE_1}.json"]["allocations"]
    (own,) = row
    row[own]["resources"]["VCPU"] = 16
    files[f"inventories/{COMPUTE_1}.json"][0]["allocation_ratio"] = 1.0
    found = explained(files, "db")
    assert (found.state, found.on) == ("bound", "compute-1.example")
    assert all(answer.feasible for answer in found.hosts)
    assert "compute-1.example" in {score.host for score in found.best}
    assert {score.host for score in explained(files, "db", best=1).best} >= {"compute-1.example"}


def test_a_flavor_stands_for_one_more_server_of_it():
    """What waits is not placed before it; no host has the trait, and none is guessed to be nearly enough."""
    found = explained(small_cloud(), "m1.small")
    assert (found.state, found.on, found.outcome.host) == ("a flavor", None, "compute-2.example")
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"trait:CUSTOM_H100": "required"})
    found = explained(files, "m1.small")
    assert (found.outcome.verdict, found.outcome.message) == (
        Verdict.UNRESOLVABLE,
        "No valid host was found: 0/2 hosts: 2 without trait CUSTOM_H100",
    )
    assert [[rule.rule for rule in answer.rejected_by] for answer in found.hosts] == [["required"], ["required"]]


def test_a_flavor_is_meant_where_no_server_has_its_name():
    files = small_cloud()
    sources = [Source("c1", "openstack", blobs(files))]
    assert explain_named("m1.small", sources).explained.state == "a flavor"
    files["servers.json"][0]["Name"] = "m1.small"
    sources = [Source("c1", "openstack", blobs(files))]
    assert explain_named("m1.small", sources).explained.state != "a flavor"
    with pytest.raises(InputError, match="m9: no object of this name"):
        explain_named("m9", sources)


def test_earlier_servers_are_placed_first():
    files = changed(small_cloud(), "requests.json", to=[{"name": "w", "flavor": "m1.small", "count": 2}])
    found = explained(files, "w-2")
    assert found.supposes == "at its turn, after 2 servers in the queue before it (2 placed)"
    placed = {one.name: one.host for one in place_cloud(read(files)).placed}
    assert found.outcome.host == placed["w-2"]


def test_a_filter_that_cannot_compare_is_one_line():
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"capabilities:hypervisor_type": ">= 3"})
    with pytest.raises(
        InputError, match=r"server web: not filtered: extra spec '>= 3': cannot be compared with 'QEMU'"
    ):
        explained(files, "web")
    (one,) = place_cloud(read(files)).unplaced
    assert one.verdict is Verdict.ERROR


@pytest.mark.parametrize("seed", range(30))
def test_explain_says_what_place_does(seed):
    """Every pending server, and every change that is offered for a single host of those without nested providers."""
    cloud = read(random_dumps.dump(random.Random(seed)))
    result = place_cloud(cloud)
    placed = {one.name: one for one in [*result.placed, *result.unplaced]}
    opened = open_source(cloud.name, blobs(random_dumps.dump(random.Random(seed))))
    for number, named in enumerate(opened.objects()):
        try:
            found = opened.explain(number, 2)
        except InputError:
            assert named.name not in placed or placed[named.name].verdict is Verdict.ERROR
            continue
        if named.name in placed:
            mine = placed[named.name]
            assert (found.outcome.verdict, found.outcome.host) == (mine.verdict, mine.host), f"seed {seed} {named.name}"
            assert found.outcome.score == pytest.approx(mine.score) if mine.host else True
            assert found.outcome.message == mine.message
        feasible = [answer for answer in found.hosts if answer.feasible]
        assert bool(feasible) == (found.outcome.host is not None)
        assert len(found.best) >= min(2, len(feasible))
        if found.trail:
            assert found.trail[-1].end == len(feasible)


def test_pinned_cpus_are_explained_by_the_nearer_query():
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"hw:cpu_policy": "dedicated"})
    files[f"inventories/{COMPUTE_1}.json"].append({"resource_class": "PCPU", "total": 1, "max_unit": 16})
    for uuid in (COMPUTE_1, COMPUTE_2):
        files[f"allocations/{uuid}.json"]["allocations"] = {"x": {"resources": {"VCPU": 63}}}
    texts = [[rule.text for rule in answer.rejected_by] for answer in explained(files, "web").hosts]
    assert texts == [["short of PCPU (2 asked)"], ["short of VCPU (2 asked)"]]
    assert [answer.smallest_change["resource"] for answer in explained(files, "web").hosts] == ["PCPU", "VCPU"]


SIZES = {"VCPU": "VCPUs", "MEMORY_MB": "RAM", "DISK_GB": "Disk"}


def with_change(files, flavor, change):
    """The dump with a change carried out, None for one that this test cannot carry out."""
    name = change["resource"]
    if name not in SIZES:
        return None
    if change["kind"] == "request":
        (row,) = [row for row in files["flavors.json"] if row["Name"] == flavor]
        if row["Swap"]:
            return None
        row[SIZES[name]] = change["have"]
        return files
    root = next(row["ID"] for row in files["hypervisors.json"] if row["Hypervisor Hostname"] == change["host"])
    for row in files[f"inventories/{root}.json"]:
        if row["resource_class"] == name:
            row["total"] = row["reserved"] + -int(-change["need"] // row["allocation_ratio"])
            return files
    return None


def scarce(seed):
    """A flat cloud whose first pending server asks for more of one thing than it is likely to get."""
    rng = random.Random(seed)
    files = random_dumps.dump(rng, flat=True)
    waiting = next(row for row in files["servers.json"] if row["Name"] == "p0")
    waiting["Availability Zone"] = ""
    (flavor,) = [row for row in files["flavors.json"] if row["Name"] == waiting["Flavor"]]
    flavor["Properties"] = {}
    flavor[rng.choice(tuple(SIZES.values()))] *= 7
    return files, flavor["Name"]


def test_changes_that_are_offered_are_enough():
    """Each change of an amount is carried out, and the host takes the server; a little less would not do."""
    tried = 0
    for seed in range(80):
        files, flavor = scarce(seed)
        opened = open_source("c", blobs(files))
        number = next(number for number, one in enumerate(opened.objects()) if one.name == "p0")
        for answer in opened.explain(number, 1).hosts:
            change = answer.smallest_change
            if change is None or change["kind"] == "rule":
                continue
            part, step = ("have", 1) if change["kind"] == "request" else ("need", -1)
            for short in (False, True):
                if short and change["resource"] == "DISK_GB":  # disks come in steps
                    continue
                after = with_change(scarce(seed)[0], flavor, change | {part: change[part] + step * short})
                if after is None:
                    continue
                again = open_source("c", blobs(after)).explain(number, 1).hosts
                host = next(one for one in again if one.host == answer.host)
                assert host.feasible == (not short), (seed, change, short)
                tried += 1
    assert tried > 40
