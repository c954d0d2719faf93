"""The sample's files read back with nothing but the standard library, for the tests of the sample.

Plain dicts as they stand in the files, and the few rules of both schedulers that the sample's promises need.
"""

import csv
import hashlib
import json
import math
import re
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path

import pytest

SEEDS = (42, 1, 2026)  # the first is the one that ships
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
HOST_ID_LABELS = ("topology.openstack.org/host-id", "topology.scs.openstack.org/host-id")
VM_CLUSTERS = ("shop", "data", "build", "edge", "lab")


def quantity(text: str) -> int:
    """Millicores for a plain or milli number, bytes for Ki, Mi and Gi."""
    number, unit = re.fullmatch(r"(\d+)(m|Ki|Mi|Gi|)", text).groups()
    return int(number) * {"m": 1, "": 1000, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[unit]


def requests(pod: dict) -> Counter:
    total: Counter = Counter()
    for container in pod["spec"]["containers"]:
        for name, text in container["resources"].get("requests", {}).items():
            total[name] += quantity(text)
    return total


def host_id(project: str, host: str) -> str:
    return hashlib.sha224((project + host).encode()).hexdigest()


def name_of(thing: dict) -> str:
    return thing["metadata"]["name"]


def key_of(thing: dict) -> tuple[str, str]:
    return thing["metadata"].get("namespace", ""), thing["metadata"]["name"]


class Cluster:
    """The objects of clusters/NAME by kind."""

    def __init__(self, directory: Path) -> None:
        self.name = directory.name
        self.kinds: dict[str, list[dict]] = defaultdict(list)
        for path in sorted(directory.glob("*.json")):
            document = json.loads(path.read_bytes())
            assert document["kind"] == "List", path
            for thing in document["items"]:
                self.kinds[thing["kind"]].append(thing)
        self.nodes = {name_of(node): node for node in self.kinds["Node"]}
        self.pods = self.kinds["Pod"]

    def running(self) -> list[dict]:
        return [pod for pod in self.pods if pod["status"]["phase"] == "Running"]

    def pending(self) -> list[dict]:
        return [pod for pod in self.pods if pod["status"]["phase"] == "Pending"]

    @cached_property
    def owners(self) -> dict[str, dict]:
        return {thing["metadata"]["uid"]: thing for things in self.kinds.values() for thing in things}

    def workload(self, pod: dict) -> dict:
        """The controller at the top: the deployment for a replica set's pod."""
        owner = self.owners[pod["metadata"]["ownerReferences"][0]["uid"]]
        above = owner["metadata"].get("ownerReferences")
        return self.owners[above[0]["uid"]] if above else owner

    def groups(self) -> dict[tuple[str, str, str], list[dict]]:
        """(kind, namespace, name) of a workload -> its running pods."""
        found: dict[tuple[str, str, str], list[dict]] = defaultdict(list)
        for pod in self.running():
            top = self.workload(pod)
            found[(top["kind"], *key_of(top))].append(pod)
        return found


class Sample:
    """Everything below one directory, read with nothing but the standard library."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.seed = root, seed
        self.manifest = json.loads((root / "manifest.json").read_bytes())
        self.clusters = {path.name: Cluster(path) for path in sorted((root / "clusters").iterdir())}
        self.cloud = root / "clouds" / "north"

    def table(self, name: str) -> list[dict]:
        return json.loads((self.cloud / f"{name}.json").read_bytes())

    @cached_property
    def servers(self) -> dict[str, dict]:
        return {server["ID"]: server for server in self.table("servers")}

    @cached_property
    def flavors(self) -> dict[str, dict]:
        return {flavor["Name"]: flavor for flavor in self.table("flavors")}

    @cached_property
    def providers(self) -> dict[str, dict]:
        """uuid -> provider with inventory, traits, allocations and aggregates."""
        found = {}
        for provider in self.table("providers"):
            parts = {
                part: json.loads((self.cloud / part / f"{provider['uuid']}.json").read_bytes())
                for part in ("inventories", "traits", "allocations", "provider_aggregates")
            }
            found[provider["uuid"]] = provider | {
                "inventory": {row["resource_class"]: row for row in parts["inventories"]},
                "traits": {row["name"] for row in parts["traits"]},
                "allocations": {who: claim["resources"] for who, claim in parts["allocations"]["allocations"].items()},
                "aggregates": {row["uuid"] for row in parts["provider_aggregates"]},
            }
        return found

    @cached_property
    def racks(self) -> dict[str, tuple[str, str]]:
        """host -> (rack, zone) of racks.yaml."""
        yaml = pytest.importorskip("yaml")
        document = yaml.safe_load((self.root / "racks.yaml").read_text())
        return {host: (rack["name"], rack["zone"]) for rack in document["racks"] for host in rack["hosts"]}

    def host_of(self, node: dict) -> str | None:
        """The physical host of a node: by its server, or by its name for the cluster below the cloud."""
        provider = node["spec"].get("providerID")
        if provider is None:
            return name_of(node)
        server = self.servers.get(provider.removeprefix("openstack:///"))
        return server["Host"] if server else None

    def usage(self, name: str) -> dict[tuple[str, str], tuple[list[int], list[int]]]:
        with open(self.root / "usage" / name, newline="") as file:
            rows = list(csv.reader(file))
        assert len(rows[0]) == 50
        numbers = {(row[0], row[1]): [int(cell) for cell in row[2:]] for row in rows[1:]}
        assert len(numbers) == len(rows) - 1
        return {key: (row[:24], row[24:]) for key, row in numbers.items()}


def selects(pod: dict, node: dict) -> bool:
    return pod["spec"].get("nodeSelector", {}).items() <= node["metadata"]["labels"].items()


def tolerates(pod: dict, node: dict) -> bool:
    def accepted(taint: dict) -> bool:
        return any(
            one.get("effect") in (None, taint["effect"])
            and one.get("key") in (None, taint["key"])
            and (one.get("operator") == "Exists" or one.get("value", "") == taint.get("value", ""))
            for one in pod["spec"].get("tolerations", [])
        )

    return all(accepted(taint) for taint in node["spec"].get("taints", []) if taint["effect"] != "PreferNoSchedule")


class Claims:
    """Placement and Nova's hard rules over the files, one server at a time."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.used = {
            uuid: Counter({resource: row["used"] for resource, row in provider["inventory"].items()})
            for uuid, provider in sample.providers.items()
        }
        self.groups = {group["ID"]: group for group in sample.table("server_groups")}
        self.hosts = defaultdict(list)
        for group in self.groups.values():
            for uuid in group["Members"]:
                if sample.servers[uuid]["Host"]:
                    self.hosts[group["ID"]].append(sample.servers[uuid]["Host"])

    def place(self, flavor_name: str, zone: str | None, group: str | None) -> str | None:
        flavor = self.sample.flavors[flavor_name]
        wanted = Counter({"VCPU": flavor["VCPUs"], "MEMORY_MB": flavor["RAM"], "DISK_GB": flavor["Disk"]})
        traits = set()
        for key, value in flavor["Properties"].items():
            kind, name = key.split(":")
            if kind == "resources":
                wanted[name] = int(value)
            else:
                traits.add(name)
        wanted = +wanted
        zones = {
            row["Availability Zone"]: row["UUID"] for row in self.sample.table("aggregates") if row["Availability Zone"]
        }
        for uuid, root in self.sample.providers.items():
            if root["parent_provider_uuid"] or "COMPUTE_STATUS_DISABLED" in root["traits"]:
                continue
            if zone and zones[zone] not in root["aggregates"]:
                continue
            hard = group and self.groups[group]["Policy"] == "anti-affinity"
            if hard and root["name"] in self.hosts[group]:
                continue
            tree = [one for one, provider in self.sample.providers.items() if provider["root_provider_uuid"] == uuid]
            if not traits <= set().union(*(self.sample.providers[one]["traits"] for one in tree)):
                continue
            where = {
                resource: next((one for one in tree if self.fits(one, resource, n)), None)
                for resource, n in wanted.items()
            }
            if None not in where.values():
                for resource, one in where.items():
                    self.used[one][resource] += wanted[resource]
                self.hosts[group].append(root["name"])
                return root["name"]
        return None

    def fits(self, uuid: str, resource: str, amount: int) -> bool:
        row = self.sample.providers[uuid]["inventory"].get(resource)
        return bool(row) and self.used[uuid][resource] + amount <= math.floor(
            (row["total"] - row["reserved"]) * row["allocation_ratio"]
        )
