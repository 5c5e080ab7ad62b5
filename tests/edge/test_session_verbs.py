"""Laziness, login and owner, and the settings of one session."""

from datetime import timedelta

import pytest

from cookiesess import CookieTooLarge, SessionManager
from cookiesess.events import SessionRejected
from kit.browser import Browser, cookie_of
from kit.constants import KEY, NAME
from kit.views import drop, put
from kit.wsgi import Server, answering, environ_of, wrap


class Counting:
    """A callable that counts its calls: stands in for the clock and the random source."""

    def __init__(self, function):
        self.function = function
        self.calls = 0

    def __call__(self, *arguments):
        self.calls += 1
        return self.function(*arguments)


@pytest.fixture
def visitor(clock):
    return Browser(SessionManager(KEY, clock=clock))


@pytest.fixture
def session(visitor):
    visitor.visit(put("secret-name", "secret-value"))
    return visitor.manager.open(visitor.header)


# Laziness


def test_an_untouched_session_costs_no_look_at_the_clock_and_no_randomness(clock):
    counting_clock, counting_random = Counting(clock), Counting(lambda count: bytes(count))
    manager = SessionManager(KEY, clock=counting_clock, random_bytes=counting_random)
    before = counting_clock.calls, counting_random.calls
    Browser(manager, cookie_of(put("a", 1), clock=clock)).visit(lambda session: None)
    assert (counting_clock.calls, counting_random.calls) == before


@pytest.mark.parametrize("cookie", [f"{NAME}=garbage", cookie_of(put("a", 1))])
def test_an_untouched_session_reads_no_cookie_and_changes_no_header(events, cookie):
    app = wrap(answering(lambda session: [repr(session), session.closed, type(session)]), on_event=events.append)
    server = Server().run(app, environ_of(HTTP_COOKIE=cookie))
    assert events == []
    assert [name for name, _ in server.headers] == ["Content-Type", "Content-Length"]


TOUCHES = {
    "[]": lambda session: session.get("a"),
    "in": lambda session: "a" in session,
    "len": len,
    "bool": bool,
    "iter": list,
    "==": lambda session: session == {},
    "owner": lambda session: session.owner,
    "is_new": lambda session: session.is_new,
    "created_at": lambda session: session.created_at,
    "authenticated_at": lambda session: session.authenticated_at,
    "modified": lambda session: session.modified,
    "available": lambda session: session.available,
    "persistent": lambda session: session.persistent,
    "idle": lambda session: session.idle,
    "label": lambda session: session.label,
    "pop_flashes": lambda session: session.pop_flashes(),
    "check_csrf": lambda session: session.check_csrf("x"),
    "renew": lambda session: session.renew(),
    "save": lambda session: session.save(),
    "mutate": lambda session: session.mutate(lambda data: None),
    "pop": lambda session: session.pop("a", None),
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_whatever_has_to_look_touches(events, touch):
    server = Server().run(
        wrap(answering(touch), on_event=events.append), environ_of(HTTP_COOKIE=f"{NAME}=AQIDBAUGBwgJ")
    )
    assert [type(event) for event in events] == [SessionRejected]
    assert server.lines("Vary") == ["Cookie"]


def test_a_cookie_is_opened_once_a_request(events):
    view = answering(lambda session: [len(session), session.owner, list(session)])
    Server().run(wrap(view, on_event=events.append), environ_of(HTTP_COOKIE=f"{NAME}=garbage"))
    assert len(events) == 1


def test_repr_neither_loads_nor_shows_anything(session):
    assert repr(session) == "<Session, not touched yet>"
    assert session["secret-name"] == "secret-value"
    session.login("secret-owner")
    session.flash("secret-flash")
    token = session.csrf_token()
    for text in (repr(session), str(session), f"{session}"):
        assert "secret" not in text
        assert token not in text
    assert repr(session) == "<Session, loaded, 1 keys>"


# Login


def test_a_new_session_has_no_owner(visitor, clock):
    facts = visitor.read(lambda session: (session.is_new, session.owner, session.authenticated_at, session.created_at))
    assert facts == (True, None, None, int(clock()))


def test_login_records_the_owner_and_the_time(visitor, clock):
    visitor.visit(put("cart", [1]))
    created_at = int(clock())
    clock.advance(60)
    visitor.visit(lambda session: session.login("user-1"))
    facts = visitor.read(lambda session: (session.owner, session.authenticated_at, session.created_at))
    assert facts == ("user-1", created_at + 60, created_at)


def test_login_keeps_an_anonymous_visitors_data(visitor):
    visitor.visit(put("cart", [1]))
    visitor.visit(lambda session: session.login("user-1"))
    assert visitor.read() == {"cart": [1]}


def test_a_second_login_of_the_same_owner_keeps_the_data(visitor):
    visitor.visit(lambda session: session.login("user-1") or put("cart", [1])(session))
    visitor.visit(lambda session: session.login("user-1"))
    assert visitor.read() == {"cart": [1]}


def test_a_login_of_another_owner_drops_everything_of_the_first(visitor):
    def first(session):
        session.login("user-1")
        session["cart"] = [1]
        session.flash("for user-1")
        session.idle = timedelta(days=1)
        session.persistent = True
        session.label = "the phone of user-1"

    visitor.visit(first)
    visitor.visit(lambda session: session.login("user-2") or put("mine", 1)(session))
    assert visitor.read() == {"mine": 1}
    rest = visitor.read(lambda session: (session.pop_flashes(), session.idle, session.persistent, session.label))
    assert rest == ([], None, None, None)
    assert visitor.read(lambda session: session.owner) == "user-2"


@pytest.mark.parametrize("owner", [None, "", 5, b"user", True, ["user"], type("Name", (str,), {})("user")], ids=repr)
def test_an_owner_is_text_that_is_not_empty(session, owner):
    with pytest.raises(ValueError, match=r"str\(user.id\)"):
        session.login(owner)
    assert session.owner is None


def test_the_owner_cannot_be_assigned(session):
    with pytest.raises(AttributeError):
        session.owner = "user-1"


def test_invalidate_ends_owner_and_data(visitor):
    visitor.visit(lambda session: session.login("user-1"))

    def view(session):
        session.invalidate()
        return (session.owner, dict(session), session.is_new, session.authenticated_at)

    assert visitor.read(view) == (None, {}, True, None)


# Settings of one session


@pytest.mark.parametrize("label", ["phone", "", "萧兮", "x" * 200, None])
def test_a_label_comes_back(visitor, label):
    visitor.visit(lambda session: [put("a", 1)(session), setattr(session, "label", "first")])
    visitor.visit(lambda session: setattr(session, "label", label))
    assert visitor.read(lambda session: session.label) == label


@pytest.mark.parametrize("label", ["x" * 201, 5, b"phone"])
def test_a_label_is_short_text(session, label):
    with pytest.raises(ValueError, match="200"):
        session.label = label


def test_taking_back_a_setting_that_was_never_made_changes_nothing(visitor):
    visitor.visit(put("a", 1))
    for name in ("persistent", "idle", "label"):
        assert visitor.visit(lambda session, name=name: setattr(session, name, None)) == []


def test_save_checks_the_size(session):
    session["much"] = "x" * 5000
    with pytest.raises(CookieTooLarge):
        session.save()


def test_a_client_side_session_is_always_available(session):
    assert session.available


def test_modified_becomes_false_again(session):
    put("a", 1)(session)
    assert session.modified
    drop("a")(session)
    assert not session.modified
