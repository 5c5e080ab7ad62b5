"""Apps written for Beaker: they run with ``environ_key="beaker.session"`` as they are."""

import re
from datetime import timedelta

import pytest
from beaker.middleware import SessionMiddleware as BeakerMiddleware
from beaker.session import SessionObject
from webob import Response

from cookiesess import (
    CookiePolicy,
    Session,
    SessionCommitted,
    SessionError,
    SessionManager,
    SessionMiddleware,
    get_manager,
    get_session,
)
from cookiesess.adapters.beaker import BeakerSession
from cookiesess.stores.memory import MemoryStore
from kit.browser import Browser
from kit.constants import KEY, LIFETIME, PLAIN
from kit.wsgi import Server, WebBrowser, environ_of

BEAKER = "beaker.session"
HEX = re.compile("[0-9a-f]{32}")


def shop(environ, start_response):
    """As a Beaker app is written: everything by the environ, and a save after each change."""
    session = environ["beaker.session"]
    path = environ["PATH_INFO"]
    if path == "/count":
        session["n"] = session.get("n", 0) + 1
        session.save()
    elif path == "/login":
        session.invalidate()
        session["user"] = "ann"
        session.save()
    elif path == "/logout":
        session.delete()
    elif path == "/user":
        return Response(str(session.has_key("user") and session["user"]))(environ, start_response)
    return Response(f"{session.get('n')} {session.get('user')}")(environ, start_response)


def both(app):
    """The app behind Beaker and behind this library."""
    beaker = BeakerMiddleware(app, type="cookie", validate_key=KEY, data_serializer="json")
    return WebBrowser(beaker), WebBrowser(SessionMiddleware(app, KEY, environ_key=BEAKER))


@pytest.mark.parametrize(
    "path", [["/count"] * 3, ["/login", "/user", "/count"], ["/login", "/logout", "/user", "/"], ["/", "/user"]]
)
def test_a_beaker_app_answers_as_it_does_on_beaker(path):
    theirs, ours = both(shop)
    assert [ours.get(each).text for each in path] == [theirs.get(each).text for each in path]


@pytest.fixture
def visitor(clock):
    """A visitor without a session, whose sessions are Beaker's."""
    return BeakerVisitor(SessionManager(KEY, clock=clock, lifetime=LIFETIME))


@pytest.fixture
def stored(clock):
    """The same, server-side."""
    return BeakerVisitor(SessionManager(KEY, clock=clock, lifetime=LIFETIME, store=MemoryStore()))


class BeakerVisitor(Browser):
    """A visitor whose sessions are Beaker's."""

    def open(self):
        return self.manager.open(self.header, BeakerSession)

    def visit(self, view=len, manager=None):
        session = self.open()
        result = view(session)
        self.keep(self.manager.commit(session).cookies)
        return result


def fill(session):
    session.update(a=1, cart=["tea"])


def test_the_environ_key_of_beaker_chooses_its_session():
    seen = []

    def app(environ, start_response):
        seen.append((environ[BEAKER], get_session(environ, BEAKER), get_manager(environ, f"{BEAKER}.manager")))
        return Response("")(environ, start_response)

    middleware = SessionMiddleware(app, KEY, environ_key=BEAKER)
    Server().run(middleware, environ_of())
    [(session, same, manager)] = seen
    assert type(session) is BeakerSession
    assert same is session
    assert manager is middleware.manager


def test_another_environ_key_has_the_plain_session_unless_told_otherwise():
    seen = []

    def app(environ, start_response):
        seen.append(type(environ["shop.session"]))
        return Response("")(environ, start_response)

    Server().run(SessionMiddleware(app, KEY, environ_key="shop.session"), environ_of())
    Server().run(SessionMiddleware(app, KEY, environ_key="shop.session", session_class=BeakerSession), environ_of())
    assert seen == [Session, BeakerSession]


# Saving


def test_save_and_persist_write_nothing_where_nothing_changed(visitor):
    visitor.visit(fill)
    header = visitor.header
    visitor.visit(lambda session: [session.save(), session.save(accessed_only=True), session.persist()])
    assert visitor.header == header


