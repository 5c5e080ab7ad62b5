"""`bind_flask_login`: the session's owner follows Flask-Login."""

from datetime import timedelta

import flask
import pytest
from flask import request, session
from flask_login import LoginManager, UserMixin, confirm_login, current_user, login_user, logout_user

from cookiesess import get_manager
from cookiesess.adapters.flask import Cookiesess, bind_flask_login
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY


class User(UserMixin):
    def __init__(self, user_id):
        self.id = user_id


def make_app(*, ours=True, bound=True, protection="strong", owner=None):
    app = flask.Flask("shop")
    app.config["SECRET_KEY"] = KEY
    if ours:
        Cookiesess(app, store=MemoryStore())
    users = LoginManager(app)
    users.session_protection = protection
    users.user_loader(User)
    if bound:
        bind_flask_login(users, owner=owner)

    @app.get("/login")
    def login():
        session["cart"] = 1
        login_user(User("42"), remember="remember" in request.args)
        return "in"

    @app.get("/logout")
    def logout():
        logout_user()
        return "out"

    @app.get("/me")
    def me():
        who = current_user.is_authenticated
        return f"{who} {getattr(session, 'owner', '-')} {session.get('cart')}"

    @app.get("/confirm")
    def confirm():
        confirm_login()
        return "confirmed"

    @app.get("/recent")
    def recent():
        return f"{current_user.is_authenticated} {session.authenticated_within(timedelta(minutes=5))}"

    @app.get("/end_all")
    def end_all():
        get_manager(request).end_all("42")
        return "ended"

    @app.get("/count")
    def count():
        return str(len(get_manager(request).sessions_of("42")))

    return app


def get(client, path, agent="A"):
    return client.get(path, headers={"User-Agent": agent}).text


def test_a_login_logs_the_session_in_and_keeps_its_data():
    client = make_app().test_client()
    get(client, "/login")
    assert get(client, "/me") == "True 42 1"
    assert get(client, "/count") == "1"


def test_the_owner_may_be_another_text_than_flask_logins():
    client = make_app(owner=lambda user: f"user-{user.id}").test_client()
    get(client, "/login")
    assert get(client, "/me") == "True user-42 1"


@pytest.mark.parametrize("query", ["", "?remember"])
def test_a_logout_ends_the_session_and_the_remembered_login(query):
    client = make_app().test_client()
    get(client, "/login" + query)
    get(client, "/logout")
    assert client.get_cookie("remember_token") is None
    assert get(client, "/me") == "False None None"
    assert get(client, "/count") == "0"


def test_a_session_that_is_taken_for_stolen_ends():
    client = make_app().test_client()
    get(client, "/login")
    assert get(client, "/me", "B") == "False None None"
    assert get(client, "/count") == "0"


def test_basic_protection_keeps_the_login():
    client = make_app(protection="basic").test_client()
    get(client, "/login")
    assert get(client, "/me", "B") == "True 42 1"


def test_a_remembered_login_that_comes_back_is_listed():
    client = make_app().test_client()
    get(client, "/login?remember")
    client.delete_cookie("session")
    assert get(client, "/me") == "True 42 None"
    assert get(client, "/count") == "2"


def test_a_login_that_comes_back_is_no_recent_one_until_it_is_confirmed():
    client = make_app().test_client()
    get(client, "/login?remember")
    assert get(client, "/recent") == "True True"
    client.delete_cookie("session")
    assert get(client, "/recent") == "True False"
    before = client.get_cookie("session").value
    get(client, "/confirm")
    assert get(client, "/recent") == "True True"
    assert client.get_cookie("session").value != before


def test_a_login_from_another_browser_is_no_recent_one():
    client = make_app(protection="basic").test_client()
    get(client, "/login")
    assert get(client, "/recent", "B") == "True False"


def test_nobodys_login_can_be_confirmed():
    client = make_app().test_client()
    get(client, "/confirm")
    assert get(client, "/me") == "False None None"


def test_log_out_everywhere_ends_what_was_bound():
    app = make_app()
    laptop, phone = app.test_client(), app.test_client()
    get(laptop, "/login")
    get(phone, "/login")
    get(laptop, "/end_all")
    assert get(phone, "/me") == "False None None"


def test_another_apps_logins_are_left_alone():
    client = make_app(bound=False).test_client()
    make_app()
    get(client, "/login")
    assert get(client, "/me") == "True None 1"


def test_an_app_with_flasks_own_sessions_is_left_alone():
    client = make_app(ours=False).test_client()
    get(client, "/login")
    assert get(client, "/me", "B") == "False - 1"
    get(client, "/logout")
    assert get(client, "/me") == "False - 1"
