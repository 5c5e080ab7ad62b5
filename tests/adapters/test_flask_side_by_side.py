"""The same app with Flask's own sessions and with this library's: what the app and its visitors see is the same."""

from datetime import UTC, datetime
from uuid import UUID

import flask
import pytest
from flask import flash, get_flashed_messages, redirect, render_template_string, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from markupsafe import Markup

from cookiesess.adapters.flask import CookiesessInterface
from cookiesess.stores.memory import MemoryStore
from cookiesess.stores.sqlite import SQLiteStore
from kit.constants import KEY, OTHER_KEY
from kit.flask_site import lines, nothing, vary

VALUES = {
    "none": None,
    "flag": True,
    "number": 42,
    "float": 1.5,
    "text": "萧兮",
    "bytes": b"\x00\xff",
    "list": [1, [2]],
    "tuple": (1, (2,)),
    "dict": {"a": {"b": 1}},
    "uuid": UUID(int=7),
    "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "markup": Markup("<b>bold</b>"),
}


def index():
    return f"user {session.get('user_id')}, {sorted(session)}"


def count():
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


def cart(item):
    session.setdefault("cart", []).append(item)
    session.modified = True
    return str(session["cart"])


def login(user_id):
    session.clear()
    session["user_id"] = user_id
    if "remember" in request.args:
        session.permanent = True
    flash("welcome", "info")
    return redirect(url_for("index"))


def logout():
    session.pop("user_id", None)
    flash("good bye")
    return redirect(url_for("messages"))


def clear():
    session.clear()
    return "cleared"


def messages():
    return str(get_flashed_messages(with_categories=True))


def values():
    session.update(VALUES)
    return "stored"


def types():
    return str([(name, type(session[name]).__name__, session[name]) for name in VALUES])


def kind():
    return f"{session.permanent} {session.modified} {bool(session)} {'count' in session} {session == {}}"


def template():
    return render_template_string("{{ session.count }} {{ session['count'] }} {{ get_flashed_messages() }}")


def missing():
    return session["missing"]


def key_error(error):
    session["errors"] = session.get("errors", 0) + 1
    return f"no {error.args[0]}, error {session['errors']}", 400


def before():
    if "before" in request.args:
        session["before"] = request.path


def after(response):
    if "after" in request.args:
        session["after"] = response.status_code
    return response


RULES = {
    "/": index,
    "/count": count,
    "/cart/<item>": cart,
    "/login/<int:user_id>": login,
    "/logout": logout,
    "/clear": clear,
    "/messages": messages,
    "/values": values,
    "/types": types,
    "/kind": kind,
    "/template": template,
    "/missing": missing,
    "/nothing": nothing,
}


def make_app(interface, config):
    """An app as a tutorial would build it: a counter, a login, messages and a cart."""
    app = flask.Flask("tutorial")
    app.config.update({"SECRET_KEY": KEY, **config})
    app.session_interface = interface
    for rule, view in RULES.items():
        app.add_url_rule(rule, view_func=view)
    app.register_error_handler(KeyError, key_error)
    app.before_request(before)
    app.after_request(after)
    return app


SCRIPTS = {
    "a counter": ["/count", "/count", "/nothing", "/count"],
    "a cart": ["/cart/book", "/cart/pen", "/"],
    "a login": ["/login/7", "/", "/messages", "/messages", "/logout", "/messages", "/"],
    "a login over a session": ["/count", "/login/7", "/", "/count"],
    "a login that is remembered": ["/login/7?remember", "/kind", "/nothing", "/count"],
    "a clearing": ["/count", "/clear", "/", "/count"],
    "a clearing of nothing": ["/clear", "/", "/nothing"],
    "types of values": ["/values", "/types"],
    "attributes": ["/kind", "/count", "/kind"],
    "a template": ["/count", "/template", "/login/1", "/template"],
    "an error handler": ["/missing", "/missing", "/nowhere", "/"],
    "hooks": ["/nothing?before", "/nothing?after", "/nowhere?after", "/"],
}
CONFIGS = {
    "defaults": {},
    "attributes": {
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": False,
    },
    "a name and a path": {"SESSION_COOKIE_NAME": "shop", "SESSION_COOKIE_PATH": "/"},
    "a domain": {"SESSION_COOKIE_DOMAIN": "localhost"},
    "partitioned": {"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SAMESITE": "None"},
    "no refreshing": {"SESSION_REFRESH_EACH_REQUEST": False},
    "fallbacks": {"SECRET_KEY_FALLBACKS": [OTHER_KEY]},
    "no secret key": {"SECRET_KEY": None},
}


def attributes(line):
    """A Set-Cookie line without its value, and with one word for how long it is kept."""
    name, *rest = line.split("; ")
    kept = [part for part in rest if not part.startswith(("Expires=", "Max-Age="))]
    return name.partition("=")[0], sorted([*kept, "persistent"] if len(kept) < len(rest) else kept)


def seen(client, path):
    """What a visitor, or a cache, sees of a response; without the key that Flask keeps `permanent` under."""
    response = client.get(path, buffered=True)
    text = response.text.replace(", '_permanent'", "").replace("'_permanent'", "")
    holds = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"]) is not None
    return response.status_code, response.headers.get("Location"), text, vary(response.headers), holds


def cookies(client, path):
    """The attributes of the cookies that a response sets, deletions aside: one of nothing is nothing."""
    return [attributes(line) for line in lines(client.get(path, buffered=True)) if "Max-Age=0" not in line]


def run(look, interface, script, config):
    client = make_app(interface, config).test_client()
    return [look(client, path) for path in script]


all_scripts = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
all_configs = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


@all_configs
@all_scripts
@pytest.mark.parametrize("store", [None, MemoryStore], ids=["client-side", "server-side"])
def test_a_visitor_sees_the_same_with_flasks_sessions_and_with_ours(store, script, config):
    ours = CookiesessInterface(store=store and store())
    assert run(seen, ours, script, config) == run(seen, SecureCookieSessionInterface(), script, config)


@all_configs
@all_scripts
def test_the_same_cookies_are_set_with_flasks_sessions_and_with_ours(script, config):
    """But for SameSite, where the config says nothing of it: docs/flask.md names that."""
    ours = run(cookies, CookiesessInterface(), script, config)
    assert ours == run(cookies, SecureCookieSessionInterface(), script, {"SESSION_COOKIE_SAMESITE": "Lax", **config})


def test_a_visitor_sees_the_same_with_sqlite(tmp_path):
    store = SQLiteStore(tmp_path / "sessions.db")
    for script in SCRIPTS.values():
        ours = run(seen, CookiesessInterface(store=store), script, {})
        assert ours == run(seen, SecureCookieSessionInterface(), script, {})
    store.close()
