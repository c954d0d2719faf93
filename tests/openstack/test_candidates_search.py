"""The search for candidates: small clouds by hand, wide trees in few steps, and following claims."""

import math
import time

import numpy as np
import pytest

from binwright._core.candidates import Candidates, Question
from binwright._core.rowtable import RowTable
from binwright.openstack.placement.answer import candidates_answer
from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.query import parse_query
from binwright.openstack.placement.search import CandidateSearch, SearchLimit
from binwright.openstack.placement.tree import SHARING_TRAIT, Forest, Provider

AGGREGATE = "aaaaaaaa-0000-4000-8000-000000000000"


def provider(name, parent=None, traits=(), aggregates=(), used=None, **amounts):
    stocks = {key: value if isinstance(value, Inventory) else Inventory(value) for key, value in amounts.items()}
    return Provider(name, name, parent, "", stocks, dict(used or {}), frozenset(traits), frozenset(aggregates))


def found(providers, text, **options):
    """Candidates as {suffix: providers}."""
    search = CandidateSearch(Forest(providers))
    answers = search.answer(parse_query(text), **options)
    return [{suffix: sorted(uuids) for suffix, uuids in one.mappings.items()} for one in answers]


def two_hosts_and_a_share():
    return [
        provider("a", VCPU=4, aggregates=[AGGREGATE]),
        provider("b", VCPU=4, aggregates=[AGGREGATE]),
        provider("disk", DISK_GB=100, traits=[SHARING_TRAIT], aggregates=[AGGREGATE]),
    ]


def test_roots_in_input_order_and_lazily():
    providers = [provider(name, VCPU=2) for name in ("b", "a", "c")]
    assert found(providers, "resources=VCPU:1") == [{"": ["b"]}, {"": ["a"]}, {"": ["c"]}]
    assert found(providers, "resources=VCPU:1&limit=2") == [{"": ["b"]}, {"": ["a"]}]
    assert found(providers, "resources=VCPU:3") == []


def test_a_class_is_never_split_but_a_group_is():
    providers = [provider("r", VCPU=2), provider("n0", "r", MEMORY_MB=4), provider("n1", "r", MEMORY_MB=4)]
    assert found(providers, "resources=VCPU:2,MEMORY_MB:4") == [{"": ["n0", "r"]}, {"": ["n1", "r"]}]
    assert found(providers, "resources=MEMORY_MB:5") == []
    assert found(providers, "resources1=VCPU:1,MEMORY_MB:1") == []


def test_a_share_serves_every_host_of_its_aggregate():
    """Both hosts, in either way of asking: the service loses one (openstack spec 1.13, peer_defect_anchor_lost)."""
    both = [{"": ["disk"], "1": ["a"]}, {"": ["disk"], "1": ["b"]}]
    assert found(two_hosts_and_a_share(), "resources=DISK_GB:1&resources1=VCPU:1") == both
    swapped = found(two_hosts_and_a_share(), "resources=VCPU:1&resources1=DISK_GB:1")
    assert swapped == [{"": ["a"], "1": ["disk"]}, {"": ["b"], "1": ["disk"]}]


def test_what_only_a_share_serves_is_one_candidate():
    assert found(two_hosts_and_a_share(), "resources=DISK_GB:1") == [{"": ["disk"]}]
    assert found(two_hosts_and_a_share(), "resources=DISK_GB:1", breadth_first=True) == [{"": ["disk"]}]


def test_amounts_of_groups_on_one_provider_add_up():
    """Also where an unsuffixed and a suffixed group ask the same class (spec 1.13, peer_defect_amount_aliasing)."""
    search = CandidateSearch(Forest([provider("r", VCPU=2)]))
    (one,) = search.answer(parse_query("resources=VCPU:1&resources1=VCPU:1&group_policy=none"))
    assert one.allocations == {"r": {"VCPU": 2}}
    assert found([provider("r", VCPU=2)], "resources=VCPU:2&resources1=VCPU:1&group_policy=none") == []


def test_the_sum_keeps_to_the_largest_unit_but_not_to_the_step():
    stock = Inventory(10, max_unit=4, step_size=2)
    text = "resources1=VGPU:{}&resources2=VGPU:{}&group_policy=none"
    assert len(found([provider("r", VGPU=stock)], text.format(2, 2))) == 1
    assert found([provider("r", VGPU=stock)], text.format(2, 4)) == []


