"""KubeSchedulerConfiguration: the one profile, its plugin arguments and its score list (spec 2.1, 8.1)."""

from dataclasses import dataclass
from typing import Any

from tests.reference.kubernetes.status import NotModelled

Json = dict[str, Any]

DEFAULT_SCORE_WEIGHTS: dict[str, int] = {  # in plugin order (spec 2.1)
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "VolumeBinding": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}


@dataclass(frozen=True)
class Profile:
    """What a configuration decides."""

    score_weights: dict[str, int]  # score plugins in list order
    arguments: dict[str, Json]  # by plugin name
    percentage_of_nodes_to_score: int | None  # None: not said


def score_list(point: Json) -> dict[str, int]:
    """``plugins.score`` merged with the defaults.

    ``disabled`` removes a name ("*": all).  An ``enabled`` name still in the default list moves to the front, one
    that is not is appended, both in ``enabled`` order; a weight of 0 or none is 1 (spec 2.1, 8.1).
    """
    disabled = {entry["name"] for entry in point.get("disabled") or ()}
    defaults = {
        name: weight for name, weight in DEFAULT_SCORE_WEIGHTS.items() if name not in disabled and "*" not in disabled
    }
    front: dict[str, int] = {}
    appended: dict[str, int] = {}
    for entry in point.get("enabled") or ():
        name = entry["name"]
        if name not in DEFAULT_SCORE_WEIGHTS:
            raise NotModelled(f"plugins.score.enabled: {name} is no score plugin of the default profile")
        (front if name in defaults else appended)[name] = entry.get("weight") or 1
    rest = {name: weight for name, weight in defaults.items() if name not in front}
    return {**front, **rest, **appended}


def parse_configuration(configuration: Json | None) -> Profile:
    """The profile of a KubeSchedulerConfiguration; absent = the default profile."""
    configuration = configuration or {}
    profiles = configuration.get("profiles") or [{}]
    if len(profiles) > 1 or configuration.get("extenders"):
        raise NotModelled("several profiles and extenders (spec 7)")
    plugins = profiles[0].get("plugins") or {}
    if set(plugins) - {"score"}:
        raise NotModelled(f"plugins of other points than score: {sorted(set(plugins) - {'score'})}")
    percentage = profiles[0].get("percentageOfNodesToScore", configuration.get("percentageOfNodesToScore"))
    return Profile(
        score_weights=score_list(plugins.get("score") or {}),
        arguments={entry["name"]: entry.get("args") or {} for entry in profiles[0].get("pluginConfig") or ()},
        percentage_of_nodes_to_score=percentage,
    )
