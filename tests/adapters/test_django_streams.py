"""Django's session engine under a streamed response: what the body changes is saved or refused, never lost silently."""

import gc
import weakref

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.test.client import RequestFactory

from adapters.django_project import Site, project, saved, server_side, store
from cookiesess import SessionCommitted
from cookiesess.adapters.django import responses
from cookiesess.adapters.django.responses import Server


@pytest.fixture(scope="module", autouse=True)
def _project():
    with project():
        yield


@pytest.fixture
def site():
    with server_side().running() as site:
        yield site


@pytest.fixture
def client_side():
    with Site(None).running() as site:
        yield site


def body_of(response):
    return b"".join(response.streaming_content)


def shown(site):
    return site.client.get("/show").content.decode()


def test_a_key_that_the_body_has_set_is_saved(site):
    site.client.get("/put?a=1")
    assert body_of(site.client.get("/streams?late=1")) == b"firstlast"
    assert shown(site) == "{'a': '1', 'late': '1'}"


def test_what_the_body_has_changed_inside_a_value_is_saved(site):
    site.client.get("/append?item=tea")
    body_of(site.client.get("/streams?item=milk"))
    assert shown(site) == "{'cart': ['tea', 'milk']}"


def test_a_change_before_the_body_and_one_in_it_are_both_saved(site):
    site.client.get("/put?a=1")
    body_of(site.client.get("/changes_and_streams?late=1"))
    assert shown(site) == "{'a': '1', 'early': '1', 'late': '1'}"


def test_a_session_that_the_response_began_takes_the_bodys_change(site):
    body_of(site.client.get("/changes_and_streams?late=1"))
    assert shown(site) == "{'early': '1', 'late': '1'}"


def test_a_body_that_changes_nothing_saves_nothing(site):
    site.client.get("/put?a=1")
    site.events.clear()
    body_of(site.client.get("/streams"))
    assert site.names() == []


def test_a_visitor_without_a_session_could_not_be_told_of_one(site):
    with pytest.raises(SessionCommitted, match="only a cookie could have carried"):
        body_of(site.client.get("/streams?late=1"))


@pytest.mark.parametrize("path", ["/streams?late=1", "/streams?item=milk", "/changes_and_streams?late=1"])
def test_client_side_a_late_change_is_refused(client_side, path):
    client_side.client.get("/append?item=tea")
    with pytest.raises(SessionCommitted, match="set COOKIESESS_STORE"):
        body_of(client_side.client.get(path))


def test_of_a_failed_response_nothing_is_saved(site):
    site.client.get("/put?a=1")
    body_of(site.client.get("/changes_and_streams?late=1&status=500"))
    assert shown(site) == "{'a': '1'}"


def test_a_session_that_ended_meanwhile_does_not_come_back(site):
    site.client.get("/put?a=1")
    body_of(site.client.get("/streams?late=1&end=1"))
    assert site.names()[-2:] == ["session.ended", "session.write_dropped"]
    assert shown(site) == "{}"


def test_a_session_without_a_request_is_not_kept_alive(site):
    session = saved(a=1)
    assert not session.is_empty()
    alive = weakref.ref(session)
    del session
    gc.collect()
    assert alive() is None


def test_a_session_that_no_request_has_looked_at_is_left_alone(site):
    session = saved(a=1)
    session["a"] = 2
    request_finished.send(sender=None)
    assert store(session.session_key)["a"] == 1


# The server


def answered(**environ):
    """Send a request to the project as a server does."""
    headers = []
    environ = RequestFactory().generic("GET", "/put?a=1").environ | environ
    WSGIHandler()(environ, lambda status, sent: headers.extend(sent)).close()
    return headers


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(Server, "several_processes", False)


@pytest.mark.parametrize(("several", "names"), [(True, ["store.not_shared"]), (False, [])])
def test_a_store_in_memory_under_several_processes_is_an_event_said_once(server, several, names):
    with server_side().running() as site:
        for _ in range(2):
            answered(**{"wsgi.multiprocess": several})
        assert [name for name in site.names() if name == "store.not_shared"] == names


def test_djangos_test_client_is_no_server(server, site):
    site.client.get("/put?a=1")
    assert "store.not_shared" not in site.names()


def test_sessions_in_cookies_need_no_warning(server, client_side):
    answered(**{"wsgi.multiprocess": True})
    assert "store.not_shared" not in client_side.names()


def test_where_no_response_ever_ends_the_sessions_that_are_gone_are_forgotten(site):
    for _ in range(50):
        store().is_empty()
    gc.collect()
    responses.await_end(kept := store())
    assert [each() for each in responses._waiting.get()] == [kept]
    responses.end()


def test_a_session_that_is_gone_when_the_response_ends_is_no_error(site):
    store().is_empty()
    gc.collect()
    responses.end()
    assert responses._waiting.get() == ()
