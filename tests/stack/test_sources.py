"""PATHs to sources: what is one source, what it is called, which layer reads it."""

import gzip
import json
import os

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.stack.sources import find_sources, layer_of, shortest_names, stem

NODES = json.dumps({"apiVersion": "v1", "kind": "List", "items": []})
SERVERS = json.dumps([{"ID": "1", "Name": "a"}])


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def found(*paths, input="auto"):
    return [
        (source.name, source.layer, [os.path.basename(blob.name) for blob in source.blobs])
        for source in find_sources(list(map(str, paths)), input)
    ]


def test_a_file_is_a_source_called_after_it(tmp_path):
    write(tmp_path, {"prod.json.gz": gzip.compress(NODES.encode())})
    assert found(tmp_path / "prod.json.gz") == [("prod", "kubernetes", ["prod.json.gz"])]


def test_files_directly_in_a_directory_are_one_source_in_name_order(tmp_path):
    write(
        tmp_path, {"dump.d/pods.yaml": "apiVersion: v1\nkind: Pod\n", "dump.d/nodes.json": NODES, "dump.d/x.log": "?"}
    )
    assert found(tmp_path / "dump.d") == [("dump.d", "kubernetes", ["nodes.json", "pods.yaml"])]


def test_a_sandwich_is_its_clouds_its_clusters_and_its_loose_files(tmp_path):
    write(
        tmp_path,
        {
            "s/clouds/region/servers.json": SERVERS,
            "s/clusters/beta/pods.json": NODES,
            "s/clusters/alpha/default/pods.json": NODES,
            "s/clusters/gamma.json": NODES,
            "s/clusters/README.md": "not data",
            "s/manifest.json": '{"seed": 1}',
            "s/.hidden.json": "{",
        },
    )
    four = [
        ("region", "openstack", ["servers.json"]),
        ("alpha", "kubernetes", ["pods.json"]),
        ("beta", "kubernetes", ["pods.json"]),
        ("gamma", "kubernetes", ["gamma.json"]),
    ]
    assert found(tmp_path / "s") == four
    write(tmp_path, {"s/edge.json": NODES})
    assert found(tmp_path / "s") == [*four, ("s", "kubernetes", ["edge.json"])]


def test_the_directory_of_a_sandwich_decides_the_layer(tmp_path):
    write(tmp_path, {"s/clusters/a/empty.json": "[]"})
    assert found(tmp_path / "s") == [("a", "kubernetes", ["empty.json"])]
    with pytest.raises(InputError, match=r"clusters/a: read as kubernetes by its directory, --input openstack"):
        found(tmp_path / "s", input="openstack")


def test_the_input_option_forces_the_layer(tmp_path):
    write(tmp_path, {"x.json": "[]"})
    assert found(tmp_path / "x.json", input="kubectl") == [("x", "kubernetes", ["x.json"])]
    assert found(tmp_path / "x.json", input="openstack") == [("x", "openstack", ["x.json"])]


def test_names_grow_until_they_differ(tmp_path):
    write(tmp_path, {"a/dump.json": NODES, "b/dump.json": NODES, "other.json": NODES, "b/dump.yaml": "kind: Pod"})
    names = [name for name, _, _ in found(tmp_path / "a/dump.json", tmp_path / "b/dump.json", tmp_path / "other.json")]
    assert names == ["a/dump", "b/dump", "other"]
    same = [str(tmp_path / "b/dump.json"), str(tmp_path / "b/dump.yaml")]
    assert len(set(shortest_names(same))) == 2
    assert all(name.endswith(os.path.basename(path)) for name, path in zip(shortest_names(same), same, strict=True))


def test_the_current_directory_has_a_name(tmp_path, monkeypatch):
    write(tmp_path, {"lab/nodes.json": NODES})
    monkeypatch.chdir(tmp_path / "lab")
    assert found(".") == [("lab", "kubernetes", ["nodes.json"])]


@pytest.mark.parametrize("again", ["x.json", "./x.json", "sub/../x.json"])
def test_a_path_given_twice_is_refused(tmp_path, monkeypatch, again):
    write(tmp_path, {"x.json": NODES, "sub/y.json": NODES})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="given twice"):
        found("x.json", again)


