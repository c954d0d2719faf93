"""Labels of nodes that name another host or zone than the one the server list tells."""

from collections.abc import Mapping

from binwright.openstack.cloud import Cloud
from binwright.outcome import NotEvaluated
from binwright.stack.commands import label_node
from binwright.stack.finding import Finding, Ref, not_known
from binwright.stack.join import HOST_ID_LABELS, host_id
from binwright.stack.sandwich import NodePlace, Sandwich, ServerPlace

ZONE = "topology.kubernetes.io/zone"


def check_labels(sandwich: Sandwich) -> tuple[list[Finding], list[NotEvaluated]]:
    """(stale labels, what could not be judged)."""
    known = {name: _known_ids(cloud) for name, cloud in sandwich.clouds.items()}
    services = {
        (name, one.hostname): one.service_host for name, cloud in sandwich.clouds.items() for one in cloud.hypervisors
    }
    findings: list[Finding] = []
    blind: list[str] = []
    for key in sorted(sandwich.nodes):
        place = sandwich.nodes[key]
        if place.server is None:
            continue
        labels = place.node.metadata.labels or {}
        for label in HOST_ID_LABELS:
            if label in labels:
                host = place.server.host.name if place.server.host is not None else ""
                names = {host, host.partition(".")[0], place.server.server.service_host or host}
                names.add(services.get((place.server.cloud, host)) or host)
                _host_id(place, place.server, label, labels[label], names, known, findings, blind)
        zone = place.at("zone")
        names_of_zone = (None, zone, place.server.server.zone)  # Nova may call it otherwise than who set up the racks
        if zone is not None and labels.get(ZONE) not in names_of_zone:
            findings.append(_stale(place, place.server, ZONE, labels[ZONE], zone, f"its host stands in zone {zone}"))
    return findings, not_known("host-id labels (the host's hostId is not known)", blind)


def _host_id(
    place: NodePlace, server: ServerPlace, label: str, value: str, names: set[str],
    known: Mapping[str, Mapping[tuple[str, str], str]], findings: list[Finding], blind: list[str],
) -> None:  # fmt: skip
    """A label against the server's own hostId, or else against those that its project sees of known hosts; `names` are
    those that the host goes by.
    """
    told, project = server.server.host_id, server.server.project or ""
    if told:
        if told != value:
            findings.append(_stale(place, server, label, value, told, "the server list tells another hostId"))
        return
    if value in {host_id(project, name) for name in names}:
        return
    other = known[server.cloud].get((project, value))
    if other is not None and server.host is not None:
        here = server.host.name
        why = f"the label names host {other}, the server list says {here}"
        findings.append(_stale(place, server, label, value, host_id(project, here), why))
    else:
        blind.append(f"{place.cluster}/{place.name}")


def _known_ids(cloud: Cloud) -> dict[tuple[str, str], str]:
    """(project, hostId) -> host, of every host and project of a cloud."""
    projects = {server.project for server in cloud.servers if server.project}
    hosts = {name for one in cloud.hypervisors for name in (one.hostname, one.service_host) if name}
    hosts |= {server.host for server in cloud.servers if server.host}
    return {(project, host_id(project, host)): host for project in projects for host in sorted(hosts)}


def _stale(place: NodePlace, server: ServerPlace, label: str, claimed: str, actual: str, why: str) -> Finding:
    objects = [Ref(place.cluster, "Node", place.name), Ref(server.cloud, "Server", server.server.name)]
    if server.host is not None:
        objects.append(Ref(server.host.source, "Host", server.host.name))
    advice = label_node(place.cluster, place.name, label, actual)
    return Finding("staleLabel", "medium", tuple(objects), claimed, actual, f"label {label}: {why}", advice=(advice,))
