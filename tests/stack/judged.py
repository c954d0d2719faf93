"""Random sandwiches as files, and the slow references of both layers asked about them.

The references know nothing of the planner: a cluster is what its objects say, a cloud what its files say.
"""

import random

import msgspec

from binwright.kubernetes.reader import Objects, read_dicts
from binwright.stack.join import join
from binwright.stack.racks import Seat
from tests.openstack import clouds, random_dumps
from tests.openstack.test_place_against_reference import Slow
from tests.reference.kubernetes.cluster import Cluster
from tests.stack.made import apart, node, pod, spread

ZONE = "topology.kubernetes.io/zone"
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def random_cloud(rng, nodes):
    """Files of a cloud on which servers vm0.. run besides, which will be nodes; every host has room for some more."""
    files = random_dumps.dump(rng, flat=True)
    files["servers.json"] = [row for row in files["servers.json"] if row["Host"]]
    running = {row["ID"] for row in files["servers.json"]}
    for one in files["server_groups.json"]:
        one["Members"] = [own for own in one["Members"] if own in running]
    for row in files["hypervisors.json"]:
        row["State"] = "up"
        for one in files[f"inventories/{row['ID']}.json"]:
            one["total"] *= 4
            one["max_unit"] = one["total"]
    files["flavors.json"][0] |= {"VCPUs": 1, "Properties": {}}
    for number in range(nodes):
        own = random_dumps.uuid(40, number)
        host = rng.choice(files["hypervisors.json"])
        kind = rng.choice(files["flavors.json"][:2])
        row = random_dumps.row(f"vm{number}", own, host["Hypervisor Hostname"], "ACTIVE", kind["Name"], "")
        files["servers.json"].append(row)
        files[f"allocations/{host['ID']}.json"]["allocations"][own] = {"resources": amounts(kind)}
        if rng.random() < 0.3:
            rng.choice(files["server_groups.json"])["Members"].append(own)
    return files


def amounts(flavor):
    """What a server of a plain flavor holds."""
    swap = flavor["Swap"] // 1024
    found = {"VCPU": flavor["VCPUs"], "MEMORY_MB": flavor["RAM"], "DISK_GB": flavor["Disk"] + swap}
    return {name: amount for name, amount in found.items() if amount}


def random_cluster(rng, files, pods):
    """Objects of a cluster whose nodes n0.. are the servers vm0.. of the files; every third pod waits."""
    rows = [row for row in files["servers.json"] if row["Name"].startswith("vm")]
    sizes = {row["Name"]: row for row in files["flavors.json"]}
    zones = {name: one["Availability Zone"] for one in files["aggregates.json"] for name in one["Hosts"]}
    objects = []
    for number, row in enumerate(rows):
        one = node(f"n{number}", row["ID"], node_kubernetes_io__instance__type=row["Flavor"])
        labels = one["metadata"]["labels"]
        labels["node.kubernetes.io/instance-type"] = labels.pop("node.kubernetes.io/instance/type")
        if row["Host"] in zones:
            labels[ZONE] = zones[row["Host"]]
        size = {"cpu": str(sizes[row["Flavor"]]["VCPUs"]), "memory": f"{sizes[row['Flavor']]['RAM']}Mi", "pods": "8"}
        one["status"] |= {"capacity": size, "allocatable": size}
        if rng.random() < 0.2:
            one["spec"]["taints"] = [{"key": "own", "effect": "NoSchedule"}]
        objects.append(one)
    for number in range(pods):
        app = rng.choice("abc")
        wish = rng.choice([{}, {}, apart(app), spread(app), spread(app, topologyKey=ZONE), apart(app, ZONE)])
        if rng.random() < 0.3:
            wish = {**wish, "tolerations": [{"operator": "Exists"}]}
        if rng.random() < 0.15:
            wish = {**wish, "nodeSelector": {ZONE: rng.choice(random_dumps.ZONES)}}
        on = None if number % 3 == 0 else f"n{rng.randrange(len(rows))}"
        made = pod(f"p{number:02}", on, app, ("ReplicaSet", app), cpu=rng.choice(["100m", "300m", "900m"]), **wish)
        objects.append(made)
    daemon = [pod(f"ds-{n}", f"n{n}", "ds", ("DaemonSet", "ds"), cpu="50m") for n in range(len(rows))]
    return objects + daemon


