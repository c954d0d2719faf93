"""Six hosts, cooled for 1,000 watts each; items of 300 watts. What the term says stands in the explanation."""

import heat_c
import heat_cython
import heat_python

from binwright import Fleet, Profile, Rule, static_score

for module in heat_python, heat_cython, heat_c:
    profile = Profile(
        rules=(Rule("heat", resolvable=True), Rule("fit", "fit")), scores=(static_score("cool", normalise="max"),)
    )
    fleet = Fleet({"cpu": [64] * 6}, profile=profile)
    job = fleet.request({"cpu": 4}, external=[module.heat(1000, 300)])
    token = fleet.checkpoint()
    assert fleet.place(job, 30).placed == 18
    print(fleet.explain(job))
    fleet.rollback(token)  # the term is told
    assert fleet.place(job, 30).placed == 18
