"""Where a cookie may stand that the browser is to forget: the exact rule, and how much of an answer it may take."""

import pytest

from cookiesess import CookiePolicy, Transport
from cookiesess.http.places import CookieIdentity
from kit.arrival import Came
from kit.browser import Browser
from kit.lines import places
from kit.views import every, invalidate, login, put
from kit.world import World

NAME = "session"


def logout(policy, host, *, transport=Transport.HTTPS, header=None, world=None, path=""):
    """Return the lines of a logout at `host`: first those of the cookies that came, which an answer has last."""
    manager = (world or World()).make_manager(cookie=policy)
    browser = Browser(manager, header or "")
    if header is None:
        browser.visit(put("a", 1))
    session = manager.open(browser.header)
    session.invalidate()
    lines = list(manager.commit(session, arrival=Came(host, transport=transport, path=path)).cookies)
    known = len(browser.header.split(";"))
    return [*lines[-known:], *lines[:-known]]


def where(policy, host, **settings):
    """The same as (domain, path) without partition, and whether each is there once more with one."""
    found = places(logout(policy, host, **settings))
    plain = [(each.domain, each.path) for each in found if not each.partitioned]
    apart = [(each.domain, each.path) for each in found if each.partitioned]
    assert sorted(plain, key=str) == sorted(apart, key=str)
    return plain


def test_the_configured_place_comes_first():
    policy = CookiePolicy(NAME, domain="example", path="/shop", samesite="None", partitioned=True)
    assert places(logout(policy, "www.shop.example"))[0] == CookieIdentity(NAME, "/shop", "example", True)


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("shop.example", ["shop.example"]),
        ("www.shop.example", ["www.shop.example", "shop.example"]),
        ("a.b.shop.example", ["a.b.shop.example", "b.shop.example", "shop.example"]),
        ("WWW.Shop.Example", ["WWW.Shop.Example", "Shop.Example"]),
        ("xn--bcher-kva.example", ["xn--bcher-kva.example"]),
    ],
)
def test_the_hosts_own_domain_and_its_parents_are_named_but_no_single_label(host, domains):
    assert where(CookiePolicy(NAME), host) == [(domain, "/") for domain in [None, *domains]]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "shop",
        "",
        "127.0.0.1",
        "10.0.0.1",
        "[::1]",
        "[2001:db8::1]",
        "::1",
        ".",
        "..",
        "shop..",
        "shop.example.",
        "-.example.",
        "shop.example;Domain=evil.example",
        "shop.example\r\nSet-Cookie: a=1",
        "shop example.test x",
        "b\xfccher.\xe9",
    ],
)
def test_a_host_without_a_domain_to_speak_of_is_host_only(host):
    assert where(CookiePolicy(NAME), host) == [(None, "/")]


@pytest.mark.parametrize(
    ("host", "domains"),
    [
        ("my_app.corp.example", ["corp.example"]),
        ("a..shop.example", ["shop.example"]),
        ("-x.shop.example", ["shop.example"]),
        ("1.2.3.4.example", ["1.2.3.4.example", "2.3.4.example", "3.4.example", "4.example"]),
    ],
)
def test_of_an_odd_host_the_parents_are_named_that_are_domains(host, domains):
    assert where(CookiePolicy(NAME), host) == [(domain, "/") for domain in [None, *domains]]


def test_the_configured_domain_and_host_only_are_named_whatever_the_host():
    assert where(CookiePolicy(NAME, domain="shop.example"), "") == [("shop.example", "/"), (None, "/")]


def test_the_configured_path_and_the_root_are_named_for_each_domain():
    policy = CookiePolicy(NAME, path="/shop", domain="shop.example")
    assert set(where(policy, "www.shop.example")) == {
        (domain, path) for domain in (None, "shop.example", "www.shop.example") for path in ("/shop", "/")
    }


def above(page, **policy):
    """Return what a logout on a page of that path names beside what it names on any other."""
    policy = CookiePolicy(NAME, **policy)
    usual = places(logout(policy, "www.shop.example"))
    found = places(logout(policy, "www.shop.example", path=page))
    assert found[: len(usual)] == usual
    return found[len(usual) :]


def test_the_paths_above_the_page_are_named_last_since_the_cookie_may_have_come_from_there():
    paths = ["/my%20shop", "/my%20shop/caf%C3%A9", "/my%20shop/caf%C3%A9/menu"]
    page = "/my shop/café/menu/tea".encode().decode("latin-1")
    assert above(page) == [CookieIdentity(NAME, path, None, False) for path in paths]
    apart = {"domain": "shop.example", "samesite": "None", "partitioned": True}
    assert above("/shop/", **apart) == [
        CookieIdentity(NAME, "/shop", domain, True) for domain in (None, "shop.example")
    ]


def test_the_configured_path_is_not_named_twice():
    assert [each.path for each in above("/shop/page", path="/shop")] == ["/shop/page"]


@pytest.mark.parametrize(
    "path",
    ["", "/", "//", "/..", "/a|b", "/;", "/\x00", "/%41", "/\xff", "/\u2603", "/" + "a" * 2000, "a", "*", "/" * 9000],
)
def test_no_path_breaks_a_logout(path):
    assert above(path) == []


