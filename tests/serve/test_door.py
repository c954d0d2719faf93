"""The door of the service: malformed, oversized, slow and foreign requests get one clear line, and change nothing."""

import http.client
import json
import socket
import ssl
import time
from contextlib import suppress

import pytest

from binwright.kubernetes.live import LiveCluster
from binwright.serve import connections
from binwright.serve import requests as door
from tests.kubernetes.made import node_dict, pod_dict
from tests.serve.served import ExtenderService, Limits, Listening, Served, event, listed

STATE = listed(node_dict("a"), node_dict("b"), pod_dict("p", cpu="1", node="a", meta={"uid": "u"}))
CALL = {"Pod": pod_dict("q", cpu="1"), "NodeNames": ["a", "b"]}
DEEP = b'{"Pod":' + b'{"metadata":' * 20_000


def seen(service):
    """All of the state that a client could change."""
    live = service.live
    fleet = live.current().cluster.fleet
    items = sorted((pod.key, pod.spec.node_name) for pod in live.bound())
    return fleet.used.tolist(), items, live.nodes, live.pods, live.pending, live.assumed, live.changed


@pytest.fixture
def served():
    with Served(ExtenderService(LiveCluster())) as one:
        one.put("/v1/state", STATE)
        yield one


BAD_BODIES = [
    ("/v1/filter", b""),
    ("/v1/filter", b"{"),
    ("/v1/filter", b"[]"),
    ("/v1/filter", b"null"),
    ("/v1/filter", b"{}"),
    ("/v1/filter", b'{"Pod":null,"NodeNames":["a"]}'),
    ("/v1/filter", b'{"Pod":[],"NodeNames":["a"]}'),
    ("/v1/filter", b'{"Pod":{"metadata":{}},"NodeNames":["a"]}'),
    ("/v1/filter", b'{"Pod":{"kind":"Node","apiVersion":"v1","metadata":{"name":"x"}},"NodeNames":["a"]}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"}}}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"}},"NodeNames":"a"}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"}},"NodeNames":[1]}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"}},"Nodes":{"items":[{}]}}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"\xff"}},"NodeNames":["a"]}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"},"spec":{"priority":"x","y":1e400}},"NodeNames":["a"]}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"},"spec":{"nodeName":' + b"1" * 5000 + b'}},"NodeNames":["a"]}'),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"}},"NodeNames":["a"],"NodeNames":NaN}'),
    ("/v1/filter", DEEP),
    ("/v1/filter", b'{"Pod":{"metadata":{"name":"x"},"spec":' + b"[" * 50_000),
    ("/v1/prioritize", b'{"Pod":{"metadata":{"name":"x"}},"NodeNames":["a","a"]}'),
    ("/v1/preempt", b'{"Pod":{"metadata":{"name":"x"}}}'),
    ("/v1/preempt", b'{"Pod":{"metadata":{"name":"x"}},"NodeNameToMetaVictims":{"a":{"Pods":[3]}}}'),
    ("/v1/bind", b'{"PodName":"p"}'),
    ("/v1/bind", b'{"PodName":7,"Node":"a"}'),
    ("/v1/events", b""),
    ("/v1/events", b"type: ADDED"),
    ("/v1/events", b'{"type":"ADDED"}'),
    ("/v1/events", b'{"type":"EXPLODED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"x"}}}'),
    ("/v1/events", b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{}}}'),
    ("/v1/events", b'{"type":"ADDED","object":{"metadata":{"name":"x"}}}'),
    ("/v1/events", b'{"type":"DELETED","object":{"kind":"Node","apiVersion":"v1","metadata":{"name":"a"}}}{"type":"AD'),
    ("/v1/events", b'{"type":"ADDED","object":' * 30_000),
    ("/v1/events", b'{"type":"\xff","object":{}}'),
    ("/v1/events", b'[{"type":"BOOKMARK","object":{}},{"type":"\xff","object":{}}]'),
    ("/v1/events", b'{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":1,"x":1e400}}}'),
]


