"""Every plan of drain and consolidate can be carried out: move by move on the slow reference, budgets counted beside.

A cluster follows from one number, which Hypothesis prints.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright.kubernetes.consolidate import ConsolidateFlags, consolidate
from binwright.kubernetes.drain import drain
from binwright.kubernetes.drain_filters import DrainFlags
from binwright.stack.node_bound import least_hosts
from tests.kubernetes.moved import Carried, objects_of, profile_of, random_cluster
from tests.kubernetes.test_against_reference import Dice

SEEDS = st.integers(0, 2**32 - 1)


def check_consolidation(seed: int) -> tuple[int, int, int]:
    """(nodes emptied, moves, rounds) of one random cluster, after everything was checked."""
    case = random_cluster(seed)
    found = consolidate("c", objects_of(case), ConsolidateFlags(), profile_of(case))
    plan = found.evacuated
    carried = Carried(case, plan)
    for move in plan.moves:
        assert move.origin in plan.emptied
        assert carried.carry_out(move) == move.outcome.host
        assert move.outcome.host not in plan.emptied
    left = [pod for pod in carried.pods.values() if pod["spec"]["nodeName"] in plan.emptied]
    assert all(goes_with_its_node(pod) for pod in left)
    bound = least_hosts(found.needs)
    assert bound.fixed <= bound.hosts <= plan.hosts - len(plan.emptied)
    assert not {one.host for one in plan.held} & set(plan.emptied)
    return len(plan.emptied), len(plan.moves), plan.rounds


def goes_with_its_node(pod):
    """Whether a pod of an emptied node needs no other: of a daemon set, a mirror, or on its way out."""
    meta = pod["metadata"]
    owners = [one["kind"] for one in meta.get("ownerReferences") or () if one.get("controller")]
    return (
        owners[:1] == ["DaemonSet"]
        or "kubernetes.io/config.mirror" in (meta.get("annotations") or {})
        or meta.get("deletionTimestamp") is not None
    )


def check_drain(seed: int) -> tuple[int, int, int]:
    """(moves, unplaced, rounds) of the drain of a few nodes of a random cluster."""
    case = random_cluster(seed)
    dice = Dice(seed + 2)
    names = [node["metadata"]["name"] for node in case["objects"]["nodes"]]
    if len(names) == 1:
        return 0, 0, 0
    nodes = dice.sample(names, dice.randint(1, min(3, len(names) - 1)))
    flags = DrainFlags(dice.maybe(0.9), dice.maybe(0.8), dice.maybe())
    plan = drain("c", objects_of(case), nodes, flags, profile_of(case))
    carried = Carried(case, plan)
    carried.delete()
    unplaced = [move for move in plan.moves if not move.placed]
    for move in plan.moves:
        host = carried.carry_out(move)
        if host is None:  # its turn comes again later, and from then on the order is another
            break
        assert host == move.outcome.host
    else:
        assert all(move.outcome.host is not None for move in plan.moves)
        spared = {f"{one.namespace}/{one.name}" for one in plan.held if one.action != "delete"}
        back = {f"{move.outcome.namespace}/{move.outcome.name}" for move in unplaced}
        left = {key for key, pod in carried.pods.items() if pod["spec"]["nodeName"] in nodes}
        assert left <= spared | back
    return len(plan.moves), len(unplaced), plan.rounds


@settings(max_examples=40)
@given(SEEDS)
def test_every_consolidation_can_be_carried_out(seed):
    check_consolidation(seed)


@settings(max_examples=40)
@given(SEEDS)
def test_every_drain_can_be_carried_out(seed):
    check_drain(seed)


@pytest.mark.slow
def test_three_hundred_of_each():
    first = random.SystemRandom().randrange(2**31)
    print(f"seeds {first} to {first + 299}")
    for seed in range(first, first + 300):
        check_consolidation(seed)
        check_drain(seed)


def test_the_draws_reach_what_matters():
    """Guards the generator: plans with moves, with several rounds, drains where something finds no place."""
    plans = [check_consolidation(seed) for seed in range(150)]
    drains = [check_drain(seed) for seed in range(150)]
    assert sum(moves > 2 for _, moves, _ in plans) > 5
    assert sum(rounds > 1 for _, _, rounds in plans) > 0
    assert sum(moves > 2 for moves, _, _ in drains) > 5
    assert sum(unplaced > 0 for _, unplaced, _ in drains) > 5
    assert sum(rounds > 1 for _, _, rounds in drains) > 0
