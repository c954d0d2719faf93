"""A soak of the extender: a cluster that changes, a scheduler, and everything that can go wrong, for as long as asked.

    python -m tests.serve.soak --minutes 60 --report soak.json

The service follows the small API server of this folder, all on loopback. One thread schedules pods and holds every
verdict against its own reckoning from the API server's objects; a verdict may lag behind a change for some seconds, but
not behind what the service itself has bound. Others change the cluster, break watches, send bodies that are malformed,
too large or too slow, and kill -9 the service, which is begun again. At the end the service must hold exactly the pods
that the API server has, each once, and its memory must not have grown. Ends by itself; 1 when something was wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.kubernetes.made import node_dict, pod_dict
from tests.serve.api import Api

Json = dict[str, Any]
LAG = 20.0
"""Seconds that a verdict may be behind the API server while watches break, from when it last refused one on."""
NODES = 40
MOST_PODS = 500
MANY_SAMPLES, MOST_GROWTH = 20, 12_000
"""Of memory in the last life: from how many on it is judged, and the KiB that it may grow in the last two thirds."""
CPU, MEMORY = 8000, 32
FAULTS = [
    ("pods", "stream", "garbage"),
    ("nodes", "stream", "410"),
    ("pods", "watch", "500"),
    ("pods", "watch", "410"),
    ("nodes", "list", "500"),
]
SPARE = {"key": "spare", "effect": "NoSchedule"}


class Unreachable(Exception):
    """The service is away."""


class Refusal(Exception):
    """The service answers with another status than 200."""


class Service:
    """The service as a process of its own, killed and begun again at will."""

    def __init__(self, kubeconfig: str, log: Path) -> None:
        self._kubeconfig, self._log = kubeconfig, log
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.lives: list[list[int]] = []
        self.begin()

    def begin(self) -> None:
        words = ["serve", "extender", "--kubeconfig", self._kubeconfig, "--port", str(self.port), "--max-body", "4Mi"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "binwright.cli", *words], stderr=log)
        self.lives.append([])
        self.wait()

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(Unreachable, Refusal):
                self.ask("GET", "/readyz")
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended by itself: {self._log.read_text()[-2000:]}")
            time.sleep(0.1)
        raise RuntimeError("the service did not become ready")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer. Raises Unreachable, and Refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as problem:
            if problem.code == 503:  # just begun: not all is listed yet
                raise Unreachable("not ready") from None
            raise Refusal(f"{path}: {problem.code} {problem.read()[:300]!r}") from None
        except (OSError, EOFError) as problem:
            raise Unreachable(str(problem)) from None
        except Exception as problem:  # http.client's own, when the service dies in the middle of an answer
            raise Unreachable(str(problem)) from None
        return json.loads(text) if text.startswith((b"{", b"[")) else text

    def memory(self) -> None:
        """Note the resident memory, in KiB."""
        with suppress(OSError, IndexError):
            text = Path(f"/proc/{self.process.pid}/status").read_text()
            self.lives[-1].append(int(text.partition("VmRSS:")[2].split()[0]))


class Soak:
    """One run. `wrong`: everything that must not have happened."""

    def __init__(self, seconds: float, seed: int, folder: Path, every: float, progress: Path | None = None) -> None:
        """every: seconds between two kills."""
        self.progress = progress
        self.rng = random.Random(seed)
        self.api = Api(pages=100)
        self.begun = time.monotonic()
        self.end = self.begun + seconds
        self.every = every
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.number = 0
        self.restarting = threading.Lock()
        for one in range(NODES):
            self.api.put(self.node(one))
        self.service = Service(self.api.kubeconfig(folder), folder / "service.log")

    # ---- the cluster ---------------------------------------------------------------------------------------

    def node(self, number: int, tainted: bool = False) -> Json:
        taints = [SPARE] if tainted else None
        return node_dict(
            f"n{number}", cpu=f"{CPU}m", memory=f"{MEMORY}Gi", labels={"zone": f"z{number % 3}"}, taints=taints
        )

    def pod(self, node: str | None = None) -> Json:
        self.number += 1
        cpu, memory = self.rng.choice([250, 500, 1000, 2000, 7000]), self.rng.choice([1, 2, 8])
        more: Json = {}
        if self.rng.random() < 0.2:
            more["tolerations"] = [{"operator": "Exists"}]
        if self.rng.random() < 0.2:
            more["nodeSelector"] = {"zone": f"z{self.rng.randrange(3)}"}
        return pod_dict(
            f"p{self.number}", cpu=f"{cpu}m", memory=f"{memory}Gi", node=node, namespace="default",
            meta={"uid": f"uid-{self.number}", "labels": {"app": f"a{self.number % 7}"}},
            status={"phase": "Running" if node else "Pending"}, priority=self.number % 3, **more,
        )  # fmt: skip

    def reckoned(self, pod: Json) -> set[str]:
        """The nodes that take a pod, by the objects of the API server."""
        asked = _amounts(pod)
        with self.api.lock:
            nodes = {key[2]: one for key, one in self.api.objects.items() if key[0] == "nodes"}
            free = {name: [CPU, MEMORY, 110] for name in nodes}
            for key, one in self.api.objects.items():
                on = one["spec"].get("nodeName") if key[0] == "pods" else None
                if on in free and one["status"]["phase"] not in ("Succeeded", "Failed"):
                    free[on] = [left - taken for left, taken in zip(free[on], (*_amounts(one), 1), strict=True)]
        zone = pod["spec"].get("nodeSelector", {}).get("zone")
        return {
            name for name, one in nodes.items()
            if all(left >= want for left, want in zip(free[name], (*asked, 1), strict=True))
            and (not one["spec"]["taints"] or pod["spec"].get("tolerations"))
            and zone in (None, one["metadata"]["labels"]["zone"])
        }  # fmt: skip

    # ---- threads -------------------------------------------------------------------------------------------

    def run(self) -> Json:
        threads = [threading.Thread(target=self._guarded, args=(one,)) for one in (self.change, self.annoy, self.kill)]
        for one in threads:
            one.start()
        self._guarded(self.schedule)
        for one in threads:
            one.join()
        self._guarded(self.settle)
        self._end_service()
        return self.report()

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as problem:
            self.wrong.append(f"{work.__name__}: {type(problem).__name__}: {problem}")
            self.end = 0

    def running(self) -> bool:
        return time.monotonic() < self.end

    def schedule(self) -> None:
        """Pod after pod: stored, filtered, prioritized, bound; every answer is held against the reckoning."""
        while self.running():
            pod = self.api.put(self.pod())
            with suppress(Unreachable):
                self._one(pod)
            time.sleep(0.03)
            if self.number % 200 == 0:
                self.service.memory()
                if self.progress is not None:
                    self.progress.write_text(json.dumps(self.report()) + "\n", encoding="utf-8")

    def _one(self, pod: Json) -> None:
        names = [key[2] for key in list(self.api.objects) if key[0] == "nodes"]
        begun = time.monotonic()
        while True:
            before = self.reckoned(pod)
            answer = self.service.ask("POST", "/v1/filter", {"Pod": pod, "NodeNames": names})
            passed, after = set(answer["NodeNames"] or ()), self.reckoned(pod)
            if before & set(names) <= passed | (before ^ after) and passed <= (before | after):
                break
            self.counts["verdicts behind"] += 1
            if time.monotonic() > max(begun, self.api.refused_at) + LAG:
                self.wrong.append(f"{pod['metadata']['name']}: {sorted(passed ^ before)} judged wrongly: {answer}")
                return
            time.sleep(0.1)
        self.counts["filter"] += 1
        if not passed:
            self.counts["refused"] += 1
            self._preempt(pod, names)
            return
        scores = self.service.ask("POST", "/v1/prioritize", {"Pod": pod, "NodeNames": sorted(passed)})
        if {one["Host"] for one in scores} != passed or max(one["Score"] for one in scores) > 10:
            self.wrong.append(f"scores {scores} of {sorted(passed)}")
        best = max(scores, key=lambda one: one["Score"])["Host"]
        meta = pod["metadata"]
        binding = {"PodName": meta["name"], "PodNamespace": "default", "PodUID": meta["uid"], "Node": best}
        said = self.service.ask("POST", "/v1/bind", binding)["Error"]
        there = self.api.objects.get(("pods", "default", meta["name"]))
        if said == "":
            self.counts["bound"] += 1
            if there is not None and there["spec"].get("nodeName") != best:
                self.wrong.append(f"{meta['name']}: bound to {best}, but is on {there['spec'].get('nodeName')}")
            self._at_once(best)
        else:
            self.counts["bind refused"] += 1
            if there is not None and there["spec"].get("nodeName") == best:
                self.wrong.append(f"{meta['name']}: is on {best}, but: {said}")

    def _at_once(self, node: str) -> None:
        """What was bound counts now, whatever the watch does: a pod that wants a whole node does not find this one."""
        if self.rng.random() > 0.1:
            return
        whole = pod_dict("probe", cpu=f"{CPU}m", namespace="default", meta={"uid": "probe"})
        whole["spec"]["tolerations"] = [{"operator": "Exists"}]
        before = self.reckoned(whole)
        answer = self.service.ask("POST", "/v1/filter", {"Pod": whole, "NodeNames": [node]})
        self.counts["filter"] += 1
        self.counts["asked at once"] += 1
        if answer["NodeNames"] and node not in before | self.reckoned(whole):
            self.wrong.append(f"{node}: is taken for empty right after a bind")

    def _preempt(self, pod: Json, names: list[str]) -> None:
        proposed = {name: {"Pods": []} for name in names}
        answer = self.service.ask("POST", "/v1/preempt", {"Pod": pod, "NodeNameToMetaVictims": proposed})
        self.counts["preempt"] += 1
        if not answer["NodeNameToMetaVictims"].keys() <= proposed.keys():
            self.wrong.append(f"preempt names nodes that were not proposed: {answer}")

    def change(self) -> None:
        """Pods end, are deleted, are bound by somebody else; nodes come, go and are tainted."""
        rng = random.Random(self.rng.random())
        while self.running():
            time.sleep(0.05)
            pods = [(key, one) for key, one in list(self.api.objects.items()) if key[0] == "pods"]
            what = rng.random()
            if len(pods) > MOST_PODS or (what < 0.4 and pods):
                self.api.delete("Pod", rng.choice(pods)[0][2])
            elif what < 0.5 and pods:
                ended = json.loads(json.dumps(rng.choice(pods)[1]))
                if ended["spec"].get("nodeName"):
                    ended["status"]["phase"] = "Succeeded"
                    with self.api.lock:
                        if ("pods", "default", ended["metadata"]["name"]) in self.api.objects:
                            self.api.put(ended)
            elif what < 0.55:
                pod = self.api.put(self.pod())
                self.api.bind("default", pod["metadata"]["name"], pod["metadata"]["uid"], f"n{rng.randrange(NODES)}")
            elif what < 0.57:
                number = rng.randrange(NODES)
                self.api.put(self.node(number, tainted=rng.random() < 0.3))
            elif what < 0.58:
                number = rng.randrange(NODES)
                self.api.delete("Node", f"n{number}")
                time.sleep(0.3)
                self.api.put(self.node(number))
            self.counts["changes"] += 1

    def annoy(self) -> None:
        """Breaks watches; sends what no client should."""
        rng = random.Random(self.rng.random())
        slow: list[socket.socket] = []
        while self.running():
            time.sleep(0.2)
            what = rng.choice(["cut", "gone", "fault", "malformed", "malformed", "large", "slow", "halfway", "page"])
            self.counts[what] += 1
            with suppress(Unreachable, Refusal, OSError):
                if what == "cut":
                    self.api.cut()
                elif what == "gone":
                    self.api.compact()
                elif what == "fault":
                    fault = rng.choice(FAULTS)
                    if fault not in self.api.faults and (fault[1] != "list" or rng.random() < 0.2):
                        self.api.faults.append(fault)
                elif what == "malformed":
                    self._malformed(rng)
                elif what == "large":
                    self.service.ask("POST", "/v1/filter", {"Pod": {}, "x": "y" * 5_000_000})
                    self.wrong.append("an oversized body was taken")
                elif what == "page":
                    self.service.ask("GET", rng.choice(["/v1/overview", "/metrics", "/", "/healthz"]))
                else:
                    line = socket.create_connection(("127.0.0.1", self.service.port), 5)
                    line.sendall(b'POST /v1/bind HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\n{"PodName"')
                    if what == "halfway":
                        line.close()
                    else:
                        slow.append(line)
                        if len(slow) > 20:
                            slow.pop(0).close()
        for line in slow:
            line.close()

    def _malformed(self, rng: random.Random) -> None:
        path = rng.choice(["/v1/filter", "/v1/prioritize", "/v1/preempt", "/v1/bind", "/v1/events", "/v1/state"])
        pod = json.dumps(self.pod()).encode()
        body = rng.choice(
            [b"", b"{", b"\xff\xfe", b"[" * 5000, pod[: rng.randrange(len(pod))], b'{"Pod":' + pod + b"}", pod]
        )
        data = urllib.request.Request(f"http://127.0.0.1:{self.service.port}{path}", body,
                                      method="PUT" if path.endswith("state") else "POST")  # fmt: skip
        try:
            with urllib.request.urlopen(data, timeout=30) as answer:
                self.wrong.append(f"{path}: {answer.status} for {body[:60]!r}")
        except urllib.error.HTTPError as problem:
            if problem.code not in (400, 503):  # 503: just begun
                self.wrong.append(f"{path}: {problem.code} for {body[:60]!r}: {problem.read()[:200]!r}")
        except OSError:
            pass

    def kill(self) -> None:
        """kill -9 and a new beginning, in the first 60 % of the run; the rest is one long life."""
        last = self.begun + 0.6 * (self.end - self.begun)
        while time.monotonic() + self.every < last:
            time.sleep(self.every)
            if not self.running():
                return
            self.service.kill()
            self.counts["kills"] += 1
            self.service.begin()

    def settle(self) -> None:
        """The service must come to hold what the API server has."""
        self.api.faults.clear()
        wanted: Json = {}
        seen: Json = {}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with self.api.lock:
                nodes = {key[2] for key in self.api.objects if key[0] == "nodes"}
                pods = [one for key, one in self.api.objects.items() if key[0] == "pods"]
            bound = [
                one for one in pods if one["spec"].get("nodeName") in nodes and one["status"]["phase"] != "Succeeded"
            ]
            wanted = {
                "hosts": len(nodes),
                "pods": len(pods),
                "cpu": sum(_amounts(one)[0] for one in bound),
                "memory": sum(_amounts(one)[1] for one in bound) * 2**30,
                "held": len(bound),
            }
            found = self.service.ask("GET", "/v1/overview")
            used = {one["name"]: one["used"] for one in found["resources"]}
            seen = {
                "hosts": found["summary"]["hosts"],
                "pods": found["summary"]["pods"],
                "cpu": used["cpu"],
                "memory": used["memory"],
                "held": used["pods"],
            }
            if seen == wanted and found["summary"]["assumed"] == 0:
                return
            time.sleep(0.5)
        self.wrong.append(f"at the end the service holds {seen}, the API server {wanted}")

    def _end_service(self) -> None:
        self.service.memory()
        self.service.process.send_signal(signal.SIGTERM)
        code = self.service.process.wait(20)
        if code != 0:
            self.wrong.append(f"after SIGTERM the service ended with {code}")
        self.api.close()
        last = self.service.lives[-1]
        warm = last[len(last) // 3] if len(last) > MANY_SAMPLES else last[-1]
        if last[-1] - warm > MOST_GROWTH:
            self.wrong.append(f"memory grew from {warm} to {last[-1]} KiB")

    def report(self) -> Json:
        last = self.service.lives[-1]
        settled = last[len(last) // 3 :]
        grown = (settled[-1] - settled[0]) / settled[0] if len(settled) > 1 else 0.0
        return {
            "minutes": round((time.monotonic() - self.begun) / 60, 1),
            "wrong": self.wrong[:50],
            "counts": dict(sorted(self.counts.items())),
            "lives": len(self.service.lives),
            "memoryKiB": {"afterWarmUp": settled[0] if settled else None, "atTheEnd": last[-1] if last else None,
                          "most": max((max(one) for one in self.service.lives if one), default=None)},
            "memoryGrown": round(grown, 3),
        }  # fmt: skip


def _amounts(pod: Json) -> tuple[int, int]:
    """Millicores and GiB."""
    asked = pod["spec"]["containers"][0]["resources"]["requests"]
    return int(asked["cpu"].removesuffix("m")), int(asked.get("memory", "0Gi").removesuffix("Gi"))


def soak(seconds: float, seed: int = 1, every: float = 120.0, progress: Path | None = None) -> Json:
    """Run one, and return its report. progress: a file that has the report so far, written every 20 s."""
    with tempfile.TemporaryDirectory() as folder:
        one = Soak(seconds, seed, Path(folder), every, progress)
        try:
            return one.run()
        finally:
            one.service.process.kill()


if __name__ == "__main__":
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--minutes", type=float, default=60)
    reading.add_argument("--seed", type=int, default=1)
    reading.add_argument("--report", type=Path)
    options = reading.parse_args()
    os.nice(10)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    told = soak(options.minutes * 60, options.seed, max(10.0, options.minutes * 60 / 20), options.report)
    text = json.dumps(told, indent=1)
    print(text)
    if options.report:
        options.report.write_text(text + "\n", encoding="utf-8")
    sys.exit(bool(told["wrong"]))
