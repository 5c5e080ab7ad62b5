"""open_store: what each URL opens, and that everything else is refused in words."""

import contextlib
from datetime import timedelta

import pytest

from cookiesess.errors import ConfigurationError
from cookiesess.stores import urls
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from cookiesess.stores.urls import open_store


def test_three_slashes_are_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert repr(open_store("sqlite:///sessions.db")) == f"<SQLiteStore {tmp_path / 'sessions.db'}>"


def test_four_slashes_are_an_absolute_path(tmp_path):
    assert repr(open_store(f"sqlite:///{tmp_path}/sessions.db")) == f"<SQLiteStore {tmp_path / 'sessions.db'}>"


def test_a_path_may_be_percent_encoded(tmp_path):
    open_store(f"sqlite:///{tmp_path}/50%25%20off%3F%23.db")
    assert (tmp_path / "50% off?#.db").exists()


def test_the_table_has_every_scheme():
    assert [scheme for scheme in urls._OPENERS if f"``{scheme}:" not in open_store.__doc__] == []


def test_memory_opens_a_new_memory_store():
    first, second = open_store("memory://"), open_store("memory://")
    assert isinstance(first, MemoryStore)
    assert first is not second


@pytest.fixture
def arguments(monkeypatch):
    """The keyword arguments that a store was opened with."""
    seen: dict[str, object] = {}
    monkeypatch.setattr(urls, "SQLiteStore", lambda path, **keywords: seen.update(keywords))
    monkeypatch.setattr(urls, "MemoryStore", lambda **keywords: seen.update(keywords))
    return seen


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///a.db", {}),
        ("sqlite:///a.db?durable=1", {"durable": True}),
        ("sqlite:///a.db?durable=true", {"durable": True}),
        ("sqlite:///a.db?durable=0", {"durable": False}),
        ("sqlite:///a.db?durable=false", {"durable": False}),
        (
            "sqlite:///a.db?busy_timeout=2.5&sweep_batch=7",
            {"busy_timeout": timedelta(seconds=2.5), "sweep_batch": 7},
        ),
        ("memory://?max_sessions=5", {"max_sessions": 5}),
    ],
)
def test_parameters_become_arguments(arguments, url, expected):
    open_store(url)
    assert arguments == expected


def test_a_store_that_was_opened_with_parameters_works(tmp_path):
    url = f"sqlite:///{tmp_path}/sessions.db?durable=1&busy_timeout=0.5&sweep_batch=0"
    with contextlib.closing(open_store(url)) as store:
        assert isinstance(store, SQLiteStore)
        assert store.load(b"k" * 32, now=0) is None


