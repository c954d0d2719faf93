"""The replay of the GPU experiment: its fragmentation by the definition, its choices by brute force, its books."""

import random

import numpy as np
import pytest

from bench import openb
from bench.openb_policies import CHOOSERS, WHOLE, Cluster, ExactLeastFragmentation
from binwright.kubernetes.openb.place import fleet_of
from binwright.kubernetes.openb.trace import TraceNode, TracePod

ASKS = ((0, 0), (1, 300), (1, 500), (1, 1000), (2, 1000), (3, 1000))


def made(dice):
    """A small cluster and a list of pods."""
    nodes = [
        TraceNode(f"n{i}", dice.randrange(1, 12), dice.randrange(1, 12), dice.randrange(1, 5), dice.choice(("A", "B")))
        for i in range(dice.randint(2, 6))
    ]
    pods = [
        TracePod(f"p{i}", dice.randrange(4), dice.randrange(4), *dice.choice(ASKS), dice.choice(((), (), ("A",))))
        for i in range(20)
    ]
    return nodes, pods


def runs(node, pod, cpu, memory, gpus):
    """Whether a pod can run beside what is there, GPUs as a list of free thousandths."""
    if pod.cpu > cpu or pod.memory > memory or (pod.gpus and pod.models and node.model not in pod.models):
        return False
    return sum(left >= pod.gpu_milli for left in gpus) >= pod.gpus


def fragments(node, pods, cpu, memory, gpus):
    """The published definition, summed over the pods: all free GPU where a pod cannot run or asks for none, else that
    on GPUs with less than it asks of one."""
    total = 0
    for pod in pods:
        if not pod.gpus or not runs(node, pod, cpu, memory, gpus):
            total += sum(gpus)
        else:
            total += sum(left for left in gpus if left < pod.gpu_milli)
    return total


def growth(nodes, pods, cluster, pod):
    """The least growth of the fragments sum that placing `pod` costs, over all nodes and GPUs; None: nowhere."""
    least = None
    for number, node in enumerate(nodes):
        state = int(cluster.cpu[number]), int(cluster.memory[number]), cluster.gpu[number, : node.gpus].tolist()
        if not runs(node, pod, *state):
            continue
        options = [index for index, left in enumerate(state[2]) if left >= pod.gpu_milli] if pod.gpus else [None]
        if pod.gpu_milli == 1000:
            options = [options[: pod.gpus]]
        for option in options:
            gpus = list(state[2])
            for index in option if isinstance(option, list) else [option]:
                if index is not None:
                    gpus[index] -= pod.gpu_milli
            after = fragments(node, pods, state[0] - pod.cpu, state[1] - pod.memory, gpus)
            grown = after - fragments(node, pods, *state)
            least = grown if least is None else min(least, grown)
    return least


def test_the_exact_choice_is_the_least_growth_of_the_published_fragmentation():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(12):
        nodes, pods = made(dice)
        cluster = Cluster(nodes)
        fleet, chooser = fleet_of(nodes, ()), ExactLeastFragmentation(cluster, pods, 0)
        requests, first = openb.Requests(fleet), np.cumsum([0, *(node.gpus for node in nodes)])
        for pod in (dice.choice(pods) for _ in range(25)):
            feasible = cluster.feasible(pod)
            least = growth(nodes, pods, cluster, pod)
            assert (least is None) == (len(feasible) == 0), seed
            if least is None:
                continue
            node, gpu = chooser.choose(pod, feasible)
            now = nodes[node], pods, int(cluster.cpu[node]), int(cluster.memory[node])
            before = fragments(*now, cluster.gpu[node, : nodes[node].gpus].tolist())
            (item,) = fleet.claim(requests.of(pod, gpu), node).tolist()
            given = [(one.row - first[node], one.amount) for one in fleet.devices(item)] if pod.gpus else []
            assert gpu in (WHOLE, *(index for index, _ in given))
            cluster.take(node, pod, given)
            now = nodes[node], pods, int(cluster.cpu[node]), int(cluster.memory[node])
            after = fragments(*now, cluster.gpu[node, : nodes[node].gpus].tolist())
            assert after - before == least, seed
        openb.check_books(cluster, fleet)


def one_node_each(*free):
    """A cluster with one two-GPU node per (cpu, thousandths free of GPU 0, of GPU 1)."""
    cluster = Cluster([TraceNode(f"n{i}", 1000, 10, 2, "") for i in range(len(free))])
    for i, (cpu, *gpus) in enumerate(free):
        used = 2000 - sum(gpus)
        taker = TracePod("t", 1000 - cpu, 0, 1, used, ())
        cluster.take(i, taker, [(index, 1000 - left) for index, left in enumerate(gpus)])
    return cluster


@pytest.mark.parametrize(
    ("policy", "free", "chosen"),
    [
        # largest: 1000 cpu, 2000 GPU; the pod asks for 500 and 500
        ("dot-product", [(800, 1000, 1000), (800, 1000, 0), (1000, 1000, 0)], 1),  # 0.65, 0.525, 0.625 -> 67 73 68
        ("best-fit", [(800, 1000, 1000), (1000, 500, 0), (600, 1000, 100)], 2),  # left 1.05 0.5 0.4 -> 47 75 80
        ("best-fit", [(990, 500, 0), (985, 500, 0)], 0),  # left 0.49, 0.485: 75.5 and 75.75 percent are both 75
    ],
)
def test_the_formulas_by_hand(policy, free, chosen):
    pod = TracePod("p", 500, 1, 1, 500, ())
    cluster = one_node_each(*free)
    node, gpu = CHOOSERS[policy](cluster, [pod], 0).choose(pod, cluster.feasible(pod))
    assert (node, gpu) == (chosen, WHOLE)


def test_random_takes_fitting_gpus_only_and_all_of_them():
    pod = TracePod("p", 0, 0, 1, 500, ())
    cluster = one_node_each((1000, 400, 500), (1000, 1000, 700), (1000, 0, 499))
    chooser = CHOOSERS["random"](cluster, [pod], 7)
    seen = {chooser.choose(pod, cluster.feasible(pod)) for _ in range(200)}
    assert seen == {(0, 1), (1, 0), (1, 1)}


def test_pods_are_drawn_until_enough_has_arrived():
    pods = [TracePod("a", 1, 1, 0, 0, ()), TracePod("b", 1, 1, 1, 400, ()), TracePod("c", 1, 1, 8, 1000, ())]
    which = openb.drawn(pods, 1_000_000, 42)
    demand = np.array([pod.gpu_demand for pod in pods])[which].cumsum()
    assert demand[-1] >= 1_300_000 > demand[-2]
    assert (np.bincount(which) / len(which)).round(1).tolist() == [0.3, 0.3, 0.3]
    assert (openb.drawn(pods, 1_000_000, 42) == which).all()
    assert not np.array_equal(openb.drawn(pods, 1_000_000, 43)[:50], which[:50])


@pytest.mark.skipif(not openb.DATA.is_dir(), reason="needs ../shared/data/traces beside the repository")
@pytest.mark.parametrize("policy", ["random", "dot-product", "best-fit", "fgd"])
def test_one_run_is_near_the_published_figures(policy):
    line = openb.run(("default", policy, 42))
    for point, theirs in zip(openb.POINTS, openb.authors("default")[policy], strict=True):
        assert abs(line["allocated"][str(point)] - theirs) < 1.0
