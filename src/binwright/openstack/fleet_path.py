"""Plain questions answered by the engine: hosts as a Fleet, servers as request classes, Nova's weights as its scores.

Plain is a question for amounts, traits and a zone of one provider a host, without filters but those of services and
server groups: there the engine's verdict is the chain's (openstack spec 1.7, 4, 5). The rules are named as Placement's
query parameters and Nova's filters are, in the order in which the two ask them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np

from binwright.explain import Explanation
from binwright.fleet import Fleet
from binwright.float_scores import FloatScore, free_score, near_score, used_score
from binwright.headroom import HostRoom
from binwright.openstack.asked import Asked
from binwright.openstack.chain import FILTER_TEXTS
from binwright.openstack.cloud import ServerGroup
from binwright.openstack.hosts import Hosts, class_key
from binwright.openstack.nova.conf import NovaConf
from binwright.openstack.nova.host_states import HostStates
from binwright.openstack.nova.options import Config
from binwright.openstack.nova.raw_weights import configured_weights
from binwright.openstack.nova.server_groups import AFFINITY_FILTER, ANTI_AFFINITY_FILTER, Groups
from binwright.openstack.nova.weighers import WEIGHERS, multipliers
from binwright.openstack.placement.inventory import MAX_INT
from binwright.openstack.placement.query import RequestGroup
from binwright.openstack.placement.why import ROOT_TEXTS, shortage_text
from binwright.openstack.zones import Zones
from binwright.outcome import ReasonText
from binwright.profile import Profile, Rule
from binwright.request import Request
from binwright.terms import HardTerm, Ref, SoftTerm, at_most, require
from binwright.verdict import Reason

__all__ = ["MOST_CLASSES", "FleetPath"]

ROOT_REQUIRED = "root_required"
MEMBER_OF = "member_of"
REQUIRED = "required"
RESOURCES = "resources"
COMPUTE_FILTER = "ComputeFilter"
RULES = (
    Rule(ROOT_REQUIRED),
    Rule(MEMBER_OF),
    Rule(REQUIRED),
    Rule(RESOURCES, kind="fit"),
    Rule(COMPUTE_FILTER, kind="cordon"),
    Rule(ANTI_AFFINITY_FILTER, resolvable=True),
    Rule(AFFINITY_FILTER),
)
MOST_CLASSES = 56
"""Resource classes of plain questions: what a fleet can take beside Nova's own columns."""

# Nova's own view of a host, in columns that are scored only; no resource class has such a name.
VCPUS, RAM, DISK, IO_OPS, INSTANCES, VERSION = NOVA = (
    *("nova vcpus", "nova ram_mb", "nova disk_mb"),
    *("nova io_ops", "nova instances", "nova hypervisor_version"),
)
RATIO = "cpu_allocation_ratio"
MIB_PER_GIB = 1024
SOFT = {"soft-affinity": "ServerGroupSoftAffinityWeigher", "soft-anti-affinity": "ServerGroupSoftAntiAffinityWeigher"}
MAKERS: dict[str, Callable[..., FloatScore]] = {
    "CPUWeigher": partial(free_score, resource=VCPUS, ratio=RATIO),
    "RAMWeigher": partial(free_score, resource=RAM),
    "DiskWeigher": partial(free_score, resource=DISK),
    "IoOpsWeigher": partial(used_score, resource=IO_OPS),
    "NumInstancesWeigher": partial(used_score, resource=INSTANCES),
    "HypervisorVersionWeigher": partial(used_score, resource=VERSION),
    "ServerGroupSoftAffinityWeigher": near_score,
    "ServerGroupSoftAntiAffinityWeigher": near_score,
}
Texts = dict[tuple[str, int], str]


