"""Threads meet on fleets. `clean`: as docs/embedding.md allows, and misuse that is refused. `planted`: a race.

python races.py clean|planted       run where `races` is built, under the thread sanitizer (.ci/tsan)
"""

import sys
import threading

import numpy as np
import races

from binwright import Fleet, StateError
from binwright._core import crew
from binwright.terms import Ref, at_most


def together(*works):
    """Run all at once; their answers."""
    answers = [None] * len(works)
    gate = threading.Barrier(len(works))

    def one(i, work):
        gate.wait()
        answers[i] = work()

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def made():
    fleet = Fleet({"cpu": np.arange(500) % 60 + 4, "memory": np.full(500, 64)})
    counter = fleet.counter()
    job = fleet.request({"cpu": 2, "memory": 1}, contributes={counter: 1}, terms=[at_most("eligible", Ref(counter), 9)])
    fleet.place(job, 50)
    return fleet, job, counter


def wide(threads):
    """Hosts and verdicts of requests that helpers decide too: pieces of one block."""
    fleet = Fleet({"cpu": np.arange(4000) % 700 + 300, "memory": np.arange(4000) % 301 + 500})
    fleet.threads = threads
    fleet._state.indexes.none = True
    bounds = fleet._state.indexes.filter
    bounds.many_blocks = bounds.shared_blocks = bounds.piece_blocks = 1
    found = fleet.place_many([fleet.request({"cpu": 3 * i, "memory": 1 + i % 5}) for i in range(1, 40)] * 40)
    return found.hosts.tolist(), found.scores.tolist()


def helped_along():
    """Fleets whose decisions several threads share, in turn and at once; how many pieces of work the helpers took."""
    alone, before = wide(1), crew.helped()
    assert wide(2) == alone
    crew.insist(True)
    assert wide(2) == wide(3) == alone
    assert together(*(lambda: wide(2),) * 3) == [alone] * 3
    crew.insist(False)
    return crew.helped() - before


def clean():
    helped = helped_along()
    fleet, job, counter = made()
    mine = [races.Own(fleet) for _ in range(3)]
    own = together(*(lambda own=own: own.churn(job.index, 20000) for own in mine))
    assert own == [(20000, 0)] * 3, own
    met = together(*(lambda: mine[0].churn(job.index, 100000) for _ in range(2)), lambda: mine[0].look(counter, 20000))
    forks = together(*(lambda: [fleet.fork().place(job, 20).placed for _ in range(20)] for _ in range(3)))
    assert forks == [[20] * 20] * 3

    past, item = fleet.place(job), int(fleet.place(job).items[0])

    def refused(*works):
        count = 0
        for i in range(400):
            try:
                works[i % len(works)]()
            except StateError:
                count += 1
        return count

    def write():
        return refused(
            lambda: fleet.release(fleet.place(job, 50).items),
            lambda: fleet.add_hosts({"cpu": [4], "memory": [4]}),
            lambda: fleet.resize(3, {"cpu": 50}),
        )

    def read():
        return refused(
            fleet.fork, lambda: fleet.count(counter, 3), lambda: fleet.items_on(3), lambda: fleet.item(item),
            lambda: past.explain(0).verdict, lambda: repr(fleet.explain(job)),
        )  # fmt: skip

    shared = together(write, write, read)
    print(f"clean: helpers took {helped} pieces of shared decisions")
    print(f"clean: 3 forks in 3 threads {own}; one fleet in 3 threads {met} (done, refused); one of Python's {shared}")


def planted():
    fleet, job, _ = made()
    own = races.Own(fleet)
    print(together(lambda: own.churn(job.index, 100000), lambda: own.peek(3000000)))


{"clean": clean, "planted": planted}[sys.argv[1]]()
