"""The real Placement and the real Nova beside binwright on the same input, timed in one run.

    V/bin/python bench/peers/openstack/timings.py [--results FILE] [--cut SECONDS]

Every answer is compared before its time counts. A peer that has no answer after 90 seconds is cut and printed so.
Wall-clock and processor milliseconds, with all samples of the latter: the machine may be busy with other things.
`timesFaster` compares the least processor times. All share a process, so everybody pays for collecting everybody's
garbage. Nothing is asked twice of the same state: before each of binwright's answers some providers' claims change, or
a server has been placed.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]

import fleets  # noqa: E402
from real_nova import RealNova  # noqa: E402
from real_placement import RealPlacement  # noqa: E402

from bench.peers.openstack.results import write_results  # noqa: E402
from binwright.formats.files import Blob  # noqa: E402
from binwright.openstack.capacity import cloud_hosts  # noqa: E402
from binwright.openstack.cloud import Cloud, Flavor  # noqa: E402
from binwright.openstack.comparison import answer_differences, subset_differences  # noqa: E402
from binwright.openstack.dumps import read_dump  # noqa: E402
from binwright.openstack.nova.compute_host import ComputeHost  # noqa: E402
from binwright.openstack.nova.conf import PLAIN_CONF  # noqa: E402
from binwright.openstack.nova.filters import filtered  # noqa: E402
from binwright.openstack.nova.raw_weights import ranked  # noqa: E402
from binwright.openstack.nova.request_spec import RequestSpec  # noqa: E402
from binwright.openstack.pending import wanted_servers  # noqa: E402
from binwright.openstack.placement.query import parse_query  # noqa: E402
from binwright.openstack.placement.replay import read_forest  # noqa: E402
from binwright.openstack.placement.search import CandidateSearch  # noqa: E402
from binwright.openstack.scheduler import Scheduler  # noqa: E402
from binwright.openstack.zones import cloud_zones  # noqa: E402

Json = dict[str, Any]
LATEST = (1, 39)
SERVERS = 1000
TOUCHED = 10
"""Providers whose claims change before each of binwright's answers."""
ALTERNATES = 2
"""Nova's, with the host that is chosen: [scheduler] max_attempts is 3."""
FLAT = "resources=VCPU:2,MEMORY_MB:4096,DISK_GB:40"
TRAITS = f"{FLAT}&required=HW_CPU_X86_AVX2,!COMPUTE_STATUS_DISABLED"
CELL_AND_PORT = (
    "resources=DISK_GB:20&resources_C=VCPU:2,MEMORY_MB:2048&resources_P=SRIOV_NET_VF:1"
    "&group_policy=none&same_subtree=_C,_P"
)
TWO_CELLS = (
    "resources=DISK_GB:20&resources1=VCPU:2,MEMORY_MB:2048&resources2=VCPU:2,MEMORY_MB:2048&group_policy=isolate"
)
ONE_GROUP = "resources=DISK_GB:20,VCPU:2,MEMORY_MB:2048,SRIOV_NET_VF:1"


def devices(groups: int) -> str:
    """A query for as many devices as groups, each of another provider."""
    asked = [f"resources{number}=CUSTOM_DEVICE:1" for number in range(1, groups + 1)]
    return "&".join(["resources=VCPU:1", *asked, "group_policy=isolate"])


PLACEMENT: list[tuple[str, Callable[[], Json], list[str]]] = [
    ("flat 100", lambda: fleets.flat(100), [FLAT, TRAITS, f"{FLAT}&limit=1000"]),
    ("flat 1000", lambda: fleets.flat(1000), [FLAT, TRAITS, f"{FLAT}&limit=1000"]),
    ("flat 5000", lambda: fleets.flat(5000), [FLAT, TRAITS, f"{FLAT}&limit=1000"]),
    ("nested 500", lambda: fleets.nested(500), [CELL_AND_PORT, TWO_CELLS, ONE_GROUP]),
    ("nested 500, in use", lambda: fleets.nested(500, 0.4), [CELL_AND_PORT, TWO_CELLS, ONE_GROUP]),
    ("wide 8", lambda: fleets.wide(8), [devices(4)]),
    ("wide 16", lambda: fleets.wide(16), [devices(3), f"{devices(8)}&limit=1000"]),
]
REMEDIES = {
    "placement.max_allocation_candidates": 1000,
    "workarounds.optimize_for_wide_provider_trees": True,
}
"""Options that the service has against queries as the last one; off by default."""


