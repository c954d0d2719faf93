"""The openb trace: what its cells mean, what is refused, where its pods go."""

import gzip
import lzma
import random
from collections import Counter
from pathlib import Path

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob, read_path
from binwright.kubernetes.openb.place import place_source
from binwright.kubernetes.openb.trace import TraceNode, TracePod, read_nodes, read_pods
from binwright.outcome import NotEvaluated, ReasonText
from binwright.verdict import Verdict

NODES = "sn,cpu_milli,memory_mib,gpu,model\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"
TRACE = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces" / "alibaba_gpu_v2023"
MIB = 1 << 20


def blobs(nodes, pods):
    return Blob("nodes.csv", (NODES + nodes).encode()), Blob("pods.csv", (PODS + pods).encode())


def placed(nodes, pods):
    return place_source("t", *blobs(nodes, pods))


def devices(outcome):
    return {one.name: [(device["index"], device["amount"]) for device in one.devices] for one in outcome.placed}


def test_the_cells_of_nodes_and_pods():
    nodes, pods = blobs("a,4000,1024,2,T4\nb,8000,2048,0,\n", "p,100,1,1,250,T4|G2|T4\nq,0,0,8,1000,\n")
    assert read_nodes(nodes) == [TraceNode("a", 4000, 1024 * MIB, 2, "T4"), TraceNode("b", 8000, 2048 * MIB, 0, "")]
    assert read_pods(pods) == [TracePod("p", 100, MIB, 1, 250, ("T4", "G2")), TracePod("q", 0, 0, 8, 1000, ())]
    assert [pod.gpu_demand for pod in read_pods(pods)] == [250, 8000]


def test_columns_may_stand_in_any_order_and_unknown_ones_beside_them():
    text = b"gpu_milli,num_gpu,qos,memory_mib,cpu_milli,name,pod_phase,deletion_time\n500,1,LS,2,3,p,Failed,12\n"
    assert read_pods(Blob("p.csv", text)) == [TracePod("p", 3, 2 * MIB, 1, 500, (), leaves=True, finished=True)]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("a,x,1,0,\n", "nodes.csv: line 2: cpu_milli: 'x' is not a whole number"),
        ("a,1.5,1,0,\n", "nodes.csv: line 2: cpu_milli: '1.5' is not a whole number"),
        ("a,1,-1,0,\n", "nodes.csv: line 2: memory_mib: '-1' is not a whole number"),
        ("a,1,1,,\n", "nodes.csv: line 2: gpu: '' is not a whole number"),
        ("a,1,1,65,T4\n", "nodes.csv: line 2: gpu: 65 is more than 64"),
        (f"a,1,{2**37},0,\n", f"nodes.csv: line 2: memory_mib: {2**37} is more than {2**36}"),
        ("a,1,1,0,\n\na,1,1,0,\n", "nodes.csv: line 4: sn: 'a' stands on line 2 already"),
        (" ,1,1,0,\n", "nodes.csv: line 2: sn: the name is empty"),
        ("a,1,1,0\n", "nodes.csv: line 2: 4 fields under 5 columns"),
        ("", "nodes.csv: no line below the columns of the table of nodes"),
    ],
)
def test_a_malformed_node_is_one_line(nodes, message):
    with pytest.raises(InputError) as caught:
        placed(nodes, "p,1,1,0,0,\n")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        ("p,1,1,0,500,", "gpu_milli: 500 of no GPU, num_gpu is 0"),
        ("p,1,1,1,0,", "gpu_milli: 0 is no part of a GPU, which are 1 to 1000"),
        ("p,1,1,1,1001,", "gpu_milli: 1001 is more than 1000"),
        ("p,1,1,2,500,", "gpu_milli: 500 of each of 2 GPUs; several GPUs are whole ones, 1000"),
        ("p,1,1,1,1000,T4||G2", "gpu_spec: 'T4||G2' names an empty model"),
        ("p,1,1,one,1000,", "num_gpu: 'one' is not a whole number"),
        ("p,٣,1,0,0,", "cpu_milli: '٣' is not a whole number"),
        (f"p,{'9' * 30},1,0,0,", f"cpu_milli: '{'9' * 30}' is not a whole number"),
    ],
)
def test_a_malformed_pod_is_one_line(pod, message):
    with pytest.raises(InputError) as caught:
        placed("a,1,1,0,\n", f"o,1,1,0,0,\n{pod}\n")
    assert str(caught.value) == f"pods.csv: line 3: {message}"


def test_the_tables_in_the_wrong_order_are_told():
    with pytest.raises(InputError) as caught:
        place_source("t", *reversed(blobs("a,1,1,0,\n", "p,1,1,0,0,\n")))
    assert str(caught.value) == ("pods.csv: no column 'sn' in the table of nodes (--input openb NODES.csv PODS.csv)")


