"""Heat's resource types that ask for a place, one function each: properties in, wishes out (openstack spec 12).

References to other resources of the templates are ids of the wishes. Types that hold nothing are known by name only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from binwright.errors import InputError
from binwright.openstack.cloud import Flavor, Network, Port, ServerGroup, VolumeWish, Wish
from binwright.openstack.heat.properties import NotTold, Properties
from binwright.openstack.placement.inventory import MAX_INT
from binwright.openstack.wishes import Wishes
from binwright.units import shown

__all__ = ["READERS", "is_irrelevant"]

MOST_GIB = 2**40
NO_SIZE = "Heat volumes whose size their image, snapshot or source decides"
ANTI_AFFINITY = "anti-affinity"
POLICIES = (ANTI_AFFINITY, "affinity", "soft-anti-affinity", "soft-affinity")

MAPPINGS = ("block_device_mapping_v2", "block_device_mapping")
MAPPED = ("boot_index", "volume_id", "volume_size", "volume_type", "snapshot_id", "image", "image_id")

# What takes no room on a host by itself. OS::Octavia and the like may make servers, and are not here.
IRRELEVANT = (
    *("OS::Neutron::", "OS::Barbican::", "OS::Keystone::", "OS::Glance::", "OS::Swift::", "OS::Zaqar::", "OS::Aodh::"),
    *("OS::Designate::", "OS::Mistral::", "OS::Monasca::", "OS::Blazar::", "OS::Ceilometer::", "OS::Gnocchi::"),
    *("OS::Heat::CloudConfig", "OS::Heat::Delay", "OS::Heat::DeployedServer", "OS::Heat::MultipartMime"),
    *("OS::Heat::None", "OS::Heat::RandomString", "OS::Heat::ResourceChain", "OS::Heat::ScalingPolicy"),
    *("OS::Heat::Software", "OS::Heat::Structured", "OS::Heat::SwiftSignal", "OS::Heat::TestResource"),
    *("OS::Heat::UpdateWaitConditionHandle", "OS::Heat::Value", "OS::Heat::WaitCondition", "OS::Nova::KeyPair"),
    *("OS::Nova::FloatingIP", "OS::Nova::Quota", "OS::Cinder::VolumeAttachment", "OS::Cinder::Quota"),
    *(
        "OS::Cinder::EncryptedVolumeType",
        "OS::Cinder::QoS",
        "AWS::EC2::EIP",
        "AWS::EC2::SecurityGroup",
        "AWS::IAM::",
        "AWS::S3::",
    ),
)


def is_irrelevant(kind: str) -> bool:
    """Whether a resource of this type takes no room."""
    return kind.startswith(IRRELEVANT)


def read_server(properties: Properties, reference: str, wishes: Wishes) -> None:
    """OS::Nova::Server, with the volume that a block device mapping makes it boot from."""
    name = properties.text("name") or reference.replace(".", "-")
    zone = properties.text("availability_zone")
    devices = [row for name in MAPPINGS for row in properties.rows(name, MAPPED)]
    image = properties.text("image")
    boots = [row for row in devices if _is_boot(row, bool(image))]
    for row in boots:
        size = row.get("volume_size")
        if row.get("volume_id") is None and isinstance(size, int | str) and str(size).isdecimal() and int(size) > 0:
            kind = row.get("volume_type")
            wishes.volumes.append(
                VolumeWish(
                    f"{name}-root",
                    int(size),
                    type=kind if isinstance(kind, str) and kind else None,
                    zone=zone,
                    where=properties.where,
                )
            )
    wishes.servers.append(
        Wish(
            name=name,
            flavor_ref=str(properties.text("flavor", needed=True)),
            zone=zone,
            from_volume=bool(boots),
            image=image,
            hints={key: item for key, item in properties.mapping("scheduler_hints").items() if item not in (None, "")},
            where=properties.where,
            ports=tuple(_port(properties, row) for row in properties.rows("networks", ("port",)) if row.get("port")),
        )
    )


def _is_boot(row: dict[str, Any], has_image: bool) -> bool:
    """Whether a mapping is the root disk: told by its boot index, else because there is no image to boot from."""
    index = row.get("boot_index")
    if index is not None:
        return str(index) == "0"
    return not has_image and any(row.get(key) for key in ("volume_id", "snapshot_id", "image", "image_id"))


def _port(properties: Properties, row: dict[str, Any]) -> str:
    if not isinstance(row["port"], str):
        raise InputError(f"{properties.where}: networks: port {shown(row['port'])} is not a text")
    return row["port"]


def read_server_group(properties: Properties, reference: str, wishes: Wishes) -> None:
    """OS::Nova::ServerGroup; it has one policy."""
    policies = properties.get("policies")
    if policies is None:
        policies = [ANTI_AFFINITY]
    if not isinstance(policies, list) or len(policies) != 1 or policies[0] not in POLICIES:
        raise InputError(f"{properties.where}: policies: {shown(policies)} is not one of {', '.join(POLICIES)}")
    most = properties.mapping("rules").get("max_server_per_host", 1)
    if isinstance(most, str) and most.isdecimal():
        most = int(most)
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InputError(f"{properties.where}: rules: max_server_per_host {shown(most)} is not a whole number above 0")
    wishes.server_groups.append(ServerGroup(id=reference, name=reference, policy=policies[0], most=most))


def read_flavor(properties: Properties, reference: str, wishes: Wishes) -> None:
    """OS::Nova::Flavor: what the stack's own servers are made to."""
    specs = properties.mapping("extra_specs")
    wishes.flavors.append(
        Flavor(
            id=reference,
            name=properties.text("name") or reference,
            vcpus=properties.whole("vcpus", MAX_INT, least=1, needed=True) or 1,
            memory_mb=properties.whole("ram", MAX_INT, needed=True) or 0,
            root_gb=properties.whole("disk", MAX_INT) or 0,
            ephemeral_gb=properties.whole("ephemeral", MAX_INT) or 0,
            swap_mb=properties.whole("swap", MAX_INT) or 0,
            extra_specs={key: str(item) for key, item in specs.items()},
            where=properties.where,
        )
    )


