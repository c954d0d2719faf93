"""Repairs: the cheapest step that both layers let, applied and audited again; none where none helps."""

import pytest

from binwright.cli import stack_audit_report
from binwright.stack.audit import audit
from binwright.stack.commands import command, comment, given, label_node, named
from binwright.stack.join import host_id, join
from binwright.stack.racks import Seat
from binwright.stack.whatif import with_repairs
from tests.stack.made import apart, cloud, cluster, group, node, pod, server, spread

FLAVOR = {
    "id": "f",
    "original_name": "m1",
    "vcpus": 8,
    "ram": 16384,
    "disk": 0,
    "ephemeral": 0,
    "swap": 0,
    "extra_specs": {},
}


def sandwich(
    pods, on=("h1", "h1", "h2", "h3"), cpu="8", vcpus_used=8, state="ACTIVE", kind="QEMU", memory_used=16, more=None,
    groups=(),
):  # fmt: skip
    """Nodes n0.. on servers s0.. on these hosts; hosts of 32 CPUs and 128 GiB, of which `vcpus_used` and `memory_used`
    are used, the latter perhaps by host. more: flavors of some servers.
    """
    used = memory_used if isinstance(memory_used, dict) else dict.fromkeys(on, memory_used)
    nodes = [node(f"n{i}", provider=f"id-s{i}", cpu=cpu) for i in range(len(on))]
    for one in nodes:
        one["metadata"]["labels"]["topology.openstack.org/host-id"] = host_id("p", on[int(one["metadata"]["name"][1:])])
    flavors = [(more or {}).get(f"s{i}", FLAVOR) for i in range(len(on))]
    servers = [server(f"s{i}", host, Flavor=flavors[i], Status=state) for i, host in enumerate(on)]
    hosts = [
        {
            "ID": name, "Hypervisor Hostname": name, "Hypervisor Type": kind,
            "vCPUs": 32, "vCPUs Used": vcpus_used, "Memory MB": 131072,
            "Memory MB Used": 1024 * used[name], "Local GB": 100, "Local GB Used": 0,
            "State": "up", "Status": "enabled",
        }
        for name in sorted(set(on))
    ]  # fmt: skip
    return join({"k": cluster(*nodes, *pods)}, {"north": cloud(servers, hosts, server_groups=list(groups))})


def steps(made, **more):
    (finding,) = audit(made, **more).findings
    return [(one.action, one.object.name, one.from_host, one.to_host) for one in finding.repairs]


@pytest.mark.parametrize("wish", [spread("web"), apart("web")], ids=["spread", "apart"])
def test_a_pod_moves_to_a_host_that_holds_none(wish):
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **wish) for i in range(3)]
    made = sandwich(pods)
    (finding,) = audit(made).findings
    (step,) = finding.repairs
    assert (step.action, step.from_host, step.to_host, step.checked) == ("movePod", "n0", "n3", ("kube-scheduler",))
    assert step.cost == 64 * 2**20
    assert step.commands[0] == "kubectl --context k cordon n0"
    assert "kubectl --context k delete pod -n default web-1-0" in step.commands
    pods[0]["spec"]["nodeName"] = step.to_host
    assert audit(sandwich(pods)).findings == []


def test_a_server_moves_where_that_is_cheaper():
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **apart("web")) for i in range(3)]
    made = sandwich(pods)
    assert steps(made, costs={"pod": 5, "migrate": 3}) == [("liveMigrate", "s0", "h1", "h3")]
    assert steps(made, costs={"pod": 3, "migrate": 5}) == [("movePod", "web-1-0", "n0", "n3")]


def test_a_server_moves_where_no_node_takes_the_pod():
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="5", **apart("web")) for i in range(3)]
    pods.append(pod("full", "n3", "full", cpu="4"))
    made = sandwich(pods)
    (finding,) = audit(made).findings
    (step,) = finding.repairs
    assert (step.action, step.object.name, step.to_host, step.checked) == (
        "liveMigrate",
        "s0",
        "h3",
        ("nova", "placement"),
    )
    assert step.commands == (
        "openstack --os-cloud north --os-compute-api-version 2.30 server migrate --live-migration --host h3 id-s0",
        f"kubectl --context k label node --overwrite n0 topology.openstack.org/host-id={host_id('p', 'h3')}",
    )


def test_static_members_of_a_quorum_move_with_their_servers_until_one_loss_is_survived():
    pods = [pod(f"etcd-n{i}", f"n{i}", "x", ("Node", f"n{i}")) for i in range(3)]
    for one in pods:
        one["metadata"]["labels"]["component"] = "etcd"
    made = sandwich(pods, on=("h1", "h1", "h1", "h2", "h3"))
    assert steps(made) == [("liveMigrate", "s0", "h1", "h2"), ("liveMigrate", "s1", "h1", "h3")]


def test_nothing_is_proposed_where_nothing_helps():
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="5", **apart("web")) for i in range(3)]
    assert steps(sandwich(pods, on=("h1", "h1", "h2"))) == []


