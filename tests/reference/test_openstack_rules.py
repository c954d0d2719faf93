"""Direct tests of the reference of Placement, above all of rules that no recorded case decides.

Where the spec leaves a question open, the expectation is what openstack-placement 16.0.0 answered when asked.
"""

import uuid

import pytest

from tests.reference.openstack.canonical import uneven_anchors
from tests.reference.openstack.fault import Fault
from tests.reference.openstack.inventory import Inventory
from tests.reference.openstack.query import LATEST, is_uuid_like, parse
from tests.reference.openstack.service import Placement

NAMES = {
    "traits": ["HW_CPU_X86_AVX2", "HW_NUMA_ROOT", "MISC_SHARES_VIA_AGGREGATE"],
    "resource_classes": ["VCPU", "PCPU", "MEMORY_MB", "DISK_GB", "SRIOV_NET_VF", "VGPU"],
}
ROOT, CHILD, OTHER, POOL = (str(uuid.UUID(int=n)) for n in (1, 2, 3, 4))
CONSUMER, SECOND = (str(uuid.UUID(int=n)) for n in (11, 12))
AGGREGATE = str(uuid.UUID(int=21))
UNKNOWN = str(uuid.UUID(int=99))


def placement(**options):
    """ROOT (VCPU) with CHILD (VF), OTHER (VCPU) beside it, and POOL (DISK_GB), shared with both roots."""
    service = Placement(NAMES, **options)
    service.call("PUT", "/traits/CUSTOM_UNUSED")
    for name, parent, inventories, traits, aggregates in (
        (ROOT, None, {"VCPU": {"total": 8}}, ["HW_CPU_X86_AVX2"], [AGGREGATE]),
        (CHILD, ROOT, {"SRIOV_NET_VF": {"total": 2}, "VCPU": {"total": 2}}, ["HW_NUMA_ROOT"], []),
        (OTHER, None, {"VCPU": {"total": 8}}, [], [AGGREGATE]),
        (POOL, None, {"DISK_GB": {"total": 100}}, ["MISC_SHARES_VIA_AGGREGATE"], [AGGREGATE]),
    ):
        service.call("POST", "/resource_providers", {"name": name, "uuid": name, "parent_provider_uuid": parent})
        url = f"/resource_providers/{name}"
        generation = {"resource_provider_generation": 0}
        assert service.call("PUT", f"{url}/inventories", generation | {"inventories": inventories})[0] == 200
        generation = {"resource_provider_generation": service.providers[name].generation}
        assert service.call("PUT", f"{url}/traits", generation | {"traits": traits})[0] == 200
        generation = {"resource_provider_generation": service.providers[name].generation}
        assert service.call("PUT", f"{url}/aggregates", generation | {"aggregates": aggregates})[0] == 200
    return service


def ask(query, microversion="latest", service=None):
    """Status and, of a 200, the providers of each candidate."""
    status, body = (service or placement()).call("GET", f"/allocation_candidates?{query}", None, microversion)
    if status != 200:
        return status, body["errors"][0].get("code")
    return status, sorted(sorted(request["allocations"]) for request in body["allocation_requests"])


def claim(service, consumer, allocations, generation=None):
    body = {"project_id": "p", "user_id": "u", "consumer_generation": generation, "consumer_type": "INSTANCE"}
    rows = {provider: {"resources": resources} for provider, resources in allocations.items()}
    status, answer = service.call("PUT", f"/allocations/{consumer}", body | {"allocations": rows})
    return status if status == 204 else (status, answer["errors"][0]["code"])


# -- arithmetic and query strings


def test_capacity_is_compared_as_a_real_number_and_reported_truncated():
    inventory = Inventory(total=3, reserved=1, allocation_ratio=1.3, max_unit=2, min_unit=2, step_size=2)
    assert inventory.raw_limit == 2 * 1.3
    assert inventory.capacity == 2
    assert inventory.single_fits(0, 2)
    assert not inventory.single_fits(1, 2)
    assert not inventory.single_fits(0, 1)
    assert inventory.sum_fits(1, 1)  # neither min_unit nor step_size is looked at again
    assert not inventory.sum_fits(0, 3)


