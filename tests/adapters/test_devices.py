"""A device's label out of the User-Agent, and the setting that has logins labelled by it."""

import runpy
import sys

import pytest
import webtest
from hypothesis import given
from hypothesis import strategies as st
from webob import Request

from cookiesess import ConfigurationError, MissingDependency, SessionError, SessionManager, SessionMiddleware
from cookiesess.adapters import devices
from cookiesess.adapters.devices import describe_client
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY
from kit.pyramid_site import Site
from kit.wsgi import answering

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
APPLE = "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) {} Safari/604.1"
IPHONE = "iPhone; CPU iPhone OS 17_5 like Mac OS X"


def labels(user_agent, *views, **settings):
    """Return the labels of ann's sessions, after a request of `user_agent` for each view."""
    store = MemoryStore()
    settings = {"store": store, "login_label": describe_client, **settings}
    for view in views:
        browser = webtest.TestApp(SessionMiddleware(answering(view), KEY, **settings), {"wsgi.url_scheme": "https"})
        browser.get("/", headers={"User-Agent": user_agent})
    return [info.label for info in SessionManager(KEY, store=store).sessions_of("ann")]


def ann(session):
    session.login("ann")


# The label


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (FIREFOX, "Firefox on Windows"),
        (APPLE.format(IPHONE, "Version/17.5 Mobile/15E148"), "Safari on iOS"),
        (APPLE.format(IPHONE, "CriOS/126.0 Mobile/15E148"), "Chrome on iOS"),
        (APPLE.format("Macintosh; Intel Mac OS X 10_15_7", "Version/17.5"), "Safari on macOS"),
        (APPLE.format("Linux; Android 10; K", "Chrome/126.0.0.0 Mobile"), "Chrome on Android"),
        (APPLE.format("X11; Linux x86_64", "HeadlessChrome/120.0.0.0"), "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Windows"),
        ("curl/8.5.0", "curl"),
        ("", "unknown device"),
        ("萧兮".encode().decode("latin-1"), "unknown device"),
    ],
)
def test_a_browser_is_called_what_its_user_calls_it(user_agent, label):
    assert describe_client({"HTTP_USER_AGENT": user_agent}) == label


def test_a_request_without_the_header_is_an_unknown_device():
    assert describe_client({}) == "unknown device"


def test_the_label_holds_nothing_of_where_the_request_came_from():
    environ = {"HTTP_USER_AGENT": FIREFOX, "REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": "192.0.2.8"}
    assert describe_client(environ) == "Firefox on Windows"


def test_a_frameworks_request_is_taken_as_well():
    assert describe_client(Request.blank("/", user_agent=FIREFOX)) == "Firefox on Windows"


def test_what_has_no_environ_is_refused():
    with pytest.raises(SessionError, match="no WSGI environ"):
        describe_client(FIREFOX)


@given(st.text(st.characters(max_codepoint=255)), st.sampled_from(["", "Firefox/1", f"{FIREFOX} ", "\x00bot/1"]))
def test_whatever_a_client_says_the_label_is_short_and_printable(said, first):
    label = describe_client({"HTTP_USER_AGENT": first + said})
    assert 1 <= len(label) <= 84
    assert label.isprintable()


def test_a_made_up_name_is_cut():
    label = describe_client({"HTTP_USER_AGENT": f"{'A' * 90}Bot/1.0"})
    assert (len(label), label[:3]) == (40, "AAA")


def test_what_stands_far_behind_is_not_parsed():
    assert describe_client({"HTTP_USER_AGENT": "x" * 1_000_000 + FIREFOX}) == "unknown device"


def test_without_the_package_the_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ua_parser", None)
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[devices\]"'):
        runpy.run_path(devices.__file__)


# The setting


def test_a_login_without_a_label_gets_one():
    assert labels(FIREFOX, ann) == ["Firefox on Windows"]


def test_a_label_that_the_login_gives_stays():
    assert labels(FIREFOX, lambda session: session.login("ann", label="my desk")) == ["my desk"]


def test_without_the_setting_there_is_no_label():
    assert labels(FIREFOX, ann, login_label=None) == [None]


def test_nothing_but_a_login_is_labelled():
    seen = []

    def view(session):
        session["a"] = 1
        seen.append(session.label)

    labels(FIREFOX, view, lambda session: None, lambda session: seen.append(session.label))
    assert seen == [None, None]


def test_a_name_that_the_user_has_given_survives_the_next_login():
    app = SessionMiddleware(answering(ann), KEY, store=MemoryStore(), login_label=describe_client)
    browser = webtest.TestApp(app, {"wsgi.url_scheme": "https"})
    browser.get("/", headers={"User-Agent": FIREFOX})

    def rename(session):
        session.label = "my desk"

    for view in (rename, ann):
        app.app = answering(view)
        browser.get("/", headers={"User-Agent": FIREFOX})
    assert [info.label for info in app.manager.sessions_of("ann")] == ["my desk"]


def test_of_a_long_label_the_first_200_characters_are_kept():
    assert labels(FIREFOX, ann, login_label=lambda environ: "x" * 300) == ["x" * 200]


def test_a_function_may_say_that_there_is_no_label():
    assert labels(FIREFOX, ann, login_label=lambda environ: None) == [None]


def test_what_the_function_returns_is_text():
    with pytest.raises(ValueError, match="a label is text"):
        labels(FIREFOX, ann, login_label=lambda environ: 7)


def test_pyramid_labels_its_logins_too():
    def view(request):
        request.session.login("ann")
        return request.response

    site = Site(view, store=MemoryStore(), login_label=describe_client)
    site.get("view", headers={"User-Agent": FIREFOX})
    assert site.factory.manager.sessions_of("ann")[0].label == "Firefox on Windows"


def test_client_side_there_is_no_list_that_would_show_it():
    with pytest.raises(ConfigurationError, match="login_label is for sessions on the server"):
        SessionManager(KEY, login_label=describe_client)


def test_something_else_than_a_function_is_refused():
    with pytest.raises(ConfigurationError, match="login_label must be a function, not of type str"):
        SessionManager(KEY, store=MemoryStore(), login_label="Firefox")
