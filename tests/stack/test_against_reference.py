"""No plan and no repair breaks a rule of any layer: every step of random ones judged by the layers' slow references.

A sandwich follows from one number, which Hypothesis prints.
"""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright.kubernetes.reader import Objects
from binwright.stack.audit import audit
from binwright.stack.joint_place import joint_place
from binwright.stack.whatif import with_repairs
from tests.stack.judged import Nova, asked, judge_new, passing, plain, random_sandwich, scheduler

SEEDS = st.integers(0, 2**32 - 1)


def check_plan(seed, spread=None):
    """(pods placed, of them on new nodes, new nodes, hosts asked for) of one joint plan, once all was judged."""
    made, files = random_sandwich(seed)
    before = content(made)
    plan = joint_place(made, partial=True, spread=spread)
    assert content(made) == before, "planning changes nothing"
    whole = joint_place(made, spread=spread)
    assert whole.complete == plan.complete
    assert whole.complete or (whole.nodes, whole.placed, whole.after) == ([], [], None)
    if not plan.placed:
        return 0, 0, 0, 0
    nova = Nova(files)
    for one in plan.nodes:
        judge_new(nova, one)
    after = plan.after.clusters["k"]
    new = {one.name for one in plan.nodes}
    hosts = {f"{one.namespace}/{one.name}": one.host for one in plan.placed}
    pods = {one.key: one for one in after.pods}
    waiting = [one.key for one in made.clusters["k"].pods if not one.spec.node_name]
    old = [one for one in after.nodes if one.metadata.name not in new]
    there = [one for one in after.pods if one.key not in waiting and one.spec.node_name not in new]
    judged = scheduler(Objects(nodes=old, pods=there))
    later = []
    for key in sorted(waiting):
        _, chosen = passing(judged, asked(pods[key]))
        if chosen is None:
            later.append(key)
            continue
        assert hosts.get(key) == chosen, "on the nodes as they are the scheduler decides"
        judged.add_bound_pod(asked(pods[key], chosen))
    for one in after.nodes[len(old) :]:
        judged.add_node(plain(one))
    for one in after.pods:
        if one.spec.node_name in new and one.key not in waiting:
            judged.add_bound_pod(asked(one, one.spec.node_name))
    for key in later:
        if key in hosts:
            names, _ = passing(judged, asked(pods[key]))
            # of nodes chosen in several turns the later ones are new domains for what was placed before
            assert hosts[key] in names or len(plan.bought) > 1
            judged.add_bound_pod(asked(pods[key], hosts[key]))
    assert set(hosts.values()) >= new or spread or any(not one.pods for one in plan.nodes)
    return len(hosts), sum(one in new for one in hosts.values()), len(new), sum(n.grown.requested for n in plan.nodes)


def content(made):
    """All that a sandwich says."""
    objects = made.clusters["k"]
    listed = [plain(one) for one in (*objects.nodes, *objects.pods)]
    places = [(key, one.host and one.host.key) for key, one in (*made.servers.items(), *made.nodes.items())]
    return listed, copy.deepcopy(made.clouds), places


def check_repairs(seed):
    """Actions of all repairs of one audit, once each step was judged and all of them audited again."""
    made, files = random_sandwich(seed, pods=12)
    found = audit(made, costs={"pod": 2, "migrate": 3, "node": 1} if seed % 2 else None)
    actions = []
    for finding in found.findings:
        nova, current = Nova(files), made
        for step in finding.repairs:
            judge_step(nova, files, current, step)
            current = with_repairs(current, [step])
            actions.append(step.action)
        if finding.repairs:
            left = audit(current, repair=False).findings
            assert finding.id not in [one.id for one in left]
            assert len(left) < len(found.findings)
    return actions


def judge_step(nova, files, current, step):
    objects = current.clusters["k"]
    if step.action == "addNode":
        judge_new(nova, step.new)
    elif step.action == "movePod":
        (key,) = [one.key for one in objects.pods if one.metadata.name == step.object.name]
        (moved,) = [one for one in objects.pods if one.key == key]
        shut = [line.split()[-1] for line in step.commands if " cordon " in line]
        names, chosen = passing(scheduler(objects, without=[key], cordoned=shut), asked(moved))
        assert (step.to_host in names, chosen) == (True, step.to_host), "what the commands do"
    else:
        (row,) = [one for one in files["servers.json"] if one["Name"] == step.object.name]
        free = copy.deepcopy(files)
        for name, content in free.items():
            if name.startswith("allocations/"):
                content["allocations"].pop(row["ID"], None)
        for one in free["servers.json"]:
            one["Host"] = None if one["ID"] == row["ID"] else one["Host"]
        _, order, _ = Nova(free).hosts(row)
        assert step.to_host in [host.name for host in order]


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from([None, None, "host", "rack"]))
def test_no_joint_plan_breaks_a_rule_of_any_layer(seed, spread):
    check_plan(seed, spread)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_no_repair_breaks_a_rule_of_any_layer(seed):
    check_repairs(seed)


@pytest.mark.slow
def test_three_hundred_of_each():
    first = random.SystemRandom().randrange(2**31)
    print(f"seeds {first} to {first + 299}")
    for seed in range(first, first + 300):
        check_plan(seed, random.Random(seed).choice([None, "host", "rack"]))
        check_repairs(seed)


def test_the_draws_reach_what_matters():
    """Guards the generator: plans with pods on old and on new nodes, repairs of every action."""
    plans = [check_plan(seed) for seed in range(40)]
    assert sum(placed > new > 0 for placed, new, _, _ in plans) > 3
    assert sum(nodes > 1 for _, _, nodes, _ in plans) > 3
    actions = [action for seed in range(60) for action in check_repairs(seed)]
    assert {"movePod", "liveMigrate", "addNode"} <= set(actions)
