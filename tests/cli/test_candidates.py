"""`binwright candidates`: the API's own JSON, its refusals, the table, orders and what a dump cannot tell."""

import json

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import exits
from tests.openstack.clouds import COMPUTE_1, COMPUTE_2, ZONE_A, small_cloud, without


@pytest.fixture
def asked(command, cloud):
    """asked(query, *words) is (exit code, envelope, errors) of `candidates query -o json`."""

    def ask(query, *words, files=None):
        ended = command("candidates", query, cloud(files or small_cloud()), "-o", "json", *words)
        envelope = json.loads(ended.out)
        jsonschema.validate(envelope, schemas.schema("CandidatesResult"))
        return ended.code, envelope, ended.err

    return ask


def providers(envelope):
    return [list(one["allocations"]) for one in envelope["allocation_requests"]]


@pytest.mark.parametrize(
    "query",
    [
        "resources=VCPU:2&required=HW_CPU_X86_AVX2",
        "?resources=VCPU:2&required=HW_CPU_X86_AVX2",
        "GET /allocation_candidates?resources=VCPU:2&required=HW_CPU_X86_AVX2",
        "https://cloud.example/placement/allocation_candidates?resources=VCPU:2&required=HW_CPU_X86_AVX2",
    ],
)
def test_the_apis_own_json(asked, query):
    code, envelope, errors = asked(query)
    assert (code, errors) == (exits.YES, "")
    assert envelope["allocation_requests"] == [
        {"allocations": {COMPUTE_1: {"resources": {"VCPU": 2}}}, "mappings": {"": [COMPUTE_1]}}
    ]
    (summary,) = envelope["provider_summaries"].values()
    assert summary["resources"]["VCPU"] == {"capacity": 64, "used": 2}
    assert envelope["summary"]["status"] == 200
    assert not envelope["summary"]["more"]


def test_older_shapes(asked):
    _, envelope, _ = asked("resources=VCPU:2&limit=1", "--microversion", "1.16")
    assert envelope["allocation_requests"][0]["mappings"] == {}
    _, envelope, _ = asked("resources=VCPU:2", "--microversion", "1.10")
    assert envelope["allocation_requests"][0]["allocations"][0]["resource_provider"] == {"uuid": COMPUTE_1}


def test_none(asked):
    code, envelope, _ = asked("resources=VCPU:17")
    assert (code, envelope["allocation_requests"], envelope["provider_summaries"]) == (exits.NO, [], {})


@pytest.mark.parametrize(
    ("query", "words", "status", "code"),
    [
        ("resources=VCPU", (), 400, "placement.undefined_code"),
        ("resources=VCPU:1&required=CUSTOM_NOBODY", (), 400, "placement.undefined_code"),
        ("required=HW_CPU_X86_AVX2", (), 400, "placement.query.missing_value"),
        ("resources=VCPU:1&root_required=A,!A", (), 400, "placement.query.bad_value"),
        ("resources=VCPU:1", ("--microversion", "1.99"), 406, None),
        ("resources=VCPU:1", ("--microversion", "1.9"), 404, None),
    ],
)
def test_refusals_have_the_services_status_and_code(asked, command, cloud, query, words, status, code):
    ended, envelope, errors = asked(query, *words)
    assert ended == exits.BAD
    (error,) = envelope["errors"]
    assert (error["status"], error.get("code")) == (status, code)
    assert envelope["summary"]["status"] == status
    assert errors.startswith(f"binwright: {status} ")
    assert errors.count("\n") == 1
    plain = command("candidates", query, cloud(small_cloud()), *words)
    assert (plain.code, plain.out, plain.err) == (exits.BAD, "", errors)


def test_orders_and_how_many(asked, command, cloud):
    _, envelope, _ = asked("resources=VCPU:2")
    assert providers(envelope) == [[COMPUTE_1], [COMPUTE_2]]
    _, envelope, _ = asked("resources=VCPU:2", "--order", "weight", "--first", "1")
    assert providers(envelope) == [[COMPUTE_2]]
    assert envelope["summary"]["more"]
    ended = command("candidates", "resources=VCPU:2", cloud(small_cloud()), "--first", "0")
    assert (ended.code, ended.err) == (exits.BAD, "binwright: --first 0: at least 1\n")


def test_the_table_and_the_rows(command, cloud):
    path = cloud(small_cloud())
    table = command("candidates", "resources=VCPU:2,DISK_GB:5", "--cloud", path, "--first", "1")
    assert table.code == exits.YES
    assert table.out.startswith("1+ candidate (c1, microversion latest, ")
    assert "1  compute-1.example  VCPU=2 DISK_GB=5  " in table.out
    assert "2/64 20/1000" in table.out
    rows = command("candidates", "resources=VCPU:2", "--cloud", path, "-o", "csv")
    assert rows.out.splitlines()[1] == f'1,{COMPUTE_1},compute-1.example,VCPU=2,"""""",2/64'
    assert command("candidates", "resources=VCPU:2", path, "-o", "name").out.splitlines() == [
        "compute-1.example",
        "compute-2.example",
    ]


def test_what_the_dump_does_not_tell_is_listed(asked):
    query = f"resources=VCPU:2&required=CUSTOM_ANY&member_of={ZONE_A}"
    files = without(small_cloud(), "traits", "provider_aggregates", "aggregates")
    code, envelope, _ = asked(query, files=files)
    assert (code, len(envelope["allocation_requests"])) == (exits.YES, 2)
    assert [entry["example"] for entry in envelope["notEvaluated"]] == ["CUSTOM_ANY", "member_of"]
    assert asked(query, "--strict", files=files)[0] == exits.NO


def test_one_query_one_cloud(command, cloud, tmp_path):
    path = cloud(small_cloud())
    two = command("candidates", "resources=VCPU:2", "limit=3", path)
    assert (two.code, two.err) == (exits.BAD, "binwright: one QUERY, not 2; quote it, it has & in it\n")
    kube = tmp_path / "k.json"
    kube.write_text('{"apiVersion": "v1", "kind": "List", "items": []}')
    none = command("candidates", "resources=VCPU:2", str(kube))
    assert (none.code, none.err) == (exits.BAD, "binwright: candidates asks one cloud, the input has 0 (none)\n")
