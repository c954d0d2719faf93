"""Our own recordings of the real scheduler: the slow reference decides alike, and so does the peer where it is built.

That binwright does, is in `test_shipped_recordings`.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference.kubernetes.replay import differences, run_case

ROOT = Path(__file__).parents[2]
RECORDINGS = sorted((ROOT / "tests" / "conformance").glob("peer-*.json.gz"))
PEER = ROOT / "build" / "kube_scheduler"


def load(path):
    with gzip.open(path) as text:
        return json.load(text)


def test_there_are_two_hundred_cases():
    assert sum(len(load(path)["cases"]) for path in RECORDINGS) >= 200


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.partition(".")[0])
def test_the_reference_decides_alike(path):
    recorded = load(path)
    found = {
        case["name"]: wrong[:3]
        for case in recorded["cases"]
        if (wrong := differences(case["expected"], run_case(case, recorded["suite"])))
    }
    assert found == {}


def test_the_recordings_show_every_rule():
    """Guards the choice of cases: each plugin rejects, each scores, and preemption ends in each of its ways."""
    seen = set()
    for path in RECORDINGS:
        for case in load(path)["cases"]:
            for result in case["expected"]:
                seen.add(result["outcome"])
                seen.add(f"before: {result['preFilter'].get('plugin')}")
                seen.update(f"{one.get('plugin')} {one['code']}" for one in result.get("filter") or () if one)
                seen.update(f"scores {name}" for name in result.get("score", {}).get("plugins", ()))
                seen.update(part for part in ("viaNominated", "retry", "postFilterError") if part in result)
                seen.update(part for part in result.get("preemption", ()) if part != "eligible")
    assert seen >= {
        *("bound", "unschedulable", "preempting", "retry", "postFilterError"),
        *("ties", "victims", "clearedNominations", "viaNominated"),
        *("before: NodeAffinity", "before: VolumeRestrictions", "before: VolumeBinding", "before: VolumeZone"),
        "None UnschedulableAndUnresolvable", "NodeUnschedulable UnschedulableAndUnresolvable",
        "NodeName UnschedulableAndUnresolvable", "TaintToleration UnschedulableAndUnresolvable",
        "NodeAffinity UnschedulableAndUnresolvable", "NodePorts Unschedulable", "NodeResourcesFit Unschedulable",
        "NodeResourcesFit UnschedulableAndUnresolvable", "VolumeRestrictions Unschedulable",
        "NodeVolumeLimits Unschedulable", "VolumeBinding UnschedulableAndUnresolvable",
        "VolumeZone UnschedulableAndUnresolvable", "PodTopologySpread Unschedulable",
        "PodTopologySpread UnschedulableAndUnresolvable", "InterPodAffinity Unschedulable",
        "InterPodAffinity UnschedulableAndUnresolvable", "scores TaintToleration", "scores NodeAffinity",
        "scores NodeResourcesFit", "scores NodeResourcesBalancedAllocation", "scores ImageLocality",
        "scores PodTopologySpread", "scores InterPodAffinity",
    }  # fmt: skip


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.skipif(not PEER.exists(), reason="bench/peers/kube_scheduler is not built")
def test_the_peer_decides_as_is_recorded():
    command = [sys.executable, "-m", "bench.kube_scheduler", "replay", *map(str, RECORDINGS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
