"""Inside Nova's scheduler: one filter and one weigher that look at all hosts at once, loaded by their import path.

    [filter_scheduler]
    available_filters = nova.scheduler.filters.all_filters
    available_filters = binwright.openstack.nova_plugin.BinwrightFilter
    enabled_filters = BinwrightFilter
    weight_classes = binwright.openstack.nova_plugin.BinwrightWeigher

    [binwright]
    enabled_filters = ComputeFilter, ComputeCapabilitiesFilter, ...
    weight_classes = nova.scheduler.weights.all_weighers

Section [binwright] names what the two stand for, as [filter_scheduler] named it before (docs/openstack-plugins.md).
Needs nova, in whose process it runs; knows no dump and no cloud.
"""

from binwright.openstack.nova_plugin.host_filter import BinwrightFilter
from binwright.openstack.nova_plugin.weigher import BinwrightWeigher

__all__ = ["BinwrightFilter", "BinwrightWeigher"]
