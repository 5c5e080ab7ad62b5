"""SQLStore when things break. Each test asserts its row of the table: nothing acknowledged is lost, nothing that was
ended returns, and no request hangs past its timeout.
"""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from cookiesess.errors import ConfigurationError, RecordExists, StoreUnavailable
from cookiesess.stores.base import Gone, Updated
from cookiesess.stores.sql import SQLStore, migrate
from cookiesess.stores.sql import connections as sql_connections
from cookiesess.stores.sql.errors import is_transient
from kit.constants import NOW
from kit.servers import mariadb, postgresql
from kit.servers.proxy import Proxy
from kit.servers.sql import KINDS, PATIENT, Database, create, key, loaded, update
from kit.threads import Call, in_threads, until
from kit.views import ann, count, invalidate, put
from kit.world import World

QUICK = "?timeout=1&connect_timeout=1"


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


@pytest.fixture
def proxy(database):
    with Proxy(database.server.port) as passing:
        yield passing


@pytest.fixture
def far(database, proxy):
    """A store behind the proxy, with one record."""
    with contextlib.closing(database.open(port=proxy.port)) as opened:
        create(opened, 1)
        yield opened


@pytest.fixture(scope="module", params=KINDS)
def own_server(request):
    """A server that a test may stall, kill and set otherwise; it keeps what it acknowledged, whatever happens."""
    make = {
        "postgresql": partial(postgresql.postgresql, max_connections=20, superuser_reserved_connections=0),
        "mariadb": mariadb.mariadb,
    }[request.param]
    with make() as server:
        yield request.param, server


@pytest.fixture
def own(own_server):
    kind, server = own_server
    name = f"own_{uuid4().hex}"
    KINDS[kind].run(server.port, f"CREATE DATABASE {name}")
    found = Database(kind, server, name)
    migrate(found.url(PATIENT))
    yield found
    KINDS[kind].run(server.port, f"DROP DATABASE {name}" + (" WITH (FORCE)" if kind == "postgresql" else ""))


def is_update(data: bytes) -> bool:
    return b"UPDATE" in data


# A connection that breaks


@pytest.mark.parametrize("moment", ["before", "within"])
def test_an_update_that_did_not_arrive_is_reported_and_not_done(far, proxy, moment):
    version = loaded(far, 1).version
    proxy.drop(moment, match=is_update)
    with pytest.raises(StoreUnavailable) as caught:
        Call(lambda: update(far, 1, b"lost", version=version)).result()
    assert caught.value.__cause__ is not None
    assert loaded(far, 1).payload == b"payload"
    assert isinstance(update(far, 1, b"again", version=version), Updated)


def test_an_update_whose_answer_was_lost_is_done_once(far, proxy):
    version = loaded(far, 1).version
    proxy.drop("after", match=is_update)
    with pytest.raises(StoreUnavailable):
        Call(lambda: update(far, 1, b"new", version=version)).result()
    found = loaded(far, 1)
    assert (found.payload, found.version) == (b"new", version + 1)


def test_a_counter_whose_answer_was_lost_is_not_pushed_twice(far, proxy):
    world = World(far)
    browser = world.browser(put("n", 0))
    proxy.drop("after", match=is_update)
    with pytest.raises(StoreUnavailable):
        browser.open(count).finish()
    assert browser.read() == {"n": 1}
    browser.open(count).finish()
    assert browser.read() == {"n": 2}


def test_a_create_whose_answer_was_lost_is_reported(far, proxy):
    proxy.drop("after", match=lambda data: b"INSERT" in data)
    with pytest.raises(StoreUnavailable):
        create(far, 2)
    with pytest.raises(RecordExists):
        create(far, 2)


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_logout_that_was_cut_off_is_reported_and_can_be_repeated(far, proxy, moment):
    world = World(far)
    browser = world.browser(ann)
    slow = browser.open(put("a", "late"))
    proxy.drop(moment, match=lambda data: b"DELETE" in data)
    with pytest.raises(StoreUnavailable):
        browser.open(invalidate).finish()
    world.manager.end_all("ann")
    assert slow.finish() == []
    assert (browser.read(), world.manager.sessions_of("ann")) == ({}, [])


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_read_that_was_cut_off_is_repeated_once(far, proxy, moment):
    proxy.drop(moment)
    assert loaded(far, 1).payload == b"payload"


