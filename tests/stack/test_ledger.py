"""The ledger, by hand: every column once, the quantile of a sum, and what broken series say."""

import jsonschema
import pytest

from binwright.errors import InputError
from binwright.schemas import schema
from binwright.stack.join import join
from binwright.stack.ledger import ledger
from binwright.stack.usage import Usage, read_usage
from tests.stack.made import cloud, cluster, node, pod, server

GIB = 2**30
FLAVOR = {
    "id": "f",
    "original_name": "m1",
    "vcpus": 8,
    "ram": 16384,
    "disk": 0,
    "ephemeral": 0,
    "swap": 0,
    "extra_specs": {},
}


def limited(one, cpu, memory="64Mi"):
    one["spec"]["containers"][0]["resources"]["limits"] = {"cpu": cpu, "memory": memory}
    return one


def sandwich(*pods, vcpus=16):
    """Nodes n0, n1 of 8 cores and 32 GiB on h1, which has `vcpus` cores and 64 GiB."""
    nodes = [node(f"n{i}", provider=f"id-s{i}") for i in range(2)]
    servers = [server(f"s{i}", "h1", Flavor=FLAVOR) for i in range(2)]
    hosts = [{"ID": "h1", "Hypervisor Hostname": "h1", "vCPUs": vcpus, "Memory MB": 65536}]
    return join({"k": cluster(*nodes, *pods)}, {"north": cloud(servers, hosts)})


def account(made, usage=None, **more):
    result = ledger(made, usage or Usage(), **more)
    jsonschema.validate(result.to_dict(with_pods=True), schema("LedgerResult"))
    return result


def test_every_layer_is_one_column():
    pods = [
        limited(pod("a", "n0", "a", cpu="1"), "1"),
        limited(pod("b", "n0", "b", cpu="500m"), "2"),
        pod("c", "n1", "c", cpu="250m"),
        pod("waits", None, "w", cpu="4"),
    ]
    (one,) = account(sandwich(*pods)).accounts
    cpu, memory = one.lines["cpu"], one.lines["memory"]
    assert (one.servers, one.pods) == (2, 3)
    assert (cpu.physical, cpu.sold, cpu.nodes) == (16000, 16000, 16000)
    assert (cpu.guaranteed, cpu.requested, cpu.limited, cpu.unlimited) == (1000, 1750, 3000, 1)
    assert (memory.physical, memory.sold, memory.nodes) == (64 * GIB, 32 * GIB, 64 * GIB)
    assert (cpu.mean, cpu.peak, cpu.reclaimable) == (None, None, None)


def test_a_request_is_worth_less_where_the_host_is_sold_twice():
    result = account(sandwich(pod("a", "n0", "a", cpu="2"), vcpus=8))
    assert [(one.name, one.requested, one.effective) for one in result.pods] == [("a", 2000, 1000)]
    assert result.accounts[0].lines["cpu"].host_ratio == 2.0


@pytest.mark.parametrize(("vcpus", "limit", "double"), [(8, "17", ("cpu",)), (16, "17", ()), (8, "16", ())])
def test_twice_overcommitted_is_where_both_layers_promise_too_much(vcpus, limit, double):
    (one,) = account(sandwich(limited(pod("a", "n0", "a"), limit), vcpus=vcpus)).accounts
    assert one.double == double


def test_pods_on_a_host_that_is_a_node_itself_are_what_is_sold():
    made = join({"k": cluster(node("metal"), pod("a", "metal", "a", cpu="3"))}, {})
    (one,) = account(made).accounts
    assert (one.lines["cpu"].physical, one.lines["cpu"].sold, one.lines["cpu"].requested) == (8000, 3000, 3000)


def blobs(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"{name.replace('__', '.')}.csv").write_text(text)
    return [str(file) for file in sorted(tmp_path.iterdir())]


