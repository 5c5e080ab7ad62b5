"""What comes with `flask.session`: messages, this library's verbs, `session_transaction`; and without a secret key."""

import flask
import pytest
from flask import flash, get_flashed_messages, session
from markupsafe import Markup

from cookiesess import SessionManager, ValueType, events, get_cookies, get_manager, get_session
from cookiesess.adapters.flask import MARKUP, Cookiesess, CookiesessInterface
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY
from kit.flask_site import Site, Visit, lines, make_app, nothing, show


@pytest.fixture(params=[None, MemoryStore], ids=["client-side", "server-side"])
def site(request):
    """A site with either kind of session."""
    return Site({"nothing": nothing, "show": show}, store=request.param and request.param())


@pytest.fixture
def visit(site):
    """Runs a view for a visitor, and returns what it returned."""
    return Visit(site)


# Flash messages: Flask's own functions


def test_messages_are_shown_once(visit):
    visit(lambda: flash("saved"))
    assert visit(get_flashed_messages) == ["saved"]
    assert visit(get_flashed_messages) == []


@pytest.mark.parametrize("keep", [flash, lambda number: session.flash(number)], ids=["flask.flash", "session.flash"])
def test_of_flashes_that_nobody_shows_the_newest_fifty_are_kept(visit, keep):
    for number in range(60):
        visit(lambda number=number: keep(number))
    assert visit(get_flashed_messages) == [*range(10, 60)]


def test_messages_have_categories(visit):
    visit(lambda: (flash("saved", "info"), flash("failed", "error")))
    assert visit(lambda: get_flashed_messages(with_categories=True)) == [("info", "saved"), ("error", "failed")]


def test_messages_can_be_filtered(visit):
    visit(lambda: (flash("saved", "info"), flash("failed", "error")))
    assert visit(lambda: get_flashed_messages(category_filter=["error"])) == ["failed"]


def test_a_message_of_markup_comes_back_as_markup(visit):
    visit(lambda: flash(Markup("<b>saved</b>")))
    (message,) = visit(get_flashed_messages)
    assert message == Markup("<b>saved</b>")
    assert type(message) is Markup


def test_markup_may_be_registered_by_the_app_itself():
    site = Site(types=[ValueType(7, Markup, str, Markup)])
    visit = Visit(site)
    visit(lambda: session.update(a=Markup("<i>")))
    assert type(visit(lambda: session["a"])) is Markup


def test_the_adapters_markup_can_be_given_to_a_manager_of_ones_own():
    site = make_app()
    Cookiesess(site, SessionManager(KEY, types=[MARKUP]))
    with site.test_request_context():
        session["a"] = Markup("<i>")
        assert site.process_response(flask.Response()).headers["Set-Cookie"]


def test_the_sessions_own_verbs_and_flasks_functions_share_their_messages(visit):
    visit(lambda: (session.flash("first"), flash("second", "error")))
    assert visit(lambda: session.pop_flashes("error")) == [("second", "error")]
    assert visit(get_flashed_messages) == ["first"]


def test_popping_all_messages_leaves_nothing(visit):
    visit(lambda: session.flash("first"))
    assert visit(lambda: session.pop_flashes()) == [("first", "message")]
    assert visit(lambda: (session.pop_flashes(), dict(session))) == ([], {})


def test_popping_a_category_that_is_not_there_changes_nothing(visit):
    visit(lambda: session.flash("first"))
    assert visit(lambda: (session.pop_flashes("error"), session.modified)) == ([], False)


# This library's verbs, through the proxy


def test_login_makes_the_session_its_owners(visit):
    visit(lambda: session.login("user-1"))
    assert visit(lambda: session.owner) == "user-1"


def test_invalidate_logs_out(visit):
    visit(lambda: session.login("user-1"))
    visit(lambda: session.invalidate())
    assert visit(lambda: (session.owner, session.new)) == (None, True)


def test_renew_gives_a_new_id():
    site = Site(store=MemoryStore())
    visit = Visit(site)
    visit(lambda: session.update(a=1))
    before = site.client.get_cookie("session").value
    visit(lambda: session.renew())
    assert site.client.get_cookie("session").value != before
    assert visit(lambda: session["a"]) == 1


def test_a_csrf_token_is_good_on_the_next_request(visit):
    token = visit(lambda: session.csrf_token())
    assert visit(lambda: session.check_csrf(token))


def test_mutate_and_save_work_through_the_proxy(visit):
    visit(lambda: (session.mutate(lambda data: data.update(n=1)), session.save()))
    assert visit(lambda: session["n"]) == 1


# What the middleware leaves in the environ


def test_a_view_reaches_session_cookies_and_manager_as_behind_the_middleware(site, visit):
    def view():
        request = flask.request
        get_cookies(request).set("plain", "value")
        return get_session(request) is session._get_current_object(), get_manager(request)

    assert visit(view) == (True, site.manager)
    assert any(line.startswith("plain=value;") for line in lines(visit.response))


def test_a_sealed_cookie_comes_back(visit):
    visit(lambda: get_cookies(flask.request).sealed.set("cart", "secret"))
    assert "secret" not in str(lines(visit.response))
    assert visit(lambda: get_cookies(flask.request).sealed.get("cart")) == "secret"


def test_an_owners_sessions_can_be_ended_outside_of_a_request():
    site = Site(store=MemoryStore())
    visit = Visit(site)
    visit(lambda: session.login("user-1"))
    assert site.manager.end_all("user-1") == 1
    assert visit(lambda: session.owner) is None


# session_transaction


def test_a_test_can_fill_the_session_before_a_request(site):
    with site.client.session_transaction() as transaction:
        transaction["user_id"] = 7
    assert site.get("/show").text == "{'user_id': 7}"


def test_a_test_can_look_at_the_session_after_a_request(site, visit):
    visit(lambda: session.update(a=1))
    with site.client.session_transaction() as transaction:
        assert transaction["a"] == 1


def test_a_test_can_log_a_user_in_and_out(site, visit):
    with site.client.session_transaction() as transaction:
        transaction.login("user-1")
    assert visit(lambda: session.owner) == "user-1"
    with site.client.session_transaction() as transaction:
        transaction.clear()
    assert visit(lambda: session.owner) is None


def test_a_transaction_that_fails_saves_nothing(site):
    with pytest.raises(ZeroDivisionError), site.client.session_transaction() as transaction:
        transaction["a"] = 1 / 0
    assert site.get("/show").text == "{}"


def test_the_session_can_be_read_after_a_request_in_a_with_block(site, visit):
    visit(lambda: session.update(a=1))
    with site.client as client:
        client.get("/show")
        assert session["a"] == 1


# Without a secret key


def test_without_a_secret_key_the_session_can_be_read():
    app = make_app(SECRET_KEY=None)
    app.session_interface = CookiesessInterface()
    with app.test_request_context():
        assert (dict(session), session.owner) == ({}, None)


@pytest.mark.parametrize("write", [lambda: session.update(a=1), lambda: session.login("user-1"), lambda: flash("x")])
def test_without_a_secret_key_a_write_says_what_flask_says(write):
    app = make_app(SECRET_KEY=None)
    app.session_interface = CookiesessInterface()
    with app.test_request_context(), pytest.raises(RuntimeError, match="no secret key was set"):
        write()


def test_an_event_of_a_flask_app_is_the_same_as_of_any_other(site, visit):
    visit(lambda: session.update(a=1))
    assert site.events == [events.NoAbsoluteEnd(), events.SessionCreated(login=False)]
