"""`stack place`: pending pods on nodes, and where no node takes them on new nodes, whose servers get hosts.

Each cluster is placed as its scheduler would; for what is left the cheapest new nodes are chosen by packing, their
servers are given hosts by the cloud's rules, the nodes are really added, and the pods placed again. What does not come
out as chosen is chosen anew for the pods that are left. All of it holds, or nothing.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from binwright.errors import InputError
from binwright.kubernetes.node_copies import with_bound, with_nodes, with_spread
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import Queue
from binwright.kubernetes.place import place_read
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.solitary import are_solitary
from binwright.openstack.growth import Growth, Mark
from binwright.outcome import NotEvaluated, Outcome, SourceOutcome
from binwright.packing.catalogue import Catalogue
from binwright.stack.joint_plan import Bought, JointPlan
from binwright.stack.joint_stops import Stops
from binwright.stack.new_nodes import (
    PHYSICAL,
    NewNode,
    Pool,
    find_pools,
    fresh,
    grow,
    new_labels,
    with_physical_labels,
)
from binwright.stack.node_choice import Chooser
from binwright.stack.sandwich import Sandwich
from binwright.stack.whatif import with_new_nodes
from binwright.verdict import Verdict

MOST_ROUNDS = 8
"""How often new nodes are chosen for what is left of one cluster."""


def joint_place(
    sandwich: Sandwich,
    flavors: Sequence[str] = (),
    *,
    catalogue: Catalogue | None = None,
    spread: str | None = None,
    after_pending: bool = False,
    partial: bool = False,
    seconds: float = 0.0,
) -> JointPlan:
    """Place what is pending in every cluster; the sandwich does not change.

    flavors: of new nodes, by name or id; default those of the catalogue, else those that each cluster's workers are.
    catalogue: prices; without one, as few nodes as possible. spread: a level ("host", "rack", "zone") over whose real
    domains waiting pods with a controller must spread, too; new nodes then stand where fewest are, and their hosts are
    asked for where Nova would take others. after_pending: servers that wait in a cloud come first.
    partial: keep what fits where not all fits. Raises InputError for bad objects, and without any cluster.
    """
    start = time.perf_counter()
    if not sandwich.clusters:
        raise InputError("no cluster in the input, so there is no pod to place")
    planner = _Planner(sandwich, flavors, catalogue, spread, after_pending)
    plan = planner.plan(partial)
    plan.elapsed_seconds = seconds + time.perf_counter() - start
    return plan


@dataclass(slots=True)
class _State:
    """One cluster on its way: `objects` with every pod bound that has a place, and the new nodes. queue: of the pods as
    they were at first.
    """

    objects: Objects
    queue: Queue
    outcome: dict[str, Outcome]
    new: list[NewNode]

    def left(self) -> list[Pod]:
        """Pods that wait for a node and could have one."""
        waits = {
            key for key, one in self.outcome.items() if one.host is None and one.verdict is not Verdict.ERROR
        }  # fmt: skip
        return [pod for pod in self.queue.pending if pod.key in waits]


class _Planner:
    def __init__(
        self,
        sandwich: Sandwich,
        flavors: Sequence[str],
        catalogue: Catalogue | None,
        spread: str | None,
        after_pending: bool,
    ) -> None:
        self.sandwich = sandwich
        self.spread = spread
        self.clusters = with_physical_labels(sandwich, sorted(sandwich.clusters))
        if spread is not None:
            self.clusters = {name: with_spread(one, PHYSICAL[spread]) for name, one in self.clusters.items()}
        self.pools = find_pools(sandwich, flavors, catalogue)
        self.quickly = replace(sandwich.options, explain=False)
        self.prices = {} if catalogue is None else dict(zip(catalogue.names, catalogue.prices))
        self.after_pending = after_pending
        self.bought: list[Bought] = []
        self.notes: list[str] = []
        self.unseen: list[tuple[str, list[NotEvaluated]]] = []
        self._growths: dict[str, Growth] = {}
        self._closed: dict[str, str] = {}  # cloud -> why it cannot grow

    def plan(self, partial: bool) -> JointPlan:
        """Every cluster in turn; clouds keep what each took."""
        states = {}
        pending = 0
        for cluster, objects in self.clusters.items():
            states[cluster] = self._placed(cluster, objects)
            pending += len(states[cluster].queue.pending)
        for cluster, state in states.items():
            left = state.left()
            pools = [pool for pool in self.pools.by_cluster.get(cluster, ()) if self._growth(pool.cloud) is not None]
            if left and pools:
                self._grow(cluster, state, pools)
        plan = JointPlan(
            pending, bought=self.bought, partial=partial, spread=self.spread, notes=self.notes,
            not_evaluated=self.unseen, priced=bool(self.prices),
        )  # fmt: skip
        for name, growth in self._growths.items():
            self.unseen.append((name, growth.not_evaluated()))
        without = {**self.pools.without, **self._without_growth()}
        for cluster, state in states.items():
            unplaced = [one for one in state.outcome.values() if one.host is None]
            if unplaced:
                # In the words of the nodes that there will be: without the new ones, where the plan comes to nothing.
                told = place_read(cluster, state.objects if partial else self.clusters[cluster], self.sandwich.options)
                waiting = {key_of(one) for one in unplaced}
                unplaced = [one for one in told.unplaced if key_of(one) in waiting]
                pools = [one for one in self.pools.by_cluster.get(cluster, ()) if one.cloud in self._growths]
                stops = Stops(self.sandwich, cluster, state.objects, pools, self._growths, without.get(cluster))
                plan.stops += [stops.of(one) for one in unplaced]
        if plan.complete or partial:
            for state in states.values():
                plan.nodes += state.new
                plan.placed += [one for one in state.outcome.values() if one.host is not None]
            plan.after = self._after(states)
            plan.price = self._price(plan.nodes)
        return plan

    def _without_growth(self) -> dict[str, str]:
        return {
            cluster: self._closed[pool.cloud]
            for cluster, pools in self.pools.by_cluster.items()
            for pool in pools
            if pool.cloud in self._closed
        }

    def _growth(self, cloud: str) -> Growth | None:
        """The cloud with room for what any cluster may want; None where its dump does not tell its hosts' capacity."""
        if cloud not in self._growths and cloud not in self._closed:
            wanted = [pool for pool in self.pools.all() if pool.cloud == cloud]
            try:
                growth = grow(self.sandwich, cloud, wanted, after_pending=self.after_pending)
            except InputError as problem:
                self._closed[cloud] = f"its cloud cannot be asked: {problem}"
                return None
            if self.after_pending:
                self.notes.append(f"{cloud}: {growth.pending_placed} of {growth.pending} pending servers come first")
            self._growths[cloud] = growth
        return self._growths.get(cloud)

    # ---- one cluster -----------------------------------------------------------------------------------------

    def _placed(self, cluster: str, objects: Objects) -> _State:
        """What its scheduler places on the nodes as they are."""
        queue = self.sandwich.sorted_out(objects.pods)
        if not objects.nodes or not queue.pending:
            return _State(objects, queue, {}, [])
        told = place_read(cluster, objects, self.quickly)
        self.unseen.append((cluster, told.not_evaluated))
        outcome = {key_of(one): one for one in (*told.placed, *told.unplaced)}
        return _State(bound(objects, told.placed), queue, outcome, [])

    def _grow(self, cluster: str, state: _State, pools: Sequence[Pool]) -> None:
        """Choose, give hosts, add, place; again for what is left, as long as that places any pod. Pools whose new nodes
        took none, for what lies elsewhere, are not chosen again before others did.
        """
        stock = [-1] * len(pools)
        barred: set[int] = set()
        for number in range(MOST_ROUNDS):
            left = state.left()
            if not left:
                return
            prices = [self.prices.get(pool.flavor.name, Fraction(1)) for pool in pools]
            chooser = Chooser(state.objects, left, pools, prices, self.quickly.profiles, spreads=number > 0)
            marks = self._marks(pools)
            open_stock = [0 if kind in barred else most for kind, most in enumerate(stock)]
            made = self._buy(cluster, state, pools, open_stock, chooser)
            stock = [most if kind in barred else open_stock[kind] for kind, most in enumerate(stock)]
            told = self._with(cluster, left, state, made) if made else None
            if told is None or not told.placed:
                self._undo(marks)
                barred |= {kind for kind, count in enumerate(counted(made, pools)) if count}
                if told is None:
                    return
                continue
            barred.clear()
            used = {one.host for one in told.placed}
            if not all(node.name in used for node in made):  # the scheduler put more on some nodes than was thought
                self._undo(marks)
                marks = self._marks(pools)
                slim = self._given(made, used, state.new)
                again = self._with(cluster, left, state, slim)
                if len(again.placed) < len(told.placed):
                    self._undo(marks)
                    marks = self._marks(pools)
                    slim = self._given(made, {node.name for node in made}, state.new)
                    again = self._with(cluster, left, state, slim)
                made, told = slim, again
            self._keep(marks)
            for node in made:
                node.pods = [key_of(one) for one in told.placed if one.host == node.name]
            state.new += made
            state.objects = bound(self._added(state.objects, made), told.placed)
            state.outcome |= {key_of(one): one for one in (*told.placed, *told.unplaced)}
            stock = [most if most < 0 else most - count for most, count in zip(stock, counted(made, pools))]

    def _marks(self, pools: Iterable[Pool]) -> dict[str, Mark]:
        """A mark of every cloud that these pools grow in."""
        return {cloud: self._growths[cloud].mark() for cloud in dict.fromkeys(pool.cloud for pool in pools)}

    def _keep(self, marks: Mapping[str, Mark]) -> None:
        for cloud, mark in reversed(list(marks.items())):
            self._growths[cloud].keep(mark)

    def _undo(self, marks: Mapping[str, Mark]) -> None:
        for cloud, mark in reversed(list(marks.items())):
            self._growths[cloud].undo(mark)

    def _buy(
        self, cluster: str, state: _State, pools: Sequence[Pool], stock: list[int], chooser: Chooser
    ) -> list[NewNode]:
        """New nodes for as many pods as can be, with a host each. `stock` learns how many there are hosts for."""
        for _ in range(len(pools) + 1):
            choice = chooser.choose(stock)
            if not choice.counts:
                return []
            names = {node.metadata.name for node in state.objects.nodes}
            marks = self._marks(pools)
            made: list[NewNode] = []
            short = False
            for kind, count in sorted(choice.counts.items()):
                for bought in range(count):
                    name = fresh(cluster, names, len(state.new) + len(made))
                    node = self._given_host(pools[kind], name, [*state.new, *made])
                    if node is None:
                        stock[kind], short = bought, True
                        break
                    made.append(node)
            if not short:
                self._keep(marks)
                self.bought.append(Bought(cluster, len(made), choice.value, choice.bound, choice.status))
                return made
            self._undo(marks)
        return []

    def _given(self, made: Iterable[NewNode], names: set[str | None], before: Iterable[NewNode]) -> list[NewNode]:
        """The nodes of these names, with hosts given anew. before: new nodes that stay."""
        found: list[NewNode] = []
        for node in made:
            again = self._given_host(node.pool, node.name, [*before, *found]) if node.name in names else None
            if again is not None:
                found.append(again)
        return found

    def _given_host(self, pool: Pool, name: str, others: Iterable[NewNode]) -> NewNode | None:
        """A node whose server gets a host: Nova's best, or where pods are spread the best one where fewest nodes of the
        cluster are, the new `others` among them. None where no host takes it.
        """
        growth, server = self._growths[pool.cloud], pool.server(name)
        host = None if self.spread is None else self._apart(growth.takers(server), pool, others)
        if growth.place(server, host).host is None:
            return None
        return NewNode(name, pool, growth.grown[-1])

    def _apart(self, takers: Sequence[str], pool: Pool, others: Iterable[NewNode]) -> str | None:
        """Of hosts, best first, the first one in a domain with fewest nodes; None where that is the best one."""
        level, hosts = self.spread or "", self.sandwich.hosts
        crowds = Counter(
            place.at(level) for (cluster, _), place in self.sandwich.nodes.items() if cluster == pool.cluster
        )
        for one in others:
            host = hosts.get(f"{one.pool.cloud}/{one.grown.host}")
            crowds[None if host is None else host.at(level)] += 1
        domains = [host.at(level) if (host := hosts.get(f"{pool.cloud}/{name}")) else None for name in takers]
        order = sorted(range(len(takers)), key=lambda at: (domains[at] is None, crowds[domains[at]], at))
        return takers[order[0]] if order and order[0] else None

    def _added(self, objects: Objects, made: Iterable[NewNode]) -> Objects:
        hosts = self.sandwich.hosts
        new = [(one, hosts.get(f"{one.pool.cloud}/{one.grown.host}")) for one in made]
        return with_nodes(objects, [(one.pool.mould, one.name, new_labels(one.pool, host)) for one, host in new])

    def _with(self, cluster: str, left: Sequence[Pod], state: _State, made: Sequence[NewNode]) -> SourceOutcome:
        """What the scheduler places of the rest when these nodes are there. Nodes that have refused pods need not be
        asked again where nothing ties the pods to them.
        """
        waits = {id(pod) for pod in left}
        if not are_solitary(left, (pod for pod in state.objects.pods if id(pod) not in waits)):
            return place_read(cluster, self._added(state.objects, made), self.quickly)
        alone = Objects(pods=list(left), related=state.objects.related)
        return place_read(cluster, self._added(alone, made), self.quickly)

    # ---- the whole -------------------------------------------------------------------------------------------

    def _price(self, nodes: Iterable[NewNode]) -> int | float:
        total = sum((self.prices.get(one.pool.flavor.name, Fraction(1)) for one in nodes), Fraction())
        return int(total) if total.denominator == 1 else float(total)

    def _after(self, states: Mapping[str, _State]) -> Sandwich:
        """The sandwich with all of it done."""
        new = [one for state in states.values() for one in state.new]
        return with_new_nodes(self.sandwich, new, {name: state.objects for name, state in states.items()})


def bound(objects: Objects, placed: Iterable[Outcome]) -> Objects:
    """The cluster with these pods on their nodes."""
    return with_bound(objects, {key_of(one): one.host for one in placed if one.host is not None})


def key_of(one: Outcome) -> str:
    """A pod's key."""
    return f"{one.namespace}/{one.name}"


def counted(made: Iterable[NewNode], pools: Sequence[Pool]) -> list[int]:
    """How many are of each pool."""
    made = list(made)
    return [sum(one.pool is pool for one in made) for pool in pools]
