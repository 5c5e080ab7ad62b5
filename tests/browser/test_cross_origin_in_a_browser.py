"""Cross-origin protection in a real browser: what the shop's own pages, a sibling's and another site's may send."""

import pytest

from cookiesess import CrossOriginProtection

HTML = [("Content-Type", "text/html; charset=utf-8")]
FORM = '<form method=post action="https://shop.test:{port}/{path}"><button id=b>go</button></form>'
FETCH = """path => fetch(`https://shop.test:${location.port}/${path}`, {method: "DELETE", mode: "no-cors"})
    .catch(() => 0)"""


class Shop:
    """A shop that counts what was done, behind its protection; every other host has a page that posts to it."""

    def __init__(self, **settings):
        self.done = []
        self.protected = CrossOriginProtection(self.answer, **settings)

    def __call__(self, environ, start_response):
        host, _, port = environ["HTTP_HOST"].partition(":")
        if environ["PATH_INFO"] == "/favicon.ico":  # browsers ask for it when they like
            start_response("404 Not Found", HTML)
            return [b""]
        if host == "shop.test" and environ["PATH_INFO"] != "/":
            return self.protected(environ, start_response)
        start_response("200 OK", HTML)
        return [FORM.format(port=port, path=environ["QUERY_STRING"] or "order").encode()]

    def answer(self, environ, start_response):
        self.done.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        start_response("200 OK", HTML)
        return [b"<p id=done>done</p>"]


@pytest.fixture
def post(page, serve_tls):
    """Post to a shop from a page of some host, and return the status."""

    def post(shop, host, path="order"):
        port = serve_tls(shop)
        page.goto(f"https://{host}:{port}/?{path}")
        with page.expect_response(lambda response: response.url.endswith(f"/{path}")) as caught:
            page.click("#b")
        return caught.value.status

    return post


def test_a_form_of_the_shop_itself_passes(post):
    shop = Shop()
    assert post(shop, "shop.test") == 200
    assert shop.done == ["POST /order"]


@pytest.mark.parametrize("host", ["evil.test", "sub.shop.test"])
def test_a_form_of_another_site_or_a_sibling_is_refused(post, host):
    shop = Shop()
    assert post(shop, host) == 403
    assert shop.done == []


def test_a_form_goes_through_to_an_exempt_path(post):
    shop = Shop(exempt=["/saml/acs"])
    assert post(shop, "idp.test", "saml/acs") == 200
    assert shop.done == ["POST /saml/acs"]


def test_a_script_of_another_site_is_refused(page, serve_tls):
    shop = Shop()
    port = serve_tls(shop)
    page.goto(f"https://evil.test:{port}/")
    page.evaluate(FETCH.replace('"DELETE"', '"POST"'), "order")
    page.evaluate(FETCH, "order")
    assert shop.done == []


def test_a_script_of_the_shop_itself_passes(page, serve_tls):
    shop = Shop()
    page.goto(f"https://shop.test:{serve_tls(shop)}/")
    page.evaluate("() => fetch('/order', {method: 'DELETE'})")
    assert shop.done == ["DELETE /order"]


def test_the_page_of_a_trusted_origin_passes(page, serve_tls):
    shop = Shop()
    port = serve_tls(shop)
    shop.protected = CrossOriginProtection(shop.answer, trusted=[f"https://admin.test:{port}"])
    page.goto(f"https://admin.test:{port}/?order")
    with page.expect_response(lambda response: response.url.endswith("/order")) as caught:
        page.click("#b")
    assert caught.value.status == 200
