"""Following an API server: lists and watches, bookmarks, 410 Gone in every form, broken connections, bindings."""

import asyncio
import json
import threading

import pytest

pytest.importorskip("kubernetes", reason="the extra kubernetes is not installed")

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.api_server import _LISTS, ApiServer
from binwright.kubernetes.extender.wire import Binding
from binwright.kubernetes.live import KINDS, LiveCluster
from binwright.kubernetes.reader import read_blobs
from binwright.kubernetes.watch import Watch
from binwright.serve.follow import Follower
from tests.kubernetes.made import node_dict, pod_dict
from tests.serve.api import Api, until
from tests.serve.served import ExtenderService, Served, listed

QUICK = {"pauses": (0.05,), "retry_absent": 0.2}


def running(name, node=None, cpu="1"):
    status = {"phase": "Running" if node else "Pending"}
    return pod_dict(name, cpu=cpu, node=node, namespace="default", meta={"uid": f"uid-{name}"}, status=status)


class Following:
    """An API server and a cluster that follows it, in a loop of its own thread."""

    def __init__(self, tmp_path, pages=0):
        self.api = Api(pages)
        for name in "abc":
            self.api.put(node_dict(name))
        self.api.put(running("old", "a"))
        self.live = LiveCluster()
        self.restarts = []
        self.server = ApiServer(self.api.kubeconfig(tmp_path))
        self.follower = Follower(self.live, self.server, lambda *why: self.restarts.append(why), **QUICK)
        self._loop = asyncio.new_event_loop()
        self._task = None
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        self._task = self._loop.create_task(self.follower.run())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.close()

    def __enter__(self):
        self._thread.start()
        until(lambda: self.follower.ready)
        return self

    def __exit__(self, *problem):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)
        self.api.close()

    def in_step(self):
        """Wait until what is bound here is what is bound there."""

        def same():
            there = {f"{key[1]}/{key[2]}": one["spec"].get("nodeName") for key, one in self.api.objects.items()
                     if key[0] == "pods" and one["spec"].get("nodeName")}  # fmt: skip
            here = {pod.key: pod.spec.node_name for pod in list(self.live.bound())}
            nodes = {key[2] for key in self.api.objects if key[0] == "nodes"}
            return here == there and set(self.live._nodes) == nodes

        until(same)


@pytest.fixture
def following(tmp_path):
    with Following(tmp_path) as one:
        yield one


def test_every_kind_that_counts_is_listed():
    assert set(_LISTS) == set(KINDS)


def test_what_happens_there_is_known_here(following):
    following.in_step()
    following.api.put(running("p"))
    until(lambda: following.live.pending == 1)
    following.api.bind("default", "p", "uid-p", "b")
    following.in_step()
    following.api.delete("Pod", "old")
    following.api.put(node_dict("d"))
    following.api.delete("Node", "c")
    following.in_step()
    assert following.live.pending == 0
    assert following.live.related.stated("Service", "StorageClass", "CSINode")


def test_lists_come_in_pages_and_a_page_that_is_gone_means_anew(tmp_path):
    following = Following(tmp_path, pages=2)
    following.api.faults.append(("nodes", "page", "410"))
    with following:
        following.in_step()
        assert len([one for one in following.api.asked if one[0] == "nodes" and "watch" not in one[1]]) == 4
        assert ("Node", "gone") in following.restarts


@pytest.mark.parametrize("how", ["compacted", "event", "status"])
def test_gone_means_a_new_list_and_nothing_is_missed(following, how):
    following.in_step()
    if how == "compacted":
        following.api.bookmarks = 60
        with following.api.lock:
            following.api.cut()
            following.api.put(running("p", "b"))
            following.api.delete("Pod", "old")
            following.api.compact()
    elif how == "event":
        following.api.faults.append(("pods", "stream", "410"))
        following.api.put(running("p", "b"))
    else:
        following.api.faults.append(("pods", "watch", "410"))
        following.api.cut()
        following.api.put(running("p", "b"))
    following.in_step()
    until(lambda: ("Pod", "gone") in following.restarts)
    following.api.put(running("q", "c"))
    following.in_step()


