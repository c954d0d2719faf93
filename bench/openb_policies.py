"""Where a pod goes: the policies of the published GPU experiment, each a choice over all nodes at once.

Formulas are in bench/openb.py. `Cluster` is what they see: arrays over the nodes, kept beside the fleet. They choose;
the fleet's own claim takes the CPU, the memory and the GPUs.
"""

import numpy as np

from binwright.kubernetes.openb.trace import GPU_MILLI

WHOLE = -1  # no GPU of its own is chosen: the fleet takes unused ones, or the fitting one with least free


class Cluster:
    """What is free on every node: cpu, memory (nodes,), gpu (nodes, most GPUs of one) in thousandths, 0 where there is
    no GPU; and of the GPUs their sum, the largest one and the number of unused ones (nodes,). All int64.
    """

    def __init__(self, nodes):
        self.cpu = np.array([node.cpu for node in nodes])
        self.memory = np.array([node.memory for node in nodes])
        gpus = np.array([node.gpus for node in nodes])
        self.gpu = np.where(np.arange(gpus.max()) < gpus[:, None], GPU_MILLI, 0)
        self.gpu_sum, self.gpu_most, self.unused = gpus * GPU_MILLI, self.gpu.max(axis=1), gpus.copy()
        self.largest = self.cpu.max(), self.gpu_sum.max()
        self.models = np.array([node.model for node in nodes])
        self.changes = np.zeros(len(nodes), np.int64)  # how often something was taken from each node

    def take(self, node, pod, parts):
        """parts: (GPU index, amount) pairs, as the fleet gave them out."""
        self.cpu[node] -= pod.cpu
        self.memory[node] -= pod.memory
        for index, amount in parts:
            self.gpu[node, index] -= amount
        self.gpu_sum[node] -= pod.gpu_demand
        self.gpu_most[node] = self.gpu[node].max()
        self.unused[node] = (self.gpu[node] == GPU_MILLI).sum()
        self.changes[node] += 1

    def feasible(self, pod):
        """Nodes on which the pod fits, ascending."""
        fits = (self.cpu >= pod.cpu) & (self.memory >= pod.memory)
        if pod.gpus:
            fits &= self.unused >= pod.gpus if pod.gpu_milli == GPU_MILLI else self.gpu_most >= pod.gpu_milli
            if pod.models:
                fits &= np.isin(self.models, pod.models)
        return np.flatnonzero(fits)


class Random:
    """Any feasible node, any fitting GPU of it, with equal chance."""

    def __init__(self, cluster, pods, seed):
        self.cluster = cluster
        self.dice = np.random.default_rng([seed, 1])

    def choose(self, pod, nodes):
        node = int(self.dice.choice(nodes))
        if pod.gpu_milli in (0, GPU_MILLI):
            return node, WHOLE
        return node, int(self.dice.choice(np.flatnonzero(self.cluster.gpu[node] >= pod.gpu_milli)))


def best_percent(nodes, left):
    """The first of the nodes with the highest floor(100 * (1 - left)): scores are whole percents."""
    return int(nodes[np.floor(100 * (1 - left)).argmax()])


class DotProduct:
    """The smallest product of demand and free amounts."""

    def __init__(self, cluster, pods, seed):
        self.cluster = cluster

    def choose(self, pod, nodes):
        cluster, (cpu, gpu) = self.cluster, self.cluster.largest
        product = pod.cpu / cpu * (cluster.cpu[nodes] / cpu) + pod.gpu_demand / gpu * (cluster.gpu_sum[nodes] / gpu)
        return best_percent(nodes, product / 2), WHOLE


class BestFit:
    """The least that is left after placing."""

    def __init__(self, cluster, pods, seed):
        self.cluster = cluster

    def choose(self, pod, nodes):
        cluster, (cpu, gpu) = self.cluster, self.cluster.largest
        left = (cluster.cpu[nodes] - pod.cpu) / cpu + (cluster.gpu_sum[nodes] - pod.gpu_demand) / gpu
        return best_percent(nodes, left / 2), WHOLE


