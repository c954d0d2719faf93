"""Whatever a file or a word holds, a command answers, or says in one line what is wrong: never a defect (exit code 3).

BINWRIGHT_FUZZ=N tries each door N times (default 12); BINWRIGHT_SEED=N repeats a run; `python -m tests.fuzz MINUTES`
goes on with fresh seeds. `.ci/sanitize` runs it on a core that is built with the sanitizers. A find becomes a test.
"""

import json
import os
import random

import pytest
import yaml

from binwright.cli import exits
from tests.fuzz import seeds
from tests.fuzz.mutations import counted, damaged_bytes, damaged_value

TIMES = int(os.environ.get("BINWRIGHT_FUZZ") or 12)
CLUSTER, CLOUD = seeds.cluster(), seeds.cloud()
SANDWICH = str(seeds.SAMPLE)
NODE = CLUSTER["items"][0]["metadata"]["name"]
WAITING = next(item for item in CLUSTER["items"] if item["kind"] == "Pod" and "nodeName" not in item["spec"])[
    "metadata"
]
POD = next(item["metadata"]["name"] for item in CLUSTER["items"] if item["kind"] == "Pod")

DOCUMENTS = {  # words with FILE, and the document that is damaged
    "place": (("place", "FILE", "--preempt"), CLUSTER),
    "verify": (("verify", "FILE"), CLUSTER),
    "explain": (("explain", POD, "FILE"), CLUSTER),
    "capacity": (("capacity", "--pod", "cpu=1", "--cluster", "FILE"), CLUSTER),
    "drain": (("drain", NODE, "FILE", "--force", "--ignore-daemonsets", "--delete-emptydir-data"), CLUSTER),
    "consolidate": (("consolidate", "FILE"), CLUSTER),
    "pack items": (("pack", "FILE", "--iterations", "9"), seeds.ITEMS),
    "pack pods": (("pack", "FILE", "--bins", "BINS", "--iterations", "3"), CLUSTER),
    "config": (("place", f"{SANDWICH}/clusters/lab", "--config", "FILE"), yaml.safe_load(seeds.PROFILE)),
}
TEXTS = {  # words with names of files, and what those hold, the first one damaged
    "kubectl json": (("place", "FILE"), json.dumps(CLUSTER)),
    "kubectl yaml": (("place", "FILE"), yaml.safe_dump(CLUSTER)),
    "config yaml": (("place", f"{SANDWICH}/clusters/lab", "--config", "FILE"), seeds.PROFILE),
    "nova.conf": (("place", f"{SANDWICH}/clouds/north", "--nova-conf", "FILE"), seeds.NOVA_CONF),
    "pack csv": (("pack", "FILE.csv", "--bins", "OTHER.csv"), seeds.TABLE, seeds.TABLE_BINS),
    "pack bins": (("pack", "OTHER.csv", "--bins", "FILE.csv"), seeds.TABLE_BINS, seeds.TABLE),
    "pack pods on bins": (("pack", f"{SANDWICH}/clusters/lab", "--bins", "FILE.csv", "--iterations", "3"), seeds.BINS),
    "pack bpp": (("pack", "FILE.bpp", "--iterations", "9"), seeds.BPP),
    "openb nodes": (("place", "--input", "openb", "FILE.csv", "OTHER.csv"), seeds.OPENB_NODES, seeds.OPENB_PODS),
    "openb pods": (("place", "--input", "openb", "OTHER.csv", "FILE.csv"), seeds.OPENB_PODS, seeds.OPENB_NODES),
    "recording": (("conformance", "kubernetes", "FILE"), '{"cases": [{"name": "a", "nodes": [], "pods": []}]}'),
}
WORDS = {
    "query": (("candidates", "WORD", "--cloud", f"{SANDWICH}/clouds/north"), seeds.QUERY),
    "pod": (("capacity", "--pod", "WORD", "--cluster", f"{SANDWICH}/clusters/lab"), seeds.POD),
    "selector": (("place", f"{SANDWICH}/clusters/lab", "-l", "WORD"), seeds.SELECTOR),
    "name": (("explain", "WORD", f"{SANDWICH}/clusters/lab"), f"lab/{WAITING['namespace']}/{WAITING['name']}"),
    "lost": (("stack", "blast", SANDWICH, "--lose", "WORD"), "host=cmp-r21-02"),
}


