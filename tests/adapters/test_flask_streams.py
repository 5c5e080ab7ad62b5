"""What is changed after Flask has saved the session: in streams, and in ``teardown_request``."""

from wsgiref.validate import validator

import flask
import pytest
from flask import session, stream_with_context

from cookiesess import (
    SessionCommitted,
)
from cookiesess.stores.memory import MemoryStore
from kit.flask_site import Site, fails, nothing, put, show, vary

VIEWS = {"put": put(a=1), "show": show, "nothing": nothing, "fails": fails}


# Streams and late changes


def streaming(*steps):
    """A view whose body runs one step before each item."""

    def view():
        @stream_with_context
        def body():
            for step in steps:
                step()
                yield "item "

        return flask.Response(body())

    return view


def late(site, *steps, touch=True):
    """Ask for a stream that runs `steps`, in a session that exists."""

    def view():
        if touch:
            session.get("a")
        return streaming(*steps)()

    site.app.add_url_rule("/late", "late", view)
    site.get("/put")
    return site.get("/late")


@pytest.mark.parametrize("touch", [True, False])
def test_a_stream_can_read_the_session(touch):
    read = []
    late(Site(VIEWS), lambda: read.append(session["a"]), touch=touch)
    assert read == [1]


@pytest.mark.parametrize("touch", [True, False])
def test_what_a_stream_changes_is_saved_server_side(touch):
    site = Site(VIEWS, store=MemoryStore())
    late(site, lambda: session.update(b=2), lambda: session.update(c=[]), lambda: session["c"].append(3), touch=touch)
    assert site.get("/show").text == "{'a': 1, 'b': 2, 'c': [3]}"


def test_what_a_stream_changes_client_side_raises_at_the_line():
    refused = []

    def step():
        with pytest.raises(SessionCommitted):
            session["b"] = 2
        refused.append(True)

    assert late(Site(VIEWS), step).text == "item "
    assert refused == [True]


def test_a_nested_change_of_a_stream_client_side_raises_at_the_close():
    site = Site({**VIEWS, "put": put(a=[])})
    with pytest.raises(SessionCommitted):
        late(site, lambda: session["a"].append(1))


def test_a_stream_that_fails_saves_nothing_of_what_it_changed():
    site = Site(VIEWS, store=MemoryStore())

    def fail():
        raise RuntimeError("the stream failed")

    with pytest.raises(RuntimeError, match="the stream failed"):
        late(site, lambda: session.update(b=2), fail)
    assert site.get("/show").text == "{'a': 1}"


def test_a_streams_own_close_is_called_once():
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"item"])

        def close(self):
            closed.append(True)

    site = Site({"body": lambda: session.get("a") or flask.Response(Body())})
    assert site.get("/body").text == "item"
    assert closed == [True]


def test_a_plain_iterator_can_be_streamed():
    site = Site({"body": lambda: session.get("a") or flask.Response(iter(["item"]))})
    assert site.get("/body").text == "item"


def test_a_body_that_is_passed_through_reaches_the_server_as_it_is(tmp_path):
    file = tmp_path / "logo.txt"
    file.write_text("logo")
    site = Site({**VIEWS, "file": lambda: session.get("a") and flask.send_file(file)})
    site.get("/put")
    response = site.get("/file")
    assert response.text == "logo"
    assert vary(response.headers) == ["Cookie"]


@pytest.mark.parametrize("change", [lambda: session["a"].append(1), lambda: session.update(a=[1])])
@pytest.mark.parametrize("path", ["/show?late", "/nothing?late"])
def test_what_teardown_changes_is_saved_server_side(change, path):
    site = Site({**VIEWS, "put": put(a=[])}, store=MemoryStore())
    site.app.teardown_request(lambda error: change() if "late" in flask.request.args else None)
    site.get("/put")
    site.get(path)
    assert site.get("/show").text == "{'a': [1]}"


def test_what_teardown_changes_after_a_file_is_refused(tmp_path):
    """Nobody tells the session when the server is done with the file, so the change could not be saved."""
    file = tmp_path / "logo.txt"
    file.write_text("logo")
    site = Site({**VIEWS, "file": lambda: session.get("a") and flask.send_file(file)}, store=MemoryStore())
    refused = []

    def teardown(error):
        if flask.request.path == "/file":
            with pytest.raises(SessionCommitted):
                session["b"] = 2
            refused.append(True)

    site.app.teardown_request(teardown)
    site.get("/put")
    site.get("/file")
    assert refused == [True]


def test_what_teardown_changes_client_side_is_refused():
    site = Site(VIEWS)
    refused = []

    def teardown(error):
        with pytest.raises(SessionCommitted):
            session["b"] = 2
        refused.append(True)

    site.app.teardown_request(teardown)
    site.get("/put")
    assert refused == [True]


def test_a_head_request_closes_the_stream():
    site = Site({"page": streaming(lambda: None)}, store=MemoryStore())
    assert site.client.head("/page", buffered=True).status_code == 200


@pytest.mark.parametrize("path", ["/put", "/show", "/nothing", "/stream"])
def test_the_app_keeps_to_the_protocol_of_wsgi(path):
    site = Site({**VIEWS, "stream": streaming(lambda: session.get("a"))}, store=MemoryStore())
    site.app.wsgi_app = validator(site.app.wsgi_app)
    assert site.get(path).status_code == 200
