"""Pyramid's session factory: when the session is saved, and what it does to a response."""

import sys
from datetime import timedelta
from importlib import import_module

import pytest
import webtest
from pyramid.response import Response

from cookiesess import (
    ConfigurationError,
    CookiePolicy,
    CookieTooLarge,
    Lifetime,
    MissingDependency,
    Session,
    SessionCommitted,
    SessionError,
    SessionManager,
    SessionMiddleware,
    get_cookies,
    get_manager,
    get_session,
)
from cookiesess.adapters.pyramid import session_factory
from cookiesess.readers import PyramidSignedCookie
from cookiesess.stores.memory import MemoryStore
from cookiesess.testing import ManualClock
from kit.constants import KEY, SECRET, UNTIL
from kit.pyramid_site import POLICY, Site, fails, invalidate, invalidates_and_fails, put, show, untouched
from readers.test_pyramid import write


@pytest.fixture(params=[True, False], ids=["store", "cookie"])
def store(request):
    return MemoryStore() if request.param else None


# Requests


def test_a_session_lasts_from_request_to_request(store):
    site = Site(put, show, store=store)
    assert site.get("put").text == "put"
    assert site.get("show").text == "{'a': 1}"


def test_a_request_that_does_not_touch_the_session_gets_no_header(store):
    site = Site(put, untouched, store=store)
    site.get("put")
    response = site.get("untouched")
    assert not {"Set-Cookie", "Vary"} & set(response.headers)


def test_a_request_that_only_reads_sends_no_cookie_and_says_that_it_varies(store):
    site = Site(put, show, store=store)
    site.get("put")
    response = site.get("show")
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "private"
    assert response.headers["Vary"] == "Cookie"


def test_a_response_with_a_cookie_is_kept_out_of_shared_caches():
    def public(request):
        request.session["a"] = 1
        return Response("public", cache_control="public, max-age=60")

    events = []
    response = Site(public, on_event=events.append).get("public")
    assert response.headers["Cache-Control"] == "max-age=60, private"
    assert "response.shared_caching_prevented" in [event.name for event in events]


def test_invalidate_ends_the_session_and_its_cookie(store):
    site = Site(put, show, invalidate, store=store)
    site.get("put")
    assert "; Max-Age=0" in site.get("invalidate").headers["Set-Cookie"]
    assert site.get("show").text == "{}"


def test_a_copy_of_the_cookie_is_worth_nothing_after_invalidate():
    site = Site(put, show, invalidate, store=MemoryStore())
    cookie = site.get("put").headers["Set-Cookie"].partition(";")[0]
    site.get("invalidate")
    site.browser.reset()
    assert site.get("show", headers={"Cookie": cookie}).text == "{}"


def test_invalidate_ends_the_session_even_if_the_view_fails_afterwards():
    site = Site(put, show, invalidates_and_fails, store=MemoryStore())
    site.get("put")
    with pytest.raises(RuntimeError, match="the view failed"):
        site.get("invalidates_and_fails")
    assert site.get("show").text == "{}"


def test_a_request_that_ends_without_a_response_saves_nothing(store):
    site = Site(put, show, fails, store=store)
    site.get("put")
    with pytest.raises(RuntimeError, match="the view failed"):
        site.get("fails")
    assert site.get("show").text == "{'a': 1}"


def test_the_response_of_an_exception_view_carries_the_session(store):
    def sorry(error, request):
        return Response("sorry", status=500)

    site = Site(fails, show, exception_view=sorry, store=store)
    assert site.get("fails", status=500).text == "sorry"
    assert site.get("show").text == "{'late': True}"


def test_what_the_apps_own_callbacks_change_is_saved(store):
    def calls_back(request):
        assert not request.session
        request.add_response_callback(lambda request, response: request.session.update(by="callback"))
        return Response("called")

    site = Site(calls_back, show, store=store)
    site.get("calls_back")
    assert site.get("show").text == "{'by': 'callback'}"


def test_a_session_that_is_first_looked_at_in_a_callback_is_saved(store):
    def calls_back(request):
        request.add_response_callback(lambda request, response: request.session.update(by="callback"))
        return Response("called")

    site = Site(calls_back, show, store=store)
    site.get("calls_back")
    assert site.get("show").text == "{'by': 'callback'}"


def test_a_session_that_is_too_large_is_an_error_and_saves_nothing():
    def grows(request):
        request.session["b"] = "x" * 10_000
        return Response("grown")

    site = Site(grows, show)
    with pytest.raises(CookieTooLarge):
        site.get("grows")
    assert site.get("show").text == "{}"


def test_a_ready_manager_has_its_settings():
    manager = SessionManager(KEY, cookie=POLICY)
    site = Site(put, keys=manager)
    site.get("put")
    assert site.factory.manager is manager
    with pytest.raises(ConfigurationError, match="store"):
        session_factory(manager, store=MemoryStore())


def test_the_session_the_jar_and_the_manager_are_reachable_from_the_request():
    def reach(request):
        session = request.session
        assert get_session(request) is session
        assert isinstance(request.session, Session)
        assert get_cookies(request) is session.cookies
        session.cookies.set("theme", "dark")
        assert get_manager(request) is site.factory.manager
        return Response("reached")

    site = Site(reach)
    site.get("reach")
    assert site.browser.cookies["theme"] == "dark"


def test_the_cookie_of_a_request_over_loopback_may_go_without_secure():
    site = Site(put, cookie=CookiePolicy.development())
    environ = {"HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1"}
    assert "Secure" not in site.get("put", extra_environ=environ).headers["Set-Cookie"]
    environ["REMOTE_ADDR"] = "192.0.2.1"
    site.browser.reset()
    assert "Secure" in site.get("put", extra_environ=environ).headers["Set-Cookie"]


