"""Dumps with anything anywhere: the answer is a result or one InputError of one line, and twice the same."""

import copy
import random

import pytest

from binwright.errors import InputError
from binwright.openstack.place import place_source
from tests.openstack.clouds import SERVER_2, blobs, small_cloud

MUTATIONS = 120
JUNK = (
    None,
    -1,
    0,
    1,
    1.5,
    1e308,
    2**31,
    2**63,
    True,
    False,
    "",
    "x",
    "-3",
    "None",
    "é\n",
    "\x00\n",
    [],
    [1],
    [None],
    [[]],
    {},
    {"": {}},
    {"id": 3},
    {"vcpus": 1},
    {"resources": {"VCPU": "x"}},
    [{"uuid": 5}],
)


def whole_cloud():
    """A dump with every kind of file."""
    files = small_cloud()
    files["servers.json"][1]["Scheduler Hints"] = {"group": ["g"]}
    files["server_groups.json"] = [{"ID": "g", "Name": "q", "Policy": "anti-affinity", "Members": [SERVER_2]}]
    files["volumes.json"] = [{"ID": "v", "Name": "", "Attached to": [{"server_id": SERVER_2}]}]
    files["requests.json"] = [{"name": "w", "flavor": "m1.small", "count": 2, "scheduler_hints": {"group": "g"}}]
    files["services.json"] = [{"Binary": "nova-compute", "Host": "compute-1", "Status": "enabled", "State": "up"}]
    for row in files["hypervisors.json"]:
        row |= {"vCPUs": 4, "Memory MB": 4096, "Hypervisor Version": "7.2.1"}
    return files


def places(value, path=()):
    """Every path into a dump."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


@pytest.mark.parametrize("seed", range(6))
def test_anything_anywhere(seed):
    dice = random.Random(seed)
    refusals = []
    for number in range(MUTATIONS):
        files = whole_cloud()
        *way, last = dice.choice(list(places(files)))
        target = files
        for step in way:
            target = target[step]
        if dice.random() < 0.2:
            del target[last]
        else:
            target[last] = copy.deepcopy(dice.choice(JUNK))
        told = f"seed {seed}, mutation {number}, at {[*way, last]}"
        try:
            result = place_source("c1", blobs(files), retry_errors=True)
        except InputError as refusal:
            refusals.append(f"{told}: {refusal}")
            continue
        assert place_source("c1", blobs(files), retry_errors=True) == result, told
    assert 0 < len(refusals) < MUTATIONS
    assert [told for told in refusals if "\n" in told] == []
