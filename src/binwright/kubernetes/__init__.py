"""Kubernetes: clusters as objects, kube-scheduler's rules over them, compiled to the engine's hosts and requests.

What a program needs that embeds this layer:

    from binwright.kubernetes import Options, place_objects

    outcome = place_objects(pods + nodes)              # dicts, bytes, paths, objects of kubernetes, kr8s, lightkube
    for one in outcome.placed:
        print(one.namespace, one.name, "->", one.host, one.score)
    for one in outcome.unplaced:
        print(one.name, one.message)                   # "0/3 nodes are available: ..."
    profile, *others = read_configuration(yaml.safe_load(text))
    place_objects(cluster, options=Options(preempt=True, profile=profile, others=tuple(others)))

The names here are imported when they are asked for; the modules below them are for the layer itself.
"""

from typing import TYPE_CHECKING

from binwright.lazy import lazily

if TYPE_CHECKING:
    from binwright.kubernetes.admission import admitted
    from binwright.kubernetes.compile import Cluster
    from binwright.kubernetes.configuration import SchedulerProfile, read_configuration
    from binwright.kubernetes.place import Options, place_objects
    from binwright.kubernetes.reader import Objects, read_objects

__all__ = [
    "Cluster",
    "Objects",
    "Options",
    "SchedulerProfile",
    "admitted",
    "place_objects",
    "read_configuration",
    "read_objects",
]

_HOMES = {
    "Cluster": "compile",
    "Objects": "reader",
    "Options": "place",
    "SchedulerProfile": "configuration",
    "admitted": "admission",
    "place_objects": "place",
    "read_configuration": "configuration",
    "read_objects": "reader",
}

__getattr__, __dir__ = lazily(__name__, _HOMES)