def test_a_request_that_is_tried_again_has_another_session():
    def tried_again(request):
        request.session["tries"] = 1
        again = type(request)(request.environ)
        again.registry = request.registry
        assert "tries" not in site.factory(again)
        return Response("tried")

    site = Site(tried_again)
    assert site.get("tried_again").text == "tried"


# Streams, and what comes after the commit


def streaming(*steps):
    def view(request):
        def body():
            for step in steps:
                step(request.session)
                yield b"item"

        assert request.session is not None
        len(request.session)
        return Response(app_iter=body(), content_type="text/plain")

    view.__name__ = "stream"
    return view


def test_what_a_stream_changes_is_saved_where_sessions_are_on_the_server():
    site = Site(put, show, streaming(lambda session: session.update(by="stream")), store=MemoryStore())
    site.get("put")
    assert site.get("stream").body == b"item"
    assert site.get("show").text == "{'a': 1, 'by': 'stream'}"


def test_what_a_stream_changes_is_refused_where_it_would_need_a_cookie():
    site = Site(put, streaming(lambda session: session.update(by="stream")))
    site.get("put")
    with pytest.raises(SessionCommitted):
        site.get("stream")


def test_a_stream_that_fails_saves_nothing():
    def fail(session):
        raise RuntimeError("the stream failed")

    site = Site(put, show, streaming(lambda session: session.update(by="stream"), fail), store=MemoryStore())
    site.get("put")
    with pytest.raises(RuntimeError, match="the stream failed"):
        site.get("stream")
    assert site.get("show").text == "{'a': 1}"


def test_a_stream_is_closed_and_keeps_its_length():
    class Body:
        closed = 0

        def __iter__(self):
            return iter([b"four"])

        def close(self):
            self.closed += 1

    body = Body()

    def stream(request):
        request.session["a"] = 1
        return Response(app_iter=body, content_length=4, content_type="text/plain")

    response = Site(stream).get("stream")
    assert response.content_length == 4
    assert body.closed == 1


def test_a_body_that_has_nothing_to_close_is_fine(store):
    def stream(request):
        request.session["a"] = 1
        return Response(app_iter=iter([b"four"]), content_type="text/plain")

    site = Site(stream, show, store=store)
    assert site.get("stream").body == b"four"
    assert site.get("show").text == "{'a': 1}"


def test_a_session_that_is_fetched_and_not_looked_at_gets_no_header(store):
    def fetches(request):
        assert request.session is not None
        return Response("fetched")

    site = Site(put, fetches, store=store)
    site.get("put")
    assert not {"Set-Cookie", "Vary"} & set(site.get("fetches").headers)


def test_a_file_reaches_the_server_as_it_is():
    class Wrapper:
        def __init__(self, filelike=b"file", size=0):
            self.filelike = filelike

        def __iter__(self):
            return iter([self.filelike])

        def close(self):
            pass

    found = []

    def file(request):
        request.session["a"] = 1
        return Response(app_iter=request.environ["wsgi.file_wrapper"](), content_type="text/plain")

    def noting(app):
        def outer(environ, start_response):
            environ["wsgi.file_wrapper"] = Wrapper
            found.append(app(environ, start_response))
            return found[0]

        return outer

    site = Site(file, wrap=noting)
    site.browser = webtest.TestApp(site.browser.app, lint=False)
    site.get("file")
    assert type(found[0]) is Wrapper


def test_what_a_finished_callback_changes_is_saved_where_sessions_are_on_the_server():
    def finishes(request):
        len(request.session)
        request.add_finished_callback(lambda request: request.session.update(by="finish"))
        return Response("finished")

    site = Site(put, show, finishes, store=MemoryStore())
    site.get("put")
    site.get("finishes")
    assert site.get("show").text == "{'a': 1, 'by': 'finish'}"


# Beside a middleware


def wrapped(**settings):
    return lambda app: SessionMiddleware(app, KEY, **settings)


def test_a_middleware_with_its_session_in_the_same_place_is_an_error():
    site = Site(put, wrap=wrapped())
    with pytest.raises(SessionError, match="remove one"):
        site.get("put")


def test_a_middleware_with_a_place_of_its_own_is_fine_and_shares_its_jar():
    def both(request):
        get_session(request, "outer.session")["a"] = 1
        request.session["a"] = 2
        get_cookies(request).set("theme", "dark")
        return Response("both")

    site = Site(both, wrap=wrapped(environ_key="outer.session", cookie=CookiePolicy("outer", secure=False)))
    lines = site.get("both").headers.getall("Set-Cookie")
    assert sorted(line.partition("=")[0] for line in lines) == ["outer", "session", "theme"]


def test_a_session_that_has_run_out_is_empty(store):
    clock = ManualClock()
    site = Site(put, show, store=store, clock=clock, lifetime=Lifetime(idle=timedelta(hours=1)))
    site.get("put")
    clock.advance(timedelta(hours=1))
    assert site.get("show").text == "{}"


def test_without_pyramid_the_error_holds_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyramid.interfaces", None)
    monkeypatch.delitem(sys.modules, "cookiesess.adapters.pyramid")
    with pytest.raises(MissingDependency, match=r'pip install "cookiesess\[pyramid\]"'):
        import_module("cookiesess.adapters.pyramid")


def test_a_session_that_pyramid_had_signed_goes_on_and_is_written_in_our_format():
    signed = {"Cookie": f"session={write({'user': 42})}"}
    site = Site(put, show, accept=[PyramidSignedCookie(SECRET, until=UNTIL)])
    assert site.get("show", headers=signed).text == "{'user': 42}"
    ours = {"Cookie": site.get("put", headers=signed).headers["Set-Cookie"].partition(";")[0]}
    assert Site(show).get("show", headers=ours).text == "{'user': 42, 'a': 1}"
