"""Logins through an identity provider on another site, in a real browser: by links, by forms, in tabs, in a frame."""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlencode

import pytest
from webob import Request, Response

from cookiesess import CookiePolicy, CrossOriginProtection, SessionMiddleware, begin_login, finish_login, get_session
from kit.constants import KEY

SHOP, PROVIDER, EMBEDDING = "shop.test", "idp.test", "one.test"
USUAL = CookiePolicy()
EMBEDDED = CookiePolicy(samesite="None", partitioned=True)
KINDS = ["code", "form_post", "saml"]
PAGE = "<body><p id=said>{}</p></body>"
FORM = '<form method="{}" action="{}">{}<button id=consent>go on</button></form>'


def challenge_of(verifier):
    """PKCE, S256 (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def form(action, method="post", **fields):
    hidden = "".join(f'<input type=hidden name="{name}" value="{value}">' for name, value in fields.items())
    return FORM.format(method, action, hidden)


class Provider:
    """An identity provider: a page that asks for consent, codes that work once, and assertions."""

    def __init__(self):
        self.codes = {}

    def answer(self, request):
        shop, asked = f"https://{SHOP}:{request.host_port}", request.params
        if asked["kind"] == "saml":
            return Response(form(f"{shop}/acs", RelayState=asked["state"], SAMLResponse="user-42"))
        if request.path == "/authorize" and asked["kind"] == "code":
            return Response(form("/consent", **asked))
        code = secrets.token_urlsafe()
        self.codes[code] = asked["challenge"]
        back = {"code": code, "state": asked["state"]}
        if asked["kind"] == "code":
            return Response(status=302, location=f"{shop}/callback?{urlencode(back)}")
        return Response(form(f"{shop}/callback", **back))

    def owner_of(self, code, verifier):
        """What the shop asks for behind the browser's back."""
        assert self.codes.pop(code) == challenge_of(verifier)
        return "user-42"


class Shop:
    """A shop that lets visitors log in through the provider; every other host has a page that embeds it."""

    def __init__(self, policy):
        self.provider = Provider()
        exempt = ["/callback", "/acs"]
        self.app = SessionMiddleware(CrossOriginProtection(self.answer, exempt=exempt), KEY, cookie=policy)

    def __call__(self, environ, start_response):
        request = Request(environ)
        app = self.app
        if request.path == "/favicon.ico":  # browsers ask for it when they like
            app = Response(status=404)
        elif request.domain == PROVIDER:
            app = self.provider.answer(request)
        elif request.domain == EMBEDDING:
            app = Response(f"<iframe src='https://{SHOP}:{request.host_port}/{request.query_string}'></iframe>")
        return app(environ, start_response)

    def answer(self, environ, start_response):
        request = Request(environ)
        view = {"/start": self.start, "/callback": self.callback, "/acs": self.acs, "/me": self.me}[request.path]
        return view(request)(environ, start_response)

    def start(self, request):
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        get_session(request)["state"] = state
        begin_login(request, state, {"verifier": verifier, "page": request.params.get("page", "")})
        query = urlencode({"kind": request.params["kind"], "state": state, "challenge": challenge_of(verifier)})
        return Response(status=302, location=f"https://{PROVIDER}:{request.host_port}/authorize?{query}")

    def callback(self, request):
        login = finish_login(request, request.params.get("state"))
        if login is None:
            return Response(PAGE.format("refused"), status=400)
        owner = self.provider.owner_of(request.params["code"], login["verifier"])
        return self.logged_in(request, owner, login)

    def acs(self, request):
        login = finish_login(request, request.POST.get("RelayState"))
        if login is None:
            return Response(PAGE.format("refused"), status=400)
        return self.logged_in(request, request.POST["SAMLResponse"], login)

    def logged_in(self, request, owner, login):
        get_session(request).login(owner)
        return Response(status=303, location=f"/me?{login['page']}")

    def me(self, request):
        return Response(PAGE.format(f"{get_session(request).owner} {request.query_string}".strip()))


class Visitor:
    """A browser in front of a shop."""

    def __init__(self, page, port):
        self.page = page
        self.url = f"https://{SHOP}:{port}"

    def start(self, kind, page="", tab=None):
        (tab or self.page).goto(f"{self.url}/start?kind={kind}&page={page}")

    def consent(self, tab=None):
        """Say yes on the provider's page, and return what the shop says then."""
        (tab or self.page).click("#consent")
        return (tab or self.page).text_content("#said")

    def lead_on(self):
        """Have the shop's own page lead to another one."""
        with self.page.expect_navigation():
            self.page.evaluate("() => { location.href = '/me' }")

    def login_cookies(self):
        return [each["name"] for each in self.page.context.cookies() if ".login." in each["name"]]


@pytest.fixture
def visit(page, serve_tls):
    """A visitor of a shop whose session has the given cookie."""
    return lambda policy=USUAL: Visitor(page, serve_tls(Shop(policy)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", [USUAL, EMBEDDED], ids=["Lax", "partitioned"])
def test_a_login_through_the_provider_succeeds(visit, kind, policy):
    visitor = visit(policy)
    visitor.start(kind, "cart")
    assert visitor.consent() == "user-42 cart"
    assert visitor.login_cookies() == []


@pytest.mark.parametrize("kind", KINDS)
def test_under_strict_it_succeeds_and_the_redirect_after_it_still_comes_without_the_session(visit, kind):
    visitor = visit(CookiePolicy(samesite="Strict"))
    visitor.start(kind, "cart")
    assert visitor.consent() == "None cart"
    visitor.lead_on()
    assert visitor.page.text_content("#said") == "user-42"


@pytest.mark.parametrize("kind", KINDS)
def test_two_tabs_at_once_both_log_in(visit, kind):
    visitor = visit()
    with visitor.page.context.new_page() as other:
        visitor.start(kind, "first")
        visitor.start(kind, "second", tab=other)
        assert len(visitor.login_cookies()) == 2
        assert visitor.consent() == "user-42 first"
        assert visitor.consent(tab=other) == "user-42 second"
    assert visitor.login_cookies() == []


@pytest.mark.parametrize("kind", ["code", "form_post"])
def test_a_provider_s_answer_in_another_browser_is_refused(visit, other_page, kind):
    visitor = visit()
    visitor.start(kind)
    asked = visitor.page.url
    other_page.goto(asked)
    assert visitor.consent(tab=other_page) == "refused"
    assert visitor.consent() == "user-42"


def test_the_same_answer_again_is_refused(visit):
    visitor = visit()
    visitor.start("code")
    with visitor.page.expect_request(lambda request: "/callback?" in request.url) as back:
        visitor.consent()
    visitor.page.goto(back.value.url)
    assert visitor.page.text_content("#said") == "refused"


def test_of_seven_logins_the_last_five_can_be_finished(visit):
    visitor = visit()
    for _ in range(7):
        visitor.start("form_post")
    assert len(visitor.login_cookies()) == 5
    assert visitor.consent() == "user-42"


@pytest.mark.parametrize("kind", KINDS)
def test_a_login_in_a_frame_of_another_site_begins_and_ends_there(visit, kind):
    visitor = visit(EMBEDDED)
    visitor.page.goto(f"{visitor.url.replace(SHOP, EMBEDDING)}/?start?kind={kind}")
    frame = visitor.page.frame_locator("iframe")
    frame.locator("#consent").click()
    assert frame.locator("#said").text_content() == "user-42"
    assert visitor.login_cookies() == []
    visitor.page.goto(f"{visitor.url}/me")
    assert visitor.page.text_content("#said") == "None"
