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


def hypervisor(name, memory_gib=64, used_gib=0, cpus=32):
    """A row of `openstack hypervisor list --long`; memory is what limits it, CPUs are sold four times."""
    return {
        "ID": name, "Hypervisor Hostname": name, "vCPUs": cpus, "vCPUs Used": 0, "Memory MB": 1024 * memory_gib,
        "Memory MB Used": 1024 * used_gib, "Local GB": 10000, "Local GB Used": 0, "State": "up", "Status": "enabled",
    }  # fmt: skip


def flavor(name="m1", cpus=8, memory_gib=16, **extra):
    """A row of `openstack flavor list --long`."""
    return {"ID": f"id-{name}", "Name": name, "RAM": 1024 * memory_gib, "Disk": 20, "VCPUs": cpus, "Properties": extra}


def group(name, policy, *members):
    """A row of `openstack server group list --long`; members are names of servers."""
    return {"ID": f"id-{name}", "Name": name, "Policy": policy, "Members": [f"id-{one}" for one in members]}


def cloud(servers, hypervisors=(), aggregates=(), name="north", **tables) -> Cloud:
    """What the OpenStack layer reads; hypervisors are names or rows; more tables by their names."""
    rows = [one if isinstance(one, dict) else {"ID": one, "Hypervisor Hostname": one} for one in hypervisors]
    tables = {"servers": list(servers), "hypervisors": rows, "aggregates": list(aggregates), **tables}
    return read_dump(
        name, [Blob(f"{kind}.json", json.dumps(table).encode()) for kind, table in tables.items() if table]
    )