def test_the_unsuffixed_group_is_exempt_from_isolation():
    providers = [provider("r", VCPU=9), provider("x", VCPU=9)]
    text = "resources=VCPU:1&resources1=VCPU:1&resources2=VCPU:1&group_policy=isolate"
    assert found(providers, text) == []
    tree = [provider("r", VCPU=9), provider("n0", "r", VGPU=1), provider("n1", "r", VGPU=1)]
    text = "resources=VCPU:1&resources1=VGPU:1&resources2=VGPU:1&group_policy=isolate"
    assert found(tree, text) == [{"": ["r"], "1": ["n0"], "2": ["n1"]}, {"": ["r"], "1": ["n1"], "2": ["n0"]}]


def test_a_common_ancestor_must_itself_serve():
    providers = [
        provider("r", VCPU=1),
        provider("n0", "r", traits=["HW_NUMA_ROOT"]),
        provider("n1", "r", traits=["HW_NUMA_ROOT"]),
        provider("g0", "n0", VGPU=1),
        provider("p0", "n0", SRIOV_NET_VF=1),
        provider("p1", "n1", SRIOV_NET_VF=1),
    ]
    pair = "resources_G=VGPU:1&resources_P=SRIOV_NET_VF:1&group_policy=none"
    assert found(providers, f"{pair}&same_subtree=_G,_P") == []
    with_numa = found(providers, f"{pair}&required_N=HW_NUMA_ROOT&same_subtree=_N,_G,_P")
    assert with_numa == [{"_G": ["g0"], "_P": ["p0"], "_N": ["n0"]}]
    assert len(found(providers, pair)) == 2


def test_traits_of_the_chosen_count_not_those_of_the_tree():
    providers = [provider("r", traits=["CUSTOM_X"]), provider("n", "r", VCPU=1)]
    assert found(providers, "resources=VCPU:1&required=CUSTOM_X") == []
    assert found(providers, "resources=VCPU:1&root_required=CUSTOM_X") == [{"": ["n"]}]
    assert found(providers, "resources=VCPU:1&root_required=!CUSTOM_X") == []


def test_an_empty_group_hides_what_is_wrong_behind_it():
    providers = [provider("r", VCPU=1)]
    with pytest.raises(Fault, match="No such trait"):
        found(providers, "resources1=VCPU:1&resources2=VCPU:1&required2=CUSTOM_NO&group_policy=none")
    assert found(providers, "resources1=VCPU:9&resources2=VCPU:1&required2=CUSTOM_NO&group_policy=none") == []
    with pytest.raises(Fault, match="No such resource class CUSTOM_NO"):
        found(providers, "resources=CUSTOM_NO:1")


def test_claims_are_followed():
    forest = Forest([provider("a", VCPU=2), provider("b", VCPU=2)])
    search = CandidateSearch(forest)
    query = parse_query("resources=VCPU:2")
    assert len(list(search.answer(query))) == 2
    forest.providers["a"].used["VCPU"] = 1
    search.update_used(forest.providers["a"], "VCPU")
    assert [one.mappings for one in search.answer(query)] == [{"": ("b",)}]


def test_huge_numbers():
    assert found([provider("r", VCPU=Inventory(2**31 - 1, allocation_ratio=1e38))], f"resources=VCPU:{2**80}") == []
    huge = [provider("r", VCPU=Inventory(2**31 - 1, allocation_ratio=1e38))]
    assert found(huge, f"resources=VCPU:{2**31 - 1}") == [{"": ["r"]}]


def wide(devices, each=1):
    return [provider("r", VCPU=64), *(provider(f"d{number}", "r", VGPU=each) for number in range(devices))]


def wide_query(groups, policy, limit):
    asked = "&".join(f"resources{number}=VGPU:1" for number in range(1, groups + 1))
    return f"resources=VCPU:1&{asked}&group_policy={policy}&limit={limit}"


