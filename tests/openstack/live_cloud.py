"""A small cloud on loopback: compute, block storage, network and Placement as their APIs answer, over plain HTTP.

The answers are what the services say in these versions, cut down to what is read. No login (`auth_type: none`).
"""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

HOST_1, HOST_2 = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
RUNNING, WAITING, THIRD = (f"{number}1111111-0000-4000-8000-000000000000" for number in (1, 2, 3))
ZONE_A = "aaaaaaaa-0000-4000-8000-000000000000"
PAGE = 2
FLAVOR = {"vcpus": 2, "ram": 2048, "disk": 20, "ephemeral": 0, "swap": 0, "original_name": "m1.small"}


def server(uuid, name, status, host, **fields):
    return {
        "id": uuid,
        "name": name,
        "status": status,
        "tenant_id": "p1",
        "flavor": {**FLAVOR, "extra_specs": {"trait:HW_CPU_X86_AVX2": "required"}},
        "image": "",
        "OS-EXT-SRV-ATTR:host": host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": host and f"{host}.example",
        "OS-EXT-AZ:availability_zone": "a" if host else "",
        "OS-EXT-STS:task_state": None,
        "created": "2026-11-01T00:00:00Z",
        "addresses": {},
    } | fields


def hypervisor(uuid, name, **fields):
    return {
        "id": uuid,
        "hypervisor_hostname": f"{name}.example",
        "service": {"id": uuid, "host": name, "disabled_reason": None},
        "state": "up",
        "status": "enabled",
        "hypervisor_type": "QEMU",
        "hypervisor_version": 8002000,
        "vcpus": 16,
        "vcpus_used": 2,
        "memory_mb": 65536,
        "memory_mb_used": 2560,
        "local_gb": 1000,
        "local_gb_used": 20,
        "cpu_info": {},
    } | fields


def inventory(total, **fields):
    row = {"total": total, "reserved": 0, "min_unit": 1, "max_unit": total, "step_size": 1, "allocation_ratio": 1.0}
    return row | fields


def answers():
    """Path -> JSON; lists of servers are served in pages."""
    inventories = {
        "VCPU": inventory(16, allocation_ratio=4.0),
        "MEMORY_MB": inventory(65536, reserved=512),
        "DISK_GB": inventory(1000),
    }
    claim = {RUNNING: {"resources": {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}}}
    found = {
        "/compute/servers/detail": {
            "servers": [
                server(RUNNING, "web-1", "ACTIVE", "host1"),
                server(WAITING, "web-2", "BUILD", None, **{"OS-EXT-STS:task_state": "scheduling"}),
                server(THIRD, "web-3", "BUILD", None, **{"OS-EXT-AZ:availability_zone": "a"}),
            ]
        },
        "/compute/flavors/detail": {"flavors": [{"id": "1", "name": "m1.small", **FLAVOR, "extra_specs": {}}]},
        "/compute/os-hypervisors/detail": {"hypervisors": [hypervisor(HOST_1, "host1"), hypervisor(HOST_2, "host2")]},
        "/compute/os-services": {
            "services": [
                {"id": name, "binary": "nova-compute", "host": name, "status": "enabled", "state": "up"}
                for name in ("host1", "host2")
            ]
        },
        "/compute/os-aggregates": {
            "aggregates": [
                {
                    "id": 1,
                    "uuid": ZONE_A,
                    "name": "a",
                    "availability_zone": "a",
                    "metadata": {"availability_zone": "a"},
                    "hosts": ["host1"],
                }
            ]
        },
        "/compute/os-server-groups": {"server_groups": []},
        "/placement/resource_providers": {
            "resource_providers": [
                {"uuid": uuid, "name": f"{name}.example", "generation": 3, "root_provider_uuid": uuid}
                | {"parent_provider_uuid": None, "links": []}
                for uuid, name in ((HOST_1, "host1"), (HOST_2, "host2"))
            ]
        },
        "/volume/volumes/detail": {"volumes": []},
        "/volume/types": {"volume_types": []},
        "/volume/os-services": {"services": []},
        "/compute/os-quota-sets/p1/detail": {
            "quota_set": {
                "id": "p1",
                "instances": {"limit": 10, "in_use": 3, "reserved": 0},
                "cores": {"limit": 20, "in_use": 6, "reserved": 1},
                "ram": {"limit": -1, "in_use": 6144, "reserved": 0},
                "server_group_members": {"limit": 10, "in_use": 0, "reserved": 0},
            }
        },
        "/volume/os-quota-sets/p1": (403, {"forbidden": {"code": 403, "message": "Policy does not allow it"}}),
        "/volume/scheduler-stats/get_pools": (403, {"forbidden": {"code": 403, "message": "Policy does not allow it"}}),
    }
    for uuid in (HOST_1, HOST_2):
        part = {"resource_provider_generation": 3}
        base = f"/placement/resource_providers/{uuid}"
        found[f"{base}/inventories"] = {"inventories": inventories, **part}
        found[f"{base}/traits"] = {"traits": ["HW_CPU_X86_AVX2"] if uuid == HOST_2 else [], **part}
        found[f"{base}/aggregates"] = {"aggregates": [ZONE_A] if uuid == HOST_1 else [], **part}
        found[f"{base}/allocations"] = {"allocations": claim if uuid == HOST_1 else {}, **part}
    return found


