"""How few hosts can be enough: small problems by hand, and never more than trying every set of hosts says."""

from fractions import Fraction
from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from binwright.moves import Asked, Bin, Needs
from binwright.stack.node_bound import least_hosts


def needs(items, bins):
    """items: amounts; bins: (capacity, stays)."""
    return Needs(("cpu",), [Asked((amount,)) for amount in items], [Bin((size,), stays) for size, stays in bins])


def test_the_largest_hosts_are_counted_first():
    """17 cores on hosts of 10, 5, 5, 2: two hosts hold at most 15."""
    assert least_hosts(needs([1] * 17, [(5, False), (10, False), (2, False), (5, False)])).hosts == 3


def test_hosts_that_stay_count_and_their_room_is_used():
    bound = least_hosts(needs([4, 4], [(10, True), (10, False), (0, True)]))
    assert (bound.hosts, bound.fixed) == (2, 2)
    assert least_hosts(needs([4] * 3, [(10, True), (10, False), (0, True)])).hosts == 3


def test_nothing_to_place_needs_only_what_stays():
    assert least_hosts(needs([], [(10, True), (10, False)])).hosts == 1
    assert least_hosts(Needs(("cpu",), [], [])).hosts == 0


def test_equal_hosts_are_one_kind_with_a_count():
    found = least_hosts(Needs(("cpu", "pods"), [Asked((1, 1), count=250)], [Bin((64, 110), count=5)]))
    assert (found.hosts, found.proof) == (4, "volume")


def test_prices_bound_what_the_rest_costs():
    """12 cores: the cheap way is 8 cores for 3 and 8 for 4; whatever is done, 12 cores at 3/8 each cost 4.5."""
    bins = [Bin((8,), price=Fraction(3)), Bin((8,), price=Fraction(4)), Bin((4,), stays=True, price=Fraction(1, 2))]
    found = least_hosts(Needs(("cpu",), [Asked((1,), count=16)], bins), priced=True)
    assert found.hosts == 3
    assert Fraction(1, 2) < found.price <= Fraction(15, 2)
    assert least_hosts(Needs(("cpu",), [Asked((1,), count=16)], bins)).price is None


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=4),
)
def test_the_bound_is_never_above_the_truth(items, bins):
    bins = [*bins, (sum(items), False)]  # so that there is a way
    assert least_hosts(needs(items, bins)).hosts <= truth(items, bins)


def truth(items, bins):
    """The fewest hosts, those that stay among them, by trying every assignment."""
    fixed = [number for number, (_, stays) in enumerate(bins) if stays]
    others = [number for number, (_, stays) in enumerate(bins) if not stays]
    for count in range(len(others) + 1):
        for chosen in combinations(others, count):
            if fits(items, [bins[number][0] for number in [*fixed, *chosen]]):
                return len(fixed) + count
    raise AssertionError("there is a way")


def fits(items, sizes):
    for places in product(range(len(sizes)), repeat=len(items)):
        load = [0] * len(sizes)
        for amount, place in zip(items, places):
            load[place] += amount
        if all(used <= size for used, size in zip(load, sizes)):
            return True
    return False


def test_pools_that_items_cannot_leave_are_bounded_apart():
    """What may be anywhere is counted with all hosts together; what is tied to its pool, with the pool alone."""
    bins = [Bin((10,), pool=0, count=2), Bin((4,), pool=1, count=2)]
    items = [Asked((1,), frozenset({0, 1}), 11), Asked((4,), frozenset({1}), 2)]
    assert least_hosts(Needs(("cpu",), items, bins)).hosts == 2
    items[0] = Asked((1,), frozenset({0}), 11)
    assert least_hosts(Needs(("cpu",), items, bins)).hosts == 4


@given(st.data())
def test_the_bound_with_pools_is_never_above_the_truth(data):
    bins = [
        Bin((data.draw(st.integers(1, 8)),), data.draw(st.booleans()), pool=data.draw(st.integers(0, 2)))
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    pools = sorted({bin.pool for bin in bins})
    items = [
        Asked((data.draw(st.integers(1, 5)),), frozenset(data.draw(st.sets(st.sampled_from(pools), min_size=1))))
        for _ in range(data.draw(st.integers(1, 5)))
    ]
    fewest = min(
        (
            len({number for number, bin in enumerate(bins) if bin.stays} | set(places))
            for places in product(range(len(bins)), repeat=len(items))
            if all(bins[place].pool in item.pools for item, place in zip(items, places))
            and all(
                sum(item.amounts[0] for item, place in zip(items, places) if place == number) <= bin.amounts[0]
                for number, bin in enumerate(bins)
            )
        ),
        default=None,
    )
    if fewest is not None:
        assert least_hosts(Needs(("cpu",), items, bins)).hosts <= fewest
