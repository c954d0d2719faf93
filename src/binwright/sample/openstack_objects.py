"""The OpenStack side of the sample as ``openstack ... -f json`` prints it (compute API 2.100, Placement 1.39).

Returns lists and dicts with the commands' column names in their order. Decides nothing: hosts, servers are the plan's.
"""

from __future__ import annotations

from typing import Any

from binwright.sample import catalogue
from binwright.sample.catalogue import HOST_CLASSES
from binwright.sample.cloud_plan import REQUESTS, CloudPlan, Host, Server, Volume, created
from binwright.sample.dice import digest, uuid_of

_Inventory = dict[str, tuple[int, int, int, float]]  # resource class -> (total, reserved, largest claim, ratio)
_BOOTED_FROM_VOLUME = "N/A (booted from volume)"


class CloudObjects:
    """The tables of one cloud, by the files they are dumped to."""

    def __init__(self, plan: CloudPlan) -> None:
        self.plan = plan
        self.seed = plan.seed

    def _id(self, kind: str, name: str) -> str:
        return uuid_of(self.seed, kind, name)

    # compute ---------------------------------------------------------------------------------------------------
    def servers(self) -> list[dict[str, Any]]:
        """``openstack server list --all-projects --long``; the newest first, as Nova sorts them."""
        return [self._server(server) for server in sorted(self.plan.servers, key=lambda s: (s.age_hours, s.name))]

    def _server(self, server: Server) -> dict[str, Any]:
        host = server.host
        image_id = self._id("image", server.image)
        power = {"ACTIVE": 1, "SHUTOFF": 4, "SHELVED_OFFLOADED": 4}.get(server.status, 0)
        boot_volume = server.boot_volume
        return {
            "ID": server.uuid,
            "Name": server.name,
            "Status": server.status,
            "Task State": "scheduling" if server.status == "BUILD" else None,
            "Power State": power,
            "Networks": {server.network: [server.ip]} if server.ip else {},
            "Image Name": _BOOTED_FROM_VOLUME if boot_volume else server.image,
            "Image ID": _BOOTED_FROM_VOLUME if boot_volume else image_id,
            "Flavor": server.flavor.name,
            "Availability Zone": host.zone if host else server.pinned_zone or "",
            "Host": host.name if host else None,
            "Properties": {"created": created(server)[:10]},
            "Pinned Availability Zone": server.pinned_zone,
            "Scheduler Hints": {"group": [server.group.uuid]} if server.group else {},
            "Project ID": self.plan.project_id(server.project),
            "Host Status": "UP" if host else "",
        }

    def flavors(self) -> list[dict[str, Any]]:
        """``openstack flavor list --all --long``."""
        return [
            {
                "ID": self._id("flavor", flavor.name),
                "Name": flavor.name,
                "RAM": flavor.ram_mb,
                "Disk": flavor.disk_gb,
                "Ephemeral": 0,
                "VCPUs": flavor.vcpus,
                "Is Public": not flavor.extra_specs,
                "Swap": 0,
                "RXTX Factor": 1.0,
                "Properties": dict(flavor.extra_specs),
            }
            for flavor in catalogue.FLAVORS.values()
        ]

    def hypervisors(self) -> list[dict[str, Any]]:
        """``openstack hypervisor list --long``; from API 2.88 on without counts of vCPUs and memory."""
        return [
            {
                "ID": host.uuid,
                "Hypervisor Hostname": host.name,
                "Hypervisor Type": "ironic" if host.kind == "ironic" else "QEMU",
                "Host IP": host.ip,
                "State": "up",
            }
            for host in self._providers()
        ]

    def _providers(self) -> list[Host]:
        return self.plan.hypervisors + self.plan.ironic_hosts

    def _aggregates_of(self) -> dict[str, tuple[str | None, list[str], dict[str, str]]]:
        """name -> (availability zone, service hosts, properties)."""
        table: dict[str, tuple[str | None, list[str], dict[str, str]]] = {}
        for zone in (*catalogue.ZONES, "az4"):
            services = dict.fromkeys(host.service_host for host in self._providers() if host.zone == zone)
            table[zone] = (zone, list(services), {})
        for rack in catalogue.RACKS:
            hosts = [host.name for host in self.plan.hypervisors if host.rack == rack]
            table[f"rack-{rack}"] = (None, hosts, {"rack": rack})
        for kind in ("mem", "gpu"):
            table[f"class-{kind}"] = (None, [h.name for h in self.plan.hypervisors if h.kind == kind], {"class": kind})
        return table

    def aggregates(self) -> list[dict[str, Any]]:
        """``openstack aggregate list --long``."""
        return [
            {
                "ID": number,
                "UUID": self._id("aggregate", name),
                "Name": name,
                "Availability Zone": zone,
                "Properties": properties,
                "Hosts": hosts,
            }
            for number, (name, (zone, hosts, properties)) in enumerate(self._aggregates_of().items(), start=1)
        ]

    def server_groups(self) -> list[dict[str, Any]]:
        """``openstack server group list --all-projects --long``."""
        return [
            {
                "ID": group.uuid,
                "Name": group.name,
                "Policy": group.policy,
                "Members": [server.uuid for server in group.members],
                "Project Id": self.plan.project_id(group.project),
                "User Id": self.plan.user_id(group.project),
            }
            for group in self.plan.groups
        ]

    def volumes(self) -> list[dict[str, Any]]:
        """``openstack volume list --all-projects --long``."""
        return [self._volume(volume) for volume in self.plan.volumes]

    def _volume(self, volume: Volume) -> dict[str, Any]:
        attachment = {
            "attachment_id": self._id("attachment", volume.uuid),
            "volume_id": volume.uuid,
            "server_id": volume.server.uuid,
            "device": volume.device,
        }
        return {
            "ID": volume.uuid,
            "Name": volume.name,
            "Status": "in-use",
            "Size": volume.size_gb,
            "Type": "ssd",
            "Bootable": volume.bootable,
            "Attached to": [attachment],
            "Properties": {},
        }

    def requests(self) -> list[dict[str, Any]]:
        """Wishes in the words of Nova's API: what would be typed next."""
        groups = {group.name: group.uuid for group in self.plan.groups}
        rows = []
        for name, flavor, count, project, zone, group, _, _ in REQUESTS:
            row = {"name": name, "flavor": flavor, "count": count, "project_id": self.plan.project_id(project)}
            if zone:
                row["availability_zone"] = zone
            if group:
                row["scheduler_hints"] = {"group": groups[group]}
            rows.append(row)
        return rows

    # placement -------------------------------------------------------------------------------------------------
    def _cards(self, host: Host) -> list[tuple[str, str]]:
        """(name, uuid) of the child providers of a host."""
        if host.kind != "gpu":
            return []
        names = [f"{host.name}_{card}" for card in catalogue.VGPU_CARDS]
        return [(name, self._id("provider", name)) for name in names]

    def providers(self) -> list[dict[str, Any]]:
        """``openstack resource provider list``."""
        rows = []
        for host in self._providers():
            rows.append(_provider(host.uuid, host.name, host.uuid, None, len(host.servers)))
            rows += [_provider(uuid, name, host.uuid, host.uuid, 0) for name, uuid in self._cards(host)]
        return rows

    def per_provider(self) -> dict[str, dict[str, object]]:
        """provider uuid -> {inventories, traits, allocations, provider_aggregates}: what the four commands print."""
        table: dict[str, dict[str, object]] = {}
        memberships = self._aggregates_of()
        for host in self._providers():
            cards = self._cards(host)
            claims = [self._claims(server, host) for server in host.servers]
            root = {server.uuid: claim for server, claim in zip(host.servers, claims, strict=True)}
            aggregates = [name for name, (_, hosts, _) in memberships.items() if host.service_host in hosts]
            table[host.uuid] = self._provider_files(
                host.uuid, host.name, None, self._inventory(host), self._traits(host), root,
                [self._id("aggregate", name) for name in aggregates])  # fmt: skip
            for number, (name, uuid) in enumerate(cards):
                vgpus = [server for server in host.servers if server.flavor.name == "k8s.gpu"][number :: len(cards)]
                table[uuid] = self._provider_files(
                    uuid, name, host.uuid, {"VGPU": (catalogue.VGPU_PER_CARD, 0, 1, 1.0)}, (catalogue.VGPU_TRAIT,),
                    {server.uuid: {"VGPU": 1} for server in vgpus}, [])  # fmt: skip
        return table

    def _provider_files(
        self,
        uuid: str,
        name: str,
        parent: str | None,
        inventory: _Inventory,
        traits: tuple[str, ...],
        claims: dict[str, dict[str, int]],
        aggregates: list[str],
    ) -> dict[str, object]:
        used: dict[str, int] = {}
        for claim in claims.values():
            for resource, amount in claim.items():
                used[resource] = used.get(resource, 0) + amount
        inventories = [
            {
                "resource_class": resource,
                "allocation_ratio": ratio,
                "min_unit": 1,
                "max_unit": most,
                "reserved": reserved,
                "step_size": 1,
                "total": total,
                "used": used.get(resource, 0),
            }
            for resource, (total, reserved, most, ratio) in inventory.items()
        ]
        allocations = {consumer: {"resources": claim, "consumer_generation": 1} for consumer, claim in claims.items()}
        return {
            "inventories": inventories,
            "traits": [{"name": trait} for trait in sorted(traits)],
            "allocations": _provider(uuid, name, parent or uuid, parent, len(claims)) | {"allocations": allocations},
            "provider_aggregates": [{"uuid": aggregate} for aggregate in aggregates],
        }

    @staticmethod
    def _inventory(host: Host) -> _Inventory:
        host_class = HOST_CLASSES[host.kind]
        if host.kind == "ironic":  # used or broken nodes are reserved whole (openstack spec 10)
            return {catalogue.IRONIC_CLASS: (1, 0 if host.state == "free" else 1, 1, 1.0)}
        return {
            "VCPU": (host_class.threads, 0, host_class.threads, host_class.cpu_ratio),
            "MEMORY_MB": (host_class.memory_mb, host_class.reserved_mb, host_class.memory_mb, 1.0),
            "DISK_GB": (host_class.disk_gb, 50, host_class.disk_gb, 1.0),
        }

    def _traits(self, host: Host) -> tuple[str, ...]:
        traits = (*HOST_CLASSES[host.kind].traits, f"CUSTOM_RACK_{host.rack.upper()}")
        if host.name in catalogue.SMARTNIC_HOSTS:
            traits += ("CUSTOM_SMARTNIC",)
        if host.name == catalogue.DISABLED_HOST:
            traits += ("COMPUTE_STATUS_DISABLED",)
        return traits

    @staticmethod
    def _claims(server: Server, host: Host) -> dict[str, int]:
        if host.kind == "ironic":
            return {catalogue.IRONIC_CLASS: 1}
        flavor = server.flavor
        disk = {} if server.boot_volume else {"DISK_GB": flavor.disk_gb}
        return {"VCPU": flavor.vcpus, "MEMORY_MB": flavor.ram_mb} | disk


def _provider(uuid: str, name: str, root: str, parent: str | None, claims: int) -> dict[str, Any]:
    return {
        "uuid": uuid,
        "name": name,
        "generation": 2 + claims + digest(uuid)[0] % 40,
        "root_provider_uuid": root,
        "parent_provider_uuid": parent,
    }
