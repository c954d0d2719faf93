"""The strategy: Watcher's model of the cluster as plain data, the plan that `emptying` makes of it as actions.

What the model does not tell (traits, NUMA cells, devices) is Nova's to check: a migration names its destination, and
Nova's scheduler filters it as any other request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from oslo_log import log  # type: ignore[import-not-found]
from watcher.common import nova_helper  # type: ignore[import-not-found]
from watcher.decision_engine.model import element  # type: ignore[import-not-found]
from watcher.decision_engine.strategy.strategies import base  # type: ignore[import-not-found]

from binwright.openstack.watcher_plugin.emptying import Group, Guest, Node, Plan, plan

__all__ = ["BinwrightConsolidation"]

LOG = log.getLogger(__name__)
CHANGE_SERVICE = "change_nova_service_state"
CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB")
CAPACITY = tuple(
    f"{total}{part}"
    for total, parts in (
        ("vcpu", ("s", "_reserved", "_ratio")),
        ("memory", ("", "_mb_reserved", "_ratio")),
        ("disk", ("", "_gb_reserved", "_ratio")),
    )
    for part in parts
)
"""The fields of a node that its capacity is made of."""
ACTIVE, STOPPED = element.InstanceState.ACTIVE.value, element.InstanceState.STOPPED.value
MIGRATIONS = {ACTIVE: "live", STOPPED: "cold"}
"""State of an instance -> how it is moved; an instance in any other state stays, and its node with it."""


class BinwrightConsolidation(base.ServerConsolidationBaseStrategy):  # type: ignore[misc]
    """Empties as many compute nodes as can be emptied together, for the nodes and instances in the audit's scope.

    Parameters: see `get_schema`. Needs no metrics: what counts is what instances were promised, not what they use.
    """

    def __init__(self, config: Any, osc: Any = None) -> None:
        super().__init__(config, osc)
        self._nodes: list[Any] = []
        self._plan = Plan()

    @classmethod
    def get_name(cls) -> str:
        """As in the entry point."""
        return "binwright_consolidation"

    @classmethod
    def get_display_name(cls) -> str:
        return "Consolidation by binwright"

    @classmethod
    def get_translatable_display_name(cls) -> str:
        return "Consolidation by binwright"

    @classmethod
    def get_config_opts(cls) -> list[Any]:
        """None: no datasource is asked."""
        return []

    @classmethod
    def get_schema(cls) -> dict[str, Any]:
        """The parameters of an audit."""
        return {
            "properties": {
                "disable_emptied_nodes": {
                    "description": "Whether the plan also disables the compute services of the emptied nodes.",
                    "type": "boolean",
                    "default": True,
                },
                "spare_nodes": {
                    "description": "How many of the emptied nodes stay enabled all the same, for servers to come.",
                    "type": "integer",
                    "minimum": 0,
                    "default": 1,
                },
                "server_groups": {
                    "description": "Where server groups are read: 'nova' asks its API; 'none' plans without them, and "
                    "Nova refuses the migrations that break their policies.",
                    "type": "string",
                    "enum": ["nova", "none"],
                    "default": "nova",
                },
            }
        }

    def pre_execute(self) -> None:
        """Raises ClusterStateNotDefined or ClusterStateStale."""
        self._pre_execute()

    def do_execute(self, audit: Any = None) -> None:
        """Plan, and add the actions. Raises InputError for a model that tells impossible amounts."""
        model = self.compute_model
        zones = self._zones()
        self._nodes = sorted(model.get_all_compute_nodes().values(), key=lambda one: str(one.hostname))
        nodes = [_node(one, zones) for one in self._nodes]
        instances = [(number, one) for number, node in enumerate(self._nodes) for one in _on(model, node)]
        guests = [_guest(number, one, zones) for number, one in instances]
        self._plan = plan(nodes, guests, self._groups())
        if self.input_parameters.get("disable_emptied_nodes", True):
            spare = int(self.input_parameters.get("spare_nodes", 1))
            for number in self._plan.emptied[: max(0, len(self._plan.emptied) - spare)]:
                self._disable(self._nodes[number])
        for move in self._plan.moves:
            one = instances[move.guest][1]
            origin, destination = self._nodes[move.origin], self._nodes[move.destination]
            self.add_action_migrate(one, MIGRATIONS[one.state], origin, destination)
        LOG.info("binwright: %d nodes emptied by %d migrations", len(self._plan.emptied), len(self._plan.moves))

    def post_execute(self) -> None:
        """The efficacy: nodes that are open, nodes emptied, migrations."""
        self.solution.set_efficacy_indicators(
            compute_nodes_count=sum(map(_is_open, self._nodes)),
            released_compute_nodes_count=len(self._plan.emptied),
            instance_migrations_count=len(self._plan.moves),
        )

    def _disable(self, node: Any) -> None:
        self.solution.add_action(
            action_type=CHANGE_SERVICE,
            resource_id=node.uuid,
            input_parameters={
                "state": element.ServiceState.DISABLED.value,
                "disabled_reason": self.REASON_FOR_DISABLE,
                "resource_name": node.hostname,
            },
        )

    def _zones(self) -> dict[str, str]:
        """Compute node -> its availability zone; nothing where the model does not tell who is pinned to one."""
        if not self.compute_model.extended_attributes_enabled:
            return {}
        found = {}
        for aggregate in nova_helper.NovaHelper().get_aggregate_list():
            zone = aggregate.metadata.get("availability_zone")
            if zone:
                found.update(dict.fromkeys(aggregate.hosts, zone))
        return found

    def _groups(self) -> list[Group]:
        if self.input_parameters.get("server_groups", "nova") == "none":
            return []
        return _read_groups(nova_helper.NovaHelper().connection.compute.server_groups(all_projects=True))


def _read_groups(listed: Iterable[Any]) -> list[Group]:
    """Server groups of openstacksdk; one policy each, by its older name or its newer one."""
    groups = []
    for one in listed:
        policy = one.policy or next(iter(one.policies or ()), "")
        most = int((one.rules or {}).get("max_server_per_host", 1))
        groups.append(Group(policy, frozenset(one.member_ids or ()), most))
    return groups


def _is_open(node: Any) -> bool:
    return bool(node.status == element.ServiceState.ENABLED.value and node.state == element.ServiceState.ONLINE.value)


def _node(node: Any, zones: dict[str, str]) -> Node:
    """A node; one of which the model tells no capacity takes part in nothing."""
    if not all(node.obj_attr_is_set(name) for name in CAPACITY):
        return Node(node.hostname, dict.fromkeys(CLASSES, 0), False)
    amounts = (node.vcpu_capacity, node.memory_mb_capacity, node.disk_gb_capacity)
    return Node(node.hostname, dict(zip(CLASSES, map(int, amounts))), _is_open(node), zones.get(node.hostname))


def _on(model: Any, node: Any) -> Sequence[Any]:
    return sorted(model.get_node_instances(node), key=lambda one: str(one.uuid))


def _guest(number: int, one: Any, zones: dict[str, str]) -> Guest:
    amounts = dict(zip(CLASSES, map(int, (one.vcpus, one.memory, one.disk))))
    movable = one.state in MIGRATIONS and not one.watcher_exclude and not one.locked
    return Guest(one.uuid, number, amounts, movable, (one.pinned_az or None) if zones else None)
