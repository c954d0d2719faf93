"""`Fleet.explain(live=True)`: the same words without a copy, as long as the fleet stays as it is."""

import numpy as np

from binwright import Fleet


def test_the_same_until_the_fleet_changes():
    fleet = Fleet({"cpu": np.array([4, 2])}, names=["a", "b"])
    request = fleet.request({"cpu": 3})
    copied, live = fleet.explain(request), fleet.explain(request, live=True)
    assert (live.host, live.score, live.feasible) == (copied.host, copied.score, copied.feasible)
    assert live.reasons == copied.reasons
    assert live.verdicts_by_host().tolist() == copied.verdicts_by_host().tolist()
    copied, live = fleet.explain(request), fleet.explain(request, live=True)
    fleet.place(request)
    assert (copied.feasible, live.feasible) == (1, 0)  # nothing was computed before, and only the copy is of then
    assert live.smallest_change == fleet.explain(request).smallest_change
