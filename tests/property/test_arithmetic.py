"""Every score and normaliser on every small value, and around the powers of two where representations change.

Random decisions do not notice a score that is off by one: the same host often wins. These tests read the numbers.
"""

import itertools

import numpy as np
import pytest

import binwright
from binwright._core import kernels
from tests.property.sides import engine_score
from tests.reference import arithmetic
from tests.reference.fleet import MAX_AMOUNT, Fleet, Rule, Score
from tests.reference.scores import raw_score

RULES = [Rule("eligible", "eligible"), Rule("fit", "fit")]
SHAPES = (
    ((0, 0), (100, 10)),
    ((0, 10), (100, 0)),
    ((10, 3), (33, 9), (34, 0), (77, 7)),
    ((50, 5),),
)
NAMES = ("r0", "r1", "r2", "r3")


@pytest.fixture(params=kernels.available(), autouse=True)
def copy_of_kernels(request):
    before = kernels.current()
    kernels.use(request.param)
    yield request.param
    kernels.use(before)


def profile_of(terms):
    rules = (binwright.Rule("eligible"), binwright.Rule("fit", kind="fit"))
    return binwright.Profile(rules=rules, scores=tuple(engine_score(term) for term in terms))


def assert_scores(term: Score, hosts, demands):
    """`hosts`: for each host, one (capacity, used) pair a resource; `demands`: one amount a resource, several times."""
    names = [name for name, _ in term.resources]
    capacity = {name: [host[r][0] for host in hosts] for r, name in enumerate(names)}
    used = {name: [host[r][1] for host in hosts] for r, name in enumerate(names)}
    arrays = [{name: np.array(c, dtype=np.int64) for name, c in columns.items()} for columns in (capacity, used)]
    slow = Fleet(capacity, used=used, rules=RULES, scores=[term])
    for demand in demands:
        score = dict(zip(names, demand, strict=True))
        wanted = slow.state.classes[slow.request({}, score=score)]
        engine = binwright.Fleet(arrays[0], used=arrays[1], profile=profile_of([term]))
        for host in range(len(hosts)):
            mask = np.zeros(len(hosts), dtype=bool)
            mask[host] = True
            explanation = engine.explain(engine.request({}, score=score, eligible=mask))
            expected = raw_score(slow, term, wanted, host)
            got = {name: tuple(part) for name, part in explanation.parts.items()}
            assert explanation.host == host
            assert got == ({} if expected is None else {term.name: (expected, term.weight)}), (hosts[host], score)


def one_resource_terms():
    resources = (("r0", 3),)
    yield Score("least", "t", 2, resources)
    yield Score("most", "t", 2, resources)
    yield Score("balanced", "t", 2, (("r0", 1),))
    for shape in SHAPES:
        yield Score("ratio", "t", 2, resources, shape)


def several_resources_terms(count):
    for optional in (frozenset(), frozenset({"r0"}), frozenset(NAMES[:count])):
        for weights in ((1, 1, 1, 1), (1, 3, 2, 5)):
            resources = tuple(zip(NAMES[:count], weights, strict=False))
            yield Score("least", "t", 1, resources, optional=optional)
            yield Score("most", "t", 1, resources, optional=optional)
            yield Score("ratio", "t", 1, resources, SHAPES[2], optional)
            yield Score("ratio", "t", 1, resources, SHAPES[0], optional)
        yield Score("balanced", "t", 1, tuple((name, 1) for name in NAMES[:count]), optional=optional)


def label(value):
    if isinstance(value, Score):
        return (
            f"{value.kind}-{len(value.resources)}-{''.join(str(w) for _, w in value.resources)}-{len(value.optional)}"
        )
    return None


GIANT = (MAX_AMOUNT, 5)  # one such host makes the engine use its wide kernels


@pytest.mark.parametrize("giant", [False, True], ids=["narrow", "wide"])
@pytest.mark.parametrize("term", [*one_resource_terms()], ids=label)
def test_one_resource_every_small_value(term, giant):
    hosts = [((capacity, used),) for capacity in range(9) for used in range(10)] + [(GIANT,)] * giant
    assert_scores(term, hosts, [(demand,) for demand in range(6)])


