"""A POST from another site's page logs nobody out: it comes without the cookie, and its answer's would replace it."""

import pytest

from cookiesess import ConfigurationError, CookiePolicy, get_cookies, get_session
from cookiesess.events import SessionWithheld
from cookiesess.stores.memory import MemoryStore
from kit.constants import GARBAGE, IDLE, LIFETIME, NAME, PLAIN
from kit.views import every, invalidate, login, put, renew
from kit.wsgi import Server, WebBrowser, answering, environ_of, streaming, wrap

FOREIGN = {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": "navigate", "REQUEST_METHOD": "POST"}
SIDES = {
    "client-side": dict,
    "store": lambda: {"store": MemoryStore()},
    "overflow": lambda: {"overflow": MemoryStore()},
}
BEGINNINGS = {
    "data": put("a", 1),
    "flash": lambda session: session.flash("hello"),
    "CSRF token": lambda session: session.csrf_token(),
    "saved": lambda session: session.update(a=1) or session.save(),
    "logged out and written": every(invalidate, put("a", 1)),
    "logged in and out again": every(login("ann"), invalidate, put("a", 1)),
    "renewed": every(put("a", 1), renew),
}


@pytest.fixture(params=SIDES)
def side(request):
    return SIDES[request.param]()


def answer(app, *, header="", headers=FOREIGN, **settings):
    """Return a server that has got the answer of one request, and the events."""
    events = []
    environ = environ_of(**headers, **({"HTTP_COOKIE": header} if header else {}))
    return Server().run(wrap(app, on_event=events.append, **settings), environ), events


def issued(server):
    return [line.partition("=")[0] for line in server.lines()]


# Withheld


@pytest.mark.parametrize("view", BEGINNINGS.values(), ids=BEGINNINGS)
def test_an_anonymous_session_is_not_issued(side, view):
    server, events = answer(answering(view), **side)
    assert server.lines() == []
    assert events[-1] == SessionWithheld()


def test_the_event_names_the_setting():
    assert 'CookiePolicy(cross_site_posts="issue")' in str(SessionWithheld())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"])
def test_so_it_is_with_every_method_but_get_and_head(method):
    server, events = answer(answering(put("a", 1)), headers={**FOREIGN, "REQUEST_METHOD": method})
    assert (server.lines(), events) == ([], [SessionWithheld()])


@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
def test_so_it_is_under_each_policy_by_which_the_cookie_stays_away(samesite):
    server, events = answer(answering(put("a", 1)), cookie=CookiePolicy(samesite=samesite))
    assert (server.lines(), events) == ([], [SessionWithheld()])


def caching(environ, start_response):
    """An app that means its answer for all visitors, has a cookie of its own, and begins a session."""
    get_session(environ)["a"] = 1
    get_cookies(environ).set("theme", "dark")
    start_response("200 OK", [*PLAIN, ("Cache-Control", "public, max-age=600"), ("CDN-Cache-Control", "max-age=600")])
    return [b""]


def test_no_cache_keeps_the_answer_whatever_the_app_said():
    server, _ = answer(caching)
    assert server.lines("Cache-Control") == ["private, no-store"]
    assert server.lines("CDN-Cache-Control") == []
    assert server.lines("Vary") == ["Cookie"]


def test_the_apps_other_cookies_are_set_all_the_same():
    server, _ = answer(caching)
    assert issued(server) == ["theme"]


@pytest.mark.parametrize("header", [GARBAGE, f"{NAME}="])
def test_so_it_is_beside_a_cookie_that_does_not_open(side, header):
    server, events = answer(answering(put("a", 1)), header=header, **side)
    assert server.lines() == []
    assert events[-1] == SessionWithheld()


def test_what_the_body_writes_belongs_to_it_and_is_no_error(side):
    server, events = answer(streaming(put("a", 1), put("b", 2), lambda session: session.setdefault("c", [])), **side)
    assert server.body == b"itemitemitem"
    assert server.lines() == []
    assert events == [SessionWithheld()]


@pytest.mark.parametrize("view", BEGINNINGS.values(), ids=BEGINNINGS)
def test_nothing_of_it_is_in_the_store(view):
    store = MemoryStore()
    answer(answering(view), store=store)
    assert list(store._all()) == []


def test_an_app_that_only_looks_is_no_matter(side):
    server, events = answer(answering(len), **side)
    assert (server.lines(), server.lines("Cache-Control"), events) == ([], [], [])


def test_a_visitor_with_a_login_keeps_it():
    """In a browser: the POST comes without the cookie, and what it answers leaves the cookie alone."""
    browser = WebBrowser(wrap(answering(login("ann"))))
    browser.get()
    kept = dict(browser.cookies)
    browser.app, browser.cookies = wrap(answering(put("a", 1))), {}
    browser.get(**FOREIGN)
    assert browser.cookies == {}
    browser.cookies = kept
    browser.app = wrap(answering(lambda session: session.owner))
    assert browser.get().text == "ann"


# As before


FILLS = put("a", 1)


def assert_issued(view=FILLS, **settings):
    server, events = answer(answering(view), **settings)
    assert issued(server) == [NAME]
    assert SessionWithheld() not in events
    assert server.lines("Cache-Control") == ["private"]


@pytest.mark.parametrize(
    "view",
    [
        every(login("ann"), put("a", 1)),
        every(put("a", 1), login("ann")),
        lambda session: session.login("ann") or session.save(),
        every(invalidate, login("ann")),
    ],
    ids=["login first", "login last", "saved at once", "logged out first"],
)
def test_a_login_is_issued_as_where_an_identity_provider_posts_its_answer(side, view):
    assert_issued(view, **side)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_first_visit_by_a_link_is_issued(side, method):
    assert_issued(headers={**FOREIGN, "REQUEST_METHOD": method}, **side)


@pytest.mark.parametrize(
    "change",
    [
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_SEC_FETCH_SITE": "none"},
        {"HTTP_SEC_FETCH_SITE": ""},
        {"HTTP_SEC_FETCH_MODE": "cors"},
        {"HTTP_SEC_FETCH_MODE": "no-cors"},
        {"HTTP_SEC_FETCH_MODE": "websocket"},
        {"HTTP_SEC_FETCH_MODE": ""},
    ],
    ids=str,
)
def test_a_post_of_the_sites_own_pages_and_of_embedded_ones_is_issued(side, change):
    assert_issued(headers={**FOREIGN, **change}, **side)


@pytest.mark.parametrize("missing", ["HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_MODE"])
def test_a_browser_that_does_not_say_is_as_before(side, missing):
    assert_issued(headers={name: value for name, value in FOREIGN.items() if name != missing}, **side)


@pytest.mark.parametrize("samesite", ["None", None])
def test_where_the_cookie_comes_along_or_the_browser_decides_it_is_as_before(samesite):
    assert_issued(cookie=CookiePolicy(samesite=samesite))


def test_who_needs_a_session_there_can_have_it():
    assert_issued(cookie=CookiePolicy(cross_site_posts="issue"))


@pytest.mark.parametrize("value", ["", "allow", None, True, "Issue"])
def test_another_setting_is_refused_with_what_is_allowed(value):
    with pytest.raises(ConfigurationError, match="choose 'withhold' or 'issue'"):
        CookiePolicy(cross_site_posts=value)


# A session that came along: an embedded app's, or that of a browser that sends it all the same


@pytest.fixture
def known(side):
    """The Cookie header of a session, and the settings of its side."""
    settings = {"cookie": CookiePolicy(NAME), "lifetime": LIFETIME, **side}
    browser = WebBrowser(wrap(answering(put("a", 1)), **settings))
    browser.get()
    return browser.header, settings


@pytest.mark.parametrize("view", [put("a", 2), renew, lambda session: session.flash("hello")])
def test_a_session_that_opened_goes_on(known, view):
    header, settings = known
    server, events = answer(answering(view), header=header, **settings)
    assert SessionWithheld() not in events
    assert all(name == NAME for name in issued(server))


def test_a_logout_ends_it(known):
    header, settings = known
    server, _ = answer(answering(invalidate), header=header, **settings)
    assert all("Max-Age=0" in line for line in server.lines())
    assert server.lines() != []


def test_one_that_opened_and_has_run_out_does_not_stand_in_the_way(known, clock):
    header, settings = known
    clock.advance(10 * IDLE)
    later = {**settings, "clock": lambda: 2_000_000_000}
    server, events = answer(answering(put("b", 2)), header=header, **later)
    assert issued(server) == [NAME]
    assert SessionWithheld() not in events
