"""The real Placement on loopback, asked live: its clouds are read as they were made, and answered as it answers.

V/bin/pip install .[test,openstack] openstack-placement && V/bin/pytest -m peers tests/openstack/test_live_placement.py
"""

import random
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

pytest.importorskip("placement", reason="needs openstack-placement, the real service")
openstack = pytest.importorskip("openstack", reason="needs openstacksdk (extra openstack)")

from bench.peers.openstack.real_placement import RealPlacement  # noqa: E402
from binwright.openstack import read_live  # noqa: E402
from binwright.openstack.candidates import candidates_cloud  # noqa: E402
from binwright.openstack.comparison import answer_differences  # noqa: E402
from tests.openstack import random_clouds  # noqa: E402
from tests.openstack.live_cloud import live_cloud  # noqa: E402

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
CLOUDS = 12
QUERY = "resources=VCPU:1&required=!HW_CPU_X86_AVX2"


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def service():
    """The service and its address. One request at a time, because its database is in memory."""
    real = RealPlacement()

    def application(environ, start_response):
        environ["HTTP_X_AUTH_TOKEN"] = "admin"  # who asks without login may read everything
        return real.application(environ, start_response)

    with make_server("127.0.0.1", 0, application, handler_class=Silent) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield real, f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("seed", range(CLOUDS))
def test_a_cloud_of_the_real_service(service, seed):
    real, url = service
    wanted = random_clouds.cloud(random.Random(seed))
    real.fill(wanted)
    with live_cloud() as compute:
        for path in [path for path in compute.answers if path.startswith("/compute/")]:
            compute.answers[path] = {path.split("/")[2].removeprefix("os-").replace("-", "_"): []}
        settings = compute.settings(placement_endpoint_override=url)
        connection = openstack.connect(load_yaml_config=False, load_envvars=False, **settings)
        cloud = read_live(connection, name="real")
    used = {uuid: part["resources"] for claim in wanted["allocations"].values()
            for uuid, part in claim["allocations"].items()}  # fmt: skip
    found = {one.uuid: one for one in cloud.providers}
    assert set(found) == {row["uuid"] for row in wanted["resource_providers"]}
    for row in wanted["resource_providers"]:
        one = found[row["uuid"]]
        assert (one.name, one.parent) == (row["name"], row["parent_provider_uuid"])
        assert (one.traits, one.aggregates) == (set(row["traits"]), set(row["aggregates"]))
        told = {name: {key: getattr(stock, key) for key in row["inventories"][name]}
                for name, stock in one.inventories.items()}  # fmt: skip
        assert told == row["inventories"]
        assert {name: amount for name, amount in one.used.items() if amount} == used.get(one.uuid, {})
    status, body = real.candidates(QUERY, "1.39")
    mine = candidates_cloud(cloud, QUERY, first=10_000)
    assert (mine.status, list(answer_differences(body, mine.body))) == (status, [])
