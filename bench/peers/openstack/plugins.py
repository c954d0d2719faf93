"""The real Nova and the real Placement with binwright's plug-ins and without, timed in turn in one run.

    V/bin/python bench/peers/openstack/plugins.py [--results FILE] [--runs 9]

Every answer is compared before its time counts: hosts and weights bit for bit, candidates as a set. All samples are
kept, processor and wall-clock milliseconds; `timesFaster` compares the medians of processor time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]

import fleets  # noqa: E402
from real_nova import CELL, RealNova, request_spec  # noqa: E402
from real_placement import RealPlacement  # noqa: E402

from bench.peers.openstack.results import write_results  # noqa: E402
from binwright.openstack import placement_plugin  # noqa: E402
from binwright.openstack.comparison import answer_differences  # noqa: E402
from binwright.openstack.placement_plugin import engine, feed, handler, objects  # noqa: E402

Json = dict[str, Any]
STOCK, PLUGIN = "stock", "plug-in"
FLAT = "resources=VCPU:2,MEMORY_MB:4096,DISK_GB:40&limit=1000"
TRAITS = f"{FLAT}&required=HW_CPU_X86_AVX2,!COMPUTE_STATUS_DISABLED"
CELL_AND_PORT = (
    "resources=DISK_GB:20&resources_C=VCPU:2,MEMORY_MB:2048&resources_P=SRIOV_NET_VF:1"
    "&group_policy=none&same_subtree=_C,_P&limit=1000"
)
DEFAULT = [
    "ComputeFilter",
    "ComputeCapabilitiesFilter",
    "ImagePropertiesFilter",
    "ServerGroupAntiAffinityFilter",
    "ServerGroupAffinityFilter",
]
MORE = [*DEFAULT, "NUMATopologyFilter", "PciPassthroughFilter", "AggregateInstanceExtraSpecsFilter"]
PATH = "binwright.openstack.nova_plugin."


def in_turn(ways: dict[str, Callable[[], Any]], runs: int) -> tuple[dict[str, Any], Json]:
    """Each way's first answer, and the samples of all, one run of each after another."""
    answers = {name: ask() for name, ask in ways.items()}  # not timed: warm, and to be compared
    samples: Json = {name: {"cpuMs": [], "wallMs": []} for name in ways}
    for _ in range(runs):
        for name, ask in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            ask()
            samples[name]["cpuMs"].append(round(1000 * (time.process_time() - cpu), 3))
            samples[name]["wallMs"].append(round(1000 * (time.perf_counter() - wall), 3))
    return answers, samples


def row(what: Json, samples: Json) -> Json:
    """A row as it is printed and kept."""
    medians = {name: statistics.median(one["cpuMs"]) for name, one in samples.items()}
    faster = {name: round(medians[STOCK] / max(median, 0.001), 1) for name, median in medians.items() if name != STOCK}
    print(json.dumps(what | {"cpuMs": medians, "timesFaster": faster}), flush=True)
    return what | {"cpuMsMedian": medians, "timesFaster": faster, "samples": samples}


# -- Nova


def nova_rows(runs: int) -> Iterator[Json]:
    """Filter and weigh, HostStates made already; services are up, no host has instances that count."""
    for many, enabled in ((100, DEFAULT), (1000, DEFAULT), (1000, MORE), (5000, DEFAULT)):
        nova = RealNova(fleets.compute_hosts(many))
        states = list(nova.states.values())
        spec = request_spec(fleets.FLAVORS[1], CELL)
        managers = {name: manager(name, enabled) for name in (STOCK, PLUGIN)}

        def look(made: Any, states: Any = states, spec: Any = spec) -> list[tuple[str, float]]:
            passing = made.get_filtered_hosts(states, spec)
            return [(one.obj.host, one.weight) for one in made.get_weighed_hosts(passing, spec)]

        ways = {name: (lambda made=made: look(made)) for name, made in managers.items()}
        answers, samples = in_turn(ways, runs)
        assert answers[PLUGIN] == answers[STOCK]
        assert len(answers[STOCK]) == many
        yield row({"service": "nova", "hosts": many, "filters": len(enabled), "compared": "equal bits"}, samples)


def manager(name: str, enabled: list[str]) -> Any:
    """A HostManager, stock or with the plug-in for the same filters and weighers."""
    from nova.conf import CONF
    from nova.scheduler import host_manager

    import binwright.openstack.nova_plugin.options  # registers [binwright]  # noqa: F401

    plugin = name == PLUGIN
    available = ["nova.scheduler.filters.all_filters", PATH + "BinwrightFilter"]
    CONF.set_override("available_filters", available, group="filter_scheduler")
    CONF.set_override("enabled_filters", ["BinwrightFilter"] if plugin else enabled, group="filter_scheduler")
    weighers = PATH + "BinwrightWeigher" if plugin else "nova.scheduler.weights.all_weighers"
    CONF.set_override("weight_classes", [weighers], group="filter_scheduler")
    CONF.set_override("enabled_filters", enabled, group="binwright")
    nothing = mock.patch.multiple(
        host_manager.HostManager, refresh_cells_caches=mock.DEFAULT, _init_aggregates=mock.DEFAULT
    )
    with nothing:
        return host_manager.HostManager()


# -- Placement