@pytest.mark.parametrize("term", [*one_resource_terms()], ids=label)
def test_one_resource_every_percent(term):
    hosts = [
        ((capacity, used),) for capacity in (99, 100, 101, 1000) for used in range(0, capacity + 2, 1 + capacity // 90)
    ]
    assert_scores(term, hosts, [(0,), (1,)])


@pytest.mark.parametrize("giant", [False, True], ids=["narrow", "wide"])
@pytest.mark.parametrize("term", [*several_resources_terms(2)], ids=label)
def test_two_resources(term, giant):
    pairs = [(0, 0), (0, 2), (1, 0), (3, 1), (7, 0), (7, 3), (7, 8)]
    hosts = [*itertools.product(pairs, pairs), *[(GIANT, (3, 1))] * giant]
    assert_scores(term, hosts, [(0, 0), (0, 1), (2, 0), (3, 2)])


@pytest.mark.parametrize("count", [3, 4])
def test_more_resources(count):
    pairs = [(0, 1), (3, 1), (7, 0), (10, 9)] if count == 3 else [(0, 0), (3, 2), (7, 1)]
    for term in several_resources_terms(count):
        assert_scores(term, list(itertools.product(pairs, repeat=count)), [(0, 1, 2, 0)[:count], (0,) * count])


LARGE = [2**31, 2**45 - 1, 2**45, 2**45 + 1, 2**52 + 1, 2**53 + 1, 2**55 + 3, 2**56 - 1, 2**56]


@pytest.mark.parametrize("capacity", LARGE)
@pytest.mark.parametrize("term", [*one_resource_terms()], ids=label)
def test_large_amounts_at_every_percent(term, capacity):
    """The last amount below and the first amount at each percent, for what is used and for what is free."""
    edges = {edge + d for k in range(0, 101, 3) for edge in (k * capacity // 100,) for d in (-1, 0, 1)}
    used = sorted(u for edge in edges for u in (edge, capacity - edge) if 0 <= u <= capacity)
    assert_scores(term, [((capacity, u),) for u in used], [(0,), (1,)])


@pytest.mark.parametrize("capacity", LARGE)
def test_large_balance(capacity):
    edges = [k * capacity // 50 + d for k in range(0, 51, 3) for d in (-1, 0, 1)]
    used = [u for u in edges if 0 <= u <= capacity]
    for other in ((capacity, 0), (capacity, capacity), (3, 1)):
        hosts = [((capacity, u), other) for u in used]
        assert_scores(Score("balanced", "t", 1, (("r0", 1), ("r1", 1))), hosts, [(1, 0)])
        hosts = [(*host, (7, 2)) for host in hosts]
        assert_scores(Score("balanced", "t", 1, (("r0", 1), ("r1", 1), ("r2", 1))), hosts, [(1, 0, 0)])


def test_large_amounts_are_filtered_exactly():
    """A demand of exactly what is free fits, one more does not, up to the largest amount."""
    for capacity in LARGE:
        for used in (0, 1, capacity // 2, capacity - 1, capacity):
            fleet = binwright.Fleet(
                {"r0": np.array([capacity, 0], dtype=np.int64)}, used={"r0": np.array([used, 0], dtype=np.int64)}
            )
            free = capacity - used
            if free:
                assert fleet.explain(fleet.request({"r0": free})).host == 0
            if free < MAX_AMOUNT:
                assert fleet.explain(fleet.request({"r0": free + 1})).host is None


def assert_normalised(kind, columns, hosts):
    """Every host's normalised score; a second term, heavier than all else, makes each host the winner in turn."""
    terms = [Score("static", "t", 1, normalise=kind), Score("static", "pick", 1000)]
    profile = profile_of(terms)
    for raw in columns:
        fleet = binwright.Fleet({"r0": np.ones(hosts, dtype=np.int64)}, profile=profile)
        feasible = [host for host, value in enumerate(raw) if value is not None]
        expected = dict(zip(feasible, arithmetic.normalise([raw[host] for host in feasible], kind), strict=True))
        column = np.array([10**6 if value is None else value for value in raw], dtype=np.int64)
        mask = np.array([value is not None for value in raw])
        for host in feasible:
            pick = np.zeros(hosts, dtype=np.int64)
            pick[host] = 1 if kind is not None else 10**5
            request = fleet.request({}, raw={"t": column, "pick": pick}, eligible=mask)
            explanation = fleet.explain(request)
            assert explanation.host == host
            assert tuple(explanation.parts["t"]) == (expected[host], 1), (kind, raw)


@pytest.mark.parametrize("kind", [None, "max", "reverse", "minmax"])
def test_normalisers_every_small_column(kind):
    values = (None, 0, 1, 2, 3, 5, 7)
    assert_normalised(kind, [c for c in itertools.product(values, repeat=3) if any(v is not None for v in c)], 3)


@pytest.mark.parametrize("kind", ["max", "reverse", "minmax"])
def test_normalisers_every_pair_of_numbers(kind):
    assert_normalised(kind, [(low, high) for high in range(1, 60) for low in range(0, high, 1 + high // 20)], 2)


@pytest.mark.parametrize("kind", ["max", "reverse", "minmax"])
@pytest.mark.parametrize("high", [2**31 + 1, 2**39 + 1, 2**40])
def test_normalisers_large(kind, high):
    columns = [(k * high // 100 + d, high) for k in range(1, 100, 2) for d in (-1, 0, 1)]
    assert_normalised(kind, columns, 2)


def test_a_host_grows_to_the_largest_amount_but_not_past_it():
    fleet = binwright.Fleet({"r0": np.array([10], dtype=np.int64)})
    fleet.claim(fleet.request({"r0": MAX_AMOUNT - 20}), 0)
    change = fleet.explain(fleet.request({"r0": 20})).smallest_change
    assert (change.kind, change.host, change.have, change.need) == ("host", 0, 10, MAX_AMOUNT)
    assert fleet.explain(fleet.request({"r0": 21})).smallest_change is None
