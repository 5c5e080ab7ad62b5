"""SQLStore by URL and from the command line: what opens, what is refused in words, and how the table is made."""

from __future__ import annotations

import contextlib
import importlib
import sys
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import pymysql
import pytest
import sqlalchemy as sa

from cookiesess.cli import main
from cookiesess.errors import ConfigurationError, MissingDependency, StoreUnavailable
from cookiesess.readers import DjangoStore
from cookiesess.stores.base import Record
from cookiesess.stores.sql import SQLStore, create_schema, migrate
from cookiesess.stores.sql import errors as sql_errors
from cookiesess.stores.sql.psycopg import limit_silence
from cookiesess.stores.sql.urls import engine_of
from cookiesess.stores.urls import open_store
from kit.constants import NOW, SECRET
from kit.servers.sql import KINDS, Database, create, key
from kit.threads import Call


@pytest.fixture(params=KINDS)
def empty(request):
    """A new database without the table."""
    server = request.getfixturevalue(f"{request.param}_server")
    return Database(request.param, server, request.getfixturevalue(f"{request.param}_database"))


def run(capsys, *arguments):
    code = main([*arguments])
    return code, capsys.readouterr()


# The command line


def test_migrate_makes_the_table_and_may_be_run_again(empty, capsys):
    for _ in range(2):
        code, captured = run(capsys, "migrate", "--store", empty.url())
        assert (code, captured.out) == (0, "the table cookiesess_sessions is there\n")
    with contextlib.closing(empty.open()) as store:
        create(store, 1)


def test_migrate_makes_the_table_that_the_url_names(empty, capsys):
    assert run(capsys, "migrate", "--store", empty.url("?table=mine"))[1].out == "the table mine is there\n"
    empty.open("?table=mine").close()
    with pytest.raises(ConfigurationError, match="migrate"):
        empty.open()


def test_sweep_deletes_the_expired_sessions(empty, capsys):
    migrate(empty.url())
    with contextlib.closing(empty.open()) as store:
        create(store, *range(10), lives=60)
        store.create(key(10), Record(b"", 1 << 40), now=NOW)
        code, captured = run(capsys, "sweep", "--store", empty.url(), "--batch", "4")
        assert (code, captured.out) == (0, "swept 10 expired sessions\n")
        assert list(store.load_many([key(number) for number in range(11)], now=NOW)) == [key(10)]


def test_sweep_of_a_database_without_the_table_says_how_to_make_it(empty, capsys):
    code, captured = run(capsys, "sweep", "--store", empty.url())
    assert code == 2
    assert "python -m cookiesess migrate --store URL" in captured.err


@pytest.mark.parametrize("url", ["sqlite:///sessions.db", "redis://localhost", "memory://", "sessions.db"])
def test_migrate_of_what_has_no_table_is_refused(capsys, url):
    code, captured = run(capsys, "migrate", "--store", url)
    assert code == 2
    assert "only those have a table to create" in captured.err


def test_a_url_that_cannot_be_parsed_is_not_repeated(capsys):
    code, captured = run(capsys, "migrate", "--store", "postgresql://user:hunter2@[localhost/db")
    assert code == 2
    assert "hunter2" not in captured.err


def test_a_user_who_may_not_create_tables_is_told_so(empty):
    empty.run("CREATE USER reader PASSWORD 'hunter2'" if empty.kind == "postgresql"
              else "CREATE USER 'reader'@'127.0.0.1' IDENTIFIED BY 'hunter2'")  # fmt: skip
    empty.run(f"GRANT CONNECT ON DATABASE {empty.name} TO reader" if empty.kind == "postgresql"
              else f"GRANT SELECT ON {empty.name}.* TO 'reader'@'127.0.0.1'")  # fmt: skip
    try:
        with pytest.raises(ConfigurationError, match="grant the user"):
            migrate(empty.url().replace("//cookiesess:", "//reader:"))
    finally:
        empty.run(f"REVOKE ALL ON DATABASE {empty.name} FROM reader" if empty.kind == "postgresql" else "DO 0")
        empty.run("DROP USER reader" if empty.kind == "postgresql" else "DROP USER 'reader'@'127.0.0.1'")


# URLs


def engine(url: str) -> sa.Engine:
    return engine_of(urlsplit(url))[0]


@pytest.mark.parametrize(
    ("scheme", "driver"),
    [
        ("postgresql", "postgresql+psycopg"),
        ("postgresql+psycopg", "postgresql+psycopg"),
        ("mysql", "mysql+pymysql"),
        ("mysql+pymysql", "mysql+pymysql"),
        ("mariadb", "mariadb+pymysql"),
        ("mariadb+pymysql", "mariadb+pymysql"),
    ],
)
def test_each_scheme_is_of_one_driver(scheme, driver):
    url = engine(f"{scheme}://us%40er:pass%2Fword@db.example:1234/na%20me").url
    assert (url.drivername, url.username, url.password) == (driver, "us@er", "pass/word")
    assert (url.host, url.port, url.database) == ("db.example", 1234, "na me")


