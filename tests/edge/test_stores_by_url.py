"""A store given by its URL: opened for the manager, shared where the URLs are equal, closed with it."""

import gc
from pathlib import Path
from weakref import ref

import pytest

import cookiesess.manager.opened
from cookiesess import ConfigurationError, MissingDependency, SessionManager, SessionMiddleware, open_store
from cookiesess.stores.base import Store
from cookiesess.stores.memory import MemoryStore
from kit.browser import Browser
from kit.constants import KEY
from kit.views import put
from kit.wsgi import WebBrowser, answering


class Closing(MemoryStore):
    """A store that says whether it was closed."""

    closed = 0
    evicts = False

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def opened(monkeypatch):
    """What was opened, by URL, by a door that opens stores which can be asked whether they are closed."""
    stores: dict[str, Closing] = {}

    def open_it(url: str) -> Store:
        assert url not in stores, "opened twice"
        stores[url] = Closing()
        return stores[url]

    monkeypatch.setattr(cookiesess.manager.opened, "open_store", open_it)
    return stores


def test_sessions_are_kept_in_the_store_of_a_url(tmp_path):
    url = f"sqlite:///{tmp_path / 'sessions.db'}"
    first, second = SessionManager(KEY, store=url), SessionManager(KEY, store=url)
    browser = Browser(first)
    browser.visit(put("a", 1))
    assert Browser(second, browser.cookies).read() == {"a": 1}
    for manager in (first, second):
        manager.close_stores()


def test_the_middleware_takes_a_url(tmp_path):
    app = SessionMiddleware(answering(put("a", 1)), KEY, store=f"sqlite:///{tmp_path / 'sessions.db'}")
    WebBrowser(app).get()
    assert (tmp_path / "sessions.db").exists()
    app.manager.close_stores()


def test_equal_urls_are_one_store(opened):
    SessionManager(KEY, overflow="memory://", revocations="memory://")
    assert len(opened) == 1


def test_other_urls_are_other_stores(opened):
    manager = SessionManager(KEY, overflow="memory://?a", revocations="memory://?b")
    assert len(opened) == 2
    manager.close_stores()
    assert [store.closed for store in opened.values()] == [1, 1]


def test_a_manager_closes_what_it_opened_once(opened):
    manager = SessionManager(KEY, store="memory://")
    manager.close_stores()
    manager.close_stores()
    assert opened["memory://"].closed == 1


def test_a_manager_that_goes_closes_what_it_opened(opened):
    manager = SessionManager(KEY, store="memory://")
    gone = ref(manager)
    del manager
    gc.collect()
    assert gone() is None
    assert opened["memory://"].closed == 1


def test_a_store_that_was_given_stays_open():
    store = Closing()
    manager = SessionManager(KEY, store=store)
    manager.close_stores()
    assert store.closed == 0


def test_what_was_opened_is_closed_where_another_setting_is_wrong(opened):
    with pytest.raises(ConfigurationError, match="compress"):
        SessionManager(KEY, store="memory://", compress=True)
    assert opened["memory://"].closed == 1


@pytest.mark.parametrize("place", ["store", "overflow", "revocations"])
def test_a_bare_path_is_told_how_to_write_it(place):
    with pytest.raises(ConfigurationError, match=rf"^{place}: .*sqlite:///sessions\.db"):
        SessionManager(KEY, **{place: "sessions.db"})


def test_a_path_object_is_told_how_to_write_it():
    with pytest.raises(ConfigurationError, match="sqlite:///"):
        SessionManager(KEY, store=Path("sessions.db"))


def test_a_missing_client_says_what_to_install(monkeypatch):
    def open_it(url):
        raise MissingDependency("redis", extra="redis")

    monkeypatch.setattr(cookiesess.manager.opened, "open_store", open_it)
    with pytest.raises(MissingDependency, match=r"pip install .*redis"):
        SessionManager(KEY, store="redis://localhost")


def test_no_repr_shows_a_password(opened):
    manager = SessionManager(KEY, store="redis://ann:hunter2@localhost:1/0")
    for each in (manager, manager._opened, manager._opened.configuration, *manager._opened.settings.values()):
        assert "hunter2" not in repr(each)


def test_the_door_is_at_the_top():
    assert isinstance(open_store("memory://"), MemoryStore)