class Cut(BaseException):
    """Time is up; no `except Exception` of a peer takes it for its own."""


def timed(
    ask: Callable[[], Any], runs: int, seconds: float, before: Callable[[], Any] = lambda: None
) -> tuple[Any, Json]:
    """The answer of the first run, and the times of up to `runs`; none is begun when half of the seconds are gone.

    before: is called before each run, and not timed.
    """
    walls: list[float] = []
    cpus: list[float] = []
    answer = None

    def up(*_: Any) -> None:
        raise Cut

    signal.signal(signal.SIGALRM, up)
    begin = time.perf_counter()
    try:
        while len(walls) < runs and time.perf_counter() - begin < seconds / 2:
            before()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            wall, cpu = time.perf_counter(), time.process_time()
            found = ask()
            walls.append(1000 * (time.perf_counter() - wall))
            cpus.append(1000 * (time.process_time() - cpu))
            signal.setitimer(signal.ITIMER_REAL, 0)
            answer = found if answer is None else answer
    except Cut:
        if not walls:
            return None, {"cutAfterSeconds": seconds}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return answer, summed_up(walls, cpus)


def summed_up(walls: list[float], cpus: list[float]) -> Json:
    """Medians, the least, and every sample of the processor time."""
    return {
        "runs": len(walls),
        "wallMs": round(statistics.median(walls), 4),
        "cpuMs": round(statistics.median(cpus), 4),
        "cpuMsLeast": round(min(cpus), 4),
        "cpuMsSamples": [round(one, 4) for one in cpus],
    }


def show(row: Json) -> Json:
    """Print a row as it comes, without the samples."""

    def brief(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: brief(one) for key, one in value.items() if key != "cpuMsSamples"}
        return value

    print(json.dumps(brief(row)), flush=True)
    return row


def placement_rows(service: RealPlacement, cut: float) -> list[Json]:
    """GET /allocation_candidates of every fleet: the search alone, and bytes of the answer on both sides."""
    rows: list[Json] = []
    own: Json = {}
    rng = random.Random(7)
    for name, make, queries in PLACEMENT:
        fleet = make()
        service.fill(fleet)
        start = time.process_time()
        search = CandidateSearch(read_forest(fleet), (), fleet["extra_resource_classes"])
        built = 1000 * (time.process_time() - start)
        providers = list(search.forest.providers.values())

        def claims(search: CandidateSearch = search, providers: list[Any] = providers) -> None:
            for provider in rng.choices(providers, k=TOUCHED):
                for resource in provider.inventories:
                    search.update_used(provider, resource)

        for number, text in enumerate(queries):

            def ours(text: str = text, search: CandidateSearch = search) -> bytes:
                return search.body(parse_query(text, LATEST))

            query = parse_query(text, LATEST)
            path = f"/allocation_candidates?{text}"
            row = {"fleet": name, "query": text}
            if number == 0:
                row |= {"binwrightBuildMs": round(built, 1), "binwrightFirst": timed(ours, 1, cut)[1]}
            mine, own = timed(ours, 101, cut, claims)
            found, searched = timed(lambda search=search, query=query: search.find(query), 101, cut, claims)
            with service.searches() as inside:
                theirs, peer = timed(lambda path=path: service.call("GET", path, None, "1.39"), 3, cut)
            body = json.loads(mine)
            row |= {"binwright": own, "binwrightSearch": searched, "placement": peer}
            row |= {"candidates": len(found), "bytes": len(mine)}
            assert len(found) == len(body["allocation_requests"])
            row["compared"] = "the peer was cut" if theirs is None else compared(service, text, theirs, body)
            if theirs is not None:
                row["placementSearch"] = summed_up(*zip(*inside, strict=True))
                row["timesFaster"] = faster(peer, own)
                row["searchTimesFaster"] = faster(row["placementSearch"], searched)
            rows.append(show(row))
    return [*rows, show(remedied_row(service, own, cut))]