def test_what_concerns_the_way_to_the_server_goes_to_the_driver():
    assert engine("postgresql:///db?host=/run/postgresql&sslmode=require").url.query == {
        "host": "/run/postgresql",
        "sslmode": "require",
    }
    assert engine("mysql:///db?unix_socket=/run/mysqld.sock").url.query == {"unix_socket": "/run/mysqld.sock"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql+asyncpg://host/db", "one of postgresql, postgresql+psycopg, mysql"),
        ("postgresql://host", "postgresql://user:password@host:port/database"),
        ("postgresql:///db", "postgresql://user:password@host:port/database"),
        ("postgresql://host:port/db", "postgresql://user:password@host:port/database"),
        ("mysql://host/db?timeout=0", "timeout is 0.0; it must be above zero"),
        ("mysql://host/db?connect_timeout=-1", "connect_timeout is -1.0"),
        ("mysql://host/db?timeout=soon", "'timeout' is 'soon', which is not a number of seconds"),
        ("mysql://host/db?pool_size=0", "pool_size is 0; it must be at least 1"),
        ("mysql://host/db?charset=utf8", "no parameter 'charset'"),
        ("mysql://host/db?sslmode=require", "no parameter 'sslmode'"),
        ("postgresql://host/db?table=a.b", "the table's name is 'a.b'"),
    ],
)
def test_everything_else_is_refused_by_name(url, words):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    assert words in str(caught.value)


def test_an_error_of_the_urls_form_does_not_repeat_the_password():
    with pytest.raises(ConfigurationError) as caught:
        open_store("postgresql://user:hunter2@host:99999/db")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("scheme", "package"), [("postgresql", "psycopg"), ("mysql", "pymysql")])
def test_a_missing_driver_names_the_line_to_type(monkeypatch, scheme, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependency, match=rf'{package} is not.*pip install "cookiesess\[{scheme}\]"'):
        open_store(f"{scheme}://host/db")


def test_a_psycopg_whose_waits_cannot_be_bounded_is_refused(monkeypatch):
    monkeypatch.setattr("psycopg.__version__", "3.2.9")
    with pytest.raises(MissingDependency, match=r"psycopg 3\.3 .*cookiesess\[postgresql\]"):
        open_store("postgresql://host/db")


def test_missing_sqlalchemy_names_the_line_to_type(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("cookiesess.stores.sql.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "cookiesess.stores.sql")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[sql\]"'):
        importlib.import_module("cookiesess.stores.sql")


SCHEMES = [
    ("postgresql", "psycopg", "postgresql"),
    ("mysql", "pymysql", "mysql"),
    ("mariadb+pymysql", "pymysql", "mysql"),
]


def refusals_of(url, capsys):
    """Return what each way to a database says of a package that is missing."""
    for door in (open_store, partial(DjangoStore, secret_key=SECRET)):
        with pytest.raises(MissingDependency) as raised:
            door(url)
        yield str(raised.value)
    assert main(["migrate", "--store", url]) == 2
    yield capsys.readouterr().err.removeprefix("cookiesess: ").strip()


@pytest.mark.parametrize(("scheme", "driver", "extra"), SCHEMES)
@pytest.mark.parametrize("alone", [True, False], ids=["SQLAlchemy alone", "the driver as well"])
def test_one_line_to_type_brings_all_that_a_url_needs(monkeypatch, capsys, scheme, driver, extra, alone):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    if not alone:
        monkeypatch.setitem(sys.modules, driver, None)
    missing = "package sqlalchemy is" if alone else f"packages sqlalchemy and {driver} are"
    line = f'the {missing} not installed; type: pip install "cookiesess[{extra}]"'
    refusals = list(refusals_of(f"{scheme}://host/db", capsys))
    assert [refusal.partition(" (in a checkout")[0] for refusal in refusals] == [line] * 3


# Engines


@pytest.mark.parametrize("given", ["sqlite:///a.db", None])
def test_what_is_no_engine_is_refused(given):
    with pytest.raises(ConfigurationError, match=r"needs an sqlalchemy\.Engine, not"):
        SQLStore(given)


def test_an_engine_of_another_driver_is_refused():
    other = sa.create_engine("mysql+mysqldb://", module=pymysql)
    with pytest.raises(ConfigurationError, match="on the drivers psycopg, pymysql, pysqlite, not on mysqldb"):
        SQLStore(other)


def test_an_sqlite_database_works_through_sqlalchemy(tmp_path):
    url = f"sqlite:///{tmp_path}/sessions.db"
    lite = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with pytest.raises(ConfigurationError, match="no such table"):
        SQLStore(lite)
    create_schema(lite)
    with contextlib.closing(SQLStore(lite)) as store:
        create(store, 1)
        assert store.load(key(1), now=NOW) is not None


def test_a_schema_in_a_place_that_is_not_there_is_unavailable(tmp_path):
    lite = sa.create_engine(f"sqlite:///{tmp_path}/missing/sessions.db")
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        create_schema(lite)


def test_an_engine_of_the_apps_own_can_be_given_a_bound_on_silence(postgresql_server, postgresql_database):
    place = Database("postgresql", postgresql_server, postgresql_database)
    migrate(place.url())
    own = sa.create_engine(place.store_url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
    limit_silence(own, timedelta(seconds=0.2))
    with contextlib.closing(SQLStore(own)) as store, contextlib.closing(place.connect()) as other:
        create(store, 1)
        other.execute("SELECT version FROM cookiesess_sessions FOR UPDATE")
        with pytest.raises(StoreUnavailable, match=r"silent for 0\.2 seconds; .*raise timeout"):
            Call(lambda: store.delete(key(1))).result()
        other.rollback()


def test_an_error_without_words_is_named_by_its_type():
    assert "KeyError; see the database's log" in str(sql_errors.unavailable(KeyError(), place="here"))
