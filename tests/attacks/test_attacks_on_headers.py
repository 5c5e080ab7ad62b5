"""What an attacker tries on responses, headers, logs and sizes; each test fails where the defence is taken away."""

import contextlib
import logging

import pytest

from cookiesess import CookieTooLarge, NotSerializable, SessionManager, get_cookies, get_session
from kit.browser import Browser
from kit.constants import KEY, NAME, PLAIN
from kit.tokens import logged_in, raw, seen_by, text, token_of
from kit.views import put
from kit.wsgi import Server, WebBrowser, answering, environ_of, wrap

# Caches and shared state


def test_a_shared_cache_may_not_keep_one_visitors_cookie_for_the_next():
    def app(environ, start_response):
        logged_in(get_session(environ))
        start_response(
            "200 OK", [*PLAIN, ("Cache-Control", "public, s-maxage=600"), ("CDN-Cache-Control", "max-age=9")]
        )
        return [b""]

    server = Server().run(wrap(app), environ_of())
    assert server.lines("Cache-Control") == ["private"]
    assert server.lines("CDN-Cache-Control") == []
    assert server.lines("Vary") == ["Cookie"]


def test_a_header_list_that_requests_share_hands_no_cookie_to_the_next_visitor():
    shared = [*PLAIN]

    def app(environ, start_response):
        if environ["PATH_INFO"] == "/login":
            logged_in(get_session(environ))
            get_cookies(environ).set("victims", "own")
        start_response("200 OK", shared)
        return [b""]

    wrapped = wrap(app)
    assert len(Server().run(wrapped, environ_of("/login")).lines()) == 2
    assert Server().run(wrapped, environ_of("/")).lines() == []


def test_two_visitors_at_the_same_time_keep_their_own():
    """One middleware, two streamed answers, their steps interleaved."""

    def app(environ, start_response):
        start_response("200 OK", [*PLAIN])
        session = get_session(environ)
        session["name"] = environ["PATH_INFO"]
        yield b""
        yield session["name"].encode()

    wrapped = wrap(app)
    servers = [Server(), Server()]
    bodies = [
        wrapped(environ_of(path), server.start_response) for path, server in zip(("/a", "/b"), servers, strict=True)
    ]
    items = [[next(body) for body in bodies] for _ in range(2)]
    for body in bodies:
        body.close()
    assert items[1] == [b"/a", b"/b"]
    names = [Browser(SessionManager(KEY), server.lines()[0].partition(";")[0]).read() for server in servers]
    assert names == [{"name": "/a"}, {"name": "/b"}]


# Injection


INJECTIONS = ["\r\nSet-Cookie: a=1", "\n", "\r", "\0", "; Domain=evil.example"]


@pytest.mark.parametrize("evil", INJECTIONS[:4], ids=repr)
@pytest.mark.parametrize("view", [lambda jar: jar, lambda jar: jar.signed, lambda jar: jar.sealed])
@pytest.mark.parametrize("field", ["key", "value", "domain", "path"])
def test_header_injection_through_the_jar_reaches_no_header(evil, view, field):
    def app(environ, start_response):
        fields = {"key": "a", "value": "b", "domain": "shop.example", "path": "/", field: f"x{evil}"}
        if field == "path":
            fields["path"] = f"/{evil}"
        with contextlib.suppress(ValueError):
            view(get_cookies(environ)).set(fields.pop("key"), fields.pop("value"), **fields)
        start_response("200 OK", [*PLAIN])
        return []

    for _, value in Server().run(wrap(app), environ_of()).headers:
        assert not set(value) & {"\r", "\n", "\0"}


@pytest.mark.parametrize("field", ["key", "domain", "path"])
def test_attribute_injection_through_the_jar_is_refused(field):
    fields = {"key": "a", "value": "b", field: f"/x{INJECTIONS[4]}"}
    with pytest.raises(ValueError, match="not allowed"):
        SessionManager(KEY).jar("").set(fields.pop("key"), fields.pop("value"), **fields)


