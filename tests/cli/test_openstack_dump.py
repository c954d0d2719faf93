"""`binwright openstack dump`: the directory, what it says of it, refusals; the script writes the same layout."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from binwright.cli.main import main
from binwright.openstack import read_cloud
from binwright.openstack.dumps.script import SCRIPT
from tests.openstack.clouds import small_cloud
from tests.openstack.live_cloud import HOST_1, HOST_2, live_cloud

pytestmark = pytest.mark.filterwarnings("ignore")  # the library's own


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    pytest.importorskip("openstack", reason="needs openstacksdk (extra openstack)")
    with live_cloud() as found:
        settings = tmp_path / "clouds.yaml"
        settings.write_text(json.dumps({"clouds": {"loop": found.settings(status_code_retries=0)}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(settings))
        yield found


def test_writes_a_dump_that_is_placed(cloud, tmp_path, capsys):
    directory = tmp_path / "clouds" / "loop"
    assert main(["openstack", "dump", "--os-cloud", "loop", str(directory)]) == 0
    told = capsys.readouterr()
    assert f"Wrote {directory}: 3 objects in servers, " in told.out
    assert told.out.endswith(f"Now: binwright place {directory}\n")
    assert "binwright: pools: left out: block_storage" in told.err
    names = sorted(str(path.relative_to(directory)) for path in directory.rglob("*.json"))
    assert [name for name in names if "/" in name] == sorted(
        f"{part}/{uuid}.json" for part in ("allocations", "inventories", "provider_aggregates", "traits")
        for uuid in (HOST_1, HOST_2)
    )  # fmt: skip
    assert main(["place", "-o", "json", str(directory)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["host"]) for one in answer["placed"]] == [("web-2", "host2.example")]


def test_quiet_and_the_cloud_of_the_environment(cloud, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OS_CLOUD", "loop")
    assert main(["openstack", "dump", "-q", "--parallel", "2", str(tmp_path / "out")]) == 0
    assert capsys.readouterr() == ("", "")


def test_nothing_is_written_unless_all_is_read(cloud, tmp_path, capsys):
    cloud.answers["/placement/resource_providers"] = (403, {"errors": [{"detail": "no rule", "status": 403}]})
    assert main(["openstack", "dump", "--os-cloud", "loop", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == "binwright: placement /resource_providers: 403 no rule\n"
    assert not (tmp_path / "out").exists()


def test_a_directory_that_holds_something(cloud, tmp_path, capsys):
    assert main(["openstack", "dump", "--os-cloud", "loop", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"binwright: {tmp_path}: not an empty directory\n"
    assert cloud.asked == []


def test_a_cloud_that_is_not_configured(cloud, tmp_path, capsys):
    assert main(["openstack", "dump", "--os-cloud", "nope", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == "binwright: nope: Cloud nope was not found.\n"


def test_without_the_extra(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "openstack", None)
    assert main(["openstack", "dump", str(tmp_path / "out")]) == 2
    assert "pip install 'binwright[openstack]'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--parallel", "0", "x"]])
def test_bad_usage(words, capsys):
    try:
        code = main(["openstack", "dump", *words])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert capsys.readouterr().err


CLIENT = """#!/bin/sh
# Stands in for the client: prints the file that a command's words name, or fails.
words=$(echo "$@" | sed -e 's/ -f json//' -e 's/--os-compute-api-version [0-9.]* //')
case "$words" in
    "server list "*) cat "$DUMP/servers.json" ;;
    "flavor list "*) cat "$DUMP/flavors.json" ;;
    "hypervisor list "*) cat "$DUMP/hypervisors.json" ;;
    "aggregate list "*) echo 1; echo 2 ;;
    "aggregate show "*) cat "$DUMP/aggregate-$3.json" ;;
    "server group list "*|"compute service list") echo '[]' ;;
    "resource provider list -f value -c uuid") ls "$DUMP/inventories" | sed s/.json// ;;
    "resource provider list") cat "$DUMP/providers.json" ;;
    "resource provider inventory list "*) cat "$DUMP/inventories/$5.json" ;;
    "resource provider trait list "*) cat "$DUMP/traits/$5.json" ;;
    "resource provider aggregate list "*) cat "$DUMP/provider_aggregates/$5.json" ;;
    "resource provider show --allocations "*) cat "$DUMP/allocations/$5.json" ;;
    *) exit 1 ;;
esac
"""


@pytest.mark.skipif(shutil.which("sh") is None or shutil.which("xargs") is None, reason="needs a POSIX shell")
def test_the_script_writes_the_same_layout(tmp_path, capsys):
    dump = tmp_path / "dump"
    files = small_cloud()
    for name, content in files.items():
        path = dump / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    for number, row in enumerate(files["aggregates.json"], 1):
        (dump / f"aggregate-{number}.json").write_text(json.dumps(row))
    client = tmp_path / "bin" / "openstack"
    client.parent.mkdir()
    client.write_text(CLIENT)
    client.chmod(0o755)
    assert main(["openstack", "dump", "--script"]) == 0
    assert capsys.readouterr().out == SCRIPT
    script = tmp_path / "dump.sh"
    script.write_text(SCRIPT)
    environment = os.environ | {"PATH": f"{client.parent}:{os.environ['PATH']}", "DUMP": str(dump)}
    done = subprocess.run(["sh", str(script), str(tmp_path / "out")], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "volumes.json: left out" in done.stderr
    for number in range(1, 3):
        (dump / f"aggregate-{number}.json").unlink()
    wanted, got = read_cloud(dump), read_cloud(tmp_path / "out")
    for kind in ("servers", "flavors", "hypervisors", "aggregates", "providers", "consumers"):
        assert _plain(getattr(got, kind)) == _plain(getattr(wanted, kind)), kind
    assert not list((tmp_path / "out").rglob("*.part"))


def _plain(records):
    """Without the files' names."""

    def inner(one):
        if hasattr(one, "__slots__"):
            return {name: getattr(one, name) for name in one.__slots__ if name != "where"}
        return sorted(one) if isinstance(one, frozenset | set) else str(one)

    return json.loads(json.dumps(records, default=inner))