def test_a_read_that_was_cut_off_twice_is_reported_and_the_next_one_works(far, proxy):
    proxy.drop("after", times=2)
    with pytest.raises(StoreUnavailable, match=r"log|the connection broke"):
        loaded(far, 1)
    assert loaded(far, 1).payload == b"payload"


def test_reads_go_on_while_an_administrator_ends_every_connection(store, database):
    create(store, 1)
    for _ in range(10):
        reads = Call(lambda: [loaded(store, 1).payload for _ in range(100)])
        if database.kind == "postgresql":
            database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        else:
            rows = database.run(
                f"SELECT id FROM information_schema.processlist WHERE db = '{database.name}' AND id <> connection_id()"
            )
            for (number,) in rows:
                with contextlib.suppress(Exception):  # it has gone by itself
                    database.run(f"KILL {number}")
        assert reads.result() == [b"payload"] * 100


def test_a_server_that_refuses_connections_is_unavailable(far, proxy):
    proxy.refuse()
    proxy.cut()
    with pytest.raises(StoreUnavailable) as caught:
        Call(lambda: loaded(far, 1)).result()
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.__cause__)
    proxy.refuse(False)
    assert loaded(far, 1).payload == b"payload"


def test_no_error_quotes_what_was_written(far, proxy):
    proxy.drop("before", match=is_update)
    with pytest.raises(StoreUnavailable) as caught:
        update(far, 1, b"a secret payload", version=loaded(far, 1).version)
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in f"{error}{error.args}"
        error = error.__cause__


# A server that hangs


def test_a_network_that_swallows_everything_is_unavailable_in_time(database, proxy):
    with contextlib.closing(database.open(QUICK, port=proxy.port)) as far:
        create(far, 1)
        version = loaded(far, 1).version
        proxy.hold()
        calls = [Call(lambda: loaded(far, 1)), Call(lambda: update(far, 1, b"late", version=version))]
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call.result()
        proxy.release()
        assert loaded(far, 1).payload in {b"payload", b"late"}


def test_a_pool_whose_connections_all_wait_is_unavailable_in_time(database, proxy):
    with contextlib.closing(database.open(f"{QUICK}&pool_size=1", port=proxy.port)) as far:
        create(far, 1)
        proxy.hold()
        calls = [Call(lambda: loaded(far, 1)) for _ in range(4)]
        for call in calls:
            with pytest.raises(StoreUnavailable):
                call.result()
        proxy.release()
        assert loaded(far, 1).payload == b"payload"


def test_a_pool_that_is_too_small_says_so(database):
    with contextlib.closing(database.open("?timeout=0.1&pool_size=1")) as store:
        with (
            contextlib.closing(store._connections.pool.connect()),
            pytest.raises(StoreUnavailable, match="raise pool_size"),
        ):
            store.load(key(1), now=NOW)
        assert store.load(key(1), now=NOW) is None


def test_a_stalled_server_is_unavailable_in_time_and_what_it_does_later_harms_nothing(own):
    with contextlib.closing(own.open(QUICK)) as store:
        create(store, 1, 2, 3)
        version = loaded(store, 2).version
        own.server.stall()
        try:
            calls = [
                Call(lambda: loaded(store, 1)),
                Call(lambda: update(store, 2, b"late", version=version)),
                Call(lambda: store.delete(key(3))),
            ]
            for call in calls:
                with pytest.raises(StoreUnavailable):
                    call.result()
            # A connection to be made takes longer: psycopg gives each at least two seconds.
            with pytest.raises(StoreUnavailable):
                Call(lambda: loaded(store, 1)).result()
        finally:
            own.server.resume()
        assert loaded(store, 1).payload == b"payload"
        store.delete(key(2))
        assert isinstance(update(store, 2, b"late", version=version), Gone)
        store.delete(key(3))
        # Those who were asked while they hung have answered, or given up, when nobody but this store is connected.
        until(lambda: own.connections() <= 1)
        assert store.load_many([key(2), key(3)], now=NOW) == {}