def test_a_host_that_nova_refuses_is_not_proposed():
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="5", **apart("web")) for i in range(3)]
    pods.append(pod("full", "n3", "full", cpu="4"))
    assert steps(sandwich(pods, vcpus_used=1000)) == []


def test_a_step_that_makes_another_finding_is_not_proposed():
    """n3's host holds the one other member of a pair that may not share it with what s0 carries."""
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="5", **apart("web")) for i in range(3)]
    pods.append(pod("full", "n3", "full", cpu="3"))
    pods += [
        pod(f"pair-{i}", name, "pair", ("ReplicaSet", "pair"), **apart("pair")) for i, name in enumerate(["n0", "n3"])
    ]
    assert steps(sandwich(pods)) == [("liveMigrate", "s1", "h1", "h3")]


def test_a_pod_that_a_disruption_budget_keeps_is_not_moved():
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **apart("web")) for i in range(3)]
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "default"},
        "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"desiredHealthy": 3, "currentHealthy": 3, "disruptionsAllowed": 0, "expectedPods": 3},
    }
    assert steps(sandwich([*pods, budget])) == [("liveMigrate", "s0", "h1", "h3")]
    budget["status"] |= {"desiredHealthy": 2, "disruptionsAllowed": 1}
    assert steps(sandwich([*pods, budget])) == [("movePod", "web-1-0", "n0", "n3")]


@pytest.mark.parametrize(
    ("state", "kind", "found"),
    [
        ("ACTIVE", "QEMU", [("liveMigrate", "s0", "h1", "h3")]),
        ("SHUTOFF", "QEMU", [("addNode", "k-new-0", None, "h3"), ("movePod", "web-1-0", "n0", "k-new-0")]),
        ("ACTIVE", "ironic", [("addNode", "k-new-0", None, "h3"), ("movePod", "web-1-0", "n0", "k-new-0")]),
    ],
)
def test_only_what_runs_on_a_hypervisor_migrates_alive(state, kind, found):
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="5", **apart("web")) for i in range(3)]
    pods.append(pod("full", "n3", "full", cpu="4"))
    assert steps(sandwich(pods, state=state, kind=kind)) == found


def test_a_node_is_added_where_nothing_else_helps():
    """The nodes are full and no host has room for a migration of 16 GiB, but h3 has one for a node of 8 GiB."""
    small = FLAVOR | {"id": "g", "original_name": "m0", "vcpus": 6, "ram": 8192}
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="5", **apart("web")) for i in range(3)]
    full = [pod(f"full-{i}", f"n{i}", "full", cpu="4") for i in (3, 4)]
    made = sandwich(
        [*pods, *full],
        on=("h1", "h1", "h2", "h3", "h3"),
        memory_used={"h1": 124, "h2": 124, "h3": 116},
        more={"s4": small},
    )
    (finding,) = audit(made).findings
    add, move = finding.repairs
    assert (add.action, str(add.object), add.from_host, add.to_host, add.checked) == (
        "addNode", "Node k/k-new-0", None, "h3", ("nova", "placement"),
    )  # fmt: skip
    assert add.cost == 8 * 2**30
    assert (move.action, move.object.name, move.from_host, move.to_host) == ("movePod", "web-1-0", "n0", "k-new-0")
    assert add.commands[2] == "openstack --os-cloud north server create --flavor m0 k-new-0"
    assert audit(with_repairs(made, finding.repairs)).findings == []


def test_a_node_is_added_where_that_is_cheapest():
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **apart("web")) for i in range(3)]
    made = sandwich(pods)
    told = steps(made, costs={"pod": 5, "migrate": 30, "node": 10})
    assert told == [("movePod", "web-1-0", "n0", "n3")], "a node wants a pod moved, too"
    assert steps(made, costs={"pod": 1, "migrate": 3, "node": 10}) == [("movePod", "web-1-0", "n0", "n3")]
    pods.append(pod("full", "n3", "full", cpu="8"))
    made = sandwich(pods)
    assert steps(made, costs={"pod": 1, "migrate": 30, "node": 10}) == [
        ("addNode", "k-new-0", None, "h3"), ("movePod", "web-1-0", "n0", "k-new-0"),
    ]  # fmt: skip
    assert steps(made, costs={"pod": 1, "migrate": 3, "node": 10}) == [("liveMigrate", "s0", "h1", "h3")]


def test_the_host_of_a_new_node_is_asked_for_where_nova_would_take_another():
    """h1, which holds a member, has the most memory left."""
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **apart("web")) for i in range(3)]
    pods.append(pod("full", "n3", "full", cpu="8"))
    made = sandwich(pods, memory_used={"h1": 16, "h2": 64, "h3": 64})
    (finding,) = audit(made, costs={"pod": 1, "migrate": 30, "node": 10}).findings
    assert (finding.repairs[0].to_host, finding.repairs[0].new.grown.requested) == ("h3", True)
    assert finding.repairs[0].commands[1:3] == (
        "# of project p; host h3 is asked for, which Nova lets administrators only and judges by all its rules",
        "openstack --os-cloud north --os-compute-api-version 2.74 server create --flavor m1 --host h3 k-new-0",
    )