@pytest.mark.parametrize("name", ["__Host-session", "__host-session", "__HOST-session"])
def test_a_name_that_allows_one_place_is_named_there_alone(name):
    assert where(CookiePolicy(name), "www.shop.example", path="/shop/page") == [(None, "/")]


def test_a_secure_prefix_allows_every_place():
    assert len(where(CookiePolicy("__Secure-session"), "www.shop.example")) == 3


def test_no_place_is_named_twice():
    policy = CookiePolicy(NAME, domain="shop.example")
    found = places(logout(policy, "shop.example"))
    assert len(found) == len(set(found)) == 4


@pytest.mark.parametrize("transport", [Transport.PLAIN, Transport.LOOPBACK])
def test_partitioned_ones_are_left_out_where_they_could_not_be(transport):
    found = places(logout(CookiePolicy(NAME, secure=False), "shop.example", transport=transport))
    assert {each.partitioned for each in found} == {False}


def test_partitioned_ones_are_named_where_the_policy_says_that_there_is_https():
    found = places(logout(CookiePolicy(NAME), "shop.example", transport=Transport.PLAIN))
    assert {each.partitioned for each in found} == {False, True}


def test_each_line_is_one_that_an_embedded_page_may_set_where_the_policy_is_for_such():
    lines = logout(CookiePolicy(NAME, samesite="None"), "shop.example")
    assert {line.attributes.samesite for line in lines} == {"None"}


def test_each_line_has_nothing_but_an_end():
    for line in logout(CookiePolicy(NAME, path="/shop", domain="shop.example"), "www.shop.example"):
        assert (line.value, line.attributes.max_age) == ("", 0)
        assert "Expires=Thu, 01 Jan 1970 00:00:00 GMT" in line.line


# Which names


def test_a_name_that_did_not_come_is_not_forgotten():
    world = World().with_overflow()
    assert {each.name for each in places(logout(CookiePolicy(NAME), "shop.example", world=world))} == {NAME}


def test_session_and_reference_are_forgotten_everywhere_and_further_pieces_where_they_are_set():
    world = World().with_overflow()
    policy = CookiePolicy(NAME, max_bytes=512, chunks=3)
    header = f"{NAME}=a; {NAME}.1=b; {NAME}.2=c; {NAME}.ref=d"
    found = places(logout(policy, "shop.example", header=header, world=world))
    counts = {
        name: sum(each.name == name for each in found) for name in (NAME, f"{NAME}.1", f"{NAME}.2", f"{NAME}.ref")
    }
    assert counts == {NAME: 4, f"{NAME}.1": 1, f"{NAME}.2": 1, f"{NAME}.ref": 4}
    assert [each.name for each in found[:4]] == [NAME, f"{NAME}.1", f"{NAME}.2", f"{NAME}.ref"]


# How much


def taken(lines):
    return sum(len(f"Set-Cookie: {line.line}\r\n") for line in lines)


HOSTS = {
    "many labels": ".".join(["a"] * 127),
    "long labels": ".".join(["x" * 60] * 4),
    "longer than a host can be": ".".join(["a"] * 5000),
    "one endless label": "a" * 100_000,
}


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
@pytest.mark.parametrize("path", ["/", "/shop" * 40])
def test_all_lines_together_take_at_most_four_kilobytes(host, path):
    lines = logout(CookiePolicy(NAME, path=path), host)
    assert taken(lines) <= 4096
    assert places(lines)[0] == CookieIdentity(NAME, path, None, False)


def test_what_is_set_has_its_share_of_the_four_kilobytes():
    world = World()
    manager = world.make_manager(cookie=CookiePolicy(NAME))
    twins = [Browser(manager) for _ in range(2)]
    for twin in twins:
        twin.visit(put("text", "x" * 2000))
    session = manager.open("; ".join(twin.header for twin in twins))
    session.login("ann")
    lines = manager.commit(session, arrival=Came(HOSTS["many labels"])).cookies
    assert 3900 < taken(lines) <= 4096


def test_what_leaves_no_room_is_set_all_the_same_and_pieces_are_forgotten_where_they_are_set():
    world = World()
    manager = world.make_manager(cookie=CookiePolicy(NAME, chunks=3))
    twins = [Browser(manager) for _ in range(2)]
    for twin in twins:
        twin.visit(put("text", "x" * 8000))
    session = manager.open("; ".join(twin.header for twin in twins))
    every(login("ann"), put("text", "x" * 4000))(session)
    *forgets, first, second = manager.commit(session, arrival=Came("www.shop.example")).cookies
    assert [first.name, second.name] == [NAME, f"{NAME}.1"]
    assert places(forgets) == [CookieIdentity(f"{NAME}.2", "/", None, False)]


@pytest.mark.parametrize("host", ["my_app.corp.example", "a..b", "\u2603.example", "[::1", "]", "a" * 70_000])
def test_no_host_breaks_a_logout(host):
    lines = logout(CookiePolicy(NAME), host)
    assert places(lines)[0] == CookieIdentity(NAME, "/", None, False)


def test_a_logout_with_nothing_to_end_takes_no_line():
    manager = World().make_manager(cookie=CookiePolicy(NAME))
    session = manager.open("theme=dark")
    invalidate(session)
    assert manager.commit(session, arrival=Came("shop.example")).cookies == ()
