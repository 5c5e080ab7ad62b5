"""SQLStore on real servers: round trips, connections, sweeping, the schema, and sessions from end to end."""

from __future__ import annotations

import contextlib
import os
from functools import partial

import pytest
import sqlalchemy as sa

from cookiesess.errors import ConfigurationError
from cookiesess.stores.base import Conflict, Page, Updated
from cookiesess.stores.sql import SQLStore, create_schema, migrate, sessions_table
from cookiesess.stores.sql import connections as sql_connections
from kit.constants import NOW
from kit.listing import listed
from kit.servers.proxy import Proxy
from kit.servers.sql import KINDS, PATIENT, Database, create, key, loaded, record, update
from kit.threads import Call, in_threads
from kit.views import ann, count, invalidate, put, renew
from kit.world import World


@pytest.fixture(params=KINDS)
def database(request):
    """A new database with the table, on the server that the tests share."""
    server = request.getfixturevalue(f"{request.param}_server")
    found = Database(request.param, server, request.getfixturevalue(f"{request.param}_database"))
    migrate(found.url(PATIENT))
    return found


@pytest.fixture
def store(database):
    with contextlib.closing(database.open()) as opened:
        yield opened
        opened._connections.engine.dispose()  # what the tests of the schema have used


@pytest.fixture
def proxy(database):
    with Proxy(database.server.port) as passing:
        yield passing


@pytest.fixture
def far(database, proxy):
    """A store behind the proxy, with one record, and its statements prepared where the driver does so."""
    with contextlib.closing(database.open(port=proxy.port)) as opened:
        create(opened, 1)
        opened.create(key(4), record(owner=b"bob"), now=NOW)
        for _ in range(8):
            version = loaded(opened, 1).version
            assert opened.touch(key(1), expires_at=NOW + 60, expected_version=version, now=NOW)
            assert isinstance(update(opened, 1, b"payload", version=version), Updated)
            opened.records_of(b"bob", now=NOW, limit=9)
            opened.load_many([key(1), key(2)], now=NOW)
            opened.delete(key(2))
            opened.delete(key(2), expected_version=0)
            opened.delete_many({key(2): 0})
            create(opened, 3)
            opened.delete(key(3))
        yield opened


CALLS = {
    "load": lambda store, version: store.load(key(1), now=NOW),
    "load_many": lambda store, version: store.load_many([key(1), key(2)], now=NOW),
    "records_of": lambda store, version: store.records_of(b"bob", now=NOW, limit=9),
    "create": lambda store, version: create(store, 3),
    "update": lambda store, version: update(store, 1, b"new", version=version),
    "touch": lambda store, version: store.touch(key(1), expires_at=NOW + 9, expected_version=version, now=NOW),
    "delete": lambda store, version: store.delete(key(1)),
    "delete_many": lambda store, version: store.delete_many({key(1): version}),
    "delete of a version": lambda store, version: store.delete(key(1), expected_version=version),
}


@pytest.mark.parametrize("call", CALLS)
def test_each_method_is_one_round_trip(far, proxy, call):
    """The row of the table: one round trip."""
    version = loaded(far, 1).version
    before = proxy.round_trips
    CALLS[call](far, version)
    assert proxy.round_trips - before == 1


def test_a_read_and_a_write_of_a_session_are_one_round_trip_each(far, proxy):
    world = World(far)
    browser = world.browser(put("a", 1))
    for number in range(8):
        browser.visit(put("a", number))
    before = proxy.round_trips
    browser.visit()
    assert proxy.round_trips - before == 1
    browser.visit(put("a", "new"))
    assert proxy.round_trips - before == 3


def test_a_conflict_costs_one_more(far, proxy):
    before = proxy.round_trips
    assert isinstance(update(far, 1, b"new", version=0), Conflict)
    assert proxy.round_trips - before == 2


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.load(key(9), now=NOW),
        lambda store: store.load_many([key(9)], now=NOW),
        lambda store: store.records_of(b"nobody", now=NOW, limit=9),
    ],
    ids=["load", "load_many", "records_of"],
)
def test_what_finds_nothing_asks_as_well_whether_the_server_takes_writes(far, proxy, call):
    before = proxy.round_trips
    assert call(far) in (None, {}, Page({}, None))
    assert proxy.round_trips - before == 2


def test_one_connection_serves_one_request_after_another(far, proxy):
    before = proxy.connections
    for number in range(10, 30):
        create(far, number)
    assert proxy.connections == before


def test_the_constructor_leaves_no_connection_open(database):
    with contextlib.closing(database.open()) as opened:
        assert database.connections() == 0
        create(opened, 1)
        assert database.connections() == 1


def test_a_connection_that_was_closed_while_idle_fails_no_request(far, proxy):
    proxy.cut()
    assert loaded(far, 1).payload == b"payload"
    proxy.cut()
    assert isinstance(update(far, 1, b"new"), Updated)