def test_a_part_of_a_sandwich_given_again_is_refused(tmp_path):
    write(tmp_path, {"s/clusters/a/nodes.json": NODES})
    with pytest.raises(InputError, match="clusters/a: given twice"):
        found(tmp_path / "s", tmp_path / "s/clusters/a")


@pytest.mark.parametrize(
    ("name", "text", "layer"),
    [
        ("x.json", '{"apiVersion": "v1", "kind": "List", "items": []}', "kubernetes"),
        ("x.json", '{"items": [{"kind": "Pod"}]}', "kubernetes"),
        ("x.json", '{\n  "kind": "NodeList", "metadata": {}}', "kubernetes"),
        ("x.json", '[{"apiVersion": "v1", "kind": "Pod"}]', "kubernetes"),
        ("x.json", '{"metadata": {"pad": "' + "x" * 70_000 + '"}, "apiVersion": "v1"}', "kubernetes"),
        ("x.jsonl", '{"apiVersion": "v1"}\n{"apiVersion": "v1"}\n', "kubernetes"),
        ("x.yaml", "# made by hand\n---\napiVersion: v1\nkind: Pod\n", "kubernetes"),
        ("x.yaml", "- apiVersion: v1\n  kind: Pod\n", "kubernetes"),
        ("x.json", '[{"ID": "1", "Name": "a"}]', "openstack"),
        ("x.json", "[]", "openstack"),
        ("x.yaml", "- ID: 1\n  Name: a\n", "openstack"),
        ("x.yaml", "---\n- ID: 1\n", "openstack"),
        ("requests.json", '{"name": "a", "flavor": "m1"}', "openstack"),
        ("inventories/0.json", '{"VCPU": 1}', "openstack"),
        ("x.json", '{"servers": [], "flavors": []}', "openstack"),
        ("x.json", '{"seed": 1}', None),
        ("x.yaml", "seed: 1\n", None),
        ("x.csv", "a,b\n1,2\n", None),
    ],
)
def test_the_layer_is_told_by_the_first_bytes(name, text, layer):
    assert layer_of(Blob(name, text.encode())) == layer


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.json", "a"), ("b/a.yml.xz", "a"), ("a.b.jsonl.gz", "a.b"), (".json", ".json"), ("a.txt", "a.txt"), ("a", "a")],
)
def test_the_stem_drops_what_only_says_how_it_is_written(name, expected):
    assert stem(name) == expected


def test_two_tables_of_a_trace_are_one_source(tmp_path):
    write(tmp_path, {"n.csv": "sn\n", "p.csv.gz": gzip.compress(b"name\n"), "m.csv": "sn\n", "q.csv": "name\n"})
    write(tmp_path, {"d/x.csv": "sn\n"})
    n, p, m, q = (tmp_path / name for name in ("n.csv", "p.csv.gz", "m.csv", "q.csv"))
    both = [("p", "openb", ["n.csv", "p.csv.gz"]), ("q", "openb", ["m.csv", "q.csv"])]
    assert found(n, p, m, q, input="openb") == both
    with pytest.raises(InputError, match=r"^--input openb: takes pairs of files, NODES.csv PODS.csv; 1 were given$"):
        found(n, input="openb")
    with pytest.raises(InputError, match=r"d: a directory; --input openb takes files, NODES.csv PODS.csv$"):
        found(n, tmp_path / "d", input="openb")
    with pytest.raises(InputError, match=r"given twice$"):
        found(n, n, input="openb")


def test_paths_whose_layer_is_known_come_after_the_others(tmp_path):
    write(tmp_path, {"a.json": NODES, "b.json": "[]", "c.json": SERVERS})
    paths = [str(tmp_path / name) for name in ("a.json", "b.json", "c.json")]
    sources = find_sources(paths[2:], clusters=paths[:1], clouds=paths[1:2])
    assert [(one.name, one.layer) for one in sources] == [("c", "openstack"), ("a", "kubernetes"), ("b", "openstack")]
    with pytest.raises(InputError, match=r"a\.json: given twice$"):
        find_sources(paths[:1], clusters=paths[:1])


def test_a_sandwich_with_the_other_layer_is_no_cluster(tmp_path):
    write(tmp_path, {"clusters/shop/a.json": NODES, "clouds/north/servers.json": SERVERS})
    with pytest.raises(InputError, match="read as openstack by its directory"):
        find_sources([], clusters=[str(tmp_path)])
