"""Looking without prolonging: a page that polls does not keep its user logged in."""

from datetime import timedelta

import pytest

from cookiesess import CookiePolicy, Keyring, Lifetime, SessionMiddleware, get_session
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY, OTHER_KEY
from kit.views import every, login, put
from kit.world import World
from kit.wsgi import WebBrowser

MINUTE = timedelta(minutes=1)
LIFETIME = Lifetime.aal3()
PERSISTENT = CookiePolicy(persistent=True)


@pytest.fixture(params=["client", "persistent", "store", "revocations", "overflow"])
def world(request):
    match request.param:
        case "client":
            return World(lifetime=LIFETIME)
        case "persistent":
            return World(lifetime=LIFETIME, cookie=PERSISTENT)
        case "store":
            return World(MemoryStore(), lifetime=LIFETIME, cookie=PERSISTENT)
        case "revocations":
            return World(revocations=MemoryStore(), lifetime=LIFETIME).with_revocations()
    return World(overflow=MemoryStore(), lifetime=LIFETIME, cookie=CookiePolicy(max_bytes=300)).with_overflow()


@pytest.fixture
def browser(world):
    return world.browser(every(login("ann"), put("text", "x" * 200)))


def ends_at(browser):
    return browser.read(lambda session: session.expires_at)


def passive(session):
    session.passive()


def before(view):
    return every(passive, view)


def after(view):
    return every(view, passive)


@pytest.fixture(params=[before, after])
def quietly(request):
    return request.param


def test_a_poll_every_half_minute_keeps_nobody_logged_in(world, browser, quietly):
    for _ in range(29):
        world.clock.advance(MINUTE / 2)
        assert browser.visit(quietly(lambda session: session.get("text"))) == []
    assert browser.owner() == "ann"
    world.clock.advance(MINUTE / 2)
    assert browser.owner() is None


def test_a_passive_look_leaves_the_record_alone(quietly):
    world = World(MemoryStore(), lifetime=LIFETIME)
    browser = world.browser(login("ann"))
    world.clock.advance(10 * MINUTE)
    world.forget()
    browser.visit(quietly(len))
    assert world.probe.taken() == ["load"]


def test_a_change_is_saved_and_leaves_the_idle_time_where_it_was(world, browser, quietly):
    end = ends_at(browser)
    world.clock.advance(10 * MINUTE)
    browser.visit(quietly(put("seen", 3)))
    assert browser.read()["seen"] == 3
    assert ends_at(browser) == end


def test_a_change_after_save_leaves_the_idle_time_where_it_was(world, browser):
    end = ends_at(browser)
    world.clock.advance(10 * MINUTE)
    browser.visit(every(passive, put("seen", 3), lambda session: session.save(), put("seen", 4)))
    assert browser.read()["seen"] == 4
    assert ends_at(browser) == end


def test_a_passive_change_beside_an_active_one_leaves_the_active_ones_idle_time():
    world = World(MemoryStore(), lifetime=LIFETIME)
    browser = world.browser(login("ann"))
    world.clock.advance(5 * MINUTE)
    poll = browser.open(every(passive, put("seen", 3)))
    browser.visit(put("cart", 1))
    end = ends_at(browser)
    world.clock.advance(MINUTE)
    poll.finish()
    assert browser.read() == {"seen": 3, "cart": 1}
    assert ends_at(browser) == end


def test_a_passive_change_that_shortens_the_idle_time_below_what_has_passed_still_writes(world, browser):
    world.clock.advance(10 * MINUTE)
    browser.visit(every(passive, lambda session: setattr(session, "idle", MINUTE), put("a", 1)))
    world.clock.advance(MINUTE)
    assert browser.owner() is None


def test_what_is_not_passive_prolongs_as_before(world, browser):
    world.clock.advance(10 * MINUTE)
    browser.visit()
    assert ends_at(browser) == world.now + 15 * 60


def quiet_first(verb):
    return every(passive, verb)


def quiet_last(verb):
    return every(verb, passive)


@pytest.mark.parametrize("order", [quiet_first, quiet_last])
@pytest.mark.parametrize("verb", [login("ann"), login("bob"), lambda session: session.renew()])
def test_a_login_or_a_new_id_cancels_it(world, browser, verb, order):
    world.clock.advance(10 * MINUTE)
    browser.visit(order(verb))
    assert ends_at(browser) == world.now + 15 * 60


def test_a_refresh_that_was_asked_for_cancels_it(world, browser):
    world.clock.advance(10 * MINUTE)
    browser.visit(every(passive, lambda session: session.refresh()))
    assert ends_at(browser) == world.now + 15 * 60


def test_a_new_visitors_session_begins_as_ever(world):
    browser = world.browser(every(passive, put("a", 1)))
    assert browser.read() == {"a": 1}
    assert ends_at(browser) == world.now + 15 * 60


def test_nothing_is_read_for_saying_so():
    world = World(MemoryStore(), lifetime=LIFETIME)
    browser = world.browser(login("ann"))
    world.forget()
    session = world.manager.open(browser.header)
    session.passive()
    assert not session.touched
    assert world.probe.taken() == []


def test_an_id_that_is_due_for_another_one_waits_for_the_user():
    lifetime = Lifetime(idle=15 * MINUTE, absolute=timedelta(hours=12), renew_after=5 * MINUTE)
    world = World(MemoryStore(), lifetime=lifetime)
    browser = world.browser(login("ann"))
    world.clock.advance(6 * MINUTE)
    assert browser.visit(every(passive, len)) == []
    assert len(browser.visit()) == 1


def test_a_new_key_waits_for_the_user(world, browser):
    world.use(Keyring(OTHER_KEY, accepted=[KEY]))
    world.clock.advance(10 * MINUTE)
    assert browser.visit(every(passive, len)) == []


def test_code_without_a_session_in_hand_says_it_in_the_environ():
    world = World(lifetime=LIFETIME)

    def app(environ, start_response):
        environ["cookiesess.passive"] = environ["PATH_INFO"] == "/poll"
        session = get_session(environ)
        if environ["PATH_INFO"] == "/login":
            session.login("ann")
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(session.owner).encode()]

    client = WebBrowser(SessionMiddleware(app, world.manager))
    client.get("/login")
    world.clock.advance(10 * MINUTE)
    assert client.get("/poll").text == "ann"
    world.clock.advance(5 * MINUTE)
    assert client.get("/poll").text == "None"
