"""Nova's weighers (openstack spec 5.1): the formula on small cases, and against the recorded weighings."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from binwright.openstack.nova.weighers import WEIGHERS, multipliers, normalise, weigh

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "openstack" / "nova" / "weights.public.json.gz"
BY_NAME = {weigher.name: weigher for weigher in WEIGHERS}


def test_normalise_between_the_extremes():
    np.testing.assert_array_equal(normalise(np.array([5.0, 10.0, 7.5])), [0.0, 1.0, 0.5])
    np.testing.assert_array_equal(normalise(np.array([3, 3, 3])), [0.0, 0.0, 0.0])
    assert normalise(np.array([])).size == 0


def test_normalise_from_a_lower_bound():
    np.testing.assert_array_equal(normalise(np.array([-4.0, 5.0, 10.0]), 0.0), [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(normalise(np.array([-4.0, -5.0]), 0.0), [0.0, 0.0])


@pytest.mark.parametrize(
    ("texts", "expected"), [([], 1.0), (["2"], 2.0), (["2", "-3.5"], -3.5), (["2", "oops"], 1.0), ([" 4 "], 4.0)]
)
def test_multipliers_of_aggregates(texts, expected):
    weigher = BY_NAME["CPUWeigher"]
    metadata = [[{weigher.option: text} for text in texts] + [{"other": "9"}]]
    np.testing.assert_array_equal(multipliers(weigher, metadata), [expected])


def test_the_build_failure_multiplier_is_negative():
    np.testing.assert_array_equal(multipliers(BY_NAME["BuildFailureWeigher"], [[]]), [-1_000_000.0])


def test_one_host_alone_is_not_weighed():
    np.testing.assert_array_equal(weigh({"CPUWeigher": np.array([8.0])}, {"CPUWeigher": np.array([1.0])}), [0.0])


def recorded():
    if not VECTORS.exists():
        return []
    with gzip.open(VECTORS) as file:
        return [case for case in json.load(file)["cases"] if "weighers" in case["expected"]]


@pytest.mark.vectors
@pytest.mark.skipif(not VECTORS.exists(), reason=f"{VECTORS} is absent")
def test_recorded_weighings():
    cases = recorded()
    assert len(cases) > 50
    for case in cases:
        expected = case["expected"]
        hosts = expected["filtered"]
        assert [weigher.name for weigher in WEIGHERS] == expected["weigher_order"]
        aggregates = {one["name"]: one["metadata"] for one in case["aggregates"]}
        by_name = {host["host"]: host for host in case["hosts"]}
        metadata = [[aggregates[name] for name in by_name[host]["aggregates"]] for host in hosts]
        config = {
            key.removeprefix("filter_scheduler."): value
            for key, value in case["config"].items()
            if key.startswith("filter_scheduler.") and key.endswith("_multiplier")
        }
        raws, factors = {}, {}
        for name, own in expected["weighers"].items():
            weigher = BY_NAME[name]
            raws[name] = np.array([own["raw"][host] for host in hosts], dtype=np.float64)
            factors[name] = multipliers(weigher, metadata, config)
            assert weigher.minval == own["minval"], case["id"]
            np.testing.assert_allclose(
                normalise(raws[name], weigher.minval), [own["normalized"][host] for host in hosts], rtol=1e-9
            )
            np.testing.assert_allclose(factors[name], [own["multiplier"][host] for host in hosts], rtol=1e-9)
        totals = weigh(raws, factors)
        order = np.argsort(-totals, kind="stable")
        assert [hosts[index] for index in order] == [host for host, _ in expected["order"]], case["id"]
        np.testing.assert_allclose(totals[order], [total for _, total in expected["order"]], rtol=1e-9, atol=1e-9)
