"""KubeSchedulerConfiguration, as far as it is carried out (kubernetes spec 2.1, 8.1)."""

import pytest

from binwright.errors import InputError
from binwright.kubernetes.configuration import DEFAULT_FILTERS, DEFAULT_SCORES, SchedulerProfile, read_configuration
from binwright.kubernetes.plugins.inter_pod_affinity import InterPodArgs


def profile(**parts):
    (found,) = read_configuration({"apiVersion": "v1", "kind": "KubeSchedulerConfiguration", "profiles": [parts]})
    return found


def args(name, **values):
    return profile(pluginConfig=[{"name": name, "args": {"kind": f"{name}Args", **values}}])


def fit_args(**values):
    return {"name": "NodeResourcesFit", "args": values}


def scores(**point):
    return list(profile(plugins={"score": point}).scores.items())


def named(*names, **weights):
    return [{"name": name} for name in names] + [{"name": name, "weight": weight} for name, weight in weights.items()]


def test_without_profiles_there_is_the_default_one():
    assert read_configuration({}) == [SchedulerProfile()] == read_configuration({"profiles": []})
    assert profile() == SchedulerProfile()
    assert profile(schedulerName="gpu").scheduler_name == "gpu"


def test_score_weights_and_order():
    default = list(DEFAULT_SCORES.items())
    assert scores() == default
    assert scores(disabled=named("ImageLocality")) == default[:-1]
    others = [one for one in default if one[0] != "NodeAffinity"]
    assert scores(enabled=named(NodeAffinity=9)) == [("NodeAffinity", 9), *others]
    both = scores(disabled=named("TaintToleration"), enabled=named(TaintToleration=5, ImageLocality=0))
    assert both == [("ImageLocality", 1), *default[1:-1], ("TaintToleration", 5)]
    assert scores(disabled=named("*"), enabled=named("NodeAffinity", "NodeResourcesFit")) == [
        ("NodeAffinity", 1), ("NodeResourcesFit", 1),
    ]  # fmt: skip


def test_fit_arguments():
    found = args(
        "NodeResourcesFit",
        ignoredResources=["a/b"],
        ignoredResourceGroups=["c"],
        scoringStrategy={
            "type": "RequestedToCapacityRatio",
            "resources": [{"name": "cpu", "weight": 3}, {"name": "memory"}],
            "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 10}, {"utilization": 100}]},
        },
    ).fit
    assert (found.strategy, found.resources) == ("RequestedToCapacityRatio", {"cpu": 3, "memory": 1})
    assert found.shape == ((0, 10), (100, 0))
    assert (found.ignored, found.ignored_groups) == ({"a/b"}, {"c"})
    assert args("NodeResourcesFit").fit.resources == {"cpu": 1, "memory": 1}
    assert args("NodeResourcesFit").fit.strategy == "LeastAllocated"


def test_other_arguments():
    assert args("NodeResourcesBalancedAllocation", resources=[{"name": "x/y", "weight": 1}]).balanced == ("x/y",)
    assert args("NodeResourcesBalancedAllocation").balanced == ("cpu", "memory")
    terms = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
    affinity = args("NodeAffinity", addedAffinity=terms).added_affinity
    assert affinity.required_during_scheduling_ignored_during_execution.node_selector_terms == ()


def test_what_is_not_carried_out_is_named():
    (found,) = read_configuration(
        {
            "extenders": [{"urlPrefix": "http://x"}],
            "profiles": [
                {
                    "plugins": {"multiPoint": {"enabled": named("Custom")}, "score": {"enabled": named("Mine")}},
                    "pluginConfig": [{"name": "Custom", "args": {}}, {"name": "DefaultPreemption", "args": {}}],
                }
            ],
        }
    )
    assert found.not_evaluated == ("extenders", "pluginConfig Custom", "plugin Custom", "plugin Mine")
    assert found.scores == DEFAULT_SCORES
    assert profile(plugins={"reserve": {"disabled": named("VolumeBinding")}}).not_evaluated == ("plugins.reserve",)
    assert read_configuration({"extenders": [1]})[0].not_evaluated == ("extenders",)