def random_sandwich(seed, nodes=4, pods=15):
    """(sandwich, the cloud's files) of one number."""
    rng = random.Random(seed)
    files = random_cloud(rng, nodes)
    objects = random_cluster(rng, files, pods)
    hosts = [row["Hypervisor Hostname"] for row in files["hypervisors.json"]]
    seats = [Seat(name, f"r{number % 2}", None, "racks") for number, name in enumerate(hosts)]
    return join({"k": read_dicts(objects)}, {"north": clouds.read(files)}, seats), files


def plain(one):
    """A typed object as JSON; what the type leaves out as its default, and the API always says, is said."""
    found = msgspec.to_builtins(one)
    for constraint in found.get("spec", {}).get("topologySpreadConstraints", ()):
        constraint.setdefault("maxSkew", 1)
    return found


def scheduler(objects: Objects, without=(), cordoned=()):
    """The reference over a cluster: its nodes and the pods on them, but those `without`."""
    nodes = [plain(one) for one in objects.nodes]
    for one in nodes:
        if one["metadata"]["name"] in cordoned:
            spec = one.setdefault("spec", {})
            one["spec"] = {**spec, "unschedulable": True, "taints": [*spec.get("taints", ()), UNSCHEDULABLE]}
    made = Cluster(objects={"nodes": nodes})
    for one in objects.pods:
        if one.spec.node_name and one.key not in without:
            made.add_bound_pod(plain(one))
    return made


def asked(one, host=None):
    """A pod as it looks for a node, or with the node that it was given."""
    found = plain(one)
    found["spec"].pop("nodeName", None)
    if host is not None:
        found["spec"]["nodeName"] = host
    return found


def passing(made, manifest):
    """Names of the nodes that let a pod, and the one that is chosen."""
    decision = made.decide(manifest)
    judged = decision.result.get("filter") or []
    names = {one.name for one, status in zip(made.nodes, judged) if status is None}
    return names, None if decision.node is None else decision.node.name


class Nova:
    """The reference over a cloud's files, which take over what is decided."""

    def __init__(self, files):
        self.slow = Slow(files)

    def hosts(self, row, group=None):
        """(host names, best first; host -> candidates) for a server."""
        for one, stored in zip(self.slow.groups, self.slow.files["server_groups.json"], strict=True):
            if group in (stored["ID"], stored["Name"]) and row["ID"] not in one.members:
                one.members.append(row["ID"])
        request, order, candidates = self.slow.decide(row)
        return request, [host for host, _ in order], candidates

    def settle(self, request, host, allocations):
        """A server is there from now on."""
        self.slow.charge(allocations)
        host.consume(request, {})


def row_of(wanted):
    """A wanted server as a row of a list."""
    return {"ID": f"new-{wanted.name}", "Flavor": wanted.flavor.name, "Availability Zone": wanted.zone or ""}


def judge_new(nova, new):
    """A new node's server passes Placement and Nova's filters on its host, which is the best unless it is asked for;
    what it holds is a candidate of Placement's.
    """
    request, order, candidates = nova.hosts(row_of(new.grown.server), new.pool.group)
    names = [host.name for host in order]
    assert new.grown.host in names
    assert new.grown.requested or names[0] == new.grown.host
    taken = {uuid: {"resources": dict(held)} for uuid, held in new.grown.allocations.items()}
    assert taken in candidates[new.grown.host]
    nova.settle(request, next(one for one in order if one.name == new.grown.host), new.grown.allocations)
