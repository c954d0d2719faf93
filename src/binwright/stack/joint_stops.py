"""Why a pod finds no place at any layer: each kind of new node that could be made, and what stands in its way."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from binwright.headroom import HostRoom, Question
from binwright.kubernetes.headroom import headroom_objects
from binwright.kubernetes.node_copies import with_nodes
from binwright.kubernetes.reader import Objects
from binwright.openstack.growth import Growth, NoHost
from binwright.outcome import Outcome
from binwright.stack.joint_plan import PoolStop, Stop
from binwright.stack.new_nodes import Pool, new_labels
from binwright.stack.sandwich import Sandwich
from binwright.verdict import Verdict

CHANGES = ("request", "rule", "host")
"""Kinds of a change, the smaller first."""
MOST_EXPLAINED = 50  # messages of the scheduler that are looked into at every layer


class Stops:
    """The refusals of one cluster, once all was given out that could be."""

    def __init__(
        self,
        sandwich: Sandwich,
        cluster: str,
        objects: Objects,
        pools: Sequence[Pool],
        growths: Mapping[str, Growth],
        note: str | None,
    ) -> None:
        """objects: with what was placed. note: why the cluster can get no new nodes at all."""
        self._cluster = cluster
        self._options = sandwich.options
        self._pools = pools
        self._growths = growths
        self._note = note
        samples = [(pool.mould, f"{cluster}-sample-{n}", new_labels(pool, None)) for n, pool in enumerate(pools)]
        self._objects = with_nodes(objects, samples)
        self._full: dict[int, NoHost | None] = {}
        self._alike: dict[tuple[object, ...], list[PoolStop]] = {}

    def of(self, outcome: Outcome) -> Stop:
        """One pod's refusal through all layers."""
        stop = Stop(outcome, note=self._note)
        if outcome.verdict is not Verdict.ERROR and self._pools:
            labels = tuple(sorted(outcome.labels.items()))
            key = (outcome.namespace, outcome.message, labels)
            if key not in self._alike and len(self._alike) < MOST_EXPLAINED:
                self._alike[key] = self._looked_into(outcome)
            stop.pools = self._alike.get(key, [])
        changes = [("kubernetes", outcome.smallest_change)]
        changes += [("openstack", each.no_host.change) for each in stop.pools if each.no_host is not None]
        able = [
            (size_of(change), number, layer, change)
            for number, (layer, change) in enumerate(changes)
            if change is not None and (layer, change["kind"]) != ("openstack", "request")  # it would not hold the pod
        ]
        if able:
            _, _, stop.change_layer, stop.change = min(able, key=lambda one: one[:2])
        return stop

    def _looked_into(self, outcome: Outcome) -> list[PoolStop]:
        """What a new node of each pool says of the pod, and what the cloud says of such a node."""
        question = Question((f"{outcome.namespace}/{outcome.name}",))
        told = headroom_objects(self._cluster, self._objects, question, self._options)
        answer = told.answers[0] if told.answers else None
        rooms = answer.hosts[-len(self._pools) :] if answer is not None else []
        found = []
        for number, pool in enumerate(self._pools):
            room = rooms[number] if rooms else HostRoom("", [0], None, answer.message if answer else None)
            flavor = pool.flavor.name
            if not sum(room.counts) and room.rule is not None:
                found.append(PoolStop(pool.name, flavor, "kubernetes", f"{room.rule}: {room.text}"))
                continue
            why = self._no_host(number)
            if why is not None:
                found.append(PoolStop(pool.name, flavor, "openstack", why.message, why))
            else:
                found.append(PoolStop(pool.name, flavor, "both", "there is a host, and a node there did not help"))
        return found

    def _no_host(self, number: int) -> NoHost | None:
        """Why the cloud has no host for another server of a pool; None where it has one."""
        if number not in self._full:
            pool = self._pools[number]
            growth = self._growths[pool.cloud]
            mark = growth.mark()
            server = pool.server(f"{self._cluster}-next")
            decision = growth.place(server)
            self._full[number] = growth.why_not(server, decision) if decision.host is None else None
            growth.undo(mark)
        return self._full[number]


def size_of(change: dict[str, Any]) -> tuple[int, Fraction]:
    """What changes of any layer are compared by: their kind, then by how much."""
    have, need = change["have"], change["need"]
    kind = CHANGES.index(change["kind"])
    if have is None or need is None:
        return kind, Fraction(0)
    return kind, Fraction(need - have, (need if change["kind"] == "request" else have) or 1)
