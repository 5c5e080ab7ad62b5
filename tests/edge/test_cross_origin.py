"""Cross-origin protection: what passes and what is refused, by what a browser says of the page that sent it."""

import logging

import pytest
import webtest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import ConfigurationError, CrossOriginProtection, SessionMiddleware, events
from kit.constants import KEY

HOST = "https://shop.example"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "TRACE", "propfind", "get", "")


def answer(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]


def status(app=None, *, method="POST", path="/", host="shop.example", **headers):
    """What becomes of a request; headers are written as in an environ, without their HTTP_."""
    environ = webtest.TestRequest.blank("/", base_url=HOST, method="POST").environ
    environ["PATH_INFO"] = path.encode().decode("latin-1")
    environ |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    environ["REQUEST_METHOD"] = method
    if host is None:
        del environ["HTTP_HOST"]
    else:
        environ["HTTP_HOST"] = host
    seen = []
    (app or CrossOriginProtection(answer))(environ, lambda status, headers: seen.append(status))
    return int(seen[0].partition(" ")[0])


# The rules


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_what_changes_nothing_passes(method):
    assert status(method=method, sec_fetch_site="cross-site", origin="https://evil.example") == 200


@pytest.mark.parametrize("method", UNSAFE)
def test_what_may_change_something_is_refused_from_another_site(method):
    assert status(method=method, sec_fetch_site="cross-site") == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_what_an_own_page_or_nobodys_page_sends_passes(site):
    assert status(sec_fetch_site=site) == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "SAME-ORIGIN", "same-origin, cross-site", "x", " "])
def test_any_other_site_is_refused(site):
    assert status(sec_fetch_site=site, origin=HOST) == 403


@pytest.mark.parametrize("headers", [{}, {"origin": ""}, {"sec_fetch_site": ""}])
def test_what_no_page_of_a_browser_sends_passes(headers):
    assert status(**headers) == 200


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://shop.example", "shop.example"),
        ("https://shop.example", "shop.example:443"),
        ("https://shop.example:443", "shop.example"),
        ("http://shop.example", "shop.example"),
        ("http://shop.example", "shop.example:80"),
        ("https://shop.example:8443", "shop.example:8443"),
        ("https://shop.example", "SHOP.example"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://[::1]", "[::1]"),
    ],
)
def test_without_fetch_metadata_an_origin_of_the_same_host_and_port_passes(origin, host):
    assert status(origin=origin, host=host) == 200


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("null", "shop.example"),
        ("https://evil.example", "shop.example"),
        ("https://shop.example.evil.example", "shop.example"),
        ("https://evil-shop.example", "shop.example"),
        ("https://shop.example:8443", "shop.example"),
        ("https://shop.example", "shop.example:8443"),
        ("http://shop.example", "shop.example:443"),
        ("https://shop.example@evil.example", "shop.example"),
        ("https://evil.example/shop.example", "shop.example"),
        ("https://shop.example/", "shop.example"),
        ("https://shop.example, https://shop.example", "shop.example"),
        ("//shop.example", "shop.example"),
        ("shop.example", "shop.example"),
        ("https://shop.example:99999", "shop.example:99999"),
        ("https://[::1", "[::1"),
        ("https://shop.example", "[shop.example"),
        ("https://shop.example", "shop.example:x"),
    ],
)
def test_without_fetch_metadata_any_other_origin_is_refused(origin, host):
    assert status(origin=origin, host=host) == 403


def test_a_client_that_says_no_host_is_compared_with_the_servers_name():
    assert status(origin=HOST, host=None) == 200
    assert status(origin="https://evil.example", host=None) == 403


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_nothing_that_a_client_can_send_breaks_it(origin, host, site):
    assert status(origin=origin, host=host, sec_fetch_site=site) in {200, 403}


# Trusted and exempt


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
def test_a_trusted_origin_passes(site):
    app = CrossOriginProtection(answer, trusted=["https://admin.example", "http://localhost:3000"])
    assert status(app, origin="https://admin.example", sec_fetch_site=site) == 200
    assert status(app, origin="http://localhost:3000", sec_fetch_site=site) == 200
    assert status(app, origin="http://admin.example", sec_fetch_site=site) == 403
    assert status(app, origin="https://admin.example:8443", sec_fetch_site=site) == 403


