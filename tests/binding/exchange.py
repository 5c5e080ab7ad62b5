"""What a browser does step by step, so that a test can do one of them wrongly."""

import re

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from binding.conftest import identifier, page

START, REFRESH = "/_cookiesess/binding/start", "/_cookiesess/binding/refresh"
ENDS = {"continue": False}
REFUSALS = {400: False, 403: False, 404: False, 429: False, 500: True, 503: True}
"""Whether a binding goes on in a browser whose proof is answered so, and without a challenge; seen in Chromium 150."""


def key():
    return generate_private_key(SECP256R1())


def offered(site):
    """A browser that is logged in and was offered a registration; and the challenge."""
    browser = site.browser()
    browser.at_once = False
    page(browser, "login")
    return browser, browser.offered[1]


def started(browser, said, **headers):
    return browser.send(START, method="POST", HTTP_SECURE_SESSION_RESPONSE=said, **headers)


def refreshed(browser, said="", *, named=None, **headers):
    named = identifier(browser) if named is None else named
    more = {"HTTP_SECURE_SESSION_RESPONSE": said} if said else {}
    return browser.send(REFRESH, method="POST", HTTP_SEC_SECURE_SESSION_ID=named, **more, **headers)


def challenge(browser):
    said = refreshed(browser).header("Secure-Session-Challenge")
    return re.fullmatch(r'"([^"]+)";id="([^"]+)"', said)[1]


def own_key(browser):
    return browser.kept[identifier(browser)].key