@pytest.mark.parametrize(("path", "body"), BAD_BODIES)
def test_malformed_bodies_get_one_line_and_change_nothing(served, path, body):
    before = seen(served.service)
    status, answer = served.ask("POST", path, body)
    said = json.loads(answer)["error"]
    assert status == 400
    assert said
    assert "\n" not in said
    assert "defect" not in said
    assert len(said) < 500
    assert seen(served.service) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a: &a [x, x]\nb: *a",
        b"\x1f\x8b not gzip",
        b'{"kind":"List","items":[{"kind":"Node","apiVersion":"v1","metadata":{"name":"a"},"status":5}]}',
        json.dumps(listed(node_dict("a"), node_dict("a"))).encode(),
        json.dumps(listed(node_dict("a", cpu="much"))).encode(),
        json.dumps(listed(node_dict("a"), pod_dict("p", cpu="-", node="a"))).encode(),
        json.dumps(listed(pod_dict("p", node="a"))).encode(),
        json.dumps(listed(node_dict("a", cpu=5))).replace("5", "1" * 5000).encode(),
    ],
)
def test_a_state_that_is_malformed_leaves_the_old_one(served, body):
    before = seen(served.service)
    status, answer = served.ask("PUT", "/v1/state", body)
    assert (status, "\n" in json.loads(answer)["error"]) == (400, False)
    assert seen(served.service) == before


def test_other_paths_and_methods(served):
    assert served.ask("GET", "/nothing")[0] == 404
    assert served.ask("GET", "/v1/filter")[0] == 405
    assert served.ask("DELETE", "/v1/state")[0] == 405
    assert served.ask("GET", "/healthz/", headers={"host": "elsewhere.example"})[0] == 404


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_changes_nothing_through_a_browser(served, origin):
    before = seen(served.service)
    headers = {"origin": origin, "content-type": "text/plain"}
    gone = event("DELETED", node_dict("a"))
    assert served.ask("POST", "/v1/events", gone, headers)[0] == 403
    assert seen(served.service) == before
    own = headers | {"origin": f"http://127.0.0.1:{served.port}"}
    assert served.ask("POST", "/v1/events", gone, own)[0] == 200


def test_a_name_that_is_not_the_services_own_is_refused():
    """A page whose name was led here by its DNS after it was loaded: to the browser this service is its own site."""
    named = Limits(hosts=frozenset({"binwright.kube-system.svc", "::1"}))
    own = ["127.0.0.1", "localhost", "LocalHost.", "a.localhost", "[::1]", "10.1.2.3", "[fe80::1]"]
    foreign = ["elsewhere.example", "localhost.elsewhere.example", "127.0.0.1.elsewhere.example", "", "x:y:1", "[x]"]
    for limits, more in ((Limits(), []), (named, ["binwright.kube-system.svc", "Binwright.Kube-System.SVC"])):
        with Served(ExtenderService(LiveCluster()), limits) as served:
            served.put("/v1/state", STATE)
            before = seen(served.service)
            for name in [*foreign, *([] if more else ["binwright.kube-system.svc"])]:
                for port in ("", f":{served.port}"):
                    host = name + port
                    for headers in ({"host": host}, {"host": host, "origin": f"http://{host}"}):
                        status, answer = served.ask("POST", "/v1/events", event("DELETED", node_dict("a")), headers)
                        assert (status, "does not answer to the name" in json.loads(answer)["error"]) == (421, True)
                        assert served.ask("GET", "/v1/overview", headers=headers)[0] == 421
                    assert served.ask("GET", "/healthz", headers={"host": host})[0] == 200
            assert seen(served.service) == before
            for name in own + more:
                for port in ("", f":{served.port}", ":1"):
                    assert served.ask("POST", "/v1/filter", CALL, {"host": name + port})[0] == 200, name
            with socket.create_connection(("127.0.0.1", served.port), 20) as old:
                old.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                assert old.recv(65536).startswith(b"HTTP/1.1 200 ")
    with Served(ExtenderService(LiveCluster()), Limits(hosts=None)) as served:
        assert served.ask("GET", "/v1/overview", headers={"host": "anything.example"})[0] == 200