def test_another_transactions_lock_is_waited_for_no_longer_than_the_timeout(database):
    with contextlib.closing(database.open("?timeout=0.5")) as store:
        create(store, 1)
        version = loaded(store, 1).version
        with contextlib.closing(database.connect()) as other:
            other.cursor().execute("SELECT version FROM cookiesess_sessions FOR UPDATE")
            assert loaded(store, 1).version == version
            with pytest.raises(StoreUnavailable):
                Call(lambda: update(store, 1, b"new", version=version)).result()
            other.rollback()
        assert isinstance(Call(lambda: store.delete(key(1))).result(), bool)


# A server that is killed


def test_what_was_acknowledged_is_there_after_a_kill_and_a_restart(own):
    with contextlib.closing(own.open()) as store:
        create(store, *range(5))
        acknowledged = dict.fromkeys(range(4), 0)
        begun = threading.Barrier(5)

        def write(number: int) -> None:
            version = loaded(store, number).version
            begun.wait()
            for written in range(1, 1_000_000):
                outcome = update(store, number, b"%d" % written, version=version)
                assert isinstance(outcome, Updated)
                version = outcome.version
                acknowledged[number] = written

        writers = [Call(partial(write, number)) for number in range(4)]
        begun.wait()
        assert store.delete(key(4))
        until(lambda: min(acknowledged.values()) >= 20)
        own.server.restart()
        for writer in writers:
            with pytest.raises(StoreUnavailable):
                writer.result()
        # One more may have been written, whose answer was lost.
        for number, last in acknowledged.items():
            assert int(loaded(store, number).payload) in {last, last + 1}
        assert store.load(key(4), now=NOW) is None


def test_a_restart_between_two_requests_fails_neither(own):
    with contextlib.closing(own.open()) as store:
        create(store, 1)
        own.server.restart()
        assert isinstance(update(store, 1, b"new"), Updated)


def test_the_owner_index_is_whole_after_a_kill(own):
    with contextlib.closing(own.open()) as store:
        world = World(store)
        for _ in range(5):
            world.browser(ann)
        own.server.restart()
        assert len(world.manager.sessions_of("ann")) == 5
        assert world.manager.end_all("ann") == 5


# What the database undoes and asks to repeat


@pytest.fixture
def undone(monkeypatch):
    """Whether each error that a statement met was one to repeat it after."""
    seen: list[bool] = []
    monkeypatch.setattr(sql_connections, "is_transient", lambda error: seen.append(is_transient(error)) or seen[-1])
    return seen


@pytest.fixture
def serializable(database):
    if database.kind != "postgresql":
        pytest.skip("MariaDB locks instead")
    database.run(f"ALTER DATABASE {database.name} SET default_transaction_isolation = 'serializable'")
    with contextlib.closing(database.open()) as opened:
        create(opened, 1)
        yield opened


def test_an_update_that_a_serialization_failure_has_undone_is_repeated(serializable, database, undone):
    version = loaded(serializable, 1).version
    with contextlib.closing(database.connect()) as other:
        # It changes the row that the update waits for, and nothing that the update asks of it.
        other.cursor().execute("UPDATE cookiesess_sessions SET summary = ''")
        call = Call(lambda: update(serializable, 1, b"new", version=version))
        until(lambda: waiting(database))
        other.commit()
        assert isinstance(call.result(), Updated)
    assert loaded(serializable, 1).version == version + 1
    assert any(undone)


def test_a_counter_on_a_serializable_database_stands_exactly_right(serializable):
    world = World(serializable)
    browser = world.browser(put("n", 0))

    def push() -> None:
        for _ in range(10):
            browser.open(count).finish()

    in_threads(*[push] * 8)
    assert browser.read() == {"n": 80}