def test_save_after_the_headers_have_gone_out_does_no_harm():
    def app(environ, start_response):
        session = environ[BEAKER]
        session["a"] = 1
        session.save()
        start_response("200 OK", [*PLAIN])
        yield b"one"
        session.save()
        yield b"two"

    server = Server().run(SessionMiddleware(app, KEY, environ_key=BEAKER), environ_of())
    assert server.body == b"onetwo"
    assert len(server.lines()) == 1


def test_a_change_that_can_no_longer_be_saved_is_an_error_whether_save_is_called_or_not():
    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        yield b"one"
        environ[BEAKER]["a"] = 1
        environ[BEAKER].save()

    with pytest.raises(SessionCommitted):
        Server().run(SessionMiddleware(app, KEY, environ_key=BEAKER), environ_of())


def test_check_serialises_and_measures_at_once(visitor):
    session = visitor.open()
    session["text"] = "x" * 5000
    with pytest.raises(SessionError, match="largest keys: 'text'"):
        session.check()


def test_what_changed_inside_a_value_is_saved_without_a_save(visitor):
    visitor.visit(fill)
    visitor.visit(lambda session: session["cart"].append("honey"))
    assert visitor.read()["cart"] == ["tea", "honey"]


# What it is called


def test_an_id_is_made_at_the_first_look_and_kept(visitor):
    first = visitor.visit(lambda session: session.id)
    assert HEX.fullmatch(first)
    assert visitor.visit(lambda session: session.id) == first


def test_an_id_is_the_same_within_one_request(stored):
    session = stored.open()
    assert session.id == session.id


@pytest.mark.parametrize("verb", [BeakerSession.renew, BeakerSession.regenerate_id, lambda session: session.login("u")])
def test_a_renewal_or_login_changes_the_id_and_keeps_the_data(stored, verb):
    stored.visit(fill)
    before = stored.visit(lambda session: session.id)
    stored.visit(verb)
    assert stored.visit(lambda session: session.id) != before
    assert stored.visit(lambda session: session["a"]) == 1


@pytest.mark.parametrize("verb", [BeakerSession.delete, BeakerSession.invalidate])
def test_a_session_that_was_ended_leaves_its_id_behind(visitor, verb):
    before = visitor.visit(lambda session: session.id)
    visitor.visit(verb)
    assert visitor.header == ""
    assert visitor.visit(lambda session: session.id) != before


def test_an_id_opens_nothing(stored):
    """It is neither in the cookie nor the store's key."""
    identity = stored.visit(lambda session: session.id)
    assert identity not in stored.header
    assert identity != stored.manager.handle_of(stored.open())[:32]


def test_the_id_of_a_beaker_cookie_goes_on(visitor):
    visitor.visit(lambda session: session.update(_id="its id on Beaker"))
    assert visitor.visit(lambda session: session.id) == "its id on Beaker"


# Times


def test_created_is_a_float_as_on_beaker(visitor, clock):
    created = int(clock())
    visitor.visit(fill)
    clock.advance(timedelta(minutes=5))
    found = visitor.visit(lambda session: session.created)
    assert (type(found), found) == (float, created)


def test_last_accessed_is_when_an_earlier_request_refreshed_the_session(visitor, clock):
    assert visitor.open().last_accessed is None
    written = int(clock())
    visitor.visit(fill)
    clock.advance(timedelta(minutes=5))
    assert visitor.visit(lambda session: session.last_accessed) == written


@pytest.mark.parametrize("ask", [lambda session, key: session[key], lambda session, key: session.get(key)])
def test_the_times_can_be_read_as_keys(visitor, clock, ask):
    created = clock()
    visitor.visit(fill)
    clock.advance(timedelta(minutes=5))
    session = visitor.open()
    assert ask(session, "_creation_time") == int(created)
    assert ask(session, "_accessed_time") == int(clock())
    assert set(session) == {"a", "cart"}


def test_another_key_that_is_not_there_is_missing(visitor):
    session = visitor.open()
    assert session.get("a", 5) == 5
    with pytest.raises(KeyError, match="'a'"):
        session["a"]


# Asking


def test_accessed_says_whether_anybody_has_looked(visitor):
    session = visitor.open()
    before = session.accessed()
    len(session)
    assert (before, session.accessed()) == (False, True)


def test_dirty_says_whether_anything_changed(visitor):
    visitor.visit(fill)
    session = visitor.open()
    before = session.dirty()
    session["cart"].append("honey")
    assert (before, session.dirty()) == (False, True)


