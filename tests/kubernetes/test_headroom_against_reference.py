"""Random clusters: `capacity` places as many pods of a shape, and on the same nodes, as the slow reference does.

A cluster follows from one number, which Hypothesis prints.
"""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from binwright.headroom import Question
from binwright.kubernetes.headroom import headroom_objects
from tests.kubernetes.made import Json
from tests.kubernetes.test_advice_against_reference import drawn, empty, read

MOST = 60


def filled(case: Json, turn: list[Json]) -> tuple[list[dict[str, int]], int, str]:
    """Pods per node by shape, the shape that was refused, and the reference's message."""
    cluster = empty(case)
    for pod in case["pods"]:
        cluster.add_bound_pod(pod)
    counts: list[dict[str, int]] = [{} for _ in turn]
    for number in range(MOST * len(turn)):
        shape = number % len(turn)
        pod = deepcopy(turn[shape])
        pod["metadata"]["name"] = f"more-{number}"
        result = cluster.schedule_one(pod)
        if result["outcome"] != "bound":
            return counts, shape, result["fitError"]
        counts[shape][result["chosen"]] = counts[shape].get(result["chosen"], 0) + 1
    raise AssertionError("the cluster takes too many pods for this test")


def with_limits(case: Json) -> Json:
    """Pods whose shapes fit a bounded number of times, and which do not share claims that one of them binds."""
    for node in case["objects"]["nodes"]:
        allocatable = node.setdefault("status", {}).setdefault("allocatable", {})
        allocatable["pods"] = str(min(int(allocatable.get("pods", 0)), 5))
    for pod in case["pending"]:
        pod["spec"].pop("volumes", None)
        pod["spec"].pop("priority", None)
        pod.pop("status", None)
    return case


@given(st.integers(0, 2**32 - 1))
def test_as_many_as_the_reference_places(seed):
    case = with_limits(drawn(seed))
    shapes = case["pending"][:2]
    if not shapes:
        return
    objects, options = read(case)
    names = [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in shapes]
    found = headroom_objects("demo", objects, Question((",".join(names),)), options)
    turns = [[pod] for pod in shapes] + ([shapes] if len(shapes) > 1 else [])
    assert len(found.answers) == len(turns)
    for answer, turn in zip(found.answers, turns):
        counts, refused, message = filled(case, turn)
        assert answer.message == message
        assert answer.refused == answer.shapes[refused].name
        assert [shape.count for shape in answer.shapes] == [sum(taken.values()) for taken in counts]
        for position, taken in enumerate(counts):
            here = {room.host: room.counts[position] for room in answer.hosts if room.counts[position]}
            assert here == taken