def test_what_is_idle_is_a_quantile_of_the_sum(tmp_path):
    """The peaks of s0 and s1 do not meet: together they never use more than 9000, though 8000 + 8000 is their sum."""
    files = blobs(
        tmp_path,
        north__servers="id,name,cpu_0,cpu_1,cpu_2,cpu_3,memory_0,memory_1,memory_2,memory_3\n"
        "id-s0,s0,8000,1000,1000,1000,1,1,1,1\n"
        "id-s1,s1,1000,8000,1000,1000,1,1,1,1\n",
    )
    usage = read_usage(files)
    (one,) = account(sandwich(), usage, risk=0).accounts
    cpu = one.lines["cpu"]
    assert (cpu.mean, cpu.peak, cpu.reclaimable) == (5500, 9000, 7000)
    assert account(sandwich(), usage, risk=0.5).accounts[0].lines["cpu"].reclaimable == 14000
    assert one.lines["memory"].reclaimable == 32 * GIB - 2 * 2**20


def test_a_servers_own_series_has_its_pods_in_it(tmp_path):
    header = "cpu_0,memory_0\n"
    files = blobs(
        tmp_path,
        k__pods=f"namespace,name,{header}default,a,500,10\ndefault,b,700,10\n",
        north__servers=f"id,name,{header}id-s0,s0,900,100\n",
    )
    made = sandwich(pod("a", "n0", "a"), pod("b", "n1", "b"))
    assert account(made, read_usage(files)).accounts[0].lines["cpu"].mean == 900 + 700


def test_what_is_in_no_account_and_hosts_without_a_size_are_listed():
    nodes = [node("n0", provider="id-s0"), node("lost", provider="nobody")]
    made = join({"k": cluster(*nodes, pod("a", "gone", "a"))}, {"north": cloud([server("s0", "h1")], ["h1"])})
    listed = {one.rule.partition(" (")[0]: one.example for one in account(made).not_evaluated}
    assert listed == {
        "nodes whose host nobody tells": "k/lost",
        "pods on nodes that are not in the input": "k/default/a",
        "hosts whose size nobody tells": "north/h1",
    }
    assert account(made).total("cpu").physical is None
    assert account(sandwich()).not_evaluated == []
    assert account(sandwich()).total("cpu").physical == 16000


def test_what_has_no_series_is_not_idle(tmp_path):
    """s0 is sold 8000 and uses 900. Nobody measures s1 (8000); or only its pod a (500), not b, which asks for 1000."""
    made = sandwich(pod("a", "n1", "a"), pod("b", "n1", "b", cpu="1"))
    files = blobs(tmp_path, north__servers="id,name,cpu_0,memory_0\nid-s0,s0,900,100\n")
    assert account(made, read_usage(files)).accounts[0].lines["cpu"].reclaimable == 8000 - 900
    files = blobs(tmp_path, k__pods="namespace,name,cpu_0,memory_0\ndefault,a,500,10\n")
    assert account(made, read_usage(files)).accounts[0].lines["cpu"].reclaimable == 16000 - 900 - 500 - 1000


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("other", "a,b\n1,2\n", "not named SOURCE.pods.csv or SOURCE.servers.csv"),
        ("k.pods", "name,cpu_0,memory_0\na,1,1\n", "no column 'namespace'"),
        ("k.pods", "namespace,name,cpu_0\nd,a,1\n", "1 of cpu, 0 of memory; needs as many of both"),
        ("k.pods", "namespace,name,cpu_0,memory_0\nd,a,x,1\n", "line 2: cpu_0: 'x' is not a whole number in"),
        ("k.pods", "namespace,name,cpu_0,memory_0\nd,a,1,-5\n", "line 2: memory_0: '-5' is not a whole number"),
        ("k.pods", f"namespace,name,cpu_0,memory_0\nd,a,{10**20},1\n", f"cpu_0: '{10**20}' is not a whole number"),
    ],
)
def test_broken_series_are_one_line(tmp_path, name, text, line):
    file = tmp_path / f"{name}.csv"
    file.write_text(text)
    with pytest.raises(InputError) as refusal:
        read_usage([str(file)])
    assert line in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_risk_is_a_share():
    with pytest.raises(InputError, match=r"risk 1 is not in 0\.\.1"):
        ledger(sandwich(), Usage(), risk=1)
