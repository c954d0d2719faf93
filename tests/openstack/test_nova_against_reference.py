"""Random cases of Nova's decisions: the layer and the slow reference agree in everything that a recording holds."""

import copy
import random

import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from binwright.openstack.nova.replay import REPLAYS  # noqa: E402
from binwright.openstack.placement.names import RESOURCE_CLASSES, TRAITS  # noqa: E402
from tests.openstack.random_nova import CASES  # noqa: E402
from tests.reference.openstack.numa_constraints import ConstraintError  # noqa: E402
from tests.reference.openstack.replay import run_case  # noqa: E402

NAMES = {"traits": sorted(TRAITS), "resource_classes": sorted(RESOURCE_CLASSES)}
QUESTIONS = 4


@pytest.mark.parametrize("suite", CASES)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_cases(suite, seed):
    rng = random.Random(seed)
    for _ in range(QUESTIONS):
        case = CASES[suite](rng)
        asked = copy.deepcopy(case)
        try:
            case["expected"] = run_case(f"nova/{suite}", copy.deepcopy(case), NAMES)
        except (ConstraintError, IndexError, ValueError):
            continue  # a flavor that is refused, a host without pages, a filter that cannot compare
        assert list(REPLAYS[suite](case)) == [], asked
