"""Messages that are translated late, in Pyramid and Django."""

import pytest
import webtest
from pyramid.config import Configurator
from pyramid.i18n import TranslationString, TranslationStringFactory
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory

from adapters.django_project import project, server_side, store
from cookiesess import NotSerializable
from kit.constants import KEY
from kit.pyramid_site import Site

_ = TranslationStringFactory("shop")


def pyramid_app(message, *, ours, **how):
    def flash(request):
        request.session.flash(message, **how)
        return Response("")

    def show(request):
        return Response(repr(request.session.pop_flash()))

    if ours:
        return Site(flash, show).browser
    with Configurator(session_factory=SignedCookieSessionFactory(KEY)) as config:
        for view in (flash, show):
            config.add_route(view.__name__, f"/{view.__name__}")
            config.add_view(view, route_name=view.__name__)
        return webtest.TestApp(config.make_wsgi_app())


@pytest.mark.parametrize("message", [_("saved"), _("saved-it", default="Saved it")], ids=["plain", "default"])
def test_a_translation_string_is_shown_as_pyramids_own_session_shows_it(message):
    shown = []
    for ours in (True, False):
        browser = pyramid_app(message, ours=ours)
        browser.get("/flash")
        shown.append(browser.get("/show").text)
    assert shown == [repr([str.__str__(message)])] * 2


def test_what_a_mapping_fills_in_is_filled_in():
    browser = pyramid_app(_("n-saved", default="${n} saved", mapping={"n": 3}), ours=True)
    browser.get("/flash")
    assert browser.get("/show").text == "['3 saved']"


def test_a_translation_string_that_waits_already_is_no_second_message():
    message = _("${n} saved", mapping={"n": 3})
    browser = pyramid_app(message, ours=True, allow_duplicate=False)
    browser.get("/flash")
    browser.get("/flash")
    assert browser.get("/show").text == "['3 saved']"


def test_values_of_pyramids_session_stay_exact():
    def put(request):
        with pytest.raises(NotSerializable, match="TranslationString is not supported"):
            request.session["word"] = TranslationString("saved")
        return Response("")

    Site(put).get("put")


@pytest.fixture(scope="module")
def django_project():
    with project():
        yield


@pytest.fixture
def django_session(django_project):
    with server_side().running():
        yield store()


def test_a_lazy_text_of_django_can_be_flashed(django_session):
    from django.utils.translation import gettext_lazy

    django_session.native.flash(gettext_lazy("saved"))
    ((message, _category),) = django_session.native.pop_flashes()
    assert (message, type(message)) == ("saved", str)


def test_values_of_djangos_session_stay_exact(django_session):
    from django.utils.translation import gettext_lazy

    with pytest.raises(NotSerializable, match=r'session\["word"\]'):
        django_session["word"] = gettext_lazy("saved")


def test_djangos_own_messages_may_be_lazy(django_session):
    from django.contrib.messages.storage.session import SessionStorage
    from django.http import HttpRequest, HttpResponse
    from django.utils.translation import gettext_lazy

    request = HttpRequest()
    request.session = django_session
    storage = SessionStorage(request)
    storage.add(20, gettext_lazy("saved"))
    storage.update(HttpResponse())
    assert [str(each) for each in SessionStorage(request)] == ["saved"]