def test_a_server_group_keeps_a_new_node_off():
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **apart("web")) for i in range(3)]
    pods.append(pod("full", "n3", "full", cpu="8"))
    rule = [group("workers", "anti-affinity", *(f"s{i}" for i in range(4)))]
    assert steps(sandwich(pods, groups=rule), costs={"pod": 1, "migrate": 1000, "node": 10}) == []


def test_a_quorum_of_static_pods_gets_no_node():
    """Nothing makes a static pod anew on another node."""
    pods = [pod(f"etcd-n{i}", f"n{i}", "x", ("Node", f"n{i}")) for i in range(3)]
    for one in pods:
        one["metadata"]["labels"]["component"] = "etcd"
    made = sandwich(pods, on=("h1", "h1", "h1", "h2", "h3"))
    assert {action for action, *_ in steps(made, costs={"pod": 1, "migrate": 1000, "node": 1})} == {"liveMigrate"}


def test_a_step_that_overcommits_another_host_is_not_proposed():
    """h4 is overcommitted already, which does not make it right to overcommit h3 as well."""
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **apart("web")) for i in range(3)]
    pods += [pod(f"big-{i}", "n3", "big", cpu="8", owner=("ReplicaSet", "big")) for i in range(3)]
    pods += [pod(f"huge-{i}", "n4", "huge", cpu="9", owner=("ReplicaSet", "huge")) for i in range(4)]
    where = ("h1", "h1", "h2", "h3", "h4")
    (finding, other) = audit(sandwich(pods, on=where, cpu="64")).findings
    assert other.kind == "overcommit"
    assert [(one.action, one.to_host) for one in finding.repairs] == [("movePod", "n3")]  # 24 of its 32 CPUs are asked
    pods[3]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "16"
    (finding, _) = audit(sandwich(pods, on=where, cpu="64")).findings
    assert finding.repairs == []


@pytest.mark.parametrize("most", [0, 1])
def test_repairs_are_looked_for_as_often_as_asked(most):
    pods = [pod(f"{app}-{i}", f"n{i}", app, ("ReplicaSet", app), **apart(app)) for app in "ab" for i in range(3)]
    found = audit(sandwich(pods), most=most)
    assert [bool(one.repairs) for one in found.findings] == [number < most for number in range(2)]
    told = {one.rule: one.objects for one in found.not_evaluated}
    assert told[f"repairs of more than {most} (--repairs N)"] == 2 - most
    assert [one.sought for one in found.findings] == [number < most for number in range(2)]
    assert found.not_sought == found.to_dict()["summary"]["repairsNotSought"] == 2 - most
    pasted = stack_audit_report.commands(found).splitlines()
    which = f"the {most} worst of 2 findings that moving things may mend"
    assert pasted[1] == f"# Repairs were looked for of {which}; --repairs 2 looks for all."
    assert pasted.count("# repairs were not looked for") == 2 - most


def test_names_that_look_like_options_are_names():
    """Server names are free text; a value of an option keeps to its word."""
    assert command("kubectl", "cordon", *named("--all")) == "kubectl cordon -- --all"
    assert command("openstack", *given("--os-cloud", "-x"), "server", *named("a")) == "openstack --os-cloud=-x server a"
    assert label_node("k", "-n0", "a", "b") == "kubectl --context k label node --overwrite -- -n0 a=b"
    assert comment("two\nlines \u202e turned") == "# two lines   turned"


def test_steps_over_racks_go_on_until_the_spread_holds():
    """Three members in rack r1, one in each of two steps to r2 and r3; the rest of the hazard is the same hazard."""
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="5", **apart("web", "binwright.io/rack")) for i in range(3)]
    nodes = [node(f"n{i}") for i in range(5)]
    seats = [Seat(f"n{i}", rack, None, "racks") for i, rack in enumerate(("r1", "r1", "r1", "r2", "r3"))]
    (finding,) = audit(join({"k": cluster(*nodes, *pods)}, {}, seats)).findings
    assert [(one.action, one.to_host) for one in finding.repairs] == [("movePod", "n3"), ("movePod", "n4")]


def test_names_from_files_never_leave_their_line_or_steer_a_terminal():
    odd = "n3\ntouch here\x0f\x1b[31m; #"
    nodes = [node(name, provider=f"id-s{i}") for i, name in enumerate(("n0", "n1", "n2", odd))]
    servers = [server(f"s{i}", host) for i, host in enumerate(("h1", "h1", "h2", "h3"))]
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **spread("web")) for i in range(3)]
    (finding, *_) = audit(join({"k": cluster(*nodes, *pods)}, {"north": cloud(servers)})).findings
    (step,) = finding.repairs
    assert step.to_host == odd
    for line in step.commands:
        assert line.isprintable()
        assert line.startswith(("kubectl ", "# "))
