"""`flask.session` as the dict and the attributes that Flask's documentation describes."""

import flask
import pytest
from flask import session
from flask.sessions import SessionMixin

from cookiesess import Session
from cookiesess.stores.memory import MemoryStore
from kit.flask_site import Site, Visit, lines, nothing, put, show


@pytest.fixture(params=[None, MemoryStore], ids=["client-side", "server-side"])
def site(request):
    """A site with either kind of session."""
    return Site({"nothing": nothing, "show": show}, store=request.param and request.param())


@pytest.fixture
def visit(site):
    """Runs a view for a visitor, and returns what it returned."""
    return Visit(site)


def test_the_session_is_a_dict_that_survives(visit):
    visit(lambda: session.update(name="萧兮", cart=[1]))
    assert visit(lambda: dict(session)) == {"name": "萧兮", "cart": [1]}


def test_the_session_is_flasks_and_ours(visit):
    kinds = visit(lambda: (isinstance(session, SessionMixin), isinstance(session._get_current_object(), Session)))
    assert kinds == (True, True)


def test_a_nested_change_is_saved_without_modified(visit):
    visit(lambda: session.update(cart=[]))
    visit(lambda: session["cart"].append("book"))
    assert visit(lambda: session["cart"]) == ["book"]


def test_setdefault_and_pop_work_as_with_a_dict(visit):
    visit(lambda: session.setdefault("cart", []).append(1))
    assert visit(lambda: session.pop("cart")) == [1]
    assert visit(lambda: session.pop("cart", "none")) == "none"


def test_a_copy_is_a_dict_of_its_own(visit):
    visit(lambda: session.update(a=1))
    assert visit(lambda: type(session.copy())) is dict
    visit(lambda: session.copy().update(b=2))
    assert visit(lambda: dict(session)) == {"a": 1}


def test_a_session_is_new_until_it_comes_back(visit):
    assert visit(lambda: session.new)
    visit(lambda: session.update(a=1))
    assert not visit(lambda: session.new)


def test_accessed_says_whether_the_view_asked_for_the_session(site):
    seen = []
    site.app.after_request(lambda response: seen.append(flask.globals.request_ctx._session.accessed) or response)
    site.get("/nothing")
    site.get("/show")
    assert seen == [False, True]


def test_modified_is_exact(visit):
    visit(lambda: session.update(cart=[1]))
    assert not visit(lambda: session["cart"] and session.modified)
    assert visit(lambda: session["cart"].append(2) or session.modified)


def test_modified_can_be_set_and_then_is_so(visit):
    def view():
        session.modified = True
        return session.modified

    assert visit(view) is True


@pytest.mark.parametrize(
    ("view", "modified"),
    [
        (lambda: session.update(b=2), True),
        (lambda: session["cart"].append(2), True),
        (lambda: session.pop("cart") and None, True),
        (lambda: session["cart"], False),
        (lambda: session.renew(), False),
        (lambda: session.login("ann"), True),
        (lambda: None, False),
    ],
    ids=["assigned", "nested", "emptied", "read", "renewed", "logged in", "untouched"],
)
def test_modified_stays_what_it_was_when_the_session_was_saved(site, visit, view, modified):
    visit(lambda: session.update(cart=[1]))
    with site.client:
        visit(view)
        assert flask.globals.request_ctx._session.modified is modified


def test_modified_set_to_false_loses_no_change(visit):
    def view():
        session["a"] = 1
        session.modified = False

    visit(view)
    assert visit(lambda: session["a"]) == 1


def test_marking_an_empty_session_makes_none(visit):
    def view():
        session.modified = True

    visit(view)
    assert lines(visit.response) == []


def test_marking_a_session_writes_it_again(site, visit):
    def view():
        session.modified = True

    visit(lambda: session.update(a=1))
    site.events.clear()
    site.clock.advance(1)
    visit(view)
    assert "session.refreshed" in site.names()


def test_what_is_not_marked_is_not_written_again(site, visit):
    visit(lambda: session.update(a=1))
    site.events.clear()
    site.clock.advance(1)
    visit(lambda: session["a"])
    assert site.names() == []
    assert lines(visit.response) == []


def test_clearing_the_session_expires_the_cookie(site, visit):
    visit(lambda: session.update(a=1))
    visit(lambda: session.clear())
    assert "Max-Age=0" in lines(visit.response)[0]
    assert visit(lambda: dict(session)) == {}


def test_clearing_the_session_logs_out(visit):
    visit(lambda: session.login("user-1"))
    visit(lambda: session.clear())
    assert visit(lambda: session.owner) is None


def test_clearing_the_session_forgets_that_it_was_permanent(visit):
    def begin():
        session["a"] = 1
        session.permanent = True

    def again():
        session.clear()
        session["a"] = 2

    visit(begin)
    visit(again)
    assert visit(lambda: session.permanent) is False


def test_a_login_that_begins_with_clear_gives_a_new_id():
    """As Flask's own tutorial logs in; an ID that somebody planted before it leads nowhere."""

    def login():
        session.clear()
        session["user_id"] = 7

    site = Site({"plant": put(a=1), "login": login_view(login), "show": show}, store=MemoryStore())
    site.get("/plant")
    planted = site.client.get_cookie("session").value
    site.get("/login")
    thief = site.app.test_client()
    thief.set_cookie("session", planted)
    assert site.get("/show", thief).text == "{}"
    assert site.get("/show").text == "{'user_id': 7}"


def login_view(action):
    def view():
        action()
        return "done"

    return view