def test_all_connections_of_a_pool_may_have_been_closed_while_idle(database, proxy):
    with contextlib.closing(database.open(port=proxy.port)) as far:
        create(far, 1)
        in_threads(*[partial(loaded, far, 1)] * 8)
        proxy.cut()
        assert in_threads(*[partial(loaded, far, 1)] * 8)[0].payload == b"payload"


@pytest.fixture
def server_side(store, database):
    """Tells which of the server's own processes or threads answers the store's connection."""

    def ask() -> int:
        with contextlib.closing(store._connections.pool.connect()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT connection_id()" if database.kind == "mariadb" else "SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    return ask


def test_a_child_of_a_fork_uses_none_of_its_parents_connections(store, server_side):
    create(store, 1)
    parents = server_side()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Whatever happens, the child must not go on as a second test run.
        try:
            store.delete(key(1))
            os.write(writing, b"%d" % server_side())
        finally:
            os._exit(0)
    os.close(writing)
    assert int(os.read(reading, 20)) != parents
    os.close(reading)
    os.waitpid(child, 0)
    assert server_side() == parents
    assert store.load(key(1), now=NOW) is None


def test_after_a_fork_the_connections_from_before_are_kept_but_not_used(store, server_side):
    parents = server_side()
    sql_connections._after_fork_in_child()
    assert server_side() != parents
    while sql_connections._abandoned:
        sql_connections._abandoned.pop().dispose()


def test_what_interrupts_a_call_does_not_leave_its_answer_to_the_next_one(store, database):
    create(store, 1, 2)

    class Interrupt(BaseException):
        pass

    def interrupted(_):
        raise Interrupt

    with pytest.raises(Interrupt):
        store._connections._run(store._do.load, {"key": key(1), "now": NOW}, interrupted)
    assert database.connections() == 0
    assert loaded(store, 2).payload == b"payload"


def test_a_record_that_has_expired_is_replaced(store):
    create(store, 1, lives=60)
    store.create(key(1), record(b"second"), now=NOW + 60)
    assert store.load(key(1), now=NOW + 60).payload == b"second"


# Sweeping


def test_a_row_that_another_transaction_has_locked_is_left_for_the_next_sweep(store, database):
    create(store, 1, 2, 3, lives=60)
    with contextlib.closing(database.connect()) as other:
        other.cursor().execute("SELECT version FROM cookiesess_sessions ORDER BY expires_at LIMIT 1 FOR UPDATE")
        assert Call(lambda: store.delete_expired(now=NOW + 60, limit=10)).result() == 2
        other.rollback()
    assert store.delete_expired(now=NOW + 60, limit=10) == 1


def test_two_sweeps_at_once_count_each_row_once(store):
    create(store, *range(100), lives=60)
    counts = in_threads(*[lambda: sum(iter(lambda: store.delete_expired(now=NOW + 60, limit=10), 0))] * 4)
    assert sum(counts) == 100


def test_each_batch_of_a_sweep_begins_where_the_one_before_ended(store):
    """Not at rows that were deleted and that the database keeps, for an old transaction's sake."""
    for number in range(5):
        create(store, number, lives=60 + number)
    rows, since = store._connections.rows, []
    store._connections.rows = lambda statement, values: since.append(values["since"]) or rows(statement, values)
    assert [store.delete_expired(now=NOW + 90, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert since == [0, NOW + 61, NOW + 63, 0]


def test_a_sweep_that_goes_on_leaves_no_row_of_the_same_second_behind(store):
    create(store, *range(7), lives=60)
    assert [store.delete_expired(now=NOW + 90, limit=3) for _ in range(4)] == [3, 3, 1, 0]


def test_what_a_sweep_has_passed_is_found_by_the_next_one(store):
    create(store, 1, 2, lives=60)
    assert store.delete_expired(now=NOW + 90, limit=2) == 2
    create(store, 3, lives=30)
    assert [store.delete_expired(now=NOW + 90, limit=2) for _ in range(2)] == [0, 1]


# The schema


def test_creating_the_schema_twice_changes_nothing(store, database):
    create(store, 1)
    create_schema(store._connections.engine)
    assert migrate(database.url()) == "cookiesess_sessions"
    assert loaded(store, 1).payload == b"payload"


def test_processes_that_create_the_schema_at_once_do_not_fail_each_other(store, database):
    for number in range(5):
        table = f"sessions_{number}"
        in_threads(*[lambda table=table: migrate(database.url(f"?table={table}"))] * 6)
        indexes = sa.inspect(store._connections.engine).get_indexes(table)
        assert {index["name"] for index in indexes} == {f"{table}_by_expiry", f"{table}_by_owner"}


def test_an_index_that_is_missing_is_created(store, database):
    engine = store._connections.engine
    (index,) = [index for index in sessions_table(sa.MetaData()).indexes if index.name.endswith("_by_owner")]
    index.drop(engine)
    create_schema(engine)
    assert len(sa.inspect(engine).get_indexes("cookiesess_sessions")) == 2


def test_an_index_of_the_first_version_is_replaced(store, database):
    engine = store._connections.engine
    table = sessions_table(sa.MetaData())
    (index,) = [index for index in table.indexes if index.name.endswith("_by_owner")]
    create(store, 1)
    for _ in range(2):
        index.drop(engine)
        database.run("CREATE INDEX cookiesess_sessions_by_owner ON cookiesess_sessions (owner)")
        in_threads(*[lambda: migrate(database.url())] * 4)
        columns = {each["name"]: each["column_names"] for each in sa.inspect(engine).get_indexes("cookiesess_sessions")}
        assert columns["cookiesess_sessions_by_owner"] == ["owner", "key"]
    assert loaded(store, 1).payload == b"payload"


def test_a_table_whose_index_is_of_the_first_version_lists_the_same(store, database):
    engine = store._connections.engine
    (index,) = [index for index in sessions_table(sa.MetaData()).indexes if index.name.endswith("_by_owner")]
    index.drop(engine)
    database.run("CREATE INDEX cookiesess_sessions_by_owner ON cookiesess_sessions (owner)")
    for number in range(5):
        store.create(key(number), record(owner=b"ann"), now=NOW)
    assert listed(store, b"ann", now=NOW, limit=2).keys() == {key(number) for number in range(5)}


def test_a_table_of_another_name_is_another_store(store, database):
    migrate(database.url("?table=others"))
    with contextlib.closing(database.open(f"{PATIENT}&table=others")) as other:
        create(other, 1)
        assert store.load(key(1), now=NOW) is None


@pytest.mark.parametrize("name", ["", "a b", 'a"; DROP TABLE b; --', "auth.sessions", "a" * 54])
def test_a_table_has_a_plain_name(name):
    with pytest.raises(ConfigurationError, match="letters, digits and underscores"):
        sessions_table(sa.MetaData(), name)


def test_the_table_can_be_part_of_an_apps_own_metadata(store):
    metadata = sa.MetaData()
    assert metadata.tables == {"mine": sessions_table(metadata, "mine")}
    metadata.create_all(store._connections.engine)
    with contextlib.closing(SQLStore(store._connections.engine, table="mine")) as mine:
        create(mine, 1)
    assert store.load(key(1), now=NOW) is None


def test_a_plan_for_each_query_uses_an_index(store, database):
    if database.kind != "postgresql":
        pytest.skip("MariaDB's planner takes small tables whole")
    queries = [
        "SELECT payload FROM cookiesess_sessions WHERE key = '' AND expires_at > 0",
        "SELECT key FROM cookiesess_sessions WHERE expires_at <= 0 ORDER BY expires_at LIMIT 9 FOR UPDATE SKIP LOCKED",
        "SELECT summary FROM cookiesess_sessions WHERE owner = '' AND key > '' ORDER BY key LIMIT 9",
    ]
    database.run(f"ALTER DATABASE {database.name} SET enable_seqscan = off")
    for query in queries:
        plan = " ".join(str(line) for (line,) in database.run(f"EXPLAIN {query}"))
        assert "Index" in plan
        assert "Seq Scan" not in plan
        assert "Sort" not in plan


# From end to end


@pytest.fixture
def world(store):
    return World(store)


def test_a_session_comes_back(world):
    browser = world.browser(put("username", "萧兮"))
    assert browser.read() == {"username": "萧兮"}
    browser.visit(renew)
    assert browser.read() == {"username": "萧兮"}


def test_a_slow_request_does_not_bring_back_what_was_logged_out(world):
    browser = world.browser(ann)
    slow = browser.open(put("a", "late"))
    other = world.browser(header=browser.header)
    other.visit(invalidate)
    assert slow.finish() == []
    assert browser.read() == {}
    assert world.manager.sessions_of("ann") == []


def test_a_counter_that_many_threads_push_stands_exactly_right(world):
    browser = world.browser(put("n", 0))

    def push():
        for _ in range(10):
            browser.open(count).finish()

    in_threads(*[push] * 8)
    assert browser.read() == {"n": 80}


def test_all_of_an_owners_sessions_end(world):
    browsers = [world.browser(ann) for _ in range(5)]
    bob = world.browser(lambda session: session.login("bob"))
    assert world.manager.end_all("ann") == 5
    assert [browser.read() for browser in browsers] == [{}] * 5
    assert len(world.manager.sessions_of("bob")) == 1
    assert bob.header


def test_the_repr_names_the_place_without_user_and_password(store, database):
    assert repr(store) == f"<SQLStore: the table cookiesess_sessions of {database.kind} 127.0.0.1/{database.name}>"
