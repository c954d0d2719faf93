"""The engine inside the real Placement: its answers, its copy after every kind of write, in one process and in two."""

import json
import os
import random
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("placement", reason="placement is not installed: pip install openstack-placement==16.0.0")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
warnings.simplefilter("ignore")  # what the services import is theirs

import sqlalchemy as sa  # noqa: E402
from placement import db_api  # noqa: E402

from bench.peers.openstack.real_placement import RealPlacement  # noqa: E402
from binwright.openstack import placement_plugin  # noqa: E402
from binwright.openstack.comparison import answer_differences, error_differences  # noqa: E402
from binwright.openstack.placement.answer import candidates_answer  # noqa: E402
from binwright.openstack.placement.faults import Fault  # noqa: E402
from binwright.openstack.placement.microversion import parse_microversion  # noqa: E402
from binwright.openstack.placement.query import parse_query  # noqa: E402
from binwright.openstack.placement.replay import read_forest  # noqa: E402
from binwright.openstack.placement.search import CandidateSearch, SearchLimit  # noqa: E402
from binwright.openstack.placement_plugin import engine, feed, handler, objects, resident  # noqa: E402
from tests.openstack import random_clouds  # noqa: E402
from tests.plugins.placement_worker import as_service  # noqa: E402
from tests.plugins.placement_writes import CLASSES, QUERIES, Writes  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PLAIN = "resources=VCPU:1"


@pytest.fixture(scope="module")
def service():
    placement_plugin.install()
    placement_plugin.install()  # a second time changes nothing
    made = RealPlacement()
    made.application = as_service(made.application)
    return made


@pytest.fixture
def stock(service, monkeypatch):
    """A function that asks the service's own search."""

    def ask(query, microversion="1.39"):
        with monkeypatch.context() as patch:
            patch.setattr(objects, "answered", lambda *_: None)
            patch.setattr(handler, "answered", lambda *_: None)
            return service.candidates(query, microversion)

    return ask


def counted(reason="engine"):
    return placement_plugin.statistics().get(reason, 0)


def same(one, other):
    """Whether two answers are equal, candidates as a set."""
    if one[0] != other[0]:
        return [f"status {one[0]}, {other[0]}"]
    return list((answer_differences if one[0] == 200 else error_differences)(one[1], other[1]))


def layer(cloud, text, microversion):
    """The layer's own answer, from the cloud's recording."""
    version = parse_microversion(microversion)
    try:
        query = parse_query(text, version)
        search = CandidateSearch(read_forest(cloud), cloud["extra_traits"], cloud["extra_resource_classes"])
        answer = candidates_answer(search.answer(query), query, search.forest)
    except Fault as fault:
        return fault.status, fault.to_dict(version)
    if version < (1, 34):
        for one in answer["allocation_requests"]:
            one.pop("mappings", None)  # the service's objects have none before 1.34, recordings an empty one
    return 200, answer


@pytest.mark.parametrize("written", [True, False])
def test_answers_are_the_layers(service, monkeypatch, written):
    """Random clouds and queries of all microversions, through the JSON that is written at once and through objects."""
    if not written:
        monkeypatch.setattr(handler, "WRITTEN_SINCE", (1, 99))
    before, found = counted(), 0
    for seed in range(30):
        rng = random.Random(f"placement plug-in {seed}")
        cloud = random_clouds.cloud(rng)
        service.fill(cloud)
        for _ in range(8):
            query, microversion = random_clouds.query(rng, len(cloud["resource_providers"]))
            if "limit" in query:
                continue
            theirs = service.candidates(query, microversion)
            problems = same(layer(cloud, query, microversion), theirs)
            assert not problems, f"seed {seed}: {query} at {microversion}: {problems}"
            found += bool(theirs[1].get("allocation_requests"))
    assert found > 40
    assert counted() - before > 100


