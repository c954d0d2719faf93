"""The soak, for seconds by default and for two minutes among the slow tests."""

import pytest

pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")
pytest.importorskip("starlette", reason="the extra serve is not installed")

from tests.serve.soak import soak


@pytest.mark.parametrize(
    ("seconds", "every"), [pytest.param(18, 3, id="short"), pytest.param(120, 15, id="long", marks=pytest.mark.slow)]
)
def test_nothing_is_wrong_lost_or_doubled(seconds, every):
    told = soak(seconds, seed=7, every=every)
    print(told)
    assert told["wrong"] == []
    assert told["counts"]["bound"] > seconds
    assert told["lives"] > 1
