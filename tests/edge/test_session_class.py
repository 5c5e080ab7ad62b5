"""A session class of the app's own: who gets it, how a view asks for it, and what is said where there is none."""

import pytest

from cookiesess import ConfigurationError, Session, SessionError, SessionManager, SessionMiddleware, get_session
from cookiesess.adapters.beaker import BeakerSession
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import KEY
from kit.wsgi import Server, answering, environ_of


class ShopSession(Session):
    """With a cart."""

    @property
    def cart(self):
        return self.setdefault("cart", [])


class Elsewhere(Session):
    """Of another app."""


def seen_by_an_app(ask, **settings):
    """Return what `ask` returns in a request of an app with these settings."""
    seen = []

    def app(environ, start_response):
        seen.append(ask(environ))
        start_response("200 OK", [])
        return [b""]

    Server().run(SessionMiddleware(app, KEY, **settings), environ_of())
    return seen[0]


def refusal(ask, **settings):
    with pytest.raises(SessionError) as raised:
        seen_by_an_app(ask, **settings)
    return str(raised.value)


def test_a_view_asks_for_the_session_by_its_class():
    assert seen_by_an_app(lambda environ: get_session(environ, ShopSession).cart, session_class=ShopSession) == []


def test_a_class_finds_its_session_under_any_key():
    ask = lambda environ: get_session(environ, BeakerSession) is environ["beaker.session"]  # noqa: E731
    assert seen_by_an_app(ask, environ_key="beaker.session")


def test_a_base_class_finds_the_session_of_a_subclass():
    assert seen_by_an_app(lambda environ: type(get_session(environ, Session)), session_class=ShopSession) is ShopSession


def test_a_session_of_another_class_is_an_error_that_says_where_to_give_the_class():
    assert refusal(lambda environ: get_session(environ, ShopSession)) == (
        "the environ has no ShopSession, but a Session under 'cookiesess.session'; give session_class=ShopSession to"
        " SessionMiddleware, or to the framework's adapter"
    )


def test_without_any_session_the_error_says_so():
    with pytest.raises(SessionError, match="no ShopSession, but no session at all; give session_class=ShopSession to"):
        get_session({}, ShopSession)


def test_of_two_sessions_of_one_class_none_is_guessed():
    def ask(environ):
        environ["second.session"] = SessionManager(KEY).open("", ShopSession)
        return get_session(environ, ShopSession)

    message = refusal(ask, session_class=ShopSession)
    assert message.startswith("the environ has several sessions of the class ShopSession; name one by its key: ")
    assert message.endswith("['cookiesess.session', 'second.session']")


def test_a_class_that_is_none_of_sessions_is_refused():
    assert refusal(lambda environ: get_session(environ, dict)) == (
        "dict is no class of sessions; give a subclass of Session, or a key"
    )


def test_a_middleware_says_which_class_it_has():
    assert SessionMiddleware(answering(len), KEY).session_class is Session
    assert SessionMiddleware(answering(len), KEY, environ_key="beaker.session").session_class is BeakerSession
    made = SessionMiddleware.from_env(answering(len), keys=KEY, environ={}, session_class=Elsewhere)
    assert made.session_class is Elsewhere


def test_a_test_can_have_the_sessions_of_the_app():
    middleware, cookies = SessionMiddleware(answering(len), KEY, session_class=ShopSession), CookieHeader()
    with session_transaction(middleware.manager, cookies, middleware.session_class) as session:
        session.cart.append("tea")
    with session_transaction(middleware.manager, cookies, middleware.session_class) as session:
        assert session.cart == ["tea"]


@pytest.mark.parametrize(
    ("wrong", "came"),
    [(dict, "the class dict"), ("ShopSession", "of type str"), (Session.__init__, "of type function")],
    ids=["class", "text", "function"],
)
def test_what_is_no_session_class_is_refused(wrong, came):
    with pytest.raises(ConfigurationError) as raised:
        SessionMiddleware(answering(len), KEY, session_class=wrong)
    assert str(raised.value) == (
        f"session_class must be a subclass of Session, not {came}; write class ShopSession(Session): …, and"
        " session_class=ShopSession"
    )


def test_a_manager_does_not_take_one_and_says_who_does():
    with pytest.raises(ConfigurationError) as raised:
        SessionManager(KEY, session_class=ShopSession)
    assert str(raised.value) == (
        "there is no setting 'session_class' of SessionManager; it is an argument of SessionMiddleware, of Flask's"
        " Cookiesess and of Pyramid's session_factory"
    )