@pytest.mark.parametrize("text", ["+1", " 1", "1_0", "\u0661"])
def test_amounts_are_whatever_python_reads_as_an_integer(text):
    assert parse(f"resources=VCPU:{text.replace('+', '%2B')}", LATEST).groups[""].resources["VCPU"] == int(text)


def test_the_first_limit_is_used_and_the_last_is_validated():
    assert parse("resources=VCPU:1&limit=5&limit=1", LATEST).limit == 5
    with pytest.raises(Fault):
        parse("resources=VCPU:1&limit=a&limit=1", LATEST)  # a 500 of the peer, repaired


def test_before_1_39_only_the_last_required_counts():
    text = "resources=VCPU:1&required=CUSTOM_A&required=!CUSTOM_A"
    assert parse(text, (1, 38)).groups[""].required == []
    with pytest.raises(Fault):
        parse(text, LATEST)


def test_uuid_spellings_are_checked_leniently():
    assert is_uuid_like(ROOT.replace("-", ""))
    assert is_uuid_like("{" + ROOT.upper() + "}")
    assert not is_uuid_like(" " + ROOT)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("resources=VCPU:1&required=%20!HW_NUMA_ROOT", 200),
        ("resources=VCPU:1&required=!%20HW_NUMA_ROOT", 400),  # " HW_NUMA_ROOT" is no trait
        ("resources=VCPU:1&required=in:%20HW_NUMA_ROOT", 200),
        ("resources=VCPU:1&required=%20in:HW_NUMA_ROOT", 400),
        (f"resources=VCPU:1&in_tree=%20{ROOT}", 200),
        (f"resources=VCPU:1&member_of=%20{AGGREGATE}", 400),
        ("resources=%20VCPU:1", 400),
        ("resources=VCPU:1%20", 200),
    ],
)
def test_where_white_space_is_stripped(query, status):
    assert ask(query)[0] == status


# -- the search


def test_an_empty_group_hides_what_later_groups_would_complain_about():
    assert ask("resources=VCPU:1&required=CUSTOM_UNUSED&resources1=NOPE:1") == (200, [])
    assert ask("resources1=NOPE:1&resources=VCPU:1&required=CUSTOM_UNUSED")[0] == 400


def test_root_required_is_looked_at_before_any_group():
    assert ask("resources=NOPE:1&root_required=CUSTOM_UNUSED") == (200, [])
    assert ask("resources=VCPU:1&root_required=CUSTOM_UNUSED,NOPE")[0] == 400


def test_in_tree_of_a_resourceless_group_is_ignored_but_must_exist():
    query = "resources=SRIOV_NET_VF:1&required1=HW_NUMA_ROOT&same_subtree=1&in_tree1="
    assert ask(query + OTHER) == (200, [[CHILD]])
    assert ask(query + UNKNOWN) == (200, [])


def test_a_resourceless_group_of_prohibitions_matches_nothing():
    assert ask("resources=VCPU:1&required1=!HW_NUMA_ROOT&same_subtree=1") == (200, [])


def test_same_tree_candidates_are_removed_before_the_limit():
    query = "resources=VCPU:1,SRIOV_NET_VF:1&limit=1"
    assert ask(query, "1.28") == (200, [[CHILD]])
    assert len(ask(query.removesuffix("&limit=1"), "1.29")[1]) == 2


def test_a_trait_of_the_root_counts_only_if_the_root_contributes():
    assert ask("resources=SRIOV_NET_VF:1&required=HW_CPU_X86_AVX2") == (200, [])
    assert ask("resources=SRIOV_NET_VF:1,VCPU:1&required=HW_CPU_X86_AVX2") == (200, [[ROOT, CHILD]])


def test_a_sharing_provider_is_kept_for_every_anchor():
    found = [[ROOT, POOL], [CHILD, POOL], [OTHER, POOL]]  # peer_defect_anchor_lost
    assert ask("resources=DISK_GB:1&resources1=VCPU:1") == (200, sorted(found))


