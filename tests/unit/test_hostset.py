"""Host sets beside Python's sets, at sizes around the words of the bitset."""

import copy
import pickle
import random

import numpy as np
import pytest

from binwright import HostSet

SIZES = (0, 1, 63, 64, 65, 128, 130)


@pytest.mark.parametrize("hosts", SIZES)
def test_algebra_is_that_of_sets(hosts):
    dice = random.Random(hosts)
    left, right = ({host for host in range(hosts) if dice.random() < 0.5} for _ in range(2))
    a, b, every = HostSet(hosts, left), HostSet(hosts, np.array(sorted(right), np.int64)), set(range(hosts))
    for made, wanted in ((a | b, left | right), (a & b, left & right), (a - b, left - right), (a ^ b, left ^ right),
                         (~a, every - left)):  # fmt: skip
        assert list(made) == sorted(wanted)
        assert len(made) == len(wanted)
        assert [host in made for host in range(-1, hosts + 70)] == [host in wanted for host in range(-1, hosts + 70)]
    assert ~~a == a
    assert hash(~~a) == hash(a)
    assert (a == b) == (left == right)
    assert pickle.loads(pickle.dumps(a)) == copy.copy(a) == copy.deepcopy(a) == a


def test_mask_there_and_back():
    cells = np.array([1, 0, 2] * 30, np.uint8)
    made = HostSet.from_mask(cells)
    back = np.full(90, 9, np.uint8)
    made.fill_mask(back)
    assert back.tolist() == (cells != 0).astype(int).tolist()
    with pytest.raises(ValueError, match="a mask of 89 hosts for a set over 90"):
        made.fill_mask(back[:89].copy())


def test_sets_over_different_fleets_are_never_equal_and_never_mix():
    assert HostSet(3, [1]) != HostSet(4, [1])
    with pytest.raises(ValueError, match="sets over 3 and 4 hosts do not mix"):
        HostSet(3) | HostSet(4)


@pytest.mark.parametrize("hosts", [-1, 2**31 + 1, 2**63 - 1])
def test_refuses_sizes_that_no_fleet_has(hosts):
    with pytest.raises(ValueError, match="hosts must be in 0"):
        HostSet(hosts)


def test_refuses_members_outside():
    with pytest.raises(IndexError, match="no host 3 in a fleet of 3"):
        HostSet(3, [3])
