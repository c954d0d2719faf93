"""The strategy inside the real Watcher: on recorded cluster models, as actions, as an action plan in its database."""

import random
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest

watcher = pytest.importorskip("watcher", reason="python-watcher is not installed: pip install python-watcher==17.0.0")
for needed in ("testtools", "oslotest", "webtest"):
    pytest.importorskip(needed, reason=f"{needed} is not installed, which python-watcher's own test tree needs")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
import os  # noqa: E402
import warnings  # noqa: E402

warnings.simplefilter("ignore")  # what the service imports is its own
os.environ["OS_WATCHER_DISABLE_EVENTLET_PATCHING"] = "1"  # its test tree would patch this process

from watcher.common import oslo_service_helper  # noqa: E402

oslo_service_helper.init_oslo_service_backend = lambda: None  # another service of this process may have chosen already

from watcher import objects  # noqa: E402
from watcher.common import utils  # noqa: E402
from watcher.decision_engine.loading.default import DefaultStrategyLoader  # noqa: E402
from watcher.decision_engine.model import element, model_root  # noqa: E402
from watcher.decision_engine.planner import weight  # noqa: E402
from watcher.decision_engine.strategy.strategies import base  # noqa: E402
from watcher.tests.unit.db import base as db_base  # noqa: E402
from watcher.tests.unit.db import utils as db_utils  # noqa: E402

from binwright.openstack.watcher_plugin import BinwrightConsolidation, strategy  # noqa: E402

RECORDED = Path(watcher.__file__).parent / "tests" / "unit" / "decision_engine" / "model" / "data"
OURS = Path(__file__).with_name("cluster_model.xml")
NAME = "binwright_consolidation"


def read(path):
    return model_root.ModelRoot.from_xml(path.read_bytes())


def executed(model, made=None, **parameters):
    """A strategy that has run on a model."""
    made = made or BinwrightConsolidation(config=mock.Mock())
    made.input_parameters = utils.Struct({"server_groups": "none"} | parameters)
    with mock.patch.object(base.BaseStrategy, "compute_model", new_callable=mock.PropertyMock, return_value=model):
        made.execute()
    return made


def actions(made, kind="migrate"):
    return [one for one in made.solution.actions if one["action_type"] == kind]


def efficacy(made):
    return {one["name"]: one["value"] for one in made.solution.efficacy_indicators}


def is_open(node):
    return node.status == "enabled" and node.state == "up"


@pytest.mark.parametrize("path", [OURS, *sorted(RECORDED.glob("scenario_*.xml"))], ids=lambda path: path.stem)
def test_a_recorded_model(path):
    """The plan, carried out on Watcher's own model in any order, overfills nothing and empties what it says."""
    for seed in range(3):
        model = read(path)
        made = executed(model)
        moves = actions(made)
        random.Random(seed).shuffle(moves)
        for action in moves:
            told = action["input_parameters"]
            source, target = (model.get_node_by_name(told[f"{end}_node"]) for end in ("source", "destination"))
            instance = model.get_instance_by_uuid(action["input_parameters"]["resource_id"])
            assert is_open(source)
            assert is_open(target)
            assert not instance.watcher_exclude
            assert told["migration_type"] == strategy.MIGRATIONS[instance.state]
            assert model.migrate_instance(instance, source, target)
            assert all(amount >= 0 for amount in model.get_node_free_resources(target).values())
        nodes = list(model.get_all_compute_nodes().values())
        empty = [node for node in nodes if is_open(node) and not model.get_node_instances(node)]
        told = efficacy(made)
        assert told["released_compute_nodes_count"] <= len(empty)
        assert told["compute_nodes_count"] == sum(map(is_open, nodes))
        assert told["instance_migrations_count"] == len(moves)
        disabled = [one["input_parameters"]["resource_name"] for one in actions(made, "change_nova_service_state")]
        assert set(disabled) <= {node.hostname for node in empty}
        assert len(disabled) == max(0, told["released_compute_nodes_count"] - 1)


def test_the_recorded_cluster_is_consolidated():
    """Twelve nodes, two of which are closed or hold what must stay; the numbers are those of this recording."""
    made = executed(read(OURS))
    assert efficacy(made) == EXPECTED
    assert made.solution.global_efficacy[0]["value"] == pytest.approx(
        100 * EXPECTED["released_compute_nodes_count"] / EXPECTED["compute_nodes_count"]
    )
    assert not actions(executed(read(OURS), disable_emptied_nodes=False), "change_nova_service_state")
    every = actions(executed(read(OURS), spare_nodes=0), "change_nova_service_state")
    assert len(every) == EXPECTED["released_compute_nodes_count"]
    assert every[0]["input_parameters"]["state"] == "disabled"
    assert every[0]["input_parameters"]["disabled_reason"] == "watcher_disabled"


EXPECTED = {"compute_nodes_count": 11, "released_compute_nodes_count": 5, "instance_migrations_count": 14}