def remedied_row(service: RealPlacement, own: Json, cut: float) -> Json:
    """The last query again, of the service with its remedies: as many candidates, whichever they are."""
    name, _, (*_, text) = PLACEMENT[-1]
    for option, value in REMEDIES.items():
        group, _, word = option.partition(".")
        service.config.set_override(word, value, group=group)
    theirs, peer = timed(lambda: service.call("GET", f"/allocation_candidates?{text}", None, "1.39"), 3, cut)
    for option in REMEDIES:
        group, _, word = option.partition(".")
        service.config.clear_override(word, group=group)
    row = {"fleet": name, "query": text, "options": REMEDIES, "binwright": own, "placement": peer}
    if theirs is None:
        return row | {"compared": "the peer was cut"}
    many = len(json.loads(theirs[1])["allocation_requests"])
    assert many == 1000, f"{many} candidates of {name}"
    return row | {"candidates": many, "compared": "as many", "timesFaster": faster(peer, own)}


def faster(peer: Json, own: Json) -> float:
    """By the least processor times."""
    return round(peer["cpuMsLeast"] / own["cpuMsLeast"], 1)


def compared(service: RealPlacement, text: str, theirs: tuple[int, bytes], mine: Json) -> str:
    """That both say the same: all candidates, or with a limit as many of them."""
    status, body = theirs[0], json.loads(theirs[1])
    if status != 200:
        raise AssertionError(f"{text}: status {status}")
    if "limit=" in text:
        everything = service.candidates(text.rpartition("&limit=")[0], "1.39")[1]
        lines = list(subset_differences(len(body["allocation_requests"]), everything, mine))
    else:
        lines = list(answer_differences(body, mine))
    if lines:
        raise AssertionError(f"{text}: {lines[0]}")
    return "equal"


def our_hosts(rows: list[Json]) -> list[ComputeHost]:
    """Nova's hosts in binwright's terms."""
    return [
        ComputeHost(
            host=row["name"],
            nodename=row["name"],
            uuid=row["uuid"],
            vcpus_total=row["vcpus"],
            vcpus_used=row["vcpus_used"],
            free_ram_mb=row["memory_mb"] - row["memory_mb_used"],
            total_usable_ram_mb=row["memory_mb"],
            total_usable_disk_gb=row["local_gb"],
            free_disk_mb=1024 * (row["local_gb"] - row["local_gb_used"]),
            disk_mb_used=1024 * row["local_gb_used"],
            hypervisor_type="QEMU",
            hypervisor_version=row["hypervisor_version"],
            supported_instances=[["x86_64", "kvm", "hvm"]],
            cpu_allocation_ratio=row["vcpu_ratio"],
            candidates=[{"": [row["uuid"]]}],
        )
        for row in rows
    ]


def our_flavor(row: Json) -> Flavor:
    """A flavor in binwright's terms."""
    return Flavor(row["id"], row["name"], row["vcpus"], row["ram"], row["disk"])


