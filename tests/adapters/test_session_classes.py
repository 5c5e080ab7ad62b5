"""A session class of the app's own in Flask and in Pyramid, where it is a subclass of the adapter's."""

import flask
import pytest
from pyramid.response import Response

from cookiesess import ConfigurationError, CookiePolicy, Session, SessionManager, get_session
from cookiesess.adapters.flask import Cookiesess, CookiesessInterface, FlaskSession
from cookiesess.adapters.pyramid import PyramidSession, session_factory
from cookiesess.testing import CookieHeader, session_transaction
from kit.constants import KEY
from kit.flask_site import Site as FlaskSite
from kit.pyramid_site import Site as PyramidSite


class Cart:
    """What both classes add."""

    def fill(self, what):
        self["cart"] = [*self.get("cart", []), what]
        return f"{type(self).__name__}: {', '.join(self['cart'])}"


class FlaskShop(Cart, FlaskSession):
    """Of a Flask app."""


class PyramidShop(Cart, PyramidSession):
    """Of a Pyramid app."""


def test_flasks_session_is_of_the_class_and_is_kept():
    site = FlaskSite({"fill": lambda: flask.session.fill("tea")}, session_class=FlaskShop)
    assert [site.get("/fill").text for _ in range(2)] == ["FlaskShop: tea", "FlaskShop: tea, tea"]


def test_a_flask_view_asks_for_it_by_its_class():
    site = FlaskSite({"fill": lambda: get_session(flask.request, FlaskShop).fill("tea")}, session_class=FlaskShop)
    assert site.get("/fill").text == "FlaskShop: tea"


def test_flasks_test_client_opens_it_too():
    site = FlaskSite({"fill": lambda: flask.session.fill("tea")}, session_class=FlaskShop)
    with site.client.session_transaction() as session:
        session.fill("honey")
    assert site.get("/fill").text == "FlaskShop: honey, tea"


def test_a_test_opens_a_flask_session_without_a_request():
    manager, cookies = SessionManager(KEY, cookie=CookiePolicy("session", persistent=True)), CookieHeader()
    with session_transaction(manager, cookies, FlaskShop) as session:
        session.fill("tea")
        assert not session.permanent
        session.permanent = True
    with session_transaction(manager, cookies, FlaskShop) as session:
        assert (session["cart"], session.permanent) == (["tea"], True)


def test_pyramids_session_is_of_the_class_and_is_kept():
    def fill(request):
        return Response(request.session.fill("tea"))

    site = PyramidSite(fill, session_class=PyramidShop)
    assert [site.get("fill").text for _ in range(2)] == ["PyramidShop: tea", "PyramidShop: tea, tea"]


def test_a_pyramid_view_asks_for_it_by_its_class_before_anybody_has_asked_for_the_session():
    def fill(request):
        return Response(get_session(request, PyramidShop).fill("tea"))

    assert PyramidSite(fill, session_class=PyramidShop).get("fill").text == "PyramidShop: tea"


class Elsewhere(Session):
    """A class for `SessionMiddleware`."""


@pytest.mark.parametrize(
    ("build", "base"),
    [
        (lambda: Cookiesess(session_class=Elsewhere), "FlaskSession"),
        (lambda: CookiesessInterface(KEY, session_class=Elsewhere), "FlaskSession"),
        (lambda: session_factory(KEY, session_class=Elsewhere), "PyramidSession"),
    ],
    ids=["extension", "interface", "factory"],
)
def test_a_class_without_the_adapters_own_methods_is_refused(build, base):
    with pytest.raises(ConfigurationError) as raised:
        build()
    assert str(raised.value) == (
        f"session_class must be a subclass of {base}, not the class Elsewhere; write class"
        f" ShopSession({base}): …, and session_class=ShopSession"
    )
