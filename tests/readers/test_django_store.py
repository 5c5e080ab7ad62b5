"""DjangoStore against what Django has just written into its database."""

import sqlite3
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cookiesess import ConfigurationError, Keyring, SessionManager, StoreUnavailable
from cookiesess.readers import DjangoStore
from cookiesess.readers.django_rows import SQLiteRows
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import DAY, KEY, SECRET, UNTIL
from kit.servers.mariadb import mariadb_database, mariadb_server  # noqa: F401
from kit.servers.postgresql import postgresql_database, postgresql_server  # noqa: F401
from kit.servers.sql import Database
from kit.strategies import exact
from readers.django_projects import project
from readers.suite import JSON_VALUES, OTHER_SECRET, reason_of


@pytest.fixture(scope="module", params=["db", "cached_db"])
def old(request, tmp_path_factory):
    """A project of each engine, its database and its URL."""
    folder = tmp_path_factory.mktemp(request.param)
    engine = f"django.contrib.sessions.backends.{request.param}"
    with project(folder, SESSION_ENGINE=engine) as django:
        django.url = f"sqlite:///{folder / 'old.sqlite3'}"
        django.path = folder / "old.sqlite3"
        yield django


def reader_of(old, **settings):
    return DjangoStore(old.url, **{"secret_key": SECRET, "until": UNTIL, **settings})


def keys(old):
    with closing(sqlite3.connect(old.path)) as connection:
        return {key for (key,) in connection.execute("SELECT session_key FROM django_session")}


@contextmanager
def visit(manager, value):
    cookies = CookieHeader(f"sessionid={value}")
    with session_transaction(manager, cookies) as session:
        yield session


@pytest.mark.process
class TestDjangoStore:
    def test_what_django_wrote_comes_back_with_its_types(self, old):
        assert exact(reader_of(old).open(old.write(JSON_VALUES), now=int(time.time())).data) == exact(JSON_VALUES)

    def test_a_session_that_no_cookie_would_hold_comes_back(self, old):
        data = {"words": ["again and"] * 50_000}
        assert reader_of(old).open(old.write(data), now=int(time.time())).data == data

    def test_it_expires_when_django_says(self, old):
        value, now = old.write({"_session_expiry": 60}), int(time.time())
        assert reader_of(old).open(value, now=now + 50).data == {"_session_expiry": 60}
        assert reason_of(reader_of(old), value, now=now + 61) == "expired"

    def test_a_row_under_another_secret_is_refused_and_stays(self, old):
        value = old.write({"a": 1}, OTHER_SECRET)
        assert reason_of(reader_of(old), value, now=int(time.time())) == "stored-forged"
        assert value in keys(old)

    def test_a_row_under_an_older_secret_opens(self, old):
        value = old.write({"a": 1}, OTHER_SECRET)
        assert reader_of(old, fallbacks=[OTHER_SECRET]).open(value, now=int(time.time())).data == {"a": 1}

    @pytest.mark.parametrize("settings", [{"store": MemoryStore()}, {}], ids=["server-side", "client-side"])
    def test_it_moves_once_and_its_row_goes(self, old, settings):
        value = old.write({"user": "ann"})
        manager = SessionManager(KEY, accept=[reader_of(old)], **settings)
        cookies = CookieHeader(f"sessionid={value}")
        with session_transaction(manager, cookies) as session:
            session["a"] = 1
        with session_transaction(manager, cookies) as session:
            assert dict(session) == {"user": "ann", "a": 1}
            session.login("ann")
        assert value not in keys(old) or not settings

    def test_a_login_deletes_the_row(self, old):
        value = old.write({"user": "ann"})
        with visit(SessionManager(KEY, accept=[reader_of(old)]), value) as session:
            session.login("ann")
        assert value not in keys(old)


ROW = ("k" * 32, "data", datetime(2030, 1, 31, 12, tzinfo=UTC))


