"""Pyramid: `get_session`, `get_cookies` and `get_manager` in a view that has not asked for ``request.session``."""

import pytest
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from cookiesess import SessionError, get_cookies, get_manager, get_session
from kit.pyramid_site import Site


def test_get_session_makes_the_session_that_request_session_returns_afterwards():
    def view(request):
        session = get_session(request)
        assert session is request.session
        return Response("same")

    assert Site(view).get("view").text == "same"


def test_get_manager_leads_to_the_manager_and_leaves_the_session_untouched():
    def view(request):
        assert get_manager(request) is site.factory.manager
        return Response("untouched")

    site = Site(view)
    assert "Vary" not in site.get("view").headers


def test_a_cookie_that_is_set_before_the_session_was_asked_for_is_sent():
    def view(request):
        get_cookies(request).set("colour", "red", secure=False)
        return Response("set")

    site = Site(view)
    assert site.get("view").headers["Set-Cookie"].startswith("colour=red;")


def test_what_get_session_alone_has_written_is_saved():
    def put(request):
        get_session(request)["a"] = 1
        return Response("put")

    def show(request):
        return Response(str(get_session(request)["a"]))

    site = Site(put, show)
    site.get("put")
    assert site.get("show").text == "1"


def test_a_key_under_which_nothing_stands_is_an_error_as_everywhere():
    def view(request):
        with pytest.raises(SessionError, match=r"the environ has no 'other\.session'"):
            get_session(request, "other.session")
        return Response("said")

    assert Site(view).get("view").text == "said"


def test_an_app_without_a_session_factory_hears_that_an_adapter_is_missing():
    def view(request):
        with pytest.raises(SessionError, match="set up the framework's adapter"):
            get_session(request)
        return Response("said")

    with Configurator() as config:
        config.add_route("view", "/")
        config.add_view(view, route_name="view")
        app = config.make_wsgi_app()
    assert Request.blank("/").get_response(app).text == "said"
