"""What a Django project has to write for its sessions to be bound to devices, and what is refused."""

import pytest
from django.test import override_settings

from adapters.django_project import SETTINGS, project
from binding.django_site import DJANGOS, MIDDLEWARE, OURS, Site, page
from cookiesess import ConfigurationError
from cookiesess.adapters.django import session_manager
from cookiesess.adapters.django.middleware import SessionMiddleware


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


@pytest.fixture(params=["server", "client"])
def site(request):
    site = Site(request.param)
    with override_settings(**site.settings):
        yield site


def refusal(**settings):
    with override_settings(**settings), pytest.raises(ConfigurationError) as caught:
        session_manager()
    return str(caught.value)


def test_djangos_own_middleware_is_refused(site):
    said = refusal(MIDDLEWARE=SETTINGS["MIDDLEWARE"])
    assert said.startswith("in Django's settings, COOKIESESS_OPTIONS")
    assert f'write "{OURS}" in place of "{DJANGOS}"' in said


class Derived(SessionMiddleware):
    """A project's own."""


def test_a_middleware_derived_from_ours_will_do(site):
    with override_settings(MIDDLEWARE=[f"{__name__}.Derived", *MIDDLEWARE[1:]]):
        assert session_manager().binding is not None


def test_without_binding_the_middleware_is_djangos_own(site):
    options = {name: value for name, value in site.options.items() if name != "binding"}
    with override_settings(COOKIESESS_OPTIONS=options):
        browser = site.browser()
        answer = browser.get("/log_in")
        assert answer.header("Secure-Session-Registration") is None
        assert browser.send("/_cookiesess/binding/start", method="POST").status == 404
        assert page(browser, "read") == {"owner": "ann", "data": None, "bound": False}


def test_with_another_engine_the_middleware_is_refused():
    engine = "django.contrib.sessions.backends.signed_cookies"
    with override_settings(SESSION_ENGINE=engine), pytest.raises(ConfigurationError, match="SESSION_ENGINE is"):
        SessionMiddleware(lambda request: None)


def test_a_domain_or_neither_store_nor_revocations_is_refused(site):
    assert "domain" in refusal(SESSION_COOKIE_DOMAIN="example.com")
    options = {name: value for name, value in site.options.items() if name != "revocations"}
    assert "revocations" in refusal(COOKIESESS_STORE=None, COOKIESESS_OPTIONS=options)
