"""The Kubernetes objects of a cluster plan, as the API server would hand them out; terse, but nothing invented.

Returns plain dicts in the shape of ``kubectl get -o json``. Decides nothing: names, nodes and times are the plan's.
To keep the files small the clusters run without the admission plug-in DefaultTolerationSeconds.
"""

from __future__ import annotations

from typing import Any

from binwright.sample import catalogue
from binwright.sample.cluster_plan import ClusterPlan, Node, Pod
from binwright.sample.dice import ago, digest, uuid_of
from binwright.sample.workloads import PRIORITIES, Workload

_API = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
}
_HOSTNAME, _ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
_STORAGE_CLASS = "cinder-ssd"


class ClusterObjects:
    """The objects of one cluster, by the files they are dumped to."""

    def __init__(self, plan: ClusterPlan) -> None:
        self.plan = plan

    def _uid(self, kind: str, namespace: str, name: str) -> str:
        return uuid_of(self.plan.seed, kind, self.plan.name, namespace, name)

    def _meta(self, kind: str, name: str, namespace: str = "", hours: float = 9500.0, **more: object) -> dict[str, Any]:
        meta = {"creationTimestamp": ago(hours), "name": name, "uid": self._uid(kind, namespace, name)}
        return meta | ({"namespace": namespace} if namespace else {}) | more

    # nodes -----------------------------------------------------------------------------------------------------
    def nodes(self) -> list[dict[str, Any]]:
        return [self._node(node) for node in self.plan.nodes.values()]

    def _node(self, node: Node) -> dict[str, Any]:
        labels = {
            "kubernetes.io/arch": "amd64",
            _HOSTNAME: node.name,
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": node.instance_type,
            "topology.kubernetes.io/region": catalogue.REGION,
            _ZONE: node.zone,
            **node.labels,
        }
        spec: dict[str, Any] = {}
        if node.provider_id:
            spec["providerID"] = node.provider_id
        if node.taints:
            spec["taints"] = [_taint(*taint) for taint in node.taints]
        if node.cordoned:
            spec["unschedulable"] = True
        ready = "True" if node.ready else "Unknown"
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "creationTimestamp": ago(node.age_hours),
                "labels": labels,
                "name": node.name,
                "uid": node.uid,
            },
            "spec": spec,
            "status": {
                "addresses": [{"address": node.ip, "type": "InternalIP"}, {"address": node.name, "type": "Hostname"}],
                "allocatable": self._resources(node, node.cpu_m, node.memory_mb),
                "capacity": self._resources(node, node.capacity_cpu_m, node.capacity_memory_mb),
                "conditions": [
                    {
                        "lastTransitionTime": ago(node.age_hours if node.ready else 700),
                        "reason": "KubeletReady" if node.ready else "NodeStatusUnknown",
                        "status": ready,
                        "type": "Ready",
                    }
                ],
                "nodeInfo": {
                    "architecture": "amd64",
                    "kubeletVersion": catalogue.KUBELET_VERSION,
                    "operatingSystem": "linux",
                },
            },
        }

    @staticmethod
    def _resources(node: Node, cpu_m: int, memory_mb: int) -> dict[str, Any]:
        resources = {
            "cpu": _cpu(cpu_m),
            "ephemeral-storage": f"{node.disk_gb * 1024 * 1024}Ki",
            "memory": f"{memory_mb * 1024}Ki",
            "pods": str(catalogue.MAX_PODS),
        }
        return resources | ({"nvidia.com/gpu": str(node.gpus)} if node.gpus else {})

    # pods ------------------------------------------------------------------------------------------------------
    def pods(self) -> list[dict[str, Any]]:
        return [self._pod(pod) for pod in sorted(self.plan.pods, key=lambda pod: (pod.workload.namespace, pod.name))]

    def _pod(self, pod: Pod) -> dict[str, Any]:
        load = pod.workload
        meta = self._meta("pod", pod.name, load.namespace, pod.age_hours, labels=self._pod_labels(pod))
        meta["uid"] = pod.uid
        meta["ownerReferences"] = [self._owner(pod)]
        if load.kind == "Node":
            meta["annotations"] = {
                "kubernetes.io/config.mirror": digest(pod.uid).hex()[:32],
                "kubernetes.io/config.source": "file",
            }
        if pod.terminating:
            meta |= {"deletionGracePeriodSeconds": 30, "deletionTimestamp": ago(-0.005)}
        spec = self._pod_spec(load)
        spec["priority"] = PRIORITIES[load.priority] if load.priority else 0
        if pod.node:
            spec["nodeName"] = pod.node.name
        if load.volume_gb:
            spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": f"data-{pod.name}"}}]
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": self._pod_status(pod)}

    def _pod_labels(self, pod: Pod) -> dict[str, Any]:
        load = pod.workload
        if load.kind == "Node":
            return {"component": load.name, "tier": "control-plane"}
        extra = {
            "Deployment": {"pod-template-hash": self.plan.pod_template_hash(load)},
            "StatefulSet": {"apps.kubernetes.io/pod-index": str(pod.ordinal)},
            "Job": {"batch.kubernetes.io/job-name": load.name},
        }.get(load.kind, {})
        return {"app": load.name} | extra

    def _owner(self, pod: Pod) -> dict[str, Any]:
        load = pod.workload
        if load.kind == "Node":
            return {"apiVersion": "v1", "controller": True, "kind": "Node", "name": pod.on.name, "uid": pod.on.uid}
        kind = "ReplicaSet" if load.kind == "Deployment" else load.kind
        name = self._replica_set_name(load) if kind == "ReplicaSet" else load.name
        return self._owner_reference(kind, load.namespace, name)

    def _owner_reference(self, kind: str, namespace: str, name: str) -> dict[str, Any]:
        uid = self._uid(kind, namespace, name)
        return {"apiVersion": _API[kind], "controller": True, "kind": kind, "name": name, "uid": uid}

    def _replica_set_name(self, load: Workload) -> str:
        return f"{load.name}-{self.plan.pod_template_hash(load)}"

    def _pod_spec(self, load: Workload) -> dict[str, Any]:
        """What the template and the pod have in common."""
        container: dict[str, Any] = {
            "image": f"r.example.org/{load.namespace}/{load.name}:{_tag(load)}",
            "name": load.name,
        }
        requests = {"cpu": _cpu(load.cpu)} | ({"memory": f"{load.memory}Mi"} if load.memory else {})
        if load.gpus:
            requests["nvidia.com/gpu"] = str(load.gpus)
        container["resources"] = {"requests": requests}
        if load.burst:
            container["resources"]["limits"] = requests | {
                "cpu": _cpu(load.cpu * load.burst),
                "memory": f"{_memory_limit(load)}Mi",
            }
        if load.volume_gb:
            container["volumeMounts"] = [{"mountPath": "/var/lib/data", "name": "data"}]
        spec: dict[str, Any] = {"containers": [container], "schedulerName": load.scheduler}
        if load.kind in ("Node", "DaemonSet"):
            spec["hostNetwork"] = True
            effect = {"effect": "NoExecute"} if load.kind == "Node" else {}
            spec["tolerations"] = [effect | {"operator": "Exists"}]
        if load.kind == "Job":
            spec["restartPolicy"] = "Never"
        if load.priority:
            spec["priorityClassName"] = load.priority
        if load.gate:
            spec["schedulingGates"] = [{"name": load.gate}]
        selector = dict(load.selector)
        if load.pool and load.kind != "Node":
            key, value = self.plan.pool_label(load.pool)
            selector[key] = value
            taint = self.plan.pool_taint(load.pool)
            if taint and load.kind != "DaemonSet":
                spec["tolerations"] = [{"effect": taint[2], "key": taint[0], "operator": "Equal", "value": taint[1]}]
        if selector:
            spec["nodeSelector"] = selector
        return spec | _claim(load)

    def _pod_status(self, pod: Pod) -> dict[str, Any]:
        load = pod.workload
        guaranteed = load.burst == 1
        status: dict[str, Any] = {"phase": pod.phase, "qosClass": "Guaranteed" if guaranteed else "Burstable"}
        if pod.phase == "Pending":
            if load.gate:
                status["conditions"] = [{"reason": "SchedulingGated", "status": "False", "type": "PodScheduled"}]
            elif not load.placeable and load.scheduler == "default-scheduler":
                status["conditions"] = [{"reason": "Unschedulable", "status": "False", "type": "PodScheduled"}]
            return status
        status["startTime"] = ago(pod.age_hours - 0.01)
        if pod.phase == "Running":
            status["conditions"] = [{"status": "True" if pod.ready else "False", "type": "Ready"}]
        return status

    # controllers -----------------------------------------------------------------------------------------------
    def workloads(self) -> list[dict[str, Any]]:
        documents = []
        for load in sorted(self.plan.workloads, key=lambda load: (load.kind, load.namespace, load.name)):
            if load.kind != "Node":
                documents += self._controller(load)
        return documents

    def _controller(self, load: Workload) -> list[dict[str, Any]]:
        pods = self.plan.pods_of(load)
        ready = sum(pod.ready for pod in pods)
        hours = max([pod.age_hours for pod in pods], default=100.0) + 1
        labels = {"app": load.name}
        spec: dict[str, Any] = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": self._pod_spec(load)},
        }
        meta = self._meta(load.kind, load.name, load.namespace, hours, generation=1, labels=labels)
        document = {"apiVersion": _API[load.kind], "kind": load.kind, "metadata": meta, "spec": spec}
        if load.kind == "DaemonSet":
            scheduled = {"currentNumberScheduled": len(pods), "desiredNumberScheduled": len(pods), "numberReady": ready}
            return [document | {"status": scheduled}]
        if load.kind == "Job":
            spec |= {"completions": load.replicas - 1, "parallelism": load.replicas - 1}
            spec["selector"] = {"matchLabels": {"batch.kubernetes.io/job-name": load.name}}
            return [document | {"status": {"failed": 1, "succeeded": load.replicas - 1}}]
        spec["replicas"] = load.replicas
        status = {"observedGeneration": 1, "replicas": load.replicas} | ({"readyReplicas": ready} if ready else {})
        document["status"] = status
        if load.kind == "StatefulSet":
            spec |= {"podManagementPolicy": "Parallel", "serviceName": load.name}
            if load.volume_gb:
                spec["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": _claim_spec(load)}]
            return [document]
        hashed = labels | {"pod-template-hash": self.plan.pod_template_hash(load)}
        name = self._replica_set_name(load)
        replica_set = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": self._meta("ReplicaSet", name, load.namespace, hours, generation=1, labels=hashed)
            | {"ownerReferences": [self._owner_reference("Deployment", load.namespace, load.name)]},
            "spec": {
                "replicas": load.replicas,
                "selector": {"matchLabels": hashed},
                "template": {"metadata": {"labels": hashed}, "spec": self._pod_spec(load)},
            },
            "status": status,
        }
        return [document, replica_set]

    # policy ----------------------------------------------------------------------------------------------------
    def policy(self) -> list[dict[str, Any]]:
        """Namespaces, priority classes, services and disruption budgets."""
        loads = sorted((w for w in self.plan.workloads if w.kind != "Node"), key=lambda w: (w.namespace, w.name))
        namespaces = sorted({"default", "kube-system", *(load.namespace for load in loads)})
        documents: list[dict[str, Any]] = [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": self._meta("Namespace", name, labels={"kubernetes.io/metadata.name": name}),
                "status": {"phase": "Active"},
            }
            for name in namespaces
        ]
        documents += [
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": self._meta("PriorityClass", name),
                "value": value,
            }
            for name, value in PRIORITIES.items()
        ]
        documents += [self._service(load) for load in loads if load.service]
        return documents + [self._budget(load) for load in loads if load.pdb]

    def _service(self, load: Workload) -> dict[str, Any]:
        headless: dict[str, Any] = {"clusterIP": "None"} if load.kind == "StatefulSet" else {}
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": self._meta("Service", load.name, load.namespace),
            "spec": headless
            | {"ports": [{"port": 80, "protocol": "TCP"}], "selector": {"app": load.name}, "type": "ClusterIP"},
            "status": {"loadBalancer": {}},
        }

    def _budget(self, load: Workload) -> dict[str, Any]:
        assert load.pdb is not None, load.name
        field, number = load.pdb
        healthy = sum(pod.ready and not pod.terminating for pod in self.plan.pods_of(load))
        desired = number if field == "minAvailable" else load.replicas - number
        return {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": self._meta("PodDisruptionBudget", load.name, load.namespace, generation=1),
            "spec": {field: number, "selector": {"matchLabels": {"app": load.name}}},
            "status": {
                "currentHealthy": healthy,
                "desiredHealthy": desired,
                "disruptionsAllowed": max(0, healthy - desired),
                "expectedPods": load.replicas,
                "observedGeneration": 1,
            },
        }

    # storage ---------------------------------------------------------------------------------------------------
    def storage(self) -> list[dict[str, Any]]:
        """The storage class, then claim and volume of every pod that has one; none in a cluster without them."""
        bound = [pod for pod in self.plan.pods if pod.volume_uid]
        documents = []
        if bound:
            documents.append(
                {
                    "allowVolumeExpansion": True,
                    "apiVersion": "storage.k8s.io/v1",
                    "kind": "StorageClass",
                    "metadata": self._meta("StorageClass", _STORAGE_CLASS),
                    "provisioner": "cinder.csi.openstack.org",
                    "reclaimPolicy": "Delete",
                    "volumeBindingMode": "WaitForFirstConsumer",
                }
            )
        for pod in bound:
            documents += self._claim_and_volume(pod)
        return documents

    def _claim_and_volume(self, pod: Pod) -> list[dict[str, Any]]:
        load, claim, volume = pod.workload, f"data-{pod.name}", f"pvc-{pod.volume_uid}"
        capacity = {"storage": f"{load.volume_gb}Gi"}
        cinder = next(one for one in self.plan.cloud.volumes if one.name == volume)
        meta = self._meta("PersistentVolumeClaim", claim, load.namespace, pod.age_hours, labels={"app": load.name})
        meta["uid"] = pod.volume_uid
        meta["annotations"] = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
        zone = {"key": "topology.cinder.csi.openstack.org/zone", "operator": "In", "values": [pod.on.zone]}
        return [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": meta,
                "spec": _claim_spec(load) | {"volumeName": volume},
                "status": {"accessModes": ["ReadWriteOnce"], "capacity": capacity, "phase": "Bound"},
            },
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": self._meta("PersistentVolume", volume, hours=pod.age_hours),
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "capacity": capacity,
                    "claimRef": {
                        "kind": "PersistentVolumeClaim",
                        "name": claim,
                        "namespace": load.namespace,
                        "uid": pod.volume_uid,
                    },
                    "csi": {"driver": "cinder.csi.openstack.org", "volumeHandle": cinder.uuid},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}},
                    "persistentVolumeReclaimPolicy": "Delete",
                    "storageClassName": _STORAGE_CLASS,
                    "volumeMode": "Filesystem",
                },
                "status": {"phase": "Bound"},
            },
        ]