@pytest.mark.parametrize("policy", ["isolate", "none"])
@pytest.mark.parametrize(
    ("devices", "groups", "each", "count"),
    [(7, 7, 1, 1000), (4, 4, 1, 24), (40, 40, 1, 50), (64, 65, 1, 0), (24, 25, 1, 0), (16, 5, 3, 1000)],
)
def test_wide_trees_are_searched_by_matching(policy, devices, groups, each, count):
    """By product 7 groups on 7 devices are 823,543 trials, and 25 groups on 24 never end."""
    start = time.perf_counter()
    answers = found(wide(devices, each), wide_query(groups, policy, max(count, 1)))
    assert len(answers) == (min(count, math.perm(devices, groups)) if count else 0)
    assert len({str(one) for one in answers}) == len(answers)
    assert time.perf_counter() - start < 5.0


def test_a_tree_without_answer_does_not_cost_the_others():
    """The free parts of a tree are not walked again and again when another part has no answer."""
    providers = [
        provider("r", VCPU=99),
        *(provider(f"v{number}", "r", MEMORY_MB=9) for number in range(30)),
        provider("d0", "r", VGPU=3),
        provider("d1", "r", VGPU=3),
        provider("x", VCPU=1, MEMORY_MB=99, VGPU=Inventory(99)),
    ]
    free = "&".join(f"resources_{number}=MEMORY_MB:1" for number in range(6))
    text = f"{free}&resources1=VGPU:2&resources2=VGPU:2&resources3=VGPU:2&group_policy=none"
    start = time.perf_counter()
    assert found(providers, text) == [{suffix: ["x"] for suffix in ("_0", "_1", "_2", "_3", "_4", "_5", "1", "2", "3")}]
    assert time.perf_counter() - start < 5.0


def hard_table():
    """Packing 2, 2, 2, 2 and 3s into rows of 4 and 5: a matching does not see that they do not fit."""
    rows = [(-1, frozenset(), frozenset(), [])]
    rows += [(0, frozenset(), frozenset(), [(0, 4, 0, 1, 9, 1)]) for _ in range(9)]
    return RowTable(rows, [[]])


def group(*asks, one_row=True):
    return asks, 0, 0, -1, one_row, True, False, False


def test_giving_up_is_an_answer_of_its_own():
    question = Question((*(group((0, 3)) for _ in range(9)), group((0, 2))), ())
    search = Candidates(hard_table(), question, np.zeros(1, np.int32), steps=50)
    assert list(search) == []
    assert search.limit_reached
    fine = Candidates(hard_table(), Question((group((0, 3)), group((0, 2))), ()), np.zeros(1, np.int32), steps=50)
    assert len(list(fine)) == 72
    assert not fine.limit_reached


def test_the_layer_does_not_take_giving_up_for_none(monkeypatch):
    monkeypatch.setattr(
        "binwright.openstack.placement.search.Candidates",
        lambda table, question, trees, in_turn=False: Candidates(table, question, trees, in_turn, 0),
    )
    with pytest.raises(SearchLimit, match="gave up"):
        found([provider("r", VCPU=2)], "resources=VCPU:1")


def test_the_core_refuses_what_does_not_exist():
    empty = frozenset()
    with pytest.raises(ValueError, match="does not follow its parent"):
        RowTable([(-1, empty, empty, []), (-1, empty, empty, []), (0, empty, empty, [])], [[], []])
    with pytest.raises(ValueError, match="cannot be linked"):
        RowTable([(-1, empty, empty, [])], [[0]])
    with pytest.raises(ValueError, match="links of 0 trees"):
        RowTable([(-1, empty, empty, [])], [])
    with pytest.raises(KeyError):
        hard_table().set_used(0, 0, 1)
    with pytest.raises(IndexError):
        Candidates(hard_table(), Question((group((0, 1)),), ()), np.ones(1, np.int32))
    with pytest.raises(ValueError, match="nothing is asked"):
        Question((), ())
    with pytest.raises(ValueError, match="amount of 0"):
        Question((group((0, 0)),), ())


def test_an_answer_can_be_written_from_it():
    forest = Forest(two_hosts_and_a_share())
    query = parse_query("resources=VCPU:1,DISK_GB:5")
    body = candidates_answer(CandidateSearch(forest).answer(query), query, forest)
    assert len(body["allocation_requests"]) == 2
    assert body["provider_summaries"].keys() == {"a", "b", "disk"}
