"""VolumeBinding (spec 4, 8.6): bound claims must reach the node, delayed ones must find a volume or be provisioned."""

import copy
from dataclasses import dataclass, field

from tests.reference.kubernetes.plugins.base import Plugin, Skip
from tests.reference.kubernetes.quantities import parse_quantity
from tests.reference.kubernetes.selectors import node_selector_matches, parse_label_selector, selects

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
NO_PROVISIONER = "kubernetes.io/no-provisioner"

NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"
VOLUME_MISSING = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


@dataclass
class Claims:
    """The pod's claims, in volume order."""

    bound: list
    delayed: list


@dataclass
class Binding:
    """How the delayed claims are met on one node: [(claim, volume)], claims to provision; or the reason why not."""

    matched: list = field(default_factory=list)
    provisioned: list = field(default_factory=list)
    reason: str | None = None


def _annotations(claim):
    return claim["metadata"].get("annotations") or {}


def is_bound(claim):
    """volumeName set and the binding completed."""
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in _annotations(claim)


def requested_size(claim):
    """The storage a claim asks for; an exact quantity."""
    return parse_quantity(((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", 0))


def reaches(volume, node):
    """Whether the volume's required node affinity, if any, matches the node."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or node_selector_matches(required, node.name, node.labels)


# In-tree plugins whose volumes have a topology key of the driver's own: source -> (plugin, key).
MIGRATED_TOPOLOGY = {
    "gcePersistentDisk": ("kubernetes.io/gce-pd", "topology.gke.io/zone"),
    "awsElasticBlockStore": ("kubernetes.io/aws-ebs", "topology.ebs.csi.aws.com/zone"),
    "cinder": ("kubernetes.io/cinder", "topology.cinder.csi.openstack.org/zone"),
}
GA, BETA = "topology.kubernetes.io/", "failure-domain.beta.kubernetes.io/"


def in_drivers_words(volume, csi_node):
    """The volume as a CSI driver would have made it, if the node says that its plugin is migrated there (the peer's
    translation; the spec names it without saying how).
    """
    annotations = ((csi_node or {}).get("metadata") or {}).get("annotations") or {}
    migrated = annotations.get("storage.alpha.kubernetes.io/migrated-plugins", "").split(",")
    plugin, key = next((v for k, v in MIGRATED_TOPOLOGY.items() if volume["spec"].get(k)), (None, None))
    if plugin is None or plugin not in migrated:
        return volume
    translated = copy.deepcopy(volume)
    labels = translated["metadata"].get("labels") or {}
    affinity = translated["spec"].get("nodeAffinity") or {}
    terms = (affinity.get("required") or {}).get("nodeSelectorTerms") or []
    expressions = [one for term in terms for one in term.get("matchExpressions") or ()]
    keys = {one["key"] for one in expressions}
    prefix = GA
    if GA + "zone" not in keys and (BETA + "zone" in keys or (GA + "zone" not in labels and BETA + "zone" in labels)):
        prefix = BETA
    if any(one["key"] == prefix + "zone" and one.get("values") for one in expressions):
        for one in expressions:
            if one["key"] == prefix + "zone":
                one["key"] = key
    elif zones := {zone.strip() for zone in labels.get(prefix + "zone", "").split("__")} - {""}:
        if not terms:
            terms = [{}]
            translated["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
        for term in terms:
            added = {"key": key, "operator": "In", "values": sorted(zones)}
            term["matchExpressions"] = [*(term.get("matchExpressions") or ()), added]
    if prefix == BETA and any(one["key"] == BETA + "region" and one.get("values") for one in expressions):
        for one in expressions:
            if one["key"] == BETA + "region":
                one["key"] = GA + "region"
    return translated


def is_prebound(volume, claim):
    """Whether the volume's claimRef names this claim (and its uid, if it gives one)."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return False
    metadata = claim["metadata"]
    same_name = (reference["name"], reference["namespace"]) == (metadata["name"], metadata.get("namespace", "default"))
    return same_name and reference.get("uid") in (None, "", metadata.get("uid"))


def is_of_kind(volume, claim):
    """Of the class, large enough, of the mode and attributes asked for, not being deleted. The peer holds volumes that
    are pre-bound to the claim to this, too (recorded from it; the spec names it for the others only).
    """
    spec, wanted = volume["spec"], claim["spec"]
    return (
        (spec.get("storageClassName") or "") == (wanted.get("storageClassName") or "")
        and parse_quantity((spec.get("capacity") or {}).get("storage", 0)) >= requested_size(claim)
        and (spec.get("volumeMode") or "Filesystem") == (wanted.get("volumeMode") or "Filesystem")
        and (spec.get("volumeAttributesClassName") or "") == (wanted.get("volumeAttributesClassName") or "")
        and volume["metadata"].get("deletionTimestamp") is None
    )


def suits(volume, claim):
    """Available, unclaimed, of the kind, access and labels asked for."""
    spec, wanted = volume["spec"], claim["spec"]
    selector = wanted.get("selector")
    return (
        is_of_kind(volume, claim)
        and (volume.get("status") or {}).get("phase") == "Available"
        and not spec.get("claimRef")
        and set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ())
        and (selector is None or selects(parse_label_selector(selector), volume["metadata"].get("labels") or {}))
    )


class VolumeBinding(Plugin):
    name = "VolumeBinding"

    # --- PreFilter ---------------------------------------------------------------------------------------------

    def pre_filter(self, cycle):
        """Claims in volume order: the first not found, lost or deleted wins; then unbound immediate ones (8.12)."""
        pod, cluster = cycle.pod, cycle.cluster
        if not pod.claim_names_with_ephemeral:
            return Skip()
        claims = []
        for name in pod.claim_names_with_ephemeral:
            claim = cluster.find("persistentVolumeClaims", name, pod.namespace)
            if claim is None:
                return self.unresolvable(f'persistentvolumeclaim "{name}" not found')
            if (claim.get("status") or {}).get("phase") == "Lost":
                volume = claim["spec"].get("volumeName") or ""
                return self.unresolvable(
                    f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
                )
            if claim["metadata"].get("deletionTimestamp") is not None:
                return self.unresolvable(f'persistentvolumeclaim "{name}" is being deleted')
            claims.append(claim)
        unbound = [claim for claim in claims if not is_bound(claim)]
        if not all(self.is_delayed(claim, cluster) for claim in unbound):
            return self.unresolvable("pod has unbound immediate PersistentVolumeClaims")
        cycle.state[self.name] = Claims([claim for claim in claims if is_bound(claim)], unbound)
        return None

    def is_delayed(self, claim, cluster):
        """WaitForFirstConsumer class and no volumeName."""
        storage_class = cluster.find("storageClasses", claim["spec"].get("storageClassName") or "")
        delayed = storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        return delayed and not claim["spec"].get("volumeName")

    # --- Filter ------------------------------------------------------------------------------------------------

    def filter(self, cycle, node):
        """Bound and delayed part are both evaluated, each gives at most one reason; their order is the spec's."""
        claims = cycle.state[self.name]
        found = {self.bound_problem(claims.bound, cycle.cluster, node), self.bind(cycle, node).reason}
        reasons = [r for r in (NODE_CONFLICT, BIND_CONFLICT, NO_SPACE, VOLUME_MISSING) if r in found]
        return self.unresolvable(*reasons) if reasons else None

    def bound_problem(self, claims, cluster, node):
        """The first failure among the bound claims, in volume order."""
        for claim in claims:
            volume = cluster.find("persistentVolumes", claim["spec"]["volumeName"])
            if volume is None:
                return VOLUME_MISSING
            if not reaches(in_drivers_words(volume, cluster.find("csiNodes", node.name)), node):
                return NODE_CONFLICT
        return None

    def bind(self, cycle, node):
        """How the delayed claims would be met on this node (spec 4, *Delayed claims*; 8.6)."""
        cluster, binding = cycle.cluster, Binding()
        to_match = []
        for claim in cycle.state[self.name].delayed:
            selected = _annotations(claim).get(SELECTED_NODE)
            if selected is None:
                to_match.append(claim)
            elif selected == node.name:
                binding.provisioned.append(claim)
            else:
                binding.reason = BIND_CONFLICT
                return binding
        for claim in sorted(to_match, key=requested_size):  # stable: ties in volume order
            volume = self.choose_volume(claim, cluster, node, [v for _, v in binding.matched])
            if volume is None:
                binding.provisioned.append(claim)
            else:
                binding.matched.append((claim, volume))
        problems = (self.provisioning_problem(claim, cluster, node) for claim in binding.provisioned)
        binding.reason = next((problem for problem in problems if problem), None)
        return binding

    def choose_volume(self, claim, cluster, node, chosen):
        """The volume pre-bound to the claim, else the smallest that suits; ties: first in input order."""
        volumes = cluster.objects["persistentVolumes"]
        mine = (one for one in volumes if is_prebound(one, claim) and is_of_kind(one, claim) and one not in chosen)
        prebound = next(mine, None)
        if prebound is not None:
            return prebound if reaches(prebound, node) else None
        fitting = [v for v in volumes if v not in chosen and suits(v, claim) and reaches(v, node)]
        return min(fitting, key=lambda v: parse_quantity(v["spec"]["capacity"]["storage"]), default=None)

    def provisioning_problem(self, claim, cluster, node):
        """Why the claim cannot be provisioned for this node, None if it can."""
        storage_class = cluster.find("storageClasses", claim["spec"].get("storageClassName") or "")
        provisioner = (storage_class or {}).get("provisioner") or ""
        if provisioner in ("", NO_PROVISIONER):
            return BIND_CONFLICT
        if not self.topology_allowed(storage_class.get("allowedTopologies") or (), node):
            return BIND_CONFLICT
        driver = cluster.find("csiDrivers", provisioner)
        if driver is None or not (driver.get("spec") or {}).get("storageCapacity"):
            return None
        for capacity in cluster.objects["csiStorageCapacities"]:
            if capacity["storageClassName"] != storage_class["metadata"]["name"]:
                continue
            limit = capacity.get("maximumVolumeSize", capacity.get("capacity"))
            enough = limit is not None and parse_quantity(limit) >= requested_size(claim)
            if enough and selects(parse_label_selector(capacity.get("nodeTopology")), node.labels):
                return None
        return NO_SPACE

    def topology_allowed(self, terms, node):
        """allowedTopologies: terms ORed, expressions ANDed; no terms allow every node."""

        def term_matches(term):
            expressions = term.get("matchLabelExpressions") or ()
            return bool(expressions) and all(node.labels.get(e["key"]) in e["values"] for e in expressions)

        return not terms or any(map(term_matches, terms))

    # --- Score and Reserve -------------------------------------------------------------------------------------

    def pre_score(self, cycle, feasible):
        return False  # StorageCapacityScoring is off

    def reserve(self, cycle, node):
        """Chosen volumes count as claimed, provisioned claims get the selected node."""
        if self.name not in cycle.state:
            return
        binding = self.bind(cycle, node)
        for claim, volume in binding.matched:
            metadata = claim["metadata"]
            volume["spec"]["claimRef"] = {
                "name": metadata["name"],
                "namespace": metadata.get("namespace", "default"),
                "uid": metadata.get("uid"),
            }
        for claim in binding.provisioned:
            claim["metadata"].setdefault("annotations", {})[SELECTED_NODE] = node.name