class Table:
    """A table as Django's migration makes it on a server."""

    def __init__(self, database):
        self.database = database
        kind = "timestamp with time zone" if database.kind == "postgresql" else "datetime(6)"
        database.run(
            "CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL,"
            f" expire_date {kind} NOT NULL)"
        )
        zone = "+00" if database.kind == "postgresql" else ""
        database.run(f"INSERT INTO django_session VALUES ('{ROW[0]}', 'data', '2030-01-31 12:00:00{zone}')")

    def reader(self, **settings):
        return DjangoStore(self.database.url(), **{"secret_key": SECRET, "until": UNTIL, **settings})


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
class TestServers:
    @pytest.fixture
    def table(self, kind, request):
        server, name = (request.getfixturevalue(f"{kind}_{what}") for what in ("server", "database"))
        return Table(Database(kind, server, name))

    def test_a_row_is_loaded_shortened_and_deleted(self, table):
        rows = table.reader()._rows
        assert rows.load(ROW[0]) == (ROW[1], int(ROW[2].timestamp()))
        rows.end_by(ROW[0], ROW[2] - timedelta(hours=1))
        rows.end_by(ROW[0], ROW[2] + timedelta(hours=1))
        assert rows.load(ROW[0]).expires_at == int(ROW[2].timestamp()) - 3600
        rows.delete(ROW[0])
        rows.delete(ROW[0])
        assert rows.load(ROW[0]) is None

    def test_a_table_that_is_missing_is_named_with_what_to_do(self, table):
        with pytest.raises(
            StoreUnavailable, match=r"the table sessions of .*; give the name of the table .* as table="
        ) as raised:
            table.reader(table="sessions").open("0" * 32, now=0)
        assert raised.value.__cause__ is not None

    def test_a_server_that_is_gone_is_said_so(self, table):
        url = table.database.url(port=9)
        reader = DjangoStore(url, secret_key=SECRET, until=UNTIL)
        with pytest.raises(StoreUnavailable, match="the table django_session of"):
            reader.open("0" * 32, now=0)


@pytest.mark.servers
def test_what_django_wrote_into_postgresql_moves(postgresql_server, postgresql_database, tmp_path):  # noqa: F811
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "PORT": postgresql_server.port,
        "NAME": postgresql_database,
        "USER": "cookiesess",
        "PASSWORD": "hunter2",
    }
    with project(tmp_path, DATABASES={"default": database}) as django:
        value = django.write({"user": "ann"})
    there = Database("postgresql", postgresql_server, postgresql_database)
    reader = DjangoStore(there.url(), secret_key=SECRET, until=UNTIL)
    manager = SessionManager(Keyring(KEY), store=MemoryStore(), accept=[reader])
    with visit(manager, value) as session:
        assert dict(session) == {"user": "ann"}
    assert there.run("SELECT count(*) FROM django_session") == [(0,)]


def file_of(tmp_path, date):
    path = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE "a ""b" (session_key, session_data, expire_date)')
        connection.execute('INSERT INTO "a ""b" VALUES (?, ?, ?)', ("k", "data", date))
    return path


def test_without_use_tz_times_are_in_the_zone_of_the_project(tmp_path):
    zone = timezone(timedelta(hours=2))
    rows = SQLiteRows(file_of(tmp_path, "1970-01-02 02:00:00"), 'a "b', zone=zone)
    assert rows.load("k").expires_at == DAY
    rows.end_by("k", datetime.fromtimestamp(DAY - 60, UTC))
    assert rows.load("k").expires_at == DAY - 60


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "text, not NoneType; is the variable set"),
        ("sqlite://old.sqlite3", "sqlite:///relative/path.db"),
        ("sqlite:///", "sqlite:///relative/path.db"),
        ("sqlite:///old.sqlite3?durable=1", "without parameters"),
        ("redis://host/0", "an SQL database has one of"),
    ],
)
def test_a_url_of_another_kind_is_refused(url, words):
    with pytest.raises(ConfigurationError, match=words):
        DjangoStore(url, secret_key=SECRET, until=UNTIL)


def test_a_short_secret_is_refused():
    with pytest.raises(ConfigurationError, match="secret_key has 5 bytes"):
        DjangoStore("sqlite:///old.sqlite3", secret_key="short", until=UNTIL)


def test_a_zone_is_a_tzinfo():
    with pytest.raises(ConfigurationError, match=r"zone is a tzinfo, not a str; write ZoneInfo"):
        DjangoStore("sqlite:///old.sqlite3", secret_key=SECRET, until=UNTIL, zone="Europe/Berlin")


@pytest.mark.parametrize("value", ["", "short", "K" * 32, "k" * 41, "k" * 31 + "\n", "../" * 11])
def test_what_is_no_key_of_djangos_asks_no_database(value):
    reader = DjangoStore("sqlite:////nowhere/old.sqlite3", secret_key=SECRET, until=UNTIL)
    assert reason_of(reader, value, now=0) == "malformed"
