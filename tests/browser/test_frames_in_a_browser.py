"""An app in a frame of another site, in a real browser: its session, its logout and its cookies (CHIPS)."""

from datetime import UTC, datetime

import pytest

from browser.conftest import SHOP, logout, names_sent, put, session_of
from cookiesess import CookiePolicy, get_cookies, get_session
from cookiesess.stores.memory import MemoryStore

EMBEDDED = CookiePolicy(samesite="None", partitioned=True)
PARTITIONED = {"samesite": "None", "partitioned": True}
SIDES = {"client-side": dict, "store": lambda: {"store": MemoryStore()}}


@pytest.fixture(params=SIDES)
def embedded(open_sites, request):
    """An app that other sites embed, with each kind of session."""
    return open_sites(cookie=EMBEDDED, **SIDES[request.param]())


@pytest.fixture
def sites(open_sites):
    """The app with the cookie that it has by default."""
    return open_sites()


def login(environ):
    get_session(environ).login("user-42")


def owner_of(environ):
    return get_session(environ).owner


# The session


def test_a_login_in_a_frame_lasts_there(embedded):
    embedded.embed("one.test", put(cart=["tea"]))
    embedded.embed("one.test", login)
    assert embedded.embed("one.test", owner_of) == "user-42"
    assert embedded.embed("one.test", session_of) == {"cart": ["tea"]}
    assert embedded.embed("two.test", owner_of) is None


def test_a_logout_in_a_frame_ends_the_session_and_its_cookie(embedded):
    embedded.embed("one.test", login)
    embedded.embed("one.test", logout)
    assert embedded.page.context.cookies() == []
    assert embedded.embed("one.test", owner_of) is None


def test_with_the_default_policy_a_frame_has_no_session(sites):
    sites.embed("one.test", put(a=1))
    assert sites.embed("one.test", session_of) == {}
    assert sites.page.context.cookies() == []


def test_an_embedded_session_belongs_to_the_site_that_embeds_it(open_sites):
    sites = open_sites(cookie=EMBEDDED)
    sites.embed("one.test", put(seen_at="one"))
    assert sites.embed("two.test", session_of) == {}
    assert sites.embed("one.test", session_of) == {"seen_at": "one"}


def test_the_browser_lists_a_partitioned_session_under_the_site_that_embeds_it(open_sites):
    sites = open_sites(cookie=EMBEDDED)
    sites.embed("one.test", put(seen_at="one"))
    sites.embed("two.test", put(seen_at="two"))
    keys = sorted(cookie["partitionKey"] for cookie in sites.page.context.cookies())
    assert keys == ["https://one.test", "https://two.test"]


def test_a_logout_ends_the_session_of_its_partition_alone(open_sites):
    sites = open_sites(cookie=EMBEDDED)
    sites.embed("one.test", put(seen_at="one"))
    sites.embed("two.test", put(seen_at="two"))
    sites.embed("one.test", logout)
    assert [cookie["partitionKey"] for cookie in sites.page.context.cookies()] == ["https://two.test"]


def test_a_partitioned_cookie_of_the_jar_is_listed_with_its_partition(sites):
    sites.visit(lambda environ: get_cookies(environ).set("theme", "dark", **PARTITIONED))
    assert sites.cookies["theme"]["partitionKey"] == f"https://{SHOP}"


# Other cookies


@pytest.mark.parametrize(
    "delete",
    [
        lambda jar: jar.delete("theme", partitioned=True),
        lambda jar: jar.set("theme", "", **PARTITIONED, max_age=0),
        lambda jar: jar.set("theme", "", **PARTITIONED, expires=datetime(1, 1, 1, tzinfo=UTC)),
    ],
    ids=["deleted", "set with no time", "set with a date of long ago"],
)
def test_a_cookie_that_was_set_in_a_frame_of_another_site_is_deleted_there(open_sites, delete):
    sites = open_sites(cookie=EMBEDDED)
    sites.embed("one.test", lambda environ: get_cookies(environ).set("theme", "dark", **PARTITIONED))
    assert sites.embed("one.test", names_sent) == ["theme"]
    sites.embed("one.test", lambda environ: delete(get_cookies(environ)))
    assert sites.embed("one.test", names_sent) == []


@pytest.mark.parametrize("view", ["signed", "sealed"])
def test_a_protected_cookie_is_popped_in_a_frame(open_sites, view):
    sites = open_sites(cookie=EMBEDDED)
    sites.embed("one.test", lambda environ: getattr(get_cookies(environ), view).set("step", "2", **PARTITIONED))
    assert (
        sites.embed("one.test", lambda environ: getattr(get_cookies(environ), view).pop("step", **PARTITIONED)) == "2"
    )
    assert sites.embed("one.test", names_sent) == []