@pytest.mark.parametrize("fault", ["cut", "garbage", "500"])
def test_a_broken_watch_goes_on_where_it_was(following, fault):
    following.in_step()
    lists = [one for one in following.api.asked if "watch" not in one[1]]
    if fault == "cut":
        following.api.cut()
    elif fault == "garbage":
        following.api.faults.append(("pods", "stream", "garbage"))
    else:
        following.api.faults += [("pods", "watch", "500")] * 3
        following.api.cut()
    following.api.put(running("p", "b"))
    following.in_step()
    until(lambda: any(kind == "Pod" for kind, _ in following.restarts))
    assert [one for one in following.api.asked if "watch" not in one[1]] == lists, "nothing was listed again"


def test_bookmarks_move_the_version_along(following):
    following.in_step()
    for number in range(5):
        following.api.put(running(f"p{number}", "b"))
    following.in_step()
    until(lambda: following.api.open == len(KINDS))
    for _ in range(3):  # services never change, but their bookmarks do
        following.api.put(node_dict("a", cpu="5"))
    before = following.api.version
    until(lambda: following.api.bookmarks and following.live._nodes["a"].status.allocatable["cpu"] == "5")
    import time

    time.sleep(3 * following.api.bookmarks)
    following.api.cut()

    def resumed():
        asked = [query for plural, query in following.api.asked if plural == "services" and "watch" in query]
        return int(asked[-1]["resourceVersion"]) >= before

    until(resumed)


def test_a_kind_that_is_not_offered_is_left_out(tmp_path):
    following = Following(tmp_path)
    following.api.faults += [("csistoragecapacities", "list", "403"), ("services", "list", "404")]
    with following:
        following.in_step()
        until(lambda: following.live.related.stated("Service"))  # asked again later


def test_one_object_that_cannot_be_read_is_left_out_alone(following):
    following.in_step()
    following.api.put(running("bad", "a", cpu="1x"))
    following.api.put(running("good", "b"))
    until(lambda: following.live.where("default/good") == "b")
    assert following.live.where("default/old") == "a"


def test_binding_is_said_to_the_server_and_refusals_are_its_words(following):
    following.api.put(running("p"))
    following.server.bind(Binding("default", "p", "uid-p", "b"))
    following.in_step()
    with pytest.raises(InputError, match=r"Pod default/p: binding to c: .*already assigned"):
        following.server.bind(Binding("default", "p", "uid-p", "c"))
    with pytest.raises(InputError, match="not found"):
        following.server.bind(Binding("default", "zz", "", "c"))


def test_a_service_that_follows_binds_for_the_scheduler(tmp_path):
    api = Api()
    api.put(node_dict("a"))
    api.put(running("p"))
    live, server = LiveCluster(), ApiServer(api.kubeconfig(tmp_path))
    service = ExtenderService(live, source=server.url, binder=server.bind)
    follower = Follower(live, server, service.metrics.restarted, **QUICK)
    service.ready = lambda: follower.ready
    with Served(service, background=follower.run) as served:
        until(lambda: served.ask("GET", "/readyz")[0] == 200)
        until(lambda: live.pending == 1)
        bind = {"PodName": "p", "PodNamespace": "default", "PodUID": "uid-p", "Node": "a"}
        assert served.post("/v1/bind", bind) == {"Error": ""}
        assert api.objects["pods", "default", "p"]["spec"]["nodeName"] == "a"
        until(lambda: live.assumed == 0)
        assert live.where("default/p") == "a"
        api.put(running("q"))
        until(lambda: live.pending == 1)
        api.delete("Pod", "q")
        answer = served.post("/v1/bind", bind | {"PodName": "q", "PodUID": "uid-q"})
        assert "q" in answer["Error"]
        until(lambda: live.pods == 1)
        assert live.assumed == 0
    api.close()


def test_a_kubeconfig_that_is_none_is_one_line(tmp_path):
    for name, text in (("empty", ""), ("broken", "{"), ("other", "clusters: 5\ncontexts: []")):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(InputError, match=name) as refused:
            ApiServer(str(path))
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="missing"):
        ApiServer(str(tmp_path / "missing"))


@pytest.mark.parametrize("status", [200, 410], ids=["ended", "gone"])
def test_a_server_whose_watches_all_end_at_once_is_not_asked_without_a_pause(status):
    class Answer:
        def __init__(self, status, data):
            self.status, self._data = status, data

        def stream(self, amt, decode_content=None):
            yield self._data

        def release_conn(self):
            pass

        close = release_conn

    asked, stop = [], threading.Event()

    def ask(**parameters):
        asked.append(parameters)
        if "watch" in parameters:
            return Answer(status, b"")
        return Answer(200, b'{"metadata":{"resourceVersion":"5"},"items":[]}')

    watch = Watch("Node", ask, lambda brought: None, stop, pauses=(0.1, 30.0))
    thread = threading.Thread(target=watch.run)
    thread.start()
    until(lambda: len(asked) >= 4)
    stop.wait(0.5)
    stop.set()
    thread.join(10)
    assert len(asked) <= 8
    assert not thread.is_alive()


