"""What a real browser makes of the attributes: sites with names of their own, by HTTPS, and what each may do."""

import time
from datetime import timedelta

import pytest

from browser.conftest import SHOP, logout, names_sent, put, session_of
from cookiesess import CookiePolicy, Lifetime, SessionMiddleware, get_cookies, get_session
from cookiesess.events import SecureCookieOverHttp
from kit.constants import KEY

SUBDOMAIN = "blog.shop.test"
SAMESITE = {"strict": "Strict", "lax": "Lax", "none": "None"}
PARTITIONED = {"samesite": "None", "partitioned": True}
HOUR = 3600
SLACK = 60  # seconds that the two clocks and a busy machine may differ by


@pytest.fixture
def sites(open_sites):
    """The app with the cookie that it has by default."""
    return open_sites()


# Values


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("settings cookie", '"settings\\040cookie"'),
        ('say "hello"', '"say\\040\\042hello\\042"'),
        ("萧兮", '"\\350\\220\\247\\345\\205\\256"'),
        ("plain", "plain"),
    ],
)
def test_the_browser_lists_a_value_as_it_was_written_and_sends_it_back(sites, text, listed):
    sites.visit(lambda environ: get_cookies(environ).set("user_id", text))
    assert sites.cookies["user_id"]["value"] == listed
    assert sites.visit(lambda environ: get_cookies(environ)["user_id"]) == text
    assert sites.cookies["user_id"]["value"] == listed


# __Host-


def test_the_session_cookie_is_listed_as_the_policy_has_it_by_default(sites):
    sites.visit(put(name="萧兮"))
    assert list(sites.cookies) == ["__Host-session"]
    cookie = sites.cookies["__Host-session"]
    expected = {"domain": SHOP, "path": "/", "expires": -1, "httpOnly": True, "secure": True, "sameSite": "Lax"}
    assert {field: cookie[field] for field in expected} == expected
    assert sites.visit(session_of) == {"name": "萧兮"}


def test_a_logout_takes_the_host_cookie_off_the_list(sites):
    sites.visit(put(a=1))
    sites.visit(logout)
    assert sites.cookies == {}


def test_a_session_of_the_host_alone_does_not_go_to_its_subdomains(sites):
    sites.visit(put(a=1))
    assert sites.visit_host(SUBDOMAIN, session_of) == {}


def test_a_session_with_a_domain_goes_to_its_subdomains(open_sites):
    sites = open_sites(cookie=CookiePolicy("session", domain=SHOP))
    sites.visit(put(a=1))
    assert sites.cookies["session"]["domain"] == f".{SHOP}"
    assert sites.visit_host(SUBDOMAIN, session_of) == {"a": 1}


def test_a_subdomain_can_plant_a_session_cookie_of_another_name_but_not_one_with_the_prefix(sites):
    sites.visit_host(SUBDOMAIN, lambda environ: None)
    for name in ("session", "__Host-session", "__Host-other"):
        sites.script(f"{name}=planted; Domain={SHOP}; Path=/; Secure")
    assert list(sites.cookies) == ["session"]


def test_a_jar_cookie_with_a_prefix_is_kept(sites):
    def set_both(environ):
        get_cookies(environ).set("__Host-theme", "dark")
        get_cookies(environ).set("__Secure-theme", "dark", path="/shop")

    sites.visit(set_both)
    assert {name: cookie["path"] for name, cookie in sites.cookies.items()} == {
        "__Host-theme": "/",
        "__Secure-theme": "/shop",
    }


# Plain HTTP


def plain(serve, events):
    """Serve an app with the default cookie by plain HTTP, and return its port."""

    def app(environ, start_response):
        get_session(environ)["a"] = 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"done"]

    return serve(SessionMiddleware(app, KEY, on_event=events.append)).rpartition(":")[2]


def test_over_plain_http_the_browser_drops_the_secure_cookie_and_an_event_has_said_so(page, serve):
    events = []
    page.goto(f"http://{SHOP}:{plain(serve, events)}")
    assert page.context.cookies() == []
    assert SecureCookieOverHttp() in events


def test_from_this_machine_chromium_keeps_the_secure_cookie_over_plain_http_too(page, serve):
    """Not every browser does, which is why there is `CookiePolicy.development`."""
    page.goto(f"http://localhost:{plain(serve, [])}")
    assert [cookie["name"] for cookie in page.context.cookies()] == ["__Host-session"]


# SameSite


