"""The plan of the sample's OpenStack: hosts in racks, servers on hosts, server groups and volumes.

Plain objects and nothing of any file format. Memory is what fills the hosts here, as in the clouds this is modelled
on: every hypervisor is filled with servers up to a drawn share of its memory; its threads are far from full.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from binwright.sample import catalogue, hazards
from binwright.sample.catalogue import FLAVORS, HOST_CLASSES, RACKS, Flavor
from binwright.sample.dice import Dice, ago, hex_id_of, uuid_of
from binwright.sample.workloads import CLUSTERS, IRONIC_CLUSTER, ClusterSpec

# How often a legacy server has which flavor.
LEGACY_FLAVORS = (
    ("r.large", 4), ("m.xlarge", 4), ("r.xlarge", 2), ("m.large", 4), ("c.xlarge", 2), ("m.medium", 2), ("m.small", 1),
)  # fmt: skip


@dataclass
class Host:
    """One physical host. ``name`` is the hypervisor's and the provider's; ``service_host`` is what Nova hashes."""

    name: str
    kind: str
    rack: str
    service_host: str
    uuid: str
    ip: str
    state: str = "used"
    servers: list[Server] = field(default_factory=list)

    @property
    def zone(self) -> str:
        return RACKS[self.rack]

    @property
    def is_hypervisor(self) -> bool:
        return self.kind in catalogue.RACK_LAYOUT

    @property
    def usable_mb(self) -> int:
        return HOST_CLASSES[self.kind].memory_mb - HOST_CLASSES[self.kind].reserved_mb

    @property
    def free_mb(self) -> int:
        return self.usable_mb - sum(server.flavor.ram_mb for server in self.servers)

    @property
    def free_vcpus(self) -> int:
        host_class = HOST_CLASSES[self.kind]
        return int(host_class.threads * host_class.cpu_ratio) - sum(server.flavor.vcpus for server in self.servers)


@dataclass
class ServerGroup:
    name: str
    policy: str
    project: str
    uuid: str
    members: list[Server] = field(default_factory=list)


@dataclass
class Volume:
    name: str
    uuid: str
    size_gb: int
    project: str
    server: Server
    bootable: bool = False
    device: str = "/dev/vdb"


@dataclass
class Server:
    """One Nova server. ``load`` names its usage profile; nodes of clusters have the load of their pods."""

    name: str
    uuid: str
    project: str
    flavor: Flavor
    host: Host | None
    network: str
    ip: str
    image: str
    age_hours: float
    load: str = "idle"
    status: str = "ACTIVE"
    boot_volume: bool = False
    group: ServerGroup | None = None
    pinned_zone: str | None = None
    is_node: bool = False
    waits: str | None = None  # why it is pending; None for a server that is not
    placeable: bool = False

    @property
    def metal(self) -> Host:
        """The host of a server that has one."""
        assert self.host is not None, self.name
        return self.host


class CloudPlan:
    """Hosts, servers, groups and volumes of the cloud, in the order in which they are written."""

    def __init__(self, seed: int) -> None:
        self.name = catalogue.CLOUD
        self.seed = seed
        self.hosts: dict[str, Host] = {}
        self.ironic_hosts: list[Host] = []
        self.servers: list[Server] = []
        self.groups: list[ServerGroup] = []
        self.volumes: list[Volume] = []
        self._addresses: dict[str, int] = {}
        self._build_hosts()
        for spec in CLUSTERS:
            self._place_cluster(spec)
        self._place_ironic()
        self._place_groups()
        self._fill_with_legacy()
        self._add_servers_without_host()

    # ids -------------------------------------------------------------------------------------------------------
    def project_id(self, project: str) -> str:
        return hex_id_of(self.seed, "project", project)

    def user_id(self, project: str) -> str:
        return hex_id_of(self.seed, "user", project)

    def host_id_at(self, project: str, host: Host) -> str:
        """Nova's hostId: sha224 of project id and service host (interfaces 5)."""
        return hashlib.sha224((self.project_id(project) + host.service_host).encode()).hexdigest()

    def host_id(self, server: Server) -> str:
        return self.host_id_at(server.project, server.metal)

    def stale_host(self, server: Server) -> Host:
        """Where the live-migrated server of the stale label was: the next host of its class and zone."""
        peers = [
            host for host in self.hosts.values() if (host.kind, host.zone) == (server.metal.kind, server.metal.zone)
        ]
        return peers[(peers.index(server.metal) + 1) % len(peers)]

    def _address(self, network: str, base: str) -> str:
        count = self._addresses[network] = self._addresses.get(network, 9) + 1
        return f"{base}.{count // 250}.{count % 250 + 1}"

    # hosts -----------------------------------------------------------------------------------------------------
    def _build_hosts(self) -> None:
        for number, rack in enumerate(RACKS):
            for slot, kind in enumerate(catalogue.RACK_LAYOUT, start=1):
                self._add_host(f"cmp-{rack}-{slot:02d}", kind, rack, f"10.0.{number + 1}.{slot + 20}")
            self._add_host(f"ctl-{rack}-01", "control", rack, f"10.0.{number + 1}.11")
        for number, (rack, state) in enumerate(catalogue.IRONIC_NODES.items()):
            uuid = uuid_of(self.seed, "ironic", rack)
            host = Host(uuid, "ironic", rack, f"ironic-compute-{RACKS[rack]}", uuid, f"10.0.{number + 1}.90", state)
            self.ironic_hosts.append(host)

    def _add_host(self, name: str, kind: str, rack: str, ip: str) -> None:
        self.hosts[name] = Host(name, kind, rack, name, uuid_of(self.seed, "host", name), ip)

    @property
    def hypervisors(self) -> list[Host]:
        return [host for host in self.hosts.values() if host.is_hypervisor]

    # servers ---------------------------------------------------------------------------------------------------
    def _add_server(self, name: str, project: str, flavor: str, host: Host | None, **details: Any) -> Server:
        number = sorted({*catalogue.LEGACY_PROJECTS, *(spec.name for spec in CLUSTERS)}).index(project) + 1
        network = f"{project}-net"
        server = Server(
            name=name,
            uuid=uuid_of(self.seed, "server", project, name),
            project=project,
            flavor=FLAVORS[flavor],
            host=host,
            network=network,
            ip=self._address(network, f"10.{number}") if host else "",
            **details,
        )
        self.servers.append(server)
        if host:
            host.servers.append(server)
        if server.group:
            server.group.members.append(server)
        return server

    def _add_group(self, name: str, policy: str, project: str) -> ServerGroup:
        group = ServerGroup(name, policy, project, uuid_of(self.seed, "group", project, name))
        self.groups.append(group)
        return group

    def _candidates(self, zone: str, kind: str, flavor: Flavor, share: float = 1.0) -> list[Host]:
        """Hypervisors of one class and zone whose memory stays below ``share`` of the usable with the flavor added."""
        return [
            host
            for host in self.hypervisors
            if (host.zone, host.kind) == (zone, kind)
            and host.name != catalogue.DISABLED_HOST
            and host.usable_mb - host.free_mb + flavor.ram_mb <= share * host.usable_mb
            and host.free_vcpus >= flavor.vcpus
        ]

    def _place_cluster(self, spec: ClusterSpec) -> None:
        dice = Dice(self.seed, f"cluster servers {spec.name}")
        quorum = spec.name == hazards.QUORUM_CLUSTER
        policy = "soft-anti-affinity" if quorum else "anti-affinity"
        group = self._add_group(f"{spec.name}-control-plane", policy, spec.name)
        shared = dice.pick(self._candidates(hazards.QUORUM_ZONE, "std", FLAVORS["k8s.cp"])) if quorum else None
        age = dice.between(2000, 9000)
        node = {"image": catalogue.NODE_IMAGE, "is_node": True, "load": "node"}
        for ordinal, zone in enumerate(catalogue.ZONES):
            host = shared or dice.pick(self._candidates(zone, "std", FLAVORS["k8s.cp"], 0.6))
            self._add_server(f"{spec.name}-cp-{ordinal}", spec.name, "k8s.cp", host, group=group,
                             pinned_zone=host.zone, age_hours=age - ordinal / 10, **node)  # fmt: skip
        group = self._add_group(f"{spec.name}-workers", "soft-anti-affinity", spec.name)
        for flavor, per_zone, pool in spec.workers:
            kind = {"k8s.mem": "mem", "k8s.gpu": "gpu"}.get(flavor, "std")
            for zone, count in zip(catalogue.ZONES, per_zone, strict=True):
                placed: dict[str, Host] = {}
                for ordinal in range(1, count + 1):
                    name = f"{spec.name}-{pool or 'worker'}-{zone}-{ordinal}"
                    host = self._worker_host(dice, name, zone, kind, flavor, placed)
                    placed[name] = host
                    self._add_server(name, spec.name, flavor, host, group=group, pinned_zone=zone,
                                     age_hours=age - 30 - dice.between(0, 1500), **node)  # fmt: skip

    def _worker_host(self, dice: Dice, name: str, zone: str, kind: str, flavor: str, placed: dict[str, Host]) -> Host:
        """Softly anti-affine: at most two workers of a pool on one host, never by design but by drift."""
        for together in hazards.SHARED_HOSTS:
            partners = [placed[other] for other in together if name in together and other in placed]
            if partners:
                return partners[0]
        taken = [host.name for host in placed.values()]
        bent = {host.name for other, host in placed.items() if any(other in names for names in hazards.SHARED_HOSTS)}
        hosts = self._candidates(zone, kind, FLAVORS[flavor], 0.8)
        open_hosts = [host for host in hosts if taken.count(host.name) < 2 and host.name not in bent]
        fresh = [host for host in open_hosts if host.name not in taken]
        return dice.pick(fresh if fresh and dice.fraction() < 0.7 else open_hosts)

    def _place_ironic(self) -> None:
        for ordinal, host in enumerate(host for host in self.ironic_hosts if host.state == "used"):
            self._add_server(f"{IRONIC_CLUSTER}-metal-{ordinal}", IRONIC_CLUSTER, "bm.large", host, is_node=True,
                             image=catalogue.NODE_IMAGE, load="node", pinned_zone=host.zone,
                             age_hours=4200 - ordinal)  # fmt: skip

    def _place_groups(self) -> None:
        """Legacy servers with hard server groups; the group of gateways fills every host that has its trait."""
        gateways = self._add_group("telecom-gateway", "anti-affinity", "telecom")
        legacy = {"image": "debian-10", "load": "steady"}
        for ordinal, name in enumerate(catalogue.SMARTNIC_HOSTS, start=1):
            self._add_server(f"telecom-gateway-{ordinal}", "telecom", "net.medium", self.hosts[name], group=gateways,
                             age_hours=21000 - ordinal, **legacy)  # fmt: skip
        databases = self._add_group("erp-hana", "anti-affinity", "erp")
        for ordinal, name in enumerate(("cmp-r11-08", "cmp-r21-08", "cmp-r31-08"), start=1):
            self._add_server(f"erp-hana-{ordinal}", "erp", "r.xlarge", self.hosts[name], group=databases,
                             age_hours=17000 - ordinal, image="sles-12-sp5", load="steady")  # fmt: skip
        renderers = self._add_group("gis-pair", "affinity", "gis")
        emptiest = max(self._candidates("az1", "std", FLAVORS["m.large"]), key=lambda host: host.free_mb)
        for ordinal in (1, 2):
            self._add_server(f"gis-pair-{ordinal}", "gis", "m.large", emptiest, group=renderers,
                             age_hours=9000 - ordinal, image="rhel-8.4", load="night")  # fmt: skip

    def _fill_with_legacy(self) -> None:
        dice = Dice(self.seed, "legacy servers")
        numbers: dict[str, int] = {}
        for host in self.hypervisors:
            share = 0.4 if host.name == catalogue.DISABLED_HOST else dice.fraction(*catalogue.MEMORY_TARGET)
            while True:
                room = int(host.usable_mb * share) - (host.usable_mb - host.free_mb)
                fitting = [
                    (name, weight)
                    for name, weight in LEGACY_FLAVORS
                    if FLAVORS[name].ram_mb <= room and FLAVORS[name].vcpus <= host.free_vcpus
                ]
                if not fitting:
                    break
                self._add_legacy(dice, host, dice.weighted(fitting), numbers)

    def _add_legacy(self, dice: Dice, host: Host, flavor: str, numbers: dict[str, int]) -> None:
        project = dice.pick(catalogue.LEGACY_PROJECTS)
        role = f"{project}-{dice.pick(catalogue.LEGACY_ROLES[project])}"
        numbers[role] = numbers.get(role, 0) + 1
        boot_volume = dice.fraction() < 0.25
        load = dice.weighted((("idle", 6), ("office", 8), ("night", 3), ("steady", 3)))
        server = self._add_server(
            f"{role}-{numbers[role]:02d}", project, flavor, host, image=dice.pick(catalogue.LEGACY_IMAGES),
            boot_volume=boot_volume, load=load, age_hours=dice.between(9000, 60000),
            status="SHUTOFF" if dice.fraction() < 0.05 else "ACTIVE")  # fmt: skip
        if boot_volume:
            self._add_volume(f"{server.name}-root", 40 * dice.between(1, 5), server, bootable=True, device="/dev/vda")
        if role.endswith(("-db", "-file", "-mail")):
            self._add_volume(f"{server.name}-data", 100 * dice.between(1, 12), server)

    def _add_volume(self, name: str, size_gb: int, server: Server, **details: Any) -> Volume:
        uuid = uuid_of(self.seed, "volume", server.project, name)
        volume = Volume(name, uuid, size_gb, server.project, server, **details)
        self.volumes.append(volume)
        return volume

    def attach(self, name: str, size_gb: int, server: Server) -> Volume:
        """A volume for a persistent volume of the cluster that this server is a node of."""
        taken = sum(volume.server is server for volume in self.volumes)
        return self._add_volume(name, size_gb, server, device=f"/dev/vd{chr(ord('b') + taken)}")

    def _add_servers_without_host(self) -> None:
        """Pending servers, one that failed, one that is shelved; of the pending ones the first two have room."""
        groups = {group.name: group for group in self.groups}
        rows = (
            ("erp-app-new", "erp", "m.medium", None, None, "just created, many hosts have 16 GiB free", True),
            ("shop-worker-az2-8", "shop", "k8s.std", "az2", "shop-workers", "just created, az2 has room", True),
            ("archive-db-big", "archive", "r.2xlarge", None, None,
             "256 GiB on a host with CUSTOM_MEM_HOST: no such host has that much left", False),
            ("lab-gpu-next", "lab", "k8s.h100", None, "lab-workers", "no provider has trait CUSTOM_VGPU_H100", False),
            ("telecom-gateway-4", "telecom", "net.medium", None, "telecom-gateway",
             "anti-affinity: each of the three hosts with CUSTOM_SMARTNIC has a member of the group", False),
            ("data-worker-az1-6", "data", "k8s.mem", "az1", "data-workers",
             "128 GiB on a host with CUSTOM_MEM_HOST in az1: none has that much left", False),
        )  # fmt: skip
        for number, (name, project, flavor, zone, group, why, placeable) in enumerate(rows):
            server = self._add_server(name, project, flavor, None, pinned_zone=zone, age_hours=0.6 - number / 10,
                                      image=catalogue.NODE_IMAGE if group and project in ("shop", "lab", "data") else
                                      "rhel-8.4", status="BUILD", waits=why, placeable=placeable)  # fmt: skip
            if group:
                server.group = groups[group]
                server.group.members.append(server)
        self._add_server("gis-tiles-failed", "gis", "r.2xlarge", None, image="rhel-8.4", status="ERROR", age_hours=30)
        self._add_server("office-vdi-shelved", "office", "m.large", None, image="windows-server-2016",
                         status="SHELVED_OFFLOADED", age_hours=3000)  # fmt: skip


# Wishes that nobody has typed yet: (name, flavor, count, project, zone, group, why, how many of the count have room).
REQUESTS = (
    ("erp-report-spare", "m.small", 4, "erp", None, None, "many hosts have 8 GiB free", 4),
    ("edge-worker-extra", "k8s.std", 2, "edge", "az3", "edge-workers", "az3 has room", 2),
    ("office-mail-az4", "m.medium", 1, "office", "az4", None, "zone az4 is an aggregate without hosts", 0),
    ("gis-db-giant", "r.2xlarge", 2, "gis", None, None, "256 GiB: no host has that much left", 0),
    ("metal-next", "bm.large", 2, "data", None, None, "one Ironic node is free, one is in maintenance", 1),
)


def created(server: Server) -> str:
    return ago(server.age_hours)
