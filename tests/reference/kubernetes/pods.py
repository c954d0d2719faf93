"""A pod as the rules read it: the JSON object with the derived values that several plugins need.

Knows one pod; never nodes or other pods.  A Pod is never changed, except for ``nominated_node``.
"""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from tests.reference.kubernetes import requests
from tests.reference.kubernetes.names import CPU, MEMORY
from tests.reference.kubernetes.status import NotModelled

Json = dict[str, Any]
HostPort = tuple[str, str, int]  # ip, protocol, port

_NEVER = datetime.max.replace(tzinfo=UTC)


class Pod:
    """One pod, pending or bound."""

    def __init__(self, manifest: Json) -> None:
        self.manifest = manifest
        self.spec: Json = manifest["spec"]
        self.status: Json = manifest.get("status") or {}
        metadata = manifest["metadata"]
        self.namespace: str = metadata.get("namespace") or "default"
        self.name: str = metadata["name"]
        self.key = f"{self.namespace}/{self.name}"
        self.labels: dict[str, str] = metadata.get("labels") or {}
        self.terminating = metadata.get("deletionTimestamp") is not None
        self.priority: int = self.spec.get("priority") or 0
        self.tolerations: list[Json] = self.spec.get("tolerations") or []
        self.volumes: list[Json] = self.spec.get("volumes") or []
        self.nominated_node: str = self.status.get("nominatedNodeName") or ""
        if self.spec.get("resourceClaims"):
            raise NotModelled(f"pod {self.key}: spec.resourceClaims (spec 7)")

    def __repr__(self) -> str:
        return f"Pod({self.key})"

    def bound_to(self, node_name: str, start_time: str | None) -> "Pod":
        """The same pod as it stands on a node after binding."""
        spec = {**self.spec, "nodeName": node_name}
        status = {key: value for key, value in self.status.items() if key != "nominatedNodeName"}
        if start_time is not None:
            status["startTime"] = start_time
        return Pod({**self.manifest, "spec": spec, "status": status})

    @property
    def start_time(self) -> datetime:
        """status.startTime; a pod without one counts as started last ("now" upstream, spec 5.4)."""
        text = self.status.get("startTime")
        return datetime.fromisoformat(text) if text else _NEVER

    @property
    def all_containers(self) -> list[Json]:
        """Init containers, then ordinary ones."""
        return [*(self.spec.get("initContainers") or ()), *(self.spec.get("containers") or ())]

    @property
    def controller(self) -> Json | None:
        """The owner reference that is marked as controller."""
        owners = self.manifest["metadata"].get("ownerReferences") or ()
        return next((owner for owner in owners if owner.get("controller")), None)

    # --- requests (spec 3), integers --------------------------------------------------------------------------

    @cached_property
    def requested(self) -> dict[str, int]:
        """``Requested``: what the pod takes from its node once bound; also the wish of BalancedAllocation."""
        return requests.as_integers(requests.accounted_request(self.manifest))

    @cached_property
    def non_zero(self) -> dict[str, int]:
        """``NonZero``: cpu and memory with defaults, as a bound pod."""
        integers = requests.as_integers(requests.accounted_non_zero(self.manifest))
        return {name: integers.get(name, 0) for name in (CPU, MEMORY)}

    @cached_property
    def filter_request(self) -> dict[str, int]:
        """What NodeResourcesFit filters by: pod level, no status, no defaults."""
        return requests.as_integers(requests.pod_requests(self.manifest, pod_level=True))

    @cached_property
    def score_request(self) -> dict[str, int]:
        """What NodeResourcesFit scores by, [quirk fitScorePodLevel]: defaults, without pod-level values."""
        return requests.as_integers(requests.pod_requests(self.manifest, missing=requests.MISSING_DEFAULTS))

    # --- host ports (spec 4, NodePorts) -----------------------------------------------------------------------

    @cached_property
    def host_ports(self) -> tuple[HostPort, ...]:
        """(ip, protocol, port) of every host port of containers and restartable init containers."""
        containers = [c for c in self.spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
        containers += self.spec.get("containers") or ()
        return tuple(
            (port.get("hostIP") or "0.0.0.0", port.get("protocol") or "TCP", port["hostPort"])
            for container in containers
            for port in container.get("ports") or ()
            if (port.get("hostPort") or 0) > 0
        )

    # --- claims -----------------------------------------------------------------------------------------------

    @cached_property
    def claim_names(self) -> tuple[str, ...]:
        """Names of the PVCs the pod refers to, in volume order; generic ephemeral volumes are not among them."""
        return tuple(v["persistentVolumeClaim"]["claimName"] for v in self.volumes if v.get("persistentVolumeClaim"))

    @cached_property
    def claim_names_with_ephemeral(self) -> tuple[str, ...]:
        """The same with the claims made for generic ephemeral volumes, named POD-VOLUME."""
        names = []
        for volume in self.volumes:
            if volume.get("persistentVolumeClaim"):
                names.append(volume["persistentVolumeClaim"]["claimName"])
            elif volume.get("ephemeral"):
                names.append(f"{self.name}-{volume['name']}")
        return tuple(names)