def test_the_copy_follows_every_kind_of_write(service, stock):
    """After each of some hundred writes: a copy made anew finds the same, and where no defect shows so does stock."""
    writes = Writes("one process")

    def ask(call):
        status, body = service.call(*call)
        return status, json.loads(body) if body else None

    service.fill({"resource_providers": [], "allocations": {}, "extra_traits": [], "extra_resource_classes": []})
    accepted = Counter()
    found = 0
    for calls in (writes.setup(), *(writes.calls(ask) for _ in range(300))):
        for call in calls:
            if ask(call)[0] >= 300:
                continue
            parts = [part for part in call[1].split("/") if "-4000-" not in part]
            kind = f"{call[0]} {'/'.join('CLASS' if part in CLASSES[:2] else part for part in parts)}"
            accepted[kind] += 1
            if accepted[kind] > 12:
                continue
            query = writes.rng.choice(QUERIES[-2:] if "CUSTOM" in kind else QUERIES)
            looked = service.candidates(query, "1.39")
            found += bool(looked[1].get("allocation_requests"))
            engine._residents.clear()
            where = f"after {call}: {query}"
            assert not same(service.candidates(query, "1.39"), looked), where
            if "1=" not in query and not _has_shared(service):
                assert not same(stock(query), looked), where
    assert found > 40
    assert [kind for kind in WRITTEN if not accepted[kind]] == []


WRITTEN = (
    "POST /resource_providers",
    "DELETE /resource_providers",
    "PUT /resource_providers/inventories",
    "PUT /resource_providers/inventories/CLASS",
    "DELETE /resource_providers/inventories/CLASS",
    "PUT /resource_providers/traits",
    "DELETE /resource_providers/traits",
    "PUT /resource_providers/aggregates",
    "PUT /allocations",
    "DELETE /allocations",
    "POST /allocations",
    "POST /reshaper",
    "PUT /traits/CUSTOM_NEW",
    "DELETE /traits/CUSTOM_NEW",
    "PUT /resource_classes/CUSTOM_NEW",
    "DELETE /resource_classes/CUSTOM_NEW",
)


def _has_shared(service):
    status, body = service.call("GET", "/resource_providers?required=MISC_SHARES_VIA_AGGREGATE", None, "1.39")
    assert status == 200
    return bool(json.loads(body)["resource_providers"])


def test_a_claim_costs_no_new_compilation(service):
    """Nor does a release; an inventory that is written as it was is no change."""
    service.fill(random_clouds.cloud(random.Random("claims")) | {"resource_providers": [], "allocations": {}})
    uuid = random_clouds.uuid_of(1)
    service.call("POST", "/resource_providers", {"name": "one", "uuid": uuid}, "1.39")
    body = {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 3}}}
    service.call("PUT", f"/resource_providers/{uuid}/inventories", body, "1.39")

    def used():
        return service.candidates(PLAIN, "1.39")[1]["provider_summaries"][uuid]["resources"]["VCPU"]["used"]

    assert used() == 0
    (copy,) = [one for one in engine._residents.values() if one is not None]
    before = copy.rebuilt
    consumer = random_clouds.uuid_of(99)
    claim = {"allocations": {uuid: {"resources": {"VCPU": 2}}}, "project_id": "p", "user_id": "u"}
    claim |= {"consumer_generation": None, "consumer_type": "INSTANCE"}
    assert service.call("PUT", f"/allocations/{consumer}", claim, "1.39")[0] == 204
    assert used() == 2
    body = {"resource_provider_generation": 2, "inventories": {"VCPU": {"total": 3}}}
    assert service.call("PUT", f"/resource_providers/{uuid}/inventories", body, "1.39")[0] == 200
    assert used() == 2
    assert service.call("DELETE", f"/allocations/{consumer}", None, "1.39")[0] == 204
    assert used() == 0
    assert copy.rebuilt == before


