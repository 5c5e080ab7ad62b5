"""The same account page without a framework: webob reads requests, Jinja fills in the pages, the rest stands here.

``python -m examples --account wsgi`` serves it. ``flask_app.py`` is the one with Flask.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader
from webob import Request, Response

from cookiesess import CookiePolicy, Keyring, Lifetime, SessionMiddleware, check_csrf, get_manager, get_session
from cookiesess.adapters.devices import describe_client
from cookiesess.errors import StoreError
from cookiesess.stores.base import Store
from examples.account.shared import HEADERS, LEAST_PASSWORD, Users, on_this_site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Short, so that you can watch the warning and be asked again: 15 minutes and 10 minutes are more usual.
LIFETIME = Lifetime(idle=timedelta(minutes=5), absolute=timedelta(hours=12))
RECENT = timedelta(minutes=2)
REMEMBERED = timedelta(days=60)

HERE = Path(__file__).parent
FILES = {f"/static/{path.name}": path for path in (HERE / "static").iterdir()}
TEMPLATES = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
MOST_BYTES = 1 << 16
Clock = Callable[[], float]
Answer = Any  # a response of webob, which has no types


def make_app(
    keys: Keyring | str, *, store: Store, users: Users | None = None, clock: Clock = time.time
) -> "WSGIApplication":
    """Return the app. In production leave ``cookie=`` out: this one is for plain HTTP on one's own machine."""
    known, cookie, label = users or Users(), CookiePolicy.development(), describe_client

    def site(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        return answer(environ, known, clock)(environ, start_response)

    app = SessionMiddleware(site, keys, store=store, cookie=cookie, lifetime=LIFETIME, login_label=label, clock=clock)

    def or_503(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        try:
            return app(environ, start_response)
        except StoreError:  # in the view, or after it
            return explain(503, retry_after=5)(environ, start_response)

    return or_503


def answer(environ: "WSGIEnvironment", users: Users, clock: Clock) -> Answer:
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"].replace("HEAD", "GET")
    if path in FILES:
        return respond(FILES[path].read_bytes(), content_type=guess_type(path)[0], cache_control="max-age=3600")
    methods, view = ROUTES.get(path, ((), explain))
    if method not in methods:
        return explain(405, allow=methods) if methods else explain(404)
    if method == "POST" and not check_csrf(environ):  # the token stands in each form, and in the header of each fetch
        return explain(403)
    visit = Visit(environ, users, clock)
    return view(visit) if visit.user or view in FOR_ANYBODY else visit.go(f"/login?next={path}")


class Visit:
    """One request: what came with it, and ways to answer it."""

    def __init__(self, environ: "WSGIEnvironment", users: Users, clock: Clock) -> None:
        self.session, self.manager, self.users, self.now = get_session(environ), get_manager(environ), users, clock
        self.user, self.posted = self.session.owner or "", environ["REQUEST_METHOD"] == "POST"
        body = Request(environ).body_file.read(MOST_BYTES).decode(errors="replace")
        self.form, self.query = (dict(parse_qsl(text)) for text in (body, environ.get("QUERY_STRING", "")))
        self.next = on_this_site(self.form.get("next") or self.query.get("next"))

    def show(self, name: str, status: int = 200, **values: object) -> Answer:
        page = TEMPLATES.get_template(name)
        return respond(page.render(session=self.session, now=self.now, **values), status=status)

    def go(self, path: str) -> Answer:
        """Answer a form by a page of its own, so that loading that page again sends nothing a second time."""
        return respond(status=303, location=path)


def respond(body: str | bytes | None = None, **values: Any) -> Answer:
    response = Response(body, **values)
    response.headers.update({**HEADERS, **response.headers})
    return response


def explain(status: int, **values: Any) -> Answer:
    """Say what to do. This page does not look at the session, since the store may be down."""
    return respond(TEMPLATES.get_template("error.html").render(status=status), status=status, **values)


def login(visit: Visit) -> Answer:
    name = visit.form.get("user", "").strip()
    if visit.user:
        return visit.go(visit.next)
    if not visit.posted:
        return visit.show("login.html", next=visit.next, timeout="timeout" in visit.query)
    if not visit.users.knows(name, visit.form.get("password", "")):
        return visit.show("login.html", 403, next=visit.next, user=name, error="Wrong name or password.")
    visit.session.login(name)
    if "remember" in visit.form:
        visit.session.remember(REMEMBERED)  # after login(), which begins with the usual timeouts
    visit.session.flash(f"Welcome, {name}.")
    return visit.go(visit.next)


def logout(visit: Visit) -> Answer:
    visit.session.invalidate()
    visit.session.flash("You are logged out.")
    return visit.go("/login")


def confirm(visit: Visit) -> Answer:
    if not visit.posted:
        return visit.show("confirm.html", next=visit.next)
    if not visit.users.knows(visit.user, visit.form.get("password", "")):
        return visit.show("confirm.html", 403, next=visit.next, error="That is not your password.")
    visit.session.login(visit.user)  # a new ID, and the minutes begin anew; a remembered session stays one
    return visit.go(visit.next)


def home(visit: Visit) -> Answer:
    devices = visit.manager.sessions_of(visit.user)
    return visit.show("home.html", user=visit.user, email=visit.users.emails[visit.user], devices=devices)


def devices(visit: Visit) -> Answer:
    if not visit.posted:
        return visit.show("devices.html", devices=visit.manager.sessions_of(visit.user, current=visit.session))
    if "others" in visit.form:
        visit.manager.end_all(visit.user, keep=visit.session)
        visit.session.flash("All other devices are logged out.")
    elif visit.manager.end(visit.user, visit.form.get("handle", "")):
        visit.session.flash("That device is logged out.")
    return visit.go("/devices")


def password(visit: Visit) -> Answer:
    if not visit.posted:
        return visit.show("password.html", least=LEAST_PASSWORD)
    old, new = visit.form.get("old", ""), visit.form.get("new", "")
    if not visit.users.knows(visit.user, old):
        return visit.show("password.html", 403, least=LEAST_PASSWORD, wrong="old")
    if len(new) < LEAST_PASSWORD:
        return visit.show("password.html", 422, least=LEAST_PASSWORD, wrong="new")
    visit.users.set_password(visit.user, new)  # first: if anything below fails, the user may simply try again
    visit.session.renew()  # a copy of this session's cookie is dead
    visit.manager.end_all(visit.user, keep=visit.session)  # and so are all other sessions
    visit.session.flash("Your password is changed, and all other devices are logged out.")
    return visit.go("/")


def email(visit: Visit) -> Answer:
    if not visit.session.authenticated_within(RECENT):
        return visit.go("/confirm?next=/email")
    if not visit.posted:
        return visit.show("email.html", email=visit.users.emails[visit.user])
    address = visit.form.get("email", "").strip()
    if "@" not in address or len(address) > 254:
        return visit.show("email.html", 422, email=address, error="An address has an @, as ann@example.com.")
    visit.users.emails[visit.user] = address
    visit.session.flash("Your e-mail address is changed.")
    return visit.go("/")


def left(visit: Visit) -> Answer:
    visit.session.passive()  # a script asks, not the user: the timeouts go on
    return respond(json={"seconds": max(0, int(visit.session.expires_at - visit.now())) if visit.user else 0})


def stay(visit: Visit) -> Answer:
    visit.session.refresh()  # the idle timeout begins anew
    return respond(json={})


FOR_ANYBODY = {login, logout, left, stay}
BOTH = ("GET", "POST")
ROUTES: dict[str, tuple[tuple[str, ...], Callable[..., Answer]]] = {
    "/": (("GET",), home),
    "/login": (BOTH, login),
    "/logout": (("POST",), logout),
    "/confirm": (BOTH, confirm),
    "/devices": (BOTH, devices),
    "/password": (BOTH, password),
    "/email": (BOTH, email),
    "/session/left": (("GET",), left),
    "/session/stay": (("POST",), stay),
}
