"""When the session's cookie is marked Secure, and who is told that a browser will drop it."""

import logging

import pytest
from webob import Request
from webtest import TestApp

from cookiesess import CookiePolicy, SessionManager, SessionMiddleware, Transport, get_cookies
from cookiesess.events import SecureCookieOverHttp
from kit.arrival import Came
from kit.constants import KEY
from kit.views import invalidate, put
from kit.wsgi import Server, answering, environ_of, wrap

AUTO = CookiePolicy.development()
LOOPBACK_HOSTS = ["localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:8080", "127.8.9.10", "[::1]", "[::1]:8080"]
LOOPBACK_HOSTS += ["app.localhost", "app.localhost:8080"]
OTHER_HOSTS = [
    "shop.example",
    "192.168.0.5",
    "10.0.0.1:80",
    "localhost.example",
    "notlocalhost",
    "[2001:db8::1]:80",
    "",
]
# Names that only look like the loopback network: anybody can register them.
LOOKALIKES = ["127.0.0.1.example", "127.example:8080", "127.0.0.1.nip.io"]
LOOPBACK_CLIENTS = ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]
OTHER_CLIENTS = ["192.168.0.7", "8.8.8.8", "2001:db8::7", "", "::ffff:8.8.8.8", "::1234"]
PROXY_HEADERS = ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server"]
PROXY_HEADERS += ["X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Ssl", "X-Forwarded-Scheme", "X-Real-IP"]


def environ_for(host="localhost", client="127.0.0.1", scheme="http", **more):
    environ = Request.blank("/", environ={"REMOTE_ADDR": client, **more}).environ
    environ["wsgi.url_scheme"] = scheme
    environ["HTTP_HOST"] = host
    return environ


def secure(environ, policy=AUTO):
    (line,) = Server().run(wrap(answering(put("a", 1)), cookie=policy), environ).lines()
    return "; Secure" in line


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_auto_leaves_secure_out_on_a_loopback_host(host):
    assert not secure(environ_for(host))


@pytest.mark.parametrize("client", LOOPBACK_CLIENTS)
def test_auto_leaves_secure_out_for_a_loopback_client(client):
    assert not secure(environ_for(client=client))


@pytest.mark.parametrize("host", [*OTHER_HOSTS, *LOOKALIKES])
def test_auto_marks_secure_on_any_other_host(host):
    assert secure(environ_for(host))


@pytest.mark.parametrize("client", OTHER_CLIENTS)
def test_auto_marks_secure_for_any_other_client(client):
    assert secure(environ_for(client=client))


@pytest.mark.parametrize("header", PROXY_HEADERS)
def test_auto_marks_secure_behind_anything_that_shows_as_a_proxy(header):
    assert secure(environ_for(**{f"HTTP_{header.upper().replace('-', '_')}": "x"}))


@pytest.mark.parametrize("variable", ["HTTP_HOST", "REMOTE_ADDR"])
def test_auto_marks_secure_where_the_server_gives_none(variable):
    assert secure(environ_for() | {variable: None})


def from_a_test_client(**more):
    """As WebTest makes an environ: without an address, and marked."""
    environ = environ_for(**{"paste.testing": True, **more})
    del environ["REMOTE_ADDR"]
    return environ


def test_auto_leaves_secure_out_for_a_test_client_that_has_no_address():
    assert not secure(from_a_test_client())


def test_auto_leaves_secure_out_under_webtest():
    client = TestApp(wrap(answering(lambda session: session.setdefault("a", "kept")), cookie=AUTO))
    assert "Secure" not in client.get("/").headers["Set-Cookie"]
    assert "Set-Cookie" not in client.get("/").headers  # it came back


@pytest.mark.parametrize(
    "environ",
    [
        from_a_test_client(host="shop.example"),
        from_a_test_client(HTTP_X_FORWARDED_FOR="x"),
        from_a_test_client(**{"paste.testing": False}),
        environ_for(client="8.8.8.8", **{"paste.testing": True}),
    ],
    ids=["another host", "behind a proxy", "not marked", "another address"],
)
def test_auto_marks_secure_for_a_test_client_whatever_else_is_not_this_machine(environ):
    assert secure(environ)


def test_auto_marks_secure_over_https():
    assert secure(environ_for(scheme="https"))


def test_auto_marks_secure_without_host_and_client():
    environ = environ_for()
    del environ["HTTP_HOST"], environ["REMOTE_ADDR"]
    assert secure(environ)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["localhost", "shop.example"])
@pytest.mark.parametrize("setting", [True, False])
def test_a_fixed_setting_is_the_same_everywhere(scheme, host, setting):
    assert secure(environ_for(host, scheme=scheme), CookiePolicy("session", secure=setting)) is setting


def test_the_policy_for_development_is_named_session_and_auto():
    assert (AUTO.name, AUTO.secure) == ("session", "auto")


def test_an_expiry_is_marked_as_the_cookie_was():
    environ = environ_for(HTTP_COOKIE="session=garbage")
    (line,) = Server().run(wrap(answering(invalidate), cookie=AUTO), environ).lines()
    assert "Secure" not in line
    environ = environ_for("shop.example", HTTP_COOKIE="session=garbage")
    *_, line = Server().run(wrap(answering(invalidate), cookie=AUTO), environ).lines()
    assert "; Secure" in line


