"""VolumeZone (spec 4, 8.12): zone and region labels of bound volumes."""

from tests.reference.kubernetes.plugins.base import Plugin, Skip

GENERAL_KEYS = {  # beta key -> the GA key
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
ZONE_LABELS = (*GENERAL_KEYS, *GENERAL_KEYS.values())


class VolumeZone(Plugin):
    name = "VolumeZone"

    def pre_filter(self, cycle):
        """Collects (key, allowed values) of the volumes of claims that have ``volumeName``."""
        pod, cluster = cycle.pod, cycle.cluster
        wanted = []
        for claim_name in pod.claim_names:
            claim = cluster.find("persistentVolumeClaims", claim_name, pod.namespace)
            name = claim["spec"].get("volumeName") if claim else None
            if not name:
                continue
            volume = cluster.find("persistentVolumes", name)
            if volume is None:
                return self.unresolvable(f'persistentvolume "{name}" not found')
            labels = volume["metadata"].get("labels") or {}
            wanted += [(key, labels[key].split("__")) for key in ZONE_LABELS if key in labels]
        if not wanted:
            return Skip()
        cycle.state[self.name] = wanted
        return None

    def filter(self, cycle, node):
        if not any(key in node.labels for key in ZONE_LABELS):
            return None
        for key, allowed in cycle.state[self.name]:
            value = node.labels.get(key, node.labels.get(GENERAL_KEYS.get(key, key)))
            if value not in allowed:
                return self.unresolvable("node(s) had no available volume zone")
        return None