def test_limits_and_the_order_of_generation_are_the_services(service):
    """limit, a cap on generation, breadth first, random order."""
    stocks = {"VCPU": {"total": 4, "reserved": 0, "min_unit": 1, "max_unit": 4, "step_size": 1, "allocation_ratio": 1}}
    children = [
        {"uuid": f"{number:08x}-0001-4000-8000-{child:012d}", "parent_provider_uuid": random_clouds.uuid_of(number),
         "name": f"c{number}.{child}", "inventories": stocks, "traits": [], "aggregates": []}
        for number in range(3) for child in range(4)
    ]  # fmt: skip
    roots = [
        {"uuid": random_clouds.uuid_of(number), "parent_provider_uuid": None, "name": f"r{number}", "inventories": {},
         "traits": [], "aggregates": []}
        for number in range(3)
    ]  # fmt: skip
    cloud = {
        "resource_providers": roots + children,
        "allocations": {},
        "extra_traits": [],
        "extra_resource_classes": [],
    }
    service.fill(cloud)

    def firsts(query, **settings):
        for name, value in settings.items():
            service.config.set_override(name, value, group="placement")
        answer = service.candidates(query, "1.39")[1]
        for name in settings:
            service.config.clear_override(name, group="placement")
        uuids = [next(iter(one["allocations"])) for one in answer["allocation_requests"]]
        assert {one[:8] for one in uuids} == {one[:8] for one in answer["provider_summaries"]}
        return uuids

    assert len(firsts(PLAIN)) == 12
    assert len(firsts(PLAIN + "&limit=5")) == 5
    assert len(firsts(PLAIN, max_allocation_candidates=4)) == 4
    breadth = {"allocation_candidates_generation_strategy": "breadth-first", "max_allocation_candidates": 6}
    assert sorted(one[:8] for one in firsts(PLAIN, **breadth)) == sorted(2 * [one["uuid"][:8] for one in roots])
    drawn = {tuple(firsts(PLAIN + "&limit=3", randomize_allocation_candidates=True)) for _ in range(20)}
    assert len(drawn) > 5
    assert len({one for some in drawn for one in some}) > 8


def test_refusals_are_the_services(service, stock):
    """Words, status and code; they are counted as left."""
    for query in ("resources=CUSTOM_NOBODY:1", PLAIN + "&required=CUSTOM_NOBODY", "resources=VCPU:0", "limit=1"):
        before = counted("unknown name")
        mine, theirs = service.candidates(query, "1.39"), stock(query)
        assert mine[0] == theirs[0] == 400
        assert mine[1]["errors"][0]["detail"] == theirs[1]["errors"][0]["detail"]
        assert counted("unknown name") - before == ("NOBODY" in query)


def test_a_search_that_gives_up_is_left_to_the_service(service, stock, monkeypatch):
    def gives_up(*_args):
        raise SearchLimit("too much")

    service.fill(random_clouds.cloud(random.Random("gives up")))
    for name in ("answer", "find"):
        monkeypatch.setattr(CandidateSearch, name, gives_up)
    before = counted("search limit")
    assert not same(service.candidates(PLAIN, "1.39"), stock(PLAIN))
    assert not same(service.candidates(PLAIN, "1.20"), stock(PLAIN, "1.20"))
    assert counted("search limit") - before == 2


def test_a_database_without_feed_leaves_all_to_the_service(service, stock, monkeypatch):
    """For a while, which is said once; then the feed is tried again."""
    said, real = [], engine.create
    monkeypatch.setattr(engine.LOG, "error", lambda text, *words: said.append(text % words))

    def refused(_engine):
        raise feed.NoFeed("change feed: the database refuses")

    service.fill(random_clouds.cloud(random.Random("no feed")))
    monkeypatch.setattr(engine, "create", refused)
    engine._residents.clear()
    before = counted("no change feed")
    for _ in range(2):
        assert not same(service.candidates(PLAIN, "1.39"), stock(PLAIN))
    assert counted("no change feed") - before == 2
    assert said == ["binwright: change feed: the database refuses; searches stay with Placement for 60 s"]
    now = time.monotonic()
    monkeypatch.setattr(engine, "create", real)
    monkeypatch.setattr(time, "monotonic", lambda: now + engine.RETRY_SECONDS + 1)
    through = counted()
    assert not same(service.candidates(PLAIN, "1.39"), stock(PLAIN))
    assert counted() - through == 1
    engine._residents.clear()


