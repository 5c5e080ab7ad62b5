"""Pyramid's session: what `ISession` promises, flashes and CSRF tokens."""

import pytest
from pyramid.interfaces import ISession, ISessionFactory
from pyramid.response import Response
from zope.interface.verify import verifyClass, verifyObject

from cookiesess import (
    ConfigurationError,
    Key,
    SessionManager,
)
from cookiesess.adapters.pyramid import PyramidSession, PyramidSessionFactory, Unset, session_factory
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import CookieHeader, ManualClock, session_transaction
from kit.constants import KEY
from kit.pyramid_site import Site


@pytest.fixture(params=[True, False], ids=["store", "cookie"])
def store(request):
    return MemoryStore() if request.param else None


@pytest.fixture
def session():
    return SessionManager(KEY).open("", session_class=PyramidSession)


# The interface


def test_the_class_meets_the_interface():
    assert verifyClass(ISession, PyramidSession)


def test_a_session_meets_the_interface(session):
    assert verifyObject(ISession, session)


def test_the_factory_meets_the_interface():
    assert verifyObject(ISessionFactory, session_factory(KEY))
    assert verifyClass(ISessionFactory, PyramidSessionFactory)


def test_a_session_knows_when_it_was_created_and_that_it_is_new():
    session = SessionManager(KEY, clock=ManualClock(1_000_000)).open("", session_class=PyramidSession)
    assert session.created == 1_000_000
    assert session.new


def test_a_loaded_session_is_not_new():
    manager, cookies = SessionManager(KEY), CookieHeader()
    with session_transaction(manager, cookies) as session:
        session["a"] = 1
    assert not manager.open(cookies.value, session_class=PyramidSession).new


def test_a_change_inside_a_value_needs_no_word_and_bears_one(session):
    session["cart"] = []
    session["cart"].append("tea")
    assert session.changed() is None
    assert session["cart"] == ["tea"]


# Flashes


def test_flashes_wait_in_their_queues(session):
    session.flash("saved")
    session.flash("careful", "warnings")
    session.flash("done")
    assert session.peek_flash() == ["saved", "done"]
    assert session.pop_flash() == ["saved", "done"]
    assert session.pop_flash() == []
    assert session.pop_flash("warnings") == ["careful"]


def test_a_message_may_wait_twice_unless_told_otherwise(session):
    session.flash("saved")
    session.flash("saved", allow_duplicate=False)
    assert session.peek_flash() == ["saved"]
    session.flash("saved")
    session.flash("saved", "other", allow_duplicate=False)
    assert session.peek_flash() == ["saved", "saved"]
    assert session.peek_flash("other") == ["saved"]


def test_looking_at_flashes_changes_nothing(session):
    session.peek_flash()
    assert not session.modified


def test_flashes_that_pyramids_own_session_left_are_shown_first(session):
    session["_f_"] = ["before"]
    session.flash("after")
    assert session.peek_flash() == ["before", "after"]
    assert session.pop_flash() == ["before", "after"]
    assert session.pop_flash() == []


def test_the_librarys_own_method_shows_queues_as_categories(session):
    session.flash("careful", "warnings")
    assert session.pop_flashes() == [("careful", "warnings")]


# CSRF


def test_the_csrf_token_stays_the_same_until_there_is_a_new_one(session):
    token = session.get_csrf_token()
    assert session.get_csrf_token() == token
    assert len(token) == 64
    assert session.new_csrf_token() != token
    assert session.get_csrf_token() != token


def test_the_csrf_token_of_pyramids_own_session_goes_on(session):
    session["_csrft_"] = "of a form that was sent before the switch"
    assert session.get_csrf_token() == "of a form that was sent before the switch"


def test_a_login_has_a_new_csrf_token(session):
    token = session.get_csrf_token()
    session.login("user-1")
    assert session.get_csrf_token() != token


def csrf(request):
    return Response(request.session.get_csrf_token())


def post(request):
    request.session["posted"] = True
    return Response("posted")


class Guarded(Site):
    def configure(self, config):
        config.set_default_csrf_options(require_csrf=True)


def test_pyramid_checks_csrf_tokens(store):
    site = Guarded(csrf, post, store=store)
    token = site.get("csrf").text
    site.browser.post("/post", {"csrf_token": "wrong"}, status=400)
    site.browser.post("/post", status=400)
    assert site.browser.post("/post", {"csrf_token": token}).text == "posted"
    assert site.browser.post("/post", headers={"X-CSRF-Token": token}).text == "posted"


def test_a_wrong_keyword_is_refused_with_what_to_write():
    with pytest.raises(ConfigurationError) as caught:
        session_factory(KEY, timeout=1200)
    assert str(caught.value) == (
        "there is no setting 'timeout' of session_factory; did you mean lifetime=Lifetime(idle=timedelta(…))?"
        " help(cookiesess.SessionManager) lists them"
    )


def test_a_form_from_before_a_login_whose_answer_was_lost_is_still_valid():
    manager = SessionManager(KEY, store=MemoryStore())
    form = manager.open("", PyramidSession)
    token = form.get_csrf_token()
    (cookie,) = manager.commit(form).cookies
    header = f"{cookie.name}={cookie.value}"
    first = manager.open(header, PyramidSession)
    first.login("ann")
    manager.commit(first)
    assert manager.open(header, PyramidSession).get_csrf_token() == token


def test_without_keys_the_environment_has_them(monkeypatch, tmp_path):
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    assert session_factory().manager.operations.parts.keyring.current.kid == Key(KEY).kid
    monkeypatch.delenv("COOKIESESS_KEYS")
    (tmp_path / "keys.txt").write_text(KEY)
    monkeypatch.setenv("COOKIESESS_KEYS_FILE", str(tmp_path / "keys.txt"))
    assert session_factory().manager.operations.parts.keyring.path == tmp_path / "keys.txt"


def test_without_any_keys_it_says_which_variable_to_set(monkeypatch):
    monkeypatch.delenv("COOKIESESS_KEYS", raising=False)
    with pytest.raises(ConfigurationError, match="COOKIESESS_KEYS_FILE"):
        session_factory()
    assert repr(Unset.KEYS) == "<COOKIESESS_KEYS or COOKIESESS_KEYS_FILE>"
