"""How many more servers of a flavor a cloud takes, and what stops the next one on each host (`capacity`).

Every flavor is asked of the same state. A plain one fills each host for itself, in one step; others are given to the
hosts one by one, each with the first candidate that Placement has for it. A mix is placed as `place` would, in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from binwright.arrays import Int64Array
from binwright.errors import InputError
from binwright.explain import FEASIBLE
from binwright.formats.files import Blob
from binwright.headroom import MOST, Headroom, HostRoom, Question, ShapeCount, SourceHeadroom
from binwright.openstack.asked import Asked
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.cloud import Cloud
from binwright.openstack.dumps import read_dump
from binwright.openstack.flavor_matrix import flavor_matrix
from binwright.openstack.fleet_path import RESOURCES, FleetPath
from binwright.openstack.not_evaluated import rules_not_evaluated
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf, read_conf
from binwright.openstack.pending import Catalogue, Wanted, pending_servers, wanted_servers
from binwright.openstack.place import cloud_notes, refused_message
from binwright.openstack.refusals import HostRefusal
from binwright.openstack.scheduler import Scheduler
from binwright.openstack.zones import cloud_zones
from binwright.verdict import Verdict

__all__ = ["headroom_cloud", "headroom_source"]


def headroom_source(
    name: str,
    blobs: Iterable[Blob],
    question: Question,
    *,
    retry_errors: bool = False,
    nova_conf: str | None = None,
) -> SourceHeadroom:
    """Ask the cloud that the files of one source describe; shapes are names or ids of flavors, N:NAME for several in a
    round of the mix. nova_conf: path of the scheduler's nova.conf. Raises InputError for bad input.
    """
    return headroom_cloud(read_dump(name, blobs), question, retry_errors=retry_errors, conf=read_conf(nova_conf))


def headroom_cloud(
    cloud: Cloud, question: Question, *, retry_errors: bool = False, conf: NovaConf = PLAIN_CONF
) -> SourceHeadroom:
    """As `headroom_source`, of a cloud that has been read."""
    shapes, unknown = _shapes(cloud, question)
    pending = wanted_servers(cloud, retry_errors=retry_errors) if question.after_pending else []
    asking = [*pending, *(shape.wanted for shape in shapes)]
    scheduler = _scheduler(cloud, asking, retry_errors, conf)
    supposes = "in the cloud as it is, without what is pending"
    if question.after_pending:
        placed = sum(one.host is not None for one in scheduler.place_all(pending))
        supposes = f"after {placed} of {len(pending)} pending servers were placed"
    hosts = scheduler.hosts
    found = SourceHeadroom(cloud.name, "openstack", len(hosts), supposes, unknown=unknown)
    found.answers = [_answer(cloud.name, scheduler, shape) for shape in shapes]
    found.matrix = flavor_matrix(found.answers, hosts, scheduler.zones)
    if question.shapes and len(shapes) > 1:
        mixed = _scheduler(cloud, asking, retry_errors, conf)
        mixed.place_all(pending)
        found.answers.append(_mix(cloud.name, mixed, shapes))
    found.not_evaluated = rules_not_evaluated(cloud, scheduler, [shape.wanted for shape in shapes])
    found.notes = cloud_notes(cloud, hosts, scheduler.zones, [])
    return found


@dataclass(frozen=True)
class _Shape:
    """A flavor that is asked for, `each` of it in a round of the mix."""

    wanted: Wanted
    each: int


def _shapes(cloud: Cloud, question: Question) -> tuple[list[_Shape], list[str]]:
    """The flavors that are meant, all where none is named, and the names that mean none."""
    catalogue = Catalogue(cloud.flavors)
    if not question.shapes:
        return [_Shape(Wanted(one.name, None, None, one), 1) for one in cloud.flavors], []
    found, unknown = [], []
    for text in question.shapes:
        number, colon, name = text.partition(":")
        flavor, each = catalogue.find(text), 1
        if flavor is None and colon and number.isdecimal() and int(number):
            flavor, each = catalogue.find(name), int(number)
        if flavor is None:
            unknown.append(text)
        else:
            found.append(_Shape(Wanted(flavor.name, None, None, flavor), each))
    return found, unknown


def _scheduler(cloud: Cloud, wanted: list[Wanted], retry_errors: bool, conf: NovaConf) -> Scheduler:
    hosts = cloud_hosts(cloud, pending_servers(cloud, retry_errors=retry_errors))
    return Scheduler(cloud, hosts, cloud_zones(cloud, hosts), wanted, conf)


def _answer(source: str, scheduler: Scheduler, shape: _Shape) -> Headroom:
    """One flavor alone; the state is as before in the end."""
    asked = scheduler.asked(shape.wanted)
    count = ShapeCount(shape.wanted.name, 1, dict(asked.amounts))
    answer = Headroom(source, [count])
    path = scheduler.plain_path(asked)
    try:
        counts = _fill(scheduler, asked, answer) if path is None else _fill_plainly(scheduler, path, asked, answer)
    except InputError as problem:  # a filter that cannot read what it compares; Nova gives such a server up
        answer.refused, answer.message = count.name, f"not filtered: {problem}"
        answer.hosts = [HostRoom(name, [0]) for name in scheduler.hosts.names]
        return answer
    count.count = answer.rounds = int(counts.sum())
    for room, number in zip(answer.hosts, counts.tolist()):
        room.counts = [number]
    if count.count < MOST:
        answer.refused = count.name
    _run_out(answer)
    return answer


def _fill_plainly(scheduler: Scheduler, path: FleetPath, asked: Asked, answer: Headroom) -> Int64Array:
    """Fill every host, as its amounts allow; what does not depend on amounts rejects it first."""
    fleet, request = path.fleet, path.request(asked, None)
    before = fleet.explain(request, live=True)
    open_hosts = before.verdicts_by_host() == FEASIBLE
    counts = np.full(len(fleet), MOST, np.int64)
    for name, amount in asked.amounts.items():
        row = fleet.resources.index(name)
        counts = np.minimum(counts, (fleet.capacity[row] - fleet.used[row]) // amount)
    counts = np.where(open_hosts, counts, 0)
    if counts.sum() > MOST:  # nobody wants to know so exactly
        counts = np.minimum(counts, np.maximum(MOST - np.concatenate(([0], np.cumsum(counts)[:-1])), 0))
    token = fleet.checkpoint()
    try:
        fleet.claim(request, np.repeat(np.arange(len(fleet)), counts))
        _told(answer, scheduler, asked)
    finally:
        fleet.rollback(token)
    return counts


def _fill(scheduler: Scheduler, asked: Asked, answer: Headroom) -> Int64Array:
    """Give servers to one host after another, as long as it has a candidate that passes the filters."""
    chain = scheduler.chain
    counts = np.zeros(len(scheduler.hosts), np.int64)
    saved, taken = [], []
    instance = f"capacity of {asked.spec.flavor.name}"
    try:
        for host in range(len(counts)):
            saved.append(chain.computes[host].saved())
            while counts.sum() < MOST and (look := chain.look(asked, instance, None, [host])).ranking:
                taken.append(chain.claim(look, host).allocations)
                counts[host] += 1
        _told(answer, scheduler, asked)
    finally:
        for allocations in taken:
            chain.charge(allocations, -1)
        for compute, before in zip(chain.computes, saved):
            compute.restore(before)
    return counts


def _told(answer: Headroom, scheduler: Scheduler, asked: Asked) -> None:
    """What stops the next server, in all and on each host, as the state is now."""
    path = scheduler.plain_path(asked)
    if path is not None:
        request = path.request(asked, None)
        look = path.fleet.explain(request, live=True)
        decision = scheduler.plain_refusal(path, request, look)
        answer.hosts = [path.host_room(look, request, host) for host in range(len(scheduler.hosts))]
    else:
        found = scheduler.chain.look(asked, f"capacity of {asked.spec.flavor.name}", None)
        decision = scheduler.refusal(asked, found)
        answer.hosts = [_room(scheduler, refusal) for refusal in scheduler.refusals(asked, found)]
    answer.message = refused_message(decision, scheduler.hosts)
    answer.reasons, answer.smallest_change = decision.reasons, decision.change


def _room(scheduler: Scheduler, refusal: HostRefusal) -> HostRoom:
    room = HostRoom(scheduler.hosts.names[refusal.host], [])
    if refusal.rules:
        room.rule, room.text = refusal.rules[0].rule, refusal.rules[0].text
    room.short = [one.resource for one in refusal.shortfalls]
    return room


def _mix(source: str, scheduler: Scheduler, shapes: list[_Shape]) -> Headroom:
    """Rounds of all flavors, until the first server that finds no host."""
    answer = Headroom(
        source, [ShapeCount(one.wanted.name, one.each, dict(scheduler.asked(one.wanted).amounts)) for one in shapes]
    )
    taken = [Counter[int]() for _ in shapes]
    while answer.refused is None and answer.count < MOST:
        for number, (shape, count) in enumerate(zip(shapes, answer.shapes)):
            for _ in range(shape.each if answer.refused is None else 0):
                decision = scheduler.place(shape.wanted)
                if decision.host is None:
                    answer.refused = count.name
                    answer.message = refused_message(decision, scheduler.hosts)
                    if decision.verdict is not Verdict.ERROR:
                        _told(answer, scheduler, scheduler.asked(shape.wanted))
                    break
                count.count += 1
                taken[number][decision.host] += 1
        answer.rounds += answer.refused is None
    if not answer.hosts:
        answer.hosts = [HostRoom(name, []) for name in scheduler.hosts.names]
    for host, room in enumerate(answer.hosts):
        room.counts = [one[host] for one in taken]
    _run_out(answer)
    return answer


def _run_out(answer: Headroom) -> None:
    """The class that most hosts lack, the first of several; hosts that another rule stops before do not count."""
    stopped = (room for room in answer.hosts if (room.rule or "").startswith(RESOURCES))
    short = Counter(name for room in stopped for name in room.short)
    answer.runs_out = max(short, key=lambda name: short[name], default=None)
