"""Records decisions of the real cinder scheduler, run in process, as cases for `binwright conformance cinder`.

    python -m venv V && V/bin/pip install cinder==29.0.0 pyparsing==3.2.5
    V/bin/python bench/peers/openstack/record_cinder.py tests/conformance/openstack

The service's own HostManager, filters, weighers, weight handler and FilterScheduler decide. Stand-ins are the list of
services, the RPC client that would tell the winner, and the two look-ups of volumes in its database. (pyparsing: with
3.3 cinder 29.0.0 refuses every expression that has a variable in it.)

Where one of its filters fails on a pool (a division by nothing in the capacity filter) that pool is taken away and the
service is asked again; such an answer has "failed_on". Where a weigher fails there is an "error" in place of an order.
"""

from __future__ import annotations

import gzip
import json
import logging
import sys
import warnings
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

warnings.simplefilter("ignore")

from cinder import context, objects  # noqa: E402

objects.register_all()
from cinder.api.views.scheduler_stats import ViewBuilder  # noqa: E402
from cinder.scheduler import base_weight, filter_scheduler  # noqa: E402
from cinder.scheduler.evaluator import evaluator  # noqa: E402
from cinder.scheduler.filters import affinity_filter  # noqa: E402
from cinder.scheduler.weights import WeighedHost, volume_number  # noqa: E402
from cinder.volume import rpcapi  # noqa: E402
from cinder_cases import ALL_FILTERS, ALL_WEIGHERS, SCOPES, all_cases, expressions  # noqa: E402
from oslo_config import cfg  # noqa: E402

CONF = cfg.CONF
EXPRESSIONS = 1500
REPORTED = datetime(2026, 1, 1)
Json = dict[str, Any]


class Service(dict):  # type: ignore[type-arg]
    """A cinder-volume that is up."""

    def __init__(self, host: str, cluster: str | None, zone: str) -> None:
        super().__init__(host=host, cluster_name=cluster, availability_zone=zone)
        self.host, self.cluster_name, self.is_up = host, cluster, True
        self.service_topic_queue = cluster or host


class Volumes:
    """The two look-ups in the database, over the volumes of the case."""

    def __init__(self) -> None:
        self.rows: list[Json] = []

    def get_all(self, _context: Any, filters: Json) -> list[Json]:
        """For the affinity filters."""
        ids = filters["id"]
        return [
            row
            for row in self.rows
            if row["id"] in ids
            and row["host"] == filters.get("host", row["host"])
            and row.get("cluster") == filters.get("cluster_name", row.get("cluster"))
        ]

    def count(self, context: Any, host: str, count_only: bool) -> int:
        """For the weigher of volume numbers."""
        return sum(row["host"] == host or row["host"].startswith(host + "#") for row in self.rows)


VOLUMES = Volumes()


def stand_in() -> None:
    """Take the outside world away from the service."""
    rpcapi.VolumeAPI = SimpleNamespace  # type: ignore[misc]
    affinity_filter.volume = SimpleNamespace(API=lambda: VOLUMES)
    volume_number.db = SimpleNamespace(volume_data_get_for_host=VOLUMES.count)


def scheduler(case: Json) -> filter_scheduler.FilterScheduler:
    """The service with the backends of a case, which have just reported."""
    CONF.reset()
    for option, value in case["config"].items():
        CONF.set_override(option, value)
    services = SimpleNamespace(objects=[Service(b["host"], b["cluster"], b["zone"]) for b in case["backends"]])
    objects.ServiceList.get_all = classmethod(lambda *_arguments: services)  # type: ignore[method-assign]
    made = filter_scheduler.FilterScheduler()
    for number, backend in enumerate(case["backends"]):
        said = json.loads(json.dumps(backend["capabilities"]))
        if backend["pools"]:
            said["pools"] = json.loads(json.dumps(backend["pools"]))
        when = REPORTED + timedelta(seconds=number)
        made.host_manager.update_service_capabilities("volume", backend["host"], said, backend["cluster"], when)
    return made


def properties_of(request: Json) -> tuple[Json, Json]:
    """Request spec and filter properties, as the API and the manager make them."""
    volume: Json = {"size": request["size"], "attach_status": "attached" if request.get("attached") else "detached"}
    if "qos" in request:
        volume["qos_specs"] = request["qos"]
    spec: Json = {"volume_id": request["id"], "volume_properties": volume, "resource_properties": volume}
    spec["volume_type"] = {"name": "type", "extra_specs": request.get("extra_specs", {})}
    spec["availability_zones"] = request.get("zones", [])
    properties: Json = {"scheduler_hints": request.get("hints", {})}
    if "extends_to" in request:
        spec["operation"] = "extend_volume"
        properties["new_size"] = request["extends_to"]
    if "is_on" in request:
        properties["vol_exists_on"] = request["is_on"]
    return spec, properties


