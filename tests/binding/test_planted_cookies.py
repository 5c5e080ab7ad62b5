"""Who can plant cookies, cause requests, or say where the app is mounted takes no binding away from its owner.

A name with the prefix ``__Host-``, as the default one has it, cannot be planted by a subdomain. These have another.
"""

import json

import pytest

from binding.conftest import KINDS, LATE, Site, bound, identifier, owner, page
from binding.exchange import ENDS, REFRESH, START, challenge, key, offered, own_key, refreshed
from cookiesess import CookiePolicy, Keyring
from cookiesess.testing.bound_browser import proof
from cookiesess.tokens.sealing import Sealer
from kit.constants import OTHER_KEY

POLICY = CookiePolicy("s")


@pytest.fixture(params=list(KINDS))
def open_site(request):
    return Site(request.param, cookie=POLICY)


def with_planted(browser, planted, name="s", *, after=False):
    """Have a browser send further cookies of a name, in front of its own or behind."""
    own = browser._header
    pairs = "; ".join(f"{name}={value}" for value in planted)
    browser._header = lambda: f"{own()}; {pairs}" if after else f"{pairs}; {own()}"
    return browser


def cleared(browser):
    del browser._header


def value(browser, name="s"):
    return browser.cookies[name][0]


# Bound cookies


@pytest.mark.parametrize("after", [False, True])
def test_bound_cookies_that_do_not_open_or_are_anothers_hide_none(open_site, after):
    browser, other = bound(open_site), bound(open_site)
    planted = ["", "junk", value(other, "s.bound"), value(browser), Sealer(Keyring.parse(OTHER_KEY)).seal(b"x", b"y")]
    with_planted(browser, planted, "s.bound", after=after)
    assert page(browser, "read")["bound"]


def test_any_number_of_inventions_hides_no_bound_cookie(open_site):
    browser = with_planted(bound(open_site), ["junk"] * 50, "s.bound")
    assert page(browser, "read")["bound"]


def test_four_that_have_to_be_opened_hide_it_while_they_are_there_and_end_nothing(open_site):
    browser, other = bound(open_site), bound(open_site)
    with_planted(browser, [value(other, "s.bound")] * 4, "s.bound")
    assert owner(browser) is None
    cleared(browser)
    assert page(browser, "read")["bound"]


def test_an_older_bound_cookie_beside_the_newer_one_does_not_count_against_it(open_site):
    browser = bound(open_site)
    old = value(browser, "s.bound")
    open_site.clock.advance(LATE)
    page(browser, "read")
    with_planted(browser, [old], "s.bound")
    assert page(browser, "read")["bound"]


# Sessions


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("planted", ["login", "write?a=1"])
def test_another_session_beside_it_ends_no_binding(open_site, planted, after):
    browser, attacker = bound(open_site), open_site.browser(knows=False)
    open_site.clock.advance(LATE)
    page(attacker, planted)
    with_planted(browser, [value(attacker)], after=after)
    assert browser.refresh(identifier(browser)).status == 200
    assert browser.kept
    cleared(browser)
    assert page(browser, "read")["bound"]


@pytest.mark.parametrize("junk", ["junk", "", "A" * 200])
def test_a_cookie_that_does_not_open_beside_another_session_ends_no_binding(open_site, junk):
    """It may be the one that the browser means, under a key that this host does not have yet."""
    browser, other = bound(open_site), bound(open_site)
    other.cookies["s"] = (junk, None)
    with_planted(other, [value(browser)])
    assert refreshed(other).status == 503


def test_a_session_that_was_renewed_beside_another_ends_no_binding(open_site):
    browser, other = bound(open_site), bound(open_site)
    old = value(browser)
    page(browser, "renew")
    named = identifier(browser)
    with_planted(other, [old])
    assert refreshed(other, named=named).status == 503


def test_where_none_of_several_sessions_is_meant_the_binding_ends(open_site):
    browser, other, third = (bound(open_site) for _ in range(3))
    with_planted(browser, [value(other)])
    assert json.loads(refreshed(browser, named=identifier(third)).body) == ENDS