@contextmanager
def seam(name: str) -> Iterator[None]:
    """Stock: the service's own search. Objects: the engine behind the service's objects. Plug-in: JSON at once."""
    never = {"return_value": None}
    with mock.patch.object(objects, "answered", **never) if name == STOCK else mock.patch.object(engine, "LOG"):
        since = handler.WRITTEN_SINCE if name == PLUGIN else (1, 99)
        with mock.patch.object(handler, "WRITTEN_SINCE", since):
            yield


def placement_rows(service: RealPlacement, runs: int) -> Iterator[Json]:
    """GET /allocation_candidates at 1.39, bytes of the answer through the WSGI application."""
    queries = (("flat", 100, FLAT), ("flat", 1000, FLAT), ("flat", 1000, TRAITS), ("flat", 5000, FLAT),
               ("flat", 5000, TRAITS), ("nested", 500, CELL_AND_PORT))  # fmt: skip
    filled = None
    for kind, many, query in queries:
        if filled != (kind, many):
            service.fill(getattr(fleets, kind)(many))
            filled = kind, many

        def ask(name: str, query: str = query) -> bytes:
            with seam(name):
                status, body = service.call("GET", f"/allocation_candidates?{query}", None, "1.39")
            assert status == 200, body
            return body

        ways = {name: (lambda name=name: ask(name)) for name in (STOCK, "objects", PLUGIN)}
        answers, samples = in_turn(ways, runs)
        read = {name: json.loads(body) for name, body in answers.items()}
        whole = many if kind == "flat" else 4 * many
        compared = "equal"
        if whole <= 1000:
            assert not list(answer_differences(read[STOCK], read[PLUGIN]))
        else:  # `limit` may keep others
            compared = "equal number"
            assert len({len(one["allocation_requests"]) for one in read.values()}) == 1
        assert not list(answer_differences(read["objects"], read[PLUGIN]))
        what = {"service": "placement", "fleet": f"{kind} {many}", "query": query, "compared": compared}
        yield row(what | {"candidates": len(read[PLUGIN]["allocation_requests"])}, samples)


def boot_rows(service: RealPlacement, servers: int) -> Iterator[Json]:
    """Candidates and a claim for one server after another on 1,000 hosts: the copy follows each claim."""
    samples: Json = {name: {"cpuMs": [], "wallMs": []} for name in (STOCK, PLUGIN)}
    for name in samples:
        service.fill(fleets.flat(1000))
        for number in range(servers):
            wall, cpu = time.perf_counter(), time.process_time()
            with seam(name):
                answer = service.candidates(FLAT, "1.39")[1]
            request = answer["allocation_requests"][number]
            body = request | {"project_id": "p", "user_id": "u", "consumer_generation": None}
            body["consumer_type"] = "INSTANCE"
            consumer = fleets.uuid_of(number, "8")
            assert service.call("PUT", f"/allocations/{consumer}", body, "1.39")[0] == 204
            samples[name]["cpuMs"].append(round(1000 * (time.process_time() - cpu), 3))
            samples[name]["wallMs"].append(round(1000 * (time.perf_counter() - wall), 3))
            uuid = next(iter(request["allocations"]))
            with seam(name):
                after = service.candidates(f"resources=VCPU:1&in_tree={uuid}", "1.39")[1]
            used = after["provider_summaries"][uuid]["resources"]["VCPU"]["used"]
            assert used == answer["provider_summaries"][uuid]["resources"]["VCPU"]["used"] + 2
    yield row(
        {"service": "placement", "loop": "GET and PUT a server, 1,000 hosts", "compared": "the claim is seen"}, samples
    )


def write_rows(service: RealPlacement, writes: int) -> Iterator[Json]:
    """What the feed's triggers cost a claim and its release, in turn with and without them."""
    service.fill(fleets.flat(100))
    from placement import db_api

    claim = {"allocations": {fleets.uuid_of(0): {"resources": {"VCPU": 1, "MEMORY_MB": 1, "DISK_GB": 1}}}}
    claim |= {"project_id": "p", "user_id": "u", "consumer_generation": None, "consumer_type": "INSTANCE"}
    samples: Json = {name: {"cpuMs": [], "wallMs": []} for name in (STOCK, "feed")}
    for _ in range(writes):
        for name in samples:
            (feed.create if name == "feed" else feed.drop)(db_api.get_placement_engine())
            wall, cpu = time.perf_counter(), time.process_time()
            assert service.call("PUT", f"/allocations/{fleets.uuid_of(1, '8')}", claim, "1.39")[0] == 204
            assert service.call("DELETE", f"/allocations/{fleets.uuid_of(1, '8')}", None, "1.39")[0] == 204
            samples[name]["cpuMs"].append(round(1000 * (time.process_time() - cpu), 3))
            samples[name]["wallMs"].append(round(1000 * (time.perf_counter() - wall), 3))
    yield row({"service": "placement", "loop": "PUT and DELETE of one claim, without and with the feed"}, samples)


def main() -> None:
    """Time everything, print each row, write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9, help="timed runs of each way")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results" / "openstack-plugins.json")
    options = parser.parse_args()
    placement_plugin.install()
    service = RealPlacement()
    rows = [*nova_rows(options.runs), *placement_rows(service, options.runs)]
    rows += [*boot_rows(service, 5 * options.runs), *write_rows(service, 5 * options.runs)]
    write_results(
        options.results, ("openstack-placement", "nova"), {"rows": rows, "counts": placement_plugin.statistics()}
    )


if __name__ == "__main__":
    main()