def _claim_spec(load: Workload) -> dict[str, Any]:
    return {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{load.volume_gb}Gi"}},
        "storageClassName": _STORAGE_CLASS,
        "volumeMode": "Filesystem",
    }


def _claim(load: Workload) -> dict[str, Any]:
    """The fields by which a workload claims to be spread."""
    selector = {"matchLabels": {"app": load.name}}
    if load.claim in ("spread", "zone"):
        key = _HOSTNAME if load.claim == "spread" else _ZONE
        constraint = {"labelSelector": selector, "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule"}
        return {"topologySpreadConstraints": [constraint]}
    term = {"labelSelector": selector, "topologyKey": _HOSTNAME}
    if load.claim == "anti":
        return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
    if load.claim == "soft":
        preferred = [{"podAffinityTerm": term, "weight": 100}]
        return {"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}}
    return {}


def _memory_limit(load: Workload) -> int:
    return load.memory if load.burst == 1 or load.gpus else load.memory * 5 // 4


def _cpu(millicores: int) -> str:
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def _tag(load: Workload) -> str:
    number = digest("tag", load.namespace, load.name)
    return f"{number[0] % 5 + 1}.{number[1] % 30}.{number[2] % 10}"


def _taint(key: str, value: str | None, effect: str) -> dict[str, Any]:
    return {"effect": effect, "key": key} | ({"value": value} if value else {})
