"""Replays recorded cases against this reference, and says how an answer differs from the recorded one.

`run_case(suite, case, names)` answers a case of any suite, named by folder and file ("placement/flat");
`differences(suite, case, got, names)` compares such an answer, of this reference or of anybody else, by the comparison
rules of the vectors' README. Reads no files.
"""

from __future__ import annotations

from tests.reference.openstack import canonical, pci, tables
from tests.reference.openstack.answer import allocation_candidates, request_json
from tests.reference.openstack.candidates import search
from tests.reference.openstack.cloud import Cloud
from tests.reference.openstack.filters import ROWS, run_pipeline, survivors
from tests.reference.openstack.host import Host, Request
from tests.reference.openstack.numa import host_cells, usage_after
from tests.reference.openstack.numa_constraints import ConstraintError, numa_constraints
from tests.reference.openstack.numa_fit import Limits, fit
from tests.reference.openstack.query import parse, parse_microversion
from tests.reference.openstack.resource_request import pinning_requested, query_strings
from tests.reference.openstack.schedule import NoValidHost, select
from tests.reference.openstack.service import Placement
from tests.reference.openstack.weighers import MetricNotFound, weigh

CANDIDATE_SUITES = tuple(
    f"placement/{name}"
    for name in (
        "bandwidth",
        "baremetal",
        "errors",
        "flat",
        "generation",
        "microversions",
        "nested",
        "pci",
        "random",
        "sharing",
    )
)


def run_case(suite: str, case: dict, names: dict) -> list | dict:
    """The reference's answer to one case; `names` holds the standard trait and class names.

    Placement's suites: a list of (status, body), one for each query or step.
    """
    return RUN[suite](case, names)


def differences(suite: str, case: dict, got: list | dict, names: dict) -> list[str]:
    """One line for each difference between the recorded case and an answer of the shape of `run_case`."""
    return COMPARE[suite](case, got, names)


def _run_candidates(case: dict, names: dict) -> list[tuple[int, dict]]:
    cloud = Cloud.from_json(case["cloud"], names)
    config = case.get("config")
    return [allocation_candidates(cloud, q["query"], q["microversion"], config) for q in case["queries"]]


def _candidate_differences(case: dict, got: list[tuple[int, dict]], names: dict) -> list[str]:
    found = []
    for query, (status, body) in zip(case["queries"], got, strict=True):
        found += [f"{query['query']}: {line}" for line in _query_differences(case, query, status, body, names)]
    return found


def _query_differences(case: dict, query: dict, status: int, body: dict, names: dict) -> list[str]:
    repaired = query.get("response_with_defect_repaired")
    wanted_status = 200 if repaired is not None else query["status"]
    if status != wanted_status:
        return [f"status {wanted_status} != {status}"]
    if query["compare"] == "error":
        return canonical.error_differences(query["error"], body)
    if query["compare"] == "subset":
        found = canonical.subset_differences(query, body)
        config = case.get("config", {})
        if not found and config.get("allocation_candidates_generation_strategy") == "breadth-first":
            served = [canonical.canonical(r) for r in body["allocation_requests"]]
            found = canonical.uneven_anchors(served, _anchors(case, query, names))
        return found
    return canonical.answer_differences(repaired if repaired is not None else query["response"], body)


def _anchors(case: dict, query: dict, names: dict) -> dict[str, set[str]]:
    """Every candidate of a query in canonical form, with all the anchors it can be found under."""
    cloud = Cloud.from_json(case["cloud"], names)
    version = parse_microversion(query["microversion"])
    parsed = parse(query["query"], version)
    owners: dict[str, set[str]] = {}
    for candidate, anchor in search(cloud, parsed):
        owners.setdefault(canonical.canonical(request_json(candidate, version)), set()).add(anchor)
    return owners


def _run_claims(case: dict, names: dict) -> list[tuple[int, dict | None]]:
    """From an empty service; the steps about leaked consumers record stock behaviour (vectors README)."""
    service = Placement(names, leaks_consumers=True)
    return [service.call(s["method"], s["path"], s.get("body"), s.get("microversion", "latest")) for s in case["steps"]]


def _claims_differences(case: dict, got: list[tuple[int, dict | None]], names: dict) -> list[str]:
    found = []
    for number, (step, (status, body)) in enumerate(zip(case["steps"], got, strict=True)):
        expected = step["response"]
        if status != step["status"]:
            lines = [f"status {step['status']} != {status} {body}"]
        elif status >= 400:
            lines = canonical.error_differences(expected, body)
        elif isinstance(expected, dict) and "allocation_requests" in expected:
            lines = canonical.answer_differences(expected, body)
        else:
            same = canonical.with_sets(expected or None) == canonical.with_sets(body)
            lines = [] if same else [f"body {expected} != {body}"]
        found += [f"step {number} {step['method']} {step['path']}: {line}" for line in lines]
    return found


