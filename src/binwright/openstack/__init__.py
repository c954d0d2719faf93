"""OpenStack: clouds, flavors, Placement and Nova in the services' own words, compiled to the engine.

What a program needs that embeds this layer:

    from binwright.openstack import place_cloud, read_cloud, read_live

    cloud = read_live(openstack.connect(cloud="mine"))       # openstacksdk, asked in parallel
    cloud = read_cloud("clouds/mine")                        # a dump
    cloud = read_cloud(                                      # dicts, JSON text, objects of openstacksdk
        flavors=conn.compute.flavors(),
        hypervisors=conn.compute.hypervisors(details=True),
        servers=conn.compute.servers(all_projects=True),
        providers=conn.placement.resource_providers(),
        inventories={one.id: conn.placement.resource_provider_inventories(one) for one in providers},
        requests=[{"name": "web", "flavor": "m1.small", "count": 10}],
    )
    outcome = place_cloud(cloud)
    for one in outcome.placed:
        print(one.name, "->", one.host, one.score)
    for one in outcome.unplaced:
        print(one.name, one.message)                         # "No valid host was found: 0/3 hosts: ..."
    cloud.columns["servers.json"]                            # which field was found under which name

The names here are imported when they are asked for; the modules below them are for the layer itself.
"""

from typing import TYPE_CHECKING

from binwright.lazy import lazily

if TYPE_CHECKING:
    from binwright.openstack.cloud import Cloud
    from binwright.openstack.nova.conf import NovaConf, read_conf
    from binwright.openstack.place import place_cloud
    from binwright.openstack.python_objects import read_cloud, read_live

__all__ = ["Cloud", "NovaConf", "place_cloud", "read_cloud", "read_conf", "read_live"]

_HOMES = {
    "Cloud": "cloud",
    "NovaConf": "nova.conf",
    "place_cloud": "place",
    "read_cloud": "python_objects",
    "read_conf": "nova.conf",
    "read_live": "python_objects",
}

__getattr__, __dir__ = lazily(__name__, _HOMES)