class LeastFragmentation:
    """FGD: the node, and on it the GPU, where the expected unusable GPU thousandths grow least.

    What a pod drawn from the workload could use of a node, summed over all pods, is an integer; where it shrinks least,
    the fragmentation grows least, exactly. A node's answer for a kind of pod is kept until the node changes.
    """

    def __init__(self, cluster, pods, seed):
        self.cluster = cluster
        self.pods = len(pods)
        asks = sorted({(pod.gpu_milli, pod.gpus) for pod in pods if pod.gpus})
        self.parts = [milli for milli, _ in asks if milli < GPU_MILLI]  # of one GPU
        self.wholes = np.array([gpus for milli, gpus in asks if milli == GPU_MILLI])  # numbers of GPUs
        amounts = np.arange(GPU_MILLI + 1)[:, None]
        self.usable_part = np.where(amounts >= np.array(self.parts, np.int64), amounts, 0)
        self.cpus, self.memories = (np.unique([getattr(pod, name) for pod in pods]) for name in ("cpu", "memory"))
        models = sorted(set(cluster.models.tolist()))
        self.model = np.searchsorted(models, cluster.models)
        # How many pods of each ask fit on a node of a model with so many of the CPU and memory steps free.
        counts = np.zeros((len(models), len(self.cpus) + 1, len(self.memories) + 1, len(asks)), np.int64)
        for pod in pods:
            if pod.gpus:
                cpu, memory = np.searchsorted(self.cpus, pod.cpu), np.searchsorted(self.memories, pod.memory)
                fitting = [not pod.models or model in pod.models for model in models]
                counts[fitting, cpu + 1, memory + 1, asks.index((pod.gpu_milli, pod.gpus))] += 1
        self.fitting = counts.cumsum(axis=1).cumsum(axis=2)
        self.known = {}
        self.now = self.usable(np.arange(len(cluster.cpu)))
        self.now_of = cluster.changes.copy()

    def counts(self, nodes, pod=None):
        """Pods by ask (nodes, asks) that CPU, memory and model allow, with `pod` placed there before."""
        cpu = self.cluster.cpu[nodes] - (pod.cpu if pod else 0)
        memory = self.cluster.memory[nodes] - (pod.memory if pod else 0)
        steps = np.searchsorted(self.cpus, cpu, "right"), np.searchsorted(self.memories, memory, "right")
        return self.fitting[self.model[nodes], *steps]

    def by_ask(self, parts, unused):
        """Usable thousandths by ask: what parts can use, beside the unused GPUs that whole asks can use."""
        wholes = np.where(unused[..., None] >= self.wholes, unused[..., None] * GPU_MILLI, 0)
        return np.concatenate([parts, wholes], axis=-1)

    def usable(self, nodes):
        """Sum over all pods of what each could use of the node's free GPUs (nodes,)."""
        parts = self.usable_part[self.cluster.gpu[nodes]].sum(axis=1)
        return (self.counts(nodes) * self.by_ask(parts, self.cluster.unused[nodes])).sum(axis=-1)

    def choose(self, pod, nodes):
        kind = pod.cpu, pod.memory, pod.gpus, pod.gpu_milli
        if kind not in self.known:
            count = len(self.cluster.cpu)
            self.known[kind] = np.zeros(count, np.int64), np.zeros(count, np.int64), np.full(count, -1)
        losses, choices, known = self.known[kind]
        stale = nodes[known[nodes] != self.cluster.changes[nodes]]
        if len(stale):
            older = stale[self.now_of[stale] != self.cluster.changes[stale]]
            self.now[older], self.now_of[older] = self.usable(older), self.cluster.changes[older]
            losses[stale], choices[stale] = self.loss(pod, stale)
            known[stale] = self.cluster.changes[stale]
        node = self.best(pod, nodes, losses[nodes])
        return node, int(choices[node])

    def best(self, pod, nodes, losses):
        """By whole percents: growth 0 is 50, and a GPU's worth more or less are 26 and 73."""
        growth = (losses / self.pods - pod.gpu_demand) / GPU_MILLI
        return int(nodes[np.floor(100 / (1 + np.exp(growth))).argmax()])

    def loss(self, pod, nodes):
        """By how much the usable sum shrinks, and on which GPU (nodes,)."""
        gpu, unused, counts = self.cluster.gpu[nodes], self.cluster.unused[nodes], self.counts(nodes, pod)
        parts = self.usable_part[gpu].sum(axis=1)
        if pod.gpu_milli in (0, GPU_MILLI):
            parts = parts - pod.gpus * self.usable_part[GPU_MILLI]
            after = (counts * self.by_ask(parts, unused - pod.gpus)).sum(axis=-1)
            return self.now[nodes] - after, np.full(len(nodes), WHOLE)
        fits = gpu >= pod.gpu_milli
        left = np.where(fits, gpu - pod.gpu_milli, 0)
        parts = parts[:, None] - self.usable_part[gpu] + self.usable_part[left]
        after = (counts[:, None] * self.by_ask(parts, unused[:, None] - (gpu == GPU_MILLI))).sum(axis=-1)
        after[~fits] = -1
        best = after.argmax(axis=1)
        return self.now[nodes] - after[np.arange(len(nodes)), best], best


class ExactLeastFragmentation(LeastFragmentation):
    """The same without rounding."""

    def best(self, pod, nodes, losses):
        return int(nodes[losses.argmin()])


CHOOSERS = {
    "random": Random,
    "dot-product": DotProduct,
    "best-fit": BestFit,
    "fgd": LeastFragmentation,
    "fgd-exact": ExactLeastFragmentation,
}
