"""`cookies.signed.pop` and `cookies.sealed.pop`: get a cookie, and have the browser forget it."""

import pytest

from cookiesess import CookiePolicy, ResponseStarted, SessionManager
from cookiesess.testing import ManualClock
from kit.constants import KEY, OTHER_KEY

VIEWS = pytest.mark.parametrize("view", ["signed", "sealed"])


def jar(header="", key=KEY, **settings):
    return SessionManager(key, **{"clock": ManualClock(), **settings}).jar(header)


def sent(view, **attributes):
    """Return the Cookie header after the cookie ``a`` was set."""
    cookies = jar()
    getattr(cookies, view).set("a", "1", **attributes)
    return "; ".join(f"{each.name}={each.value}" for each in cookies.commit())


@VIEWS
def test_a_popped_cookie_is_returned_and_forgotten(view):
    cookies = jar(sent(view))
    assert getattr(cookies, view).pop("a") == "1"
    (line,) = cookies.commit()
    assert (line.name, line.value, line.attributes.max_age) == ("a", "", 0)


def test_a_popped_cookie_is_forgotten_where_it_was_set():
    cookies = jar(sent("sealed"))
    cookies.sealed.pop("a", path="/shop", domain="shop.example", samesite="None", partitioned=True)
    assert cookies.commit()[0].attributes.suffix == (
        "; Path=/shop; Domain=shop.example; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        "; Secure; HttpOnly; SameSite=None; Partitioned"
    )


@VIEWS
def test_where_there_is_no_cookie_the_default_is_returned_and_nothing_forgotten(view):
    cookies = jar("b=1")
    assert getattr(cookies, view).pop("a") is None
    assert getattr(cookies, view).pop("a", "none") == "none"
    assert cookies.commit() == ()


@VIEWS
def test_a_cookie_that_does_not_open_is_left_alone(view):
    cookies = jar(sent(view), key=OTHER_KEY)
    assert getattr(cookies, view).pop("a") is None
    assert cookies.commit() == ()


def test_a_cookie_whose_time_is_over_is_not_popped():
    clock = ManualClock()
    clock.advance(61)
    assert jar(sent("sealed", max_age=60), clock=clock).sealed.pop("a") is None


def test_after_the_headers_a_pop_is_an_error_and_no_half_of_one():
    cookies = jar(sent("sealed"), cookie=CookiePolicy())
    cookies.commit()
    with pytest.raises(ResponseStarted):
        cookies.sealed.pop("a")