class FleetPath:
    """A fleet with one host per compute host, in order, for the questions that `asks_plainly` accepts."""

    def __init__(
        self,
        hosts: Hosts,
        zones: Zones,
        states: HostStates,
        groups: Groups,
        classes: Iterable[str],
        conf: NovaConf,
    ) -> None:
        """classes: those that plain questions name, at most MOST_CLASSES."""
        config = conf.config
        self._enabled = conf.enabled
        self._hosts = hosts
        self._groups = groups
        self._clauses = zones.clauses()
        self._texts: Texts = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._statics: dict[int, dict[str, np.ndarray]] = {}
        self._requests: dict[tuple[object, ...], Request] = {}
        self._counters: dict[int, int] = {}
        self._limits: dict[str, list[np.ndarray]] = {}
        self.classes = tuple(classes)
        self.profile = Profile(rules=RULES, scores=tuple(_scores(config)))
        self.fit_position = self.profile.kind_position("fit")
        self.fleet = self._fleet(states)
        for weigher in WEIGHERS:
            if any(score.name == weigher.name for score in self.profile.scores):
                factors = multipliers(weigher, zones.metadata, configured_weights(config))
                self.fleet.set_column(weigher.option, np.arange(len(hosts)), factors)

    def _fleet(self, states: HostStates) -> Fleet:
        hosts, nothing = self._hosts, np.zeros(len(self._hosts), dtype=np.int64)
        counts = np.array([len(own) for own in states.instances], dtype=np.int64)
        own = {
            VCPUS: (states.vcpus, states.vcpus_used),
            RAM: (states.ram_mb, states.ram_mb_used),
            DISK: (states.disk_mb, states.disk_mb_used),
            IO_OPS: (nothing, states.io_ops),
            INSTANCES: (nothing, counts),
            VERSION: (nothing, states.hypervisor_version),
        }
        fleet = Fleet(
            {name: hosts.column(name, "capacity") for name in self.classes}
            | {name: capacity for name, (capacity, _) in own.items()},
            used={name: hosts.column(name, "used") for name in self.classes}
            | {name: used for name, (_, used) in own.items()},
            names=hosts.names,
            profile=self.profile,
            scored_only=NOVA,
            smallest={name: hosts.column(name, "min_unit", 1) for name in self.classes},
            largest={name: hosts.column(name, "max_unit", MAX_INT) for name in self.classes},
            step={name: hosts.column(name, "step_size", 1) for name in self.classes},
        )
        fleet.set_column(RATIO, np.arange(len(hosts)), states.vcpu_ratio)
        out = np.flatnonzero(np.array(hosts.down, dtype=bool) | np.array(hosts.disabled, dtype=bool))
        if out.size:
            fleet.cordon(out)
        return fleet

    # -- requests

    def request(self, asked: Asked, group: ServerGroup | None) -> Request:
        """The request class of servers that ask the same and are of the same server group."""
        key = (asked.number, id(group))
        if key not in self._requests:
            counter = None if group is None else self._counter(group)
            demand = asked.queries[0].groups[""].resources
            self._requests[key] = self.fleet.request(
                demand,
                commit={**demand, **_taken(asked)},
                score={},
                rejects=self._rejects(asked),
                terms=[term for term in _terms(group, counter) if self._holds(term)],
                contributes=None if counter is None else {counter: 1},
            )
        return self._requests[key]

    def _holds(self, term: HardTerm | SoftTerm) -> bool:
        """Whether the filter that a term stands for runs at all."""
        return isinstance(term, SoftTerm) or term.rule in self._enabled

    def charge(self, asked: Asked, group: ServerGroup | None, amounts: Mapping[str, int], host: int) -> None:
        """Count a server that the chain has placed; amounts: what it has of the host's own provider."""
        key = (asked.number, id(group), tuple(sorted(amounts.items())))
        if key not in self._requests:
            mine = {name: amount for name, amount in amounts.items() if name in self.classes}
            contributes = None if group is None else {self._counter(group): 1}
            taken = {**mine, **_taken(asked)}
            self._requests[key] = self.fleet.request({}, commit=taken, score={}, contributes=contributes, kind="charge")
        self.fleet.claim(self._requests[key], host)

    def _counter(self, group: ServerGroup) -> int:
        """The counter of a group's members, with those that are on hosts already."""
        if id(group) not in self._counters:
            counter = self._counters[id(group)] = self.fleet.counter()
            member = self.fleet.request({}, contributes={counter: 1}, kind="member")
            hosts = self._groups.hosts_of(group)
            if hosts:
                self.fleet.claim(member, hosts)
        return self._counters[id(group)]

    def _rejects(self, asked: Asked) -> dict[str, np.ndarray]:
        if asked.number not in self._statics:
            query = asked.queries[0]
            group = query.groups[""]
            self._statics[asked.number] = {
                ROOT_REQUIRED: self._column(ROOT_REQUIRED, query.root_required, query.root_forbidden),
                MEMBER_OF: self._members(group),
                REQUIRED: self._column(REQUIRED, group.required, group.forbidden),
            }
        return self._statics[asked.number]

    def _members(self, group: RequestGroup) -> np.ndarray:
        result = np.full(len(self._hosts), -1, dtype=np.int32)
        for host, provider in enumerate(self._hosts.providers):
            own = frozenset() if provider is None else provider.aggregates
            wrong = next((clause for clause in group.member_of if clause.isdisjoint(own)), None)
            if wrong is not None:
                result[host] = self._argument(MEMBER_OF, self._clauses.get(wrong, "in none of the aggregates"))
            elif not group.forbidden_aggregates.isdisjoint(own):
                result[host] = self._argument(MEMBER_OF, "in a forbidden aggregate")
        return result

    def _column(self, rule: str, required: Iterable[frozenset[str] | str], forbidden: frozenset[str]) -> np.ndarray:
        """Per host the argument of the first trait that is missing, or else forbidden, else -1: int32, (hosts,)."""
        result = np.full(len(self._hosts), -1, dtype=np.int32)
        clauses = sorted((one if isinstance(one, frozenset) else frozenset([one]) for one in required), key=sorted)
        if not clauses and not forbidden:
            return result
        at = " at the root" if rule == ROOT_REQUIRED else ""
        for host, provider in enumerate(self._hosts.providers):
            own = frozenset() if provider is None else provider.traits
            lacking = next((clause for clause in clauses if clause.isdisjoint(own)), None)
            wrong = min(forbidden & own, default=None)
            if lacking is not None:
                result[host] = self._argument(rule, f"without trait {' or '.join(sorted(lacking))}{at}")
            elif wrong is not None:
                text = ROOT_TEXTS.get(wrong) if at else None
                result[host] = self._argument(rule, text or f"with forbidden trait {wrong}{at}")
        return result

    def _argument(self, rule: str, text: str) -> int:
        """The number that stands for a text of a rule, in order of first use."""
        number = self._numbers.setdefault((rule, text), len(self._numbers))
        self._texts[rule, number] = text
        return number

    # -- in words

    def argument_text(self, rule: str | None, argument: object) -> str | None:
        """A rule's argument in words, the rule itself in words where it has none."""
        text = self._texts.get((rule or "", argument)) if isinstance(argument, int) else None
        return text or FILTER_TEXTS.get(rule or "")

    def reasons(self, look: Explanation, request: Request) -> list[ReasonText]:
        """The reasons of a refusal in words, in the order in which Placement and Nova ask."""
        told: list[tuple[tuple[int, str], ReasonText]] = []
        for reason in look.reasons:
            if reason.rule == RESOURCES:
                short = sorted(self._shortages(look, reason, request), key=lambda one: one.text)
                told += [(class_key(str(reason.argument)), one) for one in short]
            else:
                text = self.argument_text(reason.rule, reason.argument) or reason.rule
                told.append(((0, text), ReasonText(reason.rule, reason.hosts, text)))
        told.sort(key=lambda pair: (self.profile.positions[pair[1].rule], pair[0]))
        return [one for _, one in told]

    def host_room(self, look: Explanation, request: Request, host: int) -> HostRoom:
        """What keeps a server off one host: the first rule in words, and the classes that it lacks."""
        room = HostRoom(self._hosts.names[host], [])
        rejecting = look.reasons_at(host)
        if rejecting:
            room.rule, argument = rejecting[0]
            room.text = self.argument_text(room.rule, argument)
            if room.rule == RESOURCES:
                name = min((str(name) for rule, name in rejecting if rule == RESOURCES), key=class_key)
                provider = self._hosts.providers[host]
                inventory = None if provider is None else provider.inventories.get(name)
                room.text = shortage_text(name, request.demand[name], inventory)
            room.short = sorted((str(name) for rule, name in rejecting if rule == RESOURCES), key=class_key)
        return room

    def _shortages(self, look: Explanation, reason: Reason, request: Request) -> list[ReasonText]:
        """One shortage, told apart: hosts without the class, with too little of it, that never give so much at once."""
        name = str(reason.argument)
        amount = request.demand[name]
        bit = np.uint64(1 << self.fleet.resources.index(name))
        short = (look.verdicts_by_host() == self.fit_position) & (look.refusals.short & bit != 0)
        if name not in self._limits:
            units = ("min_unit", "max_unit", "step_size", "total")
            self._limits[name] = [self._hosts.column(name, unit, int(unit != "total")) for unit in units]
        least, most, step, total = self._limits[name]
        offered = short & (total > 0)
        barred = offered & ((amount < least) | (amount > most) | (amount % step != 0))
        texts = (
            (int((short & ~offered).sum()), f"without {name}"),
            (int((offered & ~barred).sum()), f"short of {name} ({amount} asked)"),
            (int(barred.sum()), f"whose inventory limits (min, max, step) forbid {amount} {name}"),
        )
        return [ReasonText(reason.rule, hosts, text) for hosts, text in texts if hosts]


