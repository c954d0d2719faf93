"""Small Placement clouds and queries from a seed, in the recordings' form: names collide and everything is scarce.

Drawn from `random.Random`, not value by value from Hypothesis, whose bias to small values leaves most queries without
any candidate.
"""

from urllib.parse import urlencode

CLASSES = ("VCPU", "MEMORY_MB", "VGPU", "CUSTOM_A")
TRAITS = ("CUSTOM_X", "CUSTOM_Y", "HW_CPU_X86_AVX2")
SHARING = "MISC_SHARES_VIA_AGGREGATE"
AGGREGATES = tuple(f"aaaaaaaa-0000-4000-8000-00000000000{number}" for number in range(3))
NO_CLASS, NO_TRAIT, NO_UUID = "CUSTOM_NOBODY_HAS_IT", "CUSTOM_NOBODY_KNOWS", "ffffffff-0000-4000-8000-000000000000"
SUFFIXES = ("1", "2", "3", "_N", "a-b")
OLD_VERSIONS = ("1.36", "1.34", "1.28", "1.25", "1.17", "1.10")


def uuid_of(number):
    return f"{number:08x}-0000-4000-8000-000000000000"


def some(rng, values, most):
    """Up to `most` different values."""
    return rng.sample(values, rng.randint(0, min(most, len(values))))


def inventory(rng):
    total = rng.randint(1, 12)
    return {
        "total": total,
        "reserved": int(total > 1 and rng.random() < 0.2),
        "min_unit": rng.choice((1, 1, 1, 1, 2)),
        "max_unit": rng.choice((total, total, 2, 2**31 - 1)),
        "step_size": rng.choice((1, 1, 1, 1, 2)),
        "allocation_ratio": rng.choice((1.0, 1.0, 1.5, 0.7, 4.0)),
    }


def cloud(rng):
    """A cloud of up to 8 providers; nested, sharing, used, or none of it."""
    nested, shares, busy = (rng.random() < share for share in (0.6, 0.5, 0.5))
    providers, allocations = [], {}
    for number in range(rng.choice((1, 2, 4, 6, 8, 8))):
        parent = rng.randrange(number) if nested and number and rng.random() < 0.7 else None
        stocks = {name: inventory(rng) for name in rng.sample(CLASSES, rng.randint(0 if nested else 2, 4))}
        traits = some(rng, TRAITS, 3) + ([SHARING] if shares and rng.random() < 0.35 else [])
        providers.append(
            {
                "uuid": uuid_of(number),
                "name": f"p{number}",
                "parent_provider_uuid": None if parent is None else uuid_of(parent),
                "inventories": stocks,
                "traits": traits,
                "aggregates": some(rng, AGGREGATES, 2),
            }
        )
        used = {name: amount for name in stocks if busy and (amount := rng.choice((0, 0, 1, 2, 3, 9)))}
        if used:
            allocations[f"consumer-{number}"] = {"allocations": {uuid_of(number): {"resources": used}}}
    rng.shuffle(providers)
    return {
        "resource_providers": providers,
        "allocations": allocations,
        "extra_traits": list(TRAITS),
        "extra_resource_classes": ["CUSTOM_A"],
    }


def group(rng, suffix, providers, bare, odd):
    """The parameters of one group; a bare one has no resources, an odd one may name what there is not."""
    found = []
    if not bare:
        names = rng.sample(CLASSES, rng.choice((1, 1, 1, 2))) + ([NO_CLASS] if odd and rng.random() < 0.3 else [])
        found.append((f"resources{suffix}", ",".join(f"{name}:{rng.choice((1, 1, 1, 2))}" for name in names)))
    known = TRAITS + ((NO_TRAIT,) if odd else ())
    if bare or rng.random() < 0.2:
        names = [rng.choice(("", "", "", "!")) + name for name in rng.sample(known, rng.choice((1, 1, 2)))]
        found.append((f"required{suffix}", ",".join(names)))
    if rng.random() < 0.1:
        found.append((f"required{suffix}", f"in:{','.join(rng.sample(known, 2))}"))
    if rng.random() < 0.12:
        uuids = rng.sample((*AGGREGATES, NO_UUID), rng.choice((1, 2)))
        found.append((f"member_of{suffix}", rng.choice(("in:", "in:", "!in:")) + ",".join(uuids)))
    if rng.random() < 0.06:
        trees = [*(uuid_of(number) for number in range(providers)), *([NO_UUID] if odd else [])]
        found.append((f"in_tree{suffix}", rng.choice(trees)))
    return found


def query(rng, providers):
    """(query string, microversion)."""
    suffixes = rng.sample(SUFFIXES, rng.choice((0, 0, 1, 2, 2, 3)))
    subtree = [suffix for suffix in suffixes if rng.random() < 0.8] if rng.random() < 0.3 else []
    odd = rng.random() < 0.06
    items = group(rng, "", providers, False, odd) if not suffixes or rng.random() < 0.6 else []
    for suffix in suffixes:
        items += group(rng, suffix, providers, suffix in subtree and rng.random() < 0.4, odd)
    if subtree:
        items.append(("same_subtree", ",".join(subtree)))
    if len(suffixes) > 1 or rng.random() < 0.1:
        items.append(("group_policy", rng.choice(("none", "isolate"))))
    if rng.random() < 0.15:
        items.append(("root_required", rng.choice(("CUSTOM_X", "!CUSTOM_X", "CUSTOM_Y,!CUSTOM_X"))))
    rng.shuffle(items)
    return urlencode(items), "1.39" if rng.random() < 0.8 else rng.choice(OLD_VERSIONS)
