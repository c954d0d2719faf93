"""Small sandwiches for the tests: objects as the services print them, and the layers' own readers over them."""

import json

from binwright.formats.files import Blob
from binwright.kubernetes.reader import Objects, read_dicts
from binwright.openstack.cloud import Cloud
from binwright.openstack.dumps.read import read_dump

SPREAD = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}


def node(name, provider=None, addresses=(), cpu="8", **labels):
    """A node; provider: the id of its server. Labels with "_" for "." and "__" for "/"."""
    named = {key.replace("__", "/").replace("_", "."): value for key, value in labels.items()}
    amounts = {"cpu": cpu, "memory": "32Gi", "pods": "110"}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **named}},
        "spec": {"providerID": f"openstack:///{provider}"} if provider else {},
        "status": {
            "capacity": amounts, "allocatable": amounts,
            "addresses": [{"type": "InternalIP", "address": one} for one in addresses],
        },
    }  # fmt: skip


def pod(name, on, app, owner=("ReplicaSet", "web-1"), cpu="100m", **spec):
    """A pod on a node (None: it waits), with label app."""
    kind, controller = owner
    metadata = {
        "name": name, "namespace": "default", "labels": {"app": app},
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": controller, "controller": True}],
    }  # fmt: skip
    containers = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}]
    where = {} if on is None else {"nodeName": on}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **where, **spec},
        "status": {"phase": "Running" if on else "Pending"},
    }  # fmt: skip


def spread(app, **changes):
    """spec.topologySpreadConstraints for pods with label app."""
    return {"topologySpreadConstraints": [SPREAD | {"labelSelector": {"matchLabels": {"app": app}}} | changes]}


def apart(app, key="kubernetes.io/hostname"):
    """spec.affinity that keeps pods with label app apart."""
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def server(name, host, **columns):
    """A row of `openstack server list --long`; its id is "id-NAME"."""
    row = {"ID": f"id-{name}", "Name": name, "Status": "ACTIVE", "Host": host, "Flavor": "m1", "Project ID": "p"}
    return row | columns


def cluster(*objects) -> Objects:
    """What the Kubernetes layer reads."""
    return read_dicts(objects)


def cloud(servers, hypervisors=(), aggregates=(), name="north") -> Cloud:
    """What the OpenStack layer reads; hypervisors are names or rows."""
    rows = [one if isinstance(one, dict) else {"ID": one, "Hypervisor Hostname": one} for one in hypervisors]
    tables = {"servers": list(servers), "hypervisors": rows, "aggregates": list(aggregates)}
    return read_dump(
        name, [Blob(f"{kind}.json", json.dumps(table).encode()) for kind, table in tables.items() if table]
    )
