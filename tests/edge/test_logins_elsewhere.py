"""`begin_login` and `finish_login`: what an app knows again when a visitor comes back from an identity provider."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webob import Request

from cookiesess import (
    CookiePolicy,
    CookieTooLarge,
    NotSerializable,
    ResponseStarted,
    SessionError,
    SessionMiddleware,
    begin_login,
    finish_login,
    get_cookies,
)
from cookiesess.testing import ManualClock
from kit.constants import KEY, NAME, OTHER_KEY, PLAIN
from kit.wsgi import Server, WebBrowser, environ_of, wrap

STATES = [f"state-of-login-number-{n}" for n in range(10)]
STATE = STATES[0]
PREFIX = f"{NAME}.login."
TEN_MINUTES = 600


class Site:
    """An app of which each visit brings the view along, and a browser in front of it."""

    def __init__(self, base_url="https://shop.example", keys=KEY, **settings):
        self.clock = ManualClock()
        self.app = SessionMiddleware(self._answer, keys, **{"clock": self.clock, **settings})
        self.browser = WebBrowser(self.app, base_url, REMOTE_ADDR="127.0.0.1")
        self.lines = []

    def _answer(self, environ, start_response):
        self._returned = self._view(environ)
        start_response("200 OK", [*PLAIN])
        return [b"done"]

    def visit(self, view, browser=None):
        browser = browser or self.browser
        self._view = view
        response = browser.request().get_response(self.app)
        self.lines = response.headers.getall("Set-Cookie")
        browser.keep(self.lines)
        return self._returned

    def begin(self, *states, **data):
        self.visit(lambda environ: [begin_login(environ, state, data) for state in states])

    def finish(self, state=STATE, browser=None):
        return self.visit(lambda environ: finish_login(environ, state), browser)

    @property
    def attributes(self):
        return self.lines[0].partition("; ")[2]


@pytest.fixture
def site():
    return Site()


def test_what_was_kept_comes_back_with_its_types(site):
    data = {"verifier": "萧兮", "nonce": b"\0", "at": datetime(2026, 1, 1, tzinfo=UTC), "next": ["/cart"]}
    site.begin(STATE, **data)
    assert site.finish() == data


def test_a_finished_login_is_forgotten(site):
    site.begin(STATE)
    assert site.finish() == {}
    assert site.browser.cookies == {}
    assert site.finish() is None


def test_the_cookie_comes_back_from_another_sites_form_too(site):
    site.begin(STATE)
    assert site.attributes.endswith("Secure; HttpOnly; SameSite=None")
    assert "; Max-Age=600; " in f"; {site.attributes}"


def test_neither_state_nor_data_can_be_read_in_the_cookie(site):
    site.begin(STATE, verifier="a-secret-verifier")
    (line,) = site.lines
    assert line.startswith(PREFIX)
    assert STATE not in line
    assert "verifier" not in line


def test_a_deletion_has_what_the_cookie_was_set_with(site):
    site.begin(STATE)
    site.finish()
    assert site.attributes.startswith("Path=/; Max-Age=0; ")
    assert site.attributes.endswith("; Secure; HttpOnly; SameSite=None")


@pytest.mark.parametrize(
    ("policy", "begins", "ends"),
    [
        (
            CookiePolicy("sid", path="/shop", domain="shop.example"),
            "Path=/shop; Domain=shop.example; ",
            "SameSite=None",
        ),
        (CookiePolicy(samesite="None", partitioned=True), "Path=/; ", "SameSite=None; Partitioned"),
        (CookiePolicy(samesite="Strict"), "Path=/; ", "SameSite=None"),
        (CookiePolicy("sid", secure=False), "Path=/; ", "Secure; HttpOnly; SameSite=None"),
    ],
    ids=["domain and path", "partitioned", "strict", "as Flask has it"],
)
def test_the_cookie_stands_beside_the_sessions(policy, begins, ends):
    site = Site(cookie=policy)
    site.begin(STATE)
    assert site.lines[0].startswith(f"{policy.name}.login.")
    assert site.attributes.startswith(begins)
    assert site.attributes.endswith(ends)
    assert site.finish() == {}


def test_over_plain_http_in_development_it_comes_back_by_a_link():
    site = Site("http://localhost:8000", cookie=CookiePolicy.development())
    site.begin(STATE, a=1)
    assert site.attributes.endswith("GMT; HttpOnly; SameSite=Lax")
    assert site.finish() == {"a": 1}
    assert site.browser.cookies == {}


def test_five_logins_go_on_side_by_side(site):
    for n, state in enumerate(STATES[:5]):
        site.begin(state, n=n)
    assert [site.finish(state) for state in STATES[:5]] == [{"n": n} for n in range(5)]


def test_the_oldest_of_more_is_forgotten(site):
    for state in STATES[:7]:
        site.begin(state)
        site.clock.advance(1)
    assert [site.finish(state) is not None for state in STATES[:7]] == [False] * 2 + [True] * 5


def test_the_oldest_is_so_by_its_age_and_not_by_its_place_in_the_header(site):
    for state in STATES[:5]:
        site.begin(state)
        site.clock.advance(1)
    site.browser.cookies = dict(reversed(site.browser.cookies.items()))
    site.begin(STATES[5])
    assert site.finish(STATES[0]) is None
    assert site.finish(STATES[4]) == {}


def test_many_that_begin_in_one_request_are_five_as_well(site):
    site.begin(*STATES[:7])
    assert [site.finish(state) is not None for state in STATES[:7]] == [False] * 2 + [True] * 5


def test_a_login_that_begins_again_has_its_new_data(site):
    site.begin(STATE, a=1)
    site.begin(STATE, a=2)
    assert len(site.browser.cookies) == 1
    assert site.finish() == {"a": 2}


def test_what_does_not_open_is_kept_until_there_are_more_than_five(site):
    site.browser.cookies = {f"{PREFIX}{n}": "x" for n in range(4)}
    site.begin(STATES[0])
    assert len(site.browser.cookies) == 5
    site.begin(STATES[1])
    assert f"{PREFIX}0" not in site.browser.cookies
    assert site.finish(STATES[0]) == {}


def test_one_answer_forgets_ten_at_most(site):
    site.browser.cookies = {f"{PREFIX}{n}": "x" for n in range(300)}
    site.begin(STATE)
    assert len(site.lines) == 11


def test_other_cookies_are_left_alone(site):
    site.browser.cookies = {f"other{n}": "x" for n in range(20)}
    site.begin(STATE)
    assert len(site.lines) == 1


def test_a_state_of_another_browser_is_none(site):
    site.begin(STATE)
    assert site.finish(browser=WebBrowser(site.app)) is None
    assert site.finish() == {}


def test_a_state_is_none_after_ten_minutes(site):
    site.begin(STATE)
    copied = dict(site.browser.cookies)
    site.clock.advance(TEN_MINUTES - 1)
    assert site.finish() == {}
    site.browser.cookies = copied
    site.clock.advance(1)
    assert site.finish() is None


def test_a_copy_can_be_shown_again_until_then(site):
    site.begin(STATE)
    copied = dict(site.browser.cookies)
    site.finish()
    site.browser.cookies = copied
    assert site.finish() == {}


def test_a_cookie_under_the_name_of_another_state_is_none(site):
    site.begin(STATES[0])
    site.begin(STATES[1])
    first, second = site.browser.cookies
    site.browser.cookies = {first: site.browser.cookies[second]}
    assert site.finish(STATES[0]) is None


def test_a_cookie_under_an_accepted_key_comes_back(site):
    site.begin(STATE)
    rotated = Site(keys=f"{OTHER_KEY},{KEY}")
    assert rotated.finish(browser=WebBrowser(rotated.app)) is None
    assert rotated.finish(browser=site.browser) == {}


@given(st.text(max_size=40) | st.text(min_size=2049, max_size=2060) | st.none() | st.binary() | st.lists(st.text()))
def test_any_other_state_is_none_and_loses_nothing(state):
    site = Site()
    site.begin(STATE)
    assert site.finish(state) is None
    assert site.lines == []
    assert site.finish() == {}


@given(st.text(st.characters(max_codepoint=255, exclude_characters=";")), st.booleans())
def test_any_value_of_its_cookie_is_none_and_the_next_login_works(value, quoted):
    site = Site()
    site.begin(STATE)
    (name,) = site.browser.cookies
    site.browser.cookies = {name: f'"{value}"' if quoted else value}
    assert site.finish() is None
    site.begin(STATES[1])
    assert site.finish(STATES[1]) == {}


@pytest.mark.parametrize("state", [None, b"x" * 20, "", "x" * 15, "x" * 2049, 5], ids=repr)
def test_a_bad_state_at_the_beginning_is_an_error_that_says_what_to_pass(site, state):
    with pytest.raises(ValueError, match=r"16 to 2048 characters .* pass secrets\.token_urlsafe"):
        site.begin(state)


@pytest.mark.parametrize("state", ["x" * 16, "x" * 2048, "萧兮; \r\n\0\ud800" * 3])
def test_any_text_of_such_a_length_is_a_state(site, state):
    site.begin(state)
    assert site.finish(state) == {}


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ("/cart", ValueError, "is a dict, and what came is str"),
        (None, ValueError, "what came is NoneType"),
        ({"view": object()}, NotSerializable, "object"),
        ({"next": "x" * 4000}, CookieTooLarge, r"\.login\."),
    ],
)
def test_data_that_cannot_be_kept_is_an_error_and_loses_no_other_login(site, data, error, message):
    site.begin(STATES[1])
    with pytest.raises(error, match=message):
        site.visit(lambda environ: begin_login(environ, STATE, data))
    assert site.finish(STATES[1]) == {}


def test_after_the_headers_it_is_an_error_and_the_login_is_not_lost(site):
    site.begin(STATE)

    def late(environ, start_response):
        start_response("200 OK", [*PLAIN])
        get_cookies(environ)
        yield b"first"
        with pytest.raises(ResponseStarted):
            finish_login(environ, STATE)
        with pytest.raises(ResponseStarted):
            begin_login(environ, STATES[1], {})
        yield b"second"

    environ = environ_of(HTTP_COOKIE=site.browser.header)
    assert Server().run(wrap(late, clock=site.clock), environ).body == b"firstsecond"
    assert site.finish() == {}


@pytest.mark.parametrize("call", [lambda it: begin_login(it, STATE, {}), lambda it: finish_login(it, STATE)])
def test_without_the_middleware_it_is_the_usual_error(call):
    with pytest.raises(SessionError, match="wrap the app"):
        call(Request.blank("/"))


def test_the_session_is_not_touched(site):
    site.begin(STATE)
    site.finish()
    assert NAME not in site.browser.cookies