def _run_numa_fit(case: dict, names: dict) -> dict:
    try:
        guest = numa_constraints(case["flavor"], case.get("image"))
    except ConstraintError as error:
        return {"constraints": {"error": error.kind}}
    if guest is None:
        return {"constraints": None}
    host = host_cells(case["host"])
    pools = pci.sorted_pools(case["pci_pools"]) if "pci_pools" in case else None
    packing = case.get("config", {}).get("compute.packing_host_numa_cells_allocation_strategy", False)
    placed = fit(host, guest, Limits.from_json(case.get("limits")), pools, case.get("pci_requests"), packing=packing)
    got = {"constraints": guest.to_json(), "fit": placed and placed.to_json()}
    if placed:
        try:
            got["host_after"] = {"cells": [cell.to_json() for cell in usage_after(host, placed)]}
        except IndexError:
            got["host_after"] = {"error": "IndexError"}
    return got


def _run_pci(case: dict, names: dict) -> dict:
    pools = pci.sorted_pools(case["pci_pools"])
    sockets = {cell["id"]: cell["socket"] for cell in case["host"]["cells"]} if case["host"] else None
    mapping = case.get("provider_mapping")
    after = pci.apply_requests(pools, case["pci_requests"], mapping, case["numa_cells"], sockets)
    return {"pools_sorted": pools, "supported": after is not None, "pools_after": after}


def _numa_fit_differences(case: dict, got: dict, names: dict) -> list[str]:
    expected = dict(case["expected"])
    if "fit_if_repaired" in case or "fit_if_repaired" in expected:
        expected["fit"] = case.get("fit_if_repaired", expected.pop("fit_if_repaired", None))
        expected.pop("host_after", None)  # of the unrepaired fit
        got = {key: value for key, value in got.items() if key != "host_after"}
    return tables.numa_differences(case, expected, got)


def _table_differences(case: dict, got: dict, names: dict) -> list[str]:
    return tables.differences(case["expected"], got)


def _hosts(case: dict) -> list[Host]:
    return [Host.from_json(host, case["aggregates"]) for host in case["hosts"]]


def _run_filters(case: dict, names: dict) -> dict:
    """Each filter alone on all hosts, without force, ignore or destination (vectors README)."""
    got: dict = {}
    for name in ROWS:
        request = Request.from_json(case["spec"])
        try:
            got[name] = [host.name for host in survivors(name, _hosts(case), request, case["config"])]
        except ValueError:
            got[name] = {"error": "ValueError"}
    return got


def _run_weights(case: dict, names: dict) -> dict:
    request = Request.from_json(case["spec"])
    hosts = run_pipeline(_hosts(case), request, case["enabled_filters"], case["config"])
    filtered = [host.name for host in hosts]
    try:
        table, order = weigh(hosts, request, case["config"])
    except MetricNotFound:
        return {"filtered": filtered, "error": "ComputeHostMetricNotFound"}
    if not hosts:
        return {"filtered": []}
    table = {name: row for name, row in table.items() if any(row["raw"].values())}
    return {"filtered": filtered, "weighers": table, "order": [[host.name, total] for host, total in order]}


def _run_schedule(case: dict, names: dict) -> dict:
    request, hosts = Request.from_json(case["spec"]), _hosts(case)
    try:
        chosen = select(hosts, request, case["instance_uuids"], case["enabled_filters"], case["config"])
    except NoValidHost:
        return {"error": "NoValidHost"}
    after = {host.name: host.to_json() for host in hosts}
    return {"selections": [[host.name for host in row] for row in chosen], "after": after}


def _run_resource_request(case: dict, names: dict) -> dict:
    flavor, image = case["spec"]["flavor"], case["spec"].get("image")
    try:
        numa_constraints(flavor, image)
    except ConstraintError as error:
        return {"numa_constraints": {"error": error.kind}}
    try:
        query, fallback = query_strings(case, names)
    except NoValidHost:
        return {"query": {"error": "NoValidHost"}, "fallback_query": {"error": "NoValidHost"}}
    except ConstraintError as error:
        return {"query": {"error": error.kind}, "fallback_query": {"error": error.kind}}
    return {"query": query, "fallback_query": fallback, "cpu_pinning_requested": pinning_requested(flavor, image)}


def _weights_differences(case: dict, got: dict, names: dict) -> list[str]:
    """The order of weighers decides nothing but the last bits of a total."""
    expected = {key: value for key, value in case["expected"].items() if key != "weigher_order"}
    return tables.differences(expected, got)


RUN = {
    **dict.fromkeys(CANDIDATE_SUITES, _run_candidates),
    "placement/claims": _run_claims,
    "nova/numa_fit": _run_numa_fit,
    "nova/pci": _run_pci,
    "nova/filters": _run_filters,
    "nova/weights": _run_weights,
    "nova/schedule": _run_schedule,
    "nova/resource_request": _run_resource_request,
}
COMPARE = {
    **dict.fromkeys(CANDIDATE_SUITES, _candidate_differences),
    "placement/claims": _claims_differences,
    "nova/numa_fit": _numa_fit_differences,
    "nova/pci": _table_differences,
    "nova/filters": _table_differences,
    "nova/weights": _weights_differences,
    "nova/schedule": _table_differences,
    "nova/resource_request": _table_differences,
}