def test_a_body_that_is_too_large_is_refused_announced_or_not():
    with Served(ExtenderService(LiveCluster()), Limits(body_bytes=2000)) as served:
        served.put("/v1/state", STATE)
        before = seen(served.service)
        large = json.dumps(CALL | {"x": "y" * 3000}).encode()
        status, answer = served.ask("POST", "/v1/filter", large)
        assert (status, json.loads(answer)["error"].startswith("the body has ")) == (413, True)
        line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        line.request("POST", "/v1/filter", iter([large[:1500], large[1500:]]), encode_chunked=True,
                     headers={"Transfer-Encoding": "chunked"})  # fmt: skip
        assert line.getresponse().status == 413
        line.close()
        assert seen(served.service) == before
        assert served.post("/v1/filter", CALL)["NodeNames"] == ["a", "b"]


@pytest.mark.parametrize("path", ["/v1/state", "/v1/events", "/v1/filter", "/v1/preempt", "/v1/bind"])
def test_a_body_of_nothing_but_small_values_is_refused(served, path, monkeypatch):
    """Every value becomes an object: `[0,0,0...` takes thirty times its own size."""
    monkeypatch.setattr(door, "FEW_COMMAS", 1000)
    before = seen(served.service)
    method = "PUT" if path == "/v1/state" else "POST"
    for value in (b"0,", b"[],", b"{},", b'"",', b'"a":0,'):
        status, answer = served.ask(method, path, b"[" + value * 10_000 + b"0]")
        assert (status, "commas" in json.loads(answer)["error"]) == (413, True), value
    assert seen(served.service) == before
    names = [f"node-{n:04}" for n in range(5000)]
    assert len(served.post("/v1/filter", CALL | {"NodeNames": names})["FailedAndUnresolvableNodes"]) == 5000
    managed = {"f:metadata": {"f:labels": {f"f:l{n}": {} for n in range(2000)}}}
    node = node_dict("a")
    node["metadata"]["managedFields"] = [{"fieldsV1": managed}]
    assert served.put("/v1/state", listed(node))["nodes"] == 1


def test_a_body_that_is_too_slow_is_refused_and_others_are_served_meanwhile():
    with Served(ExtenderService(LiveCluster()), Limits(body_seconds=0.4)) as served:
        served.put("/v1/state", STATE)
        with socket.create_connection(("127.0.0.1", served.port), 20) as slow:
            slow.sendall(b'POST /v1/filter HTTP/1.1\r\nhost: localhost\r\ncontent-length: 500\r\n\r\n{"Pod')
            for _ in range(5):
                assert served.post("/v1/filter", CALL)["NodeNames"] == ["a", "b"]
            answer = b"".join(iter(lambda: slow.recv(65536), b""))  # until the connection is closed
            assert answer.startswith(b"HTTP/1.1 408 ")
            assert b"the body was not there after 0.4 s" in answer


def test_bodies_on_their_way_are_bounded_together(monkeypatch):
    monkeypatch.setattr(door, "AT_ONCE", 2)
    large = json.dumps(CALL | {"x": "y" * 2000}).encode()
    with Served(ExtenderService(LiveCluster()), Limits(body_bytes=3000, body_seconds=5)) as served:
        served.put("/v1/state", STATE)

        def meets(status):
            return any(served.ask("POST", "/v1/filter", large)[0] == status or time.sleep(0.01) for _ in range(300))

        slow = [socket.create_connection(("127.0.0.1", served.port), 20) for _ in range(2)]
        for line in slow:
            line.sendall(b"POST /v1/filter HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3000\r\n\r\n" + b" " * 2500)
        assert meets(503)
        for line in slow:
            line.close()
        assert meets(200), "what was held is given back"


