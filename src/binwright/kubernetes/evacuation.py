"""Pods leave their nodes one after another, and each one's replacement is placed by the whole of the scheduler's rules.

The nodes are cordoned first. A pod is gone before its replacement is placed, and that is placed before the next pod
goes: the order of the moves is the order in which they can be carried out. Who may leave, and which nodes are emptied,
is decided by the callers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from binwright.explain import Explanation
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import Profiles, profiles_of
from binwright.kubernetes.cycle import Cycle, bound_to
from binwright.kubernetes.disruption import Answer, Budget, EvictionApi, read_budgets
from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.objects import Node, NodeSpec, Pod
from binwright.kubernetes.pending import DEFAULT_SCHEDULER, Queue, sort_out, unbound
from binwright.kubernetes.plugins.node_unschedulable import UNSCHEDULABLE
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.refusals import Refusals
from binwright.kubernetes.sampling import number_to_find
from binwright.moves import BudgetUse, Move
from binwright.outcome import NotEvaluated, Outcome
from binwright.verdict import Verdict

__all__ = ["Evacuation", "cordoned", "replacement"]


@dataclass
class _Homeless:
    """An evicted pod whose replacement has no node yet."""

    pod: Pod
    move: Move
    budget: Budget | None


class Evacuation:
    """One cluster with some of its nodes cordoned. `moves` grows with `carry_out`, `rounds` counts their rounds."""

    def __init__(self, source: str, objects: Objects, leaving: Iterable[str], profile: Profiles = None) -> None:
        """leaving: names of the nodes to be cordoned. Raises InputError naming object and field for bad objects."""
        self._emptied = frozenset(leaving)
        self.source = source
        self.profiles = profiles_of(profile)
        self.queue = sort_out(objects.pods, [one.scheduler_name for one in self.profiles])
        nodes = [cordoned(node) if node.metadata.name in self._emptied else node for node in objects.nodes]
        self.cluster = Cluster(nodes, [*self.queue.bound, *self.queue.pending], self.profiles, objects.related)
        self.strays = self.cluster.bind(self.queue.bound)
        self.api = EvictionApi(read_budgets(objects.related))
        self.moves: list[Move] = []
        self.rounds = 0
        self._item_of = {pod.key: item for item, pod in self.cluster.held.items()}
        self._homeless: list[_Homeless] = []
        self._evicted: list[Pod] = []
        self._spent: Counter[Budget] = Counter()
        self._used: dict[Budget, Counter[int]] = {}
        waiting = Cycle(self.cluster)
        for pod in self.queue.pending:
            waiting.nominate(pod)

    def remove(self, pod: Pod) -> None:
        """A pod goes for good."""
        item = self._item_of.pop(pod.key, None)
        if item is not None:  # one that has ended holds nothing
            self.cluster.fleet.release([item])
            del self.cluster.held[item]

    def carry_out(self, pods: Sequence[Pod], *, only_with_a_place: bool, in_order: bool = False) -> list[Pod]:
        """Evict pods in this order as far as their budgets allow, in as many rounds as that takes: after a round the
        replacements that have a node are ready, and what they cost their budgets comes back. Returns the pods that
        cannot go.

        only_with_a_place: a pod whose replacement would find no node is not evicted, but tried again after the others;
        otherwise its replacement waits, is tried again after the others, and its budget keeps the cost until then.
        in_order: where a budget does not let a pod go, those after it wait for the next round, too.
        """
        waiting = list(pods)
        while waiting:
            self.rounds += 1
            before = len(waiting)
            moved = True
            while moved and waiting:
                left: list[Pod] = []
                for number, pod in enumerate(waiting):
                    judged = self.api.judge(pod)
                    if judged.answer in (Answer.FREE, Answer.COUNTED):
                        if not self._evicts(pod, judged.budget, only_with_a_place):
                            left.append(pod)
                    elif in_order:
                        left += waiting[number:]
                        break
                    else:
                        left.append(pod)
                moved = len(left) < len(waiting)
                waiting = left
                while self._house_the_homeless():
                    moved = True
            self.api.give_back(self._spent)
            self._spent.clear()
            if len(waiting) == before:
                self.rounds -= 1
                break
        for one in self._homeless:
            refusals = Refusals(self.cluster).explained(one.pod, self._look(one.pod))
            for field, value in refusals.items():
                setattr(one.move.outcome, field, value)
        return waiting

    def _evicts(self, pod: Pod, budget: Budget | None, only_with_a_place: bool) -> bool:
        fleet, item = self.cluster.fleet, self._item_of[pod.key]
        origin = (pod.spec and pod.spec.node_name) or ""
        token = fleet.checkpoint()
        fleet.release([item])
        after = replacement(pod)
        move = Move(_outcome(self.source, pod), origin, self.rounds, owner=_owner(pod))
        placed = self._places(after, move)
        if not placed and only_with_a_place:
            fleet.rollback(token)
            return False
        fleet.keep(token)
        self.api.evict(pod)
        del self._item_of[pod.key], self.cluster.held[item]
        self.moves.append(move)
        self._evicted.append(after)
        if budget is not None:
            move.budget = budget.key
            self._used.setdefault(budget, Counter())[self.rounds] += 1
        if not placed:
            self._homeless.append(_Homeless(after, move, budget))
        elif budget is not None:
            self._spent[budget] += 1
        return True

    def _places(self, pod: Pod, move: Move) -> bool:
        look = self._look(pod)
        ties = look.ties
        if not len(ties):
            return False
        host = int(ties[0])
        name = self.cluster.nodes.names[host]
        item = int(self.cluster.fleet.claim(self.cluster.request(pod), host)[0])
        self.cluster.held[item] = bound_to(pod, name, None)
        outcome = move.outcome
        outcome.verdict, outcome.host, outcome.score = Verdict.PLACED, name, look.scores.totals[host].item()
        move.ties, move.returns = len(ties), name in self._emptied
        return True

    def _house_the_homeless(self) -> bool:
        """Waiting replacements take their turn again; whether one found a node."""
        left = []
        for one in self._homeless:
            if not self._places(one.pod, one.move):
                left.append(one)
            elif one.budget is not None:
                self._spent[one.budget] += 1
        found = len(left) < len(self._homeless)
        self._homeless = left
        return found

    def _look(self, pod: Pod) -> Explanation:
        """What the engine says of a pod now. Read at once, so it needs no state of its own as `Fleet.explain` gives."""
        return Explanation(self.cluster.fleet, self.cluster.request(pod).index)

    # ---- what is told ----------------------------------------------------------------------------------------

    def budget_uses(self) -> list[BudgetUse]:
        """The budgets that count some of the moves, in input order."""
        return [
            BudgetUse(one.key, one.allowed, self._used[one].total(), len(self._used[one]))
            for one in self.api.budgets
            if one in self._used
        ]

    def not_evaluated(self) -> list[NotEvaluated]:
        """What the evicted pods use and is not evaluated."""
        related = self.cluster.related
        own = [one.scheduler_name for one in self.profiles]
        foreign = [pod for pod in self._evicted if _scheduler(pod) not in own]
        asked = Queue(pending=self._evicted, bound=self.queue.bound, foreign=foreign)
        found = not_evaluated.find(asked, related, self.profiles[0], self.profiles[1:])
        found += not_evaluated.budgets(self._evicted, related)
        return found + not_evaluated.preemption([one.pod for one in self._homeless], self.cluster.held.values())

    def notes(self) -> list[str]:
        """What a user should know of the input besides."""
        found = []
        nodes = len(self.cluster.nodes)
        sample = number_to_find(nodes, self.profiles[0].percentage)
        if self.moves and sample < nodes:
            found.append(
                f"every one of {nodes} nodes was looked at; kube-scheduler stops at {sample} feasible ones, so it may "
                "choose another that fits"
            )
        if self.queue.pending:
            number = _pods(len(self.queue.pending), "pending pod")
            found.append(f"{number} left out, such as {self.queue.pending[0].key}: what moves is placed first")
        if self.strays:
            found.append(
                f"nothing is used by {_pods(len(self.strays), 'pod')} bound to nodes that are not in the input"
            )
        return found


def _pods(number: int, words: str) -> str:
    return f"{number} {words}{'' if number == 1 else 's'}"


def cordoned(node: Node) -> Node:
    """The node as it stands after `kubectl cordon`: unschedulable, with the taint that its controller adds."""
    spec = node.spec or NodeSpec()
    taints = tuple(spec.taints or ())
    if not any(taint.key == UNSCHEDULABLE.key and taint.effect == UNSCHEDULABLE.effect for taint in taints):
        taints += (UNSCHEDULABLE,)
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(spec, unschedulable=True, taints=taints))


def replacement(pod: Pod) -> Pod:
    """The pod that its controller makes when this one has gone: the same specification, without a node or a past."""
    after = unbound(pod)
    meta = msgspec.structs.replace(after.metadata, uid=None, creation_timestamp=None, deletion_timestamp=None)
    return msgspec.structs.replace(after, metadata=meta)


def _outcome(source: str, pod: Pod) -> Outcome:
    meta = pod.metadata
    identity = (source, "Pod", meta.namespace or "default", meta.name or "", meta.uid)
    return Outcome(*identity, Verdict.UNSCHEDULABLE, labels=meta.labels or {})


def _owner(pod: Pod) -> str | None:
    owner = controller(pod)
    return None if owner is None else f"{owner.kind}/{owner.name}"


def _scheduler(pod: Pod) -> str:
    return (pod.spec.scheduler_name if pod.spec else None) or DEFAULT_SCHEDULER
