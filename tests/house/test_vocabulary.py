"""The core knows hosts, rows and classes; the words of the services above it do not occur in its sources."""

import re

from tests.house.sources import ROOT, core_files

FORBIDDEN = {
    *("pod", "node", "taint", "toleration", "flavor", "flavour", "trait", "aggregate", "provider"),
    *("kubernetes", "kubectl", "kube", "kubelet", "scheduler", "karpenter"),
    *("openstack", "nova", "cinder", "neutron", "ironic", "magnum", "glance", "keystone", "hypervisor"),
}
SERVICES = {"Placement", "Heat"}  # ordinary words too: forbidden only as names


def words(text: str) -> list[str]:
    """Words of a text, those inside of identifiers included: maxPodCount and max_pod_count have max, pod, count."""
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)


def is_forbidden(word: str) -> bool:
    lower = word.lower()
    return word in SERVICES or lower in FORBIDDEN or lower.removesuffix("s") in FORBIDDEN


def test_core_says_host():
    files = core_files(".pyx", ".pxd", ".pxi", ".py", ".pyi", ".h")
    assert files
    problems = [
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in words(line)
        if is_forbidden(word)
    ]
    assert not problems, "\n".join(problems)


def test_words_are_found_inside_identifiers():
    found = [
        word
        for word in words("int max_pods; maxNodeCount, NODE_MAX; hostnode; Placement placement")
        if is_forbidden(word)
    ]
    assert found == ["pods", "Node", "NODE", "Placement"]
