"""Small objects for the tests, as plain dicts in the API's form, and the Structs made from them."""

from typing import Any

import msgspec

from binwright.kubernetes.objects import Node, Pod

Json = dict[str, Any]


def node_dict(
    name: str = "n", cpu: Any = "4", memory: Any = "8Gi", pods: Any = "110", labels: Json | None = None,
    taints: list[Json] | None = None, unschedulable: bool | None = None, images: list[Json] | None = None, **more: Any,
) -> Json:  # fmt: skip
    """A Node with this allocatable; `more` are further resources, "__" in a name stands for "/", "_" for "-"."""
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods, **_resources(more)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": taints, "unschedulable": unschedulable},
        "status": {"allocatable": _stated(allocatable), "images": images},
    }


def pod_dict(
    name: str = "p", cpu: Any = None, memory: Any = None, node: str | None = None, namespace: str | None = None,
    meta: Json | None = None, status: Json | None = None, requests: Json | None = None, **spec: Any,
) -> Json:  # fmt: skip
    """A Pod with one container that requests cpu, memory and `requests`; `spec` adds to its spec or replaces parts."""
    asked = {"cpu": cpu, "memory": memory, **(requests or {})}
    resources = {"requests": _stated(asked)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **(meta or {})},
        "spec": {"containers": [{"name": "c", "resources": resources}], "nodeName": node, **spec},
        "status": status,
    }


def _stated(amounts: Json) -> Json:
    return {name: amount for name, amount in amounts.items() if amount is not None}


def _resources(names: Json) -> Json:
    return {name.replace("__", "/").replace("_", "-"): amount for name, amount in names.items()}


def make_node(*arguments: Any, **named: Any) -> Node:
    return msgspec.convert(node_dict(*arguments, **named), Node)


def make_pod(*arguments: Any, **named: Any) -> Pod:
    return msgspec.convert(pod_dict(*arguments, **named), Pod)


def required(*terms: Json) -> Json:
    """An affinity with required node selector terms."""
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def preferred(*terms: tuple[int, Json]) -> Json:
    """An affinity with preferred node selector terms."""
    listed = [{"weight": weight, "preference": term} for weight, term in terms]
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": listed}}


def expression(key: str, operator: str, *values: str) -> Json:
    """A term of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values) or None}]}