def test_old_notes_are_deleted_by_the_worker_that_reads_them(service, monkeypatch):
    """After so many changes, outside the search's own transaction; nothing is missed by it."""
    for module in (feed, resident):
        monkeypatch.setattr(module, "KEPT", 40)
    rng = random.Random("old notes")
    for _ in range(20):
        cloud = random_clouds.cloud(rng)
        service.fill(cloud)
        assert not same(layer(cloud, PLAIN, "1.39"), service.candidates(PLAIN, "1.39"))
    with db_api.get_placement_engine().connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM binwright_changes").scalar() < 400
    assert counted("error") == 0


# -- the feed alone


@pytest.fixture
def database():
    """An empty database with the tables that the feed follows."""
    service_tables = "\n".join(sorted({table for table, *_ in feed.FOLLOWED}))
    made = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    columns = {table: {owner, *names} - {None} for table, _, owner, names in feed.FOLLOWED}
    with made.begin() as connection:
        for table in service_tables.split():
            connection.exec_driver_sql(f"CREATE TABLE {table} ({', '.join(sorted(columns[table] | {'other'}))})")
    return made


def write(database, statement):
    with database.begin() as connection:
        connection.exec_driver_sql(statement)


def told(reader, database):
    with database.connect() as connection:
        changes = reader.read(connection)
    return None if changes is None else [(one.kind, one.provider_id) for one in changes]


def reading(database):
    reader = feed.Feed()
    with database.connect() as connection:
        reader.start(connection)
    return reader


def test_every_table_is_followed_and_only_what_counts(database):
    feed.create(database)
    feed.create(database)
    reader = reading(database)
    for table, kind, owner, names in feed.FOLLOWED:
        noted = None if owner is None else 7
        filled = dict.fromkeys(names, 7) | ({owner: 7} if owner else {})
        write(database, f"INSERT INTO {table} ({', '.join(filled)}) VALUES ({', '.join(map(str, filled.values()))})")
        assert told(reader, database) == [(kind, noted)], table
        write(database, f"UPDATE {table} SET other = 1, {names[0]} = 7")
        assert told(reader, database) == [], table
        for name in names:
            write(database, f"UPDATE {table} SET {name} = 8")
            assert (kind, noted) in told(reader, database), f"{table}.{name}"
            write(database, f"UPDATE {table} SET {name} = 7")
            told(reader, database)
        write(database, f"DELETE FROM {table}")
        assert told(reader, database) == [(kind, noted)], table


def test_what_is_rolled_back_is_not_told(database):
    feed.create(database)
    reader = reading(database)
    with database.connect() as connection:
        connection.exec_driver_sql("INSERT INTO allocations (resource_provider_id) VALUES (3)")
        connection.rollback()
    assert told(reader, database) == []


def test_a_number_that_comes_late_is_not_missed(database, monkeypatch):
    """Its transaction began before, and ended after, one with a higher number."""
    feed.create(database)
    reader = reading(database)
    write(database, "INSERT INTO binwright_changes (id, kind, provider_id) VALUES (10, 'usage', 1)")
    assert told(reader, database) == [("usage", 1)]
    write(database, "INSERT INTO binwright_changes (id, kind, provider_id) VALUES (8, 'provider', 2)")
    assert told(reader, database) == [("provider", 2)]
    late = reading(database)  # one that starts meanwhile waits for it too
    write(database, "INSERT INTO binwright_changes (id, kind, provider_id) VALUES (9, 'usage', 3)")
    assert told(reader, database) == told(late, database) == [("usage", 3)]
    assert told(reader, database) == []
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + feed.PATIENCE + 1)
    assert told(reader, database) == []
    assert not reader.missing


def test_an_older_transaction_has_nothing_to_tell(database):
    """One that began before the last change that was read, or a replica that is behind."""
    feed.create(database)
    reader = reading(database)
    reader.last += 3
    assert told(reader, database) == []
    for number in (1, 2, 3, 4):
        write(database, f"INSERT INTO allocations (resource_provider_id) VALUES ({number})")
    assert told(reader, database) == [("usage", 4)]


