"""What both type checkers make of an app's own code: sessions have their types, and what is wrong is refused.

The programs are whole ones, and annotated, so that mypy is as strict as it can be. A line that ends in ``# refused`` is
wrong, and both checkers have to say so; of all others they must have nothing to say.
"""

import flask

from cookiesess.adapters.flask import Cookiesess, session
from docs.checkers import all_checkers, check
from kit.constants import KEY

FLASK = """
import os
from datetime import timedelta

from flask import Flask

from cookiesess.adapters.flask import Cookiesess, session

app = Flask(__name__)
Cookiesess(app, keys=os.environ["COOKIESESS_KEYS"])


@app.post("/login")
def login() -> str:
    session.login("user-42")
    session.login(42)  # refused
    session.log_in("user-42")  # refused
    session.remember(timedelta(days=30))
    session.permanent = True
    session["cart"] = [1]
    owner: str | None = session.owner
    return f"{owner} {session.get('cart')}"
"""
FLASK_CLASS = """
import os
from typing import assert_type

from flask import Flask, request

from cookiesess import Session, get_session
from cookiesess.adapters.flask import Cookiesess, CookiesessInterface, FlaskSession


class ShopSession(FlaskSession):
    def cart(self) -> list[str]:
        cart: list[str] = self.setdefault("cart", [])
        return cart


class Elsewhere(Session):
    pass


app = Flask(__name__)
sessions = Cookiesess(app, keys=os.environ["COOKIESESS_KEYS"], session_class=ShopSession)
session = sessions.session
assert_type(sessions, Cookiesess[ShopSession])
assert_type(Cookiesess(app).session, FlaskSession)
assert_type(CookiesessInterface(session_class=ShopSession), CookiesessInterface[ShopSession])
Cookiesess(app, session_class=Elsewhere)  # refused


@app.get("/")
def cart() -> list[str]:
    assert_type(session, ShopSession)
    session.cart().append("tea")
    session.basket()  # refused
    assert_type(get_session(request, ShopSession), ShopSession)
    return session.cart()


def extension() -> Cookiesess:
    return sessions
"""
WSGI_CLASS = """
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, assert_type

from cookiesess import Session, SessionManager, SessionMiddleware, get_session
from cookiesess.testing import CookieHeader, session_transaction

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

KEYS = os.environ["COOKIESESS_KEYS"]


class ShopSession(Session):
    def cart(self) -> list[str]:
        cart: list[str] = self.setdefault("cart", [])
        return cart


def view(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    session = get_session(environ, ShopSession)
    assert_type(session, ShopSession)
    session.cart().append("tea")
    assert_type(get_session(environ), Session)
    assert_type(get_session(environ, "shop.session"), Session)
    get_session(environ).cart()  # refused
    get_session(environ, dict)  # refused
    start_response("200 OK", [])
    return []


shop = SessionMiddleware(view, KEYS, session_class=ShopSession)
plain = SessionMiddleware(view, KEYS)
assert_type(shop, SessionMiddleware[ShopSession])
assert_type(plain, SessionMiddleware[Session])
assert_type(SessionMiddleware.from_env(view, session_class=ShopSession), SessionMiddleware[ShopSession])
assert_type(SessionMiddleware.from_env(view), SessionMiddleware[Session])
SessionMiddleware(view, KEYS, session_class=dict)  # refused

assert_type(SessionManager(KEYS).open("", shop.session_class), ShopSession)
with session_transaction(shop.manager, CookieHeader(), shop.session_class) as session:
    assert_type(session, ShopSession)
with session_transaction(plain.manager, CookieHeader()) as other:
    assert_type(other, Session)
    other.cart()  # refused


def create_app() -> SessionMiddleware:
    return shop
"""
PYRAMID_CLASS = """
import os
from typing import assert_type

from cookiesess import Session, get_session
from cookiesess.adapters.pyramid import PyramidSession, PyramidSessionFactory, session_factory

KEYS = os.environ["COOKIESESS_KEYS"]


class ShopSession(PyramidSession):
    pass


class Elsewhere(Session):
    pass


def view(request: object) -> None:
    assert_type(get_session(request, ShopSession), ShopSession)
    assert_type(sessions(request), ShopSession)


sessions = session_factory(KEYS, session_class=ShopSession)
assert_type(sessions, PyramidSessionFactory[ShopSession])
assert_type(session_factory(KEYS), PyramidSessionFactory[PyramidSession])
session_factory(KEYS, session_class=Elsewhere)  # refused


def factory() -> PyramidSessionFactory:
    return sessions
"""
PROGRAMS = {"in_flask": FLASK, "flask_class": FLASK_CLASS, "wsgi_class": WSGI_CLASS, "pyramid_class": PYRAMID_CLASS}


def refused(text):
    return {number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# refused")}


@all_checkers
def test_a_checker_refuses_the_wrong_lines_and_no_others(checker, tmp_path):
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    found = check(checker, tmp_path)
    wrong = {(name, line) for name, text in PROGRAMS.items() for line in refused(text)}
    assert {(name, line) for name, line, _ in found} == wrong, found


def test_the_typed_session_is_flasks_own():
    assert session is flask.session
    assert Cookiesess(keys=KEY).session is flask.session
