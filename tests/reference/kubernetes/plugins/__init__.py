"""The plugins of the default profile, one file each; this file holds their order (spec 2.1)."""

from tests.reference.kubernetes.plugins.balanced_allocation import NodeResourcesBalancedAllocation
from tests.reference.kubernetes.plugins.base import Plugin
from tests.reference.kubernetes.plugins.dynamic_resources import DynamicResources
from tests.reference.kubernetes.plugins.image_locality import ImageLocality
from tests.reference.kubernetes.plugins.inter_pod_affinity import InterPodAffinity
from tests.reference.kubernetes.plugins.node_affinity import NodeAffinity
from tests.reference.kubernetes.plugins.node_name import NodeName
from tests.reference.kubernetes.plugins.node_ports import NodePorts
from tests.reference.kubernetes.plugins.node_resources_fit import NodeResourcesFit
from tests.reference.kubernetes.plugins.node_unschedulable import NodeUnschedulable
from tests.reference.kubernetes.plugins.node_volume_limits import NodeVolumeLimits
from tests.reference.kubernetes.plugins.pod_topology_spread import PodTopologySpread
from tests.reference.kubernetes.plugins.taint_toleration import TaintToleration
from tests.reference.kubernetes.plugins.volume_binding import VolumeBinding
from tests.reference.kubernetes.plugins.volume_restrictions import VolumeRestrictions
from tests.reference.kubernetes.plugins.volume_zone import VolumeZone

__all__ = ["FILTERS", "PLUGINS", "PRE_FILTERS", "Plugin"]

_IN_ORDER: tuple[type[Plugin], ...] = (
    NodeUnschedulable,
    NodeName,
    TaintToleration,
    NodeAffinity,
    NodePorts,
    NodeResourcesFit,
    VolumeRestrictions,
    NodeVolumeLimits,
    VolumeBinding,
    VolumeZone,
    PodTopologySpread,
    InterPodAffinity,
    DynamicResources,
    NodeResourcesBalancedAllocation,
    ImageLocality,
)
PLUGINS: dict[str, type[Plugin]] = {plugin.name: plugin for plugin in _IN_ORDER}
FILTERS = tuple(PLUGINS)[:13]  # up to DynamicResources
PRE_FILTERS = FILTERS[3:]  # from NodeAffinity on