def click(page, url):
    page.set_content(f'<a href="{url}">go on</a>')
    with page.expect_navigation():
        page.get_by_role("link").click()


def submit(page, url):
    page.set_content(f'<form method="post" action="{url}"><button>send</button></form>')
    with page.expect_navigation():
        page.get_by_role("button").click()


def fetch(page, url):
    page.evaluate("url => fetch(url, {mode: 'no-cors', credentials: 'include'})", url)


def set_each_samesite(sites):
    sites.visit(lambda environ: [get_cookies(environ).set(name, "1", samesite=SAMESITE[name]) for name in SAMESITE])
    assert {name: cookie["sameSite"] for name, cookie in sites.cookies.items()} == SAMESITE
    assert sites.visit(names_sent) == sorted(SAMESITE)


@pytest.mark.parametrize(
    ("act", "sent"),
    [(click, ["lax", "none"]), (submit, ["none"])],
    ids=["a link", "a form"],
)
def test_what_another_site_can_have_sent_is_as_samesite_says(sites, act, sent):
    set_each_samesite(sites)
    assert sites.follow(act) == sent


def test_a_script_of_another_site_can_have_neither_lax_nor_strict_sent(sites):
    """Whether it can ``None`` is for the browser to say: this one lets nobody have cookies of third parties."""
    set_each_samesite(sites)
    assert set(sites.follow(fetch)) <= {"none"}


@pytest.mark.parametrize(
    ("samesite", "sent"), [("Strict", []), ("Lax", []), ("None", ["__Host-session"])], ids=["Strict", "Lax", "None"]
)
def test_a_form_of_another_site_brings_the_session_only_where_the_policy_lets_it(open_sites, samesite, sent):
    sites = open_sites(cookie=CookiePolicy(samesite=samesite))
    sites.visit(put(a=1))
    assert sites.cookies["__Host-session"]["sameSite"] == samesite
    assert sites.follow(submit) == sent


# Times and deleting


def test_a_persistent_session_is_listed_with_what_it_has_left(open_sites):
    sites = open_sites(cookie=CookiePolicy(persistent=True), lifetime=Lifetime(idle=timedelta(hours=2)))
    sites.visit(put(a=1))
    assert sites.cookies["__Host-session"]["expires"] == pytest.approx(time.time() + 2 * HOUR, abs=SLACK)


def test_a_cookie_of_a_domain_is_deleted_with_that_domain(sites):
    sites.visit(lambda environ: get_cookies(environ).set("old", "1", domain=SHOP, max_age=HOUR))
    sites.visit_host(SUBDOMAIN, lambda environ: get_cookies(environ).delete("old"))
    assert [cookie["domain"] for cookie in sites.page.context.cookies()] == [f".{SHOP}"]
    sites.visit_host(SUBDOMAIN, lambda environ: get_cookies(environ).delete("old", domain=SHOP))
    assert sites.cookies == {}


def test_a_cookie_with_a_prefix_is_deleted(sites):
    sites.visit(lambda environ: get_cookies(environ).set("__Host-old", "1"))
    sites.visit(lambda environ: get_cookies(environ).delete("__Host-old"))
    assert sites.cookies == {}


def test_a_partitioned_cookie_ends_with_a_max_age_of_nothing_in_its_partition(sites):
    sites.visit(lambda environ: get_cookies(environ).set("old", "1", **PARTITIONED))
    sites.visit(lambda environ: get_cookies(environ).set("old", "", **PARTITIONED, max_age=0))
    assert sites.cookies == {}


@pytest.mark.parametrize("name", ["__Http-theme", "__Host-Http-theme"])
def test_a_cookie_that_no_script_can_have_set_is_kept_and_deleted(sites, name):
    sites.visit(lambda environ: get_cookies(environ).set(name, "dark", httponly=True))
    assert sites.visit(names_sent) == [name]
    sites.visit(lambda environ: get_cookies(environ).delete(name))
    assert sites.cookies == {}


# Path


@pytest.mark.parametrize("path", ["/my shop", "/café", "/萧兮", '/a"<>`{}^b', "/a[b]", "/100%", "/a'b(c)*!$&+,=:@~"])
def test_a_session_comes_back_to_the_page_whose_path_its_cookie_has(open_sites, path):
    sites = open_sites(cookie=CookiePolicy("session", path=path))
    sites.visit(put(a=1), path)
    assert sites.visit(session_of, path) == {"a": 1}
    assert sites.visit(session_of, f"{path}/below") == {"a": 1}
    assert sites.visit(session_of, "/other") == {}
