"""What a cluster or a stack would like to have of a cloud: servers, their groups, volumes and ports, not there yet.

Magnum's node groups and Heat's templates become this, and this joins the cloud; placing knows of no other wish.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from binwright.openstack.cloud import Cloud, Flavor, Network, Port, ServerGroup, VolumeWish, Wish

__all__ = ["Wishes"]


@dataclass(slots=True)
class Wishes:
    """Objects in the order in which they are to be made. not_evaluated: (rule, example) of what was not understood."""

    servers: list[Wish] = field(default_factory=list)
    server_groups: list[ServerGroup] = field(default_factory=list)
    volumes: list[VolumeWish] = field(default_factory=list)
    flavors: list[Flavor] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    ports: list[Port] = field(default_factory=list)
    not_evaluated: list[tuple[str, str]] = field(default_factory=list)

    def join(self, cloud: Cloud) -> None:
        """Add everything to a cloud's own."""
        cloud.wishes += self.servers
        cloud.server_groups += self.server_groups
        cloud.volume_wishes += self.volumes
        cloud.flavors += self.flavors
        cloud.networks += self.networks
        cloud.ports += self.ports
        cloud.not_understood += self.not_evaluated