def test_a_copy_is_a_dict_of_its_own(visitor):
    visitor.visit(fill)
    session = visitor.open()
    copy = session.copy()
    copy["b"] = 2
    assert (type(copy), "b" in session, session.has_key("a")) == (dict, False, True)


# Reverting


def _assign(session):
    session["a"] = 2
    session["b"] = 3


def _delete(session):
    del session["a"]


def _inside(session):
    session["cart"].append("honey")


def _mutate(session):
    session.mutate(lambda data: data.update(a=2, b=3, cart=[]))


def _mutate_and_more(session):
    session["a"] = 5
    session.mutate(lambda data: data.update(b=3, more=[1]))
    session["c"] = None
    del session["cart"]


@pytest.mark.parametrize("change", [_assign, _delete, _inside, _mutate, _mutate_and_more, len])
@pytest.mark.parametrize("where", ["visitor", "stored"])
def test_revert_undoes_what_the_request_changed(request, change, where):
    visitor = request.getfixturevalue(where)
    visitor.visit(lambda session: session.update(a=1, cart=["tea"], nothing=None))
    session = visitor.open()
    change(session)
    session.revert()
    assert dict(session) == {"a": 1, "cart": ["tea"], "nothing": None}
    assert not session.modified
    assert visitor.manager.commit(session).cookies == ()


def test_what_is_changed_after_a_revert_is_saved(visitor):
    visitor.visit(fill)

    def view(session):
        session["a"] = 2
        session.revert()
        session["cart"].append("honey")

    visitor.visit(view)
    assert visitor.read() == {"a": 1, "cart": ["tea", "honey"]}


def test_revert_does_not_bring_back_a_session_that_was_ended(visitor):
    visitor.visit(fill)
    visitor.visit(lambda session: [session.delete(), session.revert()])
    assert visitor.header == ""


def test_revert_leaves_a_renewal_as_it_is(stored):
    before = stored.visit(lambda session: session.id)
    old = stored.header
    stored.visit(lambda session: [session.renew(), session.revert()])
    assert stored.header != old
    assert stored.visit(lambda session: session.id) != before


# What has no counterpart


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        (lambda session: session.get_by_id("abc"), r"sessions_of\(owner\) and end\(owner, handle\)"),
        (lambda session: session.load(), "loaded at the first touch"),
        (lambda session: session.lock(), r"session\.mutate\(function\)"),
        (lambda session: session.unlock(), r"session\.mutate\(function\)"),
    ],
)
def test_a_method_without_counterpart_says_what_to_use(visitor, call, instead):
    with pytest.raises(SessionError, match=instead):
        call(visitor.open())


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("cookie_expires", r"session\.persistent"),
        ("timeout", r"session\.idle"),
        ("domain", "CookiePolicy"),
        ("path", "CookiePolicy"),
    ],
)
def test_an_attribute_without_counterpart_says_what_to_use(visitor, name, instead):
    session = visitor.open()
    for use in (lambda: getattr(session, name), lambda: setattr(session, name, True)):
        with pytest.raises(AttributeError, match=rf"session\.{name} is Beaker's; here it is .*{instead}"):
            use()
    assert not hasattr(session, name)


def test_no_attribute_is_set_in_vain(visitor):
    with pytest.raises(AttributeError):
        visitor.open().secret = "x"


def test_the_class_shows_its_attributes_to_tools():
    assert "timeout" in dir(BeakerSession)
    assert BeakerSession.timeout is not None


def test_everything_that_beakers_own_session_object_offers_is_there():
    """Private names, and the settings of the cookie that only Beaker's internals use, aside."""
    offered = {name for name in dir(SessionObject) if not name.startswith("_")} | {"created", "id", "last_accessed"}
    assert offered <= set(dir(BeakerSession))


def test_beakers_session_beside_ours_in_one_stack():
    def app(environ, start_response):
        environ[BEAKER]["a"] = 1
        get_session(environ)["b"] = 2
        return Response("")(environ, start_response)

    inner = SessionMiddleware(app, KEY, environ_key=BEAKER, cookie=CookiePolicy("__Host-beaker"))
    server = Server().run(SessionMiddleware(inner, KEY), environ_of())
    assert sorted(line.partition("=")[0] for line in server.lines()) == ["__Host-beaker", "__Host-session"]