def test_blanks_and_line_ends_around_a_url_are_part_of_no_path(tmp_path):
    with contextlib.closing(open_store(f" sqlite:///{tmp_path}/sessions.db \n")) as store:
        store.load(b"k" * 32, now=0)
    assert "sessions.db" in {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redi://localhost", "or memcached:, and this one with redi:; did you mean redis://…?"),
        ("redi+cluster://localhost", "with redi+cluster:; did you mean redis+cluster://…?"),
        ("sqllite:///sessions.db", "did you mean sqlite://…?"),
        ("postgres://localhost/db", "did you mean postgresql://…?"),
        ("psql://localhost/db", "did you mean postgresql://…?"),
        ("memcache://localhost", "did you mean memcached://…?"),
        ("valkey://localhost", "did you mean redis://…?"),
        ("valkeys://localhost", "did you mean rediss://…?"),
        ("unix:///run/redis.sock", "did you mean redis+unix://…?"),
        ("mongodb2://localhost", "and this one with another scheme; take one of these"),
        ("sessions.db", "this one with no scheme; write it as sqlite:///sessions.db"),
        ("C:\\shop\\sessions.db", "this one with no scheme; write it as sqlite:///sessions.db"),
        ("file:///sessions.db", "did you mean sqlite://…?"),
        ("", "no scheme"),
        ("sqlite:sessions.db?colour=red", "no parameter 'colour'; it knows durable, busy_timeout, sweep_batch"),
        ("sqlite://sessions.db", "sqlite:///relative/path.db or sqlite:////absolute/path.db"),
        ("sqlite://", "sqlite:///relative/path.db"),
        ("sqlite:///", "sqlite:///relative/path.db"),
        ("sqlite:///:memory:", "MemoryStore"),
        ("sqlite:///a.db#b", "write a # in a path as %23"),
        ("sqlite:///a.db?durable=1&durable=0", "'durable' is given twice"),
        ("sqlite:///a.db?durable=yes", "'durable' is 'yes', which is not one of 1, true, 0, false"),
        ("sqlite:///a.db?busy_timeout=soon", "'busy_timeout' is 'soon', which is not a number of seconds"),
        ("sqlite:///a.db?busy_timeout=inf", "'busy_timeout' is 'inf', which is not a number of seconds"),
        ("sqlite:///a.db?busy_timeout=nan", "'busy_timeout' is 'nan', which is not a number of seconds"),
        ("sqlite:///a.db?busy_timeout=0", "busy_timeout is 0:00:00"),
        ("sqlite:///a.db?sweep_batch=1.5", "'sweep_batch' is '1.5', which is not a whole number"),
        ("sqlite:///a.db?durable", "written as ?name=value"),
        ("memory://host", "written as memory://"),
        ("memory:///path", "written as memory://"),
        ("memory://?durable=1", "no parameter 'durable'; it knows max_sessions"),
        ("memory://?max_sessions=0", "at least 1"),
    ],
)
def test_everything_else_is_refused_by_name(tmp_path, monkeypatch, url, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    assert words in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["mongodb://localhost", "localhost:6379", "http://localhost"])
def test_a_scheme_that_is_like_none_is_refused_with_those_that_there_are(url):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    scheme = url.partition(":")[0]
    assert str(caught.value) == (
        "a store URL begins with sqlite: or memory: or redis: or rediss: or postgresql: or mysql: or mariadb: or"
        f" memcached:, and this one with {scheme}:; take one of these"
    )


PASSWORD = "S3cr3tPw"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:{}?x=y@host/db",
        "postgresql://user:a?{}=x@host/db",
        "postgresql://u:12/{}@127.0.0.1:1/db",
        "mysql://u:12/{}@127.0.0.1:1/db",
        "mysql://u:a#{}@127.0.0.1/db",
        "redis://user:ab/{}@host/0",
        "redis://:{}#a@host",
        "redis://u:1?timeout={}@host/0",
        "redis://u:[{}]@host/0",
        "redis://u:{}@host:notaport/0",
        "redis+foo{}://host",
        "memcached://u:1/{}@host",
        "user:{}@host/db",
        "{}://host",
        "sqlite://u:{}@host/x",
    ],
)
@pytest.mark.parametrize("opener", [open_store, lambda url: open_store(url, must_exist=True)])
def test_a_password_that_is_not_encoded_reaches_no_message(url, opener):
    with pytest.raises(ConfigurationError) as caught:
        opener(url.format(PASSWORD))
    error: BaseException | None = caught.value
    while error is not None:
        assert PASSWORD.lower() not in f"{error}{error.args}".lower()
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_url_with_an_at_sign_behind_its_host_says_what_to_encode():
    with pytest.raises(ConfigurationError, match=r"write @ as %40, / as %2F, \? as %3F, # as %23"):
        open_store("redis://user:ab/cd@host/0")


def test_a_file_may_have_an_at_sign_in_its_name(tmp_path):
    open_store(f"sqlite:///{tmp_path}/me@here.db?durable=1").close()
    assert (tmp_path / "me@here.db").exists()


@pytest.mark.parametrize("url", [None, 5, b"memory://"], ids=repr)
def test_a_url_that_is_no_text_is_refused(url):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    assert str(caught.value) == f"the store URL is text, not {type(url).__name__}; is the variable set?"


@pytest.mark.parametrize(
    "url",
    [
        "redi://user:hunter2@localhost",
        "sqlite://user:hunter2@localhost/a.db",
        "memory://user:hunter2@localhost",
        "sqlite:///a.db?password=hunter2",
        "sqlite:///a.db#hunter2",
        "sqlite:///a.db?hunter2",
        "redis://user:hunter2@[localhost",
        "redis://user:hunter2@local\u2100host",
        "redis://user:hunter2@[nonsense]/",
    ],
)
def test_a_password_never_appears_in_an_error(url):
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
