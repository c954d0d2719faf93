"""The schedulers' own configurations, --config and --nova-conf, decide in every joint verb that asks them."""

import json

import pytest

from tests.stack.made import flavor, hypervisor, node, pod, server

HEAD = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}
BLIND = HEAD | {"profiles": [{"plugins": {"filter": {"disabled": [{"name": "NodeAffinity"}]}}}]}
PACKS = "[filter_scheduler]\nram_weight_multiplier = -10\n"


@pytest.fixture
def asked(command, tmp_path):
    """Three hosts, n0 and n1 on h1 and h2; web-1 waits and does not fit."""

    def ask(verb, *more, wish=(), files=()):
        nodes = [node(f"n{i}", provider=f"id-s{i}") for i in range(2)]
        pods = [pod(f"full-{i}", f"n{i}", "full", cpu="7") for i in range(2)]
        pods.append(pod("next", None, "next", cpu="2", **dict(wish)))
        content = {
            "clusters/k/objects.json": {"apiVersion": "v1", "kind": "List", "items": [*nodes, *pods]},
            "clouds/north/servers.json": [server(f"s{i}", f"h{i + 1}") for i in range(2)],
            "clouds/north/flavors.json": [flavor()],
            "clouds/north/hypervisors.json": [hypervisor(f"h{i}", used_gib=16 * i) for i in (1, 2, 3)],
        }
        for name, value in content.items():
            path = tmp_path / "dump" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value))
        for name, text in dict(files).items():
            (tmp_path / name).write_text(text)
        ended = command("stack", verb, str(tmp_path / "dump"), *more, "-o", "json")
        return ended.code, json.loads(ended.out) if ended.out else ended.err

    ask.root = tmp_path
    return ask


def test_nova_conf_chooses_the_host_of_a_new_node(asked):
    assert [one["host"] for one in asked("place")[1]["nodes"]] == ["h1"]
    more = ("--nova-conf", str(asked.root / "nova.conf"))
    assert [one["host"] for one in asked("place", *more, files={"nova.conf": PACKS})[1]["nodes"]] == ["h3"]


def test_the_scheduler_configuration_says_which_pods_fit(asked):
    wish = {"nodeSelector": {"no": "such"}}
    more = ("--config", str(asked.root / "config.yaml"))
    files = {"config.yaml": json.dumps(BLIND)}
    assert asked("place", wish=wish)[0] == 1
    code, told = asked("place", *more, wish=wish, files=files)
    assert (code, told["summary"]["newNodes"]) == (0, 1)
    assert asked("split", "--bare-metal", "1", "--like", "h1", *more, wish=wish)[1]["shares"][1]["placedWith"] == 1


def test_pods_of_a_second_profile_are_placed_and_lost_with_their_node(asked):
    two = HEAD | {"profiles": [{"schedulerName": "default-scheduler"}, {"schedulerName": "packer"}]}
    wish = {"schedulerName": "packer"}
    more = ("--config", str(asked.root / "config.yaml"))
    files = {"config.yaml": json.dumps(two)}
    assert asked("place", wish=wish)[1]["summary"]["pending"] == 0
    assert asked("place", *more, wish=wish, files=files)[1]["summary"] | {"elapsedSeconds": 0} == {
        "pending": 1, "placed": 1, "stopped": 0, "newNodes": 1, "price": None, "complete": True, "partial": False,
        "spread": None, "elapsedSeconds": 0,
    }  # fmt: skip
    assert asked("blast", "--any", "host", *more, wish=wish)[0] == 1


@pytest.mark.parametrize("verb", ["audit", "blast", "headroom", "place", "split", "compare", "report"])
def test_a_configuration_that_is_none_is_refused_by_every_verb(command, tmp_path, asked, verb):
    asked("audit")
    (tmp_path / "config.yaml").write_text(json.dumps(HEAD | {"profiles": 7}))
    (tmp_path / "s.yaml").write_text("steps: [{lose: {host: h1}}]\n")
    needed = {
        "blast": ("--any", "host"), "headroom": ("--pod", "cpu=1"), "compare": ("--scenario", str(tmp_path / "s.yaml")),
        "split": ("--bare-metal", "1", "--like", "h1"),
    }  # fmt: skip
    ended = command(
        "stack", verb, str(tmp_path / "dump"), *needed.get(verb, ()), "--config", str(tmp_path / "config.yaml")
    )
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("binwright: ")
    assert "config.yaml: profiles" in ended.err


def test_an_option_that_nothing_in_the_input_takes_is_refused(command, tmp_path, asked):
    asked("audit")
    ended = command("stack", "audit", str(tmp_path / "dump" / "clusters" / "k"), "--nova-conf", "nova.conf")
    line = "binwright: --nova-conf: no source of the input takes it (they are kubernetes)\n"
    assert (ended.code, ended.err) == (2, line)
