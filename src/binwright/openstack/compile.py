"""A cloud's hosts as a Fleet, and pending servers as request classes: Placement's and Nova's static rules compiled.

The rules are named as Placement's query parameters and Nova's filters are, in the order in which the two ask them
(openstack spec 3.2, 4). Knows how a verdict reads again: the text of each rule and argument.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from binwright.explain import Explanation
from binwright.fleet import Fleet
from binwright.openstack.flavors import FlavorGroups, flavor_groups
from binwright.openstack.hosts import DISABLED_TRAIT, Hosts
from binwright.openstack.pending import Wanted
from binwright.openstack.placement.inventory import MAX_INT
from binwright.openstack.zones import Zones
from binwright.outcome import ReasonText
from binwright.profile import Profile, Rule
from binwright.request import Request
from binwright.verdict import Reason

__all__ = ["Compiled", "compile_cloud"]

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
    )
)

FIT_POSITION = PROFILE.kind_position("fit")


@dataclass(slots=True)
class Compiled:
    """A fleet with one host per compute host, in order, and the request class of each pending server.

    `texts` are the interned arguments of the static rules: (rule, number) -> words.
    """

    hosts: Hosts
    fleet: Fleet
    requests: list[Request]
    groups: list[FlavorGroups]
    texts: dict[tuple[str, int], str] = field(default_factory=dict)

    def reasons(self, look: Explanation, request: Request) -> list[ReasonText]:
        """The reasons of a refusal in words, in the order in which Placement and Nova ask."""
        told: list[ReasonText] = []
        for reason in look.reasons:
            if reason.rule == RESOURCES:
                told += self._shortages(look, reason, request)
            elif reason.rule == COMPUTE_FILTER:
                told.append(ReasonText(reason.rule, reason.hosts, "compute service down or disabled"))
            elif reason.rule == ROOT_REQUIRED:
                told.append(ReasonText(reason.rule, reason.hosts, f"compute service disabled ({DISABLED_TRAIT})"))
            else:
                text = self.argument_text(reason.rule, reason.argument) or reason.rule
                told.append(ReasonText(reason.rule, reason.hosts, text))
        return told

    def _shortages(self, look: Explanation, reason: Reason, request: Request) -> list[ReasonText]:
        """One shortage, told apart: hosts that never give such an amount at once, and hosts that have too little."""
        name = str(reason.argument)
        amount = request.demand[name]
        bit = np.uint64(1 << self.fleet.resources.index(name))
        short = (look.verdicts_by_host() == FIT_POSITION) & (look.refusals.short & bit != 0)
        least, most, step = (self.hosts.column(name, unit, 1) for unit in ("min_unit", "max_unit", "step_size"))
        offered = self.hosts.column(name, "total") > 0
        barred = int((short & offered & ((amount < least) | (amount > most) | (amount % step != 0))).sum())
        texts = ((reason.hosts - barred, "not enough"), (barred, "inventory limits (min, max, step) forbid"))
        return [ReasonText(reason.rule, hosts, f"{words} {name}, {amount} asked") for hosts, words in texts if hosts]

    def argument_text(self, rule: str | None, argument: object) -> str | None:
        """An interned argument in words, None when the rule has none."""
        return self.texts.get((rule or "", argument)) if isinstance(argument, int) else None


def compile_cloud(hosts: Hosts, zones: Zones, wanted: Iterable[Wanted], *, evaluate_traits: bool) -> Compiled:
    """Build the fleet and the request classes; equal servers share a class.

    `evaluate_traits` is False for an input that does not tell the providers' traits.
    """
    wanted = list(wanted)
    pinned = "PCPU" if any("PCPU" in offers for offers in hosts.offers) else "VCPU"
    groups = [flavor_groups(one.flavor, from_volume=one.from_volume, pinned_class=pinned) for one in wanted]
    compiled = Compiled(hosts, _fleet(hosts, groups), [], groups)
    arguments = _Arguments(compiled.texts)
    disabled = np.array([DISABLED_TRAIT in traits for traits in hosts.traits], dtype=bool)
    classes: dict[tuple[int, bool, str | None], Request] = {}
    for one, asked in zip(wanted, groups):
        key = (id(one.flavor), one.from_volume, one.zone)
        if key not in classes:
            rejects: dict[str, np.ndarray] = {ROOT_REQUIRED: disabled}
            inside = zones.hosts_of(one.zone)
            if inside is not None:
                number = arguments.number(MEMBER_OF, f"not in availability zone {one.zone}")
                rejects[MEMBER_OF] = np.where(inside, -1, number).astype(np.int32)
            if evaluate_traits:
                rejects[REQUIRED] = _trait_rejects(hosts, asked, arguments)
            demand = {name: amount for name, amount in asked.totals().items() if name not in hosts.unknown}
            classes[key] = compiled.fleet.request(demand, rejects=rejects)
        compiled.requests.append(classes[key])
    return compiled


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


def _trait_rejects(hosts: Hosts, asked: FlavorGroups, arguments: _Arguments) -> np.ndarray:
    """Per host the argument of the first trait, by name, that is missing or forbidden; -1 for none. int32, (hosts,)."""
    result = np.full(len(hosts), -1, dtype=np.int32)
    group = asked.unsuffixed
    for trait in sorted(group.required | group.forbidden, reverse=True):
        has = np.array([trait in traits for traits in hosts.traits], dtype=bool)
        if trait in group.required:
            result[~has] = arguments.number(REQUIRED, f"lacks trait {trait}")
        else:
            result[has] = arguments.number(REQUIRED, f"has forbidden trait {trait}")
    return result


class _Arguments:
    """Numbers for texts, per rule, in order of first use."""

    def __init__(self, texts: dict[tuple[str, int], str]) -> None:
        self._texts = texts
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, rule: str, text: str) -> int:
        number = self._numbers.setdefault((rule, text), len(self._numbers))
        self._texts[rule, number] = text
        return number