def read_volume(properties: Properties, reference: str, wishes: Wishes) -> None:
    """OS::Cinder::Volume."""
    size = properties.whole("size", MOST_GIB, least=1)
    if size is None:
        sources = ("snapshot_id", "source_volid", "backup_id")
        source = next((key for key in sources if properties.raw(key) is not None), None)
        if source is None:
            properties.whole("size", MOST_GIB, needed=True)
        raise NotTold(NO_SIZE, f"{properties.where}: {source}")
    wishes.volumes.append(
        VolumeWish(
            name=properties.text("name") or reference.replace(".", "-"),
            size=size,
            type=properties.text("volume_type"),
            zone=properties.text("availability_zone"),
            hints=properties.mapping("scheduler_hints"),
            where=properties.where,
        )
    )


def read_port(properties: Properties, reference: str, wishes: Wishes) -> None:
    """OS::Neutron::Port; it asks something of Placement if its QoS policy guarantees something."""
    networks = (properties.raw(name) for name in ("network", "network_id"))
    wishes.ports.append(
        Port(
            id=reference,
            name=reference,
            network=next((one for one in networks if isinstance(one, str)), None),
            vnic_type=properties.text("binding:vnic_type") or "normal",
            qos_policy=properties.text("qos_policy"),
            where=properties.where,
        )
    )


def read_network(properties: Properties, reference: str, wishes: Wishes) -> None:
    """OS::Neutron::Net and OS::Neutron::ProviderNet; only the latter says on which physical network it is."""
    wishes.networks.append(
        Network(
            id=reference,
            name=reference,
            physical_network=properties.text("physical_network"),
            qos_policy=properties.text("qos_policy"),
        )
    )


READERS: dict[str, Callable[[Properties, str, Wishes], None]] = {
    "OS::Nova::Server": read_server,
    "OS::Nova::ServerGroup": read_server_group,
    "OS::Nova::Flavor": read_flavor,
    "OS::Cinder::Volume": read_volume,
    "OS::Neutron::Port": read_port,
    "OS::Neutron::Net": read_network,
    "OS::Neutron::ProviderNet": read_network,
}
