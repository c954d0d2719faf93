"""`binwright serve extender` as a process: begins from a file, answers, ends on SIGTERM; refuses bad options."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")
pytest.importorskip("prometheus_client", reason="the extra serve is not installed")

from binwright.cli import exits
from binwright.cli.serve_extender import names_of, read_token
from binwright.errors import InputError
from binwright.serve.run import Listening
from tests.kubernetes.made import node_dict, pod_dict


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [node_dict("a"), node_dict("b")]}))
    return path


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def asked(port, path, body=None, host=None):
    headers = {"host": host} if host else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def test_it_serves_a_file_and_ends_on_sigterm(state):
    port = free_port()
    words = [sys.executable, "-m", "binwright.cli", "serve", "extender", "--state", state, "--port", str(port), "-v"]
    words += ["--allow-host", "binwright.test"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                assert asked(port, "/readyz") == b"ok\n"
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        call = {"Pod": pod_dict("p", cpu="1"), "NodeNames": ["b", "a"]}
        assert json.loads(asked(port, "/v1/filter", call))["NodeNames"] == ["b", "a"]
        assert asked(port, "/v1/overview", host="binwright.test")
        with pytest.raises(urllib.error.HTTPError, match="421"):
            asked(port, "/v1/overview", host="other.test")
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=30)[1].decode()
    finally:
        process.kill()
    assert process.returncode == exits.YES
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines] == ["listening", "decision", "refused", "stopped"]
    assert (lines[0]["port"], lines[1]["name"], lines[1]["passed"]) == (port, "default/p", 2)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0: is not loopback; add --token-file or --client-ca, or --insecure"),
        (["--state", "missing.json"], "missing.json: No such file or directory"),
        (["--kubeconfig", "missing"], "missing: Invalid kube-config file"),
        (["--tls-cert", "x"], "--tls-cert and --tls-key: one without the other"),
        (["--client-ca", "x"], "--client-ca: wants --tls-cert and --tls-key as well"),
        (["--tls-cert", "missing", "--tls-key", "missing"], "TLS: "),
        (["--max-body", "big"], "--max-body"),
        (["--allow-host", "a.example:80"], "--allow-host a.example:80: is not a name without a port, as in a URL"),
        (["--token-file", "/dev/null"], "/dev/null: holds no token"),
        (["--context", "prod"], "--context: wants --kubeconfig as well"),
        (["--nova-conf", "nova.conf"], "--nova-conf: wants --cloud as well"),
        (["--port", "70000"], "127.0.0.1 port 70000"),
        (["--cloud", "missing"], "missing: No such file"),
        (["--state", "a", "--kubeconfig", "b"], "not allowed with argument"),
    ],
)
def test_bad_options_are_one_line(command, monkeypatch, tmp_path, words, line):
    if "--kubeconfig" in words:
        pytest.importorskip("kubernetes")
    monkeypatch.chdir(tmp_path)
    ended = command("serve", "extender", *words)
    assert ended.code == exits.BAD
    assert line in ended.err
    assert ended.err.count("\n") == 1


def test_a_port_that_is_taken_is_one_line(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = command("serve", "extender", "--port", str(port))
    assert ended.code == exits.BAD
    assert ended.err == f"binwright: 127.0.0.1 port {port}: Address already in use\n"


@pytest.mark.parametrize("data", [b"one\ntwo", b"a\x1b[31mb", "schlüssel".encode(), b"\xa0\xff", b"two words"])
def test_a_token_that_no_header_can_carry_is_refused(tmp_path, data):
    path = tmp_path / "token"
    path.write_bytes(data)
    with pytest.raises(InputError, match="not one word of printable ASCII"):
        read_token(str(path))
    path.write_bytes(b" abc-123==\n")
    assert read_token(str(path)) == "abc-123=="


def test_the_names_by_which_it_may_be_called():
    assert names_of(["A.example"], Listening("MyHost")) == {"a.example", "myhost"}
    for name in ("", "a b", "http://a", "a/", "*", "[::1]"):
        with pytest.raises(InputError, match="--allow-host"):
            names_of([name], Listening())
