"""BinwrightFilter: the enabled filters in one call over all hosts, with the verdicts of Nova's own classes.

`rules` says of each stock filter which hosts are alike for a request; one of them is asked, with the rule of the Nova
that runs. A filter without such an entry, an operator's own or one that another release has written anew, is called as
it is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from nova import exception  # type: ignore[import-not-found]
from nova.scheduler import filters, utils  # type: ignore[import-not-found]
from oslo_log import log as logging  # type: ignore[import-not-found]

from binwright.openstack.nova_plugin.options import CONF
from binwright.openstack.nova_plugin.rules import RULES, Rule
from binwright.openstack.nova_plugin.tested import told_apart

__all__ = ["BinwrightFilter"]

LOG = logging.getLogger(__name__)
STOCK = "nova.scheduler.filters."


class BinwrightFilter(filters.BaseHostFilter):  # type: ignore[misc]
    """The filters of [binwright] enabled_filters, one after another, each over all hosts that are left.

    Hosts keep their order; what a filter changes in a host (allocation candidates, NUMA limits) is changed as by
    itself. Raises SchedulerHostFilterNotFound, when the scheduler starts, for a name that no available filter has.
    Threads may share it.
    """

    RUN_ON_REBUILD = True  # each filter inside says so for itself

    def __init__(self) -> None:
        super().__init__()
        handler = filters.HostFilterHandler()
        classes = {one.__name__: one for one in handler.get_matching_classes(CONF.filter_scheduler.available_filters)}
        names = CONF.binwright.enabled_filters
        unknown = [name for name in names if name not in classes or classes[name] is type(self)]
        if unknown:
            raise exception.SchedulerHostFilterNotFound(
                filter_name=f"{', '.join(unknown)} (of [binwright] enabled_filters)"
            )
        self.filters = [classes[name]() for name in dict.fromkeys(names)]
        known = told_apart("filters", map(type, self.filters), STOCK, RULES)
        self.left_alone = [_name(one) for one in self.filters if type(one) not in known]
        self._rules: list[Rule | None] = [RULES[_name(one)] if type(one) in known else None for one in self.filters]
        self._request = threading.local()

    def run_filter_for_index(self, index: int) -> bool:
        """Whether some filter runs for instance number `index` of a request; it is remembered until they do."""
        self._request.index = index
        return any(one.run_filter_for_index(index) for one in self.filters)

    def filter_all(self, filter_obj_list: Iterable[Any], spec_obj: Any) -> list[Any] | None:
        """The HostStates that pass, in order; None where a filter says that filtering is to stop."""
        left = list(filter_obj_list)
        index = getattr(self._request, "index", 0)
        rebuild = utils.request_is_rebuild(spec_obj)
        for one, rule in zip(self.filters, self._rules, strict=True):
            if not left:
                break
            if not one.run_filter_for_index(index) or (rebuild and rule is not None and not one.RUN_ON_REBUILD):
                continue
            before = len(left)
            if rule is not None:
                left = rule(one, left, spec_obj)
            else:
                found = one.filter_all(left, spec_obj)
                if found is None:
                    return None
                left = list(found)
            LOG.debug("binwright: %s: (start: %d, end: %d)", _name(one), before, len(left))
            if not left:
                LOG.info("Filter %s returned 0 hosts (start: %d)", _name(one), before)
        return left


def _name(one: Any) -> str:
    return type(one).__name__