class LiveCloud:
    """May be changed before it is asked: the `answers`, the `seconds` that each takes, the `newest` versions.

    `asked` is (path, query, microversion) of every request.
    """

    def __init__(self):
        self.answers = answers()
        self.asked = []
        self.at_a_time = self.most_at_a_time = 0
        self.seconds = 0.0
        self.newest = {"compute": "2.70", "placement": "1.39", "volume": "3.71"}
        self.lock = threading.Lock()
        self.url = ""

    def settings(self, **more):
        """What clouds.yaml says of it."""
        return {
            "auth_type": "none",
            "compute_endpoint_override": f"{self.url}/compute",
            "placement_endpoint_override": f"{self.url}/placement",
            "block_storage_endpoint_override": f"{self.url}/volume",
            "block_storage_api_version": "3",
        } | more

    def answer(self, path, query, microversion):
        """(status, JSON) of one request."""
        if path.strip("/") in ("compute", "placement", "volume"):
            return 200, self.versions(path.strip("/"))
        self.asked.append((path, query, microversion))
        found = self.answers.get(path, (404, {"itemNotFound": {"code": 404, "message": "not there"}}))
        status, body = found if isinstance(found, tuple) else (200, found)
        return status, self.page(body, query) if status == 200 and path == "/compute/servers/detail" else body

    def versions(self, name):
        newest = self.newest[name]
        link = [{"rel": "self", "href": f"{self.url}/{name}/"}]
        one = {"id": f"v{newest[0]}.0", "status": "CURRENT", "version": newest, "links": link}
        one |= {"min_version": f"{newest[0]}.0", "max_version": newest}
        return {"version": one}

    def page(self, body, query):
        rows, last = body["servers"], dict(parse_qsl(query)).get("marker")
        start = 1 + [row["id"] for row in rows].index(last) if last else 0
        some = rows[start : start + PAGE]
        href = f"{self.url}/compute/servers/detail?marker={some[-1]['id']}" if some else ""
        more = [{"rel": "next", "href": href}] if start + PAGE < len(rows) else []
        return {"servers": some, "servers_links": more}


@contextmanager
def live_cloud():
    """The cloud while it serves."""
    cloud = LiveCloud()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with cloud.lock:
                cloud.at_a_time += 1
                cloud.most_at_a_time = max(cloud.most_at_a_time, cloud.at_a_time)
            parts = urlsplit(self.path)
            version = self.headers.get("OpenStack-API-Version", "")
            time.sleep(cloud.seconds)
            status, body = cloud.answer(parts.path, parts.query, version.partition(" ")[2])
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            with cloud.lock:
                cloud.at_a_time -= 1
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        cloud.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield cloud
        finally:
            http.shutdown()
            thread.join()
