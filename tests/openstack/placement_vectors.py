"""The recorded Placement cases, and their clouds as providers."""

import gzip
import json
from pathlib import Path

from binwright.openstack.placement.answer import Candidate
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.tree import Forest, Provider

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "openstack" / "placement"
SUITES = (
    "errors",
    "microversions",
    "flat",
    "nested",
    "baremetal",
    "sharing",
    "bandwidth",
    "pci",
    "random",
    "generation",
)


def cases(suite):
    with gzip.open(VECTORS / f"{suite}.public.json.gz") as file:
        return json.load(file)["cases"]


def forest_of(cloud):
    providers = {}
    for row in cloud["resource_providers"]:
        providers[row["uuid"]] = Provider(
            row["uuid"],
            row["name"],
            row["parent_provider_uuid"],
            inventories={name: Inventory(**fields) for name, fields in row["inventories"].items()},
            traits=frozenset(row["traits"]),
            aggregates=frozenset(row["aggregates"]),
        )
    for consumer in cloud["allocations"].values():
        for uuid, row in consumer["allocations"].items():
            used = providers[uuid].used
            for name, amount in row["resources"].items():
                used[name] = used.get(name, 0) + amount
    return Forest(providers.values())


def candidates_of(response):
    """Candidates of a recorded answer of 1.34 or later."""
    return [
        Candidate(
            {uuid: row["resources"] for uuid, row in request["allocations"].items()},
            {suffix: tuple(uuids) for suffix, uuids in request["mappings"].items()},
        )
        for request in response["allocation_requests"]
    ]


def canonical(response):
    """Requests as a set of texts, traits and mappings sorted, for comparing without order."""
    requests = []
    for request in response["allocation_requests"]:
        request = dict(request)
        if "mappings" in request:
            request["mappings"] = {suffix: sorted(uuids) for suffix, uuids in request["mappings"].items()}
        if isinstance(request["allocations"], list):
            request["allocations"] = sorted(request["allocations"], key=lambda row: row["resource_provider"]["uuid"])
        requests.append(json.dumps(request, sort_keys=True))
    summaries = {
        uuid: summary | ({"traits": sorted(summary["traits"])} if "traits" in summary else {})
        for uuid, summary in response["provider_summaries"].items()
    }
    return sorted(requests), summaries
