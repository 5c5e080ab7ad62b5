"""Logging out, and what a copy of the cookie is worth afterwards: two people with a browser each."""

from datetime import timedelta

import pytest

from cookiesess import Lifetime, get_manager, get_session
from cookiesess.stores.memory import MemoryStore

IDLE = timedelta(hours=1)
TOO_MUCH = "x" * 5000


def login(environ):
    get_session(environ)["device"] = environ["PATH_INFO"]
    get_session(environ).login("user-42")


def owner_of(environ):
    return get_session(environ).owner


def logout(environ):
    get_session(environ).invalidate()


def renew(environ):
    get_session(environ).renew()


def grow(environ):
    get_session(environ)["text"] = TOO_MUCH


def log_out_the_others(environ):
    get_manager(environ).end_all("user-42", keep=get_session(environ))


def log_out_everywhere(environ):
    get_manager(environ).end_all("user-42")


def copy_all(source, target):
    """Put the cookies of one browser into another."""
    target.context.add_cookies(source.context.cookies())


@pytest.fixture
def revocable(open_window, store):
    """A window in front of an app with client-side sessions and revocations."""
    return open_window(revocations=store)


@pytest.fixture(params=["client-side with revocations", "server-side"])
def ending(request, open_window, store):
    """A window in front of an app whose logout ends all copies of the cookie."""
    return open_window(**{"revocations" if request.param.startswith("client") else "store": store})


def test_without_revocations_a_copied_cookie_outlives_the_logout_until_its_timeout(open_window, other_page, clock):
    window = open_window(lifetime=Lifetime(idle=IDLE), clock=clock)
    window.visit(login)
    copy_all(window.page, other_page)
    window.visit(logout)
    assert window.cookies == {}
    assert window.visit(owner_of, page=other_page) == "user-42"
    clock.advance(IDLE)
    assert window.visit(owner_of, page=other_page) is None


def test_a_copied_cookie_ends_with_the_logout(ending, other_page):
    ending.visit(login)
    copy_all(ending.page, other_page)
    assert ending.visit(owner_of, page=other_page) == "user-42"
    ending.visit(logout)
    assert ending.cookies == {}
    assert ending.visit(owner_of, page=other_page) is None


def test_a_cookie_that_is_put_back_after_the_logout_opens_nothing(revocable):
    revocable.visit(login)
    kept = revocable.page.context.cookies()
    revocable.visit(logout)
    revocable.page.context.add_cookies(kept)
    assert revocable.visit(owner_of) is None


def test_a_copy_from_before_the_login_opens_nothing(revocable, other_page):
    revocable.visit(lambda environ: get_session(environ).update(cart=["tea"]))
    copy_all(revocable.page, other_page)
    revocable.visit(login)
    assert revocable.visit(lambda environ: dict(get_session(environ)), page=other_page) == {}


def test_a_logout_leaves_the_session_of_the_other_browser_alone(revocable, other_page):
    revocable.visit(login)
    revocable.visit(login, "/tablet", page=other_page)
    revocable.visit(logout, page=other_page)
    assert revocable.visit(owner_of) == "user-42"


def test_logging_out_the_others_ends_the_session_of_the_other_browser(ending, other_page):
    ending.visit(login, "/telephone")
    ending.visit(login, "/tablet", page=other_page)
    ending.visit(log_out_the_others)
    assert ending.visit(owner_of) == "user-42"
    assert ending.visit(owner_of, page=other_page) is None


def test_logging_out_everywhere_ends_both(revocable, other_page):
    revocable.visit(login, "/telephone")
    revocable.visit(login, "/tablet", page=other_page)
    revocable.visit(log_out_everywhere, page=other_page)
    assert [revocable.visit(owner_of), revocable.visit(owner_of, page=other_page)] == [None, None]


def test_after_all_were_logged_out_one_can_log_in_again(revocable):
    revocable.visit(login)
    revocable.visit(log_out_everywhere)
    revocable.visit(login)
    assert revocable.visit(owner_of) == "user-42"


def test_a_copy_from_before_a_renewal_opens_nothing(revocable, other_page):
    revocable.visit(login)
    copy_all(revocable.page, other_page)
    revocable.visit(renew)
    assert revocable.visit(owner_of) == "user-42"
    assert revocable.visit(owner_of, page=other_page) is None


@pytest.mark.parametrize(
    ("revoked", "found"), [(False, "user-42"), (True, None)], ids=["without revocations", "with revocations"]
)
def test_a_copy_from_before_a_session_moved_to_the_store(open_window, other_page, store, revoked, found):
    """Inline as it is, it works for as long as any copied cookie would; revocations end it with the logout."""
    window = open_window(overflow=MemoryStore(), **({"revocations": store} if revoked else {}))
    window.visit(login)
    copy_all(window.page, other_page)
    window.visit(grow)
    assert list(window.cookies) == ["session.ref"]
    window.visit(logout)
    assert window.cookies == {}
    assert window.visit(owner_of, page=other_page) == found


def test_a_copied_reference_ends_with_the_logout(open_window, other_page):
    window = open_window(overflow=MemoryStore())
    window.visit(login)
    window.visit(grow)
    copy_all(window.page, other_page)
    assert window.visit(owner_of, page=other_page) == "user-42"
    window.visit(logout)
    assert window.visit(owner_of, page=other_page) is None
