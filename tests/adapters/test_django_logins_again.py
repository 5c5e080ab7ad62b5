"""A Django user who is logged in and logs in once more: to confirm it, by a double click, or in another tab."""

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate, login
from django.test import RequestFactory

from adapters.django_project import Site, project, store
from binding.conftest import KeptStore
from cookiesess import Lifetime
from cookiesess.stores.memory import MemoryStore

MINUTES = timedelta(minutes=10)
MONTH = Lifetime(idle=timedelta(days=14), absolute=timedelta(days=30))
KINDS = {
    "store": lambda: Site(MemoryStore(), lifetime=MONTH),
    "cookie": lambda: Site(None, lifetime=MONTH),
    "revocations": lambda: Site(None, lifetime=MONTH, revocations=KeptStore()),
}


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


@pytest.fixture(params=list(KINDS))
def site(request):
    """The project, with ann logged in since long ago."""
    with KINDS[request.param]().running() as site:
        site.client.get("/log_in", {"name": "ann", "password": "correct"})
        site.client.get("/put", {"cart": "tea"})
        site.clock.advance(3600)
        yield site


def under_way(site):
    """A request of the browser, as it stands in a view."""
    request = RequestFactory().get("/")
    request.session = store(site.client.cookies["sessionid"].value)
    assert request.session["cart"] == "tea"
    return request


def log_in(request, name="ann", password="correct"):
    login(request, authenticate(request, username=name, password=password))


def seen(request):
    """Whose session the browser has after a request, and what is in it."""
    session = store(request.session.session_key)
    return session.native.owner, session.get("cart")


def test_it_counts_as_an_authentication(site):
    request = under_way(site)
    assert not request.session.native.authenticated_within(MINUTES)
    log_in(request)
    request.session.save()
    assert store(request.session.session_key).native.authenticated_within(MINUTES)


def test_both_clicks_of_a_double_click_leave_the_user_logged_in(site):
    first, second = under_way(site), under_way(site)
    log_in(first)
    log_in(second)
    first.session.save()
    second.session.save()
    assert seen(first) == seen(second) == ("1", "tea")


def test_an_answer_that_is_lost_leaves_the_user_logged_in(site):
    request = under_way(site)
    log_in(request)
    request.session.save()
    assert seen(under_way(site)) == ("1", "tea")


def test_what_another_tab_writes_meanwhile_is_kept(site):
    tab, request = under_way(site), under_way(site)
    log_in(request)
    request.session.save()
    tab.session["seen"] = True
    tab.session.save()
    assert seen(tab) == ("1", "tea")
    assert store(tab.session.session_key)["seen"]


def test_another_user_gets_a_session_of_their_own(site):
    request = under_way(site)
    before = request.session.session_key
    log_in(request, "bob", "horse")
    request.session.save()
    assert request.session.session_key != before
    assert seen(request) == ("2", None)
