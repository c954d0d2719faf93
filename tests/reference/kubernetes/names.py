"""Resource names and their kinds (spec 2, *Scalar resource name*)."""

CPU = "cpu"
MEMORY = "memory"
EPHEMERAL_STORAGE = "ephemeral-storage"
PODS = "pods"
PLAIN_RESOURCES = (CPU, MEMORY, EPHEMERAL_STORAGE)


def is_extended(name: str) -> bool:
    """A vendor's resource such as ``nvidia.com/gpu``."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def is_scalar(name: str) -> bool:
    """Extended, huge pages, ``kubernetes.io/...`` or attachable volumes; other unknown names are ignored."""
    return is_extended(name) or name.startswith(("hugepages-", "attachable-volumes-")) or "kubernetes.io/" in name


def is_counted(name: str) -> bool:
    """Resources that a node's accounting and the Filter look at; the number of pods is counted apart."""
    return name in PLAIN_RESOURCES or is_scalar(name)
