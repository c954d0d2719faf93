"""Candidates found all at once, and the answer written in one pass: what the lazy search and `json.dumps` say, to the
byte; clouds of many like trees, so that most are copied.
"""

import json
import random

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from binwright._core.candidate_list import listed  # noqa: E402
from binwright._core.candidates import Candidates, Question  # noqa: E402
from binwright._core.rowtable import RowTable  # noqa: E402
from binwright.openstack.placement.answer import Candidate, candidates_answer  # noqa: E402
from binwright.openstack.placement.faults import Fault  # noqa: E402
from binwright.openstack.placement.microversion import parse_microversion  # noqa: E402
from binwright.openstack.placement.query import parse_query  # noqa: E402
from binwright.openstack.placement.replay import read_forest  # noqa: E402
from binwright.openstack.placement.search import CandidateSearch, SearchLimit  # noqa: E402
from tests.openstack import random_clouds  # noqa: E402

SEEDS = st.integers(0, 2**32 - 1)


def many_like(rng, cloud, copies):
    """A cloud of copies of all trees, each with uses of its own, in one order or mixed."""
    providers, allocations = [], {}
    for number in range(copies):
        for one in cloud["resource_providers"]:
            uuid, parent = one["uuid"], one["parent_provider_uuid"]
            made = one | {"uuid": renamed(uuid, number), "name": f"{one['name']} {number}"}
            made["parent_provider_uuid"] = None if parent is None else renamed(parent, number)
            providers.append(made)
            used = {name: amount for name in one["inventories"] if (amount := rng.choice((0, 0, 0, 1, 2, 9)))}
            if used:
                allocations[f"{number} {uuid}"] = {"allocations": {made["uuid"]: {"resources": used}}}
    if rng.random() < 0.5:
        rng.shuffle(providers)
    return cloud | {"resource_providers": providers, "allocations": allocations}


def renamed(uuid, number):
    return uuid if number == 0 else f"{(7919 * number) % 0xFFFF:04x}{uuid[4:]}"


def compare(search, text, microversion, most):
    query = parse_query(text, parse_microversion(microversion))
    expected = list(search.answer(query, most))
    body = json.dumps(candidates_answer(expected, query, search.forest)).encode()
    assert search.body(query, most) == body, (text, microversion, most)
    if query.microversion >= (1, 29):
        found = search.find(query, most)
        assert list(found) == expected
        assert found[:2] == expected[:2]
        assert found[-1:] == expected[-1:]
    return len(expected)


@given(SEEDS)
def test_equals_the_lazy_search(seed):
    rng = random.Random(seed)
    cloud = many_like(rng, random_clouds.cloud(rng), rng.choice((1, 2, 9)))
    search = CandidateSearch(read_forest(cloud), cloud["extra_traits"], cloud["extra_resource_classes"])
    for _ in range(6):
        text, microversion = random_clouds.query(rng, 8)
        try:
            compare(search, text, microversion, rng.choice((None, None, 0, 1, 3, 20)))
        except Fault:
            continue
        provider = rng.choice(search.forest.roots())  # a claim between two questions
        for name in list(provider.inventories)[:1]:
            provider.used[name] = provider.used.get(name, 0) + rng.choice((-1, 1)) if provider.used.get(name) else 1
            search.update_used(provider, name)


def test_trees_are_told_apart_by_what_is_left():
    """Ten hosts of two cells: full, half full, with room for one and two, and one unlike the rest."""
    providers = []
    for host in range(10):
        root = f"host{host}"
        stocks = {"DISK_GB": {"total": 10}}
        providers.append(plain(root, None, stocks))
        for cell in range(2):
            providers.append(plain(f"{root} {cell}", root, {"VCPU": {"total": 4 if host < 9 else 6}}))
    used = [0, 4, 3, 2, 1, 0, 4, 3, 2, 4]
    claims = {f"c{host}": {"allocations": {f"host{host} 0": {"resources": {"VCPU": n}}}} for host, n in enumerate(used)}
    cloud = {"resource_providers": providers, "allocations": claims, "extra_traits": [], "extra_resource_classes": []}
    search = CandidateSearch(read_forest(cloud))
    text = "resources=DISK_GB:1&resources1=VCPU:2&resources2=VCPU:1&group_policy=none"
    assert compare(search, text, "1.39", None) == sum(
        (free >= 3) + (free >= 2) + (free >= 1) + 1 for free in [4 - n for n in used[:9]] + [2]
    )
    for most in range(20):
        compare(search, text, "1.39", most)


def plain(uuid, parent, stocks):
    fresh = {"reserved": 0, "min_unit": 1, "max_unit": 99, "step_size": 1, "allocation_ratio": 1.0}
    inventories = {name: fresh | stock for name, stock in stocks.items()}
    return {
        "uuid": uuid, "name": uuid, "parent_provider_uuid": parent, "inventories": inventories, "traits": [],
        "aggregates": [],
    }  # fmt: skip