def our_cloud(rows: list[Json], servers: int) -> Cloud:
    """The hosts as a dump, with servers that wait."""
    fleet = fleets.flat(len(rows))
    same = ("vcpus", "vcpus_used", "memory_mb", "memory_mb_used", "local_gb", "local_gb_used", "hypervisor_version")
    files: Json = {
        "flavors.json": list(fleets.FLAVORS),
        "hypervisors.json": [
            {"id": row["uuid"], "hypervisor_hostname": row["name"], "state": "up", "status": "enabled"}
            | {name: row[name] for name in same}
            for row in rows
        ],
        "providers.json": [{key: row[key] for key in ("uuid", "name")} for row in fleet["resource_providers"]],
        "servers.json": [server(number) for number in range(servers)],
    }
    consumers: Json = {row["uuid"]: {} for row in rows}
    for consumer, claim in fleet["allocations"].items():
        for uuid, part in claim["allocations"].items():
            consumers[uuid][consumer] = part
    for row in fleet["resource_providers"]:
        stocks = [{"resource_class": name, **numbers} for name, numbers in row["inventories"].items()]
        files[f"inventories/{row['uuid']}.json"] = stocks
        files[f"allocations/{row['uuid']}.json"] = {"allocations": consumers[row["uuid"]]}
        files[f"traits/{row['uuid']}.json"] = [{"name": name} for name in row["traits"]]
    return read_dump("bench", [Blob(name, json.dumps(content).encode()) for name, content in files.items()])


def server(number: int) -> Json:
    """The server that comes as this number; its flavor is one of three in turn."""
    flavor = fleets.FLAVORS[number % len(fleets.FLAVORS)]["name"]
    uuid = fleets.uuid_of(number, "8")
    return {"ID": uuid, "Name": f"server{number:05d}", "Status": "BUILD", "Host": None, "Flavor": flavor}


def nova_row(many: int, cut: float) -> Json:
    """Filter and weigh: all hosts in order with their weights; the chosen host and its alternates.

    By the rules host by host; and by the engine, after each of some hundred servers that it has placed.
    """
    flavor = fleets.FLAVORS[1]
    hosts = fleets.compute_hosts(many)
    nova, mine = RealNova(hosts), our_hosts(hosts)
    request = RequestSpec(our_flavor(flavor))
    theirs, peer = timed(lambda: nova.filter_and_weigh(flavor), 5, cut)
    found, own = timed(lambda: ranked(filtered(mine, request, PLAIN_CONF.enabled, {}), request, {}), 9, cut)
    scheduler, wanted = our_scheduler(our_cloud(hosts, 1 + 3 * 110))
    asked, rest = wanted[1], iter(wanted[2:])
    assert flavor_of(1) is flavor
    if theirs is not None:
        for (host, weight), (one, total) in zip(theirs, found, strict=True):
            assert host == one.host, f"{many} hosts: {host}, binwright {one.host}"
            assert weight == total, (host, weight, total)
        names = scheduler.hosts.names
        for _ in range(2):  # by scan, then by index
            order = [(names[host], weight) for host, weight in zip(*scheduler.ranked(asked), strict=True)]
            assert order == theirs, f"{many} hosts: the engine's order"
        best = [names[host] for host in scheduler.ranked(asked, 1 + ALTERNATES)[0]]
        assert best == [host for host, _ in theirs[: 1 + ALTERNATES]], f"{many} hosts: {best}"

    def boot() -> Any:
        return scheduler.place(next(rest))

    _, chosen = timed(lambda: scheduler.ranked(asked, 1 + ALTERNATES), 100, cut, boot)
    _, whole = timed(lambda: scheduler.ranked(asked), 100, cut, boot)
    _, placed = timed(boot, 100, cut)
    ours = {"hostByHost": own, "wholeOrder": whole, "chosenAndAlternates": chosen, "placed": placed}
    row = {"hosts": many, "nova": peer, "binwright": ours}
    if theirs is None:
        return show(row | {"compared": "the peer was cut"})
    row |= {
        "compared": "equal hosts and weights",
        "timesFaster": {name: faster(peer, one) for name, one in ours.items()},
    }
    return show(row)


def our_scheduler(cloud: Cloud) -> tuple[Scheduler, list[Any]]:
    """A scheduler of a cloud, and the servers that wait."""
    wanted = wanted_servers(cloud)
    hosts = cloud_hosts(cloud, cloud.servers)
    return Scheduler(cloud, hosts, cloud_zones(cloud, hosts), wanted), wanted


