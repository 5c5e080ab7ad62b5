"""Authlib's Flask client over the adapter: where it keeps the state of a login, and what comes back by a form."""

import secrets
from urllib.parse import parse_qs, urlsplit

import flask
import pytest
from webob import Request, Response

from cookiesess.adapters.flask import Cookiesess
from docs.pages import ROOT, blocks
from kit.constants import KEY
from kit.serving import serving

authlib = pytest.importorskip("authlib.integrations.flask_client")
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # noqa: E402 (it is there or not with the line above)

pytestmark = pytest.mark.process
HOST = "https://shop.example"


class Provider:
    """The token endpoint of an identity provider, which checks PKCE and takes each code once."""

    def __init__(self):
        self.challenges = {}

    def __call__(self, environ, start_response):
        asked = Request(environ).POST
        challenge = self.challenges.pop(asked["code"], None)
        if challenge is None or create_s256_code_challenge(asked["code_verifier"]) != challenge:
            return Response(json={"error": "invalid_grant"}, status=400)(environ, start_response)
        return Response(json={"access_token": "t", "token_type": "Bearer"})(environ, start_response)

    def consent(self, url):
        """What the provider sends back after a visitor came to `url`."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = secrets.token_urlsafe()
        self.challenges[code] = asked["code_challenge"]
        return {"code": code, "state": asked["state"]}


@pytest.fixture(scope="module")
def provider():
    provider = Provider()
    with serving(provider) as provider.url:
        yield provider


@pytest.fixture
def kept_logins(monkeypatch):
    """The client that docs/flask.md shows."""
    (code,) = [code for _, _, code in blocks(ROOT / "docs" / "flask.md") if "FlaskIntegration" in code]
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    names = {"__name__": "__main__"}
    exec(compile(code, "flask.md", "exec"), names)
    return names["FormPostOAuth"]


@pytest.fixture(params=["Authlib's own", "the page's"])
def oauth_class(request, kept_logins):
    return authlib.OAuth if request.param == "Authlib's own" else kept_logins


class Shop:
    """A Flask app with Authlib's client, and a browser in front of it."""

    def __init__(self, oauth_class, provider):
        self.app = flask.Flask("shop")
        self.app.testing = True
        Cookiesess(self.app, keys=KEY)
        oauth_class(self.app).register(
            "idp",
            client_id="shop",
            client_secret="s",
            authorize_url="https://idp.example/authorize",
            access_token_url=f"{provider.url}/token",
            client_kwargs={"code_challenge_method": "S256"},
        )
        self.app.add_url_rule("/start", "start", self.start)
        self.app.add_url_rule("/callback", "callback", self.callback, methods=["GET", "POST"])
        self.client = self.app.test_client()

    @property
    def idp(self):
        return self.app.extensions["authlib.integrations.flask_client"].idp

    def start(self):
        return self.idp.authorize_redirect(f"{HOST}/callback")

    def callback(self):
        try:
            token = self.idp.authorize_access_token()
        except authlib.OAuthError as error:
            return error.error, 400
        flask.session.login("user-42")
        return token["access_token"]

    def begin(self):
        return self.client.get("/start", base_url=HOST).location

    def come_back(self, answer, **options):
        return self.client.get("/callback", query_string=answer, base_url=HOST, **options)

    def come_back_by_form(self, answer):
        """As a browser does it: only what is ``SameSite=None`` comes along."""
        self.client.delete_cookie("session", domain="shop.example")
        return self.client.post("/callback", data=answer, base_url=HOST)


@pytest.fixture
def shop(oauth_class, provider, monkeypatch):
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the provider of the tests speaks plain HTTP
    return Shop(oauth_class, provider)


def test_a_code_flow_with_pkce_logs_in(shop, provider):
    assert shop.come_back(provider.consent(shop.begin())).text == "t"


def test_two_tabs_at_once_both_log_in(shop, provider):
    answers = [provider.consent(shop.begin()) for _ in range(2)]
    assert [shop.come_back(answer).text for answer in answers] == ["t", "t"]


def test_a_state_is_good_once_and_in_one_browser(shop, provider):
    answer = provider.consent(shop.begin())
    assert shop.come_back(answer | {"state": "another-state-than-that"}).text == "mismatching_state"
    assert shop.come_back(answer).text == "t"
    assert shop.come_back(answer).text == "mismatching_state"


def test_by_a_form_authlib_s_own_state_is_lost_with_the_session(provider):
    shop = Shop(authlib.OAuth, provider)
    response = shop.come_back_by_form(provider.consent(shop.begin()))
    assert (response.status_code, response.text) == (400, "mismatching_state")


def test_by_a_form_the_page_s_client_logs_in(kept_logins, provider, monkeypatch):
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    shop = Shop(kept_logins, provider)
    assert shop.come_back_by_form(provider.consent(shop.begin())).text == "t"
