"""A cloud's hosts as a Fleet, and pending servers as request classes: Placement's and Nova's static rules compiled.

The rules are named as Placement's query parameters and Nova's filters are, in the order in which the two ask them
(openstack spec 3.2, 4). Knows how a verdict reads again: the text of each rule and argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from binwright.explain import Explanation
from binwright.fleet import Fleet
from binwright.openstack.flavors import FlavorGroups, flavor_groups
from binwright.openstack.hosts import DISABLED_TRAIT, Hosts
from binwright.openstack.nova.server_groups import AFFINITY_FILTER, ANTI_AFFINITY_FILTER
from binwright.openstack.pending import Wanted
from binwright.openstack.placement.inventory import MAX_INT
from binwright.openstack.zones import Zones
from binwright.outcome import ReasonText
from binwright.profile import Profile, Rule
from binwright.request import Request
from binwright.verdict import Reason

__all__ = ["CompiledCloud"]

ROOT_REQUIRED = "root_required"
MEMBER_OF = "member_of"
REQUIRED = "required"
RESOURCES = "resources"
COMPUTE_FILTER = "ComputeFilter"

PROFILE = Profile(
    rules=(
        Rule(ROOT_REQUIRED),
        Rule(MEMBER_OF),
        Rule(REQUIRED),
        Rule(RESOURCES, kind="fit"),
        Rule(COMPUTE_FILTER, kind="cordon"),
        Rule(ANTI_AFFINITY_FILTER, resolvable=True),
        Rule(AFFINITY_FILTER),
    )
)
FIT_POSITION = PROFILE.kind_position("fit")
TEXTS = {
    ROOT_REQUIRED: f"with compute service disabled ({DISABLED_TRAIT})",
    COMPUTE_FILTER: "with compute service down or disabled",
    ANTI_AFFINITY_FILTER: "with a member of the server group (anti-affinity)",
    AFFINITY_FILTER: "without a member of the server group (affinity)",
}
ClassKey = tuple[int, bool, str | None, bool]


class CompiledCloud:
    """A fleet with one host per compute host, in order, and request classes for the servers to place.

    `groups` are the flavors' resource groups of `wanted`, one for one.
    """

    def __init__(self, hosts: Hosts, zones: Zones, wanted: Iterable[Wanted], *, evaluate_traits: bool) -> None:
        """`evaluate_traits` is False for an input that does not tell the providers' traits."""
        wanted = list(wanted)
        pinned = "PCPU" if any("PCPU" in offers for offers in hosts.offers) else "VCPU"
        self.groups = [flavor_groups(one.flavor, from_volume=one.from_volume, pinned_class=pinned) for one in wanted]
        self.fleet = _fleet(hosts, self.groups)
        self._hosts = hosts
        self._zones = zones
        self._evaluate_traits = evaluate_traits
        self._disabled = np.array([DISABLED_TRAIT in traits for traits in hosts.traits], dtype=bool)
        self._texts: dict[tuple[str, int], str] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._statics: dict[ClassKey, dict[str, np.ndarray]] = {}
        self._requests: dict[ClassKey, Request] = {}

    def request(self, server: Wanted, asked: FlavorGroups, rejects: Mapping[str, np.ndarray]) -> Request:
        """The request class of a server; `rejects` are the hosts that filters reject for it now (bool, (hosts,))."""
        key = (id(server.flavor), server.from_volume, server.zone, server.uid is None)
        if key not in self._statics:
            self._statics[key] = self._static_rejects(server, asked)
        if not rejects and key in self._requests:
            return self._requests[key]
        demand = {name: amount for name, amount in asked.totals().items() if name not in self._hosts.unknown}
        request = self.fleet.request(demand, rejects={**self._statics[key], **rejects})
        if not rejects:
            self._requests[key] = request
        return request

    def _static_rejects(self, server: Wanted, asked: FlavorGroups) -> dict[str, np.ndarray]:
        rejects = {ROOT_REQUIRED: self._disabled}
        inside = self._zones.hosts_of(server.zone)
        if server.uid is None and self._zones.missing(server.zone):
            inside = np.zeros(len(self._hosts), dtype=bool)  # a wish has not passed Nova's API yet
        if inside is not None:
            number = self._argument(MEMBER_OF, f"outside availability zone {server.zone}")
            rejects[MEMBER_OF] = np.where(inside, -1, number).astype(np.int32)
        if self._evaluate_traits:
            rejects[REQUIRED] = self._trait_rejects(asked)
        return rejects

    def _trait_rejects(self, asked: FlavorGroups) -> np.ndarray:
        """Per host the argument of the first trait, by name, that is missing or forbidden, else -1: int32, (hosts,).

        Traits count of the providers that serve a class asked for: the root, and for joined classes those that have
        them; a forbidden trait of one of several such providers forbids nothing.
        """
        result = np.full(len(self._hosts), -1, dtype=np.int32)
        group = asked.unsuffixed
        if not group.required and not group.forbidden:
            return result
        classes = asked.totals()
        for host, (offers, own) in enumerate(zip(self._hosts.offers, self._hosts.traits)):
            joined = [offers[name] for name in classes if name in offers and offers[name].joined]
            root_serves = not joined or len(joined) < len(classes)
            certain = own if root_serves else frozenset()
            serving = certain.union(*(offer.traits for offer in joined))
            wrong = min(group.required - serving | group.forbidden & certain, default=None)
            if wrong is not None:
                words = "without trait" if wrong in group.required else "with forbidden trait"
                result[host] = self._argument(REQUIRED, f"{words} {wrong}")
        return result

    def _argument(self, rule: str, text: str) -> int:
        """The number that stands for a text of a rule, in order of first use."""
        number = self._numbers.setdefault((rule, text), len(self._numbers))
        self._texts[rule, number] = text
        return number

    def argument_text(self, rule: str | None, argument: object) -> str | None:
        """A rule's argument in words, the rule itself in words where it has none."""
        text = self._texts.get((rule or "", argument)) if isinstance(argument, int) else None
        return text or TEXTS.get(rule or "")

    def reasons(self, look: Explanation, request: Request) -> list[ReasonText]:
        """The reasons of a refusal in words, in the order in which Placement and Nova ask."""
        told: list[ReasonText] = []
        for reason in look.reasons:
            if reason.rule == RESOURCES:
                told += self._shortages(look, reason, request)
            else:
                text = self.argument_text(reason.rule, reason.argument) or reason.rule
                told.append(ReasonText(reason.rule, reason.hosts, text))
        return told

    def _shortages(self, look: Explanation, reason: Reason, request: Request) -> list[ReasonText]:
        """One shortage, told apart: hosts without the class, with too little of it, that never give so much at once."""
        name = str(reason.argument)
        amount = request.demand[name]
        bit = np.uint64(1 << self.fleet.resources.index(name))
        short = (look.verdicts_by_host() == FIT_POSITION) & (look.refusals.short & bit != 0)
        least, most, step = (self._hosts.column(name, unit, 1) for unit in ("min_unit", "max_unit", "step_size"))
        offered = short & (self._hosts.column(name, "total") > 0)
        barred = offered & ((amount < least) | (amount > most) | (amount % step != 0))
        texts = (
            (int((short & ~offered).sum()), f"without {name}"),
            (int((offered & ~barred).sum()), f"short of {name} ({amount} asked)"),
            (int(barred.sum()), f"whose inventory limits (min, max, step) forbid {amount} {name}"),
        )
        return [ReasonText(reason.rule, hosts, text) for hosts, text in texts if hosts]


def _fleet(hosts: Hosts, groups: Iterable[FlavorGroups]) -> Fleet:
    asked = sorted({name for one in groups for name in one.totals()} - hosts.unknown)
    columns = list(dict.fromkeys([*hosts.classes(), *asked]))
    fleet = Fleet(
        {name: hosts.column(name, "capacity") for name in columns},
        used={name: hosts.column(name, "used") for name in columns},
        names=hosts.names,
        profile=PROFILE,
        smallest={name: hosts.column(name, "min_unit", 1) for name in columns},
        largest={name: hosts.column(name, "max_unit", MAX_INT) for name in columns},
        step={name: hosts.column(name, "step_size", 1) for name in columns},
    )
    out = np.flatnonzero(np.array(hosts.down, dtype=bool) | np.array(hosts.disabled, dtype=bool))
    if out.size:
        fleet.cordon(out)
    return fleet