def boot_rows(service: RealPlacement, cut: float) -> list[Json]:
    """1,000 servers one by one on 1,000 hosts: binwright, Nova's loop alone, both services; all take the same hosts."""
    hosts = fleets.compute_hosts(SERVERS)
    start = time.perf_counter()
    cloud = our_cloud(hosts, SERVERS)
    read = time.perf_counter() - start
    wall, cpu = time.perf_counter(), time.process_time()
    scheduler, wanted = our_scheduler(cloud)
    mine = [scheduler.hosts.names[one.host] for one in scheduler.place_all(wanted) if one.host is not None]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rows = [show(boots("binwright", mine, mine, wall, cpu) | {"readingTheDumpSeconds": round(read, 1)})]

    alone = RealNova(hosts)
    everybody = {row["uuid"]: [{"allocations": {}, "mappings": {"": [row["uuid"]]}}] for row in hosts}
    rows.append(
        show(loop("nova", mine, cut, lambda number: alone.schedule(flavor_of(number), uuid(number), everybody)))
    )

    service.fill(fleets.flat(SERVERS))

    def claim(instance: str, request: Json) -> bool:
        body = request | {"project_id": "p", "user_id": "u", "consumer_generation": None, "consumer_type": "INSTANCE"}
        return service.call("PUT", f"/allocations/{instance}", body, "1.39")[0] == 204

    both = RealNova(hosts, claim)

    def boot(number: int) -> str:
        flavor = flavor_of(number)
        asked = f"resources=DISK_GB:{flavor['disk']},MEMORY_MB:{flavor['ram']},VCPU:{flavor['vcpus']}&limit=1000"
        by_host: dict[str, list[Json]] = {}
        for request in service.candidates(asked, "1.39")[1]["allocation_requests"]:
            by_host.setdefault(next(iter(request["allocations"])), []).append(request)
        return both.schedule(flavor, uuid(number), by_host)

    rows.append(show(loop("placement and nova", mine, cut, boot)))
    return rows


def flavor_of(number: int) -> Json:
    return fleets.FLAVORS[number % len(fleets.FLAVORS)]


def uuid(number: int) -> str:
    return fleets.uuid_of(number, "8")


def loop(who: str, wanted: list[str], cut: float, boot: Callable[[int], str]) -> Json:
    """Boot one server after another until all have a host or the time is up; each must be where binwright puts it."""
    got: list[str] = []
    wall, cpu = time.perf_counter(), time.process_time()
    while len(got) < SERVERS and time.perf_counter() - wall < cut:
        got.append(boot(len(got)))
    return boots(who, got, wanted, time.perf_counter() - wall, time.process_time() - cpu)


def boots(who: str, got: list[str], wanted: list[str], wall: float, cpu: float) -> Json:
    """A row; raises AssertionError where a server went elsewhere."""
    for number, (one, other) in enumerate(zip(got, wanted)):
        assert one == other, f"{who}: server {number} goes to {one}, with binwright to {other}"
    each = {"wallMsEach": round(1000 * wall / len(got), 3), "cpuMsEach": round(1000 * cpu / len(got), 3)}
    row = {"who": who, "servers": len(got), **each, "compared": "equal hosts"}
    return row if len(got) == SERVERS else row | {"cut": f"after {wall:.0f} s with {len(got)} of {SERVERS} servers"}


def main() -> None:
    """Time everything, print each row, write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cut", type=float, default=90.0, help="seconds that a peer gets for one answer")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results" / "openstack-timings.json")
    options = parser.parse_args()
    service = RealPlacement()
    start = time.perf_counter()
    found = {"placement": placement_rows(service, options.cut)}
    found |= {
        "nova": [nova_row(many, options.cut) for many in (100, 1000, 5000)],
        "boots": boot_rows(service, options.cut),
    }
    write_results(
        options.results,
        ("openstack-placement", "nova"),
        found | {"seconds": round(time.perf_counter() - start, 1)},
    )


if __name__ == "__main__":
    main()