@pytest.mark.parametrize(
    ("path", "passes"),
    [
        ("/saml/acs", True),
        ("/saml/acs/", True),
        ("/saml/acs/2", True),
        ("/saml/acs2", False),
        ("/saml", False),
        ("/", False),
        ("/account/saml/acs", False),
        ("/saml/acs/../../account", False),
        ("/saml/acs/./../../account", False),
        ("/saml/acs/..\\..\\account", False),
        ("/sämtlich/x", True),
    ],
)
@pytest.mark.parametrize("exempt", [["/saml/acs", "/sämtlich"], ["/saml/acs/", "/sämtlich/"]])
def test_an_exempt_path_and_what_is_below_it_pass(exempt, path, passes):
    if path == "/saml/acs" and exempt[0].endswith("/"):
        passes = False
    app = CrossOriginProtection(answer, exempt=exempt)
    assert status(app, path=path, sec_fetch_site="cross-site") == (200 if passes else 403)
    assert status(app, path=path, origin="null") == (200 if passes else 403)


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example/",
        "https://shop.example/path",
        "https://shop.example?x",
        "https://shop.example#x",
        "shop.example",
        "//shop.example",
        "https://",
        "https://SHOP.example",
        "https://bücher.example",
        "https://*.shop.example",
        "https://ann@shop.example",
        "null",
        "*",
        "",
        b"https://shop.example",
        None,
    ],
)
def test_a_trusted_origin_is_one_as_browsers_write_it(origin):
    with pytest.raises(ConfigurationError, match=r"trusted.*https://example\.com"):
        CrossOriginProtection(answer, trusted=[origin])


@pytest.mark.parametrize(
    ("origin", "better"), [("https://a.example:443", "https://a.example"), ("http://a.example:80", "http://a.example")]
)
def test_a_trusted_origin_leaves_its_default_port_out(origin, better):
    with pytest.raises(ConfigurationError, match=f"'{better}'"):
        CrossOriginProtection(answer, trusted=[origin])


@pytest.mark.parametrize("prefix", ["saml", "", "/", "//", "https://shop.example/saml", None, b"/saml"])
def test_an_exempt_path_begins_with_a_slash_and_does_not_exempt_everything(prefix):
    with pytest.raises(ConfigurationError, match="/saml/acs"):
        CrossOriginProtection(answer, exempt=[prefix])


@pytest.mark.parametrize("name", ["trusted", "exempt"])
@pytest.mark.parametrize("value", ["/saml", b"/saml", None, 1])
def test_one_text_is_no_list(name, value):
    with pytest.raises(ConfigurationError, match=f"{name} is a list"):
        CrossOriginProtection(answer, **{name: value})


@pytest.mark.parametrize("settings", [{"app": "app"}, {"app": answer, "on_refuse": "403"}])
def test_an_app_can_be_called(settings):
    with pytest.raises(ConfigurationError, match="WSGI app"):
        CrossOriginProtection(**settings)


# The answer


def test_a_refusal_is_plain_text_that_nobody_keeps():
    response = webtest.TestApp(CrossOriginProtection(answer)).post(
        "/", headers={"Sec-Fetch-Site": "cross-site"}, status=403
    )
    assert response.content_type == "text/plain"
    assert "another site" in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_an_app_of_ones_own_answers_what_is_refused():
    def teapot(environ, start_response):
        start_response("418 I'm a teapot", [])
        return [environ["PATH_INFO"].encode()]

    app = CrossOriginProtection(answer, on_refuse=teapot)
    assert status(app, sec_fetch_site="cross-site") == 418
    assert status(app) == 200


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"sec_fetch_site": "cross-site"}, "cross-site"),
        ({"sec_fetch_site": "same-site"}, "same-site"),
        ({"sec_fetch_site": "what\nis this"}, "unknown"),
        ({"origin": "null"}, "null"),
        ({"origin": "https://evil.example/\n"}, "origin"),
    ],
)
def test_a_refusal_is_an_event_that_repeats_nothing_of_what_came(headers, reason):
    seen = []
    middleware = SessionMiddleware(CrossOriginProtection(answer), KEY, on_event=seen.append)
    assert status(middleware, **headers) == 403
    assert seen == [events.CrossOriginRefused(reason)]


def test_without_a_session_around_it_the_log_has_the_event_once_a_minute(caplog):
    app = CrossOriginProtection(answer)
    with caplog.at_level(logging.WARNING, "cookiesess"):
        for _ in range(3):
            status(app, sec_fetch_site="cross-site")
    (record,) = caplog.records
    assert "trusted=" in record.getMessage()


# Around what people have


def flask_app():
    flask = pytest.importorskip("flask")
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: "done", methods=["POST"])
    app.wsgi_app = CrossOriginProtection(app.wsgi_app)
    return app


def bottle_app():
    bottle = pytest.importorskip("bottle")
    app = bottle.Bottle()
    app.post("/")(lambda: "done")
    return CrossOriginProtection(app)


def pyramid_app():
    from pyramid.config import Configurator
    from pyramid.response import Response

    with Configurator() as config:
        config.add_route("home", "/")
        config.add_view(lambda request: Response("done"), route_name="home", request_method="POST")
        return CrossOriginProtection(config.make_wsgi_app())


@pytest.mark.parametrize("make", [flask_app, bottle_app, pyramid_app])
def test_it_works_around_a_frameworks_app(make):
    app = webtest.TestApp(make())
    assert app.post("/", headers={"Sec-Fetch-Site": "same-origin"}).text == "done"
    app.post("/", headers={"Sec-Fetch-Site": "cross-site"}, status=403)