def test_what_stays_and_how_others_move():
    """Locked, excluded and half-built instances hold their node; a stopped one is moved cold."""
    for change, released in (
        ({}, 1), ({"locked": True}, 0), ({"watcher_exclude": True}, 0), ({"state": "building"}, 0),
        ({"state": "stopped"}, 1),
    ):  # fmt: skip
        model = model_root.ModelRoot()
        for name, kept in (("one", {}), ("two", {"locked": True})):
            node = element.ComputeNode(
                uuid=name, hostname=name, status="enabled", state="up", vcpus=8, vcpu_reserved=0, vcpu_ratio=1.0,
                memory=64, memory_mb_reserved=0, memory_ratio=1.0, disk=100, disk_gb_reserved=0, disk_ratio=1.0,
            )  # fmt: skip
            model.add_node(node)
            told = {"state": "active", "locked": False, "watcher_exclude": False} | (change if name == "one" else kept)
            instance = element.Instance(
                uuid=utils.generate_uuid(), name=f"on {name}", memory=2, disk=1, vcpus=1, **told
            )
            model.add_instance(instance)
            model.map_instance(instance, node)
        made = executed(model)
        assert efficacy(made)["released_compute_nodes_count"] == released, change
        kinds = [one["input_parameters"]["migration_type"] for one in actions(made)]
        assert kinds == (["cold" if change else "live"] if released else [])


def test_server_groups_are_asked_of_nova():
    """Of the SDK, with the policy by its older and its newer name; "none" does not ask."""
    model = read(OURS)
    free = executed(model)
    moved = [one["input_parameters"]["resource_id"] for one in actions(free)]
    group = SimpleNamespace(policy=None, policies=["affinity"], rules=None, member_ids=moved)
    apart = SimpleNamespace(policy="anti-affinity", policies=None, rules={"max_server_per_host": "1"}, member_ids=moved)
    for listed in ([group], [apart], []):
        helper = mock.Mock()
        helper.connection.compute.server_groups.return_value = iter(listed)
        with mock.patch.object(strategy.nova_helper, "NovaHelper", return_value=helper):
            made = executed(read(OURS), server_groups="nova")
        helper.connection.compute.server_groups.assert_called_once_with(all_projects=True)
        told = [one["input_parameters"] for one in actions(made)]
        targets = [one["destination_node"] for one in told if one["resource_id"] in moved]
        assert told
        if listed == [group]:
            assert not targets
        if listed == [apart]:
            assert len(set(targets)) == len(targets) < len(moved)
        if not listed:
            assert actions(made) == actions(free)


def test_a_pinned_instance_stays_in_its_zone():
    """Where the model has extended attributes; zones are those of Nova's aggregates."""
    zones = {
        node.hostname: f"az{number % 3}" for number, node in enumerate(read(OURS).get_all_compute_nodes().values())
    }
    aggregates = [
        SimpleNamespace(metadata={"availability_zone": zone}, hosts=[name for name in zones if zones[name] == zone])
        for zone in sorted(set(zones.values()))
    ]
    helper = mock.Mock()
    helper.get_aggregate_list.return_value = [*aggregates, SimpleNamespace(metadata={}, hosts=list(zones))]
    model = read(OURS)
    for node in model.get_all_compute_nodes().values():
        for instance in model.get_node_instances(node):
            instance.pinned_az = zones[node.hostname]
    with (
        mock.patch.object(strategy.nova_helper, "NovaHelper", return_value=helper),
        mock.patch.object(model_root.ModelRoot, "extended_attributes_enabled", True),
    ):
        made = executed(model)
    assert actions(made)
    for action in actions(made):
        told = action["input_parameters"]
        assert zones[told["source_node"]] == zones[told["destination_node"]]


def test_it_is_loaded_by_its_entry_point():
    if NAME not in {one.name for one in entry_points(group="watcher_strategies")}:
        pytest.skip(f"the installed binwright declares no entry point {NAME}")
    made = DefaultStrategyLoader().load(NAME)
    assert type(made).__name__ == BinwrightConsolidation.__name__
    assert made.get_goal_name() == "server_consolidation"
    assert set(made.get_schema()["properties"]) == {"disable_emptied_nodes", "spare_nodes", "server_groups"}
    assert efficacy(executed(read(OURS), made)) == EXPECTED


def test_watchers_planner_makes_an_action_plan_of_it():
    """In Watcher's own database: disabled first, then migrated, two at a time, as its planner has it."""
    found = {}

    class InDatabase(db_base.DbTestCase):
        def test(self):
            goal = db_utils.create_test_goal(name="server_consolidation")
            row = db_utils.create_test_strategy(name=NAME, goal_id=goal.id)
            audit = db_utils.create_test_audit(uuid=utils.generate_uuid(), strategy_id=row.id, goal_id=goal.id)
            made = executed(read(OURS))
            config = mock.Mock(
                weights=weight.WeightPlanner.action_weights, parallelization=weight.WeightPlanner.parallelization
            )
            planned = weight.WeightPlanner(config).schedule(self.context, audit.id, made.solution)
            found["actions"] = objects.Action.list(self.context, filters={"action_plan_id": planned.id})
            found["indicators"] = objects.EfficacyIndicator.list(self.context, filters={"action_plan_id": planned.id})

    result = InDatabase("test").run()
    assert not result.errors + result.failures, result.errors + result.failures
    rows = {one.uuid: one for one in found["actions"]}
    kinds = [one.action_type for one in rows.values()]
    assert kinds.count("migrate") == EXPECTED["instance_migrations_count"]
    assert kinds.count("change_nova_service_state") == EXPECTED["released_compute_nodes_count"] - 1
    for one in rows.values():
        above = [rows[parent].action_type for parent in one.parents]
        assert "migrate" not in above or one.action_type == "migrate"
    assert {one.name: int(one.value) for one in found["indicators"]} == EXPECTED
