"""Messages whose text is translated late, or is of a class of its own: flashed as the frameworks' own sessions do."""

from contextlib import contextmanager
from enum import StrEnum

import flask
import pytest
from babel.support import LazyProxy
from flask import get_flashed_messages, session
from flask_babel import Babel, force_locale, gettext, lazy_gettext
from flask_login import LoginManager, login_required
from markupsafe import Markup

from cookiesess import NotSerializable, SessionManager, ValueType
from cookiesess.adapters.flask import Cookiesess
from cookiesess.adapters.flask.flask_session import FlaskSession
from kit.constants import KEY

WORDS = {"hello": "Hello", "late": "Late"}


class Level(StrEnum):
    ERROR = "error"


class Text(str):
    """Shows something else than it holds, as some enums do."""

    __slots__ = ()

    def __str__(self):
        return "shown"


class LazyString:
    """As other forks of Flask-Babel have one."""

    def __str__(self):
        return Text("late")


def flask_app(*, ours=True):
    app = flask.Flask("shop")
    app.config["SECRET_KEY"] = KEY
    app.testing = True
    Babel(app)
    users = LoginManager(app)
    users.user_loader(lambda user_id: None)
    users.login_view = "login"
    users.login_message = lazy_gettext("Please log in")
    if ours:
        Cookiesess(app)
    app.add_url_rule("/login", "login", lambda: repr(get_flashed_messages(with_categories=True)))
    app.add_url_rule("/me", "me", login_required(lambda: "me"))
    return app


def flashed(*flashes, flash=flask.flash):
    """What the next page is shown of `flashes`, each the arguments of one call."""
    app = flask_app()

    @app.get("/flash")
    def flash_them():
        for each in flashes:
            flash(*each)
        return ""

    shown = []
    app.add_url_rule("/show", "show", lambda: shown.extend(get_flashed_messages(with_categories=True)) or "")
    client = app.test_client()
    client.get("/flash")
    client.get("/show")
    return shown


@contextmanager
def in_request(app):
    with app.test_request_context():
        yield app.session_interface.manager_of(app)


def kinds(value):
    """The classes of all that a value holds."""
    if isinstance(value, dict):
        return {type(value)} | kinds([*value, *value.values()])
    return {type(value)}.union(*map(kinds, value)) if isinstance(value, list | tuple) else {type(value)}


@pytest.mark.parametrize("ours", [True, False])
def test_a_login_message_that_is_translated_late_is_shown(ours):
    client = flask_app(ours=ours).test_client()
    assert client.get("/me").status_code == 302
    assert "Please log in" in client.get("/login").text


def test_a_lazy_text_is_kept_as_text():
    ((category, message),) = flashed([lazy_gettext("saved"), "info"])
    assert (category, message, type(message)) == ("info", "saved", str)


def test_flash_of_the_session_does_the_same():
    ((category, message),) = flashed([lazy_gettext("saved")], flash=lambda *each: session.flash(*each))
    assert (category, message, type(message)) == ("message", "saved", str)


def test_the_language_is_that_of_the_request_that_flashes():
    app = flask_app()
    with in_request(app):
        said = []
        lazy = lazy_gettext("saved")
        lazy._func = lambda *_, **__: said.append(1) or gettext("saved")
        with force_locale("de"):
            flask.flash(lazy)
        assert said == [1]
        assert session["_flashes"] == [("message", "saved")]


def test_a_second_lazy_text_is_kept_behind_the_first():
    assert flashed([lazy_gettext("one")], ["two"], [lazy_gettext("three"), Level.ERROR]) == [
        ("message", "one"),
        ("message", "two"),
        ("error", "three"),
    ]


@pytest.mark.parametrize(
    "message", [lazy_gettext("late"), LazyString(), LazyProxy(lambda: "late", enable_cache=False), Text("late")]
)
def test_text_of_any_class_is_kept_as_plain_text(message):
    ((_, shown),) = flashed([message])
    assert shown in {"late", "shown"}
    assert type(shown) is str


def test_text_of_a_class_of_its_own_is_kept_as_what_it_holds():
    assert flashed([Text("held")]) == [("message", "held")]


def test_markup_stays_markup():
    ((_, shown),) = flashed([Markup("<b>saved</b>")])
    assert type(shown) is Markup


def test_texts_inside_of_a_message_are_plain_too():
    errors = {Text("name"): [lazy_gettext("too short"), (Level.ERROR, Markup("<b>")), 5]}
    ((_, shown),) = flashed([errors])
    assert shown == {"name": ["too short", ("error", Markup("<b>")), 5]}
    assert kinds(shown) == {dict, list, tuple, str, Markup, int}


@pytest.mark.parametrize("late", [False, True])
def test_a_message_that_is_no_text_is_refused_at_the_flash(late):
    app = flask_app()
    message = [lazy_gettext("saved"), object()] if late else object()
    with in_request(app):
        with pytest.raises(NotSerializable, match=r"object is not supported"):
            flask.flash(message)
        with pytest.raises(NotSerializable, match=r"object is not supported"):
            session.flash(message)


def test_a_message_that_holds_itself_is_refused():
    message = [lazy_gettext("saved")]
    message += [message, message]
    with in_request(flask_app()), pytest.raises(NotSerializable):
        flask.flash(message)


def test_a_message_that_is_nested_for_ever_is_refused():
    message = [lazy_gettext("saved")]
    for _ in range(5000):
        message = [message]
    with in_request(flask_app()), pytest.raises(NotSerializable, match="levels deep"):
        flask.flash(message)


@pytest.mark.parametrize("value", [lazy_gettext("saved"), Text("held"), [lazy_gettext("saved")]])
def test_other_values_stay_exact(value):
    with in_request(flask_app()):
        with pytest.raises(NotSerializable, match=r'session\["word"\]'):
            session["word"] = value
        assert "word" not in session


# Without a framework


def opened(session_class=None, **settings):
    manager = SessionManager(KEY, **settings)
    return manager.open("", **({} if session_class is None else {"session_class": session_class}))


def test_without_a_framework_text_of_a_class_of_its_own_is_plain_as_well():
    session = opened()
    session.flash(Text("held"), Level.ERROR)
    ((message, category),) = session.pop_flashes()
    assert (message, type(message), category, type(category)) == ("held", str, "error", str)


def test_text_of_a_registered_class_stays_what_it_is():
    session = opened(types=[ValueType(1, Text, str.__str__, Text)])
    session.flash(Text("held"))
    ((message, _),) = session.pop_flashes()
    assert type(message) is Text


def test_without_a_framework_nobody_names_lazy_texts():
    with pytest.raises(NotSerializable, match="flash message: LazyString is not supported"):
        opened().flash(LazyString())


def test_a_category_that_is_no_text_is_refused():
    with pytest.raises(NotSerializable):
        opened().flash("saved", object())


def test_a_session_outside_of_a_request_takes_lazy_texts_too():
    session = opened(FlaskSession)
    session["_flashes"] = [("message", LazyString())]
    assert session["_flashes"] == [("message", "late")]