@pytest.fixture
def deadlock(database, store):
    """An update of a session needs another row as well; returns what keeps PostgreSQL from undoing whoever has that.

    PostgreSQL looks for a deadlock once, so long after a wait began: by then there has to be one.
    """
    setting = "" if database.kind == "mariadb" else "SET deadlock_timeout = '1min'"
    database.run("CREATE TABLE other (n BIGINT)")
    database.run("INSERT INTO other VALUES (0)")
    if database.kind == "mariadb":
        database.run("CREATE TRIGGER meet AFTER UPDATE ON cookiesess_sessions FOR EACH ROW UPDATE other SET n = n + 1")
    else:
        database.run("CREATE FUNCTION meet() RETURNS trigger AS 'BEGIN UPDATE other SET n = n + 1; RETURN NULL; END'"
                     " LANGUAGE plpgsql")  # fmt: skip
        database.run("CREATE TRIGGER meet AFTER UPDATE ON cookiesess_sessions EXECUTE FUNCTION meet()")
        database.run(f"ALTER DATABASE {database.name} SET deadlock_timeout = '1s'")
    create(store, 1)
    return setting


def waiting(database: Database) -> bool:
    """Whether a statement waits for a lock."""
    if database.kind == "mariadb":
        return bool(database.run("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"))
    return bool(database.run("SELECT 1 FROM pg_locks WHERE NOT granted"))


def test_an_update_that_a_deadlock_has_undone_is_repeated(database, deadlock, undone):
    with contextlib.closing(database.open("?timeout=20")) as store, contextlib.closing(database.connect()) as other:
        version = loaded(store, 1).version
        cursor = other.cursor()
        if deadlock:
            cursor.execute(deadlock)
        # Heavier than the store's, so that MariaDB undoes that one.
        cursor.execute("UPDATE other SET n = n + 1")
        for _ in range(20):
            cursor.execute("INSERT INTO other VALUES (1)")
        call = Call(lambda: update(store, 1, b"new", version=version))
        until(lambda: waiting(database))
        cursor.execute("UPDATE cookiesess_sessions SET summary = summary")
        other.commit()
        assert isinstance(call.result(), Updated)
        assert loaded(store, 1).version == version + 1
    assert any(undone)


def test_what_is_undone_again_and_again_is_given_up(store, database, undone):
    if database.kind != "postgresql":
        pytest.skip("a trigger of MariaDB's cannot raise a deadlock by itself")
    create(store, 1)
    database.run("CREATE FUNCTION undo() RETURNS trigger AS"
                 " 'BEGIN RAISE SQLSTATE ''40001''; END' LANGUAGE plpgsql")  # fmt: skip
    database.run("CREATE TRIGGER undo BEFORE UPDATE ON cookiesess_sessions EXECUTE FUNCTION undo()")
    with pytest.raises(StoreUnavailable):
        update(store, 1, b"new")
    assert len(undone) >= 2 * (sql_connections.MAX_TRIES - 1)
    assert database.connections() == 1


# What a server does to idle or to too many connections


def test_a_connection_that_the_server_closed_while_idle_fails_no_request(own):
    if own.kind != "mariadb":
        pytest.skip("wait_timeout is MariaDB's; idle_session_timeout does the same, through the same lines")
    own.run("SET GLOBAL wait_timeout = 1")
    try:
        with contextlib.closing(own.open()) as store:
            create(store, 1)
            until(lambda: not own.connections())
            assert isinstance(update(store, 1, b"new", version=loaded(store, 1).version), Updated)
            until(lambda: not own.connections())
            assert isinstance(store.delete(key(1)), bool)
    finally:
        own.run("SET GLOBAL wait_timeout = 28800")


def test_a_server_without_a_free_connection_is_unavailable_and_says_what_to_do(own):
    if own.kind == "mariadb":
        own.run("SET GLOBAL max_connections = 10")
    with contextlib.closing(own.open()) as store, contextlib.ExitStack() as stack:
        with contextlib.suppress(Exception):
            while True:
                stack.enter_context(contextlib.closing(own.connect()))
        with pytest.raises(StoreUnavailable, match=r"max_connections.*pool_size"):
            store.load(key(1), now=NOW)
        with pytest.raises(StoreUnavailable, match="max_connections"):
            own.open()
        stack.close()
        until(lambda: not own.connections())
        assert store.load(key(1), now=NOW) is None
    if own.kind == "mariadb":
        own.run("SET GLOBAL max_connections = 151")