def test_attribute_injection_through_a_value_stays_a_value():
    manager = SessionManager(KEY)
    jar = manager.jar("")
    jar.set("a", "b; Domain=evil.example")
    (cookie,) = manager.commit(manager.open(""), jar).cookies
    assert "; Domain" not in cookie.line
    assert manager.jar(f"a={cookie.value}")["a"] == "b; Domain=evil.example"


def test_the_jar_cannot_overwrite_the_session():
    jar = SessionManager(KEY).jar("")
    for write in (jar.set, jar.signed.set, jar.sealed.set):
        with pytest.raises(ValueError, match="session's cookie"):
            write(NAME, "x")
    with pytest.raises(ValueError, match="session's cookie"):
        jar.delete(NAME)


@pytest.mark.parametrize(
    "value",
    ["x\r\nERROR forged line", "x\nERROR", "\x1b[2Jx", "%(levelname)s %s", "{0.__class__}", "x\u2028y"],
    ids=repr,
)
def test_log_injection_through_a_hostile_cookie_writes_no_line_of_its_own(caplog, value):
    with caplog.at_level(logging.DEBUG, logger="cookiesess"):
        seen_by(f"{NAME}={value}")
    assert caplog.messages == ["session.rejected reason=malformed kid=None"]


def test_a_forged_key_id_reaches_the_log_as_eight_hex_digits(caplog):
    token = text(b"\x01" + b"\n\rX;" + bytes(60))
    with caplog.at_level(logging.DEBUG, logger="cookiesess"):
        seen_by(f"{NAME}={token}")
    (message,) = caplog.messages
    assert message.startswith("session.rejected reason=unknown-key kid=0a0d583b cause=")


# Too much of everything


@pytest.mark.parametrize(
    "header",
    [
        f"{NAME}=" + "A" * 1_000_000,
        f"{NAME}=" + "." * 1_000_000,
        f"{NAME}=x; " * 50_000,
        ";" * 1_000_000,
        "=" * 1_000_000,
        " " * 1_000_000 + f"{NAME}=x",
        "a=1; " * 100_000,
        '"' * 1_000_000,
        "\\" * 1_000_000,
    ],
    ids=lambda header: repr(header[:16]),
)
@pytest.mark.parametrize("encrypt", [True, False])
def test_an_oversized_header_is_an_empty_session(header, encrypt):
    owner, data, reasons = seen_by(header, encrypt=encrypt)
    assert (owner, data) == (None, {})
    assert len(reasons) == (NAME in header)
    dict(SessionManager(KEY).jar(header))


def test_a_session_blown_up_by_a_visitor_is_an_error_and_no_dropped_cookie():
    """A browser would drop it silently, and the visitor would be signed out."""
    visitor = Browser(SessionManager(KEY))
    visitor.visit(logged_in)
    with pytest.raises(CookieTooLarge):
        visitor.visit(put("search", "x" * 10_000))
    assert visitor.read(lambda session: session.owner) == "victim"


def test_a_value_nested_without_end_is_refused():
    nested = []
    nested.append(nested)
    with pytest.raises(NotSerializable, match="levels deep"):
        SessionManager(KEY).open("")["a"] = nested


def test_nothing_that_can_run_code_gets_in():
    """A pickle's ``__reduce__`` is what makes other session libraries run code."""

    class Exploit:
        def __reduce__(self):
            return (print, ("owned",))

    with pytest.raises(NotSerializable):
        SessionManager(KEY).open("")["a"] = Exploit()


# Guessing


def test_a_form_token_is_not_the_same_twice_so_that_compression_tells_nothing():
    session = SessionManager(KEY).open("")
    first, second = session.csrf_token(), session.csrf_token()
    same = sum(a == b for a, b in zip(first, second, strict=True))
    assert same < len(first) // 4


def test_two_tokens_of_one_session_have_nothing_in_common_that_a_reader_could_compare():
    first, second = raw(token_of(put("a", "x" * 64))), raw(token_of(put("a", "x" * 64)))
    assert first[5:29] != second[5:29]
    assert sum(a == b for a, b in zip(first[29:], second[29:], strict=True)) < 32


def test_no_header_shows_what_is_in_an_encrypted_session():
    browser = WebBrowser(wrap(answering(logged_in)))
    headers = str(browser.get().headers)
    assert "victim" not in headers
    assert KEY not in headers
