"""Two threads on one decision: the same answers, one crew for all fleets, nothing left behind."""

import os
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from binwright import Fleet, InputError, Profile, Rule, least_allocated, static_score
from binwright._core import crew

HOSTS = 20_000  # 79 blocks
posix = pytest.mark.skipif(sys.platform == "win32", reason="no crew on Windows: the fleet's own thread does all")


def made(threads: int = 1, seed: int = 3):
    """A fleet whose decisions are by bounds, in pieces of two blocks, and requests no two of which are alike."""
    rng = np.random.default_rng(seed)
    fleet = Fleet(
        {"cpu": rng.integers(200, 900, HOSTS), "memory": rng.integers(200, 900, HOSTS)},
        profile=Profile(
            rules=(Rule("eligible"), Rule("fit", kind="fit")),
            scores=(least_allocated({"cpu": 1, "memory": 1}), static_score("liked")),
        ),
    )
    fleet.threads = threads
    fleet._state.indexes.none = True
    bounds = fleet._state.indexes.filter
    bounds.shared_blocks, bounds.piece_blocks = 1, 2
    liked = rng.integers(0, 5, HOSTS)
    requests = [
        fleet.request(
            {"cpu": int(cpu), "memory": int(memory)},
            raw={"liked": liked} if i % 3 == 0 else None,
            eligible=rng.random(HOSTS) < 0.5 if i % 5 == 0 else None,
        )
        for i, (cpu, memory) in enumerate(rng.integers(1, 40, (40, 2)))
    ]
    return fleet, requests


def decided(fleet, requests, times=5):
    found = fleet.place_many(requests * times)
    filter_ = fleet._state.indexes.filter
    return found.hosts.tolist(), found.scores.tolist(), found.verdicts.tolist(), filter_.answered, filter_.evaluated


@pytest.fixture(scope="module")
def alone():
    return decided(*made())


@pytest.fixture
def each_its_own():
    """A busy machine may leave the caller all the work; not here."""
    crew.insist(True)
    yield
    crew.insist(False)


@posix
def test_two_threads_decide_as_one(alone, each_its_own):
    before = crew.helped()
    fleet, requests = made(2)
    assert decided(fleet, requests) == alone
    assert crew.helpers() >= 1
    assert crew.helped() > before + 200
    crew.insist(False)
    other, requests = made(2)
    assert decided(other, requests) == alone
    # which blocks are read does not depend on who reads them
    assert other._state.indexes.filter.read == fleet._state.indexes.filter.read


@posix
@pytest.mark.parametrize("threads", [3, 64])
def test_more_threads_than_processors(alone, each_its_own, threads):
    assert decided(*made(threads)) == alone


@posix
def test_many_fleets_at_once(alone, each_its_own):
    answers = []
    works = [threading.Thread(target=lambda: answers.append(decided(*made(2)))) for _ in range(4)]
    for work in works:
        work.start()
    for work in works:
        work.join()
    assert answers == [alone] * 4


def test_ties_and_reasons_with_two_threads(each_its_own):
    said = []
    for threads in (1, 2):
        fleet, requests = made(threads)
        fleet.place_many(requests)
        found = fleet.place(fleet.request({"cpu": 5}))
        refused = fleet.place(fleet.request({"cpu": 1000}))
        said.append((found.ties(0).tolist(), refused.verdicts.tolist(), refused.explain(0).reasons))
    assert said[0] == said[1]


def test_few_blocks_are_one_threads():
    fleet, requests = made(2)
    bounds = Fleet({"cpu": [1]})._state.indexes.filter
    fleet._state.indexes.filter.shared_blocks = bounds.shared_blocks
    assert bounds.shared_blocks > HOSTS // 256
    before = crew.helped()
    decided(fleet, requests)
    assert crew.helped() == before


def test_the_setting():
    fleet, requests = made(2)
    fork = fleet.fork()
    assert (Fleet({"cpu": [1]}).threads, fleet.threads, fork.threads) == (1, 2, 2)
    assert pickle.loads(pickle.dumps(fleet)).threads == 1
    assert fork.fork().place_many(requests).hosts.tolist() == fleet.place_many(requests).hosts.tolist()
    for wrong in (0, -1, crew.MOST_THREADS + 1, 2**70, 1.0, "2", None, True):
        with pytest.raises(InputError, match=r"^threads: "):
            fleet.threads = wrong
    assert fleet.threads == 2


@posix
def test_a_forked_process_has_a_crew_of_its_own(alone, each_its_own):
    decided(*made(2))
    assert crew.helpers()
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        good = crew.helpers() == 0 and decided(*made(2)) == alone and crew.helpers() == 1
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert decided(*made(2)) == alone


EXIT = """
import atexit, os
tasks = lambda: len(os.listdir("/proc/self/task"))
atexit.register(lambda: print("after", tasks() - before, crew.helpers()))  # runs last
import numpy as np
from binwright import Fleet
from binwright._core import crew
before = tasks()
fleet = Fleet({"cpu": np.arange(100_000) % 997 + 100})
fleet.threads = 3
fleet.place_many([fleet.request({"cpu": i}) for i in range(1, 9)])
print("within", tasks() - before, crew.helpers())
masks = [open(f"/proc/self/task/{task}/status").read() for task in sorted(map(int, os.listdir("/proc/self/task")))[-2:]]
print([[line for line in mask.splitlines() if line.startswith("SigBlk")][0][-16:] for mask in masks])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts the threads of a process in /proc")
def test_no_thread_outlives_the_interpreter():
    done = subprocess.run([sys.executable, "-c", EXIT], capture_output=True, text=True, timeout=300, check=True)
    within, masks, after = done.stdout.splitlines()
    assert within == "within 2 2"
    assert after == "after 0 0"
    assert all(int(mask, 16) & 1 << signal.SIGINT - 1 for mask in eval(masks))