# A set-up that is wrong


def test_a_wrong_password_is_refused_without_repeating_it(database):
    with pytest.raises(ConfigurationError, match=r"check the user and the password") as caught:
        SQLStore(sa.create_engine(sa.make_url(database.store_url).set(password="wr0ng")))
    assert "wr0ng" not in str(caught.value)
    assert "wr0ng" not in str(caught.value.__cause__)


def test_a_database_that_is_not_there_is_refused(database):
    with pytest.raises(ConfigurationError, match="create the database"):
        Database(database.kind, database.server, "nowhere").open()


def test_a_server_that_is_not_there_is_unavailable(database, proxy):
    proxy.close()
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1.*look whether it runs"):
        database.open(port=proxy.port)


def test_a_missing_table_is_refused_and_the_error_says_how_to_make_it(database):
    with pytest.raises(ConfigurationError, match=r"python -m cookiesess migrate --store URL.*create_schema\(engine\)"):
        database.open("?table=missing")


def test_a_table_of_other_columns_is_refused(database):
    database.run("ALTER TABLE cookiesess_sessions DROP COLUMN summary")
    with pytest.raises(ConfigurationError, match="not this version's"):
        database.open()


def test_a_table_that_vanishes_later_makes_the_store_unavailable(store, database):
    database.run("DROP TABLE cookiesess_sessions")
    with pytest.raises(StoreUnavailable, match="migrate"):
        store.load(key(1), now=NOW)


def test_a_read_only_database_is_refused(own):
    on, off = {
        "postgresql": [
            f"ALTER DATABASE {own.name} SET default_transaction_read_only = {state}" for state in ("on", "off")
        ],
        "mariadb": [f"SET GLOBAL read_only = {state}" for state in (1, 0)],
    }[own.kind]
    own.run(on)
    try:
        with pytest.raises(ConfigurationError, match=r"replica or read-only.*primary.*read_only"):
            own.open()
    finally:
        KINDS[own.kind].run(own.server.port, off)


def test_a_standby_is_refused(own):
    if own.kind != "postgresql":
        pytest.skip("a replica of MariaDB's is known by its read_only")
    own.server.stop()
    signal_file = own.server.folder / "data" / "standby.signal"
    signal_file.touch()
    own.server.start()
    try:
        with pytest.raises(ConfigurationError, match=r"replica or read-only"):
            own.open()
    finally:
        own.server.stop()
        Path(signal_file).unlink()
        own.server.start()


def test_a_server_that_becomes_read_only_makes_the_store_unavailable(own):
    if own.kind == "mariadb":
        # Without the privilege to write all the same.
        own.run("CREATE USER 'plain'@'127.0.0.1' IDENTIFIED BY 'hunter2'")
        own.run(f"GRANT ALL ON {own.name}.* TO 'plain'@'127.0.0.1'")
    engine = sa.create_engine(
        sa.make_url(own.store_url).set(username="plain" if own.kind == "mariadb" else "cookiesess")
    )
    with contextlib.closing(SQLStore(engine)) as store:
        create(store, 1)
        if own.kind == "mariadb":
            own.run("SET GLOBAL read_only = 1")
        else:
            own.run(f"ALTER DATABASE {own.name} SET default_transaction_read_only = on")
            store.close()
        try:
            with pytest.raises(StoreUnavailable, match="primary server"):
                update(store, 1, b"new")
            with pytest.raises(StoreUnavailable, match="primary server"):  # another server may have taken over
                loaded(store, 1)
        finally:
            off = "SET GLOBAL read_only = 0" if own.kind == "mariadb" else f"ALTER DATABASE {own.name} RESET ALL"
            KINDS[own.kind].run(own.server.port, off)
        store.close()
        assert isinstance(update(store, 1, b"new"), Updated)
    if own.kind == "mariadb":
        own.run("DROP USER 'plain'@'127.0.0.1'")