@pytest.fixture
def rng():
    seed = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def tried(command, tmp_path):
    """tried(words, what): run a command; what it was fed is shown when it ends as a defect."""

    def run(words, fed, sound=False):
        counted()
        ended = command(*words, "-q")
        assert not sound or ended.code != exits.BAD, f"{words}\n{ended.err}"
        assert ended.code in (exits.YES, exits.NO, exits.BAD), f"{words}\n{fed!r}\n{ended.err}"
        assert ended.code != exits.BAD or ended.err.startswith(("binwright", "usage")), f"{words}\n{fed!r}\n{ended.err}"

    return run


@pytest.mark.parametrize("door", DOCUMENTS)
def test_documents_with_other_values(door, rng, tried, tmp_path):
    words, document = DOCUMENTS[door]
    path, bins = tmp_path / "input.json", tmp_path / "bins.csv"
    bins.write_text(seeds.BINS)
    named = [{"FILE": str(path), "BINS": str(bins)}.get(word, word) for word in words]
    path.write_text(json.dumps(document))
    tried(named, document, sound=True)
    for _ in range(TIMES):
        text = json.dumps(damaged_value(rng, document))
        path.write_text(text)
        tried(named, text)


@pytest.mark.parametrize("door", TEXTS)
def test_texts_with_other_bytes(door, rng, tried, tmp_path):
    words, text, *other = TEXTS[door]
    paths = {word: tmp_path / word for word in words if word.startswith(("FILE", "OTHER"))}
    for name, path in paths.items():
        path.write_text(text if name.startswith("FILE") else other[0])
    named = [str(paths.get(word, word)) for word in words]
    tried(named, text, sound=True)
    for _ in range(TIMES):
        data = damaged_bytes(rng, text.encode())
        next(path for name, path in paths.items() if name.startswith("FILE")).write_bytes(data)
        tried(named, data)


@pytest.mark.parametrize("door", WORDS)
def test_words_with_other_characters(door, rng, tried):
    words, given = WORDS[door]
    tried([one.replace("WORD", given) for one in words], given, sound=True)
    for _ in range(TIMES):
        word = damaged_bytes(rng, given.encode()).decode(errors="replace")
        tried([one.replace("WORD", word) for one in words], word)


@pytest.mark.parametrize(
    "verb", [("place",), ("verify",), ("stack", "audit"), ("stack", "ledger"), ("stack", "headroom")]
)
def test_a_cloud_with_one_damaged_file(verb, rng, tried, tmp_path):
    folder = tmp_path / "c1"
    for name, value in CLOUD.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    for _ in range(TIMES):
        name = rng.choice(sorted(CLOUD))
        sound = json.dumps(CLOUD[name])
        text = json.dumps(damaged_value(rng, CLOUD[name])).encode()
        text = damaged_bytes(rng, text) if rng.random() < 0.3 else text
        (folder / name).write_bytes(text)
        tried([*verb, str(folder)], (name, text))
        (folder / name).write_text(sound)


@pytest.mark.parametrize("name", ["racks.yaml", "usage/lab.pods.csv", "usage/north.servers.csv"])
def test_a_sandwich_with_one_damaged_file(name, rng, tried, tmp_path):
    """One cluster, the cloud, and the file that joins them."""
    folder = tmp_path / "sandwich"
    for part in ("clouds/north", "clusters/lab"):
        (folder / part).parent.mkdir(parents=True)
        (folder / part).symlink_to(seeds.SAMPLE / part)
    text = (seeds.SAMPLE / name).read_bytes()[:4000]
    (folder / name).parent.mkdir(exist_ok=True)
    for _ in range(TIMES):
        data = damaged_bytes(rng, text)
        (folder / name).write_bytes(data)
        tried(["stack", "ledger" if name.startswith("usage") else "audit", str(folder)], data)
