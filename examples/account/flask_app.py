"""A whole account page with Flask: login, "remember me", devices, password, sudo mode, a warning before the timeout.

``python -m examples --account`` serves it. ``wsgi_app.py`` is the same app without a framework.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue as Answer
from werkzeug.exceptions import HTTPException

from cookiesess import CookiePolicy, Keyring, Lifetime, StoreError, check_csrf, get_manager
from cookiesess.adapters.devices import describe_client
from cookiesess.adapters.flask import Cookiesess, session
from cookiesess.stores.base import Store
from examples.account.shared import HEADERS, LEAST_PASSWORD, Users, on_this_site

# Short, so that you can watch the warning and be asked again: 15 minutes and 10 minutes are more usual.
LIFETIME = Lifetime(idle=timedelta(minutes=5), absolute=timedelta(hours=12))
RECENT = timedelta(minutes=2)
REMEMBERED = timedelta(days=60)

Clock = Callable[[], float]
pages = Blueprint("account", __name__)


def make_app(keys: Keyring | str, *, store: Store, users: Users | None = None, clock: Clock = time.time) -> Flask:
    """Return the app. In production leave ``cookie=`` out: this one is for plain HTTP on one's own machine."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1 << 16
    app.extensions["users"], app.extensions["clock"] = users or Users(), clock
    app.jinja_env.globals["now"] = clock
    cookie = CookiePolicy.development()
    Cookiesess(app, keys=keys, store=store, cookie=cookie, lifetime=LIFETIME, login_label=describe_client, clock=clock)
    app.register_blueprint(pages)
    return app


def users() -> Users:
    found: Users = current_app.extensions["users"]
    return found


def go(path: str) -> Answer:
    """Answer a form by a page of its own, so that loading that page again sends nothing a second time."""
    return redirect(path, 303)


@pages.before_app_request
def check_forms() -> None:
    """Refuse what no page of ours has sent: the token stands in each form, and in the header of each fetch."""
    if request.method == "POST" and not check_csrf(request):
        abort(403)


@pages.after_app_request
def add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "max-age=3600"
    return response


@pages.app_errorhandler(HTTPException)
@pages.app_errorhandler(StoreError)
def explain(error: Any) -> Answer:
    """Say what to do. This page does not look at the session, since the store may be down."""
    if isinstance(getattr(error, "original_exception", error), StoreError):  # in the view, or after it
        return render_template("error.html", status=503), 503, {"Retry-After": "5"}
    return render_template("error.html", status=error.code), error.code, dict(error.get_headers())


def for_users(view: Callable[[str], Answer]) -> Callable[[], Answer]:
    """Send visitors to the login, which leads back."""

    @wraps(view)
    def guarded() -> Answer:
        return view(session.owner) if session.owner else go(f"/login?next={request.path}")

    return guarded


@pages.route("/login", methods=["GET", "POST"])
def login() -> Answer:
    page, name = on_this_site(request.values.get("next")), request.form.get("user", "").strip()
    if session.owner:
        return go(page)
    if request.method != "POST":
        return render_template("login.html", next=page, timeout="timeout" in request.args)
    if not users().knows(name, request.form.get("password", "")):
        return render_template("login.html", next=page, user=name, error="Wrong name or password."), 403
    session.login(name)
    if "remember" in request.form:
        session.remember(REMEMBERED)  # after login(), which begins with the usual timeouts
    session.flash(f"Welcome, {name}.")
    return go(page)


@pages.post("/logout")
def logout() -> Answer:
    session.invalidate()
    session.flash("You are logged out.")
    return go("/login")


@pages.route("/confirm", methods=["GET", "POST"])
@for_users
def confirm(user: str) -> Answer:
    page = on_this_site(request.values.get("next"))
    if request.method != "POST":
        return render_template("confirm.html", next=page)
    if not users().knows(user, request.form.get("password", "")):
        return render_template("confirm.html", next=page, error="That is not your password."), 403
    session.login(user)  # a new ID, and the minutes begin anew; a remembered session stays one
    return go(page)


@pages.get("/")
@for_users
def home(user: str) -> Answer:
    devices = get_manager(request).sessions_of(user)
    return render_template("home.html", user=user, email=users().emails[user], devices=devices)


@pages.route("/devices", methods=["GET", "POST"])
@for_users
def devices(user: str) -> Answer:
    manager = get_manager(request)
    if request.method != "POST":
        return render_template("devices.html", devices=manager.sessions_of(user, current=session))
    if "others" in request.form:
        manager.end_all(user, keep=session)
        session.flash("All other devices are logged out.")
    elif manager.end(user, request.form.get("handle", "")):
        session.flash("That device is logged out.")
    return go("/devices")


@pages.route("/password", methods=["GET", "POST"])
@for_users
def password(user: str) -> Answer:
    if request.method != "POST":
        return render_template("password.html", least=LEAST_PASSWORD)
    old, new = request.form.get("old", ""), request.form.get("new", "")
    if not users().knows(user, old):
        return render_template("password.html", least=LEAST_PASSWORD, wrong="old"), 403
    if len(new) < LEAST_PASSWORD:
        return render_template("password.html", least=LEAST_PASSWORD, wrong="new"), 422
    users().set_password(user, new)  # first: if anything below fails, the user may simply try again
    session.renew()  # a copy of this session's cookie is dead
    get_manager(request).end_all(user, keep=session)  # and so are all other sessions
    session.flash("Your password is changed, and all other devices are logged out.")
    return go("/")


@pages.route("/email", methods=["GET", "POST"])
@for_users
def email(user: str) -> Answer:
    if not session.authenticated_within(RECENT):
        return go("/confirm?next=/email")
    if request.method != "POST":
        return render_template("email.html", email=users().emails[user])
    address = request.form.get("email", "").strip()
    if "@" not in address or len(address) > 254:
        return render_template("email.html", email=address, error="An address has an @, as ann@example.com."), 422
    users().emails[user] = address
    session.flash("Your e-mail address is changed.")
    return go("/")


@pages.get("/session/left")
def left() -> Answer:
    session.passive()  # a script asks, not the user: the timeouts go on
    seconds = session.expires_at - current_app.extensions["clock"]() if session.owner else 0
    return {"seconds": max(0, int(seconds))}


@pages.post("/session/stay")
def stay() -> Answer:
    session.refresh()  # the idle timeout begins anew
    return {}