def test_amounts_of_a_shared_class_are_summed_per_candidate():
    status, body = placement().call("GET", "/allocation_candidates?resources=VCPU:1&resources1=VCPU:1")
    amounts = [
        sum(row["resources"]["VCPU"] for row in request["allocations"].values())
        for request in body["allocation_requests"]
    ]
    assert (status, set(amounts)) == (200, {2})  # peer_defect_amount_aliasing


def test_usage_counts_in_the_combined_check():
    service = placement()
    assert claim(service, CONSUMER, {CHILD: {"SRIOV_NET_VF": 1}}) == 204
    query = "resources1=SRIOV_NET_VF:1&resources2=SRIOV_NET_VF:1&group_policy=none"
    assert ask(query, service=service) == (200, [])


def test_uneven_service_of_anchors_is_seen():
    anchors = {f"{anchor}{i}": {anchor} for anchor in "ab" for i in range(3)} | {"c0": {"c"}}
    assert uneven_anchors(["a0", "a1", "b0", "c0"], anchors) == []
    assert uneven_anchors(["a0", "a1", "a2", "c0"], anchors) == ["anchor b was served 0 times, another 3"]


# -- claims


def test_a_refused_or_empty_first_write_leaves_no_consumer():
    service = placement()
    assert claim(service, CONSUMER, {UNKNOWN: {"VCPU": 1}}) == (400, "placement.undefined_code")
    assert claim(service, CONSUMER, {}) == 204
    assert claim(service, CONSUMER, {ROOT: {"VCPU": 1}}) == 204


def test_the_stock_service_leaves_one():
    service = placement(leaks_consumers=True)
    assert claim(service, CONSUMER, {UNKNOWN: {"VCPU": 1}})[0] == 400
    assert claim(service, CONSUMER, {ROOT: {"VCPU": 1}}) == (409, "placement.concurrent_update")
    assert claim(service, CONSUMER, {ROOT: {"VCPU": 1}}, generation=0) == 204


def test_a_provider_that_loses_allocations_through_a_move_keeps_its_generation():
    service = placement()
    claim(service, CONSUMER, {ROOT: {"VCPU": 1}})
    before = service.providers[ROOT].generation, service.providers[OTHER].generation
    assert claim(service, CONSUMER, {OTHER: {"VCPU": 1}}, generation=1) == 204
    assert (service.providers[ROOT].generation, service.providers[OTHER].generation) == (before[0], before[1] + 1)
    assert claim(service, CONSUMER, {}, generation=2) == 204  # emptied, but named by what it had
    assert service.providers[OTHER].generation == before[1] + 2


def test_an_overfull_inventory_accepts_what_does_not_worsen_it():
    service = placement()
    claim(service, CONSUMER, {ROOT: {"VCPU": 4}})
    claim(service, SECOND, {ROOT: {"VCPU": 4}})
    body = {"resource_provider_generation": service.providers[ROOT].generation, "total": 2}
    assert service.call("PUT", f"/resource_providers/{ROOT}/inventories/VCPU", body)[0] == 200
    assert claim(service, CONSUMER, {ROOT: {"VCPU": 5}}, generation=1) == (409, "placement.undefined_code")
    assert claim(service, CONSUMER, {ROOT: {"VCPU": 3}}, generation=1) == 204


def test_setting_the_same_traits_again_is_no_change():
    service = placement()
    generation = service.providers[ROOT].generation
    body = {"resource_provider_generation": generation, "traits": ["HW_CPU_X86_AVX2"]}
    status, answer = service.call("PUT", f"/resource_providers/{ROOT}/traits", body)
    assert (status, answer["resource_provider_generation"]) == (200, generation)


def test_a_parent_is_not_deleted():
    status, body = placement().call("DELETE", f"/resource_providers/{ROOT}")
    assert (status, body["errors"][0]["code"]) == (409, "placement.resource_provider.cannot_delete_parent")