def test_points_of_plugins():
    everything = set(DEFAULT_FILTERS)
    assert profile(plugins={"filter": {"disabled": named("NodePorts")}}).filters == everything - {"NodePorts"}
    only = {"disabled": named("*"), "enabled": named("NodeName", "NodeResourcesFit")}
    assert profile(plugins={"filter": only}).filters == {"NodeName", "NodeResourcesFit"}
    multi = {"disabled": named("InterPodAffinity"), "enabled": named(NodeAffinity=7, ImageLocality=0)}
    found = profile(plugins={"multiPoint": multi})
    assert found.filters == everything - {"InterPodAffinity"}
    wanted = {name: weight for name, weight in DEFAULT_SCORES.items() if name != "InterPodAffinity"}
    assert list(found.scores.items()) == list((wanted | {"NodeAffinity": 7}).items())
    both = profile(
        plugins={"multiPoint": multi, "score": {"enabled": named(NodeAffinity=2), "disabled": named("TaintToleration")}}
    )
    assert next(iter(both.scores.items())) == ("NodeAffinity", 2)
    assert "TaintToleration" not in both.scores
    assert not profile(plugins={"postFilter": {"disabled": named("DefaultPreemption")}}).preempts
    assert not profile(plugins={"multiPoint": {"disabled": named("*")}}).preempts
    assert profile().preempts


def test_arguments_of_relations():
    made = profile(
        percentageOfNodesToScore=7,
        pluginConfig=[
            {
                "name": "InterPodAffinity",
                "args": {"hardPodAffinityWeight": 0, "ignorePreferredTermsOfExistingPods": True},
            },
            {
                "name": "PodTopologySpread",
                "args": {"defaultingType": "List", "defaultConstraints": [{"maxSkew": 2, "topologyKey": "z"}]},
            },
        ],
    )
    assert made.inter_pod == InterPodArgs(0, True)
    assert (made.spread.system, made.spread.defaults[0].max_skew) == (False, 2)
    assert made.percentage == 7
    assert read_configuration({"percentageOfNodesToScore": 30})[0].percentage == 30


PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def with_args(plugin, **args):
    return {"profiles": [{"pluginConfig": [{"name": plugin, "args": args}]}]}


@pytest.mark.parametrize(
    ("configuration", "line"),
    [
        ({"profiles": {}}, "configuration: profiles: expected array, got object"),
        ({"profiles": [{"pluginConfig": [{}]}]}, "configuration: profiles[0].pluginConfig[0]: object missing required"),
        (
            {"profiles": [{"pluginConfig": [fit_args(scoringStrategy={"type": "Best"})]}]},
            "configuration: profile default-scheduler: NodeResourcesFit: scoringStrategy.type: 'Best' is not one of",
        ),
        (
            {"profiles": [{"pluginConfig": [fit_args(ignoredResources="x")]}]},
            "configuration: profile default-scheduler: NodeResourcesFit: ignoredResources: expected array, got str",
        ),
        (
            {"profiles": [{"pluginConfig": [{"name": "NodeAffinity"}, {"name": "NodeAffinity"}]}]},
            "configuration: profile default-scheduler: pluginConfig 'NodeAffinity': stands twice",
        ),
        (
            {"profiles": [{"plugins": {"score": {"enabled": named(NodeAffinity=-1)}}}]},
            "configuration: profile default-scheduler: score plugin 'NodeAffinity': weight -1 is not in",
        ),
        (
            with_args("NodeAffinity", addedAffinity={PREFERRED: [{"weight": 0}, {"weight": 10**30}]}),
            f"configuration: profile default-scheduler: NodeAffinity: addedAffinity.{PREFERRED}[1].weight: {10**30} is "
            "outside 0..2147483647",
        ),
        (
            with_args("PodTopologySpread", defaultingType="List", defaultConstraints=[{"maxSkew": 0}]),
            "configuration: profile default-scheduler: PodTopologySpread: defaultConstraints[0].maxSkew: 0 is outside",
        ),
        (
            with_args("InterPodAffinity", hardPodAffinityWeight=101),
            "configuration: profile default-scheduler: InterPodAffinity: hardPodAffinityWeight: 101 is outside 0..100",
        ),
    ],
)
def test_malformed_configurations(configuration, line):
    with pytest.raises(InputError) as caught:
        read_configuration(configuration)
    assert str(caught.value).startswith(line)
