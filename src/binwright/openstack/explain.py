"""Why one server goes where it goes, host by host (`explain SERVER`), and as Nova's own log would tell it.

A server that waits is decided as at its turn: everything that `place` places before it is placed first. One that has a
host is taken out and decided about as if it came now; what is pending is not placed. A flavor stands for one more
server of it, that comes now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from binwright.errors import InputError
from binwright.explained import Explained, HostAnswer, HostScore, Named, ScorePart, TrailStep
from binwright.formats.files import Blob
from binwright.openstack.asked import Asked
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.chain import Look
from binwright.openstack.cloud import Cloud, Flavor, Server
from binwright.openstack.dumps import read_dump
from binwright.openstack.not_evaluated import rules_not_evaluated
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf, read_conf
from binwright.openstack.nova.options import option
from binwright.openstack.nova.raw_weights import score_parts
from binwright.openstack.pending import Wanted, pending_servers, wanted_server, wanted_servers
from binwright.openstack.place import cloud_notes, outcome_of
from binwright.openstack.removal import without_server
from binwright.openstack.scheduler import Decision, Scheduler
from binwright.openstack.zones import cloud_zones
from binwright.verdict import Verdict

__all__ = ["ExplainableCloud", "filter_log", "open_source"]

NO_CANDIDATES = (
    "Got no allocation candidates from the Placement API. This could be due to insufficient resources or a temporary "
    "occurrence as compute nodes start up."
)


def open_source(
    name: str, blobs: Iterable[Blob], *, retry_errors: bool = False, nova_conf: str | None = None
) -> ExplainableCloud:
    """Read the cloud that the files of one source describe; nova_conf: path of the scheduler's nova.conf.

    Raises InputError naming file, object and field.
    """
    return ExplainableCloud(read_dump(name, blobs), retry_errors, read_conf(nova_conf))


@dataclass
class ExplainableCloud:
    """A cloud that has been read: its servers can be asked about, what requests.json wishes for, and its flavors."""

    cloud: Cloud
    retry_errors: bool = False
    conf: NovaConf = PLAIN_CONF

    def __post_init__(self) -> None:
        self._wanted = wanted_servers(self.cloud, retry_errors=self.retry_errors)
        waiting = {id(one) for one in pending_servers(self.cloud, retry_errors=self.retry_errors)}
        self._others = [one for one in self.cloud.servers if id(one) not in waiting]

    def objects(self) -> list[Named]:
        """Every server, those that wait first, in their order; then the flavors."""
        source = self.cloud.name
        found = [Named(source, "Server", one.project, one.name, one.uid) for one in self._wanted]
        found += [Named(source, "Server", one.project, one.name, one.id) for one in self._others]
        return found + [Named(source, "Flavor", None, one.name, one.id, of_kind=True) for one in self.cloud.flavors]

    def explain(self, number: int, best: int) -> Explained:
        """Object `number`, with the scores of the `best` best hosts; of a flavor, one more server of it."""
        if number < len(self._wanted):
            return self._waiting(number, best)
        number -= len(self._wanted)
        if number < len(self._others):
            return self._other(self._others[number], best)
        return self._of_flavor(self.cloud.flavors[number - len(self._others)], best)

    def _waiting(self, number: int, best: int) -> Explained:
        cloud, wanted = self.cloud, self._wanted[: number + 1]
        scheduler = self._scheduler(cloud, wanted, pending_servers(cloud, retry_errors=self.retry_errors))
        placed = sum(one.host is not None for one in scheduler.place_all(wanted[:-1]))
        supposes = "at its turn, the first in the queue"
        if number:
            servers = f"{number} server{'' if number == 1 else 's'}"
            supposes = f"at its turn, after {servers} in the queue before it ({placed} placed)"
        return self._told(scheduler, wanted[-1], "pending", None, supposes, best)

    def _other(self, server: Server, best: int) -> Explained:
        cloud = without_server(self.cloud, server)
        waiting = replace(server, host=None, status="BUILD")
        wanted = wanted_server(cloud, waiting)
        scheduler = self._scheduler(cloud, [wanted], [waiting], devices=server.host is None)
        if server.host is None:
            return self._told(scheduler, wanted, server.status.lower(), None, "as if it came now, the only one", best)
        found = scheduler.hosts.lookup.find(server.host)
        on = scheduler.hosts.names[found[0]] if len(found) == 1 else server.host
        supposes = "as if it were taken out and came now; what is pending is not placed"
        return self._told(scheduler, wanted, "bound", on, supposes, best)

    def _of_flavor(self, flavor: Flavor, best: int) -> Explained:
        wanted = Wanted(flavor.name, None, None, flavor, where=f"flavor {flavor.name}")
        waiting = pending_servers(self.cloud, retry_errors=self.retry_errors)
        scheduler = self._scheduler(self.cloud, [wanted], waiting)
        supposes = "as if a server of it came now, with no hints, image or network; what is pending is not placed"
        return self._told(scheduler, wanted, "a flavor", None, supposes, best)

    def _scheduler(self, cloud: Cloud, wanted: list[Wanted], waiting: list[Server], devices: bool = True) -> Scheduler:
        """devices: False where cells and pools count what the server itself holds of them."""
        hosts = cloud_hosts(cloud, waiting)
        zones = cloud_zones(cloud, hosts)
        return Scheduler(cloud, hosts, zones, wanted, self.conf, with_chain=True, devices=devices)

    def _told(
        self, scheduler: Scheduler, server: Wanted, state: str, on: str | None, supposes: str, best: int
    ) -> Explained:
        hosts, asked = scheduler.hosts, scheduler.asked(server)
        try:
            look = scheduler.look(server)
        except InputError as problem:
            raise InputError(f"{server.where}: not filtered: {problem}") from None
        totals = dict(look.ranking)
        answers = [
            HostAnswer(
                hosts.names[refusal.host],
                refusal.rules,
                refusal.resolvable,
                refusal.shortfalls,
                refusal.change,
                totals.get(refusal.host),
            )
            for refusal in scheduler.refusals(asked, look)
        ]
        if look.ranking:
            host, total = look.ranking[0]
            decision = Decision(Verdict.PLACED, host, total, look.candidates[host][0].allocations)
        else:
            decision = scheduler.refusal(asked, look)
        return Explained(
            outcome_of(self.cloud.name, server, decision, hosts),
            state,
            on,
            supposes,
            dict(sorted(asked.amounts.items())),
            answers,
            _best_scores(scheduler, look, best, on),
            [TrailStep(*step) for step in look.trail],
            filter_log(look, server.uid or server.name),
            rules_not_evaluated(self.cloud, scheduler, [server]),
            [
                *_decision_notes(scheduler, asked, look),
                *cloud_notes(self.cloud, hosts, scheduler.zones, [server]),
            ],
        )


def _best_scores(scheduler: Scheduler, look: Look, best: int, on: str | None) -> list[HostScore]:
    """The scores of the first hosts of the ranking, and of the host that the server has."""
    chain, names = scheduler.chain, scheduler.hosts.names
    by_host = sorted(host for host, _ in look.ranking)
    parts = dict(zip(by_host, score_parts([chain.computes[host] for host in by_host], look.spec, chain.config)))
    return [
        HostScore(names[host], rank, total, tuple(ScorePart(*part) for part in parts[host]))
        for rank, (host, total) in enumerate(look.ranking, 1)
        if rank <= best or names[host] == on
    ]


def _decision_notes(scheduler: Scheduler, asked: Asked, look: Look) -> list[str]:
    """What Placement is asked, in a form that `candidates` takes, and where Nova would go if the best host failed."""
    notes = [f"Placement is asked: GET /allocation_candidates?{text}" for text in asked.texts]
    most = option(scheduler.chain.config, "scheduler.max_attempts") - 1
    others = [scheduler.hosts.names[host] for host, _ in look.ranking[1 : 1 + most]]
    return notes + ([f"alternates that Nova would hand on: {', '.join(others)}"] if others else [])


def filter_log(look: Look, instance: str) -> list[str]:
    """The lines that nova-scheduler logs of a look (nova 34.0.0, nova/filters.py and nova/scheduler/manager.py)."""
    if not look.candidates:
        return [NO_CANDIDATES]
    lines = [f"Starting with {look.trail[0][1]} host(s)"] if look.trail else []
    for name, _, end in look.trail:
        lines.append(f"Filter {name} returned {end} host(s)" if end else f"Filter {name} returned 0 hosts")
    if look.trail and not look.trail[-1][2]:
        results = str([f"{name}: (start: {start}, end: {end})" for name, start, end in look.trail])
        lines.append(
            f"Filtering removed all hosts for the request with instance ID '{instance}'. Filter results: {results}"
        )
    return lines