@pytest.mark.parametrize(("host", "marked"), [("localhost", False), ("shop.example", True)])
def test_a_plain_cookie_is_secure_as_the_sessions_policy_has_it(host, marked):
    def app(environ, start_response):
        get_cookies(environ).set("a", "1")
        return answering(lambda session: None)(environ, start_response)

    (line,) = Server().run(wrap(app, cookie=AUTO), environ_for(host)).lines()
    assert ("; Secure" in line) is marked


def test_a_manager_without_wsgi_is_told_the_transport():
    manager = SessionManager(KEY, cookie=AUTO)
    session = manager.open("")
    session["a"] = 1
    commit = manager.commit(session, arrival=Came(transport=Transport.LOOPBACK))
    assert not commit.cookies[0].attributes.secure


# A Secure cookie over plain HTTP


@pytest.fixture
def over_http(events):
    """A wrapped app, and one request to it over plain HTTP."""
    app = wrap(answering(put("a", 1)), on_event=events.append)
    return lambda **more: Server().run(app, environ_for("shop.example", **more))


def secure_events(events):
    return [event for event in events if isinstance(event, SecureCookieOverHttp)]


def test_a_secure_cookie_over_plain_http_is_said_once(over_http, events):
    over_http()
    assert secure_events(events) == [SecureCookieOverHttp()]
    over_http()
    assert secure_events(events) == [SecureCookieOverHttp()]


@pytest.mark.parametrize(
    "environ",
    [environ_for("192.168.0.5:8000", "192.168.0.7"), environ_for("localhost:8000", "172.17.0.1")],
    ids=["the local network", "a container"],
)
def test_it_says_what_is_true_where_the_policy_for_development_is_in_place(events, environ):
    Server().run(wrap(answering(put("a", 1)), on_event=events.append, cookie=AUTO), environ)
    assert secure_events(events) == [SecureCookieOverHttp(auto=True)]


def test_it_is_said_on_a_loopback_host_too(events):
    Server().run(wrap(answering(put("a", 1)), on_event=events.append), environ_for())
    assert secure_events(events) == [SecureCookieOverHttp()]


def test_the_development_policy_says_it_once_and_goes_on_asking_how_a_request_came(events):
    app = wrap(answering(put("a", 1)), on_event=events.append, cookie=AUTO)
    far = environ_for("192.168.0.5:8000", "192.168.0.7")
    lines = [line for environ in (far, far, environ_for()) for line in Server().run(app, environ.copy()).lines()]
    assert ["; Secure" in line for line in lines] == [True, True, False]
    assert secure_events(events) == [SecureCookieOverHttp(auto=True)]


def test_it_is_not_said_over_https(over_http, events):
    over_http(scheme="https")
    assert secure_events(events) == []


@pytest.mark.parametrize("policy", [AUTO, CookiePolicy("session", secure=False)], ids=["auto", "never"])
def test_it_is_not_said_where_the_cookie_is_not_secure(events, policy):
    Server().run(wrap(answering(put("a", 1)), on_event=events.append, cookie=policy), environ_for())
    assert secure_events(events) == []


def test_it_is_not_said_where_no_cookie_is_sent(events):
    Server().run(wrap(answering(len), on_event=events.append), environ_for("shop.example"))
    assert events == []


def test_save_in_a_view_says_nothing(events):
    session = SessionManager(KEY, on_event=events.append).open("")
    session["a"] = 1
    session.save()
    assert events == []


def test_it_is_a_warning_in_the_log(over_http, caplog):
    with caplog.at_level(logging.WARNING, logger="cookiesess"):
        over_http()
    assert caplog.messages == [str(SecureCookieOverHttp())]


def test_each_middleware_says_it_for_itself(events):
    for _ in range(2):
        app = SessionMiddleware(answering(put("a", 1)), KEY, on_event=events.append)
        Server().run(app, environ_for("shop.example"))
    assert len(secure_events(events)) == 2


def test_https_needs_no_host_at_all():
    assert len(Server().run(wrap(answering(put("a", 1))), environ_of(HTTP_HOST="")).lines()) == 1


# Secure where the request came over HTTPS, or never


def test_https_marks_what_answers_https_alone_and_nothing_is_said(events):
    app = wrap(answering(put("a", 1)), on_event=events.append, cookie=CookiePolicy("session", secure="https"))
    schemes = ("https", "http", "https")
    lines = [line for scheme in schemes for line in Server().run(app, environ_for(scheme=scheme)).lines()]
    assert ["; Secure" in line for line in lines] == [True, False, True]
    assert {event.name for event in events} == {"session.created"}


def test_a_manager_without_wsgi_says_nothing_of_https(events):
    manager = SessionManager(KEY, on_event=events.append, cookie=CookiePolicy("session", secure=False))
    session = manager.open("")
    session["a"] = 1
    manager.commit(session)
    assert [event.name for event in events] == ["session.created"]
