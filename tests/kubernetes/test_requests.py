"""Resource lists of a pod, kubernetes spec 3."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright.errors import InputError
from binwright.kubernetes.requests import NON_ZERO, Requests, is_scalar, pod_request
from binwright.units import nanos
from tests.kubernetes.made import make_pod


def container(name="c", restart=None, **requests):
    asked = {key.replace("__", "/").replace("_", "-"): value for key, value in requests.items()}
    return {"name": name, "resources": {"requests": asked}, "restartPolicy": restart}


def amounts(**spec):
    status = spec.pop("status", None)
    return Requests().of(make_pod(status=status, **spec))


def test_containers_are_summed_and_overhead_is_added():
    found = amounts(
        containers=[container(cpu="100m", memory="1Gi"), container(cpu="1", example_com__gpu="2"), {"name": "none"}],
        overhead={"cpu": "50m", "memory": "1Mi"},
    )
    assert found.fit == {"cpu": 1150, "memory": 2**30 + 2**20, "example-com/gpu": 2}
    assert found.used == found.fit == found.balanced_score


def test_sums_come_before_rounding():
    assert amounts(containers=[container(cpu="100u"), container("d", cpu="100u")]).fit == {"cpu": 1}
    assert amounts(containers=[container(memory="100m"), container("d", memory="901m")]).fit == {"memory": 2}


def test_init_containers_and_sidecars():
    found = amounts(
        containers=[container(cpu="1")],
        initContainers=[
            container("i1", cpu="3"),
            container("s1", "Always", cpu="500m"),
            container("i2", cpu="2600m", memory="1Gi"),
            container("s2", "Always", cpu="700m"),
        ],
    )
    # total 1 + 0.5 + 0.7; peaks 3, 0.5, 2.6 + 0.5, 0.5 + 0.7
    assert found.fit == {"cpu": 3100, "memory": 2**30}


def test_defaults_of_scores_are_per_container_and_an_explicit_zero_stays():
    found = amounts(
        containers=[container(), container("d", cpu="0", memory="0"), container("e", cpu="1")],
        initContainers=[container("i", memory="1Gi"), container("s", "Always")],
    )
    assert found.fit == {"cpu": 1000, "memory": 2**30}
    assert found.fit_score == {"cpu": 100 + 1000 + 100, "memory": 2**30}
    assert found.used_nonzero == {"cpu": 1200, "memory": 2**30}
    assert amounts(containers=[container()]).used_nonzero == {"cpu": 100, "memory": 200 * 2**20}


def test_pod_level_values_replace_the_sum_but_not_for_the_fit_score():
    spec = {
        "containers": [container(cpu="1", memory="1Gi", hugepages_2Mi="2Mi")],
        "resources": {"requests": {"cpu": "3", "hugepages-2Mi": "4Mi", "example.com/gpu": "1"}},
        "overhead": {"cpu": "100m"},
    }
    found = amounts(**spec)
    assert found.fit == {"cpu": 3100, "memory": 2**30, "hugepages-2Mi": 4 * 2**20}
    assert found.fit_score == {"cpu": 1100, "memory": 2**30, "hugepages-2Mi": 2 * 2**20}
    assert Requests(fit_score_pod_level=True).of(make_pod(**spec)).fit_score["cpu"] == 3100


def test_non_zero_of_a_pod_with_pod_level_values_defaults_only_what_is_absent():
    only_cpu = {"resources": {"requests": {"cpu": "3"}}, "containers": [container(), container("d")]}
    assert amounts(**only_cpu).used_nonzero == {"cpu": 3000, "memory": 2 * 200 * 2**20}
    some_memory = {"resources": {"requests": {"cpu": "3"}}, "containers": [container(), container("d", memory="1Mi")]}
    assert amounts(**some_memory).used_nonzero == {"cpu": 3000, "memory": 2**20}
    other_name = {"resources": {"requests": {"example.com/gpu": "3"}}, "containers": [container()]}
    assert amounts(**other_name).used_nonzero == {"cpu": 100, "memory": 200 * 2**20}


def test_status_of_a_resized_pod():
    status = {
        "containerStatuses": [
            {"name": "c", "resources": {"requests": {"cpu": "2"}}, "allocatedResources": {"cpu": "1", "memory": "2Gi"}},
            {"name": "other", "resources": {"requests": {"cpu": "9"}}},
        ]
    }
    spec = {"containers": [container(cpu="3", memory="1Gi"), container("d", cpu="1")]}
    found = amounts(**spec, status=status)
    assert found.used == {"cpu": 4000, "memory": 2 * 2**30} == found.balanced_score
    assert found.fit == {"cpu": 4000, "memory": 2**30}
    infeasible = [{"type": "Ready"}, {"type": "PodResizePending", "reason": "Infeasible"}]
    assert amounts(**spec, status={**status, "conditions": infeasible}).used == {"cpu": 3000, "memory": 2 * 2**30}
    deferred = [{"type": "PodResizePending", "reason": "Deferred"}, infeasible[1]]
    assert amounts(**spec, status={**status, "conditions": deferred}).used == {"cpu": 4000, "memory": 2 * 2**30}


def test_status_counts_for_sidecars_and_not_for_ordinary_init_containers():
    reported = [{"name": name, "resources": {"requests": {"cpu": "5"}}} for name in ("s", "i")]
    found = amounts(
        containers=[container()],
        initContainers=[container("s", "Always", cpu="1"), container("i", cpu="1")],
        status={"initContainerStatuses": reported},
    )
    assert found.used == {"cpu": 6000}
    assert found.fit == {"cpu": 2000}


def test_a_status_without_resources_says_nothing():
    found = amounts(containers=[container(cpu="1")], status={"containerStatuses": [{"name": "c", "resources": None}]})
    assert found.used == {"cpu": 1000}


def test_two_pods_that_write_the_same_share_their_amounts():
    known = Requests()
    first = known.of(make_pod("a", cpu="1"))
    assert known.of(make_pod("b", cpu="1")) is first
    assert known.of(make_pod("c", cpu="1", overhead={"cpu": "1"})) is not first
    assert known.of(make_pod("d")).fit == {}
    assert known.of(make_pod("e", containers=None)).fit == {}


@pytest.mark.parametrize(
    ("name", "scalar"),
    [
        ("nvidia.com/gpu", True),
        ("requests.nvidia.com/gpu", False),
        ("kubernetes.io/batteries", True),
        ("requests.kubernetes.io/x", True),
        ("hugepages-1Gi", True),
        ("attachable-volumes-aws-ebs", True),
        ("cpu", False),
        ("pods", False),
        ("batteries", False),
    ],
)
def test_scalar_names(name, scalar):
    assert is_scalar(name) is scalar
    found = amounts(requests={name: "1"}).fit
    assert (name in found) is (scalar or name == "cpu")


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ({"cpu": "1.5.2"}, "Pod team/p: spec.containers[0].resources.requests.cpu: '1.5.2' is not a quantity"),
        ({"memory": "-1Gi"}, "Pod team/p: spec.containers[0].resources.requests.memory: '-1Gi' is negative"),
        ({"overhead": {"cpu": "x"}}, "Pod team/p: spec.overhead.cpu: 'x' is not a quantity"),
        ({"resources": {"requests": {"cpu": "5y"}}}, "Pod team/p: spec.resources.requests.cpu: '5y' has an unknown"),
        ({"initContainers": [container(cpu="")]}, "Pod team/p: spec.initContainers[0].resources.requests.cpu: ''"),
        ({"memory": "1Ei"}, "Pod team/p: memory: 1152921504606846976 is more than 72057594037927936"),
        ({"cpu": 10**40}, "Pod team/p: spec.containers[0].resources.requests.cpu: a number past the int64 range"),
    ],
)
def test_malformed_amounts_name_pod_and_field(spec, what):
    known = Requests()
    for _ in range(2):  # nothing half-made is remembered
        with pytest.raises(InputError) as caught:
            known.of(make_pod(namespace="team", **spec))
        assert str(caught.value).startswith(what)


NAMES = ("cpu", "memory", "example.com/x")
QUANTITIES = st.sampled_from(["0", "1", "100m", "100u", "2500m", "1Gi", "3"])
LISTS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, QUANTITIES))


@given(st.lists(LISTS, max_size=3), st.lists(st.tuples(LISTS, st.booleans()), max_size=4), LISTS)
def test_request_against_the_definition(ordinary, init, overhead):
    """Per resource: the largest of what runs at any moment, plus overhead."""
    pod = make_pod(
        containers=[container() | {"resources": {"requests": one}} for one in ordinary],
        initContainers=[
            container("i", "Always" if side else None) | {"resources": {"requests": one}} for one, side in init
        ],
        overhead=overhead,
    )
    for name in NAMES:
        for missing in (None, NON_ZERO):
            default = (missing or {}).get(name, 0)
            asked = [nanos(one[name]) if name in one else default for one in ordinary]
            moments, sidecars = [], 0
            for one, side in init:
                own = nanos(one[name]) if name in one else default
                if side:
                    sidecars += own
                    moments.append(sidecars)
                else:
                    moments.append(sidecars + own)
            expected = max([sum(asked) + sidecars, *moments]) + nanos(overhead.get(name, "0"))
            assert pod_request(pod, missing).get(name, 0) == expected
