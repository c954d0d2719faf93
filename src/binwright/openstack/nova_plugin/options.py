"""Section [binwright] of nova.conf: which filters and weighers the two classes of this plug-in stand for."""

from __future__ import annotations

from typing import Any

import nova.conf  # type: ignore[import-not-found]
from oslo_config import cfg  # type: ignore[import-not-found]

from binwright.openstack.nova.options import ENABLED_FILTERS

__all__ = ["CONF"]

SECTION = "binwright"
OPTIONS = (
    cfg.ListOpt(
        "enabled_filters",
        default=list(ENABLED_FILTERS),
        help="Filters that BinwrightFilter stands for, in order; names as in [filter_scheduler] enabled_filters.",
    ),
    cfg.ListOpt(
        "weight_classes",
        default=["nova.scheduler.weights.all_weighers"],
        help="Weighers that BinwrightWeigher stands for; paths as in [filter_scheduler] weight_classes.",
    ),
)

CONF: Any = nova.conf.CONF
CONF.register_opts(OPTIONS, group=SECTION)
