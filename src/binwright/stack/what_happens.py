"""Scenarios carried out on copies of a sandwich: layers are changed one by one and joined again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from binwright.errors import InputError
from binwright.kubernetes.cluster_changes import with_other_nodes, without_nodes
from binwright.kubernetes.reader import Objects
from binwright.openstack.cloud import Cloud, Flavor, ServerGroup
from binwright.openstack.cloud_changes import with_flavors, with_ratio, without_hosts
from binwright.openstack.growth import Growth, with_servers
from binwright.openstack.pending import wanted_server
from binwright.packing.catalogue import Catalogue
from binwright.stack.audit import audit
from binwright.stack.blast import find_domain
from binwright.stack.join import HOST_ID_LABELS, host_id, join
from binwright.stack.new_nodes import group_of
from binwright.stack.racks import Seat
from binwright.stack.sandwich import Sandwich
from binwright.stack.scenario import AddCluster, Flavors, Lose, Ratio, Repairs, Scenario, Step
from binwright.stack.whatif import with_repairs


@dataclass(frozen=True, slots=True)
class World:
    """A sandwich and what told where its hosts stand, so that it can be joined again. offers: the catalogue of flavors
    that was put in, if any. nodes_without_host: of added clusters.
    """

    sandwich: Sandwich
    seats: Sequence[Seat]
    offers: Catalogue | None = None
    nodes_without_host: int = 0


def carried_out(world: World, scenario: Scenario) -> World:
    """The world after all steps of a scenario. Raises InputError naming the scenario and what it asks for in vain."""
    for step in scenario.steps:
        try:
            world = one_step(world, step)
        except InputError as problem:
            raise InputError(f"scenario {scenario.name}: {problem}") from None
    return world


def one_step(world: World, step: Step) -> World:
    """The world after one step."""
    match step:
        case Lose():
            return lost(world, step)
        case Ratio():
            return reratioed(world, step)
        case AddCluster():
            return with_cluster(world, step)
        case Flavors():
            offers = step.catalogue
            clouds = {name: with_flavors(cloud, flavors_of(offers)) for name, cloud in world.sandwich.clouds.items()}
            return replace(joined(world, clouds=clouds), offers=offers)
        case Repairs():
            found = audit(world.sandwich).findings
            steps = [repair for finding in found for repair in finding.repairs]
            return replace(world, sandwich=with_repairs(world.sandwich, steps))


def joined(world: World, clusters: dict[str, Objects] | None = None, clouds: dict[str, Cloud] | None = None) -> World:
    """The world joined anew from changed layers."""
    sandwich = world.sandwich
    made = join(clusters or sandwich.clusters, clouds or sandwich.clouds, world.seats)
    made.options, made.conf = sandwich.options, sandwich.conf
    return replace(world, sandwich=made)


def lost(world: World, step: Lose) -> World:
    """Without a domain: its hosts, the servers and nodes on them; pods of controllers wait again."""
    sandwich = world.sandwich
    _, hosts = find_domain(sandwich, step.level, step.name)
    gone = {host.key for host in hosts}
    lost_hosts = [host for host in sandwich.hosts.values() if host.physical().key in gone]
    clouds = {
        name: without_hosts(cloud, {host.name for host in lost_hosts if host.source == name})
        for name, cloud in sandwich.clouds.items()
    }
    nodes: dict[str, set[str]] = {}
    for (cluster, name), place in sandwich.nodes.items():
        if place.host is not None and place.host.physical().key in gone:
            nodes.setdefault(cluster, set()).add(name)
    clusters = {name: without_nodes(objects, nodes.get(name, set())) for name, objects in sandwich.clusters.items()}
    names = {name for host in lost_hosts for name in (host.name, host.key, host.name.partition(".")[0])}
    seats = [seat for seat in world.seats if seat.host not in names]
    return joined(replace(world, seats=seats), clusters, clouds)


def reratioed(world: World, step: Ratio) -> World:
    """With another allocation ratio."""
    clouds = dict(world.sandwich.clouds)
    if step.cloud is not None and step.cloud not in clouds:
        raise InputError(f"ratio: no cloud {step.cloud} in the input")
    for name in [step.cloud] if step.cloud is not None else list(clouds):
        clouds[name] = with_ratio(clouds[name], step.resource, step.value)
    return joined(world, clouds=clouds)


def with_cluster(world: World, step: AddCluster) -> World:
    """With one more cluster: its servers are given hosts in the order of their names, in server groups of their own; a
    node whose server finds none is not there, and its pods wait.
    """
    sandwich = world.sandwich
    if step.like not in sandwich.clusters:
        raise InputError(f"addCluster: no cluster {step.like} in the input")
    if step.name in sandwich.clusters or step.name in sandwich.clouds:
        raise InputError(f"addCluster: there is a source {step.name} already")
    places = [place for (cluster, _), place in sorted(sandwich.nodes.items()) if cluster == step.like]
    clouds = dict(sandwich.clouds)
    servers: dict[str, tuple[str, str, dict[str, str]]] = {}
    missing = 0
    for cloud in sorted({place.server.cloud for place in places if place.server is not None}):
        groups: dict[str, ServerGroup] = {}
        asked = []
        for place in places:
            if place.server is None or place.server.cloud != cloud:
                continue
            name = f"{step.name}-{place.name.removeprefix(f'{step.like}-')}"
            old = group_of(clouds[cloud], place.server.server.id)
            hints = {}
            if old is not None:
                known = next(one for one in clouds[cloud].server_groups if old in (one.id, one.name))
                new = ServerGroup(f"{step.name}-{old}", f"{step.name}-{known.name}", known.policy, most=known.most)
                groups[new.id or ""] = new
                hints = {"group": [new.id]}
            wanted = wanted_server(clouds[cloud], place.server.server)
            asked.append((place, replace(wanted, name=name, uid=None, hints=hints, where=f"cluster {step.name}")))
        bigger = replace(clouds[cloud], server_groups=[*clouds[cloud].server_groups, *groups.values()])
        growth = Growth(bigger, [wanted for _, wanted in asked], conf=sandwich.conf)
        for place, wanted in asked:
            host = growth.place(wanted).host
            if host is None:
                missing += 1
                continue
            told = host_id(wanted.project or "", growth.hosts[host])
            labels = dict.fromkeys((key for key in HOST_ID_LABELS if key in (place.node.metadata.labels or {})), told)
            servers[place.name] = (wanted.name, f"openstack:///new-{wanted.name}", labels)
        clouds[cloud] = with_servers(bigger, growth.grown)
    if not servers:
        raise InputError(f"addCluster: no node of {step.like} is a server that finds a host")
    clusters = {**sandwich.clusters, step.name: with_other_nodes(sandwich.clusters[step.like], servers)}
    return replace(joined(world, clusters, clouds), nodes_without_host=world.nodes_without_host + missing)


def flavors_of(catalogue: Catalogue) -> list[Flavor]:
    """A catalogue's rows as flavors, with what its kube_reserved columns took off put back. Raises InputError for a row
    without vCPUs or memory.
    """
    found = []
    for name, amounts, reserved in zip(catalogue.names, catalogue.amounts, catalogue.reserved):
        whole = {key: amounts.get(key, Fraction()) + reserved.get(key, 0) for key in ("vcpus", "memory_mb")}
        if not all(whole.values()):
            raise InputError(f"{catalogue.source}: {name}: vcpus and memory_mb are wanted of a flavor")
        disk = int(amounts.get("disk_gb", Fraction()))
        found.append(Flavor(None, name, ceil(whole["vcpus"]), ceil(whole["memory_mb"]), disk, where=catalogue.source))
    return found