def _scores(config: Config) -> Iterable[FloatScore]:
    """The weighers that a plain question feeds, in Nova's order of summing; others are alike on all hosts."""
    weights = configured_weights(config)
    for weigher in WEIGHERS:
        if weigher.name in MAKERS:
            weight = weights.get(weigher.option, weigher.default) * weigher.sign
            make = MAKERS[weigher.name]
            yield make(weigher.name, weight=weight, multiplier=weigher.option, low=weigher.minval)


def _terms(group: ServerGroup | None, counter: int | None) -> list[HardTerm | SoftTerm]:
    """What a server group's policy asks of the hosts of its members."""
    if group is None or counter is None:
        return []
    if group.policy == "anti-affinity":
        return [at_most(ANTI_AFFINITY_FILTER, Ref(counter), group.most)]
    if group.policy == "affinity":
        return [require(AFFINITY_FILTER, [Ref(counter)], matches_itself=True)]
    if group.policy in SOFT:
        return [SoftTerm(SOFT[group.policy], (Ref(counter, weight=1 if group.policy == "soft-affinity" else -1),))]
    return []


def _taken(asked: Asked) -> dict[str, int]:
    """What an instance takes of Nova's own view; swap is not counted, as in Nova."""
    flavor = asked.spec.flavor
    return {
        VCPUS: flavor.vcpus,
        RAM: flavor.memory_mb,
        DISK: MIB_PER_GIB * (flavor.root_gb + flavor.ephemeral_gb),
        IO_OPS: 1,
        INSTANCES: 1,
    }
