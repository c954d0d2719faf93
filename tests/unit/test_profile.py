"""Profiles that were put together by hand: what the functions of binwright.profile see to is checked again."""

import pytest

from binwright import InputError, Profile, Score, static_score

HAND_MADE = {
    "kind": Score("own", "bogus"),
    "no score": "least",
    "weight": Score("own", "least", 2**62, (("cpu", 1),)),
    "share": Score("own", "least", 1, (("cpu", 2**40),)),
    "twice": Score("own", "least", 1, (("cpu", 1),) * 500),
    "short table": Score("own", "ratio", 1, (("cpu", 1),), table=(1,)),
    "long table": Score("own", "ratio", 1, (("cpu", 1),), table=(1,) * 100_000),
    "normaliser": Score("own", "static", normalise="bogus"),
}


@pytest.mark.parametrize("score", HAND_MADE.values(), ids=HAND_MADE)
def test_a_score_that_the_core_could_not_bear_is_refused(score):
    with pytest.raises(InputError):
        Profile(scores=(score,))
    assert Profile(scores=(static_score("own", normalise="max"),)).slots == {"own": 0}