def test_packed_tables_are_read(tmp_path):
    (tmp_path / "n.csv.gz").write_bytes(gzip.compress((NODES + "a,1,1,0,\n").encode()))
    (tmp_path / "p.csv.xz").write_bytes(lzma.compress((PODS + "p,1,1,0,0,\n").encode()))
    outcome = place_source("t", *read_path(tmp_path / "n.csv.gz"), *read_path(tmp_path / "p.csv.xz"))
    assert [(one.name, one.host) for one in outcome.placed] == [("p", "a")]


def test_a_part_takes_the_gpu_with_least_free_and_whole_means_unused():
    outcome = placed(
        "a,9000,90,3,T4\n", "p,1,1,1,300,\nq,1,1,1,500,\nr,1,1,1,600,\ns,1,1,1,200,\nt,1,1,1,1000,\nu,1,1,1,1000,\n"
    )
    assert devices(outcome) == {
        "p": [(0, 300)], "q": [(0, 500)], "r": [(1, 600)], "s": [(0, 200)], "t": [(2, 1000)],
    }  # fmt: skip
    assert outcome.placed[0].devices == [{"resource": "gpu_milli", "index": 0, "model": "T4", "amount": 300}]
    (left,) = outcome.unplaced
    assert left.name == "u"
    assert left.verdict is Verdict.UNSCHEDULABLE


def test_of_the_feasible_nodes_the_one_whose_gpus_are_used_most():
    nodes = "cpu,9000,90,0,\nbig,9000,90,4,G2\nsmall,9000,90,2,T4\n"
    outcome = placed(nodes, "p,1,1,1,1000,\nq,1,1,1,1000,G2\nr,1,1,1,1000,\ns,1,1,0,0,\n")
    assert [(one.name, one.host, one.score) for one in outcome.placed] == [
        ("p", "small", 50), ("q", "big", 25), ("r", "small", 100), ("s", "small", 100),
    ]  # fmt: skip
    use = {one.name: (one.capacity, one.used_before, one.used_after) for one in outcome.resources}
    assert use == {"cpu": (27000, 0, 4), "memory": (270 * MIB, 0, 4 * MIB), "gpu_milli": (6000, 0, 3000)}
    assert (outcome.source, outcome.layer, outcome.hosts) == ("t", "kubernetes", 3)


def test_any_of_the_models_will_do():
    nodes = "a,9,9,1,T4\nb,9,9,1,G2\nc,9,9,1,P100\nd,9,9,1,\n"
    outcome = placed(nodes, "p,1,1,1,1000,P100|G2\nq,1,1,1,1000,P100|G2\nr,1,1,1,1000,P100|G2\ns,1,1,0,0,V100\n")
    assert [(one.name, one.host) for one in outcome.placed] == [("p", "b"), ("q", "c"), ("s", "b")]
    (refused,) = outcome.unplaced
    assert refused.reasons == [
        ReasonText("GPUModel", 2, "node(s) had no GPU of the models asked for"),
        ReasonText("NodeResourcesFit", 2, "Insufficient gpu_milli"),
    ]
    assert refused.message == (
        "0/4 nodes are available: 2 Insufficient gpu_milli, 2 node(s) had no GPU of the models asked for."
    )
    assert refused.smallest_change == {
        "kind": "rule", "host": "a", "resource": None, "rule": "GPUModel", "argument": None, "have": None, "need": None,
    }  # fmt: skip


def test_why_the_gpus_do_not_serve():
    outcome = placed("a,900,90,2,T4\n", "p,1,1,1,600,\nq,1,1,1,600,\nr,1,1,1,700,\ns,901,1,0,0,\nt,1,1,200,1000,\n")
    refused = {one.name: one for one in outcome.unplaced}
    too_small = "node(s) had enough GPU free only in parts that are too small"
    assert refused["r"].reasons == [ReasonText("GPUs", 1, too_small)]
    assert refused["r"].smallest_change is None
    assert refused["s"].verdict is Verdict.UNRESOLVABLE
    assert refused["s"].smallest_change["have"] == 898
    assert refused["t"].verdict is Verdict.UNRESOLVABLE
    assert refused["t"].reasons == [ReasonText("NodeResourcesFit", 1, "Insufficient gpu_milli")]


def test_what_does_not_count_is_listed():
    columns = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,pod_phase,deletion_time\n"
    text = columns + "p,1,1,0,0,Running,7\nq,1,1,0,0,Failed,\n"
    outcome = place_source("t", blobs("a,9,9,0,\n", "")[0], Blob("pods.csv", text.encode()))
    assert len(outcome.placed) == 2
    assert outcome.not_evaluated == [
        NotEvaluated("deletion_time", 1, "Pod p"), NotEvaluated("pod_phase Succeeded or Failed", 1, "Pod q"),
    ]  # fmt: skip