def test_a_planted_session_whose_key_the_attacker_has_is_left_by_a_login(open_site):
    """The victim's own login begins another binding, of which the attacker's key opens nothing."""
    attacker = bound(open_site)
    victim = open_site.browser()
    victim.cookies["s"] = attacker.cookies["s"]
    open_site.clock.advance(LATE)
    page(victim, "login?owner=victim")
    page(victim, "read")
    assert identifier(victim) != identifier(attacker)
    thief = attacker.copied()
    thief.cookies["s"] = victim.cookies["s"]
    asked = challenge_of(thief, identifier(victim))
    assert refreshed(thief, proof(own_key(attacker), asked), named=identifier(victim)).status == 400
    open_site.clock.advance(LATE)
    assert owner(thief) is None
    assert owner(victim) == "victim"


def challenge_of(browser, named):
    return refreshed(browser, named=named).header("Secure-Session-Challenge").split('"')[1]


# Other sites


@pytest.mark.parametrize("path", [START, REFRESH])
@pytest.mark.parametrize("whence", ["cross-site", "same-site", "same-origin", "none"])
@pytest.mark.parametrize("carries", [True, False], ids=["with-cookies", "without"])
def test_what_another_sites_page_can_send_gives_nothing_and_takes_nothing(site, path, whence, carries):
    """A page can set neither of the two headers without being asked first, and OPTIONS gets 405."""
    browser = bound(site)
    sender = browser if carries else site.browser()
    answer = sender.send(path, method="POST", HTTP_SEC_FETCH_SITE=whence, HTTP_ORIGIN="https://evil.example")
    assert answer.header("Set-Cookie") is None
    assert answer.header("Secure-Session-Challenge") is None
    assert not any(name.startswith("Access-Control") for name, _ in answer.headers)
    site.clock.advance(LATE)
    assert page(browser, "read")["bound"]


def test_an_attackers_proof_in_the_victims_browser_binds_nothing(site):
    """Login CSRF: the attacker's challenge, signed by the attacker's key, is sent with the victim's cookies."""
    victim, _ = offered(site)
    _, foreign = offered(site)
    answer = victim.send(START, method="POST", HTTP_SECURE_SESSION_RESPONSE=proof(key(), foreign, brings_key=True))
    assert (answer.status, answer.header("Set-Cookie")) == (403, None)
    victim.register()
    assert page(victim, "read")["bound"]


def test_a_logout_by_a_thief_while_unbound_leaves_the_owners_next_proof_good(site):
    browser = bound(site)
    thief = browser.copied()
    asked = challenge(browser)
    site.clock.advance(LATE)
    page(thief, "logout")
    assert refreshed(browser, proof(own_key(browser), asked)).status == 403  # too late, and asked again
    assert page(browser, "read") == {"owner": "ann", "data": {"cart": "tea"}, "bound": True, "new": False}


# Where the app is mounted


@pytest.mark.parametrize(
    ("mount", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/shop", "/shop"),
        ("shop/", "/shop"),
        ("//evil.example", "/evil.example"),
        ("///evil.example//", "/evil.example"),
        ("\\\\evil.example", "/%5C%5Cevil.example"),
        ('/a";path="/b', "/a%22;path=%22/b"),
        ("/a\r\nSet-Cookie: x=1", "/a%0D%0ASet-Cookie:%20x=1"),
        ("/a?b#c", "/a%3Fb%23c"),
        ("/\u20ac\x00", "/%3F%00"),
    ],
)
def test_no_mount_point_leads_elsewhere_or_ends_the_header(site, mount, path):
    browser = site.browser(knows=False)
    said = browser.get("/login", SCRIPT_NAME=mount).header("Secure-Session-Registration")
    assert said.startswith(f'(ES256);path="{path}{START}";challenge="')
    asked = said.rpartition('challenge="')[2][:-1]
    answer = browser.send(
        START, method="POST", SCRIPT_NAME=mount, HTTP_SECURE_SESSION_RESPONSE=proof(key(), asked, brings_key=True)
    )
    assert json.loads(answer.body)["refresh_url"] == path + REFRESH
