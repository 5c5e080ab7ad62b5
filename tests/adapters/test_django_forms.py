"""Django with CSRF_USE_SESSIONS, whose secret of forms is in the session: its own middleware checks two clicks."""

from contextlib import contextmanager

import pytest
from django.middleware.csrf import get_token
from django.test import Client, override_settings

from adapters.django_project import SETTINGS
from adapters.edges import SIDES, Django

CHECKED = [*SETTINGS["MIDDLEWARE"], "django.middleware.csrf.CsrfViewMiddleware"]


class Forms(Django):
    """The shop with a form."""

    @contextmanager
    def running(self):
        with super().running(), override_settings(MIDDLEWARE=CHECKED, CSRF_USE_SESSIONS=True):
            self.app = self.make_app()
            yield self

    def on_form(self, session, query, request):
        return get_token(request)


class Visitor:
    """A browser that sends forms."""

    def __init__(self, cookies=None):
        self.client = Client(enforce_csrf_checks=True, HTTP_HOST="shop.example")
        for name, morsel in (cookies or {}).items():
            self.client.cookies[name] = morsel.value

    def form(self):
        return self.client.get("/form").content.decode()

    def log_in(self, token):
        return self.client.post("/login", {"csrfmiddlewaretoken": token}).status_code

    @property
    def who(self):
        return self.client.get("/who").content.decode().partition(",")[0]

    def copy(self):
        return Visitor(self.client.cookies)


@pytest.fixture(params=["store", "revocations", "client-side"])
def shop(request):
    with Forms(SIDES[request.param]()).running() as shop:
        yield shop


def test_a_form_is_good_for_the_second_of_two_clicks(shop):
    visitor = Visitor()
    token = visitor.form()
    assert visitor.copy().log_in(token) == 200
    assert visitor.log_in(token) == 200
    assert visitor.who == "ann"


@pytest.mark.parametrize("seconds", [0, 60, 599])
def test_a_form_that_is_loaded_anew_after_a_lost_answer_is_good(shop, seconds):
    visitor = Visitor()
    visitor.copy().log_in(visitor.form())
    shop.clock.advance(seconds)
    assert visitor.log_in(visitor.form()) == 200
    assert visitor.who == "ann"


def test_a_form_from_elsewhere_is_refused(shop):
    visitor = Visitor()
    visitor.copy().log_in(visitor.form())
    assert visitor.log_in(Visitor().form()) == 403
