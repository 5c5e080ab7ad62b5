"""What Beaker's own tests ask of ``environ["beaker.session"]``, on Beaker and on ours; and where the page says no."""

import pytest
import webtest
from beaker.middleware import SessionMiddleware as BeakerMiddleware
from webob import Response

from cookiesess import SessionMiddleware
from cookiesess.adapters.beaker import BeakerSession
from cookiesess.stores.memory import MemoryStore
from kit.constants import KEY

BEAKER = "beaker.session"


def browsers(app):
    """Return a browser before Beaker, one before our sessions in cookies, and one before ours in a store."""
    apps = (
        BeakerMiddleware(app, type="cookie", validate_key=KEY, data_serializer="json", auto=True),
        SessionMiddleware(app, KEY, environ_key=BEAKER),
        SessionMiddleware(app, KEY, environ_key=BEAKER, store=MemoryStore()),
    )
    return [webtest.TestApp(each, {"wsgi.url_scheme": "https"}) for each in apps]


def answers(view, visits=1):
    """Return what `view` says of its session at each visit, behind each of the three."""

    def app(environ, start_response):
        return Response(str(view(environ[BEAKER], environ["PATH_INFO"])))(environ, start_response)

    return [[browser.get(f"/{n}").text for n in range(visits)] for browser in browsers(app)]


def same(view, visits=1):
    theirs, *ours = answers(view, visits)
    assert ours == [theirs, theirs]
    return theirs


def counted(session, path):
    """As Beaker's tests count: they take a session that is false for one that was not found."""
    if not session:
        return "no session"
    if not session.has_key("value"):
        session["value"] = 0
    session["value"] += 1
    session.save()
    return session["value"]


def test_an_empty_session_is_true():
    assert same(lambda session, path: bool(session)) == ["True"]


def test_a_session_that_was_ended_is_true():
    assert same(lambda session, path: (session.delete(), bool(session))[1]) == ["True"]


def test_a_session_that_is_asked_for_its_truth_alone_is_not_loaded():
    def app(environ, start_response):
        assert environ[BEAKER]
        return Response(str(environ[BEAKER].touched))(environ, start_response)

    browser = webtest.TestApp(SessionMiddleware(app, KEY, environ_key=BEAKER))
    assert browser.get("/").text == "False"


def test_a_count_goes_up():
    assert same(counted, visits=3) == ["1", "2", "3"]


def test_the_id_stays_from_request_to_request():
    for ids in answers(lambda session, path: (session.save(), session.id)[1], visits=2):
        assert ids[0] == ids[1]


@pytest.mark.parametrize("verb", ["invalidate", "delete"])
def test_what_was_ended_is_empty_and_can_be_filled_anew(verb):
    def view(session, path):
        if path == "/1":
            getattr(session, verb)()
            session["new"] = path
            session.save()
        else:
            session["old"] = session.get("old", path)
            session.save()
        return sorted(key for key in session if not key.startswith("_"))

    theirs, *ours = answers(view, visits=2)
    assert ours == [theirs, theirs] == [["['old']", "['new']"]] * 2


def test_a_revert_takes_back_what_the_request_changed():
    def view(session, path):
        session["value"] = session.get("value", 0) + 1
        if path != "/1":
            return session["value"]
        session.revert()
        return session.get("value", 0)

    _, *ours = answers(view, visits=3)
    assert ours == [["1", "1", "2"]] * 2


def test_a_visitor_whose_session_is_empty_gets_no_cookie():
    def app(environ, start_response):
        environ[BEAKER].invalidate()
        environ[BEAKER].save()
        return Response("")(environ, start_response)

    sent = ["Set-Cookie" in browser.get("/").headers for browser in browsers(app)]
    assert sent == [True, False, False]


def test_its_repr_shows_no_values():
    def view(session, path):
        session["secret"] = "tea"
        return repr(session)

    theirs, *ours = answers(view)
    assert ["tea" in text for (text,) in (theirs, *ours)] == [True, False, False]


def test_the_truth_of_a_plain_session_is_that_of_a_dict():
    assert "__bool__" in vars(BeakerSession)
    assert not hasattr(BeakerSession.__base__, "__bool__")


def test_the_times_among_beaker_s_keys_can_be_read_and_are_no_keys_here():
    def view(session, path):
        session["a"] = 1
        session.save()
        if path == "/0":
            return "begun"
        return [(type(session[name]).__name__, name in session) for name in ("_creation_time", "_accessed_time")]

    theirs, *ours = answers(view, visits=2)
    assert theirs == ["begun", "[('float', True), ('float', True)]"]
    assert ours == [["begun", "[('float', False), ('float', False)]"]] * 2