def in_plain_python(nodes, pods):
    """The profile, slowly: (host or None, GPU parts) of each pod."""
    free = [[node.cpu, node.memory, [1000] * node.gpus] for node in nodes]
    answers = []
    for pod in pods:
        best = None
        for number, (node, (cpu, memory, gpus)) in enumerate(zip(nodes, free, strict=True)):
            if pod.gpu_milli == 1000:
                chosen = [index for index, left in enumerate(gpus) if left == 1000][: pod.gpus]
            else:
                fits = [(left, index) for index, left in enumerate(gpus) if left >= pod.gpu_milli]
                chosen = [min(fits)[1]] if fits and pod.gpus else []
            if pod.cpu > cpu or pod.memory > memory or len(chosen) < pod.gpus:
                continue
            if pod.gpus and pod.models and node.model not in pod.models:
                continue
            used = sum(1000 - left for left in gpus) + pod.gpu_demand
            score = 100 * used // (1000 * node.gpus) if node.gpus else 0
            if best is None or score > best[0]:
                best = score, number, chosen
        if best is not None:
            _, number, chosen = best
            free[number][0] -= pod.cpu
            free[number][1] -= pod.memory
            for index in chosen:
                free[number][2][index] -= pod.gpu_milli
        answers.append((nodes[best[1]].name, [(index, pod.gpu_milli) for index in best[2]]) if best else (None, []))
    return answers


def test_random_traces_go_where_plain_python_puts_them():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    seen = Counter()
    for _ in range(60):
        models = ("", "T4", "G2", "P100")
        lines = [
            f"n{i},{dice.randrange(20)},{dice.randrange(20)},{dice.randrange(5)},{dice.choice(models)}\n"
            for i in range(dice.randint(1, 8))
        ]
        asks = ((0, 0), (1, 1000), (1, 300), (1, 500), (1, 720), (2, 1000), (4, 1000))
        wanted = []
        for i in range(dice.randint(1, 25)):
            gpus, milli = dice.choice(asks)
            spec = dice.choice(("", "", "T4", "G2|P100"))
            wanted.append(f"p{i},{dice.randrange(4)},{dice.randrange(4)},{gpus},{milli},{spec}\n")
        given = blobs("".join(lines), "".join(wanted))
        nodes, pods = read_nodes(given[0]), read_pods(given[1])
        outcome = place_source("t", *given)
        hosts = {one.name: one.host for one in outcome.placed}
        parts = devices(outcome)
        got = [(hosts.get(pod.name), parts.get(pod.name, [])) for pod in pods]
        assert got == in_plain_python(nodes, pods), (given, seed)
        seen["placed"] += len(outcome.placed)
        seen["refused"] += len(outcome.unplaced)
    assert min(seen["placed"], seen["refused"]) > 100


def test_the_smallest_change_is_enough():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    tried = 0
    while tried < 40:
        nodes = "".join(
            f"n{i},{dice.randrange(9)},{dice.randrange(9)},{dice.randrange(4)},{dice.choice(('T4', 'G2'))}\n"
            for i in range(dice.randint(1, 5))
        )
        asks = ((0, 0), (1, 1000), (1, 300), (1, 720), (2, 1000))
        pods = [
            [f"p{i}", dice.randrange(8), dice.randrange(8), *dice.choice(asks), dice.choice(("", "T4"))]
            for i in range(dice.randint(1, 8))
        ]
        before = ["".join(",".join(map(str, pod)) + "\n" for pod in pods[:count]) for count in (-1, len(pods))]
        refused = {one.name: one.smallest_change for one in placed(nodes, before[1]).unplaced}
        change = refused.get(pods[-1][0])
        if change is None or change["kind"] == "host":
            continue
        tried += 1
        last = list(pods[-1])
        if change["kind"] == "rule":
            last[5] = ""
        else:
            column, unit = {"cpu": (1, 1), "memory": (2, MIB)}[change["resource"]]
            assert (change["need"], change["have"] % unit) == (last[column] * unit, 0)
            last[column] = change["have"] // unit
        after = placed(nodes, before[0] + ",".join(map(str, last)) + "\n")
        assert last[0] in {one.name for one in after.placed}, (nodes, pods, change, seed)


@pytest.mark.skipif(not TRACE.is_dir(), reason="needs ../shared/data/traces beside the repository")
def test_the_public_trace():
    nodes = read_path(TRACE / "openb_node_list_all_node.csv.xz")
    pods = read_path(TRACE / "openb_pod_list_default.csv.xz")
    outcome = place_source("openb", *nodes, *pods)
    assert outcome.hosts == 1523
    assert len(outcome.placed) + len(outcome.unplaced) == 8152
    use = {one.name: one for one in outcome.resources}
    assert use["gpu_milli"].capacity == 6_212_000
    taken = Counter()
    for one in outcome.placed:
        for device in one.devices:
            taken[one.host, device["index"]] += device["amount"]
    assert max(taken.values()) == 1000
    assert sum(taken.values()) == use["gpu_milli"].used_after
    assert len(outcome.placed) == 7765
