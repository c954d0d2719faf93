"""A small API server on loopback: lists in pages, watches from a version on, bookmarks, 410 Gone, bindings, and faults.

What a real one would answer, for the kinds that are asked about; everything else is an empty list.
"""

import copy
import json
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PLURALS = {"Node": "nodes", "Pod": "pods", "Service": "services", "PodDisruptionBudget": "poddisruptionbudgets"}


class Api:
    """The objects of one cluster. `faults`: words that the next requests meet, see `_fault`; `asked`: every request."""

    def __init__(self, pages=0):
        self.pages = pages
        self.lock = threading.Condition()
        self.objects = {}  # (plural, namespace, name) -> object
        self.version = 100
        self.compacted = 0
        self.history = []  # (version, plural, type, object)
        self.faults = []
        self.asked = []
        self.refused_at = 0.0
        self.snapshots = {}
        self.bookmarks = 0.2
        self.open = 0
        self._closed = False
        api = self

        class Handler(_Handler):
            pass

        Handler.api = api
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # clients that are killed leave connections behind
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def kubeconfig(self, folder: Path) -> str:
        """A file that leads here."""
        path = folder / "kubeconfig"
        cluster = {"name": "c", "cluster": {"server": self.url}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        user = {"name": "u", "user": {"token": "t"}}
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "users": [user],
                                    "contexts": [context], "current-context": "c"}))  # fmt: skip
        return str(path)

    def put(self, found):
        """Create or change an object; its version and the event are made here."""
        with self.lock:
            found = copy.deepcopy(found)
            key = self._key(found)
            kind = "MODIFIED" if key in self.objects else "ADDED"
            self._happen(kind, key, found)
            self.objects[key] = found
            return found

    def delete(self, kind, name, namespace="default"):
        with self.lock:
            key = (PLURALS[kind], "" if kind == "Node" else namespace, name)
            if key in self.objects:
                self._happen("DELETED", key, self.objects.pop(key))

    def bind(self, namespace, name, uid, node):
        """(status, text) of a binding."""
        with self.lock:
            pod = self.objects.get(("pods", namespace, name))
            if pod is None:
                return 404, f'pods "{name}" not found'
            if uid and pod["metadata"].get("uid") != uid:
                return 409, "uid precondition failed"
            if pod["spec"].get("nodeName"):
                return 409, f"pod {name} is already assigned to node {pod['spec']['nodeName']!r}"
            bound = copy.deepcopy(pod)
            bound["spec"]["nodeName"] = node
        self.put(bound)
        return 201, ""

    def compact(self):
        """Forget history: who stands at an older version has to list."""
        with self.lock:
            self.compacted = self.version
            self.history.clear()

    def cut(self):
        """Cut every watch that is open."""
        with self.lock:
            self.epoch = getattr(self, "epoch", 0) + 1
            self.lock.notify_all()

    def close(self):
        self._closed = True
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    def _key(self, found):
        meta = found["metadata"]
        namespace = "" if found["kind"] == "Node" else meta.get("namespace") or "default"
        return PLURALS[found["kind"]], namespace, meta["name"]

    def _happen(self, kind, key, found):
        self.version += 1
        found["metadata"]["resourceVersion"] = str(self.version)
        self.history.append((self.version, key[0], kind, copy.deepcopy(found)))
        if len(self.history) > 20_000:
            self.compacted = self.history[10_000][0]
            del self.history[:10_000]
        self.lock.notify_all()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api = None

    def log_message(self, *words):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        plural, query = parts.path.rsplit("/", 1)[1], {key: one[0] for key, one in parse_qs(parts.query).items()}
        self.api.asked.append((plural, query))
        fault = self._fault(plural, query)
        if fault:
            self._status(int(fault), {"kind": "Status", "code": int(fault), "message": f"fault {fault}"})
        elif query.get("watch") in ("true", "True"):
            with suppress(OSError):
                self._watch(plural, query)
            self.close_connection = True
        else:
            self._list(plural, query)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        _, namespace, name = self.path.split("?")[0].removesuffix("/binding").rsplit("/", 2)
        namespace = self.path.split("/namespaces/")[1].split("/")[0]
        status, text = self.api.bind(namespace, name, body["metadata"].get("uid"), body["target"]["name"])
        self._status(status, {"kind": "Status", "code": status, "message": text})

    def _fault(self, plural, query):
        """The first fault that is about this request: "list 410", "watch 500", "page 410" ..."""
        what = "watch" if "watch" in query else "page" if "continue" in query else "list"
        with self.api.lock:
            for number, (of, word, status) in enumerate(self.api.faults):
                if of == plural and word == what and status.isdigit():
                    del self.api.faults[number]
                    self.api.refused_at = time.monotonic()
                    return status
        return None

    def _status(self, status, found):
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _list(self, plural, query):
        """A page of what there was when the list was begun."""
        with self.api.lock:
            version, _, begin = query.get("continue", f"{self.api.version}/0").partition("/")
            if "continue" not in query:
                self.api.snapshots[plural] = [one for key, one in self.api.objects.items() if key[0] == plural]
            found, begin = self.api.snapshots[plural], int(begin)
            size = self.api.pages or len(found) or 1
            more = f"{version}/{begin + size}" if begin + size < len(found) else ""
            items = [{key: value for key, value in one.items() if key not in ("kind", "apiVersion")} for one in found]
            meta = {"resourceVersion": version, "continue": more}
            page = {"kind": "List", "apiVersion": "v1", "items": items[begin : begin + size] or None, "metadata": meta}
            page = copy.deepcopy(page)
        self._status(200, page)

    def _watch(self, plural, query):
        api, after = self.api, int(query["resourceVersion"])
        with api.lock:
            epoch = getattr(api, "epoch", 0)
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        if after < api.compacted:
            self._line("ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"})
            self.wfile.write(b"0\r\n\r\n")
            return
        api.open += 1
        try:
            while not api._closed and getattr(api, "epoch", 0) == epoch:
                with api.lock:
                    fault = next((one for one in api.faults if one[:2] == (plural, "stream")), None)
                    if fault is not None:
                        api.faults.remove(fault)
                    some = [one for one in api.history if one[0] > after and one[1] == plural]
                    now = api.version  # up to here there was nothing more
                    if after < api.compacted:
                        fault = plural, "stream", "410"
                    elif not some and fault is None:
                        api.lock.wait(api.bookmarks)
                if fault is not None:
                    if fault[2] == "garbage":
                        self._chunk(b'{"type":"MODIF\n')
                    elif fault[2] == "410":
                        self._line("ERROR", {"kind": "Status", "code": 410, "message": "gone"})
                    return
                if not some:
                    mark = {"kind": "x", "apiVersion": "v1", "metadata": {"resourceVersion": str(now)}}
                    self._line("BOOKMARK", mark)
                    after = now
                for version, _, kind, found in some:
                    self._line(kind, found)
                    after = version
        finally:
            api.open -= 1

    def _line(self, kind, found):
        self._chunk(json.dumps({"type": kind, "object": found}).encode() + b"\n")

    def _chunk(self, data):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()


def until(true, seconds=15.0):
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