def test_more_units_than_a_template_has():
    """Seventeen groups: written without templates."""
    cloud = {"allocations": {}, "extra_traits": [], "extra_resource_classes": []}
    cloud["resource_providers"] = [plain("a", None, {"VCPU": {"total": 17}})]
    text = "&".join(f"resources{number}=VCPU:1" for number in range(1, 18)) + "&group_policy=none"
    assert compare(CandidateSearch(read_forest(cloud)), text, "1.39", None) == 1


def test_names_that_json_escapes():
    cloud = {"allocations": {}, "extra_traits": [], "extra_resource_classes": []}
    names = ['quo"te', "\\", "ü", "\1u0\1", "z"]
    cloud["resource_providers"] = [plain(name, None, {"VCPU": {"total": 1}}) for name in names]
    search = CandidateSearch(read_forest(cloud))
    assert compare(search, "resources=VCPU:1", "1.39", None) == 5
    assert list(search.find(parse_query("resources=VCPU:1&limit=1"))) == [
        Candidate({names[0]: {"VCPU": 1}}, {"": (names[0],)})
    ]


def test_nothing_fits():
    cloud = {"allocations": {}, "extra_traits": [], "extra_resource_classes": []}
    cloud["resource_providers"] = [plain("a", None, {"VCPU": {"total": 1}})]
    search = CandidateSearch(read_forest(cloud))
    for text in ("resources=VCPU:2", "resources=VCPU:1&root_required=HW_CPU_X86_AVX2"):
        assert compare(search, text, "1.39", None) == 0
    with pytest.raises(IndexError, match="no candidate 0 among 0"):
        search.find(parse_query("resources=VCPU:2"))[0]


def test_the_search_gives_up():
    """Six of twelve devices, each of another row: six trials to the first candidate, few from one to the next."""
    rows = [(-1, frozenset(), frozenset(), [])]
    rows += [(0, frozenset(), frozenset(), [(1, 1, 0, 1, 1, 1)]) for _ in range(12)]
    table = RowTable(rows, [[]])
    device = (((1, 1),), 0, 0, -1, True, False, False, True)
    question = Question((device,) * 6, ())
    trees = memoryview(b"\0\0\0\0").cast("i")
    short = listed(table, question, trees, -1, 5)
    assert (len(short), short.limit_reached) == (0, True)
    found = listed(table, question, trees, 500, 6)
    assert not found.limit_reached
    lazily = Candidates(table, question, trees)
    assert [next(lazily) for _ in range(500)] == list(found)


def test_a_tree_that_serves_others_is_copied_to_nobody():
    """Trees 0 and 2 are alike, but tree 1 sees row 0, too: what row 0 serves alone is told once."""
    rows = [(-1, frozenset(), frozenset(), [(0, 1, 0, 1, 1, 1)]) for _ in range(3)]
    table = RowTable(rows, [[], [0], []])
    question = Question(((((0, 1),), 0, 0, -1, True, True, False, False),), ())
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]):
        trees = np.array(order, np.int32)
        assert list(listed(table, question, trees)) == list(Candidates(table, question, trees))


def test_who_gives_up_says_so(monkeypatch):
    """A search without an end raises what the lazy one raises."""
    cloud = {"allocations": {}, "extra_traits": [], "extra_resource_classes": []}
    cloud["resource_providers"] = [plain("a", None, {"VCPU": {"total": 1}})]
    search = CandidateSearch(read_forest(cloud))
    monkeypatch.setattr(
        "binwright.openstack.placement.search.listed",
        lambda table, question, trees, most: listed(table, question, trees, most, 0),
    )
    with pytest.raises(SearchLimit, match="gave up"):
        search.body(parse_query("resources=VCPU:1"))


@pytest.mark.parametrize("breadth_first", [False, True])
def test_traits_are_listed_in_the_order_asked_for(breadth_first):
    """As a database has them; everything else is the same, and a summary that was kept follows what is in use."""
    rng = random.Random("listed traits")
    forest = read_forest(many_like(rng, random_clouds.cloud(rng), 3))
    order = {uuid: sorted(one.traits, reverse=True) for uuid, one in forest.providers.items()}
    assert any(len(traits) > 1 for traits in order.values())
    plain, ordered = CandidateSearch(forest), CandidateSearch(forest, listed_traits=order)
    name = next(name for one in forest.providers.values() for name in one.inventories)
    query = parse_query(f"resources={name}:1", parse_microversion("1.39"))
    for _ in range(2):
        expected, found = (json.loads(one.body(query, None, breadth_first)) for one in (plain, ordered))
        assert expected["provider_summaries"]
        for uuid, summary in expected["provider_summaries"].items():
            summary["traits"].reverse()
            assert summary["traits"] == order[uuid]
        assert found == expected
        provider = next(one for one in forest.providers.values() if name in one.inventories)
        provider.used[name] = provider.used.get(name, 0) + 1
        for search in (plain, ordered):
            search.update_used(provider, name)
