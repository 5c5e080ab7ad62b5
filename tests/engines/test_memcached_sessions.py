"""Sessions on Memcached, end to end: a manager and a WSGI app in front of a real server."""

import contextlib
from collections.abc import Callable

import pytest
from webob import Request

from cookiesess import CookiePolicy, SessionMiddleware, get_session
from cookiesess.errors import SessionReadOnly, StoreUnavailable
from cookiesess.stores.memcached import MemcachedStore
from kit.browser import Browser
from kit.constants import KEY, REFRESH
from kit.servers.memcached import SHORT, hashed, own_prefix, pooled
from kit.servers.proxy import Proxy
from kit.threads import in_threads
from kit.views import count, every, invalidate, login, put, renew
from kit.world import World


@pytest.fixture(params=["one", "two"])
def store(request, memcached_pair):
    client = (
        pooled(memcached_pair[0].port) if request.param == "one" else hashed(*(each.port for each in memcached_pair))
    )
    with contextlib.closing(MemcachedStore(client, prefix=own_prefix())) as opened:
        yield opened


@pytest.fixture
def world(store):
    return World(store)


def test_a_session_comes_back(world):
    browser = world.browser(every(login("ann"), put("cart", ["tea"])))
    assert browser.read() == {"cart": ["tea"]}
    assert world.manager.open(browser.header).owner == "ann"


def test_it_comes_back_after_refreshes_and_renewals(world):
    browser = world.browser(put("a", 1))
    for _ in range(3):
        world.clock.advance(REFRESH)
        browser.visit()
        browser.visit(renew)
    assert browser.read() == {"a": 1}


def test_a_refresh_is_one_call(world):
    browser = world.browser(put("a", 1))
    world.clock.advance(REFRESH)
    browser.visit()
    assert world.probe.taken() == ["load", "touch"]


@pytest.mark.parametrize("write", [put("a", 2), count, login("ann"), renew, len])
def test_a_logout_during_a_slow_request_stays(world, write):
    browser = world.browser(every(login("ann"), put("a", 1)))
    world.clock.advance(REFRESH)
    slow = browser.open(write)
    stolen = browser.header
    browser.visit(invalidate)
    slow.finish()
    for header in (stolen, browser.header):
        assert Browser(world, header).read() == {}


def test_a_login_ends_the_old_id(world):
    browser = world.browser(put("a", 1))
    old = browser.header
    browser.visit(login("ann"))
    assert Browser(world, old).read() == {}
    assert browser.read() == {"a": 1}


def test_a_counter_that_16_threads_push_stands_right(world):
    browser = world.browser(put("n", 0))

    def push():
        for _ in range(15):
            Browser(world, browser.header).visit(count)

    in_threads(*[push] * 16)
    assert browser.read() == {"n": 240}


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_counter_stands_right_though_answers_are_lost_and_others_push_meanwhile(memcached_server, moment):
    prefix = own_prefix()
    with Proxy(memcached_server.port) as proxy:
        through = MemcachedStore(pooled(proxy.port), prefix=prefix)
        direct = MemcachedStore(pooled(memcached_server.port), prefix=prefix)
        world, others = World(through), World(direct)
        browser = world.browser(put("n", 0))
        for _ in range(10):
            proxy.drop(
                moment,
                match=lambda data: data.startswith(b"cas"),
                meanwhile=lambda: Browser(others, browser.header).visit(count),
            )
            browser.visit(count)
        assert browser.read() == {"n": 20}
        through.close()
        direct.close()


@pytest.mark.parametrize("command", [b"add", b"cas", b"delete", b"gets"])
@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_dropped_connection_is_not_seen_by_a_user(memcached_server, moment, command):
    with Proxy(memcached_server.port) as proxy:
        store = MemcachedStore(pooled(proxy.port), prefix=own_prefix())
        world = World(store)
        for view in (put("a", 1), login("ann"), put("b", 2)):
            browser = world.browser(put("n", 0))
            proxy.drop(moment, match=lambda data: data.startswith(command))
            browser.visit(view)
            stolen = browser.header
            browser.visit(invalidate)
            assert Browser(world, stolen).read() == {}
        store.close()


def refused(action: Callable[[], object]) -> None:
    with pytest.raises(StoreUnavailable):
        action()


class TestWhileItIsDown:
    @pytest.fixture
    def stalled(self, make_memcached):
        """A world whose session is kept on a server that hangs now; and the server."""
        server = make_memcached()
        store = MemcachedStore(pooled(server.port, timeout=SHORT))
        world = World(store)
        browser = world.browser(put("a", 1))
        server.stall()
        yield server, world, browser
        store.close()

    def test_a_request_fails_within_its_timeout_and_the_session_is_there_afterwards(self, stalled):
        server, _, browser = stalled
        in_threads(lambda: refused(browser.visit))
        server.resume()
        assert browser.read() == {"a": 1}

    def test_a_logout_is_not_acknowledged(self, stalled):
        server, world, browser = stalled
        server.resume()
        open_session = world.manager.open(browser.header)
        assert open_session["a"] == 1
        server.stall()
        in_threads(lambda: refused(open_session.invalidate))
        server.resume()
        browser.visit(invalidate)
        assert browser.read() == {}

    def test_anonymous_requests_get_an_empty_session_that_cannot_be_written(self, stalled):
        server, world, browser = stalled
        world.use(on_store_error="anonymous")
        session = world.manager.open(browser.header)
        assert in_threads(lambda: dict(session)) == [{}]
        with pytest.raises(SessionReadOnly):
            session["a"] = 2
        server.resume()
        assert browser.read() == {"a": 1}


def test_a_wsgi_app_keeps_its_sessions_there(store):
    def app(environ, start_response):
        session = get_session(environ)
        session["n"] = session.get("n", 0) + 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"%d" % session["n"]]

    wrapped = SessionMiddleware(app, KEY, store=store, cookie=CookiePolicy.development())
    cookies: dict[str, str] = {}
    for number in (b"1", b"2", b"3"):
        request = Request.blank(
            "/", headers={"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        )
        response = request.get_response(wrapped)
        assert response.body == number
        for line in response.headers.getall("Set-Cookie"):
            name, _, rest = line.partition("=")
            cookies[name] = rest.partition(";")[0]
