"""BinwrightWeigher: the enabled weighers as columns over all hosts, summed to the very totals that Nova sums.

A stock weigher is its raw column and its multiplier for each combination of aggregates; any other class is called as it
is, at its place in the sum. Formula and order of operations are openstack spec 5.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from nova.scheduler import weights  # type: ignore[import-not-found]
from nova.weights import normalize  # type: ignore[import-not-found]
from oslo_config import cfg  # type: ignore[import-not-found]
from oslo_log import log as logging  # type: ignore[import-not-found]

from binwright.openstack.nova.raw_weights import MOST_DEVICES
from binwright.openstack.nova.weighers import normalise
from binwright.openstack.nova_plugin.options import CONF
from binwright.openstack.nova_plugin.tested import told_apart

__all__ = ["BinwrightWeigher"]

LOG = logging.getLogger(__name__)
STOCK = "nova.scheduler.weights."
Raw = Callable[[Any, Sequence[Any], Any], Sequence[float] | np.ndarray | None]


class BinwrightWeigher(weights.BaseHostWeigher):  # type: ignore[misc]
    """The weighers of [binwright] weight_classes, all in one.

    Its weights are the stock totals bit for bit: bounds 0 and 1 make Nova's scaling leave them as they are. Raises
    ConfigFileValueError, when the scheduler starts, where it is named among its own weighers. Threads may share it.
    """

    minval = 0.0
    maxval = 1.0

    def __init__(self) -> None:
        classes = weights.HostWeightHandler().get_matching_classes(CONF.binwright.weight_classes)
        if type(self) in classes:
            raise cfg.ConfigFileValueError("[binwright] weight_classes: BinwrightWeigher cannot stand for itself")
        self.weighers = [one() for one in classes]
        self._known = told_apart("weighers", classes, STOCK, RAW)
        self.left_alone = [_name(one) for one in self.weighers if type(one) not in self._known]

    def weigh_objects(self, weighed_obj_list: Sequence[Any], weight_properties: Any) -> list[float]:
        """The total weight of each host, as floats in the hosts' order."""
        hosts = [one.obj for one in weighed_obj_list]
        totals = np.zeros(len(hosts), dtype=np.float64)
        combinations, of_host = _combinations(hosts)
        for weigher in self.weighers:
            scaled = self._scaled(weigher, hosts, weighed_obj_list, weight_properties)
            if scaled is None:
                continue  # adds nothing to any host
            if type(weigher) in self._known:
                factors = np.array([weigher.weight_multiplier(host) for host in combinations], dtype=np.float64)
                factor = factors[0] if of_host is None else factors[of_host]
            else:
                factor = np.array([weigher.weight_multiplier(host) for host in hosts], dtype=np.float64)
            totals += factor * scaled
        weighed: list[float] = totals.tolist()
        return weighed

    def _scaled(self, weigher: Any, hosts: Sequence[Any], weighed: Sequence[Any], spec: Any) -> np.ndarray | None:
        """The weigher's weights from 0 to 1, or beyond where it has bounds of its own; None if all are 0."""
        if type(weigher) in self._known:
            raw = RAW[_name(weigher)](weigher, hosts, spec)
            if raw is None:
                return None
            column = np.array(raw, dtype=np.float64)
            if not np.isnan(column).any():  # a host that tells no number: Nova's own way to fail
                scaled = normalise(column, weigher.minval)
                return scaled if scaled.any() else None
        raw = weigher.weigh_objects(weighed, spec)
        return np.array(list(normalize(raw, weigher.minval, weigher.maxval)), dtype=np.float64)

    def _weigh_object(self, obj: Any, weight_properties: Any) -> float:
        """Not asked: a weight depends on all hosts."""
        raise NotImplementedError


def _name(one: Any) -> str:
    return type(one).__name__


def _combinations(hosts: Sequence[Any]) -> tuple[list[Any], np.ndarray | None]:
    """A host of each combination of aggregates, and which is each host's; None: there is one combination only."""
    first: dict[tuple[int, ...], int] = {}
    firsts: list[Any] = []
    numbers = []
    for host in hosts:
        key = tuple(map(id, host.aggregates))
        number = first.get(key)
        if number is None:
            number = first[key] = len(firsts)
            firsts.append(host)
        numbers.append(number)
    return firsts, (np.array(numbers, dtype=np.intp) if len(firsts) > 1 else None)


def _attribute(name: str) -> Raw:
    read = attrgetter(name)
    return lambda weigher, hosts, spec: list(map(read, hosts))


def _cpu(weigher: Any, hosts: Sequence[Any], spec: Any) -> np.ndarray:
    read = attrgetter("vcpus_total", "cpu_allocation_ratio", "vcpus_used")
    total, ratio, used = np.array([read(host) for host in hosts], dtype=np.float64).T
    free: np.ndarray = total * ratio - used
    return free


def _pci(weigher: Any, hosts: Sequence[Any], spec: Any) -> list[int]:
    counts = [sum(pool["count"] for pool in host.pci_stats.pools) if host.pci_stats else 0 for host in hosts]
    return [MOST_DEVICES + 1 - min(count, MOST_DEVICES) for count in counts]


def _members(sign: int) -> Raw:
    """Members of the request's server group on each host."""

    def raw(weigher: Any, hosts: Sequence[Any], spec: Any) -> list[int] | None:
        group = spec.instance_group
        if not group or group.policy != weigher.policy_name:
            return None
        members = set(group.members)
        return [sign * len(members.intersection(host.instances)) for host in hosts]

    return raw


def _cell(weigher: Any, hosts: Sequence[Any], spec: Any) -> list[int] | None:
    """For a move that may leave its cell."""
    wanted = spec.requested_destination if "requested_destination" in spec else None
    if not wanted or "cell" not in wanted or not wanted.cell or not wanted.allow_cross_cell_move:
        return None
    return [1 if host.cell_uuid == wanted.cell.uuid else -1 for host in hosts]


def _version(weigher: Any, hosts: Sequence[Any], spec: Any) -> list[int]:
    return [host.hypervisor_version or 0 for host in hosts]


def _if_set(weigher: Any, hosts: Sequence[Any], spec: Any) -> list[float] | None:
    """Metrics: the weigher's own, host by host; nothing where no metric is configured."""
    return [weigher._weigh_object(host, spec) for host in hosts] if weigher.setting else None


def _image_properties(weigher: Any, hosts: Sequence[Any], spec: Any) -> list[float] | None:
    """The weigher's own, host by host, which asks the database; nothing where its option is 0, as it is by default."""
    if CONF.filter_scheduler.image_props_weight_multiplier == 0.0:
        return None
    return [weigher._weigh_object(host, spec) for host in hosts]


RAW: dict[str, Raw] = {
    "BuildFailureWeigher": _attribute("failed_builds"),
    "CPUWeigher": _cpu,
    "CrossCellWeigher": _cell,
    "DiskWeigher": _attribute("free_disk_mb"),
    "HypervisorVersionWeigher": _version,
    "ImagePropertiesWeigher": _image_properties,
    "IoOpsWeigher": _attribute("num_io_ops"),
    "MetricsWeigher": _if_set,
    "NumInstancesWeigher": _attribute("num_instances"),
    "PCIWeigher": _pci,
    "RAMWeigher": _attribute("free_ram_mb"),
    "ServerGroupSoftAffinityWeigher": _members(1),
    "ServerGroupSoftAntiAffinityWeigher": _members(-1),
}
"""All 13 of the peer's."""