def answers(made: filter_scheduler.FilterScheduler, request: Json) -> Json:
    """Everything that the service says about one request; a volume that is created stays."""
    manager, admin = made.host_manager, context.get_admin_context()
    spec, properties = properties_of(request)
    states = list(manager.get_all_backend_states(admin))
    probe = dict(properties, context=admin, request_spec=spec, volume_type=spec["volume_type"])
    probe |= {"resource_type": spec["volume_type"], "qos_specs": request.get("qos")}
    made.populate_filter_properties(spec, probe)
    told: Json = {"filters": {}}
    failed: Json = {}
    for name in ALL_FILTERS:
        told["filters"][name] = passed = []
        for state in states:
            try:
                if manager.get_filtered_backends([state], probe, [name]):
                    passed.append(state.host)
            except Exception as problem:
                failed[state.host] = type(problem).__name__
    enabled = [state for state in states if state.host not in failed]
    if failed:
        told["failed_on"] = failed
    manager.get_all_backend_states = lambda _context: enabled
    filtered = manager.get_filtered_backends(enabled, probe)
    told["filtered"] = [state.host for state in filtered]
    told["weighers"] = {name: weighed(manager, name, filtered, probe) for name in ALL_WEIGHERS}
    try:
        candidates = made._get_weighted_candidates(admin, spec, dict(properties))
        told["order"] = [[one.obj.host, one.weight] for one in candidates]
    except Exception as problem:
        told["error"] = type(problem).__name__
        candidates = []
    del manager.get_all_backend_states
    if candidates and "extends_to" not in request and "is_on" not in request:
        chosen = made._choose_top_backend(candidates, spec).obj
        VOLUMES.rows.append({"id": request["id"], "host": chosen.host, "cluster": chosen.cluster_name})
        told["chosen"] = chosen.host
    told["after"] = {
        state.host: [state.allocated_capacity_gb, state.provisioned_capacity_gb, state.free_capacity_gb]
        for state in states
    }
    return told


def weighed(manager: Any, name: str, states: list[Any], properties: Json) -> Json:
    """Raw and normalised weights of one weigher, or what it fails with."""
    weigher = next(one for one in manager.weight_classes if one.__name__ == name)()
    try:
        raw = weigher.weigh_objects([WeighedHost(state, 0.0) for state in states], properties) if states else []
    except Exception as problem:
        return {"error": type(problem).__name__}
    scaled = base_weight.normalize(raw, weigher.minval, weigher.maxval)
    return {"raw": list(raw), "normalized": list(scaled), "multiplier": weigher.weight_multiplier()}


def pools_of(made: filter_scheduler.FilterScheduler) -> list[Json]:
    """The pools as `GET /scheduler-stats/get_pools?detail=True` shows them, in the scheduler's order."""
    admin = context.get_admin_context()
    states = list(made.host_manager.get_all_backend_states(admin))
    told = made.host_manager.get_pools(admin, {})
    plain = [dict(row, capabilities=dict(row["capabilities"])) for row in told]  # what the message bus makes of them
    shown = ViewBuilder().pools(None, plain, True)["pools"]
    rows = []
    for state, row in zip(states, shown, strict=True):
        said = {key: value for key, value in dict(row["capabilities"]).items() if key not in ("timestamp", "pools")}
        place = {"host": state.host, "zone": state.service["availability_zone"], "cluster": state.cluster_name}
        rows.append({"name": row["name"], "capabilities": said} | place)
    return rows


def recorded(case: Json) -> Json:
    """One case with its answers."""
    VOLUMES.rows = [dict(row) for row in case["volumes"]]
    requests = [dict(row, id=f"00000000-0000-4000-8000-{number:012d}") for number, row in enumerate(case["requests"])]
    told: Json = {"id": case["id"], "config": case["config"], "pools": pools_of(scheduler(case))}
    told |= {"volumes": case["volumes"], "requests": requests}
    made = scheduler(case)
    told["expected"] = [answers(made, request) for request in requests]
    return told


def evaluated(text: str) -> Json:
    """The value of an expression, or that it has none."""
    try:
        return {"value": evaluator.evaluate(text, **SCOPES)}
    except Exception:
        return {"error": True}


def write(target: Path, suite: str, cases: list[Json]) -> None:
    """One compressed file that is the same each time."""
    peer = f"cinder {version('cinder')}"
    document = {"peer": peer, "suite": suite, "with": {"pyparsing": version("pyparsing")}, "cases": cases}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{target}: {len(cases)} cases, {target.stat().st_size} bytes")


def main(directory: str) -> None:
    """Record every case."""
    CONF([], project="cinder")
    logging.disable(logging.CRITICAL)
    stand_in()
    write(Path(directory) / "cinder.json.gz", "volumes", [recorded(case) for case in all_cases()])
    rows = [{"text": text} | evaluated(text) for text in expressions(EXPRESSIONS)]
    parts = [rows[first : first + 50] for first in range(0, len(rows), 50)]
    cases = [{"id": f"part-{number}", "scopes": SCOPES, "expected": part} for number, part in enumerate(parts)]
    write(Path(directory) / "cinder_expressions.json.gz", "expressions", cases)


if __name__ == "__main__":
    main(sys.argv[1])