def test_headers_that_are_too_slow_or_too_long_end_the_connection(monkeypatch):
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    with Served(ExtenderService(LiveCluster())) as served:
        served.put("/v1/state", STATE)
        with socket.create_connection(("127.0.0.1", served.port), 20) as slow:
            slow.sendall(b"POST /v1/filter HTTP/1.1\r\nhost:")
            began, said = time.monotonic(), b""
            with suppress(ConnectionResetError):
                said = slow.recv(10)
            assert (said, time.monotonic() - began < 10) == (b"", True)
        with socket.create_connection(("127.0.0.1", served.port), 20) as long:
            long.sendall(b"GET / HTTP/1.1\r\nx: " + b"y" * (connections.HEADER_BYTES + 100))
            with suppress(ConnectionResetError):  # where the answer was cut off by what was still on its way
                assert long.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert served.post("/v1/filter", CALL)["NodeNames"] == ["a", "b"]


def test_an_answer_that_nobody_reads_ends_the_connection(monkeypatch):
    monkeypatch.setattr(connections, "READ_SECONDS", 0.5)
    unknown = [f"n{number}-{'x' * 250}" for number in range(40_000)]  # each comes back with its reason
    body = json.dumps(CALL | {"NodeNames": unknown}).encode()
    head = f"POST /v1/filter HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with Served(ExtenderService(LiveCluster())) as served:
        served.put("/v1/state", STATE)
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(20)
            slow.connect(("127.0.0.1", served.port))
            slow.sendall(head + body)
            time.sleep(2)
            read = 0
            with suppress(ConnectionResetError):
                while part := slow.recv(65536):
                    read += len(part)
            assert read < 10_000_000, "the rest was still sent"
        assert served.post("/v1/filter", CALL)["NodeNames"] == ["a", "b"]
        # who reads slowly, but within the time, gets all of it
        monkeypatch.setattr(connections, "READ_SECONDS", 20)
        with socket.create_connection(("127.0.0.1", served.port), 20) as patient:
            patient.sendall(head.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n") + body)
            time.sleep(1)
            answer = b"".join(iter(lambda: patient.recv(65536), b"")).partition(b"\r\n\r\n")[2]
        assert len(json.loads(answer)["FailedAndUnresolvableNodes"]) == 40_000


def test_a_client_that_goes_away_in_the_middle_changes_nothing(served):
    before = seen(served.service)
    for path in ("/v1/events", "/v1/bind"):
        with socket.create_connection(("127.0.0.1", served.port), 20) as line:
            line.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{{".encode())
    assert served.post("/v1/filter", CALL)["NodeNames"] == ["a", "b"]
    assert seen(served.service) == before


def test_a_connection_serves_many_requests(served):
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    for _ in range(20):
        line.request("POST", "/v1/filter", json.dumps(CALL))
        assert json.loads(line.getresponse().read())["NodeNames"] == ["a", "b"]
    line.close()


def test_a_token_is_wanted_for_all_but_probes_and_the_page():
    with Served(ExtenderService(LiveCluster()), Limits(token="secret")) as served:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic secret"}):
            status, answer = served.ask("PUT", "/v1/state", STATE, headers)
            assert (status, "bearer token" in json.loads(answer)["error"]) == (401, True)
            assert served.ask("GET", "/metrics", headers=headers)[0] == 401
            assert served.ask("GET", "/v1/overview", headers=headers)[0] == 401
        assert served.service.live.nodes == 0
        assert [served.ask("GET", path)[0] for path in ("/healthz", "/readyz", "/")] == [200, 503, 200]
        right = {"Authorization": "bearer secret"}
        assert served.ask("PUT", "/v1/state", STATE, right)[0] == 200
        assert served.ask("GET", "/readyz")[0] == 200


def test_tls_and_client_certificates(tmp_path):
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    names = {}
    for name in ("localhost", "scheduler"):
        made = authority.issue_cert(name)
        names[name] = tmp_path / f"{name}.crt", tmp_path / f"{name}.key"
        made.cert_chain_pems[0].write_to_path(names[name][0])
        made.private_key_pem.write_to_path(names[name][1])
    authority.cert_pem.write_to_path(tmp_path / "ca.crt")
    cert, key = map(str, names["localhost"])
    context = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    with Served(ExtenderService(LiveCluster()), where=Listening(port=0, cert=cert, key=key)) as served:
        assert served.ask("GET", "/healthz", context=context)[0] == 200
        with pytest.raises((OSError, http.client.HTTPException)):
            served.ask("GET", "/healthz")
    where = Listening(port=0, cert=cert, key=key, client_ca=str(tmp_path / "ca.crt"))
    with Served(ExtenderService(LiveCluster()), where=where) as served:
        with pytest.raises((OSError, http.client.HTTPException)):
            served.ask("GET", "/healthz", context=context)
        context.load_cert_chain(*map(str, names["scheduler"]))
        assert served.ask("GET", "/healthz", context=context)[0] == 200


def test_metrics_have_the_names_of_the_schedulers(served):
    served.post("/v1/filter", CALL)
    served.post("/v1/filter", {"Pod": pod_dict("big", cpu="400"), "NodeNames": ["a", "b"]})
    served.post("/v1/events", event("ADDED", pod_dict("waits", status={"phase": "Pending"})))
    served.ask("POST", "/v1/filter", b"{")
    served.ask("GET", "/wp-admin")
    text = served.ask("GET", "/metrics")[1].decode()
    for line in (
        'binwright_schedule_attempts_total{result="scheduled"} 1.0',
        'binwright_schedule_attempts_total{result="unschedulable"} 1.0',
        "binwright_pending_items 1.0",
        "binwright_hosts 2.0",
        'binwright_unschedulable_items{reason="NodeResourcesFit"} 1.0',
        'binwright_scheduling_attempt_duration_seconds_bucket{le="1e-05",result="scheduled"}',
        'binwright_plugin_execution_duration_seconds_count{extension_point="filter",plugin="extender"} 2.0',
        'binwright_http_requests_total{code="400",path="/v1/filter"} 1.0',
        'binwright_http_requests_total{code="404",path="other"} 1.0',
    ):
        assert line in text, line
    assert "big" not in text


def test_the_overview_says_what_is_used_decided_and_refused(served):
    served.post("/v1/filter", {"Pod": pod_dict("big", cpu="400"), "NodeNames": ["a", "b", "zz"]})
    served.post("/v1/bind", {"PodName": "big", "Node": "a"})
    seen = json.loads(served.ask("GET", "/v1/overview")[1])
    assert seen["summary"] == {"hosts": 2, "pods": 2, "pending": 0, "assumed": 1}
    assert seen["resources"][0] == {"name": "cpu", "capacity": 8000, "used": 401_000}
    assert seen["hosts"] == {"names": ["a", "b"], "use": [100_250, 0]}
    refused = seen["refusals"][0]
    assert (refused["name"], refused["passed"], refused["asked"]) == ("default/big", 0, 3)
    assert refused["reasons"] == [
        {"rule": "NodeResourcesFit", "text": "Insufficient cpu", "hosts": 2},
        {"rule": "binwright", "text": "node is not known to binwright", "hosts": 1},
    ]
    assert [one["verb"] for one in seen["decisions"]] == ["bind", "filter"]
    assert seen["notEvaluated"] == []
    served.post("/v1/filter", {"Pod": pod_dict("dra", resourceClaims=[{"name": "gpu"}]), "NodeNames": ["a"]})
    assert json.loads(served.ask("GET", "/v1/overview")[1])["notEvaluated"] == [
        {"rule": "DynamicResources", "objects": 1, "example": "Pod default/dra"}
    ]
    page = served.ask("GET", "/")[1].decode()
    assert "<title>binwright" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "innerHTML" not in page