def test_whoever_is_far_behind_reads_everything(database, monkeypatch):
    """Behind what was deleted, behind too much, or behind a feed that was made anew."""
    feed.create(database)
    slow, far = reading(database), reading(database)
    monkeypatch.setattr(feed, "KEPT", 20)
    for number in range(60):
        write(database, f"INSERT INTO allocations (resource_provider_id) VALUES ({number})")
        if number == 5:
            assert len(told(far, database)) == 6
    assert told(far, database) is None
    quick = reading(database)
    quick.prune(database)
    with database.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM binwright_changes").scalar() == 22  # and "ready"
    assert told(slow, database) is None
    assert told(quick, database) == []
    feed.drop(database)
    feed.create(database)
    assert told(quick, database) is None


def test_a_feed_that_two_workers_make_at_once_is_read_anew_by_the_first(database):
    """The second drops the first one's triggers for a moment, and MySQL takes writes meanwhile."""
    feed.create(database)
    with database.connect() as connection:
        reader = feed.Feed()
        reader.start(connection)
        before = reader.token
        connection.rollback()
        with database.begin() as other:
            for statement in feed.statements(database.dialect.name, before + 1):
                other.exec_driver_sql(statement)
        assert reader.read(connection) is None
        reader.start(connection)
        assert reader.token == before + 1
        assert reader.read(connection) == []


def test_a_feed_is_taken_out_again(database):
    feed.create(database)
    feed.drop(database)
    with database.connect() as connection:
        kept = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name LIKE '%binwright%'").all()
    assert kept == []
    write(database, "INSERT INTO allocations (resource_provider_id) VALUES (3)")


def test_a_feed_that_cannot_be_made_is_one_clear_line(tmp_path):
    with pytest.raises(feed.NoFeed, match="no triggers are known for a database of kind oracle"):
        list(feed.statements("oracle", 1))
    empty = sa.create_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(feed.NoFeed, match=r"refuses to make table binwright_changes.*no such table") as told_so:
        feed.create(empty)
    assert "\n" not in str(told_so.value)


# -- several workers


class Worker:
    """A process of `placement_worker`."""

    def __init__(self, url, kind):
        command = [sys.executable, "-m", "tests.plugins.placement_worker", url, kind]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.process.stdout.readline() == "ready\n"

    def ask(self, call):
        self.process.stdin.write(json.dumps(call) + "\n")
        status, body, self.counts = json.loads(self.process.stdout.readline())
        return status, body

    def candidates(self, query):
        return self.ask(["GET", f"/allocation_candidates?{query}", None, "1.39"])

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)


@pytest.mark.parametrize("url", ["sqlite:///{}/placement.db", *os.environ.get("PLACEMENT_URLS", "").split()])
def test_two_workers_follow_each_other_and_a_third_that_knows_of_nothing(tmp_path, url):
    """One database; the stock worker and one with the plug-in write in turn, two with it look after each write.

    PLACEMENT_URLS: further databases, empty ones, as SQLAlchemy writes them.
    """
    url = url.format(tmp_path)
    workers = [Worker(url, "stock"), Worker(url, "plugin"), Worker(url, "plugin")]
    plain, first, second = workers
    try:
        writes = Writes("workers")
        for call in writes.setup():
            plain.ask(call)
        found = 0
        for number in range(40):
            writer = workers[number % 2]
            for call in writes.calls(writer.ask):
                writer.ask(call)
            for query in QUERIES[:4]:
                one, other = first.candidates(query), second.candidates(query)
                assert not same(one, other), f"write {number}: {query}"
                found += len(one[1]["allocation_requests"])
        assert found > 100
        assert first.counts == second.counts == {"engine": 160}
        assert not same(plain.candidates(PLAIN + "&limit=1000"), first.candidates(PLAIN + "&limit=1000"))
        assert plain.counts == {}
    finally:
        for one in workers:
            one.end()
    assert [one.process.returncode for one in workers] == [0, 0, 0]
