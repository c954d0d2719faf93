"""Files of Heat's among the PATHs: they belong to the one cloud that is beside them."""

import gzip
import json

import pytest

from binwright.errors import InputError
from binwright.stack.sources import find_sources

SERVERS = json.dumps([{"ID": "1", "Name": "a"}])
NODES = json.dumps({"apiVersion": "v1", "kind": "List", "items": []})
TEMPLATE = "# a stack\n\nheat_template_version: 2018-08-31\nresources: {}\n"


@pytest.fixture
def files(tmp_path):
    texts = {
        "cloud/servers.json": SERVERS,
        "cluster/nodes.json": NODES,
        "stack.yaml": TEMPLATE,
        "stack.json": '{\n "description": "x",\n "heat_template_version": "2018-08-31"\n}',
        "env.yaml": "---\nparameters: {a: 1}\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "packed.yaml.gz").write_bytes(gzip.compress(TEMPLATE.encode()))
    return lambda *names: [str(tmp_path / name) for name in names]


def found(paths, **options):
    return [(one.name, one.layer, len(one.blobs)) for one in find_sources(paths, **options)]


@pytest.mark.parametrize("name", ["stack.yaml", "stack.json", "env.yaml", "packed.yaml.gz"])
def test_a_file_of_heats_joins_the_cloud(files, name):
    assert found(files(name, "cloud")) == [("cloud", "openstack", 2)]
    assert found(files("cluster", "cloud", name)) == [("cluster", "kubernetes", 1), ("cloud", "openstack", 2)]
    assert found(files(name), clouds=files("cloud")) == [("cloud", "openstack", 2)]


def test_it_wants_one_cloud(files):
    for others, count in (([], 0), (["cluster"], 0)):
        with pytest.raises(InputError, match=rf"stack\.yaml: a file of Heat's wants one cloud .* there are {count}"):
            find_sources(files("stack.yaml", *others))


def test_given_twice(files):
    with pytest.raises(InputError, match=r"stack\.yaml: given twice"):
        find_sources(files("stack.yaml", "cloud", "stack.yaml"))
