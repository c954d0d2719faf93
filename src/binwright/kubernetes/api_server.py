"""The live API server through the official client: how each kind is listed and watched, and how a pod is bound.

Credentials, TLS and proxies are the client's; objects travel as bytes to our own reader. Decides nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from binwright.errors import InputError, MissingExtraError
from binwright.kubernetes.extender.wire import Binding
from binwright.kubernetes.live import KINDS
from binwright.kubernetes.watch import READ_SECONDS, Brought, Response, Watch

try:
    import kubernetes
    import kubernetes.config
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("kubernetes", extra="kubernetes") from missing

client: Any = kubernetes.client  # its releases are typed differently, or not at all
config: Any = kubernetes.config

__all__ = ["ApiServer"]

_LISTS = {
    "Node": ("CoreV1Api", "list_node"),
    "Pod": ("CoreV1Api", "list_pod_for_all_namespaces"),
    "Namespace": ("CoreV1Api", "list_namespace"),
    "Service": ("CoreV1Api", "list_service_for_all_namespaces"),
    "ReplicationController": ("CoreV1Api", "list_replication_controller_for_all_namespaces"),
    "PersistentVolume": ("CoreV1Api", "list_persistent_volume"),
    "PersistentVolumeClaim": ("CoreV1Api", "list_persistent_volume_claim_for_all_namespaces"),
    "ReplicaSet": ("AppsV1Api", "list_replica_set_for_all_namespaces"),
    "StatefulSet": ("AppsV1Api", "list_stateful_set_for_all_namespaces"),
    "PodDisruptionBudget": ("PolicyV1Api", "list_pod_disruption_budget_for_all_namespaces"),
    "StorageClass": ("StorageV1Api", "list_storage_class"),
    "CSINode": ("StorageV1Api", "list_csi_node"),
    "CSIDriver": ("StorageV1Api", "list_csi_driver"),
    "CSIStorageCapacity": ("StorageV1Api", "list_csi_storage_capacity_for_all_namespaces"),
    "VolumeAttachment": ("StorageV1Api", "list_volume_attachment"),
}


@dataclass
class _Refused:
    """A response that the client has made an exception of."""

    status: int
    _body: bytes

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]:
        yield self._body

    def release_conn(self) -> None:
        """Is no connection's."""

    close = release_conn


class ApiServer:
    """One cluster. Safe to use from several threads, as the client is."""

    def __init__(self, kubeconfig: str | None = None, context: str | None = None) -> None:
        """kubeconfig: a file; None: $KUBECONFIG, ~/.kube/config, or the pod's own service account. Raises InputError
        where there is none of them, or the file is no kubeconfig.
        """
        settings = client.Configuration()
        try:
            try:
                config.load_kube_config(kubeconfig, context, client_configuration=settings)
            except config.ConfigException:
                if kubeconfig is not None or context is not None:
                    raise
                config.load_incluster_config(client_configuration=settings)
        except Exception as problem:  # what the client makes of a file that is no kubeconfig is not stated anywhere
            raise InputError(f"{kubeconfig or 'kubeconfig'}: {' '.join(str(problem).split())}") from None
        settings.connection_pool_maxsize = len(KINDS) + 8
        settings.retries = False
        self.url: str = settings.host
        self._client = client.ApiClient(settings)
        self._core = client.CoreV1Api(self._client)

    def watches(self, deliver: Callable[[Brought], None], stop: threading.Event, **settings: Any) -> list[Watch]:
        """A watch of every kind that counts, none of them begun."""
        return [Watch(kind, self._ask(kind), deliver, stop, **settings) for kind in KINDS]

    def _ask(self, kind: str) -> Callable[..., Response]:
        group, method = _LISTS[kind]
        call = getattr(getattr(client, group)(self._client), method)

        def ask(**parameters: Any) -> Response:
            parameters.setdefault("_request_timeout", (10.0, READ_SECONDS))
            try:
                response: Response = call(_preload_content=False, **parameters)
            except client.ApiException as problem:
                if not problem.status:
                    raise
                return _Refused(problem.status, str(problem.body or "").encode())
            return response

        return ask

    def bind(self, binding: Binding) -> None:
        """Bind a pod to its node. Raises InputError with the server's words."""
        meta = client.V1ObjectMeta(name=binding.name, namespace=binding.namespace, uid=binding.uid or None)
        body = client.V1Binding(
            metadata=meta, target=client.V1ObjectReference(api_version="v1", kind="Node", name=binding.node)
        )
        where = f"Pod {binding.key}: binding to {binding.node}"
        try:
            response = self._core.create_namespaced_pod_binding(
                binding.name, binding.namespace or "default", body, _preload_content=False, _request_timeout=(5.0, 10.0)
            )
            try:
                text = b"".join(response.stream(2**16)).decode(errors="replace")
            finally:
                response.release_conn()
        except client.ApiException as problem:  # whose own text has the headers as well
            body = problem.body.decode(errors="replace") if isinstance(problem.body, bytes) else problem.body
            text = " ".join(str(body or problem.reason).split())[:300]
            raise InputError(f"{where}: status {problem.status}: {text}") from None
        except Exception as problem:  # the client's and its transport's errors have no common base
            raise InputError(f"{where}: {' '.join(str(problem).split())[:300]}") from None
        if response.status not in (200, 201):
            raise InputError(f"{where}: status {response.status}: {' '.join(text.split())[:300]}")
