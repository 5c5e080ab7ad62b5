"""What MariaDB does not take: a statement above ``max_allowed_packet``, and a payload above its column."""

import contextlib

import pytest

from cookiesess.errors import RecordTooLarge, StoreUnavailable
from cookiesess.stores.sql import migrate
from kit.constants import NOW
from kit.servers import mariadb
from kit.servers.proxy import Proxy
from kit.servers.sql import PATIENT, Database, create, key, loaded, record, update

KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(scope="module")
def server():
    with mariadb.mariadb(max_allowed_packet=MIB, **mariadb.FAST) as running:
        yield running


@pytest.fixture
def database(server):
    mariadb.run(server.port, "CREATE OR REPLACE DATABASE shop")
    found = Database("mariadb", server, "shop")
    migrate(found.url(PATIENT))
    return found


@pytest.fixture
def store(database):
    with contextlib.closing(database.open()) as opened:
        yield opened


@pytest.mark.parametrize("size", [600 * KIB, MIB, 3 * MIB], ids=["refused", "cut", "cut while it is sent"])
def test_a_statement_that_is_too_large_is_told_with_the_limit_and_the_old_record_stays(store, size):
    create(store, 1)
    with pytest.raises(RecordTooLarge, match=f"^the session is {size} bytes, .*max_allowed_packet") as error:
        update(store, 1, b"'" * size)
    assert error.value.limit_bytes == 496 * KIB
    assert error.value.__cause__ is not None
    assert loaded(store, 1).payload == b"payload"


def test_what_the_limit_allows_is_kept_however_it_is_escaped(store):
    store.create(key(1), record(b"'" * 496 * KIB), now=NOW)
    assert len(loaded(store, 1).payload) == 496 * KIB


def test_a_payload_above_the_column_is_told_with_the_columns_size(database, store):
    database.run(f"SET GLOBAL max_allowed_packet={64 * MIB}")
    try:
        store.close()
        with pytest.raises(RecordTooLarge) as error:
            store.create(key(1), record(b"x" * 17 * MIB), now=NOW)
    finally:
        database.run(f"SET GLOBAL max_allowed_packet={MIB}")
    assert error.value.limit_bytes == 16 * MIB - 1


def test_a_large_payload_that_fails_of_something_else_is_an_outage(database):
    impatient = database.open("?timeout=1&connect_timeout=1")
    with contextlib.closing(impatient), contextlib.closing(database.connect()) as holder:
        holder.cursor().execute("LOCK TABLES cookiesess_sessions WRITE")
        with pytest.raises(StoreUnavailable):
            impatient.create(key(2), record(b"x" * 300 * KIB), now=NOW)


def test_a_large_payload_whose_connection_was_cut_for_another_reason_is_an_outage(database, server):
    with Proxy(server.port) as proxy, contextlib.closing(database.open(port=proxy.port)) as store:
        create(store, 1)
        version = loaded(store, 1).version
        proxy.drop("within", match=lambda data: b"UPDATE" in data)
        with pytest.raises(StoreUnavailable):
            update(store, 1, b"x" * 300 * KIB, version=version)
        assert loaded(store, 1).payload == b"payload"