@pytest.mark.parametrize("refused", [False, True])
def test_two_binds_of_one_pod_at_the_same_moment(following, refused):
    """The API server is told once; who wants another node is refused, who wants the same one gets the same answer."""
    following.in_step()
    following.api.put(running("p"))
    until(lambda: following.live.pending == 1)
    if refused:  # somebody else was quicker, which is not known here yet
        following.api.put(running("p") | {"metadata": {"name": "p", "namespace": "default", "uid": "another"}})
    told, both, answers = [], threading.Event(), []

    def binder(binding):
        told.append(binding.node)
        assert both.wait(20)
        following.server.bind(binding)

    live = LiveCluster()
    live.replace(
        read_blobs([Blob("state", json.dumps(listed(*map(node_dict, "abc"), running("p"))).encode())], stored=True)
    )
    with Served(ExtenderService(live, binder=binder)) as served:

        def bind(node):
            body = {"PodName": "p", "PodNamespace": "default", "PodUID": "uid-p", "Node": node}
            answers.append((node, served.post("/v1/bind", body)["Error"]))

        clients = [threading.Thread(target=bind, args=("abc"[n % 3],)) for n in range(12)]
        for one in clients:
            one.start()
        until(lambda: len(answers) == 8)  # those of the other nodes
        both.set()
        for one in clients:
            one.join(20)
        assert len(told) == 1
        assert len(answers) == 12
        for node, error in answers:
            if node != told[0]:
                assert error == f"Pod default/p: is on Node {told[0]} already, so it is not bound to {node}"
            else:
                assert ("status 409" in error and "headers" not in error) is refused
                assert (error == "") is not refused
        assert live.where("default/p") == (None if refused else told[0])
        bound = following.api.objects["pods", "default", "p"]["spec"].get("nodeName")
        assert bound == (None if refused else told[0])
        if not refused:
            bind(told[0])
            assert (answers[-1], len(told)) == ((told[0], ""), 1)


def test_a_binding_that_fails_late_leaves_another_pod_of_its_name():
    """While the server thinks about the first, that pod is deleted and one of its name is bound."""
    live, begun, go_on = LiveCluster(), threading.Semaphore(0), threading.Event()
    live.replace(
        read_blobs([Blob("state", json.dumps(listed(*map(node_dict, "abc"), running("p"))).encode())], stored=True)
    )

    def binder(binding):
        begun.release()
        if binding.uid == "uid-p":
            assert go_on.wait(20)
            raise InputError("409")

    with Served(ExtenderService(live, binder=binder)) as served:

        def bind(uid, node):
            body = {"PodName": "p", "PodNamespace": "default", "PodUID": uid, "Node": node}
            return served.post("/v1/bind", body)["Error"]

        first = threading.Thread(target=bind, args=("uid-p", "a"))
        first.start()
        assert begun.acquire(timeout=20)
        again = running("p") | {"metadata": {"name": "p", "namespace": "default", "uid": "again"}}
        served.post("/v1/filter", {"Pod": again, "NodeNames": ["b"]})
        assert bind("again", "b") == ""
        go_on.set()
        first.join(20)
        assert live.where("default/p") == "b"


def test_nothing_is_judged_before_everything_is_listed(tmp_path):
    """Nodes are there, pods are not: every node would seem empty."""
    following = Following(tmp_path)
    following.api.faults += [("pods", "list", "500")] * 40
    ask = {"Pod": running("p", cpu="4"), "NodeNames": ["a", "b"]}
    service = ExtenderService(following.live, source="api", binder=following.server.bind)
    service.ready = lambda: following.follower.ready
    following._thread.start()
    try:
        with Served(service) as served:
            until(lambda: following.live.nodes == 3)
            for verb in ("filter", "prioritize", "preempt", "bind"):
                status, text = served.ask("POST", f"/v1/{verb}", ask)
                assert (status, json.loads(text)) == (503, {"error": "the state of api is not read yet"})
            assert served.ask("GET", "/readyz")[0] == 503
            following.api.faults.clear()
            until(lambda: following.follower.ready)
            assert served.post("/v1/filter", ask)["NodeNames"] == ["b"]
    finally:
        following.__exit__()
